"""One file from a web server, through any number of broken connections, and proved right before it gets its name."""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, ProtocolError

BAR_DELAY = 3  # seconds before a progress bar appears
CHUNK = 1 << 16
TIMEOUT = (10, 60)  # seconds to connect; seconds without a byte
WAITS = (1, 2, 4, 8)  # seconds before each new attempt, from the first on, in a row that brings no new byte
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers that may be another one in a moment


class DownloadError(ValueError):
    """What arrived is not what was announced: another size, another checksum, a web page, a hostile archive."""


class TransferError(ConnectionError):
    """The server can be reached, but does not send the file (to the end)."""


class _TryAgainError(Exception):
    """An attempt that failed, and a reason why another one may not."""


def fetch(
    url: str,
    path: str | Path,
    *,
    size: int,
    sha256: str,
    accept: Callable[[Path], None] | None = None,
) -> None:
    """Download a file, going on where an earlier attempt stopped; `path` appears only when its content is right.

    Until then the bytes are in `path` with `.part` added. That file stays when the connection, or the program, breaks
    off, and the next call asks the server for the rest alone (a `Range` request). Two calls for the same path at the
    same time spoil each other's part: see to it that there is one, as `prepare` does.

    Args:
        url: an http or https address.
        path: where the file goes; its folder is made if need be.
        size: of the file, in bytes.
        sha256: of its content, 64 hexadecimal digits.
        accept: called with the verified file before it gets its name; raises `DownloadError` to refuse it.

    Raises:
        DownloadError: if the server sends something else. Nothing of it is kept.
        TransferError: a `ConnectionError`; the server refuses, or breaks off again and again. What came is kept.
        requests.RequestException: if the server cannot be reached at all.
        OSError: if there is no space.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    in_one_go = _complete(url, part, size=size)
    found = hash_file(part)
    if found != sha256 and not in_one_go:  # pieces of different files, perhaps: once more, from the start
        part.unlink()
        _complete(url, part, size=size)
        found = hash_file(part)
    if found != sha256:
        part.unlink()
        raise DownloadError(
            f"Received from {url} a file with SHA-256 {found}, expected {sha256}: it has been changed, by its "
            "publisher or on its way. It was deleted. Try again later."
        )
    adopt(part, path, accept=accept)


def part_of(path: Path) -> Path:
    """Return the name of a file that is not complete."""
    return path.with_name(path.name + ".part")


def count_bytes(path: Path) -> int:
    """Return a file's size, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def adopt(part: Path, path: Path, *, accept: Callable[[Path], None] | None) -> None:
    """Give a verified file its name, unless `accept` refuses it: then it is deleted."""
    try:
        if accept:
            accept(part)
    except DownloadError:
        part.unlink()
        raise
    part.replace(path)


