"""One picture as an array: read it, make it grey, resize it, scale it, count its values.

Pictures are uint8 arrays of shape `(height, width, 3)`, channels in the order red, green, blue; values run
from 0 (none of that light) to 255 (all of it). Nothing here needs TensorFlow.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from matplotlib.image import imread
from PIL import Image as PillowImage
from PIL import ImageOps

Image = np.ndarray
ScaleMode = Literal["unit", "tf", "torch", "caffe"]
ResizeMode = Literal["stretch", "pad", "crop"]

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
# Named, so that no file chooses a decoder we did not mean to use (Pillow hands EPS files to Ghostscript).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

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


def read(path: str | Path) -> Image:
    """Read a picture the way you would see it on a screen.

    The contents decide the format, not the suffix. The rotation that a camera notes in the EXIF data is
    applied, transparent parts show white, and palette, grey, CMYK and 16-bit pictures become 8-bit RGB. Of an
    animation you get the first frame.

    Args:
        path: a BMP, GIF, JPEG, PNG, TIFF or WebP file.

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
    picture = _load(Path(path))
    return _turn_upright(_decode_rgb(picture, Path(path)), read_orientation(picture))


def read_with_opencv(path: str | Path) -> Image:
    """Read a picture with OpenCV and give what `read` gives: RGB, upright, on white.

    OpenCV delivers blue first; the reversal of the channels is the line to remember. JPEG decoders may differ
    by a few steps of 255. One rare kind comes out differently: a grey or RGB PNG with a single colour marked
    transparent.

    Args:
        path: as for `read`.

    Returns:
        uint8 `(height, width, 3)`, RGB.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        ValueError: if the file cannot be decoded.
    """
    path = Path(path)
    # OpenCV fills the missing part of a cut file with grey and goes on; Pillow decodes it first and refuses.
    picture = _load(path)
    # imdecode, because imread cannot open paths with other than ASCII letters on Windows.
    pixels = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise _make_unreadable_error(path, "OpenCV has no decoder for it, images.read may have one")
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, *range(3, pixels.shape[2])]]  # BGR(A) -> RGB(A)
    return _turn_upright(_put_on_white(pixels), read_orientation(picture))


def read_with_matplotlib(path: str | Path) -> Image:
    """Read a picture with matplotlib and give what `read` gives: uint8, RGB, upright, on white.

    On its own, matplotlib returns floats in 0..1 for PNG and uint8 for the rest, keeps alpha, and ignores the
    EXIF rotation. One rare kind comes out differently: a grey or RGB PNG with a single colour marked
    transparent.

    Args:
        path: as for `read`.

    Returns:
        uint8 `(height, width, 3)`, RGB.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        ValueError: if the file cannot be decoded.
    """
    path = Path(path)
    picture = _load(path)
    with quiet_about_metadata():
        pixels = imread(path, format=picture.format)  # left to itself, it believes the suffix
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = np.rint(pixels * 255).astype(np.uint8)
    return _turn_upright(_put_on_white(pixels), read_orientation(picture))


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
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: there is no such folder. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: this is a file, expected a folder. To read one picture use read().")
    found = (
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sorted(found, key=lambda path: path.as_posix())


def _load(path: Path) -> PillowImage.Image:
    """Open and fully decode a file with Pillow, or say in one line why that cannot be done."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file. Check the name and the folder.")
    if path.is_dir():
        raise ValueError(f"{path}: this is a folder, expected one picture. List its pictures with find_files().")
    try:
        with quiet_about_metadata(), PillowImage.open(path, formats=FORMATS) as picture:
            picture.load()
            return picture
    except MemoryError:
        raise
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        limit = f"{(PillowImage.MAX_IMAGE_PIXELS or 0) // 1_000_000} million"
        raise ValueError(
            f"{path}: the picture has too many pixels to be decoded safely, expected at most {limit}. "
            "Save a smaller copy with an image program, or set the file aside."
        ) from error
    except PillowImage.UnidentifiedImageError as error:
        raise _make_unreadable_error(path, "unknown format or damaged from the start") from error
    except Exception as error:  # Pillow's decoders meet damaged bytes with a dozen kinds of exception
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _make_unreadable_error(path, reason) from error


@contextmanager
def quiet_about_metadata() -> Iterator[None]:
    """Let pass what Pillow says of damaged metadata: the picture is whole, and damaged pixels raise."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        warnings.simplefilter("error", PillowImage.DecompressionBombWarning)
        yield


def _make_unreadable_error(path: Path, reason: str) -> ValueError:
    return ValueError(
        f"{path}: not a readable picture ({reason}). Expected a whole BMP, GIF, JPEG, PNG, TIFF or WebP "
        "file. Save it again as JPEG with an image program, or set it aside."
    )


def _decode_rgb(picture: PillowImage.Image, path: Path) -> Image:
    if picture.mode.startswith("I"):  # 16-bit grey; a 32-bit integer picture has the same mode "I"
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65_535:
            raise _make_unreadable_error(path, "grey values with more than 16 bits")
        return _put_on_white(values.astype(np.uint16))
    if picture.mode == "F":
        raise _make_unreadable_error(path, "grey values as floating-point numbers, of unknown range")
    if picture.has_transparency_data:
        return _put_on_white(np.asarray(picture.convert("RGBA")))
    return np.array(picture.convert("RGB"))


def read_orientation(picture: PillowImage.Image) -> int:
    """Return how a camera was held: the EXIF orientation, 1 (upright) to 8; 1 where there is none or it makes no sense.

    Example:
        >>> read_orientation(PillowImage.new("RGB", (2, 2)))
        1
    """
    with quiet_about_metadata():
        try:
            orientation = picture.getexif().get(EXIF_ORIENTATION, 1)
        except SyntaxError:  # EXIF data that is none: the pixels are fine, so show them as they are
            return 1
    return orientation if orientation in range(1, 9) else 1


def _turn_upright(pixels: Image, orientation: int) -> Image:
    """Undo how the camera was held (EXIF 2.32, section 4.6.4, tag Orientation)."""
    if orientation >= 5:  # rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _put_on_white(pixels: np.ndarray) -> Image:
    """Turn grey, RGB or RGBA values of 8 or 16 bits into RGB of 8 bits, transparent parts white."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 2:
        return np.repeat(pixels[..., np.newaxis], 3, axis=2)
    if pixels.shape[2] == 3:
        return pixels
    on_white = np.empty((*pixels.shape[:2], 3), dtype=np.uint8)
    for start in range(0, len(pixels), ROWS_AT_ONCE):  # in portions: floats take four times the memory
        rows = slice(start, start + ROWS_AT_ONCE)
        alpha = pixels[rows, :, 3:].astype(np.float32) / 255
        on_white[rows] = np.rint(pixels[rows, :, :3] * alpha + 255 * (1 - alpha))
    return on_white


# --- Grey ---------------------------------------------------------------------------------------------------


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
