"""Checks for notebook 03, image data sets."""

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray


def check_label_from_path(label_from_path: Callable[[PurePath], str]) -> None:
    """Check exercise 1: `label_from_path(path)` reads the class off a folder or a file name."""
    answer = call(label_from_path, PurePosixPath("pets/train/dog/000012.jpg"))
    require(isinstance(answer, str), f"Your label is a {type(answer).__name__}, expected text such as 'dog'.")
    require(
        answer not in ("train", "pets"), f"You returned '{answer}' for pets/train/dog/000012.jpg: one folder too high."
    )
    require(
        answer not in ("000012", "000012.jpg"),
        f"You returned '{answer}' for train/dog/000012.jpg: without a dot in the stem, the label is the folder's name.",
    )
    require(answer == "dog", f"You returned '{answer}' for pets/train/dog/000012.jpg, expected 'dog'.")
    answer = call(label_from_path, PurePosixPath("pets/all/cat.12.jpg"))
    require(
        answer != "all",
        "You returned 'all' for all/cat.12.jpg: with a dot in the stem, the label is in the file's name.",
    )
    require(
        answer not in ("cat.12", "12"),
        f"You returned '{answer}' for all/cat.12.jpg: only what stands before the dot of the stem.",
    )
    require(answer == "cat", f"You returned '{answer}' for pets/all/cat.12.jpg, expected 'cat'.")
    answer = call(label_from_path, PurePosixPath("v1.2/mixed.set/horse/000007.jpg"))
    require(
        answer == "horse",
        f"You returned '{answer}' for v1.2/mixed.set/horse/000007.jpg, expected 'horse': "
        "only a dot in the file's own stem counts, not one in a folder's name.",
    )
    answer = call(label_from_path, PureWindowsPath(r"C:\pets\train\dog\000012.jpg"))
    require(
        answer == "dog",
        f"You returned '{answer}' for a path with backslashes: use path.stem and path.parent.name, not the text.",
    )
    passed("the label comes from the name or the folder, on every system.")


def check_stratified_split(stratified_split: Callable[[Array, list[float], int], list[Array]]) -> None:
    """Check exercise 2: `stratified_split(labels, shares, seed)` parts positions class by class."""
    labels = np.repeat([0, 1, 2], [60, 30, 11])
    shares = [0.6, 0.3, 0.1]
    parts = _call_split(stratified_split, labels, shares, 0)
    together = np.concatenate(parts)
    require(
        together.size == 0 or (together.min() >= 0 and together.max() < len(labels)),
        f"Your positions reach from {together.min()} to {together.max()}: 0 to {len(labels) - 1} were expected.",
    )
    repeated = len(together) - len(np.unique(together))
    require(repeated == 0, f"{repeated} positions stand in your parts more than once: draw without putting back.")
    require(
        len(together) == len(labels),
        f"Your parts hold {len(together)} of {len(labels)} positions: where a share is no whole number, "
        "the rest has to go somewhere.",
    )
    for part, share in zip(parts, shares, strict=True):
        for label in range(3):
            held, expected = int((labels[part] == label).sum()), share * (labels == label).sum()
            require(
                abs(held - expected) <= 1,
                f"The part of {share:.0%} has {held} pictures of class {label}, expected about {expected:.0f}: "
                "split each class separately.",
            )
    _require_seeded(stratified_split, labels, shares, parts)
    mixed = np.random.default_rng(4).permutation(labels)
    parts = _call_split(stratified_split, mixed, shares, 0)
    held = np.array([np.bincount(mixed[part], minlength=3) for part in parts])
    require(
        bool((abs(held - np.outer(shares, np.bincount(labels))) <= 1).all()),
        "Right for labels that are sorted, wrong for mixed ones: look for the positions where labels == label.",
    )
    passed("every part has each class's share, nobody is lost, and the same seed gives the same split.")


def _call_split(stratified_split: Callable[..., Any], labels: Array, shares: list[float], seed: int) -> list[Array]:
    answer = call(stratified_split, labels, shares, seed)
    require(
        isinstance(answer, Sequence | np.ndarray) and len(answer) == len(shares),
        f"Expected a list of {len(shares)} parts, one a share.",
    )
    parts = [np.asarray(part) for part in answer]
    require(
        all(part.ndim == 1 and (part.size == 0 or np.issubdtype(part.dtype, np.integer)) for part in parts),
        "Each part has to be a flat array of positions, whole numbers: join the classes with np.concatenate.",
    )
    return parts


def _require_seeded(
    stratified_split: Callable[..., Any], labels: Array, shares: list[float], parts: Sequence[Array]
) -> None:
    again = _call_split(stratified_split, labels, shares, 0)
    require(
        all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True)),
        "The same seed gave another split: make your generator from the seed, np.random.default_rng(seed).",
    )
    other = _call_split(stratified_split, labels, shares, 1)
    require(
        not all(np.array_equal(np.sort(a), np.sort(b)) for a, b in zip(parts, other, strict=True)),
        "Another seed gave the same split: mix each class by the seed before you cut it.",
    )


