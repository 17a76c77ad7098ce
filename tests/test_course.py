"""The notebooks as files: finding, running, refreshing, and the edition for students."""

import ast
import json
from collections.abc import Callable
from pathlib import Path

import joblib
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from papermill import engines

from helpers.commands import notebooks, run, student

PARAMETERS = 'DATASET = "synthetic_pets"\nSEED = 0\nRATE = 0.5  # a step\nFLAG = False\nSIZES = [1, 2]\nLIMIT = None'


def code(source: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)})


def write_notebook(path: Path, *cells: NotebookNode) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), path)
    return path


def write_good(folder: Path) -> Path:
    return write_notebook(
        folder / "good.ipynb",
        new_markdown_cell("# Good & <b>bold</b>"),
        code(PARAMETERS, "parameters"),
        code("print((DATASET, SEED, RATE, FLAG, SIZES, LIMIT))"),
    )


def write_bad(folder: Path) -> Path:
    cells = [code(PARAMETERS, "parameters"), code("numerator = 1\nnumerator / 0"), code("print('never')")]
    return write_notebook(folder / "bad.ipynb", new_markdown_cell("# Bad"), *cells)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_good(tmp_path)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write_bad(tmp_path)


def printed(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


# --- finding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["7", "07", "07_vanilla_cnn", "07_vanilla_cnn.ipynb"])
def test_a_notebook_has_several_names(name: str) -> None:
    (found,) = notebooks.find_notebooks([name])
    assert found == notebooks.NOTEBOOK_FOLDER / "07_vanilla_cnn.ipynb"


def test_all_notebooks_come_in_order_and_a_name_given_twice_counts_once(good: Path) -> None:
    found = notebooks.find_notebooks()
    assert found == sorted(found)
    (seventh,) = [path for path in found if path.name.startswith("07")]
    assert notebooks.find_notebooks(["7", str(good), "07", str(good.parent / "." / good.name)]) == [seventh, good]
    assert notebooks.find_notebooks([str(good.parent / ".." / good.parent.name / good.name), str(good)]) == [good]


@pytest.mark.parametrize(
    "name",
    ["99", "nothing", "", "missing.ipynb", "-1", "11_", "nowhere/11_feature_extraction.ipynb", "nowhere/11", "./11"],
)
def test_a_name_that_fits_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"Received notebook '{name}', expected .* 11_feature_extraction"):
        notebooks.find_notebooks([name])


@pytest.mark.parametrize(
    "content",
    ["", "{ no json", '{"a": 1}', "[]", '{"cells": 3}', '{"nbformat": 4, "nbformat_minor": 5}', "[" * 100_000],
    ids=range(7),
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"x.ipynb', which is not a notebook"):
        notebooks.read_notebook(path)


# --- parameters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("007", "text", "007"),
        ("../relative/path", "text", "../relative/path"),
        ("no", "text", "no"),
        ("2024-01-01", "text", "2024-01-01"),
        ("a: b", "text", "a: b"),
        ("", "", ""),
        ("a=b", "text", "a=b"),
        ("007", 0, 7),
        ("-3", 0, -3),
        ("1e-3", 0.5, 0.001),
        ("2", 0.5, 2.0),
        ("No", True, False),
        ("true", False, True),
        ("[1, 2]", [], [1, 2]),
        ("5", None, 5),
    ],
)
def test_a_value_is_what_its_default_is(text: str, default: object, value: object) -> None:
    parsed = notebooks.parse_value(text, name="NAME", default=default)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "default"),
    [
        *[("abc", 0), ("1.5", 0), ("x", 0.5), ("maybe", True), ("[x", [1]), ("", "text"), (" ", "text"), ("", 0)],
        # What no cell of code could hold as it is written there.
        *[("nan", 0.5), ("-inf", 0.5), ("[.nan]", [1]), ("2024-01-01", None), ("!!set {a}", None), ("\udcff", "text")],
    ],
)
def test_a_value_of_another_kind_is_refused(text: str, default: object) -> None:
    with pytest.raises(ValueError, match=r"Received NAME '.*', expected .*The notebook has"):
        notebooks.parse_value(text, name="NAME", default=default)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("DATASET = 'a=b'  # x", {"DATASET": "'a=b'"}),
        ("N = 2 * 500\nDATASET='a'", {"N": "2 * 500", "DATASET": "'a'"}),
        ("N: int = -3", {"N": "-3"}),
        ("A = B = [\n    1,  # one\n    2,\n]", {"A": "[1, 2]", "B": "[1, 2]"}),
        ("N = 1\nN = 2", {"N": "2"}),
        ("%matplotlib inline\nimport os\n# N = 1\nprint(N == 1)\nSEED = 0", {"SEED": "0"}),
        ('TEXT = """\nN = 1\n"""', {"TEXT": repr("\nN = 1\n")}),
    ],
)
def test_parameters_are_read_as_python_reads_them(tmp_path: Path, source: str, expected: dict[str, str]) -> None:
    path = write_notebook(tmp_path / "n.ipynb", code("N = 0"), code(source, "parameters"), code("M = 0", "parameters"))
    assert notebooks.notebook_parameters(path) == expected


