"""What to do about findings: list them, and move away what cannot be used."""

import csv
import errno
import filecmp
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from helpers.cleaning._folders import Finding

MANIFEST_COLUMNS = ("file", "kind", "detail", "usable")
MANIFEST_NAME = "manifest.csv"


def write_manifest(findings: Iterable[Finding], path: str | Path) -> None:
    r"""Write findings as CSV with the columns file, kind, detail, usable.

    The file is complete or not there: it is written beside, then renamed. It replaces one of the same name.

    Args:
        findings: from `find_problems`.
        path: the CSV file; UTF-8. What is no character in a file's name is written as `\udc..`.

    Example:
        >>> import pandas
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_manifest([Finding("cat/1.jpg", "empty", "the file is empty", False)], Path(folder, "a.csv"))
        ...     pandas.read_csv(Path(folder, "a.csv")).to_dict("list")
        {'file': ['cat/1.jpg'], 'kind': ['empty'], 'detail': ['the file is empty'], 'usable': [False]}
    """
    _write_rows([tuple(map(str, finding)) for finding in findings], Path(path))


def _write_rows(rows: Iterable[Sequence[str]], path: Path) -> None:
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([MANIFEST_COLUMNS, *rows])
        part.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is told without a name
        raise
    finally:
        part.unlink(missing_ok=True)


def _read_rows(path: Path) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)]
    if rows[:1] != [MANIFEST_COLUMNS]:
        raise ValueError(f"Received '{path}', which is not a manifest of ours. Choose another folder.")
    return rows[1:]


def set_aside(folder: str | Path, findings: Iterable[Finding], *, destination: str | Path) -> list[Path]:
    """Move the unusable files out of a folder, and list them beside.

    Files keep their path below the folder. Nothing is deleted and nothing overwritten. `manifest.csv` in `destination`
    is written before the first file moves and names each, so a run that is killed loses nothing: do it again. What an
    earlier run has set aside stays listed.

    Args:
        folder: as for `find_problems`.
        findings: from `find_problems`; usable files stay.
        destination: a folder outside `folder`; made if need be.

    Returns:
        Where the files are now.

    Raises:
        FileNotFoundError: if a file is no longer there.
        ValueError: if `destination` lies so that its files would be found again, or has other files of these names.
    """
    folder, destination = Path(folder), Path(destination)
    check_destination(folder, destination)
    unusable = [finding for finding in findings if not finding.usable]
    moves = {folder / finding.file: destination / finding.file for finding in unusable}
    for source, target in moves.items():
        _check_move(source, target, folder=folder, destination=destination)
    if not moves:
        return []
    rows = [*_read_rows(destination / MANIFEST_NAME), *(tuple(map(str, finding)) for finding in unusable)]
    _write_rows(dict.fromkeys(rows), destination / MANIFEST_NAME)
    for source, target in moves.items():
        _move(source, target)
    return list(moves.values())


def check_destination(folder: str | Path, destination: str | Path) -> None:
    """Make sure that files set aside in `destination` are not found again, for example as a class of their own.

    Raises:
        ValueError: if one folder is in the other (unless hidden below it), or `destination` is a file.
    """
    inner, outer = Path(destination).resolve(), Path(folder).resolve()
    if inner.exists() and not inner.is_dir():
        raise ValueError(f"Received destination '{destination}', which is a file. Choose a folder.")
    hidden = inner.is_relative_to(outer) and any(p.startswith(".") for p in inner.relative_to(outer).parts)
    if (inner.is_relative_to(outer) and not hidden) or outer.is_relative_to(inner):
        raise ValueError(
            f"Received destination '{destination}' for files from '{folder}', expected a folder apart from it: they "
            f"would be found again, as a class of their own. Choose one beside it, such as '{outer.name}_set_aside'."
        )


def _check_move(source: Path, target: Path, *, folder: Path, destination: Path) -> None:
    name = PurePosixPath(source.relative_to(folder).as_posix()) if source.is_relative_to(folder) else None
    if name is None or ".." in name.parts:
        raise ValueError(f"Received a finding about '{source}', expected files in '{folder}'. Look for them anew.")
    if source.parent.resolve() != folder.resolve() / source.parent.relative_to(folder):
        raise ValueError(
            f"Received a finding about '{source}', which lies behind a link to a folder: moving it would empty that "
            "other folder. Nothing was moved. Check the folder behind the link by itself, or take the link away."
        )
    if _is_special(source) and source.stat().st_dev != _disk_of(destination):
        raise ValueError(
            f"Received a finding about '{source}', which is no file and cannot go to another disk. Nothing was moved. "
            "Choose a folder on the same disk, or take it away yourself."
        )
    if not os.path.lexists(source) and not os.path.lexists(target):
        raise FileNotFoundError(errno.ENOENT, "there is no such file any more", str(source))
    other = os.path.lexists(source) and os.path.lexists(target) and not _is_same(source, target)
    if other or target == destination / MANIFEST_NAME:
        raise ValueError(
            f"Received destination '{destination}', where '{target}' is taken by another file. Choose another folder."
        )


def _is_special(path: Path) -> bool:
    """Tell a pipe or the like from a file or a link."""
    return os.path.lexists(path) and not path.is_symlink() and not path.is_file()


def _disk_of(folder: Path) -> int:
    """Return the number of the disk that a folder is on, or will be on."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()).stat().st_dev


def _is_same(first: Path, second: Path) -> bool:
    if first.is_symlink() or second.is_symlink():
        return first.is_symlink() and second.is_symlink() and first.readlink() == second.readlink()
    if not (first.is_file() and second.is_file()) or first.samefile(second):  # one file is no copy of itself
        return False
    return filecmp.cmp(first, second, shallow=False)


def _move(source: Path, target: Path) -> None:
    """Move a file so that at any moment at least one whole copy is there, on another disk too."""
    if not os.path.lexists(source):
        return  # an earlier run has moved it
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):
        try:
            source.rename(target)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:  # not the same disk: copy, and only then remove
                raise
        part = target.with_name(".part")
        part.unlink(missing_ok=True)
        try:
            shutil.copy2(source, part, follow_symlinks=False)
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
    # Looked at again: two names may be one place here (a.jpg and A.jpg on a USB stick, two folders linked into one).
    if not _is_same(source, target):
        raise ValueError(f"Received '{source}' to set aside, but '{target}' is another file. Choose another folder.")
    source.unlink()
