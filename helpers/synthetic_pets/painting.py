"""Painting primitives: outlines in an animal's own units, smooth shapes, fur, lines, shadow and light."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from helpers.synthetic_pets import noise

Colour = Sequence[float] | np.ndarray  # red, green, blue in 0..1
ColourAt = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (x, y) of every pixel -> (h, w, 3)
SUBPIXEL_BITS = 4  # OpenCV takes fixed-point corners: 1/16 pixel, so that edges do not jump
TUFT = {"short": 0.05, "middle": 0.10, "long": 0.17}  # how far hairs stand out, in head radii
HAIRS_PER_UNIT = 75.0  # tile pixels a head radius; with fewer pixels on the canvas, one a pixel (no aliasing)


@dataclass
class Canvas:
    """A picture in the making.

    Attributes:
        pixels: float32 (H, W, 3), red, green, blue, 0..1 (may leave the range until the camera clips it).
        light: unit vector (x, y) in pixels that points to the light; y grows downwards, so above is (0, -1).
        rng: the picture's only source of randomness.
    """

    pixels: np.ndarray
    light: np.ndarray
    rng: np.random.Generator

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[:2]


@dataclass(frozen=True)
class Frame:
    """A coordinate system on the canvas: pixels = matrix @ (x, y, 1), with a float64 (2, 3) matrix."""

    matrix: np.ndarray

    @property
    def scale(self) -> float:
        """Pixels a unit."""
        return float(abs(self.matrix[0, 0] * self.matrix[1, 1] - self.matrix[0, 1] * self.matrix[1, 0]) ** 0.5)

    def child(self, *, shift: Sequence[float] = (0, 0), turn: float = 0, scale: Sequence[float] = (1, 1)) -> Frame:
        """Return the frame whose origin is at `shift` of this one, turned by degrees (clockwise) and scaled."""
        angle = np.radians(turn)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = self.matrix[:, :2] @ rotation @ np.diag(scale)
        return Frame(np.hstack([linear, self.to_pixels([shift]).T]))

    def to_pixels(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """Turn (n, 2) points of this frame into pixels."""
        return np.asarray(points, float) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def grid(self, box: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        """Return this frame's x and y of every pixel of a box: two float32 (h, w)."""
        rows, columns = (np.arange(part.start, part.stop) + 0.5 for part in box)
        inverse = np.linalg.inv(self.matrix[:, :2])
        columns, rows = columns - self.matrix[0, 2], rows - self.matrix[1, 2]
        x, y = (inverse[i, 0] * columns[None, :] + inverse[i, 1] * rows[:, None] for i in (0, 1))
        return x.astype(np.float32), y.astype(np.float32)


def smooth(points: Sequence[Sequence[float]] | np.ndarray, *, rounds: int = 3) -> np.ndarray:
    """Cut the corners of a closed outline again and again (Chaikin 1974), which tends to a smooth curve."""
    points = np.asarray(points, float)
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


def ellipse(x: float, y: float, width: float, height: float, *, turn: float = 0, corners: int = 28) -> np.ndarray:
    """Return an ellipse's outline from its centre and half axes."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([width * np.cos(angle), height * np.sin(angle)], axis=1)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return points @ np.array([[cos, sin], [-sin, cos]]) + (x, y)


def tube(centre_line: Sequence[Sequence[float]], radii: Sequence[float]) -> np.ndarray:
    """Return the outline of a tube around a bent line, for example a tail."""
    line, radii = np.asarray(centre_line, float), np.asarray(radii, float)[:, None]
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    return np.vstack([line + across * radii, (line - across * radii)[::-1]])


def wide(weight: np.ndarray) -> np.ndarray:
    """Repeat a float32 (h, w) for three channels; many times faster than NumPy's broadcasting over them."""
    return cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR)


def tint(colour: Colour, tone: np.ndarray) -> np.ndarray:
    """Multiply a colour by a tone (h, w): float32 (h, w, 3)."""
    return cv2.merge([tone * np.float32(channel) for channel in colour])


def through(points: np.ndarray, *, number: int = 16) -> np.ndarray:
    """Return a smooth open line near a few points: corner cutting again, with the ends kept."""
    line = np.asarray(points, float)
    for _ in range(3):
        inner = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], axis=1)
        line = np.vstack([line[:1], inner.reshape(-1, 2), line[-1:]])
    return line[np.linspace(0, len(line) - 1, number).round().astype(int)]


