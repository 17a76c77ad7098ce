"""Checks for notebook 11, feature extraction."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import Function, case, exercise, require

show_solution, show_open_exercises = answer_questions(__name__)

Array = np.ndarray


@exercise(
    case(np.random.default_rng(1).normal(size=(2, 3, 4, 5))),  # four different lengths: no axis hides
    right="(2, 3, 4, 5) became (2, 5): one number a channel, wherever in the picture it was seen.",
)
def check_global_average(maps):
    """`global_average(feature_map)` averages over height and width."""
    return maps.mean(axis=(1, 2)), {
        "You averaged over the pictures (axis 0): each keeps a row of its own.": maps.mean(axis=0),
        "You averaged over the channels (the last axis): they are what is to be kept. Average over axes 1 and 2.": (
            maps.mean(axis=3)
        ),
        "You flattened the map: that keeps every place. Average over height and width.": maps.reshape(len(maps), -1),
        "You averaged over the pictures as well: keep axis 0, average over axes 1 and 2.": maps.mean(axis=(0, 1, 2)),
        "That is the maximum of each channel. It works as pooling too, but here the average is asked for.": (
            maps.max(axis=(1, 2))
        ),
        "That is the sum: divide by the number of places, height times width.": maps.sum(axis=(1, 2)),
    }


@exercise(
    case(512, 512, 2),
    case(1280, 64, 4, why="Use the arguments, not fixed numbers."),
    asked="For {} channels, {} units, {} classes",
    right="263,682 parameters, as Keras says: a weight for each input of a unit, and one bias.",
)
def check_count_head_parameters(channels, hidden, classes):
    """`count_head_parameters(channels, hidden, classes)` counts weights and biases."""
    first, last = (channels + 1) * hidden, (hidden + 1) * classes
    return first + last, {
        "That counts the weights only: each unit has a bias as well.": channels * hidden + hidden * classes,
        "That is the hidden layer alone: the output layer has weights too.": first,
        "That is for a flattened 5 by 5 map: the average leaves one number of 25.": first
        + 24 * channels * hidden
        + last,
    }


def _tiny_backbone() -> keras.Model:
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(6, 3, use_bias=False)(x)
    return keras.Model(inputs, keras.layers.BatchNormalization()(x), name="tiny_backbone")


def _classify(backbone: keras.Model, num_classes: int, pool: type[keras.layers.Layer]) -> keras.Model:
    backbone.trainable = False
    inputs = keras.Input(backbone.input_shape[1:])
    x = pool()(backbone(inputs, training=False))
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))


def _view_classifier(build: Function, num_classes: int) -> Mapping[str, Any]:
    backbone = _tiny_backbone()
    model = build(backbone, num_classes)
    require(isinstance(model, keras.Model), f"You returned a {type(model).__name__}, expected a keras.Model.")
    pictures = np.random.default_rng(2).uniform(0, 255, size=(4, 16, 16, 3)).astype("float32")
    rows, in_training = (keras.ops.convert_to_numpy(model(pictures, training=mode)) for mode in (False, True))
    own = {id(weight) for weight in backbone.weights}
    return {
        "Your model gives {}, expected {}: one unit for each class, after averaging.": model.output_shape,
        "The outputs of a picture do not sum to 1: the last layer needs activation='softmax'.": (
            np.allclose(rows.sum(axis=-1), 1, atol=1e-4) and np.all(rows >= 0)
        ),
        "Weights of the backbone would train: set backbone.trainable = False.": any(
            id(weight) in own for weight in model.trainable_weights
        ),
        "{} weights train, expected {}: one Dense layer on 6 averaged channels.": sum(
            int(np.prod(weight.shape)) for weight in model.trainable_weights
        ),
        "In training your model answers differently: something in the backbone runs in training mode. Call it as "
        "backbone(inputs, training=False), and leave dropout out of this head.": (
            np.allclose(rows, in_training, atol=1e-5)
        ),
    }


@exercise(
    case(3),
    view=_view_classifier,
    right="only the 21 weights of this small test's head train; the backbone stays as it was.",
)
def check_build_classifier(backbone, num_classes):
    """`build_classifier(backbone, num_classes)` puts a head on a frozen backbone."""
    return partial(_classify, backbone, num_classes, keras.layers.GlobalAveragePooling2D), {
        "Your head reads a flattened map: put GlobalAveragePooling2D in front of the Dense layer.": partial(
            _classify, backbone, num_classes, keras.layers.Flatten
        ),
    }


def _near(positions: list[int], *, seed: int) -> Array:
    """Return a point near the centre of each class."""
    centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    return centres[positions] + np.random.default_rng(seed).normal(scale=0.3, size=(len(positions), 2))


LABELS = np.array([0, 1, 2, 2, 1, 0, 1, 2, 0, 0])


@exercise(
    case(_near(LABELS, seed=3), LABELS, _near([2, 0, 1, 1], seed=4)),
    asked="For four clear cases",
    right="each picture goes to the class whose mean feature vector is nearest. Nothing was trained.",
)
def check_classify_by_nearest_mean(train_features, train_labels, features):
    """`classify_by_nearest_mean(train_features, train_labels, features)` gives a label for each row."""
    means = np.stack([train_features[train_labels == label].mean(axis=0) for label in range(3)])  # (classes, 2)
    distances = np.linalg.norm(features[:, np.newaxis] - means, axis=2)  # (pictures, classes)
    return distances.argmin(axis=1), {
        "You returned all the distances: give the label of the smallest, with argmin(axis=1).": distances,
        "You chose the mean that is farthest away: take argmin, not argmax.": distances.argmax(axis=1),
        "You returned the position of the nearest picture: compare with a mean for each class, and return the class.": (
            np.linalg.norm(features[:, np.newaxis] - train_features, axis=2).argmin(axis=1)
        ),
    }


@exercise(
    case(
        np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.05, 0.95], [0.3, 0.7], [0.55, 0.45]]),
        np.array([1, 1, 1, 0, 0, 0]),  # wrong: positions 3 (0.95), 0 (0.9), 4 (0.7), 2 (0.6)
        3,
        why="The positions of the three mistakes with the highest probability.",
    ),
    right="the mistakes it was surest of come first; they teach you most about your data.",
)
def check_most_confident_mistakes(probabilities, labels, count):
    """`most_confident_mistakes(probabilities, labels, count)` gives positions."""
    order = np.argsort(-probabilities.max(axis=1)).tolist()
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels).tolist()
    ranked = [position for position in order if position in wrong]
    return ranked[:count], {
        "You start with the least confident mistakes: sort so that the largest probability comes first.": (
            ranked[::-1][:count]
        ),
        "Right answers are among yours: keep the wrong ones, then sort.": order[:count],
        "You sorted all pictures: keep the wrong ones, then sort, and return the first `count`.": order,
        "Right positions, not sorted: the most confident comes first.": wrong[:count],
        "Those are all the mistakes: return only the first `count` of them.": ranked,
    }
