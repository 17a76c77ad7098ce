"""Every figure of the course, each with a text for those who cannot see it.

All functions show a figure and return nothing. `alt` is required: one sentence that says what the picture shows and
what to see in it. Colours come from the Okabe-Ito palette, which colour-blind readers can tell apart.
"""

import functools
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from IPython.display import display
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator
from PIL import Image

from helpers._quiet import without_remarks

if TYPE_CHECKING:
    import keras

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
CHANNEL_COLOURS = {"red": ORANGE, "green": GREEN, "blue": BLUE, "grey": BLACK}
DOTS_PER_INCH = 80  # screen resolution, for grids of pictures: keeps a notebook small
CHART_DOTS = 120  # per inch, for lines and letters
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
PICTURE_WIDTH = 1.75  # inches, in a grid of pictures
SMALL_WIDTH = 1.0  # inches, in a grid of feature maps or filters
BOX_WIDTH, BOX_HEIGHT = 1.45, 0.45  # inches, with the space around it, in a diagram
MOST_LARGE_PLACES = 15  # classes of a confusion matrix; with more, smaller places


def new_figure(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (8.0, 3.5), dots: int = DOTS_PER_INCH
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


def display_figure(figure: Figure, *, colours: int | None = None, alt: str) -> None:
    """Show `figure` in the notebook with `alt` in the output's metadata, where screen readers find it.

    Raises:
        ValueError: if `alt` is empty.
    """
    _display_png(as_png(figure, colours=colours), alt=alt)


def as_png(figure: Figure, *, colours: int | None = None) -> bytes:
    """Return `figure` as the content of a PNG file; with at most 256 `colours`, photos take a third of the space."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", pil_kwargs={"optimize": True})  # an eighth smaller
    if colours is not None:
        picture = Image.open(buffer).convert("RGB")
        buffer = BytesIO()
        picture.quantize(colours).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _display_png(content: bytes, *, alt: str) -> None:
    if not alt.strip():
        raise ValueError("Received an empty alt text, expected a sentence. Say what the picture shows.")
    display({"image/png": content, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def show_images(
    images: Sequence[np.ndarray],
    *,
    titles: Sequence[str] | None = None,
    columns: int = 5,
    correct: Sequence[bool] | None = None,
    colours: int | None = None,
    alt: str,
) -> None:
    """Show pictures in a grid.

    Args:
        images: uint8 `(height, width, 3)` or `(height, width)` arrays (those are shown in grey), or floats in 0..1.
        titles: one per picture.
        columns: pictures per row.
        correct: one per picture: right answers get a blue frame and title, wrong ones an orange title and a broken
            orange frame with a cross in its corner.
        colours: in all, at most 256, so that many photos make a small file; None for all that there are.
        alt: what the figure shows.

    Raises:
        ValueError: if there is no picture, or the number of titles differs from the number of pictures.
    """
    images = list(images)
    if not images:
        raise ValueError("Received no pictures, expected at least one. Check the selection before showing it.")
    for name, values in (("titles", titles), ("correct", correct)):
        if values is not None and len(values) != len(images):
            raise ValueError(
                f"Received {len(values)} {name} for {len(images)} pictures, expected as many. Give one per picture."
            )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = 0 if titles is None else 1 + max(title.count("\n") for title in titles)
    tallest = max(image.shape[0] / image.shape[1] for image in map(np.asarray, images))
    height = PICTURE_WIDTH * min(tallest, 1.2) + 0.18 * lines + 0.05
    figure, axes = new_figure(rows, columns, size=(PICTURE_WIDTH * columns, height * rows))
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        _draw_image(axis, image)
        colour = BLACK if correct is None else (BLUE if correct[index] else ORANGE)
        if correct is not None:
            _draw_frame(axis, right=bool(correct[index]))
        if titles is not None:
            axis.set_title(titles[index], fontsize=9, color=colour, fontfamily=font_families())
    display_figure(figure, colours=colours, alt=alt)


def _draw_image(axis: Axes, image: np.ndarray) -> None:
    image = np.asarray(image)
    limits = {"vmin": 0, "vmax": 255 if np.issubdtype(image.dtype, np.integer) else 1}
    axis.imshow(image, **({"cmap": "gray", **limits} if image.ndim == 2 else {}))


def _draw_frame(axis: Axes, *, right: bool) -> None:
    """Frame a picture so that right and wrong differ in colour, in line and in a sign."""
    colour = BLUE if right else ORANGE
    on_axis = {"transform": axis.transAxes, "clip_on": False, "zorder": 3}
    if not right:  # white between the dashes, or they are lost on a picture of their colour
        axis.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="white", linewidth=4, **on_axis))
    line = {"linewidth": 3 if right else 4, "linestyle": "-" if right else (0, (2.5, 1.5))}
    axis.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour, **line, **on_axis))
    sign = {"color": "white", "fontsize": 9, "fontweight": "bold", "ha": "right", "va": "top", "zorder": 4}
    box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "square,pad=0.15"}
    axis.text(1, 1, "✓" if right else "✗", transform=axis.transAxes, bbox=box, **sign)


def show_heatmaps(
    pictures: Sequence[np.ndarray], maps: Sequence[np.ndarray], *, titles: Sequence[str], columns: int = 4, alt: str
) -> None:
    """Show pictures in grey and over each, in colour, a map of its places, all on one scale, which stands beside them.

    Args:
        pictures: `(height, width, 3)` in 0..255.
        maps: float, one per picture, of any height and width: stretched over it. Below 0 is shown as 0.
        titles: one per picture.
        columns: pictures per row.
        alt: what the figure shows.

    Raises:
        ValueError: if the numbers of pictures, maps and titles differ, or there is none.
    """
    if not len(pictures) == len(maps) == len(titles) > 0:
        raise ValueError(
            f"Received {len(pictures)} pictures, {len(maps)} maps and {len(titles)} titles, expected as many of each."
        )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = 1 + max(title.count("\n") for title in titles)
    size = (PICTURE_WIDTH * columns + 0.8, (PICTURE_WIDTH + 0.25 * lines + 0.05) * rows)
    figure, axes = new_figure(rows, columns, size=size)
    largest = max(float(np.max(one)) for one in maps)
    scale = {"cmap": "inferno", "norm": Normalize(0, largest if largest > 0 else 1)}
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, one, title in zip(axes.flat, pictures, maps, titles, strict=False):
        height, width = picture.shape[:2]
        place = {"extent": (0, width, height, 0), "aspect": "equal"}
        axis.imshow(np.mean(picture, axis=2), cmap="gray", vmin=0, vmax=255, **place)
        shares = np.clip(scale["norm"](one), 0, 1)  # what does not matter stays grey
        axis.imshow(one, alpha=0.8 * shares, interpolation="bilinear", **scale, **place)
        axis.set_title(title, fontsize=9, fontfamily=font_families())
    figure.colorbar(ScalarMappable(**scale), ax=axes, aspect=30, shrink=0.9, pad=0.01)
    display_figure(figure, colours=256, alt=alt)


def show_feature_maps(maps: np.ndarray, *, columns: int = 8, alt: str) -> None:
    """Show the maps of one layer in a grid, all on one scale of grey, which stands beside them.

    Args:
        maps: float `(height, width, channels)`, as `explain.feature_maps` gives it.
        columns: maps per row.
        alt: what the figure shows.

    Raises:
        ValueError: if `maps` has another number of dimensions, or no map.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or not maps.size:
        raise ValueError(
            f"Received maps of shape {maps.shape}, expected (height, width, channels). "
            "Pass the maps of one layer and one picture."
        )
    limits = {"cmap": "gray", "vmin": maps.min(), "vmax": maps.max()}
    figure, axes = _new_grid(maps.shape[2], columns=columns, ratio=maps.shape[0] / maps.shape[1], beside=0.9)
    for axis, one in zip(axes.flat, np.moveaxis(maps, 2, 0), strict=False):
        drawn = axis.imshow(one, **limits)
    figure.colorbar(drawn, ax=axes, aspect=30, shrink=0.9, pad=0.01)
    display_figure(figure, alt=alt)


def show_filters(filters: np.ndarray, *, columns: int = 8, alt: str) -> None:
    """Show filters as little pictures in a grid: in colour with three channels, in grey with one.

    Args:
        filters: float `(filters, height, width, 3 or 1)` in 0..1, as `explain.first_layer_filters` gives it.
        columns: filters per row.
        alt: what the figure shows.

    Raises:
        ValueError: if `filters` has another shape, or no filter.
    """
    filters = np.asarray(filters)
    if filters.ndim != 4 or not filters.size or filters.shape[-1] not in (1, 3):
        raise ValueError(
            f"Received filters of shape {filters.shape}, expected (filters, height, width, 3 or 1). "
            "Only the filters of the first layer look at colours."
        )
    figure, axes = _new_grid(len(filters), columns=columns, ratio=filters.shape[1] / filters.shape[2])
    for axis, one in zip(axes.flat, filters, strict=False):
        _draw_image(axis, one[..., 0] if one.shape[-1] == 1 else one)
    display_figure(figure, alt=alt)


def _new_grid(count: int, *, columns: int, ratio: float, beside: float = 0.0) -> tuple[Figure, np.ndarray]:
    """A figure with a place for each of `count` small pictures of a ratio of height to width, without axes."""
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (SMALL_WIDTH * columns + beside, SMALL_WIDTH * min(ratio, 1.5) * rows)
    figure, axes = new_figure(rows, columns, size=(max(size[0], 2.6), max(size[1], 1.6)))
    for axis in axes.flat:
        axis.axis("off")
    return figure, axes


def show_histograms(histograms: Sequence[Mapping[str, np.ndarray]], *, titles: Sequence[str], alt: str) -> None:
    """Show histograms side by side, one line per channel.

    Args:
        histograms: each maps a channel (`red`, `green`, `blue`, `grey`) to counts; an `edges` entry, one longer than
            the counts, gives the horizontal axis (otherwise 0, 1, 2, ...).
        titles: one per histogram.
        alt: what the figure shows.
    """
    figure, axes = new_figure(1, len(histograms), size=(3.4 * len(histograms), 2.8), dots=CHART_DOTS)
    for axis, histogram, title in zip(axes[0], histograms, titles, strict=True):
        for channel, counts in histogram.items():
            if channel == "edges":
                continue
            edges = histogram.get("edges", np.arange(len(counts) + 1))
            axis.stairs(counts, edges, color=CHANNEL_COLOURS.get(channel, BLACK), label=channel)
        axis.set(title=title, xlabel="value", ylabel="pixels")
        axis.legend(fontsize=8)
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def show_history(history: Mapping[str, Sequence[float]], *, alt: str) -> None:
    """Show accuracy and loss over the epochs, training against validation.

    Args:
        history: what `model.fit(...).history` holds: `accuracy`, `loss` and, where there, `val_accuracy`, `val_loss`.
        alt: what the figure shows.
    """
    figure, axes = new_figure(1, 2, size=(9, 3.2), dots=CHART_DOTS)
    for axis, metric in zip(axes[0], ("accuracy", "loss"), strict=True):
        for key, label, colour in ((metric, "training", BLUE), (f"val_{metric}", "validation", ORANGE)):
            if key in history:
                epochs = np.arange(1, len(history[key]) + 1)
                axis.plot(epochs, history[key], marker="o", markersize=3, color=colour, label=label)
        axis.set(xlabel="epoch", ylabel=metric)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def draw_confusion_matrix(matrix: np.ndarray, *, class_names: Sequence[str]) -> Figure:
    """Return a figure of a confusion matrix: rows are the true classes, columns the predicted ones.

    Args:
        matrix: int `(classes, classes)`, as `sklearn.metrics.confusion_matrix` gives it.
        class_names: in label order.
    """
    number = len(class_names)
    crowded = number > MOST_LARGE_PLACES  # then zeros, nearly all of it, are left out, and the rest is made to fit
    place = 0.7 * min(1.0, MOST_LARGE_PLACES / number)  # inches per class
    side = max(3.0, 1.0 + place * number)
    letters = {"fontsize": 10 * min(1.0, place / 0.35)}
    figure, axes = new_figure(size=(side + 0.6, side), dots=CHART_DOTS)
    axis = axes[0, 0]
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count or not crowded:
            colour = "white" if shares[row, column] > 0.5 else BLACK
            axis.text(column, row, str(count), ha="center", va="center", color=colour, **letters)
    turned = 90 if crowded else 30 if number > 3 else 0
    axis.set_xticks(range(number), class_names, rotation=turned, fontfamily=font_families(), **letters)
    axis.set_yticks(range(number), class_names, fontfamily=font_families(), **letters)
    axis.set(xlabel="predicted", ylabel="true")
    return figure


def show_confusion_matrix(matrix: np.ndarray, *, class_names: Sequence[str], alt: str) -> None:
    """Show a confusion matrix: rows are the true classes, columns the predicted ones, numbers are pictures."""
    display_figure(draw_confusion_matrix(matrix, class_names=class_names), colours=MOST_COLOURS, alt=alt)


def show_lines(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    alt: str,
) -> None:
    """Show one line per entry of `lines`, each a pair of horizontal and vertical values."""
    figure, axes = new_figure(size=(6.5, 3.4), dots=CHART_DOTS)
    axis = axes[0, 0]
    for index, (label, (x, y)) in enumerate(lines.items()):
        axis.plot(x, y, marker="o", color=LINE_COLOURS[index % len(LINE_COLOURS)], label=label)
    _mark_values(axis, {value for x, _ in lines.values() for value in x}, log_x=log_x)
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    axis.legend()
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def show_network(
    layers: Sequence[Sequence[str]],
    *,
    captions: Sequence[str],
    weights: Sequence[np.ndarray | None] = (),
    write_weights: bool = False,
    alt: str,
) -> None:
    """Show neurons as circles in one column per layer, each connected to all of the next layer.

    Args:
        layers: what stands in each circle, layer by layer.
        captions: one per layer, above its column.
        weights: one `(from, to)` array per gap between two layers, or None for plain lines. A positive weight is a blue
            line, a negative one a broken orange line, and the larger it is, the thicker.
        write_weights: whether to write each weight on its line.
        alt: what the figure shows.

    Raises:
        ValueError: if there is not one caption per layer, or not one array per gap.
    """
    if len(captions) != len(layers) or len(weights) not in (0, len(layers) - 1):
        raise ValueError(
            f"Received {len(captions)} captions and {len(weights)} arrays of weights for {len(layers)} layers, "
            "expected one caption per layer and one array per gap between two. Give as many, or no weights."
        )
    tallest = max(map(len, layers))
    figure, axes = new_figure(size=(2.4 * len(layers), 0.8 * tallest + 0.5), dots=CHART_DOTS)
    axis = axes[0, 0]
    axis.set(xlim=(-0.4, len(layers) - 0.6), ylim=(-0.5, tallest - 0.2))
    axis.axis("off")
    places = [
        [(x, (tallest - len(names)) / 2 + i) for i in reversed(range(len(names)))] for x, names in enumerate(layers)
    ]
    for gap, (left, right) in enumerate(pairwise(places)):
        table = weights[gap] if len(weights) else None
        for row, column in np.ndindex(len(left), len(right)):
            value = None if table is None else float(table[row, column])
            _draw_connection(axis, left[row], right[column], value, written=write_weights)
    for x, (names, caption) in enumerate(zip(layers, captions, strict=True)):
        axis.text(x, tallest - 0.45, caption, ha="center", va="bottom", fontsize=10)
        for name, place in zip(names, places[x], strict=True):
            circle = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": BLACK}
            axis.text(*place, f"{name:^5}", ha="center", va="center", fontsize=10, bbox=circle, zorder=3)
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def _draw_connection(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], weight: float | None, *, written: bool
) -> None:
    """A line from one neuron to another, as `show_network` explains it."""
    look = {"color": "0.6", "linewidth": 1.0, "zorder": 1}
    if weight is not None:
        colour, style = (BLUE, "-") if weight >= 0 else (ORANGE, "--")
        look |= {"color": colour, "linestyle": style, "linewidth": 0.6 + min(abs(weight), 3.0)}
    axis.plot(*zip(start, end, strict=True), **look)
    if written and weight is not None:
        x, y = (one + 0.2 * (other - one) for one, other in zip(start, end, strict=True))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        axis.text(x, y, f"{weight:g}", ha="center", va="center", fontsize=9, color=look["color"], bbox=box, zorder=2)


