"""Say in readable form what went wrong in a notebook's cell under nbval: which cell, and what differs from what."""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from helpers.commands._shared import make_printable

if TYPE_CHECKING:
    from nbformat import NotebookNode

# What colours a text or moves the cursor, and what makes a link of it.
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# Pictures have rules of their own: tests/figures.py.
NOT_COMPARED = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view")
WIDTH = 200  # characters of a line; a longer one, such as a table in HTML, is broken
MOST_LINES = 60  # of one part of a report: its first and its last ones
MOST_COMPARED = 1000  # lines from the first that differs: `difflib` takes minutes for tens of thousands


def describe_failure(item: pytest.Item, error: BaseException) -> str:
    """Return which cell failed, and why: the difference from the stored outputs, or the error and the cell's code.

    Args:
        item: a cell that nbval has run.
        error: what it raised.
    """
    place = f"{item.path.name}, {_describe_place(item.cell, item.parent.nb.cells)}"
    first_line = (_lines(item.cell.source.strip()) or [""])[0]
    difference = "\n\n".join(_differences(item.cell.outputs, item.test_outputs or []))
    if str(error) == "Cell outputs differ" and difference:
        return f"{place}: another output than the stored one (-), after\n\n    {first_line}\n\n{difference}"
    code = "\n".join(_shorten([f"    {line}" for line in _lines(item.cell.source)]))
    # nbval keeps the kernel's traceback beside its message.
    details = "\n".join(_shorten(_lines((getattr(error, "inner_traceback", None) or "").strip("\n"))))
    said = "\n".join(_shorten(_lines(_texts(item.test_outputs or []).get("stderr", "").strip("\n"))))
    parts = [f"{place}: {error}", code, details, said and f"It also wrote to standard error:\n{said}"]
    return "\n\n".join(part for part in parts if part)


def _lines(text: str) -> list[str]:
    """Return a text's lines for a screen: without colours, other control characters written out, long ones broken."""
    lines = [make_printable(line) for line in ANSI.sub("", text).expandtabs().splitlines()]
    return [line[start : start + WIDTH] for line in lines for start in range(0, len(line) or 1, WIDTH)]


def _shorten(lines: Sequence[str]) -> Sequence[str]:
    """Return the first and the last lines, and between them how many there are."""
    more, half = len(lines) - MOST_LINES, MOST_LINES // 2
    return [*lines[:half], f"... {more:,} lines more ...", *lines[-half:]] if more > 0 else lines


def _describe_place(cell: "NotebookNode", cells: "Sequence[NotebookNode]") -> str:
    """Return a cell's number among all cells and, in brackets as JupyterLab shows it, among those of code."""
    number = next(number for number, other in enumerate(cells, start=1) if other is cell)
    run = sum(other.cell_type == "code" for other in cells[:number])
    return f"cell {number} of {len(cells)}, [{run}] (id {cell.get('id')})"


def _differences(stored: "Sequence[NotebookNode]", new: "Sequence[NotebookNode]") -> Iterator[str]:
    """Yield a short diff for each kind of text that is not the same."""
    before, after = _texts(stored), _texts(new)
    for kind in dict.fromkeys([*before, *after]):
        lines = [_lines(texts.get(kind, "")) for texts in (before, after)]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*lines, strict=False)))
        lines = [part[: same + MOST_COMPARED] for part in lines]
        diff = difflib.unified_diff(*lines, fromfile=f"stored {kind}", tofile=f"new {kind}", n=1, lineterm="")
        if text := "\n".join(_shorten([*diff])):
            yield text


def _texts(outputs: "Sequence[NotebookNode]") -> dict[str, str]:
    """Return what a cell gave, by kind (stdout, text/plain, ...), without pictures."""
    texts: dict[str, str] = defaultdict(str)
    for output in outputs:
        if output.output_type == "stream":
            texts[output.name] += output.text
        elif output.output_type == "error":
            texts["error"] += f"{output.ename}: {output.evalue}\n"
        for kind, content in output.get("data", {}).items():
            if not kind.startswith(NOT_COMPARED):
                texts[kind] += f"{content}\n"
    return texts
