"""VGG: nothing but 3 x 3 convolutions and pooling, sixteen or nineteen layers deep.

Source: Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", table 1
(columns D and E).
"""

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Shape, check_size, convolve_relu, subtract_mean_bgr

_FILTERS = (64, 128, 256, 512, 512)


def vgg_block(
    x: KerasTensor, filters: int, *, convolutions: int = 2, normalise: bool = False, name: str
) -> KerasTensor:
    """Several 3 x 3 convolutions, each with ReLU, then a pooling that halves height and width.

    Two of them see 5 x 5 pixels, three see 7 x 7, with fewer weights than one large kernel and a ReLU after each.
    `normalise` puts batch normalisation before each ReLU, which came a year after the paper.

    >>> vgg_block(keras.Input((56, 56, 128)), 256, convolutions=3, name="block3").shape
    (None, 28, 28, 256)
    """
    for number in range(1, convolutions + 1):
        x = convolve_relu(x, filters, 3, normalise=normalise, name=f"{name}_conv{number}")
    return layers.MaxPooling2D(2, strides=2, name=f"{name}_pool")(x)  # (b, h, w, f) -> (b, h // 2, w // 2, f)


def build_vgg16(
    *, input_shape: Shape = (224, 224, 3), num_classes: int = 1000, include_top: bool = True
) -> keras.Model:
    """Build VGG16: thirteen convolutions in five blocks, then three dense layers with nine tenths of the weights.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; sides of 32 or more.
        num_classes: units of the softmax at the end.
        include_top: whether the dense layers follow; without them a feature map (batch, height / 32, width / 32, 512)
            comes out, and a side may be None.

    Returns:
        Uncompiled model with random weights. Its layers have the names of `keras.applications.VGG16`.

    >>> build_vgg16(include_top=False).count_params()
    14714688
    """
    return _build((2, 2, 3, 3, 3), input_shape, num_classes if include_top else None, name="vgg16")


def build_vgg19(
    *, input_shape: Shape = (224, 224, 3), num_classes: int = 1000, include_top: bool = True
) -> keras.Model:
    """Build VGG19: as :func:`build_vgg16`, with a fourth convolution in each of the last three blocks."""
    return _build((2, 2, 4, 4, 4), input_shape, num_classes if include_top else None, name="vgg19")


def _build(convolutions: tuple[int, ...], input_shape: Shape, num_classes: int | None, *, name: str) -> keras.Model:
    check_size(input_shape, halvings=len(_FILTERS))
    pictures = keras.Input(input_shape, name="pictures")
    x = subtract_mean_bgr(pictures)
    for number, (filters, count) in enumerate(zip(_FILTERS, convolutions, strict=True), start=1):
        x = vgg_block(x, filters, convolutions=count, name=f"block{number}")
    if num_classes is not None:
        x = layers.Flatten(name="flatten")(x)  # (b, 7, 7, 512) -> (b, 25088)
        # Section 3.1 drops half of these in training; keras.applications, whose layers these are, does not.
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(num_classes, activation="softmax", name="predictions")(x)
    return keras.Model(pictures, x, name=name)
