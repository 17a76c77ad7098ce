"""helpers.training: a head solved to the optimum, a model joined without drift, and evaluation in order."""

import json
import subprocess
import sys
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


def test_a_spread_is_the_mean_and_the_deviation_of_one_value() -> None:
    measured = {3: 0.80, 1: 0.82, 7: 0.87}
    asked = []
    result = training.spread(lambda seed: asked.append(seed) or np.float32(measured[seed]), seeds=iter(measured))
    assert asked == [3, 1, 7]
    assert result.values == pytest.approx((0.80, 0.82, 0.87))
    assert result.mean == pytest.approx(0.83)
    assert result.deviation == pytest.approx(np.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2))
    assert str(result) == "0.830 ± 0.036 (3 seeds)"
    assert all(type(value) is float for value in (*result.values, result.mean, result.deviation))
    with pytest.raises(AttributeError):
        result.mean = 1.0


@pytest.mark.parametrize("seeds", [[], [1], [1, 1], [1, 2, 1]])
def test_a_spread_needs_different_seeds(seeds: list[int]) -> None:
    def run(seed: int) -> float:
        raise AssertionError("nothing is trained for a wrong list of seeds")

    with pytest.raises(ValueError, match=r"Received seeds \[.*\], expected two or more, all different"):
        training.spread(run, seeds=seeds)


# --- An interrupted training --------------------------------------------------------------------------------

# Keras' own saving, in ModelCheckpoint.
saves = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


class PowerCut(Exception):  # noqa: N818 - it is no error of the program's
    """What ends a training in the middle."""


class CutIn(keras.callbacks.Callback):
    """Raises when an epoch (counted from 1) has begun, or when it ends."""

    def __init__(self, epoch: int, *, at_end: bool = False) -> None:
        super().__init__()
        self.epoch, self.at_end = epoch, at_end

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.running == self.epoch and batch == 1 and not self.at_end:
            raise PowerCut

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.running = epoch + 1

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.running == self.epoch and self.at_end:
            raise PowerCut


class Nothing(keras.callbacks.Callback):
    """Holds the place of `CutIn` in the list."""


def make_batches(*, seed: int = 0, shuffle: bool = False) -> tf.data.Dataset:
    """Sixteen points of two overlapping classes, in batches of 4."""
    rng = np.random.default_rng(seed)
    labels = np.arange(16) % 2
    points = (rng.normal(size=(16, 3)) + labels[:, None]).astype(np.float32)
    in_order = tf.data.Dataset.from_tensor_slices((points, labels))
    return (in_order.shuffle(16, seed=1) if shuffle else in_order).batch(4)


def build_dropping(units: int = 8) -> keras.Model:
    """A new model as in a new process: the same first weights, dropout and batch normalisation inside, compiled."""
    keras.utils.set_random_seed(3)
    stack = [keras.layers.Dense(units), keras.layers.BatchNormalization(), keras.layers.ReLU()]
    model = keras.Sequential([keras.Input((3,)), *stack, keras.layers.Dropout(0.5), keras.layers.Dense(2, "softmax")])
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(folder: Path, *callbacks: keras.callbacks.Callback, epochs: int = 6) -> tuple[keras.Model, dict]:
    model = build_dropping()
    history = training.fit_resumable(
        model, make_batches(), validation=make_batches(seed=1), epochs=epochs, folder=folder, callbacks=callbacks
    )
    return model, history


