"""Every exercise both ways: right answers pass its check, the stub and the usual mistakes are named."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import pytest

from helpers import checks
from helpers.checks._runner import CheckError
from helpers.checks._runner import Exercise as Check
from helpers.commands import notebooks, student
from tests.conftest import keras_and_numpy_2
from tests.lesson_cells import read_cells, read_imports
from tests.other_answers import RIGHT, WRONG

pytestmark = keras_and_numpy_2


read_imports_once = cache(read_imports)


class Exercise(NamedTuple):
    notebook: Path
    answer: str
    check: str

    def run(self, answer: str) -> None:
        namespace: dict[str, Any] = {"__name__": "exercise"}
        for source in (read_imports_once(self.notebook), answer, self.check):
            exec(compile(source, self.notebook.name, "exec"), namespace)


def find_exercises() -> Iterator[Exercise]:
    for path in notebooks.find_notebooks():
        cells = read_cells(path)
        for answer, check in pairwise(cells):
            if "exercise" in answer.metadata.get("tags", []):
                yield Exercise(path, answer.source, check.source)


def find_checks() -> Iterator[tuple[str, Check]]:
    """Every check of every module, by the name that notebooks call: `nb01.check_crop`."""
    for path in sorted(Path(checks.__file__).parent.glob("nb*.py")):
        for name, check in vars(import_module(f"helpers.checks.{path.stem}")).items():
            if name.startswith("check_"):
                yield f"{path.stem}.{name}", check


EXERCISES = {exercise.check.removeprefix("checks.").partition("(")[0]: exercise for exercise in find_exercises()}
CHECKS = dict(find_checks())
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
each_check = pytest.mark.parametrize("name", CHECKS)


@pytest.fixture(autouse=True)
def no_windows() -> None:
    matplotlib.use("agg")


def complaint(run: Callable[..., None], *args: Any) -> str:
    """What a check says of a wrong answer: one line."""
    with pytest.raises(CheckError) as caught:
        run(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_check_has_its_exercise() -> None:
    assert EXERCISES.keys() == CHECKS.keys() >= RIGHT.keys() | WRONG.keys()
    assert len(EXERCISES) >= 4 * len(notebooks.find_notebooks()) - 1  # the first lesson has three


@each_exercise
def test_the_notebooks_solution_passes(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.run(exercise.answer)
    assert capsys.readouterr().out.startswith("Right: ")


@each_check
def test_other_right_answers_pass(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for answer in (CHECKS[name].solve, *RIGHT.get(name, [])):
        CHECKS[name](answer)
        assert capsys.readouterr().out == f"Right: {CHECKS[name].right}\n"


@each_exercise
def test_the_stub_and_an_empty_answer_do_not(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    stub = student.strip_solutions(exercise.answer)
    assert student.STUB in stub
    assert complaint(exercise.run, stub).startswith("You have not started this one yet")
    assert complaint(exercise.run, stub.replace(student.STUB, "return None")).startswith("Nothing returned yet")
    assert capsys.readouterr().out == ""


@each_exercise
def test_the_stub_says_that_an_answer_is_missing(exercise: Exercise) -> None:
    """Calling a stub without its check says so too: nobody mistakes silence for an answer."""
    (function,) = [node for node in ast.parse(exercise.answer).body if isinstance(node, ast.FunctionDef)]
    namespace: dict[str, Any] = {"__name__": "exercise"}
    exec(read_imports_once(exercise.notebook), namespace)
    exec(student.strip_solutions(exercise.answer), namespace)
    with pytest.raises(NotImplementedError, match="Write your answer here"):
        namespace[function.name](*[None] * len(function.args.args))


@pytest.fixture
def each_mistake_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To name a mistake, a check makes all of them, one after the other: each once here, not once for each."""
    monkeypatch.setattr(Check, "find_difference", cache(Check.find_difference))


@each_check
@pytest.mark.usefixtures("each_mistake_once")
def test_each_mistake_is_one_and_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    check = CHECKS[name]
    for message, mistake in check.mistakes.items():
        assert check.find_difference(mistake), f"no mistake: {message}"
        assert complaint(check, mistake).endswith(message)
    for wrong_answer, message in WRONG.get(name, []):
        assert message in complaint(check, wrong_answer)
    assert len(check.mistakes) + len(WRONG.get(name, [])) >= 3
    assert capsys.readouterr().out == ""
