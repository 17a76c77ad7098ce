"""One picture from its four numbers: the same on every x86 processor and core, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from helpers.synthetic_pets.backgrounds import paint_background
from helpers.synthetic_pets.bodies import paint_pet
from helpers.synthetic_pets.camera import encode, put_in_the_way, take_picture
from helpers.synthetic_pets.coats import draw_coat
from helpers.synthetic_pets.painting import Canvas, Frame
from helpers.synthetic_pets.pet import Pet
from helpers.synthetic_pets.shapes import EXTENT
from helpers.synthetic_pets.traits import KINDS, Traits, draw_traits

SPLITS = ("train", "validation", "test")
SHORT_SIDE = (200, 380)  # pixels
LONGEST = 500
ASPECTS = (1.0, 4 / 3, 3 / 2, 3 / 4, 2 / 3)  # width / height
SIZE = (0.68, 1.4)  # of the size at which the pose just fits
TURN = 13  # degrees, one standard deviation


@contextmanager
def _plain_arithmetic() -> Iterator[None]:
    """Draw on one thread, by the code of OpenCV that every x86 processor runs.

    The faster code rounds differently from processor to processor (fused multiply-add, Intel's IPP), which changes a
    pixel here and there and so a file's bytes. For pictures this small it is hardly faster. The settings are the whole
    process's, so they are put back.
    """
    optimized, threads = cv2.useOptimized(), cv2.getNumThreads()
    cv2.setUseOptimized(False)
    cv2.setNumThreads(1)  # while many are drawn, the other cores are busy with the other pictures
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        cv2.setUseOptimized(optimized)


def _generator(key: tuple[int, ...], *, purpose: int) -> np.random.Generator:
    """Make a random generator that depends on the picture's four numbers and on nothing else."""
    return np.random.default_rng([*key, purpose])


def _key(label: int, seed: int, split: str, index: int) -> tuple[int, int, int, int]:
    """Check the four numbers that name a picture."""
    if label not in range(len(KINDS)):
        raise ValueError(f"Received label {label!r}, expected 0 (cat) or 1 (dog). Pass one of these two.")
    if split not in SPLITS:
        raise ValueError(f"Received split {split!r}, expected one of {', '.join(SPLITS)}. Pass one of these names.")
    for name, value in (("seed", seed), ("index", index)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"Received {name} {value!r}, expected a whole number from 0 on. Pass 0 or more.")
    return int(seed), SPLITS.index(split), int(label), int(index)


@_plain_arithmetic()
def draw(*, label: int, seed: int = 0, split: str = "train", index: int = 0) -> np.ndarray:
    """Draw one picture of a cat or a dog.

    Args:
        label: 0 for a cat, 1 for a dog.
        seed: the data set's seed, 0 or more; another seed gives other pictures.
        split: "train", "validation" or "test".
        index: the picture's number within its split, 0 or more.

    Returns:
        uint8 (H, W, 3), red, green, blue; the shorter side is 200 to 380 pixels, the longer at most 500.

    Raises:
        ValueError: a label, split, seed or index that does not exist.

    Example:
        >>> picture = draw(label=0, index=7)
        >>> picture.dtype.name, picture.ndim, 200 <= min(picture.shape[:2]) <= 380
        ('uint8', 3, True)
        >>> bool((picture == draw(label=0, index=7)).all())
        True
    """
    rng = _generator(_key(label, seed, split, index), purpose=0)
    canvas = _new_canvas(rng)
    paint_background(canvas)
    traits = draw_traits(rng, label)
    pet = Pet(canvas, traits, draw_coat(rng, traits.kind))
    paint_pet(pet, _place(canvas, traits))
    put_in_the_way(canvas)
    return take_picture(canvas)


@_plain_arithmetic()
def draw_jpeg(*, label: int, seed: int = 0, split: str = "train", index: int = 0) -> bytes:
    """Draw one picture as `draw` does and return it as a JPEG file's bytes."""
    picture = draw(label=label, seed=seed, split=split, index=index)
    return encode(picture, _generator(_key(label, seed, split, index), purpose=1))


def _new_canvas(rng: np.random.Generator) -> Canvas:
    """Choose a size, an aspect ratio and where the light comes from: above, give or take 25 degrees."""
    aspect = rng.choice(ASPECTS)
    short = min(int(rng.integers(SHORT_SIDE[0], SHORT_SIDE[1] + 1)), int(LONGEST / max(aspect, 1 / aspect)))
    height, width = (short, round(short * aspect)) if aspect >= 1 else (round(short / aspect), short)
    angle = np.radians(rng.uniform(-25, 25))
    light = np.array([np.sin(angle), -np.cos(angle)], np.float32)
    return Canvas(np.zeros((height, width, 3), np.float32), light, rng)


def _place(canvas: Canvas, traits: Traits) -> Frame:
    """Choose where the pet stands, how large, how tilted, and whether it is mirrored."""
    rng, (height, width) = canvas.rng, canvas.size
    left, top, right, bottom = EXTENT[traits.pose]
    scale = min(width / (right - left), height / (bottom - top)) * rng.uniform(*SIZE)
    middle = np.array([width, height]) / 2 + rng.normal(0, 0.06, 2) * (width, height)
    flip = rng.choice([-1, 1])
    frame = Frame(np.array([[flip * scale, 0, middle[0]], [0, scale, middle[1]]], float))
    turned = frame.child(turn=rng.normal(0, TURN))
    return turned.child(shift=(-(left + right) / 2, -(top + bottom) / 2))


def draw_labels(*, seed: int, split: str, number: int) -> list[int]:
    """Return the labels of a split's first pictures: of each two in a row one is a cat and one a dog.

    So every slice is balanced, give or take one picture, and yet the order within a pair is random.
    """
    first = _generator(_key(0, seed, split, 0), purpose=2).integers(2, size=(number + 1) // 2)
    return [int(label) for pair in first for label in (pair, 1 - pair)][:number]
