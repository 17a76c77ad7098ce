"""Cats and dogs drawn by code: the default data set, as a TensorFlow Datasets (TFDS) builder.

Importing this package makes the name known, and then it works like any other TFDS data set::

    import helpers.synthetic_pets
    import tensorflow_datasets as tfds

    (train, held_out), info = tfds.load(
        "synthetic_pets", split=["train[:80%]", "train[80%:]"], as_supervised=True, with_info=True
    )
    info.features["label"].int2str(0)  # "cat"

The first call draws 4,000 pictures on all processor cores; later ones read them from disk. Nothing is downloaded.
Nobody has to be credited for a picture: no photograph and no bundled texture is used, every texture is noise or
geometry from this package.

Read in this order: `builder` (the data set), `noise` (ready-made random tiles), `painting` (one painter for everything
furry or smooth), `backgrounds`, `traits` (what tells a cat from a dog), `coats`, `shapes` (outlines), `pet`, `heads`,
`bodies`, `camera`, `scene` (all of it together) and `worker` (many pictures on several processor cores). Importing
them does not load TensorFlow, so a process that draws starts in about a second.
"""

from helpers.synthetic_pets.builder import CLASS_NAMES, PetsConfig, SyntheticPets
from helpers.synthetic_pets.scene import draw

__all__ = ["CLASS_NAMES", "PetsConfig", "SyntheticPets", "draw"]
