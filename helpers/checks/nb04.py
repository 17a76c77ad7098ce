"""Checks for notebook 04, folders to batches."""

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from helpers.checks._runner import Function, case, exercise, require

Array = np.ndarray


@exercise(
    case(PurePosixPath("pets/train/dog/000012.jpg"), why="The label is the name of the folder that the file is in."),
    case(PurePosixPath("pets/all/cat.12.jpg"), why="With a dot in the stem, the label stands before it."),
    case(
        PurePosixPath("v1.2/mixed.set/horse/000007.jpg"),
        why="Only a dot in the file's own stem counts, not one in a folder's name.",
    ),
    case(PureWindowsPath(r"C:\pets\train\dog\000012.jpg"), why="Use path.stem and path.parent.name, not the text."),
    asked="For {}",
    right="the label comes from the name or the folder, on every system.",
)
def check_label_from_path(path):
    """`label_from_path(path)` reads the class off a folder or a file name."""
    label = path.stem.split(".")[0] if "." in path.stem else path.parent.name
    return label, {
        "One folder too high.": path.parent.parent.name,
        "Without a dot in the stem, the label is the folder's name.": path.stem,
        "That is the file: without a dot in the stem, the label is the folder's name.": path.name,
        "With a dot in the stem, the label is in the file's name.": path.parent.name,
        "Only what stands before the dot of the stem is the label.": path.stem if "." in path.stem else label,
    }


def _take_parts(answer: Any, *, count: int) -> list[Array]:
    is_list = isinstance(answer, Sequence | np.ndarray) and len(answer) == count
    require(is_list, f"Expected a list of {count} parts, one for each share.")
    parts = [np.asarray(part) for part in answer]
    require(
        all(part.ndim == 1 and (part.size == 0 or np.issubdtype(part.dtype, np.integer)) for part in parts),
        "Each part has to be a flat array of positions, whole numbers: join the classes with np.concatenate.",
    )
    return [part.astype(int) for part in parts]


def _view_split(split: Function, labels: Array, shares: list[float], seed: int) -> Mapping[str, Any]:
    """Look at what all right splits have in common."""
    parts, same, other = (_take_parts(split(labels, shares, s), count=len(shares)) for s in (seed, seed, seed + 1))
    together, last = np.concatenate(parts), len(labels) - 1
    outside, repeated = (together < 0) | (together > last), len(together) - len(np.unique(together))
    held = np.array([np.bincount(labels.take(part, mode="clip"), minlength=3) for part in parts])  # (parts, classes)
    exact = np.outer(shares, np.bincount(labels))
    held_about = np.where(abs(held - exact) <= 1, np.round(exact), held).astype(int).tolist()
    return {
        f"{{}} of your positions are outside of 0 to {last}, expected {{}}.": outside.sum(),
        "{} positions stand in your parts more than once, expected {}: draw without putting back.": repeated,
        "Your parts hold {} positions, expected {}: where a share is no whole number, the rest has to go somewhere.": (
            len(together)
        ),
        "The parts hold {} pictures of the classes, expected about {}: split each class separately, by the positions "
        "where labels == label.": held_about,
        "The same seed gave another split: make your generator from the seed, np.random.default_rng(seed).": (
            all(map(np.array_equal, parts, same))
        ),
        "Another seed gave the same split: mix each class by the seed before you cut it.": (
            all(map(np.array_equal, map(np.sort, parts), map(np.sort, other)))
        ),
    }


LABELS = np.repeat([0, 1, 2], [60, 30, 11])


@exercise(
    case(LABELS, [0.6, 0.3, 0.1], 0),
    case(
        np.random.default_rng(4).permutation(LABELS),
        [0.6, 0.3, 0.1],
        0,
        why="Right for sorted labels, not for mixed ones.",
    ),
    view=_view_split,
    right="every part has each class's share, nobody is lost, and the same seed gives the same split.",
)
def check_stratified_split(labels, shares, seed):
    """`stratified_split(labels, shares, seed)` parts positions class by class."""
    random = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in shares]
    for label in np.unique(labels):
        positions = random.permutation(np.flatnonzero(labels == label))
        cuts = np.round(np.cumsum(shares)[:-1] * len(positions)).astype(int)
        for part, piece in zip(parts, np.split(positions, cuts), strict=True):
            part.extend(piece)
    return parts, {}


