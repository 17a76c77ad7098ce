"""MobileNetV2: the same network as `keras.applications.MobileNetV2`, layer for layer."""

from functools import cache

import keras
import numpy as np
import pytest

from helpers import architectures
from tests.shapes import build_without_values

SHAPE = (64, 96, 3)  # the network halves five times; the proof needs no more


@cache
def build_reference(width: float) -> keras.Model:
    """Keras' own, whole, with weights that let every layer count, statistics of batch normalisation included."""
    model = keras.applications.MobileNetV2(weights=None, alpha=width, input_shape=SHAPE)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        else:  # a depthwise kernel ends in 1, and adds up nine products
            fan_in = 9 if weight.shape[-1] == 1 else np.prod(weight.shape[:-1])
            weight.assign(rng.standard_normal(weight.shape, dtype="float32") / np.float32(np.sqrt(fan_in)))
    return model


@pytest.mark.parametrize(("include_top", "width"), [(False, 1.0), (True, 1.0), (False, 0.35)])
def test_with_the_same_weights_it_gives_the_same_output(include_top, width):
    theirs = build_reference(width)
    if not include_top:  # its maps are those of the network that Keras builds without a top
        theirs = keras.Model(theirs.input, theirs.get_layer("out_relu").output)
    ours = architectures.build_mobilenet_v2(width=width, input_shape=SHAPE, include_top=include_top)
    ours.set_weights(theirs.get_weights())
    pictures = np.random.default_rng(1).uniform(0, 255, (2, *SHAPE)).astype("float32")
    pictures[1] *= 0.3  # a dark one
    expected = np.asarray(theirs(pictures / 127.5 - 1, training=False))
    assert np.abs(expected[0] - expected[1]).max() > 5e-5  # it matters which picture it is
    np.testing.assert_allclose(ours(pictures, training=False), expected, atol=1e-5)


@pytest.mark.parametrize("width", [0.75, 1.4])
def test_narrow_and_wide_it_has_the_same_weights(width):
    options = {"input_shape": SHAPE, "include_top": False}
    theirs = build_without_values(keras.applications.MobileNetV2, weights=None, alpha=width, **options)
    ours = build_without_values(architectures.build_mobilenet_v2, width=width, **options)
    assert [weight.shape for weight in ours.weights] == [weight.shape for weight in theirs.weights]


def test_the_stages_are_those_of_the_paper():
    # Sandler et al. 2018, table 2: input 224 x 224
    model = build_without_values(architectures.build_mobilenet_v2)
    shapes = {
        **{"stem_relu": (112, 112, 32), "block1a_project_bn": (112, 112, 16), "block2b_add": (56, 56, 24)},
        **{"block3c_add": (28, 28, 32), "block4d_add": (14, 14, 64), "block5c_add": (14, 14, 96)},
        **{"block6c_add": (7, 7, 160), "block7a_project_bn": (7, 7, 320), "top_relu": (7, 7, 1280)},
    }
    assert {name: model.get_layer(name).output.shape[1:] for name in shapes} == shapes
    assert model.output_shape == (None, 1000)


def test_a_side_may_vary():
    model = architectures.build_mobilenet_v2(input_shape=(None, None, 3), width=0.35, include_top=False)
    for size in (32, 50):
        assert model(np.zeros((1, size, size, 3), "uint8"), training=False).shape[-1] == 1280
