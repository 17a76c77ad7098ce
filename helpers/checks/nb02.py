"""Checks for notebook 02, neurons to networks."""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray
Network = dict[str, Array]


def check_fire(fire: Callable[[Array, Array, float], Array]) -> None:
    """Check exercise 1: `fire(x, weights, bias)` is a sigmoid neuron."""
    x = np.array([[1.0, 0.5, 2.0], [0.0, 1.0, -1.0], [0.5, 0.5, 0.5], [2.0, 0.0, 0.2]])
    weights, bias = np.array([0.8, -1.5, 0.6]), 0.7
    answer = np.asarray(call(fire, x, weights, bias))
    require(answer.shape != x.shape, "Each input is multiplied by its weight, but not added up: x @ weights does both.")
    require(answer.shape != (3,), "You added up over the rows: each row of x keeps an answer of its own.")
    answer = require_array(answer, shape=(4,), name="The answer")
    sums = x @ weights + bias
    _require_none_of(
        answer,
        {
            "That is the sum. Now pass it through the sigmoid, 1 / (1 + exp(-sum)).": sums,
            "The bias is missing: add it to the sum, before the sigmoid.": _sigmoid(x @ weights),
            "You subtract the bias: add it.": _sigmoid(x @ weights - bias),
            "You add the bias after the sigmoid: it belongs to the sum.": _sigmoid(x @ weights) + bias,
            "A large sum gives a small answer: the exponent is minus the sum.": _sigmoid(-sums),
            "That is a step function, 0 or 1: the sigmoid is smooth.": (sums > 0).astype(float),
            "That is ReLU: this neuron has a sigmoid.": np.maximum(sums, 0),
            "That is tanh: this neuron has a sigmoid.": np.tanh(sums),
        },
    )
    _require_close(answer, _sigmoid(sums), name="The answer")
    passed("a weighted sum, a bias, a sigmoid: that is a neuron, and a logistic regression.")


def check_cross_entropy(cross_entropy: Callable[[Array, Array], float]) -> None:
    """Check exercise 2: `cross_entropy(probabilities, labels)` is the mean loss of the right classes."""
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.15, 0.8], [0.6, 0.1, 0.3]])
    labels = np.array([0, 1, 2, 1])
    answer = np.asarray(call(cross_entropy, probabilities, labels))
    right_ones = probabilities[np.arange(4), labels]
    right = -np.log(right_ones).mean()
    require(
        answer.shape != (4,),
        "That is one loss for each row: take their mean, so that one number says how wrong all are.",
    )
    require(
        answer.shape != (4, 4),
        "probabilities[:, labels] takes four columns from every row. With np.arange(len(labels)) in front you take "
        "one value from each row.",
    )
    answer = require_array(answer, shape=(), name="The loss")
    _require_none_of(
        answer,
        {
            "The sign is wrong: the logarithm of a probability is negative, the loss is minus that.": np.asarray(
                -right
            ),
            "That is the sum over the rows: take the mean, so that batches of any size compare.": np.asarray(4 * right),
            "You average over the classes as well: each row counts once, with its right class.": np.asarray(right / 3),
            "You take the logarithm of the mean: first the logarithm of each row, then the mean.": np.asarray(
                -np.log(right_ones.mean())
            ),
            "That is the logarithm to base 2: np.log has base e.": np.asarray(right / np.log(2)),
            "That is the logarithm to base 10: np.log has base e.": np.asarray(right / np.log(10)),
            "That is the largest probability of each row: take that of the right class.": np.asarray(
                -np.log(probabilities.max(axis=1)).mean()
            ),
            "You average over all classes, right or wrong: take the right one of each row.": np.asarray(
                -np.log(probabilities).mean()
            ),
            "That is 1 minus the probability: cross-entropy takes minus its logarithm.": np.asarray(
                (1 - right_ones).mean()
            ),
        },
    )
    _require_close(answer, np.asarray(right), name="The loss")
    two = call(cross_entropy, np.array([[0.5, 0.5]]), np.array([1]))
    require(bool(np.isclose(two, np.log(2))), f"One row that says one half should cost ln 2 = 0.693, yours is {two}.")
    passed(f"a loss of {float(answer):.2f} for these four rows; one half costs ln 2 = 0.69.")


