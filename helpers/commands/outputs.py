"""`python -m helpers outputs`: execute the notebooks whose code has changed, and store their outputs in them."""

import argparse
import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.commands._shared import add_command

if TYPE_CHECKING:
    from nbformat import NotebookNode


def add_outputs(commands: Any) -> None:
    """Add `outputs`."""
    parser = add_command(
        commands,
        "outputs",
        refresh_notebooks,
        help="For authors: execute the notebooks whose code has changed and store their outputs in them.",
        example="outputs 07 --all",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument("--all", action="store_true", help="also those whose code has not changed")


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
    """Execute a notebook and store its outputs in it, if its code has changed since they were stored.

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
    digest = code_digest(notebook)
    if not force and notebook.metadata.get("course", {}).get("code") == digest:
        return False
    client = NotebookClient(
        notebook,
        timeout=notebooks.CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=list(notebooks.KERNEL_ARGUMENTS),
        on_cell_execute=last_cell,
    )
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError, CellTimeoutError) as error:
        raise notebooks.NotebookFailedError(last_cell.describe_failure(path, error)) from error
    _tidy(notebook, number=path.stem[:2])
    notebook.metadata["course"] = {"code": digest}
    unfinished = path.with_suffix(".part")
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)
    return True


def code_digest(notebook: "NotebookNode") -> str:
    """Return a short hash of a notebook's code cells."""
    code = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _tidy(notebook: "NotebookNode", *, number: str) -> None:
    """Leave out what differs from run to run: cell ids, times, kernel versions, progress bars."""
    from nbformat import NotebookNode

    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{number}-{index:03d}"
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in ("tags", "editable")})
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress_bar(output)]


def _is_progress_bar(output: "NotebookNode") -> bool:
    return output.get("name") == "stderr" and all(
        re.search(r"\d+%\|", line) or not line.strip() for line in re.split(r"[\r\n]", output.text)
    )
