"""Checks for notebook 05, training better."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray


def check_is_believable(is_believable: Callable[[Array, Array], bool]) -> None:
    """Check exercise 1: `is_believable(values_a, values_b)` holds a difference against the spread over seeds."""
    spread = np.array([-1.0, 1.0] * 8)  # sixteen values, mean 0
    near, far = np.array([0.70, 0.72, 0.74]), np.array([0.80, 0.82, 0.84])
    answer = call(is_believable, near, far)
    require(
        isinstance(answer, bool | np.bool_),
        f"Your answer is a {type(answer).__name__}, expected True or False: compare, and return the result.",
    )
    require(bool(answer), "You do not believe 0.72 against 0.82 although the values spread by 0.02 only.")
    require(
        bool(call(is_believable, far, near)),
        "You believe 0.72 against 0.82, but not 0.82 against 0.72: take the absolute difference of the means.",
    )
    pair = np.array([-1.0, 1.0])
    require(
        not call(is_believable, pair, pair + 1.0),
        "You believe -1, 1 against 0, 2: their means differ, but far less than their values do.",
    )
    require(
        not call(is_believable, pair, pair + 2.0),
        "You believe -1, 1 against 1, 3: the difference, 2, has to be more than twice its standard error, 1.41.",
    )
    require(
        bool(call(is_believable, spread, spread + 1.5)),
        "You do not believe a difference of 1.5 between the means of 16 values each, which spread by 1. Many values "
        "make a mean more certain: divide each variance by the number of its values.",
    )
    require(
        not call(is_believable, pair, pair + 2.4),
        "Your standard error is too small for a few values: divide by one less than their number, `ddof=1`.",
    )
    passed("a difference counts once it is more than twice its standard error; more seeds make that smaller.")


def check_he_deviation(he_deviation: Callable[[Sequence[int]], float]) -> None:
    """Check exercise 2: `he_deviation(kernel_shape)` gives the deviation of He's initialisation."""
    shape = (3, 3, 16, 48)  # height, width, channels in, filters
    answer = _number(call(he_deviation, shape), "he_deviation")
    mistakes = {
        2 / 144: "That is the variance, 2 / 144: the deviation is its square root.",
        (1 / 144) ** 0.5: "That is right without ReLU. ReLU throws half of the signal away: 2 in place of 1.",
        (2 / 432) ** 0.5: "You divided by what goes out, 3 * 3 * 48: He divides by what comes in.",
        (2 / 16) ** 0.5: "You divided by the channels alone: an output adds up 3 * 3 places of 16 channels.",
        (2 / 9) ** 0.5: "You divided by the places alone: an output adds up 3 * 3 places of 16 channels.",
        (2 / 576) ** 0.5: "That is Glorot's: it adds what comes in and what goes out. He takes what comes in.",
        (2 / 6912) ** 0.5: "You divided by all weights of the layer: one output is fed by 3 * 3 * 16 of them.",
    }
    for wrong, message in mistakes.items():
        require(not np.isclose(answer, wrong), message)
    right = (2 / 144) ** 0.5
    require(np.isclose(answer, right), f"Your deviation is {answer:.4g}, expected {right:.4g} for {shape}.")
    dense = _number(call(he_deviation, (64, 10)), "he_deviation")
    require(
        np.isclose(dense, (2 / 64) ** 0.5),
        f"Right for a convolution, but {dense:.4g} for a dense kernel of shape (64, 10), expected "
        f"{(2 / 64) ** 0.5:.4g}: what comes in is the product of all lengths but the last.",
    )
    passed("the more an output adds up, the smaller each weight has to start.")


