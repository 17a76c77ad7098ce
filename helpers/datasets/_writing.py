"""Write beside, then rename: a run that is stopped half-way leaves nothing that a later one takes for whole."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; it becomes `target` at the end, if nothing went wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that not even a killed run's remains are taken for pictures (see `images.find_files`).
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        draft = Path(scratch) / target.name
        yield draft
        if draft.is_dir() and target.is_dir():
            target.rmdir()  # it is empty: see `require_free`
        draft.replace(target)


def require_free(folder: Path) -> None:
    """Refuse to write into a folder that holds something.

    Raises:
        ValueError: if it is a file, or not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"Received '{folder}', where there is something already, expected a new or empty folder. "
            "Choose another name, or move away what is there."
        )


def require_class_names(names: list[str]) -> None:
    """Refuse class names that cannot name a folder, such as `a/b` or `..`.

    Raises:
        ValueError: naming the first of them.
    """
    for name in names:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise ValueError(f"Received the class name {name!r}, expected one that can name a folder. Rename it.")
