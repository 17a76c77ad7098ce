"""What a pretrained network says about each picture: computed once, saved, and loaded in a moment after that.

A saved file is named after everything it depends on (the network's layers and weights, the picture size, the data
set's fingerprint), so a file made from other pictures, another split or another network is never taken by mistake.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from helpers import backbones, datasets, files

LAYOUT_VERSION = 2  # count up when what is saved changes, so that older files are left alone


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
        return tf.reduce_mean(backbone(pictures, training=False), axis=(1, 2))  # (b, h, w, c) -> (b, c)

    steps = int(batches.cardinality())
    bar = files.progress(batches, unit="batch", total=steps if steps > 0 else None)
    pairs = [(pool_features(pictures).numpy(), labels.numpy()) for pictures, labels in bar]
    features, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return features, labels.astype(np.int64)


def load_or_extract(
    dataset: datasets.ImageDataset,
    *,
    backbone: str = "EfficientNetLite0",
    image_size: int = 160,
    network: keras.Model | None = None,
    say: Callable[[str], None] = print,
) -> FeatureSets:
    """Return the features of a data set's three splits, from the saved file if there is one.

    Where nothing can be written to the data folder, they are not saved for the next time.

    Args:
        dataset: from `datasets.load`.
        backbone: a name that `backbones.build` knows; with a `network`, only what the file is called.
        image_size: height and width at which the network sees the pictures.
        network: another network of that size, or that one, if you have built it already.
        say: takes the line that says that nothing was saved.
    """
    saving = _can_be_written(_folder())
    # Building a network only to name its file takes seconds; what a pretrained one would give is noted.
    note = _folder() / f"{backbone}-{image_size}-v{LAYOUT_VERSION}.txt"
    if network is None and not note.exists():
        network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
        if saving:
            with files.written_beside(note) as draft:
                draft.write_text(fingerprint_network(network))
    fingerprint = fingerprint_network(network) if network else note.read_text()
    path = features_path(dataset, backbone=backbone, image_size=image_size, network_fingerprint=fingerprint)
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return _as_feature_sets(dict(stored))
    if not saving:
        say(f"Nothing can be written to '{datasets.data_folder()}': features are not saved (see COURSE_DATA).")
    network = network or backbones.build(backbone, input_shape=(image_size, image_size, 3))
    arrays: dict[str, np.ndarray] = {}
    for split in datasets.SPLITS:
        batches = datasets.batches(getattr(dataset, split), image_size=image_size, cache=False)  # one pass only
        arrays[f"{split}_features"], arrays[f"{split}_labels"] = extract(network, batches)
    if saving:
        with files.written_beside(path) as draft:
            np.savez(draft, **arrays)
    return _as_feature_sets(arrays)


def fingerprint_network(network: keras.Model) -> str:
    """Return a hash of all that a network's answers depend on: its layers, how they are joined, and their weights.

    Names and what is frozen do not count. Layers of one kind are numbered on by Keras with each network that is built.

    Example:
        >>> first, second = (keras.Sequential([keras.Input((4, 4, 3)), keras.layers.ReLU()]) for _ in range(2))
        >>> fingerprint_network(first) == fingerprint_network(second)
        True
    """
    description = network.get_config()
    places = {name: f"layer {place}" for place, name in enumerate(dict.fromkeys(_find_names(description)))}

    def without_names(part: Any) -> Any:
        match part:
            case dict():
                counting = part.keys() - {"trainable", "shared_object_id"}
                return {key: without_names(part[key]) for key in counting}
            case list() | tuple():
                return [without_names(each) for each in part]
            case str():
                return places.get(part, part)
        return part

    text = json.dumps(without_names(description), sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    for weights in network.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()


def _find_names(part: Any) -> Iterator[str]:
    """Name the layers in a network's description, those of networks inside it as well."""
    match part:
        case dict():
            if "name" in part and part.keys() & {"trainable", "batch_shape"}:  # an input layer has no "trainable"
                yield part["name"]
            for value in part.values():
                yield from _find_names(value)
        case list() | tuple():
            for value in part:
                yield from _find_names(value)


def features_path(dataset: datasets.ImageDataset, *, backbone: str, image_size: int, network_fingerprint: str) -> Path:
    """Return where these features are, or would be, saved."""
    key = f"{network_fingerprint[:24]}-{dataset.fingerprint[:24]}"
    return _folder() / f"{backbone}-{image_size}-{key}-v{LAYOUT_VERSION}.npz"


def _folder() -> Path:
    return datasets.data_folder() / "features"


def _can_be_written(folder: Path) -> bool:
    try:
        files.require_writable(folder)
    except ValueError:
        return False
    return True


def _as_feature_sets(arrays: dict[str, np.ndarray]) -> FeatureSets:
    return FeatureSets(
        **{split: Features(arrays[f"{split}_features"], arrays[f"{split}_labels"]) for split in datasets.SPLITS}
    )
