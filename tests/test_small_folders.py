"""Every picture lesson on the folders that learners bring: few pictures, many classes, numbers as names, grayscale.

By default all at once, in this process. Each lesson on each kind of folder, as a learner runs it, in the smoke profile:

    python -m pytest -m photos tests/test_small_folders.py     # also part of make test-photos; no photos are needed
"""

import contextlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest
import tensorflow as tf

from helpers import commands, doctor, training
from helpers.commands import notebooks
from tests import lesson_cells, small_folders
from tests.conftest import catch_figures

LESSONS = [path.stem[:2] for path in notebooks.find_notebooks() if path.stem[:2] not in lesson_cells.NUMBERS_ONLY]


@pytest.fixture
def in_short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw figures and save none; train for a few steps, for which TensorFlow's graphs would not be worth making.

    What a lesson runs in a new process runs here, and the machine is not measured: neither depends on the folder.
    """
    catch_figures(monkeypatch)
    fit, find_learning_rate, run = keras.Model.fit, training.find_learning_rate, subprocess.run

    def fit_shortly(model: keras.Model, *data: Any, epochs: int = 1, **options: Any) -> keras.callbacks.History:
        return fit(model, *data, epochs=min(epochs, 4), **options)  # 09 is interrupted in the third of four

    def find_shortly(*data: Any, steps: int = 100, **options: Any) -> Any:
        return find_learning_rate(*data, steps=min(steps, 20), **options)

    def run_here(command: list[str | Path], *rest: Any, **options: Any) -> Any:
        if command[1:3] != ["-m", "helpers"]:  # joblib counts the processor's cores by one
            return run(command, *rest, **options)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            assert commands.main([str(word) for word in command[3:]]) == 0
        return SimpleNamespace(stdout=output.getvalue())

    monkeypatch.setattr(keras.Model, "fit", fit_shortly)
    monkeypatch.setattr(training, "find_learning_rate", find_shortly)
    monkeypatch.setattr(subprocess, "run", run_here)
    monkeypatch.setattr(doctor, "measure_pass", lambda _: doctor.QUIET_PASS)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.slow
@pytest.mark.usefixtures("in_short")
# A notebook does not show these either; the next comes from training step by step, the last ones from features that
# are 0 in every picture.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config")
@pytest.mark.filterwarnings("ignore::UserWarning:sklearn.neighbors._nearest_centroid")
@pytest.mark.filterwarnings("ignore::RuntimeWarning:sklearn.neighbors._nearest_centroid")
@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_runs_on_24_grayscale_pictures_of_classes_1_and_10(number: str, tmp_path: Path) -> None:
    folder = small_folders.make_folder(tmp_path / "pictures", ["1", "10"], 12, grayscale=True)
    path = lesson_cells.find_notebook(number)
    parameters = notebooks.profile_parameters("smoke")[path.stem] | {"DATASET": str(folder), "IMAGE_SIZE": 32}
    short = {name: 1 for name in ("EPOCHS", "FEW_EPOCHS", "COMPARE_EPOCHS", "CNN_STEPS") if name in parameters}
    names = lesson_cells.run_lesson(number, without=["without-pictures"], **parameters | short)
    (data,) = [value for name, value in names.items() if name in ("data", "dataset") and hasattr(value, "class_names")]
    assert data.class_names == ("1", "10")
    assert sum(data.counts.values()) == 24


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("folders")
    return {
        name: small_folders.make_folder(root / name, class_names, per_class, grayscale=grayscale)
        for name, (class_names, per_class, grayscale) in small_folders.KINDS.items()
    }


@pytest.mark.photos
@pytest.mark.parametrize("kind", small_folders.KINDS)
@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_runs_on_a_folder(number: str, kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    (result,) = notebooks.run_notebooks(
        [lesson_cells.find_notebook(number)],
        output=tmp_path,
        parameters={"DATASET": str(folders[kind])},
        profile="smoke",
        progress=False,
    )
    assert not result.failed