def assert_equal_training(first: tuple[keras.Model, dict], second: tuple[keras.Model, dict]) -> None:
    assert first[1] == second[1]
    for mine, theirs in zip(training._values(first[0]), training._values(second[0]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_it_is_what_fit_does(tmp_path: Path) -> None:
    model, history = fit(tmp_path)
    plain = build_dropping()
    expected = plain.fit(make_batches(), validation_data=make_batches(seed=1), epochs=6, shuffle=False, verbose=0)
    assert_equal_training((model, history), (plain, expected.history))
    assert {len(values) for values in history.values()} == {6}
    assert history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.fixture(scope="module")
def six_epochs(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, dict]:
    """A training that nothing interrupted."""
    return fit(tmp_path_factory.mktemp("six_epochs"), Nothing())


@pytest.mark.parametrize(
    ("epoch", "at_end"),
    [(1, False), (3, False), (3, True), (6, True)],
    ids=["in the first", "in mid-epoch", "before the epoch is saved", "at the very end"],
)
def test_after_an_interruption_the_end_is_the_same(
    epoch: int, at_end: bool, six_epochs: tuple[keras.Model, dict], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(PowerCut):
        fit(tmp_path, CutIn(epoch, at_end=at_end))
    resumed = fit(tmp_path, Nothing())
    printed = f"Going on after epoch {epoch - 1} of 6.\n" if epoch > 1 else ""
    assert capsys.readouterr().out == printed
    assert len(resumed[1]["loss"]) == 6
    assert_equal_training(resumed, six_epochs)


def test_the_same_model_can_go_on_in_the_same_process(tmp_path: Path) -> None:
    model = build_dropping()
    for cut in (CutIn(2), CutIn(5)):
        with pytest.raises(PowerCut):
            training.fit_resumable(model, make_batches(), epochs=6, folder=tmp_path / "cut", callbacks=[cut])
    history = training.fit_resumable(model, make_batches(), epochs=6, folder=tmp_path / "cut", callbacks=[Nothing()])
    whole = build_dropping()
    expected = training.fit_resumable(whole, make_batches(), epochs=6, folder=tmp_path / "b", callbacks=[Nothing()])
    assert_equal_training((model, history), (whole, expected))


def fit_until_it_stops(folder: Path, first: keras.callbacks.Callback, *, epochs: int = 30) -> tuple[keras.Model, dict]:
    """With this learning rate the validation loss soon rises: the plateau and the stopping come into play."""
    return fit(folder, first, *training.checkpoint_callbacks(folder, patience=4), epochs=epochs)


@saves
@pytest.mark.slow
def test_the_counts_of_callbacks_go_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    whole = fit_until_it_stops(tmp_path / "whole", Nothing())
    epochs = len(whole[1]["loss"])
    best = int(np.argmin(whole[1]["val_loss"])) + 1
    assert best + 4 == epochs < 30, "it stopped early"
    slower = int(np.flatnonzero(np.diff(whole[1]["learning_rate"]))[0]) + 2
    assert best < slower < epochs, "the learning rate went down"
    for epoch in (best, slower - 1, slower, epochs):
        folder = tmp_path / f"cut in {epoch}"
        with pytest.raises(PowerCut):
            fit_until_it_stops(folder, CutIn(epoch))
        assert_equal_training(fit_until_it_stops(folder, Nothing()), whole)
        kept = keras.models.load_model(folder / "best.keras")
        for mine, theirs in zip(whole[0].get_weights(), kept.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    capsys.readouterr()
    assert_equal_training(fit_until_it_stops(folder, Nothing(), epochs=40), whole)
    assert capsys.readouterr().out == f"Stopped early after epoch {epochs}.\n"


def test_more_epochs_can_be_asked_for_later(
    six_epochs: tuple[keras.Model, dict], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    fit(tmp_path, Nothing(), epochs=2)
    for _ in range(2):  # what is over is not trained again
        assert_equal_training(fit(tmp_path, Nothing()), six_epochs)
    assert capsys.readouterr().out == "Going on after epoch 2 of 6.\nGoing on after epoch 6 of 6.\n"


def test_a_shuffling_data_set_starts_its_orders_afresh(tmp_path: Path) -> None:
    """This is what the docstring says is not the same."""

    def run(folder: Path, *callbacks: keras.callbacks.Callback) -> dict[str, list[float]]:
        train = make_batches(shuffle=True)
        return training.fit_resumable(build_dropping(), train, epochs=4, folder=folder, callbacks=callbacks)

    with pytest.raises(PowerCut):
        run(tmp_path / "cut", CutIn(3))
    resumed, whole = run(tmp_path / "cut", Nothing()), run(tmp_path / "whole", Nothing())
    assert resumed["loss"][:2] == whole["loss"][:2]
    assert resumed["loss"][2] != whole["loss"][2]


def test_a_state_that_is_half_written_is_not_used(
    six_epochs: tuple[keras.Model, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = np.savez, []

    def save_until_the_lights_go_out(file: Path, **arrays: np.ndarray) -> None:
        calls.append(file)
        if len(calls) == 3:
            Path(file).write_bytes(b"PK half of it")
            raise PowerCut
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", save_until_the_lights_go_out)
    with pytest.raises(PowerCut):
        fit(tmp_path, Nothing())
    monkeypatch.undo()
    assert_equal_training(fit(tmp_path, Nothing()), six_epochs)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def refuse(message: str) -> pytest.RaisesExc:
    return pytest.raises(ValueError, match=message)


def test_what_does_not_fit_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    fit(folder, epochs=3)
    with refuse(r"Received epochs=2, but the folder 'runs' holds 3"):
        fit(folder, epochs=2)
    with refuse("Received a model other than the one whose training the folder 'runs' holds"):
        training.fit_resumable(build_dropping(9), make_batches(), epochs=4, folder=folder)
    with refuse(r"Received 1 callbacks, but the training in the folder 'runs' had 0\. Pass the same"):
        fit(folder, Nothing())
    with refuse(r"Received a model that is not compiled.*Call model\.compile"):
        training.fit_resumable(keras.Sequential([keras.Input((3,))]), make_batches(), epochs=4, folder=folder)


def test_the_state_of_another_optimizer_is_refused(tmp_path: Path) -> None:
    training.fit_resumable(build_line("adam"), ONE_POINT, epochs=1, folder=tmp_path)
    with refuse("Received a model other than the one"):
        training.fit_resumable(build_line("sgd"), ONE_POINT, epochs=2, folder=tmp_path)


@pytest.mark.parametrize("labels", [np.zeros((4, 1)), np.zeros((4, 2)), np.zeros(1)])
def test_labels_that_are_not_one_a_picture_are_refused(labels: np.ndarray) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    with refuse(r"Received labels of shape .* for 4 pictures"):
        training.evaluate(model, np.zeros((4, 3), np.float32), labels)


def test_a_data_set_without_a_batch_cannot_be_evaluated() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    with refuse("Received no batch"):
        training.evaluate(model, make_batches().take(0))


def test_the_state_is_plain_arrays(tmp_path: Path) -> None:
    """No pickle: a file from somebody else runs nothing."""
    _, history = fit(tmp_path)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
        assert json.loads(str(arrays["state"])) == [history, False, []]


@saves
def test_the_callbacks_have_the_monitor_and_the_patience_asked_for(tmp_path: Path) -> None:
    best, slower, stop = training.checkpoint_callbacks(tmp_path / "new" / "deep", monitor="val_accuracy", patience=5)
    assert {callback.monitor for callback in (best, slower, stop)} == {"val_accuracy"}
    assert (slower.patience, stop.patience) == (2, 5)
    assert best.save_best_only and stop.restore_best_weights
    assert best.filepath == str(tmp_path / "new" / "deep" / "best.keras")
    assert training.checkpoint_callbacks(tmp_path, patience=1)[1].patience == 1
    build_dropping().fit(
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
    model = build()
    batches = make_batches() if model.input_shape == (None, 3) else ONE_POINT
    model.fit(batches, shuffle=False, verbose=0)
    before = training._values(model)
    training.find_learning_rate(model, batches, high=0.5, steps=7)
    for old, new in zip(before, training._values(model), strict=True):
        np.testing.assert_array_equal(old, new)
    twin = build()
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
    before = training._values(model)
    signature = ONE_POINT.element_spec
    stopping = tf.data.Dataset.from_generator(lambda: break_off([[1.0]], [[2.0]]), output_signature=signature)
    with pytest.raises(tf.errors.OpError, match="PowerCut"):
        training.find_learning_rate(model, stopping, steps=9)
    for old, new in zip(before, training._values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_mixed_precision_is_taken_up_again_and_has_a_learning_rate(tmp_path: Path) -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(3)
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05))
        return build_line(scaled)

    training.fit_resumable(build(), ONE_POINT, epochs=1, folder=tmp_path)
    resumed = training.fit_resumable(build(), ONE_POINT, epochs=3, folder=tmp_path)
    whole = training.fit_resumable(build(), ONE_POINT, epochs=3, folder=tmp_path / "whole")
    assert resumed == whole
    rates, _ = training.find_learning_rate(build(), ONE_POINT, steps=3)
    assert len(rates) == 3


def test_what_has_no_one_learning_rate_is_refused() -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    uncompiled = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for model in (uncompiled, build_line(keras.optimizers.SGD(schedule))):
        with refuse("Received a model that is not compiled, or with a schedule"):
            training.find_learning_rate(model, ONE_POINT)


@pytest.mark.parametrize("options", [{"low": 0.0}, {"low": 2.0}, {"steps": 1}, {"low": 1.0, "high": 1.0}])
def test_a_range_that_is_none_is_refused(options: dict[str, float]) -> None:
    with refuse(r"Received low=.*, expected 0 < low < high and two steps or more"):
        training.find_learning_rate(build_line(), ONE_POINT, **options)


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
