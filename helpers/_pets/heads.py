"""Heads from the front and from the side. The unit is the head's radius, x to the right, y down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers._pets.coats import Coat
from helpers._pets.painting import (
    Canvas,
    Colour,
    ColourAt,
    Frame,
    Hair,
    blend,
    curve,
    ellipse,
    mirrored,
    paint,
    paint_fur,
    paint_line,
    plain,
    smooth,
    step,
    tint,
    wide,
)
from helpers._pets.traits import Traits

INK = (0.09, 0.07, 0.07)  # rims of eyes, mouths: nearly black, never quite
PINK, TONGUE = np.array((0.90, 0.58, 0.58), np.float32), np.array((0.92, 0.45, 0.50), np.float32)
SKULL = {  # right half, top to bottom: wide with cheeks, or narrow with a jaw
    "cat": ((0, -0.88), (0.45, -0.88), (0.86, -0.62), (1.08, -0.08), (1.16, 0.34), (0.86, 0.66), (0.45, 0.84), (0, 0.88)),
    "dog": ((0, -0.96), (0.42, -0.96), (0.78, -0.66), (0.86, -0.12), (0.82, 0.32), (0.66, 0.68), (0.38, 0.94), (0, 0.98)),
}
EAR = {  # right ear; the first and last corner lie under the skull or hang from it
    "pointed": ((0.22, -0.62), (0.30, -0.95), (0.74, -1.62), (0.84, -1.60), (1.02, -0.85), (0.96, -0.30)),
    "upright": ((0.24, -0.62), (0.28, -1.05), (0.52, -1.66), (0.70, -1.68), (0.90, -1.00), (0.86, -0.40)),
    "tipped": ((0.24, -0.62), (0.28, -1.05), (0.50, -1.30), (0.86, -1.26), (0.92, -0.90), (0.86, -0.40)),
    "flap": ((0.42, -1.26), (0.66, -1.42), (0.92, -1.24), (1.10, -0.88), (1.04, -0.66), (0.80, -0.86)),
    "floppy": ((0.46, -0.84), (0.74, -0.90), (1.06, -0.58), (1.26, 0.10), (1.20, 0.66), (0.96, 0.82), (0.76, 0.44), (0.72, -0.22)),
    "folded": ((0.30, -0.84), (0.50, -0.98), (0.86, -0.84), (1.04, -0.52), (0.94, -0.36), (0.66, -0.52)),
}  # fmt: skip
MUZZLE = {  # right half
    "cat": ((0, 0.14), (0.14, 0.16), (0.36, 0.30), (0.44, 0.50), (0.34, 0.66), (0.14, 0.74), (0, 0.74)),
    "dog": ((0, -0.12), (0.20, -0.06), (0.38, 0.18), (0.50, 0.46), (0.46, 0.72), (0.24, 0.90), (0, 0.92)),
}
EYE = {"cat": (0.44, -0.06, 0.29, 0.235), "dog": (0.37, -0.16, 0.19, 0.19)}  # centre x, y, half width, half height
NOSE = {"cat": (0.24, 0.135, 0.10), "dog": (0.20, 0.235, 0.165)}  # centre y, half width, half height


@dataclass(frozen=True)
class View:
    """Where the head looks: shares of a radius by which near things (depth 1) move over the skull."""

    yaw: float
    pitch: float

    def shift(self, depth: float) -> tuple[float, float]:
        """Return how far something of a depth moves."""
        return self.yaw * depth, self.pitch * depth


def paint_head(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    """Paint a head from the front, turned a little: upright ears, skull, face, then ears that hang."""
    yaw, pitch = canvas.rng.normal(0, 0.13), canvas.rng.normal(0, 0.07)
    view = View(float(np.clip(yaw, -0.28, 0.28)), float(np.clip(pitch, -0.16, 0.16)))
    if traits.ears in ("pointed", "tipped"):
        _upright_ears(canvas, frame.child(shift=view.shift(-0.3)), traits, coat)
    hair = Hair(traits.fur, centre=(view.yaw * 0.8, 0.1))
    paint_fur(canvas, frame, mirrored(SKULL[traits.skull]), coat.at("head"), hair, shadow=0.4)
    face = frame.child(shift=view.shift(0.8))
    closed = [traits.closed] * 2
    for side in (-1, 1):
        squeeze = 1 - 0.9 * max(0.0, side * view.yaw)  # the far eye is narrower
        _paint_eye(canvas, face.child(scale=(side * squeeze, 1)), traits, closed=closed[(side + 1) // 2])
    _paint_muzzle(canvas, frame.child(shift=view.shift(1.0 if traits.muzzle == "cat" else 1.45)), traits, coat)
    if traits.ears in ("floppy", "folded"):
        _hanging_ears(canvas, frame.child(shift=view.shift(-0.2)), traits, coat)


def _upright_ears(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    form = "tipped" if traits.ears == "tipped" else "pointed" if traits.kind == "cat" else "upright"
    droop, long = canvas.rng.normal(0, 5), canvas.rng.uniform(0.85, 1.12)
    for side in (-1, 1):
        ear = frame.child(scale=(side, 1)).child(shift=(0.6, -0.5), turn=droop + canvas.rng.normal(0, 3), scale=(1, long))
        outline = np.array(EAR[form]) - (0.6, -0.5)
        paint_fur(canvas, ear, outline, plain(coat.ear()), Hair(traits.fur, angle=-75), shadow=0.25)
        if form != "tipped":
            inner = (outline - outline.mean(0)) * (0.56, 0.66) + outline.mean(0) + (-0.02, 0.04)
            paint(canvas, ear, smooth(inner), plain(0.72 * PINK + 0.22 * coat.base), bulge=-0.5)  # a hollow
            continue
        flap = np.array(EAR["flap"]) - (0.6, -0.5)
        paint_fur(canvas, ear, flap, plain(coat.ear()), Hair(traits.fur, angle=60), shadow=0.4)


def _hanging_ears(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    swing, long = canvas.rng.normal(0, 6), canvas.rng.uniform(0.8, 1.2) if traits.ears == "floppy" else 1.0
    for side in (-1, 1):
        ear = frame.child(scale=(side, 1)).child(shift=(0.6, -0.8), turn=swing * side + canvas.rng.normal(0, 4), scale=(1, long))
        outline = np.array(EAR[traits.ears]) - (0.6, -0.8)
        paint_fur(canvas, ear, outline, plain(coat.ear()), Hair(traits.fur, angle=75), shadow=0.45)


def _paint_eye(canvas: Canvas, frame: Frame, traits: Traits, *, closed: bool) -> None:
    """Paint the right eye: dark rim, iris, pupil, lid shadow and two highlights, or only a closed lid."""
    x, y, width, height = EYE[traits.eyes]
    almond = traits.eyes == "cat"
    eye = frame.child(shift=(x, y), turn=-14 if almond else -4)
    if closed:
        lid = eye.to_pixels(curve((-width, -0.02), (0, 0.6 * height + 0.1), (width, -0.04)))
        paint_line(canvas, lid, INK, width=max(1.0, 0.055 * frame.scale))
        return
    outline = _almond(width, height) if almond else ellipse(0, 0, width, height)
    rim = (1.20, 1.26) if almond else (1.22, 1.22)
    paint(canvas, eye, outline * rim, plain(INK))
    paint(canvas, eye, outline, _eye_colours(traits, height, almond=almond, flip=float(np.sign(frame.matrix[0, 0]))))


def _almond(width: float, height: float) -> np.ndarray:
    upper = curve((-width, 0.12 * height), (-0.1 * width, -2.05 * height), (width, -0.30 * height))
    lower = curve((width, -0.30 * height), (0.25 * width, 2.0 * height), (-width, 0.12 * height))
    return np.vstack([upper[:-1], lower[:-1]])


def _eye_colours(traits: Traits, radius: float, *, almond: bool, flip: float) -> ColourAt:
    """Return the colours inside an eye; highlights lie on the same side of both eyes."""
    iris = np.array(traits.iris, np.float32)
    soft = 0.12 * radius

    def colours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        distance = np.hypot(x, y)
        glow = 0.75 + 0.5 * step(y, -radius, radius) - 0.45 * step(distance, 0.6 * radius, 1.25 * radius)
        picture = tint(iris, glow)
        narrow = traits.pupil if almond else 0.95
        size = 0.92 * radius if almond else traits.pupil * radius
        pupil = 1 - step(np.hypot(x / narrow, y) - size, -soft, soft)
        picture = blend(picture, INK, pupil)
        picture = picture * wide(0.55 + 0.45 * step(y, -1.0 * radius, -0.35 * radius))  # the lid's shadow
        for at_x, at_y, size in ((-0.32 * flip, -0.36, 0.27), (0.30 * flip, 0.38, 0.12)):
            spot = 1 - step(np.hypot(x - at_x * radius, y - at_y * radius) - size * radius, -soft, soft)
            picture = blend(picture, (1.0, 1.0, 0.98), 0.95 * spot)
        return picture

    return colours


def _nose_colour(traits: Traits) -> Colour:
    return PINK * 0.92 if traits.pink_nose else (0.14, 0.12, 0.13)


def _paint_muzzle(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    """Paint muzzle, tongue, mouth, nose and whiskers, seen from the front."""
    cat = traits.muzzle == "cat"
    hair = Hair("short" if traits.fur == "short" else "middle", centre=(0, 0.15))
    paint_fur(canvas, frame, mirrored(MUZZLE[traits.muzzle]), coat.at("muzzle"), hair, shadow=0.12 if cat else 0.22)
    if cat:
        for side in (-1, 1):
            pad = ellipse(side * 0.2, 0.46, 0.25, 0.19)
            paint_fur(canvas, frame, pad, coat.at("muzzle"), Hair("short", centre=(0, 0.3)), shadow=0.12)
    nose_y, width, height = NOSE[traits.muzzle]
    lip = nose_y + height + (0.14 if cat else 0.26)
    if traits.tongue:
        _paint_tongue(canvas, frame.child(shift=(0, lip)), size=0.7 if cat else 1.0)
    stroke = max(1.0, 0.045 * frame.scale)
    paint_line(canvas, frame.to_pixels([(0, nose_y), (0, lip)]), INK, width=stroke, opacity=0.85)
    for side in (-1, 1):
        corner = (0.30 * side, lip - 0.02) if cat else (0.40 * side, lip - 0.06)
        mouth = curve((0, lip), (0.17 * side, lip + (0.16 if cat else 0.2)), corner)
        paint_line(canvas, frame.to_pixels(mouth), INK, width=stroke, opacity=0.85)
    outline = [(-0.8, -0.8), (0.8, -0.8), (1, -0.3), (0.35, 0.8), (-0.35, 0.8), (-1, -0.3)]
    nose = smooth(np.array(outline) * (width * 1.12, height * 1.15) + (0, nose_y))
    paint(canvas, frame, nose, _shiny(_nose_colour(traits), nose_y - 0.45 * height, width), shadow=0.2, bulge=0.5)
    if traits.whiskers:
        _paint_whiskers(canvas, frame.child(shift=(0, 0.44)))


def _shiny(colour: Colour, y_light: float, size: float) -> ColourAt:
    """Return a colour with a soft highlight around (0, y_light)."""

    def colours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        spot = 1 - step(np.hypot(0.6 * x, y - y_light), 0.05 * size, 0.5 * size)
        return blend(plain(colour)(x, y), (1, 0.97, 0.97), 0.5 * spot)

    return colours


def _paint_tongue(canvas: Canvas, frame: Frame, *, size: float) -> None:
    outline = smooth(mirrored([(0, -0.02), (0.15, -0.02), (0.18, 0.25), (0.12, 0.42), (0, 0.46)]) * size)
    paint(canvas, frame, outline, plain(TONGUE), shadow=0.25, bulge=0.5)
    paint_line(canvas, frame.to_pixels([(0, 0.04), (0, 0.28 * size)]), TONGUE * 0.7, width=0.03 * frame.scale)


def _paint_whiskers(canvas: Canvas, frame: Frame) -> None:
    shade = canvas.rng.uniform(0.85, 1.0)
    for side in (-1, 1):
        for fan in (-0.16, 0.0, 0.16):
            start, stop = (0.26 * side, 0.5 * fan), (side * canvas.rng.uniform(1.1, 1.5), 2.2 * fan + canvas.rng.normal(0.02, 0.07))
            hair = curve(start, (0.75 * side, 1.2 * fan - 0.1), stop)
            paint_line(canvas, frame.to_pixels(hair), [shade] * 3, width=0.022 * frame.scale, opacity=0.85)


PROFILE_SKULL = {  # looking left
    "cat": ((-0.88, 0.30), (-0.80, 0.02), (-0.58, -0.50), (-0.10, -0.86), (0.50, -0.80), (0.90, -0.30), (0.90, 0.40), (0.45, 0.86), (-0.30, 0.84), (-0.74, 0.66)),
    "dog": ((-1.50, 0.16), (-1.42, 0.02), (-0.72, -0.14), (-0.52, -0.60), (-0.05, -0.88), (0.50, -0.80), (0.86, -0.30), (0.86, 0.40), (0.40, 0.86), (-0.40, 0.72), (-1.30, 0.60), (-1.52, 0.44)),
}  # fmt: skip


def paint_profile(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    """Paint a head that looks to the left: one ear behind, skull with snout, eye, nose, mouth, one ear in front."""
    upright = traits.ears in ("pointed", "tipped")
    front = frame.child(shift=(-0.35, 0.02))
    if upright:
        _profile_ear(canvas, front.child(shift=(-0.25, -0.02)), traits, coat)
    hair = Hair(traits.fur, centre=(-0.8, 0.2))
    paint_fur(canvas, frame, np.array(PROFILE_SKULL[traits.muzzle]), coat.at("head"), hair, shadow=0.4)
    cat = traits.muzzle == "cat"
    tip_x, tip_y, lip = (-0.88, 0.28, 0.50) if cat else (-1.46, 0.16, 0.42)
    mouth = curve((tip_x + 0.06, lip), (tip_x + 0.3, lip + 0.16), (tip_x + (0.45 if cat else 0.85), lip + 0.02))
    paint_line(canvas, frame.to_pixels(mouth), INK, width=max(1.0, 0.045 * frame.scale), opacity=0.85)
    nose = ellipse(tip_x, tip_y, *((0.10, 0.09) if cat else (0.16, 0.14)))
    paint(canvas, frame, nose, plain(_nose_colour(traits)), bulge=0.5)
    eye_x = EYE[traits.eyes][0]
    _paint_eye(canvas, frame.child(shift=(-0.42, -0.06), scale=(-0.72, 1)).child(shift=(-eye_x, 0)), traits, closed=traits.closed)
    if traits.tongue:
        _paint_tongue(canvas, frame.child(shift=(tip_x + 0.34, lip + 0.08), turn=10), size=0.9)
    if traits.whiskers:
        for fan in (-0.15, 0.0, 0.15):
            whisker = curve((tip_x + 0.25, 0.42 + 0.4 * fan), (tip_x + 0.5, 0.4 + fan), (tip_x + 1.1, 0.45 + 2.4 * fan))
            paint_line(canvas, frame.to_pixels(whisker), (0.95, 0.95, 0.95), width=0.022 * frame.scale, opacity=0.85)
    _profile_ear(canvas, front, traits, coat)


def _profile_ear(canvas: Canvas, frame: Frame, traits: Traits, coat: Coat) -> None:
    form = traits.ears if traits.ears != "pointed" or traits.kind == "cat" else "upright"
    hanging = traits.ears in ("floppy", "folded")
    ear = frame.child(shift=(-0.35 if hanging else -0.1, 0.1), scale=(1, 1))
    paint_fur(canvas, ear, np.array(EAR[form]), plain(coat.ear()), Hair(traits.fur, angle=80), shadow=0.35)
