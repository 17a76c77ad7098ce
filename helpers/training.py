"""Train and judge: repeatable runs that survive an interruption, a head solved in a moment, one way to evaluate."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.preprocessing import StandardScaler

ARRAY_BATCH = 256  # rows of an array of inputs at a time
# What Keras' callbacks count from epoch to epoch, and forget when `fit` is called again.
COUNTERS = ("best", "best_epoch", "wait", "cooldown_counter")


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
        ValueError: if an array comes without labels, the labels are not one whole number a picture, or there is no
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
            f"Received labels of shape {labels.shape} for {len(probabilities)} pictures, expected one whole number a "
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


# --- Several epochs -----------------------------------------------------------------------------------------


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


def fit_resumable(
    model: keras.Model,
    train: tf.data.Dataset,
    *,
    validation: tf.data.Dataset | None = None,
    epochs: int,
    folder: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, list[float]]:
    """Do what `model.fit` does, and go on after the last whole epoch if it was interrupted: call it again.

    After each epoch everything that the next one depends on is saved: the weights, the state of the optimiser with
    its learning rate, of dropout, of the callbacks, and the history. What starts afresh is the order in which a
    shuffling data set gives its pictures, so only with a fixed order are the weights in the end the same, to the last
    bit, as without the interruption. (`keras.callbacks.BackupAndRestore` keeps weights and optimiser, but not the
    rest, nor the state of dropout; and it is left with a broken file if it is stopped while it writes.)

    Args:
        model: compiled, with the same layers and optimiser each time.
        train: batches of `(pictures, labels)`.
        validation: the same, for `val_loss` and the like.
        epochs: in all, those before the interruption included.
        folder: keeps the state; one folder a training. Delete it to begin anew.
        callbacks: as for `fit`; their counts go on as well.

    Returns:
        The history of all epochs, as `model.fit(...).history`.

    Raises:
        ValueError: if the model is not compiled, or the folder holds more than `epochs`, or a training of another
            model or with other callbacks.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> train = tf.data.Dataset.from_tensors(([[1.0]], [[2.0]]))
        >>> folder = tempfile.mkdtemp()
        >>> first = fit_resumable(model, train, epochs=2, folder=folder)
        >>> longer = fit_resumable(model, train, epochs=3, folder=folder)
        Going on after epoch 2 of 3.
        >>> len(longer["loss"]), longer["loss"][:2] == first["loss"]
        (3, True)
    """
    if not model.compiled:
        raise ValueError("Received a model that is not compiled, expected one ready for fit. Call model.compile(...).")
    keeper = _Keeper(Path(folder) / "state.npz", callbacks)
    done = len(next(iter(keeper.history.values()), []))
    if done > epochs:
        raise ValueError(
            f"Received epochs={epochs}, but the folder {Path(folder).name!r} holds {done}. "
            "Ask for that many or more, or use another folder."
        )
    if done:
        print(f"Stopped early after epoch {done}." if keeper.stopped else f"Going on after epoch {done} of {epochs}.")
        keeper.restore(model)
    # Also if nothing is left to do: the callbacks may have a last word, such as the best weights.
    model.fit(
        train,
        validation_data=validation,
        shuffle=False,  # that is the data set's own affair
        initial_epoch=epochs if keeper.stopped else done,
        epochs=epochs,
        callbacks=[*callbacks, keeper],
        verbose=0,
    )
    return {key: list(values) for key, values in keeper.history.items()}


class _Keeper(keras.callbacks.Callback):
    """Saves the state of a training after each epoch; comes last, when the other callbacks have had their say.

    Everything is in one file, which is written beside and renamed: it is whole, or it is the one before.
    """

    def __init__(self, file: Path, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        super().__init__()
        self.file = file
        self.others = callbacks
        self.history: dict[str, list[float]] = {}
        self.stopped = False
        self.counts: list[dict[str, float | None]] = []
        if file.exists():
            self.history, self.stopped, self.counts = json.loads(str(self._read()["state"]))
            if len(self.counts) != len(callbacks):
                raise ValueError(
                    f"Received {len(callbacks)} callbacks, but the training in the folder {file.parent.name!r} had "
                    f"{len(self.counts)}. Pass the same ones, in the same order."
                )

    def restore(self, model: keras.Model) -> None:
        arrays = self._read()
        kept = [arrays[f"variable{i}"] for i in range(sum(name.startswith("variable") for name in arrays))]
        if [array.shape for array in kept] != [variable.shape for variable in _variables(model)]:
            raise ValueError(
                f"Received a model other than the one whose training the folder {self.file.parent.name!r} holds. "
                "Use another folder."
            )
        _assign(model, kept)

    def on_train_begin(self, logs: dict | None = None) -> None:
        # Here, and not before: `fit` has just made every callback forget.
        for number, (callback, counts) in enumerate(zip(self.others, self.counts, strict=False)):  # none at first
            vars(callback).update(counts)
            if "best_weights" in vars(callback):
                arrays = self._read()
                names = (f"best{number}_{i}" for i in range(len(self.model.weights)))
                callback.best_weights = [arrays[name] for name in names if name in arrays] or None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(float(value))
        self.stopped = bool(self.model.stop_training)
        self.counts = [_counts(callback) for callback in self.others]
        arrays = {f"variable{i}": value for i, value in enumerate(_values(self.model))}
        for number, callback in enumerate(self.others):
            best = getattr(callback, "best_weights", None) or []
            arrays |= {f"best{number}_{i}": weights for i, weights in enumerate(best)}
        arrays["state"] = np.array(json.dumps([self.history, self.stopped, self.counts]))
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_name("unfinished.npz")
        np.savez(beside, **arrays)
        beside.replace(self.file)

    def _read(self) -> dict[str, np.ndarray]:
        with np.load(self.file) as arrays:
            return dict(arrays)


def _counts(callback: keras.callbacks.Callback) -> dict[str, float | None]:
    counts = {key: vars(callback)[key] for key in COUNTERS if key in vars(callback)}
    return {key: value if value is None else float(value) for key, value in counts.items()}


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes: weights, averages, what dropout draws from next, and the optimiser's own."""
    if not model.optimizer.built:  # with mixed precision, building twice adds variables
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _values(model: keras.Model) -> list[np.ndarray]:
    return [variable.value.numpy() for variable in _variables(model)]


