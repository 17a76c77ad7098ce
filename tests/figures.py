"""Compare a notebook's figures with the stored ones, by rules that hold on another machine too.

A figure of something that is the same everywhere (a photo, an untrained network, a curve) must be the same picture,
but for rounding in a few pixels. A figure that shows what a training or a clock gave, in a cell tagged
`nbval-ignore-output`, must have about the same size and look alike: that finds an empty or upside-down figure.
"""

import base64
import io
from collections.abc import Sequence

import imagehash
import numpy as np
import pytest
from nbformat import NotebookNode
from PIL import Image

HASH_SIZE = 8
MOST_BITS = 22  # of 64 that may differ in a figure of measured things; unrelated pictures differ in 32 on average
THUMBNAIL = (16, 16)
MOST_SHADE = (
    20  # of 255, mean difference between the thumbnails of a figure of measured things: finds pictures gone black
)
MOST_SIZE = 0.15  # of its width or height: axes with longer numbers make a figure a little larger or smaller
MOST_PIXELS = 0.005  # share of pixels that may differ in a figure that is the same everywhere
VISIBLE = 8  # of 255: smaller differences are rounding


def is_notebook_cell(item: pytest.Item) -> bool:
    """Tell a cell that nbval runs from an ordinary test."""
    return hasattr(item, "cell") and hasattr(item, "test_outputs")


def compare(stored: Sequence[NotebookNode], new: Sequence[NotebookNode], *, exact: bool) -> str:
    """Return what differs between the pictures of two runs of a cell, `""` if nothing does."""
    before, after = pictures(stored), pictures(new)
    if len(before) != len(after):
        return f"{len(after)} figures, {len(before)} are stored. Look at them, then: make outputs"
    problems = [differ(*pair, exact=exact) for pair in zip(before, after, strict=True)]
    return next((f"Figure {n}: {problem}" for n, problem in enumerate(problems, start=1) if problem), "")


def pictures(outputs: Sequence[NotebookNode]) -> list[Image.Image]:
    encoded = [output.data["image/png"] for output in outputs or [] if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB") for content in encoded]


def differ(stored: Image.Image, new: Image.Image, *, exact: bool) -> str:
    """Return how a new picture differs from the stored one, `""` if it does not."""
    if exact:
        if stored.size != new.size:
            return f"its size is {new.size}, that of the stored one {stored.size}. Look at it, then: make outputs"
        apart = np.abs(np.asarray(stored, dtype=int) - np.asarray(new, dtype=int)).max(axis=2) > VISIBLE
        if apart.mean() > MOST_PIXELS:
            return f"{apart.mean():.1%} of its pixels differ from the stored one. Look at it, then: make outputs"
        return ""
    if any(abs(a - b) > MOST_SIZE * a for a, b in zip(stored.size, new.size, strict=True)):
        return f"its size is {new.size}, that of the stored one {stored.size}. Look at it, then: make outputs"
    bits = int(imagehash.phash(stored, HASH_SIZE) - imagehash.phash(new, HASH_SIZE))
    small = [
        np.asarray(picture.convert("L").resize(THUMBNAIL, Image.Resampling.BOX), dtype=int) for picture in (stored, new)
    ]
    shade = np.abs(small[0] - small[1]).mean()
    if bits > MOST_BITS or shade > MOST_SHADE:
        return (
            f"it does not look like the stored one ({bits} of {HASH_SIZE**2} bits differ, {shade:.0f} of 255 in "
            "shade). Look at it, then: make outputs"
        )
    return ""
