"""Networks from scratch: their shapes, sizes and parts."""

import inspect
from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from helpers import architectures
from tests.shapes import build_without_values

build_lesson_cnn = partial(architectures.build_cnn, input_shape=(96, 96, 3), num_classes=2)

# Parameters with the arguments given, worked out by hand: kernel x channels in x filters + filters.
PARAMETERS = {
    # 896 + 18,496 + 73,856, then 12 x 12 x 128 values to 2 units
    "build_cnn": ({"input_shape": (96, 96, 3), "num_classes": 2}, 130_114),
    # 27 + 96 + 32, then 288 + 2,048 + 64, then 576 + 8,192 + 128, then the same head
    # 640 + 2 x 36,928, then 8 x 8 x 64 values to 128 units, to 1
    "build_cnn_a": ({}, 599_041),
    "build_cnn_c": ({}, 13_132_322),  # as printed in the source notes
    # 896 + 18,496 + 73,856, then 17 x 17 x 128 values to 1 unit
    "build_cnn_d": ({}, 130_241),
    # 160 + 8,224 + 32,832, then 12 x 12 x 64 values to 50 units, to 20, to 10
    "build_cnn_e_grey": ({}, 503_296),
    # 2,432 + 9,248, 18,496 + 36,928, 73,856 + 147,584, then 3 x 3 x 128 values to 300 units, to 10
    "build_cnn_e": ({}, 637_454),
    # convolutions 1,145,408, four numbers a channel of normalisation 3,584, then 256 values to 300 units, to 10
    "build_cnn_e_normalised": ({}, 1_229_102),
    "build_efficientnet_lite": ({}, 4_694_024),
    "build_googlenet": ({}, 6_998_552),  # as in the authors' group's model for Caffe
    "build_lenet5": ({}, 60_850),  # 60,000 in the paper, 850 of our last layer
    "build_resnet50": ({}, 25_636_712),  # this and VGG's: keras.applications
    "build_small": ({"kind": "plain"}, 22_774),
    "build_vgg16": ({}, 138_357_544),
    "build_vgg19": ({}, 143_667_240),
    "build_mobilenet_v2": ({}, 3_538_984),  # as keras.applications has it
}


# --- Every network ------------------------------------------------------------------------------------------


def test_every_builder_has_its_parameters_pinned():
    builders = {name for name in vars(architectures) if name.startswith("build_")}
    assert builders == set(PARAMETERS)
    for name in builders:
        parameters = inspect.signature(getattr(architectures, name)).parameters.values()
        assert len(parameters) <= 6
        assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)


# The dense layers of VGG are heavy: without a picture here (test_architectures_famous has pictures).
HEAVY = {"build_vgg16", "build_vgg19"}
# The deep ones take pictures of any size: 64 pixels are enough to go through every layer.
DEEP = {"build_efficientnet_lite", "build_googlenet", "build_mobilenet_v2", "build_resnet50"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_network_is_uncompiled_scales_first_and_has_its_parameters(name):
    arguments, parameters = PARAMETERS[name]
    model = build_without_values(getattr(architectures, name), **arguments)
    assert model.count_params() == parameters
    assert not model.compiled
    assert isinstance(model.layers[1], layers.Rescaling) and model.layers[1].name == "preprocessing"
    assert len(model.inputs) == len(model.outputs) == 1


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - HEAVY))
def test_raw_pictures_become_probabilities(name):
    small = {"input_shape": (64, 64, 3)} if name in DEEP else {}
    model = getattr(architectures, name)(**PARAMETERS[name][0], **small)
    size = [side or 64 for side in model.input_shape[1:]]
    noise = np.random.default_rng(0).integers(0, 256, size)
    pictures = np.stack([noise, np.zeros(size), np.full(size, 255)]).astype("uint8")
    probabilities = model(pictures, training=False).numpy()
    assert np.isfinite(probabilities).all() and (probabilities >= 0).all() and (probabilities <= 1).all()
    if probabilities.shape[1] > 1:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("name", ["build_cnn_c", "build_cnn_e", "build_cnn_e_grey", "build_cnn_e_normalised"])
