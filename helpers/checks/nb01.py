"""Checks for notebook 01, images as arrays."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from helpers import images
from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray


def check_crop(crop: Callable[[Array, int, int, int, int], Array]) -> None:
    """Check exercise 1: `crop(image, left, top, width, height)` cuts a region out."""
    image = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)  # every value occurs once
    left, top, width, height = 1, 2, 4, 5
    region = _call_on_copy(crop, image, left, top, width, height)
    _require_none_of(
        region,
        {
            "The axes are exchanged: the first index is the row, so top and height belong there.": image[
                left : left + width, top : top + height
            ],
            "A slice is start:end, and its end is top + height, not height (the same for columns).": image[
                top:height, left:width
            ],
            "One row and one column too many: the end of a slice is not part of it.": image[
                top : top + height + 1, left : left + width + 1
            ],
        },
    )
    require_array(region, shape=(height, width, 3), dtype="uint8", name="The region")
    require(
        np.array_equal(region, image[top : top + height, left : left + width]),
        f"The size is right, the place is not: your first pixel is {region[0, 0].tolist()}, "
        f"expected {image[top, left].tolist()}, the one in row {top}, column {left}.",
    )
    passed(f"rows {top} to {top + height - 1}, columns {left} to {left + width - 1}, all channels.")


def check_brighten(brighten: Callable[[Array, int], Array]) -> None:
    """Check exercise 2: `brighten(image, amount)` adds without wrapping around."""
    image = np.repeat(np.array([[0, 100, 200, 255]], dtype=np.uint8)[..., np.newaxis], 3, axis=2)
    for amount in (100, -150):
        answer = _call_on_copy(brighten, image, amount)
        answer = require_array(answer, shape=image.shape, dtype="uint8", name="The brighter picture")
        wide = image.astype(np.int64) + amount
        wrapped = wide.astype(np.uint8)
        before, after = (200, 44) if amount > 0 else (0, 106)
        require(
            not np.array_equal(answer, wrapped),
            f"{before} + {amount} became {after}: uint8 starts again at the other end. "
            "Add in a wider type, limit to 0..255, and only then go back to uint8.",
        )
        _require_close(answer, np.clip(wide, 0, 255), context=f"after adding {amount}")
    passed("what would leave 0..255 stops at the end of the range.")


def check_read_rgb(read_rgb: Callable[[Path], Array]) -> None:
    """Check exercise 3: `read_rgb(path)` reads with OpenCV and returns RGB."""
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    image[...] = (200, 120, 30)
    image[0, 0] = (255, 0, 0)  # makes top and bottom, left and right differ
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orange.png"
        path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
        answer = call(read_rgb, path)
    require(np.shape(answer) != (4, 6), "This is grey. Leave out the flag, and cv2.imread reads in colour.")
    _require_none_of(
        answer,
        {
            "The colours are blue, green, red: what OpenCV returns. Turn the last axis round.": image[..., ::-1],
            "The picture stands on its head: [::-1] turns the rows round. The channels are the last axis.": (
                image[::-1, :, ::-1]
            ),
            "The picture is mirrored: [:, ::-1] turns the columns round. The channels are the last axis.": (
                image[:, ::-1, ::-1]
            ),
            "All three axes are turned round. Leave rows and columns as they are.": image[::-1, ::-1],
        },
    )
    _require_close(require_array(answer, shape=image.shape, dtype="uint8", name="The picture"), image)
    passed("red is channel 0, and rows and columns are where they were.")


def check_luminosity(to_luminosity: Callable[[Array], Array]) -> None:
    """Check exercise 4: `to_luminosity(image)` weighs red, green and blue."""
    random = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    random[0, :3] = np.eye(3, dtype=np.uint8) * 255  # a red, a green and a blue pixel
    answer = _call_on_copy(to_luminosity, random)
    require(
        np.shape(answer) != (5, 7, 3),
        "Still three values a pixel: multiply by the weights, then add them up over the last axis.",
    )
    answer = require_array(answer, shape=(5, 7), dtype="uint8", name="The grey picture")
    _require_none_of(
        answer,
        {
            "This is the plain mean: pure green is as dark as pure blue. Weigh the channels first.": (
                images.to_grey_mean(random)
            ),
            "The weights are in the order blue, green, red; the channels are red, green, blue.": (
                images.to_grey_luminosity(np.ascontiguousarray(random[..., ::-1]))
            ),
        },
        tolerance=1,
    )
    _require_close(answer, images.to_grey_luminosity(random), tolerance=1)
    red, green, blue = (int(value) for value in answer[0, :3])
    passed(f"red {red}, green {green}, blue {blue}: green looks brightest.")


def check_pad_to_square(pad_to_square: Callable[[Array], Array]) -> None:
    """Check exercise 5: `pad_to_square(image)` adds black bars on both sides."""
    wide = np.random.default_rng(2).integers(1, 256, (4, 9, 3), dtype=np.uint8)  # no black pixel
    for image, sides in ((wide, "above and below"), (wide.swapaxes(0, 1).copy(), "left and right")):
        answer = _call_on_copy(pad_to_square, image)
        require(
            np.shape(answer) != (4, 4, 3),
            "This is 4 x 4: the picture was cut or shrunk to its shorter side. Pad up to the longer one.",
        )
        answer = require_array(answer, shape=(9, 9, 3), dtype="uint8", name=f"{image.shape} padded")
        require(
            not np.array_equal(answer, images.resize(image, 9)),
            "This is stretched to a square. Keep the pixels as they are and add black ones.",
        )
        require(
            not np.array_equal(answer, _place(image, start=0)),
            f"The picture sits in a corner. Put half of the black {sides}, to keep it in the middle.",
        )
        # Five rows or columns are missing: two before and three after, or the other way round.
        if np.array_equal(answer, _place(image, start=3)):
            continue
        centred = _place(image, start=2)
        bars = answer[centred.max(axis=2) == 0]
        require(not bars.any(), f"The bars {sides} hold values up to {bars.max()}, expected black (0).")
        _require_close(answer, centred, context="in the middle")
    passed("the picture is whole and in the middle, whichever side is longer.")


def check_scale_torch(scale_torch: Callable[[Array], Array]) -> None:
    """Check exercise 6: `scale_torch(image)` uses ImageNet's mean and deviation."""
    image = np.random.default_rng(3).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    answer = _call_on_copy(scale_torch, image)
    require_array(answer, shape=image.shape, name="The scaled picture")
    values = image / 255
    mean, deviation = np.array(images.IMAGENET_MEAN), np.array(images.IMAGENET_DEVIATION)
    axes = (0, 1)
    _require_none_of(
        answer,
        {
            "The mean and the deviation are on the scale 0..1: divide the picture by 255 first.": (
                (image - mean) / deviation
            ),
            "This is mode 'unit': now subtract the mean and divide by the deviation, too.": values,
            "The mean is gone, the spread is not: divide by the deviation as well.": values - mean,
            "This subtracts a mean that is already divided: subtract first, then divide. Set brackets.": (
                values - mean / deviation
            ),
            "This is mode 'tf', -1..1. Use the mean and the deviation instead.": image / 127.5 - 1,
            "These are the picture's own mean and deviation. A network needs those it was trained with.": (
                (values - values.mean(axis=axes)) / values.std(axis=axes)
            ),
            "The constants are in the order blue, green, red; the channels are red, green, blue.": (
                (values - mean[::-1]) / deviation[::-1]
            ),
        },
        tolerance=1e-3,
    )
    _require_close(answer, (values - mean) / deviation, tolerance=1e-4)
    require(
        np.asarray(answer).dtype == np.float32,
        f"The values are right, the dtype is {np.asarray(answer).dtype}, expected float32: half the memory, "
        "and what networks compute in. End with .astype(np.float32).",
    )
    passed(f"values from {np.min(answer):.2f} to {np.max(answer):.2f}, as float32.")


