"""`python -m helpers student`: the edition for students, with a stub in place of each solution."""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers import files
from helpers.commands import grading
from helpers.commands._shared import add_command, add_lesson_options, expand_path, say

if TYPE_CHECKING:
    from nbformat import NotebookNode

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
PREDICT = "**Predict first"
STUB = 'raise NotImplementedError("Write your answer here.")'


class Editions(NamedTuple):
    """The notebooks of a student edition: as they should be, and left alone because somebody worked in them."""

    ready: list[Path]
    left: list[Path]


def add_student(commands: Any) -> None:
    """Add `student`."""
    parser = add_command(
        commands,
        "student",
        write_students,
        help="Write the notebooks for students: a stub in place of each solution. "
        "A notebook there that somebody worked in is left as it is.",
        example="student 01 04 --output student -p DATASET my_photos",
    )
    add_lesson_options(parser)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--output", type=expand_path, default=Path("student"), metavar="DIR", help="default: student")
    place.add_argument(
        "--nbgrader",
        type=expand_path,
        metavar="DIR",
        help="for teachers: write a course for nbgrader instead, one assignment per notebook, with its solutions, in "
        "DIR/source. Your own pictures, named by -p DATASET, go beside the notebook there",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="begin anew: also replace those of the notebooks that somebody worked in, whose answers are then lost",
    )


def write_students(options: argparse.Namespace) -> int:
    """Write the student edition and name the files; those that were left, on standard error."""
    from helpers.commands import notebooks

    output = options.nbgrader or options.output
    files.require_writable(output)
    paths = notebooks.find_notebooks(options.notebooks)
    editions = write_student_edition(
        paths,
        output=output,
        parameters=notebooks.choose_parameters(paths, dict(options.parameters), profile=options.profile),
        graded=options.nbgrader is not None,
        force=options.force,
    )
    for path in editions.ready:
        say(str(path))
    for path in editions.left:
        say(f"Left as it is, for the work in it: {path}", file=sys.stderr)
    if editions.left:
        print("To begin one anew, and lose that work: name it and add --force.", file=sys.stderr)
    if options.nbgrader:
        print("Next, in that folder: nbgrader generate_assignment NAME (docs/teaching.md, Marking).", file=sys.stderr)
    return 0


