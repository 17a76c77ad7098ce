"""Changed copies of the training pictures: Keras layers, or albumentations inside `tf.data`, and never for validation.

`training_batches` is the door: it takes a data set, changes the training pictures and leaves the validation pictures
as they are. What changes them is a Keras layer (a whole batch at a time), a pipeline of albumentations, or any
function `(picture, seed) -> picture`: so another library can stand behind it.
"""

import copy
import inspect
import os
import random
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import keras
import numpy as np
import tensorflow as tf

from helpers import datasets

# While it loads, albumentations asks the network for newer releases. No lesson needs the network.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A  # noqa: N812 - everybody calls it A

Pipeline = A.BasicTransform | A.BaseCompose
PictureTransform = Callable[[np.ndarray, int], np.ndarray]  # uint8 (h, w, 3) and a seed -> the same shape and dtype
Augmentation = keras.Layer | Pipeline | PictureTransform

# Shares of a full turn, of the side, of the side, and of the range of values.
STRENGTHS: dict[str, dict[str, float]] = {
    "light": {"shift": 0.05},
    "medium": {"rotation": 0.05, "shift": 0.1, "zoom": 0.15},
    "strong": {"rotation": 0.1, "shift": 0.15, "zoom": 0.25, "contrast": 0.3, "brightness": 0.15},
}
BORDERS = {
    cv2.BORDER_CONSTANT: "CONSTANT",
    cv2.BORDER_REPLICATE: "REPLICATE",
    cv2.BORDER_REFLECT: "REFLECT",
    cv2.BORDER_WRAP: "WRAP",
    cv2.BORDER_REFLECT_101: "REFLECT_101",
}


class TrainingBatches(NamedTuple):
    """Batches to learn from, changed anew every epoch, and batches to judge with, never changed."""

    train: tf.data.Dataset
    validation: tf.data.Dataset


# --- What changes a picture ---------------------------------------------------------------------------------------


def build_layers(strength: str = "medium", *, seed: int = 0) -> keras.Sequential:
    """Return Keras layers that change photos of things that stand upright: always a mirror image half the time.

    Args:
        strength: a key of `STRENGTHS`. "light" shifts by up to 5 % of the side; "medium" turns by up to 18 degrees,
            shifts by 10 % and zooms by 15 %; "strong" does more of it and changes contrast and brightness as well.
        seed: of the first layer; each of the others has the next one. Layers with one seed draw the same numbers, so
            that how far a picture is turned would also say how far it is zoomed.

    Returns:
        Layers for float batches `(batch, height, width, 3)` in 0..255. They change nothing when called with
        `training=False`, as `evaluate` and `predict` do.

    Raises:
        ValueError: if the strength is unknown.

    Example:
        >>> [layer.name for layer in build_layers("light").layers]
        ['flip', 'shift']
    """
    if strength not in STRENGTHS:
        raise ValueError(f"Received strength {strength!r}, expected one of {', '.join(STRENGTHS)}. Choose one of them.")
    values, layers = STRENGTHS[strength], keras.layers
    makers = {
        "rotation": layers.RandomRotation,
        "shift": lambda factor, **options: layers.RandomTranslation(factor, factor, **options),
        "zoom": layers.RandomZoom,
        "contrast": layers.RandomContrast,
        "brightness": layers.RandomBrightness,
    }
    flip = layers.RandomFlip("horizontal", seed=seed, name="flip")
    others = [makers[name](values[name], seed=seed + i, name=name) for i, name in enumerate(values, start=1)]
    return keras.Sequential([flip, *others], name=f"{strength}_augmentation")


def spatial_transforms(image_size: int) -> dict[str, A.BasicTransform]:
    """Return the transforms of the lesson that move pixels, by name, for pictures of `image_size` or more a side."""
    half = image_size // 2
    transforms = [
        A.HorizontalFlip(p=1),
        A.VerticalFlip(p=1),
        A.Rotate(limit=30, border_mode=cv2.BORDER_CONSTANT, p=1),
        A.RandomRotate90(p=1),
        A.Affine(translate_percent=(-0.2, 0.2), scale=(0.7, 1.3), rotate=(-30, 30), p=1),
        A.Crop(x_min=0, y_min=0, x_max=half, y_max=half, p=1),
        A.CenterCrop(height=half, width=half, p=1),
        A.RandomResizedCrop(size=(image_size, image_size), scale=(0.2, 0.7), p=1),
        A.Resize(height=half, width=image_size, p=1),
        A.CoarseDropout(num_holes_range=(5, 10), hole_height_range=(0.1, 0.15), hole_width_range=(0.1, 0.3), p=1),
    ]
    return {type(transform).__name__: transform for transform in transforms}


