"""Each check of notebook 02 both ways: the solution, other right answers, and the usual mistakes."""

import keras
import numpy as np

from helpers.checks import nb02


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def fire(x, weights, bias):
    return sigmoid(x @ weights + bias)


def cross_entropy(probabilities, labels):
    return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())


def measure_gradient(loss, weights, nudge=1e-5):
    changes = nudge * np.eye(len(weights))
    return np.array([(loss(weights + change) - loss(weights - change)) / (2 * nudge) for change in changes])


def count_steps(rows, batch_size, epochs):
    return epochs * -(-rows // batch_size)


def relu(z):
    return np.maximum(z, 0)


def relu_slope(z):
    return (z > 0).astype(float)


def differentiate(x, labels, network, *, activation=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2, at=None):
    """The solution, with one thing at a time to be done otherwise."""
    sums = x @ network["weights_1"] + network["bias_1"]
    hidden = activation(sums)
    positive = np.exp(hidden @ network["weights_2"] + network["bias_2"])
    probabilities = positive / positive.sum(axis=1, keepdims=True)
    truth = np.eye(probabilities.shape[1])[labels]
    at_logits = (at or (lambda p, t: (p - t) / len(x)))(probabilities, truth)
    at_sums = at_logits @ network["weights_2"].T * slope(sums)
    return {
        "weights_1": x.T @ at_sums,
        "bias_1": at_sums.sum(axis=0),
        "weights_2": hidden.T @ at_logits,
        "bias_2": at_logits.sum(axis=0),
    }


def backward_tanh(x, labels, network):
    return differentiate(x, labels, network)


def make_mlp(num_inputs, hidden_units, num_classes, *, hidden="relu", last="softmax", extra=()):
    """The solution, with one thing at a time to be done otherwise."""
    inputs = keras.Input((num_inputs,))
    x = inputs
    for units in hidden_units:
        x = keras.layers.Dense(units, activation=hidden)(x)
    for layer in extra:
        x = layer()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation=last)(x))


def build_mlp(num_inputs, hidden_units, num_classes):
    return make_mlp(num_inputs, hidden_units, num_classes)


def build_sequential(num_inputs, hidden_units, num_classes):
    hidden = [keras.layers.Dense(units, activation="relu") for units in hidden_units]
    return keras.Sequential([keras.Input((num_inputs,)), *hidden, keras.layers.Dense(num_classes, "softmax")])


SOLUTIONS = {
    nb02.check_fire: fire,
    nb02.check_cross_entropy: cross_entropy,
    nb02.check_measure_gradient: measure_gradient,
    nb02.check_count_steps: count_steps,
    nb02.check_backward_tanh: backward_tanh,
    nb02.check_build_mlp: build_mlp,
}


def fire_by_keras(x, weights, bias):
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(keras.ops.convert_to_tensor(x @ weights + bias)))


def cross_entropy_by_one_hot(probabilities, labels):
    return -(np.eye(probabilities.shape[1])[labels] * np.log(probabilities)).sum(axis=1).mean()


def measure_in_place(loss, weights, nudge=1e-5):
    """Nudges the array it was given, and puts it back."""
    slopes = []
    for i, value in enumerate(weights):
        losses = []
        for sign in (1, -1):
            weights[i] = value + sign * nudge
            losses.append(loss(weights))
        weights[i] = value
        slopes.append((losses[0] - losses[1]) / (2 * nudge))
    return np.array(slopes)


OTHER_RIGHT_ANSWERS = [
    (nb02.check_fire, fire_by_keras),
    (nb02.check_fire, lambda x, w, b: (np.tanh((x @ w + b) / 2) + 1) / 2),
    (nb02.check_cross_entropy, cross_entropy_by_one_hot),
    (nb02.check_measure_gradient, measure_in_place),
    (nb02.check_measure_gradient, lambda loss, w: measure_gradient(loss, w, nudge=1e-4)),
    (nb02.check_count_steps, lambda rows, size, epochs: epochs * np.ceil(rows / size)),
    (nb02.check_count_steps, lambda rows, size, epochs: np.int64(len(range(0, rows, size)) * epochs)),
    (nb02.check_build_mlp, build_sequential),
]


