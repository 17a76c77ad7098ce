"""Downloads, against a server on the loopback address that breaks off, refuses, lies and attacks."""

import io
import multiprocessing
import os
import shutil
import socket
import sys
import tarfile
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from served import (
    HandMade,
    Host,
    ServedSquares,
    answering,
    breaking,
    endless,
    make_tar,
    make_zip,
    picture_files,
    register,
    serving,
    sha256,
    silent,
    whole,
    without_ranges,
)

from helpers import downloads
from helpers.downloads import _archives, _fetch

CONTENT = bytes(range(256)) * 800  # three chunks and a bit
PAGE = b"<html>Please log in</html>"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between attempts, and do not ask a proxy for the loopback address."""
    monkeypatch.setattr(_fetch, "WAITS", (0, 0, 0, 0))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host(CONTENT)) as host:
        yield host


def fetch(host: Host, path: Path, *, content: bytes = CONTENT) -> None:
    downloads.fetch(f"{host.url}/file.bin", path, size=len(content), sha256=sha256(content))


def one_line(caught: pytest.ExceptionInfo) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- one file ----------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_once_and_whole(host: Host, tmp_path: Path) -> None:
    fetch(host, tmp_path / "new" / "file.bin")
    assert (tmp_path / "new" / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.bin"]
    assert host.asked == [None]


def test_a_broken_transfer_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.plan = [breaking(100_000), breaking(50_000), whole]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert host.sent == len(CONTENT), "no byte came twice"


def test_a_server_that_knows_no_ranges_starts_again(host: Host, tmp_path: Path) -> None:
    host.plan = [breaking(100_000, ranges=False), without_ranges]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == [None, "bytes=100000-"]
    assert host.sent == len(CONTENT) + 100_000


def test_each_new_byte_earns_new_attempts(host: Host, tmp_path: Path) -> None:
    host.plan = [*[breaking(20_000)] * (len(CONTENT) // 20_000), whole]
    assert len(host.plan) > len(_fetch.WAITS) + 1
    fetch(host, tmp_path / "file.bin")
    assert host.sent == len(CONTENT)


def test_a_server_that_always_stops_at_the_same_place_is_given_up(host: Host, tmp_path: Path) -> None:
    host.plan = [breaking(100_000, ranges=False)]
    with pytest.raises(downloads.TransferError, match=r"the connection broke, 5 times in a row\. 100 kB of 205 kB"):
        fetch(host, tmp_path / "file.bin")
    assert len(host.asked) == 6
    host.plan = [whole]
    fetch(host, tmp_path / "file.bin")
    assert host.asked[-1] == "bytes=100000-"


def test_what_a_stopped_call_fetched_is_kept(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = _fetch.tqdm.update

    def stop_in_the_middle(bar: _fetch.tqdm, count: int) -> None:
        update(bar, count)
        if bar.n > 100_000:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(_fetch.tqdm, "update", stop_in_the_middle)
        fetch(host, tmp_path / "file.bin")
    assert not (tmp_path / "file.bin").exists()
    kept = (tmp_path / "file.bin.part").stat().st_size
    assert kept > 100_000
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == [None, f"bytes={kept}-"]


@pytest.mark.parametrize(
    "part", [b"of another file", CONTENT[:-1] + b"?", CONTENT + b"more"], ids=["short", "same length", "longer"]
)
def test_a_part_of_another_file_is_not_trusted(part: bytes, host: Host, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(part)
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked[-1] is None


def test_a_complete_part_needs_no_server(tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    fetch(Host(), tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [answering(416), answering(206, CONTENT, Content_Range="bytes 7-9/10")])
def test_an_answer_that_does_not_continue_starts_again(answer: object, host: Host, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    host.plan = [answer, whole]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == ["bytes=1000-", None]


@pytest.mark.parametrize("passing", [silent, answering(503), answering(429), answering(200)])
def test_what_may_pass_is_asked_again(passing: object, host: Host, tmp_path: Path) -> None:
    host.plan = [passing, passing, whole]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "reason", "requests_made"),
    [
        (answering(404), "the server answered 404 Not Found", 1),
        (answering(403, PAGE, Content_Type="text/html"), "the server answered 403 Forbidden", 1),
        (answering(503), "the server answered 503 Service Unavailable, 5 times in a row", 5),
        (silent, "the connection broke, 5 times in a row", 5),
        (answering(200), "the answer ended early, 5 times in a row", 5),
    ],
    ids=["404", "403", "503", "no reply", "empty"],
)
def test_a_server_that_does_not_send_it_is_named(
    answer: object, reason: str, requests_made: int, host: Host, tmp_path: Path
) -> None:
    host.plan = [answer]
    with pytest.raises(downloads.TransferError) as caught:
        fetch(host, tmp_path / "file.bin")
    assert one_line(caught).startswith(f"{host.url}/file.bin did not come: {reason}")
    assert len(host.asked) == requests_made
    assert not (tmp_path / "file.bin").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answering(200, PAGE, Content_Type="text/html; charset=utf-8"), "a web page, expected a file of 204,800 bytes"),
        (answering(200, PAGE), "a file of 26 bytes, expected 204,800"),
        (answering(200, CONTENT[:-1] + b"?"), r"a file with SHA-256 \w{64}, expected \w{64}.*It was deleted"),
        (endless, "more than the expected 204,800 bytes"),
    ],
    ids=["login page", "other size", "other content", "endless"],
)
def test_what_is_not_the_file_is_refused(answer: object, reason: str, host: Host, tmp_path: Path) -> None:
    host.plan = [answer]
    with pytest.raises(downloads.DownloadError, match=reason) as caught:
        fetch(host, tmp_path / "file.bin")
    one_line(caught)
    assert len(host.asked) == 1
    assert not (tmp_path / "file.bin").exists()
    host.plan, host.asked = [whole], []
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == [None], "nothing of the wrong file was kept"


def test_a_login_page_does_not_cost_what_was_fetched_before(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    host.plan = [answering(200, PAGE, Content_Type="text/html"), whole]
    with pytest.raises(downloads.DownloadError, match="web page"):
        fetch(host, tmp_path / "file.bin")
    fetch(host, tmp_path / "file.bin")
    assert host.asked == ["bytes=1000-", "bytes=1000-"]


def test_a_packed_file_is_not_unpacked_on_the_way(host: Host, tmp_path: Path) -> None:
    packed = make_tar({"a": b"a"})
    host.plan = [answering(200, packed, Content_Encoding="gzip", Content_Type="application/x-tar")]
    fetch(host, tmp_path / "file.tar.gz", content=packed)
    assert (tmp_path / "file.tar.gz").read_bytes() == packed


def test_without_a_server_it_fails_at_the_second_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []
    monkeypatch.setattr(_fetch.time, "sleep", waited.append)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(requests.ConnectionError):
        downloads.fetch(f"http://127.0.0.1:{port}/file", tmp_path / "file", size=3, sha256=sha256(b"abc"))
    assert len(waited) == 1


def test_a_full_disk_is_told_before(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(len(CONTENT) - 1001))
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    with pytest.raises(
        OSError, match=r"204 kB free, expected 204 kB or more\. Make space, or set COURSE_DATA"
    ) as caught:
        fetch(host, tmp_path / "file.bin")
    one_line(caught)
    assert host.asked == []
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1001])
    fetch(host, tmp_path / "file.bin")


@given(st.integers(0, 10**13))
def test_sizes_are_short_and_near(size: int) -> None:
    number, unit = downloads._fetch.describe_size(size).split()
    factor, error = {"bytes": (1, 0), "kB": (1e3, 500), "MB": (1e6, 5e5), "GB": (1e9, 5e7)}[unit]
    assert abs(float(number) * factor - size) <= error
    assert len(number) <= 7


# --- archives ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "zip, a member": make_zip({"../../evil.png": b"evil"}),
    "zip, in the middle": make_zip({"dark/../../evil.png": b"evil"}),
    "zip, absolute": make_zip({"/evil.png": b"evil"}),
    "zip, a Windows path": make_zip({"..\\..\\evil.png": b"evil"}),
    "zip, a drive": make_zip({"C:\\evil.png": b"evil"}),
    "zip, a link": make_zip({}, link=("dark/evil", "../../secret")),
    "tar, a member": make_tar({"../../evil.png": b"evil"}),
    "tar, absolute": make_tar({"/evil.png": b"evil"}),
    "tar, a symbolic link": make_tar({}, link=("dark/evil", "../../secret")),
    "tar, an absolute link": make_tar({}, link=("evil", "/etc")),
    "tar, a hard link": make_tar({}, link=("dark/evil", "../secret"), kind=tarfile.LNKTYPE),
}
HARMLESS = {
    "zip": make_zip(picture_files()),
    "zip, a link": make_zip(picture_files(), link=("dark/copy", "../light/1.png")),
    "tar": make_tar(picture_files()),
    "tar, dots": make_tar({"./dark/../light/..a.png": b"a", "...": b"b"}),
    "tar, a symbolic link": make_tar(picture_files(), link=("dark/copy", "../light/1.png")),
    "tar, a hard link": make_tar(picture_files(), link=("dark/copy", "light/1.png"), kind=tarfile.LNKTYPE),
    "no archive": CONTENT,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets").write_bytes(content)
    with pytest.raises(downloads.DownloadError, match=r"'pets' with the (member|link) '.*(evil)") as caught:
        downloads.check_archive(tmp_path / "pets")
    assert one_line(caught).endswith("do not trust this archive.")
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_archive_passes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets").write_bytes(content)
    downloads.check_archive(tmp_path / "pets")


def test_an_archive_that_ends_early_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pets.tar.gz").write_bytes(make_tar(picture_files())[:-2000])
    with pytest.raises(downloads.DownloadError, match=r"'pets\.tar\.gz' that cannot be read to its end"):
        downloads.check_archive(tmp_path / "pets.tar.gz")


def test_a_tar_that_ends_in_a_zip_is_still_looked_through_as_a_tar(tmp_path: Path) -> None:
    both = make_tar({"../../evil.png": b"evil", "last.zip": make_zip(picture_files())}, packed=False)
    (tmp_path / "pets").write_bytes(both)
    with pytest.raises(downloads.DownloadError, match=r"the member '\.\./\.\./evil\.png'"):
        downloads.check_archive(tmp_path / "pets")


def test_a_link_as_long_as_a_film_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(make_zip({}, link=("copy", "a" * 10_000)))
    with pytest.raises(downloads.DownloadError, match=r"the link 'copy' is too long"):
        downloads.check_archive(tmp_path / "pets.zip")


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    content = bytearray(make_tar({f"{i}.png": b"picture" for i in range(40)}, packed=False))
    content[20 * 1024 + 100 : 20 * 1024 + 140] = bytes(40)  # a member is a block of 512 bytes and its content one more
    (tmp_path / "pets.tar").write_bytes(content)
    with pytest.raises(downloads.DownloadError, match="cannot be read to its end"):
        downloads.check_archive(tmp_path / "pets.tar")


def test_a_packed_archive_of_an_unknown_method_is_told_in_one_line(tmp_path: Path) -> None:
    content = bytearray(make_zip({}, link=("copy", "light.png")))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):  # the method, beside the file and in the list of contents
        content[content.index(mark) + {3: 8, 1: 10}[mark[2]]] = 77
    (tmp_path / "pets.zip").write_bytes(content)
    with pytest.raises(downloads.DownloadError, match="cannot be read to its end"):
        downloads.check_archive(tmp_path / "pets.zip")


names = st.lists(st.sampled_from(["..", ".", "a", "b", ""]), min_size=1, max_size=6).map("/".join)


@given(names)
def test_a_name_leads_out_exactly_when_its_path_does(name: str) -> None:
    inside = Path("/top/folder")
    resolved = Path(os.path.normpath(inside / name))
    assert _archives._leads_out(name) == (not resolved.is_relative_to(inside))


# --- a data set of TFDS ------------------------------------------------------------------------------------------


@pytest.fixture
def squares(host: Host) -> Iterator[Host]:
    """The server, with the archive of the data set on it."""
    host.content = make_zip(picture_files())
    register(host)
    yield host
    ServedSquares.url_infos = {}
    ServedSquares.extract = True


def builder_in(folder: Path) -> tfds.core.DatasetBuilder:
    return tfds.builder("served_squares", data_dir=folder)


def labels_of(builder: tfds.core.DatasetBuilder) -> list[int]:
    return sorted(int(example["label"]) for example in builder.as_dataset(split="train").as_numpy_iterator())


def outside(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("extract", [True, False], ids=["extracted", "read as it is"])
@pytest.mark.parametrize("make", [make_zip, make_tar], ids=["zip", "tar"])
def test_the_builder_gets_its_file_from_us(extract: bool, make: object, squares: Host, tmp_path: Path) -> None:
    squares.content = make(picture_files())
    register(squares, name="squares.zip" if make is make_zip else "squares.tar.gz")
    ServedSquares.extract = extract
    squares.plan = [breaking(5_000), whole]
    builder = builder_in(tmp_path / "data")
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert squares.asked == [None, "bytes=5000-"], "TFDS downloads nothing itself"
    assert squares.sent == len(squares.content)
    downloads.prepare(builder_in(tmp_path / "data"))
    assert len(squares.asked) == 2


def test_the_cost_is_said_before_anything_is_asked(
    squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    squares.plan = [answering(404)]
    with pytest.raises(ConnectionError):
        downloads.prepare(builder_in(tmp_path / "data"))
    told = capsys.readouterr()
    assert told.out == ""
    assert "Preparing 'served_squares' once: downloading" in told.err
    assert f"Download: {downloads._fetch.describe_size(len(squares.content))} (1 file)\n" in told.err
    assert f"Place: {tmp_path / 'data'} (" in told.err
    assert "About: Squares of noise. Four of them.\n" in told.err


def test_the_cost_counts_what_is_here(squares: Host, tmp_path: Path) -> None:
    builder = builder_in(tmp_path)
    assert downloads.measure_cost(builder).here == 0
    squares.plan = [breaking(5_000), answering(404)]
    with pytest.raises(ConnectionError):
        downloads.prepare(builder)
    cost = downloads.measure_cost(builder_in(tmp_path))
    assert (cost.here, cost.size, cost.files, cost.exact) == (5_000, len(squares.content), 1, True)
    assert ", 5 kB of it here already" in cost.describe()
    squares.plan = [whole]
    downloads.prepare(builder)
    assert squares.asked[-1] == "bytes=5000-"
    assert downloads.measure_cost(builder).here == len(squares.content)


def test_all_variants_together_are_an_upper_bound(tmp_path: Path) -> None:
    cost = downloads.measure_cost(tfds.builder("eurosat", data_dir=tmp_path))
    assert not cost.exact
    assert cost.describe().startswith("Download: at most 2.2 GB (2 files)\n")


def test_a_wrong_checksum_leaves_nothing_to_trust(squares: Host, tmp_path: Path) -> None:
    true = squares.content
    squares.content = true[:-1] + bytes([true[-1] ^ 1])
    with pytest.raises(
        downloads.DownloadError, match=r"'served_squares': .* SHA-256 .* put them into a folder"
    ) as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    assert not downloads.is_prepared(builder_in(tmp_path))
    assert not list(tmp_path.rglob("*.zip*"))
    squares.content = true
    downloads.prepare(builder_in(tmp_path))
    assert squares.asked == [None, None]


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("extract", [True, False], ids=["extracted", "read as it is"])
def test_a_hostile_archive_reaches_no_builder(kind: str, extract: bool, squares: Host, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    squares.content = HOSTILE[kind]
    register(squares, name="squares.zip" if kind.startswith("zip") else "squares.tar.gz")
    ServedSquares.extract = extract
    with pytest.raises(downloads.DownloadError, match="do not trust this archive") as caught:
        downloads.prepare(builder_in(tmp_path / "data"))
    one_line(caught)
    assert outside(tmp_path) == {"data", "secret"}
    assert (tmp_path / "secret").read_text() == "mine"
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name or "squares.zip" in path.name]


@pytest.mark.parametrize("kind", HOSTILE)
def test_tfds_itself_unpacks_nothing_outside_either(kind: str, tmp_path: Path) -> None:
    """Our refusal comes first; should a file reach TFDS in another way, it drops such members and makes no link."""
    (tmp_path / "secret").write_text("mine")
    archive = tmp_path / f"pets{'.zip' if kind.startswith('zip') else '.tar.gz'}"
    archive.write_bytes(HOSTILE[kind])
    manager = tfds.download.DownloadManager(download_dir=tmp_path / "a" / "b")
    before = outside(tmp_path)
    try:
        manager.extract(archive)
    except Exception as error:  # an archive in which nothing is left has no folder to rename
        assert "Error while extracting" in str(error) or isinstance(error, OSError)
    assert outside(tmp_path) == before
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert "mine" not in {path.read_text() for path in (tmp_path / "a").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answering(404), "the server answered 404 Not Found"),
        (answering(503), "the server answered 503"),
        (silent, "the connection broke"),
    ],
    ids=["404", "503", "no reply"],
)
def test_a_dead_server_leaves_two_ways(answer: object, reason: str, squares: Host, tmp_path: Path) -> None:
    squares.plan = [answer]
    with pytest.raises(ConnectionError) as caught:
        downloads.prepare(builder_in(tmp_path))
    line = one_line(caught)
    assert line.startswith(
        f"'served_squares' could not be downloaded: {squares.url}/squares.zip did not come: {reason}"
    )
    assert "`python -m helpers data get served_squares --archive FILE`" in line
    assert "put them into a folder with one sub-folder a class" in line


def test_a_login_page_is_named(squares: Host, tmp_path: Path) -> None:
    squares.plan = [answering(200, PAGE, Content_Type="text/html")]
    with pytest.raises(downloads.DownloadError, match=r"^'served_squares': Received from http.* a web page") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)


def test_without_a_network_one_line_says_what_works(
    squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(ConnectionError) as caught:
        downloads.prepare(builder_in(tmp_path))
    assert one_line(caught) == (
        "'served_squares' is not on this machine and could not be downloaded (ConnectionError). "
        "Connect to the network and try again; 'synthetic_pets' and a folder of your own work without."
    )
    assert squares.asked == []


def test_too_little_space_is_said_before(squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(2 * len(squares.content) - 1))
    with pytest.raises(OSError, match=r"free, expected .* or more\. Make space") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    assert squares.asked == []


def test_a_file_without_its_note_is_verified_not_fetched_again(squares: Host, tmp_path: Path) -> None:
    downloads.prepare(builder_in(tmp_path))
    shutil.rmtree(tmp_path / "served_squares")
    (note,) = (tmp_path / "downloads").rglob("*.INFO")
    note.unlink()
    downloads.prepare(builder_in(tmp_path))
    assert len(squares.asked) == 1
    shutil.rmtree(tmp_path / "served_squares")
    note.unlink()
    file = note.with_suffix("")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    downloads.prepare(builder_in(tmp_path))
    assert len(squares.asked) == 2


def test_a_builder_that_fails_is_told_in_one_line(squares: Host, tmp_path: Path) -> None:
    squares.content = make_zip({"grey/a.png": b"of no known class"})
    register(squares)
    with pytest.raises(ValueError, match=r"^TensorFlow Datasets could not prepare 'served_squares' \(") as caught:
        downloads.prepare(builder_in(tmp_path))
    assert "put them into a folder" in one_line(caught)


def test_a_disk_that_fills_up_while_storing_is_named(
    squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise ValueError("in TFDS") from tf.errors.ResourceExhaustedError(None, None, "No space left")

    monkeypatch.setattr(ServedSquares, "_generate_examples", fill)
    with pytest.raises(OSError, match=r"' is full: 'served_squares' was fetched, .* try again\.$") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    monkeypatch.undo()
    downloads.prepare(builder_in(tmp_path))
    assert len(squares.asked) == 1


def test_what_a_killed_call_left_half_done_is_deleted(squares: Host, tmp_path: Path) -> None:
    builder = builder_in(tmp_path)
    (url,) = builder.url_infos
    unpacked = f"ZIP.{downloads._tfds._place(builder, url, builder.url_infos[url].checksum).name}"
    halves = [
        tmp_path / "served_squares" / "incomplete.A1B2C3_1.0.0",
        tmp_path / "downloads" / "extracted" / f"incomplete.0a1b_{unpacked}",
    ]
    others = [
        tmp_path / "served_squares" / "incomplete.A1B2C3_2.0.0",
        tmp_path / "downloads" / "extracted" / "incomplete.0a1b_ZIP.another.zip",
    ]
    for folder in halves + others:
        (folder / "dark").mkdir(parents=True)
    downloads.prepare(builder)
    assert not any(folder.exists() for folder in halves)
    assert all(folder.exists() for folder in others)
    assert (tmp_path / "downloads" / "extracted" / unpacked).is_dir()


def test_a_file_of_unknown_checksum_is_left_to_tfds(squares: Host, tmp_path: Path) -> None:
    ServedSquares.url_infos = {}
    ServedSquares.address = f"{squares.url}/another/squares.zip"
    cost = downloads.measure_cost(builder_in(tmp_path))
    assert cost.describe().startswith("Download: 'served_squares' does not state its size.\n")
    builder = builder_in(tmp_path)
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert squares.asked == [None]


def test_a_dead_address_left_to_tfds_is_told_at_once(squares: Host, tmp_path: Path) -> None:
    ServedSquares.url_infos = {}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ServedSquares.address = f"http://127.0.0.1:{taken.getsockname()[1]}/squares.zip"
    started = time.monotonic()
    with pytest.raises(ConnectionError, match="not on this machine") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    assert time.monotonic() - started < 5


def test_a_data_set_to_be_got_by_hand_says_how(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^Received 'hand_made', which no program may download.* by hand from http"
    ) as caught:
        downloads.prepare(tfds.builder("hand_made", data_dir=tmp_path))
    one_line(caught)
    with pytest.raises(ValueError, match=r"by hand from https?://(www\.)?image-net\.org") as caught:
        downloads.prepare(tfds.builder("imagenet2012", data_dir=tmp_path))
    one_line(caught)


def test_what_was_put_there_by_hand_is_used(squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "downloads" / "manual").mkdir(parents=True)
    (tmp_path / "downloads" / "manual" / "squares.zip").write_bytes(squares.content)
    monkeypatch.setattr(HandMade, "url_infos", ServedSquares.url_infos)
    builder = tfds.builder("hand_made", data_dir=tmp_path)
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert squares.asked == []


def test_the_builder_of_cats_vs_dogs_takes_its_file_from_us(
    squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real builder, on a small archive with as many files without the JFIF mark as the real one has."""
    monkeypatch.setattr(tfds.image_classification.CatsVsDogs, "url_infos", {})  # loads its module
    module = sys.modules[tfds.image_classification.CatsVsDogs.__module__]
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, format="jpeg")
    good = {f"PetImages/{name}/{number}.jpg": buffer.getvalue() for name in ("Cat", "Dog") for number in range(3)}
    squares.content = make_zip(good | {f"PetImages/Cat/{n}.jpg": b"no mark" for n in range(10, 1748)} | {"readme": b""})
    url = register(squares, name="kagglecatsanddogs_5340.zip")
    monkeypatch.setattr(tfds.image_classification.CatsVsDogs, "url_infos", ServedSquares.url_infos)
    monkeypatch.setattr(module, "_URL", url)
    squares.plan = [breaking(5_000), whole]
    builder = tfds.builder("cats_vs_dogs", data_dir=tmp_path)
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 0, 1, 1, 1]
    assert squares.asked == [None, "bytes=5000-"]


