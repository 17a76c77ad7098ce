"""Lay out what Sphinx makes the website of: `python docs/book/stage.py FOLDER` (`make book` does both).

A page stands where its source stands in the project, so that links between them hold; a link to a file that is no page
becomes plain text. The page of a lesson is the learner's edition with nothing lost: what that edition keeps back, the
solutions and what a "predict first" asks for, is behind a fold, so that one who only reads can look it up.
"""

import argparse
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers import files
from helpers.commands.notebooks import find_notebooks, read_notebook
from helpers.commands.student import BEGIN, END, make_student_edition, write_student_edition

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("README.md", "CONTRIBUTING.md", "LICENSE-text.md", "data/README.md", "docs/*.md")
CODE = r"```.*?```|`[^`]*`"
LINK = r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#:\s]+)(#[^)\s]*)?\)"
DOWNLOAD = "[Download this lesson as a notebook, with exercises to solve](path:../downloads/{name})"


def stage_book(target: Path) -> None:
    """Write lessons, texts and the notebooks to download into `target`, a new or an empty folder, whole or not at all.

    Raises:
        ValueError: if something is in `target`: pages have the names of lessons and texts, and would replace them; or
            if a lesson has a picture without a text for those who cannot see it.
    """
    files.require_writable(target)
    if target.exists() and any(target.iterdir()):
        raise ValueError(
            f"Received folder '{target}' with files in it, expected a new or an empty one. Choose another."
        )
    with files.written_beside(target) as draft:
        _write_pages(draft)


def _write_pages(target: Path) -> None:
    lessons = find_notebooks()
    texts = [path for pattern in TEXTS for path in sorted(ROOT.glob(pattern))]
    for path in lessons:
        solved = read_notebook(path)
        require_alt_texts(solved, name=path.name)
        page = make_page(solved)
        for cell in page.cells:
            if cell.cell_type == "markdown":
                cell.source = unlink_files(cell.source, page=path, pages=[*lessons, *texts])
        page.cells.insert(1, nbformat.v4.new_markdown_cell(DOWNLOAD.format(name=path.name), id="download"))
        _write(target / path.relative_to(ROOT), nbformat.writes(page))
    for path in texts:
        text = unlink_files(path.read_text(encoding="utf-8"), page=path, pages=[*lessons, *texts])
        _write(target / path.relative_to(ROOT), text)
    shutil.copy(Path(__file__).with_name("index.md"), target)
    write_student_edition(lessons, output=target / "downloads")


def require_alt_texts(lesson: NotebookNode, *, name: str) -> None:
    """Raise a ValueError where a picture has no text for those who cannot see it, which its page is to show."""
    for number, cell in enumerate(lesson.cells, start=1):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and not output.metadata.get("image/png", {}).get("alt"):
                raise ValueError(
                    f"Received {name}, whose cell {number} shows a picture without a text, expected one for those who "
                    "cannot see it. Show it with plotting.display_figure(figure, alt=...); store the lesson again."
                )


def make_page(solved: NotebookNode) -> NotebookNode:
    """Return the learner's edition of a lesson for reading: solutions and outputs to predict are behind folds."""
    page = make_student_edition(solved)
    originals = {cell.id: cell for cell in solved.cells}
    kept = [cell for cell in page.cells if cell.id in originals]  # the last cell, for answers, is no use on a page
    page.cells = [shown for cell in kept for shown in _show_cell(cell, originals[cell.id])]
    return page


def _show_cell(cell: NotebookNode, original: NotebookNode) -> Iterator[NotebookNode]:
    """Yield a cell of the learner's edition, and behind a fold what that edition took away from it."""
    yield cell
    if cell.cell_type != "code" or "check" in cell.metadata.get("tags", []):
        return
    if BEGIN in original.source:
        lines = [line for line in original.source.splitlines() if line.strip() not in (BEGIN, END)]
        yield from _fold("Solution", _copy(original, source="\n".join(lines)))
    elif original.outputs and not cell.outputs:
        shown = _copy(original, source=original.source)
        shown.metadata.tags = ["remove-input"]
        yield from _fold("What comes out", shown)


def _copy(cell: NotebookNode, *, source: str) -> NotebookNode:
    copy = nbformat.from_dict(cell)
    copy.id, copy.source = f"{cell.id}-folded"[-64:], source
    return copy


def _fold(summary: str, cell: NotebookNode) -> Sequence[NotebookNode]:
    """Return a cell between two that make a fold of it, as the hints in the lessons are."""
    opening = nbformat.v4.new_markdown_cell(f"<details><summary>{summary}</summary>", id=f"{cell.id}-a"[-64:])
    closing = nbformat.v4.new_markdown_cell("</details>", id=f"{cell.id}-z"[-64:])
    return opening, cell, closing


def unlink_files(text: str, *, page: Path, pages: Collection[Path]) -> str:
    """Replace links to files of the project that are no pages by their text.

    Args:
        text: Markdown; code in it, and links to elsewhere, stay as they are.
        page: the file that it is from.
        pages: the files that become pages.
    """

    def resolve(found: re.Match[str]) -> str:
        target = found["target"]
        return found["text"] if target and (page.parent / target).resolve() not in pages else found[0]

    return re.sub(f"{CODE}|{LINK}", resolve, text, flags=re.DOTALL)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Lay out the pages of the website; `make book` renders them.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new or empty")
    try:
        stage_book(parser.parse_args().folder)
    except (ValueError, OSError) as error:
        parser.error(str(error))
