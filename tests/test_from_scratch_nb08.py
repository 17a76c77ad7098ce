"""Notebook 08's batch normalisation and dropout, as they stand in its cells, against Keras; its block against ours."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import architectures
from tests.lesson_cells import run_cells

NAMES = {"scale_and_shift", "normalise_in_training", "normalise_in_inference", "normalised_block", "drop"}

LESSON = run_cells("08")


def test_the_lesson_defines_what_is_tested() -> None:
    assert set(LESSON) >= NAMES


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(2, 6),
    side=st.integers(1, 6),
    channels=st.integers(1, 5),
    offset=st.floats(-5, 5),
    seed=st.integers(0, 2**31),
)
def test_batch_normalisation_equals_keras_in_both_modes(batch, side, channels, offset, seed) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.normal(loc=offset, scale=2.0, size=(batch, side, side + 1, channels)).astype("float32")
    gamma, beta, mean, variance = rng.uniform(0.5, 2.0, size=(4, channels)).astype("float32")
    layer = keras.layers.BatchNormalization(momentum=0.9)
    layer.build(maps.shape)
    layer.set_weights([gamma, beta, mean, variance])
    in_inference = LESSON["normalise_in_inference"](maps, gamma, beta, mean, variance)
    np.testing.assert_allclose(np.asarray(layer(maps, training=False)), in_inference, atol=1e-4)
    in_training = LESSON["normalise_in_training"](maps, gamma, beta)
    np.testing.assert_allclose(np.asarray(layer(maps, training=True)), in_training, atol=1e-3)


def test_in_training_each_channel_gets_mean_beta_and_deviation_gamma() -> None:
    maps = np.random.default_rng(1).normal(loc=7.0, scale=30.0, size=(16, 4, 5, 3))
    normalised = LESSON["normalise_in_training"](maps, np.array([1.0, 2.0, 3.0]), np.array([0.0, -1.0, 4.0]))
    np.testing.assert_allclose(normalised.mean(axis=(0, 1, 2)), [0, -1, 4], atol=1e-6)
    np.testing.assert_allclose(normalised.std(axis=(0, 1, 2)), [1, 2, 3], rtol=1e-3)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.8])
def test_dropout_equals_keras_for_the_values_it_kept(rate: float) -> None:
    x = np.random.default_rng(2).uniform(0.5, 2.0, size=(20, 50)).astype("float32")
    dropped = np.asarray(keras.layers.Dropout(rate, seed=3)(x, training=True))
    np.testing.assert_allclose(LESSON["drop"](x, dropped != 0, rate), dropped, rtol=1e-5)
    assert (dropped == 0).mean() == pytest.approx(rate, abs=0.05)


def test_the_block_is_the_one_of_the_package() -> None:
    def build(block) -> keras.Model:
        keras.utils.set_random_seed(4)
        return architectures.build_cnn(input_shape=(32, 32, 3), num_classes=2, filters=(8, 12), block=block)

    ours, theirs = build(LESSON["normalised_block"]), build(architectures.normalised_block)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [layer.output.shape for layer in ours.layers] == [layer.output.shape for layer in theirs.layers]
    assert ours.count_params() == theirs.count_params()
    theirs.set_weights(ours.get_weights())
    pictures = np.random.default_rng(5).uniform(0, 255, size=(4, 32, 32, 3)).astype("float32")
    for training in (False, True, False):  # the last shows that both remember the same of the batch
        answers = [np.asarray(model(pictures, training=training)) for model in (ours, theirs)]
        np.testing.assert_allclose(*answers, atol=1e-5)
