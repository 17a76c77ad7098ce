"""Notebook 07's network, as it stands in its cells, against ours."""

import keras
import numpy as np
import pytest

from helpers import architectures
from tests.lesson_cells import run_cells


@pytest.mark.parametrize(("image_size", "num_classes"), [(96, 2), (96, 4), (48, 2), (150, 3)])
def test_the_lessons_network_is_the_one_of_the_package(image_size: int, num_classes: int) -> None:
    written_out = run_cells("07", tag="network")["build_vanilla"](image_size, num_classes)
    ours = architectures.build_cnn(
        input_shape=(image_size, image_size, 3), num_classes=num_classes, filters=(16, 32, 64, 128), dropout=0.5
    )
    assert [type(layer) for layer in written_out.layers] == [type(layer) for layer in ours.layers[1:]]
    assert [layer.output.shape for layer in written_out.layers] == [layer.output.shape for layer in ours.layers[1:]]
    assert written_out.count_params() == ours.count_params()
    ours.set_weights(written_out.get_weights())
    pictures = np.random.default_rng(0).uniform(0, 255, size=(2, image_size, image_size, 3)).astype("float32")
    np.testing.assert_allclose(written_out(pictures), ours(pictures), rtol=1e-5, atol=1e-6)
    rates = [[layer.rate for layer in m.layers if isinstance(layer, keras.layers.Dropout)] for m in (written_out, ours)]
    assert rates[0] == rates[1]
