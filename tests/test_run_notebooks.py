"""Every notebook from top to bottom, on small data, and on real photos where they are."""

import os
import re
from pathlib import Path

import pytest

from helpers.commands import notebooks

pytestmark = pytest.mark.slow

# As small as the bands in the notebooks still hold.
SMALL = {
    "01_images_as_arrays": {"DATASET": "synthetic_pets/tiny"},
    "04_vanilla_cnn": {"NUM_VALIDATION": 500, "NUM_TEST": 500},
    "07_feature_extraction": {"NUM_TRAIN": 1000, "NUM_VALIDATION": 500, "NUM_TEST": 500, "CNN_EPOCHS": 10},
}
# On photos: shorter where the lesson is long, and then its text need not hold.
SHORT = {
    "05_training_better": {"COMPARE_TRAIN": 320, "COMPARE_EPOCHS": 3, "EPOCHS": 3},
    "07_feature_extraction": SMALL["07_feature_extraction"],
}
NUMBERS_ONLY = {"02_neurons_to_networks"}  # its DATASET names tables of small grey digits or clothes, not a folder
PHOTOS = os.environ.get("COURSE_PHOTOS")
PATHS = notebooks.find_notebooks()
each_notebook = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


def run(path: Path, output: Path, **parameters: str | int) -> notebooks.RunResult:
    (result,) = notebooks.run_notebooks([path], output=output, parameters=parameters, progress=False)
    return result


@each_notebook
def test_it_runs_with_small_parameters(path: Path, tmp_path: Path) -> None:
    if PHOTOS and path.stem not in NUMBERS_ONLY:
        pytest.skip("real photos are here: the next test runs the same notebook with other parameters on them")
    result = run(path, tmp_path, **SMALL.get(path.stem, {}))
    assert not result.failed
    assert notebooks.notebook_title(path) in result.page.read_text(encoding="utf-8")


@each_notebook
@pytest.mark.parametrize("photos", ["cat_dog_small", "weather"])
def test_it_runs_on_real_photos(path: Path, photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not PHOTOS:
        pytest.skip("needs COURSE_PHOTOS: a folder with cat_dog_small/ and weather/")
    if path.stem in NUMBERS_ONLY:
        pytest.skip("this notebook takes no folder of pictures")
    if path.stem in SHORT and photos == "cat_dog_small":
        pytest.skip("a long lesson: it runs on the four classes of the other photos")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    parameters = SHORT.get(path.stem, {})
    result = run(path, tmp_path / "out", DATASET=str(Path(PHOTOS, photos).resolve()), **parameters)
    assert not result.failed
    page = result.page.read_text(encoding="utf-8")
    assert parameters or "Not so with these pictures" not in page, "what the text claims is true of photos, too"
    if (path.stem, photos) == ("04_vanilla_cnn", "cat_dog_small"):
        accuracy = re.search(r"training [\d.]+, validation ([\d.]+)", page)
        assert float(accuracy[1]) >= 0.72


def test_neurons_learn_clothes(tmp_path: Path) -> None:
    home = os.environ.get("KERAS_HOME")
    if not home or not Path(home, "datasets", "fashion-mnist").is_dir():
        pytest.skip("needs KERAS_HOME: a Keras home with Fashion-MNIST in it")
    (path,) = notebooks.find_notebooks(["02"])
    assert not run(path, tmp_path, DATASET="fashion_mnist").failed
