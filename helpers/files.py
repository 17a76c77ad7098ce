"""What several rooms need of files: written whole or not at all, their hash, room for them, a bar for the wait."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

NOTEBOOK_FOLDER = Path(__file__).parents[1] / "notebooks"  # the solved lessons, where a clone is installed
BAR_DELAY = 3  # seconds before a progress bar appears


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; it becomes `target` at the end, if nothing went wrong.

    A run that is stopped half-way leaves nothing that a later one takes for whole.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_beside(Path(folder, "a.txt")) as draft:
        ...         _ = draft.write_text("whole")
        ...     Path(folder, "a.txt").read_text()
        'whole'
    """
    target = target.resolve()  # a link stays one
    target.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that not even a killed run's remains are taken for pictures.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        draft = Path(scratch) / target.name
        yield draft
        if draft.is_dir() and target.is_dir():
            target.rmdir()  # only an empty folder is replaced
        draft.replace(target)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, however large, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def existing_folder(path: Path) -> Path:
    """Return the nearest folder on the way up from `path` that exists: where there must be room to write."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())


def require_writable(folder: Path) -> None:
    """Make sure, before long work and not after it, that files can be written to a folder, which need not exist yet.

    Raises:
        ValueError: if they can't, or something else than a folder has its name or stands on the way to it.
    """
    there = next(path for path in (folder, *folder.parents, Path()) if os.path.lexists(path))
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"'{there}' is no folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ValueError(
            f"Received output '{folder}', where no file can be written ({error.strerror}), expected a folder that can "
            "be written to. Choose another folder."
        ) from error


def progress(items: Iterable[Any] | None = None, *, unit: str, total: int | None = None, **options: Any) -> tqdm:
    """Return a tqdm bar on standard error that appears only if the work takes more than a few seconds."""
    return tqdm(items, total=total, unit=unit, leave=False, delay=BAR_DELAY, **options)
