"""Networks from scratch: their shapes, sizes and parts."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import architectures


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
    model = architectures.build_efficientnet_lite(num_classes=1000, width=width, depth=depth)
    assert model.count_params() == parameters
    assert not model.compiled


def test_efficientnet_lite_layers():
    model = architectures.build_efficientnet_lite(input_shape=(64, 96, 3), num_classes=3, dropout=0.4)
    assert model.layers[1].name == "preprocessing"
    assert model.get_layer("block7a_project_conv").output.shape == (None, 2, 3, 320)
    assert model.get_layer("top_relu").output.shape == (None, 2, 3, 1280)
    assert model.get_layer("dropout").rate == 0.4
    assert model.output_shape == (None, 3)
    assert {layer.epsilon for layer in model.layers if hasattr(layer, "epsilon")} == {1e-3}


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
    model = architectures.build_efficientnet_lite(input_shape=(32, 32, 3), num_classes=2)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(1e-3))
    pictures = np.repeat(np.array([0.0, 255.0], "float32"), 8)[:, None, None, None] * np.ones((32, 32, 3), "float32")
    losses = model.fit(pictures, np.repeat([0, 1], 8), epochs=6, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
