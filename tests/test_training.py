"""helpers.training: a head solved to the optimum, a model joined without drift, and evaluation in order."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import training
from tests.conftest import keras_and_numpy_2

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


def test_a_picture_or_two_per_class_are_enough() -> None:
    labels = np.arange(30) % 20  # pytest makes scikit-learn's doubt, whether these are classes, an error
    head = training.fit_logistic_head(np.eye(20)[labels], labels, num_classes=20, penalty=0.1)
    assert head(np.eye(20)).numpy().argmax(axis=1).tolist() == list(range(20))


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


def thaw(backbone: keras.Model, *, normalisation: bool) -> None:
    """Make a backbone trainable, its batch normalisation only if asked for."""
    backbone.trainable = True
    for layer in backbone.layers:
        layer.trainable = normalisation or not isinstance(layer, keras.layers.BatchNormalization)


@pytest.mark.parametrize(("normalisation", "kept"), [(True, False), (False, True)], ids=["trainable", "frozen"])
def test_only_frozen_batch_normalisation_stays_in_inference_mode(
    tiny_backbone: keras.Model, normalisation: bool, kept: bool
) -> None:
    """Keras 3's `fit` overrides `training=False` inside a functional model; if this fails, it no longer does."""
    pictures = np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 3)).astype(np.float32)
    head = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, activation="softmax")])
    model = training.attach_head(tiny_backbone, head)
    np.testing.assert_array_equal(model(pictures, training=True), model(pictures, training=False))  # all is frozen
    thaw(tiny_backbone, normalisation=normalisation)
    assert np.allclose(model(pictures, training=True), model(pictures, training=False), atol=1e-5) == kept
    (layer,) = (each for each in tiny_backbone.layers if isinstance(each, keras.layers.BatchNormalization))
    stored = layer.moving_mean.numpy()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    model.fit(pictures, np.arange(8) % 2, verbose=0)
    assert np.array_equal(layer.moving_mean, stored) == kept


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


# --- An interrupted training --------------------------------------------------------------------------------


class PowerCut(Exception):  # noqa: N818 - it is no error of the program's
    """What ends a training in the middle."""


class CutIn(keras.callbacks.Callback):
    """Raises when an epoch (counted from 1) has begun, or never."""

    def __init__(self, epoch: int | None) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.running = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.running == self.epoch and batch == 1:
            raise PowerCut


def make_batches(*, seed: int = 0) -> tf.data.Dataset:
    """Sixteen points of two overlapping classes, in batches of 4."""
    rng = np.random.default_rng(seed)
    labels = np.arange(16) % 2
    points = (rng.normal(size=(16, 3)) + labels[:, None]).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((points, labels)).batch(4)


def build_dropping(*, rate: float = 0.5) -> keras.Model:
    """A new model as in a new process: the same first weights, dropout and batch normalisation inside, compiled."""
    keras.utils.set_random_seed(3)
    stack = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.ReLU()]
    model = keras.Sequential([keras.Input((3,)), *stack, keras.layers.Dropout(rate), keras.layers.Dense(2, "softmax")])
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def build_ready(build: Callable[[], keras.Model] = build_dropping) -> keras.Model:
    """A new model whose optimizer has its variables: in `fit`, the whole would be traced twice for them."""
    model = build()
    model.optimizer.build(model.trainable_variables)
    return model


def fit_or_resume(folder: Path, *callbacks: keras.callbacks.Callback, cut_in: int | None = None) -> keras.Model:
    """Train for six epochs as the lesson does, with Keras' own callbacks; dropout is off, since its draws are lost."""
    model = build_dropping(rate=0.0)
    log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
    backup = keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True)
    options = {"validation_data": make_batches(seed=1), "epochs": 6, "shuffle": False, "verbose": 0}
    try:
        model.fit(make_batches(), callbacks=[CutIn(cut_in), *callbacks, log, backup], **options)
    finally:
        log.on_train_end()  # closes its file, which an interruption leaves open
    return model


def interrupt(folder: Path, *callbacks: keras.callbacks.Callback) -> None:
    folder.mkdir()
    with pytest.raises(PowerCut):
        fit_or_resume(folder, *callbacks, cut_in=4)


def lower(epoch: int, rate: float) -> float:
    """A learning rate that is lowered once, in the third epoch."""
    return 0.01 if epoch == 2 else rate


