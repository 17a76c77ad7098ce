"""Pictures that are nearly the same: a hash of what they look like, and the search for equal hashes."""

from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

from helpers import images

# Two pictures are nearly the same if their perceptual hashes differ in at most so many of 64 bits. Measured on 3,000
# photos of cats and dogs (4.5 million pairs), 4,000 drawn pets (8 million) and 1,121 photos of skies (0.6 million),
# and with altered copies of 400 of the first; what was found in photos was looked at:
#            chance likenesses        share of copies found
#   bits     pets   drawn   skies     saved again or resized   cut by 2 %   cut by 5 %
#      4        0       0       0                       1.00         0.97         0.52
#      6        0       0       1                       1.00         1.00         0.81
#      8        0       2       5                       1.00         1.00         0.95
#     10        0       7      11                       1.00         1.00         0.99
# Real copies at 6 bits: 1, 0 and 135 pairs. Chance likenesses grow about tenfold with every two bits more (13 and 64
# at 12), and with the square of the number of pictures: 25,000 have 70 times the pairs of 3,000. So 6.
NEAR_DISTANCE = 6
HASH_BITS = 64
# A picture whose shades differ by less (of 255) shows nothing that a hash could describe: all flat pictures, red or
# blue, would have the same one. They are left out of the search. The flattest of the pictures above varies by 54.
FLAT = 8
BLOCK = 2**22  # distances held at a time


def perceptual_hash(image: images.Image) -> int | None:
    """Return 64 bits that stay nearly the same when a picture is saved again, resized or cut a little.

    Each bit says whether one of the 8 x 8 slowest waves in the picture is stronger than their median.

    Args:
        image: uint8 `(height, width, 3)`.

    Returns:
        A number of 64 bits; None for a picture of a single colour, which has nothing to describe.

    Source:
        Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), section 3.2.1.

    Example:
        >>> from skimage import data
        >>> cat = data.chelsea()
        >>> (perceptual_hash(cat) ^ perceptual_hash(images.resize(cat, 100))).bit_count() <= NEAR_DISTANCE
        True
        >>> perceptual_hash(np.full((50, 50, 3), 200, dtype=np.uint8)) is None
        True
    """
    small = Image.fromarray(image).convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    if np.ptp(np.asarray(small)) < FLAT:
        return None
    return int.from_bytes(np.packbits(imagehash.phash(small).hash).tobytes(), "big")


def near_pairs(hashes: Sequence[int | None], *, near_distance: int = NEAR_DISTANCE) -> Iterator[tuple[int, int, int]]:
    """Yield the pairs of pictures whose perceptual hashes nearly agree.

    Every pair is compared: the 312 million of 25,000 pictures take about two seconds, and little memory.

    Args:
        hashes: from `perceptual_hash`; None agrees with nothing.
        near_distance: how many bits may differ.

    Yields:
        `(first, second, distance)`: positions in `hashes`, `first < second`, and how many bits differ.

    Example:
        >>> list(near_pairs([0b1111, 0b0000, None, 0b1110], near_distance=1))
        [(0, 3, 1)]
    """
    for pairs in near_blocks(hashes, near_distance=near_distance):
        yield from map(tuple, pairs.tolist())


def near_blocks(hashes: Sequence[int | None], *, near_distance: int) -> Iterator[np.ndarray]:
    """Yield what `near_pairs` yields as int64 `(pairs, 3)` arrays, for folders full of look-alikes."""
    positions = np.array([i for i, value in enumerate(hashes) if value is not None], dtype=np.int64)
    values = np.array([value for value in hashes if value is not None], dtype=np.uint64)
    rows = max(1, BLOCK // max(1, len(values)))
    for start in range(0, len(values), rows):
        distances = np.bitwise_count(values[start : start + rows, np.newaxis] ^ values[np.newaxis, start:])
        row, column = np.nonzero(np.triu(distances <= near_distance, k=1))
        yield np.stack([positions[start + row], positions[start + column], distances[row, column]], axis=1)
