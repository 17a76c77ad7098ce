"""Heads from the front and from the side. The unit is the head's radius, x to the right, y down."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.synthetic_pets import painting as art
from helpers.synthetic_pets import shapes
from helpers.synthetic_pets.pet import INK, Pet
from helpers.synthetic_pets.traits import Traits

PINK, TONGUE = np.array((0.90, 0.58, 0.58), np.float32), np.array((0.92, 0.45, 0.50), np.float32)


@dataclass(frozen=True)
class View:
    """Where the head looks: by what part of a radius near things (depth 1) move over the skull."""

    yaw: float
    pitch: float

    def shift(self, depth: float) -> tuple[float, float]:
        """Return how far something of a depth moves."""
        return self.yaw * depth, self.pitch * depth


def paint_head(pet: Pet, frame: art.Frame) -> None:
    """Paint a head from the front, turned a little: upright ears, skull, face, then ears that hang."""
    yaw, pitch = np.clip(pet.canvas.rng.normal(0, (0.13, 0.07)), (-0.28, -0.16), (0.28, 0.16)).tolist()
    view, traits = View(yaw, pitch), pet.traits
    if traits.ears in ("pointed", "tipped"):
        _paint_ears(pet, frame.child(shift=view.shift(-0.3)))
    pet.fur(frame, shapes.SKULL[traits.skull], "head", centre=(0.8 * yaw, 0.1), shadow=0.4)
    face = frame.child(shift=view.shift(0.8))
    for side in (-1, 1):
        squeeze = 1 - 0.9 * max(0.0, side * yaw)  # the far eye is narrower
        _paint_eye(pet, face.child(scale=(side * squeeze, 1)))
    _paint_muzzle(pet, frame.child(shift=view.shift(1.0 if traits.muzzle == "cat" else 1.45)))
    if traits.ears in ("floppy", "folded"):
        _paint_ears(pet, frame.child(shift=view.shift(-0.2)))


def _ear_form(traits: Traits) -> str:
    """Return the ear's outline; a dog's upright ears are narrower than a cat's."""
    return "upright" if (traits.kind, traits.ears) == ("dog", "pointed") else traits.ears


def _paint_ears(pet: Pet, frame: art.Frame) -> None:
    """Paint both ears, turned about their roots; upright ones show their pink insides, tipped ones fold."""
    rng, form = pet.canvas.rng, _ear_form(pet.traits)
    upright = form in ("pointed", "upright", "tipped")
    root = np.array((0.6, -0.5 if upright else -0.8))
    swing, long = rng.normal(0, 5), rng.uniform(0.82, 1.15)
    for side in (-1, 1):
        turn = swing * (1 if upright else side) + rng.normal(0, 3)
        ear = frame.child(scale=(side, 1)).child(shift=root, turn=turn, scale=(1, long))
        outline = shapes.EAR[form] - root
        pet.fur(ear, outline, "ear", angle=-75 if upright else 75, shadow=0.25 if upright else 0.45)
        if form == "tipped":
            pet.fur(ear, shapes.EAR["tip"] - root, "ear", angle=60, shadow=0.4)
        elif upright:
            middle = outline.mean(axis=0)
            inner = (outline - middle) * (0.56, 0.66) + middle + (-0.02, 0.04)
            colour = art.plain(0.72 * PINK + 0.22 * pet.coat.base)
            art.paint(pet.canvas, ear, art.smooth(inner), colour, bulge=-0.5)  # a hollow: shade above, light below


def _paint_eye(pet: Pet, frame: art.Frame) -> None:
    """Paint the right eye: dark rim, iris, pupil, the lid's shadow and two highlights; or only a closed lid."""
    form = pet.traits.eyes
    x, y, width, height = shapes.EYE[form]
    eye = frame.child(shift=(x, y), turn=-14 if form == "cat" else -4)
    if pet.traits.closed:
        lid = art.curve((-width, -0.02), (0, 0.6 * height + 0.1), (width, -0.04))
        pet.line(eye, lid, width=0.055, opacity=1)
        return
    outline = _almond(width, height) if form == "cat" else art.ellipse(0, 0, width, height)
    art.paint(pet.canvas, eye, outline * (1.2, 1.24), art.plain(INK))
    flip = float(np.sign(frame.matrix[0, 0]))
    art.paint(pet.canvas, eye, outline, _eye_colours(pet.traits, height, flip=flip))


def _almond(width: float, height: float) -> np.ndarray:
    """Return a cat's eye: a flat upper lid that falls towards the nose, a round lower one."""
    upper = art.curve((-width, 0.12 * height), (-0.1 * width, -2.05 * height), (width, -0.30 * height))
    lower = art.curve((width, -0.30 * height), (0.25 * width, 2.0 * height), (-width, 0.12 * height))
    return np.vstack([upper[:-1], lower[:-1]])


