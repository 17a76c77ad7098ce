"""What the answers of notebook 08 are held to is what Keras does."""

import keras
import pytest

from helpers.checks import nb08


def test_the_deviation_is_that_of_keras() -> None:
    for shape in ((3, 3, 16, 32), (300, 200)):
        drawn = keras.ops.convert_to_numpy(keras.initializers.HeNormal(seed=0)(shape))
        assert drawn.std() == pytest.approx(nb08.check_he_deviation.solve(shape), rel=0.03)
