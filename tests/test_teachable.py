"""The teachable machine without its face: classes and pictures, training, answers, and what is saved."""

from io import BytesIO
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import prediction, teachable
from helpers.teachable import TeachableMachine
from tests.conftest import keras_and_numpy_2

pytestmark = keras_and_numpy_2

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def picture(colour: str, seed: int = 0, *, format: str = "PNG") -> bytes:
    noise = np.random.default_rng(seed).integers(-30, 30, (20, 24, 3))
    buffer = BytesIO()
    Image.fromarray(np.uint8(np.array(COLOURS[colour]) + noise)).save(buffer, format=format)
    return buffer.getvalue()


@pytest.fixture
def empty(tiny_backbone: keras.Model) -> TeachableMachine:
    return TeachableMachine(["red", "green"], image_size=16, network=tiny_backbone)


@pytest.fixture
def machine(empty: TeachableMachine) -> TeachableMachine:
    """Two classes that differ in colour, six pictures of each."""
    for name in empty.class_names:
        for seed in range(6):
            empty.add_picture(name, picture(name, seed), file_name=f"{seed}.png")
    return empty


def test_it_learns_says_how_well_and_answers(machine: TeachableMachine) -> None:
    shares: list[float] = []
    judged = machine.train(progress=shares.append)
    assert judged.accuracy == 1.0
    assert len(judged.labels) == 12
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for colour in ("red", "green"):
        (first, probability), (_, other) = machine.predict(picture(colour, 99))
        assert first == colour
        assert probability > 0.5
        assert probability + other == pytest.approx(1, abs=1e-5)


def test_it_shows_where_it_saw_the_answer(machine: TeachableMachine) -> None:
    machine.train()
    ranking, shown = machine.explain(picture("red", 99))
    assert ranking == machine.predict(picture("red", 99))
    with Image.open(BytesIO(shown)) as seen:
        assert (seen.format, seen.size) == ("JPEG", (16, 16))


def test_what_counts_is_orange_and_the_rest_is_grey() -> None:
    pixels = np.full((8, 8, 3), (30, 60, 90), np.uint8)
    laid = teachable.lay_over(pixels, np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert laid.dtype == np.uint8
    assert laid[-1, -1].tolist() == [60, 60, 60]
    np.testing.assert_allclose(laid[0, 0], 0.3 * 60 + 0.7 * np.array(teachable.HOT), atol=1)


def test_pictures_that_are_alike_are_judged_as_guesses() -> None:
    features = np.random.default_rng(0).normal(size=(60, 8))
    judged = teachable.cross_validate(features, np.arange(60) % 2, num_classes=2)
    assert judged.accuracy < 0.75, "each is judged by a head that has not seen it"
    assert judged.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_features_are_computed_once_per_picture(machine: TeachableMachine) -> None:
    machine.train()
    shares: list[float] = []
    machine.train(progress=shares.append)
    assert shares == [1.0], "nothing is left to look at"
    machine.add_picture("red", picture("red", 7))
    machine.train(progress=shares.append)
    assert shares[1:] == [0.0, 1.0]


def test_classes_are_named_renamed_and_removed(machine: TeachableMachine) -> None:
    machine.train()
    assert machine.rename_class("red", " cherry ") == "cherry"
    assert machine.rename_class("cherry", "cherry") == "cherry"
    assert machine.class_names == ("cherry", "green"), "the order, and so the labels, stay"
    assert machine.predict(picture("red"))[0][0] == "cherry"
    machine.remove_class("green")
    with pytest.raises(ValueError, match="Train it first"):
        machine.predict(picture("red"))


@pytest.mark.parametrize("name", ["", "  ", "red", "a/b", "..", ".hidden", "what?"])
def test_a_name_that_will_not_do_is_refused_in_one_line(empty: TeachableMachine, name: str) -> None:
    with pytest.raises(ValueError, match="expected a new one") as caught:
        empty.add_class(name)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="expected a new one"):
        empty.rename_class("green", name)
    assert empty.class_names == ("red", "green")


def test_one_class_or_too_few_pictures_is_one_clear_line(machine: TeachableMachine) -> None:
    machine.remove_picture("green", next(iter(machine.thumbnails("green"))))
    machine.remove_picture("green", next(iter(machine.thumbnails("green"))))
    assert machine.counts == {"red": 6, "green": 4}
    with pytest.raises(ValueError, match=r"too few pictures \(green: 4\), expected 5 or more per class"):
        machine.train()
    machine.remove_class("green")
    with pytest.raises(ValueError, match="Received 1 class, expected two or more"):
        machine.train()


@pytest.mark.parametrize("content", [b"", b"no picture", picture("red")[:60]], ids=["empty", "text", "cut"])
def test_a_damaged_picture_is_one_clear_line_and_not_kept(empty: TeachableMachine, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^holiday\.png cannot be used: ") as caught:
        empty.add_picture("red", content, file_name="holiday.png")
    assert "\n" not in str(caught.value)
    assert empty.counts["red"] == 0


def test_thumbnails_are_small_jpeg_files(machine: TeachableMachine) -> None:
    thumbnails = machine.thumbnails("red")
    assert len(thumbnails) == 6
    for content in thumbnails.values():
        assert Image.open(BytesIO(content)).format == "JPEG"
        assert max(Image.open(BytesIO(content)).size) <= teachable.THUMBNAIL


def test_what_is_saved_gives_the_same_answers_and_the_pictures_as_they_came(
    machine: TeachableMachine, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="Train it first"):
        machine.save(tmp_path / "mine")
    machine.train()
    path = machine.save(tmp_path / "mine")
    saved = prediction.load_classifier(path)
    assert saved.class_names == ("red", "green")
    folder = tmp_path / "mine" / "pictures"
    assert sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png")) == [
        f"{name}/picture-{number:04}.png" for name in ("green", "red") for number in range(6)
    ]
    assert (folder / "red" / "picture-0003.png").read_bytes() == picture("red", 3)
    (answers, _) = prediction.predict_files(saved, [folder / "red" / "picture-0003.png"])
    assert answers[0].label == "red"
    machine.rename_class("red", "cherry")
    machine.save(tmp_path / "mine")
    assert sorted(inside.name for inside in folder.iterdir()) == ["cherry", "green"]
