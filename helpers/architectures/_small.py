"""Small networks of the famous kinds, which differ in their block alone; all with batch normalisation."""

from functools import partial

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Block, Shape, normalised_block
from helpers.architectures._cnn import build_cnn
from helpers.architectures._googlenet import inception_module
from helpers.architectures._resnet import conv_block, identity_block
from helpers.architectures._vgg import vgg_block


def build_small(kind: str, *, input_shape: Shape = (32, 32, 3), num_classes: int = 2) -> keras.Model:
    """Build a small network: three blocks of one kind, which end in pooling, an average per channel, a softmax.

    Args:
        kind: "plain" (one 3 x 3 convolution per block), "VGG" (two), "Inception" (a module), "ResNet" (two
            bottlenecks with shortcuts). At 32 x 32 pixels all cost about as many multiply-adds.
        input_shape: (height, width, channels) of the raw pictures, 0 to 255; sides of 8 or more.
        num_classes: units of the softmax at the end.

    Raises:
        ValueError: for another kind.

    >>> build_small("ResNet").count_params()
    0
    """
    if kind not in _KINDS:
        raise ValueError(f"Received kind {kind!r}, expected one of {', '.join(_KINDS)}. Choose one of these.")
    block, filters = _KINDS[kind]
    return build_cnn(input_shape=input_shape, num_classes=num_classes, filters=filters, block=block, pooling="average")


def _inception_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """An inception module with its channels shared out as in GoogLeNet's first, then pooling."""
    parts = tuple(part * filters // 256 for part in (64, 96, 128, 16, 32, 32))
    x = inception_module(x, parts, normalise=True, name=name)
    return layers.MaxPooling2D(name=f"{name}_halve")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


def _residual_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    x = conv_block(x, filters // 4, strides=1, name=f"{name}a")
    x = identity_block(x, filters // 4, name=f"{name}b")
    return layers.MaxPooling2D(name=f"{name}_halve")(x)


# By kind, the block and its filters: so many that the kinds cost about the same.
_KINDS: dict[str, tuple[Block, tuple[int, ...]]] = {
    "plain": (normalised_block, (18, 36, 72)),
    "VGG": (partial(vgg_block, normalise=True), (8, 20, 40)),
    "Inception": (_inception_block, (16, 48, 96)),
    "ResNet": (_residual_block, (16, 48, 96)),
}
