"""What tests and doctests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def course_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep everything generated out of `data/`: one folder for the whole run, so that a data set is drawn once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("course_data")
        patch.setenv("COURSE_DATA", str(folder))
        yield folder
