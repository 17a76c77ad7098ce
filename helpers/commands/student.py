"""`python -m helpers student`: the edition for students, with a stub in place of each solution."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.commands._shared import add_command, check_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = 'raise NotImplementedError("Write your answer here.")'


def add_student(commands: Any) -> None:
    """Add `student`."""
    parser = add_command(
        commands,
        "student",
        write_students,
        help="Write the notebooks for students: a stub in place of each solution.",
        example="student --output student",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument("--output", type=Path, default=Path("student"), metavar="DIR", help="default: student")
    parser.add_argument(
        "--force", action="store_true", help="replace notebooks there that differ: somebody's answers would be lost"
    )


def write_students(options: argparse.Namespace) -> int:
    """Write the student edition and name the files."""
    from helpers.commands import notebooks

    check_folder(options.output)
    paths = notebooks.find_notebooks(options.notebooks)
    for path in write_student_edition(paths, output=options.output, force=options.force):
        print(path)
    return 0


def strip_solutions(source: str) -> str:
    r"""Replace each solution in a cell by a stub that raises `NotImplementedError`, at the same indentation.

    Args:
        source: a cell's text, with solutions between `### BEGIN SOLUTION` and `### END SOLUTION`.

    Raises:
        ValueError: if a marker has no partner.

    Example:
        >>> print(strip_solutions("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"))
        def f():
            raise NotImplementedError("Write your answer here.")
    """
    kept, inside = [], False
    for line in source.splitlines():
        marker = line.strip()
        if marker in (BEGIN, END) and (marker == BEGIN) == inside:
            raise ValueError(f"Received '{marker}' out of order, expected pairs of '{BEGIN}' and '{END}'.")
        if marker == BEGIN:
            kept.append(line[: len(line) - len(line.lstrip())] + STUB)
        if not inside and marker != BEGIN:
            kept.append(line)
        inside = marker == BEGIN or (inside and marker != END)
    if inside:
        raise ValueError(f"Received '{BEGIN}' without '{END}', expected pairs. Close the solution.")
    return "\n".join(kept)


def make_student_edition(notebook: "NotebookNode") -> "NotebookNode":
    """Return a copy of a solved notebook with stubs for solutions and without the outputs that show them.

    Raises:
        ValueError: if a solution would be left in it.
    """
    import nbformat

    student = nbformat.from_dict(notebook)
    for cell in student.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code":
            continue
        if BEGIN in cell.source or END in cell.source:
            cell.source = strip_solutions(cell.source)
        if "exercise" in tags or "check" in tags:
            cell.outputs, cell.execution_count = [], None
        if "exercise" in tags and STUB not in cell.source:
            raise ValueError(
                f"Received an exercise without a solution to take out: {cell.source[:60]!r}. "
                f"Mark it with '{BEGIN}' and '{END}'."
            )
    student.metadata.pop("course", None)
    return student


def write_student_edition(notebooks: Sequence[Path], *, output: Path, force: bool = False) -> list[Path]:
    """Write the student edition of each notebook into `output`, under its own name.

    Args:
        notebooks: paths of solved notebooks.
        output: a folder, made if need be.
        force: replace notebooks in it that differ; somebody may have worked in them.

    Raises:
        ValueError: if a file would be replaced that should not be; nothing has been written then.
    """
    import nbformat

    from helpers.commands.notebooks import read_notebook

    editions = {}
    for path in notebooks:
        target = output / path.name
        if target.resolve() == path.resolve():
            raise ValueError(f"Received output '{output}', the folder of the solved notebooks. Choose another.")
        editions[target] = nbformat.writes(make_student_edition(read_notebook(path))) + "\n"
        if not force and target.exists() and target.read_text(encoding="utf-8") != editions[target]:
            raise ValueError(
                f"Received output '{output}', where '{path.name}' has been worked in or is of another version. "
                "Choose another folder, or add --force to replace it."
            )
    output.mkdir(parents=True, exist_ok=True)
    for target, text in editions.items():
        target.write_text(text, encoding="utf-8")
    return list(editions)
