"""Look inside a network: what its filters look like, and what they find in one picture.

Everything here works for Functional and Sequential models, for a network inside another, and for a model that was
saved and loaded again. Nothing here changes a model's weights.
"""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers

ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU)


class Call(NamedTuple):
    """One use of a layer on the way from the picture to the answer."""

    layer: keras.Layer
    given: KerasTensor
    result: KerasTensor


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
    names = [layer.name for layer in _layers(model)]
    if names.count(layer_name) != 1:
        raise ValueError(
            f"Received layer name {layer_name!r}, expected a name that comes once among {names}. Choose one of them; "
            "where two networks share a name, pass the inner one: model.get_layer(...)."
        )
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
            'Expected a convolution with activation="relu", or a ReLU after one.'
        )
    return found


def first_layer_filters(model: keras.Model) -> np.ndarray:
    """Return the filters of the first convolution as little pictures, each scaled to 0..1 by itself.

    Only the first layer's filters look at colours, so only they can be shown as colours. The two halves of a
    separable convolution are multiplied to the one filter that they stand for.

    Args:
        model: with a `Conv2D` or `SeparableConv2D`, networks inside it included.

    Returns:
        float32 `(filters, k, k, channels)`; a filter whose values are all the same is 0.5.

    Raises:
        ValueError: if there is no convolution, or it has no weights yet.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3)])
        >>> first_layer_filters(model).shape
        (4, 3, 3, 3)
    """
    _check_built(model)
    convolutions = (layer for layer in _layers(model) if isinstance(layer, layers.Conv2D | layers.SeparableConv2D))
    layer = next(convolutions, None)
    if layer is None:
        raise ValueError(
            f"Received a model without a convolution: {[layer.name for layer in _layers(model)]}, expected one with "
            "Conv2D or SeparableConv2D. Choose a model of pictures."
        )
    filters = np.moveaxis(_kernel(layer), -1, 0)
    low, high = (edge(filters, axis=(1, 2, 3), keepdims=True) for edge in (np.min, np.max))
    flat = high == low
    return np.where(flat, 0.5, (filters - low) / np.where(flat, 1, high - low)).astype(np.float32)


def _kernel(layer: keras.Layer) -> np.ndarray:
    """The weights of a convolution as `(k, k, channels in, filters)`."""
    if isinstance(layer, layers.Conv2D):
        return np.asarray(layer.kernel)
    around, across = np.asarray(layer.depthwise_kernel), np.asarray(layer.pointwise_kernel)
    _, _, channels, multiplier = around.shape
    return np.einsum("hwcm,cmn->hwcn", around, across.reshape(channels, multiplier, -1))


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a model in their order, those of the models inside it in their place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _check_built(model: keras.Model) -> None:
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError(
            f"Received the Sequential model {model.name!r}, whose layers have no shapes yet. "
            "Begin it with keras.Input(shape), or call it once on a batch."
        )
    # Only these know how their layers are joined; a class with a `call` of its own does not say.
    if len(getattr(model, "inputs", None) or []) != 1:
        raise ValueError(
            f"Received {type(model).__name__} {model.name!r}, expected a Functional or Sequential model with one "
            "input. Build it with keras.Model(inputs, outputs)."
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


def _after_activation(call: Call) -> KerasTensor | None:
    return call.result if _is_active(call.layer) and len(call.result.shape) == 4 else None


def _before_activation(call: Call) -> KerasTensor:
    if len(call.result.shape) != 4:
        raise ValueError(
            f"Received layer {call.layer.name!r}, whose result has the shape {call.result.shape}, expected a map "
            "(batch, height, width, channels). Choose a layer before the picture is flattened."
        )
    # A PReLU has weights as well, but is an activation itself: what it gives is looked at.
    if isinstance(call.layer, ACTIVATIONS) or not (_is_active(call.layer) and call.layer.weights):
        return call.result
    # A twin with the same weights that stops before the activation.
    twin = type(call.layer).from_config({**call.layer.get_config(), "activation": None})
    result = twin(call.given)
    twin.set_weights(call.layer.get_weights())
    return result


def _is_active(layer: keras.Layer) -> bool:
    """Whether an activation is the last that the layer does."""
    inside = getattr(layer, "activation", keras.activations.linear)
    return inside is not keras.activations.linear or isinstance(layer, ACTIVATIONS)


def _look(
    model: keras.Model,
    batch: np.ndarray,
    choose: Callable[[Call], KerasTensor | None],
    *,
    only: str | None = None,
) -> dict[str, np.ndarray]:
    """The values that `choose` picks from the calls of all layers, or of one, for the only picture of a batch."""
    inputs, calls = _trace(model)
    wanted = []
    for call in calls:
        if isinstance(call.layer, keras.Model):  # a network inside: what goes into it is enough to look further
            wanted.append((call.layer, call.given))
        elif only in (None, call.layer.name) and (tensor := choose(call)) is not None:
            wanted.append((call.layer, tensor))
    if not wanted:
        return {}
    # Numbered, for names may come twice, and Keras gives one output in a list back without the list.
    outputs = {str(number): tensor for number, (_, tensor) in enumerate(wanted)}
    values = keras.Model(inputs, outputs)(batch, training=False)
    found: dict[str, np.ndarray] = {}
    for number, (layer, _) in enumerate(wanted):
        value = values[str(number)]
        inner = isinstance(layer, keras.Model)
        parts = _look(layer, value, choose, only=only) if inner else {layer.name: np.asarray(value)[0]}
        found |= {(f"{layer.name}/{name}" if name in found else name): part for name, part in parts.items()}
    return found


def _trace(model: keras.Model) -> tuple[KerasTensor, list[Call]]:
    """Call a model's layers one after the other on a new input; networks inside it count as one layer."""
    inputs = keras.Input(model.inputs[0].shape[1:])
    calls = []

    def use(layer: keras.Layer, *given: KerasTensor, **options: object) -> KerasTensor:
        result = layer(*given, **options)
        calls.append(Call(layer, given[0], result))
        return result

    if isinstance(model, keras.Sequential):
        functools.reduce(lambda x, layer: use(layer, x), model.layers, inputs)
    else:
        # The layers themselves, not copies: "cloning" is Keras' only public walk through a graph.
        keras.models.clone_model(
            model,
            input_tensors=keras.tree.map_structure(lambda _: inputs, model.input),
            clone_function=lambda layer: layer,
            call_function=use,
        )
    return inputs, calls
