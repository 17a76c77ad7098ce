"""What a network costs: counts by hand, and those that were published."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import architectures
from tests.conftest import keras_and_numpy_2
from tests.shapes import build_without_values


def wrap(*stack, shape=(6, 8, 3)) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *stack])


@pytest.mark.parametrize(
    ("stack", "numbers"),
    [
        ([layers.Conv2D(5, 3)], 4 * 6 * 5),
        ([layers.Conv2D(5, 3, padding="same", strides=2), layers.ReLU()], 2 * 3 * 4 * 5),
        ([layers.Flatten(), layers.Dense(10)], 6 * 8 * 3 + 10),
        ([wrap(layers.Conv2D(5, 3)), layers.GlobalAveragePooling2D()], 4 * 6 * 5 + 5),
    ],
)
def test_activations_by_hand(stack, numbers):
    assert architectures.count_activation_bytes(wrap(*stack)) == 4 * numbers


def test_bytes_follow_the_dtype():
    half = wrap(layers.Conv2D(5, 3, dtype="float16"))
    assert architectures.count_activation_bytes(half) == 2 * 4 * 6 * 5
    assert architectures.count_parameter_bytes(half) == 2 * (27 * 5 + 5)


def test_batch_normalisation_has_four_numbers_per_channel_to_store():
    assert architectures.count_parameter_bytes(wrap(layers.BatchNormalization())) == 4 * 4 * 3


@keras_and_numpy_2
def test_a_saved_network_takes_the_bytes_of_its_parameters(tmp_path):
    model = architectures.build_cnn_d()
    model.save(tmp_path / "network.keras")
    assert (tmp_path / "network.keras").stat().st_size == pytest.approx(
        architectures.count_parameter_bytes(model), rel=0.1
    )


def test_the_activations_of_a_model_of_any_size_cannot_be_counted():
    model = architectures.build_cnn(input_shape=(None, None, 3), num_classes=2, pooling="average")
    with pytest.raises(ValueError, match=r"outputs of \(None, None, None, 3\), expected a fixed size"):
        architectures.count_activation_bytes(model)


def test_all_costs_at_once():
    model = architectures.build_cnn(input_shape=(8, 8, 3), num_classes=2, filters=(4,))
    assert architectures.count_costs(model) == architectures.Costs(
        parameters=27 * 4 + 4 + 64 * 2 + 2,
        parameter_bytes=4 * (112 + 130),
        multiply_adds=8 * 8 * 27 * 4 + 64 * 2,
        # scaled pixels, convolution, pooling, flattened, probabilities
        activation_bytes=4 * (8 * 8 * 3 + 8 * 8 * 4 + 4 * 4 * 4 + 64 + 2),
    )


@pytest.mark.parametrize(
    ("width", "depth", "size", "millions"), [(1.0, 1.0, 224, 407), (1.0, 1.1, 240, 631), (1.1, 1.2, 260, 899)]
)
def test_efficientnet_lite_costs_what_was_published(width, depth, size, millions):
    # tensorflow/tpu, models/official/efficientnet/lite/README.md, column MAdds, which counts more than kernels.
    options = {"input_shape": (size, size, 3), "width": width, "depth": depth}
    model = build_without_values(architectures.build_efficientnet_lite, **options)
    assert architectures.count_multiply_adds(model) / 1e6 == pytest.approx(millions, rel=0.06)


@pytest.mark.parametrize(
    ("name", "billions"),
    [("ResNet50", 3.8), ("EfficientNetB0", 0.39)],
)
def test_networks_cost_what_their_papers_say(name, billions):
    # He et al. 2015, "Deep Residual Learning", table 1; Tan and Le 2019, "EfficientNet", table 2.
    model = build_without_values(getattr(keras.applications, name), weights=None)
    assert architectures.count_multiply_adds(model) / 1e9 == pytest.approx(billions, rel=0.03)


def test_counting_leaves_the_network_as_it_was():
    model = architectures.build_cnn_d()
    before = [weight.copy() for weight in model.get_weights()]
    architectures.count_costs(model)
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
