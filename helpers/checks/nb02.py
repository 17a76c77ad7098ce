"""Checks for notebook 02, neurons to networks."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from helpers.checks._runner import Function, case, exercise, require

Array = np.ndarray
Network = dict[str, Array]


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _slope(z: Array) -> Array:
    return 1 - np.tanh(z) ** 2


@exercise(
    case(
        np.array([[1.0, 0.5, 2.0], [0.0, 1.0, -1.0], [0.5, 0.5, 0.5], [2.0, 0.0, 0.2]]), np.array([0.8, -1.5, 0.6]), 0.7
    ),
    right="a weighted sum, a bias, a sigmoid: that is a neuron, and a logistic regression.",
)
def check_fire(x, weights, bias):
    """`fire(x, weights, bias)` is a sigmoid neuron."""
    products = x * weights
    sums = x @ weights + bias  # (rows, inputs) -> (rows,)
    return _sigmoid(sums), {
        "Each input is multiplied by its weight, but not added up: x @ weights does both.": products,
        "You added up over the rows: each row of x keeps an answer of its own.": products.sum(axis=0),
        "That is the sum. Now pass it through the sigmoid, 1 / (1 + exp(-sum)).": sums,
        "The bias is missing: add it to the sum, before the sigmoid.": _sigmoid(sums - bias),
        "You subtract the bias: add it.": _sigmoid(sums - 2 * bias),
        "You add the bias after the sigmoid: it belongs to the sum.": _sigmoid(sums - bias) + bias,
        "A large sum gives a small answer: the exponent is minus the sum.": _sigmoid(-sums),
        "That is a step function, 0 or 1: the sigmoid is smooth.": sums > 0,
        "That is ReLU: this neuron has a sigmoid.": np.maximum(sums, 0),
        "That is tanh: this neuron has a sigmoid.": np.tanh(sums),
    }


@exercise(
    case(np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.15, 0.8], [0.6, 0.1, 0.3]]), np.array([0, 1, 2, 1])),
    case(np.array([[0.5, 0.5]]), np.array([1]), why="One row that says one half should cost ln 2."),
    right="a loss of 1.02 for these four rows; one half costs ln 2 = 0.69.",
)
def check_cross_entropy(probabilities, labels):
    """`cross_entropy(probabilities, labels)` is the mean loss of the right classes."""
    right_ones = probabilities[np.arange(len(labels)), labels]  # (rows, classes) -> (rows,)
    losses = -np.log(right_ones)
    loss = losses.mean()
    return loss, {
        "That is one loss for each row: take their mean, so that one number says how wrong all are.": losses,
        "probabilities[:, labels] takes four columns from every row. With np.arange(len(labels)) in front you take one "
        "value from each row.": probabilities[:, labels],
        "The sign is wrong: the logarithm of a probability is negative, the loss is minus that.": -loss,
        "That is the sum over the rows: take the mean, so that batches of any size compare.": losses.sum(),
        "You average over the classes as well: each row counts once, with its right class.": loss / 3,
        "You take the logarithm of the mean: first the logarithm of each row, then the mean.": -np.log(
            right_ones.mean()
        ),
        "That is the logarithm to base 2: np.log has base e.": loss / np.log(2),
        "That is the logarithm to base 10: np.log has base e.": loss / np.log(10),
        "That is each row's largest probability: take the right class's.": -np.log(probabilities.max(axis=1)).mean(),
        "You average over all classes, right or wrong: take the right one of each row.": -np.log(probabilities).mean(),
        "That is 1 minus the probability: cross-entropy takes minus its logarithm.": (1 - right_ones).mean(),
    }


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


@exercise(
    case(1000, 100, 1, why="How many batches are there?"),
    case(1000, 32, 3, why="How many batches are there in each epoch, the smaller one too?"),
    case(50, 64, 7, why="50 rows in batches of 64 still make one step in each epoch."),
    asked="For rows = {:,}, batch_size = {}, epochs = {}",
    right="32 steps an epoch for 1,000 rows in batches of 32: 31 full batches, and one of 8 rows.",
)
def check_count_steps(rows, batch_size, epochs):
    """`count_steps(rows, batch_size, epochs)` counts updates."""
    full, steps = rows // batch_size, -(-rows // batch_size)
    return epochs * steps, {
        "The last, smaller batch of each epoch is a step too: round up.": full * epochs,
        "That is one epoch: each further epoch takes as many steps again.": steps,
        "Round up in each epoch, not once at the end: each epoch ends with a smaller one.": -(
            -rows * epochs // batch_size
        ),
        "That is one epoch, without its last batch: round up, then times the number of epochs.": full,
        "A number of steps is whole, so round up the batches of an epoch.": rows * epochs / batch_size,
    }


def _differentiate(
    x: Array,
    labels: Array,
    network: Network,
    *,
    activation: Function = np.tanh,
    slope: Function = _slope,
    at_logits: Function = lambda probabilities, truth: (probabilities - truth) / len(truth),
) -> Network:
    """Return the gradients, with one thing at a time to be done wrongly."""
    sums = x @ network["weights_1"] + network["bias_1"]  # (rows, inputs) -> (rows, hidden)
    hidden = activation(sums)
    positive = np.exp(hidden @ network["weights_2"] + network["bias_2"])  # (rows, hidden) -> (rows, classes)
    probabilities = positive / positive.sum(axis=1, keepdims=True)
    delta = at_logits(probabilities, np.eye(probabilities.shape[1])[labels])
    at_sums = (delta @ network["weights_2"].T) * slope(sums)  # (rows, classes) -> (rows, hidden)
    return {
        "weights_1": x.T @ at_sums,
        "bias_1": at_sums.sum(axis=0),
        "weights_2": hidden.T @ delta,
        "bias_2": delta.sum(axis=0),
    }


def _view_gradients(differentiate: Function, x: Array, labels: Array, network: Network) -> Mapping[str, Any]:
    answer = differentiate(x, labels, network)
    require(isinstance(answer, Mapping), f"You returned a {type(answer).__name__}, expected a dictionary of gradients.")
    require(set(answer) == set(network), f"Your dictionary has {sorted(answer)}, expected the keys {sorted(network)}.")
    for name, value in network.items():
        shape = np.shape(answer[name])
        require(shape == value.shape, f"The gradient of {name} has shape {shape}, expected {value.shape}.")
    return {
        f"The gradient of {name} has the right shape, but not the right values. Going backwards it is the first "
        "that is off: what leads up to it?": answer[name]
        for name in ("bias_2", "weights_2", "bias_1", "weights_1")  # the order in which errors travel
    }


def _draw_two_layers() -> tuple[Array, Array, Network]:
    draw = np.random.default_rng(5).normal
    shapes = {"weights_1": (4, 5), "bias_1": (5,), "weights_2": (5, 3), "bias_2": (3,)}
    return draw(size=(6, 4)), np.array([2, 0, 1, 2, 1, 0]), {name: draw(size=shape) for name, shape in shapes.items()}


@exercise(
    case(*_draw_two_layers()),
    view=_view_gradients,
    tolerance=1e-6,
    right="four gradients, as a tape would give them, with one link of the chain exchanged.",
)
def check_backward_tanh(*given):
    """`backward_tanh(x, labels, network)` gives the gradients of two layers with tanh."""
    wrong_slopes = {
        "The slope is ReLU's: tanh has 1 - tanh(sum)**2.": lambda z: z > 0,
        "The slope takes the sums: 1 - tanh(sum)**2 takes the outputs of the hidden layer.": lambda z: 1 - z**2,
        "The slope is taken of the outputs, so tanh comes twice: 1 - hidden**2 is enough.": lambda z: _slope(
            np.tanh(z)
        ),
        "The slope is the sigmoid's: tanh has 1 - tanh(sum)**2.": lambda z: np.tanh(z) * (1 - np.tanh(z)),
        "The slope of tanh is missing on the way back: times 1 - hidden**2.": np.ones_like,
    }
    wrong_starts = {
        "All gradients are 6 times too large, for 6 rows: the loss is a mean, so divide by len(x).": lambda p, t: p - t,
        "The truth is missing: the slope at the logits is probabilities - truth.": lambda p, t: p / len(p),
        "All signs are turned: probabilities - truth, not truth - probabilities.": lambda p, t: (t - p) / len(p),
    }
    return _differentiate(*given), {
        **{message: _differentiate(*given, slope=slope) for message, slope in wrong_slopes.items()},
        **{message: _differentiate(*given, at_logits=start) for message, start in wrong_starts.items()},
        "The forward pass still uses ReLU: tanh belongs there, and its slope on the way back.": (
            _differentiate(*given, activation=lambda sums: np.maximum(sums, 0))
        ),
    }


def _build(num_inputs: int, units: list[int], *, hidden: str | None = "relu", last: str = "softmax") -> keras.Model:
    layers = [keras.layers.Dense(size, activation=hidden) for size in units[:-1]]
    return keras.Sequential([keras.Input((num_inputs,)), *layers, keras.layers.Dense(units[-1], activation=last)])


def _view_mlp(build: Function, *given: Any) -> Mapping[str, Any]:
    model = build(*given)
    require(isinstance(model, keras.Model), f"You returned a {type(model).__name__}, expected a keras.Model.")
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    *hidden, last = [layer.activation.__name__ for layer in layers] or [""]
    return {
        "Your model takes {}, expected {}: rows of `num_inputs` numbers.": model.input_shape,
        "Your model gives {}, expected {}: one unit for each class, in a last layer of its own.": model.output_shape,
        "Your dense layers have {} units, expected {}.": [layer.units for layer in layers],
        "Your hidden layers use {}, expected 'relu' in each of them.": hidden,
        "Your last layer uses {}, expected {}.": last,
        "Your model has {} parameters, expected {}: only dense layers.": model.count_params(),
    }


@exercise(
    case(6, (5, 4), 3),
    case(4, (), 2, why="Use the arguments, not fixed layers."),
    view=_view_mlp,
    right="74 parameters for 6 inputs, hidden layers of 5 and 4, and 3 classes.",
)
def check_build_mlp(num_inputs, hidden_units, num_classes):
    """`build_mlp(num_inputs, hidden_units, num_classes)` stacks dense layers."""
    units = [*hidden_units, num_classes]
    return partial(_build, num_inputs, units), {
        "Only the last hidden layer is connected: call each layer on what the one before gave, x = ...(x).": partial(
            _build, num_inputs, units[-2:]
        ),
        "The hidden layers are in the wrong order: as in the tuple, first to last.": partial(
            _build, num_inputs, [*hidden_units[::-1], num_classes]
        ),
        "A hidden layer has no activation: without one, all layers together are but one weighted sum.": partial(
            _build, num_inputs, units, hidden=None
        ),
        "Sigmoid units know nothing of each other: probabilities that sum to 1 need softmax.": partial(
            _build, num_inputs, units, last="sigmoid"
        ),
    }