def show_number_grids(
    grids: Mapping[str, np.ndarray], *, marked: Mapping[str, tuple[slice, slice]] | None = None, alt: str
) -> None:
    """Show small arrays side by side as grids of numbers, each under its name.

    Args:
        grids: by title, arrays `(rows, columns)` of whole numbers or floats.
        marked: by title, the rows and columns to frame: a window and what it gives, say.
        alt: what the figure shows.
    """
    widths = [grid.shape[1] for grid in grids.values()]
    tallest = max(grid.shape[0] for grid in grids.values())
    size = (0.45 * (sum(widths) + 2 * len(grids)), 0.45 * tallest + 0.5)
    figure, axes = new_figure(1, len(grids), size=size, dots=CHART_DOTS)
    axes[0, 0].get_gridspec().set_width_ratios(widths)
    for axis, (title, grid) in zip(axes[0], grids.items(), strict=True):
        columns = grid.shape[1]
        for (row, column), value in np.ndenumerate(grid):
            axis.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor=BLACK, linewidth=0.6, alpha=0.5))
            axis.text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", fontsize=9)
        if marked and title in marked:
            (top, bottom, _), (left, right, _) = (
                part.indices(side) for part, side in zip(marked[title], grid.shape, strict=True)
            )
            axis.add_patch(
                Rectangle((left, top), right - left, bottom - top, facecolor="none", edgecolor=ORANGE, linewidth=2.5)
            )
        # The same heights for all, so that a cell has the same size in each.
        axis.set(xlim=(-0.1, columns + 0.1), ylim=(tallest + 0.1, -0.1), title=title, aspect="equal", anchor="N")
        axis.axis("off")
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def _mark_values(axis: Axes, values: set[float], *, log_x: bool) -> None:
    """Put ticks on a horizontal axis: at each value if it is logarithmic, at whole numbers if all values are."""
    if log_x:
        ticks = sorted(values)
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axis.minorticks_off()
    elif all(float(value).is_integer() for value in values):  # there is no epoch 2.5
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def show_model(model: "keras.Model", *, alt: str) -> None:
    """Show a model as a graph: one box per layer, with the shapes that go in and come out.

    Keras describes the graph; Graphviz, which comes inside the pygraphviz package, lays it out.
    """
    import keras  # here, because every other figure does without TensorFlow
    import pygraphviz

    graph = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True, dpi=DOTS_PER_INCH * 3 // 4)
    with without_remarks():  # of the system's fonts
        picture = pygraphviz.AGraph(graph.to_string()).draw(format="png", prog="dot")
    _display_png(picture, alt=alt)


