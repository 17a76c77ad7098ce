"""Bodies in four poses. The unit is the head's radius, the origin the middle of the head, y down."""

from __future__ import annotations

import numpy as np

from helpers._pets.coats import Coat
from helpers._pets.heads import INK, paint_head, paint_profile
from helpers._pets.painting import (
    Canvas,
    Frame,
    Hair,
    curve,
    ellipse,
    mirrored,
    paint,
    paint_fur,
    paint_line,
    plain,
    smooth,
    tube,
)
from helpers._pets.traits import Traits

EXTENT = {  # left, top, right, bottom of what a picture of the pose should show
    "bust": (-1.35, -1.65, 1.35, 1.75),
    "sitting": (-1.75, -1.65, 1.75, 3.75),
    "side": (-1.5, -1.7, 4.7, 3.4),
    "lying": (-2.0, -1.65, 2.0, 1.9),
}
BUST = {  # right halves, top to bottom
    "cat": ((0, 0.2), (0.50, 0.35), (0.66, 0.9), (0.86, 1.5), (1.02, 2.4), (1.05, 4.5), (0, 4.5)),
    "dog": ((0, 0.2), (0.60, 0.35), (0.84, 0.9), (1.12, 1.5), (1.34, 2.4), (1.40, 4.5), (0, 4.5)),
}
SITTING = {
    "cat": ((0, 0.3), (0.48, 0.4), (0.66, 1.0), (0.76, 1.8), (0.98, 2.6), (0.92, 3.3), (0.5, 3.5), (0, 3.5)),
    "dog": ((0, 0.3), (0.58, 0.4), (0.88, 1.0), (1.02, 1.8), (1.12, 2.6), (1.02, 3.3), (0.5, 3.5), (0, 3.5)),
}
LYING = {
    "cat": ((0, -0.2), (0.70, -0.1), (1.30, 0.30), (1.66, 0.95), (1.62, 1.45), (1.2, 1.68), (0, 1.7)),
    "dog": ((0, -0.1), (0.75, 0.0), (1.40, 0.42), (1.86, 1.00), (1.84, 1.45), (1.4, 1.68), (0, 1.7)),
}
SIDE = {  # looking left: neck, back, rump, belly, chest
    "cat": ((0.1, -0.3), (0.9, 0.05), (1.7, 0.55), (2.7, 0.50), (3.5, 0.55), (3.95, 1.0), (3.85, 1.6), (3.0, 1.75), (2.0, 1.80), (1.0, 1.85), (0.35, 1.5), (-0.1, 0.8)),
    "dog": ((0.1, -0.4), (0.9, -0.1), (1.6, 0.42), (2.6, 0.50), (3.4, 0.52), (3.8, 0.95), (3.7, 1.6), (3.0, 1.62), (2.1, 1.95), (1.0, 2.10), (0.2, 1.7), (-0.2, 0.8)),
}  # fmt: skip
FORELEG = ((-0.36, -0.45), (0.36, -0.5), (0.38, 0.2), (0.22, 0.75), (0.17, 1.3), (0.22, 1.62), (-0.36, 1.64), (-0.44, 1.5), (-0.2, 1.32), (-0.17, 0.8), (-0.32, 0.2))
HINDLEG = ((-0.62, -0.5), (0.1, -0.75), (0.62, -0.4), (0.64, 0.2), (0.42, 0.6), (0.56, 0.92), (0.36, 1.3), (0.36, 1.62), (-0.22, 1.64), (-0.3, 1.5), (0.04, 1.36), (0.2, 0.98), (0.0, 0.68), (-0.52, 0.35))
TAIL = {"cat": (0.17, 0.19, 0.19, 0.18, 0.17, 0.16), "dog": (0.20, 0.28, 0.30, 0.26, 0.17, 0.05)}  # radii, root to tip


