"""What a data set of TensorFlow Datasets (TFDS) costs, and how its files get to where TFDS looks for them."""

import contextlib
import errno
import glob
import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import requests
import tensorflow as tf
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core.download import resource as tfds_resource

from helpers.downloads._archives import check_archive
from helpers.downloads._fetch import (
    DownloadError,
    TransferError,
    adopt,
    check_space,
    count_bytes,
    describe_size,
    fetch,
    hash_file,
    part_of,
)

DISK_FACTOR = 3  # the archive, the same unpacked, and the stored pictures
SECONDS_TO_CONNECT = 10
BY_HAND = (
    "get its pictures by hand, put them into a folder with one sub-folder a class, and give that folder in place of "
    "the name"
)


@dataclass(frozen=True)
class Cost:
    """What it takes to get a data set.

    Attributes:
        name: the data set's name.
        files: how many files there are to download, those that are here already included.
        size: of these files, in bytes; 0 if the data set states none.
        here: bytes of it that are here already.
        exact: False if `size` is that of all variants of the data set, of which only one is downloaded.
        folder: where everything goes.
        free: bytes of space left there.
        about: what the publisher says of it, one line.
        homepage: where the publisher says it, and the terms of use; `""` if not known.
    """

    name: str
    files: int
    size: int
    here: int
    exact: bool
    folder: Path
    free: int
    about: str
    homepage: str

    def describe(self) -> str:
        """Return it as lines of text."""
        if self.name.startswith("synthetic_pets"):
            return f"'{self.name}' is drawn on this machine: nothing to download.\nPlace: {_short(self.folder)}"
        place = f"Place: {_short(self.folder)} ({describe_size(self.free)} free)"
        if not self.files:
            return "\n".join([f"Download: '{self.name}' does not state its size.", place, *self._terms()])
        most = "" if self.exact else "at most "
        count = "1 file" if self.files == 1 else f"{self.files} files"
        here = f", {describe_size(self.here)} of it here already" if self.here else ""
        return "\n".join(
            [
                f"Download: {most}{describe_size(self.size)} ({count}){here}",
                f"Disk: up to about {describe_size(DISK_FACTOR * self.size)} (the download, unpacked, and as stored)",
                place,
                *([f"About: {self.about}"] if self.about else []),
                *self._terms(),
                *(["Not enough space: set COURSE_DATA to a folder on another disk."] if self._is_too_large() else []),
            ]
        )

    def _terms(self) -> list[str]:
        return [f"Terms of use: read {self.homepage} first."] if self.homepage else []

    def _is_too_large(self) -> bool:
        return self.exact and self.free + self.here < 2 * self.size  # the download, and the pictures as stored


def measure_cost(builder: tfds.core.DatasetBuilder, *, name: str | None = None) -> Cost:
    """Return what it takes to get a data set, without asking the network.

    Args:
        builder: from `tfds.builder`.
        name: what to call it; by default the builder's name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cost = measure_cost(tfds.builder("cats_vs_dogs", data_dir=folder))
        >>> cost.files, describe_size(cost.size), cost.here
        (1, '825 MB', 0)
    """
    infos = builder.url_infos or {}
    places = [_place(builder, url, info.checksum) for url, info in infos.items()]
    folder = Path(builder.data_dir_root)
    return Cost(
        name=name or builder.name,
        files=len(infos),
        size=sum(int(info.size) for info in infos.values()),
        here=sum(count_bytes(place) or count_bytes(part_of(place)) for place in places),
        exact=len(builder.BUILDER_CONFIGS) < 2,
        folder=folder,
        free=shutil.disk_usage(_nearest(folder)).free,
        about=_shorten(builder.info.description),
        homepage=builder.info.homepage or "",
    )


def is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    """Tell whether a data set's pictures are stored on this machine.

    Args:
        builder: from `tfds.builder`, whose own method warns, with the folder's path, when they are not.
    """
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
    work = "downloading" if cost.files else "drawing" if name.startswith("synthetic_pets") else "getting"
    print(f"Preparing '{name}' once: {work} and storing its pictures.", file=sys.stderr)
    if cost.files:
        print(cost.describe(), file=sys.stderr)
    cost.folder.mkdir(parents=True, exist_ok=True)
    if cost.exact:
        check_space(cost.folder, needed=2 * cost.size - cost.here)
    with _alone(builder, name=name):
        if is_prepared(builder):  # by the one that was waited for
            builder.info.read_from_directory(builder.data_dir)
        else:
            _sweep(builder)  # of a process that was killed
            _download_and_store(builder, name=name)


