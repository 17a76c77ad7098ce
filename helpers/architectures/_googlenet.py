"""GoogLeNet (Inception v1): nine modules that look at several sizes at once.

Source: Szegedy et al. 2015, "Going Deeper with Convolutions", table 1 and figure 3.
"""

from functools import partial

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import MEAN_RGB, Shape, convolve_relu, start

# One row per module, columns of table 1: 1 x 1; before 3 x 3, 3 x 3; before 5 x 5, 5 x 5; after the pooling.
_STAGES = {
    "3": ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    "4": (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    "5": ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
}


def inception_module(
    x: KerasTensor, filters: tuple[int, int, int, int, int, int], *, normalise: bool = False, name: str
) -> KerasTensor:
    """Look at 1 x 1, 3 x 3 and 5 x 5 pixels and at a maximum, side by side, and stack what comes out.

    Args:
        x: map (batch, height, width, channels).
        filters: of the 1 x 1 branch; of the 1 x 1 before the 3 x 3, of the 3 x 3; of the 1 x 1 before the 5 x 5, of
            the 5 x 5; of the 1 x 1 after the pooling.
        normalise: whether there is batch normalisation before each ReLU, as in later versions.
        name: start of the layers' names.

    Returns:
        Map (batch, height, width, sum of the four branches' filters).

    Source: figure 2b.

    >>> inception_module(keras.Input((28, 28, 192)), (64, 96, 128, 16, 32, 32), name="inception_3a").shape
    (None, 28, 28, 256)
    """
    one, before_three, three, before_five, five, after_pool = filters
    convolve = partial(convolve_relu, normalise=normalise)
    branch1 = convolve(x, one, 1, name=f"{name}_1x1")
    branch2 = convolve(x, before_three, 1, name=f"{name}_3x3_reduce")
    branch2 = convolve(branch2, three, 3, name=f"{name}_3x3")
    branch3 = convolve(x, before_five, 1, name=f"{name}_5x5_reduce")
    branch3 = convolve(branch3, five, 5, name=f"{name}_5x5")
    branch4 = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    branch4 = convolve(branch4, after_pool, 1, name=f"{name}_pool_proj")
    return layers.Concatenate(name=name)([branch1, branch2, branch3, branch4])


def build_googlenet(
    *, input_shape: Shape = (224, 224, 3), num_classes: int = 1000, include_top: bool = True
) -> keras.Model:
    """Build GoogLeNet: 22 layers with weights, and a twentieth of VGG16's numbers.

    Without the paper's two auxiliary heads, which only help training, and without its local response normalisation,
    which has no weights: Simonyan and Zisserman 2015 (section 4.1) measured no gain from it.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: units of the softmax at the end.
        include_top: whether the head follows; without it a map (batch, height / 32, width / 32, 1024) comes out.

    Returns:
        Uncompiled model with random weights.

    >>> build_googlenet().count_params()
    6998552
    """
    # Section 5: RGB with zero mean.
    pictures, x = start(input_shape, scale=1.0, offset=[-mean for mean in MEAN_RGB])
    x = convolve_relu(x, 64, 7, strides=2, name="conv1")  # 224 -> 112
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)  # -> 56
    x = convolve_relu(x, 64, 1, name="conv2_reduce")
    x = convolve_relu(x, 192, 3, name="conv2")
    for stage, modules in _STAGES.items():
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{int(stage) - 1}")(x)  # -> 28, 14, 7
        for letter, filters in zip("abcde", modules, strict=False):
            x = inception_module(x, filters, name=f"inception_{stage}{letter}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool")(x)  # (b, 7, 7, 1024) -> (b, 1024)
        x = layers.Dropout(0.4, name="dropout")(x)  # table 1
        x = layers.Dense(num_classes, activation="softmax", name="predictions")(x)
    return keras.Model(pictures, x, name="googlenet")
