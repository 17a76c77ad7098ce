"""From a split, or from files, to batches of pictures of one size."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers import cleaning
from helpers.datasets._decoding import read_picture

# A split of at most so many pictures is decoded once and kept in memory, resized.
PICTURES_KEPT = 2_048
# A larger one is decoded anew every epoch, and shuffled within a window of so many, which needs no more memory than
# keeping a small one: a split is in random order already. So memory does not grow with the number of pictures.
SHUFFLE_WINDOW = 1_024


def batches(
    split: tf.data.Dataset,
    *,
    image_size: int,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
    augment: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tf.data.Dataset:
    """Turn a split into batches of pictures of one size, decoded once if there are no more than 2,048.

    Order of work: decode and resize in parallel, cache, shuffle, batch, augment, prefetch. Caching comes before
    shuffling and augmenting, so that every epoch is different; the cache is filled by the first full pass.

    Args:
        split: `(uint8 (height, width, 3), label)`, as in an `ImageDataset`.
        image_size: height and width of the result; pictures are stretched to it.
        batch_size: pictures a batch; the last one may be smaller.
        shuffle: a new order every epoch; for training only.
        seed: of the order.
        augment: changes a batch of float pictures; for training only.

    Returns:
        `tf.data.Dataset` of `(float32 (batch, image_size, image_size, 3) in 0..255, int64 (batch,))`.

    Example:
        >>> split = tf.data.Dataset.from_tensors((tf.zeros((20, 30, 3), tf.uint8), tf.constant(1, tf.int64)))
        >>> [pictures.shape for pictures, labels in batches(split, image_size=8)]
        [TensorShape([1, 8, 8, 3])]
    """
    resized = split.map(
        lambda picture, label: (_resize(picture, image_size), label), num_parallel_calls=tf.data.AUTOTUNE
    )
    fits = 0 <= int(split.cardinality()) <= PICTURES_KEPT
    if fits:
        resized = resized.cache()
    if shuffle:
        resized = resized.shuffle(PICTURES_KEPT if fits else SHUFFLE_WINDOW, seed=seed)
    batched = resized.batch(batch_size).map(
        lambda pictures, labels: (tf.cast(pictures, tf.float32), labels), num_parallel_calls=tf.data.AUTOTUNE
    )
    if augment is not None:
        batched = batched.map(lambda pictures, labels: (augment(pictures), labels), num_parallel_calls=tf.data.AUTOTUNE)
    return batched.prefetch(tf.data.AUTOTUNE)


def batches_from_files(
    paths: Sequence[str | Path],
    *,
    image_size: int,
    batch_size: int = 32,
    reports: Sequence[cleaning.FileReport] | None = None,
) -> tf.data.Dataset:
    """Turn files into batches, decoded and resized exactly as for training.

    Args:
        paths: picture files, in any format that `images.read` takes.
        image_size: height and width of the result.
        batch_size: pictures a batch; the last one may be smaller.
        reports: what `cleaning.inspect_files` said of the files, where you have asked it already.

    Returns:
        `tf.data.Dataset` of float32 `(batch, image_size, image_size, 3)` in 0..255, in the order of `paths`.

    Raises:
        ValueError: if a file is not a readable picture; the message names the first.
    """
    files = [Path(path) for path in paths]
    reports = cleaning.inspect_files(files) if reports is None else reports
    for path, report in zip(files, reports, strict=True):
        if report.problem:
            raise ValueError(f"Received '{path}': {report.problem}. Expected a picture; leave this file out.")
    pictures = tf.data.Dataset.from_tensor_slices(
        ([os.fsencode(path) for path in files], [report.plain for report in reports])
    )
    resized = pictures.map(
        lambda path, plain: _resize(read_picture(path, plain), image_size),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return resized.batch(batch_size).map(lambda p: tf.cast(p, tf.float32)).prefetch(tf.data.AUTOTUNE)


def _resize(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    """Stretch to a square, averaging where it shrinks; uint8, which takes a quarter of float's memory."""
    resized = tf.image.resize(picture, (image_size, image_size), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)


def pictures_at(split: tf.data.Dataset, positions: Sequence[int]) -> list[np.ndarray]:
    """Return the pictures at some positions of a split, in the order of `positions`.

    Args:
        split: `(picture, label)`, as in an `ImageDataset`.
        positions: 0 is the first.

    Returns:
        uint8 `(height, width, 3)` arrays.

    Raises:
        ValueError: if the split has no such position.

    Example:
        >>> split = tf.data.Dataset.from_tensor_slices((tf.reshape(tf.range(3), (3, 1, 1, 1)), [0, 1, 0]))
        >>> [int(picture.item()) for picture in pictures_at(split, [2, 0])]
        [2, 0]
    """
    wanted = tf.constant(np.asarray(positions, dtype=np.int64))
    found = split.enumerate().filter(lambda index, _: tf.reduce_any(index == wanted))
    pictures = {int(index): picture for index, (picture, _) in found.as_numpy_iterator()}
    missing = [int(position) for position in positions if int(position) not in pictures]
    if missing:
        raise ValueError(f"Received positions {missing}, expected those of pictures in the split. 0 is the first.")
    return [pictures[int(position)] for position in positions]