def describe_stored(builder: tfds.core.DatasetBuilder) -> str:
    """Return how many pictures a prepared data set has, where they are, and what can be deleted, as text.

    Args:
        builder: from `tfds.builder`, prepared.
    """
    pictures = sum(split.num_examples for split in builder.info.splits.values())
    stored = describe_size(int(builder.info.dataset_size))
    text = f"{pictures:,} pictures of '{builder.info.full_name}' in {_short(Path(builder.data_dir))} ({stored})."
    fetched = Path(builder.data_dir_root) / "downloads" / builder.name
    return f"{text}\nWhat was downloaded, {_short(fetched)}, may be deleted." if fetched.exists() else text


def add_archive(builder: tfds.core.DatasetBuilder, file: str | Path) -> None:
    """Take a file of a data set that was downloaded in another way, so that `prepare` need not fetch it.

    Args:
        builder: from `tfds.builder`.
        file: the file as its publisher gives it; it is copied.

    Raises:
        ValueError: if it is none of the data set's files, which its SHA-256 tells.
    """
    file = Path(file)
    if not file.is_file():
        raise FileNotFoundError(f"There is no file '{file}'. Check the path.")
    infos = builder.url_infos or {}
    found = hash_file(file)
    url = next((url for url, info in infos.items() if info.checksum == found), None)
    if url is None:
        raise DownloadError(
            f"Received '{file}' ({file.stat().st_size:,} bytes, SHA-256 {found}), expected "
            + (" or ".join(f"{url} ({int(info.size):,} bytes)" for url, info in infos.items()) or "no file at all")
            + f". It is no file of '{builder.name}', or not all of it: get it again."
        )
    place = _place(builder, url, found)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _alone(builder, name=builder.name):
        check_space(place.parent, needed=file.stat().st_size)
        shutil.copyfile(file, part_of(place))
        if hash_file(part_of(place)) != found:
            raise OSError(f"'{place}' is not what was copied from '{file}'. Check the disk.")
        adopt(part_of(place), place, accept=check_archive)
        _write_info(builder.name, url, place, builder.url_infos[url])


class _Manager(tfds.download.DownloadManager):
    """TFDS' manager of downloads, which finds each file it knows the checksum of in its place: we fetch it first."""

    def download(self, url_or_urls: Any) -> Any:
        ours = [self._fetch(wanted) for wanted in tf.nest.flatten(url_or_urls)]
        # Its bars would count what is here already, bytes as megabytes.
        with _without_bars() if all(ours) else contextlib.nullcontext():
            return super().download(url_or_urls)

    def download_and_extract(self, url_or_urls: Any) -> Any:
        return self.extract(tf.nest.map_structure(_to_extract, url_or_urls, self.download(url_or_urls)))

    def _fetch(self, wanted: str | tfds.download.Resource) -> bool:
        """Put a file in its place if it is not there; False if that is left to TFDS."""
        resource = tfds.download.Resource(url=wanted) if isinstance(wanted, str) else wanted
        info = self._url_infos.get(resource.url)
        if info is None or _leave_to_tfds(resource.url):
            _require_connection(resource.url)
            return False
        paths = [self._get_dl_path(resource, info.checksum, legacy_mode=legacy) for legacy in (False, True)]
        by_hand = info.filename and (self._manual_dir / info.filename).exists()
        if by_hand or any(tfds_resource.is_locally_cached(path) for path in paths):
            return True
        place = Path(paths[0])
        if not place.exists() or hash_file(place) != info.checksum:  # it may lack its note only
            fetch(resource.url, place, size=int(info.size), sha256=info.checksum, accept=check_archive)
        _write_info(self._dataset_name, resource.url, place, info)
        return True


def _to_extract(wanted: str | tfds.download.Resource, path: Any) -> tfds.download.Resource:
    method = None if isinstance(wanted, str) else wanted._extract_method
    return tfds.download.Resource(path=path, extract_method=method)


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    tfds.display_progress_bar(False)
    try:
        yield
    finally:
        tfds.display_progress_bar(True)


def _leave_to_tfds(url: str) -> bool:
    """Tell whether we cannot fetch it: another protocol, or a host that asks a question before it sends a file."""
    return not url.startswith(("http://", "https://")) or urlsplit(url).hostname == "drive.google.com"


def _require_connection(url: str) -> None:
    """Ask once whether the host can be reached: TFDS itself asks eleven times, which takes over three minutes."""
    if url.startswith("http"):
        requests.head(url, timeout=SECONDS_TO_CONNECT)  # any answer will do


def _place(builder: tfds.core.DatasetBuilder, url: str, checksum: str) -> Path:
    """Return where TFDS looks for a file."""
    return Path(builder.data_dir_root) / "downloads" / builder.name / tfds_resource.get_dl_fname(url, checksum)


