"""The NumPy that notebook 03 shows, taken from its cells as they stand, against Keras and TensorFlow."""

import ast
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.conftest import keras_and_numpy_2
from tests.lesson_cells import MOST_LINES, count_lines, find_notebook, read_cells, run_cells

NOTEBOOK = find_notebook("03")
NAMES = {
    "sigmoid",
    "softmax",
    "draw_batches",
    "new_network",
    "forward",
    "network_loss",
    "backward",
    "sgd",
    "momentum",
    "adagrad",
    "rmsprop",
    "adam",
}

pytestmark = keras_and_numpy_2


LESSON = run_cells("03", imports=False, np=np)  # with nothing but NumPy: what they use they must define
numbers = arrays(np.float64, array_shapes(max_dims=2, max_side=8), elements=st.floats(-30, 30, allow_subnormal=False))
seeds = st.integers(0, 2**32 - 1)


def test_the_cells_define_what_the_lesson_is_about() -> None:
    assert {name for name, value in LESSON.items() if callable(value)} == NAMES


# --- what stands in 02 as well --------------------------------------------------------------------------------------


def read_functions(number: str) -> dict[str, str]:
    """The source of each function that is shown, by its name."""
    nodes = [
        node for cell in read_cells(find_notebook(number), tag="from-scratch") for node in ast.parse(cell.source).body
    ]
    return {node.name: ast.unparse(node) for node in nodes if isinstance(node, ast.FunctionDef)}


def test_what_is_shown_twice_is_the_same() -> None:
    first, again = read_functions("02"), read_functions("03")
    shared = first.keys() & again.keys()
    assert shared == {"sigmoid", "softmax", "draw_batches"}
    assert {name: again[name] for name in shared} == {name: first[name] for name in shared}


# --- activations and their slopes ------------------------------------------------------------------------------------

KERAS_NAMES = {"ReLU": "relu", "tanh": "tanh", "sigmoid": "sigmoid"}
each_activation = pytest.mark.parametrize("name", KERAS_NAMES)


@each_activation
@given(z=numbers)
def test_an_activation_and_its_slope_equal_keras_and_the_tape(name: str, z: np.ndarray) -> None:
    variable = tf.Variable(z)
    with tf.GradientTape() as tape:
        output = getattr(keras.ops, KERAS_NAMES[name])(variable)
    activation, slope = LESSON["ACTIVATIONS"][name]
    np.testing.assert_allclose(activation(z), output, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(slope(z), tape.gradient(output, variable), rtol=1e-6, atol=1e-12)


# --- two layers --------------------------------------------------------------------------------------------------


def draw_network(seed: int, *, inputs: int, hidden: int, classes: int) -> dict[str, np.ndarray]:
    """A network whose biases are not zero, so that a forgotten one shows."""
    network = LESSON["new_network"](inputs, hidden, classes, seed=seed)
    generator = np.random.default_rng(seed)
    return {name: value + generator.normal(scale=0.5, size=value.shape) for name, value in network.items()}


sizes = {"inputs": st.integers(1, 7), "hidden": st.integers(1, 7), "classes": st.integers(2, 6)}


@each_activation
@given(seed=seeds, rows=st.integers(1, 8), **sizes)
@settings(deadline=None, max_examples=25)
def test_back_propagation_equals_the_tape(
    name: str, seed: int, rows: int, inputs: int, hidden: int, classes: int
) -> None:
    network = draw_network(seed, inputs=inputs, hidden=hidden, classes=classes)
    generator = np.random.default_rng(seed + 1)
    x, labels = generator.normal(size=(rows, inputs)), generator.integers(0, classes, rows)
    variables = {name: tf.Variable(value) for name, value in network.items()}
    with tf.GradientTape() as tape:
        outputs = getattr(keras.ops, KERAS_NAMES[name])(x @ variables["weights_1"] + variables["bias_1"])
        logits = outputs @ variables["weights_2"] + variables["bias_2"]
        row_losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        loss = tf.reduce_mean(row_losses)
    by_tape = tape.gradient(loss, variables)
    by_hand = LESSON["backward"](x, labels, network, name)
    assert by_hand.keys() == network.keys()
    for part, gradient in by_hand.items():
        np.testing.assert_allclose(gradient, by_tape[part], rtol=1e-9, atol=1e-12)
    assert LESSON["network_loss"](x, labels, network, name) == pytest.approx(float(loss), rel=1e-9)
    np.testing.assert_allclose(LESSON["forward"](x, network, name)[2], tf.nn.softmax(logits), rtol=1e-9, atol=1e-15)


def test_the_network_equals_a_model_of_keras() -> None:
    network = draw_network(3, inputs=5, hidden=4, classes=3)
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((5,)), *layers])
    model.set_weights(list(network.values()))
    generator = np.random.default_rng(4)
    x, labels = generator.normal(size=(20, 5)).astype("float32"), generator.integers(0, 3, 20)
    probabilities = model.predict(x, verbose=0)
    np.testing.assert_allclose(LESSON["forward"](x, network)[2], probabilities, atol=1e-5)
    expected = float(keras.losses.SparseCategoricalCrossentropy()(labels, probabilities))
    assert LESSON["network_loss"](x, labels, network) == pytest.approx(expected, rel=1e-4)


