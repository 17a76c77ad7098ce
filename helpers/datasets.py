"""The one door to data: a name or a folder in, three disjoint splits out.

    data = load("synthetic_pets")            # drawn on your machine, no download
    data = load("cats_vs_dogs")              # any TensorFlow Datasets name
    data = load("my_photos")                 # a folder with one sub-folder a class

Whatever the source, a split is a `tf.data.Dataset` of `(picture, label)`, and no picture stands in two splits.
"""

import contextlib
import difflib
import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests
import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import cleaning, images

SPLITS = ("train", "validation", "test")
SPLIT_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "valid": "validation"} | {
    "test": "test"
}
# Where the pictures of a missing split come from: the split to share with, first choice first.
TAKEN_FROM = {"train": (), "validation": ("train",), "test": ("validation", "train")}
MEMORY_FOR_CACHE = 512 * 2**20  # bytes; larger data is decoded anew every epoch, so memory does not grow with it
SECONDS_TO_CONNECT = 10
SHUFFLE_BUFFER = 2_048  # resized pictures; enough, because a split is stored in random order already


class _Record(NamedTuple):
    """One picture before it is decoded: where it is, what it shows, and the hash of its content."""

    position: int  # in the list of files, or in the TFDS split
    label: int
    digest: str


@dataclass(frozen=True)
class ImageDataset:
    """Pictures in three disjoint splits.

    Attributes:
        name: the data set's or the folder's name.
        train: `tf.data.Dataset` of `(uint8 (height, width, 3), int64 label)`; the pictures differ in size.
        validation: the same.
        test: the same.
        class_names: `class_names[label]` is the label's name.
        labels: by split, int64 `(pictures,)` in the order of the pictures.
        fingerprint: 64 hexadecimal digits that change with any picture, label or split.
        set_aside: `(file, reason)` of each file that was not used.
    """

    name: str
    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    class_names: tuple[str, ...]
    labels: Mapping[str, np.ndarray]
    fingerprint: str
    set_aside: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Pictures a split."""
        return {split: len(labels) for split, labels in self.labels.items()}


def data_folder() -> Path:
    """Return the folder for everything generated or downloaded: `COURSE_DATA`, or `data/` of the project.

    Example:
        >>> data_folder().is_absolute()
        True
    """
    return Path(os.environ.get("COURSE_DATA") or Path(__file__).parents[1] / "data").resolve()


def load(
    source: str | Path = "synthetic_pets",
    *,
    num_train: int = 2000,
    num_validation: int = 1000,
    num_test: int = 1000,
    seed: int = 0,
) -> ImageDataset:
    """Load pictures by name or from a folder and split them.

    A split that the source does not have is taken from one it has: `test` from `validation`, both from `train`.
    The choice depends on the pictures' contents and the seed alone, keeps the classes' shares, and takes the test
    pictures first: another `num_train` leaves the test split as it is.

    Args:
        source: `"synthetic_pets"`, any image-classification name of TensorFlow Datasets such as `"cats_vs_dogs"`,
            or a folder with one sub-folder a class (also below `train`, `validation` and `test`).
        num_train: at most so many pictures; with fewer at hand the three numbers shrink in proportion.
        num_validation: the same.
        num_test: the same.
        seed: which pictures are chosen.

    Returns:
        An `ImageDataset`.

    Raises:
        ValueError: if the source is neither a folder of pictures nor a known name, or has fewer than two classes.
        ConnectionError: if a data set has to be downloaded and cannot be.

    Example:
        >>> data = load("synthetic_pets/tiny", num_train=40, num_validation=10, num_test=10)
        >>> data.class_names, data.counts["train"]
        (('cat', 'dog'), 40)
    """
    wanted = {"train": num_train, "validation": num_validation, "test": num_test}
    for name, count in wanted.items():
        if count < 1:
            raise ValueError(f"Received num_{name}={count}, expected 1 or more. Ask for at least one picture.")
    if Path(source).expanduser().is_dir():
        return _load_folder(Path(source).expanduser(), wanted=wanted, seed=seed)
    return _load_tfds(str(source), wanted=wanted, seed=seed)


# --- choosing pictures -------------------------------------------------------------------------------------------


def _split_records(
    pools: Mapping[str, Sequence[_Record]], *, wanted: Mapping[str, int], seed: int
) -> dict[str, tuple[str, list[_Record]]]:
    """Return, for each split, the pool its records come from and the records, in a fixed random order."""
    pool_of = {split: next((p for p in (split, *TAKEN_FROM[split]) if pools.get(p)), None) for split in SPLITS}
    missing = [split for split, pool in pool_of.items() if pool is None]
    if missing:
        raise ValueError(
            f"Received pictures for {sorted(pools)} but none for {missing}, expected at least `train`. "
            "Put the training pictures into `train`, one sub-folder a class."
        )
    chosen: dict[str, tuple[str, list[_Record]]] = {}
    for pool in dict.fromkeys(pool_of.values()):
        ordered = _stratified_order(pools[pool], seed=seed)
        splits = [split for split in ("test", "validation", "train") if pool_of[split] == pool]
        asked = sum(wanted[split] for split in splits)
        start = 0
        for split in splits:
            count = min(wanted[split], wanted[split] * len(ordered) // asked)
            chosen[split] = (pool, ordered[start : start + count])
            start += count
    empty = [split for split in SPLITS if not chosen[split][1]]
    if empty:
        raise ValueError(f"Received {sum(map(len, pools.values()))} pictures, too few to fill {empty}. Add pictures.")
    return chosen


def _stratified_order(records: Sequence[_Record], *, seed: int) -> list[_Record]:
    """Order records at random, by content, such that every stretch of the list has the classes' shares."""
    shuffled = sorted(records, key=lambda r: hashlib.sha256(f"{seed}:{r.digest}".encode()).digest())
    totals, seen = Counter(r.label for r in records), Counter()
    places = []
    for record in shuffled:
        # The k-th of n pictures of its class goes to (k + 1/2) / n of the list.
        places.append((seen[record.label] + 0.5) / totals[record.label])
        seen[record.label] += 1
    order = sorted(range(len(shuffled)), key=lambda i: (places[i], shuffled[i].digest))
    return [shuffled[i] for i in order]


