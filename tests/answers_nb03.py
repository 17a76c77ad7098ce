"""Each check of notebook 03 both ways: the solution, other right answers, and the usual mistakes."""

from itertools import chain, pairwise

import numpy as np
import tensorflow as tf
from PIL import Image

from helpers.checks import nb03


def label_from_path(path):
    return path.stem.split(".")[0] if "." in path.stem else path.parent.name


def stratified_split(labels, shares, seed):
    random = np.random.default_rng(seed)
    parts = [[] for _ in shares]
    for label in np.unique(labels):
        positions = random.permutation(np.flatnonzero(labels == label))
        cuts = np.round(np.cumsum(shares)[:-1] * len(positions)).astype(int)
        for part, piece in zip(parts, np.split(positions, cuts), strict=True):
            part.append(piece)
    return [np.concatenate(part) for part in parts]


def from_line(line):
    label, *pixels = line.split(",")
    return int(label), np.array(pixels, dtype=int).astype(np.uint8).reshape(70, 70)


def make_pipeline(pictures, augment, batch_size):
    mixed = pictures.cache().shuffle(1000).batch(batch_size)
    return mixed.map(lambda x, y: (augment(x), y)).prefetch(tf.data.AUTOTUNE)


def is_readable(path):
    try:
        with Image.open(path) as picture:
            picture.load()
    except OSError:
        return False
    return True


def find_leaks(train_hashes, test_hashes):
    known = set(train_hashes)
    return [position for position, digest in enumerate(test_hashes) if digest in known]


SOLUTIONS = {
    nb03.check_label_from_path: label_from_path,
    nb03.check_stratified_split: stratified_split,
    nb03.check_from_line: from_line,
    nb03.check_make_pipeline: make_pipeline,
    nb03.check_is_readable: is_readable,
    nb03.check_find_leaks: find_leaks,
}


def split_by_rounding_down(labels, shares, seed):
    """Another right answer: the last part takes what is left, in lists."""
    random = np.random.default_rng(seed)
    parts = [[] for _ in shares]
    for label in np.unique(labels):
        positions = random.permutation(np.flatnonzero(labels == label)).tolist()
        for part, share in zip(parts[:-1], shares[:-1], strict=True):
            count = int(share * (labels == label).sum())
            part += positions[:count]
            positions = positions[count:]
        parts[-1] += positions
    return parts


def augment_one_by_one(pictures, augment, batch_size):
    """Another right answer, if a slower one: pictures are changed before they are batched."""
    mixed = pictures.cache().shuffle(1000).map(lambda x, y: (augment(x), y))
    return mixed.batch(batch_size).prefetch(1)


def decode_into_array(path):
    try:
        with Image.open(path) as picture:
            return np.asarray(picture).ndim == 3
    except OSError:
        return False


OTHER_RIGHT_ANSWERS = [
    (nb03.check_label_from_path, lambda path: path.stem.partition(".")[0] if "." in path.stem else path.parts[-2]),
    (nb03.check_stratified_split, split_by_rounding_down),
    (nb03.check_from_line, lambda line: (int(line.split(",")[0]), as_array(line)[1:].reshape(70, 70))),
    (nb03.check_make_pipeline, augment_one_by_one),
    (nb03.check_is_readable, decode_into_array),
    (nb03.check_find_leaks, lambda train, test: np.flatnonzero(np.isin(test, train))),
]


def as_array(line):
    return np.array([int(number) for number in line.split(",")], dtype=np.uint8)


# --- usual mistakes ----------------------------------------------------------------------------------------------


def cut_at_slash(path):
    text = str(path)
    return text.split("/")[-1].split(".")[0] if "." in path.stem else text.split("/")[-2]


def dot_anywhere(path):
    return path.stem.split(".")[0] if str(path).count(".") > 1 else path.parent.name


def split_without_classes(labels, shares, seed):
    positions = np.random.default_rng(seed).permutation(len(labels))
    return np.split(positions, np.round(np.cumsum(shares)[:-1] * len(labels)).astype(int))


def split_without_mixing(labels, shares, _seed):
    return split_classes(labels, shares, lambda positions: positions)


def split_without_seed(labels, shares, _seed):
    return split_classes(labels, shares, np.random.default_rng().permutation)


def split_classes(labels, shares, mix):
    parts = [[] for _ in shares]
    for label in np.unique(labels):
        positions = mix(np.flatnonzero(labels == label))
        cuts = np.round(np.cumsum(shares)[:-1] * len(positions)).astype(int)
        for part, piece in zip(parts, np.split(positions, cuts), strict=True):
            part.extend(piece)
    return parts


def split_and_lose_the_rest(labels, shares, seed):
    parts = split_by_rounding_down(labels, shares, seed)
    kept = [[p for p in parts[-1] if labels[p] == label][:1] for label in np.unique(labels)]
    return [*parts[:-1], list(chain.from_iterable(kept))]