def show_block_diagram(blocks: Mapping[str, Sequence[str | tuple[str, Sequence[Sequence[str]]]]], *, alt: str) -> None:
    """Show blocks of networks as boxes and arrows, side by side, each from top to bottom.

    Args:
        blocks: by title, the steps of a block. A step is the text of a layer, or a pair `(sign, columns)`: columns of
            layers that part here and meet again in the sign. With "+" the first column goes straight on and the others
            come from its right; an empty one is a shortcut. Any other sign, such as "concatenate", is a bar below
            them. The first and the last step are what goes in and comes out, and have no box.
        alt: what the figure shows.

    Example:
        >>> residual = ["x", ("+", [["3 x 3", "3 x 3"], []]), "F(x) + x"]
        >>> show_block_diagram({"residual block": residual}, alt="Two layers, and a line past them.")  # doctest: +SKIP
    """
    sizes = [[_measure_step(step) for step in steps] for steps in blocks.values()]
    columns = [max(width for width, _ in size) for size in sizes]
    width = sum(columns) + 0.3 * (len(columns) - 1)
    height = max(sum(height for _, height in size) for size in sizes) + 0.5
    figure, axes = new_figure(size=(BOX_WIDTH * width, BOX_HEIGHT * height))
    axis = axes[0, 0]
    axis.set(xlim=(0, width), ylim=(0.5 - height, 1.0))
    axis.axis("off")
    left = 0.0
    for (title, steps), number in zip(blocks.items(), columns, strict=True):
        axis.text(left + number / 2, 0.8, title, ha="center", va="center", fontsize=10, fontweight="bold")
        _draw_block(axis, steps, left=left, width=number)
        left += number + 0.3
    display_figure(figure, alt=alt)


