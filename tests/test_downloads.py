"""Downloads, against a server on the loopback address that breaks off, refuses, lies and attacks."""

import contextlib
import dataclasses
import errno
import io
import multiprocessing
import os
import shutil
import socket
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
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
    come_at_once,
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

CONTENT = bytes(range(256)) * 800  # three chunks and a bit
PAGE = b"<html>Please log in</html>"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    come_at_once(monkeypatch)


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


def dead_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- one file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "asked", "sent_twice"),
    [
        ([whole], [None], 0),
        ([breaking(100_000), breaking(50_000), whole], [None, "bytes=100000-", "bytes=150000-"], 0),
        ([breaking(100_000, ranges=False), without_ranges], [None, "bytes=100000-"], 100_000),
        ([*[breaking(20_000)] * 10, whole], [None, *[f"bytes={n * 20_000}-" for n in range(1, 11)]], 0),
        ([endless], [None], len(CONTENT)),
    ],
    ids=["whole", "goes on where it broke", "no ranges: starts again", "new bytes earn new attempts", "a rest is left"],
)
def test_a_file_is_fetched_with_as_few_bytes_as_the_server_lets_us(
    plan: list, asked: list, sent_twice: int, host: Host, tmp_path: Path
) -> None:
    host.plan = plan
    fetch(host, tmp_path / "new" / "file.bin")
    assert (tmp_path / "new" / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.bin"]
    assert host.asked == asked
    assert host.sent == len(CONTENT) + sent_twice


def test_what_a_stopped_call_fetched_is_kept(host: Host, tmp_path: Path) -> None:
    host.plan = [breaking(100_000, ranges=False)]  # always at the same place
    with pytest.raises(ConnectionError, match="the connection broke") as caught:
        fetch(host, tmp_path / "file.bin")
    one_line(caught)
    assert len(host.asked) == 10, "five more, after the five that brought something"
    assert not (tmp_path / "file.bin").exists()
    host.plan, host.asked = [whole], []
    fetch(host, tmp_path / "file.bin")
    assert host.asked == ["bytes=100000-"]


@pytest.mark.parametrize(
    "part", [b"of another file", CONTENT[:-1] + b"?", CONTENT + b"more"], ids=["short", "same length", "longer"]
)
def test_a_part_of_another_file_is_not_trusted(part: bytes, host: Host, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(part)
    with pytest.raises(downloads.DownloadError, match=r"It was deleted\. Try again"):
        fetch(host, tmp_path / "file.bin")
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked[-1] is None


@pytest.mark.parametrize("answer", [answering(416), answering(206, CONTENT, Content_Range="bytes 7-9/10")])
def test_an_answer_that_does_not_continue_starts_again(answer: object, host: Host, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    host.plan = [answer, whole]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert host.asked == ["bytes=1000-", None]


@pytest.mark.parametrize("passing", [silent, answering(503), answering(429), answering(200)])
def test_what_may_pass_is_asked_again(passing: object, host: Host, tmp_path: Path) -> None:
    host.plan = [passing, whole]
    fetch(host, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "reason", "requests_made"),
    [
        (answering(404), "the server answered 404 Not Found", 1),
        (answering(403, PAGE, Content_Type="text/html"), "the server answered 403 Forbidden", 1),
        (answering(503), "the server answered 503 Service Unavailable", 5),
        (answering(200), "the answer ended early", 5),
    ],
    ids=["404", "403", "503", "empty"],
)
def test_a_server_that_does_not_send_it_is_named(
    answer: object, reason: str, requests_made: int, host: Host, tmp_path: Path
) -> None:
    host.plan = [answer]
    with pytest.raises(ConnectionError) as caught:
        fetch(host, tmp_path / "file.bin")
    assert one_line(caught) == f"{host.url}/file.bin did not come: {reason}"
    assert len(host.asked) == requests_made
    assert not (tmp_path / "file.bin").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answering(200, PAGE, Content_Type="text/html; charset=utf-8"), "a text/html.*expected a file of 204,800"),
        (answering(200, PAGE), "a file of 26 bytes, expected a file of 204,800"),
        (answering(200, CONTENT[:-1] + b"?"), r"a file with SHA-256 \w{64}, expected \w{64}.*It was deleted"),
    ],
    ids=["login page", "other size", "other content"],
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
    with pytest.raises(downloads.DownloadError, match="a login page"):
        fetch(host, tmp_path / "file.bin")
    fetch(host, tmp_path / "file.bin")
    assert host.asked == ["bytes=1000-", "bytes=1000-"]


