"""What nbgrader needs to hand out a lesson and to mark it: metadata in its cells, and a configuration.

A solution's cell and its check are called in the gradebook as the functions in them: `crop`, `check_crop`.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

CONFIG_NAME = "nbgrader_config.py"
POINTS = 1  # of an exercise; nbgrader's own editor changes it
SECONDS = 600  # of a cell; the longest of the course, a training, takes a minute or two
SCHEMA = 3  # of the metadata, see nbgraderformat/v3.json in nbgrader
LINK = re.compile(r"\]\((\d\d_\w+)\.ipynb")


def mark_for_nbgrader(notebook: "NotebookNode") -> None:
    """Give a notebook's cells nbgrader's metadata, and make its links lead to the other assignments.

    An exercise is a solution to fill in, its check is worth a point and put back if somebody changed it, and so are
    the parameters: marking takes those that were handed out.

    Args:
        notebook: with its solutions; changed in place.

    Raises:
        ValueError: if an exercise is not followed by its check.
    """
    from helpers.checks._lesson import CHECK

    answer = None
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"](../\1/\1.ipynb", cell.source)
        elif "parameters" in tags:
            cell.metadata["nbgrader"] = _metadata("parameters", locked=True)
        elif "exercise" in tags:
            answer = cell
        elif "check" in tags:
            call = CHECK.match(cell.source)
            if not call or answer is None:
                raise ValueError(
                    f"Received the check {cell.source[:60]!r}, expected `checks.nbNN.check_x(x)`. Write it so."
                )
            answer.metadata["nbgrader"] = _metadata(call[2], solution=True)
            cell.metadata["nbgrader"] = _metadata(call[1], grade=True, locked=True, points=POINTS)
            answer = None
    if answer is not None:
        raise ValueError(f"Received the exercise {answer.source[:60]!r}, expected its check. Put one behind it.")


def _metadata(name: str, **marks: Any) -> dict[str, Any]:
    usual = {"grade": False, "grade_id": name, "locked": False, "schema_version": SCHEMA, "solution": False}
    return usual | {"task": False} | marks


def make_config(*, stub: str) -> str:
    """Return the text of `nbgrader_config.py`; a solution becomes `stub`."""
    return f'''"""How nbgrader hands out and marks this course. Yours to change: it is never written again."""

c = get_config()  # noqa: F821 - nbgrader defines it

# What takes the place of a solution.
c.ClearSolutions.code_stub = {{"python": {stub!r}}}

# Seconds for one cell; nbgrader's own 30 are too few for a cell that trains. A cell that takes longer is stopped, and
# the next one runs. On a slow machine, or with more pictures, allow more.
c.Execute.timeout = {SECONDS}

# Only an error costs points: without this, so does a warning beside a right answer.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "(?s).*"

# Learners may change the parameters to see other pictures; marking puts yours back.
c.LockCells.lock_readonly_cells = False
'''
