"""Networks from small blocks: each function takes a tensor and returns one; a network is a chain of them.

Every network takes raw pictures (RGB, 0 to 255) and scales them in its first layer, so that nobody can forget
to. The models come uncompiled: the loss and the optimiser are the lesson's choice.
"""

import math
import string
from collections.abc import Callable

import keras
from keras import KerasTensor, layers

Shape = tuple[int | None, int | None, int]  # height, width, channels
Block = Callable[..., KerasTensor]  # called as block(x, filters, name="block1")

# How much of the old average batch normalisation keeps at each step. Keras' 0.99 remembers a hundred batches: with the
# sixty that 2,000 pictures make, what is used in validation would lag epochs behind what is trained.
MOMENTUM = 0.9

# EfficientNet-Lite0, one row a stage: kernel size, stride, expansion, filters out, number of blocks.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def start(input_shape: Shape, *, scale: float = 1 / 255, offset: float = 0.0) -> tuple[KerasTensor, KerasTensor]:
    """The beginning of every small network: raw pictures, and the same scaled to 0..1.

    Args:
        input_shape: (height, width, channels) of the pictures.
        scale: Factor on the values.
        offset: Added to the values after that; -1 with a scale of 1 / 127.5 gives -1..1.

    Returns:
        The pictures (what a model is built from), and the scaled pictures (what its first block takes).
    """
    pictures = keras.Input(input_shape, name="pictures")
    return pictures, layers.Rescaling(scale, offset=offset, name="preprocessing")(pictures)