def _eye_colours(traits: Traits, radius: float, *, flip: float) -> art.ColourAt:
    """Return the colours inside an eye; the highlights lie on the same side of both eyes."""
    cat = traits.eyes == "cat"
    narrow, tall = (traits.pupil, 0.92 * radius) if cat else (0.95, traits.pupil * radius)

    def disc(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
        return 1 - art.step(cv2.magnitude(x, y), size - 0.12 * radius, size + 0.12 * radius)

    def colours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        edge = art.step(cv2.magnitude(x, y), 0.6 * radius, 1.25 * radius)
        eye = art.tint(traits.iris, 0.75 + 0.5 * art.step(y, -radius, radius) - 0.45 * edge)
        eye = art.blend(eye, INK, disc(x / narrow, y, tall))
        eye = eye * art.wide(0.55 + 0.45 * art.step(y, -radius, -0.35 * radius))  # the lid's shadow
        eye = art.blend(eye, (1, 1, 0.98), 0.95 * disc(x + 0.32 * flip * radius, y + 0.36 * radius, 0.27 * radius))
        return art.blend(eye, (1, 1, 0.98), 0.9 * disc(x - 0.30 * flip * radius, y - 0.38 * radius, 0.12 * radius))

    return colours


def _paint_muzzle(pet: Pet, frame: art.Frame) -> None:
    """Paint muzzle, tongue, mouth, nose and whiskers, seen from the front."""
    traits, cat = pet.traits, pet.traits.muzzle == "cat"
    pet.fur(frame, shapes.MUZZLE[traits.muzzle], "muzzle", centre=(0, 0.15), shadow=0.12 if cat else 0.22)
    for side in (-1, 1) if cat else ():
        pet.fur(frame, art.ellipse(0.2 * side, 0.46, 0.25, 0.19), "muzzle", centre=(0, 0.3), shadow=0.12)
    nose_y, width, height = shapes.NOSE[traits.muzzle]
    lip = nose_y + height + (0.12 if cat else 0.24)
    if traits.tongue:
        _paint_tongue(pet, frame.child(shift=(0, lip)), size=0.7 if cat else 1.0)
    pet.line(frame, [(0, nose_y), (0, lip)])
    for side in (-1, 1):
        corner = (0.30 * side, lip - 0.02) if cat else (0.40 * side, lip - 0.06)
        pet.line(frame, art.curve((0, lip), (0.17 * side, lip + 0.18), corner))
    _paint_nose(pet, frame.child(shift=(0, nose_y)), shapes.NOSE_FORM * (width, height))
    if traits.whiskers:
        _paint_whiskers(pet, frame.child(shift=(0, 0.44)))


def _paint_nose(pet: Pet, frame: art.Frame, outline: np.ndarray) -> None:
    """Paint a pink or black nose with a soft highlight on its upper side."""
    colour = PINK * 0.92 if pet.traits.pink_nose else np.array((0.14, 0.12, 0.13))
    width, height = outline.max(axis=0)

    def colours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        distance = cv2.magnitude(0.6 * x, y + np.float32(0.5 * height))
        spot = 1 - art.step(distance, 0.05 * float(width), 0.5 * float(width))
        return art.blend(art.plain(colour)(x, y), (1, 0.97, 0.97), 0.5 * spot)

    art.paint(pet.canvas, frame, art.smooth(outline), colours, shadow=0.2, bulge=0.5)


def _paint_tongue(pet: Pet, frame: art.Frame, *, size: float) -> None:
    art.paint(pet.canvas, frame, art.smooth(shapes.TONGUE * size), art.plain(TONGUE), shadow=0.25, bulge=0.5)
    pet.line(frame, [(0, 0.04), (0, 0.28 * size)], colour=TONGUE * 0.7, width=0.03)


def _paint_whiskers(pet: Pet, frame: art.Frame, sides: tuple[int, ...] = (-1, 1)) -> None:
    """Paint three whiskers a side."""
    rng, shade = pet.canvas.rng, [pet.canvas.rng.uniform(0.85, 1.0)] * 3
    for side in sides:
        for fan in (-0.16, 0.0, 0.16):
            tip = side * rng.uniform(1.1, 1.5), 2.2 * fan + rng.normal(0.02, 0.07)
            hair = art.curve((0.26 * side, 0.5 * fan), (0.75 * side, 1.2 * fan - 0.1), tip)
            pet.line(frame, hair, colour=shade, width=0.022)


def paint_profile(pet: Pet, frame: art.Frame) -> None:
    """Paint a head that looks to the left: an ear behind, skull with snout, eye, nose, mouth, an ear in front."""
    traits, cat = pet.traits, pet.traits.muzzle == "cat"
    ear = shapes.EAR[_ear_form(traits)] - ((0.45, -0.12) if traits.ears in ("pointed", "tipped") else (0.7, -0.12))
    if traits.ears in ("pointed", "tipped"):
        pet.fur(frame, ear - (0.25, 0.02), "ear", angle=-80)
    pet.fur(frame, shapes.PROFILE[traits.muzzle], "head", centre=(-0.8, 0.2), shadow=0.4)
    tip_x, tip_y, lip = (-0.88, 0.28, 0.50) if cat else (-1.46, 0.16, 0.42)
    corner = (tip_x + (0.45 if cat else 0.85), lip + 0.02)
    pet.line(frame, art.curve((tip_x + 0.06, lip), (tip_x + 0.3, lip + 0.16), corner))
    nose = art.ellipse(0, 0, *((0.10, 0.09) if cat else (0.16, 0.14)))
    _paint_nose(pet, frame.child(shift=(tip_x, tip_y)), nose)
    eye = frame.child(shift=(-0.42, -0.06), scale=(-0.72, 1))  # foreshortened
    _paint_eye(pet, eye.child(shift=(-shapes.EYE[traits.eyes][0], 0)))
    if traits.tongue:
        _paint_tongue(pet, frame.child(shift=(tip_x + 0.34, lip + 0.08), turn=10), size=0.9)
    if traits.whiskers:
        _paint_whiskers(pet, frame.child(shift=(tip_x, 0.44)), sides=(1,))
    pet.fur(frame, ear, "ear", angle=80)
