"""ResNet: blocks that learn what to add to their input.

Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1 and figure 5.
"""

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import MOMENTUM, Shape, subtract_mean_bgr

# Filters of the narrow middle, and number of blocks, in each stage (table 1, column 50-layer).
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


def identity_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """Narrow, look around, widen again, and add the input: F(x) + x.

    Args:
        x: map (batch, height, width, 4 * filters): what comes in has the shape of what goes out.
        filters: channels of the narrow middle.
        name: start of the layers' names.

    Source: figure 5, right.

    >>> identity_block(keras.Input((56, 56, 256)), 64, name="conv2_block2").shape
    (None, 56, 56, 256)
    """
    return _add(x, _bottleneck(x, filters, strides=1, name=name), name=name)


def conv_block(x: KerasTensor, filters: int, *, strides: int = 2, name: str) -> KerasTensor:
    """As :func:`identity_block`, where the shape changes: a 1 x 1 convolution takes the input to the new one.

    Args:
        x: map (batch, height, width, channels).
        filters: channels of the narrow middle; four times as many come out.
        strides: 2 halves height and width (rounded up).
        name: start of the layers' names.

    Source: section 3.3, option B.

    >>> conv_block(keras.Input((56, 56, 256)), 128, name="conv3_block1").shape
    (None, 28, 28, 512)
    """
    shortcut = _convolve(x, 4 * filters, 1, strides=strides, name=f"{name}_0")
    return _add(shortcut, _bottleneck(x, filters, strides=strides, name=name), name=name)


def build_resnet50(
    *, input_shape: Shape = (224, 224, 3), num_classes: int = 1000, include_top: bool = True
) -> keras.Model:
    """Build ResNet-50: a large first kernel, sixteen blocks of three layers in four stages, one dense layer.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: units of the softmax at the end.
        include_top: whether the head follows; without it a map (batch, height / 32, width / 32, 2048) comes out.

    Returns:
        Uncompiled model with random weights. Its layers have the names of `keras.applications.ResNet50`.

    >>> build_resnet50().count_params()
    25636712
    """
    pictures = keras.Input(input_shape, name="pictures")
    x = subtract_mean_bgr(pictures)
    # Zeros on both sides, as in Caffe: "same" with strides of 2 would put them on the right and at the bottom alone.
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = _convolve(x, 64, 7, strides=2, padding="valid", name="conv1")  # 224 -> 112
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # -> 56
    for stage, (filters, blocks) in enumerate(_STAGES, start=2):
        x = conv_block(x, filters, strides=1 if stage == 2 else 2, name=f"conv{stage}_block1")  # -> 56, 28, 14, 7
        for block in range(2, blocks + 1):
            x = identity_block(x, filters, name=f"conv{stage}_block{block}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)  # (b, 7, 7, 2048) -> (b, 2048)
        x = layers.Dense(num_classes, activation="softmax", name="predictions")(x)
    return keras.Model(pictures, x, name="resnet50")


def _bottleneck(x: KerasTensor, filters: int, *, strides: int, name: str) -> KerasTensor:
    """F(x): three convolutions, of which only the middle one, on few channels, looks at neighbours."""
    # The stride is in the first, as in the authors' Caffe model and keras.applications; others put it in the second.
    x = layers.ReLU(name=f"{name}_1_relu")(_convolve(x, filters, 1, strides=strides, name=f"{name}_1"))
    x = layers.ReLU(name=f"{name}_2_relu")(_convolve(x, filters, 3, name=f"{name}_2"))
    return _convolve(x, 4 * filters, 1, name=f"{name}_3")  # no ReLU: what is added may be negative


def _add(shortcut: KerasTensor, x: KerasTensor, *, name: str) -> KerasTensor:
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, x]))


def _convolve(
    x: KerasTensor, filters: int, size: int, *, strides: int = 1, padding: str = "same", name: str
) -> KerasTensor:
    """Convolution, then batch normalisation (section 3.4)."""
    # The bias does nothing before a normalisation; keras.applications has it, and its count is the one that is known.
    x = layers.Conv2D(
        filters, size, strides=strides, padding=padding, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    # Epsilon, too, as in keras.applications.
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=1.001e-5, name=f"{name}_bn")(x)