def pixel_transforms() -> dict[str, A.BasicTransform]:
    """Return the transforms of the lesson that change values and leave every pixel in its place, by name."""
    transforms = [
        A.RandomBrightnessContrast(brightness_limit=0.3, contrast_limit=0.3, p=1),
        A.HueSaturationValue(hue_shift_limit=15, sat_shift_limit=40, val_shift_limit=30, p=1),
        A.ColorJitter(brightness=(0.7, 1.3), contrast=(0.7, 1.3), saturation=(0.5, 1.5), hue=(-0.1, 0.1), p=1),
        A.ChannelShuffle(p=1),
        A.GaussNoise(std_range=(0.1, 0.2), p=1),
        A.CLAHE(clip_limit=6, p=1),
        A.Blur(blur_limit=(5, 9), p=1),
    ]
    return {type(transform).__name__: transform for transform in transforms}


def describe(transform: A.BasicTransform, *, separator: str = ", ") -> str:
    """Return the arguments of a transform that are not its defaults, as the library understood them.

    A range that was given as one number shows both its ends; the probability `p` is left out. So is what is None
    because another argument says it.

    Example:
        >>> describe(A.Rotate(limit=20, border_mode=cv2.BORDER_WRAP))
        'limit=(-20, 20), border_mode=WRAP'
    """
    values = transform.get_transform_init_args()
    parameters = inspect.signature(type(transform)).parameters
    required = {name: values[name] for name in values if parameters[name].default is inspect.Parameter.empty}
    default = type(transform)(**required).get_transform_init_args()
    shown = [name for name in parameters if name in required or (name in values and values[name] != default[name])]
    told = [name for name in shown if name != "p" and values[name] is not None]
    return separator.join(f"{name}={_written(name, values[name])}" for name in told)


def _written(name: str, value: Any) -> str:
    if name == "border_mode":
        return BORDERS[value]
    if isinstance(value, dict) and value["x"] == value["y"]:  # Affine keeps a range for each direction
        return _written(name, value["x"])
    if isinstance(value, tuple):
        return f"({', '.join(_written('', one) for one in value)})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def with_albumentations(pipeline: Pipeline) -> PictureTransform:
    """Turn a pipeline of albumentations into a function of a picture and a seed, for any number of threads.

    `Compose(seed=...)` would hand the same seed to each transform, and all would draw the same numbers: two flips
    with p=0.5 come together, or not at all. Here all transforms of a pipeline draw from one generator.

    Args:
        pipeline: a transform, or a `Compose` of them. It is copied, not changed.

    Returns:
        A function `(uint8 (height, width, 3), seed) -> uint8 (height, width, 3)`.

    Raises:
        ValueError: if a transform was given an argument that this version of albumentations ignores.

    Example:
        >>> mirror = with_albumentations(A.HorizontalFlip(p=1))
        >>> mirror(np.array([[[1, 1, 1], [2, 2, 2]]], dtype=np.uint8), 0)[0, :, 0].tolist()
        [2, 1]
    """
    A.Compose([copy.deepcopy(pipeline)], strict=True)  # raises the ValueError
    original = copy.deepcopy(pipeline)
    threads = threading.local()  # a transform keeps what it drew last: two threads must not share it

    def transform(picture: np.ndarray, seed: int) -> np.ndarray:
        if not hasattr(threads, "pipeline"):
            threads.pipeline = copy.deepcopy(original)
        threads.pipeline.set_random_state(np.random.default_rng(seed), random.Random(seed))
        return threads.pipeline(image=picture)["image"]

    return transform


# --- Where it happens ---------------------------------------------------------------------------------------------