def _view_pipeline(make: Function, count: int, batch_size: int) -> Mapping[str, Any]:
    """Look at what comes out of two epochs over pictures whose values are 10 times their number."""
    reads: list[int] = []

    def pictures() -> Iterator[tuple[Array, int]]:
        for number in range(count):
            reads.append(number)
            yield np.full((2, 2, 1), 10 * number, dtype=np.float32), number

    signature = (tf.TensorSpec((2, 2, 1), tf.float32), tf.TensorSpec((), tf.int64))
    source = tf.data.Dataset.from_generator(pictures, output_signature=signature)
    random = tf.random.Generator.from_seed(6)
    dataset = make(source, lambda batch: batch + random.uniform((), maxval=1.0), batch_size)
    _require_batched_pairs(dataset)
    epochs = [list(islice(dataset.as_numpy_iterator(), 2 * count)) for _ in range(2)]  # repeat() has no end
    require(all(epochs), "Your data set is empty.")
    orders = [[labels.tolist() for _, labels in epoch] for epoch in epochs]
    labels, second = (np.concatenate(order) for order in orders)
    values, again = (np.concatenate([pictures[:, 0, 0, 0] for pictures, _ in epoch]) for epoch in epochs)
    in_files = [list(range(count))[start : start + batch_size] for start in range(0, count, batch_size)]
    return {
        "Your batches have up to {} pictures, expected {}: use batch_size.": max(map(len, orders[0])),
        "An epoch has {} pictures, expected {}: don't drop the last, smaller batch.": min(len(labels), count),
        "An epoch should have each picture once: no repeat().": np.array_equal(np.sort(labels), np.arange(count)),
        "Pictures and labels no longer belong together: shuffle pairs, and augment pictures only.": (
            np.array_equal(values // 10, labels)
        ),
        "Nobody was augmented: map augment over the pictures.": np.array_equal(values, 10 * labels),
        "Two epochs read {} pictures, expected {}: put cache() behind the slow part, before what is random.": len(
            reads
        ),
        "The pictures came in the order of the files: shuffle them.": orders[0] == in_files,
        "The same pictures stay together: you shuffled whole batches. Shuffle before you batch.": (
            sorted(orders[0]) == in_files
        ),
        "Both epochs had the same order: the cache has kept it. Shuffle behind the cache.": orders[0] == orders[1],
        "Both epochs had the same random changes: the cache has kept them. Augment behind the cache.": (
            np.array_equal(np.sort(values - 10 * labels), np.sort(again - 10 * second))
        ),
        "All in the right order, but prefetch is missing at the end.": _prefetches_last(dataset),
    }


def _require_batched_pairs(dataset: Any) -> None:
    kind = type(dataset).__name__
    require(isinstance(dataset, tf.data.Dataset), f"Your answer is of type {kind}, expected a tf.data.Dataset.")
    spec = dataset.element_spec
    require(
        isinstance(spec, tuple) and len(spec) == 2,
        "Your data set does not yield pairs (pictures, labels): the function for map has to return both.",
    )
    axes = [len(part.shape) for part in spec]
    require(axes == [4, 1], f"Your pictures and labels have {axes} axes, expected [4, 1]: batch once.")


def _prefetches_last(dataset: tf.data.Dataset) -> bool:
    """Return whether prefetch comes behind all that makes the batches; options and the like may follow it."""
    variant = tf.data.experimental.to_variant(dataset)
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=variant, external_state_policy=1)  # 1: random state is no matter
    steps = [node.op for node in tf.compat.v1.GraphDef.FromString(graph.numpy()).node]
    return "Prefetch" in next(step for step in reversed(steps) if any(n in step for n in ("Prefetch", "Map", "Batch")))