def check_measure_gradient(measure_gradient: Callable[[Callable[[Array], float], Array], Array]) -> None:
    """Check exercise 3: `measure_gradient(loss, weights)` nudges one weight at a time."""
    weights = np.array([0.5, -2.0, 1.5])
    given = weights.copy()

    def loss(w: Array) -> float:
        return float(w[0] ** 3 + 2 * w[0] * w[1] - w[2] ** 2)

    right = np.array([3 * 0.25 + 2 * -2.0, 2 * 0.5, -2 * 1.5])
    answer = np.asarray(call(measure_gradient, loss, weights))
    require(
        np.array_equal(weights, given),
        "Your function leaves the weights changed: nudge a copy, or each slope is measured at another place.",
    )
    require(answer.shape != (), "That is one number: there is a slope for each weight.")
    answer = require_array(answer, shape=(3,), name="The gradient")
    _require_none_of(
        answer,
        {
            "Twice too large: from down to up is two nudges, so divide by 2 * nudge.": 2 * right,
            "Half of what it should be: divide by 2 * nudge once.": right / 2,
            "The sign is wrong: loss with the weight up, minus loss with it down.": -right,
            "You nudge all weights at once: nudge one, and leave the others.": np.full(3, right.sum()),
            "Not divided by the nudges: a slope is the change of the loss for each unit of the weight.": right * 2e-5,
        },
        tolerance=1e-3,
        relative=1e-3,
    )
    require(
        not (np.abs(answer) < 1e-12).all(),
        "Every slope is 0: is the nudge lost? In an array of whole numbers, or on a copy the loss never sees?",
    )
    _require_close(answer, right, name="The gradient", tolerance=1e-3)
    passed("three slopes, measured without any formula. Keep it: it finds mistakes in formulas.")


def check_count_steps(count_steps: Callable[[int, int, int], int]) -> None:
    """Check exercise 4: `count_steps(rows, batch_size, epochs)` counts updates."""
    answer = call(count_steps, 1000, 100, 1)
    require(
        isinstance(answer, int | float | np.number) and not isinstance(answer, bool),
        f"Your answer is a {type(answer).__name__}, expected a whole number.",
    )
    require(
        answer == 10,
        f"1,000 rows in batches of 100 make one epoch of 10 steps, yours is {answer:g}: how many batches are there?",
    )
    answer = call(count_steps, 1000, 32, 3)
    counted = f"For 1,000 rows in batches of 32, 3 epochs, you count {answer:g}"
    for mistaken, message in {
        93: "the last, smaller batch of each epoch is a step too: round up.",
        32: "that is one epoch: each further epoch takes as many steps again.",
        94: "round up in each epoch, not once at the end: every epoch ends with a smaller batch.",
        31: "that is one epoch, without its last batch: round up, then times the number of epochs.",
    }.items():
        require(answer != mistaken, f"{counted}: {message}")
    require(answer == int(answer), f"{counted}: a number of steps is whole, so round up the batches of an epoch.")
    require(answer == 96, f"{counted}, expected 32 steps in each epoch.")
    require(call(count_steps, 50, 64, 7) == 7, "50 rows in batches of 64 still make one step in each epoch.")
    passed("32 steps an epoch for 1,000 rows in batches of 32: 31 full batches, and one of 8 rows.")


def check_backward_tanh(backward_tanh: Callable[[Array, Array, Network], Network]) -> None:
    """Check exercise 5: `backward_tanh(x, labels, network)` gives the gradients of two layers with tanh."""
    generator = np.random.default_rng(5)
    x, labels = generator.normal(size=(6, 4)), np.array([2, 0, 1, 2, 1, 0])
    shapes = {"weights_1": (4, 5), "bias_1": (5,), "weights_2": (5, 3), "bias_2": (3,)}
    network = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    given = {name: value.copy() for name, value in network.items()}
    answer = call(backward_tanh, x, labels, network)
    require(
        all(np.array_equal(network[name], given[name]) for name in shapes),
        "Your function changes the network: it is only to say how the loss depends on it.",
    )
    require(isinstance(answer, Mapping), f"You returned a {type(answer).__name__}, expected a dictionary of gradients.")
    require(set(answer) == set(shapes), f"Your dictionary has {sorted(answer)}, expected the keys {sorted(shapes)}.")
    gradients = {
        name: require_array(answer[name], shape=shape, name=f"The gradient of {name}") for name, shape in shapes.items()
    }
    mistakes = {
        "The slope is ReLU's: tanh has 1 - tanh(sum)**2.": {"slope": lambda sums: (sums > 0).astype(float)},
        "The slope takes the sums: 1 - tanh(sum)**2 takes the outputs of the hidden layer.": {
            "slope": lambda sums: 1 - sums**2
        },
        "The slope is taken of the outputs, so tanh comes twice: 1 - hidden**2 is enough.": {
            "slope": lambda sums: 1 - np.tanh(np.tanh(sums)) ** 2
        },
        "The slope is the sigmoid's: tanh has 1 - tanh(sum)**2.": {
            "slope": lambda sums: np.tanh(sums) * (1 - np.tanh(sums))
        },
        "The slope of tanh is missing on the way back: times 1 - hidden**2.": {"slope": np.ones_like},
        "All gradients are 6 times too large, for 6 rows: the loss is a mean, so divide by len(x).": {"divide": False},
        "The truth is missing: the slope at the logits is probabilities - truth.": {"truth": 0.0},
        "All signs are turned: probabilities - truth, not truth - probabilities.": {"sign": -1.0},
        "The forward pass still uses ReLU: tanh belongs there too.": {"activation": lambda sums: np.maximum(sums, 0)},
        "That is the network with ReLU, forwards and backwards: use tanh, and its slope.": {
            "activation": lambda sums: np.maximum(sums, 0),
            "slope": lambda sums: (sums > 0).astype(float),
        },
    }
    for message, changes in mistakes.items():
        mistaken = _differentiate(x, labels, network, **changes)
        require(not all(np.allclose(gradients[name], mistaken[name]) for name in shapes), message)
    right = _differentiate(x, labels, network)
    for name in ("bias_2", "weights_2", "bias_1", "weights_1"):  # the order in which errors travel
        require(
            np.allclose(gradients[name], right[name], atol=1e-6),
            f"The gradient of {name} has the right shape, but not the right values. Going backwards it is the first "
            "that is off: what leads up to it?",
        )
    passed("four gradients, as a tape would give them, with one link of the chain exchanged.")