def convolution_block(
    x: KerasTensor, filters: int, *, name: str, initializer: str | keras.Initializer = "glorot_uniform", l2: float = 0.0
) -> KerasTensor:
    """Look for patterns of 3 x 3 pixels, cut off below 0, keep the strongest answer of each 2 x 2.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of patterns, and so of channels out.
        name: Start of the layers' names; `_conv` and `_pool` are added.
        initializer: How the kernel's first values are drawn: the name of an initializer of Keras, or one itself.
        l2: Strength of the penalty on the squares of the kernel's values, added to the loss.

    Returns:
        Tensor of shape (batch, height // 2, width // 2, filters).

    >>> convolution_block(keras.Input((96, 96, 3)), 32, name="block1").shape
    (None, 48, 48, 32)
    """
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        activation="relu",
        kernel_initializer=draw_anew(initializer),
        kernel_regularizer=penalise(l2),
        name=f"{name}_conv",
    )(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def normalised_block(
    x: KerasTensor, filters: int, *, name: str, initializer: str | keras.Initializer = "he_normal", l2: float = 0.0
) -> KerasTensor:
    """The same as :func:`convolution_block` with batch normalisation between convolution and ReLU.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of channels out.
        name: Start of the layers' names; `_conv`, `_bn`, `_relu` and `_pool` are added.
        initializer: How the kernel's first values are drawn; He et al. worked out theirs for ReLU.
        l2: Strength of the penalty on the squares of the kernel's values, added to the loss.

    Returns:
        Tensor of shape (batch, height // 2, width // 2, filters).

    Source: Ioffe and Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", section 3.2; He et al. 2015, "Delving Deep into Rectifiers", section 2.2.

    >>> normalised_block(keras.Input((96, 96, 3)), 32, name="block1").shape
    (None, 48, 48, 32)
    """
    x = normalised_convolution(x, filters, name=name, initializer=initializer, l2=l2)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def normalised_convolution(
    x: KerasTensor,
    filters: int,
    *,
    name: str,
    initializer: str | keras.Initializer = "he_normal",
    l2: float = 0.0,
    use_bias: bool = False,
) -> KerasTensor:
    """Convolution of 3 x 3 pixels, batch normalisation, ReLU: :func:`normalised_block` before its pooling.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of channels out.
        name: Start of the layers' names; `_conv`, `_bn` and `_relu` are added.
        initializer: How the kernel's first values are drawn.
        l2: Strength of the penalty on the squares of the kernel's values, added to the loss.
        use_bias: Whether the convolution adds a bias of its own; the normalisation takes it away again.

    Returns:
        Tensor of shape (batch, height, width, filters).
    """
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=draw_anew(initializer),
        kernel_regularizer=penalise(l2),
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def separable_block(x: KerasTensor, filters: int, *, name: str) -> KerasTensor:
    """The same job as :func:`convolution_block` in two cheap steps: look around in each channel, then mix channels.

    A 3 x 3 convolution from c to f channels has 9 c f weights; the two steps together have 9 c + c f.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of channels out.
        name: Start of the layers' names; `_conv` and `_pool` are added.

    Returns:
        Tensor of shape (batch, height // 2, width // 2, filters).

    Source: Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions", section 1.
    """
    x = layers.SeparableConv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv")(x)
    return layers.MaxPooling2D(name=f"{name}_pool")(x)


def draw_anew(initializer: str | keras.Initializer) -> str | keras.Initializer:
    """Return a fresh copy of an initializer: the same one gives two kernels of one shape the same values."""
    return initializer.clone() if isinstance(initializer, keras.Initializer) else initializer


def penalise(l2: float) -> keras.Regularizer | None:
    """Return Keras' penalty on the squares of weights, or None for a strength of 0."""
    return keras.regularizers.L2(l2) if l2 else None


def flatten_or_average(x: KerasTensor, pooling: str) -> KerasTensor:
    """Turn a feature map into one row a picture.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        pooling: "flatten" keeps every value in its place; "average" keeps each channel's mean, wherever in the
            picture it was strong.

    Returns:
        Tensor of shape (batch, height * width * channels), or (batch, channels).

    Raises:
        ValueError: If `pooling` is neither.

    Source: Lin et al. 2014, "Network In Network", section 3.2 (the average).
    """
    match pooling:
        case "flatten":
            return layers.Flatten(name="flatten")(x)
        case "average":
            return layers.GlobalAveragePooling2D(name="average")(x)
    raise ValueError(f'Received pooling {pooling!r}, expected "flatten" or "average". Choose one of the two.')


def build_cnn(
    *,
    input_shape: Shape,
    num_classes: int,
    filters: tuple[int, ...] = (32, 64, 128),
    block: Block = convolution_block,
    pooling: str = "flatten",
    dropout: float = 0.0,
) -> keras.Model:
    """The small network of the lessons: blocks that see more and more of the picture, then one dense layer.

    Args:
        input_shape: (height, width, channels) of the raw pictures, 0 to 255.
        num_classes: Units of the softmax at the end; two for two classes as well.
        filters: Channels out of each block, so one number a block.
        block: Called as `block(x, filters, name="block1")`, gives a tensor back: :func:`convolution_block`,
            :func:`normalised_block`, :func:`separable_block`, one of these with options in
            `functools.partial`, or your own.
        pooling: "flatten" or "average", see :func:`flatten_or_average`.
        dropout: Share of the features that are dropped in training; with 0 there is no such layer.

    Returns:
        Uncompiled model: pictures (batch, height, width, channels) to probabilities (batch, num_classes).
        Layers: `preprocessing`, `block1_*`, `block2_*`, ..., `flatten` or `average`, `dropout`, `probabilities`.

    Raises:
        ValueError: If `pooling` is not as described, there is no block, or the picture is too small for the blocks.

    >>> model = build_cnn(input_shape=(96, 96, 3), num_classes=2)
    >>> model.count_params(), model.get_layer("block3_pool").output.shape
    (130114, (None, 12, 12, 128))
    >>> from functools import partial
    >>> regular = partial(normalised_block, l2=1e-4)
    >>> build_cnn(input_shape=(96, 96, 3), num_classes=2, block=regular, pooling="average").count_params()
    94178
    """
    check_size(input_shape, halvings=len(filters))
    pictures, x = start(input_shape)
    for number, channels in enumerate(filters, start=1):
        x = block(x, channels, name=f"block{number}")
    x = flatten_or_average(x, pooling)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn")


def check_size(input_shape: Shape, *, halvings: int) -> None:
    """Raise a ValueError if there is nothing to halve, or a side is gone after that many halvings."""
    if not halvings:
        raise ValueError("Received no filters, expected one number a block, such as (32, 64, 128).")
    needed = 2**halvings
    if any(side is not None and side < needed for side in input_shape[:2]):
        raise ValueError(
            f"Received pictures of {input_shape[0]} x {input_shape[1]} for {halvings} blocks, each of which halves "
            f"them; expected sides of {needed} or more. Use larger pictures, or fewer blocks."
        )


def build_cnn_separable(*, input_shape: Shape = (96, 96, 3), num_classes: int = 2) -> keras.Model:
    """:func:`build_cnn` with depthwise separable convolutions: an eighth of the weights in its blocks.

    Args:
        input_shape: (height, width, channels) of the raw pictures, 0 to 255.
        num_classes: Units of the softmax at the end.

    >>> build_cnn_separable().count_params()
    48317
    """
    return build_cnn(input_shape=input_shape, num_classes=num_classes, block=separable_block)


# --- The networks of the source notes -----------------------------------------------------------------------


def build_cnn_a() -> keras.Model:
    """For grey pictures of 70 x 70: three blocks of 64 filters, a hidden layer of 128.

    Returns:
        Uncompiled model: pictures (batch, 70, 70, 1), 0 to 255, to one sigmoid unit (batch, 1).

    >>> build_cnn_a().count_params()
    599041
    """
    pictures, x = start((70, 70, 1))
    for number in (1, 2, 3):
        x = convolution_block(x, 64, name=f"block{number}")
    x = flatten_or_average(x, "flatten")
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(128, activation="relu", name="hidden")(x)
    x = layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.Model(pictures, x, name="cnn_a")


def build_cnn_c(*, num_classes: int = 2) -> keras.Model:
    """For pictures of 160 x 160: three narrow blocks, then a hidden layer with nearly all of the weights.

    Args:
        num_classes: Units of the softmax at the end.

    Returns:
        Uncompiled model: pictures (batch, 160, 160, 3), 0 to 255, to probabilities (batch, num_classes).

    >>> model = build_cnn_c()
    >>> model.count_params(), model.get_layer("hidden").count_params()
    (13132322, 13107712)
    """
    pictures, x = start((160, 160, 3), scale=1 / 127.5, offset=-1.0)
    for number, filters in enumerate((16, 32, 64), start=1):
        x = convolution_block(x, filters, name=f"block{number}")
    x = flatten_or_average(x, "flatten")
    x = layers.Dense(512, activation="relu", name="hidden")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_c")


def build_cnn_d() -> keras.Model:
    """For pictures of 150 x 150: convolutions without padding lose a pixel at each edge; dropout before the end.

    Returns:
        Uncompiled model: pictures (batch, 150, 150, 3), 0 to 255, to one sigmoid unit (batch, 1).

    >>> build_cnn_d().get_layer("block3_pool").output.shape  # 150, 148, 74, 72, 36, 34, 17
    (None, 17, 17, 128)
    """
    pictures, x = start((150, 150, 3))
    for number, filters in enumerate((32, 64, 128), start=1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"block{number}_conv")(x)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)
    x = flatten_or_average(x, "flatten")
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.Model(pictures, x, name="cnn_d")