def test_the_number_of_classes_can_be_chosen(name):
    assert build_without_values(getattr(architectures, name), num_classes=4).output_shape == (None, 4)


@pytest.mark.parametrize(
    ("name", "units", "activation"),
    [
        ("build_cnn_a", 1, "sigmoid"),
        ("build_cnn_c", 2, "softmax"),
        ("build_cnn_d", 1, "sigmoid"),
        ("build_cnn_e_grey", 10, "softmax"),
        ("build_cnn_e", 10, "softmax"),
        ("build_cnn_e_normalised", 10, "softmax"),
    ],
)
def test_networks_end_as_in_the_source_notes(name, units, activation):
    last = build_without_values(getattr(architectures, name)).layers[-1]
    assert (last.units, last.activation.__name__) == (units, activation)


# --- The network of the lessons -----------------------------------------------------------------------------


def write_out_vanilla():
    return keras.Sequential(
        [
            keras.Input((96, 96, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(128, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def write_out_regularised():
    stack = [keras.Input((96, 96, 3)), layers.Rescaling(1 / 255)]
    for filters in (32, 64, 128):
        stack += [
            layers.Conv2D(
                filters,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                kernel_regularizer=keras.regularizers.L2(1e-4),
            ),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
        ]
    head = [layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(2, activation="softmax")]
    return keras.Sequential(stack + head)


def write_out_separable():
    stack = [keras.Input((96, 96, 3)), layers.Rescaling(1 / 255)]
    for filters in (32, 64, 128):
        start = {"depthwise_initializer": keras.initializers.RandomNormal(stddev=1 / 3)}
        start["pointwise_initializer"] = "he_normal"
        stack += [layers.SeparableConv2D(filters, 3, padding="same", activation="relu", **start)]
        stack += [layers.MaxPooling2D()]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(2, activation="softmax")])


WRITTEN_OUT = {
    "vanilla": (write_out_vanilla, {}),
    "regularised": (
        write_out_regularised,
        {"block": partial(architectures.normalised_block, l2=1e-4), "pooling": "average", "dropout": 0.5},
    ),
    "separable": (write_out_separable, {"block": architectures.separable_block}),
}


def describe(model):
    """Each layer's kind, options and result, without the names."""
    described = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        config = {key: value for key, value in layer.get_config().items() if key not in ("name", "dtype", "seed")}
        described.append((type(layer).__name__, layer.output.shape, drop_seeds(config)))
    return described


def drop_seeds(config):
    if isinstance(config, dict):
        return {key: drop_seeds(value) for key, value in config.items() if key not in ("seed", "shared_object_id")}
    return config


@pytest.mark.parametrize(("write_out", "options"), WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_the_stack_written_out_is_the_same_network(write_out, options):
    built, written = build_lesson_cnn(**options), write_out()
    assert describe(built) == describe(written)
    assert built.count_params() == written.count_params()
    written.set_weights(built.get_weights())
    pictures = np.random.default_rng(0).uniform(0, 255, (3, 96, 96, 3)).astype("float32")
    np.testing.assert_allclose(built(pictures), written(pictures), atol=1e-6)
    np.testing.assert_allclose(sum(built.losses), sum(written.losses), rtol=1e-6)


def test_blocks_can_be_your_own():
    def block(x, filters, *, name):
        return layers.AveragePooling2D(2, name=f"{name}_half")(layers.Conv2D(filters, 1, name=f"{name}_mix")(x))

    model = build_lesson_cnn(filters=(4, 5), block=block)
    assert model.get_layer("block2_half").output.shape == (None, 24, 24, 5)
    assert model.count_params() == 3 * 4 + 4 + 4 * 5 + 5 + 24 * 24 * 5 * 2 + 2


def test_dropout_of_0_is_no_layer():
    kinds = [type(layer) for layer in build_lesson_cnn().layers]
    assert layers.Dropout not in kinds
    assert build_lesson_cnn(dropout=0.3).get_layer("dropout").rate == 0.3


def test_averages_take_pictures_of_any_size():
    model = architectures.build_cnn(input_shape=(None, None, 3), num_classes=4, pooling="average")
    for size in (16, 50):
        assert model(np.zeros((2, size, size, 3), "float32")).shape == (2, 4)


def test_initialisation_and_penalty_are_options_of_a_block():
    block = partial(architectures.convolution_block, initializer="zeros", l2=0.5)
    model = build_lesson_cnn(block=block)
    assert not model.get_layer("block2_conv").kernel.numpy().any()
    assert float(sum(model.losses)) == 0
    model.get_layer("block2_conv").kernel.assign(np.full((3, 3, 32, 64), 0.1))
    assert float(sum(model.losses)) == pytest.approx(0.5 * 0.01 * 3 * 3 * 32 * 64, rel=1e-5)
    assert len(model.losses) == 3
    assert build_lesson_cnn().losses == []


def test_a_separable_block_keeps_the_strength_of_its_input():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 256))
    model = keras.Model(inputs, architectures.separable_block(inputs, 256, name="block"))
    maps = np.random.default_rng(0).normal(size=(2, 16, 16, 256)).astype("float32")
    before_pooling = keras.Model(inputs, model.get_layer("block_conv").output)(maps).numpy()
    assert np.square(before_pooling).mean() == pytest.approx(1, abs=0.2)  # as He's start wants it


def test_he_is_wider_than_glorot_where_channels_grow():
    keras.utils.set_random_seed(0)
    fan_in = 3 * 3 * 64
    he = build_lesson_cnn(block=architectures.normalised_block).get_layer("block3_conv").kernel.numpy()
    glorot = build_lesson_cnn().get_layer("block3_conv").kernel.numpy()
    assert he.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.02)
    assert glorot.std() == pytest.approx(np.sqrt(2 / (fan_in + 3 * 3 * 128)), rel=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, "Received pooling 'max', expected .flatten. or .average."),
        ({"filters": ()}, "Received no filters, expected one number per block"),
        ({"filters": (1,) * 7}, "Received pictures of 96 x 96 for 7 blocks.*sides of 128 or more"),
    ],
)
def test_a_network_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build_lesson_cnn(**options)


