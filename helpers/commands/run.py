"""`python -m helpers run`: execute notebooks, and lay them and one HTML index of them in a folder."""

import argparse
import html
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers import files
from helpers.commands._shared import add_command, add_lesson_options, expand_path, make_printable, say

if TYPE_CHECKING:
    from helpers.commands.notebooks import RunResult


def add_run(commands: Any) -> None:
    """Add `run`."""
    parser = add_command(
        commands,
        "run",
        run_course,
        help="Execute the notebooks in order, and write them and one HTML index of them to a folder.",
        example="run 11 -p DATASET my_photos",
    )
    add_lesson_options(parser)
    parser.add_argument(
        "--output",
        type=expand_path,
        default=Path("output"),
        metavar="DIR",
        help="where the executed notebooks and index.html go; made if need be (default: output)",
    )
    parser.add_argument(
        "--changed",
        action="store_true",
        help="for authors: only those whose code, or the package under it, is not what their stored outputs were "
        "made with",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="how many notebooks run at the same time (default: 1); two take about 3 GB of memory, and on two "
        "processor cores two thirds of the time",
    )


def run_course(options: argparse.Namespace) -> int:
    """Execute notebooks; a closing table says how long each took."""
    from helpers.commands import notebooks

    files.require_writable(options.output)
    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it logs, the failure says
    chosen = notebooks.find_notebooks(options.notebooks)
    if options.changed:
        # A wrong call is one also where nothing is left to run.
        notebooks.choose_parameters(chosen, dict(options.parameters), profile=options.profile)
        chosen = _keep_changed(chosen)
        if not chosen:
            return 0
    results: list[notebooks.RunResult] = []
    failure = None
    try:
        for result in notebooks.run_notebooks(
            chosen,
            output=options.output,
            parameters=dict(options.parameters),
            profile=options.profile,
            jobs=options.jobs,
        ):
            results.append(result)
            if options.jobs > 1:  # then there is no bar
                say(f"{result.name}: {result.seconds / 60:.1f} minutes")
    except notebooks.NotebookFailedError as error:
        failure = error
        results.append(error.result)
    finally:  # also when stopped with Ctrl-C
        if results:
            index = write_index(results, output=options.output)
            Console(stderr=True).print(_minutes_table(results))
    if failure:
        for line in f"\n{failure}\n\nThe notebook up to there: {failure.result.page}".split("\n"):
            say(line, file=sys.stderr)
        return 1
    say(f"Done. Open {index} in a browser.")
    return 0


def _keep_changed(paths: Sequence[Path]) -> list[Path]:
    """Return the notebooks that a change touches, and name the others in one line."""
    from helpers.commands.notebooks import read_notebook
    from helpers.commands.outputs import is_current

    others = [path for path in paths if is_current(read_notebook(path), number=path.stem[:2])]
    if others:
        say(f"Left out, as nothing under them has changed: {', '.join(path.stem for path in others)}")
    return [path for path in paths if path not in others]


def _minutes_table(results: Sequence["RunResult"]) -> Table:
    table = Table("notebook", "minutes", title="As run here")
    table.columns[1].justify = "right"
    for result in results:
        name = f"{result.name} (stopped)" if result.failed else result.name
        table.add_row(Text(make_printable(name)), f"{result.seconds / 60:.1f}")
    table.add_section()
    table.add_row("together", f"{sum(result.seconds for result in results) / 60:.1f}")
    return table


def write_index(results: Sequence["RunResult"], *, output: Path) -> Path:
    """Write `index.html` with one row per notebook: its title, its page, its minutes."""
    from helpers.commands import notebooks

    rows = "\n".join(
        f'<tr><td><a href="{quote(result.page.name)}">{html.escape(notebooks.notebook_title(result.notebook))}</a></td>'
        f'<td><a href="{quote(result.notebook.name)}">notebook</a></td><td>{result.seconds / 60:.1f}'
        f"{' (stopped)' if result.failed else ''}</td></tr>"
        for result in results
    )
    index = output / "index.html"
    page = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Image classification: the course</title>\n'
        "<style>body{font-family:sans-serif;max-width:50em;margin:2em auto}td,th{padding:.3em 1em;text-align:left}"
        "</style>\n<h1>Image classification: the course, as run here</h1>\n<table>\n"
        f"<tr><th>Lesson</th><th>File</th><th>Minutes</th></tr>\n{rows}\n</table>\n</html>\n"
    )
    with files.written_beside(index) as draft:
        draft.write_text(page, encoding="utf-8", errors="backslashreplace")
    return index
