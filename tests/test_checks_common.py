"""helpers.checks._common: learners' code is called safely, and each message says what to look at."""

import builtins

import numpy as np
import pytest

from helpers import checks
from helpers.checks._common import CheckError, call, passed, require, require_array


def give_nothing() -> None:
    return None


def be_a_stub() -> None:
    raise NotImplementedError("write me")


def stop() -> None:
    raise KeyError("height")


def test_a_result_comes_back_untouched() -> None:
    array = np.zeros(3)
    assert call(lambda a, *, b: (a, b), array, b=2) == (array, 2)
    for empty in (0, False, "", [], 0.0):
        assert call(lambda value: value, empty) == empty


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (give_nothing, "Nothing returned yet: give_nothing gave None. Does it end with `return`?"),
        (be_a_stub, "Nothing returned yet: be_a_stub gave NotImplementedError."),
        (stop, "stop stopped with KeyError: 'height'"),
        (lambda: np.zeros(2) @ np.zeros(3), "<lambda> stopped with ValueError: "),
        (lambda _needs_one: 1, "<lambda> stopped with TypeError: "),
    ],
)
def test_a_call_without_result_is_explained(function, message: str) -> None:
    with pytest.raises(CheckError) as caught:
        call(function)
    assert str(caught.value).startswith(message)


def test_what_is_no_function_is_explained_as_well() -> None:
    with pytest.raises(CheckError, match="your function stopped with TypeError: 'int' object is not callable"):
        call(3)


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
    require(True, "not shown")
    require(np.bool_(True), "not shown")
    with pytest.raises(CheckError, match=r"^look here$"):
        require(np.bool_(False), "look here")


def test_require_array_gives_the_array() -> None:
    array = np.ones((2, 3), dtype=np.uint8)
    assert require_array(array, shape=(2, 3), dtype="uint8") is array


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2]], "answer is a list, expected a NumPy array."),
        (3, "answer is a int, expected a NumPy array."),
        (np.zeros((2, 1), dtype=np.uint8), "answer has shape (2, 1), expected (1, 2)."),
        (np.zeros(2, dtype=np.uint8), "answer has shape (2,), expected (1, 2)."),
        (np.zeros((1, 2)), "answer has dtype float64, expected uint8."),
    ],
)
def test_require_array_says_what_differs(value, message: str) -> None:
    with pytest.raises(CheckError) as caught:
        require_array(value, shape=(1, 2), dtype="uint8", name="answer")
    assert str(caught.value) == message


def test_any_dtype_will_do_where_none_is_asked_for() -> None:
    for dtype in ("uint8", "float32", "bool"):
        assert require_array(np.zeros(1, dtype), shape=(1,)).dtype == dtype


def test_passed_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    passed("well done.")
    assert capsys.readouterr().out == "Right: well done.\n"


def test_a_notebook_shows_the_message_without_our_code() -> None:
    assert CheckError("look here")._render_traceback_() == ["Not yet: look here"]
    assert issubclass(CheckError, builtins.AssertionError)


def test_modules_of_checks_are_loaded_by_name() -> None:
    assert checks.nb07.__name__ == "helpers.checks.nb07"
    for name in ("nbx", "common", "_nothing"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(checks, name)


@pytest.mark.parametrize("name", ["synthetic_pets", "synthetic_pets/tiny", "digits", "fashion_mnist"])
def test_a_false_claim_stops_a_notebook_on_the_courses_data(name: str) -> None:
    checks.claim(True, "unused", on=name)
    with pytest.raises(AssertionError, match=r"The text claims: two is three\. That did not come out\."):
        checks.claim(False, "two is three", on=name)


def test_a_false_claim_is_only_said_of_other_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    checks.claim(True, "two is two", on="cats_vs_dogs")
    checks.claim(False, "two is three", on="photos/synthetic_pets")
    assert capsys.readouterr().out == "Not so with these pictures: two is three.\n"