def check_from_line(from_line: Callable[[str], tuple[int, Array]]) -> None:
    """Check exercise 3: `from_line(line)` gives label and picture of a CSV line."""
    picture = np.random.default_rng(5).integers(0, 256, size=(70, 70)).astype(np.uint8)
    picture[0, 0] = 200  # not the label
    answer = call(from_line, ",".join(map(str, [3, *picture.ravel()])))
    require(isinstance(answer, tuple) and len(answer) == 2, "Return two things: the label and the picture.")
    label, image = answer
    require(not isinstance(label, np.ndarray), "The label comes first, the picture second.")
    require(not isinstance(label, str), f"Your label is the text {label!r}, expected a number: int(...).")
    require(
        isinstance(label, int | np.integer) and label == 3,
        f"Your label is {label}, expected 3: the first number of the line.",
    )
    shape = np.shape(image)
    require(shape != (4901,), "Your picture has 4,901 numbers: the first one is the label, not a pixel.")
    require(shape != (4900,), "Your picture is still a row: put it into shape with reshape(70, 70).")
    array = require_array(image, shape=(70, 70), name="Your picture")
    require(array.dtype == np.uint8, f"Your picture has dtype {array.dtype}, expected uint8: one byte a pixel.")
    require(
        not np.array_equal(array, picture.T),
        "Rows and columns are exchanged: the line holds the picture row by row.",
    )
    require(np.array_equal(array, picture), "Shape and dtype are right, the pixels are not those of the line.")
    passed("label 3 and 70 x 70 pixels: nothing was lost on the way through the text.")


def check_make_pipeline(make_pipeline: Callable[..., tf.data.Dataset]) -> None:
    """Check exercise 4: `make_pipeline(pictures, augment, batch_size)`, by what comes out of it."""
    reads: list[int] = []

    def pictures() -> Iterator[tuple[Array, int]]:
        for number in range(50):
            reads.append(number)
            yield np.full((2, 2, 1), 10 * number, dtype=np.float32), number

    signature = (tf.TensorSpec((2, 2, 1), tf.float32), tf.TensorSpec((), tf.int64))
    source = tf.data.Dataset.from_generator(pictures, output_signature=signature)
    random = tf.random.Generator.from_seed(6)
    answer = call(make_pipeline, source, lambda batch: batch + random.uniform((), maxval=1.0), 8)
    require(
        isinstance(answer, tf.data.Dataset),
        f"Your answer is of type {type(answer).__name__}, expected a tf.data.Dataset.",
    )
    _require_pairs(answer)
    epochs = [list(answer.as_numpy_iterator()) for _ in range(2)]
    _require_contents(epochs[0])
    require(
        len(reads) == 50,
        f"Two epochs read {len(reads)} pictures, expected 50: put cache() behind the slow part, before what is random.",
    )
    _require_new_order(epochs)
    _require_new_changes(epochs)
    require(_ends_with_prefetch(answer), "All in the right order, but prefetch is missing at the end.")
    passed("read once; a new order and new changes in every epoch; the next batch is ready before it is asked for.")


def _require_pairs(dataset: tf.data.Dataset) -> None:
    spec = dataset.element_spec
    require(
        isinstance(spec, tuple) and len(spec) == 2,
        "Your data set does not yield pairs (pictures, labels): the function for map has to return both.",
    )
    require(
        len(spec[0].shape) == 4 and len(spec[1].shape) == 1,
        f"Your pictures have {len(spec[0].shape)} axes and your labels {len(spec[1].shape)}, expected 4 and 1: "
        "batch once.",
    )