def test_a_notebook_without_parameters_has_none(tmp_path: Path) -> None:
    assert notebooks.notebook_parameters(write_notebook(tmp_path / "n.ipynb", code("N = 0"))) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("N = 2 * 500", r"N = 2 \* 500 in 'n.ipynb' is not a plain value"),
        ("N = min(3, 4)", r"N = min\(3, 4\) in 'n.ipynb' is not a plain value"),
        ("N = {[]: 1}", "is not a plain value"),
        ("N = ", r"Python in its cell tagged `parameters` \(invalid syntax, line 1\)"),
    ],
)
def test_a_parameter_whose_kind_cannot_be_known_is_refused(tmp_path: Path, source: str, message: str) -> None:
    path = write_notebook(tmp_path / "n.ipynb", code(source, "parameters"))
    with pytest.raises(ValueError, match=message):
        list(notebooks.run_notebooks([path], output=tmp_path / "out", parameters={"N": "5"}, progress=False))
    assert not (tmp_path / "out").exists()


def test_parameters_reach_the_notebooks_that_have_them(good: Path, tmp_path: Path) -> None:
    plain = write_notebook(tmp_path / "plain.ipynb", code("print('plain')"))
    parameters = {"DATASET": "007", "SEED": "3", "FLAG": True, "SIZES": "[9]"}
    results = list(
        notebooks.run_notebooks([good, plain], output=tmp_path / "out", parameters=parameters, progress=False)
    )
    assert [result.name for result in results] == ["good", "plain"]
    assert printed(results[0].notebook) == "('007', 3, 0.5, True, [9], None)\n"
    assert printed(results[1].notebook) == "plain\n"
    assert not any(result.failed for result in results)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"NOPE": "1"}}, "Received parameter 'NOPE', expected one of .*'SEED'"),
        ({"parameters": {"SEED": "x"}}, "Received SEED 'x', expected a whole number"),
        ({"profile": "nope"}, r"Received profile 'nope', expected one of \['quick', 'full', 'smoke'\]"),
        ({"profile": "../profiles/full"}, r"Received profile '../profiles/full', expected one of \['quick', 'full',"),
    ],
)
def test_a_wrong_call_runs_nothing(good: Path, tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(notebooks.run_notebooks([good], output=tmp_path / "out", progress=False, **changes))
    assert not (tmp_path / "out").exists()


def test_parameters_are_written_where_they_stood(good: Path) -> None:
    notebook = notebooks.read_notebook(good)
    notebook.cells[2].outputs = [new_output("stream", name="stdout", text="of other parameters")]
    untouched = notebooks.read_notebook(good)
    notebooks.set_parameters(untouched, {}, path=good)
    assert untouched == notebooks.read_notebook(good)
    typed = {"DATASET": '내 "사진"', "RATE": "2", "SIZES": "[3]", "LIMIT": "5", "FLAG": "yes"}
    chosen = notebooks.choose_parameters([good], typed)[good]
    notebooks.set_parameters(notebook, chosen, path=good)
    assert notebook.cells[1].source == (
        'DATASET = "내 \\"사진\\""\nSEED = 0\nRATE = 2.0  # a step\nFLAG = True\nSIZES = [3]\nLIMIT = 5'
    )
    assert notebook.cells[2].outputs == []


def test_a_value_over_several_lines_is_replaced_whole(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", code("A = [\n    1,\n    2,\n]; B: int = 3\nC = 4", "parameters"))
    notebook = notebooks.read_notebook(path)
    notebooks.set_parameters(notebook, {"A": [9], "C": 5}, path=path)
    assert notebook.cells[0].source == "A = [9]; B: int = 3\nC = 5"


def test_notebooks_are_not_overwritten_by_their_own_results(good: Path, tmp_path: Path) -> None:
    before = good.read_bytes()
    with pytest.raises(ValueError, match="expected another folder than the notebooks'"):
        list(notebooks.run_notebooks([good], output=tmp_path, progress=False))
    assert good.read_bytes() == before


def test_two_notebooks_of_one_name_are_refused(good: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_notebook(tmp_path / "other" / good.name, code("1"))
    with pytest.raises(ValueError, match="two notebooks of the same name"):
        list(notebooks.run_notebooks([good, other], output=tmp_path / "out", progress=False))


def test_the_full_profile_sets_what_the_notebooks_have() -> None:
    profile = notebooks.profile_parameters("full")
    assert set(profile) == {path.stem for path in notebooks.find_notebooks()}
    for path in notebooks.find_notebooks():
        known = notebooks.notebook_parameters(path)
        assert set(profile[path.stem]) <= set(known)
        for name, value in profile[path.stem].items():
            assert type(value) is type(ast.literal_eval(known[name])), (path.stem, name)
    assert profile["11_feature_extraction"]["NUM_TRAIN"] >= 16_000
    assert notebooks.profile_parameters("quick") == {}


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"SEED": 1}])
def test_a_failing_cell_is_named_and_what_ran_is_kept(bad: Path, tmp_path: Path, parameters: dict) -> None:
    output = tmp_path / "out"
    with pytest.raises(notebooks.NotebookFailedError) as caught:
        list(notebooks.run_notebooks([bad], output=output, parameters=parameters, progress=False))
    message, result = str(caught.value), caught.value.result
    # The number is that in the file the reader has, with or without the cell that papermill puts in.
    assert message.startswith("bad.ipynb stopped at cell 3 (id ")
    assert "numerator / 0" in message
    assert message.endswith("ZeroDivisionError: division by zero")
    assert result.failed
    assert result.notebook.exists()
    assert "ZeroDivisionError" in result.page.read_text(encoding="utf-8")
    assert "never" not in printed(result.notebook)


