"""Say in readable form what went wrong in a notebook's cell under nbval: which cell, and what differs from what."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest
from nbformat import NotebookNode

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NOT_COMPARED = ("image/", "application/vnd.jupyter.widget-view")  # pictures have rules of their own: tests/figures.py


def describe_failure(item: pytest.Item, error: BaseException) -> str:
    """Return which cell failed, and why: the difference from the stored outputs, or the error and the cell's code.

    Args:
        item: a cell that nbval has run.
        error: what it raised.
    """
    place = f"{item.path.name}, {_describe_place(item.cell, item.parent.nb.cells)}"
    first_line = item.cell.source.strip().partition("\n")[0]
    difference = "\n\n".join(_differences(item.cell.outputs, item.test_outputs or []))
    if str(error) == "Cell outputs differ" and difference:
        return f"{place}: another output than the stored one (-), after\n\n    {first_line}\n\n{difference}"
    code = "\n".join(f"    {line}" for line in item.cell.source.splitlines())
    # nbval keeps the kernel's traceback beside its message.
    details = COLOUR.sub("", getattr(error, "inner_traceback", None) or "").strip("\n")
    said = _texts(item.test_outputs or []).get("stderr", "").strip("\n")
    parts = [f"{place}: {error}", code, details, said and f"It also wrote to standard error:\n{COLOUR.sub('', said)}"]
    return "\n\n".join(part for part in parts if part)


def _describe_place(cell: NotebookNode, cells: Sequence[NotebookNode]) -> str:
    """Return a cell's number among all cells and, in brackets as JupyterLab shows it, among those of code."""
    number = next(number for number, other in enumerate(cells, start=1) if other is cell)
    run = sum(other.cell_type == "code" for other in cells[:number])
    return f"cell {number} of {len(cells)}, [{run}] (id {cell.get('id')})"


def _differences(stored: Sequence[NotebookNode], new: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield a short diff for each kind of text that is not the same."""
    before, after = _texts(stored), _texts(new)
    for kind in dict.fromkeys([*before, *after]):
        lines = [texts.get(kind, "").splitlines() for texts in (before, after)]
        diff = difflib.unified_diff(*lines, fromfile=f"stored {kind}", tofile=f"new {kind}", n=1, lineterm="")
        if text := "\n".join(diff):
            yield COLOUR.sub("", text)


def _texts(outputs: Sequence[NotebookNode]) -> dict[str, str]:
    """Return what a cell gave, by kind (stdout, text/plain, ...), without pictures."""
    texts: dict[str, str] = defaultdict(str)
    for output in outputs:
        if output.output_type == "stream":
            texts[output.name] += output.text
        for kind, content in output.get("data", {}).items():
            if not kind.startswith(NOT_COMPARED):
                texts[kind] += f"{content}\n"
    return texts
