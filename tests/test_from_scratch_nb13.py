"""Notebook 13's blocks, as they stand in its cells, against those of the package and against keras.applications."""

from collections.abc import Callable

import keras
import numpy as np
import pytest

from helpers import architectures
from tests.lesson_cells import run_cells
from tests.shapes import build_without_values

LESSON = run_cells("13")


def build(block: Callable, *arguments: object, shape: tuple[int, int, int], **options: object) -> keras.Model:
    inputs = keras.Input(shape)
    return keras.Model(inputs, block(inputs, *arguments, name="block", **options))


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "options"),
    [
        ("vgg_block", (5,), (8, 10, 3), {"convolutions": 3}),
        ("inception_module", ((1, 2, 3, 4, 5, 6),), (5, 7, 4), {}),
        ("identity_block", (2,), (5, 7, 8), {}),
        ("conv_block", (3,), (5, 7, 4), {}),
        ("conv_block", (3,), (5, 7, 4), {"strides": 1}),
    ],
)
def test_a_block_is_the_one_of_the_package(name: str, arguments: tuple, shape: tuple, options: dict) -> None:
    written, ours = (
        build(block, *arguments, shape=shape, **options) for block in (LESSON[name], getattr(architectures, name))
    )
    assert written.output_shape == ours.output_shape
    assert written.count_params() == ours.count_params()
    generator = np.random.default_rng(0)
    for layer in written.layers:
        if layer.weights:
            layer.set_weights([generator.uniform(0.1, 1, weight.shape) for weight in layer.weights])
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    pictures = generator.normal(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(written(pictures), ours(pictures), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_networks_without_their_heads_have_as_many_parameters_as_those_of_keras() -> None:
    for name, (build_maps, *arguments) in {
        "VGG16": (LESSON["build_vgg_maps"], 32, (2, 2, 3, 3, 3)),
        "VGG19": (LESSON["build_vgg_maps"], 32, (2, 2, 4, 4, 4)),
        "ResNet50": (LESSON["build_resnet_maps"], 32),
    }.items():
        written = build_without_values(build_maps, *arguments)
        theirs = build_without_values(getattr(keras.applications, name), weights=None, include_top=False)
        assert written.count_params() == theirs.count_params()


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_tower_has_the_layers_it_says_and_a_shortcut_costs_no_weight(shortcut: bool) -> None:
    tower = LESSON["build_tower"](3, shortcut=shortcut)
    assert sum(len(layer.weights) > 0 and "batch" not in layer.name for layer in tower.layers) == 2 * 3 + 2
    assert sum(isinstance(layer, keras.layers.Add) for layer in tower.layers) == 3 * shortcut
    assert tower.count_params() == LESSON["build_tower"](3, shortcut=not shortcut).count_params()
