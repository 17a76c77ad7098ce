"""What a pretrained network says about each picture: computed once, saved, and loaded in a moment after that.

A saved file is named after everything it depends on (network, picture size, and the data set's fingerprint), so a
file made from other pictures, another split or another network is never taken by mistake.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from helpers import backbones, datasets

LAYOUT_VERSION = 1  # count up when what is saved changes, so that older files are left alone

BAR_DELAY = 3  # seconds before a progress bar appears


@dataclass(frozen=True)
class Features:
    """One split: `features` float32 `(pictures, channels)` and `labels` int64 `(pictures,)`, in the same order."""

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class FeatureSets:
    """The features of all three splits of a data set."""

    train: Features
    validation: Features
    test: Features


def extract(backbone: keras.Model, batches: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Run pictures through a network once and average its last feature map over height and width.

    Args:
        backbone: raw pictures `(batch, height, width, 3)` in, feature map `(batch, h, w, channels)` out.
        batches: `(pictures, labels)`, as `datasets.batches` gives them.

    Returns:
        float32 `(pictures, channels)` and int64 `(pictures,)`.

    Example:
        >>> backbone = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)])
        >>> batches = tf.data.Dataset.from_tensors((tf.zeros((5, 8, 8, 3)), tf.range(5, dtype=tf.int64)))
        >>> features, labels = extract(backbone, batches)
        >>> features.shape, labels.tolist()
        ((5, 4), [0, 1, 2, 3, 4])
    """

    # One signature for all batches: the last is smaller, and tracing the network anew takes longer than running it.
    @tf.function(input_signature=[tf.TensorSpec((None, *backbone.input_shape[1:]), tf.float32)])
    def pool_features(pictures: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(backbone(pictures, training=False), axis=(1, 2))

    features, labels = [], []
    steps = int(batches.cardinality())
    bar = tqdm(batches, total=steps if steps > 0 else None, unit="batch", leave=False, delay=BAR_DELAY)
    for pictures, truth in bar:
        features.append(pool_features(pictures).numpy())
        labels.append(truth.numpy())
    return np.concatenate(features), np.concatenate(labels).astype(np.int64)


def load_or_extract(
    dataset: datasets.ImageDataset,
    *,
    backbone: str = "EfficientNetLite0",
    image_size: int = 160,
    network: keras.Model | None = None,
) -> FeatureSets:
    """Return the features of a data set's three splits, from the saved file if there is one.

    Args:
        dataset: from `datasets.load`.
        backbone: a name that `backbones.build` knows.
        image_size: height and width at which the network sees the pictures.
        network: that backbone at that size, if you have built it already.

    Returns:
        `FeatureSets` with `train`, `validation` and `test`.
    """
    path = features_path(dataset, backbone=backbone, image_size=image_size)
    if path.exists():
        return _load(path)
    network = network or backbones.build(backbone, input_shape=(image_size, image_size, 3))
    arrays: dict[str, np.ndarray] = {}
    for split in datasets.SPLITS:
        batches = datasets.batches(getattr(dataset, split), image_size=image_size)
        arrays[f"{split}_features"], arrays[f"{split}_labels"] = extract(network, batches)
    _save(path, arrays)
    return _as_feature_sets(arrays)


def features_path(dataset: datasets.ImageDataset, *, backbone: str, image_size: int) -> Path:
    """Return where these features are, or would be, saved."""
    name = f"{backbone}-{image_size}-{dataset.fingerprint[:24]}-v{LAYOUT_VERSION}.npz"
    return datasets.data_folder() / "features" / name


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)  # a run killed before this line leaves nothing that is taken for finished


def _load(path: Path) -> FeatureSets:
    with np.load(path, allow_pickle=False) as stored:
        return _as_feature_sets(dict(stored))


def _as_feature_sets(arrays: dict[str, np.ndarray]) -> FeatureSets:
    return FeatureSets(
        **{split: Features(arrays[f"{split}_features"], arrays[f"{split}_labels"]) for split in datasets.SPLITS}
    )
