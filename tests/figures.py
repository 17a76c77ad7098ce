"""Compare a notebook's figures with the stored ones, by rules that hold on another machine too.

A figure of something that is the same everywhere (a photo, an untrained network, a curve) must be the same picture,
but for rounding in a few pixels. A figure that shows what a training or a clock gave, in a cell tagged
`nbval-ignore-output`, must have about the same size and look alike: that finds an empty or upside-down figure. Where a
training also picked what is shown (its worst mistakes, its liveliest filters), in a cell tagged `picked` as well, or a
clock drew the bars (`timing`), another machine shows something else: such a figure must have about the same size and
must not be empty.
"""

import base64
import io
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from nbformat import NotebookNode

ADVICE = "Look at it, then: make outputs"
HASH_SIZE = 8
MOST_BITS = 22  # of 64 that may differ in a figure of measured things; unrelated pictures differ in 32 on average
THUMBNAIL = (16, 16)
# Of 255, the mean difference between the thumbnails of a figure of measured things. A confusion matrix of other answers
# differs by 25, pictures gone black by 78.
MOST_SHADE = 40
MOST_SIZE = 0.15  # of its width or height: axes with longer numbers make a figure a little larger or smaller
MOST_PIXELS = 0.005  # share of pixels that may differ in a figure that is the same everywhere
VISIBLE = 8  # of 255: smaller differences are rounding
LEAST_CONTRAST = 0.25  # of the stored thumbnail's standard deviation; a grid of empty pictures has 0.13


def is_notebook_cell(item: pytest.Item) -> bool:
    """Tell a cell that nbval runs from an ordinary test."""
    return hasattr(item, "cell") and hasattr(item, "test_outputs")


def compare(stored: "Sequence[NotebookNode]", new: "Sequence[NotebookNode]", *, tags: Collection[str] = ()) -> str:
    """Return what differs between the pictures of two runs of a cell, `""` if nothing does; its tags set the rule."""
    before, after = pictures(stored), pictures(new)
    if len(before) != len(after):
        return f"{len(after)} figures, {len(before)} are stored. {ADVICE}"
    problems = [_rule_for(tags)(*pair) for pair in zip(before, after, strict=True)]
    return next((f"Figure {n}: {problem}" for n, problem in enumerate(problems, start=1) if problem), "")


def _rule_for(tags: Collection[str]) -> Callable[[Image.Image, Image.Image], str]:
    if "nbval-ignore-output" not in tags:
        return differ
    return are_other_kinds if {"picked", "timing"} & set(tags) else look_different


def pictures(outputs: "Sequence[NotebookNode]") -> list[Image.Image]:
    encoded = [output.data["image/png"] for output in outputs or [] if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB") for content in encoded]


def differ(stored: Image.Image, new: Image.Image) -> str:
    """Return how a picture is another one than the stored one, `""` if it is the same but for rounding."""
    if stored.size != new.size:
        return f"its size is {new.size}, that of the stored one {stored.size}. {ADVICE}"
    apart = np.abs(np.asarray(stored, dtype=int) - np.asarray(new, dtype=int)).max(axis=2) > VISIBLE
    if apart.mean() > MOST_PIXELS:
        return f"{apart.mean():.1%} of its pixels differ from the stored one. {ADVICE}"
    return ""


def look_different(stored: Image.Image, new: Image.Image) -> str:
    """Return why a picture does not look like the stored one, `""` if it does."""
    import imagehash  # brings SciPy, which not every process of pytest needs

    if problem := are_other_kinds(stored, new):
        return problem
    bits = int(imagehash.phash(stored, HASH_SIZE) - imagehash.phash(new, HASH_SIZE))
    shade = np.abs(_thumbnail(stored) - _thumbnail(new)).mean()
    if bits > MOST_BITS or shade > MOST_SHADE:
        return (
            f"it does not look like the stored one ({bits} of {HASH_SIZE**2} bits differ, {shade:.0f} of 255 in "
            f"shade). {ADVICE}"
        )
    return ""


def are_other_kinds(stored: Image.Image, new: Image.Image) -> str:
    """Return why a picture cannot be another edition of the stored one: another size, or next to nothing in it."""
    if any(abs(a - b) > MOST_SIZE * a for a, b in zip(stored.size, new.size, strict=True)):
        return f"its size is {new.size}, that of the stored one {stored.size}. {ADVICE}"
    contrasts = [float(_thumbnail(picture).std()) for picture in (stored, new)]
    if contrasts[1] < LEAST_CONTRAST * contrasts[0]:
        return f"next to nothing is in it (contrast {contrasts[1]:.0f}, {contrasts[0]:.0f} in the stored one). {ADVICE}"
    return ""


def _thumbnail(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L").resize(THUMBNAIL, Image.Resampling.BOX), dtype=int)
