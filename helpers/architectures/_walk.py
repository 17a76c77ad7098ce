"""From layer to layer through a model, into the models inside it."""

from collections.abc import Callable, Iterator

import keras


def walk_layers(
    model: keras.Model, *, enters: Callable[[keras.Layer], bool] = lambda layer: isinstance(layer, keras.Model)
) -> Iterator[keras.Layer]:
    """Yield the layers of a model in their order, those of the models inside it in their place.

    Args:
        model: of any kind.
        enters: whether a layer is a model to go into; one that it is not is yielded itself.

    >>> inner = keras.Sequential([keras.layers.Dense(2, name="first"), keras.layers.ReLU(name="second")])
    >>> [layer.name for layer in walk_layers(keras.Sequential([inner, keras.layers.Dense(1, name="third")]))]
    ['first', 'second', 'third']
    """
    for layer in model.layers:
        if enters(layer):
            yield from walk_layers(layer, enters=enters)
        else:
            yield layer