def test_the_smallest_picture_still_goes_through():
    model = architectures.build_cnn(input_shape=(8, 8, 1), num_classes=2)
    assert model.get_layer("flatten").output.shape == (None, 128)


def test_the_first_layer_of_the_normalised_network_has_no_penalty():
    model = architectures.build_cnn_e_normalised()
    penalised = {layer.name for layer in model.layers if getattr(layer, "kernel_regularizer", None)}
    convolutions = {layer.name for layer in model.layers if isinstance(layer, layers.Conv2D)}
    assert penalised == convolutions - {"block1_1_conv"} | {"hidden"}


@pytest.mark.slow
@pytest.mark.parametrize("options", [options for _, options in WRITTEN_OUT.values()], ids=WRITTEN_OUT)
def test_the_lesson_network_learns_to_tell_dark_from_bright(options):
    keras.utils.set_random_seed(0)
    model = architectures.build_cnn(input_shape=(16, 16, 3), num_classes=2, filters=(8, 16), **options)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)  # in `fit`, the whole would be traced twice for it
    labels = np.arange(64) % 2
    pictures = (np.random.default_rng(0).uniform(0, 100, (64, 16, 16, 3)) + 150 * labels[:, None, None, None]).astype(
        "float32"
    )
    model.fit(pictures, labels, epochs=10, batch_size=16, verbose=0)
    assert (model(pictures, training=False).numpy().argmax(axis=1) == labels).mean() > 0.95


# --- What a network costs -----------------------------------------------------------------------------------


