"""Keras' older generator and a tf.data pipeline of six lines: the same pictures in the same batches."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.keras.preprocessing.image import ImageDataGenerator

from helpers import datasets
from tests.conftest import draw_noise

SIZE = 64  # a power of two: no original pixel lies exactly between two new ones, so all roundings agree
CLASSES = ["cat", "dog", "rat"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three classes of JPEG pictures of many sizes, some grey, some of sizes that divide evenly."""
    sizes = [(48, 96), (64, 64), (128, 32), (192, 160), (37, 61), (200, 150), (256, 320), (99, 101), (16, 40)]
    for label, name in enumerate(CLASSES):
        (tmp_path / name).mkdir()
        for number in range(9 + label):
            height, width = sizes[(number + label) % len(sizes)]
            picture = Image.fromarray(draw_noise(100 * label + number, height=height, width=width))
            picture = picture.convert("L") if number == 4 else picture
            picture.save(tmp_path / name / f"{number:02}.jpg", quality=90)
    return tmp_path


def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
    picture = tf.image.resize(picture, (SIZE, SIZE), method="nearest")
    return tf.cast(picture, tf.float32) * (1 / 255), label


def pipeline(table: pd.DataFrame) -> tf.data.Dataset:
    labels = table.class_name.map(CLASSES.index)
    return tf.data.Dataset.from_tensor_slices((table.path.to_list(), labels.to_list())).map(read).batch(8)


OPTIONS = {"target_size": (SIZE, SIZE), "batch_size": 8, "class_mode": "sparse"} | {
    "shuffle": False,
    "interpolation": "nearest",
}


def assert_same_batches(generator, ours: tf.data.Dataset) -> None:
    assert len(generator) == int(ours.cardinality()) > 0
    for (expected, expected_labels), (pictures, labels) in zip(
        (generator[i] for i in range(len(generator))), ours, strict=True
    ):
        assert expected.max() > 0.9
        np.testing.assert_array_equal(pictures, expected)
        np.testing.assert_array_equal(labels, expected_labels)


def test_a_folder(photos: Path) -> None:
    generator = ImageDataGenerator(rescale=1 / 255).flow_from_directory(photos, **OPTIONS)
    assert generator.class_indices == {"cat": 0, "dog": 1, "rat": 2}
    assert_same_batches(generator, pipeline(datasets.list_pictures(photos)))


def test_a_table(photos: Path) -> None:
    table = datasets.list_pictures(photos).sample(frac=1, random_state=0)
    generator = ImageDataGenerator(rescale=1 / 255).flow_from_dataframe(
        table, x_col="path", y_col="class_name", **OPTIONS
    )
    assert_same_batches(generator, pipeline(table))


def test_a_folder_with_a_validation_share(photos: Path) -> None:
    source = ImageDataGenerator(rescale=1 / 255, validation_split=0.25)
    table = datasets.list_pictures(photos)
    # The generator takes the first quarter of each class's files for validation, rounded down.
    rank = table.groupby("class_name").cumcount()
    held_out = rank < (0.25 * table.groupby("class_name").path.transform("count")).astype(int)
    for subset, rows in (("training", ~held_out), ("validation", held_out)):
        generator = source.flow_from_directory(photos, subset=subset, **OPTIONS)
        assert_same_batches(generator, pipeline(table[rows]))


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_table_with_a_validation_share_takes_the_first_rows(photos: Path, shuffled: bool) -> None:
    table = datasets.list_pictures(photos)
    table = table.sample(frac=1, random_state=0) if shuffled else table
    source = ImageDataGenerator(rescale=1 / 255, validation_split=0.25)
    cut = int(0.25 * len(table))
    parts = {"training": table[cut:], "validation": table[:cut]}
    for subset, rows in parts.items():
        generator = source.flow_from_dataframe(table, x_col="path", y_col="class_name", subset=subset, **OPTIONS)
        # Labels are numbered within all of the table, so that both parts agree.
        assert_same_batches(generator, pipeline(rows))
    assert (len(set(parts["validation"].class_name)) == 1) is not shuffled, "unshuffled, it holds one class only"
