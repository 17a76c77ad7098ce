"""One file: can it be used, what is in it, and what does it resemble? Everything from one opening."""

import functools
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers import files, images

KINDS = (
    "unreadable",
    "truncated",
    "empty",
    "oversized",
    "wrong extension",
    "cmyk",
    "alpha",
    "grey",
    "animated",
    "depth",
    "duplicate",
    "near duplicate",
)
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L")}
JPEG_END = b"\xff\xd9"
# Where a JPEG's end is looked for: behind it, a phone may append a film.
TAIL = 64 * 1024
# Zeros in place of the rest of a file: what a full disk or a broken-off download leaves, in whole disk blocks.
DISK_BLOCK = 512
# Bytes in which every value occurs, unless line ends were changed: by chance, one JPEG in 10^13 has none of one value.
LONG = 8192
# What a JPEG decoder complains of although every pixel is there. Stray bytes before the end (marker d9) are common;
# before another scan (c4, da) they are the rest of a damaged one.
HARMLESS = re.compile("extraneous bytes before marker 0x(?!c4|da)|JFIF|Adobe|ICC|SOS|progression|large text")

# Two pictures are nearly the same if their perceptual hashes differ in at most so many of 64 bits. Measured on 3,000
# photos of cats and dogs (4.5 million pairs), 4,000 drawn pets (8 million) and 1,121 photos of skies (0.6 million),
# and with altered copies of 400 of the first; what was found in photos was looked at:
#            chance likenesses        share of copies found
#   bits     pets   drawn   skies     saved again or resized   cut by 2 %   cut by 5 %
#      4        0       0       0                       1.00         0.95         0.47
#      6        0       0       1                       1.00         0.99         0.79
#      8        0       2       5                       1.00         1.00         0.93
#     10        0       8      11                       1.00         1.00         0.98
# Real copies at 6 bits: 1, 0 and 134 pairs. Chance likenesses grow about tenfold with every two bits more (13 and 72
# at 12), and with the square of the number of pictures: 25,000 have 70 times the pairs of 3,000. So 6.
NEAR_DISTANCE = 6
HASH_BITS = 64
# A picture whose shades differ by less (of 255) shows nothing that a hash could describe: all flat pictures, red or
# blue, would have the same one. They are left out of the search. The flattest of the pictures above varies by 54.
FLAT = 8
BLOCK = 2**22  # distances held at a time
PORTION = 512  # files that are looked at before their likenesses are computed
FILES_AT_ONCE = 8  # per thread: for single ones, handing them over would take as long as decoding them


class Inspection(NamedTuple):
    """What was found in one file.

    Attributes:
        digest: SHA-256 of the content, in hexadecimal; empty if it could not be read.
        kind: kind of the problem, one of `KINDS`; empty if the file can be used.
        problem: one line that says why it cannot be used; empty if it can.
        plain: whether TensorFlow's decoders give exactly what `images.read` gives.
        likeness: `perceptual_hash` of the picture; None if it is flat or cannot be used.
        remarks: (kind, detail) of what is odd about a file that can be used.
    """

    digest: str
    kind: str = ""
    problem: str = ""
    plain: bool = False
    likeness: int | None = None
    remarks: tuple[tuple[str, str], ...] = ()


class _Overview(NamedTuple):
    """The brightness of a picture in few pixels, uint8 (h, w), and how many of them it fills."""

    gray: np.ndarray
    extent: tuple[float, float]


_Looked = tuple[Inspection, _Overview | None]  # what was found in a file but for its likeness, and what that is made of


def inspect_files(paths: Sequence[str | Path], *, progress: bool = False) -> list[Inspection]:
    """Inspect many files side by side, in the order given (see `inspect_file`); `progress` shows a bar."""
    # Threads, since decoding and hashing leave Python's lock alone; in portions, so that memory stays flat.
    starts = range(0, len(paths), PORTION)
    workers = (os.cpu_count() or 1) + 1  # one waits for the disk
    with images.pillow_is_quiet, ThreadPoolExecutor(workers) as pool:  # quiet once, not once per file
        portions = (_inspect_portion(paths[start : start + PORTION], pool) for start in starts)
        inspections = (inspection for portion in portions for inspection in portion)
        return list(files.progress(inspections, unit="picture", total=len(paths), disable=not progress))


def _inspect_portion(paths: Sequence[str | Path], pool: ThreadPoolExecutor) -> Iterator[Inspection]:
    starts = range(0, len(paths), FILES_AT_ONCE)
    parts = pool.map(_look_at_files, (paths[start : start + FILES_AT_ONCE] for start in starts))
    inspections, overviews = zip(*(looked for part in parts for looked in part), strict=True)
    likenesses = _compare_waves(overviews)  # here: for many at once it is quick, and threads would wait for the lock
    for inspection, likeness in zip(inspections, likenesses, strict=True):
        yield inspection._replace(likeness=likeness)


