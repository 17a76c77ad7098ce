"""Each check of each notebook both ways: right answers pass, the stub and the usual mistakes are named.

The answers of a notebook are in `answers_nb01.py`, `answers_nb02.py`, ...
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from helpers import checks
from helpers.checks._common import CheckError

NOTEBOOKS = sorted(path.stem for path in Path(checks.__file__).parent.glob("nb*.py"))
ANSWERS = {name: import_module(f"tests.answers_{name}") for name in NOTEBOOKS}
# Keras builds models in a way that NumPy 2 calls outdated.
OUTDATED = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
MARKS = {"nb02": [OUTDATED]}


def collect(rows_of: Callable[[ModuleType], list[tuple]]) -> list:
    """Return the rows of every notebook, named after it and the check."""
    return [
        pytest.param(*row, id=f"{name}-{row[0].__name__}", marks=MARKS.get(name, []))
        for name, answers in ANSWERS.items()
        for row in rows_of(answers)
    ]


def stub(*_args):
    raise NotImplementedError


def return_nothing(*_args):
    return None


@pytest.mark.parametrize(("check", "answer"), collect(lambda a: [*a.SOLUTIONS.items(), *a.OTHER_RIGHT_ANSWERS]))
def test_a_right_answer_passes(check, answer, capsys) -> None:
    check(answer)
    assert capsys.readouterr().out.startswith("Right: ")


@pytest.mark.parametrize("check", collect(lambda a: [(check,) for check in a.SOLUTIONS]))
def test_the_stub_and_an_empty_answer_fail(check, capsys) -> None:
    for answer in (stub, return_nothing):
        with pytest.raises(CheckError, match="Nothing returned yet"):
            check(answer)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("check", "wrong_answer", "message"), collect(lambda a: a.MISTAKES))
def test_a_usual_mistake_is_named(check, wrong_answer, message: str, capsys) -> None:
    with pytest.raises(CheckError) as caught:
        check(wrong_answer)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_check_has_three_mistakes(name: str) -> None:
    answers = ANSWERS[name]
    counts = {check: sum(row[0] is check for row in answers.MISTAKES) for check in answers.SOLUTIONS}
    assert min(counts.values()) >= 3
    defined = {name for name in vars(import_module(f"helpers.checks.{name}")) if name.startswith("check_")}
    assert defined == {check.__name__ for check in counts}
