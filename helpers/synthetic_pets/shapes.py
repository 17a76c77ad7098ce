"""Outlines of heads and bodies, as "x y" pairs. The unit is the head's radius, x to the right, y down.

The origin is the middle of the head, or the joint for a leg. `painting.smooth` rounds the corners. Halves are the
right half, from top to bottom. Where a part has a cat's and a dog's form, these are all there is to the difference.
"""

from __future__ import annotations

import numpy as np


def _outline(text: str) -> np.ndarray:
    """Read "x y, x y, ..." as a float64 (n, 2) array."""
    return np.array([pair.split() for pair in text.split(",")], float)


def _half(text: str) -> np.ndarray:
    """Read the right half of an outline and complete it with its mirror image."""
    half = _outline(text)
    return np.vstack([half, (half * (-1, 1))[::-1]])


SKULL = {  # wide with cheeks, or narrow with a jaw
    "cat": _half("0 -.88, .45 -.88, .86 -.62, 1.08 -.08, 1.16 .34, .86 .66, .45 .84, 0 .88"),
    "dog": _half("0 -.96, .42 -.96, .78 -.66, .86 -.12, .82 .32, .66 .68, .38 .94, 0 .98"),
}
MUZZLE = {
    "cat": _half("0 .14, .14 .16, .36 .30, .44 .50, .34 .66, .14 .74, 0 .74"),
    "dog": _half("0 -.12, .20 -.06, .38 .18, .50 .46, .46 .72, .24 .90, 0 .92"),
}
EYE = {"cat": (0.44, -0.06, 0.29, 0.235), "dog": (0.37, -0.16, 0.19, 0.19)}  # centre x, y; half width, half height
NOSE = {"cat": (0.24, 0.15, 0.115), "dog": (0.20, 0.26, 0.19)}  # centre y; half width, half height
NOSE_FORM = _outline("-.8 -.8, .8 -.8, 1 -.3, .35 .8, -.35 .8, -1 -.3")
TONGUE = _half("0 -.02, .15 -.02, .18 .25, .12 .42, 0 .46")
EAR = {  # the right ear
    "pointed": _outline(".22 -.62, .30 -.95, .74 -1.62, .84 -1.60, 1.02 -.85, .96 -.30"),
    "upright": _outline(".24 -.62, .28 -1.05, .52 -1.66, .70 -1.68, .90 -1.00, .86 -.40"),
    "tipped": _outline(".24 -.62, .28 -1.05, .50 -1.30, .86 -1.26, .92 -.90, .86 -.40"),
    "tip": _outline(".42 -1.26, .66 -1.42, .92 -1.24, 1.10 -.88, 1.04 -.66, .80 -.86"),
    "floppy": _outline(".46 -.84, .74 -.90, 1.06 -.58, 1.26 .10, 1.20 .66, .96 .82, .76 .44, .72 -.22"),
    "folded": _outline(".30 -.84, .50 -.98, .86 -.84, 1.04 -.52, .94 -.36, .66 -.52"),
}
PROFILE = {  # a head that looks to the left
    "cat": _outline("-.88 .30, -.80 .02, -.58 -.50, -.1 -.86, .5 -.8, .9 -.3, .9 .4, .45 .86, -.3 .84, -.74 .66"),
    "dog": _outline(
        "-1.5 .16, -1.42 .02, -.72 -.14, -.52 -.6, 0 -.88, .5 -.8, .86 -.3, .86 .4, .4 .86, -.4 .7, -1.3 .6, -1.5 .4"
    ),
}
EXTENT = {  # left, top, right, bottom of what a picture of the pose should show
    "bust": (-1.35, -1.65, 1.35, 1.75),
    "sitting": (-1.75, -1.65, 1.75, 3.75),
    "side": (-1.5, -1.7, 4.7, 3.4),
    "lying": (-2.0, -1.65, 2.0, 1.9),
}
BUST = {
    "cat": _half("0 .2, .50 .35, .66 .9, .86 1.5, 1.02 2.4, 1.05 4.5, 0 4.5"),
    "dog": _half("0 .2, .60 .35, .84 .9, 1.12 1.5, 1.34 2.4, 1.40 4.5, 0 4.5"),
}
SITTING = {
    "cat": _half("0 .3, .44 .4, .61 1.0, .70 1.8, .90 2.6, .85 3.3, .46 3.5, 0 3.5"),
    "dog": _half("0 .3, .53 .4, .81 1.0, .94 1.8, 1.03 2.6, .94 3.3, .46 3.5, 0 3.5"),
}
LYING = {
    "cat": _half("0 -.2, .70 -.1, 1.30 .30, 1.66 .95, 1.62 1.45, 1.2 1.68, 0 1.7"),
    "dog": _half("0 -.1, .75 0, 1.40 .42, 1.86 1.0, 1.84 1.45, 1.4 1.68, 0 1.7"),
}
SIDE = {  # looking to the left: neck, back, rump, belly, chest
    "cat": _outline(
        ".1 -.3, .9 .05, 1.7 .55, 2.7 .5, 3.5 .55, 3.95 1, 3.85 1.6, 3 1.75, 2 1.8, 1 1.85, .35 1.5, -.1 .8"
    ),
    "dog": _outline(
        ".1 -.4, .9 -.1, 1.6 .42, 2.6 .5, 3.4 .52, 3.8 .95, 3.7 1.6, 3 1.62, 2.1 1.95, 1 2.1, .2 1.7, -.2 .8"
    ),
}
FRONT_LEG = _half("0 0, .30 0, .28 .8, .23 1.5, .26 1.75, 0 1.75")  # seen from the front
FORELEG = _outline(  # seen from the side: shoulder, elbow, wrist, paw
    "-.36 -.45, .36 -.5, .38 .2, .22 .75, .17 1.3, .22 1.62, -.36 1.64, -.44 1.5, -.2 1.32, -.17 .8, -.32 .2"
)
HINDLEG = _outline(  # thigh, hock, paw, knee
    "-.62 -.5, .1 -.75, .62 -.4, .64 .2, .42 .6, .56 .9, .36 1.3, .36 1.6, -.2 1.6, -.3 1.5, 0 1.4, .2 1, 0 .7, -.5 .35"
)
TAIL_RADII = {"cat": (0.17, 0.19, 0.19, 0.18, 0.17, 0.16), "dog": (0.20, 0.28, 0.30, 0.26, 0.17, 0.05)}  # root to tip
TAIL = {  # the line in its middle
    ("sitting", "cat"): _outline(".8 3.3, 1.5 3.45, 1.75 2.9, 1.5 2.3, 1.62 1.8"),
    ("sitting", "dog"): _outline(".8 3.2, 1.25 3.0, 1.6 2.55, 1.75 2.0, 1.7 1.6"),
    ("lying", "cat"): _outline("1.4 1.3, 2.0 1.45, 2.35 1.2, 2.3 .8"),
    ("lying", "dog"): _outline("1.4 1.3, 2.0 1.45, 2.35 1.2, 2.3 .8"),
    ("side", "cat"): _outline("3.75 .85, 4.4 .6, 4.6 -.2, 4.35 -1.0, 4.6 -1.4"),
    ("side", "dog"): _outline("3.6 .8, 4.2 .5, 4.6 0, 4.75 -.6"),
}