def _differentiate(
    x: Array,
    labels: Array,
    network: Network,
    *,
    activation: Callable[[Array], Array] = np.tanh,
    slope: Callable[[Array], Array] = lambda sums: 1 - np.tanh(sums) ** 2,
    divide: bool = True,
    truth: float = 1.0,
    sign: float = 1.0,
) -> Network:
    """Return the gradients, with one thing at a time to be done wrongly."""
    sums = x @ network["weights_1"] + network["bias_1"]
    hidden = activation(sums)
    positive = np.exp(hidden @ network["weights_2"] + network["bias_2"])
    probabilities = positive / positive.sum(axis=1, keepdims=True)
    at_logits = sign * (probabilities - truth * np.eye(probabilities.shape[1])[labels]) / (len(x) if divide else 1)
    at_sums = (at_logits @ network["weights_2"].T) * slope(sums)
    return {
        "weights_1": x.T @ at_sums,
        "bias_1": at_sums.sum(axis=0),
        "weights_2": hidden.T @ at_logits,
        "bias_2": at_logits.sum(axis=0),
    }


def check_build_mlp(build_mlp: Callable[[int, tuple[int, ...], int], keras.Model]) -> None:
    """Check exercise 6: `build_mlp(num_inputs, hidden_units, num_classes)` stacks dense layers."""
    num_inputs, hidden_units, num_classes = 6, (5, 4), 3
    model = call(build_mlp, num_inputs, hidden_units, num_classes)
    require(isinstance(model, keras.Model), f"You returned a {type(model).__name__}, expected a keras.Model.")
    require(
        model.input_shape == (None, num_inputs),
        f"Your model takes {model.input_shape}, expected (None, {num_inputs}): rows of `num_inputs` numbers.",
    )
    require(
        model.output_shape == (None, num_classes),
        f"Your model gives {model.output_shape}, expected (None, {num_classes}): one unit for each class, "
        "in a last layer of its own.",
    )
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    units = [layer.units for layer in layers]
    require(
        units != [4, num_classes],
        "Only the last hidden layer is connected: call each layer on what the one before gave, x = ...(x).",
    )
    require(units != [4, 5, num_classes], "The hidden layers are in the wrong order: as in the tuple, first to last.")
    require(
        units == [*hidden_units, num_classes],
        f"Your dense layers have {units} units, expected {[*hidden_units, num_classes]} for hidden_units (5, 4).",
    )
    used = [layer.activation.__name__ for layer in layers]
    require(
        "linear" not in used[:-1],
        "A hidden layer has no activation: without one, all layers together are no more than one weighted sum.",
    )
    require(used[:-1] == ["relu", "relu"], f"Your hidden layers use {used[:-1]}, expected 'relu' in each of them.")
    require(
        used[-1] != "sigmoid", "Sigmoid units know nothing of each other: probabilities that sum to 1 need softmax."
    )
    require(used[-1] == "softmax", f"Your last layer uses '{used[-1]}', expected 'softmax'.")
    right = (6 * 5 + 5) + (5 * 4 + 4) + (4 * 3 + 3)
    require(
        model.count_params() == right,
        f"Your model has {model.count_params()} parameters, expected {right}: only dense layers.",
    )
    other = call(build_mlp, 4, (), 2)
    require(
        isinstance(other, keras.Model) and other.count_params() == 10,
        "Right for two hidden layers, but not for hidden_units=(): use the arguments, not fixed layers.",
    )
    passed(f"{right} parameters for 6 inputs, hidden layers of 5 and 4, and 3 classes.")


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _require_none_of(
    answer: Array, mistakes: Mapping[str, Array], *, tolerance: float = 1e-6, relative: float = 1e-5
) -> None:
    """Raise the message of the first mistake whose result the answer equals."""
    for message, mistaken in mistakes.items():
        same = np.shape(answer) == np.shape(mistaken) and np.allclose(
            answer, mistaken, rtol=relative, atol=min(tolerance, float(np.abs(mistaken).max()) * 1e-2)
        )
        require(not same, message)


def _require_close(answer: Array, expected: Array, *, name: str, tolerance: float = 1e-5) -> None:
    require(
        np.allclose(answer, expected, rtol=0, atol=tolerance),
        f"{name} is {np.round(answer, 3).tolist()}, expected {np.round(expected, 3).tolist()}.",
    )
