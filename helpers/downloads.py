"""Data sets from the network: the cost said first, fetched with resume, verified, then handed to TensorFlow Datasets.

    builder = datasets.find_builder("cats_vs_dogs")
    print(measure_cost(builder).describe())     # what there is to download, and where it goes
    prepare(builder)                            # downloads what is missing, and stores the pictures

TensorFlow Datasets (TFDS) knows each file's address, size and SHA-256, but starts a broken transfer all over again.
A file that lies in its folder for downloads by hand, under the right name, it takes and verifies. So each file is
fetched to there first.
"""

import contextlib
import io
import ntpath
import posixpath
import shutil
import stat
import sys
import tarfile
import textwrap
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
import tensorflow_datasets as tfds
from filelock import FileLock, Timeout
from tenacity import RetryCallState, retry, retry_if_exception_type, wait_exponential
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from helpers.files import existing_folder, hash_file, progress, written_beside

TIMEOUT = (10, 60)  # seconds to connect; seconds without a byte
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that may be another one in a moment
# An archive may unpack to so many times its size (pictures hardly shrink, tables do), and always to so many bytes.
BOMB_RATIO, BOMB_FLOOR = 250, 10**8
BY_HAND = (
    "get its pictures by hand, put them into a folder with one sub-folder per class, and give that folder in place of "
    "the name"
)


class DownloadError(ValueError):
    """What arrived is not what was announced: another size, another checksum, a web page, a hostile archive."""


class _PassingError(ConnectionError):
    """The file does not come, or not to its end; another attempt may go better."""


# --- one file ----------------------------------------------------------------------------------------------------


