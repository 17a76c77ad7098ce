"""`python -m helpers lint`: the house rules over notebooks, one line per finding."""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.commands._shared import add_command, add_notebooks, say


def add_lint(commands: Any) -> None:
    """Add `lint`."""
    parser = add_command(
        commands,
        "lint",
        print_findings,
        help="For authors: say where notebooks break the house rules of the course.",
        example="lint 04 07",
    )
    add_notebooks(parser)
    parser.add_argument("--rules", action="store_true", help="list the rules instead")


def print_findings(options: argparse.Namespace) -> int:
    """Print what breaks a rule; 1 if anything does."""
    from helpers.commands import house_rules, notebooks

    if options.rules:
        for name, rule in (house_rules.RULES | house_rules.RULES_OF_ALL).items():
            say(f"{name:18} {rule.__doc__.splitlines()[0]}")
        return 0
    paths = notebooks.find_notebooks(options.notebooks)
    findings = find_faults(paths)
    for line in findings or [f"Notebooks that keep the house rules: {len(paths)}."]:
        say(line)
    return 1 if findings else 0


def find_faults(paths: Sequence[Path]) -> list[str]:
    """Return a line per finding, such as `notebooks/04_x.ipynb:cell 12: hints: a task without ...`, in order.

    A file that is no notebook is a finding like the others. Rules of all lessons compare the notebooks given.
    """
    from helpers.commands.house_rules import RULES, RULES_OF_ALL, Lesson
    from helpers.commands.notebooks import read_notebook

    found, lessons = [], []
    for path in paths:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # cells without an id: there is a rule for them
                lessons.append(Lesson(path, read_notebook(path)))
        except ValueError as error:
            found.append((path, 0, "notebook", str(error)))
    for name, rule in RULES.items():
        found += [(lesson.path, cell or 0, name, text) for lesson in lessons for cell, text in rule(lesson)]
    for name, rule_of_all in RULES_OF_ALL.items():
        found += [(lesson.path, cell or 0, name, text) for lesson, (cell, text) in rule_of_all(lessons)]
    found.sort(key=lambda finding: (paths.index(finding[0]), finding[1]))
    return [f"{_shorten(path)}:{f'cell {cell}:' if cell else ''} {name}: {text}" for path, cell, name, text in found]


def _shorten(path: Path) -> Path:
    """Return a path as seen from here, if it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
