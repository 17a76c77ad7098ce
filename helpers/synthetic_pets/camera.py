"""What comes between the pet and the file: things in the way, light, lens, sensor and JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.synthetic_pets import noise
from helpers.synthetic_pets.backgrounds import grass, random_colour
from helpers.synthetic_pets.painting import Canvas, Frame, blur, paint, plain, smooth, step, tint, wide

IN_THE_WAY, DAPPLES, FLARE, GREY, BLUR, MOTION = 0.25, 0.40, 0.15, 0.08, 0.38, 0.08  # chances
MEAN_LIGHT = (0.27, 0.62)  # exposure keeps a picture's mean luminance between these, so that nothing drowns
JPEG_QUALITY = (55, 94)


def put_in_the_way(canvas: Canvas) -> None:
    """Hide a part of the pet, now and then: grass, a slab or leaves close to the camera."""
    rng, (height, width) = canvas.rng, canvas.size
    if rng.uniform() >= IN_THE_WAY:
        return
    kind = rng.integers(3)
    if kind == 0:
        green = np.array([0.28, 0.45, 0.16]) + rng.uniform(-0.1, 0.12, 3)
        grass(canvas, bottom=(height * 0.95, height * 1.15), number=int(rng.integers(20, 70)), colour=green)
    elif kind == 1:
        colour, top = random_colour(rng, saturation=0.35, value=0.5), height * rng.uniform(0.7, 0.9)
        slope = rng.normal(0, 0.04) * width
        slab = np.array([(-9, top - slope), (width + 9, top + slope), (width + 9, height + 9), (-9, height + 9)])
        paint(canvas, Frame(np.eye(2, 3)), slab, plain(colour), shadow=0.3, bulge=0.3)
    else:
        green = np.array([0.3, 0.5, 0.2]) + rng.uniform(-0.15, 0.15, 3)
        for _ in range(rng.integers(2, 6)):
            size = min(height, width) * rng.uniform(0.08, 0.2)
            place = rng.uniform(0, 1, 2) * (width, height)
            frame = Frame(np.hstack([np.eye(2) * size, place[:, None]])).child(turn=rng.uniform(0, 360))
            leaf = smooth([(0, -1), (0.35, -0.2), (0.2, 0.7), (0, 1), (-0.2, 0.7), (-0.35, -0.2)], rounds=2)
            paint(canvas, frame, leaf, plain(green * rng.uniform(0.7, 1.2)), shadow=0.25, bulge=0.4)


def take_picture(canvas: Canvas) -> np.ndarray:
    """Light the scene, look at it through a lens, and record it: uint8 (H, W, 3)."""
    rng = canvas.rng
    _light(canvas)
    pixels = _focus(canvas)
    pixels = _expose(rng, pixels)
    return _add_noise(rng, pixels)


def _light(canvas: Canvas) -> None:
    """A ramp of brightness, a white balance, soft patches of shade, and flare."""
    rng, (height, width) = canvas.rng, canvas.size
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(rng.normal(0, 0.2))
    down = np.linspace(1, -1, height, dtype=np.float32)[:, None] * np.float32(abs(rng.normal(0, 0.2)))
    light = 1 + across + down
    if rng.uniform() < DAPPLES:  # edges as wide as a hand: the leaves that cast them are far above
        patches = noise.clouds(rng, canvas.size, period=rng.uniform(0.8, 2.0) * max(height, width))
        patches = blur(patches, 0.03 * max(height, width))
        light = light * (1 - rng.uniform(0.2, 0.45) * step(patches, 0.3, 0.75))
    canvas.pixels *= wide(np.maximum(light, 0.6))  # in deeper shade a dark coat would lose its face
    canvas.pixels *= np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)
    if rng.uniform() < FLARE:
        x, y = rng.uniform(0, width), rng.uniform(-0.1, 0.4) * height
        rows, columns = np.ogrid[:height, :width]
        distance = ((columns - x) ** 2 + (rows - y) ** 2) / (rng.uniform(0.3, 0.7) * max(height, width)) ** 2
        glow = np.exp(-2 * distance).astype(np.float32) * np.float32(rng.uniform(0.2, 0.5))
        canvas.pixels[:] = blend_light(canvas.pixels, glow)


def blend_light(pixels: np.ndarray, glow: np.ndarray) -> np.ndarray:
    """Add warm light without burning out what is bright already."""
    warm = np.array([1.0, 0.95, 0.85], np.float32)
    return pixels + tint(warm, glow) * (1 - np.minimum(pixels, 1))


def _focus(canvas: Canvas) -> np.ndarray:
    """Blur a share of the pictures: out of focus, or moved."""
    rng, pixels = canvas.rng, canvas.pixels
    unit = min(canvas.size) / 300
    if rng.uniform() < BLUR:
        pixels = cv2.GaussianBlur(pixels, (0, 0), unit * rng.uniform(0.5, 2.2))
    if rng.uniform() < MOTION:
        length, angle = int(rng.integers(5, 14)), rng.uniform(0, np.pi)
        kernel = np.zeros((length, length), np.float32)
        middle, arm = length / 2 - 0.5, length / 2 * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in np.round(middle + sign * arm)) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0)
        pixels = cv2.filter2D(pixels, -1, kernel / kernel.sum())
    return pixels


def _luminance(pixels: np.ndarray) -> np.ndarray:
    """Return the brightness the eye sees: (h, w), BT.601 weights."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def _expose(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Choose contrast, brightness and gamma; some pictures are grey."""
    pixels = np.clip(pixels, 0, 1)
    mean = float(_luminance(pixels).mean())
    wanted = float(np.clip(mean * np.exp(rng.normal(0, 0.2)), *MEAN_LIGHT))
    gamma = np.log(wanted) / np.log(np.clip(mean, 0.02, 0.98))
    pixels = cv2.pow(pixels, float(np.clip(gamma, 0.45, 1.9)))
    pixels = (pixels - wanted) * rng.uniform(0.7, 1.15) + wanted
    if rng.uniform() < GREY:
        pixels = wide(_luminance(pixels))
    return pixels


def _add_noise(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Add the sensor's noise (up to 5 % of white, seldom) and round to 8 bits."""
    height, width = pixels.shape[:2]
    top, left = (int(rng.integers(0, 1024 - side)) for side in (height, width))
    grain = noise.grain_tile()[top : top + height, left : left + width]
    level = 0.05 * rng.beta(1, 3)
    return cv2.convertScaleAbs(np.maximum(pixels + wide(level * grain), 0), alpha=255)


def encode(picture: np.ndarray, rng: np.random.Generator) -> bytes:
    """Return a picture as a JPEG file's bytes, at a quality drawn from 55 to 94."""
    quality = int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    done, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as JPEG.")
    return file.tobytes()