def wrap(*stack, shape=(6, 8, 3)):
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        # places x kernel x channels in x filters
        ([layers.Conv2D(5, 3)], (4 * 6) * (3 * 3) * 3 * 5),
        ([layers.Conv2D(5, 3, padding="same", strides=2)], (3 * 4) * (3 * 3) * 3 * 5),
        ([layers.Conv2D(6, 3, groups=3)], (4 * 6) * (3 * 3) * 1 * 6),
        ([layers.DepthwiseConv2D(3, depth_multiplier=2)], (4 * 6) * (3 * 3) * 3 * 2),
        ([layers.SeparableConv2D(7, 3, padding="same")], (6 * 8) * ((3 * 3) * 3 + 3 * 7)),
        ([layers.Flatten(), layers.Dense(10)], 6 * 8 * 3 * 10),
        ([layers.Dense(10)], 6 * 8 * 3 * 10),  # at every pixel
        ([layers.Rescaling(2), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()], 0),
        ([wrap(layers.Conv2D(5, 3)), layers.Flatten(), layers.Dense(2)], 4 * 6 * 27 * 5 + 4 * 6 * 5 * 2),
    ],
)
def test_multiply_adds_by_hand(stack, expected):
    assert architectures.count_multiply_adds(wrap(*stack)) == expected


@pytest.mark.parametrize(("network", "millions"), [("MobileNet", 569), ("MobileNetV2", 300)])
def test_multiply_adds_of_known_networks_are_those_published(network, millions):
    # Howard et al. 2017, "MobileNets", table 6; Sandler et al. 2018, "MobileNetV2", table 4.
    model = build_without_values(getattr(keras.applications, network), weights=None)
    assert round(architectures.count_multiply_adds(model) / 1e6) == pytest.approx(millions, abs=1)


def test_separable_convolutions_cost_an_eighth():
    plain, separable = build_lesson_cnn(), build_lesson_cnn(block=architectures.separable_block)
    assert architectures.count_multiply_adds(separable) < architectures.count_multiply_adds(plain) / 8
    head = 12 * 12 * 128 * 2 + 2
    assert (separable.count_params() - head) < (plain.count_params() - head) / 8


def test_a_model_of_any_size_cannot_be_counted():
    model = architectures.build_cnn(input_shape=(None, None, 3), num_classes=2, pooling="average")
    with pytest.raises(ValueError, match=r"layer 'block1_conv' has outputs of \(None, None, None, 32\)"):
        architectures.count_multiply_adds(model)


def test_a_layer_that_is_not_known_is_not_passed_over():
    with pytest.raises(ValueError, match=r"\(Conv2DTranspose\), expected Conv2D, Depthwise"):
        architectures.count_multiply_adds(wrap(layers.Conv2DTranspose(3, 3)))


# --- EfficientNet-Lite --------------------------------------------------------------------------------------


def build_block(shape, filters, **options) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, architectures.inverted_residual(inputs, filters, name="block", **options))


def test_a_convolution_halves_and_is_cut_off_at_6():
    inputs = keras.Input((7, 7, 3))
    model = keras.Model(inputs, architectures.convolve(inputs, 5, kernel_size=3, strides=2, name="stem"))
    outputs = model(1000 * np.random.default_rng(0).normal(size=(1, 7, 7, 3)), training=False).numpy()
    assert outputs.shape == (1, 4, 4, 5)
    assert outputs.min() == 0 and outputs.max() == 6
    assert model.count_params() == 3 * 3 * 3 * 5 + 4 * 5


def test_the_block_by_hand():
    # With the convolutions at zero, normalisation gives zero, and what comes out is the input.
    model = build_block((4, 4, 8), 8)
    for layer in model.layers:
        if "conv" in layer.name:
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    pictures = np.random.default_rng(0).normal(size=(2, 4, 4, 8)).astype("float32")
    np.testing.assert_array_equal(model(pictures, training=False), pictures)