def draw_with_putting_back(labels, shares, seed):
    random = np.random.default_rng(seed)
    return [random.choice(len(labels), round(share * len(labels))) for share in shares]


def split_into_labels(labels, shares, seed):
    return [labels[part].astype(float) for part in stratified_split(labels, shares, seed)]


def split_sorted(labels, shares, seed):
    """Counts on classes that stand one after the other."""
    random, starts = np.random.default_rng(seed), np.cumsum([0, 60, 30, 11])
    parts = [[] for _ in shares]
    for start, end in pairwise(starts):
        positions = random.permutation(np.arange(start, end))
        cuts = np.round(np.cumsum(shares)[:-1] * len(positions)).astype(int)
        for part, piece in zip(parts, np.split(positions, cuts), strict=True):
            part.extend(piece)
    return parts


def pipeline(*steps):
    """Chain steps by name, to try every wrong order."""

    def make(pictures, augment, batch_size):
        actions = {
            "cache": lambda d: d.cache(),
            "shuffle": lambda d: d.shuffle(1000),
            "batch": lambda d: d.batch(batch_size),
            "batch of 32": lambda d: d.batch(32),
            "full batches": lambda d: d.batch(batch_size, drop_remainder=True),
            "augment": lambda d: d.map(lambda x, y: (augment(x), y)),
            "augment alone": lambda d: d.map(lambda x, _: augment(x)),
            "repeat": lambda d: d.repeat(2),
            "prefetch": lambda d: d.prefetch(1),
        }
        for step in steps:
            pictures = actions[step](pictures)
        return pictures

    return make


def shuffle_apart(pictures, augment, batch_size):
    x = pictures.map(lambda x, y: x).cache().shuffle(1000, seed=1)
    y = pictures.map(lambda x, y: y).cache().shuffle(1000, seed=2)
    return tf.data.Dataset.zip((x, y)).batch(batch_size).map(lambda x, y: (augment(x), y)).prefetch(1)


def verify_only(path):
    try:
        with Image.open(path) as picture:
            picture.verify()
    except OSError:
        return False
    return True


def open_only(path):
    try:
        Image.open(path).close()
    except OSError:
        return False
    return True


def decode_and_hope(path):
    with Image.open(path) as picture:
        picture.load()
    return True


def compare_all(train_hashes, test_hashes):
    return [i for i, digest in enumerate(test_hashes) if any(digest == other for other in train_hashes)]


def only_the_first(train_hashes, test_hashes):
    return sorted({test_hashes.index(digest) for digest in set(train_hashes) & set(test_hashes)})


