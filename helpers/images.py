"""One picture as an array: read it, make it grayscale, resize it, scale it, count its values.

Pictures are uint8 arrays of shape `(height, width, 3)`, channels in the order red, green, blue; values run
from 0 (none of that light) to 255 (all of it). Nothing here needs TensorFlow.
"""

import os
import re
import stat
import struct
import warnings
import zlib
from collections import deque
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple

import cv2
import numpy as np
import pillow_heif
import simplejpeg
from matplotlib.image import imread
from PIL import ImageOps
from PIL import Image as PillowImage

Image = np.ndarray
ScaleMode = Literal["unit", "tf", "torch", "caffe"]
ResizeMode = Literal["stretch", "pad", "crop"]

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
# Folders that programs leave: rubbish bins, previews and snapshots of disks and NAS systems, archives made on a Mac.
LEFT_BY_PROGRAMS = frozenset(
    {"$recycle.bin", "recycler", "recycled", "#recycle", "@recycle", "@eadir", "#snapshot", "@recently-snapshot"}
    | {"lost+found", "system volume information", "__macosx", "__pycache__"}
)
# A file that is larger than any picture that fits into memory is not read at all.
MAX_FILE_BYTES = 2**30

# Recommendation ITU-R BT.601-7, section 2.5.1: how much red, green and blue add to perceived brightness.
LUMINOSITY_WEIGHTS = (0.299, 0.587, 0.114)
# Mean and standard deviation of red, green and blue in ImageNet's training pictures, on the 0..1 scale.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# Means of blue, green and red in the same pictures, 0..255, as models made with the Caffe library use them.
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)

ROWS_AT_ONCE = 256

EXIF_ORIENTATION = 0x0112


# --- Reading ------------------------------------------------------------------------------------------------


class Decoded(NamedTuple):
    """A picture, and what its file says of it.

    Attributes:
        pixels: uint8 `(height, width, 3)`, RGB, upright, on white; or `(height, width)`, see `decode`.
        format: Pillow's name of the file format, such as "JPEG".
        mode: Pillow's name of what a pixel holds in the file, such as "RGB", "L", "CMYK".
        orientation: EXIF orientation that was undone, 1 (upright) to 8.
        bits: how many bits hold a value in the file: 8 (or fewer), 16 or 32.
        bits_used: how many of them are used, 8, 12 or 16; the largest number that these hold shows as white.
        transparent: whether parts of it are transparent.
        animated: whether there are more frames or pages behind the first.
        warning: what a decoder complained of and went on; viewers do not show it.
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


class UnreadableError(ValueError):
    """A picture cannot be decoded; `kind` is "unreadable", "truncated", "empty" or "oversized"."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


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
        raise ValueError(f"{path}: {_advise('OpenCV has no decoder for it, images.read may have one')}")
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]]  # BGR(A) -> RGB(A)
    return _turn_upright(_put_on_white(_narrow(pixels)[0]), decoded.orientation)


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
        raise ValueError(f"{path}: {_advise('matplotlib has no decoder for it, images.read may have one')}") from error
    if decoded.bits > 8 and (pixels.dtype == np.uint8 or not decoded.mode.startswith("I")):
        return decoded.pixels
    if np.issubdtype(pixels.dtype, np.floating):
        # 2 and 4 bits come as 0..255, divided by 3 or 15: at most 17 or 85.
        white = (
            65_535 if decoded.mode.startswith("I") else 255 if pixels.max() <= 1 else 15 if pixels.max() <= 17 else 3
        )
        pixels = np.rint(pixels * white).astype(np.uint16 if white > 255 else np.uint8)
    return _turn_upright(_put_on_white(_narrow(pixels)[0]), decoded.orientation)