def _write_info(dataset: str, url: str, place: Path, info: Any) -> None:
    """Write the note beside a file without which TFDS takes it for a broken one."""
    name = info.filename or Path(urlsplit(url).path).name
    tfds_resource.write_info_file(
        url=url, path=epath.Path(place), dataset_name=dataset, original_fname=name, url_info=info
    )


def _make_manager(builder: tfds.core.DatasetBuilder, *, download_dir: Any, download_config: Any) -> _Manager:
    folder = Path(download_dir or Path(builder.data_dir_root) / "downloads")
    return _Manager(
        download_dir=folder,
        manual_dir=download_config.manual_dir or folder / "manual",
        manual_dir_instructions=builder.MANUAL_DOWNLOAD_INSTRUCTIONS,
        url_infos=builder.url_infos,
        dataset_name=builder.name,
        max_simultaneous_downloads=builder.MAX_SIMULTANEOUS_DOWNLOADS,
    )


def _download_and_store(builder: tfds.core.DatasetBuilder, *, name: str) -> None:
    # TFDS has no setting for who downloads; this is the one method in which it makes its manager.
    builder._make_download_manager = partial(_make_manager, builder)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS' own message names folders of this machine
            builder.download_and_prepare()
    except TransferError as error:
        raise ConnectionError(
            f"'{name}' could not be downloaded: {error}. Try again later, or download the file in a browser and run "
            f"`python -m helpers data get {name} --archive FILE`, or {BY_HAND}."
        ) from error
    except (requests.RequestException, tfds.download.DownloadError) as error:
        raise ConnectionError(
            f"'{name}' is not on this machine and could not be downloaded ({type(error).__name__}). "
            "Connect to the network and try again; 'synthetic_pets' and a folder of your own work without."
        ) from error
    except DownloadError as error:
        raise DownloadError(f"'{name}': {error} You can also {BY_HAND}.") from error
    except OSError as error:
        if error.strerror and not error.filename:
            error.filename = builder.data_dir_root
        raise
    except Exception as error:  # a builder is anybody's code: it may raise anything
        cause = _first_cause(error)
        if isinstance(cause, tf.errors.ResourceExhaustedError) or getattr(cause, "errno", None) == errno.ENOSPC:
            raise OSError(
                f"'{builder.data_dir_root}' is full: '{name}' was fetched, but its pictures were not stored. "
                "Make space, or set COURSE_DATA to a folder on another disk, and try again."
            ) from error
        raise ValueError(
            f"TensorFlow Datasets could not prepare '{name}' ({type(cause).__name__}: {_shorten(str(cause))}). "
            f"Try again, or {BY_HAND}."
        ) from error
    finally:
        _sweep(builder)


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__:
        error = error.__cause__
    return error


def _shorten(text: str, *, length: int = 240) -> str:
    """Return text as one line, cut if it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _sweep(builder: tfds.core.DatasetBuilder) -> None:
    """Delete what a preparation that did not come to its end has unpacked and stored: TFDS never looks at it again."""
    version, downloaded = Path(builder.data_dir), Path(builder.data_dir_root) / "downloads"
    halves = list(version.parent.glob(f"incomplete.*_{glob.escape(version.name)}"))
    for url, info in (builder.url_infos or {}).items():
        name = glob.escape(_place(builder, url, info.checksum).name)
        halves += (downloaded / "extracted").glob(f"incomplete.*_*.{name}")
    for half in halves:
        shutil.rmtree(half) if half.is_dir() else half.unlink()


def refuse_manual(builder: tfds.core.DatasetBuilder, *, name: str) -> None:
    """Say what to do for a data set whose publisher wants a person to download it."""
    manual = Path(builder.data_dir_root) / "downloads" / "manual"
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS and not (manual.is_dir() and any(manual.iterdir())):
        where = f" from {builder.info.homepage}" if builder.info.homepage else ""
        raise ValueError(
            f"Received '{name}', which no program may download, expected one of the others. Choose another, or "
            f"{BY_HAND.replace('by hand', f'by hand{where}', 1)}."
        )


@contextlib.contextmanager
def _alone(builder: tfds.core.DatasetBuilder, *, name: str) -> Iterator[None]:
    """Hold the data set's lock, once no other process does. The system frees it however a process ends."""
    folder = Path(builder.data_dir_root) / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{builder.name}.lock").open("ab") as file:
        told = False
        while not _try_lock(file):
            if not told:
                print(f"Another process is getting '{name}': waiting for it.", file=sys.stderr)
                told = True
            time.sleep(0.2)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # what Unix and Windows say of a lock that another process holds
        return False
    return True


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _short(path: Path) -> str:
    """Return a path as seen from the current folder, if it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
