"""Bodies in four poses. The unit is the head's radius, the origin the middle of the head, y down."""

from __future__ import annotations

import numpy as np

from helpers.synthetic_pets import painting as art
from helpers.synthetic_pets import shapes
from helpers.synthetic_pets.heads import paint_head, paint_profile
from helpers.synthetic_pets.pet import Pet


def paint_pet(pet: Pet, frame: art.Frame) -> None:
    """Paint a pet in its pose; the frame's origin is the middle of the head."""
    side = pet.traits.pose == "side"
    head = frame.child(turn=pet.canvas.rng.normal(0, 7 if side else 12))
    POSES[pet.traits.pose](pet, frame)
    if pet.traits.collar is not None and pet.traits.pose != "lying":  # there the chin hides it
        _paint_collar(pet, frame.child(shift=(0.35, 0.55), turn=30) if side else frame.child(shift=(0, 0.72)))
    if pet.traits.profile:
        paint_profile(pet, head)
    else:
        paint_head(pet, head)


def _paint_tail(pet: Pet, frame: art.Frame) -> None:
    """Paint a tail: slim and blunt for a cat, wide and tapered for a dog."""
    line = shapes.TAIL[pet.traits.pose, pet.traits.body]
    lift = pet.canvas.rng.normal(0, 0.3) * np.linspace(0, 1, len(line)) ** 2
    line = art.through(line + pet.canvas.rng.normal(0, 0.07, line.shape) + np.stack([0 * lift, lift], axis=1))
    radii = np.interp(np.linspace(0, 5, len(line)), range(6), shapes.TAIL_RADII[pet.traits.body])
    angle = float(np.degrees(np.arctan2(*(line[-1] - line[0])[::-1])))
    pet.fur(frame, art.tube(line, radii), "tail", angle=angle, shadow=0.2)


def _paint_paw(pet: Pet, frame: art.Frame, *, size: float = 1.0) -> None:
    """Paint a paw from the front around the frame's origin, with two lines between its toes."""
    pet.fur(frame, art.ellipse(0, 0, 0.34 * size, 0.23 * size), "paw", shadow=0.3)
    for x in (-0.11 * size, 0.11 * size):
        pet.line(frame, [(x, 0.02), (0.95 * x, 0.17 * size)], width=0.035, opacity=0.55)


def _bust(pet: Pet, frame: art.Frame) -> None:
    pet.fur(frame, shapes.BUST[pet.traits.body], "chest", centre=(0, -1.5))


def _sitting(pet: Pet, frame: art.Frame) -> None:
    """Paint a sitting pet from the front: tail, hind paws and haunches, body, front legs."""
    _paint_tail(pet, frame.child(scale=(pet.canvas.rng.choice([-1, 1]), 1)))
    for x in (-1, 1):
        _paint_paw(pet, frame.child(shift=(0.98 * x, 3.42)), size=1.15)
        pet.fur(frame, art.ellipse(0.82 * x, 2.85, 0.52, 0.62, turn=-12 * x), "body", angle=90 - 30 * x)
    pet.fur(frame, shapes.SITTING[pet.traits.body], "chest", centre=(0, -1.5), shadow=0.3)
    for x in (-1, 1):
        pet.fur(frame.child(shift=(0.36 * x, 1.72)), shapes.FRONT_LEG, "leg", shadow=0.2)
        _paint_paw(pet, frame.child(shift=(0.38 * x, 3.5)))


def _lying(pet: Pet, frame: art.Frame) -> None:
    """Paint a pet that lies and looks at us: tail, body, arms and paws below the chin."""
    _paint_tail(pet, frame.child(scale=(pet.canvas.rng.choice([-1, 1]), 1)))
    pet.fur(frame, shapes.LYING[pet.traits.body], "body", centre=(0, -0.8))
    for x in (-1, 1):
        pet.fur(frame, art.ellipse(0.62 * x, 1.42, 0.30, 0.42, turn=14 * x), "leg", shadow=0.2)
        _paint_paw(pet, frame.child(shift=(0.56 * x, 1.68)), size=1.1)


def _side(pet: Pet, frame: art.Frame) -> None:
    """Paint a pet that stands or walks to the left: far legs, body, near legs, of which diagonal ones go together."""
    _paint_tail(pet, frame)
    stride, slim = pet.canvas.rng.uniform(-16, 16), 0.85 if pet.traits.body == "cat" else 1.0
    for far in (True, False):
        if not far:
            pet.fur(frame, shapes.SIDE[pet.traits.body], "body", angle=15)
        turn = -stride if far else stride
        for form, x, sign in ((shapes.HINDLEG, 3.25, 1), (shapes.FORELEG, 0.75, -1)):
            place = (x - 0.3 * far, 1.62 - 0.06 * far)
            leg = frame.child(shift=place, turn=sign * turn, scale=(slim, 1))
            pet.fur(leg, form, "far leg" if far else "leg", angle=85, shadow=0.0 if far else 0.12)
            for toe in (-0.2, -0.05):
                pet.line(leg, [(toe - 0.06, 1.5), (toe - 0.08, 1.6)], width=0.035, opacity=0.5)


def _paint_collar(pet: Pet, neck: art.Frame) -> None:
    """Paint a collar, more often than not with a tag."""
    wide = 0.62 if pet.traits.body == "cat" else 0.78
    upper = art.curve((-wide, 0.0), (0, 0.5), (wide, 0.0))
    lower = art.curve((wide, 0.26), (0, 0.78), (-wide, 0.26))
    art.paint(pet.canvas, neck, np.vstack([upper, lower]), art.plain(pet.traits.collar), shadow=0.35, bulge=0.5)
    if pet.canvas.rng.uniform() < 0.6:
        tag = art.plain((0.9, 0.78, 0.35))
        art.paint(pet.canvas, neck, art.ellipse(0, 0.52, 0.13, 0.13), tag, shadow=0.3, bulge=0.8)


POSES = {"bust": _bust, "sitting": _sitting, "side": _side, "lying": _lying}
