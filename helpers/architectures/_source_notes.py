"""The networks of the source notes: raw pictures (batch, height, width, channels), 0 to 255, to probabilities.

With one unit at the end (sigmoid), that is the probability of the second of two classes.
"""

import keras
from keras import layers

from helpers.architectures._blocks import (
    convolution_block,
    flatten_or_average,
    l2_regularizer,
    normalised_convolution,
    start,
)


def build_cnn_a() -> keras.Model:
    """For grayscale pictures of 70 x 70: three blocks of 64 filters, a hidden layer of 128, one unit.

    >>> build_cnn_a().count_params()
    599041
    """
    pictures, x = start((70, 70, 1))
    for number in (1, 2, 3):
        x = convolution_block(x, 64, name=f"block{number}")  # 70, 35, 17, 8
    x = flatten_or_average(x, "flatten")  # (b, 8, 8, 64) -> (b, 4096)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(128, activation="relu", name="hidden")(x)
    x = layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.Model(pictures, x, name="cnn_a")


def build_cnn_c(*, num_classes: int = 2) -> keras.Model:
    """For pictures of 160 x 160: three narrow blocks, then a hidden layer with nearly all of the weights.

    >>> model = build_cnn_c()
    >>> model.count_params(), model.get_layer("hidden").count_params()
    (13132322, 13107712)
    """
    pictures, x = start((160, 160, 3), scale=1 / 127.5, offset=-1.0)
    for number, filters in enumerate((16, 32, 64), start=1):
        x = convolution_block(x, filters, name=f"block{number}")  # 160, 80, 40, 20
    x = flatten_or_average(x, "flatten")  # (b, 20, 20, 64) -> (b, 25600)
    x = layers.Dense(512, activation="relu", name="hidden")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_c")


def build_cnn_d() -> keras.Model:
    """For pictures of 150 x 150: convolutions without padding lose a pixel at each edge; dropout, then one unit.

    >>> build_cnn_d().get_layer("block3_pool").output.shape  # 150, 148, 74, 72, 36, 34, 17
    (None, 17, 17, 128)
    """
    pictures, x = start((150, 150, 3))
    for number, filters in enumerate((32, 64, 128), start=1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"block{number}_conv")(x)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)
    x = flatten_or_average(x, "flatten")  # (b, 17, 17, 128) -> (b, 36992)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.Model(pictures, x, name="cnn_d")


def build_cnn_e_grey(*, num_classes: int = 10) -> keras.Model:
    """For grayscale pictures of 28 x 28: three convolutions, one pooling; the one whose weights are counted by hand.

    >>> model = build_cnn_e_grey()
    >>> [model.get_layer(f"conv{number}").count_params() for number in (1, 2, 3)]
    [160, 8224, 32832]
    """
    pictures, x = start((28, 28, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.Conv2D(32, 4, padding="same", activation="relu", name="conv2")(x)
    x = layers.Conv2D(64, 4, activation="relu", name="conv3")(x)  # (b, 28, 28, 32) -> (b, 25, 25, 64)
    x = layers.MaxPooling2D(name="pool")(x)
    x = flatten_or_average(x, "flatten")  # (b, 12, 12, 64) -> (b, 9216)
    x = layers.Dense(50, activation="relu", name="hidden1")(x)
    x = layers.Dense(20, activation="relu", name="hidden2")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e_grey")


def build_cnn_e(*, num_classes: int = 10) -> keras.Model:
    """For pictures of 32 x 32: two convolutions before each pooling, dropout around a hidden layer of 300."""
    pictures, x = start((32, 32, 3))
    for number, filters in enumerate((32, 64, 128), start=1):
        # The very first kernel is larger, and without padding.
        size, padding = (5, "valid") if number == 1 else (3, "same")
        x = layers.Conv2D(filters, size, padding=padding, activation="relu", name=f"block{number}_conv1")(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{number}_conv2")(x)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)  # 28, 14, 7, 3
    x = flatten_or_average(x, "flatten")  # (b, 3, 3, 128) -> (b, 1152)
    x = layers.Dropout(0.5, name="dropout1")(x)
    x = layers.Dense(300, activation="relu", name="hidden")(x)
    x = layers.Dropout(0.5, name="dropout2")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e")


def build_cnn_e_normalised(*, num_classes: int = 10) -> keras.Model:
    """For pictures of 32 x 32: twice as wide as :func:`build_cnn_e`, with everything that helps training.

    Batch normalisation after every convolution, He's initialisation before every ReLU, a penalty on the weights (not
    in the first layer, which sees the picture itself), averages instead of flattened maps.
    """
    pictures, x = start((32, 32, 3))
    for number, filters in enumerate((64, 128, 256), start=1):
        for half in (1, 2):
            penalty = l2_regularizer(0.0 if number == half == 1 else 1e-5)
            name = f"block{number}_{half}"
            x = normalised_convolution(x, filters, kernel_regularizer=penalty, use_bias=True, name=name)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)
    x = flatten_or_average(x, "average")  # (b, 4, 4, 256) -> (b, 256)
    x = layers.Dropout(0.5, name="dropout1")(x)
    he = {"kernel_initializer": "he_normal", "kernel_regularizer": l2_regularizer(1e-5)}
    x = layers.Dense(300, activation="relu", **he, name="hidden")(x)
    x = layers.Dropout(0.5, name="dropout2")(x)
    x = layers.Dense(num_classes, activation="softmax", kernel_initializer="glorot_normal", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e_normalised")
