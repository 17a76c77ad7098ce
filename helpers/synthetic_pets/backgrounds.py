"""What stands behind the pet. Nothing here knows the label, so nothing here can give it away.

Every texture is drawn by code; no photograph is used, so nobody has to be credited.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from helpers.synthetic_pets import noise
from helpers.synthetic_pets import painting as art
from helpers.synthetic_pets.painting import Canvas, Colour, Frame, blend, curve, ellipse, paint, plain, sine, step, tint

NUM_CLUTTER = 4.5  # things lying about, on average
LURE_SHARE = 0.5  # of them in the colours of coats, eyes, tongues and noses: they mislead a network that counts colours
BLUR_SHARE = 0.6  # backgrounds out of focus, as behind most portraits
LURE_COLOURS = (
    (0.82, 0.52, 0.25), (0.40, 0.26, 0.18), (0.55, 0.55, 0.58), (0.90, 0.80, 0.64), (0.22, 0.20, 0.21),
    (0.93, 0.91, 0.87), (0.55, 0.75, 0.25), (0.90, 0.72, 0.20), (0.45, 0.68, 0.85), (0.93, 0.50, 0.54),
)  # fmt: skip


def random_colour(rng: np.random.Generator, *, saturation: float = 0.5, value: float = 0.7) -> np.ndarray:
    """Draw a colour of any hue around a saturation and value (each give or take 0.2)."""
    s, v = np.clip(np.array([saturation, value]) + rng.uniform(-0.2, 0.2, 2), 0, 1)
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), s, v), np.float32)


def two_tone(first: Colour, second: Colour, weight: np.ndarray) -> np.ndarray:
    """Mix two colours by a weight (h, w): float32 (h, w, 3)."""
    return tint(first, 1 - weight) + tint(second, weight)


def _cloth(canvas: Canvas) -> None:
    """Two colours that flow into each other."""
    rng, (height, width) = canvas.rng, canvas.size
    pattern = noise.clouds(rng, canvas.size, period=rng.uniform(0.8, 3) * max(height, width))
    first, second = (random_colour(rng, saturation=0.4, value=0.6) for _ in range(2))
    canvas.pixels[:] = two_tone(first, second, step(pattern, 0.2, 0.8))


def _bokeh(canvas: Canvas) -> None:
    """Lights far out of focus: discs on a dim gradient."""
    _cloth(canvas)
    canvas.pixels *= canvas.rng.uniform(0.5, 0.9)
    unit = min(canvas.size)
    for _ in range(canvas.rng.integers(8, 26)):
        x, y = canvas.rng.uniform(0, 1, 2) * canvas.size[::-1]
        colour, radius = (
            random_colour(canvas.rng, saturation=0.35, value=0.85),
            canvas.rng.uniform(0.03, 0.12) * unit,
        )
        _dab(canvas, ellipse(x, y, radius, radius), colour, canvas.rng.uniform(0.15, 0.5))


def _dab(canvas: Canvas, outline: np.ndarray, colour: np.ndarray, opacity: float) -> None:
    """Fill an outline given in pixels, partly transparent."""
    low = np.clip(outline.min(0), 0, np.array(canvas.size[::-1]) - 1).astype(int)
    high = np.clip(outline.max(0) + 2, 1, canvas.size[::-1]).astype(int)
    pixels = canvas.pixels[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    pixels[:] = blend(pixels, colour, mask * np.float32(opacity / 255))


def _foliage(canvas: Canvas) -> None:
    """Leaves over leaves, the later ones lighter."""
    rng, unit = canvas.rng, min(canvas.size)
    hue = random_colour(rng, saturation=0.25, value=0.5) * 0.5 + np.array([0.12, 0.3, 0.08], np.float32)
    canvas.pixels[:] = 0.35 * hue
    number = int(rng.integers(40, 90))
    for i in range(number):
        size, turn = rng.uniform(0.05, 0.16) * unit, rng.uniform(0, 2 * np.pi)
        blade = np.array([(-1, 0), (-0.3, -0.35), (0.4, -0.3), (1, 0), (0.4, 0.3), (-0.3, 0.35)]) * size
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        outline = art.smooth(blade, rounds=2) @ rotation + rng.uniform(0, 1, 2) * canvas.size[::-1]
        _dab(canvas, outline, hue * (0.5 + i / number * 0.8) * rng.uniform(0.75, 1.25), 0.95)


def _pebbles(canvas: Canvas) -> None:
    """Rounded stones, each lit from above."""
    rng, unit = canvas.rng, min(canvas.size)
    tone = random_colour(rng, saturation=0.15, value=0.5)
    canvas.pixels[:] = 0.4 * tone
    size = rng.uniform(0.03, 0.08) * unit
    for _ in range(int(min(260, 1.6 * canvas.pixels[..., 0].size / (np.pi * size**2)))):
        x, y = rng.uniform(0, 1, 2) * canvas.size[::-1]
        width, height = size * rng.uniform(0.6, 1.3, 2)
        colour, turn = tone * rng.uniform(0.6, 1.3) + rng.normal(0, 0.02, 3), rng.uniform(-40, 40)
        _dab(canvas, ellipse(x, y, width, height, turn=turn, corners=14), 0.75 * colour, 0.95)
        _dab(
            canvas,
            ellipse(x, y - 0.2 * height, 0.75 * width, 0.65 * height, turn=turn, corners=12),
            colour,
            0.8,
        )


def _bricks(canvas: Canvas) -> None:
    """A brick wall in running bond."""
    rng, (height, width) = canvas.rng, canvas.size
    brick = rng.uniform(0.07, 0.15) * min(height, width)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) / brick
    course = np.floor(rows)
    columns = columns / 2.2 + 0.5 * (course % 2) + rng.uniform()
    joint = np.minimum(rows - course, 1 - (rows - course)) < 0.06
    joint |= np.minimum(columns % 1, 1 - columns % 1) < 0.03
    tone = noise.sample(rng.uniform(0.75, 1.2, (64, 64)).astype(np.float32), np.floor(columns), course)
    colour = random_colour(rng, saturation=0.45, value=0.55)
    canvas.pixels[:] = tint(colour, tone + 0.25 * noise.clouds(rng, canvas.size, period=40) - 0.1)
    canvas.pixels[joint] = 0.6 + 0.3 * colour


def _meadow(canvas: Canvas) -> None:
    """Grass seen from above: a great many blades."""
    rng = canvas.rng
    green = np.array([0.30, 0.45, 0.15], np.float32) + rng.uniform(-0.1, 0.12, 3).astype(np.float32)
    tone = 0.5 + 0.8 * noise.clouds(rng, canvas.size, period=18, stretch=4) * rng.uniform(0.8, 1.2)
    tone *= 0.7 + 0.5 * noise.clouds(rng, canvas.size, period=300)
    canvas.pixels[:] = tint(green, tone)
    grass(canvas, bottom=(0, canvas.size[0] * 1.15), number=90, colour=green)


def grass(canvas: Canvas, *, bottom: tuple[float, float], number: int, colour: np.ndarray) -> None:
    """Paint blades of grass that stand between two heights (pixels from the top)."""
    rng, unit = canvas.rng, min(canvas.size)
    for y in np.sort(rng.uniform(*bottom, number)):
        foot = np.array([rng.uniform(0, canvas.size[1]), y])
        tip = foot + np.array((rng.normal(0, 0.05), -rng.uniform(0.08, 0.2))) * unit
        bend = (foot + tip) / 2 + np.array((rng.normal(0, 0.02) * unit, 0))
        shade, width = colour * rng.uniform(0.6, 1.35), rng.uniform(0.8, 0.012 * unit)
        art.paint_line(canvas, curve(foot, bend, tip, corners=6), shade, width=width, opacity=0.9)


def _outdoors(canvas: Canvas) -> None:
    """Sky, hills with a noisy ridge, and a lawn."""
    rng, (height, width) = canvas.rng, canvas.size
    sky = np.array([0.45, 0.65, 0.92]) + rng.uniform(-0.2, 0.15, 3)
    if rng.uniform() < 0.25:  # dusk or dawn
        sky = np.array([0.85, 0.6, 0.5]) + rng.uniform(-0.15, 0.1, 3)
    down = np.repeat(np.linspace(0, rng.uniform(0.3, 1.2), height, dtype=np.float32)[:, None], width, axis=1)
    canvas.pixels[:] = two_tone(sky, (0.92, 0.93, 0.95), down)
    white = step(noise.clouds(rng, canvas.size, period=1.5 * width, stretch=2), 0.55, 0.9)
    canvas.pixels[:] = blend(canvas.pixels, (0.97, 0.97, 0.98), 0.8 * white)
    green = np.array([0.30, 0.48, 0.18]) + rng.uniform(-0.12, 0.15, 3)
    texture = noise.clouds(rng, canvas.size, period=rng.uniform(60, 200))
    rows = np.arange(height)[:, None]
    horizon = rng.uniform(0.3, 0.65) * height
    for depth in (0.0, 0.5, 1.0):
        ridge = noise.clouds(rng, (1, width), period=width * (2.5 - depth))
        top = horizon + (0.14 * depth - 0.25 * (1 - 0.6 * depth) * ridge) * height
        colour = green + (np.array([0.55, 0.65, 0.75]) - green) * 0.55 * (1 - depth)
        colours = tint(colour, 0.75 + 0.45 * texture)
        canvas.pixels[:] = blend(canvas.pixels, colours, np.clip(rows - top, 0, 1).astype(np.float32))
    if rng.uniform() < 0.6:
        grass(canvas, bottom=(horizon, height * 1.1), number=int(rng.integers(20, 90)), colour=green)


def _indoors(canvas: Canvas) -> None:
    """A plain, striped, checked or dotted wall above a floor of planks or carpet."""
    rng, (height, width) = canvas.rng, canvas.size
    wall = random_colour(rng, saturation=0.25, value=0.75)
    other = np.clip(wall + rng.choice([-1, 1]) * rng.uniform(0.05, 0.2) + rng.normal(0, 0.03, 3), 0, 1)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) / (min(height, width) * rng.uniform(0.06, 0.18))
    columns += rng.normal(0, 0.05) * rows
    stripes, bars = sine(np.pi * columns), sine(np.pi * rows)
    patterns = (0 * rows, stripes, stripes * bars, np.maximum(stripes, 0) * np.maximum(bars, 0) - 0.5)
    pattern = patterns[rng.choice(4, p=[0.35, 0.3, 0.2, 0.15])]
    canvas.pixels[:] = two_tone(wall, other, step(pattern, -0.1, 0.1))
    canvas.pixels *= art.wide(0.9 + 0.2 * noise.clouds(rng, canvas.size, period=2 * width))
    edge = int(height * rng.uniform(0.5, 0.95))
    floor = canvas.pixels[edge:]
    wood = np.array([0.58, 0.40, 0.25]) * rng.uniform(0.6, 1.35) + rng.normal(0, 0.04, 3)
    if rng.uniform() < 0.35:
        wood = random_colour(rng, saturation=0.35, value=0.5)  # a carpet
    grain = noise.clouds(rng, floor.shape[:2], period=90, stretch=6)
    plank = np.floor(np.linspace(0, 4, len(floor)) ** 1.5)[:, None]
    tone = 0.8 + 0.25 * grain + 0.12 * np.sin(plank * 4.7 + 3 * np.floor(columns[edge:] * 0.3 + plank * 0.37))
    floor[:] = tint(wood, tone.astype(np.float32))
    if rng.uniform() < 0.7:
        cv2.rectangle(canvas.pixels, (0, edge - height // 40), (width, edge), (0.9 * wall + 0.1).tolist(), -1)


def _clutter(canvas: Canvas) -> None:
    """One thing with a shadow, anywhere on the canvas."""
    rng = canvas.rng
    lure = rng.uniform() < LURE_SHARE
    colour = random_colour(rng, saturation=0.6) if not lure else np.array(LURE_COLOURS[rng.integers(len(LURE_COLOURS))])
    colour = np.clip(colour + rng.normal(0, 0.04, 3), 0, 1)
    width, height = canvas.size[1], canvas.size[0]
    size = min(height, width) * rng.uniform(0.05, 0.2)
    place = np.diag([size, size]), np.array([[rng.uniform(0, width)], [height * rng.beta(2, 1.3)]])
    frame = Frame(np.hstack(place)).child(turn=rng.normal(0, 20))
    THINGS[rng.integers(len(THINGS))](canvas, frame, colour)


def _box(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    width = canvas.rng.uniform(0.6, 1.5)
    sides = np.array([(-width, -1), (width, -1), (width, 1), (-width, 1)])
    paint(canvas, frame, sides, plain(colour), shadow=0.4)
    lid = [(-width, -1), (width, -1), (width, -0.75), (-width, -0.75)]
    paint(canvas, frame, np.array(lid), plain(np.minimum(1, colour * 1.25)))


def _oval(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    outline = ellipse(0, 0, canvas.rng.uniform(0.5, 1.4), canvas.rng.uniform(0.5, 1))
    paint(canvas, frame, outline, plain(colour), shadow=0.4, bulge=0.8)


def _triangle(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    outline = np.array([(0, -1.2), (1, 0.8), (-1, 0.8)]) * canvas.rng.uniform(0.7, 1.2, 2)
    paint(canvas, frame, outline, plain(colour), shadow=0.4, bulge=0.4)


def _blob(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    radius = canvas.rng.uniform(0.5, 1.4, 8)
    outline = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    if canvas.rng.uniform() < 0.5:  # a fluffy cushion: fur alone is no pet
        art.paint_fur(canvas, frame, outline, plain(colour), art.Hair("middle", centre=(0, 0)))
    else:
        paint(canvas, frame, art.smooth(outline), plain(colour), shadow=0.4, bulge=0.7)


def _tube(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    line = curve(*canvas.rng.uniform(-2, 2, (3, 2)))
    outline = art.tube(line, np.full(len(line), canvas.rng.uniform(0.12, 0.35)))
    paint(canvas, frame, outline, plain(colour), shadow=0.4, bulge=0.7)


def _ball(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    """A striped ball: no spot or slit in its middle, which would look like an eye."""
    second, frequency = random_colour(canvas.rng), canvas.rng.uniform(2, 5)

    def stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        band = step(sine(frequency * (x + 0.4 * y * y)), -0.1, 0.1)
        return two_tone(colour, second, band)

    paint(canvas, frame, ellipse(0, 0, 1, 1), stripes, shadow=0.45, bulge=0.9)


def _plant(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    green = np.array([0.25, 0.5, 0.2]) + canvas.rng.uniform(-0.1, 0.15, 3)
    for turn in np.linspace(-70, 70, 7) + canvas.rng.normal(0, 8, 7):
        leaf = art.smooth([(0, 0), (-0.3, -0.9), (0, -1.9), (0.3, -0.9)], rounds=2)
        paint(canvas, frame.child(turn=turn), leaf, plain(green * canvas.rng.uniform(0.7, 1.25)), shadow=0.15)
    pot = np.array([(-0.6, -0.1), (0.6, -0.1), (0.42, 1), (-0.42, 1)])
    paint(canvas, frame, pot, plain(colour), shadow=0.3, bulge=0.6)


def _flower(canvas: Canvas, frame: Frame, colour: np.ndarray) -> None:
    stem = frame.to_pixels(curve((0, 0), (0.2, 1), (0, 2.5)))
    art.paint_line(canvas, stem, (0.25, 0.45, 0.2), width=0.14 * frame.scale)
    for turn in np.arange(5) * 72:
        paint(canvas, frame.child(turn=turn), ellipse(0, -0.55, 0.36, 0.5), plain(colour), shadow=0.12)
    paint(canvas, frame, ellipse(0, 0, 0.3, 0.3), plain((0.93, 0.78, 0.3)), bulge=0.4)


THINGS = (_box, _oval, _triangle, _blob, _tube, _ball, _plant, _flower)
SCENES: tuple[tuple[Callable[[Canvas], None], float], ...] = (
    (_outdoors, 0.25), (_indoors, 0.30), (_cloth, 0.13), (_bokeh, 0.07),
    (_foliage, 0.08), (_pebbles, 0.05), (_bricks, 0.06), (_meadow, 0.06),
)  # fmt: skip


def paint_background(canvas: Canvas) -> None:
    """Fill the canvas with a scene and some clutter, out of focus more often than not."""
    scenes, shares = zip(*SCENES, strict=True)
    scene = scenes[canvas.rng.choice(len(scenes), p=shares)]
    blurred = canvas.rng.uniform() < BLUR_SHARE
    height, width = canvas.size
    half = Canvas(np.zeros((height // 2, width // 2, 3), np.float32), canvas.light, canvas.rng)
    behind = half if blurred else canvas  # what will be blurred can be drawn at half the size, four times as fast
    scene(behind)
    for _ in range(canvas.rng.poisson(NUM_CLUTTER)):
        _clutter(behind)
    if blurred:
        sigma = min(behind.size) * canvas.rng.uniform(0.004, 0.02)
        canvas.pixels[:] = cv2.resize(art.blur(behind.pixels, sigma), (width, height))
