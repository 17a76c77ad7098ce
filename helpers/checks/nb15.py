"""Checks for notebook 15, predict and explain."""

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)

MAPS = np.random.default_rng(15).uniform(size=(2, 3, 4))  # (h, w, channels)
SLOPES = np.random.default_rng(16).normal(size=(2, 3, 4))


@exercise(
    case(np.array([0.6, 0.9]), np.array([0.5, 0.8]), np.array([10, 90]), why="Both bins are off by 0.1."),
    case(np.array([0.5, 0.7, 0.9]), np.array([0.7, 0.6, 0.9]), np.array([1, 1, 8])),
    case(np.array([0.5, 1.0]), np.array([1.0, 0.9]), np.array([0, 4]), why="A bin without pictures counts nothing."),
    asked="For {}, {}, {}",
    right="bins with more pictures count more, and too modest is as wrong as too sure.",
)
def check_calibration_error(confidence, accuracy, counts):
    """`calibration_error(confidence, accuracy, counts)` is the expected calibration error of bins."""
    gaps = accuracy - confidence
    error = float(np.average(np.abs(gaps), weights=counts))
    return error, {
        "Bins too modest and too sure cancel each other: take the distance, `np.abs`, of each.": float(
            np.average(gaps, weights=counts)
        ),
        "Take the distance of each bin first, then the mean: here they cancel.": abs(
            float(np.average(gaps, weights=counts))
        ),
        "Every bin counts as much as any other: weight by the number of pictures.": float(np.abs(gaps).mean()),
        "That is a sum: divide by the number of pictures.": float((np.abs(gaps) * counts).sum()),
        "Squared distances are another measure (Brier): take the distance.": float(np.average(gaps**2, weights=counts)),
    }


@exercise(
    case(np.array([[0.8, 0.2]]), 2.0),
    case(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), 0.5, why="Each row is a picture."),
    case(np.array([[0.8, 0.2]]), 1.0, why="At temperature 1 nothing changes."),
    right="each row still sums to 1, and the largest is still the largest.",
)
def check_scale_temperature(probabilities, temperature):
    """`scale_temperature(probabilities, temperature)` is softmax(scores / temperature)."""

    def scale(by, axis=1):
        powers = np.exp(np.log(probabilities) * by)
        return powers / powers.sum(axis=axis, keepdims=True)

    powers = np.exp(np.log(probabilities) / temperature)
    return scale(1 / temperature), {
        "Your rows do not sum to 1: divide each by its sum.": powers,
        "You multiplied by the temperature: divide, so that a high one makes probabilities more equal.": (
            scale(temperature)
        ),
        "You divided by the sum of all pictures: each row sums to 1, `axis=1, keepdims=True`.": powers / powers.sum(),
        "You divided by the sums of the columns: each row is a picture, `axis=1`.": scale(1 / temperature, axis=0),
        "You divided the probabilities, not their logarithms: the sum takes that out again.": probabilities,
    }


@exercise(
    case(np.array([0.9, 0.6, 0.7, 0.95, 0.8]), 0.8),
    case(np.linspace(0.5, 1.0, 101), 0.95, why="Of 101 pictures, 95.95 are 96: round up."),
    case(np.array([0.9, 0.6, 0.8, 0.7]), 1.0, why="To keep all, the threshold is the smallest."),
    asked="For {}, {}",
    right="so many pictures reach it, and one more step would be too many to lose.",
)
def check_choose_threshold(confidence, keep):
    """`choose_threshold(confidence, keep)` is the confidence that a share of the pictures reaches."""
    kept = int(np.ceil(keep * len(confidence)))
    falling = np.sort(confidence)[::-1]
    return float(falling[kept - 1]), {
        "You sorted from the least confident: the most confident are kept.": float(np.sort(confidence)[kept - 1]),
        "You did not sort.": float(confidence[kept - 1]),
        "You are one too far: the first is number 0.": float(falling[min(kept, len(falling) - 1)]),
        "A threshold is a confidence, not a share: look up the one in that place.": float(keep),
    }


@exercise(
    case(MAPS, SLOPES),
    case(MAPS, -np.abs(SLOPES), why="Where nothing speaks for the class, all is 0: do not divide by 0."),
    right="one weight per channel, and only what speaks for the class.",
)
def check_combine_maps(maps, slopes):
    """`combine_maps(maps, slopes)` is Grad-CAM from maps and gradients."""

    def finish(values):
        heat = np.maximum(values, 0)
        return heat / heat.max() if heat.max() > 0 else heat

    weights = slopes.mean(axis=(0, 1))
    total = (maps * weights).sum(axis=-1)
    return finish(total), {
        "What speaks against the class is still in it: set values below 0 to 0.": total / np.abs(total).max(),
        "You did not divide by the largest value.": np.maximum(total, 0),
        "You multiplied place by place: first average the slopes, one weight per channel.": (
            finish((maps * slopes).sum(axis=-1))
        ),
        "You took the distance from 0: what speaks against the class is to be 0.": finish(np.abs(total)),
        "The slopes are not in it: weigh the channels.": finish(maps.sum(axis=-1)),
        "You still have the channels: add them up, `axis=-1`.": finish(maps * weights),
    }