def paint_pet(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    """Paint a pet in its pose; the frame's origin is the middle of the head."""
    head = frame.child(turn=canvas.rng.normal(0, 12 if traits.pose != "side" else 7))
    POSES[traits.pose](canvas, frame, traits, coat)
    if traits.collar is not None:
        _paint_collar(canvas, frame, traits)
    if traits.profile:
        paint_profile(canvas, head, traits, coat)
    else:
        paint_head(canvas, head, traits, coat)


def _paint_tail(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat, line: np.ndarray) -> None:
    """Paint a tail along a line: slim and blunt for a cat, wide and tapered for a dog."""
    radii = np.interp(np.linspace(0, 5, len(line)), range(6), TAIL[traits.body])
    angle = float(np.degrees(np.arctan2(*(line[-1] - line[0])[::-1])))
    paint_fur(canvas, frame, tube(line, radii), coat.at("tail"), Hair(traits.fur, angle=angle), shadow=0.2)


def _paint_paw(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat, *, size: float = 1.0) -> None:
    """Paint a paw from the front around the frame's origin, with two lines between its toes."""
    hair = Hair("short", angle=90)
    paint_fur(canvas, frame, ellipse(0, 0, 0.34 * size, 0.23 * size), coat.at("paw"), hair, shadow=0.3)
    for x in (-0.11 * size, 0.11 * size):
        toe = frame.to_pixels([(x, 0.02), (0.95 * x, 0.17 * size)])
        paint_line(canvas, toe, INK, width=0.035 * frame.scale, opacity=0.55)


def _bust(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    hair = Hair(traits.fur, centre=(0, -1.5))
    paint_fur(canvas, frame, mirrored(BUST[traits.body]), coat.at("chest"), hair)


def _sitting(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    side = canvas.rng.choice([-1, 1])
    if traits.body == "cat":
        points = [(0.8, 3.3), (1.5, 3.45), (1.75, 2.9), (1.5, 2.3), (1.62, 1.8)]
    else:
        points = [(0.8, 3.2), (1.25, 3.0), (1.6, 2.55), (1.75, 2.0), (1.7, 1.6)]
    points = np.array(points) + canvas.rng.normal(0, 0.08, (5, 2))
    _paint_tail(canvas, frame.child(scale=(side, 1)), traits, coat, _through(points))
    for x in (-1, 1):
        _paint_paw(canvas, frame.child(shift=(0.98 * x, 3.42)), traits, coat, size=1.15)
        haunch = ellipse(0.82 * x, 2.85, 0.52, 0.62, turn=-12 * x)
        paint_fur(canvas, frame, haunch, coat.at("body"), Hair(traits.fur, angle=90 - 30 * x))
    hair = Hair(traits.fur, centre=(0, -1.5))
    paint_fur(canvas, frame, mirrored(SITTING[traits.body]) * (0.92, 1), coat.at("chest"), hair, shadow=0.3)
    for x in (-1, 1):
        leg = np.array([(-0.30, 0), (0.30, 0), (0.28, 0.8), (0.23, 1.5), (0.26, 1.75), (-0.26, 1.75), (-0.23, 1.5), (-0.28, 0.8)])
        paint_fur(canvas, frame.child(shift=(0.36 * x, 1.72)), leg, coat.at("leg"), Hair(traits.fur, angle=90), shadow=0.2)
        _paint_paw(canvas, frame.child(shift=(0.38 * x, 3.5)), traits, coat)


def _through(points: np.ndarray, *, number: int = 16) -> np.ndarray:
    """Return a smooth line near a few points: their quadratic B-spline, drawn by corner cutting."""
    line = np.asarray(points, float)
    for _ in range(3):
        inner = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], axis=1)
        line = np.vstack([line[:1], inner.reshape(-1, 2), line[-1:]])
    return line[np.linspace(0, len(line) - 1, number).round().astype(int)]


def _lying(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    side = canvas.rng.choice([-1, 1])
    tail = np.array([(1.4, 1.3), (2.0, 1.45), (2.35, 1.2), (2.3, 0.8)]) + canvas.rng.normal(0, 0.1, (4, 2))
    _paint_tail(canvas, frame.child(scale=(side, 1)), traits, coat, _through(tail))
    paint_fur(canvas, frame, mirrored(LYING[traits.body]), coat.at("body"), Hair(traits.fur, centre=(0, -0.8)))
    for x in (-1, 1):
        arm = ellipse(0.62 * x, 1.42, 0.30, 0.42, turn=14 * x)
        paint_fur(canvas, frame, arm, coat.at("leg"), Hair(traits.fur, angle=90), shadow=0.2)
        _paint_paw(canvas, frame.child(shift=(0.56 * x, 1.68)), traits, coat, size=1.1)


def _side(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    """Paint a pet that stands or walks to the left, its head in front of the body."""
    rise = canvas.rng.uniform(-1.0, 0.6)
    if traits.body == "cat":
        tail = np.array([(3.75, 0.85), (4.4, 0.6), (4.6, -0.1 + 0.4 * rise), (4.35, -0.7 + rise), (4.6, -1.1 + rise)])
    else:
        tail = np.array([(3.6, 0.8), (4.2, 0.5), (4.6, 0.1 + 0.4 * rise), (4.75, -0.3 + rise)])
    _paint_tail(canvas, frame, traits, coat, _through(tail))
    stride, slim = canvas.rng.uniform(-16, 16), 0.85 if traits.body == "cat" else 1.0
    for far in (True, False):
        turn = -stride if far else stride
        if not far:
            paint_fur(canvas, frame, np.array(SIDE[traits.body]), coat.at("body"), Hair(traits.fur, angle=15))
        for form, x in ((HINDLEG, 3.25), (FORELEG, 0.75)):
            place = frame.child(shift=(x - 0.3 * far, 1.62 - 0.06 * far), turn=turn, scale=(slim, 1))
            _paint_leg(canvas, place, np.array(form), traits, coat, far=far)
            turn = -turn


def _paint_leg(canvas: Canvas, frame: Frame, form: np.ndarray, traits: Traits, coat: Coat, *, far: bool) -> None:
    """Paint a leg from the side with two toe lines; the far one lies in the shade of the body."""
    colours = coat.at("leg")
    shaded = (lambda x, y: 0.7 * colours(x, y)) if far else colours
    paint_fur(canvas, frame, form, shaded, Hair(traits.fur, angle=85), shadow=0.0 if far else 0.12)
    for x in (-0.2, -0.05):
        toe = frame.to_pixels([(x - 0.06, 1.5), (x - 0.08, 1.6)])
        paint_line(canvas, toe, INK, width=0.035 * frame.scale, opacity=0.5)


def _paint_collar(canvas: Canvas, frame: Frame, traits: Traits) -> None:
    """Paint a collar with a tag below the chin."""
    if traits.pose == "lying":
        return  # the chin hides it
    shift, turn = ((0.35, 0.55), 30) if traits.pose == "side" else ((0, 0.72), 0)
    neck = frame.child(shift=shift, turn=turn)
    wide = 0.62 if traits.body == "cat" else 0.78
    band = np.vstack([curve((-wide, 0.0), (0, 0.5), (wide, 0.0)), curve((wide, 0.26), (0, 0.78), (-wide, 0.26))])
    paint(canvas, neck, band, plain(traits.collar), shadow=0.35, bulge=0.5)
    if canvas.rng.uniform() < 0.6:
        paint(canvas, neck, ellipse(0, 0.52, 0.13, 0.13), plain((0.9, 0.78, 0.35)), shadow=0.3, bulge=0.8)


POSES = {"bust": _bust, "sitting": _sitting, "side": _side, "lying": _lying}