def find_files(folder: str | Path) -> list[Path]:
    """List the pictures in a folder and below it, in the order of their paths.

    A file counts as a picture by its suffix (see `IMAGE_SUFFIXES`). Hidden files and folders are left out:
    archives made on a Mac bring a `._cat.jpg` beside each `cat.jpg`.

    Args:
        folder: where to look.

    Returns:
        Paths that begin with `folder`; empty if there is no picture.

    Raises:
        FileNotFoundError: if there is nothing at `folder`.
        NotADirectoryError: if `folder` is a file.
    """
    folder = Path(folder)
    require_folder(folder)
    return [path for path in walk(folder) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def require_folder(folder: Path) -> None:
    """Raise FileNotFoundError or NotADirectoryError if `folder` is none."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: there is no such folder. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: this is a file, expected a folder. Give the folder it is in.")


def walk(folder: Path, *, apart: int = 1) -> list[Path]:
    """List all files below a folder: the one rule for links, and for what is nobody's picture.

    Links are followed, but not in circles. Where several paths lead to one file, the one with the fewest links is
    listed. Hidden files and folders are left out, and folders that programs leave. A folder that cannot be opened is
    listed itself.

    Args:
        folder: where to look.
        apart: how many levels of folders are looked through each by itself: 1 for classes, 2 for splits of classes.
            A file that two of these folders link to is listed in both.

    Returns:
        Paths that begin with `folder`, in order.
    """
    top = Path(os.path.realpath(folder))
    seen, found = set(), {}
    pending = deque([(folder, top)])
    while pending:
        here, real_here = pending.popleft()
        group = here.relative_to(folder).parts[:apart]
        if (group, real_here) in seen:
            continue
        seen.add((group, real_here))
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            if here == folder:
                raise
            found[group, real_here] = (0, here)
            continue
        for entry in entries:
            if is_passed_over(entry.name):
                continue
            path, link = here / entry.name, entry.is_symlink()
            real = Path(os.path.realpath(path)) if link else real_here / entry.name
            if not os.path.isdir(path):  # noqa: PTH112 - `Path.is_dir` raises where it may not look
                way = (_count_links(path) if link else 0, path)
                found[group, real] = min(way, found.get((group, real), way))
            elif not (real_here.is_relative_to(real) or top.is_relative_to(real)):  # a link upwards leads in circles
                (pending.append if link else pending.appendleft)((path, real))  # links last: they have been seen then
    return sorted((path for _, path in found.values()), key=lambda path: path.as_posix())


def is_passed_over(name: str) -> bool:
    """Return whether a file or folder is nobody's picture or class by its name: hidden, or left by a program."""
    return name.startswith(".") or name.lower() in LEFT_BY_PROGRAMS


def _count_links(path: Path) -> int:
    """Return how many links lead from a path to its file, 0 for the file itself, 99 if they lead in circles."""
    for count in range(99):
        if not path.is_symlink():
            return count
        path = path.parent / path.readlink()
    return 99


def is_picture(path: Path) -> bool:
    """Return whether a file begins as a picture does, whatever it is called."""
    try:
        with path.open("rb") as file:
            if _is_heif(file.read(64)):
                return True
        with pillow_is_quiet, PillowImage.open(path, formats=FORMATS):
            return True
    except Exception:  # no picture, or too damaged to show that it was one
        return False


def read_content(path: Path) -> bytes:
    """Return the bytes of a picture file.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        UnreadableError: if it is no file, cannot be read or has more than `MAX_FILE_BYTES`.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError(
                "unreadable", "this is a folder, expected one picture. List its pictures with find_files()."
            )
        if not stat.S_ISREG(status.st_mode):  # reading from a pipe could wait for ever, and from a device never end
            raise UnreadableError("unreadable", "this is a pipe, a socket or a device, expected a file. Take it away.")
        if status.st_size > MAX_FILE_BYTES:
            raise UnreadableError(
                "oversized",
                f"the file has more than {MAX_FILE_BYTES >> 20:,} MiB, expected a picture. Save a smaller copy.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file. Check the name and the folder.") from None
    except OSError as error:
        raise UnreadableError(
            "unreadable", f"the file cannot be read ({error.strerror or error}). Check its permissions and the disk."
        ) from error


def decode(content: bytes, *, suffix: str = "", brightness_only: bool = False) -> Decoded:
    """Decode a picture file's content in full (see `read`).

    Args:
        content: the bytes of the file.
        suffix: how its name ends. It matters only for what does not say itself what it is, as TGA.
        brightness_only: leave out the colors where that saves time: of a JPEG, `pixels` are `(height, width)` then.

    Raises:
        UnreadableError: if it is damaged, cut short, of another format, or too large to be decoded safely.

    Example:
        >>> from skimage import data_dir
        >>> decode(Path(data_dir, "chelsea.png").read_bytes()).format
        'PNG'
    """
    if not content:
        raise UnreadableError("empty", _advise("the file is empty"))
    if suffix.lower() in RAW_SUFFIXES:
        raise UnreadableError("unreadable", _advise("a raw file, straight from a camera's sensor: export it as JPEG"))
    try:
        with pillow_is_quiet:
            return _decode_any(content, suffix.lower(), brightness_only)
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
        raise UnreadableError("unreadable", _advise(_say_what_it_is(content))) from error
    except Exception as error:  # decoders meet damaged bytes with a dozen kinds of exception
        reason = " ".join(str(error).split()) or type(error).__name__
        cut = re.search("truncated|end of file|insufficient", reason, re.IGNORECASE) or _is_short_riff(content)
        raise UnreadableError("truncated" if cut else "unreadable", _advise(reason)) from error


def _decode_any(content: bytes, suffix: str, brightness_only: bool) -> Decoded:
    if _is_heif(content[:64]):
        return _decode_heif(content)
    tga = ("TGA",) if suffix in SUFFIXES["TGA"] or content.endswith(TGA_END) else ()
    try:
        with PillowImage.open(BytesIO(content), formats=FORMATS + tga) as picture:
            return _take_apart(picture, content, brightness_only)
    except ValueError as error:
        if "text" not in str(error).lower() or not content.startswith(PNG_START):
            raise
    # Pillow refuses large texts, which nobody looks at: without them, the picture is decoded.
    parts = [content[part.start : part.end] for part in png_parts(content) if part.name not in PNG_TEXTS]
    return _decode_any(b"".join([PNG_START, *parts]), suffix, brightness_only)._replace(warning="large text")


def _read_decoded(path: Path) -> tuple[bytes, Decoded]:
    try:
        content = read_content(path)
        return content, decode(content, suffix=path.suffix)
    except UnreadableError as error:
        raise ValueError(f"{path}: {error}") from error


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


def _most_pixels() -> int:
    return 2 * (PillowImage.MAX_IMAGE_PIXELS or 2**62)  # from where Pillow refuses; 512 MiB as RGB


def _say_what_it_is(content: bytes) -> str:
    for pattern, name in NO_PICTURES.items():
        if re.match(pattern, content[:1024], re.DOTALL):
            return name
    return "unknown format or damaged from the start"


def _advise(reason: str) -> str:
    return (
        f"not a readable picture ({reason}). Expected a whole file of a format such as JPEG, PNG or HEIC. "
        "Get it anew from where it came, save it again as JPEG with an image program, or set it aside."
    )


def _is_short_riff(content: bytes) -> bool:
    """Return whether a WebP file ends before the length that its header states."""
    return content[:4] == b"RIFF" and len(content) < int.from_bytes(content[4:8], "little") + 8


def _is_heif(start: bytes) -> bool:
    """Tell HEIC from AVIF, which Pillow reads: both are of one family, and name their kinds at the beginning."""
    return start[4:8] == b"ftyp" and b"avif" not in start and b"avis" not in start and pillow_heif.is_supported(start)


def _decode_heif(content: bytes) -> Decoded:
    heif = pillow_heif.open_heif(BytesIO(content))  # no plugin in Pillow, which would be there for everybody
    if heif.size[0] * heif.size[1] > _most_pixels():
        raise PillowImage.DecompressionBombError
    picture = heif.to_pillow()  # 8 bits, upright
    pixels, transparent = _put_on_white(_read_values(picture)), picture.has_transparency_data
    return Decoded(pixels, "HEIF", picture.mode, 1, 8, 8, transparent, len(heif) > 1, "")


def _take_apart(picture: PillowImage.Image, content: bytes, brightness_only: bool) -> Decoded:
    mode, transparent = picture.mode, picture.has_transparency_data
    pixels, warning, bits, bits_used = None, "", 8, 8
    if picture.format in ("JPEG", "MPO"):
        pixels, warning = _decode_jpeg(content, "CMYK" if mode == "CMYK" else "GRAY" if brightness_only else "RGB")
    if pixels is None:
        deep_colors = DEEP_COLORS.search(str(picture.tile))
        picture.load()  # in full, whoever takes the values out
        values = _read_deep_colors(content) if deep_colors else _read_values(picture)
        narrow, bits, bits_used = _narrow(values)
        pixels = _put_on_white(narrow)
    orientation = _read_orientation(picture)
    pixels = _turn_upright(pixels, orientation)
    # Last, since looking for the next frame may change the mode.
    animated = _is_animated(picture)
    return Decoded(pixels, picture.format or "", mode, orientation, bits, bits_used, transparent, animated, warning)


def _decode_jpeg(content: bytes, colors: str) -> tuple[Image | None, str]:
    """Decode with the library that Pillow uses too, but hear its warnings; None where Pillow is to do it."""
    try:
        pixels = simplejpeg.decode_jpeg(content, colors)
    except ValueError as error:
        return None, str(error)
    if colors == "GRAY":
        return pixels[..., 0], ""  # (height, width, 1) -> (height, width)
    return (pixels if colors == "RGB" else None), ""


def _read_values(picture: PillowImage.Image) -> np.ndarray:
    """Return gray values as they are, or 8-bit RGB or RGBA."""
    if picture.mode == "F":
        raise UnreadableError("unreadable", _advise("gray values as floating-point numbers, of unknown range"))
    if picture.mode.startswith("I"):
        return np.asarray(picture)
    return np.array(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))


def _read_deep_colors(content: bytes) -> np.ndarray:
    """Return 16-bit RGB or RGBA, of which Pillow would keep the upper half."""
    pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise UnreadableError("unreadable", _advise("16-bit colors that OpenCV cannot decode"))
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]  # BGR(A) -> RGB(A)


def _narrow(values: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Bring values of 16 or 32 bits to 8; return them, how many bits they had, and how many are used: 8, 12 or 16."""
    if values.dtype == np.uint8:
        return values, 8, 8
    colors = values if values.ndim == 2 else values[..., :3]
    low, high = int(colors.min()), int(colors.max())
    if low < 0 or high > 65_535:
        raise UnreadableError("unreadable", _advise(f"values from {low} to {high}, more than 16 bits hold"))
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


def _is_animated(picture: PillowImage.Image) -> bool:
    try:
        # MPO: a JPEG with its preview or a second view behind it, as phones and cameras write.
        return picture.format != "MPO" and getattr(picture, "is_animated", False)
    except Exception:  # a later frame is damaged; the first, which is used, is not
        return True


def _turn_upright(pixels: Image, orientation: int) -> Image:
    """Undo how the camera was held (EXIF 2.32, section 4.6.4, tag Orientation)."""
    if orientation >= 5:  # rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _put_on_white(pixels: Image) -> Image:
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


# --- Grayscale ----------------------------------------------------------------------------------------------


def to_grey_mean(image: Image) -> Image:
    """Return the mean of red, green and blue of each pixel.

    Args:
        image: uint8 `(height, width, 3)`.

    Returns:
        uint8 `(height, width)`, rounded to the nearest whole number.

    Raises:
        ValueError: for another shape or dtype.

    Example:
        >>> to_grey_mean(np.array([[[255, 0, 0], [10, 20, 30]]], dtype=np.uint8))
        array([[85, 20]], dtype=uint8)
    """
    _require_image(image, colour=True)
    return np.rint(image.mean(axis=2)).astype(np.uint8)


def to_grey_mean_3d(image: Image) -> Image:
    """Return the mean of each pixel in all three channels: grey to look at, in the shape of a colour picture.

    Args:
        image: uint8 `(height, width, 3)`.

    Returns:
        uint8 `(height, width, 3)`, the three channels equal.

    Raises:
        ValueError: for another shape or dtype.

    Example:
        >>> to_grey_mean_3d(np.array([[[255, 0, 0]]], dtype=np.uint8))
        array([[[85, 85, 85]]], dtype=uint8)
    """
    return np.repeat(to_grey_mean(image)[..., np.newaxis], 3, axis=2)


def to_grey_luminosity(image: Image) -> Image:
    """Return the brightness of each pixel as an eye sees it: green counts most, blue least.

    Args:
        image: uint8 `(height, width, 3)`.

    Returns:
        uint8 `(height, width)`: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601-7, section 2.5.1),
        rounded.

    Raises:
        ValueError: for another shape or dtype.

    Example:
        >>> to_grey_luminosity(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8))
        array([[ 76, 150,  29]], dtype=uint8)
    """
    _require_image(image, colour=True)
    return np.rint(image @ np.array(LUMINOSITY_WEIGHTS)).astype(np.uint8)


# --- Size ---------------------------------------------------------------------------------------------------


def resize(image: Image, size: int | tuple[int, int], *, mode: ResizeMode = "stretch") -> Image:
    """Return the picture at another size.

    Args:
        image: uint8 `(height, width, 3)` or `(height, width)`.
        size: the side of a square, or `(height, width)`, in pixels.
        mode: what to do when the proportions differ. `stretch` distorts the picture. `pad` keeps it whole and
            adds black bars. `crop` fills the new size and cuts off what sticks out, equally on both sides.

    Returns:
        uint8 of the new height and width, with as many channels as before. Each new pixel averages the old
        ones that it covers, so that a small copy does not flicker.

    Raises:
        ValueError: for another shape, dtype, size or mode.

    Example:
        >>> resize(np.zeros((300, 451, 3), dtype=np.uint8), (60, 90), mode="crop").shape
        (60, 90, 3)
    """
    _require_image(image)
    height, width = _parse_size(size)
    picture = PillowImage.fromarray(image)
    bilinear = PillowImage.Resampling.BILINEAR
    if mode == "stretch":
        return np.array(picture.resize((width, height), bilinear))
    if mode == "crop":
        return np.array(ImageOps.fit(picture, (width, height), bilinear))
    if mode == "pad":
        factor = min(height / picture.height, width / picture.width)
        fitted = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        return np.array(ImageOps.pad(picture.resize(fitted, bilinear), (width, height), bilinear))
    raise ValueError(f"Received mode={mode!r}, expected 'stretch', 'pad' or 'crop'. Choose one of these.")


def _parse_size(size: int | tuple[int, int]) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int | np.integer) else size
    if (
        not isinstance(pair, tuple | list)
        or len(pair) != 2
        or not all(isinstance(side, int | np.integer) and side > 0 for side in pair)
    ):
        raise ValueError(
            f"Received size={size!r}, expected a whole number or (height, width), both above 0. "
            "Round the numbers and give the height first."
        )
    return int(pair[0]), int(pair[1])


