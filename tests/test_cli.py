"""The command line: what it prints where, its exit codes, and one clear line for whatever goes wrong."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from conftest import MakeFolder
from helpers import commands, prediction, training
from tests.conftest import build_tiny_backbone, draw_noise, keras_and_numpy_2

pytestmark = keras_and_numpy_2

NAMES = ("cat", "[red]dog[/red]")  # rich takes brackets for a command, if it is let
# The file system of Windows knows fewer names.
ODD_NAMES = ["a, b.png", "한글.png", "=1+1.png", "[b]x[b].png"] + (
    ["new\nline.png", 'quo"te.png'] if os.name != "nt" else []
)
ALL_COMMANDS = ("doctor", "run", "teach", "predict", "data", "student", "lint", "outputs")


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    yield


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    backbone = build_tiny_backbone()
    channels = backbone.output_shape[-1]
    head = keras.Sequential([keras.Input((channels,)), keras.layers.Dense(2, activation="softmax")])
    model = training.attach_head(backbone, head)
    return prediction.save_classifier(model, tmp_path_factory.mktemp("saved") / "model.keras", class_names=NAMES)


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    return shutil.copy(saved, tmp_path / "model.keras")


@pytest.fixture
def photos(make_folder: MakeFolder) -> Path:
    """Four good pictures in two folders."""
    return make_folder({"cat": 2, "dog": 2})


def write_notebook(path: Path, *cells: str) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[new_code_cell(c) for c in cells], metadata={"kernelspec": kernel}), path)
    return path


def start(*arguments: str | Path, **options: object) -> subprocess.Popen:
    """Run the commands as a user does: in a process of their own."""
    command = [sys.executable, "-m", "helpers", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def without_bars(error: str) -> list[str]:
    """The lines of standard error but for progress bars, which appear on a slow machine."""
    return [line for line in re.split(r"[\r\n]", error) if line.strip() and not re.search(r"\d+/\d+ \[", line)]


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


# --- help --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_help_shows_an_example_that_can_be_called(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main([command, "--help"])
    assert ended.value.code == 0
    prefix, _, example = capsys.readouterr().out.partition("Example:\n  python -m helpers ")
    assert "options:" in prefix
    assert commands.build_parser().parse_args(example.split()).command == command


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    text = capsys.readouterr().out
    assert all(f"    {command} " in text for command in ALL_COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["teach", "photos"],
        ["predict", "model.keras"],
        ["predict", "model.keras", "photos", "--format", "xml"],
        ["teach", "photos", "--output", "m.keras", "--image-size", "1.5"],
        ["run", "-p", "DATASET"],
        ["student", "--output", "a", "--nbgrader", "b"],
    ],
)
def test_a_wrong_call_ends_with_2_and_shows_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m helpers" in capsys.readouterr().err


@pytest.mark.parametrize("call", ["teach p --output=~/m.keras", "run --output=~/m.keras", "student --output ~/m.keras"])
def test_a_home_folder_is_found_where_the_shell_leaves_it(call: str) -> None:
    assert commands.build_parser().parse_args(call.split()).output == Path.home() / "m.keras"


# --- one clear line ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("teach nothing --output m.keras", ["'nothing'", "expected a folder", "a sub-folder per class"]),
        ("teach photos --output m", ["'m'", "ending in '.keras'", "Add the ending"]),
        ("teach photos --output photos.keras", ["'photos.keras'", "a folder, expected"]),
        ("teach photos --output m.keras --image-size 7", ["--image-size 7", "32 to 600"]),
        ("teach photos --output m.keras --backbone Lite", ["'Lite'", "id you mean", "EfficientNetLite"]),
        ("teach photos/cat --output m.keras", ["0 class folder(s)", "two or more", "one sub-folder"]),
        ("teach one --output m.keras", ["1 class folder(s)", "['cat']", "two or more"]),
        ("teach photos --output m.keras", ["Received 4 pictures, expected enough", "Add pictures"]),
        ("teach photos --output a_file/m.keras", ["'a_file'", "no file can be written", "Choose another folder"]),
        ("predict nothing.keras photos", ["no file 'nothing.keras'", "Check the path"]),
        ("predict photos photos", ["'photos', a folder without a model in it", "Check the path"]),
        ("predict a_file photos", ["'a_file'", "expected a Keras model", "`teach`"]),
        ("predict cut.keras photos", ["'cut.keras'", "expected a Keras model", "`teach`"]),
        ("predict model.keras nothing.png", ["'nothing.png'", "Check the path"]),
        ("predict model.keras empty", ["'empty'", "without a picture"]),
        ("run nothing", ["'nothing'", "a number, a name, or the path", "11_feature_extraction"]),
        ("run nowhere/11_feature_extraction.ipynb", ["'nowhere/11_feature_extraction.ipynb'", "the path of a file"]),
        ("run 11 --profile fast", ["'fast'", "'quick', 'full'"]),
        ("run 11 -p NUM_TRAIN many", ["NUM_TRAIN 'many'", "a whole number"]),
        ("run 11 -p NUMTRAIN 5", ["'NUMTRAIN'", "'NUM_TRAIN'"]),
        ("run 11 --changed -p NUMTRAIN 5", ["'NUMTRAIN'", "'NUM_TRAIN'"]),
        ("run 11 --output a_file", ["'a_file'", "no file can be written"]),
        ("run broken.ipynb", ["'broken.ipynb'", "not a notebook"]),
        ("student --output a_file", ["'a_file'", "no file can be written"]),
        ("student 11 -p NUMTRAIN 5", ["'NUMTRAIN'", "'NUM_TRAIN'"]),
        ("student --nbgrader a_file", ["'a_file'", "no file can be written"]),
        ("student nothing", ["'nothing'", "a number, a name, or the path"]),
        ("lint nothing", ["'nothing'", "a number, a name, or the path"]),
        ("outputs broken.ipynb", ["'broken.ipynb'", "not a notebook"]),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    arguments: str, parts: list[str], model: Path, photos: Path, make_folder: MakeFolder, capsys
) -> None:
    make_folder({"cat": 2}, name="one")
    make_folder({"empty": 0, "photos.keras": 0}, name=".")
    Path("a_file").write_text("not a folder, not a model")
    Path("broken.ipynb").write_text("{ no json")
    Path("cut.keras").write_bytes(model.read_bytes()[:-100])
    before = sorted(Path().rglob("*"))
    assert commands.main(arguments.split()) == 2
    line = only_line(capsys)
    assert line.startswith(f"python -m helpers {arguments.split()[0]}: ")
    assert [part for part in parts if part not in line] == []
    assert sorted(path for path in Path().rglob("*") if "data" not in path.parts) == before


@pytest.mark.parametrize("names", ['["one"]', '["a", "b", "c"]', '{"a": 1, "b": 2}', "[1, 2]", "no json"])
def test_a_model_whose_names_do_not_fit_is_refused(names: str, model: Path, photos: Path, capsys) -> None:
    with zipfile.ZipFile(model) as archive, zipfile.ZipFile("other.keras", "w") as other:
        for entry in archive.namelist():
            other.writestr(entry, names if entry == prediction.CLASS_NAMES_ENTRY else archive.read(entry))
    assert commands.main(["predict", "other.keras", str(photos)]) == 2
    assert "Received 'other.keras', a model" in only_line(capsys)


@pytest.mark.parametrize("shape", [(None, None, 3), (16, 20, 3), (16, 16, 1)])
def test_a_model_for_other_inputs_is_refused(shape: tuple, photos: Path, capsys) -> None:
    inputs = keras.Input(shape)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, outputs).save("other.keras")
    with zipfile.ZipFile("other.keras", "a") as archive:
        archive.writestr(prediction.CLASS_NAMES_ENTRY, json.dumps(NAMES))
    assert commands.main(["predict", "other.keras", str(photos)]) == 2
    assert "expected square colour pictures" in only_line(capsys)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind neither root nor Windows this way")
def test_a_read_only_folder_is_refused_before_the_work(photos: Path, capsys) -> None:
    Path("closed").mkdir(mode=0o555)
    assert commands.main(["teach", str(photos), "--output", "closed/m.keras"]) == 2
    assert "'closed', where no file can be written (Permission denied)" in only_line(capsys)


# --- predict -----------------------------------------------------------------------------------------------------


def test_csv_and_json_parse_back_whatever_the_files_are_called(model: Path, photos: Path, capsys) -> None:
    for name in ODD_NAMES:
        shutil.copy(photos / "cat" / "000.png", photos / name)
    expected = sorted(str(path) for path in photos.rglob("*.png"))
    assert commands.main(["predict", str(model), str(photos), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == ["file", "label", "probability"]
    assert sorted(row["file"] for row in rows) == expected
    assert commands.main(["predict", str(model), str(photos), "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert sorted(record["file"] for record in records) == expected
    assert all(set(record) == {"file", "label", "probability"} for record in records)
    for row, record in zip(rows, records, strict=True):
        assert row["label"] == record["label"] in NAMES
        assert 0.5 <= float(row["probability"]) <= 1
        assert float(row["probability"]) == pytest.approx(record["probability"], abs=1e-6)


def test_a_row_per_class_or_neither(model: Path, photos: Path, capsys) -> None:
    picture = str(photos / "cat" / "000.png")
    assert commands.main(["predict", str(model), picture, "--top-k", "2", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["label"] for row in rows} == set(NAMES)
    assert sum(float(row["probability"]) for row in rows) == pytest.approx(1, abs=1e-5)
    assert commands.main(["predict", str(model), picture, "--threshold", "1", "--format", "json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["label"] == "neither"
    assert commands.main(["predict", str(model), picture, "--threshold", "80"]) == 2
    assert "threshold=80.0, expected" in capsys.readouterr().err


@pytest.mark.parametrize("names", ["고양이, dog", "labels.txt"])
def test_a_model_from_elsewhere_is_given_its_names(names: str, model: Path, photos: Path, capsys) -> None:
    keras.models.load_model(model).save("plain.keras")
    Path("labels.txt").write_text("0 고양이\n1 dog\n", encoding="utf-8")
    arguments = ["predict", "plain.keras", str(photos), "--format", "csv"]
    assert commands.main(arguments) == 2
    assert "--class-names cat,dog" in only_line(capsys)
    assert commands.main([*arguments, "--class-names", "nowhere.txt"]) == 2
    assert "There is no file 'nowhere.txt'" in only_line(capsys)
    assert commands.main([*arguments, "--class-names", names, "--scaling", "tf"]) == 0
    assert {row["label"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} <= {"고양이", "dog"}


def test_the_table_shows_names_as_they_are(model: Path, photos: Path, capsys) -> None:
    odd = photos / "[b]x[b].png"
    shutil.copy(photos / "cat" / "000.png", odd)
    assert commands.main(["predict", str(model), str(odd.relative_to(Path.cwd()))]) == 0
    output = capsys.readouterr().out
    assert "[b]x[b].png" in output
    assert any(name in output for name in NAMES)


@pytest.mark.skipif(os.name == "nt", reason="no such pipes")
def test_files_given_by_name_are_answered_or_named_too(model: Path, photos: Path, capsys) -> None:
    good, gone, pipe = photos / "cat" / "000.png", photos / "gone.png", photos / "pipe.png"
    gone.symlink_to("nowhere.png")
    os.mkfifo(pipe)
    assert commands.main(["predict", str(model), str(gone), str(pipe), str(good), "--format", "csv"]) == 1
    output, error = capsys.readouterr()
    assert [row["file"] for row in csv.DictReader(io.StringIO(output))] == [str(good)]
    assert [line.split(" (")[0] for line in error.splitlines()] == [f"Not read: {gone}", f"Not read: {pipe}"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keras_model.h5", b"\x89HDF\r\n\x1a\n" + bytes(99)),
        ("renamed.keras", b"\x89HDF\r\n\x1a\n" + bytes(99)),
        ("saved_model/saved_model.pb", bytes(99)),
        ("model.tflite", b"\x1c\0\0\0TFL3" + bytes(99)),
        ("model.onnx", bytes(99)),
        ("model.pt", b"PK\x03\x04" + bytes(99)),
        ("empty.keras", b""),
    ],
)
def test_a_model_of_another_kind_is_refused_in_one_line(name: str, content: bytes, photos: Path, capsys) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(content)
    path = name.split("/")[0]
    assert commands.main(["predict", path, str(photos)]) == 2
    line = only_line(capsys)
    assert f"'{path}'" in line
    assert "Traceback" not in line


@pytest.mark.parametrize(("form", "expected"), [("csv", "file,label,probability\n"), ("json", "[]\n")])
def test_nothing_readable_is_still_a_whole_answer(form: str, expected: str, model: Path, capsys) -> None:
    Path("empty.png").touch()
    assert commands.main(["predict", str(model), "empty.png", "--format", form]) == 1
    assert capsys.readouterr().out == expected


def test_many_files_keep_their_order(model: Path, make_folder: MakeFolder, capsys) -> None:
    photos = make_folder({"many": 150})  # more than are read at a time
    files = sorted((photos / "many").iterdir(), reverse=True)
    assert commands.main(["predict", str(model), *map(str, files), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == list(map(str, files))
    predictions, _ = prediction.predict_files(prediction.load_classifier(model), files[-10:])
    assert [row["label"] for row in rows[-10:]] == [one.label for one in predictions]


# --- run, student, outputs ---------------------------------------------------------------------------------------


def test_run_leaves_pages_and_an_index(capsys) -> None:
    write_notebook(Path("one.ipynb"), "print(6 * 7)")
    assert commands.main(["run", "one.ipynb", "--output", "out"]) == 0
    output, error = capsys.readouterr()
    assert "Done. Open out/index.html" in output.replace("\\", "/")
    assert "together" in error
    assert sorted(path.name for path in Path("out").iterdir()) == ["index.html", "one.html", "one.ipynb"]
    assert "42" in Path("out/one.html").read_text(encoding="utf-8")


def test_a_failing_notebook_stops_the_run(capsys) -> None:
    write_notebook(Path("good.ipynb"), "1")
    write_notebook(Path("bad.ipynb"), "1", "one = 1\none / 0")
    write_notebook(Path("later.ipynb"), "1")
    assert commands.main(["run", "good.ipynb", "bad.ipynb", "later.ipynb", "--output", "out"]) == 1
    output, error = capsys.readouterr()
    assert "Done" not in output
    assert "Traceback" not in error
    for part in ("bad.ipynb stopped at cell 2", "    one / 0", "ZeroDivisionError: division by zero", "bad (stopped)"):
        assert part in error
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["bad.html", "bad.ipynb", "good.html", "good.ipynb", "index.html"]
    index = Path("out/index.html").read_text(encoding="utf-8")
    assert "good.html" in index
    assert "(stopped)" in index
    assert "later" not in index + error


def test_a_relative_data_folder_is_taken_from_where_you_are(capsys) -> None:
    cell = new_code_cell('DATASET = "synthetic_pets"', metadata={"tags": ["parameters"]})
    write_notebook(Path("n.ipynb"), "from pathlib import Path\nprint(DATASET, Path(DATASET).is_dir())")
    notebook = nbformat.read("n.ipynb", as_version=4)
    notebook.cells.insert(0, cell)
    nbformat.write(notebook, "n.ipynb")
    Path("007").mkdir()
    assert commands.main(["run", "n.ipynb", "-p", "DATASET", "007", "--output", "out"]) == 0
    assert "007 True" in Path("out/n.ipynb").read_text(encoding="utf-8")


def test_student_keeps_answers_unless_forced(capsys) -> None:
    answered, other = (Path("student", f"{name}.ipynb") for name in ("11_feature_extraction", "01_images_as_arrays"))
    assert commands.main(["student", "11"]) == 0
    assert capsys.readouterr().out.strip() == str(answered)
    edition = answered.read_bytes()
    assert b"BEGIN SOLUTION" not in edition
    answered.write_bytes(edition.replace(b"raise NotImplementedError", b"return 2 #"))
    assert commands.main(["student", "01", "11"]) == 0
    output, error = capsys.readouterr()
    assert output.strip() == str(other)
    assert str(answered) in error.splitlines()[0]
    assert "--force" in error.splitlines()[1]
    assert answered.read_bytes() != edition
    assert commands.main(["student", "11", "--force"]) == 0
    assert answered.read_bytes() == edition


def test_student_writes_a_course_for_nbgrader(capsys) -> None:
    assert commands.main(["student", "01", "04", "--nbgrader", "course", "-p", "DATASET", "my_photos"]) == 0
    output, error = capsys.readouterr()
    names = ("01_images_as_arrays", "04_folders_to_batches")
    assert output.splitlines() == [str(Path("course", "source", name, f"{name}.ipynb")) for name in names]
    assert "nbgrader generate_assignment NAME (docs/teaching.md, Marking)" in error
    assert Path("course/nbgrader_config.py").is_file()
    assert all('DATASET = \\"my_photos\\"' in Path(line).read_text("utf-8") for line in output.splitlines())


def test_run_takes_only_what_a_change_touches(capsys) -> None:
    write_notebook(Path("05_same.ipynb"), "print(6 * 7)")
    assert commands.main(["outputs", "05_same.ipynb"]) == 0
    notebook = nbformat.read("05_same.ipynb", as_version=4)
    notebook.cells[0].source = "print(6 * 8)"
    nbformat.write(notebook, "05_changed.ipynb")
    capsys.readouterr()
    call = ["run", "--changed", "--output", "out", "05_same.ipynb"]
    assert commands.main([*call, "05_changed.ipynb"]) == 0
    left_out = "Left out, as nothing under them has changed: 05_same"
    assert capsys.readouterr().out.splitlines()[0] == left_out
    assert sorted(path.stem for path in Path("out").glob("*.ipynb")) == ["05_changed"]
    assert commands.main(call) == 0
    assert capsys.readouterr().out.strip() == left_out


@pytest.mark.parametrize("command", ["run", "student", "lint", "outputs", "run --profile quick"])
def test_a_package_without_its_course_says_so(command: str, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.commands import notebooks

    monkeypatch.setattr(notebooks, "NOTEBOOK_FOLDER", Path("site-packages", "notebooks").resolve())
    for arguments in (command, f"{command} 11"):
        assert commands.main(arguments.split()) == 2
        assert "was installed without them" in only_line(capsys)
    assert list(Path().iterdir()) == []


def test_outputs_runs_what_has_changed(capsys) -> None:
    write_notebook(Path("05_x.ipynb"), "print(6 * 7)")
    assert commands.main(["outputs", "05_x.ipynb"]) == 0
    assert commands.main(["outputs", "05_x.ipynb"]) == 0
    assert capsys.readouterr().out == "05_x.ipynb: executed\n05_x.ipynb: unchanged\n"
    write_notebook(Path("bad.ipynb"), "1 / 0")
    assert commands.main(["outputs", "bad.ipynb"]) == 1
    assert "bad.ipynb stopped at cell 1" in capsys.readouterr().err


# --- as a process ------------------------------------------------------------------------------------------------


CALLS = """
import os, runpy, sys