def _look_at_files(paths: Sequence[str | Path]) -> list[_Looked]:
    return [_look_at_file(path) for path in paths]


def inspect_file(path: str | Path) -> Inspection:
    """Read and decode one file in full.

    Args:
        path: a picture file, or whatever else a file system holds.

    Returns:
        An `Inspection`. What is damaged, no file, not there or may not be read has a `problem`; it does not raise.
    """
    return _add_likeness(_look_at_file(path))


def _add_likeness(looked: _Looked) -> Inspection:
    inspection, overview = looked
    return inspection._replace(likeness=_compare_waves([overview])[0])


def _look_at_file(path: str | Path) -> _Looked:
    path = Path(path)
    try:
        content = images.read_content(path)
    except images.UnreadableError as error:
        return Inspection("", error.kind, _say_why_closed(path) or str(error)), None
    except FileNotFoundError:
        gone = "a link that leads nowhere" if os.path.islink(path) else "there is no such file any more"
        return Inspection("", "unreadable", f"{gone}. Take it away, or put back what it was."), None
    except (ValueError, MemoryError) as error:  # a name that no file can have; more than fits
        return Inspection("", "unreadable", f"the file cannot be read ({error})"), None
    return _look_at(content, path.suffix.lower())


def _say_why_closed(path: Path) -> str:
    """Say what is wrong with a folder that stands for all that would be in it (see `images.walk`)."""
    try:
        if os.path.isdir(path):
            images.scan(path)
    except OSError as error:
        return f"the folder cannot be opened ({error.strerror}), nothing in it is used. Check its permissions."
    return ""


def inspect_content(content: bytes) -> Inspection:
    """Decode the content of one file in full, such as a record of a data set (see `inspect_file`).

    Example:
        >>> inspect_content(b"no picture").kind
        'unreadable'
    """
    return _add_likeness(_look_at(content, None))


def _look_at(content: bytes, suffix: str | None) -> _Looked:
    digest = hashlib.sha256(content).hexdigest()
    if not content:
        return Inspection(digest, "empty", "the file is empty"), None
    try:
        decoded = images.decode(content, suffix=suffix or "", overview=True)
        _check_whole(content, decoded)
    except images.UnreadableError as error:
        return Inspection(digest, error.kind, str(error)), None
    remarks = (*_misnamed(decoded.format, suffix), *_oddities(decoded))
    overview = _make_overview(decoded.pixels, decoded.extent)
    return Inspection(digest, plain=_is_plain(content, decoded), remarks=remarks), overview


def _check_whole(content: bytes, decoded: images.Decoded) -> None:
    """Refuse what decodes without an error although a part is missing or wrong."""
    if decoded.format == "PNG":
        _check_png(content)
    elif decoded.format == "JPEG" and not any(content[-DISK_BLOCK:]) and not content.rstrip(b"\0").endswith(JPEG_END):
        raise images.UnreadableError("truncated", _unreadable("cut short and filled up with zeros"))
    elif decoded.warning and (not HARMLESS.search(decoded.warning) or _is_overwritten(content)):
        raise images.UnreadableError("unreadable", _unreadable(f"damaged in the middle: {decoded.warning}"))


