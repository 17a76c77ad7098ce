"""Checks for notebook 06, convolution."""

import math

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)

FIXED = "Use the arguments, not fixed numbers."


@exercise(
    case(96, 3, 1, "valid"),
    case(96, 3, 2, "valid"),
    case(97, 3, 2, "same"),
    case(150, 3, 1, "valid"),
    case(37, 2, 2, "valid"),
    case(10, 4, 3, "valid"),
    case(10, 4, 1, "same"),
    case(96, 2, 2, "same"),
    case(10, 5, 3, "same"),
    asked="For {} pixels, kernel {}, stride {}, {}",
    right="valid loses a rim and rounds down, same rounds up; so does Keras.",
)
def check_output_size(size, kernel, stride, padding):
    """`output_size(size, kernel, stride, padding)` gives the side of a feature map."""
    last = size - kernel  # where the last window starts
    valid = last // stride + 1
    answer = math.ceil(size / stride) if padding == "same" else valid
    return answer, {
        "Count the place where the window starts as well.": last // stride,
        "Without padding the map loses a rim of kernel - 1.": size,
        "The stride is not used.": last + 1,
        "A window that does not fit any more is left out. Round down before you add 1.": math.ceil(last / stride) + 1,
        "A number of places is whole. Use // (divides and rounds down).": last / stride + 1,
        "With a stride above 1, same makes the map smaller too.": size if padding == "same" else valid,
        "A number of places is whole. Round up.": size / stride if padding == "same" else valid,
        "Same rounds up, not down.": size // stride if padding == "same" else valid,
    }


@exercise(
    case(4, 16, 32),
    case(3, 1, 16, why=FIXED),
    case(4, 32, 64, why=FIXED),
    case(3, 3, 32, why=FIXED),
    asked="For {2} filters of {0} x {0} that read {1} channels",
    right="160, 8,224 and 32,832: the size of the picture does not come into it.",
)
def check_count_conv_parameters(size, channels, filters):
    """`count_conv_parameters(size, channels, filters)` counts weights and biases."""
    weights = size * size * channels * filters
    return weights + filters, {
        "That counts the weights only: each filter has a bias as well.": weights,
        "That forgets the channels: a filter has one kernel for each channel that it reads.": (size * size + 1)
        * filters,
        "That has one side of the kernel only: a kernel of size 4 has 4 x 4 weights.": (size * channels + 1) * filters,
        "That adds a bias for each channel: it is each filter that has one.": weights + channels,
        "That adds a bias for each kernel: the kernels of a filter share one.": weights + channels * filters,
        "That adds one bias in all: each filter has one.": weights + 1,
        "That is one filter: multiply by the number of filters.": size * size * channels + 1,
    }


@exercise(
    case(np.random.default_rng(4).normal(size=(2, 4, 6, 3)).astype("float32")),
    right="the minimum is minus the maximum of minus x.",
)
def check_min_pool(maps):
    """`min_pool(maps)` gives the minimum of each 2 x 2, by maximum pooling."""
    pictures, height, width, channels = maps.shape
    blocks = maps.reshape(pictures, height // 2, 2, width // 2, 2, channels)
    low, high = blocks.min(axis=(2, 4)), blocks.max(axis=(2, 4))  # (n, h, w, c) -> (n, h / 2, w / 2, c)
    return low, {
        "Your map is as large as the one you got: pooling halves its height and its width.": maps,
        "You pooled over the whole map: keep one number of each 2 x 2.": maps.min(axis=(1, 2)),
        "That is the maximum of each block: turn the signs round before you pool, and back after.": high,
        "That is minus the maximum: turn the signs round before you pool as well.": -high,
        "That is minus the minimum: you pooled -maps. Now turn the signs back.": -low,
        "That is the average of each block.": blocks.mean(axis=(2, 4)),
    }


@exercise(
    case([(3, 1)]),
    case([(3, 1), (3, 1)]),
    case([(5, 1), (3, 1)], why="Each layer adds its own kernel - 1."),
    case([(3, 1), (2, 2), (3, 1)], why="Behind a stride of 2 neighbouring places are 2 pixels apart."),
    case([(3, 2), (3, 2), (3, 2)], why="Strides multiply: 2, then 4."),
    case([(3, 1), (2, 2)] * 4, why="Lesson 07's network sees 46 pixels."),
    asked="For the layers {}",
    right="10 for the stack above, 46 for four times convolution and pooling.",
)
def check_receptive_field(stack):
    """`receptive_field(stack)` is the side of the square of pixels that a place of the last map sees."""
    field = distance = early = early_distance = 1
    for kernel, stride in stack:
        field += (kernel - 1) * distance
        distance *= stride
        early_distance *= stride
        early += (kernel - 1) * early_distance
    kernels = [kernel for kernel, _ in stack]
    return field, {
        "You added up the kernels: a layer adds kernel - 1, because its window starts on a place that is counted.": (
            sum(kernels)
        ),
        "That leaves the strides out: behind a stride of 2 a layer reaches twice as far.": 1
        + sum(kernels)
        - len(stack),
        "A layer's own stride moves the layers behind it, not itself: add first, then multiply the distance.": early,
        "Start with a field of 1, the place itself.": field - 1,
        "That is how far apart two places of the last map are.": distance,
    }


@exercise(
    case([(96, 96, 16), (48, 48, 16), (9216,), (2,)], 32),
    case([(10, 5, 2)], 1, why=FIXED),
    asked="For the shapes {} and a batch of {}",
    right="25 MB for this small example.",
)
def check_activation_bytes(shapes, batch_size):
    """`activation_bytes(shapes, batch_size)` is the memory of all outputs for a batch."""
    sizes = [math.prod(shape) for shape in shapes]
    size = sum(sizes)
    return 4 * batch_size * size, {
        "That is how many numbers there are: each takes 4 bytes.": batch_size * size,
        "That is for one picture: a batch has batch_size of them.": 4 * size,
        "That is how many numbers one picture makes: 4 bytes each, and a whole batch of pictures.": size,
        "You took 8 bytes for a number, as float64 has: networks compute with float32, 4 bytes.": 8 * batch_size * size,
        "That is one layer's output: all of them are kept until the end.": 4 * batch_size * sizes[0],
        "You added up the sides of a shape: multiply them, all three.": 4 * batch_size * sum(map(sum, shapes)),
    }
