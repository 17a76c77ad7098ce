"""Checks for notebook 09, long runs."""

import math

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)


@exercise(
    case(1e-4, 1.0, 5),
    case(0.001, 0.1, 3),
    tolerance=1e-6,
    right="0.0001, 0.001, 0.01, 0.1, 1: each order of magnitude gets as many batches as the next.",
)
def check_growing_rates(low, high, steps):
    """`growing_rates(low, high, steps)` gives rates that grow by the same factor."""
    exponents = np.linspace(np.log10(low), np.log10(high), steps)
    factor = high / low
    return 10**exponents, {
        "You add the same amount each time: multiply by the same factor, or the small rates are over at once.": (
            np.linspace(low, high, steps)
        ),
        "Those are the powers of ten: raise 10 to them.": exponents,
        "Your last rate is too low: five rates have four factors between them.": (
            low * factor ** (np.arange(steps) / steps)
        ),
        "Your first rate is too high: begin with `low` itself.": low * factor ** (np.arange(1, steps + 1) / steps),
        "Your rates fall: begin with `low`.": 10 ** exponents[::-1],
    }


@exercise(
    case(1030, 100),
    case(1000, 100),
    case(5, 32, why="A short batch alone is a step."),
    asked="For {:,} pictures in batches of {}",
    right="1,030 pictures in batches of 100 are eleven steps; ten if they were 1,000.",
)
def check_count_steps(count, batch_size):
    """`count_steps(count, batch_size)` counts the batches of an epoch, the short one too."""
    full = count // batch_size
    return math.ceil(count / batch_size), {
        "10 steps are 1,000 pictures: the last 30 make a short batch, which is a step as well.": full,
        "There is no 0.3 of a step: the last 30 pictures make a short batch, one step.": count / batch_size,
        "One step for each picture: that is a batch size of 1.": count,
        "Where the division comes out even there is no short batch.": full + 1,
    }


@exercise(
    case(25, 100, 1.0),
    case(0, 100, 0.002),
    case(100, 100, 0.002, why="After the last step nothing is left."),
    case(20, 60, 0.002),
    asked="After {} of {} steps, from {}",
    tolerance=1e-6,
    right="the rate starts at `first`, is half of it half-way, and 0 at the end.",
)
def check_cosine_rate(step, steps, first):
    """`cosine_rate(step, steps, first)` is half a wave from `first` down to 0."""
    share = step / steps
    wave = math.cos(math.pi * share)
    return first * (1 + wave) / 2, {
        "That is a straight line: use the cosine of pi times the share of the steps.": first * (1 - share),
        "That is a quarter of a wave: pi times the share makes half of one.": first * math.cos(math.pi / 2 * share),
        "`np.cos` takes radians: half a turn is pi, not 180.": first * (1 + math.cos(180 * share)) / 2,
        "That begins at twice the first rate: 1 + 1 is 2, so halve it.": first * (1 + wave),
        "That comes back at the end: take half a turn, pi, not two pi.": first
        * (1 + math.cos(2 * math.pi * share))
        / 2,
        "That falls below 0, where the network would climb: add 1 to the cosine and halve the sum.": first * wave,
        "That rises: add the cosine, do not subtract it.": first * (1 - wave) / 2,
    }


def _stop(losses: list[float], patience: int) -> tuple[int, int]:
    best = 1
    for epoch, loss in enumerate(losses, start=1):
        if loss < losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return epoch, best
    return len(losses), best


LOSSES = [0.70, 0.60, 0.50, 0.55, 0.52, 0.51, 0.40]


@exercise(
    case(LOSSES, 3),
    case(LOSSES, 4, why="A new best comes in time."),
    case(
        [0.5, 0.6, 0.7, 0.4, 0.8, 0.9],
        3,
        why="A new best starts the waiting anew, and the data may end before the patience does.",
    ),
    case([0.5, 0.5, 0.5, 0.5], 2, why="In a level loss, as good is not better."),
    asked="For {} and patience {}",
    right="training stopped after epoch 6; the weights you want are those of epoch 3.",
)
def check_find_stop(losses, patience):
    """`find_stop(val_losses, patience)` gives the last and the best epoch, as EarlyStopping does."""
    last, best = _stop(losses, patience)
    lowest = losses.index(min(losses)) + 1
    return (last, best), {
        "Return two numbers: the epoch after which training stops, and the best epoch up to then.": last,
        "You returned a loss, expected two epochs: whole numbers.": (last, min(losses)),
        "Right epochs, wrong way round: first the epoch after which training stops, then the best one.": (best, last),
        "You count epochs from 0: the first one is epoch 1.": (last - 1, best - 1),
        "Your best epoch counts from 0, your last one from 1: the first epoch is 1.": (last, best - 1),
        "Your last epoch counts from 0, or your patience ends one epoch early: wait for 3 epochs.": (last - 1, best),
        "You stop at the first epoch that is no better: `patience` says how many of them to wait for.": _stop(
            losses, 1
        ),
        "You wait one epoch too long: the third epoch without a new best is the last.": (last + 1, best),
        "Epoch 7 is the best of all, but training never got there: look only up to the stop.": (last, lowest),
        "You never stop. Compare each epoch with the best so far, not with the one before it.": (len(losses), lowest),
    }


@exercise(
    case(0.01, 0.032),
    case(0.05, 0.032),
    case(0.2, 0.01, why="One value has no spread: two are the fewest."),
    asked="For a difference of {} and a deviation of {}",
    right="1 point needs 82 seeds on each side, 5 points need 4: a fifth of the difference, over 20 times the seeds.",
)
def check_seeds_needed(difference, deviation):
    """`seeds_needed(difference, deviation)` is how many seeds make a difference of two means believable."""
    ratio = deviation / difference
    exact = 8 * ratio**2
    return max(2, math.ceil(exact)), {
        "There is no part of a seed: round up.": exact,
        "You rounded down: with one seed fewer the difference is below twice its error.": math.floor(exact),
        "Both means stray: the two variances add up, so 2 * deviation**2.": math.ceil(4 * ratio**2),
        "You ask for a difference larger than its error: ask for more than twice the error.": math.ceil(2 * ratio**2),
        "The error falls with the square root of n: square the ratio of deviation and difference.": math.ceil(
            8 * ratio
        ),
        "Your ratio is upside down: a small difference needs many seeds.": math.ceil(8 / ratio**2),
        "That counts the seeds of both sides together: asked is how many each needs.": 2 * math.ceil(exact),
        "With one seed there is no deviation at all: two are the fewest.": math.ceil(exact),
    }
