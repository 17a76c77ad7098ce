"""helpers.prediction: one file holds model and class names, and gives the same answers later and elsewhere."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from helpers import datasets, prediction, training
from tests.conftest import draw_noise, keras_and_numpy_2

pytestmark = keras_and_numpy_2
CLASS_NAMES = ("고양이", "Hündin & Welpe", 'a "b"\\c')


def make_model(backbone: keras.Model, *, units: int = 3, activation: str = "softmax") -> keras.Model:
    weights = keras.initializers.GlorotUniform(seed=1)
    layer = keras.layers.Dense(units, activation=activation, kernel_initializer=weights)
    head = keras.Sequential([keras.Input((5,)), layer], name="head")
    return training.attach_head(backbone, head)


@pytest.fixture
def model(tiny_backbone: keras.Model) -> keras.Model:
    return make_model(tiny_backbone)


def write_files(folder: Path) -> list[Path]:
    """Five pictures of different sizes, formats and modes, and two files that are none."""
    paths = [folder / name for name in ("e.png", "d.jpg", "c.webp", "b.gif", "a 새.bmp")]
    for seed, path in enumerate(paths):
        picture = Image.fromarray(draw_noise(seed, height=20 + seed, width=30))
        (picture.convert("L") if seed == 1 else picture).save(path)
    empty, text = folder / "empty.jpg", folder / "text.png"
    empty.write_bytes(b"")
    text.write_text("no picture")
    return [paths[0], empty, *paths[1:4], text, paths[4]]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_files(tmp_path)


# --- Saving and loading -------------------------------------------------------------------------------------


def test_a_loaded_model_gives_equal_probabilities(model: keras.Model, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    path = prediction.save_classifier(model, tmp_path / "new" / "folder" / "m.keras", class_names=CLASS_NAMES)
    classifier = prediction.load_classifier(str(path))
    np.testing.assert_array_equal(classifier.model(pictures), model(pictures))
    assert classifier.class_names == CLASS_NAMES
    assert classifier.image_size == 16


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, list[Path], list[str]]:
    """A saved model, pictures, and what another process says of them: first Keras alone, then this package."""
    folder = tmp_path_factory.mktemp("elsewhere")
    inputs = keras.Input((16, 16, 3))
    weights = keras.initializers.GlorotUniform(seed=0)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(5, 3, strides=2, kernel_initializer=weights)(x))
    model = make_model(keras.Model(inputs, keras.layers.ReLU()(x), name="tiny"))
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    np.savez(folder / "io.npz", pictures=pictures, expected=model(pictures))
    prediction.save_classifier(model, folder / "m.keras", class_names=CLASS_NAMES)
    paths = write_files(folder)
    code = """
