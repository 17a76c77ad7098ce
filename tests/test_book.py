"""The lessons as pages of the website: what they show, and what is behind a fold. `make test-book` tries the site."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.commands import notebooks, student

ROOT = Path(__file__).parents[1]
stage = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "book" / "stage.py")))
LESSONS = notebooks.find_notebooks()


def walk(page: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Each cell with the summary of the fold that it is in, or nothing; the cells that make a fold are left out."""
    fold = ""
    for cell in page.cells:
        if cell.source == "</details>":
            fold = ""
        elif cell.source.startswith("<details><summary>") and "</details>" not in cell.source:
            assert not fold, "a fold in a fold"
            fold = cell.source.removeprefix("<details><summary>").removesuffix("</summary>")
        else:
            yield fold, cell
    assert not fold, "a fold that is not closed"


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    stage.stage_book(folder)
    return folder


def test_every_lesson_and_text_has_its_page_and_every_lesson_its_notebook(book: Path) -> None:
    names = [path.name for path in LESSONS]
    assert sorted(path.name for path in (book / "notebooks").iterdir()) == names
    assert sorted(path.name for path in (book / "downloads").iterdir()) == names
    assert {"index.md", "README.md", "LICENSE-text.md"} <= {path.name for path in book.iterdir()}
    assert (book / "data" / "README.md").is_file()
    for text in (ROOT / "docs").glob("*.md"):
        assert (book / "docs" / text.name).is_file()


def test_pages_replace_nothing(tmp_path: Path) -> None:
    """In the course's own folder they would take the place of the lessons."""
    mine = tmp_path / "notebooks" / LESSONS[0].name
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ValueError, match="with files in it, expected a new or an empty one"):
        stage.stage_book(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_a_picture_without_a_text_is_named() -> None:
    with_text = new_output("display_data", {"image/png": "x"}, metadata={"image/png": {"alt": "A cat."}})
    without = new_output("display_data", {"image/png": "x"})
    cells = [new_markdown_cell("# 01"), new_code_cell(outputs=[with_text]), new_code_cell(outputs=[without])]
    stage.require_alt_texts(new_notebook(cells=cells[:2]), name="01_a.ipynb")
    with pytest.raises(ValueError, match=r"^Received 01_a.ipynb, whose cell 3 shows a picture without a text"):
        stage.require_alt_texts(new_notebook(cells=cells), name="01_a.ipynb")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "required: FOLDER"), (["a_file"], "no file can be written"), (["a_file/x"], "no file can be written")],
)
def test_a_wrong_call_is_said_in_one_line(arguments, message, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a_file").touch()
    monkeypatch.setattr("sys.argv", ["stage.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "docs" / "book" / "stage.py"), run_name="__main__")
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_page_shows_all_of_its_lesson_and_solutions_only_behind_folds(book: Path, path: Path) -> None:
    solved = nbformat.read(path, as_version=4)
    page = nbformat.read(book / "notebooks" / path.name, as_version=4)
    nbformat.validate(page)
    shown, folded = ([cell for fold, cell in walk(page) if bool(fold) == hidden] for hidden in (False, True))
    solutions = [cell for cell in solved.cells if student.BEGIN in cell.source]
    assert sum(fold == "Solution" for fold, _ in walk(page)) == len(solutions)
    assert sum(student.STUB in cell.source for cell in shown) == len(solutions)
    assert not [cell.source for cell in page.cells if student.BEGIN in cell.source or student.END in cell.source]
    for cell in solutions:
        solution = cell.source.partition(student.BEGIN)[2].partition(student.END)[0].strip()
        assert not [other.id for other in shown if solution in other.source]
        assert [other.id for other in folded if solution in other.source]

    assert not [cell.id for cell in page.cells if "claim" in tags(cell)]
    outputs = [output for cell in solved.cells if not {"claim", "check"} & {*tags(cell)} for output in outputs_of(cell)]
    assert [output for _, cell in walk(page) for output in outputs_of(cell)] == outputs


def outputs_of(cell: NotebookNode) -> list[NotebookNode]:
    return cell.get("outputs", [])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_nothing_comes_out_in_the_open_between_a_question_and_what_the_text_says(book: Path, path: Path) -> None:
    predicting = False
    for fold, cell in walk(nbformat.read(book / "notebooks" / path.name, as_version=4)):
        if cell.cell_type == "markdown":
            predicting = student.PREDICT in cell.source
        elif predicting and not fold:
            assert not cell.outputs, cell.id


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_markdown_in_a_fold_begins_after_an_empty_line(path: Path) -> None:
    """Else neither JupyterLab nor a page reads it as Markdown: `code` would show its backticks."""
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell.id for cell in cells if re.search(r"</summary>\n(?!\n)", cell.source)]


def test_what_comes_out_is_folded_without_the_code_that_stands_above_it() -> None:
    output = new_output("stream", text="4\n")
    cells = [new_markdown_cell("**Predict first.** 2 + 2?"), new_code_cell("print(2 + 2)", outputs=[output])]
    page = stage.make_page(new_notebook(cells=[*cells, new_markdown_cell("Four.")]))
    (_, question), (_, code), (fold, answer), (_, text) = walk(page)
    assert (question.source, code.source, code.outputs) == (cells[0].source, "print(2 + 2)", [])
    assert (fold, tags(answer), answer.outputs) == ("What comes out", ["remove-input"], [output])
    assert text.source == "Four."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a lesson](../notebooks/07_vanilla_cnn.ipynb)", None),
        ("[results](../README.md#results), [here](#here), [there](https://example.org/a(b))", None),
        ("[`files`](../helpers/files.py), read", "`files`, read"),
        ("[the\nscripts](../benchmarks) that measure", "the\nscripts that measure"),
        ("[outside](../../../elsewhere.md)", "outside"),
        ("`models[0](picture)` and ```\nmodels[0](picture)\n```", None),
    ],
)
def test_links_to_what_is_no_page_become_text(text: str, expected: str | None) -> None:
    pages = [*LESSONS, ROOT / "README.md"]
    assert stage.unlink_files(text, page=ROOT / "docs" / "x.md", pages=pages) == (expected or text)
