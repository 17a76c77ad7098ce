"""Look inside a network: what its layers find in one picture, and which places decide.

Everything here works for Functional and Sequential models, for a network inside another, and for a model that was
saved and loaded again. Nothing here changes a model's weights.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers import architectures

ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU)
POOLING = (layers.MaxPooling2D, layers.AveragePooling2D)
OCCLUDED_AT_A_TIME = 32  # copies of a picture
LAST = (keras.activations.softmax, keras.activations.sigmoid)  # from scores to probabilities


class Call(NamedTuple):
    """One use of a layer on the way from the picture to the answer."""

    layer: keras.Layer
    network: str  # that the layer is part of: the names of the models around it
    given: tf.Tensor
    result: tf.Tensor


def feature_maps(model: keras.Model, picture: np.ndarray, *, layer_name: str) -> np.ndarray:
    """Return what one layer finds in a picture: a map for each of its filters.

    A layer with an activation inside (`Conv2D(..., activation="relu")`) is looked at before it: how well the filter
    fits at each place, below 0 where the opposite is there. :func:`activation_maps` gives what is left after it.

    Args:
        model: takes one picture; Functional or Sequential, networks inside it included.
        picture: `(height, width, channels)`, raw, in the size the model takes.
        layer_name: name of a layer whose result has a height and a width; see `model.summary(expand_nested=True)`.

    Returns:
        float32 `(h, w, filters)`.

    Raises:
        ValueError: if there is no such layer, its result is no map, the picture has the wrong shape, or the model
            cannot be looked into.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu", name="conv")])
        >>> feature_maps(model, np.zeros((8, 8, 3), np.uint8), layer_name="conv").shape
        (6, 6, 4)
    """
    batch = _as_batch(model, picture)
    _check_name(model, layer_name)
    return _look(model, batch, _before_activation, only=layer_name)[layer_name]


def activation_maps(model: keras.Model, picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return what every activation lets through of one picture, from the first layer to the last.

    Args:
        model: takes one picture; Functional or Sequential, networks inside it included.
        picture: `(height, width, channels)`, raw, in the size the model takes.

    Returns:
        float32 `(h, w, channels)` by the name of the layer: convolutions with an activation inside, and layers that
        are an activation. A name that comes twice is preceded by that of its network: `"cnn/block1_conv"`.

    Raises:
        ValueError: if the picture has the wrong shape, or the model cannot be looked into or has no activation map.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu", name="conv")])
        >>> {name: maps.shape for name, maps in activation_maps(model, np.zeros((8, 8, 3), np.uint8)).items()}
        {'conv': (6, 6, 4)}
    """
    found = _look(model, _as_batch(model, picture), _after_activation)
    if not found:
        raise ValueError(
            f"Received a model without an activation before its maps are flattened: "
            f"{[layer.name for layer in _layers(model)]}. "
            'Expected a convolution with activation="relu", or a ReLU after one. Add it.'
        )
    return found


def grad_cam(
    model: keras.Model, picture: np.ndarray, *, label: int | None = None, layer_name: str | None = None
) -> np.ndarray:
    """Return where a network finds what speaks for a class: Grad-CAM.

    Each map of a late layer is weighted by how much the class's score grows with it, on average over all places; the
    sum is kept where it is above 0. The score is the one before softmax or sigmoid, whose slope is lost where the
    network is certain.

    Args:
        model: ends in one unit for two classes, or one per class; Functional or Sequential, networks inside included.
        picture: `(height, width, channels)`, raw, in the size the model takes.
        label: of the class that is asked about; the most probable one if it is None.
        layer_name: layer whose maps are weighted; the last with a height and a width before pooling if it is None.

    Returns:
        float32 `(h, w)`, the size of the layer's maps, 0..1: the largest value is 1, or all are 0 where nothing speaks
        for the class.

    Raises:
        ValueError: if the picture has the wrong shape, there is no such class or layer, or the model cannot be looked
            into.

    Source: Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
    section 3.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
        >>> grad_cam(model, np.zeros((8, 8, 3), np.uint8), label=1).shape
        (6, 6)
    """
    batch = tf.convert_to_tensor(_as_batch(model, picture))
    if layer_name is not None:
        _check_name(model, layer_name)
    with tf.GradientTape() as tape:
        tape.watch(batch)  # or nothing is noted where all weights are frozen
        answer, calls = _run(model, batch)
        scores = _before_probabilities(answer, calls)
        score = _pick(scores, _choose_label(answer, label))
    if layer_name is None:
        maps = [call.result for call in calls if not isinstance(call.layer, POOLING)]
    else:
        maps = [call.result for call in calls if call.layer.name == layer_name]
    maps = [values for values in maps if _is_map(values)]
    if not maps:
        raise ValueError(
            f"Received {'a model' if layer_name is None else f'layer {layer_name!r}'} without maps (batch, height, "
            "width, channels) before pooling, expected those of a convolution. Choose another."
        )
    slopes = tape.gradient(score, maps[-1], unconnected_gradients=tf.UnconnectedGradients.ZERO)  # (1, h, w, c)
    weights = tf.reduce_mean(slopes, axis=(1, 2))  # (1, h, w, c) -> (1, c)
    heat = np.maximum(tf.linalg.matvec(maps[-1], weights[:, None])[0], 0).astype(np.float32)  # (1, h, w, c) -> (h, w)
    return heat / heat.max() if heat.max() > 0 else heat