def test_a_dead_kernel_is_a_failure_like_any_other(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "dies.ipynb", code("print('so far')"), code("import os; os._exit(1)"))
    with pytest.raises(notebooks.NotebookFailedError, match=r"(?s)dies.ipynb stopped at cell 2 .*process died"):
        list(notebooks.run_notebooks([path], output=tmp_path / "out", progress=False))
    assert printed(tmp_path / "out" / "dies.ipynb") == "so far\n"


def test_a_notebook_is_saved_when_it_ends_and_not_at_every_cell(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    monkeypatch.setattr(engines, "write_ipynb", lambda notebook, path: saved.append(path))
    list(notebooks.run_notebooks([good], output=good.parent / "out", progress=False))
    assert len(saved) == 2  # before the first cell, and after the last


WAIT_FOR_THE_OTHER = """
import time
from pathlib import Path

folder = Path(FOLDER)
(folder / NAME).touch()
end = time.monotonic() + 60
while len(list(folder.iterdir())) < 2 and time.monotonic() < end:
    time.sleep(0.05)
print(len(list(folder.iterdir())))
"""
PRINT_THREADS = "import os; print(os.environ['TF_NUM_INTRAOP_THREADS'])"


@pytest.mark.slow
def test_two_notebooks_run_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    paths = [
        write_notebook(
            tmp_path / f"{name}.ipynb",
            code(f"FOLDER = ''\nNAME = '{name}'", "parameters"),
            code(WAIT_FOR_THE_OTHER),
            code(last),
        )
        for name, last in [("first", "import os; print(os.getcwd())"), ("second", PRINT_THREADS)]
    ]
    paths.append(write_good(tmp_path))
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 6)
    results = notebooks.run_notebooks(paths, output=tmp_path / "out", parameters={"FOLDER": str(meeting)}, jobs=2)
    first, second, third = results
    # In their order, whichever is ready first.
    assert [first.name, second.name, third.name] == ["first", "second", "good"]
    assert printed(first.notebook) == f"2\n{Path.cwd()}\n"
    assert printed(second.notebook) == "2\n3\n"  # half of the cores