def keep_best(folder: Path, **options: float | None) -> keras.callbacks.Callback:
    return keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True, monitor="loss", **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    """The model of a training that nothing interrupted; no test changes it."""
    return fit_or_resume(tmp_path_factory.mktemp("whole"), keras.callbacks.LearningRateScheduler(lower))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an interrupted training leaves: backup, log and best model; each test goes on in a copy."""
    folder = tmp_path_factory.mktemp("left") / "cut"
    interrupt(folder, keras.callbacks.LearningRateScheduler(lower), keep_best(folder))
    return folder


@keras_and_numpy_2
@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "the last file damaged"])
def test_what_kerass_backup_keeps(damaged: bool, whole: keras.Model, left: Path, tmp_path: Path) -> None:
    """Weights, optimizer, the learning rate as it was lowered, the epoch; and the log goes on."""
    folder = shutil.copytree(left, tmp_path / "cut")
    if damaged:  # the one before is taken, and an epoch done again
        file = folder / "backup" / "latest.weights.h5"
        file.write_bytes(file.read_bytes()[:1000])
    resumed = fit_or_resume(folder, keras.callbacks.LearningRateScheduler(lower))
    for one, other in zip(all_variables(whole), all_variables(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    epochs = np.loadtxt(folder / "log.csv", delimiter=",", skiprows=1, usecols=0).tolist()
    assert epochs == ([0, 1, 2, 2, 3, 4, 5] if damaged else [0, 1, 2, 3, 4, 5])
    assert not (folder / "backup").exists(), "what is over is cleared away"


@keras_and_numpy_2
def test_what_kerass_backup_forgets(left: Path, tmp_path: Path) -> None:
    """The other callbacks count anew, so a best model is overwritten by a worse one unless the best so far is told."""
    for threshold, overwritten in ((None, True), (-1.0, False)):
        folder = shutil.copytree(left, tmp_path / str(threshold))
        before = (folder / "best.keras").read_bytes()
        fit_or_resume(folder, keep_best(folder, initial_value_threshold=threshold))
        assert ((folder / "best.keras").read_bytes() != before) == overwritten


def all_variables(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]


def refuse(message: str) -> pytest.RaisesExc:
    return pytest.raises(ValueError, match=message)


@pytest.mark.parametrize("labels", [np.zeros((4, 1)), np.zeros((4, 2)), np.zeros(1)])
def test_labels_that_are_not_one_a_picture_are_refused(labels: np.ndarray) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    with refuse(r"Received labels of shape .* for 4 pictures"):
        training.evaluate(model, np.zeros((4, 3), np.float32), labels)


def test_a_data_set_without_a_batch_cannot_be_evaluated() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    with refuse("Received no batch"):
        training.evaluate(model, make_batches().take(0))


@keras_and_numpy_2
def test_the_callbacks_have_the_monitor_and_the_patience_asked_for(tmp_path: Path) -> None:
    best, slower, stop = training.checkpoint_callbacks(tmp_path / "new" / "deep", monitor="val_accuracy", patience=5)
    assert {callback.monitor for callback in (best, slower, stop)} == {"val_accuracy"}
    assert (slower.patience, stop.patience) == (2, 5)
    assert best.save_best_only and stop.restore_best_weights
    assert best.filepath == str(tmp_path / "new" / "deep" / "best.keras")
    assert training.checkpoint_callbacks(tmp_path, patience=1)[1].patience == 1
    build_ready().fit(
        make_batches(),
        validation_data=make_batches(),
        callbacks=[best, slower, stop],
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    assert Path(best.filepath).exists()


# --- Learning rates -----------------------------------------------------------------------------------------


def build_line(optimiser: str | keras.optimizers.Optimizer = "sgd") -> keras.Model:
    """y = w x, from w = 0."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimiser, "mse")
    return model


ONE_POINT = tf.data.Dataset.from_tensors(([[1.0]], [[2.0]]))


def test_losses_by_hand() -> None:
    # The loss is (w - 2)², its gradient 2 (w - 2): each step leaves 1 - 2 rate of the distance.
    rates, losses = training.find_learning_rate(build_line(), ONE_POINT, low=0.01, high=1.0, steps=9)
    np.testing.assert_allclose(rates, 10.0 ** np.linspace(-2, 0, 9))
    distances = 2 * np.cumprod([1, *(1 - 2 * rates[:-1])])
    np.testing.assert_allclose(losses, distances**2, rtol=1e-3)


@pytest.mark.parametrize("build", [build_dropping, lambda: build_line("adam")], ids=["deep", "adam"])
def test_everything_is_as_it_was_before(build: Callable[[], keras.Model]) -> None:
    model = build_ready(build)
    batches = make_batches() if model.input_shape == (None, 3) else ONE_POINT
    model.fit(batches, shuffle=False, verbose=0)
    before = all_variables(model)
    training.find_learning_rate(model, batches, high=0.5, steps=7)
    for old, new in zip(before, all_variables(model), strict=True):
        np.testing.assert_array_equal(old, new)
    twin = build_ready(build)
    twin.fit(batches, shuffle=False, verbose=0)
    histories = [each.fit(batches, epochs=2, shuffle=False, verbose=0).history for each in (model, twin)]
    assert histories[0] == histories[1]


