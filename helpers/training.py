"""Train and judge: repeatable runs, a head solved in a moment, callbacks for long trainings, one way to evaluate."""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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

    @property
    def recalls(self) -> np.ndarray:
        """Of each class, the share that was recognised: float `(classes,)`, NaN for a class without a picture."""
        counts = self.confusion.sum(axis=1)
        return np.where(counts > 0, self.confusion.diagonal() / np.maximum(counts, 1), np.nan)

    @property
    def log_likelihood(self) -> float:
        """The mean logarithm of the probability of the right answer, at most 0; the higher, the better.

        A small split's accuracy hangs on a picture or two, its likelihood on all of them.
        """
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(np.log(right + 1e-12).mean())

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the recalls: 1 / classes for who always names the largest class, however large it is."""
        return float(np.nanmean(self.recalls))

    @property
    def classes_differ_in_size(self) -> bool:
        """Whether the largest class is over 1.5 times the smallest: accuracy then speaks mostly of the largest."""
        counts = self.confusion.sum(axis=1)
        return bool(counts.max() > 1.5 * counts.min())

    def mistakes(self) -> np.ndarray:
        """Return the positions of the wrong answers, the most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")]


def set_seed(seed: int) -> None:
    """Make the runs that follow repeatable: Python, NumPy, TensorFlow, and the order of operations."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def as_class_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Turn a model's outputs into one column per class: a single sigmoid unit gives the second class of two.

    Args:
        outputs: float `(pictures, 1)` from a sigmoid, or `(pictures, classes)` from a softmax.

    Returns:
        float `(pictures, classes)`; each row sums to 1.

    Example:
        >>> as_class_probabilities(np.array([[0.25]])).tolist()
        [[0.75, 0.25]]
    """
    outputs = np.asarray(outputs)
    # (pictures, 1) -> (pictures, 2)
    return np.concatenate([1 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def evaluate(model: keras.Model, inputs: tf.data.Dataset | np.ndarray, labels: np.ndarray | None = None) -> Evaluation:
    """Let a model answer for a whole split, once, keeping labels and answers in the same order.

    Args:
        model: gives probabilities, one sigmoid unit or one softmax unit per class.
        inputs: batches of `(inputs, labels)`, or one array of inputs.
        labels: int `(pictures,)`, with an array of inputs.

    Raises:
        ValueError: if an array comes without labels, the labels are not one whole number per picture, or there is no
            batch.
    """
    if isinstance(inputs, tf.data.Dataset):
        pairs = [(model.predict_on_batch(batch), truth.numpy()) for batch, truth in inputs]
        if not pairs:
            raise ValueError("Received no batch, expected one or more. Give a split with pictures in it.")
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
    if labels.shape != probabilities.shape[:1]:  # NumPy would compare each answer with each label
        raise ValueError(
            f"Received labels of shape {labels.shape} for {len(probabilities)} pictures, expected one whole number per "
            "picture. Pass labels.ravel() of a column, labels.argmax(axis=1) of one-hot labels."
        )
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
    with warnings.catch_warnings():  # with a picture or two per class, scikit-learn asks whether these are classes
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        solver.fit(scaler.transform(features), labels)
    weights, bias = solver.coef_, solver.intercept_  # (classes, channels), (classes,); one row for two classes
    if num_classes == 2:  # scikit-learn solves two classes with one unit: logits (-z/2, z/2) give the same softmax
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / scaler.scale_
    bias = bias - weights @ scaler.mean_
    layer = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")
    head = keras.Sequential([keras.Input((features.shape[1],)), layer], name="head")
    layer.set_weights([weights.T, bias])
    return head


def attach_head(backbone: keras.Model, head: keras.Model) -> keras.Model:
    """Join a frozen backbone and a head on its averaged features into one model: raw pictures in, probabilities out.

    The backbone answers as in use, also while the head is trained, for as long as it is frozen: it is called with
    `training=False`, but `fit` overrides that inside a functional model. So before you set `backbone.trainable = True`,
    know that its batch normalisation then runs on the statistics of each batch and overwrites those stored, unless
    each of these layers has `trainable = False` again.

    Args:
        backbone: from `backbones.build`; it is frozen.
        head: takes `(pictures, channels)`.
    """
    backbone.trainable = False
    inputs = keras.Input(backbone.input_shape[1:], name="picture")
    maps = backbone(inputs, training=False)  # (b, height, width, 3) -> (b, h, w, channels)
    pooled = keras.layers.GlobalAveragePooling2D(name="average")(maps)  # -> (b, channels)
    return keras.Model(inputs, head(pooled), name=f"{backbone.name}_classifier")


def checkpoint_callbacks(
    folder: str | Path, *, monitor: str = "val_loss", patience: int = 6
) -> list[keras.callbacks.Callback]:
    """Return the three callbacks that end most trainings: keep the best, slow down, stop.

    Args:
        folder: where the model of the best epoch goes, as `best.keras`; made if it is not there.
        monitor: the metric that says which epoch is the best.
        patience: epochs without a better one before training stops and the best weights come back. After half as
            many, the learning rate is divided by 5.

    Returns:
        `ModelCheckpoint`, `ReduceLROnPlateau` and `EarlyStopping`, new ones at each call.

    Example:
        >>> import tempfile
        >>> [type(callback).__name__ for callback in checkpoint_callbacks(tempfile.mkdtemp())]
        ['ModelCheckpoint', 'ReduceLROnPlateau', 'EarlyStopping']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    callbacks = keras.callbacks
    return [
        callbacks.ModelCheckpoint(folder / "best.keras", monitor=monitor, save_best_only=True),
        callbacks.ReduceLROnPlateau(monitor=monitor, factor=0.2, patience=max(1, patience // 2)),
        callbacks.EarlyStopping(monitor=monitor, patience=patience, restore_best_weights=True),
    ]


def restart(model: keras.Model, build: Callable[[], keras.Model], *, seed: int) -> None:
    """Make a compiled model as new: first weights of this seed, dropout from its start, an optimizer without memory.

    For many short trainings of one network. A new model, and any model after `set_seed`, would first be prepared by
    TensorFlow anew, which takes longer than they do. So would one whose optimizer is still to be built in `fit`.

    Args:
        model: is changed.
        build: makes such a model anew, compiled or not.
        seed: of the first weights and of dropout; the order of the pictures has its own.
    """
    random.seed(seed)  # from which Keras draws the seeds of all initializers and dropouts that have none
    for variable, first in zip(model.variables, build().variables, strict=True):
        variable.assign(first)
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
        return
    start = optimizer.from_config(optimizer.get_config())
    start.build(model.trainable_variables)
    for variable, first in zip(optimizer.variables, start.variables, strict=True):
        variable.assign(first)


def find_learning_rate(
    model: keras.Model, batches: tf.data.Dataset, *, low: float = 1e-6, high: float = 1.0, steps: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Train for a moment with a growing learning rate, and return the loss at each: good rates lie where it falls.

    Afterwards the model and its optimizer are as they were before.

    Args:
        model: compiled, with a learning rate that is a number (Keras refuses to set that of a schedule).
        batches: of `(pictures, labels)`; begun again where there are fewer than `steps`.
        low: first learning rate.
        high: last learning rate; each is the same factor above the one before.
        steps: batches in all. Training ends before that once the loss is no number any more.

    Returns:
        Learning rates and losses, two float arrays of one length. Each loss is that of one batch, before its step.

    Raises:
        ValueError: if the model is not compiled, or the range is none.

    Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3; there the rate grows by
    the same amount, not the same factor.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> batches = tf.data.Dataset.from_tensors(([[1.0]], [[2.0]]))
        >>> rates, losses = find_learning_rate(model, batches, low=0.001, high=0.1, steps=3)
        >>> rates.round(3).tolist(), losses.shape
        ([0.001, 0.01, 0.1], (3,))
    """
    if not model.compiled:
        raise ValueError("Received a model that is not compiled, expected one ready for fit. Call model.compile(...).")
    if not (0 < low < high and steps > 1):
        raise ValueError(
            f"Received low={low}, high={high}, steps={steps}, expected 0 < low < high and two steps or more. "
            "Try low=1e-6, high=1.0, steps=100."
        )
    if not model.optimizer.built:  # with mixed precision, building twice adds variables
        model.optimizer.build(model.trainable_variables)
    # All that training changes: weights, averages, what dropout draws from next, and the optimizer's own.
    variables = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    rates, losses = np.geomspace(low, high, steps), []
    try:
        for rate, (inputs, labels) in zip(rates, batches.repeat().take(steps), strict=True):
            model.optimizer.learning_rate = rate
            model.reset_metrics()
            losses.append(float(model.train_on_batch(inputs, labels, return_dict=True)["loss"]))
            if not np.isfinite(losses[-1]):
                break
    finally:  # also when the cell is interrupted: a model left at a rate of 1 is ruined
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        model.reset_metrics()
    return rates[: len(losses)], np.array(losses)
