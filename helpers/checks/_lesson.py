"""What a learner asks about the exercises of a lesson: how one is solved, and which are still open."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

from helpers.checks._runner import CheckError
from helpers.files import NOTEBOOK_FOLDER

CHECK = re.compile(r"checks\.nb\d\d\.(check_\w+)\((\w+)\)")


def answer_questions(module: str) -> tuple[Callable[[int], None], Callable[[Mapping[str, Any]], None]]:
    """Return `show_solution(exercise)` and `show_open_exercises(globals())` of a module of checks, by its name."""
    number = module[-2:]
    return partial(show_solution, number), partial(show_open_exercises, number, module)


def show_solution(number: str, exercise: int) -> None:
    """Print the solution of an exercise, counted from 1, as it stands in the solved lesson.

    Raises:
        ValueError: if the lesson has no such exercise, or the solved lessons are not here.
    """
    solutions = [source for source, tags in _read_code(number) if "exercise" in tags]
    if not 1 <= exercise <= len(solutions):
        raise ValueError(
            f"Received exercise {exercise!r}, expected 1 to {len(solutions)}: lesson {number} has no other."
        )
    print("\n".join(line for line in solutions[exercise - 1].splitlines() if "### " not in line))


def show_open_exercises(number: str, module: str, answers: Mapping[str, Any]) -> None:
    """Say which exercises of a lesson are still open; `answers` is `globals()` of the notebook."""
    checks = sys.modules[module]
    calls = [CHECK.search(source) for source, tags in _read_code(number) if "check" in tags]
    still_open = [
        str(exercise)
        for exercise, call in enumerate(filter(None, calls), start=1)
        if not _is_solved(getattr(checks, call[1]), answers.get(call[2]))
    ]
    if still_open:
        print(f"Still open: exercise{'s' if len(still_open) > 1 else ''} {', '.join(still_open)}.")
    else:
        print("All exercises are solved.")


def _is_solved(check: Any, answer: Any) -> bool:
    try:
        with redirect_stdout(StringIO()):
            check(answer)
    except CheckError:
        return False
    return True


def _read_code(number: str) -> Iterator[tuple[str, list[str]]]:
    """Yield source and tags of each code cell of a solved lesson."""
    found = sorted(NOTEBOOK_FOLDER.glob(f"{number}_*.ipynb"))
    if not found:
        raise ValueError(
            f"Received lesson {number}, expected a solved lesson in '{NOTEBOOK_FOLDER}'. Install a clone of the course "
            "with `pip install --editable .`."
        )
    for cell in json.loads(found[0].read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"]), cell["metadata"].get("tags", [])
