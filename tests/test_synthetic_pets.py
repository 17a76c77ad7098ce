"""The default data set: the pictures, the order they come in, and the TFDS builder."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

import helpers.synthetic_pets as pets
from helpers import datasets
from helpers.synthetic_pets import scene
from helpers.synthetic_pets.painting import Canvas, Frame, Hair, ellipse, paint_fur, plain
from helpers.synthetic_pets.worker import draw_many

ROOT = Path(__file__).resolve().parents[1]
ASPECTS = (1, 4 / 3, 3 / 2, 3 / 4, 2 / 3)


def run(*arguments: str, **variables: str) -> str:
    """Run Python anew in the repository, with environment variables added, and return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> tfds.core.DatasetBuilder:
    builder = tfds.builder("synthetic_pets/tiny", data_dir=tmp_path_factory.mktemp("tfds"))
    builder.download_and_prepare()
    return builder


# One picture


@pytest.mark.parametrize("label", [0, 1])
def test_the_same_numbers_give_the_same_picture(label: int) -> None:
    first, again = (pets.draw(label=label, seed=3, split="test", index=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_every_number_changes_the_picture() -> None:
    names = [
        {"label": label, "seed": seed, "split": split, "index": index}
        for label in (0, 1)
        for seed in (0, 1)
        for split in scene.SPLITS
        for index in (0, 1, 2)
    ]
    digests = {hashlib.sha256(pets.draw(**name).tobytes()).hexdigest() for name in names}
    assert len(digests) == len(names)


def test_pictures_have_the_promised_sizes_and_aspect_ratios() -> None:
    canvases = [scene._new_canvas(np.random.default_rng(seed)) for seed in range(400)]
    sizes = np.array([canvas.size for canvas in canvases])
    assert sizes.min() == 200
    assert 350 < sizes.min(axis=1).max() <= 380
    assert sizes.max() <= 500
    aspects = sizes[:, 1] / sizes[:, 0]
    nearest = np.abs(aspects[:, None] - ASPECTS).argmin(axis=1)
    np.testing.assert_allclose(aspects, np.take(ASPECTS, nearest), rtol=0.01)
    assert set(nearest) == set(range(5))


def test_another_processor_draws_the_same_bytes() -> None:
    """As far as one machine can play another: without its newer vector units and Intel's library, or on two threads."""
    code = (
        "import cv2, hashlib; from helpers.synthetic_pets import scene; cv2.setNumThreads(2);"
        "files = [scene.draw_jpeg(label=index % 2, index=index) for index in range(6)];"
        "print(*(hashlib.sha256(file).hexdigest() for file in files))"
    )
    other = run(
        "-c",
        code,
        OPENCV_CPU_DISABLE="AVX2,FP16,AVX",
        OPENCV_IPP="disabled",
        NPY_DISABLE_CPU_FEATURES="X86_V4 X86_V3 AVX512F AVX2 FMA3",  # the names of two generations of NumPy
        OPENBLAS_CORETYPE="Nehalem",
        JSIMD_FORCENONE="1",
    )
    files = [scene.draw_jpeg(label=index % 2, index=index) for index in range(6)]
    assert other.split() == [hashlib.sha256(file).hexdigest() for file in files]


@pytest.mark.parametrize("label", [0, 2])
def test_drawing_leaves_opencv_as_it_was(label: int) -> None:
    before = cv2.useOptimized(), cv2.getNumThreads()
    with nullcontext() if label == 0 else pytest.raises(ValueError):
        pets.draw(label=label)
    assert (cv2.useOptimized(), cv2.getNumThreads()) == before


@settings(max_examples=20, deadline=None, derandomize=True)
@given(label=st.integers(0, 1), seed=st.integers(0, 2**40), index=st.integers(0, 10**6))
def test_any_numbers_give_a_picture(label: int, seed: int, index: int) -> None:
    picture = pets.draw(label=label, seed=seed, split="test", index=index)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3 and picture.shape[2] == 3
    assert 200 <= min(picture.shape[:2]) <= 380 and max(picture.shape[:2]) <= 500
    assert 40 < picture.mean() < 190  # neither drowned in black nor burnt out
    assert picture.std() > 8


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": 2}, "Received label 2, expected 0 .cat. or 1 .dog.. Pass"),
        ({"label": 0, "split": "val"}, "Received split 'val', expected one of train, validation, test. Pass"),
        ({"label": 0, "seed": -1}, "Received seed -1, expected a whole number from 0 on. Pass"),
        ({"label": 0, "index": -1}, "Received index -1, expected a whole number from 0 on. Pass"),
        ({"label": 0, "index": 0.5}, "Received index 0.5, expected a whole number from 0 on. Pass"),
    ],
)
def test_numbers_that_name_no_picture_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pets.draw(**wrong)


