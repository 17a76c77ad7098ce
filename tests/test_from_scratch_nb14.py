"""Notebook 14's convolutions and blocks, as they stand in its cells, against Keras and against the package."""

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import architectures
from tests.lesson_cells import run_cells


@cache
def lesson() -> dict[str, Any]:
    return run_cells("14")


def draw_maps(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")


def assert_same(written_out: keras.Model, ours: keras.Model) -> None:
    """Given the same weights, both give the same."""
    assert written_out.count_params() == ours.count_params()
    weights = [np.abs(draw_maps(i, *weight.shape)) / 3 + 0.1 for i, weight in enumerate(ours.weights)]
    ours.set_weights(weights)
    written_out.set_weights(weights)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, *ours.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(written_out(pictures, training=False), ours(pictures, training=False), rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    channels=st.integers(1, 5),
    filters=st.integers(1, 5),
    size=st.sampled_from([1, 3, 5]),
)
def test_the_two_steps_equal_the_separable_convolution_of_keras(height, width, channels, filters, size) -> None:
    maps = draw_maps(0, height, width, channels)
    layer = keras.layers.SeparableConv2D(filters, size, padding="same", use_bias=False)
    expected = np.asarray(layer(maps[np.newaxis]))[0]
    depthwise, pointwise = layer.get_weights()
    between = lesson()["convolve_depthwise"](maps, depthwise[..., 0])
    np.testing.assert_allclose(lesson()["convolve_pointwise"](between, pointwise[0, 0]), expected, atol=1e-4)


def test_the_separable_block_is_the_one_of_the_package() -> None:
    maps = keras.Input((8, 8, 4))
    blocks = (lesson()["separable_block"], architectures.separable_block)
    written_out, ours = (keras.Model(maps, block(maps, 6, name="block")) for block in blocks)
    assert_same(written_out, ours)
    layers = [model.get_layer("block_conv") for model in (written_out, ours)]
    for kind in ("depthwise_initializer", "pointwise_initializer"):
        first, second = (getattr(layer, kind).get_config() for layer in layers)
        assert {**first, "seed": None} == {**second, "seed": None}


@pytest.mark.parametrize(("filters", "strides", "expansion"), [(4, 1, 6), (8, 2, 6), (8, 1, 1)])
def test_the_inverted_residual_is_the_one_of_the_package(filters: int, strides: int, expansion: int) -> None:
    options = {"strides": strides, "expansion": expansion}
    maps = keras.Input((9, 8, 4))
    written_out = keras.Model(maps, lesson()["inverted_residual"](maps, filters, **options))
    ours = keras.Model(maps, architectures.inverted_residual(maps, filters, name="block", **options))
    assert_same(written_out, ours)


def test_the_lessons_mobilenet_v2_is_the_one_of_the_package() -> None:
    pictures = keras.Input((32, 32, 3))
    maps = lesson()["stack_mobilenet_v2"](pictures)
    ours = architectures.build_mobilenet_v2(input_shape=(32, 32, 3), include_top=False)
    assert_same(keras.Model(pictures, maps["top"]), ours)
    names = [
        "stem_relu",
        "block1a_project_bn",
        "block2b_add",
        "block3c_add",
        "block4d_add",
        "block5c_add",
        "block6c_add",
    ]
    names += ["block7a_project_bn", "top_relu"]
    assert [one.shape for one in maps.values()] == [ours.get_layer(name).output.shape for name in names]