def check_update_moving_mean(update_moving_mean: Callable[[Array, Array, float], Array]) -> None:
    """Check exercise 3: `update_moving_mean(moving_mean, maps, momentum)` moves a tenth of the way."""
    rng = np.random.default_rng(5)
    maps = rng.normal(loc=3.0, size=(4, 2, 3, 5))  # four different lengths: no axis hides
    before = rng.normal(size=5)
    answer = np.asarray(call(update_moving_mean, before.copy(), maps.copy(), 0.9))
    require(
        answer.shape != (2, 3, 5),
        "You kept a mean for each place: batch normalisation has one a channel. Average over axes 0, 1 and 2.",
    )
    require(answer.shape != (4, 5), "You kept a mean for each picture: average over axis 0 as well.")
    answer = require_array(answer, shape=(5,), name="The moving mean")
    mean = maps.mean(axis=(0, 1, 2))
    require(
        not np.allclose(answer, 0.1 * before + 0.9 * mean),
        "You swapped the parts: in Keras the momentum, 0.9, says how much of the old value stays. "
        "(PyTorch counts the other way round.)",
    )
    require(not np.allclose(answer, mean), "That is the mean of this batch: the moving mean keeps most of the old one.")
    require(not np.allclose(answer, before), "The moving mean has not moved: add a share of the batch's mean.")
    require(
        not np.allclose(answer, 0.9 * before + mean),
        "You added the whole of the batch's mean: its share is 1 - momentum, so that the shares sum to 1.",
    )
    require(np.allclose(answer, 0.9 * before + 0.1 * mean), "The shape is right, the values are not.")
    require(
        np.allclose(call(update_moving_mean, before.copy(), maps.copy(), 0.5), (before + mean) / 2),
        "Right for a momentum of 0.9, but not for 0.5: use the argument, not a fixed number.",
    )
    passed("0.9 of the old mean and 0.1 of the batch's: after many batches it has seen them all.")


def check_l2_penalty(l2_penalty: Callable[[list[Array], float], float]) -> None:
    """Check exercise 4: `l2_penalty(kernels, strength)` is what Keras adds to the loss."""
    kernels = [np.array([[1.0, -2.0], [3.0, 0.5]]), np.array([[-1.5], [2.0]])]
    answer = _number(call(l2_penalty, kernels, 0.1), "l2_penalty")
    squares = [float((kernel**2).sum()) for kernel in kernels]  # 14.25 and 6.25
    total = sum(squares)
    mistakes = {
        total: "You left the strength out: multiply the sum of squares by it.",
        0.1 * sum(float(np.abs(kernel).sum()) for kernel in kernels): "That is L1: it adds up absolute values.",
        0.1
        * abs(sum(float(kernel.sum()) for kernel in kernels)): "Negative weights cancel positive ones: square each.",
        0.1 * squares[0]: "Only the first kernel is in it: does `return` stand inside the loop?",
        0.1 * squares[1]: "Only the last kernel is in it: add up, do not overwrite.",
        0.05 * total: "Half of it: some books write 1/2 in front. Keras does not.",
        0.1 * total**0.5: "You took the root: that is the length of the weights. The penalty is its square.",
        0.1 * total / 6: "That is a mean: the penalty is a sum, so every weight pays for itself.",
        0.1 * sum(np.mean(kernel**2) for kernel in kernels): "You averaged each kernel: the penalty is a sum.",
    }
    for wrong, message in mistakes.items():
        require(not np.isclose(answer, wrong), message)
    right = 0.1 * total
    require(np.isclose(answer, right), f"Your penalty is {answer:.4g}, expected {right:.4g}.")
    three = call(l2_penalty, [*kernels, np.ones((3, 3, 2, 2))], 0.01)
    require(
        np.isclose(three, 0.01 * (total + 36)),
        f"Right for two kernels and 0.1, but {three} for three and 0.01, expected {0.01 * (total + 36):.4g}: "
        "use the arguments, not fixed numbers.",
    )
    passed("the loss grows with the square of every weight, so large ones are the dearest.")


