"""Bytes of a file to pixels inside a TensorFlow pipeline, to the same values as `images.read`."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers import images
from helpers.datasets._splits import Record


def decode_files(records: Sequence[Record], files: Sequence[Path], plain: Sequence[bool]) -> tf.data.Dataset:
    paths = [os.fsencode(files[record.position]) for record in records]  # a name need not be UTF-8
    flags = [plain[record.position] for record in records]
    labels = np.array([record.label for record in records], dtype=np.int64)
    pictures = tf.data.Dataset.from_tensor_slices((paths, flags, labels))
    return pictures.map(
        lambda path, flag, label: (read_picture(path, flag), label), num_parallel_calls=tf.data.AUTOTUNE
    )


def read_picture(path: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
    """Decode a file in TensorFlow if it is plain, and as `images.read` does if it is turned, CMYK, transparent, ..."""
    picture = tf.cond(
        plain,
        lambda: decode(tf.io.read_file(path)),
        lambda: tf.numpy_function(lambda p: images.read(Path(os.fsdecode(p))), [path], tf.uint8),
    )
    return tf.ensure_shape(picture, (None, None, 3))


def decode_content(content: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
    """Do what `read_picture` does, for a file's content."""
    picture = tf.cond(plain, lambda: decode(content), lambda: tf.numpy_function(_read_content, [content], tf.uint8))
    return tf.ensure_shape(picture, (None, None, 3))


def _read_content(content: bytes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "picture")
        file.write_bytes(content)
        return images.read(file)


def decode(content: tf.Tensor) -> tf.Tensor:
    """Decode JPEG or PNG bytes to uint8 (height, width, 3), to the same values as Pillow."""
    is_jpeg = tf.io.is_jpeg(content)
    return tf.cond(
        is_jpeg,
        lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
    )