def check_space(folder: Path, *, needed: int) -> None:
    """Raise `OSError` if a file system has less space than needed (bytes)."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"'{folder}' has {describe_size(free)} free, expected {describe_size(needed)} or more. "
            "Make space, or set COURSE_DATA to a folder on another disk."
        )


def describe_size(size: int) -> str:
    """Return bytes as people read them.

    Example:
        >>> describe_size(99), describe_size(824_887_076), describe_size(2_500_000_000)
        ('99 bytes', '825 MB', '2.5 GB')
    """
    for unit, divisor, digits in (("GB", 1e9, 1), ("MB", 1e6, 0), ("kB", 1e3, 0)):
        if round(size / divisor, digits) >= 1:
            return f"{size / divisor:.{digits}f} {unit}"
    return f"{size} bytes"


def _complete(url: str, part: Path, *, size: int) -> bool:
    """Ask for what is missing until nothing is; return whether all of it came with one answer."""
    if count_bytes(part) > size:
        part.unlink()
    check_space(part.parent, needed=size - count_bytes(part))
    before = best = count_bytes(part)
    failures = attempts = 0
    name = url.rstrip("/").rsplit("/", 1)[-1]
    with (
        requests.Session() as session,
        tqdm(
            total=size, initial=before, desc=name[:40], unit="B", unit_scale=True, leave=False, delay=BAR_DELAY
        ) as bar,
    ):
        while not part.exists() or count_bytes(part) < size:
            try:
                attempts += 1
                _attempt(session, url, part, size=size, bar=bar)
            except _TryAgainError as error:
                # A server that starts from the beginning each time, and stops at the same place, has brought nothing.
                failures = 0 if count_bytes(part) > best else failures + 1
                best = max(best, count_bytes(part))
                if failures > len(WAITS):
                    raise TransferError(
                        f"{url} did not come: {error}, {failures} times in a row. {describe_size(best)} of "
                        f"{describe_size(size)} are here; the next run goes on from there if the server lets it"
                    ) from error
                time.sleep(WAITS[max(failures - 1, 0)])
            except requests.ConnectionError:  # no network: twice is enough, unless there was one a moment ago
                failures += 1
                if failures > (len(WAITS) if count_bytes(part) > before else 1):
                    raise
                time.sleep(WAITS[failures - 1])
    return before == 0 and attempts == 1


def _attempt(session: requests.Session, url: str, part: Path, *, size: int, bar: tqdm) -> None:
    """Ask once for what is missing, and write what comes."""
    try:
        with _ask(session, url, start=count_bytes(part)) as response:
            _append(response, part, size=size, bar=bar)
    except requests.Timeout as error:
        raise _TryAgainError("the server was silent") from error
    except requests.ConnectionError as error:
        # A connection that opened and broke: `requests` wraps it. One that never opened is a MaxRetryError.
        if isinstance(error.args[0], ProtocolError):
            raise _TryAgainError("the connection broke") from error
        raise
    except HTTPError as error:  # from the raw stream
        raise _TryAgainError("the connection broke") from error
    if count_bytes(part) < size:
        raise _TryAgainError("the answer ended early")


def _ask(session: requests.Session, url: str, *, start: int) -> requests.Response:
    # identity: a server that compresses on the way would count other bytes than we do.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    response = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    if response.status_code in (200, 206, 416):
        return response
    response.close()
    answer = f"the server answered {response.status_code} {response.reason or ''}".rstrip()
    if response.status_code in PASSING:
        raise _TryAgainError(answer)
    raise TransferError(f"{url} did not come: {answer}")


def _append(response: requests.Response, part: Path, *, size: int, bar: tqdm) -> None:
    """Write what comes to the end of the part, or anew when the server starts from the beginning."""
    start = _first_byte(response)
    if start is None:
        part.unlink(missing_ok=True)  # the server knows no such place in its file: a part of another one
        return
    _refuse_others(response, size=size, start=start)
    with part.open("ab") as file:
        if start == 0:
            file.truncate(0)
        bar.update(start - bar.n)  # back, if the server starts again
        # Raw bytes: a .tar.gz that is labelled as compressed on the way must not be unpacked on the way.
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            if file.tell() + len(chunk) > size:
                file.truncate(0)
                raise DownloadError(f"Received from {response.url} more than the expected {size:,} bytes.")
            file.write(chunk)
            bar.update(len(chunk))


def _first_byte(response: requests.Response) -> int | None:
    """Return the position in the file that the answer starts at; None if it does not continue what was asked for."""
    if response.status_code == 200:
        return 0
    asked = response.request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
    given = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(asked) if response.status_code == 206 and given == asked else None


def _refuse_others(response: requests.Response, *, size: int, start: int) -> None:
    """Raise `DownloadError`, before a byte is written, if the answer cannot be the file."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise DownloadError(
            f"Received from {response.url} a web page, expected a file of {size:,} bytes: a login or an error page."
        )
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) not in (0, size - start):
        raise DownloadError(
            f"Received from {response.url} a file of {int(length) + start:,} bytes, expected {size:,}: its publisher "
            "has changed it."
        )
