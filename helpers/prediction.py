"""A trained model as one file, and from picture files to labels.

A saved model carries its preprocessing (as layers) and its class names, so that nobody has to remember either. Of a
model that comes from elsewhere, both have to be said.
"""

import json
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from helpers import architectures, cleaning, datasets, files, training
from helpers._quiet import without_remarks

BATCHES_AT_A_TIME = 4
NEITHER = "neither"  # the label of a picture of which the model is not sure enough
# How other programs bring pixels from 0..255 to what their network was trained on.
SCALINGS = {"none": (1.0, 0.0), "unit": (1 / 255, 0.0), "tf": (1 / 127.5, -1.0)}
CLASS_NAMES_ENTRY = "class_names.json"  # beside Keras' own entries; Keras passes over what it does not know
HDF5_START = b"\x89HDF\r\n\x1a\n"
# Models of other programs, which Keras cannot load.
OTHER_MODELS = {
    ".onnx": "an ONNX model",
    ".pb": "a part of a SavedModel",
    ".pkl": "a pickled object",
    ".pt": "a PyTorch model",
    ".pth": "a PyTorch model",
    ".safetensors": "the weights of a model without its layers",
    ".tflite": "a TensorFlow Lite model, which cannot be turned back",
}
# What gives no probabilities at the end of a network.
OPEN_ENDS = tuple(getattr(keras.activations, name) for name in ("linear", "relu", "tanh", "elu", "gelu", "softplus"))
SAVE_AGAIN = "prediction.save_classifier(model, 'model.keras', class_names=[...])"


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


