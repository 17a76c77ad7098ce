"""What a pretrained network says about each picture: computed once, saved, and opened in a moment after that.

A folder of saved files is named after everything they depend on (the network's layers and weights, the picture size,
the data set's fingerprint), so what was made from other pictures, another split or another network is never taken by
mistake. Rows are written as they are computed and read from the file as they are used, so what this needs of memory
does not grow with the number of pictures. (The system keeps what was read for as long as it has room.)
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from helpers import backbones, datasets, files

LAYOUT_VERSION = 3  # count up when what is saved changes, so that older files are left alone


@dataclass(frozen=True)
class Features:
    """One split: `features` float32 `(rows, channels)` or maps `(rows, h, w, channels)`, `labels` int64 `(rows,)`.

    One row per picture in the split's order; with mirrored copies two, the picture's and its mirror image's.
    """

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class FeatureSets:
    """The features or maps of all three splits of a data set."""

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
    pairs = list(_run(backbone, batches, pool=True))
    features, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return features, labels.astype(np.int64)


def _run(
    network: keras.Model, batches: tf.data.Dataset, *, pool: bool, mirrored: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give a network's maps, or their averages, and the labels, batch by batch."""

    # One signature for all batches: the last is smaller, and tracing the network anew takes longer than running it.
    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)])
    def answer(pictures: tf.Tensor) -> tf.Tensor:
        maps = network(pictures, training=False)
        return tf.reduce_mean(maps, axis=(1, 2)) if pool else maps  # (b, h, w, c) -> (b, c)

    steps = int(batches.cardinality())
    for pictures, labels in files.progress(batches, unit="batch", total=steps if steps > 0 else None):
        if mirrored:  # (b, ...) -> (2 b, ...): each picture, then its mirror image
            both = tf.stack([pictures, pictures[:, :, ::-1]], axis=1)
            pictures, labels = tf.reshape(both, (-1, *pictures.shape[1:])), np.repeat(labels, 2)
        yield answer(pictures).numpy(), np.asarray(labels)


def load_or_extract(
    dataset: datasets.ImageDataset,
    *,
    backbone: str = "EfficientNetLite0",
    image_size: int = 160,
    network: keras.Model | None = None,
    say: Callable[[str], None] = print,
) -> FeatureSets:
    """Return the features of a data set's three splits, from the saved files if there are any.

    Where nothing can be written to the data folder, they are not saved for the next time.

    Args:
        dataset: from `datasets.load`.
        backbone: a name that `backbones.build` knows; with a `network`, only what the files are called.
        image_size: height and width at which the network sees the pictures.
        network: another network of that size, or that one, if you have built it already.
        say: takes the line that says that nothing was saved.

    Returns:
        Arrays that are read from the files as you use them: `np.asarray` takes one into memory as a whole.
    """
    # Building a network only to name its files takes seconds; what a pretrained one would give is noted.
    note = _folder() / f"{backbone}-{image_size}-v{LAYOUT_VERSION}.txt"
    if network is None and not note.exists():
        network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
        if _can_be_written(_folder()):
            with files.written_beside(note) as draft:
                draft.write_text(fingerprint_network(network))
    fingerprint = fingerprint_network(network) if network else note.read_text()
    folder = features_path(dataset, backbone=backbone, image_size=image_size, network_fingerprint=fingerprint)
    paths = {split: folder / f"{split}.npy" for split in datasets.SPLITS}
    if network is None and not all(path.exists() for path in paths.values()):
        network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    return _load_or_run(dataset, network, paths=paths, pool=True, say=say)


def load_or_extract_maps(
    dataset: datasets.ImageDataset,
    bottom: keras.Model,
    *,
    mirrored: bool = False,
    say: Callable[[str], None] = print,
) -> FeatureSets:
    """Return what the frozen bottom of a network gives for each picture, so that the top learns without running it.

    Saved and opened like the features; at 224 pixels, 90 KB for each map of EfficientNetLite0 before "block6a".

    Args:
        dataset: from `datasets.load`.
        bottom: from `backbones.split_at`, of a network with a fixed picture size.
        mirrored: two rows for each training picture, its own and then its mirror image's.
        say: takes the line that says that nothing was saved.
    """
    fingerprint, image_size = fingerprint_network(bottom), bottom.input_shape[1]
    folder = features_path(dataset, backbone="maps", image_size=image_size, network_fingerprint=fingerprint)
    paths = {split: folder / f"{split}.npy" for split in datasets.SPLITS}
    if mirrored:
        paths["train"] = folder / "train-mirrored.npy"
    return _load_or_run(dataset, bottom, paths=paths, pool=False, say=say)


def _load_or_run(
    dataset: datasets.ImageDataset,
    network: keras.Model | None,
    *,
    paths: dict[str, Path],
    pool: bool,
    say: Callable[[str], None],
) -> FeatureSets:
    """Open the file of each split; run the network for those that are missing."""
    missing = [split for split, path in paths.items() if not path.exists()]
    saving = not missing or _can_be_written(_folder())
    if not saving:
        say(f"Nothing can be written to '{datasets.data_folder()}': features are not saved (see COURSE_DATA).")
    arrays, labels = {}, dict(dataset.labels)
    for split, path in paths.items():
        mirrored = path.stem.endswith("mirrored")
        if mirrored:
            labels[split] = np.repeat(labels[split], 2)
        if split in missing:
            batches = datasets.batches(
                getattr(dataset, split), image_size=network.input_shape[1], cache=False
            )  # one pass only
            parts = (part for part, _ in _run(network, batches, pool=pool, mirrored=mirrored))
            if not saving:
                arrays[split] = np.concatenate(list(parts))
                continue
            shape = network.output_shape[-1:] if pool else network.output_shape[1:]
            _write(path, parts, shape=(len(labels[split]), *shape))
        arrays[split] = np.load(path, mmap_mode="r")
    return FeatureSets(**{split: Features(arrays[split], labels[split]) for split in datasets.SPLITS})


def _write(path: Path, parts: Iterable[np.ndarray], *, shape: tuple[int, ...]) -> None:
    """Write the rows of a float32 array as they come; a memory map would count as this process's memory."""
    with files.written_beside(path) as draft, draft.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.astype("<f4").tobytes())


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
    """Return the folder where these features are, or would be, saved: one file per split."""
    key = f"{network_fingerprint[:24]}-{dataset.fingerprint[:24]}"
    return _folder() / f"{backbone}-{image_size}-{key}-v{LAYOUT_VERSION}"


def _folder() -> Path:
    return datasets.data_folder() / "features"


def _can_be_written(folder: Path) -> bool:
    try:
        files.require_writable(folder)
    except ValueError:
        return False
    return True
