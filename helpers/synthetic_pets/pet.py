"""One pet on its canvas: what every part of it is painted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.synthetic_pets import painting as art
from helpers.synthetic_pets.coats import Coat
from helpers.synthetic_pets.traits import Traits

INK = (0.09, 0.07, 0.07)  # rims of eyes, mouths, toes: nearly black, never quite


@dataclass(frozen=True)
class Pet:
    """A canvas, and the traits and coat of the pet that is painted on it."""

    canvas: art.Canvas
    traits: Traits
    coat: Coat

    def fur(
        self,
        frame: art.Frame,
        outline: np.ndarray,
        part: str,
        *,
        angle: float = 90.0,
        centre: tuple[float, float] | None = None,
        shadow: float = 0.35,
    ) -> None:
        """Paint a furry part whose hair lies along an angle or grows away from a centre."""
        length = "short" if part == "paw" else self.traits.fur
        hair = art.Hair(length, angle=angle, centre=centre)
        art.paint_fur(self.canvas, frame, outline, self.coat.at(part), hair, shadow=shadow)

    def line(
        self,
        frame: art.Frame,
        points: Sequence[Sequence[float]] | np.ndarray,
        *,
        colour: art.Colour = INK,
        width: float = 0.045,
        opacity: float = 0.85,
    ) -> None:
        """Paint a line; its width is in the frame's units."""
        pixels = frame.to_pixels(points)
        art.paint_line(self.canvas, pixels, colour, width=width * frame.scale, opacity=opacity)