# --- archives brought along --------------------------------------------------------------------------------------


def test_an_archive_brought_along_is_used(squares: Host, tmp_path: Path) -> None:
    (tmp_path / "any name").write_bytes(squares.content)
    builder = builder_in(tmp_path / "data")
    downloads.add_archive(builder, tmp_path / "any name")
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert squares.asked == []
    assert (tmp_path / "any name").exists()


def test_an_archive_that_is_not_the_one_is_refused(squares: Host, tmp_path: Path) -> None:
    (tmp_path / "half.zip").write_bytes(squares.content[:-100])
    with pytest.raises(
        downloads.DownloadError, match=rf"expected {squares.url}/squares\.zip \([\d,]+ bytes\)"
    ) as caught:
        downloads.add_archive(builder_in(tmp_path / "data"), tmp_path / "half.zip")
    one_line(caught)
    assert not list((tmp_path / "data").rglob("*.zip*"))
    with pytest.raises(FileNotFoundError, match="There is no file"):
        downloads.add_archive(builder_in(tmp_path / "data"), tmp_path / "none.zip")


def test_a_hostile_archive_brought_along_is_refused(squares: Host, tmp_path: Path) -> None:
    squares.content = HOSTILE["zip, a member"]
    register(squares)
    (tmp_path / "evil.zip").write_bytes(squares.content)
    with pytest.raises(downloads.DownloadError, match="do not trust"):
        downloads.add_archive(builder_in(tmp_path / "data"), tmp_path / "evil.zip")
    assert not list((tmp_path / "data").rglob("*.zip*"))