def _labels(splits: Mapping[str, Sequence[_Record]]) -> dict[str, np.ndarray]:
    return {split: np.array([record.label for record in splits[split]], dtype=np.int64) for split in SPLITS}


def _fingerprint(splits: Mapping[str, Iterable[_Record]]) -> str:
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(split.encode())
        for record in splits[split]:
            digest.update(f"{record.digest}:{record.label};".encode())
    return digest.hexdigest()


# --- folders -----------------------------------------------------------------------------------------------------


def _load_folder(folder: Path, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    roots = _split_folders(folder)
    class_names = _class_names(folder, roots)
    paths = [
        (split, class_names.index(name), path)
        for split, root in roots.items()
        for name in class_names
        for path in images.find_files(root / name)
    ]
    reports = cleaning.inspect_files([path for _, _, path in paths])
    usable, set_aside = _set_aside(paths, reports)
    pools: dict[str, list[_Record]] = {}
    for position in usable:
        split, label, _ = paths[position]
        pools.setdefault(split, []).append(_Record(position, label, reports[position].digest))
    chosen = {split: records for split, (_, records) in _split_records(pools, wanted=wanted, seed=seed).items()}
    files = [path for _, _, path in paths]
    plain = [report.plain for report in reports]
    return ImageDataset(
        name=folder.resolve().name,
        **{split: _decode_files(records, files, plain) for split, records in chosen.items()},
        class_names=class_names,
        labels=_labels(chosen),
        fingerprint=_fingerprint(chosen),
        set_aside=tuple((str(files[i].relative_to(folder)), reason) for i, reason in set_aside),
    )


def _split_folders(folder: Path) -> dict[str, Path]:
    """Return the folders of `train`, `validation`, `test` that are there, or the folder itself as `train`."""
    found = {SPLIT_FOLDERS[p.name]: p for p in sorted(folder.iterdir()) if p.is_dir() and p.name in SPLIT_FOLDERS}
    return found if "train" in found else {"train": folder}


def _class_names(folder: Path, roots: Mapping[str, Path]) -> tuple[str, ...]:
    named = {
        split: sorted(
            p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".") and images.find_files(p)
        )
        for split, root in roots.items()
    }
    names = named["train"]
    if len(names) < 2:
        raise ValueError(
            f"Received '{folder}' with {len(names)} class folder(s) of pictures {names}, expected two or more. "
            "Make one sub-folder a class and put its pictures in it."
        )
    for split, others in named.items():
        strangers = sorted(set(others) - set(names))
        if strangers:
            raise ValueError(
                f"Received classes {strangers} in '{split}' that 'train' does not have, expected {names}. "
                "Use the same class folders in every split."
            )
    return tuple(names)


