"""Every notebook from top to bottom, on small data, and on real photos where they are."""

import os
from pathlib import Path

import pytest

from helpers import course

pytestmark = pytest.mark.slow

# As small as the bands in the notebooks still hold.
SMALL = {
    "01_images_as_arrays": {"DATASET": "synthetic_pets/tiny"},
    "07_feature_extraction": {"NUM_TRAIN": 1000, "NUM_VALIDATION": 500, "NUM_TEST": 500, "CNN_EPOCHS": 10},
}
PATHS = course.find_notebooks()
each_notebook = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


def run(path: Path, output: Path, **parameters: str | int) -> course.RunResult:
    (result,) = course.run_notebooks([path], output=output, parameters=parameters, progress=False)
    return result


@each_notebook
def test_it_runs_with_small_parameters(path: Path, tmp_path: Path) -> None:
    result = run(path, tmp_path, **SMALL.get(path.stem, {}))
    assert not result.failed
    assert course.notebook_title(path) in result.page.read_text(encoding="utf-8")


@each_notebook
@pytest.mark.parametrize("photos", ["cat_dog_small", "weather"])
def test_it_runs_on_real_photos(path: Path, photos: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (root := os.environ.get("COURSE_PHOTOS")):
        pytest.skip("needs COURSE_PHOTOS: a folder with cat_dog_small/ and weather/")
    if "DATASET" not in course.notebook_parameters(path):
        pytest.skip("this notebook has no DATASET")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    assert not run(path, tmp_path / "out", DATASET=str(Path(root, photos).resolve())).failed