def test_a_new_network_is_random_by_its_seed() -> None:
    same, again, other = (LESSON["new_network"](6, 5, 4, seed=seed) for seed in (1, 1, 2))
    assert {name: value.shape for name, value in same.items()} == {
        "weights_1": (6, 5),
        "bias_1": (5,),
        "weights_2": (5, 4),
        "bias_2": (4,),
    }
    np.testing.assert_array_equal(same["weights_1"], again["weights_1"])
    assert not np.array_equal(same["weights_1"], other["weights_1"])


# --- optimizers --------------------------------------------------------------------------------------------------

OPTIMIZERS: dict[str, Callable[[float], keras.Optimizer]] = {
    "sgd": lambda rate: keras.optimizers.SGD(learning_rate=rate),
    "momentum": lambda rate: keras.optimizers.SGD(learning_rate=rate, momentum=0.9),
    "adagrad": lambda rate: keras.optimizers.Adagrad(learning_rate=rate),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(learning_rate=rate),
    "adam": lambda rate: keras.optimizers.Adam(learning_rate=rate),
}
each_rule = pytest.mark.parametrize("name", OPTIMIZERS)


def compare_ten_steps(name: str, start: np.ndarray, rate: float, slopes: Callable[[int, np.ndarray], np.ndarray]):
    """Ten steps of the lesson's rule and of Keras' optimizer, each along its own way, compared after each step."""
    optimizer, variable = OPTIMIZERS[name](rate), keras.Variable(start, dtype="float64")
    weights, state = start, {}
    for number in range(10):
        weights = LESSON[name](weights, slopes(number, weights), state, rate)
        optimizer.apply([tf.constant(slopes(number, variable.numpy()))], [variable])
        moved = np.abs(weights - start).max()
        assert moved > 1e-4
        # Keras keeps the rate as float32: seven digits of every move.
        np.testing.assert_allclose(weights, variable.numpy(), rtol=0, atol=1e-5 * moved, err_msg=f"step {number + 1}")


@each_rule
@given(seed=seeds, scale=st.sampled_from([1e-4, 1e-2, 1.0, 100.0]), rate=st.sampled_from([0.001, 0.01, 0.3]))
@settings(max_examples=20, deadline=None)
def test_ten_steps_on_any_gradients_equal_keras(name: str, seed: int, scale: float, rate: float) -> None:
    generator = np.random.default_rng(seed)
    start, gradients = generator.normal(size=(4, 3)), scale * generator.normal(size=(10, 4, 3))
    gradients[:, 0, 0] = scale  # one weight is always pushed the same way, so that none stays where it was
    if name in ("sgd", "momentum"):
        rate /= scale  # these move in proportion to the gradient
    elif name == "adagrad":
        rate *= max(1.0, 1 / scale)
    compare_ten_steps(name, start, rate, lambda number, _weights: gradients[number])


@each_rule
def test_ten_steps_down_a_valley_equal_keras(name: str) -> None:
    steepness = np.array([1.0, 25.0])
    compare_ten_steps(name, np.array([-4.0, 1.0]), 0.01, lambda _number, weights: steepness * weights)


@each_rule
def test_a_weight_without_a_gradient_stays(name: str) -> None:
    weights, state = np.array([1.0, 2.0]), {}
    for _ in range(3):
        weights = LESSON[name](weights, np.array([0.0, 1.0]), state, 0.1)
    assert weights[0] == 1.0
    assert weights[1] < 2.0


@each_rule
def test_a_rule_leaves_its_arguments_alone(name: str) -> None:
    weights, gradient, state = np.array([1.0, -2.0]), np.array([0.5, 0.25]), {}
    LESSON[name](weights, gradient, state, 0.1)
    LESSON[name](weights, gradient, state, 0.1)
    assert weights.tolist() == [1.0, -2.0]
    assert gradient.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("source", [cell.source for cell in read_cells(NOTEBOOK, tag="from-scratch")])
def test_a_cell_is_a_few_lines(source: str) -> None:
    assert max(count_lines(source)) <= MOST_LINES
