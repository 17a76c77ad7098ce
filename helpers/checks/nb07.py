"""Checks for notebook 07, a vanilla CNN."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from helpers.checks._runner import Function, case, exercise, require


def _build_tiny(
    image_size: int, num_classes: int, *, scale: float = 1 / 255, padding: str = "same", end: str | None = "softmax"
) -> keras.Model:
    blocks: list[keras.Layer] = []
    for filters in (8, 16):
        blocks += [layers.Conv2D(filters, 3, padding=padding, activation="relu"), layers.MaxPooling2D()]
    first = [keras.Input((image_size, image_size, 3)), *([layers.Rescaling(scale)] if scale != 1 else [])]
    return keras.Sequential([*first, *blocks, layers.Flatten(), layers.Dense(num_classes, activation=end)])


def _view_network(build: Function, image_size: int, num_classes: int) -> Mapping[str, Any]:
    model = build(image_size, num_classes)
    require(isinstance(model, keras.Model), f"You returned a {type(model).__name__}, expected a keras.Model.")
    expected = (None, image_size, image_size, 3)
    require(
        model.input_shape == expected, f"Your model takes {model.input_shape}, expected {expected}: use image_size."
    )
    pictures = np.random.default_rng(3).uniform(0, 255, size=(3, image_size, image_size, 3)).astype("float32")
    filters = [layer.filters for layer in model.layers if isinstance(layer, layers.Conv2D)]
    model.set_weights([np.random.default_rng(4).normal(scale=0.2, size=w.shape) for w in model.get_weights()])
    rows = keras.ops.convert_to_numpy(model(pictures))
    return {
        "Your convolutions have {} filters, expected {}.": filters,
        "Your model gives {}, expected {}: one unit for each class.": model.output_shape,
        "Your network has {:,} parameters, expected {:,}: 3 x 3 kernels, same padding, pooling after each.": (
            model.count_params()
        ),
        "The outputs of a picture do not sum to 1: the last layer needs activation='softmax'.": (
            bool(np.allclose(rows.sum(axis=-1), 1, atol=1e-4) and np.all(rows >= 0))
        ),
        "With the same weights your network answers otherwise: raw pictures go through Rescaling(1 / 255) first, and "
        "each convolution has activation='relu'.": rows.round(3),
    }


@exercise(
    case(16, 2),
    case(24, 3, why="Use the arguments, not fixed numbers."),
    view=_view_network,
    tolerance=0.002,
    right="two convolutions, each half as large a map, and one unit for each class.",
)
def check_build_tiny(image_size, num_classes):
    """`build_tiny(image_size, num_classes)` builds a network of two convolutions."""
    return partial(_build_tiny, image_size, num_classes), {
        "The scaling is missing: the first layer should be Rescaling(1 / 255).": partial(
            _build_tiny, image_size, num_classes, scale=1
        ),
        "Your maps lose a rim: give each convolution padding='same'.": partial(
            _build_tiny, image_size, num_classes, padding="valid"
        ),
        "The last layer needs activation='softmax'.": partial(_build_tiny, image_size, num_classes, end=None),
    }


@exercise(
    case(2, why="Each of the two has the probability 1/2."),
    case(4, why="Right for 2 classes, but each of four has the probability 1/4."),
    case(1000, why="Right for 2 and 4 classes, so use the argument."),
    asked="For {:,} classes",
    tolerance=0.005,
    right="ln k: 0.69 for two classes, 1.39 for four, 6.91 for ImageNet's 1,000.",
)
def check_expected_first_loss(classes):
    """`expected_first_loss(num_classes)` is ln k."""
    loss = math.log(classes)
    return loss, {
        "That is the probability of the right class: the loss is minus its logarithm.": 1 / classes,
        "That is a logarithm to base 2: Keras uses the natural one, np.log.": math.log2(classes),
        "That is a logarithm to base 10: Keras uses the natural one, np.log.": math.log10(classes),
        "That is below 0: the loss is minus the logarithm of the probability.": -loss,
        "You added up both classes: only the probability of the right class counts.": classes * loss,
    }


HISTORY = {
    "loss": [0.70, 0.60, 0.50, 0.40, 0.30, 0.20],
    "val_loss": [0.69, 0.61, 0.55, 0.58, 0.66, 0.80],  # lowest in epoch 3
    "accuracy": [0.50, 0.66, 0.75, 0.82, 0.88, 0.93],
    "val_accuracy": [0.52, 0.65, 0.71, 0.72, 0.74, 0.73],  # highest in epoch 5
}


@exercise(
    case(HISTORY),
    case({**HISTORY, "val_loss": [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}, why="Where it only rises, the first is best."),
    asked="For the validation losses {0[val_loss]}",
    right="after epoch 3 of this example the network learns its training pictures by heart.",
)
def check_best_epoch(history):
    """`best_epoch(history)` is the epoch, from 1, with the lowest validation loss."""
    losses, accuracies = history["val_loss"], history["val_accuracy"]
    position = losses.index(min(losses))
    return position + 1, {
        "That is its position in the list, which counts from 0: the first epoch is 1.": position,
        "That is the lowest loss: the epoch is asked for. See np.argmin.": min(losses),
        "The validation accuracy is highest there: the loss is asked for.": accuracies.index(max(accuracies)) + 1,
        "That is the last epoch: there the training loss is lowest, but the validation loss is highest.": len(losses),
    }


@exercise(
    case(np.array([[8, 2], [5, 5]])),
    case(np.array([[3, 1, 0], [2, 12, 6], [0, 0, 5]]), why="Divide each class by its own number of pictures, its row."),
    asked="For {}",
    tolerance=0.005,
    right="a network may be right on most pictures and still miss half of one class.",
)
def check_recalls(confusion):
    """`recalls(confusion)` is the share of each class that was recognised."""
    right = np.diag(confusion)
    return right / confusion.sum(axis=1), {
        "You divided by the columns: that is the precision, the share of right ones among its answers.": (
            right / confusion.sum(axis=0)
        ),
        "Those are counts: divide by the number of pictures of the class.": right,
        "You divided by all pictures: each class has its own number, the sum of its row.": right / confusion.sum(),
        "That is one number for all, the accuracy: give one per class.": right.sum() / confusion.sum(),
        "That is the share that was missed.": 1 - right / confusion.sum(axis=1),
    }
