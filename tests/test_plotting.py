"""helpers.plotting: every figure comes out as a PNG with its alternative text, whatever it is fed with."""

import inspect
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from typing import NamedTuple

import keras
import matplotlib
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib import pyplot
from matplotlib.colors import to_hex, to_rgb
from PIL import Image
from scipy.ndimage import center_of_mass
from scipy.ndimage import label as label_regions
from skimage.data import chelsea

from helpers import images, plotting
from tests.conftest import catch_figures, draw_noise

SMALL = plotting.SMALL_WIDTH * plotting.GRID_DOTS
ALT = "What the picture shows: 고양이 and a dog."
GREY = np.arange(60, dtype=np.uint8).reshape(6, 10)


class Screen(list):
    """The pictures displayed, `(content by type, metadata)`, and the HTML that followed them."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []

    def show(self, data: dict, *, raw: bool, metadata: dict | None = None) -> None:
        assert raw
        if "text/html" in data:
            self.pages.append(data["text/html"])
        else:
            self.append((data, metadata))

    @property
    def picture(self) -> Image.Image:
        """The only picture."""
        ((data, _),) = self
        return Image.open(BytesIO(data["image/png"]))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr("helpers.plotting._figures.display", screen.show)
    return screen


class Drawn(NamedTuple):
    """A figure, and whether drawing it left pyplot and the settings alone."""

    screen: Screen
    touched_nothing: bool


@cache
def draw(name: str) -> Drawn:
    """Draw one of `CALLS` with `ALT`, once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        screen = Screen()
        patch.setattr("helpers.plotting._figures.display", screen.show)
        before = dict(matplotlib.rcParams)
        assert CALLS[name](ALT) is None
        return Drawn(screen, pyplot.get_fignums() == [] and dict(matplotlib.rcParams) == before)


CALLS = {
    "show_images": lambda alt: plotting.show_images([draw_noise(0)], alt=alt),
    "show_feature_maps": lambda alt: plotting.show_feature_maps(
        np.random.default_rng(0).normal(size=(6, 8, 3)), alt=alt
    ),
    "show_heatmaps": lambda alt: plotting.show_heatmaps([draw_noise(0)], [np.eye(3)], titles=["a"], alt=alt),
    "show_histograms": lambda alt: plotting.show_histograms([images.histogram(GREY)], titles=["grey"], alt=alt),
    "show_history": lambda alt: plotting.show_history({"accuracy": [0.5], "loss": [1.0]}, alt=alt),
    "show_confusion_matrix": lambda alt: plotting.show_confusion_matrix(
        np.eye(2, dtype=int), class_names="ab", alt=alt
    ),
    "show_lines": lambda alt: plotting.show_lines({"a": ([1], [2])}, x_label="x", y_label="y", alt=alt),
    "show_gallery": lambda alt: plotting.show_gallery(draw_noise(0), {"moved": {"Turn": draw_noise(1)}}, alt=alt),
    "show_spread": lambda alt: plotting.show_spread({"a": ([1], np.ones((2, 1)))}, x_label="x", y_label="y", alt=alt),
    "show_network": lambda alt: plotting.show_network([["x"], ["a", "b"]], captions=["in", "out"], alt=alt),
    "show_number_grids": lambda alt: plotting.show_number_grids({"a": np.eye(2)}, alt=alt),
    "show_bars": lambda alt: plotting.show_bars({"a": 1.0}, x_label="x", alt=alt),
    "show_strips": lambda alt: plotting.show_strips({"a": [0, 1]}, class_names="ab", x_label="x", alt=alt),
    "show_timeline": lambda alt: plotting.show_timeline({"a": {"b": [(0, 1)]}}, x_label="x", alt=alt),
    "show_scatter": lambda alt: plotting.show_scatter({"a": (1.0, 2.0)}, x_label="x", y_label="y", alt=alt),
    "show_model": lambda alt: plotting.show_model(
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), alt=alt
    ),
    "show_block_diagram": lambda alt: plotting.show_block_diagram(
        {"block": ["x", ("concatenate", [["1 x 1"], ["pool", "1 x 1"]]), ("+", [["3 x 3"], []]), "y"]}, alt=alt
    ),
    "display_figure": lambda alt: plotting.display_figure(plotting.new_figure()[0], alt=alt),
}


