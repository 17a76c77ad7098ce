"""Find the files that would stop or spoil a training run, before it starts.

Every file is decoded in full: a header can be fine and the picture behind it cut off. Nothing is deleted.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from helpers import images

EXIF_ORIENTATION = 0x0112
PLAIN_FORMATS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L")}


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


def inspect_file(path: Path) -> FileReport:
    """Read and decode one file in full.

    Args:
        path: a picture file.

    Returns:
        A `FileReport`; a damaged file has a `problem`, it does not raise.
    """
    content = Path(path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if not content:
        return FileReport(digest, "the file is empty", plain=False)
    try:
        images.read(path)
    except ValueError as error:
        return FileReport(digest, str(error).removeprefix(f"{path}: "), plain=False)
    with images.quiet_about_metadata(), Image.open(BytesIO(content)) as picture:
        modes = PLAIN_FORMATS.get(picture.format or "", ())
        plain = picture.mode in modes and not _is_turned(picture) and "transparency" not in picture.info
    return FileReport(digest, "", plain=plain)


def _is_turned(picture: Image.Image) -> bool:
    try:
        return picture.getexif().get(EXIF_ORIENTATION, 1) != 1
    except SyntaxError:  # EXIF data that is none: `images.read` does not turn the picture either
        return False


def inspect_files(paths: Sequence[Path]) -> list[FileReport]:
    """Inspect many files side by side, in the order given (see `inspect_file`)."""
    # Threads share Python's warning filters and may restore them in any order: set them here, around all threads.
    with images.quiet_about_metadata(), ThreadPoolExecutor() as pool:
        return list(pool.map(inspect_file, paths))
