"""helpers.checks: learners' code is called safely, and each message says what to look at."""

import builtins
import linecache
from functools import partial
from pathlib import Path, PurePosixPath

import keras
import numpy as np
import pytest

from helpers import checks
from helpers.checks._runner import CheckError, agree, call, case, exercise, require

HEIGHT = "height"


def give_nothing() -> None:
    return None


def be_a_stub() -> None:
    raise NotImplementedError("write me")


def stop() -> None:
    raise KeyError(HEIGHT)


LINE = stop.__code__.co_firstlineno + 1


def complaint(check, answer) -> str:
    with pytest.raises(CheckError) as caught:
        check(answer)
    return str(caught.value)


# --- calling -----------------------------------------------------------------------------------------------------


def test_a_result_comes_back_untouched() -> None:
    for value in (np.zeros(3), 0, False, "", [], 0.0):
        assert call(lambda value: value, value) is value


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (give_nothing, "Nothing returned yet: give_nothing gave None. Does it end with `return`?"),
        (be_a_stub, "You have not started this one yet: be_a_stub is still the stub."),
        (
            stop,
            f"stop stopped in line {LINE}, `raise KeyError(HEIGHT)`, with KeyError: 'height'",
        ),
        (lambda: np.zeros(2) @ np.zeros(3), "<lambda> stopped in line "),
        (lambda _needs_one: 1, "<lambda> stopped with TypeError: "),
        (np.linalg.inv, "inv stopped with TypeError: "),
        (3, "your function stopped with TypeError: 'int' object is not callable"),
    ],
)
def test_a_call_without_result_is_explained(function, message: str) -> None:
    assert complaint(call, function).startswith(message)


def test_the_line_is_that_of_the_learners_cell() -> None:
    source = "def shrink(image):\n    half = image[::2]\n    return half @ image\n"
    linecache.cache["cell 7"] = (len(source), None, source.splitlines(keepends=True), "cell 7")
    namespace: dict = {}
    exec(compile(source, "cell 7", "exec"), namespace)
    said = complaint(lambda answer: call(answer, np.zeros((4, 3))), namespace["shrink"])
    assert said.startswith("shrink stopped in line 3, `return half @ image`, with ValueError: matmul: ")


def test_an_error_of_several_lines_is_said_in_one() -> None:
    def fail() -> None:
        raise ValueError("first\nsecond")

    assert complaint(call, fail).endswith("with ValueError: first")


def test_what_a_library_has_not_implemented_is_no_stub() -> None:
    class Layer(keras.layers.Layer):
        pass

    layer = Layer()
    assert "with NotImplementedError: Layer " in complaint(call, lambda: layer.compute_output_shape((1,)))


def test_the_original_error_is_kept_as_the_cause() -> None:
    with pytest.raises(CheckError) as caught:
        call(stop)
    assert isinstance(caught.value.__cause__, KeyError)


def test_interrupting_a_learners_endless_loop_still_works() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupt)


def test_require() -> None:
    require(np.bool_(True), "not shown")
    with pytest.raises(CheckError, match=r"^look here$"):
        require(np.bool_(False), "look here")


def test_a_notebook_shows_the_message_without_our_code() -> None:
    assert CheckError("look here")._render_traceback_() == ["Not yet: look here"]
    assert issubclass(CheckError, builtins.AssertionError)


# --- comparing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "right", "equal"),
    [
        (2.0, 2, True),
        (np.int64(2), 2, True),
        (True, 1, False),
        (1, True, False),
        ("2", 2, False),
        (np.True_, True, True),
        ([1, 2], np.array([1, 2]), True),
        (np.array([1, 2]), [1, 2], True),
        ([1, [2]], np.array([1, 2]), False),
        ([3, 4], (3, 4), True),
        ({3, 4}, [3, 4], False),
        (PurePosixPath("a"), PurePosixPath("a"), True),
        ({"a": np.zeros(2)}, {"a": np.zeros(2)}, True),
        ({"a": np.zeros(2)}, {"a": np.ones(2)}, False),
        (np.array([np.nan]), np.array([0.0]), False),
    ],
)
def test_answers_agree_by_kind_and_value(value, right, equal: bool) -> None:
    assert agree(value, right) == equal


@exercise(
    case(np.array([[1.0, 2.0], [3.0, 4.0]]), 1),
    case(np.array([[5.0, 6.0, 7.0]]), 2, why="It is wide."),
    asked="With a factor of {1}",
    tolerance=0.01,
    right="scaled.",
)
def check_scale(x, factor):
    """`scale(x, factor)` multiplies."""
    return x * factor, {
        "Flattened: keep the rows.": (x * factor).ravel(),
        "Too small by one.": x * factor - 1,
        "The factor is not used.": x,
        "A tiny answer.": partial(np.multiply, x, 1e-6),
    }


