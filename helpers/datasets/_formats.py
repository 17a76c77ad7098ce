"""Pictures in one large file instead of thousands of small ones: rows of a CSV file, or TFRecord shards."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers import images
from helpers.datasets._batches import decode
from helpers.files import written_beside

NUMBERS = [str(value).encode() for value in range(256)]
DIGITS = b"0123456789"
BOM = b"\xef\xbb\xbf"  # byte-order mark
SHARD_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.tfrecord")
FEATURES = {"picture": tf.io.FixedLenFeature((), tf.string), "label": tf.io.FixedLenFeature((), tf.int64)}
CLASS_NAMES = "class_names.json"
BYTES_AROUND_RECORD = 16  # its length, and the checksums of both
# How JPEG and PNG files begin and end.
JPEG_ENDS = (b"\xff\xd8", b"\xff\xd9")
PNG_ENDS = (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")


# --- CSV ---------------------------------------------------------------------------------------------------------


def write_csv(split: tf.data.Dataset, path: str | Path, *, image_size: int = 70) -> Path:
    """Write pictures as grey squares, one per row: `label,p0,p1,...`, the pixels row by row.

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
            file.write(b"%d,%b\n" % (label, b",".join([NUMBERS[value] for value in grey.tobytes()])))
    return path


def read_csv(path: str | Path, *, image_size: int = 70) -> tf.data.Dataset:
    """Read what `write_csv` wrote, or Excel saved of it, every row checked before the first picture is given out.

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
        longest = max(len(header), 20 + 4 * image_size**2) + 2 + len(BOM)
        first = file.readline(longest).rstrip(b"\r\n").removeprefix(BOM)
        # Excel puts a mark before the first name, and semicolons where numbers are written with a comma.
        separator = b";" if b";" in first else b","
        if first != header.replace(b",", separator):
            raise ValueError(
                f"Received '{path}', whose line 1 is not the header of {image_size} x {image_size} pictures, expected "
                f"'label,p0,...,p{image_size**2 - 1}'. Set image_size to the size the file was written with."
            )
        for number, line in enumerate(iter(lambda: file.readline(longest), b""), start=2):
            # A line without an end was cut off, perhaps within its last number.
            values = _parse_line(line.rstrip(b"\r\n") if line.endswith(b"\n") else b"", separator)
            if values.size != 1 + image_size**2 or (values[1:] > 255).any():
                raise ValueError(
                    f"Received '{path}', whose line {number} is not a picture, expected a label and {image_size**2} "
                    "whole numbers from 0 to 255. Write the file anew with write_csv."
                )
            yield values[1:].astype(np.uint8).reshape(image_size, image_size), int(values[0])


def _parse_line(line: bytes, separator: bytes) -> np.ndarray:
    """Return the numbers of a line as int64; none if it has anything else in it."""
    if line and not line.translate(None, DIGITS + separator):
        try:
            return np.loadtxt([line.decode()], dtype=np.int64, delimiter=separator.decode(), ndmin=1)
        except ValueError:  # nothing between two commas, or a number of more than 64 bits
            pass
    return np.array([], dtype=np.int64)


# --- TFRecord ----------------------------------------------------------------------------------------------------


def write_tfrecords(
    split: tf.data.Dataset,
    folder: str | Path,
    *,
    shards: int = 4,
    name: str = "train",
    quality: int | None = None,
    class_names: Sequence[str] = (),
) -> list[Path]:
    """Write pictures and labels into a few files, encoded.

    The pictures are stored as PNG, which gives back every pixel: to store must not be to change. JPEG takes a
    fifth of the space and is decoded faster; ask for it by its quality where small changes do no harm.

    Args:
        split: `(uint8 (height, width, 3), label)`, as in an `ImageDataset`.
        folder: where the files go; there may be other splits in it.
        shards: number of files, such as `train-00000-of-00004.tfrecord`. The pictures are dealt out in turn.
        name: what the files' names begin with.
        quality: None for PNG, 1 to 100 for JPEG.
        class_names: kept beside as `class_names.json`, where given.

    Returns:
        The files.

    Raises:
        ValueError: if there are such files already, or other class names, or the number or quality makes no sense.

    Example:
        >>> import tempfile
        >>> split = tf.data.Dataset.from_tensors((tf.zeros((4, 4, 3), tf.uint8), tf.constant(1, tf.int64)))
        >>> [path.name for path in write_tfrecords(split, tempfile.mkdtemp(), shards=1)]
        ['train-00000-of-00001.tfrecord']
    """
    folder = Path(folder).expanduser()
    _require_options(shards=shards, name=name, quality=quality)
    present = sorted(path.name for path in folder.glob("*.tfrecord") if _shard_of(path)[0] == name)
    if present:
        raise ValueError(f"Received '{folder}' with '{present[0]}', expected none of it. Take another folder or name.")
    _require_same_classes(folder / CLASS_NAMES, class_names)
    files = [folder / f"{name}-{i:05}-of-{shards:05}.tfrecord" for i in range(shards)]
    with ExitStack() as stack:
        drafts = [stack.enter_context(written_beside(file)) for file in files]
        with ExitStack() as open_files:
            writers = [open_files.enter_context(tf.io.TFRecordWriter(str(draft))) for draft in drafts]
            for number, (picture, label) in enumerate(split):
                writers[number % shards].write(_example(picture, int(label), quality))
    if class_names:
        with written_beside(folder / CLASS_NAMES) as draft:
            # backslashreplace: a class may be named after a folder whose name is not Unicode.
            text = json.dumps(list(class_names), ensure_ascii=False) + "\n"
            draft.write_text(text, encoding="utf-8", errors="backslashreplace")
    return files


def _require_same_classes(file: Path, class_names: Sequence[str]) -> None:
    """Refuse to give the labels of the splits that are there already other names."""
    present = json.loads(file.read_text(encoding="utf-8")) if file.exists() else list(class_names)
    if class_names and present != list(class_names):
        raise ValueError(
            f"Received class_names={list(class_names)}, expected {present} as in '{file}'. Take another folder."
        )


def _require_options(*, shards: int, name: str, quality: int | None) -> None:
    if not 1 <= shards <= 99_999:
        raise ValueError(f"Received shards={shards}, expected 1 to 99,999. Four are plenty for thousands of pictures.")
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"Received quality={quality}, expected 1 to 100, or None for PNG. 95 looks like PNG.")
    if not name or Path(name).name != name:
        raise ValueError(f"Received name={name!r}, expected the beginning of a file name. Give one like 'train'.")


def _example(picture: tf.Tensor, label: int, quality: int | None) -> bytes:
    if quality is None:
        content = tf.io.encode_png(picture)
    else:
        content = tf.io.encode_jpeg(picture, quality=quality, chroma_downsampling=False)
    features = {
        "picture": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content.numpy()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def read_tfrecords(files: Sequence[str | Path]) -> tf.data.Dataset:
    """Read what `write_tfrecords` wrote, all of it checked before the first picture is given out.

    Args:
        files: all shards of a split, as from `sorted(folder.glob("train-*.tfrecord"))`.

    Returns:
        `tf.data.Dataset` of `(uint8 (height, width, 3), int64 label)` of known length, in the order of writing.

    Raises:
        ValueError: if a shard is missing, damaged, or holds anything but whole pictures with labels; the message
            names the file and the record.
        FileNotFoundError: if one of these files is not there.

    Example:
        >>> import tempfile
        >>> split = tf.data.Dataset.range(5).map(lambda i: (tf.fill((2, 2, 3), tf.cast(i, tf.uint8)), i))
        >>> files = write_tfrecords(split, tempfile.mkdtemp(), shards=2)
        >>> [int(label) for picture, label in read_tfrecords(files)]
        [0, 1, 2, 3, 4]
    """
    files = _require_all_shards([Path(file).expanduser() for file in files])
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file}: there is no such file. Check the path, or write it with write_tfrecords.")
    counts = [_count_records(file) for file in files]
    dealt = [len(range(i, sum(counts), len(files))) for i in range(len(files))]
    if counts != dealt:
        raise ValueError(
            f"Received shards of {counts} records, expected {dealt}: one of them lost its end. "
            "Write the files anew with write_tfrecords."
        )
    names = tf.data.Dataset.from_tensor_slices([str(file) for file in files])
    records = names.interleave(tf.data.TFRecordDataset, cycle_length=len(files), block_length=1)
    pictures = records.map(_parse_example, num_parallel_calls=tf.data.AUTOTUNE)
    return pictures.apply(tf.data.experimental.assert_cardinality(sum(counts)))


def _parse_example(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    example = tf.io.parse_single_example(record, FEATURES)
    return tf.ensure_shape(decode(example["picture"]), (None, None, 3)), example["label"]


def _shard_of(path: Path) -> tuple[str, int, int]:
    """Return name, number and count of a shard, or ("", 0, 0) if the file is not named like one."""
    found = SHARD_NAME.fullmatch(path.name)
    return (found[1], int(found[2]), int(found[3])) if found else ("", 0, 0)


def _require_all_shards(files: Sequence[Path]) -> list[Path]:
    """Return the shards by number, or say which one is missing: a part of the data must not pass for all of it."""
    shards = {file: _shard_of(file) for file in files}
    kinds = {(file.parent, name, count) for file, (name, _, count) in shards.items()}
    if len(kinds) != 1 or "" in {name for name, _, _ in shards.values()}:
        raise ValueError(
            f"Received {[file.name for file in files][:5]}, expected the shards of one split, such as "
            "'train-00000-of-00004.tfrecord' to 'train-00003-of-00004.tfrecord'. List them with "
            "sorted(folder.glob('train-*.tfrecord'))."
        )
    ((_, name, count),) = kinds
    missing = sorted(set(range(count)) - {number for _, number, _ in shards.values()})
    if missing or len(files) != count:
        raise ValueError(
            f"Received {len(files)} shards of '{name}', expected {count}, each once"
            + (f"; '{name}-{missing[0]:05}-of-{count:05}.tfrecord' is not among them" if missing else "")
            + ". Give all of them, or write them anew."
        )
    return sorted(files, key=lambda file: shards[file][1])


def _count_records(file: Path) -> int:
    """Return the number of records, all of them whole: checksums, features, and both ends of every picture."""
    count, size = 0, 0
    try:
        records = tf.data.TFRecordDataset(str(file)).map(lambda record: (_is_whole(record), tf.strings.length(record)))
        for whole, length in records.as_numpy_iterator():
            if not whole:
                raise _make_damaged_error(file, count, "not a whole JPEG or PNG picture")
            count, size = count + 1, size + BYTES_AROUND_RECORD + length
    except tf.errors.OpError as error:
        raise _make_damaged_error(file, count, type(error).__name__) from error
    if size != file.stat().st_size:  # TensorFlow takes a cut in the length of a record for the end
        raise _make_damaged_error(file, count, "cut off")
    return count


def _is_whole(record: tf.Tensor) -> tf.Tensor:
    picture = tf.io.parse_single_example(record, FEATURES)["picture"]

    def runs(first: bytes, last: bytes) -> tf.Tensor:
        begins = tf.strings.substr(picture, 0, len(first)) == first
        return begins & (tf.strings.substr(picture, -len(last), len(last)) == last)

    return runs(*JPEG_ENDS) | runs(*PNG_ENDS)


def _make_damaged_error(file: Path, record: int, reason: str) -> ValueError:
    return ValueError(f"{file}, record {record}: damaged ({reason}). Write the files anew with write_tfrecords.")
