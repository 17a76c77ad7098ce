"""From a split, or from files, to batches of pictures of one size."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers import cleaning, images

# A split that fits is decoded once and kept in memory, resized. A larger one is decoded anew every epoch, and shuffled
# within a window, which needs no more memory: a split is in random order already. So memory does not grow with the
# number of pictures.
CACHE_BYTES = 320 * 2**20  # 4,300 pictures of 160 pixels, 2,200 of 224
WINDOW_BYTES = 80 * 2**20


def batches(
    split: tf.data.Dataset,
    *,
    image_size: int,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
    augment: Callable[[tf.Tensor], tf.Tensor] | None = None,
    cache: bool = True,
) -> tf.data.Dataset:
    """Turn a split into batches of pictures of one size, decoded once if 320 MiB are enough to keep them.

    Order of work: decode and resize in parallel, cache, shuffle, batch, augment, prefetch. Caching comes before
    shuffling and augmenting, so that every epoch is different; the cache is filled by the first full pass.

    Args:
        split: `(uint8 (height, width, 3), label)`, as in an `ImageDataset`.
        image_size: height and width of the result; pictures are stretched to it.
        batch_size: pictures per batch; the last one may be smaller.
        shuffle: a new order every epoch; for training only.
        seed: of the order.
        augment: changes a batch of float pictures; for training only.
        cache: False for a single pass, which has no use for pictures kept in memory.

    Returns:
        `tf.data.Dataset` of `(float32 (batch, image_size, image_size, 3) in 0..255, int64 (batch,))`.

    Example:
        >>> split = tf.data.Dataset.from_tensors((tf.zeros((20, 30, 3), tf.uint8), tf.constant(1, tf.int64)))
        >>> [pictures.shape for pictures, labels in batches(split, image_size=8)]
        [TensorShape([1, 8, 8, 3])]
    """
    stored, decode_stored = stored_pictures(split)

    def decode_and_resize(*example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        picture, label = decode_stored(*example)
        return resize(picture, image_size), label

    resized = stored.map(decode_and_resize, num_parallel_calls=tf.data.AUTOTUNE)
    picture_bytes = 3 * image_size**2
    fits = 0 <= int(split.cardinality()) * picture_bytes <= CACHE_BYTES
    if fits and cache:
        resized = resized.cache()
    if shuffle:
        window = int(split.cardinality()) if fits else WINDOW_BYTES // picture_bytes
        resized = resized.shuffle(max(1, window), seed=seed)
    batched = resized.batch(batch_size).map(
        lambda pictures, labels: (tf.cast(pictures, tf.float32), labels), num_parallel_calls=tf.data.AUTOTUNE
    )
    if augment is not None:
        batched = batched.map(lambda pictures, labels: (augment(pictures), labels), num_parallel_calls=tf.data.AUTOTUNE)
    return batched.prefetch(tf.data.AUTOTUNE).with_options(_without_autotune())


def to_arrays(split: tf.data.Dataset, *, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a split as one array of pictures of one size, and one of labels: for what memory can hold.

    Args:
        split: `(uint8 (height, width, 3), label)`, as in an `ImageDataset`.
        image_size: height and width of the result; pictures are stretched to it.

    Returns:
        uint8 `(pictures, image_size, image_size, 3)` and int64 `(pictures,)`, in the order of the split.

    Example:
        >>> split = tf.data.Dataset.from_tensors((tf.zeros((20, 30, 3), tf.uint8), tf.constant(1, tf.int64)))
        >>> [array.shape for array in to_arrays(split, image_size=8)]
        [(1, 8, 8, 3), (1,)]
    """
    pairs = list(batches(split, image_size=image_size, cache=False).as_numpy_iterator())
    return np.concatenate([pictures.astype(np.uint8) for pictures, _ in pairs]), np.concatenate([y for _, y in pairs])


def endless_batches(
    pictures: np.ndarray, labels: np.ndarray, *, batch_size: int = 32, seed: int = 0
) -> tf.data.Dataset:
    """Turn arrays into batches without end, in a new order each time round: for `fit` with `steps_per_epoch`.

    Args:
        pictures: `(pictures, ...)`.
        labels: `(pictures,)`, in the same order.
        batch_size: pictures per batch, also where one round ends and the next begins.
        seed: of the order. Two calls with one seed give the same batches. Begin only once with what one call gives:
            how a second time begins depends on what was fetched ahead in the first.

    Example:
        >>> few = endless_batches(np.zeros((3, 8, 8, 1)), np.arange(3), batch_size=2)
        >>> sorted(label for _, labels in few.take(3) for label in labels.numpy().tolist())
        [0, 0, 1, 1, 2, 2]
    """
    pairs = tf.data.Dataset.from_tensor_slices((pictures, labels)).shuffle(len(labels), seed=seed)
    return pairs.repeat().batch(batch_size).prefetch(2).with_options(_without_autotune())


