"""Stored outputs: made once, stamped with what they were made with, and the same when they are made again."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.commands import notebooks, outputs


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def write(path: Path, *cells: nbformat.NotebookNode) -> Path:
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


def text_of(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs)


def printed(path: Path) -> list[str]:
    return [text_of(cell) for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


CLOCK = "import time; print(time.perf_counter_ns())"


def test_outputs_are_stored_once_and_anew_when_something_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "05_x.ipynb", new_markdown_cell("# X"), code("print(6 * 7)"), code(CLOCK, "timing"))
    assert outputs.refresh_outputs(path)
    first = printed(path)
    assert first[0] == "42\n"
    assert [cell.id for cell in nbformat.read(path, as_version=4).cells] == ["05-000", "05-001", "05-002"]
    content = path.read_bytes()
    assert not outputs.refresh_outputs(path)
    assert outputs.refresh_outputs(path, force=True)
    assert path.read_bytes() == content, "what follows the clock stays while nothing else changes"
    changed = nbformat.read(path, as_version=4)
    changed.cells[1].source = "print(6 * 8)"
    nbformat.write(changed, path)
    assert outputs.refresh_outputs(path)
    assert printed(path)[0] == "48\n"
    assert printed(path)[1] != first[1]
    assert sorted(tmp_path.iterdir()) == [path]


BARS = "Preparing 'x' once: making it.\n\r  0%|    | 0/3\rcells: 1 examples [00:02, ? examples/s]"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """A notebook's cells with what is stored of them, each by its name."""
    bar = f"import sys\nprint({BARS!r}, file=sys.stderr)"
    cells = {
        "slow text": code("import time\nfor i in range(3):\n    print(i, flush=True); time.sleep(0.3)"),
        "bar": code(bar),
        "bar and warning": code(f"{bar}\nprint('Warning: look', file=sys.stderr)"),
        "machine": code("print('/home/ann has 2 cores')", "machine"),
        "plain": code("print('kept')"),
        "widget": code("from tqdm.notebook import tqdm\nfor _ in tqdm(range(2), desc='/tmp/x'): pass"),
    }
    path = write(tmp_path_factory.mktemp("notebooks") / "05_x.ipynb", *cells.values())
    outputs.refresh_outputs(path)
    return dict(zip(cells, nbformat.read(path, as_version=4).cells, strict=True))


def test_a_text_comes_in_one_piece_however_it_was_written(stored: dict[str, nbformat.NotebookNode]) -> None:
    assert [output.text for output in stored["slow text"].outputs] == ["0\n1\n2\n"]


def test_bars_are_left_out_and_warnings_among_them_are_not(stored: dict[str, nbformat.NotebookNode]) -> None:
    assert [text_of(stored[name]) for name in ("bar", "bar and warning")] == ["", "Warning: look"]


def test_what_is_said_of_the_machine_is_not_stored(stored: dict[str, nbformat.NotebookNode]) -> None:
    assert [text_of(stored[name]) for name in ("machine", "plain")] == ["", "kept\n"]


def test_a_bar_shown_as_a_widget_is_left_out(stored: dict[str, nbformat.NotebookNode]) -> None:
    assert stored["widget"].outputs == []


def test_an_output_changed_by_hand_is_found_and_made_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "05_x.ipynb", code("print(6 * 7)"))
    outputs.refresh_outputs(path)
    forged = nbformat.read(path, as_version=4)
    forged.cells[0].outputs[0].text = "43\n"
    nbformat.write(forged, path)
    assert outputs.make_stamp(forged, number="05")["outputs"] != forged.metadata.course.outputs
    assert outputs.refresh_outputs(path)
    assert printed(path) == ["42\n"]


def test_a_stamp_of_another_kind_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbclient.NotebookClient.execute", lambda client: None)
    path = tmp_path / "05_x.ipynb"
    for stamp in (None, "mine"):
        nbformat.write(new_notebook(cells=[new_markdown_cell("No code.")], metadata={"course": stamp}), path)
        assert outputs.refresh_outputs(path)
        assert not outputs.refresh_outputs(path)


def test_a_failing_notebook_keeps_its_stored_outputs(tmp_path: Path) -> None:
    path = write(tmp_path / "05_x.ipynb", code("1"), code("1 / 0"))
    before = path.read_bytes()
    with pytest.raises(notebooks.NotebookFailedError, match=r"05_x.ipynb stopped at cell 2"):
        outputs.refresh_outputs(path)
    assert path.read_bytes() == before


def test_the_stamp_is_of_code_and_not_of_text() -> None:
    first, second, third = (
        outputs.make_stamp(new_notebook(cells=[new_markdown_cell(text), code(source)]), number="05")
        for text, source in (("a", "1"), ("b", "1"), ("a", "2"))
    )
    assert first == second
    assert first["code"] != third["code"]


@pytest.mark.parametrize(
    "source", ["if if", "x = '\0'", "x = '\ud800'", "%%bash\nls | wc -l", "%matplotlib inline\n!ls"]
)
def test_a_cell_that_is_no_python_has_a_stamp_too(source: str) -> None:
    imports = code("from helpers import files")
    stamps = [
        outputs.make_stamp(new_notebook(cells=cells), number="01") for cells in ([code(source), imports], [imports])
    ]
    assert stamps[0]["helpers"] == stamps[1]["helpers"], "the other cells' imports count"
    assert stamps[0]["code"] != stamps[1]["code"]


def test_a_magic_does_not_hide_an_import() -> None:
    both, plain = (
        outputs.make_stamp(new_notebook(cells=[code(f"{magic}from helpers import files")]), number="01")
        for magic in ("%matplotlib inline\n", "")
    )
    assert both["helpers"] == plain["helpers"] != outputs.make_stamp(new_notebook(), number="01")["helpers"]


def test_the_stamp_follows_every_module_that_is_used() -> None:
    files = outputs.used_modules("from helpers import features, checks", number="11")
    names = {path.relative_to(outputs.PACKAGE).as_posix() for path in files}
    assert {
        "features.py",
        "backbones.py",
        "datasets/__init__.py",
        "cleaning/__init__.py",
        "images/_reading.py",
    } <= names
    assert "checks/nb11.py" in names
    assert not {"checks/nb01.py", "explain.py", "commands/run.py"} & names


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        (lambda source: source.replace("Show pictures in a grid.", "Show a grid."), False),
        (lambda source: source + "\n\n# a remark\n", False),
        (lambda source: source.replace("columns: int = 5", "columns: int = 6"), True),
    ],
    ids=["docstring", "comment", "code"],
)
def test_a_change_of_the_package_is_seen_where_it_can_matter(change, matters, tmp_path, monkeypatch) -> None:
    notebook = new_notebook(cells=[code("from helpers import plotting")])
    before = outputs.make_stamp(notebook, number="01")["helpers"]
    for path in outputs.used_modules("from helpers import plotting", number="01"):
        copy = tmp_path / path.relative_to(outputs.PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    module = tmp_path / "plotting" / "_pictures.py"
    source = module.read_text(encoding="utf-8")
    assert change(source) != source
    module.write_text(change(source), encoding="utf-8")
    monkeypatch.setattr(outputs, "PACKAGE", tmp_path)
    assert (outputs.make_stamp(notebook, number="01")["helpers"] != before) == matters
