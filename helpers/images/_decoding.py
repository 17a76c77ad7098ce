"""The content of a picture file becomes pixels, and what the file says of them."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from PIL import Image as PillowImage

Image = np.ndarray

# The formats that are read, by Pillow's names, and their suffixes. Named, so that no file chooses a decoder that we did
# not mean to use (Pillow hands EPS files to Ghostscript).
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".jpe", ".jfif"),  # a JPEG with more behind it, as some cameras and phones write
    "PNG": (".png",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "ICO": (".ico",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TGA": (".tga",),
}
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
# A TGA file does not begin like one, so anything could be taken for it: only the suffix or the end of the file tell.
FORMATS = tuple(name for name in SUFFIXES if name not in ("MPO", "HEIF", "TGA"))  # MPO is opened as JPEG
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
DEEP_COLORS = re.compile("'(RGBA?|LA);16")  # in Pillow's words for how values are stored
TGA_END = b"TRUEVISION-XFILE.\0"
# Straight from a camera's sensor; Pillow takes most for TIFF, and finds only a small preview.
RAW_SUFFIXES = frozenset({".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raw", ".rw2"})
# What is met in place of a picture, by how it begins, and what to do.
NO_PICTURES = {
    rb"(?i)\s*(<!doctype html|<html|<head|<body)": "a web page, as servers send for what is gone: download it again",
    rb"(?i)\s*(<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<svg": "an SVG drawing: export it as PNG",
    rb"version https://git-lfs": "a Git LFS pointer, not the file behind it: run 'git lfs pull' where it came from",
    rb".{4}ftyp(qt  |isom|iso2|mp4|M4V|3gp)": "a video: save single frames as pictures",
    rb"RIFF.{4}AVI |\x1aE\xdf\xa3": "a video: save single frames as pictures",
    rb"\xff\x0a|\0\0\0\x0cJXL ": "JPEG XL: export it as JPEG",
    rb"8BPS": "a Photoshop file: export it as JPEG",
    rb"%PDF": "a PDF document: export its pictures",
    rb"%!PS": "a PostScript drawing: export it as PNG",
    rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!": "an archive: unpack it",
    rb"\s*[{\[]": "a text, perhaps a server's answer in place of a picture: download it again",
    rb"\0{16}": "nothing but zeros at its beginning: get it anew from where it came",
    rb"[\t\n\r\x20-\x7e]{16}": "a text: get the picture anew from where it came",
}
EXIF_ORIENTATION = 0x0112
OVERVIEW_SIDE = 64  # pixels that the shorter side of an overview has at least, if the picture has as many
ROWS_AT_ONCE = 256


class Decoded(NamedTuple):
    """A picture, and what its file says of it.

    Attributes:
        pixels: uint8 `(height, width, 3)`, RGB, upright, on white; or an overview `(height, width)`, see `decode`.
        format: Pillow's name of the file format, such as "JPEG".
        mode: Pillow's name of what a pixel holds in the file, such as "RGB", "L", "CMYK".
        orientation: EXIF orientation that was undone, 1 (upright) to 8.
        bits: how many bits hold a value in the file: 8 (or fewer), 16 or 32.
        bits_used: how many of them are used, 8, 12 or 16; the largest number that these hold shows as white.
        transparent: whether parts of it are transparent.
        animated: whether there are more frames or pages behind the first.
        warning: what a decoder complained of and went on; viewers do not show it.
        extent: height and width of the picture, measured in pixels of `pixels`. Shrunk to an eighth, 500 pixels become
            63, the last of which is half empty: the extent is 62.5.
    """

    pixels: Image
    format: str
    mode: str
    orientation: int
    bits: int
    bits_used: int
    transparent: bool
    animated: bool
    warning: str
    extent: tuple[float, float]


class UnreadableError(ValueError):
    """A picture cannot be decoded; `kind` is "unreadable", "truncated", "empty" or "oversized"."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


