"""helpers.training: a head solved to the optimum, a model joined without drift, and evaluation in order."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import training

ROOT = Path(__file__).resolve().parents[1]
unhurried = settings(deadline=None)  # a busy machine is no failure


class Answers(keras.Model):
    """Gives each input row back as its probabilities."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(inputs, tf.float32)


def make_features(classes: int, *, count: int = 60, channels: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds, one a class; the channels differ in size a thousandfold, and one is constant."""
    rng = np.random.default_rng(classes)
    labels = rng.permutation(np.arange(count) % classes)
    features = rng.normal(size=(classes, channels))[labels] + rng.normal(size=(count, channels))
    features = features * 10.0 ** np.linspace(-2, 1, channels) + 3
    features[:, 2] = 0.5
    return features.astype(np.float32), labels


# --- The head -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_the_head_gives_the_probabilities_of_scikit_learn(classes: int, penalty: float) -> None:
    features, labels = make_features(classes)
    head = training.fit_logistic_head(features, labels, num_classes=classes, penalty=penalty)
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=1000)).fit(features, labels)
    probabilities = head.predict(features, verbose=0)
    np.testing.assert_allclose(probabilities, reference.predict_proba(features), atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert head.count_params() == (7 + 1) * classes


def test_a_stronger_penalty_makes_the_head_less_sure() -> None:
    features, labels = make_features(2)
    sureness = [
        training.fit_logistic_head(features, labels, num_classes=2, penalty=penalty)(features)
        .numpy()
        .max(axis=1)
        .mean()
        for penalty in (0.1, 1.0, 10.0, 100.0)
    ]
    assert sureness == sorted(sureness, reverse=True)


@pytest.mark.parametrize(
    ("labels", "classes", "received"), [([0, 0, 2], 3, 2), ([1, 1, 1], 2, 1), ([0, 1, 2], 2, 3), ([0, 0, 2], 2, 2)]
)
def test_every_class_needs_a_picture(labels: list[int], classes: int, received: int) -> None:
    with pytest.raises(
        ValueError, match=rf"Received labels of {received} classes \[.*\], expected 0 to {classes - 1}. Give"
    ):
        training.fit_logistic_head(np.arange(6.0).reshape(3, 2), np.array(labels), num_classes=classes)


# --- Backbone and head --------------------------------------------------------------------------------------


def test_an_attached_head_answers_as_it_did_on_features(tiny_backbone: keras.Model) -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (6, 16, 16, 3)).astype(np.float32)
    features = tiny_backbone(pictures, training=False).numpy().mean(axis=(1, 2))
    head = training.fit_logistic_head(features, np.arange(6) % 3, num_classes=3)
    model = training.attach_head(tiny_backbone, head)
    np.testing.assert_allclose(model(pictures), head(features), atol=1e-5)
    assert model.input_shape == (None, 16, 16, 3)
    assert model.output_shape == (None, 3)


def test_training_an_attached_head_leaves_the_backbone_as_it_was(tiny_backbone: keras.Model) -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 3)).astype(np.float32)
    head = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, activation="softmax")])
    model = training.attach_head(tiny_backbone, head)
    before = [weight.numpy() for weight in tiny_backbone.weights]
    head_before = head.get_weights()
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    model.fit(pictures, np.arange(8) % 2, epochs=2, verbose=0)
    for old, weight in zip(before, tiny_backbone.weights, strict=True):
        np.testing.assert_array_equal(weight, old)  # the averages of batch normalisation among them
    assert not np.allclose(head.get_weights()[0], head_before[0])
    assert len(model.trainable_weights) == 2


# --- Evaluation ---------------------------------------------------------------------------------------------


def test_labels_and_answers_keep_their_order_over_batches() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), size=11).astype(np.float32)
    labels = rng.integers(0, 3, 11)
    shuffled = tf.data.Dataset.from_tensor_slices((probabilities, labels)).shuffle(11, seed=1).batch(4)
    result = training.evaluate(Answers(), shuffled)
    assert not np.array_equal(result.labels, labels), "the order of the batches counts"
    for row, label in zip(result.probabilities, result.labels, strict=True):
        position = int(np.flatnonzero((probabilities == row).all(axis=1))[0])
        assert labels[position] == label
    assert result.accuracy == pytest.approx(accuracy_score(labels, probabilities.argmax(axis=1)))
    assert result.labels.dtype == np.int64


def test_an_array_gives_the_same_as_batches() -> None:
    count = 2 * training.ARRAY_BATCH + 3
    rng = np.random.default_rng(0)
    inputs, labels = rng.dirichlet(np.ones(4), size=count).astype(np.float32), rng.integers(0, 4, count)
    from_array = training.evaluate(Answers(), inputs, labels)
    from_batches = training.evaluate(Answers(), tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(7))
    np.testing.assert_array_equal(from_array.probabilities, from_batches.probabilities)
    np.testing.assert_array_equal(from_array.labels, from_batches.labels)
    np.testing.assert_array_equal(from_array.probabilities, inputs)
    assert from_array.accuracy == from_batches.accuracy


def test_one_sigmoid_unit_counts_as_two_classes() -> None:
    result = training.evaluate(Answers(), np.array([[0.2], [0.9], [0.6]], np.float32), np.array([0, 1, 0]))
    np.testing.assert_allclose(result.probabilities, [[0.8, 0.2], [0.1, 0.9], [0.4, 0.6]], atol=1e-6)
    assert result.predicted.tolist() == [0, 1, 1]
    assert result.accuracy == pytest.approx(2 / 3)


def test_an_array_needs_labels() -> None:
    with pytest.raises(ValueError, match=r"Received inputs without labels, expected both\. Pass `labels`"):
        training.evaluate(Answers(), np.zeros((2, 2)))


def test_confusion_has_true_classes_in_rows_and_a_place_for_every_class() -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 1, 1]]
    result = training.Evaluation(0.5, np.array([0, 0, 0, 1]), probabilities)
    assert result.confusion.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]


def test_mistakes_come_with_the_most_confident_first() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.05, 0.95], [0.4, 0.6]])
    result = training.Evaluation(0.2, np.array([1, 1, 1, 0, 0]), probabilities)
    assert result.mistakes().tolist() == [3, 0, 2, 4]
    assert training.Evaluation(1.0, probabilities.argmax(axis=1), probabilities).mistakes().tolist() == []


@unhurried
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(1)), elements=st.floats(0, 1)))
def test_class_probabilities_sum_to_one(outputs: np.ndarray) -> None:
    probabilities = training.as_class_probabilities(outputs)
    assert probabilities.shape == (len(outputs), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities[:, 1:], outputs)
    assert training.as_class_probabilities(probabilities) is probabilities


@unhurried
@given(st.floats(0, 1), st.integers(1, 10_000))
def test_standard_error_shrinks_with_the_root_of_the_count(accuracy: float, count: int) -> None:
    error = training.standard_error(accuracy, count)
    assert 0 <= error <= 0.5
    assert training.standard_error(accuracy, 4 * count) == pytest.approx(error / 2)


# --- Histories and seeds ------------------------------------------------------------------------------------


def test_joined_histories_are_new_lists() -> None:
    first, second = {"loss": [3.0, 2.0], "accuracy": [0.1, 0.2]}, {"accuracy": [0.3], "loss": [1.0]}
    joined = training.join_histories(first, second)
    assert joined == {"loss": [3.0, 2.0, 1.0], "accuracy": [0.1, 0.2, 0.3]}
    joined["loss"].append(0.0)
    assert first["loss"] == [3.0, 2.0]
    assert training.join_histories(first) == first


def test_histories_with_different_keys_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Received histories with keys .*val_loss.*expected the same in each"):
        training.join_histories({"loss": [1.0]}, {"loss": [1.0], "val_loss": [1.0]})


def test_no_history_is_refused() -> None:
    with pytest.raises(ValueError, match="Received no history, expected at least one"):
        training.join_histories()


@pytest.mark.slow
def test_after_the_same_seed_training_gives_the_same_weights() -> None:
    # In a process of its own: the order of operations stays fixed for the rest of it.
    code = """
import numpy as np, keras
from helpers import training

def run(seed):
    training.set_seed(seed)
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Dropout(0.5), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.random.normal(size=(32, 8, 8, 3)), np.arange(32) % 2, batch_size=8, verbose=0)
    return np.concatenate([weights.ravel() for weights in model.get_weights()])

first, again, other = run(5), run(5), run(6)
print(np.array_equal(first, again), np.array_equal(first, other))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "True False\n", done.stderr