# --- Every figure -------------------------------------------------------------------------------------------


def test_every_public_function_that_shows_something_is_tested_here() -> None:
    shows = {name for name in vars(plotting) if name.startswith(("show_", "display_"))}
    assert shows == set(CALLS)
    for name in shows:
        alt = inspect.signature(getattr(plotting, name)).parameters["alt"]
        assert alt.kind is inspect.Parameter.KEYWORD_ONLY
        assert alt.default is inspect.Parameter.empty


def test_a_heatmap_lies_over_its_picture_on_a_common_scale(screen: Screen) -> None:
    grey = np.full((40, 60, 3), 128, np.uint8)
    warm = np.zeros((4, 6))
    warm[:, 3:] = 1
    plotting.show_heatmaps([grey, grey], [warm, warm / 2], titles=["a", "b"], alt=ALT)
    picture = np.asarray(screen.picture.convert("RGB"), int)
    left, right = (picture[:, : picture.shape[1] * 2 // 5], picture[:, picture.shape[1] * 2 // 5 : -80])
    assert left.sum(axis=2).min() < 400
    assert (left[..., 0] - left[..., 2]).max() > (right[..., 0] - right[..., 2]).max() > 0
    with pytest.raises(ValueError, match="Received 2 pictures, 1 maps and 2 titles"):
        plotting.show_heatmaps([grey, grey], [warm], titles=["a", "b"], alt=ALT)


def test_a_negative_weight_is_a_broken_orange_line(screen: Screen) -> None:
    """Not by colour alone: of the same two lines, the broken one has less ink."""
    ink = {}
    for weight, colour in ((1.0, plotting.BLUE), (-1.0, plotting.ORANGE)):
        plotting.show_network([["x"], ["y"]], captions=["in", "out"], weights=[np.array([[weight]])], alt=ALT)
        pixels = np.asarray(screen.picture.convert("RGB"), int)
        ink[weight] = (np.abs(pixels - np.array(to_rgb(colour)) * 255).max(axis=2) < 30).sum()
        screen.clear()
    assert 0 < ink[-1.0] < 0.9 * ink[1.0]


@pytest.mark.parametrize(("captions", "weights"), [(["in"], []), (["in", "out"], [np.eye(1)] * 2)])
def test_a_network_with_too_few_captions_or_too_many_weights_is_refused(captions: list, weights: list) -> None:
    with pytest.raises(ValueError, match="expected one caption per layer and one array per gap"):
        plotting.show_network([["x"], ["y"]], captions=captions, weights=weights, alt=ALT)


def test_a_diagram_has_a_box_per_layer_and_a_line_past_them_for_a_shortcut(screen: Screen) -> None:
    def count(steps: list) -> tuple[int, bool]:
        """Boxes, and whether there is a shortcut: by their colours."""
        screen.clear()
        plotting.show_block_diagram({"block": steps}, alt=ALT)
        pixels = np.asarray(screen.picture.convert("RGB"))
        boxes = (pixels == (0xDC, 0xEA, 0xF5)).all(axis=2)
        sizes = np.bincount(label_regions(boxes)[0].flat)[1:]
        return int((sizes > 500).sum()), bool((pixels == (0xD5, 0x5E, 0x00)).all(axis=2).any())

    assert count(["x", "3 x 3", "y"]) == (1, False)
    assert count(["x", ("+", [["3 x 3", "3 x 3"], []]), "ReLU", "y"]) == (3, True)
    assert count(["x", ("concatenate", [["1 x 1"], ["pool", "1 x 1"]]), "y"]) == (4, False)


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_is_a_png_with_alt_text(name: str) -> None:
    screen = draw(name).screen
    ((data, metadata),) = screen
    assert metadata == {"image/png": {"alt": data["text/plain"]}}
    assert data["text/plain"].startswith(ALT)
    assert screen.picture.format == "PNG"
    assert np.asarray(screen.picture.convert("L")).std() > 0 or name == "display_figure"


def test_jupyterlab_gets_the_text_as_html(screen: Screen) -> None:
    alt = 'If a < b & "c":\n고양이 {alt}'
    plotting.show_images([draw_noise(0)], alt=alt)
    (page,) = screen.pages
    heard: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: heard.append(dict(attributes)["alt"])
    parser.handle_data = heard.append
    parser.feed(page)
    assert heard == [alt]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_empty_alt_text_is_refused(call, screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.plotting._figures.as_png", lambda *_, **__: b"")  # it is not shown
    for nothing in ("", "  \n"):
        with pytest.raises(ValueError, match=r"Received an empty alt text, expected a sentence. Say what"):
            call(nothing)
    assert screen == screen.pages == []


def test_a_notebook_stores_the_alt_text() -> None:
    shell = InteractiveShell.instance()
    try:
        with capture_output() as captured:
            CALLS["show_bars"](ALT)
        picture, page = captured.outputs
        assert picture.metadata["image/png"]["alt"].startswith(ALT)
        assert set(picture.data) == {"image/png", "text/plain"}
        assert set(page.data) == {"text/html"}
    finally:
        shell.history_manager.end_session()
        InteractiveShell.clear_instance()


def test_drawing_touches_neither_pyplot_nor_the_settings() -> None:
    assert [name for name in CALLS if not draw(name).touched_nothing] == []


def test_figures_are_small_enough_for_a_notebook() -> None:
    figure, _ = plotting.new_figure(size=(8, 4))
    with Image.open(BytesIO(plotting.as_png(figure))) as picture:
        assert picture.size == (8 * plotting.CHART_DOTS, 4 * plotting.CHART_DOTS)


# --- Pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        draw_noise(0),
        draw_noise(0, height=1, width=1),
        draw_noise(0, height=300, width=2),
        GREY,
        GREY.astype(np.float32) / 255,
        draw_noise(0) / 255,
        GREY > 20,
        draw_noise(0).tolist(),
    ],
    ids=["colour", "one pixel", "narrow", "grey", "grey floats", "floats", "mask", "lists"],
)
def test_odd_pictures_are_drawn(image, screen: Screen) -> None:
    plotting.show_images([image], titles=["one"], correct=[False], alt=ALT)
    assert screen.picture.width > 100


def read_middle(screen: Screen) -> tuple[int, ...]:
    picture = screen.picture.convert("RGB")
    return picture.getpixel((picture.width // 2, picture.height // 2))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((4, 4), 100, np.uint8), (100, 100, 100)),
        (np.full((4, 4), 0.5), (127, 127, 127)),
        (np.full((4, 4, 3), (200, 100, 50), np.uint8), (200, 100, 50)),
        (np.full((4, 4, 3), (1.0, 0.5, 0.0)), (255, 127, 0)),
        (np.ones((4, 4), bool), (255, 255, 255)),
    ],
)
def test_colours_are_shown_as_they_are(image: np.ndarray, expected: tuple[int, ...], screen: Screen) -> None:
    plotting.show_images([image], alt=ALT)
    np.testing.assert_allclose(read_middle(screen), expected, atol=1)


def count_pixels(screen: Screen, colour: str) -> int:
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return int((np.asarray(screen.picture.convert("RGB")) == wanted).all(axis=2).sum())


def test_right_titles_are_blue_and_wrong_ones_orange(screen: Screen) -> None:
    white = np.full((8, 8, 3), 255, np.uint8)
    for correct, present, absent in (
        (True, plotting.BLUE, plotting.ORANGE),
        (np.bool_(False), plotting.ORANGE, plotting.BLUE),
    ):
        screen.clear()
        plotting.show_images([white], titles=["████"], correct=[correct], alt=ALT)
        assert count_pixels(screen, present) > 0
        assert count_pixels(screen, absent) == 0


@pytest.mark.parametrize("titles", [None, [" "]], ids=["no titles", "titles"])
def test_a_frame_says_right_or_wrong(titles: list[str] | None, screen: Screen) -> None:
    black, frames = np.zeros((80, 80, 3), np.uint8), []
    for correct in (True, np.bool_(False), None):
        screen.clear()
        plotting.show_images([black], titles=titles, correct=None if correct is None else [correct], alt=ALT)
        frames.append((count_pixels(screen, plotting.BLUE), count_pixels(screen, plotting.ORANGE)))
    (right, nothing), (none, wrong), unframed = frames
    assert right > 500 and wrong > 500
    assert (nothing, none, unframed) == (0, 0, (0, 0))


def test_right_and_wrong_differ_without_colours_too(screen: Screen) -> None:
    """The line around a right picture is whole; around a wrong one it is broken."""
    shown = []
    for correct, colour in ((True, plotting.BLUE), (False, plotting.ORANGE)):
        screen.clear()
        plotting.show_images([np.zeros((80, 80, 3), np.uint8)], correct=[correct], alt=ALT)
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        line = np.abs(np.asarray(screen.picture.convert("RGB"), int) - wanted).max(axis=2) < 60
        shown.append(label_regions(line, np.ones((3, 3)))[1])
    whole, broken = shown
    assert whole <= 2  # and perhaps a piece of the tick
    assert broken > 10


@pytest.mark.parametrize("colour", [(213, 94, 0), (0, 114, 178), (255, 255, 255)], ids=["orange", "blue", "white"])
def test_a_wrong_frame_is_seen_on_any_picture(colour: tuple[int, int, int], screen: Screen) -> None:
    picture = np.full((80, 80, 3), colour, np.uint8)
    plotting.show_images([picture], correct=[False], alt=ALT)
    pixels = np.asarray(screen.picture.convert("RGB"), int)
    changes = np.abs(np.diff(pixels.max(axis=2) - pixels.min(axis=2), axis=0)).max()
    assert changes > 100, "dashes against what lies between them"


def read_grid(screen: Screen) -> tuple[Image.Image, int]:
    """The picture, and how many separate dark fields it has."""
    dark = np.asarray(screen.picture.convert("L")) < 100
    sizes = np.bincount(label_regions(dark)[0].ravel())[1:]
    return screen.picture, int((sizes > 500).sum())


def test_feature_maps_share_one_scale(screen: Screen) -> None:
    """The brightest map sets white for all: a map half as strong is grey, not white."""
    maps = np.zeros((4, 4, 3))
    maps[..., 1], maps[..., 2] = 5.0, 10.0
    plotting.show_feature_maps(maps, alt=ALT)
    pixels = np.asarray(screen.picture.convert("L"))
    row = pixels[pixels.shape[0] // 2]
    seen = [int(row[int(SMALL * (i + 0.5))]) for i in range(3)]
    assert seen[0] < 5 and 115 < seen[1] < 140 and seen[2] > 250


@pytest.mark.parametrize(("channels", "columns", "rows"), [(1, 8, 1), (8, 8, 1), (9, 8, 2), (6, 2, 3)])
def test_every_map_has_a_place(channels: int, columns: int, rows: int, screen: Screen) -> None:
    maps = np.zeros((4, 4, channels))
    maps[0, 0] = 1  # white corner: keeps the rest black
    plotting.show_feature_maps(maps, columns=columns, alt=ALT)
    picture, fields = read_grid(screen)
    assert fields - 1 <= channels <= fields  # the scale's dark half may count as one
    assert picture.height >= rows * SMALL


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4, 3), (4, 4, 0)])
def test_what_is_no_feature_map_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Received maps of shape .*, expected \(height, width, channels\)"):
        plotting.show_feature_maps(np.zeros(shape), alt=ALT)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 5, 1), (5, 5, 1), (6, 5, 2), (7, 2, 4)])