def _measure_step(step: str | tuple[str, Sequence[Sequence[str]]]) -> tuple[int, int]:
    """How many boxes a step is wide, and how many high."""
    return (1, 1) if isinstance(step, str) else (len(step[1]), 1 + max(map(len, step[1])))


def _draw_block(axis: Axes, steps: Sequence[str | tuple], *, left: float, width: int) -> None:
    adds = any(isinstance(step, tuple) and step[0] == "+" for step in steps)
    middle, y = left + (0.5 if adds else width / 2), 0.0
    for index, step in enumerate(steps):
        if isinstance(step, tuple):
            y = _draw_columns(axis, *step, middle=middle, top=y)
        else:
            if index:
                _draw_arrow(axis, (middle, y + 0.7), (middle, y + 0.3))
            _draw_box(axis, step, (middle, y), bare=index in (0, len(steps) - 1))
        y -= 1


def _draw_columns(axis: Axes, sign: str, columns: Sequence[Sequence[str]], *, middle: float, top: float) -> float:
    """Draw columns of layers from `top` on, and below them their sign; return where that is."""
    adds = sign == "+"
    first = middle if adds else middle - (len(columns) - 1) / 2
    y_sign = top - max(map(len, columns))
    for number, layers in enumerate(columns):
        x, colour = first + number * (1.0 if layers else 0.75), BLACK if layers else ORANGE
        points = [(middle, top + 0.7)] * (number == 0) + [(middle, top + 0.5), (x, top + 0.5)]
        for row, layer in enumerate(layers):
            _draw_arrow(axis, *points, (x, top - row + 0.3))
            _draw_box(axis, layer, (x, top - row))
            points = [(x, top - row - 0.3)]
        ends = ((x, y_sign), (middle + 0.13, y_sign)) if adds and number else ((x, y_sign + 0.3),)
        _draw_arrow(axis, *points, *ends, colour=colour)
    if adds:
        axis.plot(middle, y_sign, marker="o", markersize=17, markerfacecolor="white", markeredgecolor=BLACK, zorder=3)
        axis.text(middle, y_sign, "+", ha="center", va="center_baseline", fontsize=13, zorder=4)
    else:
        _draw_box(axis, sign, (middle, y_sign), width=len(columns) - 0.1)
    return y_sign


