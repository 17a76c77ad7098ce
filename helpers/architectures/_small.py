"""Small networks of the famous kinds, which differ in their block alone."""

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Block, Shape, convolution_block
from helpers.architectures._cnn import build_cnn
from helpers.architectures._googlenet import inception_module
from helpers.architectures._resnet import conv_block, identity_block
from helpers.architectures._vgg import vgg_block


def inception_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """:func:`inception_module` with its channels shared out as in GoogLeNet's first, then pooling."""
    shares = (64, 96, 128, 16, 32, 32)  # of 256
    x = inception_module(x, tuple(max(1, share * filters // 256) for share in shares), name=name)
    return layers.MaxPooling2D(name=f"{name}_halve")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


def residual_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """:func:`conv_block` and :func:`identity_block`, then pooling."""
    x = conv_block(x, filters // 4, strides=1, name=f"{name}a")
    x = identity_block(x, filters // 4, name=f"{name}b")
    return layers.MaxPooling2D(name=f"{name}_halve")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


# By kind, the block, and its filters: so many that one picture costs about the same number of multiply-adds.
_KINDS: dict[str, tuple[Block, tuple[int, ...]]] = {
    "plain": (convolution_block, (32, 48, 96)),
    "VGG": (vgg_block, (16, 32, 48)),
    "Inception": (inception_block, (32, 64, 128)),
    "ResNet": (residual_block, (32, 64, 128)),
}


def build_small(kind: str, *, input_shape: Shape = (32, 32, 3), num_classes: int = 2) -> keras.Model:
    """Build a small network of a famous kind: three blocks, an average per channel, a softmax."""
    block, filters = _KINDS[kind]
    return build_cnn(input_shape=input_shape, num_classes=num_classes, filters=filters, block=block, pooling="average")
