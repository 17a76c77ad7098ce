"""helpers.calibration: known values, and what must be true of any probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import calibration
from tests.lesson_cells import run_cells


def draw_probabilities(seed: int, *, count: int = 3000, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels drawn with just these: perfectly calibrated but for chance."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(classes, 0.5), count)
    labels = (probabilities.cumsum(axis=1) < generator.uniform(size=(count, 1))).sum(axis=1)
    return probabilities, np.minimum(labels, classes - 1)


def test_the_error_is_what_is_worked_out_by_hand() -> None:
    confidence = np.array([0.55, 0.55, 0.95, 0.95, 0.95, 1.0])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 1, 0, 0, 0, 1])
    found = calibration.sort_into_bins(probabilities, labels, bins=10)
    np.testing.assert_array_equal(found.counts, [2, 4])
    np.testing.assert_allclose(found.confidence, [0.55, 0.9625])
    np.testing.assert_allclose(found.accuracy, [0.5, 0.75])
    error = calibration.expected_calibration_error(probabilities, labels, bins=10)
    assert error == pytest.approx((2 * 0.05 + 4 * 0.2125) / 6)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibrated_probabilities_have_a_small_error_and_temperature_1(classes: int) -> None:
    probabilities, labels = draw_probabilities(0, classes=classes)
    assert calibration.expected_calibration_error(probabilities, labels) < 0.03
    assert calibration.fit_temperature(probabilities, labels) == pytest.approx(1, abs=0.1)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 4), st.integers(0, 100))
def test_a_temperature_is_found_again_and_mends(temperature: float, seed: int) -> None:
    probabilities, labels = draw_probabilities(seed)
    wrong = calibration.scale_temperature(probabilities, 1 / temperature)
    found = calibration.fit_temperature(wrong, labels)
    assert found == pytest.approx(temperature, rel=0.15)
    mended = calibration.scale_temperature(wrong, found)
    np.testing.assert_array_equal(mended.argmax(axis=1), probabilities.argmax(axis=1))
    assert calibration.expected_calibration_error(mended, labels) < 0.04


def test_probabilities_of_0_and_1_stay_numbers() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    for temperature in (0.01, 1, 100):
        scaled = calibration.scale_temperature(certain, temperature)
        assert np.isfinite(scaled).all()
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    assert np.isfinite(calibration.fit_temperature(certain, np.array([0, 0])))


@pytest.mark.parametrize("size", [1, 10])  # 10: of a network that gives some classes 1e-20
def test_dividing_the_last_layer_is_the_same_as_the_temperature(size: int) -> None:
    generator = np.random.default_rng(0)
    features, kernel, bias = generator.normal(size=(9, 5)), generator.normal(size=(5, 3)), generator.normal(size=3)
    features *= size

    def softmax(scores: np.ndarray) -> np.ndarray:
        return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    given = softmax(features @ kernel + bias)
    assert (given.min() < 1e-15) == (size == 10)
    expected = softmax(features @ (kernel / 2.5) + bias / 2.5)
    scaled = calibration.scale_temperature(given, 2.5)
    np.testing.assert_allclose(scaled, expected, rtol=1e-9)


@pytest.mark.parametrize(("keep", "answered"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.951, 96), (1.0, 100)])
def test_the_threshold_keeps_at_least_the_share(keep: float, answered: int) -> None:
    confidence = np.random.default_rng(0).permutation(np.linspace(0.5, 1, 100))
    threshold = calibration.choose_threshold(np.stack([confidence, 1 - confidence], axis=1), keep=keep)
    assert (confidence >= threshold).sum() == answered


def test_the_lesson_finds_the_same_temperature() -> None:
    lesson = run_cells("15")
    probabilities, labels = draw_probabilities(1)
    wrong = calibration.scale_temperature(probabilities, 0.4)
    assert lesson["find_temperature"](wrong, labels) == pytest.approx(calibration.fit_temperature(wrong, labels), 1e-2)