def _require_contents(epoch: Sequence[tuple[Array, Array]]) -> None:
    sizes = [len(labels) for _, labels in epoch]
    require(max(sizes) == 8, f"Your batches have up to {max(sizes)} pictures, expected 8: use batch_size.")
    labels = np.concatenate([labels for _, labels in epoch])
    require(
        sum(sizes) >= 50, f"An epoch has {sum(sizes)} of 50 pictures: don't drop the last batch, it is only smaller."
    )
    require(sorted(labels) == list(range(50)), "An epoch should have each of the 50 pictures once: no repeat().")
    values = np.concatenate([pictures for pictures, _ in epoch])[:, 0, 0, 0]
    require(
        np.array_equal(values // 10, labels),
        "Pictures and labels no longer belong together: shuffle pairs, and augment pictures only.",
    )
    require(not np.array_equal(values, 10 * labels), "Nobody was augmented: map augment over the pictures.")


def _require_new_order(epochs: Sequence[Sequence[tuple[Array, Array]]]) -> None:
    first, second = ([labels.tolist() for _, labels in epoch] for epoch in epochs)
    require(
        list(chain.from_iterable(first)) != list(range(50)),
        "The pictures came in the order of the files: shuffle them.",
    )
    in_files = [list(range(start, min(start + 8, 50))) for start in range(0, 50, 8)]
    require(
        sorted(first) != in_files,
        "The same pictures stay together: you shuffled whole batches. Shuffle before you batch.",
    )
    require(first != second, "Both epochs had the same order: the cache has kept it. Shuffle behind the cache.")


def _require_new_changes(epochs: Sequence[Sequence[tuple[Array, Array]]]) -> None:
    changes = []
    for epoch in epochs:
        labels = np.concatenate([labels for _, labels in epoch])
        values = np.concatenate([pictures for pictures, _ in epoch])[:, 0, 0, 0]
        changes.append((values - 10 * labels)[np.argsort(labels)])
    require(
        not np.allclose(*changes, atol=1e-3),
        "Both epochs had the same random changes: the cache has kept them. Augment behind the cache.",
    )


def _ends_with_prefetch(dataset: tf.data.Dataset) -> bool:
    return "Prefetch" in type(dataset).__name__


def check_is_readable(is_readable: Callable[[Path], bool]) -> None:
    """Check exercise 5: `is_readable(path)` decodes a file to its end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        files = _write_samples(Path(folder))
        answers = {name: call(is_readable, path) for name, path in files.items()}
    unusual = next((value for value in answers.values() if not isinstance(value, bool | np.bool_)), None)
    require(unusual is None, f"Your answer is a {type(unusual).__name__}, expected True or False.")
    require(
        answers["good.jpg"] and answers["good.png"],
        "A whole picture was called unreadable: open it, decode it with load(), and return True.",
    )
    require(
        answers["upper.JPEG"],
        "A whole picture called upper.JPEG was called unreadable: look at the contents, not at the suffix.",
    )
    require(
        not (answers["text.jpg"] or answers["empty.jpg"]),
        "A text or an empty file was called readable: a suffix .jpg proves nothing. Let Pillow decode it.",
    )
    require(
        not (answers["half.jpg"] or answers["half.png"]),
        "A file that breaks off half-way was called readable: opening and verifying read too little. Call load().",
    )
    passed("whole pictures pass; text, nothing, and half a picture do not.")


def _write_samples(folder: Path) -> dict[str, Path]:
    pixels = np.random.default_rng(7).integers(0, 256, size=(64, 48, 3)).astype(np.uint8)
    encoded = {}
    for file_format in ("JPEG", "PNG"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format=file_format)
        encoded[file_format] = buffer.getvalue()
    contents = {
        "good.jpg": encoded["JPEG"],
        "good.png": encoded["PNG"],
        "upper.JPEG": encoded["JPEG"],
        "text.jpg": b"<html>404 Not Found</html>",
        "empty.jpg": b"",
        "half.jpg": encoded["JPEG"][: len(encoded["JPEG"]) // 2],
        "half.png": encoded["PNG"][: len(encoded["PNG"]) // 2],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


def check_find_leaks(find_leaks: Callable[[list[str], list[str]], list[int]]) -> None:
    """Check exercise 6: `find_leaks(train_hashes, test_hashes)` gives positions in the test split."""
    train, test = ["a1", "b2", "c3", "d4", "b2"], ["x9", "b2", "y8", "a1", "b2"]
    answer = call(find_leaks, list(train), list(test))
    require(
        isinstance(answer, list | tuple | np.ndarray | set | frozenset),
        f"Your answer is of type {type(answer).__name__}, expected a list of positions.",
    )
    require(
        not isinstance(answer, set | frozenset), "You returned a set, which has no order: return a list of positions."
    )
    found = np.asarray(answer).tolist()
    require(
        not any(isinstance(value, str) for value in found),
        "You returned the hashes themselves: return their positions in test_hashes.",
    )
    require(not any(isinstance(value, bool) for value in found), "You returned true or false: return the positions.")
    require(
        found != [1, 4],
        "You compared position by position: a picture may stand anywhere in the other split.",
    )
    require(found != [0, 1, 4], "Those are positions in train_hashes: the positions in test_hashes were asked for.")
    require(found != [0, 2], "Those are the test pictures that are not in training: the others were asked for.")
    require(
        sorted(set(found)) != [1, 3] or found == [1, 3, 4],
        "A picture that stands in the test twice leaks twice: list each of its positions.",
    )
    require(sorted(found) != [1, 3, 4] or found == [1, 3, 4], "Right positions: now in rising order, each once.")
    require(found == [1, 3, 4], f"You returned {found}, expected [1, 3, 4] for b2, a1 and b2.")
    none = np.asarray(call(find_leaks, ["a1"], ["b2"])).tolist()
    require(none == [], f"You returned {none} for two splits without a common picture, expected an empty list.")
    _require_quick(find_leaks)
    passed("three test pictures were seen in training. With a set, it stays quick for millions.")


class _Counting(str):
    """A text that counts how often texts are compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        type(self).comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def _require_quick(find_leaks: Callable[[list[str], list[str]], list[int]]) -> None:
    class Counted(_Counting):
        comparisons = 0
        __hash__ = str.__hash__

    size = 400
    call(find_leaks, [Counted(f"train {i}") for i in range(size)], [Counted(f"test {i}") for i in range(size)])
    require(
        Counted.comparisons < size * size / 10,
        f"Right, but for two lists of {size} you compared {Counted.comparisons:,} times, which is too slow for a "
        "large data set: make a set of the training hashes first.",
    )
