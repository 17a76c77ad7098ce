"""Checks for notebook 08, training better."""

import math

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)

Array = np.ndarray

NEAR, FAR, PAIR = np.array([0.70, 0.72, 0.74]), np.array([0.80, 0.82, 0.84]), np.array([-1.0, 1.0])
MANY = np.array([-1.0, 1.0] * 8)  # sixteen values, mean 0


@exercise(
    case(NEAR, FAR),
    case(FAR, NEAR),
    case(PAIR, PAIR + 1.0),
    case(PAIR, PAIR + 2.0),
    case(MANY, MANY + 1.5),
    case(PAIR, PAIR + 2.4),
    right="a difference counts once it is more than twice its standard error; more seeds make that smaller.",
)
def check_is_believable(a, b):
    """`is_believable(values_a, values_b)` holds a difference against the spread over seeds."""
    difference = np.mean(b) - np.mean(a)
    variances = np.array([np.var(values, ddof=1) for values in (a, b)])
    error = np.sqrt(variances[0] / len(a) + variances[1] / len(b))
    small = np.sqrt(np.var(a) / len(a) + np.var(b) / len(b))
    signed, distance = difference > 2 * error, abs(difference)
    return distance > 2 * error, {
        "You do not believe 0.72 against 0.82 although the values spread by 0.02 only.": False,
        "You believe 0.72 against 0.82, but not 0.82 against 0.72: take the absolute difference of the means.": signed,
        "You believe -1, 1 against 0, 2: their means differ, but far less than their values do.": difference != 0,
        "You believe -1, 1 against 1, 3: the difference, 2, is not above twice its standard error, 1.41.": distance
        > error,
        "You do not believe a difference of 1.5 between the means of 16 values each, which spread by 1. Many values "
        "make a mean more certain: divide each variance by the number of its values.": (
            distance > 2 * np.sqrt(variances.sum())
        ),
        "Your standard error is too small for few values: divide by one less than there are, `ddof=1`.": distance
        > 2 * small,
    }


@exercise(
    case((3, 3, 16, 48)),  # height, width, channels in, filters
    case((64, 10), why="For a dense kernel, what comes in is the product of all lengths but the last."),
    asked="For a kernel of shape {}",
    right="the more an output adds up, the smaller each weight has to start.",
)
def check_he_deviation(shape):
    """`he_deviation(kernel_shape)` gives the deviation of He's initialisation."""
    *places, channels, filters = shape
    area = math.prod(places)

    def deviation(count):
        return math.sqrt(2 / count)

    return deviation(area * channels), {
        "That is the variance, 2 / 144: the deviation is its square root.": 2 / (area * channels),
        "That is right without ReLU. ReLU throws half of the signal away: 2 in place of 1.": deviation(
            2 * area * channels
        ),
        "You divided by what goes out, 3 * 3 * 48: He divides by what comes in.": deviation(area * filters),
        "You divided by the channels alone: an output adds up 3 * 3 places of 16 channels.": deviation(channels),
        "You divided by the places alone: an output adds up 3 * 3 places of 16 channels.": deviation(area),
        "That is Glorot's: it adds what goes out. He takes what comes in alone.": deviation(
            area * (channels + filters)
        ),
        "You divided by all weights of the layer: one output is fed by 3 * 3 * 16.": deviation(
            area * channels * filters
        ),
    }


MAPS = np.random.default_rng(5).normal(loc=3.0, size=(4, 2, 3, 5))  # four different lengths: no axis hides
BEFORE = np.random.default_rng(6).normal(size=5)


@exercise(
    case(BEFORE, MAPS, 0.9),
    case(BEFORE, MAPS, 0.5, why="Right for a momentum of 0.9, so use the argument, not a fixed number."),
    asked="For a momentum of {2}",
    right="0.9 of the old mean and 0.1 of the batch's: after many batches it has seen them all.",
)
def check_update_moving_mean(old, maps, momentum):
    """`update_moving_mean(moving_mean, maps, momentum)` moves a tenth of the way."""
    new = maps.mean(axis=(0, 1, 2))  # (n, h, w, c) -> (c,)
    return momentum * old + (1 - momentum) * new, {
        "You kept a mean for each place, expected one for each channel: average over axes 0, 1 and 2.": maps.mean(
            axis=0
        ),
        "You kept a mean for each picture: average over axis 0 as well.": maps.mean(axis=(1, 2)),
        "You swapped the parts: in Keras the momentum, 0.9, says how much of the old value stays. (PyTorch counts the "
        "other way round.)": (1 - momentum) * old + momentum * new,
        "That is the mean of this batch: the moving mean keeps most of the old one.": new,
        "The moving mean has not moved: add a share of the batch's mean.": old,
        "You added the whole of the batch's mean: its share is 1 - momentum, so they sum to 1.": momentum * old + new,
    }


KERNELS = [np.array([[1.0, -2.0], [3.0, 0.5]]), np.array([[-1.5], [2.0]])]


@exercise(
    case(KERNELS, 0.1),
    case(
        [*KERNELS, np.ones((3, 3, 2, 2))],
        0.01,
        why="Right for two kernels and 0.1, not for three and 0.01: use the arguments, not fixed numbers.",
    ),
    right="the loss grows with the square of every weight, so large ones cost most.",
)
def check_l2_penalty(kernels, strength):
    """`l2_penalty(kernels, strength)` is what Keras adds to the loss."""
    weights, squares = np.concatenate([kernel.ravel() for kernel in kernels]), [(kernel**2).sum() for kernel in kernels]
    total = sum(squares)
    return strength * total, {
        "You left the strength out: multiply the sum of squares by it.": total,
        "That is L1: it adds up absolute values.": strength * np.abs(weights).sum(),
        "Negative weights cancel positive ones: square each.": strength * weights.sum(),
        "Only the first kernel is in it: does `return` stand inside the loop?": strength * squares[0],
        "Only the last kernel is in it: add up, do not overwrite.": strength * squares[-1],
        "Half of it: some books write 1/2 in front. Keras does not.": strength * total / 2,
        "You took the root: that is the length of the weights. The penalty is its square.": strength * total**0.5,
        "That is a mean: the penalty is a sum, so every weight pays for itself.": strength * total / len(weights),
        "You averaged each kernel: the penalty is a sum.": strength * sum((kernel**2).mean() for kernel in kernels),
    }
