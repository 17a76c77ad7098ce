"""Notebook 06's convolution and pooling, as they stand in its cells, against Keras."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.checks import nb06
from tests.lesson_cells import run_cells

NAMES = {"convolve_grey", "pad_same", "take_windows", "convolve", "pool"}

LESSON = run_cells("06")

sides = st.integers(6, 13)
options = {
    "height": sides,
    "width": sides,
    "channels": st.integers(1, 4),
    "size": st.integers(1, 5),
    "stride": st.integers(1, 4),
    "padding": st.sampled_from(["valid", "same"]),
    "seed": st.integers(0, 2**31),
}


def draw_maps(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_the_lesson_defines_what_is_tested() -> None:
    assert set(LESSON) >= NAMES


@settings(max_examples=60, deadline=None)
@given(filters=st.integers(1, 5), **options)
def test_the_convolution_equals_keras(height, width, channels, size, stride, padding, seed, filters) -> None:
    picture = draw_maps(seed, height, width, channels)
    weights, bias = draw_maps(seed + 1, size, size, channels, filters), draw_maps(seed + 2, filters)
    layer = keras.layers.Conv2D(filters, size, strides=stride, padding=padding)
    layer.build((None, height, width, channels))
    layer.set_weights([weights, bias])
    expected = np.asarray(layer(picture[np.newaxis]))[0]
    np.testing.assert_allclose(
        LESSON["convolve"](picture, weights, bias, stride=stride, padding=padding), expected, rtol=1e-4, atol=1e-4
    )


@settings(max_examples=60, deadline=None)
@given(**{name: options[name] for name in ("height", "width", "channels", "size", "stride", "seed")})
def test_the_pooling_equals_keras(height, width, channels, size, stride, seed) -> None:
    maps = draw_maps(seed, height, width, channels)
    by_keras = {
        np.max: lambda x: keras.layers.MaxPooling2D(size, strides=stride)(x),
        np.mean: lambda x: keras.layers.AveragePooling2D(size, strides=stride)(x),
        np.min: lambda x: -keras.layers.MaxPooling2D(size, strides=stride)(-x),
    }
    for reduce, layer in by_keras.items():
        answer = LESSON["pool"](maps, reduce, size=size, stride=stride)
        np.testing.assert_allclose(answer, np.asarray(layer(maps[np.newaxis]))[0], rtol=1e-4, atol=1e-5)


def test_pooling_moves_by_its_own_size_unless_told() -> None:
    maps = draw_maps(0, 9, 12, 2)
    np.testing.assert_allclose(LESSON["pool"](maps, np.max, size=3), keras.layers.MaxPooling2D(3)(maps[None])[0])


@pytest.mark.parametrize("stack", [[(3, 1), (3, 1)], [(3, 1), (2, 2), (3, 1)], [(3, 2), (3, 2)], [(5, 1), (3, 2)]])
def test_the_receptive_field_is_the_one_that_the_gradient_shows(stack: list[tuple[int, int]]) -> None:
    built = [keras.layers.Conv2D(1, kernel, strides=stride) for kernel, stride in stack]
    assert LESSON["measure_field"](built) == nb06.check_receptive_field.solve(stack)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 1), (1, 1)])
def test_the_loop_equals_keras_on_a_grey_picture(shape: tuple[int, int]) -> None:
    picture, kernel = draw_maps(1, 9, 11), draw_maps(2, *shape)
    layer = keras.layers.Conv2D(1, shape, use_bias=False)
    layer.build((None, 9, 11, 1))
    layer.set_weights([kernel[:, :, np.newaxis, np.newaxis]])
    expected = np.asarray(layer(picture[np.newaxis, :, :, np.newaxis]))[0, :, :, 0]
    np.testing.assert_allclose(LESSON["convolve_grey"](picture, kernel), expected, rtol=1e-4, atol=1e-5)
