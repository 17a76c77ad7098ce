"""An exercise is data, and this is what runs it: each case is asked, compared with the solution, and explained.

A check finds the first case in which the learner's function differs from the solution. If one of the exercise's named
mistakes first differs in the same place, and in the same way, its message is raised; otherwise a line that says what
came out and what was expected.
"""

import traceback
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]
SHOWN = 6  # an array of up to so many numbers is shown whole


class CheckError(AssertionError):
    """An exercise is not right yet; the message says what to look at."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook: the lines of our check would only distract."""
        return [f"Not yet: {self}"]


class Case(NamedTuple):
    """The arguments of one call, and what to look at where its answer is wrong and no mistake is named."""

    args: tuple
    why: str


def case(*args: Any, why: str = "") -> Case:
    """Return a case: `case(96, 3, why="Count the last place as well.")`."""
    return Case(args, why)


class Difference(NamedTuple):
    """Where a function first differs from the solution: the number of the case, and the key of the view."""

    number: int
    key: str
    value: Any


def made(answer: Any) -> Any:
    """Return an answer; a costly one, a model say, is made only now."""
    return answer() if isinstance(answer, partial) else answer


def view_answer(function: Function, *args: Any) -> dict[str, Any]:
    """Return what a function answers, as it is."""
    return {"": function(*args)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One exercise of a notebook; call it with the learner's function to check that.

    Attributes:
        answers: for the arguments of a case, the right answer, and the wrong ones by the message that names the
            mistake; costly ones as a `functools.partial`. The right one also says which type and shape is expected,
            and a wrong shape stands for every answer of that shape.
        cases: the calls to compare, easy ones first.
        right: what a right answer shows, after "Right: ".
        asked: what a message begins with, formatted with the arguments: "For {} pixels".
        tolerance: how far a number may be off.
        dtype: the dtype of an array, where it matters; a list will not do then.
        view: calls a function with the arguments and returns the plain data to compare: for each thing a message,
            formatted with what came and what was expected ("" for the usual one), and its value.
        hint: a nudge in the right direction.
    """

    answers: Callable[..., tuple[Any, Mapping[str, Any]]]
    cases: tuple[Case, ...]
    right: str
    asked: str = ""
    tolerance: float = 1e-5
    dtype: str | None = None
    view: Callable[..., Mapping[str, Any]] = view_answer
    hint: str = ""

    def __call__(self, answer: Function) -> None:
        """Print what a right answer shows, or raise a `CheckError` that says what to look at."""
        difference = self.find_difference(partial(call, answer))
        if difference:
            raise CheckError(self.explain(difference))
        print(f"Right: {self.right}")

    def solve(self, *args: Any) -> Any:
        """Return the right answer."""
        return made(self.answers(*args)[0])

    @cached_property
    def expected(self) -> list[Mapping[str, Any]]:
        """The view of the solution, for each case."""
        return [self.view(self.solve, *deepcopy(args)) for args, _ in self.cases]

    @cached_property
    def mistakes(self) -> dict[str, Function]:
        """The function that makes each named mistake, by its message."""
        messages: list[str] = []

        def note(*args: Any) -> Any:
            messages.extend(self.answers(*args)[1])
            return self.solve(*args)

        def make(message: str, *args: Any) -> Any:
            return made(self.answers(*args)[1][message])

        self.view(note, *deepcopy(self.cases[0].args))
        return {message: partial(make, message) for message in messages}

    @cached_property
    def find_mistake(self) -> Callable[[str], Difference | None]:
        """Return where the mistake with a message first differs; kept, as a learner tries more than once."""
        return cache(lambda message: self.find_difference(self.mistakes[message]))

    def find_difference(self, function: Function) -> Difference | None:
        """Return the first place in which a function is not right."""
        for number, (args, _) in enumerate(self.cases):
            given = deepcopy(args)
            found = self.view(function, *given)
            require(
                agree(given, args),
                "Your function changes what it is given, so a second run gives another result. Work on a new array.",
            )
            for key, right in self.expected[number].items():
                if not (agree(found[key], right, tolerance=self.tolerance) and self._has_dtype(found[key], right)):
                    return Difference(number, key, found[key])
        return None

    def explain(self, difference: Difference) -> str:
        """Return the message of the mistake that first differs just so, or what came and what was expected."""
        number, key, value = difference
        args, why = self.cases[number]
        right = self.expected[number][key]
        asked = f"{self.asked.format(*args)} you" if self.asked else "You"
        for message in self.mistakes:
            made = self.find_mistake(message)
            if made and made[:2] == (number, key) and resembles(value, made.value, right, tolerance=self.tolerance):
                alone = key or not self.asked or isinstance(right, np.ndarray | list | tuple)
                return message if alone else f"{asked} have {show(value)}. {message}"
        if not key and (unlike := self._describe_type(value, right)):
            return unlike
        line = key.format(show(value), show(right)) if key else self._describe_value(value, right, asked=asked)
        return f"{line} {why}".rstrip()

    def _has_dtype(self, value: Any, right: Any) -> bool:
        if self.dtype is None or not isinstance(right, np.ndarray):
            return True
        return hasattr(value, "dtype") and np.asarray(value).dtype == self.dtype

    def _describe_type(self, value: Any, right: Any) -> str:
        """Say how type, shape or dtype of an answer differ from the right one's, or nothing."""
        wanted, given = kind_of(right), kind_of(value)
        if wanted == "a NumPy array" and not self.dtype and as_numbers(value) is not None:
            given = wanted  # a list is as good
        if wanted != given and (wanted, given) != ("a list", "a NumPy array"):
            return f"Your answer is a {type(value).__name__}, expected {wanted}."
        if wanted == "a NumPy array" and np.shape(value) != right.shape:
            return f"Your array has shape {np.shape(value)}, expected {right.shape}."
        return "" if self._has_dtype(value, right) else f"Your array has dtype {value.dtype}, expected {self.dtype}."

    def _describe_value(self, value: Any, right: Any, *, asked: str) -> str:
        if np.size(right) <= SHOWN:
            return f"{asked} have {show(value)}, expected {show(right)}."
        value = np.asarray(value)
        place = tuple(np.argwhere(~np.isclose(value, right, rtol=0, atol=self.tolerance))[0].tolist())
        return f"{asked} have {show(value[place])} at {list(place)}, expected {show(right[place])}."


def exercise(*cases: Case, **options: Any) -> Callable[[Function], Exercise]:
    """Make an `Exercise` of the function below, which gives its right answer and its wrong ones.

    Example:
        >>> @exercise(case(2), case(5), asked="For {}", right="five becomes ten.")
        ... def check_twice(x):
        ...     return 2 * x, {"That is the square.": x**2}
        >>> check_twice(lambda x: x + x)
        Right: five becomes ten.
        >>> check_twice(lambda x: x * x)
        Traceback (most recent call last):
        helpers.checks._runner.CheckError: For 5 you have 25. That is the square.
    """
    return lambda answers: Exercise(answers=answers, cases=cases, **options)


def call(function: Function, *args: Any) -> Any:
    """Call the learner's function and return what it gives.

    Raises:
        CheckError: if it is still the stub, returns nothing, or stops with an error of its own, and then in which line.

    Example:
        >>> call(lambda x: x + 1, 2)
        3
    """
    name = getattr(function, "__name__", "your function")
    try:
        result = function(*args)
    except Exception as error:
        raise CheckError(_describe_error(error, function, name=name)) from error
    require(result is not None, f"Nothing returned yet: {name} gave None. Does it end with `return`?")
    return result


def _describe_error(error: Exception, function: Function, *, name: str) -> str:
    """Name the line of the learner's function, not the one of the library in which the error came to light."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    if isinstance(error, NotImplementedError) and own and own[-1] is frames[-1]:
        return f"You have not started this one yet: {name} is still the stub."
    where = f" in line {own[-1].lineno}, `{own[-1].line}`," if own else ""
    return f"{name} stopped{where} with {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def require(condition: bool, message: str) -> None:
    """Raise a `CheckError` with `message` unless `condition` holds."""
    if not condition:
        raise CheckError(message)


def as_numbers(value: Any) -> np.ndarray | None:
    """Return a value as an array, or None if it is not made of numbers."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # lists of different lengths, say
        return None
    return array if array.dtype.kind in "biuf" else None


def kind_of(value: Any) -> str:
    """Return what a message calls a value of this kind.

    Example:
        >>> kind_of(np.True_), kind_of(np.zeros(2)), kind_of(np.float32(1)), kind_of((1, 2))
        ('True or False', 'a NumPy array', 'one number', 'a tuple')
    """
    if isinstance(value, bool | np.bool_):
        return "True or False"
    if isinstance(value, str | list | tuple):
        return "text" if isinstance(value, str) else f"a {type(value).__name__}"
    numbers = as_numbers(value)
    if numbers is None:
        return "something else"
    return "a NumPy array" if numbers.shape else "one number"


def agree(value: Any, right: Any, *, tolerance: float = 0.0) -> bool:
    """Return whether two answers are equal, numbers up to a tolerance; True is no number.

    Example:
        >>> agree(np.array([1, 2]), [1, 2]), agree(True, 1), agree([0.5], [0.4], tolerance=0.2)
        (True, False, True)
    """
    if isinstance(right, Mapping):
        return right.keys() == value.keys() and all(agree(value[key], right[key]) for key in right)
    if isinstance(right, list | tuple):
        same = isinstance(value, list | tuple | np.ndarray) and len(value) == len(right)
        return same and all(agree(*pair, tolerance=tolerance) for pair in zip(value, right, strict=True))
    if kind_of(right) in ("one number", "a NumPy array"):
        numbers = None if kind_of(value) == "True or False" else as_numbers(value)
        same = numbers is not None and numbers.shape == np.shape(right)
        return same and np.allclose(numbers, right, rtol=0, atol=tolerance)
    return kind_of(value) == kind_of(right) and bool(value == right)


def resembles(value: Any, mistaken: Any, right: Any, *, tolerance: float) -> bool:
    """Return whether a wrong value is that of a mistake; of a mistake in the shape, whether it has that shape."""
    numbers, wrong = as_numbers(value), as_numbers(mistaken)
    if numbers is None or wrong is None or isinstance(right, list):
        return agree(value, mistaken)
    if wrong.shape != np.shape(right):
        return numbers.shape == wrong.shape
    # A mistake may be smaller than the tolerance; rounding in float32 grows with the numbers.
    limit = min(tolerance, float(np.abs(wrong).max()) / 100)
    return numbers.shape == wrong.shape and np.allclose(numbers, wrong, rtol=1e-5, atol=limit)


def show(value: Any) -> str:
    """Return a value as text, with few digits.

    Example:
        >>> show(8192), show([np.float32(1 / 3), 2]), show("dog")
        ('8,192', '[0.3333, 2]', "'dog'")
    """
    if hasattr(value, "dtype"):
        value = np.asarray(value).tolist()
    if isinstance(value, list | tuple):
        inside = ", ".join(map(show, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if kind_of(value) == "one number":
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return repr(value)
