"""LeNet-5: the plan of all that followed, for handwritten digits.

Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", section II.B and table I.
"""

import keras
from keras import KerasTensor, layers

from helpers.architectures._blocks import Shape, start

# Which of the six maps each of the sixteen filters of C3 sees (table I): not all, so that they find different things.
_SEEN_BY_C3 = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def build_lenet5(*, input_shape: Shape = (32, 32, 1), num_classes: int = 10, include_top: bool = True) -> keras.Model:
    """Build LeNet-5 from the paper's table, with a softmax at the end.

    The paper ends with distances to drawn bitmaps of the characters (no weights), here a dense layer: 850 parameters
    more than its 60,000.

    Args:
        input_shape: (height, width, 1) of the raw pictures, 0 for paper to 255 for ink; sides of 32 or more.
        num_classes: units of the softmax at the end.
        include_top: whether the layers F6 and the last follow; without them C5's map (batch, 1, 1, 120) comes out.

    Returns:
        Uncompiled model with random weights; its layers are called as in the paper, `C1` to `F6`.

    >>> build_lenet5().count_params()
    60850
    """
    # Section II.B: paper is -0.1 and ink 1.175, so that the mean is about 0 and the variance about 1.
    pictures, x = start(input_shape, scale=1.275 / 255, offset=-0.1)
    # Section II.B scales the tanh, 1.7159 tanh(2 a / 3), which other weights can do as well.
    x = layers.Conv2D(6, 5, activation="tanh", name="C1")(x)  # (b, 32, 32, 1) -> (b, 28, 28, 6)
    x = _subsample(x, name="S2")  # -> (b, 14, 14, 6)
    sixteen = [
        layers.Conv2D(1, 5, activation="tanh", name=f"C3_{number}")(keras.ops.take(x, list(maps), axis=-1))
        for number, maps in enumerate(_SEEN_BY_C3)
    ]
    x = layers.Concatenate(name="C3")(sixteen)  # -> (b, 10, 10, 16)
    x = _subsample(x, name="S4")  # -> (b, 5, 5, 16)
    x = layers.Conv2D(120, 5, activation="tanh", name="C5")(x)  # -> (b, 1, 1, 120)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(84, activation="tanh", name="F6")(x)
        x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="lenet5")


def _subsample(x: KerasTensor, *, name: str) -> KerasTensor:
    """The average of each 2 x 2 (the paper adds the four), times one number per map, plus another, through tanh."""
    x = layers.AveragePooling2D(2, name=f"{name}_average")(x)  # (b, h, w, c) -> (b, h // 2, w // 2, c)
    return layers.DepthwiseConv2D(1, activation="tanh", name=name)(x)
