"""helpers.features: computed once, saved whole or not at all, and never taken for something else."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import datasets, features
from helpers.datasets import SPLITS

SMALL = {"num_train": 12, "num_validation": 6, "num_test": 6}


class CountingLayer(keras.layers.Layer):
    """Gives red, green and blue of each picture as they are, and counts the pictures."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        del input_shape
        self.seen = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False)

    def call(self, pictures: tf.Tensor) -> tf.Tensor:
        self.seen.assign_add(tf.shape(pictures, out_type=tf.int64)[0])
        return tf.identity(pictures)


class CountingNetwork:
    """A backbone that knows how many pictures it was shown."""

    def __init__(self, size: int = 8) -> None:
        self.layer = CountingLayer()
        inputs = keras.Input((size, size, 3))
        self.model = keras.Model(inputs, self.layer(inputs))

    @property
    def shown(self) -> int:
        return int(self.layer.seen)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def data(make_folder) -> datasets.ImageDataset:
    return datasets.load(make_folder({"cat": 12, "dog": 12}), **SMALL)


def load(data: datasets.ImageDataset, network: CountingNetwork, **options) -> features.FeatureSets:
    return features.load_or_extract(data, image_size=8, network=network.model, **options)


def test_features_are_the_average_over_height_and_width(tiny_backbone: keras.Model) -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (10, 16, 16, 3)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((pictures, np.arange(10, dtype=np.int32))).batch(4)
    found, labels = features.extract(tiny_backbone, batches)
    expected = tiny_backbone(pictures, training=False).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (found.dtype, labels.dtype) == (np.float32, np.int64)
    assert labels.tolist() == list(range(10))


def test_extracting_leaves_the_backbone_as_it_was(tiny_backbone: keras.Model) -> None:
    before = [weight.numpy() for weight in tiny_backbone.weights]
    batches = tf.data.Dataset.from_tensors((tf.random.uniform((4, 16, 16, 3), 0, 255, seed=1), tf.range(4)))
    features.extract(tiny_backbone, batches)
    for old, weight in zip(before, tiny_backbone.weights, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_each_split_has_its_features_in_the_order_of_its_pictures(data: datasets.ImageDataset) -> None:
    sets = load(data, CountingNetwork())
    for split in SPLITS:
        found = getattr(sets, split)
        np.testing.assert_array_equal(found.labels, data.labels[split])
        pictures = np.concatenate([p for p, _ in datasets.batches(getattr(data, split), image_size=8)])
        np.testing.assert_allclose(found.features, pictures.mean(axis=(1, 2)), rtol=1e-5)


def test_the_second_call_does_not_run_the_network(data: datasets.ImageDataset) -> None:
    network = CountingNetwork()
    first = load(data, network)
    assert network.shown == 24
    second = load(data, network)
    assert network.shown == 24
    for split in SPLITS:
        one, other = getattr(first, split), getattr(second, split)
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert (other.features.dtype, other.labels.dtype) == (np.float32, np.int64)


def test_the_second_call_does_not_even_build_the_network(data, monkeypatch: pytest.MonkeyPatch) -> None:
    load(data, CountingNetwork())
    monkeypatch.setattr(features.backbones, "build", None)
    assert features.load_or_extract(data, image_size=8).train.features.shape == (12, 3)


def test_the_network_is_built_at_the_size_of_the_pictures(data, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def build(name: str, *, input_shape: tuple[int, int, int]) -> keras.Model:
        asked.append((name, input_shape))
        return CountingNetwork(input_shape[0]).model

    monkeypatch.setattr(features.backbones, "build", build)
    features.load_or_extract(data, backbone="Some Network", image_size=11)
    assert asked == [("Some Network", (11, 11, 3))]


def test_size_network_and_data_each_have_a_file_of_their_own(make_folder, data: datasets.ImageDataset) -> None:
    folder = make_folder({})
    variants = [
        data,
        datasets.load(folder, **SMALL, seed=1),
        datasets.load(folder, **SMALL | {"num_train": 10}),
        datasets.load(make_folder({"cat": 12, "dog": 12}, name="other", first_seed=500), **SMALL),
    ]
    paths = {features.features_path(v, backbone="A", image_size=8) for v in variants}
    paths |= {features.features_path(data, backbone=name, image_size=size) for name, size in (("B", 8), ("A", 9))}
    assert len(paths) == 6
    network = CountingNetwork()
    load(data, network, backbone="A")
    load(variants[1], network, backbone="A")
    assert network.shown == 48


def test_the_same_pictures_elsewhere_share_the_file(make_folder, data: datasets.ImageDataset) -> None:
    elsewhere = datasets.load(make_folder({"cat": 12, "dog": 12}, name="copy"), **SMALL)
    network = CountingNetwork()
    load(data, network)
    load(elsewhere, network)
    assert network.shown == 24


def test_files_go_to_the_data_folder(data: datasets.ImageDataset, own_data_folder: Path) -> None:
    load(data, CountingNetwork())
    path = features.features_path(data, backbone="EfficientNetLite0", image_size=8)
    assert path.parent == own_data_folder.resolve() / "features"
    assert list(path.parent.iterdir()) == [path]


def test_a_half_written_file_is_never_trusted(data, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(file, **arrays: np.ndarray) -> None:
        file.write(b"PK\x03\x04 and then the machine was switched off")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(features.np, "savez", write_half)
        with pytest.raises(KeyboardInterrupt):
            load(data, CountingNetwork())
    path = features.features_path(data, backbone="EfficientNetLite0", image_size=8)
    assert path.parent.is_dir()
    assert not path.exists()
    network = CountingNetwork()
    assert load(data, network).train.features.shape == (12, 3)
    assert network.shown == 24


def test_saved_features_cannot_carry_code(data: datasets.ImageDataset) -> None:
    path = features.features_path(data, backbone="EfficientNetLite0", image_size=8)
    path.parent.mkdir(parents=True)
    arrays = {f"{split}_{kind}": np.array([{}], dtype=object) for split in SPLITS for kind in ("features", "labels")}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load(data, CountingNetwork())
