"""`python -m helpers data check`: what it prints where, what it writes and moves, and its exit codes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

from helpers import cleaning, commands
from tests import damaged_files


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def make_good(folder: str = "photos", *, count: int = 4) -> None:
    (Path(folder) / "cat").mkdir(parents=True)
    for seed in range(count):
        damaged_files.draw(seed).save(Path(folder, "cat", f"[b]{seed}[b].jpg"))


def test_a_folder_without_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    make_good()
    assert commands.main(["data", "check", "photos"]) == 0
    output, error = capsys.readouterr()
    assert output == "4 pictures looked at, 4 of them usable.\n"
    assert error == ""


def test_what_is_odd_but_usable_is_told_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    make_good()
    damaged_files.draw(9).convert("CMYK").save("photos/cat/[b]ink[b].jpg")
    assert commands.main(["data", "check", "photos", "--set-aside", "aside"]) == 0
    output = capsys.readouterr().out
    assert "5 pictures looked at, 5 of them usable." in output
    assert "cat/[b]ink[b].jpg" in output
    assert re.search(r"cmyk +│ +1 +│ +0 ", output)
    assert not Path("aside").exists()


def test_everything_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    expected = damaged_files.plant(Path("photos"))
    unusable = {file for file, pairs in expected.items() if not all(usable for _, usable in pairs)}
    number = sum(path.is_symlink() or not path.is_dir() for path in cleaning.find_candidates("photos"))
    assert commands.main(["data", "check", "photos", "--manifest", "new/found.csv"]) == 1
    output, error = capsys.readouterr()
    assert f"{number} pictures looked at, {number - len(unusable)} of them usable." in output
    for kind in cleaning.KINDS:
        of_kind = [usable for pairs in expected.values() for name, usable in pairs if name == kind]
        assert re.search(rf"{kind} +│ +{len(of_kind)} +│ +{of_kind.count(False)} ", output), kind
    findings = sum(map(len, expected.values()))
    assert f"{findings - 20} more findings: --manifest FILE.csv lists them all." in output
    assert "Training leaves the unusable files out. To move them away: add --set-aside DIR" in output
    assert len(pandas.read_csv("new/found.csv")) == findings
    assert error == ""

    assert commands.main(["data", "check", "photos", "--set-aside", "aside"]) == 1
    assert f"Moved {len(unusable)} files; listed in {Path('aside', 'manifest.csv')}" in capsys.readouterr().out
    assert len(pandas.read_csv("aside/manifest.csv")["file"].unique()) == len(unusable)
    assert Path("photos/dog/picture.txt").exists()  # a good picture is not moved for its name
    assert commands.main(["data", "check", "photos", "--set-aside", "aside"]) == 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("nothing", ["nothing", "no such folder", "Check the path"]),
        ("a_file", ["a_file", "expected a folder"]),
        ("empty", ["'empty'", "without a picture"]),
        ("photos --manifest empty", ["'empty'", "expected a file"]),
        ("photos --manifest a_file/m.csv", ["'a_file'", "no file can be written"]),
        ("photos --set-aside photos/bad", ["'photos/bad'", "would be found again", "'photos_set_aside'"]),
        ("photos --set-aside .", ["'.'", "expected a folder apart"]),
        ("photos --set-aside a_file", ["'a_file'", "a file, expected a folder"]),
        ("photos --set-aside a_file/aside", ["'a_file/aside'", "no file can be written"]),
    ],
)
def test_what_does_not_fit_is_said_in_one_line_before_the_work(
    arguments: str, parts: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_good()
    Path("empty").mkdir()
    Path("empty", "notes.txt").write_text("no picture")
    Path("a_file").touch()
    before = sorted(Path().rglob("*"))
    monkeypatch.setattr(cleaning, "find_problems", None)  # the work is not begun
    assert commands.main(["data", "check", *arguments.split()]) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("python -m helpers data: ")
    assert error.count("\n") == 1
    assert [part for part in parts if part not in error.replace("\\", "/")] == []
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "photos", "--manifest"], ["look", "photos"]])
def test_a_wrong_call_shows_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["data", *arguments])
    assert ended.value.code == 2
    assert "usage: python -m helpers data" in capsys.readouterr().err


def test_help_shows_an_example_that_can_be_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["data", "check", "--help"])
    assert ended.value.code == 0
    *_, example = capsys.readouterr().out.partition("Example:\n  python -m helpers ")
    assert commands.build_parser().parse_args(example.split()).set_aside == Path("damaged")


def test_as_a_process_it_says_nothing_on_standard_error() -> None:
    damaged_files.plant(Path("photos"))
    command = [sys.executable, "-W", "error", "-m", "helpers", "data", "check", "photos"]
    done = subprocess.run(command, capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"")
    assert "\ufffd" not in done.stdout.decode("utf-8")


def test_a_manifest_replaces_no_picture_and_no_list_of_what_was_moved(capsys: pytest.CaptureFixture[str]) -> None:
    make_good()
    (Path("photos") / "cat" / "broken.jpg").touch()
    before = {path: path.read_bytes() for path in Path("photos").rglob("*.jpg")}
    picture = str(next(iter(before)))
    assert commands.main(["data", "check", "photos", "--manifest", picture]) == 2
    assert "expected a name that ends in .csv" in capsys.readouterr().err
    kept = str(Path("aside", cleaning.MANIFEST_NAME))
    assert commands.main(["data", "check", "photos", "--manifest", kept, "--set-aside", "aside"]) == 2
    assert "expected another file than the list of all that was set aside" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("photos").rglob("*.jpg")} == before


def test_a_folder_with_the_name_of_a_picture_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos/cats.jpg").mkdir(parents=True)
    assert commands.main(["data", "check", "photos"]) == 2
    assert "without a picture, expected one or more" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_name_cannot_colour_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    make_good()
    Path("photos/cat/\x1b[31mred\n.jpg").touch()
    assert commands.main(["data", "check", "photos"]) == 1
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "cat/\\x1b[31mred\\n.jpg" in output