# Light


def paint_ball(light: np.ndarray, length: str = "short") -> np.ndarray:
    """Paint a grey furry ball of radius 50 in the middle of a black picture of 160 pixels."""
    canvas = Canvas(np.zeros((160, 160, 3), np.float32), light.astype(np.float32), np.random.default_rng(0))
    frame = Frame(np.array([[50, 0, 80], [0, 50, 80]], float))
    paint_fur(canvas, frame, ellipse(0, 0, 1, 1), plain((0.5, 0.5, 0.5)), Hair(length))
    return canvas.pixels[..., 0]


@pytest.mark.parametrize("length", ["short", "middle", "long"])
def test_light_from_above_makes_the_upper_half_of_a_ball_brighter(length: str) -> None:
    ball = paint_ball(np.array([0, -1]), length)
    upper, lower = ball[45:80, 60:100].mean(), ball[80:115, 60:100].mean()
    assert upper > 1.15 * lower


def test_shading_follows_the_light() -> None:
    left = paint_ball(np.array([-1, 0]))
    assert left[60:100, 45:80].mean() > 1.15 * left[60:100, 80:115].mean()


def test_the_light_of_every_picture_comes_from_above() -> None:
    for seed in range(100):
        x, y = scene._new_canvas(np.random.default_rng(seed)).light
        assert y < -0.9  # y grows downwards
        assert x**2 + y**2 == pytest.approx(1)


# Order


def test_labels_are_balanced_in_every_slice() -> None:
    labels = np.array(scene.draw_labels(seed=0, split="train", number=2000))
    assert labels.sum() == 1000
    assert np.abs(np.cumsum(2 * labels - 1)).max() <= 1  # cats and dogs never more than one apart
    assert (labels[::2] == 0).mean() == pytest.approx(0.5, abs=0.05)  # and yet the order is random


def test_pictures_do_not_depend_on_the_number_of_workers() -> None:
    alone, together = (list(draw_many(seed=2, split="validation", number=7, workers=workers)) for workers in (1, 3))
    assert alone == together
    label, file = together[6]
    assert file == scene.draw_jpeg(label=label, seed=2, split="validation", index=6)


def test_a_workers_error_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.synthetic_pets.worker.draw_labels", lambda **_: [0, 2])
    with pytest.raises(ValueError, match="Received label 2, expected 0"):
        list(draw_many(seed=0, split="train", number=2, workers=2))