@pytest.mark.slow
def test_a_failure_beside_another_notebook_is_named_as_well(good: Path, bad: Path, tmp_path: Path) -> None:
    # Whether the other one comes first is a matter of which is quicker, so nothing is said of it here.
    with pytest.raises(notebooks.NotebookFailedError, match=r"^bad\.ipynb stopped at cell 3 ") as caught:
        list(notebooks.run_notebooks([good, bad], output=tmp_path / "out", jobs=2))
    assert caught.value.result.notebook.exists()


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_jobs_at_all_are_refused(good: Path, tmp_path: Path, jobs: int) -> None:
    with pytest.raises(ValueError, match=f"Received {jobs} jobs, expected 1 or more"):
        list(notebooks.run_notebooks([good], output=tmp_path / "out", jobs=jobs))


def test_the_index_links_every_page_and_marks_the_one_that_stopped(tmp_path: Path, good: Path, bad: Path) -> None:
    results = [
        notebooks.RunResult("good", good, tmp_path / "a b&.html", 90.0),
        notebooks.RunResult("bad", bad, tmp_path / "bad.html", 6.0, failed=True),
    ]
    text = run.write_index(results, output=tmp_path).read_text(encoding="utf-8")
    assert '<a href="a%20b%26.html">Good &amp; &lt;b&gt;bold&lt;/b&gt;</a>' in text
    assert "1.5</td>" in text
    assert "0.1 (stopped)</td>" in text


def test_a_page_keeps_the_texts_of_pictures(tmp_path: Path) -> None:
    source = (
        "from IPython.display import display\n"
        "pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='\n"
        "display({'image/png': pixel}, raw=True, metadata={'image/png': {'alt': 'a grey dot'}})"
    )
    path = write_notebook(tmp_path / "picture.ipynb", code(source))
    (result,) = notebooks.run_notebooks([path], output=tmp_path / "out", progress=False)
    assert 'alt="a grey dot"' in result.page.read_text(encoding="utf-8").replace("'", '"')


# --- the edition for students ------------------------------------------------------------------------------------

SOLVED = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"


def test_a_solution_becomes_a_stub_and_its_outputs_go() -> None:
    cell = code(SOLVED, "exercise")
    check = code("checks.nb01.check_double(double)", "check")
    check.outputs = [new_output("stream", name="stdout", text="Right")]
    kept = code("print('shown')")
    kept.outputs = [new_output("stream", name="stdout", text="shown")]
    solved = new_notebook(cells=[cell, check, kept], metadata={"course": {"code": "abc"}})
    edition = student.make_student_edition(solved)
    assert edition.cells[0].source == 'def double(x):\n    raise NotImplementedError("Write your answer here.")'
    assert [len(c.outputs) for c in edition.cells] == [0, 0, 1, 0]
    assert edition.cells[-1].source == "checks.nb01.show_open_exercises(globals())"
    assert edition.cells[1].metadata.tags == ["check", "raises-exception"]
    assert edition.metadata["course"] == {"edition": student.hash_sources(edition)}
    assert solved.cells[0].source == SOLVED  # the source is left as it was
    assert len(solved.cells[1].outputs) == 1


def test_nothing_answers_a_prediction_before_its_discussion() -> None:
    cells = [
        new_markdown_cell("**Predict first.** How many?"),
        code("3"),
        code("4"),
        new_markdown_cell("Three."),
        code("5"),
    ]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", name="stdout", text=cell.source)]
    edition = student.make_student_edition(new_notebook(cells=cells))
    assert [bool(cell.outputs) for cell in edition.cells if cell.cell_type == "code"] == [False, False, True]


def test_claims_are_not_for_learners() -> None:
    edition = student.make_student_edition(new_notebook(cells=[code("assert True", "claim"), code("1")]))
    assert [cell.source for cell in edition.cells] == ["1"]


def test_two_solutions_in_a_cell_are_both_taken_out() -> None:
    stripped = student.strip_solutions(f"{SOLVED}\n\n\n{SOLVED.replace('double', 'twice')}")
    assert stripped.count(student.STUB) == 2
    assert "2 * x" not in stripped
    assert "SOLUTION" not in stripped


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\n1",
        "1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "### END SOLUTION\n### BEGIN SOLUTION",
    ],
)
def test_markers_without_a_partner_are_refused(source: str) -> None:
    with pytest.raises(ValueError, match="expected pairs"):
        student.strip_solutions(source)