def fetch(url: str, path: Path, *, size: int, sha256: str) -> None:
    """Download a file; `path` appears only when its size (bytes) and SHA-256 are right.

    Until then its first bytes are beside it, in a file with `.part` added to the name, where the next call goes on.
    There must be one call at a time.

    Raises:
        DownloadError: if the server sends something else.
        ConnectionError: if the server refuses, or breaks off again and again.
        requests.RequestException: if it does not answer at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(path)
    with progress(total=size, unit="B", unit_scale=True, desc=path.name[:40]) as bar:
        while (before := _count_bytes(part)) < size:
            try:
                _ask_for_rest(url, part, size=size, bar=bar)
            except (_PassingError, requests.RequestException):
                if _count_bytes(part) <= before:  # each new byte earns new attempts
                    raise
    if (found := hash_file(part)) != sha256:
        part.unlink()
        raise DownloadError(
            f"Received from {url} a file with SHA-256 {found}, expected {sha256}: it has been changed, by its "
            "publisher or on its way. It was deleted. Try again."
        )
    part.replace(path)


def _is_enough(state: RetryCallState) -> bool:
    """Stop after five attempts, and where nobody answers after two: a dead network is told soon."""
    return state.attempt_number >= (2 if isinstance(state.outcome.exception(), requests.ConnectionError) else 5)


@retry(
    retry=retry_if_exception_type((_PassingError, requests.RequestException)),
    wait=wait_exponential(max=8),
    stop=_is_enough,
    reraise=True,
)
def _ask_for_rest(url: str, part: Path, *, size: int, bar: tqdm) -> None:
    """Ask for what is missing, and write what comes to the end of the part, or anew if the server starts again."""
    start = _count_bytes(part)
    # identity: a server that compresses on the way would count other bytes than we do.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        start = _check_answer(response, part, size=size)
        with part.open("ab") as file:
            file.truncate(start)
            try:
                # Raw: a .tar.gz that the server calls compressed on the way must not be unpacked on the way.
                for chunk in response.raw.stream(1 << 16, decode_content=False):
                    file.write(chunk[: size - file.tell()])  # of more than the file, SHA-256 tells if it is the file
                    bar.update(file.tell() - bar.n)
                    if file.tell() == size:
                        return
            except HTTPError as error:
                raise _PassingError(f"{url} did not come: the connection broke") from error
    raise _PassingError(f"{url} did not come: the answer ended early")


def _check_answer(response: requests.Response, part: Path, *, size: int) -> int:
    """Return the position in the file that an answer starts at; raise, before a byte is written, if it is no use."""
    start = _count_bytes(part) if response.status_code == 206 else 0
    answer = f"{response.url} did not come: the server answered {response.status_code} {response.reason}"
    place = f"bytes {start}-"
    if response.status_code == 416 or not response.headers.get("Content-Range", place).startswith(place):
        part.unlink()  # the server knows no such place in its file: a part of another one
        raise _PassingError(answer)
    if response.status_code in PASSING:
        raise _PassingError(answer)
    if response.status_code not in (200, 206):
        raise ConnectionError(answer)
    kind, length = response.headers.get("Content-Type", "file"), int(response.headers.get("Content-Length", 0))
    if "html" in kind or length not in (0, size - start):
        raise DownloadError(
            f"Received from {response.url} a {kind} of {start + length:,} bytes, expected a file of {size:,}: a login "
            "page, or its publisher has changed it."
        )
    return start


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _count_bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


# --- archives ----------------------------------------------------------------------------------------------------


def check_archive(path: Path) -> None:
    """Refuse an archive with a member, or a link, that leads out of its folder, and one that unpacks to a flood.

    TFDS unpacks without leaving the folder and makes no links; it drops such members and says nothing. They are no
    accident, so the whole archive is refused. A file that is neither a zip nor a tar archive passes.

    Raises:
        DownloadError: if the archive is hostile, or cannot be read to its end.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder, "pets.zip"), "w") as archive:
        ...         archive.writestr("../../evil.jpg", b"")
        ...     check_archive(Path(folder, "pets.zip"))
        Traceback (most recent call last):
        helpers.downloads.DownloadError: Received archive '...pets.zip' with '../../evil.jpg', which leads out of ...
    """
    unpacked, limit, trouble = 0, max(BOMB_FLOOR, BOMB_RATIO * path.stat().st_size), ""
    try:
        for name, target, size in _members(path):
            unpacked += size
            if _leads_out(name) or _leads_out(target):
                trouble = f"with {name!r}, which leads out of its folder"
            elif unpacked > limit:
                trouble = f"which unpacks to more than {_in_units(limit)}"
            if trouble:
                break
    except Exception as error:  # zlib, lzma, struct, ...: what a damaged file can raise is no closed list
        trouble = f"that cannot be read to its end ({error})"
    if trouble:
        raise DownloadError(
            f"Received archive '{_short(path)}' {trouble}, expected a whole and harmless one. Nothing was unpacked: "
            "delete it, do not trust it."
        )


def _members(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield each member's name, where it leads if it is a link (seen from the archive's own folder), and its bytes."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name, target = member.orig_filename, ""
                if stat.S_ISLNK(member.external_attr >> 16):
                    with archive.open(member) as file:
                        target = _beside(name, file.read(4096).decode(errors="replace"))  # no path is longer
                yield name, target, member.file_size
    if tarfile.is_tarfile(path):  # a file can be both
        with tarfile.open(path) as archive:
            for member in archive:
                # A symbolic link leads to a place beside itself, a hard link to another member.
                target = _beside(member.name, member.linkname) if member.issym() else member.linkname
                yield member.name, target, member.size
            # `tarfile` takes a damaged header for the end, and says nothing.
            archive.fileobj.seek(archive.offset)
            if archive.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError("damaged header")


def _beside(name: str, target: str) -> str:
    return posixpath.join(posixpath.dirname(name), target)


def _leads_out(name: str) -> bool:
    r"""Tell under the rules of both systems: `..\evil` is a harmless file name on Linux, and an attack on Windows."""
    places = [posixpath.normpath(name), posixpath.normpath(name.replace("\\", "/"))]
    return bool(ntpath.splitdrive(name)[0]) or any(place.split("/")[0] in ("", "..") for place in places)


# --- what a data set costs ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What it takes to get a data set, in files and bytes; `describe()` says it to people."""

    name: str
    files: int  # to download, those that are here already included
    size: int  # of these files; 0 if the data set states none
    here: int  # what is here of them
    exact: bool  # or `size` is that of all variants of the data set, of which only one is downloaded
    folder: Path  # where everything goes
    free: int  # space left there
    about: str  # what the publisher says of it, one line
    homepage: str  # where, with the terms of use

    @property
    def needed(self) -> int:
        """Return the space that it cannot do without: the download, and the pictures as stored."""
        return 2 * self.size - self.here if self.exact else 0

    def describe(self) -> str:
        """Return it as lines of text."""
        place = f"Place: {_short(self.folder)} ({_in_units(self.free)} free)"
        if not self.files:
            return f"Download: '{self.name}' has no file to download.\n{place}"
        size = f"{'' if self.exact else 'at most '}{_in_units(self.size)} in {self.files} file{'s'[: self.files > 1]}"
        here = f", {_in_units(self.here)} of it here already" if self.here else ""
        return (
            f"Download: {size}{here}\n"
            f"Disk: up to about {_in_units(3 * self.size)} (the download, unpacked, and as stored)\n"
            f"{place}{'. Not enough: set COURSE_DATA to a folder on another disk' * (self.free < self.needed)}\n"
            f"About: {self.about}\nTerms of use: read {self.homepage} first."
        )


