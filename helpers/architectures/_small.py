"""Small networks of the famous kinds, which differ in their block alone; all with batch normalisation."""

from functools import partial

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Block, Shape, check_size, flatten_or_average, normalised_block, start
from helpers.architectures._googlenet import inception_module
from helpers.architectures._resnet import conv_block
from helpers.architectures._vgg import vgg_block


def build_small(*, kind: str, input_shape: Shape = (32, 32, 3), num_classes: int = 2) -> keras.Model:
    """Build a small network: one convolution and a pool, two blocks of a kind, an average per channel, a softmax.

    Args:
        kind: "plain" (one 3 x 3 convolution per block), "VGG" (two), "Inception" (a module), "ResNet" (a
            bottleneck with a shortcut). At 32 x 32 pixels all cost about as many multiply-adds.
        input_shape: (height, width, channels) of the raw pictures, 0 to 255; sides of 8 or more.
        num_classes: units of the softmax at the end.

    Raises:
        ValueError: for another kind.

    >>> build_small(kind="ResNet").count_params()
    24118
    """
    if kind not in _KINDS:
        raise ValueError(f"Received kind {kind!r}, expected one of {', '.join(_KINDS)}. Choose one of these.")
    block, filters = _KINDS[kind]
    check_size(input_shape, halvings=1 + len(filters))
    pictures, x = start(input_shape)
    x = normalised_block(x, 12, name="stem")  # halves first: the blocks then work on a quarter of the places
    for number, channels in enumerate(filters, start=1):
        x = block(x, channels, name=f"block{number}")  # (b, h, w, c) -> (b, h // 2, w // 2, channels)
    x = flatten_or_average(x, "average")
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name=f"small_{kind.lower()}")


def _inception_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """An inception module with its channels shared out as in GoogLeNet's first, then pooling."""
    parts = tuple(part * filters // 256 for part in (64, 96, 128, 16, 32, 32))
    x = inception_module(x, parts, normalise=True, name=name)
    return layers.MaxPooling2D(name=f"{name}_halve")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


def _residual_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    x = conv_block(x, filters // 4, strides=1, name=name)
    return layers.MaxPooling2D(name=f"{name}_halve")(x)


# By kind, the block and its filters: so many that the kinds cost about the same.
_KINDS: dict[str, tuple[Block, tuple[int, ...]]] = {
    "plain": (normalised_block, (32, 64)),
    "VGG": (partial(vgg_block, normalise=True), (16, 36)),
    "Inception": (_inception_block, (48, 80)),
    "ResNet": (_residual_block, (56, 112)),
}