SCRIPT = """
import sys
from helpers.synthetic_pets.worker import draw_many

print(sorted({'tensorflow', 'keras'} & set(sys.modules)), flush=True)
print([label for label, _ in draw_many(seed=0, split='test', number=4, workers=2)], flush=True)

import tensorflow_datasets as tfds
import helpers.synthetic_pets

tfds.builder('synthetic_pets/tiny', data_dir=sys.argv[1]).download_and_prepare()
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """What a script printed that was killed while it prepared the data set, and the folder where it did."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "script.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, folder / "script.py", folder / "tfds"]
    with (folder / "printed").open("w") as printed:
        running = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(folder.glob("tfds/synthetic_pets/tiny/*incomplete*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)  # until the first split is written; the other two are still to be drawn
    assert running.poll() is None, "it should still be drawing"
    running.send_signal(signal.SIGKILL)
    running.wait()
    return (folder / "printed").read_text().splitlines(), folder / "tfds"


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(killed: tuple[list[str], Path]) -> None:
    lines = [line for line in killed[0] if line.startswith("[")]  # TFDS says something too
    assert lines[1:] == [str(scene.draw_labels(seed=0, split="test", number=4))]


def test_workers_do_not_load_tensorflow(killed: tuple[list[str], Path]) -> None:
    # A worker imports what it draws with, and with that the package: TFDS loads TensorFlow only when it is used.
    (loaded, *_), _ = killed
    assert loaded == "[]"


# The builder


def test_sizes_of_the_configurations() -> None:
    sizes = {config.name: (config.seed, config.sizes) for config in pets.SyntheticPets.BUILDER_CONFIGS}
    assert sizes == {
        "default": (0, (2000, 1000, 1000)),
        "seed1": (1, (2000, 1000, 1000)),
        "tiny": (0, (60, 30, 30)),
    }
    assert tfds.builder("synthetic_pets").builder_config.name == "default"


def test_it_loads_like_any_other_data_set(builder: tfds.core.DatasetBuilder) -> None:
    (train, held_out), info = tfds.load(
        "synthetic_pets/tiny",
        split=["train[:80%]", "train[80%:]"],
        as_supervised=True,
        with_info=True,
        shuffle_files=True,
        data_dir=builder.data_dir.rsplit("/synthetic_pets", 1)[0],
    )
    assert {name: split.num_examples for name, split in info.splits.items()} == {
        "train": 60,
        "validation": 30,
        "test": 30,
    }
    label = info.features["label"]
    assert [label.int2str(number) for number in (0, 1)] == ["cat", "dog"] == list(pets.CLASS_NAMES)
    for split, number in ((train, 48), (held_out, 12)):
        pictures, labels = zip(*split.as_numpy_iterator(), strict=True)
        assert len(labels) == number
        assert sum(labels) == number // 2
        assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in pictures)


def test_the_stored_files_are_the_drawn_pictures_in_order(builder: tfds.core.DatasetBuilder) -> None:
    undecoded = {"image": tfds.decode.SkipDecoding()}
    stored = list(builder.as_dataset(split="validation", decoders=undecoded).as_numpy_iterator())
    labels = scene.draw_labels(seed=0, split="validation", number=30)
    assert [int(example["index"]) for example in stored] == list(range(30))
    assert [int(example["label"]) for example in stored] == labels
    for index in (0, 17, 29):
        expected = scene.draw_jpeg(label=labels[index], seed=0, split="validation", index=index)
        assert stored[index]["image"] == expected


def test_no_picture_is_stored_twice(builder: tfds.core.DatasetBuilder) -> None:
    undecoded = {"image": tfds.decode.SkipDecoding()}
    splits = builder.as_dataset(decoders=undecoded)
    files = [example["image"] for split in splits.values() for example in split.as_numpy_iterator()]
    assert len(files) == len(set(files)) == 120


def test_a_killed_preparation_leaves_nothing_that_is_trusted(killed: tuple[list[str], Path]) -> None:
    _, folder = killed
    assert list(folder.glob("synthetic_pets/tiny/*incomplete*/*"))
    assert not list(folder.glob("synthetic_pets/tiny/[0-9]*"))
    assert not tfds.builder("synthetic_pets/tiny", data_dir=folder).is_prepared()


# Difficulty: the label must be in the picture, not in its size, its file or its colours


def describe_without_looking(file: bytes) -> list[float]:
    """Return size, aspect, bytes and colour histogram of a picture: nothing that knows a shape."""
    image = Image.open(io.BytesIO(file))
    histograms = np.reshape(image.histogram(), (3 * 16, 16)).sum(axis=1) / (16 * image.width * image.height)
    return [*image.size, image.width / image.height, len(file), *histograms]


@pytest.mark.slow
def test_size_bytes_and_colours_do_not_give_the_label_away() -> None:
    builder = datasets.find_builder("synthetic_pets")
    builder.download_and_prepare()  # `make test` has drawn them before; alone, this takes minutes
    stored = builder.as_dataset(split="train[:1000]", decoders={"image": tfds.decode.SkipDecoding()})
    examples = list(stored.as_numpy_iterator())
    features, labels = [describe_without_looking(x["image"]) for x in examples], [x["label"] for x in examples]
    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0)
    accuracy = cross_val_score(forest, features, labels, cv=5).mean()
    assert 0.45 <= accuracy <= 0.55
