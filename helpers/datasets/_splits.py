"""Three splits of pictures: which picture goes where, by what is the same on every machine."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from helpers import cleaning

SPLITS = ("train", "validation", "test")
# Where the pictures of a missing split come from: the split to share with, first choice first.
TAKEN_FROM = {"train": (), "validation": ("train",), "test": ("validation", "train")}


class Picture(NamedTuple):
    """One picture before it is decoded.

    Attributes:
        name: the path from the folder down, with `/` and in NFC, or a slice of a TFDS split. It decides the order:
            contents cannot, because a drawn picture's bytes depend on the processor that drew it.
        position: in the list of files, or in the TFDS split.
        label: its class.
        digest: hash of its content; copies have the same.
        plain: whether TensorFlow decodes it as `images.read` does.
        likeness: its perceptual hash; near copies have nearly the same.
    """

    name: str
    position: int
    label: int
    digest: str = ""
    plain: bool = True
    likeness: int | None = None


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
        paths: by split, the file of each picture, in the same order; empty for a TFDS name.
        near_duplicates: pictures that are nearly the same as another one, which stands in the same split or is used
            in their place.
        notes: how a folder was read, where that may surprise: folders that are not used, names that fall together.
    """

    name: str
    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    class_names: tuple[str, ...]
    labels: Mapping[str, np.ndarray]
    fingerprint: str
    set_aside: tuple[tuple[str, str], ...] = ()
    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=lambda: dict.fromkeys(SPLITS, ()))
    near_duplicates: int = 0
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Pictures in each split."""
        return {split: len(labels) for split, labels in self.labels.items()}


def data_folder() -> Path:
    """Return the folder for everything generated or downloaded: `COURSE_DATA`, or `data/` of the project.

    Raises:
        ValueError: if there is a file in its place.

    Example:
        >>> data_folder().is_absolute()
        True
    """
    folder = Path(os.environ.get("COURSE_DATA") or Path(__file__).parents[2] / "data").expanduser().resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise ValueError(
            f"Received the data folder '{folder}', but '{there}' is a file, expected a folder. "
            "Set the environment variable COURSE_DATA to another one."
        )
    return folder


def drop_copies(pools: Mapping[str, Sequence[Picture]]) -> tuple[dict[str, list[Picture]], list[tuple[Picture, str]]]:
    """Keep each content once: where it is tested on rather than where it is learned; under two labels, not at all.

    Returns:
        The pools with what is kept; the others, each with the reason.
    """
    labels_of: dict[str, set[int]] = {}
    for picture in chain.from_iterable(pools.values()):
        labels_of.setdefault(picture.digest, set()).add(picture.label)
    kept: dict[str, str] = {}
    left: dict[str, list[Picture]] = {split: [] for split in pools}
    dropped = []
    for split in sorted(pools, key=SPLITS.index, reverse=True):
        for picture in pools[split]:
            if len(labels_of[picture.digest]) > 1:
                dropped.append((picture, "the same picture stands under two classes"))
            elif picture.digest in kept:
                dropped.append((picture, f"a copy of {kept[picture.digest]}"))
            else:
                kept[picture.digest] = picture.name
                left[split].append(picture)
    return left, dropped


def group_look_alikes(
    pools: Mapping[str, Sequence[Picture]],
) -> tuple[dict[str, list[list[Picture]]], list[tuple[Picture, str]], int]:
    """Put pictures that are the same or nearly so into a group, so that no test asks what was learned by heart.

    Returns:
        The groups of each pool; near copies in another pool than where they are tested, each with the reason; how
        many pictures are nearly the same as another one.
    """
    pictures = [(split, picture) for split in reversed(SPLITS) for picture in pools.get(split, ())]  # tested first
    parents = list(range(len(pictures)))
    tested_as: dict[int, int] = {}
    first_of = {picture.digest: i for i, (_, picture) in reversed(list(enumerate(pictures)))}
    copies = ((first_of[picture.digest], i) for i, (_, picture) in enumerate(pictures) if picture.digest)
    near = cleaning.near_pairs([picture.likeness for _, picture in pictures])
    for first, second in chain(copies, (pair[:2] for pair in near)):
        if pictures[first][0] == pictures[second][0]:
            parents[_find_top(parents, second)] = _find_top(parents, first)
        else:
            tested_as.setdefault(second, first)
    groups: dict[str, dict[int, list[Picture]]] = {split: {} for split in pools}
    for i, (split, picture) in enumerate(pictures):
        if i not in tested_as:
            groups[split].setdefault(_find_top(parents, i), []).append(picture)
    dropped = [
        (pictures[i][1], f"nearly the same as {pictures[j][1].name}, which is kept for the {pictures[j][0]} split")
        for i, j in sorted(tested_as.items())
    ]
    count = len(pictures) - sum(len(found) for found in groups.values())
    return {split: list(found.values()) for split, found in groups.items()}, dropped, count


def _find_top(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = i = parents[parents[i]]
    return i


def split_pictures(
    pools: Mapping[str, Sequence[Sequence[Picture]]], *, wanted: Mapping[str, int], seed: int
) -> dict[str, list[Picture]]:
    """Choose the pictures of each split, in a fixed random order; a missing split's are taken from another.

    Args:
        pools: groups of pictures that must not be parted, by the splits that the source has.
        wanted: by split, at most so many; where all pictures are wanted, none is left over.
        seed: which pictures are chosen.

    Raises:
        ValueError: if a split stays empty.
    """
    pool_of = {split: next((p for p in (split, *TAKEN_FROM[split]) if pools.get(p)), "") for split in SPLITS}
    chosen: dict[str, list[Picture]] = {split: [] for split in SPLITS}
    for pool in dict.fromkeys(pool for pool in pool_of.values() if pool):
        # The test pictures are taken first, so that another num_train leaves them as they are.
        splits = [split for split in reversed(SPLITS) if pool_of[split] == pool]
        asked, count = sum(wanted[split] for split in splits), sum(map(len, pools[pool]))
        sizes = {split: min(wanted[split], wanted[split] * count // asked) for split in splits}
        sizes[splits[-1]] = wanted[splits[-1]] if count > asked else count  # with what the others have left over
        chosen |= deal(pools[pool], sizes, seed=seed)
    empty = [split for split in SPLITS if not chosen[split]]
    if empty:
        count = sum(len(group) for pool in pools.values() for group in pool)
        raise ValueError(f"Received {count} pictures, expected enough to fill {empty}, too. Add pictures.")
    return {split: take_turns(pictures) for split, pictures in chosen.items()}


def deal(groups: Iterable[Sequence[Picture]], sizes: Mapping[str, int], *, seed: int) -> dict[str, list[Picture]]:
    """Deal out groups of pictures at random to splits, each class by its share.

    scikit-learn's `train_test_split(stratify=...)` stops at a class of one picture and at a split with fewer pictures
    than classes, and its splitters for groups know no sizes.

    Args:
        groups: pictures that must not be parted. The first one's label counts for all of a group.
        sizes: so many pictures in each split, the one that chooses first standing first; more only if a class has
            nothing but larger groups.
        seed: who gets what.

    Example:
        >>> groups = [[Picture(f"{i}", i, label=int(i > 5))] for i in range(9)]
        >>> dealt = deal(groups, {"test": 3, "train": 6}, seed=0)
        >>> [sorted(picture.label for picture in dealt[split]) for split in dealt]
        [[0, 0, 1], [0, 0, 0, 0, 1, 1]]
    """

    def draw_lot(group: Sequence[Picture]) -> bytes:
        # surrogateescape: a name need not be Unicode.
        return hashlib.sha256(f"{seed}:{group[0].name}".encode(errors="surrogateescape")).digest()

    waiting = sorted(groups, key=draw_lot)
    dealt: dict[str, list[Picture]] = {}
    for number, (split, size) in enumerate(sizes.items(), start=1):
        is_last = number == len(sizes)
        counts = Counter(group[0].label for group in waiting for _ in group)
        room = share_out(counts, size, keep=not is_last)
        dealt[split], passed_over = [], []
        without = {label for label, places in room.items() if places}
        for group in waiting:
            label = group[0].label
            if len(group) <= room[label] or (is_last and room[label]):
                dealt[split] += group[: room[label]]  # only the last split can take a part of a group
                room[label] -= min(len(group), room[label])
                without.discard(label)
            else:
                passed_over.append(group)
        for label in sorted(without):  # only large groups: better one of them than none, if another one is left
            of_class = sorted((group for group in passed_over if group[0].label == label), key=len)
            if len(of_class) > 1 and not is_last:
                dealt[split] += of_class[0]
                passed_over.remove(of_class[0])
        waiting = passed_over
    return dealt


def share_out(counts: Mapping[int, int], size: int, *, keep: bool) -> dict[int, int]:
    """Return how many pictures of each class make up a split: its share of all, and at least one where it can.

    Args:
        counts: by label, the pictures at hand.
        size: at most so many in the split.
        keep: leave one picture of each class for the splits to come.

    Example:
        >>> share_out({0: 90, 1: 9, 2: 2, 3: 1}, 20, keep=True)
        {0: 17, 1: 2, 2: 1, 3: 0}
    """
    labels = sorted(counts)
    at_hand = np.array([counts[label] for label in labels], dtype=np.int64)
    most = at_hand - 1 if keep else at_hand
    least = np.minimum(most, 1) if size >= np.count_nonzero(most) else np.zeros_like(most)
    share = size * at_hand / max(at_hand.sum(), 1)
    quota = np.clip(share.astype(np.int64), least, most)
    while quota.sum() < min(size, most.sum()):
        quota[np.where(quota < most, share - quota, -np.inf).argmax()] += 1
    while quota.sum() > size:
        quota[np.where(quota > least, quota - share, -np.inf).argmax()] -= 1
    return dict(zip(labels, quota.tolist(), strict=True))


def take_turns(pictures: Sequence[Picture]) -> list[Picture]:
    """Spread the pictures of each class evenly: a few from the front have the classes' shares too."""
    totals, seen, places = Counter(picture.label for picture in pictures), Counter(), []
    for picture in pictures:
        places.append((seen[picture.label] + 0.5) / totals[picture.label])
        seen[picture.label] += 1
    return [pictures[i] for i in np.argsort(places, kind="stable")]


def labels_of_splits(splits: Mapping[str, Sequence[Picture]]) -> dict[str, np.ndarray]:
    """Return the labels by split, int64 `(pictures,)`."""
    return {split: np.array([picture.label for picture in splits[split]], dtype=np.int64) for split in SPLITS}


def fingerprint_of(splits: Mapping[str, Iterable[Picture]]) -> str:
    """Hash which contents have which labels in which split, and in which order."""
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(split.encode())
        for picture in splits[split]:
            digest.update(f"{picture.digest}:{picture.label};".encode())
    return digest.hexdigest()