def build_cnn_e_grey(*, num_classes: int = 10) -> keras.Model:
    """For grey pictures of 28 x 28: three convolutions, one pooling; the one whose weights are counted by hand.

    Args:
        num_classes: Units of the softmax at the end.

    Returns:
        Uncompiled model: pictures (batch, 28, 28, 1), 0 to 255, to probabilities (batch, num_classes).

    >>> model = build_cnn_e_grey()
    >>> [model.get_layer(f"conv{number}").count_params() for number in (1, 2, 3)]
    [160, 8224, 32832]
    """
    pictures, x = start((28, 28, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.Conv2D(32, 4, padding="same", activation="relu", name="conv2")(x)
    x = layers.Conv2D(64, 4, activation="relu", name="conv3")(x)
    x = layers.MaxPooling2D(name="pool")(x)
    x = flatten_or_average(x, "flatten")
    x = layers.Dense(50, activation="relu", name="hidden1")(x)
    x = layers.Dense(20, activation="relu", name="hidden2")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e_grey")


def build_cnn_e(*, num_classes: int = 10) -> keras.Model:
    """For pictures of 32 x 32: two convolutions before each pooling, dropout around a hidden layer of 300.

    Args:
        num_classes: Units of the softmax at the end.

    Returns:
        Uncompiled model: pictures (batch, 32, 32, 3), 0 to 255, to probabilities (batch, num_classes).
    """
    pictures, x = start((32, 32, 3))
    for number, filters in enumerate((32, 64, 128), start=1):
        # The very first kernel is larger, and without padding.
        size, padding = (5, "valid") if number == 1 else (3, "same")
        x = layers.Conv2D(filters, size, padding=padding, activation="relu", name=f"block{number}_conv1")(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{number}_conv2")(x)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)
    x = flatten_or_average(x, "flatten")
    x = layers.Dropout(0.5, name="dropout1")(x)
    x = layers.Dense(300, activation="relu", name="hidden")(x)
    x = layers.Dropout(0.5, name="dropout2")(x)
    x = layers.Dense(num_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e")


def build_cnn_e_normalised(*, num_classes: int = 10) -> keras.Model:
    """For pictures of 32 x 32: twice as wide as :func:`build_cnn_e`, with everything that helps training.

    Batch normalisation after every convolution, He's initialisation before every ReLU, a penalty on the weights (not
    in the first layer, which sees the picture itself), averages instead of flattened maps.

    Args:
        num_classes: Units of the softmax at the end.

    Returns:
        Uncompiled model: pictures (batch, 32, 32, 3), 0 to 255, to probabilities (batch, num_classes).
    """
    pictures, x = start((32, 32, 3))
    for number, filters in enumerate((64, 128, 256), start=1):
        for half in (1, 2):
            l2 = 0.0 if number == half == 1 else 1e-5
            x = normalised_convolution(x, filters, name=f"block{number}_{half}", l2=l2, use_bias=True)
        x = layers.MaxPooling2D(name=f"block{number}_pool")(x)
    x = flatten_or_average(x, "average")
    x = layers.Dropout(0.5, name="dropout1")(x)
    x = layers.Dense(
        300, activation="relu", kernel_initializer="he_normal", kernel_regularizer=penalise(1e-5), name="hidden"
    )(x)
    x = layers.Dropout(0.5, name="dropout2")(x)
    x = layers.Dense(num_classes, activation="softmax", kernel_initializer="glorot_normal", name="probabilities")(x)
    return keras.Model(pictures, x, name="cnn_e_normalised")


# --- What a network costs -----------------------------------------------------------------------------------


def count_multiply_adds(model: keras.Model) -> int:
    """Count the multiplications (each with its addition) that one picture costs, in convolutions and dense layers.

    Every weight of a kernel is used once at every place of the output: so it is the number of weights times the
    number of places. Biases, activations, normalisation and pooling are left out, as is usual.

    Args:
        model: Functional or Sequential, also with models inside it; with a fixed input size. A layer that the model
            uses twice is counted once.

    Returns:
        Multiply-adds a picture.

    Raises:
        ValueError: If a layer's output size is not known, or a layer of another kind has a kernel.

    >>> count_multiply_adds(build_cnn_d())  # 148 x 148 x 864 + 72 x 72 x 18432 + 34 x 34 x 73728 + 36992
    199743104
    """
    return sum(
        count_multiply_adds(layer) if isinstance(layer, keras.Model) else _count_layer(layer) for layer in model.layers
    )


def _count_layer(layer: keras.Layer) -> int:
    kernels = [weight for weight in layer.trainable_weights + layer.non_trainable_weights if len(weight.shape) > 1]
    if not kernels:
        return 0
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D | layers.Dense):
        raise ValueError(
            f"Received layer {layer.name!r} ({type(layer).__name__}), expected Conv2D, DepthwiseConv2D, "
            "SeparableConv2D or Dense where there is a kernel. Count this model by hand."
        )
    _, *places, _ = layer.output.shape
    if None in places:
        raise ValueError(
            f"Received a model whose layer {layer.name!r} has outputs of {layer.output.shape}, expected a fixed size. "
            "Build it with a fixed input_shape."
        )
    return math.prod(places) * sum(math.prod(kernel.shape) for kernel in kernels)


# --- EfficientNet-Lite --------------------------------------------------------------------------------------


def normalise(x: KerasTensor, *, name: str, relu: bool = True) -> KerasTensor:
    """Batch normalisation, then (if `relu`) a ReLU cut off at 6: what follows every convolution here.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        name: Start of the layers' names; `_bn` and `_relu` are added.
        relu: Whether the activation follows.

    Returns:
        Tensor of the same shape.
    """
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if relu else x


def convolve(
    x: KerasTensor, filters: int, *, name: str, kernel_size: int = 1, strides: int = 1, relu: bool = True
) -> KerasTensor:
    """Convolution without bias (the normalisation after it has one), then :func:`normalise`.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of channels out.
        name: Start of the layers' names.
        kernel_size: Side of the kernel; 1 mixes the channels of each pixel and looks at no neighbour.
        strides: 2 halves height and width.
        relu: Whether the activation follows.

    Returns:
        Tensor of shape (batch, ceil(height / strides), ceil(width / strides), filters).
    """
    convolution = layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return normalise(convolution(x), name=name, relu=relu)


def inverted_residual(
    x: KerasTensor, filters: int, *, name: str, kernel_size: int = 3, strides: int = 1, expansion: int = 6
) -> KerasTensor:
    """Widen, look around each channel by itself, narrow again; add the input back if the shape has stayed.

    The wide middle is cheap because its convolution is depthwise: one kernel a channel. The narrow end has no
    activation, since a ReLU would throw away half of the little that is carried on.

    Args:
        x: Tensor of shape (batch, height, width, channels).
        filters: Number of channels out.
        name: Start of the layers' names.
        kernel_size: Side of the depthwise kernel.
        strides: 2 halves height and width.
        expansion: How many times wider the middle is than `x`; 1 leaves the widening out.

    Returns:
        Tensor of shape (batch, ceil(height / strides), ceil(width / strides), filters).

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section 3.
    """
    shortcut = x
    channels = x.shape[-1]
    if expansion > 1:
        x = convolve(x, channels * expansion, name=f"{name}_expand")
    x = layers.DepthwiseConv2D(
        kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = normalise(x, name=f"{name}_depthwise")
    x = convolve(x, filters, name=f"{name}_project", relu=False)
    if strides == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([shortcut, x])
    return x


def round_filters(filters: float) -> int:
    """Round a number of channels to a multiple of 8, which hardware likes, never down by over a tenth.

    Args:
        filters: Number of channels, above 0.

    Returns:
        A multiple of 8, at least 8.

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
    """EfficientNet-Lite: EfficientNet without the parts that phones dislike (squeeze-and-excite, swish).

    Args:
        input_shape: (height, width, 3) of the raw pictures, RGB from 0 to 255; None for a side that may vary.
        num_classes: Number of classes of the head; None leaves the head out.
        width: Factor on the channels of each stage (1.0 for Lite0 and Lite1, 1.1 for Lite2).
        depth: Factor on the blocks of each stage (1.0 for Lite0, 1.1 for Lite1, 1.2 for Lite2).
        dropout: Share of features that the head drops during training.

    Returns:
        Uncompiled model with random weights: pictures to a feature map (batch, height / 32, width / 32,
        1280), or to probabilities (batch, num_classes). Layers: `preprocessing`, `stem_*`, `block1a_*` to
        `block7a_*` (stage and letter), `top_*`, and with a head `pool`, `dropout`, `logits`, `probabilities`.
        The original also drops whole blocks at random in training (stochastic depth); this one does not.

    Source: Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    section 4.

    >>> build_efficientnet_lite(num_classes=1000).count_params()
    4694024
    """
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(pictures)
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
    x = convolve(x, 1280, name="top")
    if num_classes is not None:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Dense(num_classes, name="logits")(x)
        x = layers.Softmax(name="probabilities")(x)
    return keras.Model(pictures, x, name="efficientnet_lite")
