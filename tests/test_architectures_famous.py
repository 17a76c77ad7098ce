"""The famous networks: equal to keras.applications, or, where those have none, to the paper's own numbers."""

from collections.abc import Iterator
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

from helpers import architectures
from tests.shapes import build_without_values

# keras.applications itself, its preprocessing, where its maps come out, and what they have for channels
REFERENCES = {
    "build_vgg16": (keras.applications.VGG16, keras.applications.vgg16.preprocess_input, "block5_pool", 512),
    "build_vgg19": (keras.applications.VGG19, keras.applications.vgg19.preprocess_input, "block5_pool", 512),
    "build_resnet50": (
        keras.applications.ResNet50,
        keras.applications.resnet.preprocess_input,
        "conv5_block3_out",
        2048,
    ),
}


def draw_weights(model: keras.Model, *, seed: int) -> None:
    """Give every layer weights that leave nothing at 0 or 1: biases, and averages of the batch normalisation too."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            low_high = ((0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 2.0))  # gamma, beta, mean, variance
            layer.set_weights([generator.uniform(*ends, layer.gamma.shape) for ends in low_high])
        elif layer.weights:
            kernel, bias = layer.weights
            scale = np.float32(np.sqrt(2 / np.prod(kernel.shape[:-1])))
            draws = generator.standard_normal(kernel.shape, dtype="float32"), generator.uniform(-0.1, 0.1, bias.shape)
            layer.set_weights([scale * draws[0], draws[1]])


def copy_weights(theirs: keras.Model, ours: keras.Model) -> None:
    for layer in theirs.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())


# At 64 pixels the first dense layer of VGG is small, and everything else as at 224.
SHAPE = (64, 64, 3)


@pytest.fixture(scope="module", params=REFERENCES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reference(name: str) -> keras.Model:
    """The network of Keras, whole, with weights drawn."""
    model = REFERENCES[name][0](weights=None, classes=10, input_shape=SHAPE)
    draw_weights(model, seed=0)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("include_top", [True, False], ids=["with top", "without"])
def test_with_the_weights_of_keras_the_answers_are_those_of_keras(
    name: str, reference: keras.Model, include_top: bool
) -> None:
    _, preprocess, last, channels = REFERENCES[name]
    # Up to its maps, it is the network that Keras builds without a top.
    theirs = reference if include_top else keras.Model(reference.input, reference.get_layer(last).output)
    ours = getattr(architectures, name)(num_classes=10, input_shape=SHAPE, include_top=include_top)
    assert ours.count_params() == theirs.count_params()
    copy_weights(theirs, ours)
    pictures = np.random.default_rng(1).uniform(0, 255, (3, *SHAPE)).astype("float32")
    expected = np.asarray(theirs(preprocess(pictures.copy()), training=False))
    answers = np.asarray(ours(pictures, training=False))  # raw: the preprocessing is inside
    assert answers.shape == ((3, 10) if include_top else (3, 2, 2, channels))
    assert expected.std() > 1e-3
    np.testing.assert_allclose(answers, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.fixture(scope="module")
def lenet() -> Iterator[keras.Model]:
    return architectures.build_lenet5()


def test_lenet_has_the_numbers_of_the_paper(lenet: keras.Model) -> None:
    # LeCun et al. 1998, section II.B, layer by layer; 60,000 in all, and our softmax.
    stages = {"C1": (156, 28, 6), "S2": (12, 14, 6), "C3": (1_516, 10, 16), "S4": (32, 5, 16), "C5": (48_120, 1, 120)}
    counts = dict.fromkeys(stages, 0)
    for layer in lenet.layers:
        if (stage := layer.name.partition("_")[0]) in counts:
            counts[stage] += layer.count_params()
    for stage, (parameters, side, maps) in stages.items():
        assert lenet.get_layer(stage).output.shape == (None, side, side, maps)
        assert counts[stage] == parameters
    assert lenet.get_layer("F6").count_params() == 10_164
    assert lenet.count_params() == 60_000 + 850


def test_each_filter_of_c3_sees_maps_of_its_own(lenet: keras.Model) -> None:
    fed = [lenet.get_layer(f"C3_{number}").input.shape[-1] for number in range(16)]
    assert fed == [3] * 6 + [4] * 9 + [6]  # table I: no two columns are equal, each map is seen ten times
    seen = architectures._lenet._SEEN_BY_C3
    assert len(set(seen)) == 16
    assert (np.bincount(np.concatenate(seen)) == 10).all()


def test_paper_is_a_little_below_0_and_the_mean_of_a_digit_about_0(lenet: keras.Model) -> None:
    scaled = lenet.get_layer("preprocessing")(np.array([0.0, 255.0]))
    np.testing.assert_allclose(scaled, [-0.1, 1.175], rtol=1e-5)


def test_googlenet_has_the_sizes_of_table_1_and_its_cost() -> None:
    model = build_without_values(architectures.build_googlenet)
    sizes = {"conv1": (112, 64), "pool1": (56, 64), "conv2": (56, 192), "pool2": (28, 192), "pool3": (14, 480)}
    sizes |= {"inception_3a": (28, 256), "inception_3b": (28, 480), "inception_4a": (14, 512)}
    sizes |= {"inception_4e": (14, 832), "pool4": (7, 832), "inception_5a": (7, 832), "inception_5b": (7, 1024)}
    for name, (side, channels) in sizes.items():
        assert model.get_layer(name).output.shape == (None, side, side, channels)
    assert architectures.count_multiply_adds(model) == pytest.approx(1.5e9, rel=0.06)  # section 5: 1.5 billion


def build(block, shape: tuple[int, int, int], *arguments, **options) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, block(inputs, *arguments, name="block", **options))


def test_normalised_a_vgg_block_starts_and_is_named_as_a_normalised_convolution() -> None:
    keras.utils.set_random_seed(0)
    block = build(architectures.vgg_block, (8, 8, 3), 4, convolutions=1, normalise=True)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    alone = keras.Model(inputs, architectures.normalised_convolution(inputs, 4, name="block_conv1"))
    assert [layer.name for layer in block.layers[1:-1]] == [layer.name for layer in alone.layers[1:]]
    for ours, theirs in zip(block.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_inception_module_stacks_four_branches() -> None:
    model = build(architectures.inception_module, (5, 7, 6), (1, 2, 3, 4, 5, 6))
    assert model.output_shape == (None, 5, 7, 1 + 3 + 5 + 6)
    assert model.count_params() == 7 + (14 + 57) + (28 + 505) + 42
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    model.get_layer("block_pool_proj").bias.assign(np.ones(6))
    outputs = np.asarray(model(np.zeros((1, 5, 7, 6))))
    np.testing.assert_array_equal(outputs[0, 0, 0], [0] * 9 + [1] * 6)  # the pooled branch comes last


@pytest.mark.parametrize("block", [architectures.identity_block, architectures.conv_block], ids=["identity", "conv"])
def test_a_residual_block_of_zeros_lets_the_shortcut_through(block) -> None:
    options = {} if block is architectures.identity_block else {"strides": 1}
    model = build(block, (4, 6, 8), 2, **options)
    for number in (1, 2, 3):
        layer = model.get_layer(f"block_{number}_conv")
        layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    pictures = np.random.default_rng(0).normal(size=(2, 4, 6, 8)).astype("float32")
    shortcut = pictures
    if block is architectures.conv_block:
        shortcut = model.get_layer("block_0_bn")(model.get_layer("block_0_conv")(pictures))
    np.testing.assert_allclose(model(pictures), np.maximum(shortcut, 0), rtol=1e-5)


@pytest.mark.parametrize(("strides", "sides"), [(1, (5, 8)), (2, (3, 4))])
def test_the_conv_block_changes_size_and_channels(strides: int, sides: tuple[int, int]) -> None:
    assert build(architectures.conv_block, (5, 8, 3), 4, strides=strides).output_shape == (None, *sides, 16)


def test_vgg_needs_32_pixels() -> None:
    with pytest.raises(ValueError, match=r"Received pictures of 31 x 64 for 5 blocks.*sides of 32 or more"):
        architectures.build_vgg16(input_shape=(31, 64, 3), include_top=False)


# --- Small ones of each kind --------------------------------------------------------------------------------

SMALL = {"plain": 22_774, "VGG": 21_742, "Inception": 21_246, "ResNet": 24_118}


@pytest.mark.parametrize("kind", SMALL)
def test_the_small_ones_cost_about_the_same(kind: str) -> None:
    build_kind = partial(build_without_values, architectures.build_small, kind=kind)
    model = build_kind(num_classes=2)
    assert model.count_params() == SMALL[kind]
    assert architectures.count_multiply_adds(model) / 1e6 == pytest.approx(2.4, abs=0.15)
    assert model.get_layer("average").input.shape[1:3] == (4, 4)
    assert build_kind(input_shape=(8, 12, 3), num_classes=5).output_shape == (None, 5)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Received kind 'vgg', expected one of plain, VGG, Inception, ResNet"):
        architectures.build_small(kind="vgg")
