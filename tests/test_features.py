"""helpers.features: computed once, saved whole or not at all, and never taken for something else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import datasets, features
from helpers.datasets import SPLITS

SMALL = {"num_train": 12, "num_validation": 6, "num_test": 6}


def build_network(size: int = 8, *, scale: float = 1.0, name: str | None = None) -> keras.Model:
    """A backbone that gives red, green and blue of each picture, scaled by an untrained and by a trained factor."""
    inputs = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(scale)(inputs)
    return keras.Model(inputs, keras.layers.DepthwiseConv2D(1, depthwise_initializer="ones", name=name)(x))


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each split whose pictures are decoded and run through a network."""
    splits, batches = [], datasets.batches

    def count(split: tf.data.Dataset, **options) -> tf.data.Dataset:
        splits.append(split)
        return batches(split, **options)

    monkeypatch.setattr(features.datasets, "batches", count)
    return splits


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def data(make_folder) -> datasets.ImageDataset:
    return datasets.load(make_folder({"cat": 12, "dog": 12}), **SMALL)


def load(data: datasets.ImageDataset, network: keras.Model, **options) -> features.FeatureSets:
    return features.load_or_extract(data, image_size=8, network=network, **options)


def path_of(data: datasets.ImageDataset, network: keras.Model, **options) -> Path:
    fingerprint = features.fingerprint_network(network)
    given = {"backbone": "EfficientNetLite0", "image_size": 8} | options
    return features.features_path(data, **given, network_fingerprint=fingerprint)


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
    sets = load(data, build_network())
    for split in SPLITS:
        found = getattr(sets, split)
        np.testing.assert_array_equal(found.labels, data.labels[split])
        pictures = np.concatenate([p for p, _ in datasets.batches(getattr(data, split), image_size=8)])
        np.testing.assert_allclose(found.features, pictures.mean(axis=(1, 2)), rtol=1e-5)


def test_the_second_call_does_not_run_the_network(data: datasets.ImageDataset, extracted: list) -> None:
    first = load(data, build_network())
    assert len(extracted) == 3
    second = load(data, build_network())
    assert len(extracted) == 3
    for split in SPLITS:
        one, other = getattr(first, split), getattr(second, split)
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert (other.features.dtype, other.labels.dtype) == (np.float32, np.int64)


