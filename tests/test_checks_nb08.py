"""What the answers of notebook 08 are held to is what Keras does."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.checks import nb08


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
    assert nb08.check_find_stop.solve(losses, patience) == (stop, callback.best_epoch + 1)


def test_the_deviation_is_that_of_keras() -> None:
    for shape in ((3, 3, 16, 32), (300, 200)):
        drawn = keras.ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)(shape))
        assert drawn.std() == pytest.approx(nb08.check_he_deviation.solve(shape), rel=0.03)