def occlusion(
    model: keras.Model, picture: np.ndarray, *, label: int | None = None, patch: int = 32, stride: int = 16
) -> np.ndarray:
    """Return how much of a class's probability is lost where a grey square covers the picture.

    Any model will do: it is only asked. A square of the picture's mean colour moves in steps of `stride`, over the
    edges too, so that each pixel is covered as often.

    Args:
        model: gives probabilities.
        picture: `(height, width, channels)`, raw, in the size the model takes.
        label: of the class that is asked about; the most probable one if it is None.
        patch: side of the square in pixels; about as large as the things that may matter.
        stride: pixels per step, at most `patch`.

    Returns:
        float32 `(height, width)`, -1..1: the mean loss over all squares that cover the pixel. Below 0: without this
        place, the class is more probable.

    Raises:
        ValueError: if the picture has the wrong shape, there is no such class, or the steps leave pixels out.

    Source: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, "softmax")])
        >>> occlusion(model, np.zeros((8, 8, 3), np.uint8), patch=4, stride=2).shape
        (8, 8)
    """
    if not 1 <= stride <= patch:
        raise ValueError(f"Received patch={patch}, stride={stride}, expected 1 <= stride <= patch. Try 32 and 16.")
    whole = _as_batch(model, picture)[0]
    answers = np.asarray(model(whole[None], training=False))
    label = _choose_label(answers, label)
    height, width, _ = whole.shape
    covers = []
    for top in range(stride - patch, height, stride):
        for left in range(stride - patch, width, stride):
            covers.append(np.zeros((height, width), bool))
            covers[-1][max(top, 0) : top + patch, max(left, 0) : left + patch] = True
    lost, times = np.zeros((height, width)), np.sum(covers, axis=0)
    mean = whole.mean(axis=(0, 1))
    for start in range(0, len(covers), OCCLUDED_AT_A_TIME):
        some = np.array(covers[start : start + OCCLUDED_AT_A_TIME])  # (b, h, w)
        covered = np.where(some[..., None], mean, whole)  # (b, h, w) -> (b, h, w, c)
        drops = _pick(answers, label) - _pick(np.asarray(model(covered, training=False)), label)  # (b,)
        lost += np.tensordot(drops, some, axes=1)
    return (lost / times).astype(np.float32)


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers that can be looked into; a network that cannot be counts as one."""
    return architectures.walk_layers(model, enters=_is_open)


def _is_open(layer: keras.Layer) -> bool:
    """Whether a layer is a network that says how its layers are joined, with one input and one output."""
    is_model = isinstance(layer, keras.Model)
    return is_model and all(len(getattr(layer, ends, None) or []) == 1 for ends in ("inputs", "outputs"))


def _check_built(model: keras.Model) -> None:
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError(
            f"Received the Sequential model {model.name!r} without shapes, expected one that is built. "
            "Begin it with keras.Input(shape), or call it once on a batch."
        )
    if not _is_open(model):  # a class with a `call` of its own
        raise ValueError(
            f"Received {type(model).__name__} {model.name!r}, expected a Functional or Sequential model with one "
            "input and one output. Build it with keras.Model(inputs, outputs)."
        )


def _check_name(model: keras.Model, layer_name: str) -> None:
    names = [layer.name for layer in _layers(model)]
    if names.count(layer_name) != 1:
        raise ValueError(
            f"Received layer name {layer_name!r}, expected a name that comes once among {names}. Choose one of them; "
            "where two networks share a name, pass the inner one: model.get_layer(...)."
        )


def _as_batch(model: keras.Model, picture: np.ndarray) -> np.ndarray:
    """Make a batch of one from a picture that the model takes."""
    _check_built(model)
    picture = np.asarray(picture, np.float32)
    expected = model.inputs[0].shape[1:]
    fits = picture.ndim == 3 and all(side in (None, given) for side, given in zip(expected, picture.shape, strict=True))
    if not fits:
        raise ValueError(
            f"Received a picture of shape {picture.shape}, expected {expected}. "
            "Resize it with helpers.images.resize; take one picture of a batch with batch[0]."
        )
    return picture[None]


def _after_activation(call: Call) -> tf.Tensor | None:
    return call.result if _is_active(call.layer) and len(call.result.shape) == 4 else None


def _before_activation(call: Call) -> tf.Tensor:
    if len(call.result.shape) != 4:
        raise ValueError(
            f"Received layer {call.layer.name!r}, whose result has the shape {call.result.shape}, expected a map "
            "(batch, height, width, channels). Choose a layer before the picture is flattened."
        )
    # A PReLU has weights as well, but is an activation itself: what it gives is looked at.
    if isinstance(call.layer, ACTIVATIONS) or not (_is_active(call.layer) and call.layer.weights):
        return call.result
    return _without_activation(call)


def _without_activation(call: Call) -> tf.Tensor:
    """The result of a twin of the layer, with the same weights, that stops before the activation."""
    twin = type(call.layer).from_config({**call.layer.get_config(), "activation": None})
    twin.build(call.given.shape)
    twin.set_weights(call.layer.get_weights())
    return twin(call.given)


def _is_map(values: tf.Tensor) -> bool:
    """Whether a result is made of maps of more than one place."""
    return len(values.shape) == 4 and tuple(values.shape[1:3]) != (1, 1)


def _before_probabilities(answer: tf.Tensor, calls: list[Call]) -> tf.Tensor:
    """The scores that a last softmax or sigmoid turns into probabilities; the answer itself where there is none."""
    for number, call in reversed(list(enumerate(calls))):
        if call.result is not answer or call.given is answer:  # another part, or a layer that changes nothing
            continue
        activation = getattr(call.layer, "activation", None)
        if isinstance(call.layer, layers.Softmax) or (isinstance(call.layer, layers.Activation) and activation in LAST):
            return call.given
        if isinstance(call.layer, layers.Activation):  # as mixed precision has it, to change the type
            return _before_probabilities(call.given, calls[:number])
        return _without_activation(call) if activation in LAST else answer
    return answer


def _choose_label(answers: np.ndarray, label: int | None) -> int:
    """Return the label, once it is clear that there is such a class, or that of the most probable class."""
    units = answers.shape[1]
    if label is None:
        return int(answers[0, 0] > 0.5) if units == 1 else int(np.argmax(answers[0]))
    if not 0 <= label < max(units, 2):
        raise ValueError(f"Received label {label}, expected one of {max(units, 2)} classes. The first is 0.")
    return label


def _pick(answers: np.ndarray, label: int) -> np.ndarray:
    """Return a column `(b,)` of answers that grows with the class; a single unit speaks for 1 and against 0."""
    return (2 * label - 1) * answers[:, 0] if answers.shape[1] == 1 else answers[:, label]


def _is_active(layer: keras.Layer) -> bool:
    """Whether an activation is the last that the layer does."""
    inside = getattr(layer, "activation", keras.activations.linear)
    return inside is not keras.activations.linear or isinstance(layer, ACTIVATIONS)


def _look(
    model: keras.Model,
    batch: np.ndarray,
    choose: Callable[[Call], tf.Tensor | None],
    *,
    only: str | None = None,
) -> dict[str, np.ndarray]:
    """The values that `choose` picks from the calls of all layers, or of one, for the only picture of a batch."""
    found: dict[str, np.ndarray] = {}
    for call in _run(model, batch)[1]:
        name = call.layer.name
        if only in (None, name) and (value := choose(call)) is not None:
            found[f"{call.network}{name}" if name in found else name] = np.asarray(value)[0]
    return found


def _run(model: keras.Model, given: tf.Tensor, *, network: str = "") -> tuple[tf.Tensor, list[Call]]:
    """Let all layers work one after the other, those of networks inside in their place: the answer, and the calls."""
    calls: list[Call] = []

    def use(layer: keras.Layer, *tensors: tf.Tensor, **options: Any) -> tf.Tensor:
        if _is_open(layer):
            result, inside = _run(layer, tensors[0], network=f"{network}{layer.name}/")
            calls.extend(inside)
            return result
        if "training" in inspect.signature(layer.call).parameters:  # or some augment, when they are called like this
            options["training"] = False
        result = layer(*tensors, **options)
        calls.append(Call(layer, network, tensors[0], result))
        return result

    if isinstance(model, keras.Sequential):
        return functools.reduce(lambda x, layer: use(layer, x), model.layers, given), calls
    return _run_graph(model, given, use), calls


def _run_graph(model: keras.Model, given: tf.Tensor, use: Callable[..., tf.Tensor]) -> tf.Tensor:
    """Call `use` in place of each layer of a Functional model, and return what the model answers.

    "Cloning" is Keras' only public walk through a graph. The layers are used themselves, and what goes from one to the
    next are values; but what the walk begins and ends with has to be a symbol.
    """
    symbol, end, answers = keras.Input(model.inputs[0].shape[1:]), keras.layers.Identity(), []

    def step(layer: keras.Layer, *tensors: Any, **options: Any) -> Any:
        tensors, options = keras.tree.map_structure(lambda x: given if x is symbol else x, (tensors, options))
        if layer is not end:
            return use(layer, *tensors, **options)
        answers.append(tensors[0])
        return symbol

    whole = keras.Model(model.inputs[0], end(model.outputs[0]))
    keras.models.clone_model(whole, input_tensors=symbol, clone_function=lambda layer: layer, call_function=step)
    return answers[0]
