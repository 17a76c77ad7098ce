"""Checks for notebook 07, feature extraction."""

from collections.abc import Callable

import keras
import numpy as np

from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray


def check_global_average(global_average: Callable[[Array], Array]) -> None:
    """Check exercise 1: `global_average(feature_map)` averages over height and width."""
    feature_map = np.random.default_rng(1).normal(size=(2, 3, 4, 5))  # four different lengths: no axis hides
    answer = np.asarray(call(global_average, feature_map))
    require(answer.shape != (3, 4, 5), "You averaged over the pictures (axis 0): each keeps a row of its own.")
    require(
        answer.shape != (2, 3, 4),
        "You averaged over the channels (the last axis): they are what is to be kept. Average over axes 1 and 2.",
    )
    require(answer.shape != (2, 60), "You flattened the map: that keeps every place. Average over height and width.")
    require(answer.shape != (5,), "You averaged over the pictures as well: keep axis 0, average over axes 1 and 2.")
    answer = require_array(answer, shape=(2, 5), name="The average")
    require(
        not np.allclose(answer, feature_map.max(axis=(1, 2))),
        "That is the maximum of each channel. It works as pooling too, but here the average is asked for.",
    )
    require(
        not np.allclose(answer, feature_map.sum(axis=(1, 2))),
        "That is the sum: divide by the number of places, height times width.",
    )
    require(np.allclose(answer, feature_map.mean(axis=(1, 2))), "The shape is right, the values are not averages.")
    passed("(2, 3, 4, 5) became (2, 5): one number a channel, wherever in the picture it was seen.")


def check_count_head_parameters(count_head_parameters: Callable[[int, int, int], int]) -> None:
    """Check exercise 2: `count_head_parameters(channels, hidden, classes)` counts weights and biases."""
    channels, hidden, classes = 512, 512, 2
    answer = call(count_head_parameters, channels, hidden, classes)
    require(
        isinstance(answer, int | float | np.number),
        f"Your answer is a {type(answer).__name__}, expected a number: add up weights and biases of both layers.",
    )
    right = (channels + 1) * hidden + (hidden + 1) * classes
    weights = channels * hidden + hidden * classes
    require(answer != weights, f"{answer:,} counts the weights only: each unit has a bias as well.")
    require(
        answer != (channels + 1) * hidden, f"{answer:,} is the hidden layer alone: the output layer has weights too."
    )
    require(
        answer != 25 * channels * hidden + hidden + (hidden + 1) * classes,
        f"{answer:,} is right for a flattened 5 by 5 map: after the average each channel is one number.",
    )
    require(answer == right, f"Your count is {answer}, expected {right:,} for 512 channels, 512 units, 2 classes.")
    require(
        call(count_head_parameters, 1280, 64, 4) == 1281 * 64 + 65 * 4,
        "Right for 512, 512, 2, but not for 1280, 64, 4: use the arguments, not fixed numbers.",
    )
    passed(f"{right:,} parameters, as Keras says: a weight for each input of a unit, and one bias.")


def check_build_classifier(build_classifier: Callable[[keras.Model, int], keras.Model]) -> None:
    """Check exercise 3: `build_classifier(backbone, num_classes)` puts a head on a frozen backbone."""
    backbone = _tiny_backbone()
    model = call(build_classifier, backbone, 3)
    require(isinstance(model, keras.Model), f"You returned a {type(model).__name__}, expected a keras.Model.")
    require(
        model.output_shape == (None, 3),
        f"Your model gives {model.output_shape}, expected (None, 3): one unit a class, after averaging.",
    )
    pictures = np.random.default_rng(2).uniform(0, 255, size=(4, 16, 16, 3)).astype("float32")
    rows = np.asarray(model(pictures))
    require(
        np.allclose(rows.sum(axis=1), 1, atol=1e-4) and (rows >= 0).all(),
        "The outputs of a picture do not sum to 1: the last layer needs activation='softmax'.",
    )
    trainable = int(sum(np.prod(weight.shape) for weight in model.trainable_weights))
    require(
        trainable != 3 * 14 * 14 * 6 + 3,
        "Your head reads a flattened map: put GlobalAveragePooling2D in front of the Dense layer.",
    )
    backbone_weights = {id(weight) for weight in backbone.weights}
    require(
        not any(id(weight) in backbone_weights for weight in model.trainable_weights),
        f"{trainable:,} weights would train, the backbone's among them: set backbone.trainable = False.",
    )
    require(trainable == 6 * 3 + 3, f"{trainable} weights train, expected 21: one Dense layer on 6 averaged channels.")
    _require_same_in_training(model, pictures)
    passed("only the 21 weights of this small test's head train; the backbone stays as it was.")


