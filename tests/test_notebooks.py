"""What every notebook owes its reader: its form, its links, its stored outputs, and a clean edition for students."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.commands import notebooks
from helpers.commands.outputs import make_stamp
from helpers.commands.student import BEGIN, END, STUB, make_student_edition, strip_solutions

PATHS = notebooks.find_notebooks()
LARGEST = 1_500_000  # bytes
MOST_LINES = 20  # of a cell of code
HANGUL = re.compile(r"[가-힣]")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
# Paths of some machine: in a lesson they are noise, and on another machine wrong.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|tmp|root|home|Users|usr|opt|var|private)/|\b[A-Z]:\\")
EDITION = re.compile(r"^(\d\d)_[a-z_]+\.ipynb$")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> NotebookNode:
    return read(path)


def cells(notebook: NotebookNode, kind: str, tag: str | None = None) -> list[NotebookNode]:
    found = [cell for cell in notebook.cells if cell.cell_type == kind]
    return [cell for cell in found if tag is None or tag in cell.metadata.get("tags", [])]


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in cells(notebook, "markdown"))


def outputs(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    return [(cell.id, output) for cell in cells(notebook, "code") for output in cell.outputs]


def section(notebook: NotebookNode, heading: str) -> str:
    found = re.search(rf"^## {heading}[^\n]*\n(.*?)(?=^## |\Z)", prose(notebook), flags=re.MULTILINE | re.DOTALL)
    assert found, f"no section '## {heading}'"
    return found.group(1)


def test_there_are_notebooks() -> None:
    assert PATHS
    assert all(EDITION.match(path.name) for path in PATHS)


# --- form --------------------------------------------------------------------------------------------------------


def test_the_file_is_valid_and_small(path: Path, notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST


def test_cell_ids_are_stable(path: Path, notebook: NotebookNode) -> None:
    assert [cell.id for cell in notebook.cells] == [f"{path.stem[:2]}-{i:03d}" for i in range(len(notebook.cells))]


def test_the_first_cell_has_title_minutes_and_ways_on(path: Path, notebook: NotebookNode) -> None:
    first = notebook.cells[0].source
    assert re.match(rf"# {path.stem[:2]} [^\n]+\?\n", first), "the title asks the lesson's question"
    assert re.search(r"\d+ (?:minutes?|seconds?)", first)
    assert "Previous:" in first
    assert "Next:" in first
    assert len(re.findall(r"^# ", prose(notebook), flags=re.MULTILINE)) == 1


def test_objectives_are_three_to_five(notebook: NotebookNode) -> None:
    text = section(notebook, "What you will be able to do")
    objectives = re.findall(r"^(?:-|\d\.) \*\*[A-Za-z ]+\*\*", text, flags=re.MULTILINE)
    assert 3 <= len(objectives) <= 5, objectives
    assert "**Builds on" in text


def test_key_terms_have_their_korean_name(notebook: NotebookNode) -> None:
    table = re.search(r"(?i)^\| term \| Korean \|.*\n\|[-| ]+\n((?:\|.*\n?)+)", prose(notebook), flags=re.MULTILINE)
    assert table
    rows = [[column.strip() for column in row.strip("|").split("|")] for row in table.group(1).splitlines()]
    assert len(rows) >= 5
    assert [row for row in rows if not (len(row) == 3 and all(row) and HANGUL.search(row[1]))] == []


def test_it_ends_with_recap_exercises_next_and_sources(notebook: NotebookNode) -> None:
    for heading in ("What you can do now", "More exercises", "Next", "Sources"):
        assert len(section(notebook, heading).split()) >= 5, heading
    headings = re.findall(r"^## (.+)$", prose(notebook), flags=re.MULTILINE)
    assert headings[-4:] == ["What you can do now", "More exercises", "Next", "Sources"]


def test_it_lets_the_reader_predict_and_look_for_bugs(notebook: NotebookNode) -> None:
    assert prose(notebook).count("**Predict first.**") >= 3
    assert re.search(r"^## (?:\d+\. )?Spot the bug", prose(notebook), flags=re.MULTILINE)


def test_links_lead_to_notebooks_that_exist(path: Path, notebook: NotebookNode) -> None:
    shown = [
        output.data["text/markdown"] for _, output in outputs(notebook) if "text/markdown" in output.get("data", {})
    ]
    targets = [target for target in LINK.findall("\n".join([prose(notebook), *shown])) if "://" not in target]
    assert [target for target in targets if not (path.parent / target.partition("#")[0]).exists()] == []


def test_a_neighbour_that_exists_is_linked(path: Path, notebook: NotebookNode) -> None:
    first = notebook.cells[0].source
    for other in PATHS:
        if abs(int(other.name[:2]) - int(path.name[:2])) == 1:
            assert f"({other.name})" in first


def test_there_is_one_cell_of_parameters(path: Path, notebook: NotebookNode) -> None:
    assert len(cells(notebook, "code", "parameters")) == 1
    assert {"DATASET", "SEED"} <= set(notebooks.notebook_parameters(path))


def test_no_cell_is_long(notebook: NotebookNode) -> None:
    lines = {cell.id: len(cell.source.splitlines()) for cell in cells(notebook, "code")}
    assert {cell: count for cell, count in lines.items() if count > MOST_LINES} == {}


def test_no_cell_is_empty_or_unfinished(notebook: NotebookNode) -> None:
    assert [cell.id for cell in notebook.cells if not cell.source.strip()] == []
    assert re.findall(r"@[A-Z]+@|TODO|FIXME|XXX", prose(notebook)) == []


def test_nothing_names_a_machine(path: Path) -> None:
    text = json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert MACHINE_PATH.findall(text) == []


# --- stored outputs ----------------------------------------------------------------------------------------------


def test_the_stored_outputs_are_those_of_the_code_and_the_package(path: Path, notebook: NotebookNode) -> None:
    """If this fails: look at what has changed, then `make outputs`."""
    assert notebook.metadata.get("course", {}) == make_stamp(notebook, number=path.stem[:2])
    assert [cell.id for cell in cells(notebook, "code") if cell.execution_count is None] == []
    assert outputs(notebook)


def test_no_output_is_an_error_or_a_warning(notebook: NotebookNode) -> None:
    wrong = [
        (cell, output.get("ename") or output.get("text"))
        for cell, output in outputs(notebook)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert wrong == []


def test_what_is_said_of_a_machine_is_neither_stored_nor_compared(notebook: NotebookNode) -> None:
    told = cells(notebook, "code", "machine")
    assert [cell.id for cell in told if cell.outputs or "nbval-ignore-output" not in cell.metadata.tags] == []


def test_every_picture_has_a_text(notebook: NotebookNode) -> None:
    pictures = [(cell, output) for cell, output in outputs(notebook) if "image/png" in output.get("data", {})]
    assert pictures
    texts = {cell: output.metadata.get("image/png", {}).get("alt", "") for cell, output in pictures}
    assert {cell: text for cell, text in texts.items() if len(text.split()) < 4} == {}


def test_what_follows_the_clock_is_not_compared(notebook: NotebookNode) -> None:
    timed = {cell.id for cell in cells(notebook, "code", "timing")}
    assert timed <= {cell.id for cell in cells(notebook, "code", "nbval-ignore-output")}


# --- exercises ---------------------------------------------------------------------------------------------------


def test_each_exercise_is_a_task_an_answer_and_a_check(path: Path, notebook: NotebookNode) -> None:
    tagged = [
        (cell.cell_type, tag)
        for cell in notebook.cells
        for tag in cell.metadata.get("tags", [])
        if tag in ("exercise", "check")
    ]
    trio = [("markdown", "exercise"), ("code", "exercise"), ("code", "check")]
    assert len(tagged) >= 3 * (3 if path.stem.startswith("00") else 4)  # the first lesson is shorter
    assert tagged == trio * (len(tagged) // 3)
    for position, cell in enumerate(notebook.cells):
        if "exercise" in cell.metadata.get("tags", []):
            assert {"exercise", "check"} & set(notebook.cells[position + 1].metadata.get("tags", []))


def test_tasks_are_numbered(notebook: NotebookNode) -> None:
    tasks = [cell.source for cell in cells(notebook, "markdown", "exercise")]
    numbers = [int(re.match(r"\*\*Exercise (\d+)\.\*\*", task).group(1)) for task in tasks]
    assert numbers == list(range(1, len(tasks) + 1))


def test_checks_call_the_module_of_their_notebook_and_may_fail(path: Path, notebook: NotebookNode) -> None:
    for cell in cells(notebook, "code", "check"):
        assert re.fullmatch(rf"checks\.nb{path.stem[:2]}\.check_\w+\(\w+\)", cell.source)
        assert "raises-exception" not in cell.metadata.tags
    for cell in cells(notebook, "code", "exercise"):
        assert cell.source.count(BEGIN) == cell.source.count(END) >= 1


def test_the_edition_for_students_has_no_solution(notebook: NotebookNode) -> None:
    student = make_student_edition(notebook)
    text = nbformat.writes(student)
    assert "SOLUTION" not in text
    for solved, stub in zip(cells(notebook, "code", "exercise"), cells(student, "code", "exercise"), strict=True):
        assert STUB in stub.source
        assert len(stub.source) < len(solved.source)
        taken_out = re.search(rf"{BEGIN}\n(.*?)\n\s*{END}", solved.source, flags=re.DOTALL).group(1)
        longest = max((line.strip() for line in taken_out.splitlines()), key=len)
        assert longest not in stub.source
    assert all(not cell.outputs for cell in cells(student, "code", "check"))


def test_nothing_answers_a_prediction_in_the_edition_for_students(notebook: NotebookNode) -> None:
    waiting = False
    for cell in make_student_edition(notebook).cells:
        if cell.cell_type == "markdown":
            waiting = "**Predict first" in cell.source
        elif waiting:
            assert not cell.get("outputs"), cell.id


def test_the_edition_for_nbgrader_becomes_that_for_students(notebook: NotebookNode) -> None:
    graded, student = (make_student_edition(notebook, graded=graded) for graded in (True, False))
    marked = [cell for cell in graded.cells if "nbgrader" in cell.metadata]
    names = [cell.metadata.nbgrader.grade_id for cell in marked]
    assert len(names) == len(set(names))
    assert sum(cell.metadata.nbgrader.get("points", 0) for cell in marked) == len(cells(notebook, "code", "check"))
    assert {cell.id for cell in graded.cells if BEGIN in cell.source} == {
        cell.id for cell in marked if cell.metadata.nbgrader.solution
    }
    for ours, theirs in zip(cells(student, "code"), cells(graded, "code"), strict=True):
        assert ours.outputs == theirs.outputs
        assert ours.source == (strip_solutions(theirs.source) if BEGIN in theirs.source else theirs.source)
