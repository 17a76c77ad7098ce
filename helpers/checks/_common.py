"""What every check needs: call the learner's code safely and say in one line what is wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np


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
