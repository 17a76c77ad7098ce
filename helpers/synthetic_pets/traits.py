"""What tells a cat from a dog, as chances. No cue is certain: each turns up in the other class too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("cat", "dog")
SWAP = 0.04  # chance that skull, muzzle, eyes or body take the other class's form, each on its own
CLOSED_EYES = 0.07
COLLAR = 0.25
FUR_LENGTHS, FUR_SHARES = ("short", "middle", "long"), (0.4, 0.4, 0.2)
EARS = {  # ear form: chance
    "cat": {"pointed": 0.92, "folded": 0.08},
    "dog": {"floppy": 0.70, "tipped": 0.16, "pointed": 0.14},
}
PINK_NOSE, TONGUE, WHISKERS = (
    {"cat": 0.60, "dog": 0.12},
    {"cat": 0.05, "dog": 0.40},
    {"cat": 0.90, "dog": 0.14},
)
POSES = {"bust": 0.50, "sitting": 0.27, "side": 0.14, "lying": 0.09}
PROFILE = 0.15  # of the pets seen from the side: the head is seen from the side too, the hardest pictures
IRISES = {
    "cat": (
        (0.58, 0.72, 0.28),
        (0.86, 0.76, 0.30),
        (0.82, 0.55, 0.20),
        (0.45, 0.68, 0.85),
        (0.55, 0.33, 0.16),
    ),
    "dog": (
        (0.33, 0.19, 0.10),
        (0.42, 0.26, 0.13),
        (0.27, 0.16, 0.10),
        (0.66, 0.45, 0.20),
        (0.50, 0.66, 0.80),
    ),
}
IRIS_SHARES = {"cat": (0.28, 0.22, 0.2, 0.1, 0.2), "dog": (0.35, 0.22, 0.15, 0.16, 0.12)}


@dataclass(frozen=True)
class Traits:
    """One pet. `skull`, `muzzle`, `eyes` and `body` hold the class whose form they take."""

    kind: str
    skull: str
    muzzle: str
    eyes: str
    body: str
    ears: str
    fur: str
    pose: str
    profile: bool
    pink_nose: bool
    tongue: bool
    whiskers: bool
    closed: bool
    iris: tuple[float, float, float]
    pupil: float  # width as a share of the iris
    collar: tuple[float, float, float] | None


def _pick(rng: np.random.Generator, chances: dict[str, float]) -> str:
    return str(rng.choice(list(chances), p=list(chances.values())))


def draw_traits(rng: np.random.Generator, label: int) -> Traits:
    """Draw one pet of a class: 0 cat, 1 dog."""
    kind, other = KINDS[label], KINDS[1 - label]
    forms = [other if swap else kind for swap in rng.uniform(size=4) < SWAP]
    pose = _pick(rng, POSES)
    irises = IRISES[forms[2]]
    return Traits(
        kind=kind,
        skull=forms[0],
        muzzle=forms[1],
        eyes=forms[2],
        body=forms[3],
        ears=_pick(rng, EARS[kind]),
        fur=str(rng.choice(FUR_LENGTHS, p=FUR_SHARES)),
        pose=pose,
        profile=pose == "side" and rng.uniform() < PROFILE,
        pink_nose=rng.uniform() < PINK_NOSE[kind],
        tongue=rng.uniform() < TONGUE[kind],
        whiskers=rng.uniform() < WHISKERS[kind],
        closed=rng.uniform() < CLOSED_EYES,
        iris=irises[rng.choice(len(irises), p=IRIS_SHARES[forms[2]])],
        pupil=rng.uniform(0.2, 0.75) if forms[2] == "cat" else rng.uniform(0.5, 0.7),
        collar=tuple(rng.uniform(0.1, 0.9, 3)) if rng.uniform() < COLLAR else None,
    )
