"""The parts of small networks. Each block takes a map (batch, height, width, channels) and halves height and width.

A block is called as `block(x, filters, name="block1")`: the map, the channels that come out, and how the names of its
layers begin.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import KerasTensor, layers

Shape = tuple[int | None, int | None, int]  # height, width, channels
Offset = float | Sequence[float]  # one, or one per channel
Block = Callable[..., KerasTensor]

# How much of the old average batch normalisation keeps at each step. Keras' 0.99 remembers a hundred batches: with the
# sixty that 2,000 pictures make, what is used in validation would lag epochs behind what is trained.
MOMENTUM = 0.9
MEAN_RGB = (123.68, 116.779, 103.939)  # of ImageNet's training pictures, 0 to 255


def start(input_shape: Shape, *, scale: float = 1 / 255, offset: Offset = 0.0) -> tuple[KerasTensor, KerasTensor]:
    """Return raw pictures, what a model is built from, and the same scaled (to 0..1), what its first block takes."""
    pictures = keras.Input(input_shape, name="pictures")
    return pictures, layers.Rescaling(scale, offset=offset, name="preprocessing")(pictures)


def subtract_mean_bgr(pictures: KerasTensor) -> KerasTensor:
    """Subtract ImageNet's mean colour and put blue first, as networks expect that were first trained in Caffe."""
    x = layers.Rescaling(1.0, offset=[-mean for mean in MEAN_RGB], name="preprocessing")(pictures)
    return keras.ops.flip(x, axis=-1)


def check_size(input_shape: Shape, *, halvings: int) -> None:
    """Raise a ValueError if there is nothing to halve, or a side is gone after that many halvings."""
    if not halvings:
        raise ValueError("Received no filters, expected one number per block. Try (32, 64, 128).")
    needed = 2**halvings
    if any(side is not None and side < needed for side in input_shape[:2]):
        raise ValueError(
            f"Received pictures of {input_shape[0]} x {input_shape[1]} for {halvings} blocks, each of which halves "
            f"them; expected sides of {needed} or more. Use larger pictures, or fewer blocks."
        )


def convolution_block(
    x: KerasTensor, filters: int, *, name: str, initializer: str | keras.Initializer = "glorot_uniform", l2: float = 0.0
) -> KerasTensor:
    """Look for patterns of 3 x 3 pixels, cut off below 0, keep the strongest answer of each 2 x 2.

    Args:
        x: map (batch, height, width, channels).
        filters: number of patterns.
        name: start of the layers' names; `_conv` and `_pool` are added.
        initializer: how the kernel's first values are drawn.
        l2: strength of the penalty on the squares of the kernel's values, added to the loss.

    >>> convolution_block(keras.Input((96, 96, 3)), 32, name="block1").shape
    (None, 48, 48, 32)
    """
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        activation="relu",
        kernel_initializer=clone_initializer(initializer),
        kernel_regularizer=l2_regularizer(l2),
        name=f"{name}_conv",
    )(x)  # (b, h, w, c) -> (b, h, w, filters)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)  # -> (b, h // 2, w // 2, filters)


def normalised_block(
    x: KerasTensor, filters: int, *, name: str, initializer: str | keras.Initializer = "he_normal", l2: float = 0.0
) -> KerasTensor:
    """The same as :func:`convolution_block` with batch normalisation between convolution and ReLU.

    Source: Ioffe and Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", section 3.2; He et al. 2015, "Delving Deep into Rectifiers", section 2.2 (the initializer).

    >>> normalised_block(keras.Input((96, 96, 3)), 32, name="block1").shape
    (None, 48, 48, 32)
    """
    x = normalised_convolution(
        x,
        filters,
        kernel_initializer=clone_initializer(initializer),
        kernel_regularizer=l2_regularizer(l2),
        name=name,
    )
    return layers.MaxPooling2D(name=f"{name}_pool")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


def normalised_convolution(x: KerasTensor, filters: int, size: int = 3, *, name: str, **options: Any) -> KerasTensor:
    """Convolution (with options of `Conv2D`), batch normalisation (which makes a bias pointless), ReLU; no pooling."""
    options = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"} | options
    x = layers.Conv2D(filters, size, name=f"{name}_conv", **options)(x)  # (b, h, w, c) -> (b, h, w, filters)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def convolve_relu(
    x: KerasTensor, filters: int, size: int, *, strides: int = 1, normalise: bool = False, name: str
) -> KerasTensor:
    """Convolution and ReLU, with batch normalisation between them or without."""
    if normalise:
        return normalised_convolution(x, filters, size, strides=strides, name=name)
    return layers.Conv2D(filters, size, strides=strides, padding="same", activation="relu", name=name)(x)


def separable_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """The same job as :func:`convolution_block` in two cheap steps: look around in each channel, then mix channels.

    A 3 x 3 convolution from c to f channels has 9 c f weights; the two steps together have 9 c + c f.

    Source: Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions", section 1.
    """
    x = layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        activation="relu",
        # Nine products make one output, and no ReLU follows. Keras' own starts take 9 c from the kernel's shape for
        # that 9: with many channels their signals all but vanish.
        depthwise_initializer=keras.initializers.RandomNormal(stddev=1 / 3),
        pointwise_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)  # (b, h, w, filters) -> (b, h // 2, w // 2, filters)


def clone_initializer(initializer: str | keras.Initializer) -> str | keras.Initializer:
    """Return a fresh copy of an initializer: the same one gives two kernels of one shape the same values."""
    return initializer.clone() if isinstance(initializer, keras.Initializer) else initializer


def l2_regularizer(strength: float) -> keras.Regularizer | None:
    """Return Keras' penalty on the squares of weights, or None for a strength of 0."""
    return keras.regularizers.L2(strength) if strength else None


def flatten_or_average(x: KerasTensor, pooling: str) -> KerasTensor:
    """Turn a map into one row per picture.

    Args:
        x: map (batch, height, width, channels).
        pooling: "flatten" keeps every value in its place; "average" keeps each channel's mean, wherever in the
            picture it was strong.

    Raises:
        ValueError: if `pooling` is neither.

    Source: Lin et al. 2014, "Network In Network", section 3.2 (the average).
    """
    match pooling:
        case "flatten":
            return layers.Flatten(name="flatten")(x)  # (b, h, w, c) -> (b, h * w * c)
        case "average":
            return layers.GlobalAveragePooling2D(name="average")(x)  # (b, h, w, c) -> (b, c)
    raise ValueError(f'Received pooling {pooling!r}, expected "flatten" or "average". Choose one of the two.')