def _draw_box(axis: Axes, text: str, centre: tuple[float, float], *, width: float = 0.9, bare: bool = False) -> None:
    x, y = centre
    if not bare:
        axis.add_patch(Rectangle((x - width / 2, y - 0.3), width, 0.6, facecolor="#DCEAF5", edgecolor=BLUE, zorder=2))
    axis.text(x, y, text, ha="center", va="center", fontsize=8.5, color=BLACK, zorder=3)


def _draw_arrow(axis: Axes, *points: tuple[float, float], colour: str = BLACK) -> None:
    """Draw a line through points, with an arrow's head at the last."""
    look = {"color": colour, "linewidth": 1.2 if colour == BLACK else 2.2}
    axis.plot(*zip(*points[:-1], strict=True), **look)
    head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **look}
    axis.annotate("", xy=points[-1], xytext=points[-2], arrowprops=head)


def show_bars(bars: Mapping[str, float], *, x_label: str, alt: str) -> None:
    """Show one horizontal bar per entry of `bars`, the first on top, its value written at its end."""
    figure, axes = new_figure(size=(7, 0.6 + 0.42 * len(bars)), dots=CHART_DOTS)
    axis = axes[0, 0]
    drawn = axis.barh(list(bars), list(bars.values()), color=BLUE)
    axis.bar_label(drawn, fmt=lambda value: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}", padding=3)
    axis.margins(x=0.15)
    axis.invert_yaxis()
    axis.set_xlabel(x_label)
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def show_scatter(
    points: Mapping[str, tuple[float, float]], *, x_label: str, y_label: str, log_x: bool = False, alt: str
) -> None:
    """Show one point per entry of `points`, a horizontal and a vertical value, with its label beside it."""
    figure, axes = new_figure(size=(7.5, 4.2))
    axis = axes[0, 0]
    axis.scatter(*zip(*points.values(), strict=True), color=BLUE, zorder=2)
    for label, place in points.items():
        axis.annotate(label, place, xytext=(6, 4), textcoords="offset points", fontsize=9, color=BLACK)
    if log_x:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")  # 0.5, not 5 x 10^-1
        axis.minorticks_off()
    axis.margins(x=0.18, y=0.12)  # room for the labels
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    display_figure(figure, alt=alt)


