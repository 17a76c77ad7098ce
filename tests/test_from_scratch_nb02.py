"""The NumPy that notebook 02 shows, taken from its cells as they stand, against Keras and TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.datasets import load_digits

from tests.conftest import keras_and_numpy_2
from tests.lesson_cells import MOST_LINES, count_lines, find_notebook, read_cells, run_cells

NOTEBOOK = find_notebook("02")
NAMES = {
    "dense",
    "sigmoid",
    "tanh",
    "relu",
    "softmax",
    "binary_cross_entropy",
    "neuron_gradients",
    "draw_batches",
}

pytestmark = keras_and_numpy_2


LESSON = run_cells("02", imports=False, np=np)  # with nothing but NumPy: what they use they must define
numbers = arrays(np.float64, array_shapes(max_dims=2, max_side=8), elements=st.floats(-30, 30, allow_subnormal=False))
rows_of_logits = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(2, 7)), elements=st.floats(-1000, 1000, width=32)
)
seeds = st.integers(0, 2**32 - 1)


def test_the_cells_define_what_the_lesson_is_about() -> None:
    assert {name for name, value in LESSON.items() if callable(value)} == NAMES


# --- activations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
@given(z=numbers)
def test_an_activation_equals_keras(name: str, z: np.ndarray) -> None:
    np.testing.assert_allclose(LESSON[name](z), getattr(keras.ops, name)(tf.constant(z)), rtol=1e-10, atol=1e-12)


@given(z=rows_of_logits)
def test_softmax_equals_keras(z: np.ndarray) -> None:
    probabilities = LESSON["softmax"](z)
    np.testing.assert_allclose(probabilities, keras.ops.softmax(tf.constant(z)), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@given(z=rows_of_logits, shift=st.floats(-100, 100))
def test_softmax_depends_on_differences_alone(z: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(LESSON["softmax"](z + shift), LESSON["softmax"](z), rtol=1e-9, atol=1e-12)


# --- one neuron --------------------------------------------------------------------------------------------------


@given(seed=seeds, rows=st.integers(1, 9), inputs=st.integers(1, 9), units=st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_dense_equals_a_layer_of_keras(seed: int, rows: int, inputs: int, units: int) -> None:
    generator = np.random.default_rng(seed)
    x, weights, bias = (generator.normal(size=size) for size in ((rows, inputs), (inputs, units), (units,)))
    layer = keras.layers.Dense(units)
    layer.build((None, inputs))
    layer.set_weights([weights, bias])
    np.testing.assert_allclose(LESSON["dense"](x, weights, bias), layer(x.astype("float32")), atol=1e-4)


@given(seed=seeds, rows=st.integers(1, 12), inputs=st.integers(1, 6))
@settings(deadline=None, max_examples=50)
def test_the_loss_of_a_neuron_and_its_gradients_equal_the_tape(seed: int, rows: int, inputs: int) -> None:
    generator = np.random.default_rng(seed)
    x, truth = generator.normal(size=(rows, inputs)), generator.integers(0, 2, rows).astype(float)
    weights, bias = tf.Variable(generator.normal(size=inputs)), tf.Variable(generator.normal(), dtype=tf.float64)
    with tf.GradientTape() as tape:
        sums = tf.linalg.matvec(x, weights) + bias
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=sums))
    probabilities = LESSON["sigmoid"](LESSON["dense"](x, weights.numpy(), bias.numpy()))
    assert LESSON["binary_cross_entropy"](probabilities, truth) == pytest.approx(float(loss), rel=1e-9)
    by_hand = LESSON["neuron_gradients"](x, truth, weights.numpy(), bias.numpy())
    for ours, expected in zip(by_hand, tape.gradient(loss, [weights, bias]), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_binary_cross_entropy_equals_keras() -> None:
    probabilities, truth = np.array([0.9, 0.2, 0.6, 0.01]), np.array([1.0, 0.0, 0.0, 1.0])
    expected = float(keras.losses.BinaryCrossentropy()(truth, probabilities))
    assert LESSON["binary_cross_entropy"](probabilities, truth) == pytest.approx(expected, rel=1e-5)


@given(count=st.integers(0, 200), batch_size=st.integers(1, 64), seed=seeds)
def test_batches_hold_each_row_once(count: int, batch_size: int, seed: int) -> None:
    batches = LESSON["draw_batches"](count, batch_size, np.random.default_rng(seed))
    assert sorted(position for batch in batches for position in batch) == list(range(count))
    assert len(batches) == -(-count // batch_size)
    assert all(len(batch) == batch_size for batch in batches[:-1])


@pytest.mark.parametrize("source", [cell.source for cell in read_cells(NOTEBOOK, tag="from-scratch")])
def test_a_cell_is_a_few_lines(source: str) -> None:
    assert max(count_lines(source)) <= MOST_LINES


# --- its data ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def load_pictures() -> Callable[[str], tuple[np.ndarray, np.ndarray, list[str]]]:
    (source,) = [cell.source for cell in read_cells(NOTEBOOK) if cell.source.startswith("def load_pictures")]
    namespace: dict[str, Any] = {"np": np, "keras": keras, "load_digits": load_digits}
    exec(compile(source, NOTEBOOK.name, "exec"), namespace)
    return namespace["load_pictures"]


def test_the_digits_need_no_network(load_pictures) -> None:
    pictures, labels, class_names = load_pictures("digits")
    assert pictures.shape == (1797, 8, 8)
    assert (pictures.min(), pictures.max()) == (0, 16)
    assert class_names == [str(digit) for digit in range(10)] == [str(label) for label in np.unique(labels)]


def test_both_halves_of_fashion_mnist_are_joined(load_pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = np.zeros((6, 28, 28), np.uint8), np.full((4, 28, 28), 255, np.uint8)
    halves = (train, np.arange(6, dtype=np.uint8)), (test, np.arange(6, 10, dtype=np.uint8))
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: halves)
    pictures, labels, class_names = load_pictures("fashion_mnist")
    assert pictures.shape == (10, 28, 28)
    assert labels.tolist() == list(range(10))
    assert labels.dtype == np.int64  # TensorFlow's losses take no uint8
    assert len(class_names) == 10


def test_without_a_network_one_line_says_what_works(load_pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_to_download():
        raise Exception("URL fetch failure")  # as keras.utils.get_file does

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", fail_to_download)
    with pytest.raises(ConnectionError, match="DATASET = 'digits' works offline") as caught:
        load_pictures("fashion_mnist")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["my_photos", "mnist", ""])
def test_another_data_set_is_refused(load_pictures, name: str) -> None:
    with pytest.raises(ValueError, match=f"Received DATASET '{name}', expected 'digits' or 'fashion_mnist'"):
        load_pictures(name)