@exercise(
    case(50, 8),
    view=_view_pipeline,
    right="read once; a new order and new changes in every epoch; the next batch is ready before it is asked for.",
)
def check_make_pipeline(pictures, augment, batch_size):
    """`make_pipeline(pictures, augment, batch_size)`, by what comes out of it."""
    mixed = pictures.cache().shuffle(1000).batch(batch_size)
    return mixed.map(lambda x, y: (augment(x), y)).prefetch(1), {}


def _view_file(is_readable: Function, name: str, content: bytes) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return {"": is_readable(path)}


def _encode(file_format: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(7).integers(0, 256, size=(64, 48, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, format=file_format)
    return buffer.getvalue()


def _decodes(path: Path, how: str) -> bool:
    try:
        with Image.open(path) as picture:
            getattr(picture, how)()
    except OSError:
        return False
    return True


JPEG, PNG = _encode("JPEG"), _encode("PNG")


@exercise(
    case("good.jpg", JPEG),
    case("good.png", PNG, why="A whole PNG is a picture too."),
    case("upper.JPEG", JPEG, why="Look at the contents, not at the suffix."),
    case("text.jpg", b"<html>404 Not Found</html>"),
    case("empty.jpg", b"", why="A suffix .jpg proves nothing."),
    case("half.jpg", JPEG[: len(JPEG) // 2]),
    case("half.png", PNG[: len(PNG) // 2], why="That file breaks off half-way."),
    view=_view_file,
    asked="For {0}",
    right="whole pictures pass; text, nothing, and half a picture do not.",
)
def check_is_readable(path):
    """`is_readable(path)` decodes a file to its end."""
    return _decodes(path, "load"), {
        "That is a whole picture: open it, decode it with load(), and return True.": False,
        "That is a whole picture: look at the contents, not at the suffix.": path.suffix in (".jpg", ".png"),
        "That is a text: a suffix .jpg proves nothing. Let Pillow decode it.": True,
        "That file breaks off half-way: opening and verifying read too little. Call load().": _decodes(path, "verify"),
    }


def _view_leaks(find: Function, train: list[str], test: list[str]) -> Mapping[str, Any]:
    comparisons = 0

    class Counted(str):
        """A text that counts how often it is compared."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal comparisons
            comparisons += 1
            return str.__eq__(self, other)

    answer, size = find(train, test), 400
    find([Counted(f"train {number}") for number in range(size)], [Counted(f"test {number}") for number in range(size)])
    return {
        "": answer,
        f"Right, but for two lists of {size} you compared more than {size * size // 10:,} times, which is too slow for "
        "a large data set: make a set of the training hashes first.": comparisons < size * size / 10,
    }


@exercise(
    case(["a1", "b2", "c3", "d4", "b2"], ["x9", "b2", "y8", "a1", "b2"]),
    case(["a1"], ["b2"], why="Two splits without a common picture give an empty list."),
    view=_view_leaks,
    asked="For the training hashes {} and the test hashes {}",
    right="three test pictures were seen in training. With a set, it stays quick for millions.",
)
def check_find_leaks(train, test):
    """`find_leaks(train_hashes, test_hashes)` gives positions in the test split."""
    known = set(train)
    leaks = [position for position, digest in enumerate(test) if digest in known]
    return leaks, {
        "You returned a set, which has no order: return a list of positions.": set(leaks),
        "You returned the hashes themselves: return their positions in test_hashes.": [test[leak] for leak in leaks],
        "You returned true or false: return the positions.": [digest in known for digest in test],
        "You compared position by position: a picture may stand anywhere in the other split.": [
            position for position, (one, other) in enumerate(zip(train, test, strict=False)) if one == other
        ],
        "Those are positions in train_hashes: the positions in test_hashes were asked for.": [
            position for position, digest in enumerate(train) if digest in set(test)
        ],
        "Those are the test pictures that are not in training: the others were asked for.": [
            position for position in range(len(test)) if position not in leaks
        ],
        "A picture that stands in the test twice leaks twice: list each of its positions.": [
            leak for leak in leaks if test.index(test[leak]) == leak
        ],
        "Right positions: now in rising order, each once.": leaks[::-1],
    }