def test_a_packed_file_is_not_unpacked_on_the_way(host: Host, tmp_path: Path) -> None:
    packed = make_tar({"a": b"a"})
    host.plan = [answering(200, packed, Content_Encoding="gzip", Content_Type="application/x-tar")]
    fetch(host, tmp_path / "file.tar.gz", content=packed)
    assert (tmp_path / "file.tar.gz").read_bytes() == packed


def test_without_a_server_it_fails_at_the_second_attempt(tmp_path: Path) -> None:
    with pytest.raises(requests.ConnectionError):
        downloads.fetch(f"{dead_address()}/file", tmp_path / "file", size=3, sha256=sha256(b"abc"))
    assert downloads._ask_for_rest.statistics["attempt_number"] == 2


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


def damage(content: bytes, changes: dict[int, bytes]) -> bytes:
    changed = bytearray(content)
    for place, new in changes.items():
        changed[place : place + len(new)] = new
    return bytes(changed)


MANY = make_tar({f"{i}.png": b"picture" for i in range(40)}, packed=False)
LINKED = make_zip({}, link=("copy", "light.png"))
UNREADABLE = {
    "ends early": make_tar(picture_files())[:-2000],
    # A member is a block of 512 bytes and its content one more.
    "a damaged header, which `tarfile` takes for the end": damage(MANY, {20 * 1024 + 100: bytes(40)}),
    # The method of packing stands beside the file and in the list of contents.
    "an unknown method": damage(
        LINKED, {LINKED.index(b"PK\x03\x04") + 8: b"\x4d", LINKED.index(b"PK\x01\x02") + 10: b"\x4d"}
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets").write_bytes(content)
    with pytest.raises(downloads.DownloadError, match=r"pets' with '.*evil.*', which leads out") as caught:
        downloads.check_archive(tmp_path / "pets")
    assert one_line(caught).endswith("do not trust it.")
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_archive_passes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets").write_bytes(content)
    downloads.check_archive(tmp_path / "pets")


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_an_archive_that_cannot_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pets").write_bytes(content)
    with pytest.raises(downloads.DownloadError, match=r"pets' that cannot be read to its end") as caught:
        downloads.check_archive(tmp_path / "pets")
    one_line(caught)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_unpacks_to_a_flood_is_refused(kind: str, tmp_path: Path) -> None:
    path, zeros = tmp_path / "pets", bytes(10**6)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(101):
                archive.writestr(f"{number}.bmp", zeros)
    else:
        path.write_bytes(make_tar({f"{number}.bmp": zeros for number in range(101)}))
    with pytest.raises(downloads.DownloadError, match="pets' which unpacks to more than 100MB"):
        downloads.check_archive(path)


def test_a_tar_that_ends_in_a_zip_is_still_looked_through_as_a_tar(tmp_path: Path) -> None:
    both = make_tar({"../../evil.png": b"evil", "last.zip": make_zip(picture_files())}, packed=False)
    (tmp_path / "pets").write_bytes(both)
    with pytest.raises(downloads.DownloadError, match=r"with '\.\./\.\./evil\.png'"):
        downloads.check_archive(tmp_path / "pets")


def test_a_link_as_long_as_a_film_is_not_read_in_full(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(make_zip({}, link=("copy", "../" * 10_000)))
    with pytest.raises(downloads.DownloadError, match=r"with 'copy', which leads out"):
        downloads.check_archive(tmp_path / "pets.zip")


@given(st.lists(st.sampled_from(["..", ".", "a", "b", ""]), min_size=1, max_size=6).map("/".join))
def test_a_name_leads_out_exactly_when_its_path_does(name: str) -> None:
    inside = Path("/top/folder")
    resolved = Path(os.path.normpath(inside / name))
    assert downloads._leads_out(name) == (not resolved.is_relative_to(inside))


# --- a data set of TFDS ------------------------------------------------------------------------------------------


@pytest.fixture
def squares(host: Host) -> Iterator[Host]:
    """The server, with the archive of the data set on it."""
    host.content = make_zip(picture_files())
    register(host)
    yield host
    ServedSquares.url_infos = {}
    ServedSquares.extract = True


def builder_in(folder: Path, name: str = "served_squares") -> tfds.core.DatasetBuilder:
    return tfds.builder(name, data_dir=folder)


def labels_of(builder: tfds.core.DatasetBuilder) -> list[int]:
    return sorted(int(example["label"]) for example in builder.as_dataset(split="train").as_numpy_iterator())


def outside(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()}


def no_lookup(*_: object, **__: object) -> None:
    raise socket.gaierror(-3, "Temporary failure in name resolution")


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
    assert told.err.startswith(
        "Preparing 'served_squares' once: downloading and storing its pictures.\nDownload: 20.0kB"
    )
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
    assert cost.describe().startswith(
        "Download: 20.0kB in 1 file, 5.00kB of it here already\nDisk: up to about 60.1kB ("
    )
    squares.plan = [whole]
    downloads.prepare(builder)
    assert squares.asked[-1] == "bytes=5000-"
    assert downloads.measure_cost(builder).here == len(squares.content)


def test_all_variants_together_are_an_upper_bound(tmp_path: Path) -> None:
    cost = downloads.measure_cost(builder_in(tmp_path, "eurosat"))
    assert not cost.exact
    assert cost.describe().startswith("Download: at most 2.16GB in 2 files\n")


def test_of_several_variants_only_the_one_asked_for_is_downloaded(squares: Host, tmp_path: Path) -> None:
    other = f"{squares.url}/other.zip"
    ServedSquares.url_infos |= {other: dataclasses.replace(ServedSquares.url_infos[ServedSquares.address], size=1)}
    builder = builder_in(tmp_path, "served_variants/small")
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert squares.asked == [None]
    ServedSquares.url_infos = {url.replace(squares.url, dead_address()): i for url, i in builder.url_infos.items()}
    with pytest.raises(ConnectionError, match="not on this machine"):  # and not after TFDS' three minutes
        downloads.prepare(builder_in(tmp_path / "offline", "served_variants/small"))


def test_two_data_sets_that_name_their_file_the_same_are_not_mixed(squares: Host, tmp_path: Path) -> None:
    """As those of MNIST and Fashion-MNIST are: in TFDS' own folders the second one would get the first one's."""
    downloads.prepare(builder_in(tmp_path))
    squares.content = make_zip({name: file for name, file in picture_files().items() if name.startswith("light")})
    register(squares)
    builder = builder_in(tmp_path, "other_squares")
    downloads.prepare(builder)
    assert labels_of(builder) == [1, 1]
    assert len(squares.asked) == 2


def test_a_new_edition_of_a_file_is_read_in_place_of_the_old_one(squares: Host, tmp_path: Path) -> None:
    downloads.prepare(builder_in(tmp_path))
    shutil.rmtree(tmp_path / "served_squares")
    squares.content = make_zip({name: file for name, file in picture_files().items() if name.startswith("light")})
    register(squares)
    builder = builder_in(tmp_path)
    downloads.prepare(builder)
    assert labels_of(builder) == [1, 1]


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


@pytest.mark.parametrize("extract", [True, False], ids=["extracted", "read as it is"])
@pytest.mark.parametrize("kind", ["zip, a member", "tar, a symbolic link"])
def test_a_hostile_archive_reaches_no_builder(kind: str, extract: bool, squares: Host, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    squares.content = HOSTILE[kind]
    register(squares, name="squares.zip" if kind.startswith("zip") else "squares.tar.gz")
    ServedSquares.extract = extract
    with pytest.raises(downloads.DownloadError, match="do not trust it") as caught:
        downloads.prepare(builder_in(tmp_path / "data"))
    one_line(caught)
    assert outside(tmp_path) == {"data", "secret"}
    assert (tmp_path / "secret").read_text() == "mine"
    assert not list(tmp_path.rglob("*evil*"))
    assert not downloads.is_prepared(builder_in(tmp_path / "data"))


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


def test_a_server_that_does_not_send_leaves_two_ways(squares: Host, tmp_path: Path) -> None:
    squares.plan = [answering(503)]
    with pytest.raises(ConnectionError) as caught:
        downloads.prepare(builder_in(tmp_path))
    line = one_line(caught)
    address = f"{squares.url}/squares.zip"
    assert line.startswith(f"'served_squares' could not be downloaded: {address} did not come: the server answered 503")
    assert "`python -m helpers data get served_squares --archive FILE`" in line
    assert "put them into a folder with one sub-folder per class" in line


@pytest.mark.parametrize("dead", ["no network", "no server"])
def test_without_a_network_one_line_says_what_works(
    dead: str, squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if dead == "no network":
        monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    else:
        squares.plan = [silent]
    with pytest.raises(ConnectionError) as caught:
        downloads.prepare(builder_in(tmp_path))
    assert one_line(caught) == (
        "'served_squares' is not on this machine and could not be downloaded (ConnectionError). "
        "Connect to the network, or wait for the server, and run `python -m helpers data get served_squares`, which "
        "goes on from here; 'synthetic_pets' and a folder of your own work without."
    )


def test_too_little_space_is_said_before(squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(2 * len(squares.content) - 1))
    with pytest.raises(OSError, match=r"free, expected .* or more\. Make space, or set COURSE_DATA") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    assert "Not enough: set COURSE_DATA" in downloads.measure_cost(builder_in(tmp_path)).describe()
    assert squares.asked == []


def test_a_file_that_has_been_damaged_since_is_fetched_again(squares: Host, tmp_path: Path) -> None:
    downloads.prepare(builder_in(tmp_path))
    file = tmp_path / "downloads" / "served_squares" / "squares.zip"
    for content, requests_made in ((squares.content, 1), (squares.content[:-1] + b"?", 2)):
        shutil.rmtree(tmp_path / "served_squares")
        file.write_bytes(content)
        downloads.prepare(builder_in(tmp_path))
        assert len(squares.asked) == requests_made


def test_a_builder_that_fails_is_told_in_one_line(squares: Host, tmp_path: Path) -> None:
    squares.content = make_zip({"grey/a.png": b"of no known class"})
    register(squares)
    with pytest.raises(
        ValueError, match=r"^Received 'served_squares', expected a data set that .* can prepare \("
    ) as caught:
        downloads.prepare(builder_in(tmp_path))
    assert "put them into a folder" in one_line(caught)


def test_a_disk_that_fills_up_while_storing_is_named(
    squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise ValueError("in TFDS") from OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ServedSquares, "_generate_examples", fill)
        with pytest.raises(ValueError, match=r"'served_squares', .* can prepare \(OSError: .* No space left") as caught:
            downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    downloads.prepare(builder_in(tmp_path))
    assert len(squares.asked) == 1


def test_what_another_program_is_working_on_is_left_alone(squares: Host, tmp_path: Path) -> None:
    """A plain `tfds.load` holds no lock of ours. What a killed call of ours unpacked goes; nobody else works there."""
    others = [
        tmp_path / "served_squares" / "incomplete.A1B2C3_1.0.0",
        tmp_path / "downloads" / "extracted" / "incomplete.0a1b_ZIP.squares.zip",
    ]
    remains = tmp_path / "downloads" / "served_squares" / "unpacked" / "ZIP.squares.zip"
    for folder in (*others, remains):
        (folder / "dark").mkdir(parents=True)
    builder = builder_in(tmp_path)
    downloads.prepare(builder)
    assert labels_of(builder) == [0, 0, 1, 1]
    assert all(folder.exists() for folder in others)
    assert not remains.exists()


def test_a_file_of_unknown_checksum_is_not_downloaded(squares: Host, tmp_path: Path) -> None:
    ServedSquares.url_infos = {}
    ServedSquares.address = f"{squares.url}/another/squares.zip"
    assert "has no file to download" in downloads.measure_cost(builder_in(tmp_path)).describe()
    with pytest.raises(ValueError, match=r"prepare .*Missing checksums url: .*another/squares\.zip") as caught:
        downloads.prepare(builder_in(tmp_path))
    one_line(caught)
    assert squares.asked == []


def test_a_data_set_to_be_got_by_hand_says_how(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^Received 'hand_made', which no program may download.* by hand from http"
    ) as caught:
        downloads.prepare(builder_in(tmp_path, "hand_made"))
    one_line(caught)
    with pytest.raises(ValueError, match=r"by hand from https?://(www\.)?image-net\.org") as caught:
        downloads.prepare(builder_in(tmp_path, "imagenet2012"))
    one_line(caught)


def test_what_was_put_there_by_hand_is_looked_through_and_used(
    squares: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "downloads" / "manual" / "squares.zip"
    file.parent.mkdir(parents=True)
    file.write_bytes(HOSTILE["zip, a member"])
    monkeypatch.setattr(HandMade, "url_infos", ServedSquares.url_infos)
    builder = builder_in(tmp_path, "hand_made")
    with pytest.raises(downloads.DownloadError, match="do not trust it"):
        downloads.prepare(builder)
    file.write_bytes(squares.content)
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
    with pytest.raises(downloads.DownloadError, match="do not trust it"):
        downloads.add_archive(builder_in(tmp_path / "data"), tmp_path / "evil.zip")
    assert not list((tmp_path / "data").rglob("*.zip*"))


# --- two at a time -----------------------------------------------------------------------------------------------


def prepare_quietly(host: Host, folder: Path) -> None:
    """What another process does; its words, and what it knows then of the data set, go to a file."""
    with (folder / f"{os.getpid()}.txt").open("w", buffering=1) as file, contextlib.redirect_stderr(file):
        register(host)
        builder = builder_in(folder)
        downloads.prepare(builder)
        print(f"{builder.info.splits['train'].num_examples} pictures", file=file)


def another_process(host: Host, folder: Path) -> multiprocessing.Process:
    copy = Host(host.content)  # without the plan, which no process can be given
    copy.url, copy.plan = host.url, []
    return multiprocessing.get_context("spawn").Process(target=prepare_quietly, args=(copy, folder))


@pytest.mark.slow
def test_of_two_processes_at_once_one_waits_and_finds_it_done(squares: Host, tmp_path: Path) -> None:
    """The other process is the one that waits: to store pictures, it would have to load TensorFlow."""
    process = another_process(squares, tmp_path)

    def said() -> str:
        return "".join(path.read_text() for path in tmp_path.glob("*.txt"))

    def slow(handler: object) -> None:
        process.start()
        deadline = time.monotonic() + 100
        while "waiting for it" not in said() and time.monotonic() < deadline:
            time.sleep(0.02)
        whole(handler)

    squares.plan = [slow]
    try:
        prepare_quietly(squares, tmp_path)
        process.join()
        assert process.exitcode == 0
    finally:
        if process.pid:
            process.kill()
            process.join()
    assert said().count("Another process is getting 'served_squares': waiting for it.\n") == 1
    assert said().count("4 pictures\n") == 2
    assert labels_of(builder_in(tmp_path)) == [0, 0, 1, 1]
    assert squares.asked == [None]


@pytest.mark.slow
def test_a_killed_process_leaves_its_part_and_no_lock(squares: Host, tmp_path: Path) -> None:
    released = threading.Event()

    def stall(handler: object) -> None:
        breaking(100_000)(handler)
        released.wait(60)

    squares.content = make_zip(picture_files() | {"README": bytes(200_000)})
    register(squares)
    squares.plan = [stall, whole]
    part = tmp_path / "downloads" / "served_squares" / "squares.zip.part"
    process = another_process(squares, tmp_path)
    process.start()
    deadline = time.monotonic() + 100
    while not (part.exists() and part.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.join()
    released.set()
    kept = part.stat().st_size
    downloads.prepare(builder_in(tmp_path))
    assert squares.asked == [None, f"bytes={kept}-"]
