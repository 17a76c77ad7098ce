"""Code of the notebooks, run as it stands in their cells."""

import ast
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.commands import notebooks

NUMBERS_ONLY = ("02", "03")  # their DATASET names tables of small grayscale digits or clothes, not a folder
MOST_LINES = 12  # of a function that a lesson writes out: "a few lines each"


def find_notebook(number: str) -> Path:
    (path,) = notebooks.find_notebooks([number])
    return path


def read_cells(path: Path, *, tag: str = "") -> list[NotebookNode]:
    """The code cells of a notebook, all or those with a tag."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [cell for cell in cells if not tag or tag in cell.metadata.get("tags", [])]


def read_imports(path: Path) -> str:
    """All top-level imports of a notebook: what a cell may count on."""
    statements = [node for cell in read_cells(path) for node in ast.parse(cell.source).body]
    imports = [ast.unparse(node) for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(dict.fromkeys(imports))


def count_lines(source: str) -> list[int]:
    """The lines of each function of a cell, without its first line, its docstring and empty ones."""
    bodies = [
        function.partition('"""')[2].partition('"""')[2] for function in f"\n{source}".split("\ndef ")[1:] or [source]
    ]
    return [sum(bool(line.strip()) for line in body.splitlines()) for body in bodies]


def run_cells(number: str, *, tag: str = "from-scratch", imports: bool = True, **names: Any) -> dict[str, Any]:
    """Execute a notebook's imports and its cells with a tag, and return what they define."""
    path = find_notebook(number)
    sources = [cell.source for cell in read_cells(path, tag=tag)]
    assert sources, f"no cell is tagged {tag}"
    namespace: dict[str, Any] = {"__name__": "lesson", **names}
    exec(compile("\n".join([read_imports(path) if imports else "", *sources]), path.name, "exec"), namespace)
    return namespace
