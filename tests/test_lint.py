"""The house rules: each finds what breaks it, and is silent where it is kept."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from helpers import commands
from helpers.commands import house_rules
from helpers.commands.lint import find_faults

NAME = "03_edges.ipynb"
HEADER = """# 03 Edges: where does a picture change?

**About 60 minutes to read and try; about 1 minute to run** on two CPU cores.

Previous: [02 Grey](02_grey.ipynb). Next: [04 Corners](04_corners.ipynb)."""
OBJECTIVES = """## What you will be able to do

- **find** an edge
- **name** its direction
- **judge** what was found

**Builds on:** grey pictures (02)."""
SECTION = """## Look (10 minutes)

An **edge** (가장자리) is where the brightness changes, up to $x^2$ times. See [above](#Look-(10-minutes)).

**Predict first.** One? **Predict first.** Two? **Predict first.** Three?

**A good place to pause.**"""
TASK = "**Exercise {}.** Write `f(x)`.\n\n<details><summary>Hint</summary>\nThink of lesson 02.\n</details>"
ANSWER = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
CLINIC = "## Spot the bug (5 minutes)\n\nIt runs, and is wrong.\n\n```python\n# no title\n```"
FOLD = "<details><summary>What is wrong?</summary>\n\nEverything.\n</details>"
CLOSING = """## Key terms

| term | Korean | meaning |
|---|---|---|
| edge | 가장자리 | where the brightness changes |
| corner, plane | 모서리, 평면 | where two edges meet; what lies between |
| bit | 비트 | 0 or 1 |
| byte | 바이트 | eight of them |
| grey | 회색 | no colour at all |

## What you can do now

- find an edge in a picture
- name its direction
- judge what was found

## More exercises

1. Find all edges of a photo.

## Next

[04 Corners](04_corners.ipynb): where do edges meet?

## Sources

- Somebody, *A paper about edges*, 1986"""


def code(source: str, *tags: str, outputs: list[NotebookNode] | None = None, **metadata: object) -> NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)} | metadata, outputs=outputs or [])


def picture(alt: str) -> NotebookNode:
    return new_output("display_data", data={"image/png": "aaaa/tmp/aaaa"}, metadata={"image/png": {"alt": alt}})


def stream(text: str, *, name: str = "stdout") -> NotebookNode:
    return new_output("stream", text=text, name=name)


def make_lesson() -> NotebookNode:
    """A short lesson that keeps every rule, of 22 cells: 7 to 18 are its exercises, 19 to 21 its clinic."""
    cells = [
        new_markdown_cell(HEADER),
        new_markdown_cell(OBJECTIVES),
        code('DATASET = "drawn"\nSEED = 0', "parameters"),
        new_markdown_cell(SECTION),
        code("show(DATASET)", outputs=[picture("A cat, and the edges of its ears."), stream("10 pictures per second")]),
        code("assert SEED == 0", "claim", jupyter={"source_hidden": True}),
    ]
    for number in range(1, 5):
        cells.append(new_markdown_cell(TASK.format(number), metadata={"tags": ["exercise"]}))
        cells.append(code(ANSWER, "exercise"))
        cells.append(code("checks.nb03.check_f(f)", "check"))
    cells += [new_markdown_cell(CLINIC), code("1 / 3"), new_markdown_cell(FOLD), new_markdown_cell(CLOSING)]
    return count(new_notebook(cells=cells))


def count(notebook: NotebookNode) -> NotebookNode:
    """Give the cells the ids and execution counts that they have when a notebook is stored."""
    for position, cell in enumerate(notebook.cells):
        cell.id = f"03-{position:03d}"
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    return notebook


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the two neighbours of the lesson, which nobody reads."""
    for neighbour in ("02_grey.ipynb", "04_corners.ipynb"):
        (tmp_path / neighbour).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(notebook: NotebookNode, folder: Path, *, name: str = NAME) -> list[str]:
    """What is found in a notebook, without its name: `"cell 4: per: ..."`, or `"size: ..."` of the whole file."""
    path = folder / name
    path.write_text(writes(notebook), encoding="utf-8")
    return [line.removeprefix(f"{name}:").strip() for line in find_faults([path])]


def test_a_lesson_that_keeps_the_rules_has_no_finding(course: Path) -> None:
    assert lint(make_lesson(), course) == []


Change = Callable[[list[NotebookNode]], object]


def replace(cell: int, old: str, new: str) -> Change:
    """A change of the source of a cell, counted from 1."""

    def change(cells: list[NotebookNode]) -> None:
        assert old in cells[cell - 1].source
        cells[cell - 1].source = cells[cell - 1].source.replace(old, new)

    return change


def append(text: str) -> Change:
    """A change of the lesson's text: a paragraph more, in cell 4."""
    return replace(4, "**A good place to pause.**", f"**A good place to pause.**\n\n{text}")


def show(output: NotebookNode) -> Change:
    """A change of what is stored: one more output of cell 5."""
    return lambda cells: cells[4].outputs.append(output)


def remove(first: int, last: int = 0) -> Change:
    """A change that takes out a cell, or several."""
    return lambda cells: cells.__delitem__(slice(first - 1, last or first))


def tag(cell: int, *tags: str) -> Change:
    return lambda cells: cells[cell - 1].metadata.update(tags=list(tags))


SOMEBODYS_FOLDER = "/".join(["", "home", "me", "data"])  # in parts: here it stands for one, and is none
BROKEN: list[tuple[str, Change, str]] = [
    ("size", lambda cells: cells.extend(new_markdown_cell("More.") for _ in range(74)), "size: 96 cells, expected 95"),
    ("size", append("word " * 2_800), "words, expected 2,800 at most"),
    (
        "size",
        show(new_output("display_data", data={"text/plain": "x" * 1_500_000})),
        "bytes, expected 1,500,000 at most",
    ),
    ("ids", lambda cells: cells[4].update(id="mine"), "cell 5: ids: id mine, expected 03-004"),
    ("places", append(f"Look into {SOMEBODYS_FOLDER}."), f"cell 4: places: 'Look into {SOMEBODYS_FOLDER}.'"),
    ("places", show(stream("a\n/tmp/x/model.keras")), "cell 5: places"),
    ("places", show(stream("me@laptop:~$ ls")), "cell 5: places"),
    ("places", show(stream(r"C:\Users\me")), "cell 5: places"),
    ("places", append("Open http://localhost:8888/lab."), "cell 4: places"),
    ("header", replace(1, "# 03", "# 3"), "cell 1: header: begins with '# 3 Edges"),
    ("header", replace(1, "change?", "change"), "expected '# 03 Topic: the lesson's question?'"),
    ("header", replace(1, "60 minutes to read", "an hour to read"), "cell 1: header: does not say 'About N minutes"),
    ("header", replace(1, "about 1 minute to run", "fast"), "cell 1: header: does not say 'About N minutes"),
    ("header", replace(1, "Previous:", "Before:"), "cell 1: header: has no 'Previous:'"),
    ("header", replace(1, "[04 Corners](04_corners.ipynb)", "04"), "does not link to its neighbour 04_corners.ipynb"),
    ("header", append("# Again"), "cell 4: header: a second title, 'Again'"),
    ("header", lambda cells: cells.reverse(), "header: begins with '## Key terms'"),
    ("objectives", replace(2, "- **find** an edge\n", ""), "objectives: 2 objectives"),
    ("objectives", replace(2, "**name**", "name"), "objectives: 2 objectives"),
    ("objectives", replace(2, "**Builds on:**", "Needs"), "objectives: no '**Builds on:**'"),
    ("objectives", replace(2, "## What you will", "## What will"), "objectives: no section"),
    ("terms", replace(22, "| bit | 비트 | 0 or 1 |\n", ""), "terms: 4 key terms"),
    ("terms", replace(22, "비트", "bit"), "cell 22: terms: 'bit | bit | 0 or 1', expected term, Korean and meaning"),
    ("minutes", replace(4, " (10 minutes)", ""), "cell 4: minutes: '## Look', expected '## Look (10 minutes)'"),
    ("parameters", tag(3), "parameters: 0 cells of code tagged"),
    ("parameters", replace(3, "SEED", "RATE"), "cell 3: parameters: does not set SEED"),
    ("parameters", replace(3, "SEED =", "SEED"), "cell 3: parameters: invalid syntax in line 2"),
    ("predictions", replace(4, "**Predict first.** Two?", ""), "predictions: '**Predict first.**' 2 times"),
    ("pause", replace(4, "**A good place to pause.**", ""), "pause: no '**A good place"),
    ("clinic", replace(19, "## Spot the bug", "## Look again"), "clinic: no section '## Spot the bug'"),
    ("clinic", remove(20), "cell 19: clinic: the clinic has no cell of code"),
    ("clinic", remove(21), "cell 19: clinic: the clinic has no '<details>"),
    ("recap", replace(22, "- find an edge in a picture\n", ""), "recap: 2 lines in 'What you can do now'"),
    ("ending", replace(22, "## Next", "## And then"), "ending: ends with the sections ['What you can do now'"),
    ("ending", replace(22, "1. Find all edges of a photo.", "1. More."), "ending: '## More exercises' has next to no"),
    ("exercises", lambda cells: cells.insert(8, new_markdown_cell("Wait.")), "cell 8: exercises: no check right after"),
    ("exercises", remove(8), "cell 7: exercises: no answer right after this task"),
    ("exercises", lambda cells: cells.insert(7, cells.pop(8)), "cell 8: exercises: no answer right before this check"),
    ("exercises", tag(7), "cell 8: exercises: no task right before this answer"),
    ("exercises", remove(16, 18), "exercises: 3 exercises, expected 4"),
    ("exercises", replace(10, "Exercise 2", "Exercise 3"), "cell 10: exercises: begins with '**Exercise 3.**"),
    ("hints", replace(7, "<details><summary>Hint</summary>", ""), "cell 7: hints: a task without a hint"),
    ("solutions", replace(8, "### END SOLUTION", ""), "cell 8: solutions: an answer without a pair"),
    ("checks", replace(9, "nb03", "nb02"), "cell 9: checks: 'checks.nb02.check_f(f)', expected checks.nb03"),
    ("checks", replace(9, "(f)", "(f)\nprint(1)"), "cell 9: checks"),
    ("cell-length", lambda cells: cells[4].update(source="x\n" * 21), "cell 5: cell-length: 21 lines, expected 20"),
    ("unfinished", lambda cells: cells[4].update(source=" "), "cell 5: unfinished: empty"),
    ("unfinished", append("TODO: say more."), "cell 4: unfinished: 'TODO'"),
    ("unfinished", append("@NAME@ comes here."), "cell 4: unfinished: '@NAME@'"),
    ("tags", tag(5, "solution"), "cell 5: tags: tag 'solution' on a code cell, expected one of"),
    ("tags", tag(9, "check", "raises-exception"), "cell 9: tags: tag 'raises-exception'"),
    ("tags", tag(4, "parameters"), "cell 4: tags: tag 'parameters' on a markdown cell"),
    ("tags", tag(5, "timing"), "cell 5: tags: tag 'timing' without 'nbval-ignore-output'"),
    ("tags", tag(5, "machine"), "cell 5: tags: tag 'machine' without 'nbval-ignore-output'"),
    ("tags", lambda cells: cells[5].metadata.pop("jupyter"), "cell 6: tags: tag 'claim' on an open cell"),
    (
        "execution-counts",
        lambda cells: cells[4].update(execution_count=7),
        "cell 5: execution-counts: execution count 7",
    ),
    ("execution-counts", lambda cells: cells[4].update(execution_count=None), "execution count None, expected 2"),
    ("stray-output", show(stream("loading", name="stderr")), "cell 5: stray-output: 'loading' in the output"),
    ("stray-output", show(stream("x.py:3: UserWarning: old")), "cell 5: stray-output: 'x.py:3: UserWarning: old'"),
    ("stray-output", show(new_output("error", ename="KeyError", evalue="'a'", traceback=[])), "ends with KeyError"),
    ("stray-output", tag(5, "machine", "nbval-ignore-output"), "cell 5: stray-output: tag 'machine', and an output"),
    ("pictures", show(picture("An edge")), "cell 5: pictures: a picture with the text 'An edge'"),
    (
        "pictures",
        show(new_output("display_data", data={"image/svg+xml": "<svg/>"})),
        "cell 5: pictures: a picture with",
    ),
    ("pictures", show(new_output("display_data", data={"text/html": "<img src=x>"})), "cell 5: pictures: an <img>"),
    ("pictures", append("![](02_grey.ipynb)"), "cell 4: pictures: a picture with the text ''"),
    ("pictures", lambda cells: cells[4].update(outputs=[]), "pictures: no picture"),
    ("links", append("See [there](05_lines.md)."), "cell 4: links: a link to '05_lines.md', which is not there"),
    ("links", append("See [there](#Nowhere)."), "cell 4: links: a link to '#Nowhere'"),
    ("links", append('![A picture of two ears](ears.png "Ears")'), "cell 4: links: a link to 'ears.png'"),
    ("links", show(new_output("display_data", data={"text/markdown": "[x](y.ipynb)"})), "cell 5: links"),
    ("lessons-named", append("More of it in lesson 17."), "cell 4: lessons-named: names lesson 17, which is not there"),
    ("lessons-named", append("More of it in lessons 02, 03 and 09."), "cell 4: lessons-named: names lesson 09"),
    ("lessons-named", append("Open `11_feature_extraction`."), "names the notebook 11_feature_extraction"),
    ("lessons-named", replace(2, "(02)", "(01, 02)"), "cell 2: lessons-named: names lesson 01"),
    ("lessons-named", replace(9, "nb03", "nb07"), "cell 9: lessons-named: names lesson 07"),
    (
        "per",
        append("It reads 700 pictures a second."),
        "cell 4: per: 'pictures a second', expected 'pictures per second'",
    ),
    ("per", append("They take four bytes a\nvalue."), "cell 4: per: 'bytes a value'"),
    ("per", append("Make one sub-folder a class, and save twice an epoch."), "expected 'one sub-folder per class'"),
    ("per", replace(5, "show(DATASET)", 'show(x_label="seconds an epoch")'), "cell 5: per: 'seconds an epoch'"),
    (
        "korean-words",
        append("Two **edges** (모서리) meet."),
        "cell 4: korean-words: 'edge' is 모서리, expected 가장자리",
    ),
]


@pytest.mark.parametrize(("rule", "change", "message"), BROKEN)
def test_what_breaks_a_rule_is_found(rule: str, change: Change, message: str, course: Path) -> None:
    notebook = make_lesson()
    change(notebook.cells)
    found = lint(notebook, course)
    assert any(message in line and f"{rule}: " in line for line in found), found


def test_each_rule_has_a_notebook_that_breaks_it() -> None:
    assert {rule for rule, _, _ in BROKEN} | {"name"} == set(house_rules.RULES | house_rules.RULES_OF_ALL)


KEPT = [
    "How many pixels a picture has, and how many rows a step looks at, is no rate. It gives a class to a batch.",
    "All the pictures a second network sees. Three times a value. It takes a second, and counts as a picture.",
    "It reads 700 pictures per second. As lesson 2 said; see lessons 02, 03 and 04, or lesson 02, 1,000 times.",
    "[A page](https://example.org/home/x.html), [a part](#Key-terms), [a file](02_grey.ipynb#Look), `../var/x`.",
    "The **edges** (가장자리, 변) and the **edge** (변; 가장자리). A **plane** (평면: what lies between).",
    "```text\n# no title\n[no link](nowhere.md)\n```\nNo warning: a Warning is another thing.",
    "$$" + "x + " * 3_000 + "y$$",
]


@pytest.mark.parametrize("text", KEPT, ids=range(len(KEPT)))
def test_what_only_looks_like_it_is_no_finding(text: str, course: Path) -> None:
    notebook = make_lesson()
    append(text)(notebook.cells)
    assert lint(notebook, course) == []


@pytest.mark.parametrize("name", ["3_edges.ipynb", "03-edges.ipynb", "03_Edges.ipynb", "edges.ipynb"])
def test_the_name_of_the_file_is_a_rule(name: str, course: Path) -> None:
    assert any("name: " in line and f"'{name}'" in line for line in lint(make_lesson(), course, name=name))


def test_the_first_lesson_has_three_exercises(course: Path) -> None:
    notebook = make_lesson()
    remove(16, 18)(notebook.cells)
    assert not any("exercises: " in line for line in lint(notebook, course, name="00_edges.ipynb"))


def test_a_term_goes_with_most_lessons(course: Path) -> None:
    paths = [course / f"0{number}_edges.ipynb" for number in (5, 6, 7)]
    for path, korean in zip(paths, ("모서리", "가장자리", "가장자리"), strict=True):
        notebook = make_lesson()
        for cell in notebook.cells:
            cell.source = cell.source.replace("가장자리", korean)
        path.write_text(writes(notebook), encoding="utf-8")
    (in_text, in_table) = [line for line in find_faults(paths) if "korean-words" in line]
    assert in_text == "05_edges.ipynb:cell 4: korean-words: 'edge' is 모서리, expected 가장자리 as elsewhere"
    assert in_table.startswith("05_edges.ipynb:cell 22:")


# --- whatever a maintainer has just written ----------------------------------------------------------------------

BARE = [
    new_notebook(),
    new_notebook(cells=[new_code_cell("")]),
    new_notebook(cells=[new_markdown_cell("")]),
    new_notebook(cells=[new_markdown_cell("## Spot the bug")]),
    new_notebook(cells=[new_markdown_cell("| term | Korean |\n|---|---|\n| a |\n||\n", metadata={"tags": ["check"]})]),
    new_notebook(cells=[code("if", "parameters"), code("", "check"), code("", "exercise"), code("", "machine")]),
    new_notebook(
        cells=[code("x", outputs=[new_output("display_data", data={"image/png": "a", "application/json": []})])]
    ),
    new_notebook(
        cells=[code("x", outputs=[new_output("display_data", {"image/png": "a"}, metadata={"image/png": "b"})])]
    ),
]


@pytest.mark.parametrize("notebook", BARE, ids=range(len(BARE)))
def test_a_notebook_without_sections_is_found_wanting(notebook: NotebookNode, course: Path) -> None:
    for name in (NAME, "x.ipynb"):
        assert len(lint(notebook, course, name=name)) >= 10


def test_a_notebook_of_an_older_format_is_read(course: Path) -> None:
    old = json.loads(writes(make_lesson())) | {"nbformat_minor": 4}
    for cell in old["cells"]:
        del cell["id"]
    (course / NAME).write_text(json.dumps(old), encoding="utf-8")
    assert find_faults([course / NAME]) == [
        f"{NAME}:cell 1: ids: id None, expected 03-000; `make outputs` numbers them"
    ]
    (course / NAME).write_text(json.dumps(old | {"nbformat_minor": 5}), encoding="utf-8")
    (line,) = find_faults([course / NAME])
    assert "ids: " in line


@pytest.mark.parametrize(
    "content", [b"", b"{ no json", b"[]", b"7", b'{"cells": 3}', b'{"nbformat": 4}', b"\xff\xfe\x00"]
)
def test_what_is_no_notebook_is_a_line_and_the_others_are_looked_at(content: bytes, course: Path, capsys) -> None:
    Path("01_x.ipynb").write_bytes(content)
    Path(NAME).write_text(writes(make_lesson()).replace("good place", "place"), encoding="utf-8")
    assert commands.main(["lint", "01_x.ipynb", NAME]) == 1
    output, error = capsys.readouterr()
    assert error == ""
    first, other = output.splitlines()
    assert first.startswith("01_x.ipynb: notebook: Received '01_x.ipynb', which is not a notebook")
    assert other == f"{NAME}: pause: no '**A good place to pause.**'"


def test_the_command_lists_its_rules(capsys) -> None:
    assert commands.main(["lint", "--rules"]) == 0
    named = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert named == [*house_rules.RULES, *house_rules.RULES_OF_ALL]


def test_the_command_says_that_all_is_well(course: Path, capsys) -> None:
    Path(NAME).write_text(writes(make_lesson()), encoding="utf-8")
    assert commands.main(["lint", NAME]) == 0
    assert capsys.readouterr().out == "Notebooks that keep the house rules: 1.\n"


@pytest.mark.slow
def test_it_needs_no_tensorflow() -> None:
    code = "import sys; from helpers import commands; commands.main(['lint', '00']); sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
