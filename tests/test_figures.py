"""The rules by which stored figures are compared: what another machine does passes, a wrong figure does not."""

import base64
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_output
from PIL import Image
from skimage import data

from tests import figures


def draw_curve(heights: np.ndarray) -> Image.Image:
    figure = Figure(figsize=(6, 3), dpi=80, layout="constrained")
    axis = figure.subplots()
    axis.plot(heights, marker="o")
    axis.set_ylabel("loss")
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return Image.open(content).convert("RGB")


def draw_grid(images: list[np.ndarray]) -> Image.Image:
    figure = Figure(figsize=(6, 3), dpi=80, layout="constrained")
    for axis, image in zip(figure.subplots(1, len(images), squeeze=False)[0], images, strict=True):
        axis.imshow(image)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return Image.open(content).convert("RGB")


LOSSES = np.array([0.70, 0.62, 0.55, 0.50, 0.47, 0.45])
CAT, CUP = data.chelsea()[:300, :300], data.coffee()[:300, :300]


def output(picture: Image.Image):
    content = io.BytesIO()
    picture.save(content, format="png")
    return new_output("display_data", {"image/png": base64.b64encode(content.getvalue()).decode()})


def test_the_same_figure_passes() -> None:
    assert figures.differ(draw_grid([CAT]), draw_grid([CAT]), exact=True) == ""


def test_rounding_passes_and_a_changed_line_does_not() -> None:
    curve = draw_curve(LOSSES)
    rounded = Image.fromarray(np.clip(np.asarray(curve, dtype=int) + 3, 0, 255).astype(np.uint8))
    assert figures.differ(curve, rounded, exact=True) == ""
    assert "of its pixels differ" in figures.differ(curve, draw_curve(LOSSES[::-1]), exact=True)


def test_another_training_passes_where_figures_are_measured() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(LOSSES))
    assert figures.differ(draw_curve(LOSSES), draw_curve(LOSSES + noise), exact=False) == ""


@pytest.mark.parametrize(
    "wrong",
    [draw_grid([CAT[::-1], CUP[::-1]]), draw_grid([np.zeros_like(CAT), np.zeros_like(CUP)]), draw_curve(LOSSES)],
    ids=["upside down", "black", "another figure"],
)
@pytest.mark.parametrize("exact", [True, False])
def test_a_wrong_figure_does_not_pass(wrong: Image.Image, exact: bool) -> None:
    assert figures.differ(draw_grid([CAT, CUP]), wrong, exact=exact)


def test_a_figure_of_another_size_does_not_pass() -> None:
    stored, new = draw_grid([CAT, CUP]), draw_grid([CAT, CUP])
    assert "its size is" in figures.differ(stored, new.resize((new.width, new.height + 1)), exact=True)
    assert "its size is" in figures.differ(stored, new.resize((new.width, new.height // 2)), exact=False)


def test_a_missing_figure_is_told() -> None:
    text, picture = new_output("stream", text="loss 0.7"), output(draw_curve(LOSSES))
    assert figures.compare([text, picture], [text, picture], exact=True) == ""
    assert figures.compare([text, picture], [text], exact=False).startswith("0 figures, 1 are stored")
    wrong = output(draw_curve(LOSSES[::-1]))
    assert figures.compare([picture, picture], [picture, wrong], exact=True).startswith("Figure 2: ")
