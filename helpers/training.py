"""Train and judge: repeatable runs, a head solved in a moment, and one way to evaluate every model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.preprocessing import StandardScaler

ARRAY_BATCH = 256  # rows of an array of inputs at a time


@dataclass(frozen=True)
class Evaluation:
    """How a model did on one split.

    Attributes:
        accuracy: share of right answers, 0..1.
        labels: int64 `(pictures,)`, the truth.
        probabilities: float32 `(pictures, classes)`, in the same order.
    """

    accuracy: float
    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each picture, int64 `(pictures,)`."""
        return self.probabilities.argmax(axis=1)

    @property
    def confusion(self) -> np.ndarray:
        """Counts `(classes, classes)`: rows are true classes, columns predicted ones."""
        return confusion_matrix(self.labels, self.predicted, labels=range(self.probabilities.shape[1]))

    def mistakes(self) -> np.ndarray:
        """Return the positions of the wrong answers, the most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")]


def set_seed(seed: int) -> None:
    """Make the runs that follow repeatable: Python, NumPy, TensorFlow, and the order of operations.

    Args:
        seed: any whole number.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def as_class_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Turn a model's outputs into one column a class: a single sigmoid unit gives the second class of two.

    Args:
        outputs: float `(pictures, 1)` from a sigmoid, or `(pictures, classes)` from a softmax.

    Returns:
        float `(pictures, classes)`; each row sums to 1.

    Example:
        >>> as_class_probabilities(np.array([[0.25]])).tolist()
        [[0.75, 0.25]]
    """
    outputs = np.asarray(outputs)
    return np.concatenate([1 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def evaluate(model: keras.Model, inputs: tf.data.Dataset | np.ndarray, labels: np.ndarray | None = None) -> Evaluation:
    """Let a model answer for a whole split, once, keeping labels and answers in the same order.

    Args:
        model: gives probabilities, one sigmoid unit or one softmax unit a class.
        inputs: batches of `(inputs, labels)`, or one array of inputs.
        labels: int `(pictures,)`, with an array of inputs.

    Returns:
        An `Evaluation`.

    Raises:
        ValueError: if an array comes without labels.
    """
    if isinstance(inputs, tf.data.Dataset):
        pairs = [(model.predict_on_batch(batch), truth.numpy()) for batch, truth in inputs]
        outputs = np.concatenate([output for output, _ in pairs])
        labels = np.concatenate([truth for _, truth in pairs])
    elif labels is None:
        raise ValueError("Received inputs without labels, expected both. Pass `labels` after the array.")
    else:
        # Called directly: `predict` would compile anew for each of the many small models that are compared.
        starts = range(0, len(inputs), ARRAY_BATCH)
        outputs = np.concatenate([np.asarray(model(inputs[i : i + ARRAY_BATCH], training=False)) for i in starts])
    probabilities = as_class_probabilities(outputs)
    labels = np.asarray(labels).astype(np.int64)
    return Evaluation(float((probabilities.argmax(axis=1) == labels).mean()), labels, probabilities)


def standard_error(accuracy: float, count: int) -> float:
    """Return the standard error of an accuracy measured on `count` pictures, both as shares (Wald, n >= 1).

    Example:
        >>> round(standard_error(0.9, 100), 2)
        0.03
    """
    return float(np.sqrt(accuracy * (1 - accuracy) / count))


def fit_logistic_head(
    features: np.ndarray, labels: np.ndarray, *, num_classes: int, penalty: float = 1.0
) -> keras.Model:
    """Return one softmax layer on top of features, solved to the optimum instead of trained in epochs.

    The loss of a single layer has one minimum, and scikit-learn's logistic regression walks straight to it. The
    features are standardised for that; the result is folded back, so the layer takes them as they are.

    Args:
        features: float `(pictures, channels)`.
        labels: int `(pictures,)`.
        num_classes: units of the layer.
        penalty: strength of the L2 penalty on standardised weights, per picture times the number of pictures.

    Returns:
        A `keras.Model`: features in, probabilities `(pictures, num_classes)` out.

    Raises:
        ValueError: if a class has no picture.

    Example:
        >>> features = np.array([[0.0], [0.1], [0.9], [1.0]])
        >>> head = fit_logistic_head(features, np.array([0, 0, 1, 1]), num_classes=2)
        >>> head.predict(features, verbose=0).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    present = np.unique(labels)
    if not np.array_equal(present, np.arange(num_classes)):
        raise ValueError(
            f"Received labels of {len(present)} classes {present.tolist()}, expected 0 to {num_classes - 1}. "
            "Give every class a picture."
        )
    scaler = StandardScaler().fit(features)
    solver = LogisticRegression(C=1 / penalty, max_iter=1000)
    solver.fit(scaler.transform(features), labels)
    weights, bias = solver.coef_, solver.intercept_
    if num_classes == 2:  # scikit-learn solves two classes with one unit: logits (-z/2, z/2) give the same softmax
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / scaler.scale_
    bias = bias - weights @ scaler.mean_
    layer = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")
    head = keras.Sequential([keras.Input((features.shape[1],)), layer], name="head")
    layer.set_weights([weights.T, bias])
    return head


def attach_head(backbone: keras.Model, head: keras.Model) -> keras.Model:
    """Join a backbone and a head trained on its averaged features into one model: raw pictures in, probabilities out.

    Args:
        backbone: from `backbones.build`.
        head: takes `(pictures, channels)`.

    Returns:
        A `keras.Model` whose backbone stays in inference mode and frozen.
    """
    backbone.trainable = False
    inputs = keras.Input(backbone.input_shape[1:], name="picture")
    pooled = keras.layers.GlobalAveragePooling2D(name="average")(backbone(inputs, training=False))
    return keras.Model(inputs, head(pooled), name=f"{backbone.name}_classifier")


def join_histories(*histories: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Join the histories of one model trained in several calls of `fit`, as if it had been one.

    Args:
        histories: what `model.fit(...).history` held each time, with the same keys.

    Raises:
        ValueError: if the keys differ, or there is no history.

    Example:
        >>> join_histories({"loss": [0.7, 0.5]}, {"loss": [0.4]})
        {'loss': [0.7, 0.5, 0.4]}
    """
    if not histories:
        raise ValueError("Received no history, expected at least one. Pass what `model.fit(...).history` holds.")
    keys = [sorted(history) for history in histories]
    if any(names != keys[0] for names in keys):
        raise ValueError(f"Received histories with keys {keys}, expected the same in each. Use the same metrics.")
    return {key: [value for history in histories for value in history[key]] for key in histories[0]}