@exercise(
    case(np.zeros((2, 4))), dtype="uint8", right="a grid.", view=lambda f, x: {"": f(x), "Of {} sides, not {}.": 4}
)
def check_grid(x):
    """`grid(x)` gives whole numbers."""
    return x.astype(np.uint8), {}


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (check_scale, lambda x, f: x * f - 1.002, "Too small by one."),
        (check_scale, lambda x, f: x * 1.1e-6, "you have [[1.1e-06, "),
        (check_scale, lambda x, f: x * 1e-6, "A tiny answer."),
        (check_scale, lambda x, f: np.zeros(4), "Flattened: keep the rows."),
        (check_scale, lambda x, f: x.copy(), "The factor is not used."),
        (
            check_scale,
            lambda x, f: x + f - 1,
            "With a factor of 2 you have [[6, 7, 8]], expected [[10, 12, 14]]. It is wide.",
        ),
        (check_scale, lambda x, f: np.zeros((3, 3)), "Your array has shape (3, 3), expected (2, 2)."),
        (check_scale, lambda x, f: "text", "Your answer is a str, expected a NumPy array."),
        (check_scale, lambda x, f: {1}, "Your answer is a set, expected a NumPy array."),
        (check_scale, lambda x, f: np.multiply(x, 2, out=x), "Your function changes what it is given, so"),
        (check_grid, lambda x: x.tolist(), "Your answer is a list, expected a NumPy array."),
        (check_grid, lambda x: x, "Your array has dtype float64, expected uint8."),
        (check_grid, lambda x: x.astype(np.uint8) + 3, "You have 3 at [0, 0], expected 0."),
    ],
)
def test_what_is_wrong_is_said(check, answer, message: str) -> None:
    assert message in complaint(check, answer)


@pytest.mark.parametrize(
    ("right", "answer", "message"),
    [
        (3, "3", "Your answer is a str, expected one number."),
        (3, np.array([3]), "Your answer is a ndarray, expected one number."),
        (3, True, "Your answer is a bool, expected one number."),
        (3, 1030.5, "For 7 you have 1,030, expected 3."),
        (True, 1, "Your answer is a int, expected True or False."),
        ("dog", b"dog", "Your answer is a bytes, expected text."),
        ("dog", "cat", "For 7 you have 'cat', expected 'dog'."),
        ([1, 2], 3, "Your answer is a int, expected a list."),
        ([1, 2], np.array([2, 1]), "For 7 you have [2, 1], expected [1, 2]."),
        ((1, 2), 3, "Your answer is a int, expected a tuple."),
        ((1, 0.25), (1, 2), "For 7 you have (1, 2), expected (1, 0.25)."),
    ],
)
def test_each_kind_of_answer_has_its_message(right, answer, message: str) -> None:
    check = exercise(case(7), asked="For {}", right="yes.")(lambda x: (right, {}))
    assert complaint(check, lambda x: answer) == message
    check(lambda x: right)


def test_a_check_leaves_its_cases_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    complaint(check_scale, lambda x, f: np.multiply(x, 2, out=x))
    check_scale(lambda x, f: f * x)
    assert capsys.readouterr().out == "Right: scaled.\n"


# --- claims ------------------------------------------------------------------------------------------------------


def test_modules_of_checks_are_loaded_by_name() -> None:
    assert checks.nb11.__name__ == "helpers.checks.nb11"
    for name in ("nbx", "common", "_nothing"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(checks, name)


@pytest.mark.parametrize("name", ["synthetic_pets", "digits", "fashion_mnist"])
def test_a_false_claim_stops_a_notebook_on_the_courses_data(name: str) -> None:
    checks.claim(True, "unused", on=name)
    with pytest.raises(AssertionError, match=r"The text claims: two is three\. That did not come out\."):
        checks.claim(False, "two is three", on=name)


@pytest.mark.parametrize("name", ["cats_vs_dogs", "photos/synthetic_pets", "synthetic_pets/tiny"])
def test_a_false_claim_is_only_said_of_other_pictures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    checks.claim(True, "two is two", on=name)
    checks.claim(False, "two is three", on=name)
    assert capsys.readouterr().out == "Not so with these pictures: two is three.\n"


# --- what a learner asks -----------------------------------------------------------------------------------------


def test_a_solution_is_shown_as_it_stands_in_the_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    checks.nb06.show_solution(1)
    namespace: dict = {}
    exec(capsys.readouterr().out, namespace)
    checks.nb06.check_output_size(namespace["output_size"])


@pytest.mark.parametrize("exercise", [0, 99, -1])
def test_there_is_no_other_exercise(exercise: int) -> None:
    with pytest.raises(ValueError, match=rf"Received exercise {exercise}, expected 1 to 5"):
        checks.nb06.show_solution(exercise)


def test_a_lesson_that_is_not_here_has_no_solutions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("helpers.checks._lesson.NOTEBOOK_FOLDER", tmp_path)
    with pytest.raises(ValueError, match="Received lesson 06, expected a solved lesson in"):
        checks.nb06.show_solution(1)


def test_open_exercises_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    solved = {
        name.removeprefix("check_"): check.solve
        for name, check in vars(checks.nb06).items()
        if name.startswith("check_")
    }
    checks.nb06.show_open_exercises(solved)
    assert capsys.readouterr().out == "All exercises are solved.\n"
    checks.nb06.show_open_exercises({**solved, "min_pool": lambda maps: maps, "activation_bytes": None})
    assert capsys.readouterr().out == "Still open: exercises 3, 5.\n"
    checks.nb06.show_open_exercises({})
    assert capsys.readouterr().out == "Still open: exercises 1, 2, 3, 4, 5.\n"
