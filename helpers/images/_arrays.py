"""Pictures as arrays: made grayscale, resized, scaled, counted."""

from typing import Literal

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from helpers.images._decoding import Image

ScaleMode = Literal["unit", "tf", "torch", "caffe"]
ResizeMode = Literal["stretch", "pad", "crop"]

# Recommendation ITU-R BT.601-7, section 2.5.1: how much red, green and blue add to perceived brightness.
LUMINOSITY_WEIGHTS = (0.299, 0.587, 0.114)
# Mean and standard deviation of red, green and blue in ImageNet's training pictures, on the 0..1 scale.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
# Means of blue, green and red in the same pictures, 0..255, as models made with the Caffe library use them.
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


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