def save_classifier(model: keras.Model, path: str | Path, *, class_names: Sequence[str]) -> Path:
    """Save a model and its class names as one `.keras` file, which plain Keras can load too.

    Args:
        model: one sigmoid unit for two classes, or one softmax unit per class.
        path: ends in `.keras`.
        class_names: in label order.

    Returns:
        The path.

    Raises:
        ValueError: if the ending is not `.keras`, the model does not give probabilities of square pictures, or the
            names do not fit it.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"Received '{path.name}', expected a name ending in '.keras'. Add the ending.")
    _check_classifier("a model", model, list(class_names))
    with files.written_beside(path) as draft:
        model.save(draft)
        with zipfile.ZipFile(draft, "a") as archive:
            archive.writestr(CLASS_NAMES_ENTRY, json.dumps(list(class_names), ensure_ascii=False))
    return path


def load_classifier(
    path: str | Path, *, class_names: Sequence[str] | None = None, scaling: str | None = None
) -> Classifier:
    """Load what `save_classifier` saved, or a model from elsewhere, in Keras' safe mode: no code of the file is run.

    Args:
        path: a `.keras` file, or a whole model as `.h5` (such as Teachable Machine's `keras_model.h5`).
        class_names: in label order, where the file has none; `read_class_names` reads a list of them.
        scaling: of the pixels, where the model has no layer for it: `"none"` leaves 0..255, `"unit"` makes 0..1, `"tf"`
            makes -1..1 (Teachable Machine).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a Keras model, is damaged, has no class names or layers that are not Keras' inside,
            does not give probabilities of square pictures, or nobody says how its pixels are scaled.
    """
    path = Path(path)
    _check_format(path)
    if _is_hdf5(path):
        model, stored_names = _load_hdf5(path), None
    else:
        model, stored_names = _load_keras(path)
    if stored_names is not None:
        if class_names or scaling:
            raise ValueError(
                f"Received class names or a scaling for '{path}', expected neither, it has both inside. Leave them out."
            )
    elif class_names is None:
        raise ValueError(
            f"Received '{path}', a model without class names, expected one saved by this course. Name the classes in "
            "label order: --class-names cat,dog, or a file with a line for each (Teachable Machine's labels.txt)."
        )
    else:
        model = _add_scaling(model, scaling, what=f"'{path}'")
    names = list(class_names) if stored_names is None else stored_names
    _check_classifier(f"'{path}', a model", model, names)
    return Classifier(model, tuple(names))


def read_class_names(path: str | Path) -> tuple[str, ...]:
    """Return the names in a text file, one per line, without the numbers that Teachable Machine puts before them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no text in UTF-8.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise ValueError(f"Received '{path}', expected text in UTF-8, a class name per line. Save it so.") from error
    numbered = all(line.partition(" ")[0] == str(number) and " " in line for number, line in enumerate(lines))
    return tuple(line.partition(" ")[2] if numbered else line for line in lines)


def _load_keras(path: Path) -> tuple[keras.Model, Any]:
    """Return the model of a `.keras` file, and its class names or None."""
    config = None
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            has_names = CLASS_NAMES_ENTRY in archive.namelist()
            class_names = json.loads(archive.read(CLASS_NAMES_ENTRY)) if has_names else None
        return keras.models.load_model(path, compile=False, safe_mode=True), class_names
    # Neither zipfile nor Keras has an error of its own for what is damaged or not safe: each part raises what it likes.
    except Exception as error:
        raise ValueError(f"Received '{path}', {_explain(config)}") from error


class _DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Takes the argument that Keras 2 wrote into files and Keras 3 refuses."""

    def __init__(self, *, groups: int = 1, **options: Any) -> None:
        super().__init__(**options)


def _load_hdf5(path: Path) -> keras.Model:
    """Return the model of an `.h5` file, as older Keras wrote them."""
    try:
        older = {"DepthwiseConv2D": _DepthwiseConv2D}
        return keras.models.load_model(path, compile=False, safe_mode=True, custom_objects=older)
    except Exception as error:
        raise ValueError(
            f"Received '{path}', an HDF5 file (.h5), expected a whole model in it: this one is damaged, has weights "
            f"only, or code of its own. Load it where it was made, then {SAVE_AGAIN}."
        ) from error


def _add_scaling(model: keras.Model, scaling: str | None, *, what: str) -> keras.Model:
    """Put the scaling of pixels before a model, or make sure that it is inside."""
    if scaling is None:
        scalers = (keras.layers.Rescaling, keras.layers.Normalization)
        if any(isinstance(layer, scalers) for layer in architectures.walk_layers(model)):
            return model
        raise ValueError(
            f"Received {what}, a model without a layer that scales pixels, expected to know what it was trained on. "
            "Add --scaling tf for -1 to 1 (Teachable Machine), --scaling unit for 0 to 1, --scaling none for 0 to 255."
        )
    if scaling not in SCALINGS:
        raise ValueError(f"Received scaling {scaling!r}, expected one of {list(SCALINGS)}. Choose as in training.")
    scale, offset = SCALINGS[scaling]
    return keras.Sequential([keras.Input(model.input_shape[1:]), keras.layers.Rescaling(scale, offset), model])


def _check_format(path: Path) -> None:
    """Refuse what is no `.keras` file, and say how other models are brought over."""
    if path.is_dir():
        raise ValueError(f"Received '{path}', {_describe_folder(path)}")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'. Check the path, or train a model with `teach` first.")
    if _is_hdf5(path):
        if path.suffix.lower() not in (".h5", ".hdf5"):
            raise ValueError(f"Received '{path}', an HDF5 file, expected the ending .h5. Rename it.")
        return
    if path.suffix.lower() in OTHER_MODELS:
        raise ValueError(
            f"Received '{path}', {OTHER_MODELS[path.suffix.lower()]}, expected a .keras file. Save the model as one "
            "with Keras where it was made, or train one with `teach`."
        )
    if not zipfile.is_zipfile(path):
        raise ValueError(f"Received '{path}', expected a Keras model. Train one with `teach`.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):  # the second: by its header, of a version yet to come
        return  # loading it says that it is damaged
    models = [name for name in names if name.endswith((".keras", ".h5", "saved_model.pb"))]
    if models and "config.json" not in names:
        raise ValueError(
            f"Received '{path}', an archive with the model '{models[0]}' in it, expected a .keras file. Unpack it, "
            "and give the model."
        )


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HDF5_START)) == HDF5_START


def _describe_folder(path: Path) -> str:
    """Say what a folder in place of a model is, and what to give."""
    names = {entry.name for entry in path.iterdir()}
    if names & {"saved_model.pb", "saved_model.pbtxt"}:
        return (
            "a SavedModel folder, which Keras 3 cannot train or save again; expected a .keras file. Save it as one "
            "where it was made: model.save('model.keras'); a model of Keras 2 as .h5, with the package tf-keras."
        )
    if {"config.json", "model.weights.h5"} <= names:
        return "a .keras file that was unpacked, expected the file itself. Copy it again, without unpacking it."
    if models := sorted(name for name in names if name.endswith((".keras", ".h5"))):
        return f"a folder, expected one .keras file. Did you mean '{path / models[0]}'?"
    what = "a folder without a model in it" if names else "an empty folder (a SavedModel has a file saved_model.pb)"
    return f"{what}, expected one .keras file. Check the path, or train a model with `teach` first."


def _explain(config: Any) -> str:
    """Say what is wrong with a file that could not be loaded, by its description of the model, if there is one."""
    names = sorted(set(_find_foreign(config)))
    if names:
        return (
            f"a model with code of its own in it ({', '.join(names)}), which is not in the file or not safe to run; "
            "expected layers of Keras only. Where it was made, build it from such layers, copy the weights with "
            f"set_weights, then {SAVE_AGAIN}."
        )
    return "a model that is damaged, expected one saved by this course. Copy it again, or train it again with `teach`."


def _find_foreign(part: Any) -> Iterator[str]:
    """Name the classes and functions in a model's description that Keras does not bring, and lambdas."""
    match part:
        case {"class_name": "__lambda__"}:
            yield "Lambda"
        case {"class_name": str(name), "registered_name": str(), "module": module, "config": config} if not (
            str(module).startswith("keras")
        ):
            yield config if isinstance(config, str) else name
        case dict():
            for value in part.values():
                yield from _find_foreign(value)
        case list():
            for value in part:
                yield from _find_foreign(value)


def _check_classifier(what: str, model: keras.Model, class_names: object) -> None:
    """Make sure that a model takes what we give it, answers in probabilities, and has a name for every answer."""
    # A network that has not seen a picture yet, and does not say which it takes, has no shapes.
    match getattr(model, "input_shape", None), getattr(model, "output_shape", None):
        case (None, int() as height, int() as width, 3), (None, int() as units) if height == width:
            pass
        case shapes:
            raise ValueError(
                f"Received {what} from {shapes[0]} to {shapes[1]}, expected square colour pictures (None, side, side, "
                "3) to one row of probabilities (None, classes). Begin it with keras.Input((side, side, 3))."
            )
    classes = max(units, 2)
    if not isinstance(class_names, list) or [type(name) for name in class_names] != [str] * classes:
        raise ValueError(
            f"Received {what} with {classes} classes and the class names {class_names}, expected one name per class. "
            f"Name them in label order: {SAVE_AGAIN}."
        )
    noise = np.random.default_rng(0).uniform(0, 255, (2, height, width, 3))
    pictures = np.concatenate([noise, np.zeros_like(noise[:1]), np.full_like(noise[:1], 255)]).astype(np.float32)
    _check_probabilities(what, np.asarray(model(pictures, training=False)))
    if end := _find_open_end(model):
        raise ValueError(
            f"Received {what} that ends with {end}, so answers in any numbers (logits?), expected probabilities. "
            f"{_advise_last_step(units)}"
        )


def _find_open_end(model: keras.Model) -> str:
    """Say how a model ends if its answers can be any numbers: a few of these may look like probabilities."""
    for layer in reversed(model.layers):
        if isinstance(layer, keras.Model):
            return _find_open_end(layer)
        activation = getattr(layer, "activation", None)
        is_inert = isinstance(layer, keras.layers.Activation) and activation is keras.activations.linear
        if is_inert or isinstance(layer, (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape)):
            continue
        if activation in OPEN_ENDS:
            return f"the activation '{activation.__name__}'"
        break
    return ""


def _advise_last_step(units: int) -> str:
    missing = 'Activation("sigmoid")' if units == 1 else "Softmax()"
    return f"Add the last step: model = keras.Sequential([model, keras.layers.{missing}]); then {SAVE_AGAIN}."


def _check_probabilities(what: str, outputs: np.ndarray) -> None:
    """Refuse answers `(pictures, units)` that are no probabilities, and say what is missing in the model."""
    units = outputs.shape[1]
    sums = outputs.sum(axis=1)
    if not np.isfinite(outputs).all():
        raise ValueError(
            f"Received {what} that answers NaN or infinity, expected probabilities. Its training has failed: train it "
            "again, with a smaller learning rate."
        )
    if outputs.min() < 0 or outputs.max() > 1:
        raise ValueError(
            f"Received {what} that answers from {outputs.min():.3g} to {outputs.max():.3g} (logits?), expected "
            f"probabilities in 0..1. {_advise_last_step(units)}"
        )
    if units > 1 and np.abs(sums - 1).max() > 0.01:  # half precision is that far off
        raise ValueError(
            f"Received {what} whose answers sum to {sums.min():.3g} to {sums.max():.3g}, expected one label per "
            'picture: probabilities that sum to 1. End it with activation="softmax" and train it again.'
        )


def predict_files(
    classifier: Classifier, paths: Sequence[str | Path], *, batch_size: int = 32
) -> tuple[list[Prediction], list[Problem]]:
    """Label picture files, decoded and resized as in training.

    Returns:
        The predictions in the order of the files, and the files that could not be read with the reason.

    Raises:
        ValueError: if the model's answers are no probabilities.
    """
    answers = list(stream_predictions(classifier, paths, batch_size=batch_size))
    return [a for a in answers if isinstance(a, Prediction)], [a for a in answers if isinstance(a, Problem)]


def stream_predictions(
    classifier: Classifier,
    paths: Sequence[str | Path],
    *,
    top_k: int = 1,
    threshold: float = 0.0,
    batch_size: int = 32,
) -> Iterator[Prediction | Problem]:
    """Label any number of picture files, a stretch at a time: memory does not grow with their number.

    Args:
        classifier: from `load_classifier`.
        paths: picture files.
        top_k: predictions per picture, the most probable first.
        threshold: a picture whose most probable class is less probable than this is labelled "neither", with that
            probability; 0..1.
        batch_size: pictures that the model sees at a time.

    Yields:
        The predictions in the order of the files; those of a stretch that could not be read come before the others.

    Raises:
        ValueError: if `top_k` or `threshold` is out of range, a class is called "neither" where a threshold is set, or
            the model's answers are no probabilities.
    """
    if top_k < 1 or not 0 <= threshold <= 1:
        raise ValueError(f"Received top_k={top_k}, threshold={threshold}, expected 1 or more, and 0 to 1. Choose such.")
    if threshold and NEITHER in classifier.class_names:
        raise ValueError(
            f"Received a threshold for a model with a class '{NEITHER}', expected another name for it. Leave the "
            "threshold out."
        )
    # A stretch at a time: a bar can move, too.
    step = batch_size * BATCHES_AT_A_TIME
    with files.progress(total=len(paths), unit="picture") as bar:
        for start in range(0, len(paths), step):
            stretch = [Path(path) for path in paths[start : start + step]]
            inspected = list(zip(stretch, cleaning.inspect_files(stretch), strict=True))
            yield from (Problem(str(file), report.problem) for file, report in inspected if report.problem)
            if readable := [pair for pair in inspected if not pair[1].problem]:
                names, reports = zip(*readable, strict=True)
                batches = datasets.batches_from_files(
                    names, image_size=classifier.image_size, batch_size=batch_size, reports=reports
                )
                outputs = np.concatenate([classifier.model.predict_on_batch(batch) for batch in batches])
                _check_probabilities("a model", outputs)
                probabilities = training.as_class_probabilities(outputs)  # (pictures, units) -> (pictures, classes)
                for name, row in zip(names, probabilities, strict=True):
                    best = top_classes(row, class_names=classifier.class_names, top=top_k)
                    if best[0][1] < threshold:
                        best = [(NEITHER, best[0][1])]
                    yield from (Prediction(str(name), label, probability) for label, probability in best)
            bar.update(len(stretch))


def top_classes(probabilities: np.ndarray, *, class_names: Sequence[str], top: int = 5) -> list[tuple[str, float]]:
    """Return the `top` most probable classes of one picture, the most probable first.

    Example:
        >>> top_classes(np.array([0.2, 0.7, 0.1]), class_names=["a", "b", "c"], top=2)
        [('b', 0.7), ('a', 0.2)]
    """
    order = np.argsort(-np.asarray(probabilities), kind="stable")[:top]
    return [(class_names[i], float(probabilities[i])) for i in order]


def open_lite(path: str | Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from a batch of pictures to the answers of an exported `.tflite` file, run by LiteRT.

    Args:
        path: what `model.export(path, format="litert")` wrote.

    Returns:
        Takes float32 `(b, height, width, 3)` in 0..255 and gives float32 `(b, units)`.
    """
    with without_remarks(), warnings.catch_warnings():
        # It moves to a package of its own, which TensorFlow does not bring.
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(str(path))
        interpreter.allocate_tensors()  # here, where its remark is held back
    run = interpreter.get_signature_runner()
    (name,) = run.get_input_details()
    return lambda pictures: next(iter(run(**{name: pictures}).values()))
