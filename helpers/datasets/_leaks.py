"""Pictures that stand in two splits, so that a test asks what was learned by heart."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import tensorflow as tf

from helpers import cleaning


class _Print(NamedTuple):
    """What tells one picture from others: never the picture itself, which would fill the memory."""

    split: str
    position: int
    digest: bytes  # the same only for the same pixels
    hash: int | None  # few bits differ for pictures that look alike


def leakage_report(
    splits: Mapping[str, tf.data.Dataset], *, near_distance: int = cleaning.NEAR_DISTANCE
) -> pd.DataFrame:
    """Find pictures that stand in two splits, as they are or nearly so. Every split is read once, front to back.

    Reading is the test: where a split is made with `take` and `skip` after a `shuffle` that shuffles anew every
    time, each reading draws other pictures, and the report shows what the training would have met.

    Args:
        splits: by name, each of `(uint8 (height, width, 3), label)`.
        near_distance: perceptual hashes of 64 bits that differ in at most so many count as nearly the same; such a
            pair is a hint to look at, not a proof. -1 looks for the same pixels only.

    Returns:
        One row a pair: `kind` (`same` pixels or `nearly the same`), `first_split`, `first_position`,
        `second_split`, `second_position` (0 is the first picture read), `distance` in bits. Several
        copies of a picture within the first split count once.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
        >>> train, test = (tf.data.Dataset.from_tensor_slices((part, [0, 1, 0])) for part in (noise[:3], noise[2:5]))
        >>> leakage_report({"train": train, "test": test})[["kind", "first_position", "second_position"]].values
        array([['same', 2, 0]], dtype=object)
    """
    prints = [shown for name, split in splits.items() for shown in _read_prints(name, split)]
    rows = [
        (kind, first.split, first.position, second.split, second.position, distance)
        for kind, first, second, distance in (*_same(prints), *_nearly_the_same(prints, near_distance))
    ]
    columns = ["kind", "first_split", "first_position", "second_split", "second_position", "distance"]
    return pd.DataFrame(rows, columns=columns)


def _read_prints(name: str, split: tf.data.Dataset) -> Iterator[_Print]:
    for position, (picture, _) in enumerate(split.prefetch(tf.data.AUTOTUNE).as_numpy_iterator()):
        content = repr(picture.shape).encode() + picture.tobytes()
        digest = hashlib.blake2b(content, digest_size=16).digest()
        yield _Print(name, position, digest, cleaning.perceptual_hash(picture))


def _same(prints: Sequence[_Print]) -> Iterator[tuple[str, _Print, _Print, int]]:
    """Pair each picture with the first one of the same pixels in each earlier split."""
    seen: dict[bytes, dict[str, _Print]] = {}
    for second in prints:
        earlier = seen.setdefault(second.digest, {})
        yield from (("same", first, second, 0) for split, first in earlier.items() if split != second.split)
        earlier.setdefault(second.split, second)


def _nearly_the_same(prints: Sequence[_Print], near_distance: int) -> list[tuple[str, _Print, _Print, int]]:
    """Pair the pictures of different splits that look alike but are not the same, the most alike first."""
    pairs = cleaning.near_pairs([shown.hash for shown in prints], near_distance=near_distance)
    found = [
        ("nearly the same", prints[i], prints[j], distance)
        for i, j, distance in pairs
        if prints[i].split != prints[j].split and prints[i].digest != prints[j].digest
    ]
    return sorted(found, key=lambda pair: pair[-1])