# --- two at a time -----------------------------------------------------------------------------------------------


def test_a_second_call_waits_and_finds_it_done(
    squares: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go_on = threading.Event()

    def slow(handler: object) -> None:
        go_on.wait(10)
        whole(handler)

    squares.plan = [slow]
    builders = [builder_in(tmp_path), builder_in(tmp_path)]
    calls = [threading.Thread(target=downloads.prepare, args=(builder,)) for builder in builders]
    for call in calls:
        call.start()
    deadline = time.monotonic() + 10
    waiting = ""
    while "waiting for it" not in waiting and time.monotonic() < deadline:
        time.sleep(0.02)
        waiting += capsys.readouterr().err
    go_on.set()
    for call in calls:
        call.join()
    assert waiting.count("Another process is getting 'served_squares': waiting for it.") == 1
    assert squares.asked == [None]
    assert [labels_of(builder) for builder in builders] == [[0, 0, 1, 1]] * 2


def hold_lock_and_die(folder: str) -> None:
    builder = builder_in(Path(folder))
    with downloads._tfds._alone(builder, name="x"):
        os._exit(0)


@pytest.mark.slow
def test_a_lock_dies_with_its_process(squares: Host, tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=hold_lock_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert list(tmp_path.rglob("*.lock"))
    downloads.prepare(builder_in(tmp_path))