def test_a_network_by_name_is_built_once_at_the_size_of_the_pictures(data, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def build(name: str, *, input_shape: tuple[int, int, int]) -> keras.Model:
        asked.append((name, input_shape))
        return build_network(input_shape[0])

    monkeypatch.setattr(features.backbones, "build", build)
    for _ in range(2):
        sets = features.load_or_extract(data, backbone="Some Network", image_size=11)
        assert sets.train.features.shape == (12, 3)
    assert asked == [("Some Network", (11, 11, 3))]


def test_a_tuned_network_is_not_taken_for_the_pretrained_one(data, extracted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.backbones, "build", lambda name, *, input_shape: build_network(8))
    tuned = build_network(8)
    tuned.set_weights([2 * weights for weights in tuned.get_weights()])
    first = load(data, tuned)
    plain = features.load_or_extract(data, image_size=8)
    np.testing.assert_allclose(first.train.features, 2 * plain.train.features, rtol=1e-5)
    load(data, build_network(8))  # the pretrained one, built already
    assert len(extracted) == 6
    np.testing.assert_array_equal(features.load_or_extract(data, image_size=8).train.features, plain.train.features)


def test_a_fingerprint_tells_networks_by_what_they_compute() -> None:
    fingerprint = features.fingerprint_network
    plain = build_network()
    assert fingerprint(plain) == fingerprint(build_network(name="another_name"))
    assert fingerprint(keras.Sequential([plain])) == fingerprint(keras.Sequential([build_network()]))
    plain.trainable = False
    assert fingerprint(plain) == fingerprint(build_network()), "what is frozen computes the same"
    changed = build_network()
    changed.set_weights([weights + 1e-6 for weights in changed.get_weights()])
    cut = keras.Model(plain.input, plain.layers[1].output)
    others = [plain, changed, cut, build_network(9), build_network(scale=0.5), keras.Sequential([plain])]
    assert len({fingerprint(network) for network in others}) == len(others)


def test_size_network_and_data_each_have_a_file_of_their_own(make_folder, data, extracted) -> None:
    folder = make_folder({})
    variants = [
        data,
        datasets.load(folder, **SMALL, seed=1),
        datasets.load(folder, **SMALL | {"num_train": 10}),
        datasets.load(make_folder({"cat": 12, "dog": 12}, name="other", first_seed=500), **SMALL),
    ]
    network = build_network()
    paths = {path_of(variant, network) for variant in variants}
    paths |= {path_of(data, network, backbone="B"), path_of(data, network, image_size=9)}
    paths |= {path_of(data, build_network(scale=2.0))}
    assert len(paths) == 7
    load(data, network)
    load(variants[1], network)
    assert len(extracted) == 6


def test_the_same_pictures_elsewhere_share_the_file(make_folder, data: datasets.ImageDataset, extracted: list) -> None:
    elsewhere = datasets.load(make_folder({"cat": 12, "dog": 12}, name="copy"), **SMALL)
    load(data, build_network())
    load(elsewhere, build_network())
    assert len(extracted) == 3


def test_files_go_to_the_data_folder(data: datasets.ImageDataset, own_data_folder: Path) -> None:
    load(data, build_network())
    path = path_of(data, build_network())
    assert path.parent == own_data_folder.resolve() / "features"
    assert list(path.parent.iterdir()) == [path]
    assert {file.name for file in path.iterdir()} == {f"{split}.npy" for split in SPLITS}


def test_a_half_written_file_is_never_trusted_and_whole_ones_are(data, extracted, monkeypatch) -> None:
    run = features._run

    def break_off(network: keras.Model, batches: tf.data.Dataset, **options) -> Iterator:
        yield from run(network, batches, **options)
        if len(extracted) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(features, "_run", break_off)
        with pytest.raises(KeyboardInterrupt):
            load(data, build_network())
    assert [file.name for file in path_of(data, build_network()).iterdir()] == ["train.npy"]
    assert load(data, build_network()).train.features.shape == (12, 3)
    assert len(extracted) == 4


def test_where_nothing_can_be_written_nothing_is_saved_and_that_is_said(
    data, extracted, own_data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = load(data, build_network())
    path = path_of(data, build_network())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    monkeypatch.setattr(features.backbones, "build", lambda name, *, input_shape: build_network(input_shape[0]))
    said: list[str] = []
    assert load(data, build_network(), say=said.append).train.features.shape == (12, 3)
    assert said == [] and len(extracted) == 3, "what was saved before is read"
    shutil.rmtree(path)
    for network in (build_network(), None):
        found = features.load_or_extract(data, image_size=8, network=network, say=said.append)
        np.testing.assert_array_equal(found.train.features, saved.train.features)
    line = f"Nothing can be written to '{own_data_folder.resolve()}': features are not saved (see COURSE_DATA)."
    assert said == [line, line]
    assert list(path.parent.iterdir()) == []


def test_saved_rows_are_read_from_the_file_as_they_are_used(data: datasets.ImageDataset) -> None:
    found = load(data, build_network()).train.features
    assert isinstance(found, np.memmap) and not found.flags.writeable


def test_maps_are_what_the_bottom_gives_and_the_mirror_image_comes_next(data, extracted: list) -> None:
    bottom = build_network()
    plain = features.load_or_extract_maps(data, bottom)
    pictures = np.concatenate([p for p, _ in datasets.batches(data.train, image_size=8)])
    np.testing.assert_allclose(plain.train.features, pictures, rtol=1e-5)
    assert plain.test.features.shape == (6, 8, 8, 3)
    extracted.clear()
    both = features.load_or_extract_maps(data, bottom, mirrored=True)
    assert extracted == [data.train], "the other splits are not mirrored, so they are there"
    np.testing.assert_array_equal(both.train.features[::2], plain.train.features)
    np.testing.assert_array_equal(both.train.features[1::2], plain.train.features[:, :, ::-1])
    assert both.train.labels.tolist() == np.repeat(data.labels["train"], 2).tolist()
    np.testing.assert_array_equal(features.load_or_extract_maps(data, bottom).train.features, plain.train.features)


def test_maps_of_another_layer_or_another_data_set_are_others(make_folder, data, extracted: list) -> None:
    network = build_network()
    first, second = keras.Model(network.input, network.layers[1].output), network
    other = datasets.load(make_folder({}), **SMALL, seed=1)
    for dataset, bottom in ((data, first), (data, second), (other, first), (data, first)):
        features.load_or_extract_maps(dataset, bottom)
    assert len(extracted) == 9


def test_a_single_pass_fills_no_cache(data: datasets.ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pictures are kept in memory for nobody")

    monkeypatch.setattr(tf.data.Dataset, "cache", refuse)
    assert load(data, build_network()).test.features.shape == (6, 3)


def test_saved_features_cannot_carry_code(data: datasets.ImageDataset) -> None:
    path = path_of(data, build_network())
    path.mkdir(parents=True)
    for split in SPLITS:
        np.save(path / f"{split}.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"Python objects|allow_pickle"):
        load(data, build_network())