@pytest.mark.parametrize(
    ("filters", "strides", "adds"), [(8, 1, True), (16, 1, False), (8, 2, False)], ids=["same", "wider", "halved"]
)
def test_the_block_adds_its_input_only_where_shapes_agree(filters, strides, adds):
    model = build_block((8, 8, 8), filters, strides=strides)
    assert any(isinstance(layer, keras.layers.Add) for layer in model.layers) == adds
    assert model.output_shape == (None, 8 // strides, 8 // strides, filters)


def test_expansion_of_1_has_no_widening():
    names = [layer.name for layer in build_block((8, 8, 8), 8, expansion=1).layers]
    assert not any("expand" in name for name in names)


def test_the_narrow_end_has_no_activation():
    names = [layer.name for layer in build_block((8, 8, 8), 16).layers]
    assert names[-2:] == ["block_project_conv", "block_project_bn"]


@given(st.floats(0.1, 5000))
def test_rounded_filters(filters):
    rounded = architectures.round_filters(filters)
    assert rounded % 8 == 0 and rounded >= 8
    assert rounded >= 0.9 * filters
    assert rounded <= max(8, 1.0 * filters + 8)


@pytest.mark.parametrize(
    ("width", "depth", "parameters"), [(1.0, 1.0, 4_694_024), (1.0, 1.1, 5_470_344), (1.1, 1.2, 6_150_168)]
)
def test_efficientnet_lite_has_the_parameters_of_the_original(width, depth, parameters):
    model = build_without_values(architectures.build_efficientnet_lite, width=width, depth=depth)
    assert model.count_params() == parameters
    assert not model.compiled


def test_efficientnet_lite_layers():
    build = partial(build_without_values, architectures.build_efficientnet_lite, input_shape=(64, 96, 3))
    model = build(num_classes=3, dropout=0.4)
    assert model.layers[1].name == "preprocessing"
    assert model.get_layer("block7a_project_conv").output.shape == (None, 2, 3, 320)
    assert model.get_layer("top_relu").output.shape == (None, 2, 3, 1280)
    assert model.get_layer("dropout").rate == 0.4
    assert model.output_shape == (None, 3)
    assert {layer.epsilon for layer in model.layers if hasattr(layer, "epsilon")} == {1e-3}
    bare = build(include_top=False)
    assert bare.output_shape == (None, 2, 3, 1280)


def test_efficientnet_lite_gives_probabilities_of_raw_pictures():
    model = architectures.build_efficientnet_lite(input_shape=(None, None, 3), num_classes=3)
    for size in (32, 50):
        pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype="uint8")
        probabilities = model(pictures, training=False).numpy()
        assert probabilities.shape == (2, 3) and (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_efficientnet_lite_can_be_trained():
    keras.utils.set_random_seed(0)
    model = architectures.build_efficientnet_lite(input_shape=(32, 32, 3), num_classes=2, width=0.5, depth=0.3)
    # Eagerly: to trace the network takes longer than four steps.
    model.compile(keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy", run_eagerly=True)
    pictures = np.repeat(np.array([0.0, 255.0], "float32"), 8)[:, None, None, None] * np.ones((32, 32, 3), "float32")
    losses = model.fit(pictures, np.repeat([0, 1], 8), epochs=4, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("block", [architectures.convolution_block, architectures.normalised_block])
def test_one_initializer_gives_each_layer_weights_of_its_own(block) -> None:
    drawn = partial(block, initializer=keras.initializers.HeNormal())
    model = architectures.build_cnn(input_shape=(32, 32, 3), num_classes=2, filters=(8, 8, 8), block=drawn)
    second, third = (model.get_layer(f"block{number}_conv").kernel.numpy() for number in (2, 3))
    assert second.shape == third.shape
    assert not np.allclose(second, third)


def test_a_deep_network_does_not_run_out_of_letters() -> None:
    model = build_without_values(architectures.build_efficientnet_lite, num_classes=2, depth=3.0)
    assert model.get_layer("block6l_add")
