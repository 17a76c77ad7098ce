"""Checks for notebook 14, efficient architectures."""

import math
from itertools import pairwise

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)


@exercise(
    case(56, 64, 128, 3, 1),
    case(56, 64, 128, 3, 2),
    case(7, 8, 8, 5, 2, why="Half of 7 is rounded up: 4 places along each side."),
    asked="For {}, {}, {}, {}, {}",
    right="the stride does not change the parameters; a stride of 2 leaves a quarter of the multiply-adds.",
)
def check_count_with_stride(side, channels, filters, kernel_size, strides):
    """`count_with_stride(...)` is the pair of parameters and multiply-adds of a convolution."""
    parameters = kernel_size**2 * channels * filters
    places = math.ceil(side / strides) ** 2

    def count(weights, times):
        return weights, times * weights

    return count(parameters, places), {
        "Your multiply-adds use the places of the input: with a stride of 2 the output has half the side.": (
            count(parameters, side**2)
        ),
        "Your kernel has kernel_size weights per channel and filter, expected kernel_size x kernel_size.": (
            count(kernel_size * channels * filters, places)
        ),
        "You multiplied with the side once: a map has side x side places.": (
            count(parameters, math.ceil(side / strides))
        ),
        "You divided the places by the stride once: both sides shrink.": count(parameters, side**2 // strides),
        "You counted biases: this convolution has none.": count(parameters + filters, places),
        "You rounded down: with padding 'same' the side is rounded up.": count(parameters, (side // strides) ** 2),
        "The order is (parameters, multiply-adds).": (places * parameters, parameters),
    }


@exercise(
    case(24, 32, 6),
    case(24, 24, 6),
    case(32, 16, 1, why="With an expansion of 1 there is no first convolution."),
    asked="For {} to {} channels and an expansion of {}",
    right="24 channels and an expansion of 6 make 8,208 weights, of which only 1,296 look at neighbours.",
)
def check_count_inverted_residual(channels, filters, expansion):
    """`count_inverted_residual(channels, filters, expansion)` is the number of convolution weights of the block."""
    wide = expansion * channels
    expand = channels * wide if expansion > 1 else 0
    depthwise, project = 9 * wide, wide * filters
    return expand + depthwise + project, {
        "Your 3 x 3 mixes all channels: depthwise means 9 weights per channel.": expand + 9 * wide**2 + project,
        "Your depthwise convolution works on the thin map: it comes after the expansion.": (
            expand + 9 * channels + project
        ),
        "You left out the projection: 1 x 1, from wide to filters.": expand + depthwise,
        "You left out the expansion: 1 x 1, from channels to wide.": depthwise + project,
        "You left out the depthwise convolution: 9 weights per wide channel.": expand + project,
        "Your projection ends with as many channels as the block began: it ends with filters.": (
            expand + depthwise + wide * channels
        ),
        "With an expansion of 1 there is no first convolution.": channels * wide + depthwise + project,
    }


@exercise(
    case(1),
    case(2),
    case(0, why="With phi = 0 nothing grows."),
    asked="For phi = {}",
    right="each step of phi costs 1.92 times the multiply-adds, nearly twice.",
)
def check_scale_up(phi):
    """`scale_up(phi)` gives the factors on depth, width, resolution and multiply-adds."""
    depth, width, resolution = 1.2**phi, 1.1**phi, 1.15**phi
    knobs = (depth, width, resolution)
    return (*knobs, depth * width**2 * resolution**2), {
        "Your multiply-adds count width and resolution once: both go in squared.": (*knobs, math.prod(knobs)),
        "Your multiply-adds count depth squared: depth goes in once.": (*knobs, math.prod(knobs) ** 2),
        "Your multiply-adds count width once: channels come in and go out, so it is squared.": (
            *knobs,
            depth * width * resolution**2,
        ),
        "Your multiply-adds count resolution once: a picture has two sides, so it is squared.": (
            *knobs,
            depth * width**2 * resolution,
        ),
        "You multiplied by phi: the factors are powers, 1.2 ** phi.": (
            *(1.2 * phi, 1.1 * phi, 1.15 * phi),
            1.2 * phi * (1.1 * phi) ** 2 * (1.15 * phi) ** 2,
        ),
        "You added the knobs: their costs multiply.": (*knobs, depth + width**2 + resolution**2),
    }


@exercise(
    case([(8, 8, 3), (8, 8, 16), (4, 4, 16), (2,)]),
    case([(4, 4, 3), (4, 4, 8), (4, 4, 64), (4, 4, 8), (4, 4, 32)]),
    case([(5,), (2,)], why="Two maps are a chain of one layer."),
    right="the widest place decides, not the sum of all.",
)
def check_peak_bytes(shapes):
    """`peak_bytes(shapes)` is the most bytes of two neighbouring maps."""
    numbers = [math.prod(shape) for shape in shapes]
    peak = max(before + after for before, after in pairwise(numbers))
    return 4 * peak, {
        "You added all maps: those that no later layer uses may be forgotten.": 4 * sum(numbers),
        "That is the largest map alone: its neighbour is in memory as well.": 4 * max(numbers),
        "You counted numbers: a float32 has 4 bytes.": peak,
        "You added the two largest maps: only neighbours are in memory together.": 4 * sum(sorted(numbers)[-2:]),
        "You took the first layer: look for the largest sum of neighbours.": 4 * sum(numbers[:2]),
        "You took the last layer: look for the largest sum of neighbours.": 4 * sum(numbers[-2:]),
    }


@exercise(
    case({"slow": 9.0, "good": 3.0, "small": 1.0}, {"slow": 70.0, "good": 75.0, "small": 71.0}),
    case({"a": 1.0, "b": 2.0, "c": 2.0, "d": 3.0}, {"a": 70.0, "b": 72.0, "c": 71.0, "d": 72.0}),
    case({"a": 1.0, "twin": 1.0}, {"a": 70.0, "twin": 70.0}, why="Equal networks do not beat each other."),
    right="what remains is cheaper than every network that is more accurate.",
)
def check_find_efficient(costs, accuracies):
    """`find_efficient(costs, accuracies)` names the networks that no other beats, in the order of `costs`."""

    def keep(beats):
        return [one for one in costs if not any(beats(other, one) for other in costs if other != one)]

    def no_worse(one, other):
        return costs[one] <= costs[other] and accuracies[one] >= accuracies[other]

    def beats(one, other):
        return no_worse(one, other) and (costs[one] < costs[other] or accuracies[one] > accuracies[other])

    best, cheapest = max(accuracies, key=accuracies.get), min(costs, key=costs.get)
    front = keep(beats)
    return front, {
        "Equal networks drop out of your list: a network is beaten only by one that is strictly better in something.": (
            keep(no_worse)
        ),
        "Your list has those that are beaten: asked are the others.": [one for one in costs if one not in front],
        "You asked for better in both: equal in one and better in the other beats as well.": keep(
            lambda one, other: costs[one] < costs[other] and accuracies[one] > accuracies[other]
        ),
        "That is the most accurate one alone: a cheaper one that is less accurate is not beaten.": [best],
        "That is the cheapest one alone: a more accurate one that costs more is not beaten.": [cheapest],
        "Keep the order of `costs`.": front[::-1],
    }