class _PillowIsQuiet:
    """Hides what Pillow warns of: damaged metadata, of a picture that is whole.

    Filters of warnings belong to all threads: the first one in sets them, and the last one out restores them.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.filterwarnings("ignore", module="PIL")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._before.__exit__(*error)


pillow_is_quiet = _PillowIsQuiet()


def decode(content: bytes, *, suffix: str = "", overview: bool = False) -> Decoded:
    """Decode a picture file's content in full (see `read`).

    Args:
        content: the bytes of the file.
        suffix: how its name ends. It matters only for what does not say itself what it is, as TGA.
        overview: leave out colors and details where that saves time, but nothing of the search for damage. Of a JPEG,
            `pixels` are `(height, width)` then, in the smallest size that has `OVERVIEW_SIDE` pixels a side.

    Raises:
        UnreadableError: if it is damaged, cut short, of another format, or too large to be decoded safely.

    Example:
        >>> from pathlib import Path
        >>> from skimage import data_dir
        >>> decode(Path(data_dir, "chelsea.png").read_bytes()).format
        'PNG'
    """
    if not content:
        raise UnreadableError("empty", advise("the file is empty"))
    if suffix.lower() in RAW_SUFFIXES:
        raise UnreadableError("unreadable", advise("a raw file, straight from a camera's sensor: export it as JPEG"))
    try:
        with pillow_is_quiet:
            return _decode_any(content, suffix.lower(), overview)
    except UnreadableError:
        raise
    except (PillowImage.DecompressionBombError, MemoryError) as error:
        raise UnreadableError(
            "oversized",
            "the picture has too many pixels to be decoded safely, expected at most "
            f"{round(_most_pixels() * 3 / 2**20)} MiB of them. Save a smaller copy with an image program, or set the "
            "file aside.",
        ) from error
    except PillowImage.UnidentifiedImageError as error:
        raise UnreadableError("unreadable", advise(_say_what_it_is(content))) from error
    except Exception as error:  # decoders meet damaged bytes with a dozen kinds of exception
        reason = " ".join(str(error).split()) or type(error).__name__
        cut = re.search("truncated|end of file|insufficient", reason, re.IGNORECASE) or _is_short_riff(content)
        raise UnreadableError("truncated" if cut else "unreadable", advise(reason)) from error


def _decode_any(content: bytes, suffix: str, overview: bool) -> Decoded:
    if is_heif(content[:64]):
        return _decode_heif(content)
    tga = ("TGA",) if suffix in SUFFIXES["TGA"] or content.endswith(TGA_END) else ()
    try:
        with PillowImage.open(BytesIO(content), formats=FORMATS + tga) as picture:
            return _take_apart(picture, content, overview)
    except ValueError as error:
        if "text" not in str(error).lower() or not content.startswith(PNG_START):
            raise
        # Pillow refuses large texts, which nobody looks at: without them, the picture is decoded.
        parts = [content[part.start : part.end] for part in png_parts(content) if part.name not in PNG_TEXTS]
        shorter = b"".join([PNG_START, *parts])
        if len(shorter) == len(content):
            raise
    return _decode_any(shorter, suffix, overview)._replace(warning="large text")


def is_heif(start: bytes) -> bool:
    """Tell HEIC from AVIF, which Pillow reads: both are of one family, and name their kinds at the beginning."""
    return start[4:8] == b"ftyp" and b"avif" not in start and b"avis" not in start and pillow_heif.is_supported(start)


def _decode_heif(content: bytes) -> Decoded:
    heif = pillow_heif.open_heif(BytesIO(content))  # no plugin in Pillow, which would be there for everybody
    if heif.size[0] * heif.size[1] > _most_pixels():
        raise PillowImage.DecompressionBombError
    picture = heif.to_pillow()  # 8 bits, upright
    pixels, transparent = put_on_white(_read_values(picture)), picture.has_transparency_data
    return Decoded(pixels, "HEIF", picture.mode, 1, 8, 8, transparent, len(heif) > 1, "", pixels.shape[:2])


def _take_apart(picture: PillowImage.Image, content: bytes, overview: bool) -> Decoded:
    mode, transparent = picture.mode, picture.has_transparency_data
    pixels, warning, bits, bits_used = None, "", 8, 8
    if picture.format in ("JPEG", "MPO"):
        pixels, warning = _decode_jpeg(content, "CMYK" if mode == "CMYK" else "GRAY" if overview else "RGB")
    if pixels is None:
        deep_colors = DEEP_COLORS.search(str(picture.tile))
        picture.load()  # in full, whoever takes the values out
        values = _read_deep_colors(content) if deep_colors else _read_values(picture)
        values, bits, bits_used = narrow(values)
        pixels = put_on_white(values)
    extent = _measure_extent(picture.height, picture.width, pixels)
    orientation = _read_orientation(picture)
    if orientation >= 5:
        extent = extent[::-1]
    pixels = turn_upright(pixels, orientation)
    # Last, since looking for the next frame may change the mode.
    animated = _is_animated(picture)
    form = picture.format or ""
    return Decoded(pixels, form, mode, orientation, bits, bits_used, transparent, animated, warning, extent)


def _measure_extent(height: int, width: int, pixels: Image) -> tuple[float, float]:
    """Return how many pixels a picture fills that a JPEG decoder may have shrunk to some eighths, and rounded up."""
    for eighths in range(8, 0, -1):
        if (-(-height * eighths // 8), -(-width * eighths // 8)) == pixels.shape[:2]:
            return height * eighths / 8, width * eighths / 8
    return pixels.shape[:2]


def _decode_jpeg(content: bytes, colors: str) -> tuple[Image | None, str]:
    """Decode with the library that Pillow uses too, but hear its warnings; None where Pillow is to do it."""
    side = OVERVIEW_SIDE if colors == "GRAY" else 0
    try:
        pixels = simplejpeg.decode_jpeg(content, colors, min_height=side, min_width=side)
    except ValueError as error:
        return None, str(error)
    if colors == "GRAY":
        return pixels[..., 0], ""  # (height, width, 1) -> (height, width)
    return (pixels if colors == "RGB" else None), ""


def _read_values(picture: PillowImage.Image) -> np.ndarray:
    """Return gray values as they are, or 8-bit RGB or RGBA."""
    if picture.mode == "F":
        raise UnreadableError("unreadable", advise("gray values as floating-point numbers, of unknown range"))
    if picture.mode.startswith("I"):
        return np.asarray(picture)
    return np.array(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))


def _read_deep_colors(content: bytes) -> np.ndarray:
    """Return 16-bit RGB or RGBA, of which Pillow would keep the upper half."""
    pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise UnreadableError("unreadable", advise("16-bit colors that OpenCV cannot decode"))
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]  # BGR(A) -> RGB(A)


def narrow(values: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Bring values of 16 or 32 bits to 8; return them, how many bits they had, and how many are used: 8, 12 or 16."""
    if values.dtype == np.uint8:
        return values, 8, 8
    colors = values if values.ndim == 2 else values[..., :3]
    low, high = int(colors.min()), int(colors.max())
    if low < 0 or high > 65_535:
        raise UnreadableError("unreadable", advise(f"values from {low} to {high}, more than 16 bits hold"))
    used = 8 if high < 2**8 else 12 if high < 2**12 else 16
    narrow = (colors >> (used - 8)).astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 4:
        narrow = np.dstack([narrow, (values[..., 3] >> 8).astype(np.uint8)])
    return narrow, 8 * values.dtype.itemsize, used