def _set_aside(
    paths: Sequence[tuple[str, int, Path]], reports: Sequence[cleaning.FileReport]
) -> tuple[list[int], list[tuple[int, str]]]:
    """Part usable pictures from damaged ones and copies; a copy stays where it is tested, not where it is learned."""
    labels_of: dict[str, set[int]] = {}
    for (_, label, _), report in zip(paths, reports, strict=True):
        labels_of.setdefault(report.digest, set()).add(label)
    kept: dict[str, int] = {}
    usable, set_aside = [], []
    by_use = sorted(range(len(paths)), key=lambda i: -SPLITS.index(paths[i][0]))  # test, validation, train
    for i in by_use:
        report = reports[i]
        if report.problem:
            set_aside.append((i, report.problem))
        elif len(labels_of[report.digest]) > 1:
            set_aside.append((i, "the same picture stands under two classes"))
        elif report.digest in kept:
            first = paths[kept[report.digest]][2]
            set_aside.append((i, f"a copy of {first.parent.name}/{first.name}"))
        else:
            kept[report.digest] = i
            usable.append(i)
    return sorted(usable), sorted(set_aside)


def _decode_files(records: Sequence[_Record], files: Sequence[Path], plain: Sequence[bool]) -> tf.data.Dataset:
    paths = [str(files[record.position]) for record in records]
    flags = [plain[record.position] for record in records]
    labels = np.array([record.label for record in records], dtype=np.int64)
    pictures = tf.data.Dataset.from_tensor_slices((paths, flags, labels))
    return pictures.map(
        lambda path, flag, label: (_read_picture(path, flag), label), num_parallel_calls=tf.data.AUTOTUNE
    )