import sys, numpy as np, keras
model = keras.models.load_model("m.keras", safe_mode=True)
stored = np.load("io.npz")
np.testing.assert_allclose(model(stored["pictures"]), stored["expected"], atol=1e-6)
print("helpers" in sys.modules)
project, *arguments = sys.argv[1:]
sys.path.insert(0, project)
from helpers.commands import main
main(["predict", "m.keras", *arguments, "--format", "json"])
"""
    # -I: neither this project's folder nor PYTHONPATH.
    command = [sys.executable, "-I", "-c", code, Path(prediction.__file__).parents[1], *paths]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder)
    assert done.stdout, done.stderr
    return model, paths, done.stdout.splitlines()


def test_a_new_process_gives_equal_probabilities(elsewhere: tuple[keras.Model, list[Path], list[str]]) -> None:
    model, files, (_, *said) = elsewhere
    here, _ = prediction.predict_files(prediction.Classifier(model, CLASS_NAMES), files)
    there = json.loads("\n".join(said))
    assert [(one["file"], one["label"]) for one in there] == [(one.file, one.label) for one in here]
    np.testing.assert_allclose([one["probability"] for one in there], [one.probability for one in here], atol=1e-6)


def test_plain_keras_loads_the_file_without_this_package(
    elsewhere: tuple[keras.Model, list[Path], list[str]],
) -> None:
    _, _, (helpers_loaded, *_) = elsewhere
    assert helpers_loaded == "False"


def test_saving_again_replaces_the_file(tiny_backbone: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    prediction.save_classifier(make_model(tiny_backbone), path, class_names=CLASS_NAMES)
    prediction.save_classifier(make_model(tiny_backbone, units=2), path, class_names=["a", "b"])
    assert prediction.load_classifier(path).class_names == ("a", "b")
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.keras"]


def test_an_unfinished_file_is_not_left_behind(
    model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.keras"
    prediction.save_classifier(model, path, class_names=CLASS_NAMES)
    before = path.read_bytes()

    def stop_halfway(target: Path) -> None:
        target.write_bytes(before[: len(before) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save", stop_halfway)
    with pytest.raises(KeyboardInterrupt):
        prediction.save_classifier(model, path, class_names=CLASS_NAMES)
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.keras"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["m.h5", "m", "keras", "m.keras.zip"])
def test_another_ending_is_refused(model: keras.Model, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"Received '{name}', expected a name ending in '.keras'. Add the ending."):
        prediction.save_classifier(model, tmp_path / name, class_names=CLASS_NAMES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("units", "activation", "classes"), [(3, "softmax", 3), (2, "softmax", 2), (1, "sigmoid", 2)])
def test_the_number_of_names_must_fit(
    tiny_backbone: keras.Model, tmp_path: Path, units: int, activation: str, classes: int
) -> None:
    model = make_model(tiny_backbone, units=units, activation=activation)
    names = [str(number) for number in range(5)]
    for count in {1, 2, 3, 4} - {classes}:
        with pytest.raises(
            ValueError, match=rf"Received a model with {classes} classes and the class names .*, expected one name per"
        ):
            prediction.save_classifier(model, tmp_path / "m.keras", class_names=names[:count])
    prediction.save_classifier(model, tmp_path / "m.keras", class_names=names[:classes])
    assert prediction.load_classifier(tmp_path / "m.keras").class_names == tuple(names[:classes])


def test_a_model_saved_by_keras_alone_has_no_class_names(model: keras.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"m.keras', a model without class names, .*--class-names cat,dog"):
        prediction.load_classifier(tmp_path / "m.keras")


def test_what_is_no_model_is_refused(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with pytest.raises(FileNotFoundError, match=r"There is no file .*m.keras"):
        prediction.load_classifier(path)
    with pytest.raises(ValueError, match=r"an empty folder \(a SavedModel has .*, expected one \.keras file\. Check"):
        prediction.load_classifier(tmp_path)
    prediction.save_classifier(model, path, class_names=CLASS_NAMES)
    whole = path.read_bytes()
    for content in (b"", b"no model", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"m.keras', expected a Keras model\. Train one with `teach`\."):
            prediction.load_classifier(path)


def test_class_names_alone_are_no_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr(prediction.CLASS_NAMES_ENTRY, json.dumps(["a", "b"]))
    with pytest.raises(ValueError, match=r"m.keras', a model that is damaged"):
        prediction.load_classifier(tmp_path / "m.keras")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    inputs = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(keras.layers.Lambda(lambda pictures: pictures * 2)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(flat))
    prediction.save_classifier(model, tmp_path / "m.keras", class_names=["a", "b"])
    with pytest.raises(ValueError, match=r"a model with code of its own in it \(Lambda\), .*set_weights"):
        prediction.load_classifier(tmp_path / "m.keras")


def test_one_flipped_byte_is_one_line_or_does_no_harm(model: keras.Model, tmp_path: Path) -> None:
    path = prediction.save_classifier(model, tmp_path / "m.keras", class_names=CLASS_NAMES)
    pictures, whole = np.ones((1, 16, 16, 3), np.float32), path.read_bytes()
    expected = model(pictures).numpy()
    names_at, version_at = whole.rindex("고양이".encode()), whole.rindex(b"PK\x01\x02") + 6
    refused = 0  # six bytes before the end it says where the table of contents begins
    for place in [names_at, version_at, len(whole) - 6, *range(5, len(whole), len(whole) // 20)]:
        damaged = bytearray(whole)
        damaged[place] ^= 128 if place == version_at else 1  # of a version that no program knows
        path.write_bytes(damaged)
        try:
            classifier = prediction.load_classifier(path)
        except ValueError as error:
            refused += 1
            assert "\n" not in str(error)
            assert place not in (names_at, version_at) or "a model that is damaged" in str(error)
        else:
            assert place not in (names_at, version_at) and classifier.class_names == CLASS_NAMES
            np.testing.assert_array_equal(classifier.model(pictures), expected)
    assert refused > 5


class OwnLayer(keras.layers.Layer):
    """What a learner has written, and what is not in the file."""

    def call(self, inputs):
        return 2 * inputs


def test_layers_of_ones_own_are_named(tmp_path: Path) -> None:
    inputs = keras.Input((4, 4, 3))
    own = keras.Model(inputs, OwnLayer()(inputs), name="inside")
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(own(inputs)))
    path = prediction.save_classifier(keras.Model(inputs, outputs), tmp_path / "m.keras", class_names=["a", "b"])
    with pytest.raises(ValueError, match=r"m.keras', a model with code of its own in it \(OwnLayer\), .*set_weights"):
        prediction.load_classifier(path)


# --- Models from elsewhere ----------------------------------------------------------------------------------


def test_a_plain_keras_model_works_with_names(model: keras.Model, files: list[Path], tmp_path: Path) -> None:
    model.save(tmp_path / "plain.keras")
    prediction.save_classifier(model, tmp_path / "own.keras", class_names=CLASS_NAMES)
    plain = prediction.load_classifier(tmp_path / "plain.keras", class_names=CLASS_NAMES)
    own = prediction.load_classifier(tmp_path / "own.keras")
    assert prediction.predict_files(plain, files) == prediction.predict_files(own, files)
    with pytest.raises(ValueError, match=r"plain.keras', a model with 3 classes and the class names \['a', 'b'\]"):
        prediction.load_classifier(tmp_path / "plain.keras", class_names=["a", "b"])
    for inside in ({"class_names": CLASS_NAMES}, {"scaling": "tf"}):
        with pytest.raises(ValueError, match=r"own.keras', expected neither, it has both inside\. Leave them out\."):
            prediction.load_classifier(tmp_path / "own.keras", **inside)


def test_a_model_without_preprocessing_is_told_what_pixels_it_gets(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    means = keras.initializers.Constant(np.full((3, 1), 1 / 3))
    inputs = keras.Input((4, 4, 3))
    dense = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=means)
    keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(inputs))).save(path)
    with pytest.raises(ValueError, match=r"m.keras', a model without a layer that scales pixels, .*--scaling tf for"):
        prediction.load_classifier(path, class_names=["cat", "dog"])
    with pytest.raises(ValueError, match=r"Received scaling '255', expected one of \['none', 'unit', 'tf'\]"):
        prediction.load_classifier(path, class_names=["cat", "dog"], scaling="255")
    white = np.full((1, 4, 4, 3), 255, np.float32)
    for scaling, value in (("none", 255), ("unit", 1), ("tf", 1)):
        model = prediction.load_classifier(path, class_names=["cat", "dog"], scaling=scaling).model
        np.testing.assert_allclose(model(white), [[1 / (1 + np.exp(-value))]], rtol=1e-5)
    np.testing.assert_allclose(model(0 * white), [[1 / (1 + np.exp(1))]], rtol=1e-5)


def save_as_teachable_machine_does(folder: Path) -> keras.Model:
    """A network in a network, pixels from -1 to 1, in the format of Keras 2 and with an argument of its own."""
    depthwise = keras.layers.DepthwiseConv2D(3, name="depthwise")
    maps = keras.Sequential([keras.Input((8, 8, 3)), depthwise, keras.layers.GlobalAveragePooling2D()])
    head = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax", use_bias=False)])
    model = keras.Sequential([keras.Input((8, 8, 3)), maps, head])
    model.save(folder / "keras_model.h5")
    with h5py.File(folder / "keras_model.h5", "r+") as file:
        config = file.attrs["model_config"].replace('"name": "depthwise"', '"name": "depthwise", "groups": 1')
        assert config != file.attrs["model_config"]
        file.attrs["model_config"] = config
    (folder / "labels.txt").write_text("0 고양이\n1 big dog\n", encoding="utf-8")
    return model


def test_what_teachable_machine_exports_works(tmp_path: Path, files: list[Path]) -> None:
    model = save_as_teachable_machine_does(tmp_path)
    names = prediction.read_class_names(tmp_path / "labels.txt")
    assert names == ("고양이", "big dog")
    with pytest.raises(ValueError, match=r"keras_model.h5', a model without a layer that scales pixels, .*Teachable"):
        prediction.load_classifier(tmp_path / "keras_model.h5", class_names=names)
    classifier = prediction.load_classifier(tmp_path / "keras_model.h5", class_names=names, scaling="tf")
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(classifier.model(pictures), model(pictures / 127.5 - 1), atol=1e-6)
    assert {one.label for one in prediction.predict_files(classifier, files)[0]} <= set(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("0 cat\r\n1 my dog\r\n\r\n", ("cat", "my dog")),
        ("1 euro\n2 euro", ("1 euro", "2 euro")),  # names, not numbers: those begin with 0
        ("\ufeff0\n1\n", ("0", "1")),
    ],
)
def test_class_names_are_read_from_a_file(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(text.encode())
    assert prediction.read_class_names(tmp_path / "labels.txt") == names


def test_class_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes("0 고양이".encode("cp949"))
    with pytest.raises(ValueError, match=r"labels.txt', expected text in UTF-8"):
        prediction.read_class_names(tmp_path / "labels.txt")


def test_models_of_other_formats_are_named(model: keras.Model, tmp_path: Path, recwarn) -> None:
    model.save(tmp_path / "old.h5")
    model.save_weights(tmp_path / "m.weights.h5")
    (tmp_path / "damaged.h5").write_bytes((tmp_path / "old.h5").read_bytes()[:3000])
    shutil.copy(tmp_path / "old.h5", tmp_path / "renamed.keras")
    for name in ("damaged.h5", "m.weights.h5"):
        with pytest.raises(ValueError, match=rf"{name}', an HDF5 file .*weights only.*save_classifier"):
            prediction.load_classifier(tmp_path / name, class_names=CLASS_NAMES)
    with pytest.raises(ValueError, match=r"renamed.keras', an HDF5 file, expected the ending \.h5\. Rename it"):
        prediction.load_classifier(tmp_path / "renamed.keras", class_names=CLASS_NAMES)
    with pytest.raises(ValueError, match=r"old.h5', a model without class names, .*--class-names"):
        prediction.load_classifier(tmp_path / "old.h5")
    assert prediction.load_classifier(tmp_path / "old.h5", class_names=CLASS_NAMES).class_names == CLASS_NAMES


def test_code_in_an_older_file_is_not_run(tmp_path: Path) -> None:
    flat = [keras.layers.Lambda(lambda pictures: pictures * 2), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((4, 4, 3)), *flat, keras.layers.Dense(2, activation="softmax")])
    model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"m.h5', an HDF5 file .*code of its own"):
        prediction.load_classifier(tmp_path / "m.h5", class_names=["a", "b"], scaling="none")


def test_saved_models_are_named(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"saved', a SavedModel folder, .*model\.save\('model\.keras'\)"):
        prediction.load_classifier(tmp_path / "saved")


def test_a_folder_is_called_what_it_is(model: keras.Model, tmp_path: Path) -> None:
    prediction.save_classifier(model, tmp_path / "m.keras", class_names=CLASS_NAMES)
    with pytest.raises(ValueError, match=r"a folder, expected one \.keras file\. Did you mean '.*m\.keras'\?"):
        prediction.load_classifier(tmp_path)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extractall(tmp_path / "unpacked")
    with pytest.raises(ValueError, match=r"a \.keras file that was unpacked, expected the file itself"):
        prediction.load_classifier(tmp_path / "unpacked")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    with pytest.raises(ValueError, match="a folder without a model in it"):
        prediction.load_classifier(tmp_path / "notes")


def test_an_archive_with_a_model_in_it_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "converted_keras.zip", "w") as archive:
        archive.writestr("keras_model.h5", b"\x89HDF\r\n\x1a\n")
        archive.writestr("labels.txt", "0 cat")
    with pytest.raises(ValueError, match=r"an archive with the model 'keras_model\.h5' in it, .*\. Unpack it"):
        prediction.load_classifier(tmp_path / "converted_keras.zip")


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.tflite", "TensorFlow Lite"), ("a.onnx", "ONNX"), ("a.PT", "PyTorch"), ("saved_model.pb", "part of a SavedM")],
)
def test_models_of_other_programs_are_named(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04" + bytes(99))
    with pytest.raises(ValueError, match=rf"{name}', .*{said}.*expected a \.keras file\. Save the model as one"):
        prediction.load_classifier(tmp_path / name)


# --- What is no probability ---------------------------------------------------------------------------------


def build_ending(units: int, activation: str | None, *, weight: float = 1.0) -> keras.Model:
    inputs = keras.Input((4, 4, 3))
    rising = keras.initializers.Constant(weight * np.arange(3 * units).reshape(3, units))
    dense = keras.layers.Dense(units, activation=activation, kernel_initializer=rising)
    return keras.Model(inputs, dense(keras.layers.GlobalAveragePooling2D()(inputs)))


NO_PROBABILITIES = {
    "logits": (build_ending(3, None), r"answers from .* to .* \(logits\?\).*Softmax\(\)"),
    "one logit": (build_ending(1, None), r'\(logits\?\).*Activation\("sigmoid"\)'),
    "several labels": (build_ending(3, "sigmoid"), r"answers sum to .* to .*, expected one label per picture"),
    "NaN": (build_ending(3, "softmax", weight=np.nan), r"answers NaN or infinity.*smaller learning rate"),
    "one NaN": (build_ending(1, "sigmoid", weight=np.nan), r"answers NaN or infinity"),
}


@pytest.mark.parametrize(("model", "message"), NO_PROBABILITIES.values(), ids=NO_PROBABILITIES)
def test_what_is_no_probability_is_refused_everywhere(
    model: keras.Model, message: str, tmp_path: Path, files: list[Path]
) -> None:
    names = ["a", "b", "c"][: max(model.output_shape[-1], 2)]
    path = tmp_path / "m.keras"
    with pytest.raises(ValueError, match=rf"^Received a model .*{message}"):
        prediction.save_classifier(model, path, class_names=names)
    assert not path.exists()
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(prediction.CLASS_NAMES_ENTRY, json.dumps(names))
    with pytest.raises(ValueError, match=rf"^Received '.*m.keras', a model .*{message}"):
        prediction.load_classifier(path)
    with pytest.raises(ValueError, match=message):
        prediction.predict_files(prediction.Classifier(model, tuple(names)), files)


def end_quietly(activation: str | None, *after: keras.layers.Layer) -> keras.Model:
    """A model that gives 0.3 (with softmax: 0.5) for any picture."""
    inputs = keras.Input((4, 4, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    bias = keras.initializers.Constant(0.3)
    units = 2 if activation == "softmax" else 1
    dense = keras.layers.Dense(units, activation=activation, kernel_initializer="zeros", bias_initializer=bias)
    return keras.Sequential([keras.Input((4, 4, 3)), keras.Model(inputs, dense(pooled)), *after])


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_logits_are_refused_even_where_they_look_like_probabilities(activation: str | None, tmp_path: Path) -> None:
    message = r'a model that ends with the activation .*\(logits\?\).*Activation\("sigmoid"\).*save_classifier'
    with pytest.raises(ValueError, match=message):
        prediction.save_classifier(end_quietly(activation), tmp_path / "m.keras", class_names=["a", "b"])


@pytest.mark.parametrize(
    ("activation", "after"),
    [
        ("sigmoid", []),
        (None, [keras.layers.Activation("sigmoid")]),
        ("softmax", [keras.layers.Activation("linear", dtype="float32")]),  # as mixed precision has it
        ("softmax", [keras.layers.Dropout(0.1), keras.layers.Reshape((2,))]),
    ],
)
def test_however_probabilities_are_made_they_are_taken(activation: str | None, after: list, tmp_path: Path) -> None:
    model = end_quietly(activation, *after)
    path = prediction.save_classifier(model, tmp_path / "m.keras", class_names=["a", "b"])
    assert prediction.load_classifier(path).class_names == ("a", "b")


def test_the_advice_for_logits_helps(tmp_path: Path) -> None:
    mended = keras.Sequential([build_ending(3, None), keras.layers.Softmax()])
    prediction.save_classifier(mended, tmp_path / "m.keras", class_names=["a", "b", "c"])
    assert prediction.load_classifier(tmp_path / "m.keras").image_size == 4


def test_a_network_that_does_not_say_what_it_takes_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
    with pytest.raises(ValueError, match=r"a model from None to None, expected square .* Begin it with keras\.Input"):
        prediction.save_classifier(model, tmp_path / "m.keras", class_names=["a", "b"])


@pytest.mark.parametrize("shape", [(None, None, 3), (16, 20, 3), (16, 16, 1)])
def test_other_inputs_are_refused_before_saving(shape: tuple, tmp_path: Path) -> None:
    inputs = keras.Input(shape)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ValueError, match=r"expected square colour pictures .*keras\.Input"):
        prediction.save_classifier(keras.Model(inputs, outputs), tmp_path / "m.keras", class_names=["a", "b"])


# --- From files to labels -----------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_the_files(model: keras.Model, files: list[Path]) -> None:
    classifier = prediction.Classifier(model, CLASS_NAMES)
    predictions, problems = prediction.predict_files(classifier, files, batch_size=2)
    readable = [file for file in files if file.name not in ("empty.jpg", "text.png")]
    assert [answer.file for answer in predictions] == [str(file) for file in readable]
    assert [problem.file for problem in problems] == [str(files[1]), str(files[5])]
    assert "empty" in problems[0].reason
    assert "not a readable picture" in problems[1].reason
    for file, answer in zip(readable, predictions, strict=True):
        batch = next(iter(datasets.batches_from_files([file], image_size=16)))
        probabilities = model(batch, training=False).numpy()[0]
        assert answer.label == CLASS_NAMES[probabilities.argmax()]
        assert answer.probability == pytest.approx(probabilities.max(), abs=1e-5)
        assert type(answer.probability) is float


def test_the_model_gets_red_green_blue_from_0_to_255(tmp_path: Path) -> None:
    inputs = keras.Input((2, 2, 3))
    channels = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(channels))
    model.layers[-1].set_weights([np.array([[0.75], [0.25], [0.0]])])  # the "sigmoid" tells red and green apart
    paths = [tmp_path / name for name in ("a.png", "b.gif", "c.bmp")]
    colours = [(255, 0, 0), (0, 200, 255), (10, 100, 30)]
    for path, colour in zip(paths, colours, strict=True):
        Image.new("RGB", (7, 5), colour).save(path)
    answers, _ = prediction.predict_files(prediction.Classifier(model, ("dark", "red")), paths)
    for answer, (red, green, _) in zip(answers, colours, strict=True):
        probability = answer.probability if answer.label == "red" else 1 - answer.probability
        assert probability == pytest.approx((0.75 * red + 0.25 * green) / 255, abs=1e-5)


def test_one_sigmoid_unit_names_both_classes(tiny_backbone: keras.Model, files: list[Path]) -> None:
    model = make_model(tiny_backbone, units=1, activation="sigmoid")
    answers, _ = prediction.predict_files(prediction.Classifier(model, ("cat", "dog")), files)
    batch = np.concatenate(list(datasets.batches_from_files([a.file for a in answers], image_size=16)))
    for answer, (dog,) in zip(answers, model(batch, training=False).numpy(), strict=True):
        assert answer.label == ("dog" if dog > 0.5 else "cat")
        assert answer.probability == pytest.approx(max(dog, 1 - dog), abs=1e-5)


def test_no_readable_file_is_no_error(model: keras.Model, files: list[Path]) -> None:
    classifier = prediction.Classifier(model, CLASS_NAMES)
    assert prediction.predict_files(classifier, []) == ([], [])
    answers, problems = prediction.predict_files(classifier, [files[1], files[5]])
    assert answers == []
    assert [problem.file for problem in problems] == [str(files[1]), str(files[5])]


def test_the_most_probable_classes_come_first(model: keras.Model, files: list[Path]) -> None:
    classifier = prediction.Classifier(model, CLASS_NAMES)
    best, _ = prediction.predict_files(classifier, files)
    answers = [a for a in prediction.stream_predictions(classifier, files, top_k=2) if len(a) == 3]
    assert answers[::2] == best
    assert [one.file for one in answers[::2]] == [one.file for one in answers[1::2]]
    assert all(
        first.probability >= second.probability for first, second in zip(answers[::2], answers[1::2], strict=True)
    )
    every = [a for a in prediction.stream_predictions(classifier, files, top_k=9) if len(a) == 3]
    assert len(every) == 3 * len(best)


def test_below_the_threshold_it_is_neither(model: keras.Model, files: list[Path]) -> None:
    classifier = prediction.Classifier(model, CLASS_NAMES)
    best, _ = prediction.predict_files(classifier, files)
    threshold = sorted(one.probability for one in best)[2]
    rejected = [one._replace(label="neither") if one.probability < threshold else one for one in best]
    for top_k in (1, 2):  # what is neither has no second class
        answers = prediction.stream_predictions(classifier, files, top_k=top_k, threshold=threshold)
        first = {one.file: one for one in reversed([a for a in answers if isinstance(a, prediction.Prediction)])}
        assert [first[one.file] for one in rejected] == rejected
    assert sum(one.label == "neither" for one in rejected) == 2


@pytest.mark.parametrize("options", [{"top_k": 0}, {"threshold": -0.1}, {"threshold": 80}])
def test_other_options_are_refused(options: dict, model: keras.Model, files: list[Path]) -> None:
    with pytest.raises(ValueError, match=r"expected 1 or more, and 0 to 1"):
        list(prediction.stream_predictions(prediction.Classifier(model, CLASS_NAMES), files, **options))
    names = prediction.Classifier(model, ("cat", "dog", "neither"))
    with pytest.raises(ValueError, match="with a class 'neither'"):
        list(prediction.stream_predictions(names, files, threshold=0.5))
    assert len(prediction.predict_files(names, files)[0]) == 5


def test_answers_come_before_all_files_were_read(model: keras.Model, files: list[Path], monkeypatch) -> None:
    """So that memory does not grow with their number."""
    read = []
    inspect = prediction.cleaning.inspect_files
    monkeypatch.setattr(prediction.cleaning, "inspect_files", lambda paths: read.extend(paths) or inspect(paths))
    answers = prediction.stream_predictions(prediction.Classifier(model, CLASS_NAMES), files[:1] * 1000, batch_size=4)
    next(answers)
    assert len(read) == 16


def test_top_classes() -> None:
    probabilities = np.array([0.1, 0.4, 0.4, 0.1])
    ranked = prediction.top_classes(probabilities, class_names="abcd", top=3)
    assert [name for name, _ in ranked] == ["b", "c", "a"], "equal ones in label order"
    assert len(prediction.top_classes(probabilities, class_names="abcd", top=9)) == 4
    assert type(ranked[0][1]) is float


def test_an_exported_model_answers_the_same(model: keras.Model, tmp_path: Path, capfd) -> None:
    model.export(tmp_path / "m.tflite", format="litert", verbose=False)
    capfd.readouterr()
    run = prediction.open_lite(tmp_path / "m.tflite")
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
    answers = np.concatenate([run(picture[None]) for picture in pictures])
    np.testing.assert_allclose(answers, model(pictures), atol=1e-5)
    assert capfd.readouterr() == ("", "")