def _tiny_backbone() -> keras.Model:
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(6, 3, use_bias=False)(x)
    return keras.Model(inputs, keras.layers.BatchNormalization()(x), name="tiny_backbone")


def _require_same_in_training(model: keras.Model, pictures: Array) -> None:
    before = np.asarray(model(pictures, training=False))
    during = np.asarray(model(pictures, training=True))
    require(
        np.allclose(before, during, atol=1e-5),
        "In training your model answers differently: something in the backbone runs in training mode. "
        "Call it as backbone(inputs, training=False), and leave dropout out of this head.",
    )


def check_classify_by_nearest_mean(classify: Callable[[Array, Array, Array], Array]) -> None:
    """Check exercise 4: `classify_by_nearest_mean(train_features, train_labels, features)`."""
    rng = np.random.default_rng(3)
    centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    train_labels = np.array([0, 1, 2, 2, 1, 0, 1, 2, 0, 0])
    train_features = centres[train_labels] + rng.normal(scale=0.3, size=(10, 2))
    truth = np.array([2, 0, 1, 1])
    features = centres[truth] + rng.normal(scale=0.3, size=(4, 2))
    answer = np.asarray(call(classify, train_features, train_labels, features))
    require(
        answer.shape != (4, 3), "You returned all the distances: give the label of the smallest, with argmin(axis=1)."
    )
    answer = require_array(answer, shape=(4,), name="Your labels")
    distances = np.linalg.norm(
        features[:, None] - np.stack([train_features[train_labels == c].mean(axis=0) for c in range(3)]), axis=2
    )
    require(
        not np.array_equal(answer, distances.argmax(axis=1)),
        "You chose the mean that is farthest away: take argmin, not argmax.",
    )
    nearest_row = np.linalg.norm(features[:, None] - train_features, axis=2).argmin(axis=1)
    require(
        not np.array_equal(answer, nearest_row),
        "You returned the position of the nearest picture: compare with one mean a class, and return the class.",
    )
    require(
        np.array_equal(answer, truth),
        f"You answered {answer.tolist()}, expected {truth.tolist()} for four clear cases.",
    )
    passed("each picture goes to the class whose mean feature vector is nearest. Nothing was trained.")


def check_most_confident_mistakes(most_confident_mistakes: Callable[[Array, Array, int], Array]) -> None:
    """Check exercise 5: `most_confident_mistakes(probabilities, labels, count)` gives positions."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.05, 0.95], [0.3, 0.7], [0.55, 0.45]])
    labels = np.array([1, 1, 1, 0, 0, 0])  # wrong: positions 3 (0.95), 0 (0.9), 4 (0.7), 2 (0.6)
    answer = np.asarray(call(most_confident_mistakes, probabilities, labels, 3)).tolist()
    require(
        answer != [2, 4, 0],
        "You start with the least confident mistakes: sort so that the largest probability comes first.",
    )
    require(
        answer not in ([3, 0, 1], [3, 0, 1, 4, 2, 5]), "Right answers are among yours: keep the wrong ones, then sort."
    )
    require(answer != [0, 2, 3], "Right positions, not sorted: the most confident comes first.")
    require(answer != [3, 0, 4, 2], "Those are all the mistakes: return only the first `count` of them.")
    require(
        answer == [3, 0, 4],
        f"You returned {answer}, expected [3, 0, 4]: the positions of the three mistakes with the highest probability.",
    )
    passed("the mistakes it was surest of come first; they teach you most about your data.")
