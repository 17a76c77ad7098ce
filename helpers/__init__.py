"""Everything the notebooks borrow: read a module here when you want to know how a call in a lesson works.

The data goes through the package from top to bottom::

    a folder, a TFDS name, synthetic_pets ── datasets ──> train, validation, test
          images (one picture)                  │ cleaning (sets damaged files aside)
                                                ▼
                                     batches of pictures
                                                ▼
          architectures (from scratch)   or   backbones (pretrained) ── features (computed once, saved)
                                                ▼
                                        training, tuning ──> one .keras file
                                                ▼
                               prediction · explain · plotting · checks

Where to look:

- ``images``: one picture as an array: read, grey, resize, scale, histogram (only NumPy)
- ``synthetic_pets``: the default data set, drawn by code, as a TensorFlow Datasets builder
- ``cleaning``: unreadable, odd and duplicate files, set aside and listed
- ``datasets``: the one door to data: ``load(...)``, then ``batches(...)``; CSV, TFRecord, folders; leaks
- ``downloads``: data sets from the network: cost said first, resume, checksum
- ``files``: what several modules need: write whole or not at all, a file's hash, a progress bar
- ``augmentation``: changed copies of the training pictures, by Keras layers or albumentations
- ``architectures``: networks from small blocks, built from scratch
- ``backbones``: networks that somebody has trained on ImageNet, by name
- ``features``: what a backbone says about each picture, or half-way through it, computed once and saved
- ``training``: seeds, callbacks, a search for the learning rate, a head solved at once, evaluation
- ``tuning``: fine-tuning: the top of a backbone learns on, from maps that its bottom gave once
- ``calibration``: how far probabilities can be believed, and when to answer "neither"
- ``prediction``: save a classifier, load it or another one, label files with it
- ``explain``: what a network's filters look like, what they find in a picture, and which places decide
- ``plotting``: every figure, each with a text for readers who cannot see it
- ``checks``: the checks behind the exercises, one module per notebook
- ``doctor``: what this machine has, how long the lessons run here, what is missing
- ``teachable``: a teachable machine: named classes, pictures in, a classifier out
- ``teachable_widget``: its face in a notebook, with upload and webcam
- ``commands``: the command line, ``python -m helpers --help``, one file per command; the notebooks as files

``import helpers`` loads none of them. A module is loaded when you first name it, so the seconds that
TensorFlow takes are spent only when something needs TensorFlow:

>>> import helpers
>>> helpers.images.__name__
'helpers.images'
"""

from importlib import import_module
from types import ModuleType

__version__ = "1.0.0"

_MODULES = (
    "architectures",
    "augmentation",
    "backbones",
    "calibration",
    "checks",
    "cleaning",
    "commands",
    "datasets",
    "doctor",
    "downloads",
    "explain",
    "features",
    "files",
    "images",
    "plotting",
    "prediction",
    "synthetic_pets",
    "teachable",
    "teachable_widget",
    "training",
    "tuning",
)
__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> ModuleType:
    """Load a module of the package when it is first named (PEP 562)."""
    if name in _MODULES:
        from helpers._memory import keep_freed_memory, without_garbage_collection
        from helpers._quiet import without_remarks

        keep_freed_memory()
        with without_remarks(), without_garbage_collection():
            return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'helpers' has no attribute {name!r}. It has: {', '.join(_MODULES)}.")


def __dir__() -> list[str]:
    """Name the modules that are not loaded yet as well, so that Tab completes them."""
    return sorted({*globals(), *_MODULES})