def show_gallery(
    before: np.ndarray, rows: Mapping[str, Mapping[str, np.ndarray]], *, columns: int = 4, alt: str
) -> None:
    """Show what was made of one picture, on one page: groups of pictures with names, the original before each row.

    Args:
        before: uint8 `(height, width, 3)`.
        rows: by heading of a group, pictures by caption. A line break in a caption parts a name from its arguments.
        columns: changed pictures per row, beside the original.
        alt: what the figure shows.
    """
    tiles: list[list[tuple[str, np.ndarray]]] = []
    for heading, pictures in rows.items():
        items = list(pictures.items())
        starts = range(0, len(items), columns)
        tiles += [[(f"{heading}\noriginal", before), *items[start : start + columns]] for start in starts]
    lines = 1 + max(caption.count("\n") for row in tiles for caption, _ in row)
    height = PICTURE_WIDTH + 0.17 * lines
    figure, axes = new_figure(len(tiles), columns + 1, size=(PICTURE_WIDTH * (columns + 1), height * len(tiles)))
    for axis in axes.flat:
        axis.axis("off")
    for row, row_axes in zip(tiles, axes, strict=True):
        for (caption, picture), axis in zip(row, row_axes, strict=False):
            _draw_image(axis, picture)
            original = picture is before
            look = {"color": BLUE, "fontweight": "bold"} if original else {"color": BLACK}
            text = axis.text(0.5, -0.04, caption, transform=axis.transAxes, ha="center", va="top", fontsize=8, **look)
            text.set_in_layout(False)  # a long line must not make the pictures small
    figure.get_layout_engine().set(h_pad=0.08 * lines, hspace=0)
    display_figure(figure, colours=256, alt=alt)