def blend(below: np.ndarray, above: Colour | np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mix a colour (3,) or a picture (h, w, 3) over a picture by a weight (h, w) in 0..1."""
    above = np.asarray(above, np.float32)
    if above.ndim == 1:
        return below * wide(1 - weight) + tint(above, weight)
    return cv2.blendLinear(above, below, weight, 1 - weight)


def step(values: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Rise smoothly from 0 at `start` to 1 at `stop`."""
    share = np.clip((values - start) / (stop - start), 0, 1)
    return share * share * (3 - 2 * share)


def sine(angle: np.ndarray) -> np.ndarray:
    """Return the sine of float32 (h, w); NumPy's, unlike OpenCV's, depends on the processor in its last bit."""
    return cv2.polarToCart(np.ones_like(angle), angle)[1]


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blur (Gaussian); a strong blur leaves no detail, so it is done on a smaller copy, many times as fast."""
    reduce = int(sigma / 2)
    if reduce < 2:
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // reduce + 1, height // reduce + 1), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / reduce), (width, height))


def plain(colour: Colour) -> ColourAt:
    """Return the same colour for every pixel."""
    return lambda x, y: tint(colour, np.ones_like(x))


def shading(mask: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Light a mask as if it bulged: about +0.5 where its edge faces the light, -0.5 where it faces away.

    A heavily blurred mask is a hill; its downhill direction is the outward normal of the edge.
    """
    reduce = max(1, int(np.sqrt(mask.size)) // 24)  # the hill is smooth: a few pixels are enough
    small = cv2.resize(mask, (mask.shape[1] // reduce + 1, mask.shape[0] // reduce + 1), interpolation=cv2.INTER_AREA)
    sigma = 0.22 * np.sqrt(small.size)
    hill = cv2.GaussianBlur(small, (0, 0), sigma)
    downhill_x, downhill_y = -cv2.Sobel(hill, -1, 1, 0, scale=1 / 8), -cv2.Sobel(hill, -1, 0, 1, scale=1 / 8)
    facing = (downhill_x * light[0] + downhill_y * light[1]) * np.float32(1.7 * sigma)
    return cv2.resize(facing, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _box_around(canvas: Canvas, corners: np.ndarray, margin: float) -> tuple[slice, slice] | None:
    """Return the rows and columns of the canvas that a shape in pixels touches; None if it lies outside."""
    low = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int).tolist()
    high = np.minimum(np.ceil(corners.max(axis=0) + margin), canvas.size[::-1]).astype(int).tolist()
    if high[0] <= low[0] + 1 or high[1] <= low[1] + 1:
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def _fixed_point(corners: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
    """Return corners as OpenCV wants them: int32, in 1/16 pixel from the middle of the box's first pixel."""
    origin = np.array([box[1].start, box[0].start]) + 0.5
    return np.round((np.clip(corners, -4000, 4000) - origin) * 2**SUBPIXEL_BITS).astype(np.int32)


def _mask(corners: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
    """Return the anti-aliased inside of an outline: float32 (h, w) of the box, 0..1."""
    mask = np.zeros([part.stop - part.start for part in box], np.uint8)
    cv2.fillPoly(mask, [_fixed_point(corners, box)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return mask.astype(np.float32) / 255


def _cast_shadow(pixels: np.ndarray, mask: np.ndarray, light: np.ndarray, *, reach: float, strength: float) -> None:
    """Darken what lies below a mask, a little away from the light."""
    if strength <= 0:
        return
    move = np.array([[1, 0, -light[0] * reach], [0, 1, -light[1] * reach]])
    shadow = cv2.warpAffine(mask, move, mask.shape[::-1])
    shadow = blur(shadow, max(0.6, reach * 0.7))
    pixels *= wide(1 - strength * shadow)


def paint(
    canvas: Canvas,
    frame: Frame,
    outline: np.ndarray,
    colour_at: ColourAt,
    *,
    shadow: float = 0.0,
    bulge: float = 0.0,
) -> None:
    """Paint a smooth shape: a shadow below it, its colours, and light and shade if it bulges."""
    reach = min(12.0, 0.06 * frame.scale + 1)
    corners = frame.to_pixels(outline)
    box = _box_around(canvas, corners, 2 + 3 * reach * (shadow > 0))
    if box is None:
        return
    pixels, mask = canvas.pixels[box], _mask(corners, box)
    _cast_shadow(pixels, mask, canvas.light, reach=reach, strength=shadow)
    colours = colour_at(*frame.grid(box))
    if bulge:
        colours = colours * wide(1 + bulge * shading(mask, canvas.light))
    pixels[:] = blend(pixels, colours, mask)


@dataclass(frozen=True)
class Hair:
    """How the hair of a part lies: length, and a direction in degrees or the point it grows away from."""

    length: str
    angle: float = 90.0
    centre: tuple[float, float] | None = None

    def noise(self, x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
        """Read the hair tile along the hair: float32 (h, w), mean 0, standard deviation 1."""
        density = np.float32(min(HAIRS_PER_UNIT, 0.9 * scale))
        if self.centre is None:
            cos, sin = np.float32(np.cos(np.radians(self.angle))), np.float32(np.sin(np.radians(self.angle)))
            along, across = (x * cos + y * sin) * density, (y * cos - x * sin) * density
        else:
            along, angle = cv2.cartToPolar(x - self.centre[0], y - self.centre[1])
            along, across = along * density, angle * np.float32(noise.TILE / (2 * np.pi))
        return noise.sample(noise.hair_tile(self.length), along, across + 3 * sine(along / 17 + across / 6))  # locks


def paint_fur(
    canvas: Canvas,
    frame: Frame,
    outline: np.ndarray,
    colour_at: ColourAt,
    hair: Hair,
    *,
    shadow: float = 0.35,
) -> None:
    """Paint a furry part: soft shadow, hair along its direction, a tufted edge, and light from above.

    Args:
        canvas: painted on in place.
        frame: the units of the outline; one unit is about the head's radius.
        outline: (n, 2) corners, smoothed here.
        colour_at: the coat's colours.
        hair: length and direction of the hair.
        shadow: darkness of the shadow on what lies below, 0..1.
    """
    tuft = max(1.0, TUFT[hair.length] * frame.scale)
    reach = min(14.0, 0.09 * frame.scale + 1)
    corners = frame.to_pixels(smooth(outline))
    box = _box_around(canvas, corners, 2 + max(2 * tuft, 3 * reach))
    if box is None:
        return
    pixels, mask = canvas.pixels[box], _mask(corners, box)
    _cast_shadow(pixels, mask, canvas.light, reach=reach, strength=shadow)
    x, y = frame.grid(box)
    strands = hair.noise(x, y, frame.scale)
    edge = blur(mask, 0.55 * tuft)
    alpha = step(edge + 0.13 * strands, 0.36, 0.36 + min(0.5, 0.9 / tuft))
    light = 1 + 0.62 * shading(mask, canvas.light) + 0.10 * strands
    colours = colour_at(x, y) * wide(light) + wide(0.025 * strands)  # the sum: a sheen on dark hair
    pixels[:] = blend(pixels, colours, alpha)


def paint_line(canvas: Canvas, points: np.ndarray, colour: Colour, *, width: float, opacity: float = 1.0) -> None:
    """Paint an anti-aliased line through pixels; below one pixel the line gets fainter instead of thinner."""
    box = _box_around(canvas, points, width + 2)
    if box is None:
        return
    ink = np.zeros([part.stop - part.start for part in box], np.uint8)
    corners, thickness = _fixed_point(points, box), max(1, round(width))
    cv2.polylines(ink, [corners], False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    weight = ink.astype(np.float32) * np.float32(opacity * min(1.0, width) / 255)
    canvas.pixels[box] = blend(canvas.pixels[box], colour, weight)


def curve(start: Sequence[float], control: Sequence[float], stop: Sequence[float], *, corners: int = 12) -> np.ndarray:
    """Return a quadratic Bezier curve as (corners, 2) points."""
    t = np.linspace(0, 1, corners)[:, None]
    return (1 - t) ** 2 * np.asarray(start) + 2 * t * (1 - t) * np.asarray(control) + t**2 * np.asarray(stop)
