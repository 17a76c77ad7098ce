"""What every notebook owes its reader: the house rules, stored outputs of today, and a clean edition for students."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.commands import lint, notebooks, outputs
from helpers.commands.outputs import make_stamp
from helpers.commands.student import BEGIN, END, STUB, make_student_edition, strip_solutions

PATHS = notebooks.find_notebooks()


@pytest.fixture(scope="module")
def modules_parsed_once() -> Iterator[None]:
    """Most lessons use the same modules of the package."""
    bare_source, imports = cache(outputs._bare_source), cache(outputs._imports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "_bare_source", bare_source)
        patch.setattr(outputs, "_imports", lambda source: set(imports(source)))
        yield


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def cells(notebook: NotebookNode, kind: str, tag: str | None = None) -> list[NotebookNode]:
    found = [cell for cell in notebook.cells if cell.cell_type == kind]
    return [cell for cell in found if tag is None or tag in cell.metadata.get("tags", [])]


def test_all_keep_the_house_rules() -> None:
    assert PATHS
    assert lint.find_faults(PATHS) == []


@pytest.mark.usefixtures("modules_parsed_once")
def test_the_stored_outputs_are_those_of_the_code_and_the_package(path: Path, notebook: NotebookNode) -> None:
    """If this fails: look at what has changed, then `make outputs`."""
    assert notebook.metadata.get("course", {}) == make_stamp(notebook, number=path.stem[:2])


def test_a_log_with_times_is_tagged_so_that_storing_it_again_changes_nothing(notebook: NotebookNode) -> None:
    for cell in cells(notebook, "code"):
        told = " ".join(output.get("text", "") for output in cell.outputs)
        assert not re.search(r"\d[mu]?s/step", told) or "timing" in cell.metadata.tags, cell.source


def test_the_edition_for_students_has_no_solution(notebook: NotebookNode) -> None:
    student = make_student_edition(notebook)
    text = nbformat.writes(student)
    assert "SOLUTION" not in text
    for solved, stub in zip(cells(notebook, "code", "exercise"), cells(student, "code", "exercise"), strict=True):
        assert STUB in stub.source
        assert len(stub.source) < len(solved.source)
        taken_out = re.search(rf"{BEGIN}\n(.*?)\n\s*{END}", solved.source, flags=re.DOTALL).group(1)
        longest = max((line.strip() for line in taken_out.splitlines()), key=len)
        assert longest not in stub.source
    assert all(not cell.outputs for cell in cells(student, "code", "check"))


def test_nothing_answers_a_prediction_in_the_edition_for_students(notebook: NotebookNode) -> None:
    waiting = False
    for cell in make_student_edition(notebook).cells:
        if cell.cell_type == "markdown":
            waiting = "**Predict first" in cell.source
        elif waiting:
            assert not cell.get("outputs"), cell.id


def test_the_edition_for_nbgrader_becomes_that_for_students(notebook: NotebookNode) -> None:
    graded, student = (make_student_edition(notebook, graded=graded) for graded in (True, False))
    marked = [cell for cell in graded.cells if "nbgrader" in cell.metadata]
    names = [cell.metadata.nbgrader.grade_id for cell in marked]
    assert len(names) == len(set(names))
    assert sum(cell.metadata.nbgrader.get("points", 0) for cell in marked) == len(cells(notebook, "code", "check"))
    assert {cell.id for cell in graded.cells if BEGIN in cell.source} == {
        cell.id for cell in marked if cell.metadata.nbgrader.solution
    }
    for ours, theirs in zip(cells(student, "code"), cells(graded, "code"), strict=True):
        assert ours.outputs == theirs.outputs
        assert ours.source == (strip_solutions(theirs.source) if BEGIN in theirs.source else theirs.source)
