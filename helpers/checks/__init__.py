"""Checks for the exercises: one module per notebook, named after it (`nb01`, `nb11`, ...).

A check calls what you wrote, says "Right: ..." when it is, and otherwise raises a `CheckError` whose message names
the mistake. A check never shows the solution; `checks.nb11.show_solution(3)` does, and
`checks.nb11.show_open_exercises(globals())` says what is left. `claim` is for the notebooks themselves: it holds their
text to what it says.
"""

from importlib import import_module
from types import ModuleType

__all__ = ["claim"]

OWN_DATA = ("synthetic_pets", "digits", "fashion_mnist")  # the text of a notebook is written, and measured, for these


def __getattr__(name: str) -> ModuleType:
    """Load `nb01`, `nb11`, ... when first named (PEP 562)."""
    if name.startswith("nb") and name[2:].isdecimal():
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'helpers.checks' has no attribute {name!r}, expected nb01, nb11, ...")


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