def _assign(model: keras.Model, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


@dataclass(frozen=True)
class Spread:
    """The same measurement with several seeds.

    Attributes:
        values: one a seed, in their order.
        mean: of the values.
        deviation: standard deviation of one value (n - 1 in the denominator).
    """

    values: tuple[float, ...]
    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.deviation:.3f} ({len(self.values)} seeds)"


def spread(run: Callable[[int], float], *, seeds: Iterable[int]) -> Spread:
    """Measure the same thing with several seeds: a difference smaller than the deviation is none.

    Args:
        run: takes a seed and gives a number, such as an accuracy; begins with `set_seed(seed)`.
        seeds: two or more, all different.

    Raises:
        ValueError: if there are fewer than two seeds, or one comes twice.

    Example:
        >>> result = spread(lambda seed: 0.80 + 0.01 * seed, seeds=range(5))
        >>> print(result)
        0.820 ± 0.016 (5 seeds)
    """
    seeds = list(seeds)
    if len(set(seeds)) < max(2, len(seeds)):
        raise ValueError(f"Received seeds {seeds}, expected two or more, all different. Use range(5).")
    values = tuple(float(run(seed)) for seed in seeds)
    return Spread(values, float(np.mean(values)), float(np.std(values, ddof=1)))


def find_learning_rate(
    model: keras.Model, batches: tf.data.Dataset, *, low: float = 1e-6, high: float = 1.0, steps: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Train for a moment with a growing learning rate, and return the loss at each: good rates lie where it falls.

    Afterwards the model and its optimiser are as they were before.

    Args:
        model: compiled, with a learning rate that is a number.
        batches: of `(pictures, labels)`; begun again where there are fewer than `steps`.
        low: first learning rate.
        high: last learning rate; each is the same factor above the one before.
        steps: batches in all. Training ends before that once the loss is no number any more.

    Returns:
        Learning rates and losses, two float arrays of one length. Each loss is that of one batch, before its step.

    Raises:
        ValueError: if the model is not compiled, its learning rate follows a schedule, or the range is none.

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
    if not model.compiled or isinstance(_learning_rate_of(model.optimizer), Mapping):
        raise ValueError(
            "Received a model that is not compiled, or with a schedule, expected one with a learning rate that is a "
            'number. Compile it, for example with optimizer="adam".'
        )
    if not (0 < low < high and steps > 1):
        raise ValueError(
            f"Received low={low}, high={high}, steps={steps}, expected 0 < low < high and two steps or more."
        )
    before = _values(model)
    rates, losses = np.geomspace(low, high, steps), []
    try:
        for rate, (inputs, labels) in zip(rates, batches.repeat().take(steps), strict=True):
            model.optimizer.learning_rate = rate
            model.reset_metrics()
            losses.append(float(model.train_on_batch(inputs, labels, return_dict=True)["loss"]))
            if not np.isfinite(losses[-1]):
                break
    finally:  # also when the cell is interrupted: a model left at a rate of 1 is ruined
        _assign(model, before)
        model.reset_metrics()
    return rates[: len(losses)], np.array(losses)


def _learning_rate_of(optimizer: keras.Optimizer) -> object:
    """Return the rate as it was given, a schedule as a mapping; with mixed precision it is the inner optimiser's."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return keras.optimizers.serialize(inner)["config"]["learning_rate"]