def test_a_marker_that_is_not_alone_on_its_line_leaves_no_solution_in() -> None:
    with pytest.raises(ValueError, match="'### BEGIN SOLUTION ###', expected a marker alone on its line"):
        student.strip_solutions(f"{SOLVED}\n### BEGIN SOLUTION ###\nsecret = 1\n### END SOLUTION ###")


def test_an_exercise_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a solution to take out"):
        student.make_student_edition(new_notebook(cells=[code("def double(x):\n    return 2 * x", "exercise")]))


def save_in_jupyterlab(notebook: NotebookNode) -> None:
    """What opening, running and saving leave, without a word of the learner's."""
    notebook.metadata["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1", "pygments_lexer": "ipython3"}
    notebook.cells[0].metadata["editable"] = True
    notebook.cells[0].outputs = [new_output("stream", name="stdout", text="run")]
    notebook.cells[0].execution_count = 7
    notebook.cells.append(code(""))  # running the last cell adds one


def answer(notebook: NotebookNode) -> None:
    notebook.cells[0].source = "def double(x):\n    return x + x"


def add_note(notebook: NotebookNode) -> None:
    notebook.cells.append(new_markdown_cell("Look at this again."))


def remove_cell(notebook: NotebookNode) -> None:
    notebook.cells.pop()


@pytest.mark.parametrize("newer", [False, True], ids=["same course", "newer course"])
@pytest.mark.parametrize(
    ("change", "kept"), [(save_in_jupyterlab, False), (answer, True), (add_note, True), (remove_cell, True)]
)
def test_only_what_is_written_in_cells_is_an_answer(tmp_path: Path, change: Callable, kept: bool, newer: bool) -> None:
    path = write_notebook(tmp_path / "a.ipynb", code(SOLVED, "exercise"), new_markdown_cell("Why?"))
    other = write_notebook(tmp_path / "b.ipynb", code(SOLVED, "exercise"))
    ((target,), _) = student.write_student_edition([path], output=tmp_path / "student")
    notebook = nbformat.read(target, as_version=4)
    change(notebook)
    nbformat.write(notebook, target)
    before = target.read_bytes()
    if newer:
        write_notebook(path, code(SOLVED, "exercise"), new_markdown_cell("Why? And what if x is a text?"))
    ready, left = student.write_student_edition([path, other], output=tmp_path / "student")
    assert left == ([target] if kept else [])
    assert ready == [*([] if kept else [target]), tmp_path / "student" / "b.ipynb"]  # the rest is written
    assert (target.read_bytes() == before) is (kept or not newer)  # of the same course, outputs stay
    student.write_student_edition([path], output=tmp_path / "student", force=True)
    assert nbformat.read(target, as_version=4).cells[1].source.endswith("text?") is newer
    assert "x + x" not in target.read_text(encoding="utf-8")


@pytest.mark.parametrize("metadata", [{}, {"course": {}}, {"course": {"code": "a"}}, {"course": None}, {"course": "a"}])
def test_an_edition_that_does_not_say_what_it_was_is_kept(tmp_path: Path, metadata: dict) -> None:
    path = write_notebook(tmp_path / "a.ipynb", code(SOLVED, "exercise"))
    ((target,), _) = student.write_student_edition([path], output=tmp_path / "student")
    notebook = json.loads(target.read_text(encoding="utf-8"))
    notebook["metadata"] = metadata
    target.write_text(json.dumps(notebook))
    assert student.write_student_edition([path], output=tmp_path / "student").ready == [target]
    write_notebook(path, code(SOLVED, "exercise"), code("new"))
    assert student.write_student_edition([path], output=tmp_path / "student").left == [target]


@pytest.mark.parametrize("content", ["", "{ half sav", "[]"])
def test_a_file_that_is_no_notebook_is_somebodys(tmp_path: Path, content: str) -> None:
    path = write_notebook(tmp_path / "a.ipynb", code(SOLVED, "exercise"))
    target = tmp_path / "student" / "a.ipynb"
    target.parent.mkdir()
    target.write_text(content)
    assert student.write_student_edition([path], output=target.parent) == ([], [target])
    assert target.read_text() == content


def test_a_student_edition_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    good = write_notebook(tmp_path / "a.ipynb", code(SOLVED, "exercise"))
    bad = write_notebook(tmp_path / "b.ipynb", code("1", "exercise"))
    with pytest.raises(ValueError, match="expected a solution"):
        student.write_student_edition([good, bad], output=tmp_path / "student")
    assert not (tmp_path / "student").exists()
    with pytest.raises(ValueError, match="another folder than the solved ones'"):
        student.write_student_edition([good], output=tmp_path, force=True)