def _read_picture(path: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
    """Decode a file in TensorFlow if it is plain, and as `images.read` does if it is turned, CMYK, transparent, ..."""
    picture = tf.cond(
        plain,
        lambda: _decode(tf.io.read_file(path)),
        lambda: tf.numpy_function(lambda p: images.read(Path(p.decode())), [path], tf.uint8),
    )
    return tf.ensure_shape(picture, (None, None, 3))


def _decode(content: tf.Tensor) -> tf.Tensor:
    """Decode JPEG or PNG bytes to uint8 (height, width, 3), to the same values as Pillow."""
    is_jpeg = tf.io.is_jpeg(content)
    return tf.cond(
        is_jpeg,
        lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
    )


# --- TensorFlow Datasets -----------------------------------------------------------------------------------------


def _load_tfds(name: str, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    builder = _find_builder(name)
    _, label_key = _supervised_keys(builder)  # before anything is downloaded
    _prepare(builder, name=name)
    pools = {split: _tfds_records(builder, split) for split in SPLITS if split in builder.info.splits}
    _drop_copies(pools)
    chosen = _split_records(pools, wanted=wanted, seed=seed)
    # Stored files are read from front to back, so that is the order of the pictures.
    records = {split: sorted(chosen[split][1]) for split in SPLITS}
    return ImageDataset(
        name=name,
        **{
            split: _select_tfds(builder, chosen[split][0], [record.position for record in records[split]])
            for split in SPLITS
        },
        class_names=tuple(builder.info.features[label_key].names),
        labels=_labels(records),
        fingerprint=_fingerprint(records),
    )


def _find_builder(name: str) -> tfds.core.DatasetBuilder:
    if name.split("/")[0] == "synthetic_pets":
        import helpers.synthetic_pets  # noqa: F401  (registers the builder)
    try:
        return tfds.builder(name, data_dir=data_folder() / "tfds")
    # AssertionError: no such version. ImportError: a source such as "huggingface:..." whose package is not here.
    except (tfds.core.registered.DatasetNotFoundError, ValueError, AssertionError, ImportError) as error:
        close = difflib.get_close_matches(name, {"synthetic_pets", *tfds.list_builders()})
        raise ValueError(
            f"Received '{name}', expected a folder, 'synthetic_pets' or a TensorFlow Datasets name"
            + (f" (did you mean {' or '.join(map(repr, close))}?)" if close else "")
            + ". Check the path: it is taken from the folder you are in."
        ) from error


def _prepare(builder: tfds.core.DatasetBuilder, *, name: str) -> None:
    if builder.is_prepared():
        return
    work = "downloading" if builder.url_infos else "drawing"
    print(f"Preparing '{name}' once: {work} and storing its pictures.", file=sys.stderr)
    try:
        _require_connection(builder)
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS' own message names folders of this machine
            builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:
        raise ConnectionError(
            f"'{name}' is not on this machine and could not be downloaded ({type(error).__name__}). "
            "Connect to the network and try again; 'synthetic_pets' and a folder of your own work without."
        ) from error


def _require_connection(builder: tfds.core.DatasetBuilder) -> None:
    """Ask once whether the first file can be reached: TFDS itself asks eleven times, which takes over three minutes."""
    url = next((url for url in builder.url_infos or () if url.startswith("http")), None)
    if url:
        requests.head(url, timeout=SECONDS_TO_CONNECT)  # any answer will do


def _supervised_keys(builder: tfds.core.DatasetBuilder) -> tuple[str, str]:
    keys, features = builder.info.supervised_keys, builder.info.features
    if not (
        keys
        and isinstance(features[keys[0]], tfds.features.Image)
        and isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise ValueError(
            f"Received '{builder.name}', expected a data set of (image, class label) pairs. "
            "Choose an image-classification data set such as 'cats_vs_dogs'."
        )
    return keys[0], keys[1]


def _tfds_encoded(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """Return `(encoded picture, label)` in the order of the stored files, the same every time."""
    image_key, label_key = _supervised_keys(builder)
    stored = builder.as_dataset(split=split, decoders={image_key: tfds.decode.SkipDecoding()}, shuffle_files=False)
    return stored.map(lambda example: (example[image_key], example[label_key]))


def _tfds_records(builder: tfds.core.DatasetBuilder, split: str) -> list[_Record]:
    return [
        _Record(position, int(label), hashlib.sha256(content).hexdigest())
        for position, (content, label) in enumerate(_tfds_encoded(builder, split).as_numpy_iterator())
    ]


def _drop_copies(pools: dict[str, list[_Record]]) -> None:
    """Keep each content once: where it is tested on rather than where it is learned; under two labels, not at all."""
    labels_of: dict[str, set[int]] = {}
    for record in chain.from_iterable(pools.values()):
        labels_of.setdefault(record.digest, set()).add(record.label)
    seen = {digest for digest, labels in labels_of.items() if len(labels) > 1}
    for split in reversed(SPLITS):
        unique = []
        for record in pools.get(split, ()):
            if record.digest not in seen:
                seen.add(record.digest)
                unique.append(record)
        if split in pools:
            pools[split] = unique


def _select_tfds(builder: tfds.core.DatasetBuilder, split: str, positions: Sequence[int]) -> tf.data.Dataset:
    member = np.zeros(builder.info.splits[split].num_examples, dtype=bool)
    member[list(positions)] = True
    is_member = tf.constant(member)
    selected = _tfds_encoded(builder, split).enumerate().filter(lambda index, _: is_member[index])
    pictures = selected.map(
        lambda _, example: (tf.ensure_shape(_decode(example[0]), (None, None, 3)), example[1]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return pictures.apply(tf.data.experimental.assert_cardinality(len(positions)))


def pictures_at(split: tf.data.Dataset, positions: Sequence[int]) -> list[np.ndarray]:
    """Return the pictures at some positions of a split, in the order of `positions`.

    Args:
        split: `(picture, label)`, as in an `ImageDataset`.
        positions: 0 is the first.

    Returns:
        uint8 `(height, width, 3)` arrays.

    Example:
        >>> split = tf.data.Dataset.from_tensor_slices((tf.reshape(tf.range(3), (3, 1, 1, 1)), [0, 1, 0]))
        >>> [int(picture.item()) for picture in pictures_at(split, [2, 0])]
        [2, 0]
    """
    wanted = tf.constant(np.asarray(positions, dtype=np.int64))
    found = split.enumerate().filter(lambda index, _: tf.reduce_any(index == wanted))
    pictures = {int(index): picture for index, (picture, _) in found.as_numpy_iterator()}
    return [pictures[int(position)] for position in positions]


# --- batches -----------------------------------------------------------------------------------------------------


def batches(
    split: tf.data.Dataset,
    *,
    image_size: int,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
    augment: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tf.data.Dataset:
    """Turn a split into batches of pictures of one size, decoded once and kept in memory where they fit.

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
    count = int(split.cardinality())
    if 0 <= count * image_size**2 * 3 <= MEMORY_FOR_CACHE:
        resized = resized.cache()
    if shuffle:
        resized = resized.shuffle(SHUFFLE_BUFFER, seed=seed)
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
    pictures = tf.data.Dataset.from_tensor_slices(([str(path) for path in files], [report.plain for report in reports]))
    resized = pictures.map(
        lambda path, plain: _resize(_read_picture(path, plain), image_size),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return resized.batch(batch_size).map(lambda p: tf.cast(p, tf.float32)).prefetch(tf.data.AUTOTUNE)


def _resize(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    """Stretch to a square, averaging where it shrinks; uint8, which takes a quarter of float's memory."""
    resized = tf.image.resize(picture, (image_size, image_size), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
