"""What the answers of notebook 09 are held to is what Keras does, and what the standard error says."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.checks import nb09


@settings(deadline=None, max_examples=50)
@given(
    losses=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), min_size=1, max_size=12),
    patience=st.integers(min_value=1, max_value=5),
)
def test_the_stop_is_that_of_keras(losses: list[float], patience: int) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)
    callback.set_model(model)
    model.stop_training = False  # as `fit` does before it begins
    callback.on_train_begin()
    for stop, loss in enumerate(losses, start=1):
        callback.on_epoch_end(stop - 1, {"val_loss": loss})
        if model.stop_training:
            break
    assert nb09.check_find_stop.solve(losses, patience) == (stop, callback.best_epoch + 1)


@pytest.mark.parametrize("step", [0, 1, 17, 50, 99, 100])
def test_the_cosine_is_that_of_keras(step: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 100)
    assert nb09.check_cosine_rate.solve(step, 100, 0.01) == pytest.approx(float(schedule(step)), abs=1e-8)


@given(difference=st.floats(0.005, 0.2), deviation=st.floats(0.002, 0.05))
def test_so_many_seeds_are_enough_and_one_fewer_is_not(difference: float, deviation: float) -> None:
    count = nb09.check_seeds_needed.solve(difference, deviation)

    def twice_the_error(seeds: int) -> float:
        return 2 * np.sqrt(2 * deviation**2 / seeds)

    assert difference > twice_the_error(count) * (1 - 1e-9)
    assert count == 2 or difference < twice_the_error(count - 1) * (1 + 1e-9)
