"""What notebook 04 writes out by hand, taken from its cells as they stand, against the course's own and Keras'."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from helpers import datasets, images
from tests.lesson_cells import run_cells

IMAGE_SIZE, SIDE = 96, 128
NAMES = {"read", "decode", "to_record", "from_record", "read_as_generator", "difference_hash", "save_again"}
# Odd and even, upright and wide, smaller and larger than what they are brought to.
SIZES = [(300, 451), (128, 128), (64, 200), (333, 97), (500, 192)]


LESSON = run_cells("04", IMAGE_SIZE=IMAGE_SIZE, SIDE=SIDE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """JPEG files of one class folder, in different sizes."""
    folder = tmp_path_factory.mktemp("pictures") / "cat"
    folder.mkdir()
    for number, size in enumerate(SIZES):
        picture = images.resize(data.chelsea(), size)
        Image.fromarray(np.roll(picture, number, axis=2)).save(folder / f"{number}.jpg", quality=95)
    return images.find_files(folder)


def as_dataset(files: list[Path]) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(([str(path) for path in files], list(range(len(files)))))


def test_the_lesson_defines_what_is_tested() -> None:
    assert set(LESSON) >= NAMES


def test_its_reader_gives_nearly_what_the_course_feeds_to_networks(files: list[Path]) -> None:
    read = [picture for picture, _ in as_dataset(files).map(LESSON["read"]).as_numpy_iterator()]
    (expected,) = datasets.batches_from_files(files, image_size=IMAGE_SIZE).as_numpy_iterator()
    assert np.abs(np.stack(read) - expected).mean() < 4


def test_a_record_gives_back_file_and_label(files: list[Path]) -> None:
    for label, path in enumerate(files):
        content, number = LESSON["from_record"](LESSON["to_record"](path, label))
        assert content.numpy() == path.read_bytes()
        assert number.numpy() == label


@settings(max_examples=30, deadline=None)
@given(content=st.binary(), label=st.integers(-(2**63), 2**63 - 1))
def test_a_record_gives_back_any_content(tmp_path_factory: pytest.TempPathFactory, content: bytes, label: int) -> None:
    path = tmp_path_factory.mktemp("record") / "any"
    path.write_bytes(content)
    stored, number = LESSON["from_record"](LESSON["to_record"](path, label))
    assert stored.numpy() == content
    assert number.numpy() == label


def test_a_record_is_decoded_as_its_file_is(files: list[Path]) -> None:
    for path in files:
        from_file, _ = LESSON["read"](str(path), 0)
        from_record, _ = LESSON["decode"](*LESSON["from_record"](LESSON["to_record"](path, 0)))
        np.testing.assert_array_equal(from_file, from_record)


def test_its_nearest_reader_gives_what_the_generator_gives(files: list[Path]) -> None:
    generator = LESSON["ImageDataGenerator"](rescale=1 / 255).flow_from_directory(
        files[0].parents[1], target_size=(SIDE, SIDE), shuffle=False, class_mode="sparse"
    )
    (read,) = as_dataset(files).map(LESSON["read_as_generator"]).batch(len(files)).as_numpy_iterator()
    np.testing.assert_array_equal(generator[0][0], read[0])


def test_the_difference_hash_is_that_of_its_definition() -> None:
    rising = np.tile(np.linspace(0, 255, 180).astype(np.uint8)[None, :, None], (160, 1, 3))
    assert LESSON["difference_hash"](rising).shape == (64,)
    assert LESSON["difference_hash"](rising).all()
    assert not LESSON["difference_hash"](rising[:, ::-1]).any()


def test_the_difference_hash_hardly_sees_what_changes_a_file_and_not_the_picture() -> None:
    cat = data.chelsea()
    print_of = LESSON["difference_hash"](cat)
    for version in (LESSON["save_again"](cat, 40), images.resize(cat, (150, 225))):
        assert (LESSON["difference_hash"](version) != print_of).sum() <= 4
    assert (LESSON["difference_hash"](data.astronaut()) != print_of).sum() > 16