def right_ones(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


def measure_with_all_at_once(loss, weights, nudge=1e-5):
    return np.full(len(weights), (loss(weights + nudge) - loss(weights - nudge)) / (2 * nudge))


def measure_and_leave_nudged(loss, weights, nudge=1e-5):
    slopes = np.zeros_like(weights)
    for i in range(len(weights)):
        before = loss(weights)
        weights[i] += nudge
        slopes[i] = (loss(weights) - before) / nudge
    return slopes


def measure_without_nudging(loss, weights, nudge=1e-5):
    return np.array([(loss(weights) - loss(weights)) / (2 * nudge) for _ in weights])


def with_slope(slope):
    return lambda x, labels, network: differentiate(x, labels, network, slope=slope)


def at_logits(function):
    return lambda x, labels, network: differentiate(x, labels, network, at=lambda p, t: function(p, t, len(x)))


def use_relu(x, labels, network):
    return differentiate(x, labels, network, activation=relu, slope=relu_slope)


def use_relu_forwards(x, labels, network):
    return differentiate(x, labels, network, activation=relu)


def sum_bias_1_over_nothing(x, labels, network):
    return backward_tanh(x, labels, network) | {"bias_1": np.zeros((6, 5))}


def halve_weights_1(x, labels, network):
    gradients = backward_tanh(x, labels, network)
    return gradients | {"weights_1": gradients["weights_1"] / 2}


def train_in_passing(x, labels, network):
    gradients = backward_tanh(x, labels, network)
    for name, gradient in gradients.items():
        network[name] -= gradient
    return gradients


def variant(**options):
    return lambda *args: make_mlp(*args, **options)


def call_on_the_inputs(num_inputs, hidden_units, num_classes):
    inputs = keras.Input((num_inputs,))
    x = inputs
    for units in hidden_units:
        x = keras.layers.Dense(units, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))


def leave_out_the_last(num_inputs, hidden_units, num_classes):
    inputs = keras.Input((num_inputs,))
    x = inputs
    for units in hidden_units:
        x = keras.layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Activation("softmax")(x))


