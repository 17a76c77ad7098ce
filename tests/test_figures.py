"""The rules by which stored figures are compared: what another machine does passes, a wrong figure does not."""

import base64
import io
from collections.abc import Callable

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
    assert figures.differ(draw_grid([CAT]), draw_grid([CAT])) == ""


def test_rounding_passes_and_a_changed_line_does_not() -> None:
    curve = draw_curve(LOSSES)
    rounded = Image.fromarray(np.clip(np.asarray(curve, dtype=int) + 3, 0, 255).astype(np.uint8))
    assert figures.differ(curve, rounded) == ""
    assert "of its pixels differ" in figures.differ(curve, draw_curve(LOSSES[::-1]))


def test_another_training_passes_where_figures_are_measured() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, len(LOSSES))
    assert figures.look_different(draw_curve(LOSSES), draw_curve(LOSSES + noise)) == ""


@pytest.mark.parametrize(
    "wrong",
    [draw_grid([CAT[::-1], CUP[::-1]]), draw_grid([np.zeros_like(CAT), np.zeros_like(CUP)]), draw_curve(LOSSES)],
    ids=["upside down", "black", "another figure"],
)
@pytest.mark.parametrize("rule", [figures.differ, figures.look_different])
def test_a_wrong_figure_does_not_pass(wrong: Image.Image, rule: Callable[[Image.Image, Image.Image], str]) -> None:
    assert rule(draw_grid([CAT, CUP]), wrong)


def test_other_pictures_pass_only_where_a_training_picks_them() -> None:
    stored, others = output(draw_grid([CAT, CUP])), output(draw_grid([CUP, CAT[::-1]]))
    empty = output(draw_grid([np.full_like(CAT, 255)] * 2))
    assert figures.compare([stored], [others], tags=["nbval-ignore-output"])
    assert figures.compare([stored], [others], tags=["picked"]), "where texts are compared, figures are"
    assert figures.compare([stored], [others], tags=["nbval-ignore-output", "picked"]) == ""
    assert "next to nothing is in it" in figures.compare([stored], [empty], tags=["nbval-ignore-output", "picked"])


def test_a_figure_of_another_size_does_not_pass() -> None:
    stored, new = draw_grid([CAT, CUP]), draw_grid([CAT, CUP])
    assert "its size is" in figures.differ(stored, new.resize((new.width, new.height + 1)))
    assert "its size is" in figures.are_other_kinds(stored, new.resize((new.width, new.height // 2)))


def test_a_missing_figure_is_told() -> None:
    text, picture = new_output("stream", text="loss 0.7"), output(draw_curve(LOSSES))
    assert figures.compare([text, picture], [text, picture]) == ""
    assert figures.compare([text, picture], [text], tags=["nbval-ignore-output"]).startswith("0 figures, 1 are stored")
    wrong = output(draw_curve(LOSSES[::-1]))
    assert figures.compare([picture, picture], [picture, wrong]).startswith("Figure 2: ")
