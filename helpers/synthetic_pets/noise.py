"""Random tiles made once a process; a picture only picks the place it reads them from, which is fast."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy import ndimage

TILE = 256  # pixels; tiles repeat without a seam, so any coordinate can be read
HAIR_BLUR = {"short": 4.0, "middle": 8.0, "long": 12.0}  # along the hair, in tile pixels
_TILE_SEED = 2024  # the tiles are constants of the program: the same for every data seed


@cache
def cloud_tile() -> np.ndarray:
    """Make soft 1/f clouds: float32 (TILE, TILE), each value's share of smaller ones, so uniform in 0..1."""
    spectrum = np.fft.fft2(np.random.default_rng(_TILE_SEED).standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.fftfreq(TILE)[None, :])
    frequency[0, 0] = np.inf  # no constant part
    clouds = np.fft.ifft2(spectrum / frequency**1.5).real
    ranks = clouds.ravel().argsort().argsort().reshape(TILE, TILE)
    return (ranks / TILE**2).astype(np.float32)


@cache
def hair_tile(length: str) -> np.ndarray:
    """Make hairs that lie along the rows: float32 (TILE, TILE), mean 0, standard deviation 1."""
    noise = np.random.default_rng(_TILE_SEED + 1).standard_normal((TILE, TILE))
    hairs = ndimage.gaussian_filter(noise, (0.9, HAIR_BLUR[length]), mode="wrap")
    locks = ndimage.gaussian_filter(noise[::-1], (3.5, 2 * HAIR_BLUR[length]), mode="wrap")
    tile = hairs / hairs.std() + 0.22 * locks / locks.std()
    return (tile / tile.std()).astype(np.float32)


@cache
def grain_tile() -> np.ndarray:
    """Make sensor noise: float32 (1024, 1024), normal, larger than any picture so that it is only cropped."""
    return np.random.default_rng(_TILE_SEED + 2).standard_normal((1024, 1024), dtype=np.float32)


def sample(tile: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Read a tile at float32 columns `u` and rows `v` (any range: the tile repeats)."""
    u, v = u.astype(np.float32, copy=False), v.astype(np.float32, copy=False)
    return cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def clouds(rng: np.random.Generator, shape: tuple[int, int], *, period: float, stretch: float = 1.0) -> np.ndarray:
    """Return clouds of a height and width whose pattern repeats every `period` pixels: float32, 0..1."""
    step = TILE / period
    angle = rng.uniform(0, 2 * np.pi)
    matrix = step * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, stretch])
    matrix = np.hstack([matrix, rng.uniform(0, TILE, (2, 1))])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(cloud_tile(), matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_WRAP)
