"""Every exercise of every notebook, both ways: its solution passes its check, the stub a student gets does not."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import nbformat
import pytest

from helpers.checks._common import CheckError
from helpers.commands import notebooks, student

# Keras builds models in a way that NumPy 2 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


class Exercise(NamedTuple):
    notebook: Path
    imports: str
    answer: str
    check: str


def has_tag(cell: nbformat.NotebookNode, tag: str) -> bool:
    return cell.cell_type == "code" and tag in cell.metadata.get("tags", [])


def read_imports(notebook: nbformat.NotebookNode) -> str:
    """All top-level imports of a notebook: what an answer may count on."""
    statements = [
        ast.unparse(node)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return "\n".join(dict.fromkeys(statements))


def find_exercises() -> Iterator[Exercise]:
    for path in notebooks.find_notebooks():
        notebook = nbformat.read(path, as_version=4)
        imports = read_imports(notebook)
        for answer, check in zip(notebook.cells, notebook.cells[1:], strict=False):
            if has_tag(answer, "exercise"):
                yield Exercise(path, imports, answer.source, check.source)


EXERCISES = list(find_exercises())
each_exercise = pytest.mark.parametrize(
    "exercise", EXERCISES, ids=[f"{e.notebook.stem[:2]}-{e.check.splitlines()[0]}" for e in EXERCISES]
)


@pytest.fixture(autouse=True)
def no_windows() -> None:
    matplotlib.use("agg")


def run(exercise: Exercise, answer: str) -> None:
    namespace: dict[str, Any] = {"__name__": "exercise"}
    for source in (exercise.imports, answer, exercise.check):
        exec(compile(source, exercise.notebook.name, "exec"), namespace)


def test_there_are_exercises() -> None:
    assert len(EXERCISES) >= 4 * len(notebooks.find_notebooks())


@each_exercise
def test_the_solution_passes(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    run(exercise, exercise.answer)
    assert capsys.readouterr().out.startswith("Right: ")


@each_exercise
def test_the_stub_does_not(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    stub = student.strip_solutions(exercise.answer)
    assert student.STUB in stub
    with pytest.raises(CheckError, match="Nothing returned yet"):
        run(exercise, stub)
    assert "Right" not in capsys.readouterr().out


@each_exercise
def test_the_stub_says_that_an_answer_is_missing(exercise: Exercise) -> None:
    """Calling a stub without its check says so too: nobody mistakes silence for an answer."""
    (function,) = [node for node in ast.parse(exercise.answer).body if isinstance(node, ast.FunctionDef)]
    namespace: dict[str, Any] = {"__name__": "exercise"}
    exec(exercise.imports, namespace)
    exec(student.strip_solutions(exercise.answer), namespace)
    with pytest.raises(NotImplementedError, match="Write your answer here"):
        namespace[function.name](*[None] * len(function.args.args))