def check_make_batch(make_batch: Callable[[Sequence[Array], int], Array]) -> None:
    """Check exercise 7: `make_batch(pictures, side)` pads, resizes and stacks."""
    generator = np.random.default_rng(4)
    sizes = ((20, 30), (30, 20), (25, 25))
    pictures = [generator.integers(1, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    side = 12
    answer = call(make_batch, pictures, side)
    require(
        np.shape(answer) != (3 * side, side, 3),
        "The pictures are glued below each other. np.stack puts them on a new axis in front.",
    )
    require(
        np.shape(answer) != (3, 3, side, side),
        "The channels come before rows and columns. Keras expects them last: leave the axes as they are.",
    )
    answer = require_array(answer, shape=(3, side, side, 3), dtype="uint8", name="The batch")
    for mode, consequence in (("stretch", "are distorted"), ("crop", "lose their edges")):
        require(
            not np.array_equal(answer, np.stack([images.resize(p, side, mode=mode) for p in pictures])),
            f'The pictures {consequence}. Ask images.resize for mode="pad".',
        )
    _require_close(answer, np.stack([images.resize(p, side, mode="pad") for p in pictures]))
    passed("three pictures of different sizes, one array of four axes.")


def _place(image: Array, *, start: int) -> Array:
    """Return a black square with the picture `start` pixels from the edge along its shorter side."""
    height, width = image.shape[:2]
    square = np.zeros((max(height, width), max(height, width), 3), dtype=np.uint8)
    top, left = (start, 0) if height < width else (0, start)
    square[top : top + height, left : left + width] = image
    return square


def _call_on_copy(function: Callable[..., Array], image: Array, *args: int) -> Array:
    """Call the learner's function and make sure that it leaves the picture it was given as it was."""
    given = image.copy()
    answer = call(function, given, *args)
    require(
        np.array_equal(given, image),
        "Your function changes the picture it is given, so a second run gives another result. Work on a new array.",
    )
    return answer


def _require_none_of(answer: Array, mistakes: dict[str, Array], *, tolerance: float = 0) -> None:
    """Raise the message of the first mistake whose result the answer equals."""
    for message, mistaken in mistakes.items():
        same = np.shape(answer) == mistaken.shape and np.allclose(answer, mistaken, rtol=0, atol=tolerance)
        require(not same, message)


def _require_close(answer: Array, expected: Array, *, tolerance: float = 0, context: str = "") -> None:
    """Name the first value that differs by more than the tolerance."""
    difference = np.abs(np.asarray(answer, dtype=np.float64) - np.asarray(expected, dtype=np.float64))
    if (difference <= tolerance).all():
        return
    place = tuple(int(index) for index in np.argwhere(~(difference <= tolerance))[0])
    require(
        False,
        f"At {list(place)} you have {answer[place]:.4g}, expected {expected[place]:.4g}"
        + (f", {context}." if context else "."),
    )
