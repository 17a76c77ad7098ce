"""The small network of the lessons: blocks that see more and more of the picture, then one dense layer."""

import keras
from keras import layers

from helpers.architectures._blocks import (
    Block,
    Shape,
    check_size,
    convolution_block,
    flatten_or_average,
    start,
)


def build_cnn(
    *,
    input_shape: Shape,
    num_classes: int,
    filters: tuple[int, ...] = (32, 64, 128),
    block: Block = convolution_block,
    pooling: str = "flatten",
    dropout: float = 0.0,
) -> keras.Model:
    """Build a small CNN from blocks and options of your choice.

    Args:
        input_shape: (height, width, channels) of the raw pictures, 0 to 255.
        num_classes: units of the softmax at the end; two for two classes as well.
        filters: channels out of each block, so one number per block.
        block: :func:`convolution_block`, :func:`normalised_block`, :func:`separable_block`, one of these with options
            in `functools.partial`, or your own, called as `block(x, filters, name="block1")`.
        pooling: "flatten" or "average", see :func:`flatten_or_average`.
        dropout: share of the features that are dropped in training; with 0 there is no such layer.

    Returns:
        Uncompiled model: pictures (batch, height, width, channels) to probabilities (batch, num_classes).
        Layers: `preprocessing`, `block1_*`, `block2_*`, ..., `flatten` or `average`, `dropout`, `probabilities`.

    Raises:
        ValueError: if `pooling` is not as described, there is no block, or the picture is too small for the blocks.

    >>> model = build_cnn(input_shape=(96, 96, 3), num_classes=2)
    >>> model.count_params(), model.get_layer("block3_pool").output.shape
    (130114, (None, 12, 12, 128))
    >>> from functools import partial
    >>> from helpers.architectures import normalised_block
    >>> regular = partial(normalised_block, l2=1e-4)
    >>> build_cnn(input_shape=(96, 96, 3), num_classes=2, block=regular, pooling="average").count_params()
    94178
    """
    check_size(input_shape, halvings=len(filters))
    pictures, x = start(input_shape)
    for number, channels in enumerate(filters, start=1):
        x = block(x, channels, name=f"block{number}")  # (b, h, w, c) -> (b, h // 2, w // 2, channels)
    x = flatten_or_average(x, pooling)  # one row per picture
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn")
