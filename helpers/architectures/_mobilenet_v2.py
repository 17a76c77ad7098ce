"""MobileNetV2, and the block it brought: the inverted residual, of which EfficientNet-Lite is made as well.

Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
"""

import string
from collections.abc import Iterable
from typing import NamedTuple

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Shape, start


class Stage(NamedTuple):
    """Blocks of one size: the first has the strides, the others add their input."""

    kernel_size: int
    strides: int
    expansion: int
    filters: int
    blocks: int


# Table 2 of the paper, its rows of bottlenecks.
_STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(3, 2, 6, 32, 3),
    Stage(3, 2, 6, 64, 4),
    Stage(3, 1, 6, 96, 3),
    Stage(3, 2, 6, 160, 3),
    Stage(3, 1, 6, 320, 1),
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


def stack_stages(x: KerasTensor, stages: Iterable[Stage], *, width: float = 1.0) -> KerasTensor:
    """Chain the inverted residuals of all stages, `width` times as wide: `block1a_*`, `block2a_*`, `block2b_*`, ..."""
    for number, stage in enumerate(stages, start=1):
        for block in range(stage.blocks):
            x = inverted_residual(
                x,
                round_filters(stage.filters * width),
                kernel_size=stage.kernel_size,
                strides=stage.strides if block == 0 else 1,
                expansion=stage.expansion,
                name=f"block{number}{string.ascii_lowercase[block]}",
            )
    return x


def build_mobilenet_v2(
    *,
    input_shape: Shape = (224, 224, 3),
    num_classes: int = 1000,
    include_top: bool = True,
    width: float = 1.0,
) -> keras.Model:
    """Build MobileNetV2 with random weights; `backbones.build` gives it ImageNet's.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: units of the softmax at the end.
        include_top: whether the head follows; without it a map (batch, height / 32, width / 32, 1280) comes out.
        width: factor on the channels of each stage; what `keras.applications` calls `alpha`.

    Returns:
        Uncompiled model: pictures to probabilities (batch, num_classes). Layers: `preprocessing`, `stem_*`,
        `block1a_*` to `block7a_*` (stage and letter), `top_*`, `pool`, `probabilities`. Its weights,
        in their order, are those of `keras.applications.MobileNetV2`, which pads by layers of its own what "same"
        pads here.

    >>> build_mobilenet_v2().count_params()
    3538984
    """
    pictures, x = start(input_shape, scale=1 / 127.5, offset=-1.0)
    x = convolve(x, round_filters(32 * width), kernel_size=3, strides=2, name="stem")
    x = stack_stages(x, _STAGES, width=width)
    # A narrower network keeps its 1280 features: section 6.1 of the paper.
    x = convolve(x, round_filters(1280 * max(width, 1.0)), name="top")  # (b, h, w, c) -> (b, h, w, 1280)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool")(x)  # (b, h, w, 1280) -> (b, 1280)
        x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="mobilenet_v2")
