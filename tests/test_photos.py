"""Every picture lesson on real photos, and what `teach` makes of them: `make test-photos`, before a release."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from helpers import prediction
from helpers.commands import notebooks, teach
from tests.conftest import keras_and_numpy_2
from tests.lesson_cells import NUMBERS_ONLY

pytestmark = pytest.mark.photos

# Shorter where a lesson is long; its text need not hold then.
FULL = notebooks.profile_parameters("full")
OTHERWISE = {
    "08_training_better": {"NUM_TRAIN": 640, "EPOCHS": 3},
    "09_long_runs": {"NUM_TRAIN": 640, "SEED_EPOCHS": 3},
    "11_feature_extraction": {"NUM_TRAIN": 1000, "NUM_VALIDATION": 500, "NUM_TEST": 500, "CNN_STEPS": 300},
    "12_fine_tuning": {"NUM_TRAIN": 500, "NUM_SEEDS": 2},  # photos have less to gain than drawings
    "13_famous_architectures": {"STEPS": 100, "NUM_SEEDS": 2},
    "14_efficient_architectures": {"NETWORKS": "MobileNetV2 VGG16"},
}
# Longer where a claim is about one folder: with all pictures, and as many steps as they need.
TO_THE_END = {("10_augmentation", "cat_dog_small"): FULL["10_augmentation"]}
# What is not so of photos, by lesson and folder. 00 and 15 speak of a classifier of drawings: one of photos is better,
# hardly too sure, or has no cat to name. Colour alone tells most photos of weather apart, which a dense network sees,
# too, and in few steps they are not learned by heart as animals are.
NOT_SO = {
    ("00_start_here", "any"): {"the photo of a cat is called a cat", "the classifier is sure of the cup, too"},
    ("15_predict_and_explain", "any"): {
        "of the sure answers more are wrong than one in a hundred",
        "of at least one stranger it is more than 95 % sure",
        "confidence lets at least 4 in 10 strangers pass",
        "the real cat is too far from the drawn ones",
        "the calibration error falls by more than a quarter",
    },
    ("15_predict_and_explain", "weather"): {"the temperature is above 1"},  # 0.8: too unsure, if anything
    ("07_vanilla_cnn", "weather"): {
        "the CNN beats the dense network by 5 points",
        "the validation loss ends at least 30 % above its lowest",
    },
    ("10_augmentation", "weather"): {
        "augmentation makes the gap at least 5 points smaller",
        "the validation loss is lower with augmentation, for every seed",
    },
}
LESSONS = [path for path in notebooks.find_notebooks() if path.stem[:2] not in NUMBERS_ONLY]


@pytest.fixture(scope="module")
def photos() -> Path:
    if not (root := os.environ.get("COURSE_PHOTOS")):
        pytest.skip("needs COURSE_PHOTOS: a folder with cat_dog_small/ and weather/")
    return Path(root).resolve()


def run(path: Path, output: Path, **parameters: str | int) -> str:
    (result,) = notebooks.run_notebooks([path], output=output, parameters=parameters, progress=False)
    assert not result.failed
    return result.page.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
@pytest.mark.parametrize("name", ["cat_dog_small", "weather"])
def test_a_lesson_runs_on_photos(path: Path, name: str, photos: Path, tmp_path: Path) -> None:
    parameters = TO_THE_END.get((path.stem, name)) or OTHERWISE.get(path.stem, {})
    page = run(path, tmp_path, **parameters | {"DATASET": str(photos / name)})
    not_so = set(re.findall(r"Not so with these pictures: ([^.]+)\.", page))
    expected = NOT_SO.get((path.stem, "any"), set()) | NOT_SO.get((path.stem, name), set())
    assert parameters or not_so <= expected, "what the text claims is true of photos, too"
    if (path.stem, name) == ("07_vanilla_cnn", "cat_dog_small"):
        accuracy = re.search(r"training [\d.]+, validation ([\d.]+)", page)
        assert float(accuracy[1]) >= 0.72
    if (path.stem, name) == ("12_fine_tuning", "cat_dog_small"):
        accuracies = re.search(r"features ([\d.]+), fine-tuned ([\d.]+)", page)
        assert float(accuracies[2]) >= float(accuracies[1]) - 0.005
    if (path.stem, name) == ("10_augmentation", "cat_dog_small"):
        gain = re.search(r"gain in accuracy: (-?[\d.]+) points", page)
        assert float(gain[1]) >= 3


@pytest.mark.parametrize("number", NUMBERS_ONLY)
def test_neurons_learn_clothes(number: str, tmp_path: Path) -> None:
    home = os.environ.get("KERAS_HOME")
    if not home or not Path(home, "datasets", "fashion-mnist").is_dir():
        pytest.skip("needs KERAS_HOME: a Keras home with Fashion-MNIST in it")
    (path,) = notebooks.find_notebooks([number])
    run(path, tmp_path, DATASET="fashion_mnist")


@keras_and_numpy_2
def test_teach_recognises_cats_and_dogs(photos: Path, tmp_path: Path) -> None:
    lesson = teach.teach(photos / "cat_dog_small" / "train", output=tmp_path / "cats.keras", say=lambda _: None)
    files = sorted((photos / "cat_dog_small" / "validation").rglob("*.jpg"))
    predictions, problems = prediction.predict_files(prediction.load_classifier(lesson.model), files)
    assert (len(predictions), problems) == (1000, [])
    assert np.mean([row.label == Path(row.file).parent.name for row in predictions]) >= 0.98