def _without_autotune() -> tf.data.Options:
    """Let the numbers of parallel calls be as at the start: their tuner now and then delays the end of a training.

    When an iterator goes before its data ends, as with `steps_per_epoch`, TensorFlow 2.21 at times waits until the
    tuner wakes up next, which sleeps for 10 ms at first and twice as long each time: up to as long as the training
    took.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def batches_from_files(
    paths: Sequence[str | Path],
    *,
    image_size: int,
    batch_size: int = 32,
    reports: Sequence[cleaning.Inspection] | None = None,
) -> tf.data.Dataset:
    """Turn files into batches, decoded and resized exactly as for training.

    Args:
        paths: picture files, in any format that `images.read` takes.
        image_size: height and width of the result.
        batch_size: pictures per batch; the last one may be smaller.
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
            raise ValueError(f"Received '{path}': {report.problem}. Expected a picture. Leave this file out.")
    split = decode_files(files, plain=[report.plain for report in reports], labels=[0] * len(files))
    labelled = batches(split, image_size=image_size, batch_size=batch_size, cache=False)
    return labelled.map(lambda pictures, _: pictures)


def pictures_at(split: tf.data.Dataset, positions: Sequence[int]) -> list[np.ndarray]:
    """Return the pictures at some positions of a split, in the order of `positions`.

    Of a split that `load` made, only these are decoded.

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
    stored, decode_stored = stored_pictures(split)
    picked = stored.enumerate().filter(lambda position, _: tf.reduce_any(position == wanted))
    decoded = picked.map(lambda position, example: (position, decode_stored(*example)[0]))
    found = {int(position): picture for position, picture in decoded.as_numpy_iterator()}
    missing = [int(position) for position in positions if int(position) not in found]
    if missing:
        raise ValueError(f"Received positions {missing}, expected those of pictures in the split. 0 is the first.")
    return [found[int(position)] for position in positions]


def resize(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    """Stretch to a square, without passing over a pixel of a larger picture.

    Bilinear interpolation looks at two pixels in each direction, which is enough for a picture of up to twice the
    size. A larger one is averaged first, over the fewest whole pixels. Half the time of `antialias=True`, and as good
    for a network. uint8 in and out: in a cache, it takes a quarter of float's memory.
    """
    size = (image_size, image_size)
    shape = tf.shape(picture)[:2]

    def average_first() -> tf.Tensor:
        step = -(-shape // (2 * image_size))  # rounded up
        return tf.image.resize(tf.image.resize(picture, shape // step, method="area"), size)

    is_large = tf.reduce_max(shape) > 2 * image_size
    resized = tf.cond(is_large, average_first, lambda: tf.image.resize(picture, size))  # (h, w, 3) -> (s, s, 3)
    return tf.ensure_shape(tf.cast(resized + 0.5, tf.uint8), (*size, 3))


# --- Decoding ----------------------------------------------------------------------------------------------------


def decode_later(stored: tf.data.Dataset, decode_stored: Callable[..., tuple[tf.Tensor, tf.Tensor]]) -> tf.data.Dataset:
    """Return the `(picture, label)` split of stored examples, which stay within reach of `stored_pictures`."""
    split = stored.map(decode_stored, num_parallel_calls=tf.data.AUTOTUNE)
    split.stored, split.decode_stored = stored, decode_stored
    return split


def stored_pictures(split: tf.data.Dataset) -> tuple[tf.data.Dataset, Callable[..., tuple[tf.Tensor, tf.Tensor]]]:
    """Return examples and what makes `(picture, label)` of one; of a split that is not of `load`, the pictures.

    Decoding and resizing in one step takes a quarter less time than in two.
    """
    return getattr(split, "stored", split), getattr(split, "decode_stored", lambda picture, label: (picture, label))


def decode_files(files: Sequence[Path], *, plain: Sequence[bool], labels: Sequence[int]) -> tf.data.Dataset:
    """Return `(picture, label)` of files, decoded in TensorFlow where they are plain, else as `images.read` does."""
    paths = [os.fsencode(file) for file in files]  # a name need not be UTF-8
    stored = tf.data.Dataset.from_tensor_slices((paths, list(plain), np.array(labels, dtype=np.int64)))
    read = _read_plain if all(plain) else _read  # to choose for each picture costs a fifth of decoding it
    return decode_later(stored, lambda path, flag, label: (read(path, flag), label))


def _read_plain(path: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    return decode(tf.io.read_file(path))


def _read(path: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
    picture = tf.cond(
        plain,
        lambda: decode(tf.io.read_file(path)),
        lambda: tf.numpy_function(lambda name: images.read(os.fsdecode(name)), [path], tf.uint8),
    )
    return tf.ensure_shape(picture, (None, None, 3))


def decode_content(content: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
    """Do what `decode_files` does, for a file's content."""
    picture = tf.cond(
        plain,
        lambda: decode(content),
        lambda: tf.numpy_function(lambda file: images.decode(file).pixels, [content], tf.uint8),
    )
    return tf.ensure_shape(picture, (None, None, 3))


def decode(content: tf.Tensor) -> tf.Tensor:
    """Decode JPEG or PNG bytes to uint8 `(height, width, 3)`, to the same values as Pillow."""
    # In spite of its name, it decodes PNG as well; decode_image would take JPEG's fast and inexact transform.
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