def test_each_picture_has_a_place_in_the_grid(count: int, columns: int, rows: int, screen: Screen) -> None:
    blue = np.full((8, 8, 3), (0, 0, 255), np.uint8)
    plotting.show_images(iter([blue] * count), columns=columns, alt=ALT)
    pixels = np.asarray(screen.picture.convert("RGB"))
    places, number = label_regions((pixels == (0, 0, 255)).all(axis=2))
    assert number == count
    middles = np.array(center_of_mass(places > 0, places, range(1, number + 1))).round(-1)
    assert len(set(middles[:, 0])) == rows
    assert len(set(middles[:, 1])) == min(count, columns)


def test_no_picture_and_wrong_counts_are_refused(screen: Screen) -> None:
    with pytest.raises(ValueError, match="Received no pictures, expected at least one"):
        plotting.show_images([], alt=ALT)
    with pytest.raises(ValueError, match="Received 1 titles for 2 pictures"):
        plotting.show_images([GREY, GREY], titles=["one"], alt=ALT)
    with pytest.raises(ValueError, match="Received 3 correct for 2 pictures"):
        plotting.show_images([GREY, GREY], correct=[True] * 3, alt=ALT)
    assert screen == []


# --- Curves, bars and tables --------------------------------------------------------------------------------


def test_a_history_with_and_without_validation(screen: Screen) -> None:
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.6], "learning_rate": [0.1, 0.1]}
    plotting.show_history(history, alt=ALT)
    assert count_pixels(screen, plotting.BLUE) > 0
    assert count_pixels(screen, plotting.ORANGE) == 0
    screen.clear()
    plotting.show_history(history | {"val_loss": [1.1, 0.9], "val_accuracy": [0.4, 0.5]}, alt=ALT)
    assert count_pixels(screen, plotting.ORANGE) > 0


