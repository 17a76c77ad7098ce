"""Coats: ten base colours that both classes share, and seven patterns."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.synthetic_pets import noise
from helpers.synthetic_pets.painting import ColourAt, blend, plain, sine, step, tint

BASES = {
    "black": (0.25, 0.235, 0.24),  # real black would hide the face
    "charcoal": (0.33, 0.33, 0.36),
    "grey": (0.53, 0.54, 0.57),
    "silver": (0.73, 0.73, 0.73),
    "white": (0.93, 0.91, 0.88),
    "cream": (0.91, 0.81, 0.64),
    "ginger": (0.86, 0.54, 0.26),
    "red": (0.62, 0.33, 0.18),
    "chocolate": (0.44, 0.30, 0.22),
    "fawn": (0.78, 0.62, 0.43),
}
PATTERNS = ("solid", "two-colour", "tabby", "patched", "pointed", "tan", "merle")
PATTERN_SHARES = {
    "cat": (0.20, 0.20, 0.28, 0.12, 0.09, 0.05, 0.06),
    "dog": (0.26, 0.20, 0.11, 0.14, 0.07, 0.14, 0.08),
}
WHITE, TAN = np.array([0.95, 0.93, 0.90], np.float32), np.array([0.75, 0.48, 0.25], np.float32)
CLOUDS_PER_UNIT = 38.0  # tile pixels a head radius


@dataclass(frozen=True)
class Coat:
    """Colours (red, green, blue in 0..1) and pattern of one pet; `offset` is where it reads the cloud tile."""

    pattern: str
    base: np.ndarray
    second: np.ndarray
    bib: bool
    offset: tuple[float, float]
    stripes: float

    def at(self, part: str) -> ColourAt:
        """Return the colours of a part: head, muzzle, ear, chest, body, leg, far leg, paw or tail."""
        if part == "ear":
            darker = self.second if self.pattern in ("pointed", "patched") else self.base
            return plain(0.9 * darker)
        if part == "far leg":  # in the shade of the body
            return lambda x, y: 0.7 * self._colours("leg", x, y)
        return lambda x, y: self._colours(part, x, y)

    def _colours(self, part: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = x * CLOUDS_PER_UNIT + self.offset[0], y * CLOUDS_PER_UNIT + self.offset[1]
        cloud = noise.sample(noise.cloud_tile(), u, v)
        colours = tint(self.base, 0.86 + 0.28 * cloud)
        weight = self._second_weight(part, x, y, cloud)
        colours = blend(colours, self.second, weight) if weight is not None else colours
        white = self._white_weight(part, x, y, cloud)
        return colours if white is None else blend(colours, WHITE, white)

    def _second_weight(self, part: str, x: np.ndarray, y: np.ndarray, cloud: np.ndarray) -> np.ndarray | None:
        """Return how much of the second colour each pixel takes, by pattern."""
        wobble = 1.1 * (cloud - 0.5)
        if self.pattern == "tabby" and part in ("head", "body", "chest", "leg", "tail"):
            along = {"head": x * (1.3 - 0.4 * y), "body": x, "chest": y}.get(part, y) * self.stripes
            bars = step(sine(along + 3.5 * wobble), 0.15, 0.6)
            if part == "head":  # stripes on the forehead and on the cheeks, none on the face
                bars = np.maximum(bars * step(-y, 0.25, 0.5), _cheek_stripes(x, y, wobble))
            return 0.75 * bars
        if self.pattern == "patched":
            return step(cloud, 0.50, 0.62)
        if self.pattern == "merle":
            return 0.85 * step(cloud, 0.60, 0.68)
        if self.pattern == "pointed":
            if part == "head":
                return 0.9 * (1 - step(cv2.magnitude(x, 1.1 * (y - 0.3)) + 0.3 * wobble, 0.3, 0.95))
            return np.full_like(x, {"tail": 0.9, "paw": 0.9, "leg": 0.7, "muzzle": 0.95}.get(part, 0.1))
        if self.pattern == "tan":
            return _tan_weight(part, x, y, wobble)
        return None

    def _white_weight(self, part: str, x: np.ndarray, y: np.ndarray, cloud: np.ndarray) -> np.ndarray | None:
        """Return how white each pixel is: muzzle, blaze, bib and paws of a two-colour coat, or only a bib."""
        edge = 0.25 * (cloud - 0.5)
        if part == "chest" and self.bib:
            outline = np.abs(x) + edge + 0.25 * np.maximum(y - 0.9, 0) ** 2  # a shield: pointed below
            return 1 - step(outline, 0.36, 0.52)
        if self.pattern == "two-colour" and part in ("muzzle", "paw"):
            return np.ones_like(x)
        if self.pattern == "two-colour" and part == "head":
            return 1 - step(np.abs(x) - 0.35 * np.maximum(y, 0) + edge, 0.1, 0.22)
        return None


def _cheek_stripes(x: np.ndarray, y: np.ndarray, wobble: np.ndarray) -> np.ndarray:
    bars = step(sine(9 * (y - 0.35 * np.abs(x)) + 3 * wobble), 0.2, 0.7)
    return bars * step(np.abs(x), 0.6, 0.75) * step(y, -0.1, 0.1)


def _tan_weight(part: str, x: np.ndarray, y: np.ndarray, wobble: np.ndarray) -> np.ndarray | None:
    """Tan muzzle, legs, paws, two spots on the chest and one over each eye."""
    if part in ("muzzle", "paw"):
        return np.full_like(x, 0.95)
    if part == "leg":
        return step(y + 0.3 * wobble, 0.5, 0.8)
    if part == "head":
        brows = 1 - step(cv2.magnitude(np.abs(x) - 0.34, y + 0.48), 0.09, 0.16)
        return np.maximum(brows, (1 - step(np.abs(x) + 0.3 * wobble, 0.45, 0.6)) * step(y, 0.3, 0.5))
    if part == "chest":
        return 1 - step(cv2.magnitude(np.abs(x) - 0.4, (y - 1.5) * 0.8) + 0.3 * wobble, 0.2, 0.35)
    return None


def draw_coat(rng: np.random.Generator, kind: str) -> Coat:
    """Draw a coat; the class only shifts how likely the patterns are."""
    pattern = str(rng.choice(PATTERNS, p=PATTERN_SHARES[kind]))
    names = list(BASES)
    name = str(rng.choice(names))
    if pattern == "tan":
        name = str(rng.choice(["black", "charcoal", "chocolate"]))
    if pattern == "pointed":
        name = str(rng.choice(["cream", "silver", "white", "fawn"]))
    base = np.clip(np.array(BASES[name]) * rng.uniform(0.88, 1.1) + rng.normal(0, 0.015, 3), 0.2, 0.97)
    second = {
        "tan": TAN,
        "pointed": np.array(BASES["chocolate"]),
        "merle": base * 0.45,
        "tabby": base * 0.45,
    }.get(pattern)
    if second is None:
        second = np.array(BASES[str(rng.choice([other for other in names if other != name]))])
    if pattern == "tabby" and base.mean() < 0.3:
        second = base * 1.9  # dark stripes on a dark coat would not show
    return Coat(
        pattern=pattern,
        base=base.astype(np.float32),
        second=second.astype(np.float32),
        bib=pattern == "two-colour" or rng.uniform() < 0.2,
        offset=(rng.uniform(0, noise.TILE), rng.uniform(0, noise.TILE)),
        stripes=rng.uniform(7, 11),
    )
