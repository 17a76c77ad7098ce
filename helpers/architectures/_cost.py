"""What a network costs: numbers to store, arithmetic and memory for one picture."""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from helpers.architectures._walk import walk_layers


class Costs(NamedTuple):
    """What a network costs whatever the machine; multiply-adds and activations are those of one picture."""

    parameters: int
    parameter_bytes: int
    multiply_adds: int
    activation_bytes: int


def count_costs(model: keras.Model) -> Costs:
    """Return all that can be counted of a model with a fixed input size; a time has to be measured.

    >>> from helpers.architectures import build_cnn_d
    >>> count_costs(build_cnn_d())
    Costs(parameters=130241, parameter_bytes=520964, multiply_adds=199743104, activation_bytes=6469300)
    """
    return Costs(
        parameters=model.count_params(),
        parameter_bytes=count_parameter_bytes(model),
        multiply_adds=count_multiply_adds(model),
        activation_bytes=count_activation_bytes(model),
    )


def count_parameter_bytes(model: keras.Model) -> int:
    """Count the bytes of all weights, which is what a saved model takes but for some kilobytes about its layers."""
    return sum(math.prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in model.weights)


def count_multiply_adds(model: keras.Model) -> int:
    """Count the multiplications (each with its addition) that one picture costs, in convolutions and dense layers.

    Every weight of a kernel is used once at every place of the output: so it is the number of weights times the
    number of places. Biases, activations, normalisation and pooling are left out, as is usual.

    Args:
        model: Functional or Sequential, also with models inside it; with a fixed input size. A layer that the model
            uses twice is counted once.

    Raises:
        ValueError: if a layer's output size is not known, or a layer of another kind has a kernel.

    >>> from helpers.architectures import build_cnn_d
    >>> count_multiply_adds(build_cnn_d())  # 148 x 148 x 864 + 72 x 72 x 18432 + 34 x 34 x 73728 + 36992
    199743104
    """
    return sum(map(_count_multiply_adds, walk_layers(model)))


def count_activation_bytes(model: keras.Model) -> int:
    """Count the bytes that hold the outputs of all layers for one picture, the input itself left out.

    That is what a training step keeps, at most, until it has the gradients; times the batch size. A prediction needs
    less: what the later layers do not use may go. A layer that changes nothing (`Flatten`, say) counts as well.

    Raises:
        ValueError: if a layer's output size is not known.

    >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(5, 3, padding="same"), layers.Flatten()])
    >>> count_activation_bytes(model)  # twice 8 x 8 x 5 numbers of 4 bytes
    2560
    """
    return sum(map(_count_output_bytes, walk_layers(model)))


def _count_output_bytes(layer: keras.Layer) -> int:
    if isinstance(layer, layers.InputLayer):
        return 0
    return math.prod(_known_shape(layer)) * np.dtype(layer.output.dtype).itemsize


def _count_multiply_adds(layer: keras.Layer) -> int:
    kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    if not kernels:
        return 0
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D | layers.Dense):
        raise ValueError(
            f"Received layer {layer.name!r} ({type(layer).__name__}), expected Conv2D, DepthwiseConv2D, "
            "SeparableConv2D or Dense where there is a kernel. Count this model by hand."
        )
    return math.prod(_known_shape(layer)[:-1]) * sum(math.prod(kernel.shape) for kernel in kernels)


def _known_shape(layer: keras.Layer) -> tuple[int, ...]:
    """Return the shape of a layer's output for one picture, such as (height, width, channels)."""
    _, *shape = layer.output.shape
    if None in shape:
        raise ValueError(
            f"Received a model whose layer {layer.name!r} has outputs of {layer.output.shape}, expected a fixed size. "
            "Build it with a fixed input_shape."
        )
    return tuple(shape)