def test_lines_differ_not_by_colour_alone_and_guessing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.6], "val_loss": [1.1, 0.9], "val_accuracy": [0.4, 0.5]}
    plotting.show_history(history, level=0.25, alt=ALT)
    styles = [[line.get_linestyle() for line in axis.lines] for axis in figures[0].axes]
    assert styles == [["-", "--", ":"], ["-", "--"]]
    assert set(figures[0].axes[0].lines[2].get_ydata()) == {0.25}
    plotting.show_lines({name: ([1, 2], [3, 4]) for name in "abc"}, x_label="x", y_label="y", alt=ALT)
    assert len({line.get_linestyle() for line in figures[1].axes[0].lines}) == 3


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 5), (3, 3), (4, 2), (5, 5), (12, 6)])
def test_a_grid_of_pictures_fills_its_place(count: int, columns: int, screen: Screen) -> None:
    plotting.show_images([draw_noise(seed) for seed in range(count)], columns=columns, alt=ALT)
    assert screen.picture.width >= (500 if count > 1 else 250)


def test_histograms_take_edges_floats_and_unknown_channels(screen: Screen) -> None:
    histograms = [
        images.histogram(draw_noise(0)),
        images.histogram(GREY / 255, bins=7),
        {"brightness": np.array([1, 2, 3])},
    ]
    plotting.show_histograms(histograms, titles=["a", "b", "c"], alt=ALT)
    assert screen.picture.width == pytest.approx(3 * 3.4 * plotting.CHART_DOTS, abs=1)
    with pytest.raises(ValueError, match="zip"):
        plotting.show_histograms(histograms, titles=["a"], alt=ALT)


