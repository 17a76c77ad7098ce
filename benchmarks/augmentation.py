"""Measure what augmentation costs: Keras layers, albumentations in tf.data, and Keras' older generator.

    python benchmarks/augmentation.py

Every way changes the same pictures, 160 px, in batches of 32, from memory: nothing is decoded. The ways take turns in
one run, so that a busy machine slows all of them; what is quoted are the ratios to the generator with the same
transforms. Prints milliseconds per 1,000 pictures (the median of some rounds) and keeps them in
benchmarks/results/augmentation.json.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import albumentations as A  # noqa: N812
import cv2
import keras
import numpy as np
import tensorflow as tf
from skimage.data import chelsea
from tensorflow.keras.preprocessing.image import ImageDataGenerator

from helpers import augmentation  # first: it keeps albumentations off the network

RESULTS = Path(__file__).parent / "results" / "augmentation.json"
IMAGE_SIZE, BATCH, COUNT, REPEATS = 160, 32, 256, 3
EDGE = {"fill_mode": "nearest"}
BORDER = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
LAYERS = keras.layers

Epoch = Callable[[], Iterable]  # gives the batches of one epoch


def make_pictures() -> np.ndarray:
    """Return float pictures, no two alike: one photo, moved round its edges."""
    photo = cv2.resize(chelsea(), (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
    return np.stack([np.roll(photo, (i, 3 * i), axis=(0, 1)) for i in range(COUNT)]).astype(np.float32)


# One row per pipeline: the same transforms for the generator, for Keras and for albumentations.
def make_pipelines() -> dict[str, tuple[dict, list[keras.Layer], list[A.BasicTransform]]]:
    flip = {"horizontal_flip": True}, [LAYERS.RandomFlip("horizontal")], [A.HorizontalFlip(p=0.5)]
    turn = {"rotation_range": 20}, [LAYERS.RandomRotation(20 / 360, **EDGE)], [A.Rotate(limit=20, **BORDER)]
    shift = (
        {"width_shift_range": 0.1, "height_shift_range": 0.1},
        [LAYERS.RandomTranslation(0.1, 0.1, **EDGE)],
        [A.Affine(translate_percent=(-0.1, 0.1), **BORDER)],
    )
    zoom = {"zoom_range": 0.2}, [LAYERS.RandomZoom(0.2, **EDGE)], [A.Affine(scale=(0.8, 1.2), **BORDER)]
    light = (
        {"brightness_range": (0.7, 1.3)},
        [LAYERS.RandomBrightness(0.3)],
        [A.RandomBrightnessContrast(brightness_limit=0.3, contrast_limit=0, p=1)],
    )
    # The generator and Affine turn, shift and zoom in one go; the layers look every pixel up three times.
    everything = [A.Affine(translate_percent=(-0.1, 0.1), scale=(0.8, 1.2), rotate=(-20, 20), **BORDER)]
    moved = flip[0] | turn[0] | shift[0] | zoom[0], flip[1] + turn[1] + shift[1] + zoom[1], flip[2] + everything
    return {
        "flip": flip,
        "rotate": turn,
        "shift": shift,
        "zoom": zoom,
        "brightness": light,
        "flip, rotate, shift, zoom": moved,
        "flip, rotate, shift, zoom, brightness": (moved[0] | light[0], moved[1] + light[1], moved[2] + light[2]),
    }


def make_batches(pictures: np.ndarray) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((pictures, np.zeros(len(pictures)))).batch(BATCH)


def with_ours(pictures: np.ndarray, augment: augmentation.Augmentation) -> Epoch:
    changed = augmentation.augment_batches(make_batches(pictures), augment)
    return lambda: changed


def with_generator(pictures: np.ndarray, options: dict) -> Epoch:
    flow = ImageDataGenerator(**options, **EDGE).flow(pictures, np.zeros(len(pictures)), batch_size=BATCH)
    return lambda: itertools.islice(flow, len(flow))


def measure(ways: dict[str, Epoch]) -> dict[str, float]:
    """Return milliseconds per 1,000 pictures of every way: the median of some rounds after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(REPEATS + 1):
        for name, epoch in ways.items():
            start = time.perf_counter()
            count = sum(len(pictures) for pictures, _ in epoch())
            if round_number:
                found[name].append(1_000 * 1_000 * (time.perf_counter() - start) / count)
    return {name: round(median(values), 1) for name, values in found.items()}


def measure_pipelines(pictures: np.ndarray) -> dict[str, dict[str, float]]:
    """Return, by pipeline, the milliseconds of every way and its ratio to the generator."""
    results = {}
    for name, (options, layers, transforms) in make_pipelines().items():
        ways = {
            "generator": with_generator(pictures, options),
            "keras": with_ours(pictures, keras.Sequential(layers)),
            "albumentations": with_ours(pictures, A.Compose(transforms)),
        }
        times = measure(ways)
        ratios = {f"{way}_ratio": round(times["generator"] / times[way], 1) for way in ("keras", "albumentations")}
        results[name] = times | ratios
        print(f"{name}: {results[name]}", flush=True)
    return results


def measure_transforms(pictures: np.ndarray) -> dict[str, float]:
    """Return the milliseconds of every transform of the lesson; those that change the size get it back."""
    back = A.Resize(IMAGE_SIZE, IMAGE_SIZE, p=1)
    transforms = augmentation.spatial_transforms(IMAGE_SIZE) | augmentation.pixel_transforms()
    resizing = {"Crop", "CenterCrop", "Resize"}
    ways = {n: with_ours(pictures, A.Compose([t, back]) if n in resizing else t) for n, t in transforms.items()}
    return measure(ways)


def main() -> None:
    """Measure and keep the results."""
    pictures = make_pictures()
    results = {"image_size": IMAGE_SIZE, "unit": "milliseconds per 1,000 pictures"}
    results["pipelines"] = measure_pipelines(pictures)
    results["transforms"] = measure_transforms(pictures)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
