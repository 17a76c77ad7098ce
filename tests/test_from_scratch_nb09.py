"""Notebook 09's learning-rate finder, as it stands in its cell, against the one of the package."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import training
from tests.lesson_cells import run_cells

LESSON = run_cells("09")


def build() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.fixture
def batches() -> tf.data.Dataset:
    rng = np.random.default_rng(2)
    return tf.data.Dataset.from_tensor_slices((rng.normal(size=(20, 3)), rng.normal(size=(20, 1)))).batch(8)


def test_the_losses_are_those_of_the_package(batches: tf.data.Dataset) -> None:
    rates, losses = training.find_learning_rate(build(), batches, low=1e-4, high=0.1, steps=12)
    np.testing.assert_allclose(LESSON["sweep_rates"](build(), batches, rates), losses, rtol=1e-5)


@pytest.mark.parametrize("rate", [1e6, float("nan")])
def test_it_stops_where_the_loss_explodes(batches: tf.data.Dataset, rate: float) -> None:
    losses = LESSON["sweep_rates"](build(), batches, np.array([1e-3, 1e-3, rate, rate, rate, rate]))
    assert len(losses) == 4
    assert not losses[-1] < 4 * losses[0]