# --- Values -------------------------------------------------------------------------------------------------


def scale(image: Image, *, mode: ScaleMode) -> np.ndarray:
    """Bring the values 0..255 into the range that a network was trained with.

    Args:
        image: uint8 `(height, width, 3)`, or any array of such pictures `(..., height, width, 3)`. Grey
            pictures `(height, width)` are fine for `unit` and `tf`.
        mode: `unit` gives 0..1; `tf` gives -1..1 (MobileNet, Inception, EfficientNet-Lite); `torch` divides
            by 255, then subtracts ImageNet's mean and divides by its deviation, channel by channel; `caffe`
            turns RGB into BGR and subtracts ImageNet's mean, without dividing (VGG16, VGG19, ResNet50).

    Returns:
        float32 of the same shape. `tf`, `torch` and `caffe` equal Keras' `imagenet_utils.preprocess_input`.

    Raises:
        ValueError: for another dtype or mode, or a shape that does not end in 3 for `torch` and `caffe`.

    Example:
        >>> scale(np.array([[[0, 51, 255]]], dtype=np.uint8), mode="unit")
        array([[[0. , 0.2, 1. ]]], dtype=float32)
    """
    _require_dtype(image, np.uint8, "Scale a picture once, straight after reading it.")
    _require_mode(image, mode)
    values = image.astype(np.float32)
    if mode == "unit":
        return values / 255
    if mode == "tf":
        return values / 127.5 - 1
    if mode == "torch":
        return (values / 255 - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_DEVIATION)
    return values[..., ::-1] - np.float32(CAFFE_MEAN_BGR)


