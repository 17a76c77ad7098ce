"""What a network costs."""

import math

import keras
from keras import layers


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
    return sum(
        count_multiply_adds(layer) if isinstance(layer, keras.Model) else _count_layer(layer) for layer in model.layers
    )


def _count_layer(layer: keras.Layer) -> int:
    kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    if not kernels:
        return 0
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D | layers.Dense):
        raise ValueError(
            f"Received layer {layer.name!r} ({type(layer).__name__}), expected Conv2D, DepthwiseConv2D, "
            "SeparableConv2D or Dense where there is a kernel. Count this model by hand."
        )
    _, *places, _ = layer.output.shape
    if None in places:
        raise ValueError(
            f"Received a model whose layer {layer.name!r} has outputs of {layer.output.shape}, expected a fixed size. "
            "Build it with a fixed input_shape."
        )
    return math.prod(places) * sum(math.prod(kernel.shape) for kernel in kernels)
