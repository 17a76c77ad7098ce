"""Fine-tuning: the top of a pretrained network learns on, from maps that its frozen bottom gave once.

The order matters. First the head is solved on the features: a random head would send large gradients into the network
and undo what it knows. Then the top and the head learn together, slowly, for a few epochs. Batch normalisation stays
frozen (see `backbones.unfreeze_top`). The bottom gives the same for a picture in every epoch, so it runs once.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np

from helpers import backbones, features, files, training

LEARNING_RATE = 1e-4  # of Adam; it falls to 0 along a cosine
EPOCHS = 3
BATCH = 32


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned classifier as one model, and its top; they share their layers.

    Attributes:
        model: raw pictures `(batch, height, width, 3)` in, probabilities out.
        top: maps `(batch, h, w, channels)` in, probabilities out: to judge it on saved maps.
    """

    model: keras.Model
    top: keras.Model


def fine_tune(
    network: keras.Model,
    head: keras.Model,
    maps: features.Features,
    *,
    from_name: str,
    epochs: int = EPOCHS,
    seed: int = 0,
) -> Tuned:
    """Train the top of a network and a head together on the maps that the bottom gave.

    Args:
        network: from `backbones.build`; its top is changed.
        head: solved on the network's features, as `training.fit_logistic_head` does it; it is changed too.
        maps: of the training pictures, as `features.load_or_extract_maps` gives them for the bottom of
            `backbones.split_at(network, from_name)`, best with mirrored copies.
        from_name: the first layer that learns, or the start of its name: "block6a".
        epochs: a few; the learning rate falls to 0 over them.
        seed: of the order of the pictures, and of dropout if there is any.

    Raises:
        ValueError: if the network cannot be cut in two there.

    Example:
        >>> network = backbones.build("MobileNet_0.25", input_shape=(32, 32, 3), weights=None)
        >>> bottom, top = backbones.split_at(network, "conv_pad_12")
        >>> maps = features.Features(np.zeros((4, *bottom.output_shape[1:]), "float32"), np.array([0, 1, 0, 1]))
        >>> head = keras.Sequential([keras.Input((256,)), keras.layers.Dense(2, activation="softmax")])
        >>> fine_tune(network, head, maps, from_name="conv_pad_12", epochs=1).model.output_shape
        (None, 2)
    """
    training.set_seed(seed)
    _, top = backbones.split_at(network, from_name)
    average = keras.layers.GlobalAveragePooling2D()(top.output)  # (b, h, w, c) -> (b, c)
    classifier = keras.Model(top.input, head(average))
    backbones.unfreeze_top(network, from_name=from_name)
    rows = _ShuffledRows(maps, seed=seed)
    rates = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * len(rows))
    # Compiled to machine code, this would take longer to start than it takes to train.
    classifier.compile(keras.optimizers.Adam(rates), "sparse_categorical_crossentropy", jit_compile=False)
    classifier.optimizer.build(classifier.trainable_variables)  # in `fit`, the whole would be traced twice for it
    with files.progress(total=epochs * len(rows), unit="batch") as bar:
        tick = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: bar.update())
        classifier.fit(rows, epochs=epochs, callbacks=[tick], verbose=0)
    return Tuned(training.attach_head(network, head), classifier)


class _ShuffledRows(keras.utils.PyDataset):
    """Batches of maps and labels in a new order every epoch, read from the file as they are needed."""

    def __init__(self, maps: features.Features, *, seed: int) -> None:
        super().__init__()
        self._maps, self._labels = maps.features, maps.labels
        self._generator = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._labels) / BATCH)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        picked = self._order[index * BATCH : (index + 1) * BATCH]
        return self._maps[picked], self._labels[picked]

    def on_epoch_end(self) -> None:
        self._order = self._generator.permutation(len(self._labels))


def estimate_seconds(network: keras.Model, *, from_name: str, num_train: int, num_others: int) -> float:
    """Foretell what `fine_tune` takes on this machine, maps included, from a batch that is timed.

    Args:
        network: from `backbones.build`, with a fixed picture size.
        from_name: the first layer that learns.
        num_train: pictures that learn, each with its mirror image.
        num_others: pictures whose maps are only judged.
    """
    bottom, top = map(backbones.time_picture, backbones.split_at(network, from_name))
    rows = 2 * num_train
    # Forward, and the gradients of the maps and of the weights, which cost as much again each.
    return (rows + num_others) * bottom + (3 * EPOCHS * rows + num_others) * top
