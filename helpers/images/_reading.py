"""One picture file as an array, by three libraries."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from matplotlib.image import imread
from PIL import Image as PillowImage

from helpers.images._decoding import (
    Decoded,
    Image,
    UnreadableError,
    advise,
    decode,
    narrow,
    pillow_is_quiet,
    put_on_white,
    turn_upright,
)
from helpers.images._files import read_content


def read(path: str | Path) -> Image:
    """Read a picture the way you would see it on a screen.

    The contents decide the format, not the suffix. The rotation that a camera notes in the EXIF data is
    applied, transparent parts show white, and palette, grayscale, CMYK and 16-bit pictures become 8-bit RGB. Where
    16 bits hold values of 8 or 12 bits, as from microscopes, the largest of these is white. Of an animation you get
    the first frame.

    Args:
        path: a file of one of the formats in `SUFFIXES`: JPEG, PNG, HEIC, ...

    Returns:
        uint8 `(height, width, 3)`, RGB.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        ValueError: if the file is damaged, cut short, of another format, or too large to be decoded safely.

    Example:
        >>> from skimage import data_dir
        >>> read(Path(data_dir) / "chelsea.png").shape
        (300, 451, 3)
    """
    return _read_decoded(Path(path))[1].pixels


def read_with_opencv(path: str | Path) -> Image:
    """Read a picture with OpenCV and give what `read` gives: RGB, upright, on white.

    OpenCV delivers blue first; the reversal of the channels is the line to remember. JPEG decoders may differ
    by a few steps of 255. One rare kind comes out differently: a grayscale or RGB PNG with a single color marked
    transparent. Arguments, result and errors are as for `read`.
    """
    # OpenCV fills the missing part of a cut file with gray and goes on; Pillow decodes it first and refuses.
    content, decoded = _read_decoded(Path(path))
    # imdecode, because imread cannot open paths with other than ASCII letters on Windows.
    pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: {advise('OpenCV has no decoder for it, images.read may have one')}")
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]]  # BGR(A) -> RGB(A)
    return turn_upright(put_on_white(narrow(pixels)[0]), decoded.orientation)


def read_with_matplotlib(path: str | Path) -> Image:
    """Read a picture with matplotlib and give what `read` gives: uint8, RGB, upright, on white.

    On its own, matplotlib returns floats in 0..1 for PNG and integers for the rest, keeps alpha, and ignores the
    EXIF rotation. Of 16-bit colors and 32-bit integers it keeps 8 bits; there, you get what `read` gives. One rare
    kind comes out differently: a grayscale or RGB PNG with a single color marked transparent. Arguments, result and
    errors are as for `read`.
    """
    content, decoded = _read_decoded(Path(path))
    try:
        with pillow_is_quiet:
            pixels = imread(BytesIO(content), format=decoded.format)  # left to itself, it believes the suffix
    except PillowImage.UnidentifiedImageError as error:
        raise ValueError(f"{path}: {advise('matplotlib has no decoder for it, images.read may have one')}") from error
    if decoded.bits > 8 and (pixels.dtype == np.uint8 or not decoded.mode.startswith("I")):
        return decoded.pixels
    if np.issubdtype(pixels.dtype, np.floating):
        # 2 and 4 bits come as 0..255, divided by 3 or 15: at most 17 or 85.
        white = (
            65_535 if decoded.mode.startswith("I") else 255 if pixels.max() <= 1 else 15 if pixels.max() <= 17 else 3
        )
        pixels = np.rint(pixels * white).astype(np.uint16 if white > 255 else np.uint8)
    return turn_upright(put_on_white(narrow(pixels)[0]), decoded.orientation)


def _read_decoded(path: Path) -> tuple[bytes, Decoded]:
    try:
        content = read_content(path)
        return content, decode(content, suffix=path.suffix)
    except UnreadableError as error:
        raise ValueError(f"{path}: {error}") from error