MISTAKES = [
    (nb03.check_label_from_path, lambda path: path.parent, "is a PurePosixPath"),
    (nb03.check_label_from_path, lambda path: path.parent.parent.name, "one folder too high"),
    (nb03.check_label_from_path, lambda path: path.stem.split(".")[0], "the label is the folder's name"),
    (nb03.check_label_from_path, lambda path: path.parent.name, "the label is in the file's name"),
    (
        nb03.check_label_from_path,
        lambda path: path.stem if "." in path.stem else path.parent.name,
        "only what stands before the dot",
    ),
    (nb03.check_label_from_path, lambda path: "horse", "'horse' for pets/train/dog"),
    (nb03.check_label_from_path, lambda path: "dog", "'dog' for pets/all/cat.12.jpg"),
    (nb03.check_label_from_path, dot_anywhere, "only a dot in the file's own stem counts"),
    (nb03.check_label_from_path, cut_at_slash, "stopped with IndexError"),
    (nb03.check_stratified_split, lambda labels, shares, seed: labels, "a list of 3 parts"),
    (nb03.check_stratified_split, lambda labels, shares, seed: 3, "a list of 3 parts"),
    (nb03.check_stratified_split, lambda labels, shares, seed: [np.zeros((2, 2), int)] * 3, "flat array of positions"),
    (nb03.check_stratified_split, split_into_labels, "flat array of positions"),
    (nb03.check_stratified_split, lambda *args: [part + 1 for part in stratified_split(*args)], "reach from 1 to 101"),
    (nb03.check_stratified_split, draw_with_putting_back, "more than once"),
    (nb03.check_stratified_split, split_and_lose_the_rest, "the rest has to go somewhere"),
    (nb03.check_stratified_split, split_without_classes, "split each class separately"),
    (nb03.check_stratified_split, split_without_mixing, "Another seed gave the same split"),
    (nb03.check_stratified_split, split_without_seed, "The same seed gave another split"),
    (nb03.check_stratified_split, split_sorted, "wrong for mixed ones"),
    (nb03.check_from_line, lambda line: as_array(line), "Return two things"),
    (nb03.check_from_line, lambda line: from_line(line)[::-1], "The label comes first"),
    (nb03.check_from_line, lambda line: (line.split(",")[0], from_line(line)[1]), "is the text '3'"),
    (nb03.check_from_line, lambda line: (int(line.split(",")[-1]), from_line(line)[1]), "the first number of the line"),
    (nb03.check_from_line, lambda line: (3, as_array(line)), "has 4,901 numbers"),
    (nb03.check_from_line, lambda line: (3, as_array(line)[1:]), "still a row"),
    (nb03.check_from_line, lambda line: (3, from_line(line)[1].tolist()), "is a list, expected a NumPy array"),
    (nb03.check_from_line, lambda line: (3, from_line(line)[1][..., None]), "has shape (70, 70, 1)"),
    (nb03.check_from_line, lambda line: (3, from_line(line)[1].astype(int)), "has dtype int64, expected uint8"),
    (nb03.check_from_line, lambda line: (3, from_line(line)[1].T), "Rows and columns are exchanged"),
    (nb03.check_from_line, lambda line: (3, as_array(line)[:-1].reshape(70, 70)), "not those of the line"),
    (nb03.check_make_pipeline, lambda pictures, augment, size: list(pictures), "of type list"),
    (nb03.check_make_pipeline, lambda pictures, augment, size: [], "of type list"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "batch", "augment alone"), "does not yield pairs"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "augment", "prefetch"), "batch once"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "batch of 32", "augment"), "up to 32 pictures, expected 8"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "full batches", "augment"), "has 48 of 50 pictures"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "repeat", "batch", "augment"), "no repeat()"),
    (nb03.check_make_pipeline, shuffle_apart, "no longer belong together"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "batch", "prefetch"), "Nobody was augmented"),
    (nb03.check_make_pipeline, pipeline("shuffle", "batch", "augment", "prefetch"), "read 100 pictures, expected 50"),
    (nb03.check_make_pipeline, pipeline("cache", "batch", "augment", "prefetch"), "in the order of the files"),
    (
        nb03.check_make_pipeline,
        pipeline("cache", "batch", "shuffle", "augment", "prefetch"),
        "Shuffle before you batch",
    ),
    (
        nb03.check_make_pipeline,
        pipeline("shuffle", "cache", "batch", "augment", "prefetch"),
        "Shuffle behind the cache",
    ),
    (
        nb03.check_make_pipeline,
        pipeline("augment", "cache", "shuffle", "batch", "prefetch"),
        "Augment behind the cache",
    ),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "batch", "augment"), "prefetch is missing"),
    (nb03.check_make_pipeline, pipeline("cache", "shuffle", "prefetch", "batch", "augment"), "prefetch is missing"),
    (nb03.check_is_readable, lambda path: "yes", "is a str, expected True or False"),
    (nb03.check_is_readable, lambda path: False, "A whole picture was called unreadable"),
    (nb03.check_is_readable, lambda path: path.suffix in (".jpg", ".png"), "look at the contents, not at the suffix"),
    (nb03.check_is_readable, lambda path: path.suffix.lower() in (".jpg", ".jpeg", ".png"), "proves nothing"),
    (nb03.check_is_readable, open_only, "breaks off half-way"),
    (nb03.check_is_readable, verify_only, "breaks off half-way"),
    (nb03.check_is_readable, decode_and_hope, "stopped with UnidentifiedImageError"),
    (nb03.check_find_leaks, lambda train, test: 3, "of type int"),
    (nb03.check_find_leaks, lambda train, test: set(find_leaks(train, test)), "a set, which has no order"),
    (nb03.check_find_leaks, lambda train, test: [d for d in test if d in set(train)], "return their positions"),
    (nb03.check_find_leaks, lambda train, test: [d in set(train) for d in test], "true or false"),
    (
        nb03.check_find_leaks,
        lambda train, test: [i for i, (a, b) in enumerate(zip(train, test, strict=False)) if a == b],
        "position by position",
    ),
    (nb03.check_find_leaks, lambda train, test: find_leaks(test, train), "positions in train_hashes"),
    (
        nb03.check_find_leaks,
        lambda train, test: sorted(set(range(len(test))) - set(find_leaks(train, test))),
        "not in training",
    ),
    (nb03.check_find_leaks, only_the_first, "leaks twice"),
    (nb03.check_find_leaks, lambda train, test: find_leaks(train, test)[::-1], "rising order"),
    (nb03.check_find_leaks, lambda train, test: [1, 2], "You returned [1, 2], expected [1, 3, 4]"),
    (nb03.check_find_leaks, lambda train, test: [1, 3, 4], "expected an empty list"),
    (nb03.check_find_leaks, compare_all, "make a set of the training hashes"),
]