def strip_solutions(source: str) -> str:
    r"""Replace each solution in a cell by a stub that raises `NotImplementedError`, at the same indentation.

    Args:
        source: a cell's text, with solutions between `### BEGIN SOLUTION` and `### END SOLUTION`.

    Raises:
        ValueError: if a marker has no partner, or something else on its line.

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
    for line in kept:
        if BEGIN in line or END in line:
            raise ValueError(f"Received {line.strip()!r}, expected a marker alone on its line. Move the rest.")
    return "\n".join(kept)


def make_student_edition(notebook: "NotebookNode", *, graded: bool = False) -> "NotebookNode":
    """Return a copy of a solved notebook for learners: stubs for solutions, and nothing that answers too early.

    - Outputs of exercises and checks are gone, and so is every output between a "Predict first" and the next text.
    - Cells that only hold the text to its claims (tag `claim`) are left out.
    - A check that fails does not stop "Run all"; a last cell then says which exercises are open.

    Its metadata hold the hash of its sources, by which it is known later whether somebody worked in it.

    Args:
        notebook: solved.
        graded: make what nbgrader makes that edition of: the solutions stay, and the cells are marked for it.

    Raises:
        ValueError: if a solution would be left in it.
    """
    import nbformat

    student = nbformat.v4.upgrade(nbformat.from_dict(notebook))  # the last cell has an id, which older ones have not
    student.cells = [cell for cell in student.cells if "claim" not in cell.metadata.get("tags", [])]
    predicting, lesson = False, ""
    for cell in student.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code":
            predicting = PREDICT in cell.source
            continue
        if predicting:
            cell.outputs, cell.execution_count = [], None
        if "check" in tags:
            tags.append("raises-exception")  # JupyterLab goes on behind such a cell
            lesson = cell.source.partition(".check_")[0]  # such as checks.nb11
        stripped = strip_solutions(cell.source) if BEGIN in cell.source or END in cell.source else cell.source
        if "exercise" in tags or "check" in tags:
            cell.outputs, cell.execution_count = [], None
        if "exercise" in tags and STUB not in stripped:
            raise ValueError(
                f"Received the exercise {cell.source[:60]!r}, expected a solution to take out. "
                f"Mark it with '{BEGIN}' and '{END}'."
            )
        if not graded:
            cell.source = stripped
    if lesson:
        closing = nbformat.v4.new_code_cell(f"{lesson}.show_open_exercises(globals())", id="open-exercises")
        student.cells.append(closing)
    if graded:
        grading.mark_for_nbgrader(student)
    student.metadata["course"] = {"edition": hash_sources(student)}
    return student


def hash_sources(notebook: "NotebookNode") -> str:
    """Return a short hash of what is written in the cells, and of the points that they give.

    Running, saving, and adding empty cells leave it.
    """
    written = [
        (cell.cell_type, cell.source.strip(), *([cell.metadata["nbgrader"]] if "nbgrader" in cell.metadata else []))
        for cell in notebook.cells
        if cell.source.strip()
    ]
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:16]


def write_student_edition(
    notebooks: Sequence[Path],
    *,
    output: Path,
    parameters: Mapping[Path, Mapping[str, Any]] | None = None,
    graded: bool = False,
    force: bool = False,
) -> Editions:
    """Write the student edition of each notebook into `output`, under its own name.

    What is written in the cells of a notebook there decides: as in this edition, it stays, with its outputs; as in an
    older edition when that was written, it is replaced; anything else is somebody's work, and left.

    Args:
        notebooks: paths of solved notebooks.
        output: a folder, made if need be.
        parameters: for each of these paths, values for its cell tagged `parameters`.
        graded: write a course for nbgrader instead, `source/NAME/NAME.ipynb` each, and its configuration where there
            is none.
        force: replace all of them.

    Returns:
        `Editions`: the paths that are as they should be, and those that were left.

    Raises:
        ValueError: if `output` is the folder of the notebooks, one has no edition, two have one name, or a folder is
            to be replaced; nothing has been written then.
    """
    import nbformat

    from helpers.commands.notebooks import read_notebook, set_parameters

    editions = {}
    for path in notebooks:
        target = (output / "source" / path.stem if graded else output) / path.name
        if target.resolve() == path.resolve():
            raise ValueError(f"Received output '{output}', expected another folder than the solved ones'. Choose one.")
        if target in editions:
            raise ValueError(f"Received two notebooks named '{path.name}', expected one. Give each its own output.")
        if force and target.is_dir():
            raise ValueError(f"Received '{target}', a folder, expected a notebook to replace. Move it away.")
        notebook = read_notebook(path)
        set_parameters(notebook, (parameters or {}).get(path, {}), path=path)
        editions[target] = make_student_edition(notebook, graded=graded)
    result = Editions([], [])
    for target, edition in editions.items():
        new = hash_sources(edition)
        there, as_written = _hashes_there(target) if target.exists() and not force else (None, None)
        if there not in (None, new, as_written):
            result.left.append(target)
            continue
        if there != new:
            with files.written_beside(target) as draft:
                nbformat.write(edition, draft)
        result.ready.append(target)
    config = output / grading.CONFIG_NAME
    if graded and not config.exists():
        with files.written_beside(config) as draft:
            draft.write_text(grading.make_config(stub=STUB), encoding="utf-8")
    return result


def _hashes_there(target: Path) -> tuple[str, str | None]:
    """Return the hash of what is written in a notebook, and that of the edition as which it was written."""
    from helpers.commands.notebooks import read_notebook

    try:
        there = read_notebook(target)
    except (ValueError, OSError):  # half saved, or no notebook: whose it is can't be known
        return "unknown", None
    stamp = there.metadata.get("course")
    return hash_sources(there), stamp.get("edition") if isinstance(stamp, dict) else None
