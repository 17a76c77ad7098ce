"""Checks for notebook 10, augmentation."""

import math

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)

PICTURES = np.random.default_rng(10).uniform(0, 255, size=(2, 3, 4, 3))  # (b, h, w, c): height and width differ
LABELS = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


@exercise(
    case(PICTURES),
    right="left and right are exchanged along the width, axis 2 of a batch.",
)
def check_flip_horizontally(pictures):
    """`flip_horizontally(pictures)` gives the mirror image of every picture of a batch."""
    return pictures[:, :, ::-1], {
        "You turned the rows round: that is a vertical flip. Left and right lie along the width, axis 2.": (
            pictures[:, ::-1]
        ),
        "You reversed the order of the pictures: axis 0 is the batch. Left and right lie along axis 2.": pictures[::-1],
        "You exchanged red and blue: the last axis is the channel. Left and right lie along axis 2.": (
            pictures[..., ::-1]
        ),
        "You turned rows and columns round: that is half a turn. Turn only the width, axis 2.": (
            pictures[:, ::-1, ::-1]
        ),
        "The pictures are as they were: turn axis 2 round.": pictures,
        "Height and width are exchanged: that is a transposition. Turn axis 2 round.": np.swapaxes(pictures, 1, 2),
    }


@exercise(
    case([0.5, 0.5, 0.5]),
    case([0.9]),
    case([0.2, 0.5]),
    case([], why="With no transform, every picture stays as it is."),
    case([0.3, 1.0, 0.1], why="A transform with p=1 leaves no picture as it was."),
    asked="For p = {}",
    right="one in eight for three coins; the chances to be left out multiply.",
)
def check_share_unchanged(probabilities):
    """`share_unchanged(probabilities)` is the share of pictures that a Compose leaves as they are."""
    left_out = [1 - p for p in probabilities]
    unchanged = math.prod(left_out)
    return unchanged, {
        "That is the chance that all are applied: multiply those to be left out, 1 - p.": math.prod(probabilities),
        "That is the share that is changed: asked is the share that is not.": 1 - unchanged,
        "You added: independent chances multiply.": 1 - sum(probabilities),
        "That is a mean: independent chances multiply.": sum(left_out) / max(len(left_out), 1),
    }


@exercise(
    case([0.70, 0.72, 0.68, 0.74], [0.75, 0.73, 0.72, 0.76]),
    case([0.5, 0.9], [0.6, 0.8], why="A gain may be 0, and its error large."),
    asked="For {} and {}",
    right="3 points, with a standard error of 0.9: more than twice the error, so believe it.",
)
def check_gain_and_error(plain, augmented):
    """`gain_and_error(plain, augmented)` is the mean paired difference and its standard error."""
    gains = np.array(augmented) - np.array(plain)
    gain, count = float(gains.mean()), len(gains)
    deviation = float(gains.std(ddof=1))
    apart = math.sqrt((np.var(plain, ddof=1) + np.var(augmented, ddof=1)) / count)
    error = deviation / math.sqrt(count)
    return (gain, error), {
        "Your gain has the wrong sign: augmented minus plain.": (-gain, error),
        "That is the standard deviation of one difference: divide by the square root of their number.": (
            gain,
            deviation,
        ),
        "You divide by the number of pairs: divide by its square root.": (gain, deviation / count),
        "Your standard deviation has ddof=0: with so few values use ddof=1.": (
            gain,
            float(gains.std()) / math.sqrt(count),
        ),
        "You took the two lists apart: first the difference of each pair, then its standard deviation.": (gain, apart),
    }


@exercise(
    case(np.arange(36.0).reshape(3, 2, 2, 3), LABELS, 0.7),
    case(np.arange(36.0).reshape(3, 2, 2, 3), LABELS, 1.0, why="With a share of 1 nothing is mixed in."),
    right="pictures and labels are mixed in one proportion: 70 % of the first, 30 % of its partner.",
)
def check_mix_up(pictures, labels, share):
    """`mix_up(pictures, labels, share)` mixes pictures and one-hot labels with those at the mirrored position."""

    def mix(values, part):
        return part * values + (1 - part) * values[::-1]

    return (mix(pictures, share), mix(labels, share)), {
        "Your labels are as they were: a picture that is 70 % cat has 0.7 for cat.": (mix(pictures, share), labels),
        "Your pictures are as they were: mix them as the labels.": (pictures, mix(labels, share)),
        "You took share of the partner: share is the part of the picture itself.": (
            mix(pictures, 1 - share),
            mix(labels, 1 - share),
        ),
        "You added both in full: the parts are share and 1 - share, so that they make 1.": (
            share * pictures + pictures[::-1],
            share * labels + labels[::-1],
        ),
        "Your partner is the picture itself, mirrored: reverse the first axis, the batch.": (
            share * pictures + (1 - share) * pictures[:, :, ::-1],
            mix(labels, share),
        ),
    }