def training_batches(
    data: datasets.ImageDataset,
    *,
    image_size: int,
    augment: Augmentation | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> TrainingBatches:
    """Return batches of the training split, changed anew every epoch, and of the validation split, as it is.

    Order of work for the training split: decode, resize, keep, shuffle, batch, change, prefetch.

    Args:
        data: from `datasets.load`; the whole data set, because a split does not say which one it is.
        image_size: height and width of the pictures.
        augment: Keras layers, a pipeline of albumentations, or a function `(picture, seed) -> picture`; None changes
            nothing.
        batch_size: pictures a batch.
        seed: of the order and, except for Keras layers, which have their own, of the changes.

    Returns:
        `.train` and `.validation`, as `datasets.batches` gives them.

    Raises:
        ValueError: if `data` is one split, or what `augment` gives has another size or dtype.
    """
    if not (hasattr(data, "train") and hasattr(data, "validation")):
        raise ValueError(
            f"Received a {type(data).__name__}, expected a data set with its splits `train` and `validation`, of "
            "which only the first is changed. Pass what datasets.load returned."
        )
    options = {"image_size": image_size, "batch_size": batch_size}
    train = datasets.batches(data.train, shuffle=True, seed=seed, **options)
    if augment is not None:
        train = augment_batches(train, augment, seed=seed)
    return TrainingBatches(train, datasets.batches(data.validation, **options))


def augment_batches(
    batches: tf.data.Dataset, augment: Augmentation, *, seed: int = 0, workers: int = tf.data.AUTOTUNE
) -> tf.data.Dataset:
    """Change every picture of every batch, each time differently: for training batches only.

    What happens to a picture follows from `seed`, the epoch, and the picture's place in it: the same seed gives the
    same pictures, whatever the number of workers. Keras layers have seeds of their own, and work one batch after
    the other (with many cores inside a batch).

    Args:
        batches: `(float32 (batch, height, width, 3) in 0..255, labels)`, as `datasets.batches` gives them.
        augment: as for `training_batches`.
        seed: of the changes.
        workers: batches at work at a time; not for Keras layers.

    Returns:
        Batches of the same shapes and dtypes.

    Raises:
        ValueError: if what `augment` gives has another size or dtype than what it got.

    Example:
        >>> batches = tf.data.Dataset.from_tensors((tf.reshape(tf.range(12.0), (1, 2, 2, 3)), [7]))
        >>> pictures, labels = next(iter(augment_batches(batches, lambda picture, seed: picture[:, ::-1])))
        >>> pictures[0, :, :, 0].numpy().tolist(), labels.numpy().tolist()
        ([[3.0, 0.0], [9.0, 6.0]], [7])
    """
    if isinstance(augment, keras.Layer):
        # One after the other: a layer counts its calls to know what to draw next, and calls that overtake each other
        # would draw in another order every time.
        changed = batches.map(lambda pictures, labels: (augment(pictures, training=True), labels))
        return changed.prefetch(tf.data.AUTOTUNE)
    transform = as_picture_transform(augment)
    shape = batches.element_spec[0].shape
    if shape[1:].is_fully_defined():  # better told here than in the middle of the first epoch
        _change(transform, np.zeros(shape[1:], np.uint8), seed)

    def change_batch(pictures: np.ndarray, batch_seed: int) -> np.ndarray:
        seeds = _draw_seeds(batch_seed, len(pictures))
        changed = [_change(transform, *pair) for pair in zip(pictures.astype(np.uint8), seeds, strict=True)]
        return np.stack(changed).astype(np.float32)

    def change(pictures: tf.Tensor, labels: tf.Tensor, batch_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # (b, h, w, c) -> (b, h, w, c); `stateful=False` lets several run at a time even where order is enforced
        changed = tf.numpy_function(change_batch, [pictures, batch_seed], tf.float32, stateful=False)
        return tf.ensure_shape(changed, pictures.shape), labels

    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
    numbered = tf.data.Dataset.zip(batches, seeds)
    changed = numbered.map(
        lambda pair, batch_seed: change(*pair, batch_seed), num_parallel_calls=workers, deterministic=True
    )
    return changed.prefetch(tf.data.AUTOTUNE)


def as_picture_transform(augment: Pipeline | PictureTransform) -> PictureTransform:
    """Return a function of a picture and a seed, whichever library is behind it."""
    return with_albumentations(augment) if isinstance(augment, Pipeline) else augment


def _draw_seeds(seed: int, count: int) -> list[int]:
    return np.random.default_rng(seed).integers(2**32, size=count).tolist()


def _change(transform: PictureTransform, picture: np.ndarray, seed: int) -> np.ndarray:
    changed = transform(picture, seed)
    if changed.shape != picture.shape or changed.dtype != picture.dtype:
        raise ValueError(
            f"Received from the augmentation a picture of shape {changed.shape} and dtype {changed.dtype}, expected "
            f"{picture.shape} and {picture.dtype} as before. End a crop with A.Resize; leave scaling to the network."
        )
    return changed


def preview(picture: np.ndarray, augment: Augmentation, *, count: int = 12, seed: int = 0) -> list[np.ndarray]:
    """Return changed copies of one picture, to be looked at before anything is trained on them.

    Args:
        picture: uint8 `(height, width, 3)`.
        augment: as for `training_batches`; here it may also change the size.
        count: number of copies.
        seed: of the changes; Keras layers have seeds of their own.

    Returns:
        uint8 arrays.

    Example:
        >>> picture = np.zeros((4, 6, 3), np.uint8)
        >>> [copy.shape for copy in preview(picture, A.Crop(0, 0, 2, 3), count=2)]
        [(3, 2, 3), (3, 2, 3)]
    """
    if isinstance(augment, keras.Layer):
        batch = np.repeat(picture[np.newaxis].astype(np.float32), count, axis=0)  # (h, w, c) -> (count, h, w, c)
        return list(np.clip(np.asarray(augment(batch, training=True)).round(), 0, 255).astype(np.uint8))
    transform = as_picture_transform(augment)
    return [transform(picture, one) for one in _draw_seeds(seed, count)]
