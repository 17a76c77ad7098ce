"""Checks for notebook 01, images as arrays."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers import images
from helpers.checks._lesson import answer_questions
from helpers.checks._runner import Function, case, exercise

show_solution, show_open_exercises = answer_questions(__name__)

Array = np.ndarray

WEIGHTS = np.array([0.299, 0.587, 0.114])
GRAYS = np.repeat(np.array([[0, 100, 200, 255]], dtype=np.uint8)[..., np.newaxis], 3, axis=2)  # (1, 4, 3)
ORANGE = np.array([(255, 0, 0), *[(200, 120, 30)] * 23], dtype=np.uint8).reshape(4, 6, 3)  # a red corner: no symmetry


def _draw(seed: int, height: int, width: int) -> Array:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), dtype=np.uint8)  # no black pixel


@exercise(
    case(np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3), 1, 2, 4, 5),  # every value occurs once
    asked="For left {1}, top {2}, width {3}, height {4}",
    dtype="uint8",
    right="rows 2 to 6, columns 1 to 4, all channels.",
)
def check_crop(image, left, top, width, height):
    """`crop(image, left, top, width, height)` cuts a region out."""
    bottom, end = top + height, left + width
    return image[top:bottom, left:end], {
        "The axes are exchanged: the first index is the row, so top and height belong there.": image[
            left:end, top:bottom
        ],
        "A slice is start:end, and its end is top + height, not height (the same for columns).": image[
            top:height, left:width
        ],
        "One row and one column too many: the end of a slice is not part of it.": image[
            top : bottom + 1, left : end + 1
        ],
        "The size is right, the place is not: start at row `top` and column `left`.": image[:height, :width],
    }


@exercise(
    case(GRAYS, 100),
    case(GRAYS, -150),
    asked="After adding {1}",
    dtype="uint8",
    right="what would leave 0..255 stops at the end of the range.",
)
def check_brighten(image, amount):
    """`brighten(image, amount)` adds without wrapping around."""
    wide = image.astype(int) + amount
    return wide.clip(0, 255).astype(np.uint8), {
        "200 + 100 became 44: uint8 starts again at the other end. Add in a wider type, limit to 0..255, only then go "
        "back to uint8.": wide.astype(np.uint8),
        "0 + -150 became 106: uint8 starts again at the other end. Limit to 0 as well as to 255.": (
            np.minimum(wide, 255).astype(np.uint8)
        ),
        "The values are right, the dtype is not: go back to uint8 at the end.": wide.clip(0, 255),
    }


def _view_reading(read: Function, image: Array) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orange.png"
        path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
        return {"": read(path)}


@exercise(
    case(ORANGE),
    view=_view_reading,
    dtype="uint8",
    right="red is channel 0, and rows and columns are where they were.",
)
def check_read_rgb(path):
    """`read_rgb(path)` reads with OpenCV and returns RGB."""
    bgr = cv2.imread(str(path))
    return bgr[..., ::-1], {
        "This is grey. Leave out the flag, and cv2.imread reads in colour.": bgr[..., 0],
        "The colours are blue, green, red: what OpenCV returns. Turn the last axis round.": bgr,
        "The picture stands on its head: [::-1] turns the rows round. The channels are the last axis.": bgr[::-1],
        "The picture is mirrored: [:, ::-1] turns the columns round. The channels are the last axis.": bgr[:, ::-1],
        "All three axes are turned round. Leave rows and columns as they are.": bgr[::-1, ::-1, ::-1],
    }


# A red, a green and a blue pixel, and others.
@exercise(
    case(np.concatenate([255 * np.eye(3, dtype=np.uint8), _draw(1, 4, 8).reshape(32, 3)]).reshape(5, 7, 3)),
    tolerance=1,
    dtype="uint8",
    right="red 76, green 150, blue 29: green counts most.",
)
def check_luminosity(image):
    """`to_luma(image)` weighs red, green and blue."""
    return np.rint(image @ WEIGHTS).astype(np.uint8), {
        "Still three values for each pixel: multiply by the weights, then add them up over the last axis.": image
        * WEIGHTS,
        "This is the plain mean: pure green is as dark as pure blue. Weigh the channels first.": image.mean(axis=2),
        "The weights are in the order blue, green, red; the channels are red, green, blue.": image @ WEIGHTS[::-1],
    }


def _place(image: Array, *, share: float, bars: int = 0) -> Array:
    """Return a square with the picture in it, and this share of the bars before it."""
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), bars, dtype=np.uint8)
    top, left = int((side - height) * share), int((side - width) * share)
    square[top : top + height, left : left + width] = image
    return square


def _view_padding(pad: Function, image: Array) -> Mapping[str, Any]:
    answer = pad(image)
    # Five rows or columns are missing: two before and three after, or the other way round.
    return {"": _place(image, share=0.5) if np.array_equal(answer, _place(image, share=0.6)) else answer}


@exercise(
    case(_draw(2, 4, 9)),
    case(_draw(3, 9, 4), why="The picture is higher than wide."),
    view=_view_padding,
    dtype="uint8",
    right="the picture is whole and in the middle, whichever side is longer.",
)
def check_pad_to_square(image):
    """`pad_to_square(image)` adds black bars on both sides."""
    short, long = sorted(image.shape[:2])
    corner, far = _place(image, share=0), _place(image, share=1)
    return _place(image, share=0.5), {
        "This is 4 x 4: the picture was cut or shrunk to its shorter side. Pad up to the longer one.": image[
            :short, :short
        ],
        "This is stretched to a square. Keep the pixels as they are and add black ones.": images.resize(image, long),
        "The picture sits in a corner. Put half of the black on each side, to keep it in the middle.": corner,
        "The picture sits at the far end. Put half of the black on each side, to keep it in the middle.": far,
        "The bars hold values up to 255, expected black (0).": _place(image, share=0.5, bars=255),
    }


@exercise(
    case([_draw(4, 20, 30), _draw(5, 30, 20), _draw(6, 25, 25)], 12),
    tolerance=1e-4,
    dtype="float32",
    right="three pictures of different sizes, one float32 array of four axes, from -1 to 1.",
)
def check_make_batch(pictures, side):
    """`make_batch(pictures, side)` pads, resizes, stacks and scales."""
    pad, stretch, crop = (
        np.stack([images.resize(picture, side, mode=mode) for picture in pictures])
        for mode in ("pad", "stretch", "crop")
    )
    exact = pad / 127.5 - 1
    return exact.astype(np.float32), {
        "The pictures are glued below each other. np.stack puts them on a new axis in front.": np.concatenate(exact),
        "The channels come before rows and columns. Keras expects them last: leave the axes.": exact.transpose(
            0, 3, 1, 2
        ),
        'The pictures are distorted. Ask images.resize for mode="pad".': stretch / 127.5 - 1,
        'The pictures lose their edges. Ask images.resize for mode="pad".': crop / 127.5 - 1,
        "The values are still 0 to 255: divide by 127.5, then subtract 1.": pad,
        "This is 0 to 1. For -1 to 1 divide by 127.5, then subtract 1.": pad / 255,
        "The values run from 0 to 2: now subtract 1.": pad / 127.5,
        "Black became 2: 0 - 1 is 255 in uint8. Divide first, which makes floats, then subtract.": (
            (pad - np.uint8(1)) / 127.5
        ),
        "Black became 1: 0 - 128 is 128 in uint8. Make floats before you subtract.": (pad - np.uint8(128)) / 128,
        "These are uint8 again, and nothing is left between the ends. End with .astype(np.float32).": (
            exact.astype(np.int8).astype(np.uint8)
        ),
        "The values are right, the dtype is not float32: half the memory, and what networks compute in. End with "
        ".astype(np.float32).": exact,
    }