def test_two_notebooks_of_one_name_do_not_take_each_others_place(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.ipynb" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        write_notebook(path, code(SOLVED, "exercise"))
    with pytest.raises(ValueError, match=r"two notebooks named 'a\.ipynb'"):
        student.write_student_edition(paths, output=tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_a_folder_in_a_notebooks_place_is_no_notebook_to_replace(tmp_path: Path) -> None:
    paths = [write_notebook(tmp_path / name, code(SOLVED, "exercise")) for name in ("a.ipynb", "b.ipynb")]
    folder = tmp_path / "student" / "b.ipynb"
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"b\.ipynb', a folder, expected a notebook"):
        student.write_student_edition(paths, output=folder.parent, force=True)
    assert list(folder.parent.iterdir()) == [folder]
    assert student.write_student_edition(paths, output=folder.parent).left == [folder]


def test_the_edition_of_an_older_format_is_whole_and_known_again(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", *LESSON[-2:])
    old = json.loads(path.read_text(encoding="utf-8")) | {"nbformat_minor": 4}
    for cell in old["cells"]:
        del cell["id"]
    path.write_text(json.dumps(old))
    ((target,), _) = student.write_student_edition([path], output=tmp_path / "student")
    assert notebooks.read_notebook(target).cells[-1].id == "open-exercises"
    assert student.write_student_edition([path], output=tmp_path / "student") == ([target], [])


# --- the edition for nbgrader ------------------------------------------------------------------------------------

LESSON = (
    new_markdown_cell("Next: [02](02_next.ipynb)."),
    code(PARAMETERS, "parameters"),
    code("assert True", "claim"),
    code(SOLVED, "exercise"),
    code("checks.nb01.check_double(double)", "check"),
)


def test_a_course_for_nbgrader_has_a_folder_per_lesson_and_a_configuration(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "01_first.ipynb", *LESSON)
    course = tmp_path / "course"
    options = {"output": course, "graded": True, "parameters": {path: {"DATASET": "mine"}}}
    ((target,), _) = student.write_student_edition([path], **options)
    assert target == course / "source" / "01_first" / "01_first.ipynb"
    link, parameters, exercise, check, _ = nbformat.read(target, as_version=4).cells
    assert link.source == "Next: [02](../02_next/02_next.ipynb)."
    assert parameters.source.startswith('DATASET = "mine"\n')
    assert exercise.source == SOLVED
    metadata = {"schema_version": 3, "task": False}
    assert exercise.metadata.nbgrader == metadata | {
        "grade_id": "double",
        "grade": False,
        "locked": False,
        "solution": True,
    }
    assert check.metadata.nbgrader == metadata | {
        "grade_id": "check_double",
        "grade": True,
        "locked": True,
        "points": 1,
        "solution": False,
    }
    config = course / "nbgrader_config.py"
    assert compile(config.read_text(encoding="utf-8"), "config", "exec")
    config.write_text("# a teacher's own")
    student.write_student_edition([path], force=True, **options)
    assert config.read_text() == "# a teacher's own"


@pytest.mark.parametrize("part", ["points", "source"])
def test_what_a_teacher_changed_is_kept(tmp_path: Path, part: str) -> None:
    path = write_notebook(tmp_path / "01_first.ipynb", *LESSON)
    ((target,), _) = student.write_student_edition([path], output=tmp_path, graded=True)
    notebook = nbformat.read(target, as_version=4)
    if part == "points":
        notebook.cells[3].metadata.nbgrader.points = 5
    else:
        notebook.cells[0].source = "Our own words."
    nbformat.write(notebook, target)
    assert student.write_student_edition([path], output=tmp_path, graded=True).left == [target]


@pytest.mark.parametrize(
    "cells",
    [LESSON[:4], LESSON[4:], (*LESSON[:4], code("assert double(1) == 2", "check"))],
    ids=["answer", "check", "own"],
)
def test_an_exercise_and_its_check_come_together(tmp_path: Path, cells: tuple[NotebookNode, ...]) -> None:
    path = write_notebook(tmp_path / "01_first.ipynb", *cells)
    with pytest.raises(ValueError, match=r"Received the (check|exercise) "):
        student.write_student_edition([path], output=tmp_path / "course", graded=True)
    assert not (tmp_path / "course").exists()
