"""`python -m helpers outputs`: execute the notebooks that have changed, and store their outputs in them with a stamp.

The stamp says what the outputs were made with, so that a test can tell when they are stale, or were changed by hand.
"""

import argparse
import ast
import contextlib
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.commands._shared import add_command, add_notebooks
from helpers.files import written_beside

if TYPE_CHECKING:
    from nbformat import NotebookNode

PACKAGE = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\d+%\||\[\d\d:\d\d, |^Preparing '")
KEPT_METADATA = ("tags", "editable", "jupyter")


def add_outputs(commands: Any) -> None:
    """Add `outputs`."""
    parser = add_command(
        commands,
        "outputs",
        refresh_notebooks,
        help="For authors: execute the notebooks that have changed, or the package under them, and store the outputs.",
        example="outputs 11 --all",
    )
    add_notebooks(parser)
    parser.add_argument("--all", action="store_true", help="also those whose stamp says that nothing has changed")


def refresh_notebooks(options: argparse.Namespace) -> int:
    """Execute what has changed, and say which notebooks were executed."""
    from helpers.commands import notebooks

    for path in notebooks.find_notebooks(options.notebooks):
        try:
            executed = refresh_outputs(path, force=options.all)
        except notebooks.NotebookFailedError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{path.name}: {'executed' if executed else 'unchanged'}")
    return 0


def refresh_outputs(path: Path, *, force: bool = False) -> bool:
    """Execute a notebook and store its outputs in it, unless its stamp says that they are those of today's code.

    Outputs that follow the clock (cells tagged `timing`) stay as they are stored while neither the notebook's code nor
    the package has changed: two runs give the same file.

    Args:
        path: the notebook, changed in place.
        force: execute it in any case.

    Returns:
        Whether it was executed.

    Raises:
        NotebookFailedError: if a cell fails; the notebook is left as it was.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    from helpers.commands import notebooks

    notebook, last_cell = notebooks.read_notebook(path), notebooks.LastCell()
    if not force and is_current(notebook, number=path.stem[:2]):
        return False
    stored, stamp = notebook.metadata.get("course"), make_stamp(notebook, number=path.stem[:2])
    same_code = isinstance(stored, dict) and all(stored.get(part) == stamp[part] for part in ("code", "helpers"))
    timed = {index: cell.outputs for index, cell in enumerate(notebook.cells) if same_code and _has_tag(cell, "timing")}
    client = NotebookClient(
        notebook,
        timeout=notebooks.CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=list(notebooks.KERNEL_ARGUMENTS),
        on_cell_execute=last_cell,
        coalesce_streams=True,  # how a text is cut into pieces depends on the clock
    )
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError, CellTimeoutError) as error:
        raise notebooks.NotebookFailedError(last_cell.describe_failure(path, error)) from error
    for index, outputs in timed.items():
        notebook.cells[index].outputs = outputs
    _tidy(notebook, number=path.stem[:2])
    notebook.metadata["course"] = make_stamp(notebook, number=path.stem[:2])
    with written_beside(path) as draft:
        nbformat.write(notebook, draft)
    return True


# --- the stamp ---------------------------------------------------------------------------------------------------


def make_stamp(notebook: "NotebookNode", *, number: str) -> dict[str, str]:
    """Return short hashes of all that a notebook's stored outputs depend on, and of these outputs themselves.

    Args:
        notebook: with its outputs.
        number: of the lesson, two digits.

    Returns:
        `code`: of the cells of code; `helpers`: of the modules of the package that they use, and those that these use,
        without comments and docstrings; `outputs`: of what is stored.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    modules = used_modules("\n".join(_python_source(cell.source) for cell in code), number=number)
    return {
        "code": _hash([cell.source for cell in code]),
        "helpers": _hash([_bare_source(path.read_text(encoding="utf-8")) for path in modules]),
        "outputs": _hash([json.dumps(cell.outputs, sort_keys=True) for cell in code]),
    }


def is_current(notebook: "NotebookNode", *, number: str) -> bool:
    """Return whether a notebook's stored outputs are those of today's code, by its stamp."""
    return notebook.metadata.get("course") == make_stamp(notebook, number=number)


def _python_source(source: str) -> str:
    """Return a cell's source as Python reads it: magics become calls; a cell that is no Python imports nothing."""
    from IPython.core.inputtransformer2 import TransformerManager

    for read in (str, TransformerManager().transform_cell):
        with contextlib.suppress(SyntaxError, ValueError):  # the second: of null bytes
            ast.parse(python := read(source))
            return python
    return ""


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="surrogatepass")).hexdigest()[:16]


def used_modules(source: str, *, number: str) -> list[Path]:
    """Return the files of the package that a source imports, directly or through others, in order.

    Of the checks only the lesson's own module counts, with what it needs: they are imported as one package.
    """
    found: set[Path] = set()
    waiting = _imports(source)
    if "helpers.checks" in waiting:
        waiting.add(f"helpers.checks.nb{number}")
    while waiting:
        path = _file_of(waiting.pop())
        if path and path not in found:
            found.add(path)
            waiting |= _imports(path.read_text(encoding="utf-8"))
    return sorted(found)


def _imports(source: str) -> set[str]:
    """Return every dotted name of the package that a source imports, the packages on the way included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = {name for name in names if name.startswith("helpers.")}
    return ours | {name.rpartition(".")[0] for name in ours if name.count(".") > 1}


def _file_of(name: str) -> Path | None:
    """Return the file of a module of the package; None if the name is that of something in a module."""
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _bare_source(source: str) -> str:
    """Return a module's source without docstrings, comments and empty lines: what they say changes no output."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = [""] * (text.end_lineno - text.lineno + 1)
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _tidy(notebook: "NotebookNode", *, number: str) -> None:
    """Leave out what differs from run to run, or from machine to machine: cell ids, times, versions, progress bars."""
    from nbformat import NotebookNode

    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{number}-{index:03d}"
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in KEPT_METADATA})
        if cell.cell_type == "code":
            kept = [] if _has_tag(cell, "machine") else map(_without_bars, cell.outputs)
            cell.outputs = [output for output in kept if output is not None]


def _has_tag(cell: "NotebookNode", tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _without_bars(output: "NotebookNode") -> "NotebookNode | None":
    """Return an output without progress bars and the line that announces a data set's making; None if nothing is left.

    A warning among them stays, and a test finds it.
    """
    if WIDGET in output.get("data", {}):  # such as tqdm's bar in a notebook: without its kernel it is an empty box
        return None
    if output.get("name") != "stderr":
        return output
    lines = [line for line in re.split(r"[\r\n]+", output.text) if line.strip() and not BAR.search(line)]
    output.text = "\n".join(lines)
    return output if lines else None
