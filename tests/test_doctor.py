"""The doctor: what it says of machines that we know, each described by data, and of the one it runs on."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from helpers import commands, doctor
from helpers.commands.doctor import as_json

TENSORFLOW = doctor.Package(name="tensorflow", wanted="<3,>=2.21", installed="2.21.0", fits=True)
LESSONS = (
    doctor.Lesson(name="00_start", title="00 Start", minutes=30, passes=2.0, optional=False),
    doctor.Lesson(name="01_next", title="01 Next", minutes=60, passes=4.0, optional=True),
    doctor.Lesson(name="02_new", title="02 New", minutes=None, passes=None, optional=False),
)
WELL = doctor.Machine(
    python="3.12.1",
    system="Linux x86_64",
    packages=(TENSORFLOW,),
    cores=2,
    gpus=(),
    memory=16e9,
    free_memory=9e9,
    data_folder="data",
    data_problem="",
    free_disk=50e9,
    data_sets={"synthetic_pets": True, "cats_vs_dogs": False},
    weights_problem="",
    lessons=LESSONS,
    seconds_per_pass=15.0,
)
OLD = replace(TENSORFLOW, installed="2.15.0", fits=False)
MISSING = replace(TENSORFLOW, installed=None, fits=False)

# By what is wrong: the machine, what is said, what mends it, and whether the course needs it.
UNWELL = {
    "old Python": (replace(WELL, python="3.10.2"), "Python 3.10.2, expected 3.11 to 3.13", "PYTHON=python3.13", True),
    "new Python": (replace(WELL, python="3.14.0"), "Python 3.14.0, expected", "make clean setup", True),
    "old package": (
        replace(WELL, packages=(OLD,)),
        "tensorflow 2.15.0, expected tensorflow<3,>=2.21",
        'python -m pip install "tensorflow<3,>=2.21"',
        True,
    ),
    "no package": (replace(WELL, packages=(MISSING,)), "No tensorflow, expected", "pip install", True),
    "not installed": (replace(WELL, packages=()), "not installed as a package", "make setup", False),
    "read-only": (
        replace(WELL, data_problem="Received output 'data'. Choose another folder."),
        "Nothing can be written",
        "Choose another folder. Set the environment variable COURSE_DATA",
        True,
    ),
    "full disk": (replace(WELL, free_disk=0.1e9), "0.1 GB free on the disk, expected 0.5 GB", "COURSE_DATA", True),
    "little memory": (replace(WELL, free_memory=1e9), "1.0 GB of memory free", "Close other programs", False),
    "no pets": (
        replace(WELL, data_sets={"synthetic_pets": False}),
        "not drawn yet",
        "python -m helpers data get synthetic_pets",
        False,
    ),
    "no weights": (
        replace(WELL, weights_problem="Install it: pip install x."),
        "EfficientNetLite0",
        "pip install x",
        True,
    ),
    "no notebooks": (replace(WELL, lessons=()), "notebooks are not here", "Clone the course", False),
}


def test_a_machine_that_is_well_has_no_problem_and_minutes_for_what_was_measured() -> None:
    assert doctor.find_problems(WELL) == []
    assert doctor.estimate_minutes(WELL) == {"00_start": 0.5, "01_next": 1.0}
    text = "\n".join(doctor.describe(WELL))
    assert "tensorflow 2.21.0" in text
    assert "GPU: none, and none is needed" in text
    assert "01_next   1.0\ntogether  1.5" in text
    assert text.endswith("All that the course needs is here.")


@pytest.mark.parametrize("kind", UNWELL)
def test_each_problem_is_named_with_what_mends_it(kind: str) -> None:
    machine, what, mend, needed = UNWELL[kind]
    (problem,) = doctor.find_problems(machine)
    assert what in problem.what
    assert mend in problem.mend
    assert problem.needed == needed
    text = "\n".join(doctor.describe(machine))
    assert f"{'Missing' if needed else 'Note'}: {problem.what}\n    {problem.mend}" in text
    assert ("All that the course needs is here." in text) != needed


@pytest.mark.parametrize("kind", UNWELL)
def test_on_windows_nobody_is_sent_to_make(kind: str) -> None:
    (problem,) = doctor.find_problems(replace(UNWELL[kind][0], system="Windows AMD64"))
    assert not re.search("make (clean|setup)", problem.mend)
    if kind == "old Python":
        assert "conda env create --file environment.yml" in problem.mend


def test_what_the_course_needs_comes_first() -> None:
    machine = replace(WELL, data_sets={"synthetic_pets": False}, free_memory=1e9, weights_problem="Install it.")
    assert [problem.needed for problem in doctor.find_problems(machine)] == [True, False, False]


def test_without_a_pass_or_the_notebooks_there_are_no_minutes() -> None:
    assert doctor.estimate_minutes(replace(WELL, seconds_per_pass=None)) == {}
    assert doctor.estimate_minutes(replace(WELL, lessons=())) == {}
    assert "minutes" not in "\n".join(doctor.describe(replace(WELL, lessons=())))


def test_gpus_and_what_is_not_known_are_shown() -> None:
    machine = replace(WELL, gpus=("Tesla T4",), data_sets={}, packages=(MISSING,), seconds_per_pass=None)
    text = "\n".join(doctor.describe(machine))
    assert "GPU: Tesla T4" in text
    assert "Pictures   not looked for" in text
    assert "One pass" not in text


def test_json_holds_all_of_it_as_plain_data() -> None:
    told = json.loads(json.dumps(as_json(UNWELL["old package"][0])))
    assert told["ready"] is False
    assert told["problems"][0]["needed"] is True
    assert told["minutes"] == {"00_start": 0.5, "01_next": 1.0}
    assert told["machine"]["packages"][0]["installed"] == "2.15.0"
    assert told["machine"]["lessons"][1]["optional"] is True
    assert as_json(WELL)["ready"] is True


# --- the lessons -------------------------------------------------------------------------------------------------


def write_lesson(project: Path, name: str, *cells: str) -> None:
    (project / "notebooks").mkdir(exist_ok=True)
    content = {"cells": [{"cell_type": "markdown", "source": cell.splitlines(keepends=True)} for cell in cells]}
    (project / "notebooks" / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")


def test_a_lesson_says_itself_what_it_is(tmp_path: Path) -> None:
    write_lesson(tmp_path, "03_b", "# 03 B: why?\n\n**About 60 minutes to read and try**. It may be skipped.", "x", "y")
    write_lesson(tmp_path, "01_a", "# 01 A", "text", "## Extension (may be skipped)")
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    costs = {"notebooks": {"03_b": {"passes": 2.5}, "09_gone": {"passes": 1.0}}}
    (tmp_path / "benchmarks" / "results" / "course.json").write_text(json.dumps(costs), encoding="utf-8")
    assert doctor.find_lessons(tmp_path) == [
        doctor.Lesson(name="01_a", title="01 A", minutes=None, passes=None, optional=False),
        doctor.Lesson(name="03_b", title="03 B: why?", minutes=60, passes=2.5, optional=True),
    ]


def test_where_no_notebooks_were_installed_there_are_no_lessons(tmp_path: Path) -> None:
    assert doctor.find_lessons(tmp_path) == []


def test_every_lesson_of_the_course_says_its_minutes() -> None:
    assert [lesson.name for lesson in doctor.find_lessons() if lesson.minutes is None] == []


# --- this machine ------------------------------------------------------------------------------------------------


def test_this_machine_is_examined_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    assert commands.main(["doctor", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    machine = told["machine"]
    assert told["ready"]
    assert machine["data_sets"] == {"synthetic_pets": False, "cats_vs_dogs": False}
    assert machine["memory"] > machine["free_memory"] > 0
    assert machine["cores"] >= 1
    assert machine["seconds_per_pass"] is None
    assert {"name": "keras", "wanted": "<4,>=3.15", "installed": keras.__version__, "fits": True} in machine["packages"]
    assert not (tmp_path / "data").exists()


def test_a_missing_need_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (tmp_path / "data").mkdir()
    unwritable = "/proc" if sys.platform == "linux" else None
    if unwritable is None:
        pytest.skip("needs a folder where not even root can write")
    monkeypatch.setenv("COURSE_DATA", unwritable)
    assert commands.main(["doctor", "--quick"]) == 1
    assert "Missing: Nothing can be written to the data folder." in capsys.readouterr().out


def test_a_pass_is_measured_with_any_network_of_that_size() -> None:
    network = keras.Sequential([keras.Input((160, 160, 3)), keras.layers.AveragePooling2D(80)])
    assert 0 < doctor.measure_pass(network) < 60


def test_another_python_is_told_where_the_packages_are(tmp_path: Path) -> None:
    """As with `python3 -m helpers` outside the environment: -S leaves the packages out."""
    command = [sys.executable, "-S", "-m", "helpers", "doctor"]
    environment = {**os.environ, "PYTHONPATH": str(doctor.PROJECT)}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "make setup" in ended.stderr
