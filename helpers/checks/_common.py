"""What every check needs: call the learner's code safely and say in one line what is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np

OWN_DATA = ("synthetic_pets", "digits", "fashion_mnist")  # the text of a notebook is written, and measured, for these


class CheckError(AssertionError):
    """An exercise is not right yet; the message says what to look at."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook: the lines of our check would only distract."""
        return [f"Not yet: {self}"]


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call the learner's function and return what it gives.

    Raises:
        CheckError: if it is still the stub, returns nothing, or stops with an error of its own.

    Example:
        >>> call(lambda x: x + 1, 2)
        3
    """
    name = getattr(function, "__name__", "your function")
    try:
        result = function(*args, **kwargs)
    except NotImplementedError as error:
        raise CheckError(f"Nothing returned yet: {name} gave NotImplementedError.") from error
    except Exception as error:
        raise CheckError(f"{name} stopped with {type(error).__name__}: {error}") from error
    if result is None:
        raise CheckError(f"Nothing returned yet: {name} gave None. Does it end with `return`?")
    return result


def require(condition: bool, message: str) -> None:
    """Raise a `CheckError` with `message` unless `condition` holds.

    Example:
        >>> require(2 < 3, "unreachable")
    """
    if not condition:
        raise CheckError(message)


def require_array(
    value: Any, *, shape: tuple[int, ...], dtype: str | None = None, name: str = "your array"
) -> np.ndarray:
    """Return `value` as an array, or say how its type, shape or dtype differs from what was asked for.

    Example:
        >>> require_array(np.zeros((2, 3)), shape=(2, 3)).shape
        (2, 3)
    """
    require(
        hasattr(value, "shape") and hasattr(value, "dtype"),
        f"{name} is a {type(value).__name__}, expected a NumPy array.",
    )
    array = np.asarray(value)
    require(array.shape == shape, f"{name} has shape {array.shape}, expected {shape}.")
    require(
        dtype is None or array.dtype == np.dtype(dtype),
        f"{name} has dtype {array.dtype}, expected {dtype}.",
    )
    return array


def passed(message: str) -> None:
    """Say that the answer is right, and why.

    Example:
        >>> passed("two and two are 4.")
        Right: two and two are 4.
    """
    print(f"Right: {message}")


def claim(holds: bool, text: str, *, on: str) -> None:
    """Hold a notebook to what its text says: a claim that fails stops it on the course's data, and is said on yours.

    Args:
        holds: whether the claim is true here.
        text: the claim, a clause such as "the gap is at least 4 points".
        on: the name of the data set, or the folder of your pictures. A variant of the course's data, such as
            `synthetic_pets/tiny`, counts as other pictures: nothing was measured on it.

    Raises:
        AssertionError: if the claim is false on data of the course.

    Example:
        >>> claim(0.91 > 0.7, "seven in ten are right", on="synthetic_pets")
        >>> claim(0.62 > 0.7, "seven in ten are right", on="my_photos")
        Not so with these pictures: seven in ten are right.
    """
    if holds:
        return
    if on in OWN_DATA:
        raise AssertionError(f"The text claims: {text}. That did not come out.")
    print(f"Not so with these pictures: {text}.")