def test_it_ends_when_the_loss_is_no_number() -> None:
    rates, losses = training.find_learning_rate(build_line(), ONE_POINT, low=1.0, high=1e9, steps=40)
    assert len(rates) == len(losses) < 40
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1])


def test_everything_is_as_it_was_before_if_it_is_interrupted() -> None:
    def break_off(point: tf.Tensor, truth: tf.Tensor) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        yield point, truth
        yield point, truth
        raise PowerCut

    model = build_line("adam")
    model.fit(ONE_POINT, shuffle=False, verbose=0)
    before = all_variables(model)
    signature = ONE_POINT.element_spec
    stopping = tf.data.Dataset.from_generator(lambda: break_off([[1.0]], [[2.0]]), output_signature=signature)
    with pytest.raises(tf.errors.OpError, match="PowerCut"):
        training.find_learning_rate(model, stopping, steps=9)
    for old, new in zip(before, all_variables(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_mixed_precision_has_a_learning_rate_too() -> None:
    model = build_line(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05)))
    rates, _ = training.find_learning_rate(model, ONE_POINT, steps=3)
    assert len(rates) == 3
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_what_has_no_one_learning_rate_is_refused() -> None:
    with refuse("Received a model that is not compiled"):
        training.find_learning_rate(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), ONE_POINT)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        training.find_learning_rate(build_line(keras.optimizers.SGD(schedule)), ONE_POINT)


@pytest.mark.parametrize("options", [{"low": 0.0}, {"low": 2.0}, {"steps": 1}, {"low": 1.0, "high": 1.0}])
def test_a_range_that_is_none_is_refused(options: dict[str, float]) -> None:
    with refuse(r"Received low=.*, expected 0 < low < high and two steps or more"):
        training.find_learning_rate(build_line(), ONE_POINT, **options)


def train_from_seed(seed: int) -> np.ndarray:
    training.set_seed(seed)
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Dropout(0.5), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    model.fit(np.random.normal(size=(32, 8, 8, 3)), np.arange(32) % 2, batch_size=8, verbose=0)
    return np.concatenate([weights.ravel() for weights in model.get_weights()])


@pytest.mark.slow
def test_after_the_same_seed_training_gives_the_same_weights() -> None:
    # The order of operations stays fixed for the rest of this process, as after every fine-tuning (test_tuning).
    first, again, other = (train_from_seed(seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_log_likelihood_is_the_negative_of_the_log_loss() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], "float32")
    found = training.Evaluation(accuracy=2 / 3, labels=np.array([0, 1, 1]), probabilities=probabilities)
    assert found.log_likelihood == pytest.approx(-log_loss(found.labels, probabilities), rel=1e-5)


def test_balanced_accuracy_counts_each_class_the_same() -> None:
    labels = np.array([0] * 8 + [1] * 2 + [2] * 2)
    predicted = np.array([0] * 8 + [0, 1] + [0, 0])
    found = training.Evaluation(9 / 12, labels, np.eye(4)[predicted])
    np.testing.assert_allclose(found.recalls, [1, 0.5, 0, np.nan])
    assert found.balanced_accuracy == pytest.approx(0.5)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert found.classes_differ_in_size
    assert not training.Evaluation(1.0, labels[6:10], np.eye(2)[labels[6:10]]).classes_differ_in_size


# --- The same network from the start --------------------------------------------------------------------------


def test_a_restarted_model_trains_as_a_new_one_does():
    def build():
        hidden = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.5)]
        return keras.Sequential([keras.Input((3,)), *hidden, keras.layers.Dense(2, activation="softmax")])

    def fit(model):
        return model.fit(rows, labels, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]

    rows, labels = np.random.default_rng(0).normal(size=(8, 3)).astype("float32"), np.arange(8) % 2
    keras.utils.set_random_seed(1)
    new, used = build(), build()
    for model in (new, used):
        model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    new.optimizer.build(new.trainable_variables)  # or `fit` would trace the whole twice; `restart` does it for `used`
    training.restart(used, build, seed=2)  # not trained yet: nothing to forget
    other = fit(used)
    training.restart(used, build, seed=1)
    assert fit(used) == pytest.approx(fit(new), rel=1e-6)
    assert fit(used) != pytest.approx(other)
