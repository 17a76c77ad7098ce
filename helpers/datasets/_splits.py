"""Three splits of pictures: which picture goes where, whatever the source."""

import hashlib
import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

SPLITS = ("train", "validation", "test")
# Where the pictures of a missing split come from: the split to share with, first choice first.
TAKEN_FROM = {"train": (), "validation": ("train",), "test": ("validation", "train")}


class Record(NamedTuple):
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
    return Path(os.environ.get("COURSE_DATA") or Path(__file__).parents[2] / "data").resolve()


def drop_copies(pools: dict[str, list[Record]], *, name: Callable[[str, Record], str]) -> list[tuple[str, Record, str]]:
    """Keep each content once: where it is tested on rather than where it is learned; under two labels, not at all.

    Args:
        pools: by split, without damaged pictures; left with what is kept.
        name: what to call a picture of a split, for a reader.

    Returns:
        `(split, record, reason)` of the others.
    """
    labels_of: dict[str, set[int]] = {}
    for record in chain.from_iterable(pools.values()):
        labels_of.setdefault(record.digest, set()).add(record.label)
    kept: dict[str, str] = {}
    dropped = []
    for split in [split for split in reversed(SPLITS) if split in pools]:
        unique = []
        for record in pools[split]:
            if len(labels_of[record.digest]) > 1:
                dropped.append((split, record, "the same picture stands under two classes"))
            elif record.digest in kept:
                dropped.append((split, record, f"a copy of {kept[record.digest]}"))
            else:
                kept[record.digest] = name(split, record)
                unique.append(record)
        pools[split] = unique
    return dropped


def split_records(
    pools: Mapping[str, Sequence[Record]], *, wanted: Mapping[str, int], seed: int
) -> dict[str, tuple[str, list[Record]]]:
    """Return, for each split, the pool its records come from and the records, in a fixed random order."""
    pool_of = {split: next((p for p in (split, *TAKEN_FROM[split]) if pools.get(p)), None) for split in SPLITS}
    missing = [split for split, pool in pool_of.items() if pool is None]
    if missing:
        raise ValueError(
            f"Received pictures for {sorted(pools)} but none for {missing}, expected at least `train`. "
            "Put the training pictures into `train`, one sub-folder a class."
        )
    chosen: dict[str, tuple[str, list[Record]]] = {}
    for pool in dict.fromkeys(pool_of.values()):
        ordered = stratified_order(pools[pool], seed=seed)
        splits = [split for split in ("test", "validation", "train") if pool_of[split] == pool]
        asked = sum(wanted[split] for split in splits)
        start = 0
        for split in splits:
            share = wanted[split] * len(ordered) // asked
            if split == splits[-1]:
                share = len(ordered) - start  # what rounding down has left over: no good picture is lost
            count = min(wanted[split], share)
            chosen[split] = (pool, ordered[start : start + count])
            start += count
    empty = [split for split in SPLITS if not chosen[split][1]]
    if empty:
        raise ValueError(f"Received {sum(map(len, pools.values()))} pictures, too few to fill {empty}. Add pictures.")
    return chosen


def stratified_order(records: Sequence[Record], *, seed: int) -> list[Record]:
    """Order records at random, by content, such that the first n hold each class's share of n, give or take one.

    Tijdeman's rule: with c classes, the k-th record of a class may come once its class lags by 1 / (2c - 2), and the
    one that must come soonest comes next. R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32
    (1980), pages 323-330.
    """
    shuffled = sorted(records, key=lambda r: hashlib.sha256(f"{seed}:{r.digest}".encode()).digest())
    totals, seen = Counter(r.label for r in records), Counter()
    slack = max(2 * len(totals) - 2, 1)
    waiting = []
    for index, record in enumerate(shuffled):
        total, before = totals[record.label], seen[record.label]
        first_place = -(-len(records) * (slack * before + 1) // (slack * total))  # rounded up, 1 is the first
        deadline = (slack * (before + 1) - 1) / total
        waiting.append((first_place, deadline, record.digest, index))
        seen[record.label] += 1
    waiting.sort(reverse=True)
    ready, order = [], []
    for place in range(1, len(records) + 1):
        while waiting and waiting[-1][0] <= place:
            heapq.heappush(ready, waiting.pop()[1:])
        order.append(shuffled[heapq.heappop(ready)[-1]])
    return order


def labels_of_splits(splits: Mapping[str, Sequence[Record]]) -> dict[str, np.ndarray]:
    return {split: np.array([record.label for record in splits[split]], dtype=np.int64) for split in SPLITS}


def fingerprint_of(splits: Mapping[str, Iterable[Record]]) -> str:
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(split.encode())
        for record in splits[split]:
            digest.update(f"{record.digest}:{record.label};".encode())
    return digest.hexdigest()