@pytest.mark.parametrize("classes", [2, 4, 12, 40])
def test_a_confusion_matrix_of_any_size_even_with_empty_rows(classes: int, screen: Screen) -> None:
    names = [f"class number {number}" for number in range(classes)]
    matrix = np.zeros((classes, classes), int)
    matrix[0, 1] = 1_000
    plotting.show_confusion_matrix(matrix, class_names=names, alt=ALT)
    assert 200 < screen.picture.width < 12.5 * plotting.CHART_DOTS


def test_rows_of_a_confusion_matrix_are_the_true_classes() -> None:
    figure = plotting.draw_confusion_matrix(np.array([[5, 1], [0, 7]]), class_names=["cat", "dog"])
    (axis,) = figure.axes
    assert (axis.get_ylabel(), axis.get_xlabel()) == ("true", "predicted")
    # Rows of a picture count from the top.
    placed = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axis.texts}
    assert placed == {(0, 0): "5", (0, 1): "1", (1, 0): "0", (1, 1): "7"}
    assert axis.yaxis_inverted()


def test_lines_of_different_lengths_on_a_logarithmic_axis(screen: Screen) -> None:
    lines = {str(number): (2.0 ** np.arange(number + 1), np.arange(number + 1)) for number in range(8)}
    plotting.show_lines(lines, x_label="x", y_label="y", log_x=True, alt=ALT)
    assert len(screen) == 1