def unscale(scaled: np.ndarray, *, mode: ScaleMode) -> Image:
    """Undo `scale`, to look at a picture as the network got it.

    Args:
        scaled: a floating-point array as `scale` gives it. Values beyond the range of `mode` are cut off.
        mode: the mode that was used for scaling.

    Returns:
        uint8 of the same shape, RGB, rounded: exactly the picture that was scaled.

    Raises:
        ValueError: for another dtype or mode, a shape that does not fit the mode, or values that are no
            numbers.

    Example:
        >>> unscale(np.array([[[-1.0, 0.0, 1.0]]]), mode="tf")
        array([[[  0, 128, 255]]], dtype=uint8)
    """
    _require_dtype(scaled, np.floating, "This picture may be unscaled already.")
    _require_mode(scaled, mode)
    if not np.isfinite(scaled).all():
        raise ValueError("Received NaN or infinity, expected finite numbers. Look where they come from.")
    if mode == "unit":
        values = scaled * 255
    elif mode == "tf":
        values = (scaled + 1) * 127.5
    elif mode == "torch":
        values = (scaled * np.float32(IMAGENET_DEVIATION) + np.float32(IMAGENET_MEAN)) * 255
    else:
        values = (scaled + np.float32(CAFFE_MEAN_BGR))[..., ::-1]
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def histogram(image: np.ndarray, *, bins: int = 256) -> dict[str, np.ndarray]:
    """Count how often each value occurs, channel by channel.

    Args:
        image: uint8 or floating-point, `(height, width, 3)` in RGB order or `(height, width)`.
        bins: into how many equal parts the range is divided: 0..256 for uint8, least to greatest value for
            floats.

    Returns:
        `red`, `green` and `blue` (or `grey`): int64 `(bins,)`, each adding up to height x width; and `edges`:
        float64 `(bins + 1,)`, the borders between the parts.

    Raises:
        ValueError: for another shape or dtype, fewer than one bin, or values that are no numbers.

    Example:
        >>> counts = histogram(np.array([[0, 0, 255]], dtype=np.uint8), bins=2)
        >>> counts["grey"], counts["edges"]
        (array([2, 1]), array([  0., 128., 256.]))
    """
    if not (isinstance(image, np.ndarray) and np.issubdtype(image.dtype, np.floating)):
        _require_image(image)
    _require_image_shape(image)
    if bins < 1:
        raise ValueError(f"Received bins={bins}, expected at least 1. Use 256 for one bin a value.")
    if not np.isfinite(image).all():
        raise ValueError("Received NaN or infinity, expected finite numbers. Look where they come from.")
    limits = (0, 256) if image.dtype == np.uint8 else (float(image.min()), float(image.max()))
    names = ("grey",) if image.ndim == 2 else ("red", "green", "blue")
    channels = np.atleast_3d(image)
    counts = {name: np.histogram(channels[..., index], bins=bins, range=limits)[0] for index, name in enumerate(names)}
    return counts | {"edges": np.histogram_bin_edges(image, bins=bins, range=limits)}


