"""A trained model as one file, and from picture files to labels.

A saved model carries its preprocessing (as layers) and its class names, so that nobody has to remember either.
"""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from tqdm import tqdm

from helpers import cleaning, datasets, training

KERAS_ENTRY = "config.json"  # what makes an archive a Keras model
BATCHES_AT_A_TIME = 4
BAR_DELAY = 3  # seconds before a progress bar appears
CLASS_NAMES_ENTRY = "class_names.json"  # beside Keras' own entries; Keras passes over what it does not know


@dataclass(frozen=True)
class Classifier:
    """A model with the names of its classes.

    Attributes:
        model: raw pictures `(batch, image_size, image_size, 3)` in 0..255 in, probabilities out.
        class_names: in label order.
    """

    model: keras.Model
    class_names: tuple[str, ...]

    @property
    def image_size(self) -> int:
        """Height and width of the pictures that the model takes."""
        return int(self.model.input_shape[1])


class Prediction(NamedTuple):
    """The answer for one file: `probability` (0..1) is the model's for `label`."""

    file: str
    label: str
    probability: float


class Problem(NamedTuple):
    """A file for which there is no answer, and why."""

    file: str
    reason: str


def save(model: keras.Model, path: str | Path, *, class_names: Sequence[str]) -> Path:
    """Save a model and its class names as one `.keras` file, which plain Keras can load too.

    Args:
        model: one sigmoid unit for two classes, or one softmax unit a class.
        path: ends in `.keras`.
        class_names: in label order.

    Returns:
        The path.

    Raises:
        ValueError: if the ending is not `.keras`, or the number of names does not fit the model.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"Received '{path.name}', expected a name ending in '.keras'. Add the ending.")
    units = model.output_shape[-1]
    if len(class_names) != max(units, 2):
        raise ValueError(f"Received {len(class_names)} class names for {max(units, 2)} classes. Give one a class.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    try:
        model.save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(CLASS_NAMES_ENTRY, json.dumps(list(class_names), ensure_ascii=False))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def load(path: str | Path) -> Classifier:
    """Load what `save` saved, in Keras' safe mode: no code from the file is run.

    Args:
        path: a `.keras` file.

    Returns:
        A `Classifier`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a Keras model, is damaged, has no class names inside, or is not one that takes square
            pictures and gives a probability a class.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'. Check the path, or train a model with `teach` first.")
    not_a_model = f"Received '{path}', expected a Keras model. Train one with `teach`."
    if not zipfile.is_zipfile(path):
        raise ValueError(not_a_model)
    with zipfile.ZipFile(path) as archive:
        if KERAS_ENTRY not in archive.namelist():
            raise ValueError(not_a_model)
        if CLASS_NAMES_ENTRY not in archive.namelist():
            raise ValueError(
                f"Received '{path}', a model without class names, expected one saved by this course. "
                "Save it with `prediction.save(model, path, class_names=...)`."
            )
        entry = archive.read(CLASS_NAMES_ENTRY)
    try:
        class_names = json.loads(entry)
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras has no error of its own for a file that is damaged or not safe: each layer raises what it likes.
    except Exception as error:
        raise ValueError(
            f"Received '{path}', a model that is damaged, or unsafe because it contains code "
            f"({type(error).__name__}). Expected one saved by this course. Train it again with `teach`."
        ) from error
    _check_fit(path, model, class_names)
    return Classifier(model, tuple(class_names))


def _check_fit(path: Path, model: keras.Model, class_names: object) -> None:
    """Make sure that a loaded model takes what we give it, and that every answer of it has a name."""
    match model.input_shape:
        case (None, int() as height, int() as width, 3) if height == width:
            pass
        case other:
            raise ValueError(f"Received '{path}', a model for inputs {other}, expected square colour pictures.")
    units = max(model.output_shape[-1], 2)
    if not isinstance(class_names, list) or list(map(type, class_names)) != [str] * units:
        raise ValueError(
            f"Received '{path}', a model with {units} classes and the class names {class_names}, expected a name "
            "for each. Save it again with `prediction.save(model, path, class_names=...)`."
        )


def predict_files(
    classifier: Classifier, paths: Sequence[str | Path], *, batch_size: int = 32
) -> tuple[list[Prediction], list[Problem]]:
    """Label picture files, decoded and resized as in training.

    Args:
        classifier: from `load`.
        paths: picture files.
        batch_size: pictures at a time.

    Returns:
        The predictions in the order of the files, and the files that could not be read with the reason.
    """
    files = [Path(path) for path in paths]
    predictions, problems = [], []
    # A stretch at a time: a bar can move, and memory does not grow with the number of files.
    step = batch_size * BATCHES_AT_A_TIME
    with tqdm(total=len(files), unit="picture", leave=False, delay=BAR_DELAY) as bar:
        for start in range(0, len(files), step):
            stretch = files[start : start + step]
            reports = cleaning.inspect_files(stretch)
            readable = [(f, r) for f, r in zip(stretch, reports, strict=True) if not r.problem]
            problems += [Problem(str(f), r.problem) for f, r in zip(stretch, reports, strict=True) if r.problem]
            predictions += _predict_readable(classifier, readable, batch_size=batch_size)
            bar.update(len(stretch))
    return predictions, problems


def _predict_readable(
    classifier: Classifier, readable: Sequence[tuple[Path, cleaning.FileReport]], *, batch_size: int
) -> list[Prediction]:
    if not readable:
        return []
    files, reports = zip(*readable, strict=True)
    batches = datasets.batches_from_files(
        files, image_size=classifier.image_size, batch_size=batch_size, reports=reports
    )
    probabilities = training.as_class_probabilities(classifier.model.predict(batches, verbose=0))
    best = probabilities.argmax(axis=1)
    return [
        Prediction(str(file), classifier.class_names[label], float(row[label]))
        for file, label, row in zip(files, best, probabilities, strict=True)
    ]


def top_classes(probabilities: np.ndarray, *, class_names: Sequence[str], top: int = 5) -> list[tuple[str, float]]:
    """Return the `top` most probable classes of one picture, the most probable first.

    Example:
        >>> top_classes(np.array([0.2, 0.7, 0.1]), class_names=["a", "b", "c"], top=2)
        [('b', 0.7), ('a', 0.2)]
    """
    order = np.argsort(-np.asarray(probabilities), kind="stable")[:top]
    return [(class_names[i], float(probabilities[i])) for i in order]
