"""What every figure has: a palette, a size, fonts, and a text for those who cannot see it."""

import functools
import html
from io import BytesIO

import numpy as np
from IPython.display import display
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, RED, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#B00020",
    "#222222",
)
LINE_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY)
CHART_DOTS = 120  # per inch, for lines and letters
GRID_DOTS = 80  # per inch, for grids of pictures: keeps a notebook small
MOST_COLOURS = 256  # of a palette: with it a chart takes a third of the space
# On Windows, on macOS, and what Linux distributions bring, in this order.
KOREAN_FONTS = (
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
)
# JupyterLab gives an image/png no text, whatever the metadata say. So a second picture follows it there: one pixel that
# nobody sees, with the text. Elsewhere, as in VS Code and on pages, the figure has its text, and this one is not shown,
# so that nothing is heard twice: JupyterLab's variable is not set there. (Where it is, the browser passes over that
# `display`: a size is no value of it.) A picture, not hidden words: GitHub takes styles away, and would show those.
TEXT_IN_JUPYTERLAB = (
    '<img alt="{alt}" width="1" height="1" style="position: absolute; display: var(--jp-content-font-size1, none)" '
    'src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">'
)


def new_figure(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (8.0, 3.5), dots: int = CHART_DOTS
) -> tuple[Figure, np.ndarray]:
    """Return an empty figure of `size` inches, with `dots` per inch, and its axes as an array `(rows, columns)`.

    Example:
        >>> figure, axes = new_figure(1, 2)
        >>> axes.shape
        (1, 2)
    """
    # Not pyplot: a figure made this way needs no display, is not kept alive, and touches no global state.
    figure = Figure(figsize=size, dpi=dots, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


@functools.cache
def font_families() -> list[str]:
    """Return matplotlib's own font, then those of this machine that can write Korean: for names of classes."""
    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in KOREAN_FONTS if name in installed)]


def display_figure(figure: Figure, *, colours: int | None = MOST_COLOURS, alt: str) -> None:
    """Show `figure` in the notebook with `alt`, which screen readers find in JupyterLab, in VS Code and on pages.

    Args:
        figure: to show.
        colours: at most so many, 256 or fewer; None for all of them, where photos need them.
        alt: what the figure shows.

    Raises:
        ValueError: if `alt` is empty.
    """
    display_png(as_png(figure, colours=colours), alt=alt)


def as_png(figure: Figure, *, colours: int | None = None) -> bytes:
    """Return `figure` as the content of a PNG file; with at most 256 `colours`, photos take a third of the space."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", pil_kwargs={"optimize": True})  # an eighth smaller
    if colours is not None:
        picture = Image.open(buffer).convert("RGB")
        buffer = BytesIO()
        picture.quantize(colours).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def display_png(content: bytes, *, alt: str) -> None:
    if not alt.strip():
        raise ValueError("Received an empty alt text, expected a sentence. Say what the picture shows.")
    # Pages take the text from the metadata, VS Code from text/plain.
    display({"image/png": content, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})
    display({"text/html": TEXT_IN_JUPYTERLAB.format(alt=html.escape(alt))}, raw=True)
