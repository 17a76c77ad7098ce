"""Every picture lesson on the folders that learners bring: few pictures, many classes, numbers as names, grayscale.

Each lesson on each kind of folder, as a learner runs it, in the smoke profile: `make test-folders`, and part of `make
test-photos`. In CI every lesson runs twice already.
"""

from pathlib import Path

import pytest

from helpers.commands import notebooks
from tests import lesson_cells, small_folders

LESSONS = [path.stem[:2] for path in notebooks.find_notebooks() if path.stem[:2] not in lesson_cells.NUMBERS_ONLY]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("folders")
    return {
        name: small_folders.make_folder(root / name, class_names, per_class, grayscale=grayscale)
        for name, (class_names, per_class, grayscale) in small_folders.KINDS.items()
    }


@pytest.mark.folders
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
