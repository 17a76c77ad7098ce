"""EfficientNet-Lite: EfficientNet without the parts that phones dislike (squeeze-and-excite, swish).

Source: Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", section 4.
"""

import math

import keras
from keras import layers

from helpers.architectures._blocks import Shape, start
from helpers.architectures._mobilenet_v2 import Stage, convolve, stack_stages

_STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)


def build_efficientnet_lite(
    *,
    input_shape: Shape = (224, 224, 3),
    num_classes: int = 1000,
    include_top: bool = True,
    width: float = 1.0,
    depth: float = 1.0,
    dropout: float = 0.2,
) -> keras.Model:
    """Build EfficientNet-Lite with random weights; `backbones.build` gives it ImageNet's.

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: units of the softmax at the end.
        include_top: whether the head follows; without it a map (batch, height / 32, width / 32, 1280) comes out.
        width: factor on the channels of each stage (1.0 for Lite0 and Lite1, 1.1 for Lite2).
        depth: factor on the blocks of each stage (1.0 for Lite0, 1.1 for Lite1, 1.2 for Lite2).
        dropout: share of features that the head drops during training.

    Returns:
        Uncompiled model: pictures to probabilities (batch, num_classes). Layers: `preprocessing`, `stem_*`,
        `block1a_*` to `block7a_*` (stage and letter), `top_*`, `pool`, `dropout`, `logits`, `probabilities`. The
        original also drops whole blocks at random in training (stochastic depth); this one does not.

    >>> build_efficientnet_lite().count_params()
    4694024
    """
    pictures, x = start(input_shape, scale=1 / 127.5, offset=-1.0)
    x = convolve(x, 32, kernel_size=3, strides=2, name="stem")
    first, *middle, last = _STAGES
    # The first and the last stage keep their one block, as the stem and the top keep their width.
    deeper = (stage._replace(blocks=math.ceil(stage.blocks * depth)) for stage in middle)
    x = stack_stages(x, (first, *deeper, last), width=width)
    x = convolve(x, 1280, name="top")  # (b, h, w, 320) -> (b, h, w, 1280)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool")(x)  # (b, h, w, 1280) -> (b, 1280)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Dense(num_classes, name="logits")(x)
        x = layers.Softmax(name="probabilities")(x)
    return keras.Model(pictures, x, name="efficientnet_lite")
