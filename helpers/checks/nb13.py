"""Checks for notebook 13, famous architectures."""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import Function, case, exercise, require

show_solution, show_open_exercises = answer_questions(__name__)


@exercise(
    case(2, 64),
    case(3, 10, why="Use the arguments, not fixed numbers."),
    asked="For {} convolutions and {} channels",
    right="two see 5 x 5 pixels for 18/25 of its weights; three see 7 x 7 for 27/49.",
)
def check_stack_and_single(number, channels):
    """`stack_and_single(number, channels)` counts the weights of n 3 x 3 kernels and of one that sees as far."""
    stack, single = number * 9 * channels**2, (2 * number + 1) ** 2 * channels**2
    return (stack, single), {
        "Right numbers, wrong way round: first the stack.": (single, stack),
        "You counted biases as well: only weights are asked for.": (stack + number * channels, single + channels),
        "A kernel reads every channel that comes in: channels x channels.": (stack // channels, single // channels),
        "Your single kernel is too large: each further 3 x 3 adds one pixel on each side, 3, 5, 7, ...": (
            stack,
            (3 * number) ** 2 * channels**2,
        ),
        "You counted one of the small kernels: there are as many as `number` says.": (9 * channels**2, single),
    }


@exercise(
    case([7 * 7 * 512, 4096, 4096, 1000]),
    case([10, 3], why="One layer has two sizes."),
    asked="For the sizes {}",
    right="123,642,856: nine tenths of VGG16 are in its three dense layers.",
)
def check_dense_parameters(sizes):
    """`dense_parameters(sizes)` counts weights and biases of dense layers."""
    weights = sum(a * b for a, b in pairwise(sizes))
    return weights + sum(sizes[1:]), {
        "That is weights alone: each unit has a bias, too.": weights,
        "What comes into the first layer is not a unit: it has no bias.": weights + sum(sizes),
        "The last layer is missing: n sizes are n - 1 layers.": weights + sum(sizes[1:]) - (sizes[-2] + 1) * sizes[-1],
        "You multiplied all sizes: each layer multiplies what comes in by what goes out; add up the layers.": int(
            np.prod([float(size) for size in sizes])
        ),
    }


@exercise(
    case(28, 192, 16, 32),
    case(14, 480, 10, 48, why="Use the arguments, not fixed numbers."),
    asked="For a map of {0} x {0} x {1}, {2} narrow channels and {3} filters",
    right="12.4 million in place of 120.4: a tenth.",
)
def check_count_with_bottleneck(side, channels, narrow, filters):
    """`count_with_bottleneck(side, channels, narrow, filters)` counts multiply-adds of a 1 x 1, then a 5 x 5."""
    places, reduce, look = side**2, channels * narrow, 25 * narrow * filters
    return places * (reduce + look), {
        "That is one place: multiply by the places, side x side.": reduce + look,
        "The 1 x 1 convolution costs something, too.": places * look,
        "That is the 1 x 1 alone: the 5 x 5 follows.": places * reduce,
        "That is the 5 x 5 on all channels: it reads the narrow map.": places * 25 * channels * filters,
        "Your 5 x 5 still reads all channels: it reads the narrow map.": places * (reduce + 25 * channels * filters),
        "A kernel of 5 x 5 has 25 places: you counted 5.": places * (reduce + 5 * narrow * filters),
    }


def _convolve(x: KerasTensor, filters: int) -> KerasTensor:
    return layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))


def _residual(x: KerasTensor, filters: int, *, without: str = "", join: type[layers.Layer] = layers.Add) -> KerasTensor:
    """The block, or one with a mistake in it."""
    first = layers.ReLU()(_convolve(x, filters))
    f = _convolve(first, filters)
    if without == "negative":
        f = layers.ReLU()(f)
    if without != "shortcut":
        f = join()([first if without == "input" else x, f])
    return f if without == "ReLU" else layers.ReLU()(f)


def _view_block(block: Function, filters: int) -> Mapping[str, Any]:
    """Build a model of the block, and let it answer with kernels of the check."""
    inputs = keras.Input((5, 7, filters))
    outputs = block(inputs, filters)
    require(isinstance(outputs, KerasTensor), f"You returned a {type(outputs).__name__}, expected what a layer gives.")
    model = keras.Model(inputs, outputs)
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    drawn = np.random.default_rng(13)
    for layer in convolutions:
        layer.kernel.assign(0.2 * drawn.normal(size=layer.kernel.shape))
    maps = drawn.normal(size=(2, *model.input_shape[1:])).astype("float32")
    return {
        "Your block gives a map of shape {}, expected {}.": model.output_shape,
        "Your block has {} convolutions, expected {}.": len(convolutions),
        "Your block has kernels of {}, expected {}.": sorted(layer.kernel_size for layer in convolutions),
        "Of your convolutions {} have a bias, expected {}: batch normalisation takes it away again.": sum(
            layer.use_bias for layer in convolutions
        ),
        "Your block has {} layers of batch normalisation, expected {}: one after each convolution.": sum(
            isinstance(layer, layers.BatchNormalization) for layer in model.layers
        ),
        "With kernels of this check, what comes out has a mean square of {}, expected {}. Look at the order: "
        "convolution, normalisation, ReLU, convolution, normalisation, addition, ReLU.": float(
            np.mean(np.square(model(maps, training=False)))
        ),
    }


@exercise(
    case(4),
    view=_view_block,
    tolerance=1e-4,
    right="with kernels of zeros your block lets its input through: F(x) + x.",
)
def check_residual_block(x, filters):
    """`residual_block(x, filters)` returns relu(F(x) + x)."""
    return partial(_residual, x, filters), {
        "The input is not added: that is a plain block.": partial(_residual, x, filters, without="shortcut"),
        "The last ReLU is missing: it comes after the addition.": partial(_residual, x, filters, without="ReLU"),
        "There is a ReLU before the addition: then F(x) can only add, never take away.": partial(
            _residual, x, filters, without="negative"
        ),
        "You add what came out of the first convolution: keep the block's input for the shortcut.": partial(
            _residual, x, filters, without="input"
        ),
        "You stacked the two maps: the shortcut is added, place by place (`layers.Add`).": partial(
            _residual, x, filters, join=layers.Concatenate
        ),
    }


@exercise(
    case((3, 4, 6, 3), 3),
    case((3, 4, 23, 3), 3),
    case((2, 2, 2, 2), 2, why="The blocks of the small ones have two convolutions."),
    asked="For {} blocks of {} convolutions",
    right="ResNet-50, ResNet-101 and ResNet-18: the number counts the layers with weights on the longest way.",
)
def check_count_layers(blocks, convolutions):
    """`count_layers(blocks, convolutions)` is the number in a ResNet's name."""
    inside = convolutions * sum(blocks)
    return inside + 2, {
        "The blocks alone do not make it: a convolution stands before them, a dense layer behind.": inside,
        "One layer is missing: the first convolution, or the dense layer at the end.": inside + 1,
        "You counted the shortcuts' convolutions: they lie beside the longest way.": inside + 2 + len(blocks),
        "You counted blocks: each has several convolutions.": sum(blocks) + 2,
        "You multiplied the stages: add up their blocks.": convolutions * int(np.prod(blocks)) + 2,
    }