MISTAKES = [
    (nb02.check_fire, lambda x, w, b: x @ w + b, "That is the sum. Now pass it through the sigmoid"),
    (nb02.check_fire, lambda x, w, b: sigmoid(x @ w), "The bias is missing"),
    (nb02.check_fire, lambda x, w, b: sigmoid(x @ w - b), "You subtract the bias"),
    (nb02.check_fire, lambda x, w, b: sigmoid(x @ w) + b, "after the sigmoid"),
    (nb02.check_fire, lambda x, w, b: 1 / (1 + np.exp(x @ w + b)), "the exponent is minus the sum"),
    (nb02.check_fire, lambda x, w, b: x @ w + b > 0, "That is a step function"),
    (nb02.check_fire, lambda x, w, b: relu(x @ w + b), "That is ReLU"),
    (nb02.check_fire, lambda x, w, b: np.tanh(x @ w + b), "That is tanh"),
    (nb02.check_fire, lambda x, w, b: sigmoid(x * w + b), "but not added up"),
    (nb02.check_fire, lambda x, w, b: sigmoid((x * w).sum(axis=0) + b), "added up over the rows"),
    (nb02.check_fire, lambda x, w, b: fire(x, w, b).mean(), "has shape (), expected (4,)"),
    (nb02.check_fire, lambda x, w, b: sigmoid(w @ x + b), "stopped with ValueError"),
    (nb02.check_fire, lambda x, w, b: fire(x, w, b) / 2, "The answer is ["),
    (nb02.check_cross_entropy, lambda p, y: -np.log(right_ones(p, y)), "one loss for each row"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(p[:, y]), "takes four columns from every row"),
    (nb02.check_cross_entropy, lambda p, y: np.log(right_ones(p, y)).mean(), "The sign is wrong"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(right_ones(p, y)).sum(), "That is the sum over the rows"),
    (nb02.check_cross_entropy, lambda p, y: -(np.eye(3)[y] * np.log(p)).mean(), "average over the classes as well"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(right_ones(p, y).mean()), "the logarithm of the mean"),
    (nb02.check_cross_entropy, lambda p, y: -np.log2(right_ones(p, y)).mean(), "to base 2"),
    (nb02.check_cross_entropy, lambda p, y: -np.log10(right_ones(p, y)).mean(), "to base 10"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(p.max(axis=1)).mean(), "the largest probability"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(p).mean(), "over all classes, right or wrong"),
    (nb02.check_cross_entropy, lambda p, y: (1 - right_ones(p, y)).mean(), "That is 1 minus the probability"),
    (nb02.check_cross_entropy, lambda p, y: 0.5, "The loss is 0.5, expected"),
    (nb02.check_cross_entropy, lambda p, y: -np.log(0.7 * 0.3 * 0.8 * 0.1) / 4, "should cost ln 2"),
    (nb02.check_measure_gradient, lambda loss, w: 2 * measure_gradient(loss, w), "Twice too large"),
    (nb02.check_measure_gradient, lambda loss, w: measure_gradient(loss, w) / 2, "Half of what it should be"),
    (nb02.check_measure_gradient, lambda loss, w: -measure_gradient(loss, w), "The sign is wrong"),
    (nb02.check_measure_gradient, measure_with_all_at_once, "You nudge all weights at once"),
    (nb02.check_measure_gradient, lambda loss, w: measure_with_all_at_once(loss, w)[0], "That is one number"),
    (nb02.check_measure_gradient, lambda loss, w: measure_gradient(loss, w) * 2e-5, "Not divided by the nudges"),
    (nb02.check_measure_gradient, measure_and_leave_nudged, "leaves the weights changed"),
    (nb02.check_measure_gradient, measure_without_nudging, "Every slope is 0"),
    (nb02.check_measure_gradient, lambda loss, w: measure_gradient(loss, w, nudge=1.0), "The gradient is ["),
    (nb02.check_count_steps, lambda rows, size, epochs: rows // size * epochs, "the last, smaller batch"),
    (nb02.check_count_steps, lambda rows, size, epochs: -(-rows // size), "that is one epoch"),
    (nb02.check_count_steps, lambda rows, size, epochs: rows // size, "without its last batch"),
    (nb02.check_count_steps, lambda rows, size, epochs: -(-rows * epochs // size), "round up in each epoch"),
    (nb02.check_count_steps, lambda rows, size, epochs: rows * epochs / size, "a number of steps is whole"),
    (nb02.check_count_steps, lambda rows, size, epochs: epochs * size, "yours is 100: how many batches"),
    (nb02.check_count_steps, lambda rows, size, epochs: rows * epochs, "yours is 1000: how many batches"),
    (nb02.check_count_steps, lambda rows, size, epochs: range(10), "is a range, expected a whole number"),
    (
        nb02.check_count_steps,
        lambda rows, size, epochs: rows // size * epochs + (rows % size > 0) * 2,
        "expected 32 steps",
    ),
    (nb02.check_count_steps, lambda rows, size, epochs: 10 if size == 100 else 96, "still make one step"),
    (nb02.check_backward_tanh, with_slope(relu_slope), "The slope is ReLU's"),
    (nb02.check_backward_tanh, with_slope(lambda z: 1 - z**2), "The slope takes the sums"),
    (nb02.check_backward_tanh, with_slope(lambda z: 1 - np.tanh(np.tanh(z)) ** 2), "tanh comes twice"),
    (nb02.check_backward_tanh, with_slope(lambda z: np.tanh(z) * (1 - np.tanh(z))), "The slope is the sigmoid's"),
    (nb02.check_backward_tanh, with_slope(np.ones_like), "The slope of tanh is missing"),
    (nb02.check_backward_tanh, at_logits(lambda p, t, n: p - t), "6 times too large"),
    (nb02.check_backward_tanh, at_logits(lambda p, t, n: p / n), "The truth is missing"),
    (nb02.check_backward_tanh, at_logits(lambda p, t, n: (t - p) / n), "All signs are turned"),
    (nb02.check_backward_tanh, use_relu, "forwards and backwards"),
    (nb02.check_backward_tanh, use_relu_forwards, "The forward pass still uses ReLU"),
    (nb02.check_backward_tanh, at_logits(lambda p, t, n: p * (1 - p) * (p - t) / n), "The gradient of bias_2 has"),
    (nb02.check_backward_tanh, halve_weights_1, "The gradient of weights_1 has"),
    (nb02.check_backward_tanh, sum_bias_1_over_nothing, "has shape (6, 5), expected (5,)"),
    (nb02.check_backward_tanh, train_in_passing, "changes the network"),
    (nb02.check_backward_tanh, lambda *args: tuple(backward_tanh(*args).values()), "returned a tuple"),
    (nb02.check_backward_tanh, lambda *args: {"bias_1": backward_tanh(*args)["bias_1"]}, "has ['bias_1'], expected"),
    (nb02.check_build_mlp, lambda *args: "model", "returned a str, expected a keras.Model"),
    (nb02.check_build_mlp, lambda i, h, c: make_mlp(64, h, c), "takes (None, 64), expected (None, 6)"),
    (nb02.check_build_mlp, lambda i, h, c: make_mlp(i, h, 10), "gives (None, 10), expected (None, 3)"),
    (nb02.check_build_mlp, call_on_the_inputs, "Only the last hidden layer is connected"),
    (nb02.check_build_mlp, lambda i, h, c: make_mlp(i, h[::-1], c), "in the wrong order"),
    (nb02.check_build_mlp, leave_out_the_last, "in a last layer of its own"),
    (nb02.check_build_mlp, lambda i, h, c: make_mlp(i, (64, 128), c), "have [64, 128, 3] units"),
    (nb02.check_build_mlp, variant(hidden=None), "A hidden layer has no activation"),
    (nb02.check_build_mlp, variant(hidden="tanh"), "use ['tanh', 'tanh'], expected 'relu'"),
    (nb02.check_build_mlp, variant(last="sigmoid"), "know nothing of each other"),
    (nb02.check_build_mlp, variant(last=None), "Your last layer uses 'linear'"),
    (nb02.check_build_mlp, variant(extra=[keras.layers.BatchNormalization]), "only dense layers"),
    (nb02.check_build_mlp, lambda i, h, c: make_mlp(i, (5, 4), c), "not for hidden_units=()"),
]
