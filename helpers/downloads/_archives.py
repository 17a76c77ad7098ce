"""An archive from somebody else, looked through before anything in it is used."""

import lzma
import ntpath
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from helpers.downloads._fetch import DownloadError

LONGEST_LINK = 4096  # bytes; no system takes a longer path


def check_archive(path: str | Path) -> None:
    """Refuse an archive with a member, or a link, that leads out of the folder it is unpacked into.

    TFDS unpacks without leaving the folder and without making links; it drops such members and says nothing. They
    are no accident, so here the whole archive is refused. Nothing is unpacked, and a file that is neither a zip nor a
    tar archive (whatever its compression) passes.

    Args:
        path: the archive.

    Raises:
        DownloadError: if a member leads out of the folder, or the archive cannot be read to its end.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder, "pets.zip"), "w") as archive:
        ...         archive.writestr("../../evil.jpg", b"")
        ...     check_archive(Path(folder, "pets.zip"))
        Traceback (most recent call last):
        helpers.downloads._fetch.DownloadError: Received archive 'pets.zip' with the member '../../evil.jpg', which ...
    """
    path = Path(path)
    try:
        for name, target in _members(path):
            if _leads_out(name):
                raise _refusal(path, f"the member {name!r}, which leads")
            if target is not None and _leads_out(target):
                raise _refusal(path, f"the link {name!r}, which leads")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise DownloadError(
            f"Received archive '{path.name}' that cannot be read to its end ({error}), expected a whole one. "
            "Get it again from its publisher."
        ) from error


def _refusal(path: Path, what: str) -> DownloadError:
    return DownloadError(
        f"Received archive '{path.name}' with {what} out of its folder, expected members inside it. "
        "Nothing was unpacked: do not trust this archive."
    )


def _members(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each member's name and, of a link, where it leads, seen from the archive's own folder."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                yield member.orig_filename, _link_in_zip(archive, member)
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.issym():
                    yield member.name, _beside(member.name, member.linkname)
                else:  # a hard link names another member
                    yield member.name, member.linkname if member.islnk() else None
            # `tarfile` takes a damaged header for the end, and says nothing.
            archive.fileobj.seek(archive.offset)
            if archive.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError("damaged header")


def _link_in_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str | None:
    if not stat.S_ISLNK(member.external_attr >> 16):
        return None
    with archive.open(member) as file:
        target = file.read(LONGEST_LINK + 1)
    if len(target) > LONGEST_LINK:
        raise zipfile.BadZipFile(f"the link {member.filename!r} is too long to be one")
    return _beside(member.filename, target.decode(errors="replace"))


def _beside(name: str, target: str) -> str:
    return posixpath.join(posixpath.dirname(name), target)


def _leads_out(name: str) -> bool:
    return any(_leads_out_under(rules, name) for rules in (posixpath, ntpath))


def _leads_out_under(rules: ModuleType, name: str) -> bool:
    r"""Tell under the rules of one system: `..\evil` is a harmless file name on Linux, and an attack on Windows."""
    drive, rest = rules.splitdrive(name)
    return bool(drive) or rest.startswith(("/", rules.sep)) or rules.normpath(rest).split(rules.sep)[0] == ".."