def show_spread(
    lines: Mapping[str, tuple[Sequence[float], np.ndarray]],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    level: float | None = None,
    alt: str,
) -> None:
    """Show one line per entry of `lines`, its mean over seeds, with a band or bars of one standard error either way.

    Args:
        lines: by label, horizontal values and an array `(seeds, values)`.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        log_x: logarithmic horizontal axis, with a tick at each value.
        level: where to draw a dotted horizontal line, such as no gain, or guessing.
        alt: what the figure shows.
    """
    figure, axes = new_figure(size=(6.5, 3.4), dots=CHART_DOTS)
    axis = axes[0, 0]
    styles = ("-", "--", "-.", ":")  # not colour alone
    for index, (label, (x, values)) in enumerate(lines.items()):
        values = np.asarray(values)
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
        look = {"color": LINE_COLOURS[index % len(LINE_COLOURS)], "linestyle": styles[index % len(styles)]}
        axis.errorbar(x, mean, yerr=error, marker="o", markersize=4, capsize=3, label=label, **look)
    if level is not None:
        axis.axhline(level, color=BLACK, linestyle=":", linewidth=1)
    _mark_values(axis, {value for x, _ in lines.values() for value in x}, log_x=log_x)
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend()
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def show_strips(
    strips: Mapping[str, Sequence[int]],
    *,
    class_names: Sequence[str],
    numbers: Mapping[str, Sequence[int]] | None = None,
    frames: Mapping[str, tuple[int, int]] | None = None,
    x_label: str,
    alt: str,
) -> None:
    """Show in which order pictures come: one row of squares per entry, coloured by class.

    Args:
        strips: by row, the label of each picture.
        class_names: in label order.
        numbers: by row, what is written into its squares.
        frames: by row, the first square of a window that is framed, and the one behind its last.
        x_label: of the horizontal axis.
        alt: what the figure shows.
    """
    colours = [LINE_COLOURS[label % len(LINE_COLOURS)] for label in range(len(class_names))]
    look = {"aspect": "auto", "cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(colours) - 0.5}
    figure, axes = new_figure(len(strips), 1, size=(8, 0.9 + 0.42 * len(strips)), dots=CHART_DOTS)
    for axis, (name, labels) in zip(axes[:, 0], strips.items(), strict=True):
        axis.imshow(np.array(labels)[np.newaxis], **look)
        axis.set_xticks([])
        axis.set_yticks([0], [name])
        axis.tick_params(left=False)
        for place, number in enumerate(numbers[name] if numbers else ()):
            axis.text(place, 0, str(number), color="white", fontweight="bold", ha="center", va="center")
        if frames:
            first, end = frames[name]
            frame = {"fill": False, "edgecolor": BLACK, "linewidth": 4, "clip_on": False}
            axis.add_patch(Rectangle((first - 0.5, -0.5), end - first, 1, **frame))
    axes[-1, 0].set_xlabel(x_label)
    if len(class_names) <= len(LINE_COLOURS):  # with more, colours repeat and say little
        handles = [Patch(color=colour, label=name) for colour, name in zip(colours, class_names, strict=True)]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), prop={"family": font_families()})
    display_figure(figure, colours=MOST_COLOURS, alt=alt)


def show_timeline(panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], *, x_label: str, alt: str) -> None:
    """Show when who was at work: a panel per entry, in it a lane per worker, in it a numbered bar per (start, end)."""
    figure, axes = new_figure(len(panels), 1, size=(8, 0.5 + 1.25 * len(panels)), dots=CHART_DOTS)
    last = max(end for lanes in panels.values() for bars in lanes.values() for _, end in bars)
    for axis, (title, lanes) in zip(axes[:, 0], panels.items(), strict=True):
        for row, (colour, bars) in enumerate(zip(LINE_COLOURS, lanes.values(), strict=False)):
            axis.broken_barh(
                [(start, end - start) for start, end in bars], (row - 0.4, 0.8), facecolor=colour, edgecolor="white"
            )
            for number, (start, end) in enumerate(bars, start=1):
                axis.text((start + end) / 2, row, str(number), color="white", ha="center", va="center")
        axis.set_yticks(range(len(lanes)), list(lanes))
        axis.invert_yaxis()
        axis.set_xlim(0, 1.02 * last)
        axis.set_title(title, fontsize=10, loc="left")
    axes[-1, 0].set_xlabel(x_label)
    display_figure(figure, colours=MOST_COLOURS, alt=alt)
