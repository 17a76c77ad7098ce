"""`python -m helpers data get`: what it says where, its exit codes, and what a stopped call leaves."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import (
    Handler,
    Host,
    ServedSquares,
    answering,
    breaking,
    come_at_once,
    make_zip,
    picture_files,
    register,
    serving,
    whole,
)

from helpers import commands, datasets

CALLED = "python -m helpers data: "


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    come_at_once(monkeypatch)


@pytest.fixture
def squares() -> Iterator[Host]:
    with serving(Host(make_zip(picture_files()))) as host:
        register(host)
        yield host
    ServedSquares.url_infos = {}


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a call that must fail with exit code 2."""
    assert commands.main(["data", "get", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    last = told.err.splitlines()[-1]
    assert last.startswith(CALLED)
    return last.removeprefix(CALLED)


def test_the_cost_then_the_pictures_then_nothing_to_do(squares: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["data", "get", "served_squares"]) == 0
    told = capsys.readouterr()
    place = Path("data", "tfds", "served_squares", "1.0.0")
    assert told.out.startswith(f"Done. 4 pictures of 'served_squares/1.0.0' in {place} (19.8kB).")
    assert told.err.index("Download: 20.0kB in 1 file\nDisk: up to about 60.1kB") < told.err.index("Generating")
    assert f"Place: {Path('data', 'tfds')} (" in told.err

    assert commands.main(["data", "get", "served_squares"]) == 0
    again = capsys.readouterr()
    assert again.out.startswith(f"Already here. 4 pictures of 'served_squares/1.0.0' in {place} (19.8kB).")
    assert again.err == ""
    assert len(squares.asked) == 1


def test_a_dry_run_does_nothing(squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["data", "get", "served_squares", "--dry-run"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Download: 20.0kB in 1 file\nDisk: up to about 60.1kB (")
    assert told.err == ""
    assert squares.asked == []
    assert list(tmp_path.iterdir()) == []


def test_the_cost_of_the_real_one_is_known_without_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["data", "get", "cats_vs_dogs", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Download: 825MB in 1 file\nDisk: up to about 2.47GB (")
    assert "1738 corrupted images that are dropped" in told


def test_what_is_drawn_costs_no_download(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["data", "get", "synthetic_pets/tiny", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("Download: 'synthetic_pets/tiny' has no file to download.\n")


def test_loading_by_name_goes_on_where_the_command_stopped(squares: Host, capsys: pytest.CaptureFixture[str]) -> None:
    squares.plan = [breaking(5_000), answering(404)]
    assert "404 Not Found" in refused(["served_squares"], capsys)
    squares.plan = [whole]
    data = datasets.load("served_squares", num_train=2, num_validation=1, num_test=1)
    assert sum(data.counts.values()) == 4
    assert squares.asked[-1] == "bytes=5000-"
    assert ", 5.00kB of it here already" in capsys.readouterr().err


def test_a_file_brought_along_is_used(squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.zip").write_bytes(squares.content)
    (tmp_path / "other.zip").write_bytes(b"other")
    line = refused(["served_squares", "--archive", "other.zip"], capsys)
    assert line.startswith("Received 'other.zip' (5 bytes, SHA-256 ")
    assert f"expected {squares.url}/squares.zip (" in line
    assert refused(["served_squares", "--archive", "none.zip"], capsys).startswith("There is no file 'none.zip'")
    assert commands.main(["data", "get", "served_squares", "--archive", "mine.zip"]) == 0
    assert capsys.readouterr().out.startswith("Done. 4 pictures")
    assert squares.asked == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cat_vs_dogs", "(did you mean 'cats_vs_dogs'?)"),
        ("no_such_thing", "expected a folder, 'synthetic_pets' or a TensorFlow Datasets name"),
        ("../cats_vs_dogs", "expected a folder, 'synthetic_pets' or a TensorFlow Datasets name"),
        ("imdb_reviews", "expected a data set of (image, class label) pairs"),
        ("imagenet2012", "put them into a folder with one sub-folder per class"),
        ("photos", "Received 'photos', a folder that is here"),
        ("", "Received ''"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    assert said in refused([name], capsys)


def test_a_place_that_cannot_be_written_to_is_named(
    squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    assert str(tmp_path / "data") in refused(["served_squares"], capsys)
    assert squares.asked == []


CALL = """
import sys
import served
from helpers import commands
host = served.Host(served.make_zip(served.picture_files() | {"README": bytes(300_000)}))
host.url = sys.argv[1]
served.register(host)
sys.exit(commands.main(["data", "get", "served_squares"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_stopped_with_ctrl_c_it_goes_on_where_it_was(
    squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    squares.content = make_zip(picture_files() | {"README": bytes(300_000)})
    stopped = threading.Event()

    def stall(handler: Handler) -> None:
        breaking(200_000)(handler)
        stopped.wait(120)

    squares.plan = [stall]
    command = [sys.executable, "-c", CALL, squares.url]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while not (parts := list(tmp_path.rglob("*.part"))) or parts[0].stat().st_size < 100_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    stopped.set()
    assert process.returncode == 130
    assert out == ""
    assert "The same command goes on from here." in err
    assert "Traceback" not in err
    kept = parts[0].stat().st_size
    assert 100_000 <= kept <= 200_000
    squares.plan = [whole]
    register(squares)  # the same file is known here
    assert commands.main(["data", "get", "served_squares"]) == 0
    assert squares.asked == [None, f"bytes={kept}-"]
    assert capsys.readouterr().out.startswith("Done. 4 pictures")


def test_a_dry_run_refuses_what_the_call_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert "which no program may download" in refused(["imagenet2012", "--dry-run"], capsys)
    assert refused(["cats_vs_dogs", "--dry-run", "--archive", "none.zip"], capsys).startswith("There is no file")
