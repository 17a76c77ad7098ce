"""The report of pictures that stand in two splits: all of them, in whatever way they got there, and no others."""

import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data as samples

from helpers import cleaning, datasets, images
from helpers.datasets import SPLITS
from tests.conftest import draw_noise

MakeFolder = Callable[..., Path]
COLUMNS = ["kind", "first_split", "first_position", "second_split", "second_position", "distance"]


def make_split(pictures: list[np.ndarray]) -> tf.data.Dataset:
    signature = (tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.int64))
    return tf.data.Dataset.from_generator(lambda: ((p, 0) for p in pictures), output_signature=signature)


def noise(count: int, *, first_seed: int = 0) -> list[np.ndarray]:
    return [draw_noise(first_seed + i, height=40, width=40) for i in range(count)]


def rows(report: pd.DataFrame) -> list[tuple]:
    return list(report.itertuples(index=False, name=None))


def test_disjoint_splits_have_no_rows() -> None:
    report = datasets.leakage_report({name: make_split(noise(20, first_seed=100 * i)) for i, name in enumerate(SPLITS)})
    assert list(report.columns) == COLUMNS
    assert len(report) == 0


def test_the_same_pixels_are_found_in_each_pair_of_splits() -> None:
    a, b, c, d = noise(4)
    report = datasets.leakage_report(
        {"train": make_split([a, b, c]), "validation": make_split([d, b]), "test": make_split([b, d, c])}
    )
    assert rows(report) == [
        ("same", "train", 1, "validation", 1, 0),
        ("same", "train", 1, "test", 0, 0),
        ("same", "validation", 1, "test", 0, 0),
        ("same", "validation", 0, "test", 1, 0),
        ("same", "train", 2, "test", 2, 0),
    ]


def test_copies_within_a_split_are_no_leak_and_count_once() -> None:
    a, b = noise(2)
    report = datasets.leakage_report({"train": make_split([a, a, a]), "test": make_split([b, a, b, a])})
    assert rows(report) == [("same", "train", 0, "test", 1, 0), ("same", "train", 0, "test", 3, 0)]


def test_flat_pictures_are_the_same_only_if_they_are() -> None:
    red, blue, grey = (np.full((30, 30, 3), colour, np.uint8) for colour in ([255, 0, 0], [0, 0, 255], [9, 9, 9]))
    wide = np.full((15, 60, 3), 9, np.uint8)  # the same bytes in another shape
    report = datasets.leakage_report({"train": make_split([red, grey]), "test": make_split([blue, wide, red])})
    assert rows(report) == [("same", "train", 0, "test", 2, 0)]


def resaved(picture: np.ndarray, path: Path) -> np.ndarray:
    Image.fromarray(picture).save(path, quality=60)
    return images.read(path)


def test_a_picture_saved_again_or_resized_is_nearly_the_same(tmp_path: Path) -> None:
    cat, coffee, person = samples.chelsea(), samples.coffee(), samples.astronaut()
    splits = {
        "train": make_split([coffee, cat, person]),
        "test": make_split([images.resize(cat, 120), resaved(person, tmp_path / "a.jpg"), samples.rocket()]),
    }
    report = datasets.leakage_report(splits)
    assert set(report.kind) == {"nearly the same"}
    assert {row[2:5:2] for row in rows(report)} == {(1, 0), (2, 1)}
    assert report.distance.between(0, 6).all() and report.distance.is_monotonic_increasing
    assert len(datasets.leakage_report(splits, near_distance=-1)) == 0
    assert len(datasets.leakage_report(splits, near_distance=64)) == 9


# --- The trap: take and skip after a shuffle -----------------------------------------------------------------


def test_take_and_skip_after_a_shuffle_that_shuffles_anew_leak_and_are_caught() -> None:
    pictures = np.stack(noise(60))
    numbered = tf.data.Dataset.from_tensor_slices((pictures, np.arange(60)))
    shuffled = numbered.shuffle(60, seed=1)  # reshuffle_each_iteration=True, unless you say otherwise
    train, test = shuffled.take(40), shuffled.skip(40)
    report = datasets.leakage_report({"train": train, "test": test})
    # Two independent choices: of 20 test pictures, about two thirds stand among the 40 training pictures as well.
    assert 5 <= len(report) <= 19
    assert set(report.kind) == {"same"} and set(report.second_split) == {"test"}

    kept = numbered.shuffle(60, seed=1, reshuffle_each_iteration=False)
    assert len(datasets.leakage_report({"train": kept.take(40), "test": kept.skip(40)})) == 0


def test_every_row_of_the_trap_is_true() -> None:
    pictures = np.stack(noise(30))
    seen: dict[str, list[int]] = {"train": [], "test": []}
    shuffled = tf.data.Dataset.from_tensor_slices((pictures, np.arange(30))).shuffle(30, seed=3)

    def watch(name: str, split: tf.data.Dataset) -> tf.data.Dataset:
        def note(picture: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            noted = tf.numpy_function(lambda value: seen[name].append(int(value)) or value, [label], tf.int64)
            return picture, tf.ensure_shape(noted, ())

        return split.map(note)

    report = datasets.leakage_report(
        {"train": watch("train", shuffled.take(20)), "test": watch("test", shuffled.skip(20))}
    )
    expected = {(seen["train"].index(number), j) for j, number in enumerate(seen["test"]) if number in seen["train"]}
    assert {row[2:5:2] for row in rows(report)} == expected and expected


def test_what_load_gives_does_not_leak(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 20, "dog": 20})
    data = datasets.load(folder, num_train=20, num_validation=10, num_test=10)
    assert len(datasets.leakage_report({split: getattr(data, split) for split in SPLITS})) == 0


def test_another_file_of_the_same_picture_does_not_leak_either(make_folder: MakeFolder) -> None:
    folder = make_folder({f"{split}/{name}": 6 for split in SPLITS for name in ("cat", "dog")})
    pixels = images.read(folder / "train" / "cat" / "000.png")
    Image.fromarray(pixels).save(folder / "test" / "cat" / "other.bmp")
    data = datasets.load(folder)
    assert [file for file, _ in data.set_aside] == ["train/cat/000.png"]
    assert len(datasets.leakage_report({split: getattr(data, split) for split in SPLITS})) == 0


def test_pictures_are_let_go_as_soon_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the report takes some bytes a picture, and 25,000 of them fit into little memory."""
    alive: set[int] = set()
    most, original = [], cleaning.perceptual_hash

    def watch(picture: np.ndarray) -> int | None:
        alive.add(id(picture))
        weakref.finalize(picture, alive.discard, id(picture))
        most.append(len(alive))
        return original(picture)

    monkeypatch.setattr(cleaning, "perceptual_hash", watch)
    datasets.leakage_report({"train": make_split(noise(40)), "test": make_split(noise(40, first_seed=90))})
    assert len(most) == 80
    assert max(most) <= 2