@pytest.mark.parametrize("epochs", [2, 5, 20])
def test_whole_numbers_have_whole_ticks(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    plotting.show_lines({"a": (range(1, epochs + 1), np.zeros(epochs))}, x_label="epoch", y_label="y", alt=ALT)
    assert all(float(tick).is_integer() for tick in figures[0].axes[0].get_xticks())


@pytest.mark.parametrize("values", [[0.0], [0, 0], [-3, 2.5], [1e-6, 1e6]])
def test_bars_of_any_value(values: list[float], screen: Screen) -> None:
    plotting.show_bars({f"bar {i}": value for i, value in enumerate(values)}, x_label="x", alt=ALT)
    assert len(screen) == 1


def test_strips_have_the_colours_of_the_classes_their_numbers_and_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    plotting.show_strips(
        {"step 0": [0, 1, 1], "step 1": [1, 1, 0]},
        class_names=["cat", "dog"],
        numbers={"step 0": [7, 8, 9], "step 1": [8, 9, 7]},
        frames={"step 0": (0, 2), "step 1": (1, 3)},
        x_label="x",
        alt=ALT,
    )
    for axis, labels, numbers, start in zip(
        figures[0].axes, ([0, 1, 1], [1, 1, 0]), ("789", "897"), (0, 1), strict=True
    ):
        (drawn,) = axis.images
        shown = [to_hex(colour).upper() for colour in drawn.to_rgba(drawn.get_array())[0]]
        assert shown == [plotting.LINE_COLOURS[label] for label in labels]
        assert "".join(text.get_text() for text in axis.texts) == numbers
        assert (axis.patches[0].get_x(), axis.patches[0].get_width()) == (start - 0.5, 2)


def test_a_timeline_has_a_bar_from_each_start_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    plotting.show_timeline(
        {"in turns": {"pipeline": [(0, 40), (80, 120)], "network": [(40, 80)]}}, x_label="x", alt=ALT
    )
    (axis,) = figures[0].axes
    spans = [[tuple(path.get_extents().intervalx) for path in lane.get_paths()] for lane in axis.collections]
    assert spans == [[(0, 40), (80, 120)], [(40, 80)]]
    assert [text.get_text() for text in axis.texts] == ["1", "2", "1"]


def test_large_numbers_at_bars_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    plotting.show_bars({"a": 1234.5, "b": 0.12345}, x_label="x", alt=ALT)
    assert [text.get_text() for text in figures[0].axes[0].texts] == ["1,234", "0.123"]


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: plotting.show_bars({"a": 1234.5, "b": 0.5}, x_label="cost", alt="Bars."), "Cost: a 1,234; b 0.5."),
        (
            lambda: plotting.show_lines({"a": ([1, 2, 3], [0.25, 9, 4])}, x_label="x", y_label="loss", alt="A line."),
            "Loss, first to last: a 0.25 to 4.",
        ),
        (
            lambda: plotting.show_spread(
                {"a": ([1, 2], np.array([[0, 1], [1, 3]]))}, x_label="x", y_label="gain", alt="A line."
            ),
            "Gain, first to last: a 0.5 to 2.",
        ),
        (
            lambda: plotting.show_history({"accuracy": [0.5, 1], "loss": [2, 2]}, alt="Curves."),
            "First to last epoch: training accuracy 0.5 to 1; training loss 2.",
        ),
        (
            lambda: plotting.show_scatter({"a": (2, 0.5)}, x_label="cost", y_label="accuracy", alt="A point."),
            "Cost to accuracy: a 2 to 0.5.",
        ),
    ],
)
def test_the_text_of_a_chart_tells_its_values(draw: Callable[[], None], told: str, screen: Screen) -> None:
    draw()
    ((data, _),) = screen
    assert data["text/plain"].endswith(f". {told}")


