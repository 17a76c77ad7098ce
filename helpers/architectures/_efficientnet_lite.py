"""EfficientNet-Lite: EfficientNet without the parts that phones dislike (squeeze-and-excite, swish).

Source: Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", section 4.
"""

import math
import string

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Shape, start

# One row per stage: kernel size, stride, expansion, filters out, number of blocks.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def normalise(x: KerasTensor, *, name: str, relu: bool = True) -> KerasTensor:
    """Batch normalisation, then (if `relu`) a ReLU cut off at 6: what follows every convolution here."""
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if relu else x


def convolve(
    x: KerasTensor, filters: int, *, name: str, kernel_size: int = 1, strides: int = 1, relu: bool = True
) -> KerasTensor:
    """Convolution without bias (the normalisation after it has one), then :func:`normalise`.

    Args:
        x: map (batch, height, width, channels).
        filters: channels out.
        name: start of the layers' names.
        kernel_size: side of the kernel; 1 mixes the channels of each pixel and looks at no neighbour.
        strides: 2 halves height and width (rounded up).
        relu: whether the activation follows.
    """
    convolution = layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return normalise(convolution(x), name=name, relu=relu)  # (b, h, w, c) -> (b, h / strides, w / strides, filters)


def inverted_residual(
    x: KerasTensor, filters: int, *, name: str, kernel_size: int = 3, strides: int = 1, expansion: int = 6
) -> KerasTensor:
    """Widen, look around each channel by itself, narrow again; add the input back if the shape has stayed.

    The wide middle is cheap because its convolution is depthwise: one kernel per channel. The narrow end has no
    activation, since a ReLU would throw away half of the little that is carried on.

    Args:
        x: map (batch, height, width, channels).
        filters: channels out.
        name: start of the layers' names.
        kernel_size: side of the depthwise kernel.
        strides: 2 halves height and width (rounded up).
        expansion: how many times wider the middle is than `x`; 1 leaves the widening out.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section 3.
    """
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = convolve(x, channels * expansion, name=f"{name}_expand")  # (b, h, w, c) -> (b, h, w, expansion * c)
    x = layers.DepthwiseConv2D(
        kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)  # -> (b, h / strides, w / strides, expansion * c)
    x = normalise(x, name=f"{name}_depthwise")
    x = convolve(x, filters, name=f"{name}_project", relu=False)  # -> (b, h / strides, w / strides, filters)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if strides == 1 and channels == filters else x


def round_filters(filters: float) -> int:
    """Round a number of channels to a multiple of 8, which hardware likes, never down by over a tenth.

    >>> round_filters(16 * 1.1), round_filters(24 * 1.1), round_filters(11)
    (16, 24, 16)
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def build_efficientnet_lite(
    *,
    input_shape: Shape = (224, 224, 3),
    num_classes: int | None = None,
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.2,
) -> keras.Model:
    """Build EfficientNet-Lite with random weights; `backbones.build` gives it ImageNet's.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: number of classes of the head; None leaves the head out.
        width: factor on the channels of each stage (1.0 for Lite0 and Lite1, 1.1 for Lite2).
        depth: factor on the blocks of each stage (1.0 for Lite0, 1.1 for Lite1, 1.2 for Lite2).
        dropout: share of features that the head drops during training.

    Returns:
        Uncompiled model: pictures to a feature map (batch, height / 32, width / 32, 1280), or to probabilities
        (batch, num_classes). Layers: `preprocessing`, `stem_*`, `block1a_*` to `block7a_*` (stage and letter),
        `top_*`, and with a head `pool`, `dropout`, `logits`, `probabilities`. The original also drops whole blocks at
        random in training (stochastic depth); this one does not.

    >>> build_efficientnet_lite(num_classes=1000).count_params()
    4694024
    """
    pictures, x = start(input_shape, scale=1 / 127.5, offset=-1.0)
    x = convolve(x, 32, kernel_size=3, strides=2, name="stem")
    for stage, (kernel_size, strides, expansion, filters, blocks) in enumerate(_STAGES, start=1):
        # The first and the last stage keep their one block, as the stem and the top keep their width.
        repeats = math.ceil(blocks * depth) if 1 < stage < len(_STAGES) else blocks
        for block in range(repeats):
            x = inverted_residual(
                x,
                round_filters(filters * width),
                kernel_size=kernel_size,
                strides=strides if block == 0 else 1,
                expansion=expansion,
                name=f"block{stage}{string.ascii_lowercase[block]}",
            )
    x = convolve(x, 1280, name="top")  # (b, h, w, 320) -> (b, h, w, 1280)
    if num_classes is not None:
        x = layers.GlobalAveragePooling2D(name="pool")(x)  # (b, h, w, 1280) -> (b, 1280)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Dense(num_classes, name="logits")(x)
        x = layers.Softmax(name="probabilities")(x)
    return keras.Model(pictures, x, name="efficientnet_lite")
