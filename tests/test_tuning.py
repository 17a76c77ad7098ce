"""Fine-tuning: what learns, from what, in which order, and what comes out."""

from typing import NamedTuple

import keras
import numpy as np
import pytest

from helpers import backbones, tuning
from helpers.features import Features

BLOCK = "last"
SIDE = 8


def build_network() -> keras.Model:
    """A frozen bottom of one convolution, a top of one with batch normalisation; always the same weights."""
    keras.utils.set_random_seed(0)
    pictures = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 255)(pictures)
    x = keras.layers.Conv2D(4, 3, name="first_conv")(x)
    x = keras.layers.BatchNormalization(name="first_bn")(x)
    x = keras.layers.Conv2D(4, 3, name="last_conv")(x)
    x = keras.layers.BatchNormalization(name="last_bn")(x)
    return keras.Model(pictures, x, name="tiny")


def build_head() -> keras.Model:
    zeros = {"kernel_initializer": "zeros"}
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax", **zeros)])


def draw_maps(network: keras.Model, count: int = 40) -> Features:
    """Maps of two classes of pictures: dark and light noise."""
    bottom, _ = backbones.split_at(network, BLOCK)
    labels = np.arange(count) % 2
    pictures = np.random.default_rng(0).uniform(0, 160, (count, SIDE, SIDE, 3)) + 90 * labels[:, None, None, None]
    return Features(bottom(pictures, training=False).numpy(), labels)


class Result(NamedTuple):
    network: keras.Model
    tuned: tuning.Tuned
    maps: Features


def tune(seed: int = 0, **options) -> Result:
    network = build_network()
    maps = draw_maps(network)
    return Result(network, tuning.fine_tune(network, build_head(), maps, from_name=BLOCK, seed=seed, **options), maps)


@pytest.fixture(scope="module")
def result() -> Result:
    """What comes out with seed 0; no test changes it."""
    return tune()


def test_the_top_and_the_head_learn_and_nothing_else_changes(result: Result) -> None:
    before = {weight.path: weight.numpy() for weight in build_network().weights}
    network, tuned, _ = result
    changed = {weight.path for weight in network.weights if not np.array_equal(weight, before[weight.path])}
    assert changed == {"last_conv/kernel", "last_conv/bias"}
    assert np.any(tuned.model.layers[-1].get_weights()[0])


def test_the_loss_falls_on_what_is_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "LEARNING_RATE", 0.05)
    _, tuned, maps = tune(epochs=20)
    probabilities = tuned.top.predict(maps.features, verbose=0)
    assert (probabilities.argmax(axis=1) == maps.labels).mean() > 0.9


def test_the_whole_model_takes_pictures_and_answers_as_its_top_does(result: Result) -> None:
    network, tuned, _ = result
    bottom, _ = backbones.split_at(network, BLOCK)
    pictures = np.random.default_rng(1).uniform(0, 255, (3, SIDE, SIDE, 3)).astype("float32")
    expected = tuned.top(bottom(pictures, training=False), training=False)
    np.testing.assert_allclose(tuned.model(pictures, training=False), expected, rtol=1e-5)


def test_a_seed_repeats_to_the_bit_and_another_does_not(result: Result) -> None:
    first, second, other = (each.tuned.model.get_weights() for each in (result, tune(0), tune(1)))
    for one, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, same)
    assert any(not np.array_equal(one, another) for one, another in zip(first, other, strict=True))


def test_maps_are_read_batch_by_batch(tmp_path) -> None:
    maps = draw_maps(build_network())
    np.save(tmp_path / "maps.npy", maps.features)
    stored = Features(np.load(tmp_path / "maps.npy", mmap_mode="r"), maps.labels)
    rows = tuning._ShuffledRows(stored, seed=0)
    assert len(rows) == 2
    first = np.concatenate([rows[i][0] for i in range(2)])
    rows.on_epoch_end()
    second = np.concatenate([rows[i][0] for i in range(2)])
    assert not np.array_equal(first, second)
    for found in (first, second):
        np.testing.assert_array_equal(np.sort(found.ravel()), np.sort(maps.features.ravel()))


def test_a_layer_that_is_not_there_is_said() -> None:
    network = build_network()
    with pytest.raises(ValueError, match="Did you mean 'last_conv'"):
        tuning.fine_tune(network, build_head(), draw_maps(network), from_name="lost_conv")


def test_the_cost_grows_with_the_pictures() -> None:
    few, many = (
        tuning.estimate_seconds(build_network(), from_name=BLOCK, num_train=count, num_others=0)
        for count in (1_000, 1_000_000)
    )
    assert 0 < few < many
