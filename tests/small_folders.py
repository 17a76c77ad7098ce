"""Folders of small pictures as learners bring them: few pictures, many classes, classes named 0, 1, 10, grayscale."""

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

# By name: the classes, the pictures per class, and whether they are grayscale.
KINDS: dict[str, tuple[Sequence[str], int, bool]] = {
    "24_pictures": (("cat", "dog"), 12, False),
    "3_classes": (("cat", "dog", "fox"), 120, False),
    "40_classes": ([f"kind {number:02}" for number in range(1, 41)], 12, False),
    "numbers": (("0", "1", "10"), 40, False),
    "grayscale": (("cat", "dog"), 60, True),
}


def draw_picture(label: int, num_classes: int, *, seed: int) -> np.ndarray:
    """A disc or a square in the colour of its class on soft blotches, uint8 `(height, width, 3)`, 64 to 96 a side."""
    rng = np.random.default_rng([label, seed])
    height, width = rng.integers(64, 97, 2)
    blotches = Image.fromarray(rng.integers(60, 200, (6, 6, 3), dtype=np.uint8))
    picture = np.asarray(blotches.resize((width, height), Image.Resampling.BICUBIC)).copy()
    rows, columns = np.mgrid[:height, :width]
    row, column = rng.uniform(0.35, 0.65, 2) * (height, width)
    distances = np.stack([abs(rows - row), abs(columns - column)])
    inside = (np.hypot(*distances) if label % 2 else distances.max(axis=0)) < rng.uniform(12, 22)
    colour = colorsys.hsv_to_rgb(label / num_classes, 0.9, 0.3 + 0.7 * (label % 3) / 2)
    picture[inside] = np.array(colour) * 255
    return picture


def make_folder(root: Path, class_names: Sequence[str], per_class: int, *, grayscale: bool = False) -> Path:
    """Fill `root` with a sub-folder of JPEG files per class, and return it."""
    for label, name in enumerate(class_names):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            picture = Image.fromarray(draw_picture(label, len(class_names), seed=number))
            picture.convert("L" if grayscale else "RGB").save(root / name / f"{number:03}.jpg", quality=90)
    return root
