"""A notebook that fails under nbval says where and why: the cell, and the lines that differ."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebook_failures import MOST_LINES, WIDTH, describe_failure

ROOT = Path(__file__).parents[1]
NUMBERS = "".join(f"{number}\n" for number in range(50))


def ran(source: str, *outputs: NotebookNode) -> NotebookNode:
    """A cell with stored outputs."""
    return new_code_cell(source, execution_count=1, outputs=list(outputs))


def printed(text: str, *, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `make test` prints of a notebook in which most cells fail."""
    cells = [
        new_markdown_cell("# A lesson"),
        ran("'fine'", new_output("execute_result", {"text/plain": "'fine'"}, execution_count=1)),
        ran("# counts\nfor number in range(50): print(number)", printed(NUMBERS.replace("7\n", "seven\n", 1))),
        new_markdown_cell("And then?"),
        ran("print('\\x1b[31mred\\x1b[0m')", printed("\x1b[34mblue\x1b[0m\n")),
        ran("import sys\nprint('careful', file=sys.stderr)"),
        ran("print('careful', file=sys.stderr)\none = 1\none / 0"),
    ]
    path = tmp_path_factory.mktemp("notebooks") / "05_lesson.ipynb"
    for index, cell in enumerate(cells):
        cell.id = f"05-{index:03d}"
    nbformat.write(new_notebook(cells=cells), path)
    plugins = ["-p", "nbval.plugin", "-p", "conftest", "-p", "no:cacheprovider"]
    options = [*plugins, "--nbval", "--nbval-current-env", "--color=yes"]
    command = [sys.executable, "-m", "pytest", *options, "-c", str(ROOT / "pyproject.toml"), str(path)]
    environment = os.environ | {"COLUMNS": "120", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others take their time
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def section(report: str, cell: int) -> str:
    """What the report says of a cell, by nbval's number of it."""
    found = re.search(rf"_ \S*::Cell {cell} _.*?\n(.*?)\n(?:\x1b\[\d+m)*(?:_{{9}}|={{9}})", report, flags=re.DOTALL)
    assert found, report
    return found[1]


@pytest.mark.slow
def test_a_change_is_shown_as_its_lines_and_their_neighbours(report: str) -> None:
    assert section(report, 1) == (
        "05_lesson.ipynb, cell 3 of 7, [2] (id 05-002): another output than the stored one (-), after\n\n"
        "    # counts\n\n--- stored stdout\n+++ new stdout\n@@ -7,3 +7,3 @@\n 6\n-seven\n+7\n 8"
    )


@pytest.mark.slow
def test_colours_are_left_out(report: str) -> None:
    assert section(report, 2).endswith("@@ -1 +1 @@\n-blue\n+red")


@pytest.mark.slow
def test_a_warning_is_a_difference_too(report: str) -> None:
    assert section(report, 3).endswith("--- stored stderr\n+++ new stderr\n@@ -0,0 +1 @@\n+careful")


@pytest.mark.slow
def test_an_error_comes_with_the_code_and_what_was_said(report: str) -> None:
    text = section(report, 4)
    place, code, *traceback, said = text.split("\n\n")
    assert place == "05_lesson.ipynb, cell 7 of 7, [5] (id 05-006): Cell execution caused an exception"
    assert code == "    print('careful', file=sys.stderr)\n    one = 1\n    one / 0"
    assert "ZeroDivisionError: division by zero" in traceback[-1]
    assert said == "It also wrote to standard error:\ncareful"
    assert "\x1b" not in text


# --- whatever a cell puts out ------------------------------------------------------------------------------------


def describe(
    stored: list[NotebookNode], new: list[NotebookNode], *, source: str = "x", message: str = "Cell outputs differ"
) -> str:
    """The report of a cell, without the line that says where it is."""
    cell = new_code_cell(source, outputs=stored)
    notebook = SimpleNamespace(cells=[cell])
    item = SimpleNamespace(path=Path("05.ipynb"), cell=cell, test_outputs=new, parent=SimpleNamespace(nb=notebook))
    return describe_failure(item, AssertionError(message)).partition("\n\n")[2]


def shown(kind: str, text: str) -> NotebookNode:
    return new_output("display_data", {kind: text})


def test_nothing_in_a_report_moves_the_cursor() -> None:
    odd = "\x1b[2K\x1b[1Gred \x1b]8;;https://example.org\x07link\x1b]8;;\x07 \x08\ud800 고양이\n"
    text = describe([printed(odd)], [printed("plain\n")], source="'\x1b[31m'\n# \x07")
    assert text.endswith("-red link \\x08\\ud800 고양이\n+plain")
    assert "\x1b" not in text


def test_a_long_line_is_shown_where_it_differs() -> None:
    row = "".join(f"<td>{number}</td>" for number in range(1_000, 9_000))
    text = describe([shown("text/html", row)], [shown("text/html", row.replace("5555", "five"))])
    assert "five" in text
    assert len(text) < 6 * WIDTH


def test_a_long_difference_has_its_beginning_and_its_end() -> None:
    stored, new = ("".join(f"{word} {number}\n" for number in range(5_000)) for word in "ab")
    text = describe([printed(f"same\n{stored}")], [printed(f"same\n{new}")])
    assert len(text.splitlines()) < MOST_LINES + 5
    assert "\n-a 0\n" in text
    assert text.splitlines()[-1].startswith("+b ")
    assert " lines more ..." in text


def test_what_is_added_behind_many_equal_lines_is_found() -> None:
    many = "".join(f"{number}\n" for number in range(3_000))
    assert describe([printed(many)], [printed(f"{many}one more\n")]).endswith("\n 2999\n+one more")


def test_a_long_cell_and_much_on_standard_error_are_cut() -> None:
    new = [printed("careful\n" * 1_000, name="stderr")]
    text = describe([], new, source="x = 1\n" * 1_000, message="Cell execution caused an exception")
    assert text.startswith("    x = 1\n")
    assert text.endswith("careful")
    assert len(text.splitlines()) < 2 * MOST_LINES + 10


def test_an_error_that_is_shown_and_a_drawing_in_text_are_differences_too() -> None:
    errors = [new_output("error", ename="ValueError", evalue=text, traceback=["\x1b[31m"]) for text in ("one", "two")]
    assert describe(errors[:1], errors[1:]).endswith("-ValueError: one\n+ValueError: two")
    drawings = [shown("image/svg+xml", text) for text in ("<svg/>", "<svg></svg>")]
    assert describe(drawings[:1], drawings[1:]).endswith("-<svg/>\n+<svg></svg>")
