"""The TensorFlow Datasets (TFDS) builder: names, sizes and configurations, and the examples in a balanced order."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core import hashing

from helpers.synthetic_pets.traits import KINDS
from helpers.synthetic_pets.worker import draw_many

CLASS_NAMES = KINDS

_DESCRIPTION = """
Portraits and full figures of cats and dogs, drawn by code: furry, in many poses, coats and places, and lit from above.
Every class cue (ears, eyes, muzzle, nose, tongue, whiskers, tail) is only likely, so a small network trained on 2,000
pictures overfits while pretrained features tell the two apart well. Each picture follows from the data set's seed, its
split, its label and its number.
"""
_CITATION = """
@misc{synthetic_pets,
  title = {Synthetic pets: cats and dogs drawn by code},
  note = {Part of an image-classification course},
}
"""


@dataclass(kw_only=True)
class PetsConfig(tfds.core.BuilderConfig):
    """Seed and sizes of one variant of the data set.

    Attributes:
        seed: another seed gives other pictures.
        sizes: number of pictures of train, validation and test.
    """

    seed: int = 0
    sizes: tuple[int, int, int] = (2000, 1000, 1000)


class SyntheticPets(tfds.core.GeneratorBasedBuilder):
    """The TFDS builder of `synthetic_pets`: pictures of different sizes, with label 0 for cats and 1 for dogs."""

    # TFDS 4.9.10 looks this path up with importlib_resources, a package it does not install by itself.
    code_path = epath.Path(__file__)
    VERSION = tfds.core.Version("1.0.1")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "First release.",
        "1.0.1": "The same bytes on every x86 processor.",
    }
    BUILDER_CONFIGS: ClassVar[list[PetsConfig]] = [
        PetsConfig(name="default", description="2,000 / 1,000 / 1,000 pictures, seed 0."),
        PetsConfig(name="seed1", description="The same sizes, seed 1: does a result depend on the data?", seed=1),
        PetsConfig(name="tiny", description="60 / 30 / 30 pictures, seed 0, for tests.", sizes=(60, 30, 30)),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(
                shape=(None, None, 3), encoding_format="jpeg", doc="200 to 500 pixels a side."
            ),
            "label": tfds.features.ClassLabel(names=list(CLASS_NAMES)),
            "index": tfds.features.Scalar(np.int64, doc="The picture's number within its split; see `draw`."),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            citation=_CITATION,
            license="MIT",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, _Drawing]:
        del dl_manager  # nothing is downloaded
        splits = ("train", "validation", "test")
        return {
            split: self._generate_examples(split, size)
            for split, size in zip(splits, self.builder_config.sizes, strict=True)
        }

    def _generate_examples(self, split: str, number: int) -> _Drawing:
        return _Drawing(self.builder_config.seed, split, number)


@dataclass(frozen=True)
class _Drawing:
    """The examples of one split. It has a length, so that TFDS's progress bar knows how far it has come."""

    seed: int
    split: str
    number: int

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[tuple[int, dict]]:
        # TFDS stores examples in the order of their keys' hashes. Handing out the keys in that order keeps the
        # pictures in ours, in which every slice is balanced.
        hasher = hashing.Hasher(self.split)
        keys = sorted(range(self.number), key=hasher.hash_key)
        pictures = draw_many(seed=self.seed, split=self.split, number=self.number)
        for index, (key, (label, file)) in enumerate(zip(keys, pictures, strict=True)):
            yield key, {"image": io.BytesIO(file), "label": label, "index": index}
