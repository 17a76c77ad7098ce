"""What tests, doctests and the notebooks under nbval share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import figures, notebook_failures

ONLY_ON_DEMAND = ("folders", "photos", "browser", "nbgrader")  # marks


@pytest.fixture(scope="session", autouse=True)
def course_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep everything generated out of `data/`: one folder for the whole run, so that a data set is drawn once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = Path(os.environ.get("COURSE_DATA") or tmp_path_factory.mktemp("course_data"))
        patch.setenv("COURSE_DATA", str(folder))
        yield folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the fast tests first, and those of some kinds only when they are asked for."""
    for mark in ONLY_ON_DEMAND:
        if mark not in (config.option.markexpr or ""):
            config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(mark)])
            items[:] = [item for item in items if not item.get_closest_marker(mark)]
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After nbval has run a cell and compared its texts, compare its figures."""
    yield
    if figures.is_notebook_cell(item):
        tags = item.cell.metadata.get("tags", [])
        if problem := figures.compare(item.cell.outputs, item.test_outputs, tags=tags):
            item.raise_cell_error(problem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Say what went wrong in a notebook's cell: nbval counts cells its own way, and prints both outputs in full."""
    report = yield
    if report.failed and report.when == "call" and figures.is_notebook_cell(item):
        report.longrepr = notebook_failures.describe_failure(item, call.excinfo.value)
    return report
