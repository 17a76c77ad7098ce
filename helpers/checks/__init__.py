"""Checks for the exercises: one module a notebook, named after it (`nb01`, `nb07`, ...).

A check calls what you wrote, says "Right: ..." when it is, and otherwise raises a `CheckError` whose message names
the mistake. A check never shows the solution. `claim` is for the notebooks themselves: it holds their text to what it
says.
"""

from importlib import import_module
from types import ModuleType

from helpers.checks._common import claim

__all__ = ["claim"]


def __getattr__(name: str) -> ModuleType:
    """Load `nb01`, `nb07`, ... when first named (PEP 562)."""
    if name.startswith("nb") and name[2:].isdecimal():
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'helpers.checks' has no attribute {name!r}, expected nb01, nb07, ...")
