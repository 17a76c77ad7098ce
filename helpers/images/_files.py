"""Picture files on a disk: which there are, and their bytes."""

import os
import stat
from collections import deque
from pathlib import Path

from PIL import Image as PillowImage

from helpers.images._decoding import FORMATS, IMAGE_SUFFIXES, UnreadableError, is_heif, pillow_is_quiet

# Folders that programs leave: rubbish bins, previews and snapshots of disks and NAS systems, archives made on a Mac.
LEFT_BY_PROGRAMS = frozenset(
    {"$recycle.bin", "recycler", "recycled", "#recycle", "@recycle", "@eadir", "#snapshot", "@recently-snapshot"}
    | {"lost+found", "system volume information", "__macosx", "__pycache__"}
)
# A file that is larger than any picture that fits into memory is not read at all.
MAX_FILE_BYTES = 2**30


def find_files(folder: str | Path) -> list[Path]:
    """List the pictures in a folder and below it, in the order of their paths.

    A file counts as a picture by its suffix (see `IMAGE_SUFFIXES`). Hidden files and folders are left out:
    archives made on a Mac bring a `._cat.jpg` beside each `cat.jpg`.

    Args:
        folder: where to look.

    Returns:
        Paths that begin with `folder`; empty if there is no picture.

    Raises:
        FileNotFoundError: if there is nothing at `folder`.
        NotADirectoryError: if `folder` is a file.
    """
    folder = Path(folder)
    require_folder(folder)
    return [path for path in walk(folder) if path.suffix.lower() in IMAGE_SUFFIXES and os.path.isfile(path)]


def require_folder(folder: Path) -> None:
    """Raise FileNotFoundError or NotADirectoryError if `folder` is none."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: there is no such folder. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: this is a file, expected a folder. Give the folder it is in.")


def walk(folder: Path, *, apart: int = 1) -> list[Path]:
    """List all files below a folder: the one rule for links, and for what is nobody's picture.

    Links are followed, but not in circles. Where several paths lead to one file, the one with the fewest links is
    listed. Hidden files and folders are left out, and folders that programs leave. A folder that cannot be opened is
    listed itself.

    Args:
        folder: where to look.
        apart: how many levels of folders are looked through each by itself: 1 for classes, 2 for splits of classes.
            A file that two of these folders link to is listed in both.

    Returns:
        Paths that begin with `folder`, in order.
    """
    top = Path(os.path.realpath(folder))
    seen, found = set(), {}
    pending = deque([(folder, top)])
    while pending:
        here, real_here = pending.popleft()
        group = here.relative_to(folder).parts[:apart]
        if (group, real_here) in seen:
            continue
        seen.add((group, real_here))
        try:
            entries = scan(here)
        except OSError:
            if here == folder:
                raise
            found[group, real_here] = (0, here)
            continue
        for entry in entries:
            if is_passed_over(entry.name):
                continue
            path, link = here / entry.name, entry.is_symlink()
            real = Path(os.path.realpath(path)) if link else real_here / entry.name
            if not os.path.isdir(path):
                way = (_count_links(path) if link else 0, path)
                found[group, real] = min(way, found.get((group, real), way))
            elif not (real_here.is_relative_to(real) or top.is_relative_to(real)):  # a link upwards leads in circles
                (pending.append if link else pending.appendleft)((path, real))  # links last: they have been seen then
    return sorted((path for _, path in found.values()), key=lambda path: path.as_posix())


def scan(folder: Path) -> list[os.DirEntry]:
    """Return what is in a folder, by name; raise OSError if it may not be listed, or be listed but not entered."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    os.stat(os.path.join(folder, os.curdir))  # noqa: PTH116, PTH118 - pathlib drops the dot
    return entries


def is_passed_over(name: str) -> bool:
    """Return whether a file or folder is nobody's picture or class by its name: hidden, or left by a program."""
    return name.startswith(".") or name.lower() in LEFT_BY_PROGRAMS


def _count_links(path: Path) -> int:
    """Return how many links lead from a path to its file, 0 for the file itself, 99 if they lead in circles."""
    for count in range(99):
        if not os.path.islink(path):
            return count
        path = path.parent / path.readlink()
    return 99


def is_picture(path: Path) -> bool:
    """Return whether a file begins as a picture does, whatever it is called."""
    try:
        with path.open("rb") as file:
            if is_heif(file.read(64)):
                return True
        with pillow_is_quiet, PillowImage.open(path, formats=FORMATS):
            return True
    except Exception:  # no picture, or too damaged to show that it was one
        return False


def read_content(path: Path) -> bytes:
    """Return the bytes of a picture file.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        UnreadableError: if it is no file, cannot be read or has more than `MAX_FILE_BYTES`.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError(
                "unreadable", "this is a folder, expected one picture. List its pictures with find_files()."
            )
        if not stat.S_ISREG(status.st_mode):  # reading from a pipe could wait for ever, and from a device never end
            raise UnreadableError("unreadable", "this is a pipe, a socket or a device, expected a file. Take it away.")
        if status.st_size > MAX_FILE_BYTES:
            raise UnreadableError(
                "oversized",
                f"the file has more than {MAX_FILE_BYTES >> 20:,} MiB, expected a picture. Save a smaller copy.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file. Check the name and the folder.") from None
    except OSError as error:
        raise UnreadableError(
            "unreadable", f"the file cannot be read ({error.strerror or error}). Check its permissions and the disk."
        ) from error