def check_count_steps(count_steps: Callable[[int, int], int]) -> None:
    """Check exercise 5: `count_steps(count, batch_size)` counts the batches of an epoch, the short one too."""
    answer = _number(call(count_steps, 1030, 100), "count_steps")
    require(answer != 10, "10 steps are 1,000 pictures: the last 30 make a short batch, which is a step as well.")
    require(answer != 10.3, "There is no 0.3 of a step: the last 30 pictures make a short batch, one step.")
    require(answer != 1030, "One step a picture: that is a batch size of 1.")
    require(answer == 11, f"You counted {answer:g} steps for 1,030 pictures in batches of 100, expected 11.")
    exact = call(count_steps, 1000, 100)
    require(
        exact != 11,
        "11 steps for 1,000 pictures in batches of 100: where the division comes out even there is no short batch.",
    )
    require(exact == 10, f"You counted {exact} steps for 1,000 pictures in batches of 100, expected 10.")
    few = call(count_steps, 5, 32)
    require(few == 1, f"You counted {few} steps for 5 pictures in batches of 32, expected 1: a short batch alone.")
    passed("1,030 pictures in batches of 100 are eleven steps; ten if they were 1,000.")


def check_find_stop(find_stop: Callable[[list[float], int], tuple[int, int]]) -> None:
    """Check exercise 6: `find_stop(val_losses, patience)` gives the last and the best epoch, as EarlyStopping does."""
    losses = [0.70, 0.60, 0.50, 0.55, 0.52, 0.51, 0.40]
    answer = _two_epochs(call(find_stop, losses, 3))
    mistakes = {
        (3, 6): "Right epochs, wrong way round: first the epoch after which training stops, then the best one.",
        (5, 2): "You count epochs from 0: the first one is epoch 1.",
        (6, 2): "Your best epoch counts from 0, your last one from 1: the first epoch is 1.",
        (5, 3): "Your last epoch counts from 0, or your patience ends one epoch early: wait for 3 epochs.",
        (4, 3): "You stop at the first epoch that is no better: `patience` says how many of them to wait for.",
        (7, 3): "You wait one epoch too long: with patience 3, the third epoch without a new best is the last.",
        (6, 7): "Epoch 7 is the best of all, but training never got there: look at the epochs up to the stop only.",
        (7, 7): "You never stop. Compare each epoch with the best so far, not with the one before it.",
    }
    require(answer not in mistakes, mistakes.get(answer, ""))
    require(answer == (6, 3), f"You returned {answer}, expected (6, 3) for {losses} and patience 3.")
    never = _two_epochs(call(find_stop, losses, 4))
    require(never == (7, 7), f"You returned {never}, expected (7, 7) with patience 4: a new best comes in time.")
    waiting = _two_epochs(call(find_stop, [0.5, 0.6, 0.7, 0.4, 0.8, 0.9], 3))
    require(
        waiting == (6, 4),
        f"You returned {waiting}, expected (6, 4) for 0.5, 0.6, 0.7, 0.4, 0.8, 0.9 and patience 3: a new best starts "
        "the waiting anew, and the data may end before the patience does.",
    )
    level = _two_epochs(call(find_stop, [0.5, 0.5, 0.5, 0.5], 2))
    require(level == (3, 1), f"You returned {level}, expected (3, 1) for a level loss: as good is not better.")
    passed("training stopped after epoch 6; the weights you want are those of epoch 3.")


def _number(answer: Any, name: str) -> float:
    """Return the learner's answer if it is one number."""
    is_number = isinstance(answer, int | float | np.number) or (isinstance(answer, Array) and answer.ndim == 0)
    require(
        is_number and not isinstance(answer, bool),
        f"{name} gave a {type(answer).__name__}, expected one number.",
    )
    return float(answer)


def _two_epochs(answer: Any) -> tuple[int, int]:
    """Return the learner's answer if it is a pair of whole numbers."""
    require(
        isinstance(answer, tuple | list) and len(answer) == 2,
        "Return two numbers: the epoch after which training stops, and the best epoch up to then.",
    )
    require(
        all(isinstance(epoch, int | np.integer) for epoch in answer),
        f"You returned {answer}, expected two epochs: whole numbers, not losses.",
    )
    return int(answer[0]), int(answer[1])
