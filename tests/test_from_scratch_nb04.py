"""What notebook 04 writes out by hand, taken from its cells as they stand, against Keras' loader and its definition."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import data

from helpers import images
from tests.lesson_cells import run_cells

IMAGE_SIZE = 96
# Odd and even, upright and wide, smaller and larger than what they are brought to.
SIZES = [(300, 451), (128, 128), (64, 200), (333, 97), (500, 192)]

LESSON = run_cells("04", IMAGE_SIZE=IMAGE_SIZE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """JPEG files of one class folder, in different sizes."""
    folder = tmp_path_factory.mktemp("pictures") / "cat"
    folder.mkdir()
    for number, size in enumerate(SIZES):
        picture = images.resize(data.chelsea(), size)
        Image.fromarray(np.roll(picture, number, axis=2)).save(folder / f"{number}.jpg", quality=95)
    return images.find_files(folder)


def test_its_reader_gives_what_keras_loader_gives(files: list[Path]) -> None:
    pairs = tf.data.Dataset.from_tensor_slices(([str(path) for path in files], list(range(len(files)))))
    read = np.stack([picture for picture, _ in pairs.map(LESSON["read"]).as_numpy_iterator()])
    loader = keras.utils.image_dataset_from_directory(
        files[0].parents[1], image_size=(IMAGE_SIZE, IMAGE_SIZE), shuffle=False, verbose=False
    )
    ((expected, _),) = loader.as_numpy_iterator()
    assert read.dtype == np.uint8
    assert np.abs(read - expected).max() <= 0.5


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