def _is_overwritten(content: bytes) -> bool:
    """Tell why a JPEG has bytes to spare: sent as a text, which changes line ends, or zeros written over a part."""
    scan = content[content.find(b"\xff\xda") :]
    as_text = scan.count(b"\n") == scan.count(b"\r\n") or b"\r" not in scan
    return (as_text and len(scan) >= LONG) or bytes(DISK_BLOCK // 2) in scan.removesuffix(JPEG_END).rstrip(b"\0")


def _check_png(content: bytes) -> None:
    for part in images.png_parts(content):
        if not part.whole and part.name[:1].isupper():  # a small letter: the picture can be shown without it
            name = part.name.decode("ascii", "backslashreplace")
            raise images.UnreadableError("unreadable", _unreadable(f"broken checksum in part {name}"))
        if part.name == b"IEND":
            return
    raise images.UnreadableError("truncated", _unreadable("truncated PNG file"))


def _unreadable(reason: str) -> str:
    return f"not a readable picture ({reason}). Expected a whole file. Get it anew from where it came, or set it aside."


def _is_plain(content: bytes, decoded: images.Decoded) -> bool:
    return (
        decoded.mode in PLAIN_FORMATS.get(decoded.format, ())
        and decoded.orientation == 1
        and decoded.bits == 8
        and not (decoded.transparent or decoded.warning)
        and (decoded.format != "JPEG" or content.rfind(JPEG_END, -TAIL) > 0)
    )


def _misnamed(format_: str, suffix: str | None) -> Iterator[tuple[str, str]]:
    if suffix is not None and suffix not in images.SUFFIXES[format_]:
        name = "JPEG" if format_ == "MPO" else format_
        named = f"named '{suffix}'" if suffix else "without a suffix"
        yield (
            "wrong extension",
            f"a {name} picture {named}: rename it to '{images.SUFFIXES[format_][0]}' for other programs",
        )


def _oddities(decoded: images.Decoded) -> Iterator[tuple[str, str]]:
    mode = decoded.mode
    if mode == "CMYK":
        yield "cmyk", "four inks as for print, converted to red, green and blue"
    if decoded.transparent:
        yield "alpha", "transparent parts, shown on white"
    if mode.startswith(("1", "L", "I")) and mode != "LAB":
        depth = "black and white only" if mode == "1" else f"{decoded.bits} bits"
        yield "grey", f"one channel ({depth}), repeated into three"
    if decoded.bits_used < min(decoded.bits, 16):
        top = 2**decoded.bits_used - 1
        yield "depth", f"{decoded.bits} bits per value, of which {decoded.bits_used} are used: {top:,} shows as white"
    if decoded.animated:
        yield "animated", "several frames or pages, the first is used"


# --- Likeness ----------------------------------------------------------------------------------------------------


def perceptual_hash(image: images.Image, *, extent: tuple[float, float] | None = None) -> int | None:
    """Return 64 bits that stay nearly the same when a picture is saved again, resized or cut a little.

    Each bit says whether one of the 8 x 8 slowest waves in the picture is stronger than their median.

    Args:
        image: uint8 `(height, width, 3)`, or its brightness alone, `(height, width)`.
        extent: height and width in pixels where the last row or column is filled in part (see `images.Decoded`).

    Returns:
        A number of 64 bits; None for a picture of a single colour, which has nothing to describe.

    Source:
        Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), section 3.2.1; without its
        step of 32 x 32 pixels, which every size would reach by another filter.

    Example:
        >>> from skimage import data
        >>> cat = data.chelsea()
        >>> (perceptual_hash(cat) ^ perceptual_hash(images.resize(cat, 100))).bit_count() <= NEAR_DISTANCE
        True
        >>> perceptual_hash(np.full((50, 50, 3), 200, dtype=np.uint8)) is None
        True
    """
    return _compare_waves([_make_overview(image, extent or image.shape[:2])])[0]


def _make_overview(image: images.Image, extent: tuple[float, float]) -> _Overview:
    # What is larger is averaged in whole blocks first, which changes slow waves little.
    factor = max(1, min(image.shape[:2]) // images.OVERVIEW_SIDE)
    if factor > 1 or image.ndim == 3:
        image = np.asarray(Image.fromarray(image).reduce(factor).convert("L"))
    return _Overview(image, (extent[0] / factor, extent[1] / factor))


def _compare_waves(overviews: Sequence[_Overview | None]) -> list[int | None]:
    """Return the perceptual hash of each picture; those of one shape are worked out together."""
    hashes: list[int | None] = [None] * len(overviews)
    groups: dict[tuple, list[int]] = {}
    for position, overview in enumerate(overviews):
        if overview:
            groups.setdefault((overview.gray.shape, overview.extent), []).append(position)
    for ((h, w), (height, width)), positions in groups.items():
        grays = np.stack([overviews[position].gray for position in positions])  # (b, h, w)
        waves = (_slow_waves(h, height) @ grays @ _slow_waves(w, width).T).reshape(-1, HASH_BITS)  # (b, 8, 8)
        waves = waves.round(6)  # what is 0 is 0 on every processor
        ordered = np.sort(waves)
        medians = (ordered[:, HASH_BITS // 2 - 1] + ordered[:, HASH_BITS // 2]) / 2
        bits = np.packbits(waves > medians[:, np.newaxis], axis=1)  # (b, 64) -> (b, 8), eight bits per byte
        shown = grays.max(axis=(1, 2)).astype(int) - grays.min(axis=(1, 2)) >= FLAT
        for position, packed in zip(np.array(positions)[shown], bits[shown], strict=True):
            hashes[position] = int.from_bytes(packed.tobytes(), "big")
    return hashes


@functools.lru_cache(maxsize=1024)
def _slow_waves(pixels: int, extent: float) -> np.ndarray:
    """Return the eight slowest waves along some pixels, (8, pixels): a discrete cosine transform (II).

    The last pixel may be filled in part: it counts for as much as is in it, and at the middle of that.
    """
    begins = np.arange(pixels)
    filled = np.minimum(1, extent - begins)
    return np.cos(np.pi / extent * np.outer(np.arange(8), begins + filled / 2)) * filled / extent


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
