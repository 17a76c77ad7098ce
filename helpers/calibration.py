"""How far a model's probabilities can be believed: measure it, mend it with one number, and say when to give no answer.

All take probabilities `(pictures, classes)` whose rows sum to 1; of a single sigmoid unit,
`training.as_class_probabilities` makes such rows.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

SMALLEST = float(np.finfo(np.float32).tiny)  # 1e-38: a probability of 0 has no logarithm, and one of 1e-30 counts
TEMPERATURES = (0.01, 100.0)  # searched


class Bins(NamedTuple):
    """Pictures by the confidence of their answer, the least confident first; bins without a picture are left out.

    Attributes:
        confidence: float `(bins,)`, the mean probability of the answers in a bin.
        accuracy: float `(bins,)`, the share of them that are right.
        counts: int `(bins,)`, pictures.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray


def sort_into_bins(probabilities: np.ndarray, labels: np.ndarray, *, bins: int = 15) -> Bins:
    """Compare confidence and accuracy: the points of a calibration curve (reliability diagram).

    Args:
        probabilities: float `(pictures, classes)`.
        labels: int `(pictures,)`.
        bins: of equal width between 0 and 1.

    Example:
        >>> sort_into_bins(np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]]), np.array([0, 0, 0])).accuracy.tolist()
        [1.0, 0.5]
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    number = np.minimum((confidence * bins).astype(int), bins - 1)  # exactly 1 belongs to the last
    counts = np.bincount(number, minlength=bins)
    used = counts > 0
    sums = [np.bincount(number, weights=values, minlength=bins)[used] for values in (confidence, right)]
    return Bins(*(total / counts[used] for total in sums), counts[used])


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, *, bins: int = 15) -> float:
    """Return the mean distance of confidence and accuracy, 0..1, over bins weighted by their pictures.

    Args:
        probabilities: float `(pictures, classes)`.
        labels: int `(pictures,)`.
        bins: of equal width. With few pictures per bin, chance alone makes an error.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3, with 15 bins as there.

    Example:
        >>> round(expected_calibration_error(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1])), 2)
        0.15
    """
    found = sort_into_bins(probabilities, labels, bins=bins)
    return float(np.average(np.abs(found.accuracy - found.confidence), weights=found.counts))


def scale_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(scores / temperature): above 1 less confident, below 1 more, and the order stays.

    The logarithm of a probability is its score but for a constant per picture, which softmax takes out again.

    Example:
        >>> scale_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
        [[0.667, 0.333]]
    """
    scores = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))  # or small temperatures overflow
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the smallest loss (mean negative log-likelihood) on pictures that trained nothing.

    In a file: divide the kernel and the bias of the last layer by it, and the model itself gives the mended
    probabilities.

    Args:
        probabilities: float `(pictures, classes)`, of the validation split.
        labels: int `(pictures,)`.

    Source: Guo et al. 2017, section 4.2.

    Example:
        >>> sure, labels = np.array([[0.99, 0.01]] * 4), np.array([0, 0, 0, 1])  # right three times in four
        >>> scale_temperature(sure, fit_temperature(sure, labels))[0].round(2).tolist()
        [0.75, 0.25]
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = scale_temperature(probabilities, np.exp(log_temperature))
        return -np.log(np.maximum(scaled[rows, labels], SMALLEST)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))


def choose_threshold(probabilities: np.ndarray, *, keep: float = 0.95) -> float:
    """Return the confidence below which to answer "neither", so that a share `keep` of these pictures is answered.

    Args:
        probabilities: float `(pictures, classes)`, of pictures of the classes that trained nothing.
        keep: 0..1.

    Example:
        >>> choose_threshold(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]), keep=0.75)
        0.7
    """
    confidence = np.sort(probabilities.max(axis=1))[::-1]
    return float(confidence[max(0, int(np.ceil(keep * len(confidence))) - 1)])
