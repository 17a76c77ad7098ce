"""Small grey pictures as rows of a CSV file, one picture a line, and back. Neither way holds the file in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers import images
from helpers.datasets._writing import written_beside

_NUMBERS = [str(value).encode() for value in range(256)]
_DIGITS_AND_COMMAS = b"0123456789,"


def write_csv(split: tf.data.Dataset, path: str | Path, *, image_size: int = 70) -> Path:
    """Write pictures as grey squares, one a row: `label,p0,p1,...`, the pixels row by row.

    Args:
        split: `(uint8 (height, width, 3), label)`, as in an `ImageDataset`.
        path: the file to write; what is there is replaced when the new one is complete.
        image_size: height and width; pictures are stretched to it, then turned grey by luminosity.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> split = tf.data.Dataset.from_tensors((np.full((4, 4, 3), 7, np.uint8), np.int64(1)))
        >>> print(write_csv(split, Path(tempfile.mkdtemp()) / "a.csv", image_size=2).read_text())
        label,p0,p1,p2,p3
        1,7,7,7,7
    """
    path = Path(path).expanduser()
    with written_beside(path) as draft, draft.open("wb") as file:
        file.write(_header(image_size) + b"\n")
        for picture, label in split.as_numpy_iterator():
            grey = images.to_grey_luminosity(images.resize(picture, image_size))
            file.write(b"%d,%b\n" % (label, b",".join([_NUMBERS[value] for value in grey.tobytes()])))
    return path


def read_csv(path: str | Path, *, image_size: int = 70) -> tf.data.Dataset:
    """Read what `write_csv` wrote, every row checked before the first picture is given out.

    Args:
        path: the file.
        image_size: height and width of its pictures.

    Returns:
        `tf.data.Dataset` of `(uint8 (image_size, image_size), int64 label)` of known length, in the file's order.

    Raises:
        ValueError: if the file is not such a table; the message names the first bad line.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.csv"
        >>> split = tf.data.Dataset.from_tensors((np.full((4, 4, 3), 7, np.uint8), np.int64(1)))
        >>> _ = write_csv(split, path, image_size=2)
        >>> [(picture.tolist(), int(label)) for picture, label in read_csv(path, image_size=2).as_numpy_iterator()]
        [([[7, 7], [7, 7]], 1)]
    """
    path = Path(path).expanduser()
    count = sum(1 for _ in _rows(path, image_size))
    signature = (tf.TensorSpec((image_size, image_size), tf.uint8), tf.TensorSpec((), tf.int64))
    pictures = tf.data.Dataset.from_generator(lambda: _rows(path, image_size), output_signature=signature)
    return pictures.apply(tf.data.experimental.assert_cardinality(count))


def _header(image_size: int) -> bytes:
    return b",".join([b"label", *(b"p%d" % i for i in range(image_size**2))])


def _rows(path: Path, image_size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Give the pictures and labels of a file, or a `ValueError` that names the line."""
    header = _header(image_size)
    with path.open("rb") as file:
        # No proper line is longer, so a file without line ends cannot fill the memory.
        longest = max(len(header), 20 + 4 * image_size**2) + 2
        if file.readline(longest).rstrip(b"\r\n") != header:
            raise ValueError(
                f"{path}, line 1: not the header of {image_size} x {image_size} pictures, expected "
                f"'label,p0,...,p{image_size**2 - 1}'. Set image_size to the size the file was written with."
            )
        for number, line in enumerate(iter(lambda: file.readline(longest), b""), start=2):
            # A line without an end was cut off, perhaps within its last number.
            values = _parse(line.rstrip(b"\r\n") if line.endswith(b"\n") else b"")
            if values.size != 1 + image_size**2 or (values[1:] > 255).any():
                raise ValueError(
                    f"{path}, line {number}: not a picture, expected a label and {image_size**2} whole numbers from "
                    "0 to 255. Write the file anew with write_csv."
                )
            yield values[1:].astype(np.uint8).reshape(image_size, image_size), int(values[0])


def _parse(line: bytes) -> np.ndarray:
    """Return the numbers of a line as int64; none if it has anything else in it."""
    if line and not line.translate(None, _DIGITS_AND_COMMAS):
        try:
            return np.loadtxt([line.decode()], dtype=np.int64, delimiter=",", ndmin=1)
        except ValueError:  # nothing between two commas, or a number of more than 64 bits
            pass
    return np.array([], dtype=np.int64)