@pytest.mark.parametrize("log_x", [False, True])
def test_a_scatter_has_a_point_and_a_label_per_entry(log_x: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = catch_figures(monkeypatch)
    points = {"small": (0.3, 71.3), "large": (15.5, 71.3)}
    plotting.show_scatter(points, x_label="cost", y_label="accuracy", log_x=log_x, alt=ALT)
    (axis,) = shown[0].axes
    assert axis.collections[0].get_offsets().tolist() == [list(place) for place in points.values()]
    assert [text.get_text() for text in axis.texts] == list(points)
    assert axis.get_xscale() == ("log" if log_x else "linear")


def test_a_figure_of_few_colours_is_a_small_file_and_looks_the_same(screen: Screen) -> None:
    for colours in (None, 256):
        plotting.show_images([chelsea()], colours=colours, alt=ALT)
    full, small = (data["image/png"] for data, _ in screen)
    assert len(small) < len(full) / 2
    shades = [np.asarray(Image.open(BytesIO(content)).convert("RGB"), dtype=int) for content in (full, small)]
    assert np.abs(shades[0] - shades[1]).mean() < 5


def test_a_gallery_shows_the_original_before_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    picture = draw_noise(0)
    rows = {"moved": {f"Turn\nlimit={i}": picture.copy() for i in range(3)}, "recoloured": {"Blur\n": picture.copy()}}
    plotting.show_gallery(picture, rows, columns=2, alt=ALT)
    captions = [[text.get_text() for text in axis.texts] for axis in figures[0].axes]
    assert captions == [
        *(["moved\noriginal"], ["Turn\nlimit=0"], ["Turn\nlimit=1"]),
        *(["moved\noriginal"], ["Turn\nlimit=2"], []),
        *(["recoloured\noriginal"], ["Blur\n"], []),
    ]


def test_few_values_have_a_tick_each(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    looks = [16, 32, 48, 64, 80]  # where the default ticks would stand at none of them
    plotting.show_spread({"a": (looks, np.zeros((2, 5)))}, x_label="step", y_label="y", alt=ALT)
    assert figures[0].axes[0].get_xticks().tolist() == looks


def test_a_spread_is_the_mean_over_seeds_and_its_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    values = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])  # (seeds, points)
    plotting.show_spread({"a": ([1, 2], values), "b": ([1, 2], values)}, x_label="x", y_label="y", level=0, alt=ALT)
    (axis,) = figures[0].axes
    line, _, (bars,) = axis.containers[0]
    assert line.get_ydata().tolist() == [2.0, 1.0]
    low, high = bars.get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(2 / np.sqrt(3))
    assert len({axis.containers[i][0].get_linestyle() for i in range(2)}) == 2


def test_number_grids_show_every_number_and_frame_what_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = catch_figures(monkeypatch)
    grids = {"picture": np.arange(6).reshape(2, 3), "result": np.array([[0.5]])}
    plotting.show_number_grids(grids, marked={"picture": (slice(0, 2), slice(1, 3))}, alt=ALT)
    left, right = figures[0].axes
    assert [text.get_text() for text in left.texts] == ["0", "1", "2", "3", "4", "5"]
    assert [text.get_text() for text in right.texts] == ["0.5"]
    frame = left.patches[-1]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((1, 0), 2, 2)
    assert (left.get_title(), right.get_title()) == ("picture", "result")