# --- What we accept -----------------------------------------------------------------------------------------


def _require_image(image: np.ndarray, *, colour: bool = False) -> None:
    _require_dtype(image, np.uint8, "Undo scaling with unscale(), or read the picture again.")
    _require_image_shape(image, colour=colour)


def _require_image_shape(image: np.ndarray, *, colour: bool = False) -> None:
    is_colour = image.ndim == 3 and image.shape[2] == 3
    is_grey = image.ndim == 2 and not colour
    if not (is_colour or is_grey) or image.size == 0:
        expected = "(height, width, 3)" + ("" if colour else " or (height, width)")
        advice = {
            2: "A grey picture needs no conversion to grey.",
            4: "Take one picture out of the batch, as in batch[0].",
        }.get(image.ndim, "Put the axes in this order, and drop an alpha channel with image[..., :3].")
        raise ValueError(f"Received shape {image.shape}, expected {expected}, not empty. {advice}")


def _require_dtype(image: np.ndarray, dtype: type, advice: str) -> None:
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f"Received a {type(image).__name__}, expected a NumPy array. Convert it with np.asarray() first."
        )
    if not np.issubdtype(image.dtype, dtype):
        expected = "uint8 (0 to 255)" if dtype is np.uint8 else "floating-point numbers"
        raise ValueError(f"Received dtype {image.dtype}, expected {expected}. {advice}")


def _require_mode(image: np.ndarray, mode: str) -> None:
    if mode not in ("unit", "tf", "torch", "caffe"):
        raise ValueError(
            f"Received mode={mode!r}, expected 'unit', 'tf', 'torch' or 'caffe'. Choose the one the network needs."
        )
    if mode in ("torch", "caffe") and (image.ndim < 3 or image.shape[-1] != 3):
        raise ValueError(
            f"Received shape {image.shape}, expected (..., height, width, 3): mode {mode!r} treats each "
            "channel differently. Repeat a grey picture into three channels first."
        )