def call(form):  # as `python -m helpers` does; then flush, as Python does when it ends
    sys.argv[1:] = ["predict", "model.keras", "photos", "--format", form]
    try:
        runpy.run_module("helpers", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        sys.stdout.flush()
        print(ended.code, end="|", file=sys.stderr, flush=True)

broken = int(sys.argv[1])
call("csv")
for form in ("csv", "table") if broken else ():
    os.dup2(broken, sys.stdout.fileno())
    call(form)
"""


@pytest.fixture(scope="module")
def process(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """What a process answers; and what it says, with its exit code, to a reader that stays and to two that leave."""
    folder = tmp_path_factory.mktemp("process")
    shutil.copy(saved, folder / "model.keras")
    (folder / "photos").mkdir()
    names = ["000.png", "한글.png"]
    if sys.platform == "linux":  # other systems take UTF-8 only
        names.append(os.fsdecode("고양이.png".encode("cp949")))
    for seed, name in enumerate(names):
        Image.fromarray(draw_noise(seed)).save(folder / "photos" / name)
    broken = 0
    if os.name != "nt":  # no such pipes there
        reader, broken = os.pipe()
        os.close(reader)
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", CALLS, str(broken)]
    inherited = {"pass_fds": (broken,)} if broken else {}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, **inherited)
    if broken:
        os.close(broken)
    *said, rest = done.stderr.decode().split("|")
    assert (done.returncode, without_bars(rest)) == (0, [])
    return done.stdout.decode("utf-8"), said


@pytest.mark.skipif(os.name == "nt", reason="no such pipes")
@pytest.mark.parametrize("form", ["csv", "table"])
def test_a_reader_that_leaves_early_is_no_error(form: str, process: tuple[str, list[str]]) -> None:
    _, (_, *left) = process
    assert without_bars(dict(zip(("csv", "table"), left, strict=True))[form]) == ["1"]


def test_standard_error_is_silent_and_names_in_any_script_are_written(process: tuple[str, list[str]]) -> None:
    output, (said, *_) = process
    assert without_bars(said) == ["0"]
    assert "한글.png" in output
    assert sys.platform != "linux" or "\\udcb0\\udced\\udcbe\\udce7\\udcc0\\udccc.png" in output


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_ctrl_c_stops_a_run_and_keeps_what_was_finished() -> None:
    write_notebook(Path("good.ipynb"), "1")
    write_notebook(Path("long.ipynb"), "open('started', 'w').close()", "import time; time.sleep(600)")
    process = start("run", "good.ipynb", "long.ipynb", "--output", "out", text=True)
    wait_for(Path("started"))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.rstrip().endswith("Stopped. What was finished before is complete.")
    assert "Traceback" not in error
    index = Path("out/index.html").read_text(encoding="utf-8")
    assert "good.html" in index
    assert "long" not in index


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_ctrl_c_leaves_no_half_written_model(make_folder: MakeFolder, tmp_path: Path) -> None:
    photos = make_folder({"cat": 100, "dog": 100})
    process = start("teach", photos, "--output", "out/m.keras", text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    for line in process.stdout:
        if line.startswith("Looking"):
            break
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in error
    left = [path for folder in ("out", "data") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert left == []


def wait_for(path: Path, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.1)
