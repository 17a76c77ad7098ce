"""Checks for notebook 03, back-propagation and optimizers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.checks._runner import Function, case, exercise, require

Array = np.ndarray


@exercise(
    case(lambda w: float(w[0] ** 3 + 2 * w[0] * w[1] - w[2] ** 2), np.array([0.5, -2.0, 1.5])),
    tolerance=1e-3,
    right="three slopes, measured without any formula. Keep it: it finds mistakes in formulas.",
)
def check_measure_gradient(loss, weights):
    """`measure_gradient(loss, weights)` nudges one weight at a time."""
    changes = 1e-5 * np.eye(len(weights))
    slopes = np.array([(loss(weights + change) - loss(weights - change)) / 2e-5 for change in changes])
    return slopes, {
        "That is one number: there is a slope for each weight.": slopes.sum(),
        "Twice too large: from down to up is two nudges, so divide by 2 * nudge.": 2 * slopes,
        "Half of what it should be: divide by 2 * nudge once.": slopes / 2,
        "The sign is wrong: loss with the weight up, minus loss with it down.": -slopes,
        "You nudge all weights at once: nudge one, and leave the others.": np.full(3, slopes.sum()),
        "Not divided by the nudges: a slope is the change of the loss for each unit of the weight.": 2e-5 * slopes,
        "Every slope is 0: is the nudge lost? In an array of whole numbers, or on a copy the loss never sees?": 0
        * slopes,
    }


NAMES = ("weights_1", "bias_1", "weights_2", "bias_2")


def _draw_pass(activation: Function) -> tuple[Array, Array, Array, Array, Array]:
    """Rows of inputs, and what the forward pass of a small network makes of them, with the truth as one-hot rows."""
    draw = np.random.default_rng(5).normal
    x, weights_1, weights_2 = draw(size=(6, 4)), draw(size=(4, 5)), draw(size=(5, 3))
    hidden = activation(x @ weights_1 + draw(size=5))  # (rows, inputs) -> (rows, hidden)
    positive = np.exp(hidden @ weights_2 + draw(size=3))  # (rows, hidden) -> (rows, classes)
    return x, hidden, positive / positive.sum(axis=1, keepdims=True), np.eye(3)[[2, 0, 1, 2, 1, 0]], weights_2


def _differentiate(
    x: Array,
    hidden: Array,
    probabilities: Array,
    truth: Array,
    weights_2: Array,
    *,
    slope: Function,
    start: Function = lambda probabilities, truth: (probabilities - truth) / len(truth),
) -> dict[str, Array]:
    """Return the gradients, with one thing at a time to be done wrongly."""
    at_logits = start(probabilities, truth)
    at_sums = (at_logits @ weights_2.T) * slope(hidden)  # (rows, classes) -> (rows, hidden)
    gradients = x.T @ at_sums, at_sums.sum(axis=0), hidden.T @ at_logits, at_logits.sum(axis=0)
    return dict(zip(NAMES, gradients, strict=True))


WRONG_STARTS = {
    "All gradients are 6 times too large, for 6 rows: the loss is a mean, so divide by len(x).": lambda p, t: p - t,
    "The truth is missing: the slope at the logits is probabilities - truth.": lambda p, t: p / len(p),
    "All signs are turned: probabilities - truth, not truth - probabilities.": lambda p, t: (t - p) / len(p),
}


def _view_gradients(differentiate: Function, *given: Array) -> Mapping[str, Any]:
    answer = differentiate(*given)
    require(isinstance(answer, Mapping), f"You returned a {type(answer).__name__}, expected a dictionary of gradients.")
    require(set(answer) == set(NAMES), f"Your dictionary has {sorted(answer)}, expected the keys {sorted(NAMES)}.")
    x, hidden, _, truth, weights_2 = given
    shapes = {"weights_1": (x.shape[1], hidden.shape[1]), "bias_1": hidden.shape[1:]}
    for name, shape in {**shapes, "weights_2": weights_2.shape, "bias_2": truth.shape[1:]}.items():
        found = np.shape(answer[name])
        require(found == shape, f"The gradient of {name} has shape {found}, expected {shape}.")
    return {
        f"The gradient of {name} has the right shape, but not the right values. Going backwards it is the first "
        "that is off: what leads up to it?": answer[name]
        for name in ("bias_2", "weights_2", "bias_1", "weights_1")  # the order in which errors travel
    }


@exercise(
    case(*_draw_pass(lambda sums: np.maximum(sums, 0))),
    view=_view_gradients,
    tolerance=1e-6,
    right="four lines, four gradients: that is back-propagation.",
)
def check_backward_relu(*given):
    """`backward_relu(x, hidden, probabilities, truth, weights_2)` gives the gradients of two layers with ReLU."""
    wrong_slopes = {
        "ReLU is missing on the way back: multiply by (hidden > 0), which is 1 where it let through.": np.ones_like,
        "You multiply by the hidden outputs: ReLU's slope is 1 or 0, (hidden > 0).": lambda hidden: hidden,
        "You let through what ReLU blocked: (hidden > 0), not the other way.": lambda hidden: hidden <= 0,
    }

    def slope(hidden: Array) -> Array:
        return hidden > 0

    return _differentiate(*given, slope=slope), {
        **{message: _differentiate(*given, slope=wrong) for message, wrong in wrong_slopes.items()},
        **{message: _differentiate(*given, slope=slope, start=start) for message, start in WRONG_STARTS.items()},
    }


@exercise(
    case(*_draw_pass(np.tanh)),
    view=_view_gradients,
    tolerance=1e-6,
    right="four gradients, as a tape would give them, with one link of the chain exchanged.",
)
def check_backward_tanh(*given):
    """`backward_tanh(x, hidden, probabilities, truth, weights_2)` gives the gradients of two layers with tanh."""
    wrong_slopes = {
        "The slope is ReLU's: tanh has 1 - hidden**2.": lambda hidden: hidden > 0,
        "tanh comes twice: `hidden` holds tanh of the sums already, so 1 - hidden**2 is enough.": lambda hidden: (
            1 - np.tanh(hidden) ** 2
        ),
        "The slope is the sigmoid's: tanh has 1 - hidden**2.": lambda hidden: hidden * (1 - hidden),
        "The square is missing: 1 - hidden**2.": lambda hidden: 1 - hidden,
        "The slope of tanh is missing on the way back: times 1 - hidden**2.": np.ones_like,
    }

    def slope(hidden: Array) -> Array:
        return 1 - hidden**2

    return _differentiate(*given, slope=slope), {
        **{message: _differentiate(*given, slope=wrong) for message, wrong in wrong_slopes.items()},
        **{message: _differentiate(*given, slope=slope, start=start) for message, start in WRONG_STARTS.items()},
    }


def _average(values: list[float], keep: float, *, corrected: bool = True, swapped: bool = False) -> list[float]:
    average, averages = 0.0, []
    old, new = (1 - keep, keep) if swapped else (keep, 1 - keep)
    for count, value in enumerate(values, start=1):
        average = old * average + new * value
        averages.append(average / (1 - old**count) if corrected else average)
    return averages


@exercise(
    case([5.0, 5.0, 5.0], 0.9, why="The average of fives is 5, from the first value on."),
    case([1.0, 3.0, -2.0, 4.0], 0.5),
    case([2.0, 8.0], 0.75),
    asked="For {} and keep = {}",
    right="fives stay 5 from the first value on: that is what Adam's correction is for.",
)
def check_exponential_average(values, keep):
    """`exponential_average(values, keep)` gives the corrected exponential moving average after each value."""
    raw = _average(values, keep, corrected=False)
    return _average(values, keep), {
        "The correction is missing: the average starts at 0 and is too small at first. Divide by 1 - keep**count.": raw,
        "You divide by 1 - keep every time: by 1 - keep**count, where count is 1, 2, 3, ...": [
            one / (1 - keep) for one in raw
        ],
        "keep belongs to the old average, 1 - keep to the new value.": _average(values, keep, swapped=True),
        "You return the last average only: a list with one for each value.": _average(values, keep)[-1],
        "That is the plain mean so far: an exponential average forgets old values.": [
            sum(values[:count]) / count for count in range(1, len(values) + 1)
        ],
    }
