"""One file: can it be decoded, and what is in it?"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers import images

PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L")}
JPEG_END = b"\xff\xd9"
PNG_END = b"IEND\xaeB`\x82"  # the last part, which is empty, and its checksum
# Where a JPEG's end is looked for: behind it, a phone may append a film.
TAIL = 64 * 1024
# Zeros in place of the rest of a file: what a full disk or a broken-off download leaves, in whole disk blocks.
DISK_BLOCK = 512


class FileReport(NamedTuple):
    """What was found in one file.

    Attributes:
        digest: SHA-256 of the file's content, in hexadecimal.
        problem: why the file cannot be used; empty if it can.
        plain: whether any JPEG or PNG decoder gives the right picture: RGB or grey, 8 bit, not to be turned.
    """

    digest: str
    problem: str
    plain: bool


class DamagedError(ValueError):
    """A file cannot be decoded; `kind` is the kind of finding that is."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


class Header(NamedTuple):
    """What a picture file says of itself."""

    format: str
    mode: str
    transparent: bool
    animated: bool
    turned: bool


def inspect_file(path: Path) -> FileReport:
    """Read and decode one file in full.

    Args:
        path: a picture file.

    Returns:
        A `FileReport`; a file that is damaged or may not be read has a `problem`, it does not raise.
    """
    path = Path(path)
    try:
        digest = digest_of(path)
    except PermissionError as error:
        return FileReport("", error.strerror or str(error), plain=False)
    try:
        decode(path)
        header = read_header(path)
    except DamagedError as error:
        return FileReport(digest, str(error), plain=False)
    plain = (
        header.mode in PLAIN_FORMATS.get(header.format, ())
        and not header.turned
        and not header.transparent
        and (header.format != "JPEG" or JPEG_END in _tail(path, TAIL))
    )
    return FileReport(digest, "", plain=plain)


def inspect_files(paths: Sequence[Path]) -> list[FileReport]:
    """Inspect many files side by side, in the order given (see `inspect_file`)."""
    # Threads share Python's warning filters and may restore them in any order: set them here, around all threads.
    with images.quiet_about_metadata(), ThreadPoolExecutor() as pool:
        return list(pool.map(inspect_file, paths))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, however large, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(-min(size, path.stat().st_size), os.SEEK_END)
        return file.read()


def decode(path: Path) -> np.ndarray:
    """Return the pixels, or raise `DamagedError`; stricter than a viewer, which shows whatever is there."""
    if path.stat().st_size == 0:
        raise DamagedError("empty", "the file is empty")
    try:
        pixels = images.read(path)
    except ValueError as error:
        kind = _kind_of(error.__cause__, path)
        raise DamagedError(kind, str(error).removeprefix(f"{path}: ")) from error
    _check_end(path)
    return pixels


def _kind_of(cause: BaseException | None, path: Path) -> str:
    if isinstance(cause, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return "oversized"
    return "truncated" if "truncated" in str(cause).lower() or _is_short_riff(path) else "unreadable"


def _is_short_riff(path: Path) -> bool:
    """Return whether a WebP file ends before the length that its header states."""
    with path.open("rb") as file:
        start = file.read(8)
    return start[:4] == b"RIFF" and path.stat().st_size < int.from_bytes(start[4:], "little") + 8


def _check_end(path: Path) -> None:
    """Refuse what Pillow decodes without a word although a part is missing; TensorFlow stops at some of it."""
    with images.quiet_about_metadata(), _open(path) as picture:
        if picture.format == "PNG":
            try:
                picture.verify()  # the checksum of every part
            except Exception as error:  # of a dozen kinds, as in `images.read`
                raise DamagedError(_kind_of(error, path), _unreadable(str(error))) from error
            if PNG_END not in path.read_bytes():
                raise DamagedError("truncated", _unreadable("truncated PNG file"))
        elif picture.format == "JPEG" and _is_filled_up(path):
            raise DamagedError("truncated", _unreadable("cut short and filled up with zeros"))


def _is_filled_up(path: Path) -> bool:
    return not any(_tail(path, DISK_BLOCK)) and not path.read_bytes().rstrip(b"\0").endswith(JPEG_END)


def _unreadable(reason: str) -> str:
    return f"not a readable picture ({reason}). Expected a whole file. Get it anew from where it came, or set it aside."


def read_header(path: Path) -> Header:
    """Return what a file that can be decoded says of itself."""
    with images.quiet_about_metadata(), _open(path) as picture:
        # Before the next frame is looked for: that may change the mode.
        mode, transparent, turned = picture.mode, picture.has_transparency_data, images.read_orientation(picture) != 1
        return Header(picture.format or "", mode, transparent, _is_animated(picture), turned)


def _open(path: Path) -> Image.Image:
    return Image.open(path, formats=images.FORMATS)


def _is_animated(picture: Image.Image) -> bool:
    try:
        # MPO: a JPEG with its preview or a second view behind it, as phones and cameras write.
        return picture.format != "MPO" and getattr(picture, "is_animated", False)
    except Exception:  # a later frame is damaged; the first, which is used, is not
        return True
