"""Checks for notebook 02, a neuron learns."""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from helpers.checks._runner import Function, case, exercise, require

Array = np.ndarray


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


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
    case(1000, 100, 1, why="How many batches are there?"),
    case(1000, 32, 3, why="How many batches are there in each epoch, the smaller one too?"),
    case(50, 64, 7, why="50 rows in batches of 64 still make one step in each epoch."),
    asked="For rows = {:,}, batch_size = {}, epochs = {}",
    right="32 steps per epoch for 1,000 rows in batches of 32: 31 full batches, and one of 8 rows.",
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


class _Watched(keras.Sequential):
    """A network that notes how it is compiled, and with what it is fitted and judged, instead of spending the time."""

    asked = None  # which metrics

    def compile(self, *settings: Any, **named: Any) -> None:
        super().compile(*settings, **named)
        self.asked = named.get("metrics")

    def fit(self, x: Any, y: Any = None, batch_size: int | None = None, epochs: int = 1, *_: Any, **__: Any) -> Any:
        self.fitted = {"rows": len(x), "batch_size": batch_size or 32, "epochs": epochs}
        return SimpleNamespace(history={"accuracy": [0.9], "loss": [0.1], "val_accuracy": [0.75], "val_loss": [0.25]})

    def evaluate(self, x: Any, *_: Any, return_dict: bool = False, **__: Any) -> Any:
        self.judged = len(x)
        results = {"loss": 0.25} | ({"accuracy": 0.75 if hasattr(self, "fitted") else 0.1} if self.asked else {})
        return results if return_dict else [*results.values()] if self.asked else results["loss"]


def _view_training(train: Function, rate: float, *data: tuple[Array, Array]) -> Mapping[str, Any]:
    model = _Watched([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    accuracy = train(rate, model, *data)
    require(model.compiled, "Your function does not compile the model: model.compile(optimizer=..., loss=..., ...).")
    require(hasattr(model, "fitted"), "Your function does not fit the model: model.fit(rows, labels, ...).")
    require(hasattr(model, "judged"), "Your function does not evaluate the model: model.evaluate(rows, labels).")
    loss = keras.losses.get(model.loss)
    from_logits = getattr(loss, "get_config", dict)().get("from_logits", False)
    return {
        "Your optimizer is {}, expected {}.": type(model.optimizer).__name__,
        "Your learning rate is {}, expected {}: the argument `rate`.": float(model.optimizer.learning_rate),
        "Your loss is {}, expected {}: the labels are whole numbers.": getattr(loss, "name", None) or loss.__name__,
        "from_logits is {}, expected {}: the last layer has softmax, so the loss gets probabilities.": from_logits,
        "You fit on {} rows, expected {}: the training data.": model.fitted["rows"],
        "You fit in batches of {}, expected {}.": model.fitted["batch_size"],
        "You fit for {} epochs, expected {}.": model.fitted["epochs"],
        "You evaluate on {} rows, expected {}: the validation data.": model.judged,
        "You return {}, expected {}: the second of the two numbers that `evaluate` gives, after `fit`.": accuracy,
    }


def _train(
    rate: float, model: keras.Model, learn: Any, judge: Any, *, answer: Function = lambda results: results[1]
) -> Any:
    model.compile(
        keras.optimizers.Adam(learning_rate=rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(*learn, batch_size=32, epochs=3, validation_data=judge, verbose=0)
    return answer(model.evaluate(*judge, verbose=0))


_PAIRS = [(np.zeros((rows, 3), "float32"), np.zeros(rows, "int64")) for rows in (8, 4)]


@exercise(
    case(0.003, *_PAIRS),
    case(1.0, *_PAIRS),
    view=_view_training,
    tolerance=1e-6,
    right="compiled, fitted, evaluated. Now break it: a learning rate of 1, and watch the loss.",
)
def check_train_at(rate, model, training_data, validation_data):
    """`train_at(rate, model, training_data, validation_data)` compiles, fits and evaluates."""
    given = (rate, model, training_data, validation_data)
    return partial(_train, *given), {
        "You return the whole list of results, expected the accuracy alone: its second number.": partial(
            _train, *given, answer=list
        ),
        "You return the loss, expected the accuracy: the second number that `evaluate` gives.": partial(
            _train, *given, answer=lambda results: results[0]
        ),
        "You evaluate on the training data: a network is judged on rows from which it did not learn.": partial(
            _train, rate, model, training_data, training_data
        ),
        "You fit on the validation data: they are there to judge, not to learn from.": partial(
            _train, rate, model, validation_data, validation_data
        ),
    }