def measure_cost(builder: tfds.core.DatasetBuilder, *, name: str | None = None) -> Cost:
    """Return what it takes to get a data set, called `name` or its own, without asking the network.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cost = measure_cost(tfds.builder("cats_vs_dogs", data_dir=folder))
        >>> cost.files, cost.size, cost.here
        (1, 824887076, 0)
    """
    infos = builder.url_infos or {}
    folder = Path(builder.data_dir_root)
    return Cost(
        name=name or builder.name,
        files=len(infos),
        size=sum(int(info.size) for info in infos.values()),
        here=sum(_count_bytes(path) or _count_bytes(_part_of(path)) for path in set(_paths_of(builder).values())),
        exact=_needs_all(builder),
        folder=folder,
        free=shutil.disk_usage(existing_folder(folder)).free,
        about=textwrap.shorten(builder.info.description, 240, placeholder=" …"),
        homepage=builder.info.homepage or "what its publisher says",
    )


def describe_stored(builder: tfds.core.DatasetBuilder) -> str:
    """Return how many pictures a prepared data set has, where they are, and what can be deleted, as text."""
    pictures = sum(split.num_examples for split in builder.info.splits.values())
    stored = _in_units(int(builder.info.dataset_size))
    text = f"{pictures:,} pictures of '{builder.info.full_name}' in {_short(Path(builder.data_dir))} ({stored})."
    fetched = _folder_of(builder)
    return f"{text}\nWhat was downloaded, {_short(fetched)}, may be deleted." if fetched.exists() else text


def _in_units(size: int) -> str:
    return tqdm.format_sizeof(size, suffix="B")


def _short(path: Path) -> str:
    """Return a path as seen from the current folder, if it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


# --- from the network to stored pictures -------------------------------------------------------------------------


def is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """Tell whether a data set's pictures are stored here; TFDS' own method warns, with the folder, if not."""
    return builder.data_path.exists() and builder.is_prepared()


def prepare(builder: tfds.core.DatasetBuilder, *, name: str | None = None) -> None:
    """Download what is missing of a data set and store its pictures; say the cost first, on standard error.

    An interrupted call leaves what it has fetched, and the next one goes on from there. A second call at the same
    time waits for the first.

    Args:
        builder: from `tfds.builder`; one that is prepared is left as it is.
        name: what to call it in messages; by default the builder's name.

    Raises:
        ValueError: if it can only be got by hand, or what came is not what TFDS knows (`DownloadError`).
        ConnectionError: if it cannot be downloaded.
        OSError: if there is no space, or the folder cannot be written to.
    """
    if is_prepared(builder):
        return
    name = name or builder.name
    refuse_manual(builder, name=name)
    cost = measure_cost(builder, name=name)
    work = "downloading" if cost.files else "making"
    print(f"Preparing '{name}' once: {work} and storing its pictures.", file=sys.stderr)
    if cost.files:
        print(cost.describe(), file=sys.stderr)
    if cost.free < cost.needed:
        raise OSError(
            f"'{cost.folder}' has {_in_units(cost.free)} free, expected {_in_units(cost.needed)} or more. "
            "Make space, or set COURSE_DATA to a folder on another disk."
        )
    with _alone(builder, name=name):
        if is_prepared(builder):  # by the one that was waited for
            builder.info.read_from_directory(builder.data_dir)
            return
        try:
            _fetch_files(builder)
            _store(builder)
        except requests.RequestException as error:
            raise ConnectionError(
                f"'{name}' is not on this machine and could not be downloaded ({type(error).__name__}). Connect to the "
                f"network, or wait for the server, and run `python -m helpers data get {name}`, which goes on from "
                "here; 'synthetic_pets' and a folder of your own work without."
            ) from error
        except (ConnectionError, tfds.download.DownloadError) as error:
            raise ConnectionError(
                f"'{name}' could not be downloaded: {error}. Try again later, which goes on from here, or download the "
                f"file in a browser and run `python -m helpers data get {name} --archive FILE`, or {BY_HAND}."
            ) from error
        except DownloadError as error:
            raise DownloadError(f"'{name}': {error} You can also {BY_HAND}.") from error
        except Exception as error:  # a builder is anybody's code: it may raise anything
            cause: BaseException = error
            while cause.__cause__:
                cause = cause.__cause__
            reason = textwrap.shorten(f"{type(cause).__name__}: {cause}", 240, placeholder=" …")
            raise ValueError(
                f"Received '{name}', expected a data set that TensorFlow Datasets can prepare ({reason}). You can "
                f"{BY_HAND}."
            ) from error


def add_archive(builder: tfds.core.DatasetBuilder, file: Path) -> None:
    """Copy a file of a data set that was downloaded in another way to where `prepare` finds it.

    Raises:
        ValueError: if it is none of the data set's files, which its SHA-256 tells, or hostile.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no file '{file}'. Check the path.")
    found, infos = hash_file(file), builder.url_infos or {}
    path = next((path for url, path in _paths_of(builder).items() if infos[url].checksum == found), None)
    if path is None:
        expected = " or ".join(f"{url} ({int(info.size):,} bytes)" for url, info in infos.items()) or "no file at all"
        raise DownloadError(
            f"Received '{file}' ({file.stat().st_size:,} bytes, SHA-256 {found}), expected {expected}. It is no file "
            f"of '{builder.name}', or not all of it: get it again."
        )
    check_archive(file)
    with _alone(builder, name=builder.name), written_beside(path) as draft:
        shutil.copyfile(file, draft)