def _read_orientation(picture: PillowImage.Image) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; 1 where there is none or it makes no sense."""
    try:
        orientation = picture.getexif().get(EXIF_ORIENTATION, 1)
    except SyntaxError:  # EXIF data that is none: the pixels are fine, so show them as they are
        return 1
    return orientation if orientation in range(1, 9) else 1


def turn_upright(pixels: Image, orientation: int) -> Image:
    """Undo how the camera was held (EXIF 2.32, section 4.6.4, tag Orientation)."""
    if orientation >= 5:  # rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def put_on_white(pixels: Image) -> Image:
    """Turn grayscale, RGB or RGBA into RGB, transparent parts white."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., np.newaxis], 3, axis=2)  # (height, width) -> (height, width, 3)
    if pixels.shape[2] == 3:
        return pixels
    on_white = np.empty((*pixels.shape[:2], 3), dtype=np.uint8)
    for start in range(0, len(pixels), ROWS_AT_ONCE):  # in portions: floats take four times the memory
        rows = slice(start, start + ROWS_AT_ONCE)
        alpha = pixels[rows, :, 3:].astype(np.float32) / 255
        on_white[rows] = np.rint(pixels[rows, :, :3] * alpha + 255 * (1 - alpha))
    return on_white


def _is_animated(picture: PillowImage.Image) -> bool:
    try:
        # MPO: a JPEG with its preview or a second view behind it, as phones and cameras write.
        return picture.format != "MPO" and getattr(picture, "is_animated", False)
    except Exception:  # a later frame is damaged; the first, which is used, is not
        return True


def _most_pixels() -> int:
    return 2 * (PillowImage.MAX_IMAGE_PIXELS or 2**62)  # from where Pillow refuses; 512 MiB as RGB


def _say_what_it_is(content: bytes) -> str:
    for pattern, name in NO_PICTURES.items():
        if re.match(pattern, content[:1024], re.DOTALL):
            return name
    return "unknown format or damaged from the start"


def advise(reason: str) -> str:
    return (
        f"not a readable picture ({reason}). Expected a whole file of a format such as JPEG, PNG or HEIC. "
        "Get it anew from where it came, save it again as JPEG with an image program, or set it aside."
    )


def _is_short_riff(content: bytes) -> bool:
    """Return whether a WebP file ends before the length that its header states."""
    return content[:4] == b"RIFF" and len(content) < int.from_bytes(content[4:8], "little") + 8


class PngPart(NamedTuple):
    """A part of a PNG file: where it is, what it is called, and whether its checksum fits."""

    name: bytes
    start: int
    end: int
    whole: bool


def png_parts(content: bytes) -> Iterator[PngPart]:
    """Yield the parts of a PNG file: length, name, data, checksum (PNG specification, section 5.3)."""
    view, start = memoryview(content), len(PNG_START)
    while start + 12 <= len(view):
        length, name = struct.unpack_from(">I4s", view, start)
        end = start + 12 + length
        if end > len(view):
            return
        yield PngPart(name, start, end, int.from_bytes(view[end - 4 : end]) == zlib.crc32(view[start + 4 : end - 4]))
        start = end