def refuse_manual(builder: tfds.core.DatasetBuilder, *, name: str) -> None:
    """Say what to do for a data set whose publisher wants a person to download it."""
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS and not any(_manual_folder(builder).glob("*")):
        where = f" from {builder.info.homepage}" if builder.info.homepage else ""
        raise ValueError(
            f"Received '{name}', which no program may download, expected one of the others. Choose another, or "
            f"{BY_HAND.replace('by hand', f'by hand{where}', 1)}."
        )


@contextlib.contextmanager
def _alone(builder: tfds.core.DatasetBuilder, *, name: str) -> Iterator[None]:
    """Hold the data set's lock, once no other program does. The system frees it however a program ends."""
    _folder_of(builder).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{_folder_of(builder)}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"Another process is getting '{name}': waiting for it.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _folder_of(builder: tfds.core.DatasetBuilder) -> Path:
    """Return where a data set's files go: each has a folder, as MNIST and Fashion-MNIST name their files the same."""
    return Path(builder.data_dir_root) / "downloads" / builder.name


def _manual_folder(builder: tfds.core.DatasetBuilder) -> Path:
    folder = _folder_of(builder)
    return folder.parent / "manual" if builder.MANUAL_DOWNLOAD_INSTRUCTIONS else folder


def _paths_of(builder: tfds.core.DatasetBuilder) -> dict[str, Path]:
    """Return, by address, where TFDS finds the files that have a name, which no other content has."""
    infos = builder.url_infos or {}
    contents = defaultdict(set)
    for info in infos.values():
        contents[info.filename].add(info.checksum)
    named = {url: info.filename for url, info in infos.items() if info.filename and len(contents[info.filename]) == 1}
    return {url: _manual_folder(builder) / filename for url, filename in named.items()}


def _needs_all(builder: tfds.core.DatasetBuilder) -> bool:
    """Tell whether all files are needed. Which ones a variant needs, TFDS tells nobody before it downloads them."""
    return len(builder.BUILDER_CONFIGS) < 2 or len(builder.url_infos or {}) < 2


def _fetch_files(builder: tfds.core.DatasetBuilder) -> None:
    """Fetch what is certainly needed. A variant's files, and Google Drive, which asks back, are left to TFDS."""
    infos = builder.url_infos or {}
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return
    if not _needs_all(builder):
        web = [url for url in infos if url.startswith("http")]
        if web and not any(_folder_of(builder).glob("*")):
            requests.head(web[0], timeout=TIMEOUT)  # TFDS itself would ask a dead network for three minutes
        return
    for url, path in _paths_of(builder).items():
        ours = url.startswith("http") and urlsplit(url).hostname != "drive.google.com"
        if ours and not (path.exists() and hash_file(path) == infos[url].checksum):
            fetch(url, path, size=int(infos[url].size), sha256=infos[url].checksum)


def _store(builder: tfds.core.DatasetBuilder) -> None:
    """Look through the archives, then let TFDS verify and read them, and store the pictures."""
    for path in _manual_folder(builder).glob("*"):
        if path.is_file() and path.suffix != ".part":
            check_archive(path)
    # TFDS names what it unpacks after the archive: kept, it would be taken for the content of the next one.
    unpacked = _folder_of(builder) / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # of a killed program: a living one has the lock
    config = tfds.download.DownloadConfig(
        manual_dir=_manual_folder(builder), extract_dir=unpacked, force_checksums_validation=True
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS' own message names folders of this machine
            builder.download_and_prepare(download_config=config)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
