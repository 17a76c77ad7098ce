"""A folder: every file that claims to be a picture, what is wrong or odd about it, and where the useless ones go."""

import csv
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from helpers import files
from helpers.cleaning._inspection import HASH_BITS, KINDS, NEAR_DISTANCE, Inspection, inspect_files, near_blocks
from helpers.cleaning._layout import Candidate, Survey, survey_folder

# Copies stay where they are tested rather than where they are learned, as in `datasets.load`.
USES = ("test", "validation", "train", "")
MANIFEST_COLUMNS = ("file", "kind", "detail", "usable")
MANIFEST_NAME = "manifest.csv"


class Finding(NamedTuple):
    """One thing that is wrong or odd with one file.

    Attributes:
        file: path from the folder down, with `/`.
        kind: one of `KINDS`.
        detail: what was found, for a reader.
        usable: whether the file can be trained on as it is; the same in all findings about a file.
    """

    file: str
    kind: str
    detail: str
    usable: bool


def find_problems(
    folder: str | Path, *, near_distance: int = NEAR_DISTANCE, progress: bool = False, survey: Survey | None = None
) -> list[Finding]:
    """Decode every picture of a folder and say what is wrong or odd.

    Unusable (`usable=False`) is what cannot be trained on: what is damaged, empty, oversized or no picture (see
    `find_candidates` for what is looked at), every copy of a file but one, and files that stand under two classes,
    because one of the labels is wrong. The rest is told, and used: `images.read` turns CMYK, transparent, grayscale
    and animated pictures into plain ones.

    Args:
        folder: one sub-folder per class, below `train`, `validation` and `test` or not; or any other folder.
        near_distance: how many of the 64 bits of the perceptual hash may differ in near duplicates, 0 to 64.
        progress: show a bar on standard error.
        survey: of the folder, if you have made it already.

    Returns:
        Findings in the order of the files; a file can have several. Of near duplicates, the later file is named.

    Raises:
        FileNotFoundError: if there is nothing at `folder`.
        NotADirectoryError: if `folder` is a file.
        ValueError: for another `near_distance`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "cat.jpg").write_text("no picture")
        ...     [(finding.file, finding.kind, finding.usable) for finding in find_problems(folder)]
        [('cat.jpg', 'unreadable', False)]
    """
    if not 0 <= near_distance <= HASH_BITS:
        raise ValueError(
            f"Received near_distance={near_distance}, expected 0 to {HASH_BITS}. Use {NEAR_DISTANCE}, as measured."
        )
    folder = Path(folder)
    survey = survey or survey_folder(folder)
    candidates = sorted(survey.candidates, key=lambda candidate: candidate.path.as_posix())
    paths = [candidate.path for candidate in candidates]
    names = [path.relative_to(folder).as_posix() for path in paths]  # as they are: files are moved by them
    inspections = inspect_files(paths, progress=progress)
    found = [
        finding for name, inspection in zip(names, inspections, strict=True) for finding in _tell(name, inspection)
    ]
    copies = list(_find_copies(folder, candidates, inspections))
    unusable = {finding.file for finding in [*found, *copies] if not finding.usable}
    hashes = [None if n in unusable else i.likeness for n, i in zip(names, inspections, strict=True)]
    near = _find_near(names, hashes, near_distance)
    told = [finding._replace(usable=finding.file not in unusable) for finding in [*found, *copies, *near]]
    return sorted(told, key=lambda finding: (finding.file, KINDS.index(finding.kind)))


def _tell(name: str, inspection: Inspection) -> Iterator[Finding]:
    if inspection.problem:
        yield Finding(name, inspection.kind, inspection.problem, False)
    for kind, detail in inspection.remarks:
        yield Finding(name, kind, detail, True)


# --- Copies ------------------------------------------------------------------------------------------------------


def _find_copies(folder: Path, candidates: Sequence[Candidate], inspections: Sequence[Inspection]) -> Iterator[Finding]:
    """Find equal files: one of them is kept, where it tests rather than where it teaches; of two classes, none."""
    groups: dict[str, list[Candidate]] = {}
    for candidate, inspection in zip(candidates, inspections, strict=True):
        if not inspection.problem:
            groups.setdefault(inspection.digest, []).append(candidate)
    for group in groups.values():
        if len(group) == 1:
            continue
        classes = sorted({candidate.class_name for candidate in group} - {""})
        # A link is not the one that is kept: it would lead nowhere once the file behind it is moved.
        group.sort(key=lambda candidate: (_is_linked(folder, candidate.path), USES.index(candidate.split)))
        if len(classes) > 1:
            reason, copies = (
                f"the same content stands under the classes {', '.join(classes)}: one label is wrong",
                group,
            )
        else:
            reason, copies = f"the same content as {group[0].path.relative_to(folder).as_posix()}", group[1:]
        for candidate in copies:
            yield Finding(candidate.path.relative_to(folder).as_posix(), "duplicate", reason, False)


def _is_linked(folder: Path, path: Path) -> bool:
    return path.resolve() != folder.resolve() / path.relative_to(folder)


def _find_near(names: Sequence[str], fingerprints: Sequence[int | None], near_distance: int) -> list[Finding]:
    """Find, for each picture, the earlier one that it resembles most."""
    nearest: dict[int, tuple[int, int]] = {}
    for pairs in near_blocks(fingerprints, near_distance=near_distance):
        first, second, distance = pairs.T
        ordered = pairs[np.lexsort((first, distance, second))]
        _, best = np.unique(ordered[:, 1], return_index=True)
        for i, j, bits in ordered[best].tolist():
            nearest[j] = min(nearest.get(j, (HASH_BITS + 1, 0)), (bits, i))
    return [
        Finding(names[j], "near duplicate", f"nearly the same as {names[i]} ({bits} of {HASH_BITS} bits differ)", True)
        for j, (bits, i) in nearest.items()
    ]


# --- What is done about findings ---------------------------------------------------------------------------------


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
    with (
        files.written_beside(path) as draft,
        draft.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows([MANIFEST_COLUMNS, *rows])


def _read_rows(path: Path) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)]
    if rows[:1] != [MANIFEST_COLUMNS]:
        raise ValueError(f"Received '{path}', expected a manifest that the course wrote. Choose another folder.")
    return rows[1:]


def set_aside(folder: str | Path, findings: Iterable[Finding], *, destination: str | Path) -> list[Path]:
    """Move the unusable files out of a folder, and list them beside.

    Files are renamed, so they keep their path below the folder, and none is ever half here and half there. Nothing is
    deleted and nothing overwritten. `manifest.csv` in `destination` is written before the first file moves and names
    each, so a run that is killed loses nothing: do it again. What an earlier run has set aside stays listed. A
    folder that cannot be opened stays where it is.

    Args:
        folder: as for `find_problems`.
        findings: from `find_problems`; usable files stay.
        destination: a folder outside `folder`, on the same disk; made if need be.

    Returns:
        Where the files are now.

    Raises:
        FileNotFoundError: if a file is no longer there.
        ValueError: if `destination` lies so that its files would be found again, is on another disk, or has other
            files of these names.
    """
    folder, destination = Path(folder), Path(destination)
    check_destination(folder, destination)
    unusable = [finding for finding in findings if not finding.usable and not os.path.isdir(folder / finding.file)]
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
    """Make sure that files can be set aside in `destination`, and are not found again as a class of their own.

    Raises:
        ValueError: if one folder is in the other (unless hidden below it), `destination` is a file, or they are on
            two disks.
    """
    inner, outer = Path(destination).resolve(), Path(folder).resolve()
    if inner.exists() and not inner.is_dir():
        raise ValueError(f"Received destination '{destination}', a file, expected a folder. Choose one.")
    hidden = inner.is_relative_to(outer) and any(p.startswith(".") for p in inner.relative_to(outer).parts)
    if (inner.is_relative_to(outer) and not hidden) or outer.is_relative_to(inner):
        raise ValueError(
            f"Received destination '{destination}' for files from '{folder}', expected a folder apart from it: they "
            f"would be found again, as a class of their own. Choose one beside it, such as '{outer.name}_set_aside'."
        )
    if files.existing_folder(inner).stat().st_dev != files.existing_folder(outer).stat().st_dev:
        raise _other_disk(destination)


def _other_disk(destination: str | Path) -> ValueError:
    return ValueError(
        f"Received destination '{destination}' on another disk, expected the disk that the pictures are on: they are "
        "renamed, never copied. Choose a folder beside the pictures, and copy it from there."
    )


def _check_move(source: Path, target: Path, *, folder: Path, destination: Path) -> None:
    name = PurePosixPath(source.relative_to(folder).as_posix()) if source.is_relative_to(folder) else None
    if name is None or ".." in name.parts:
        raise ValueError(f"Received a finding about '{source}', expected files in '{folder}'. Look for them anew.")
    if source.parent.resolve() != folder.resolve() / source.parent.relative_to(folder):
        raise ValueError(
            f"Received a finding about '{source}', behind a link to a folder, expected files in '{folder}' itself: "
            "moving it would empty that other folder. Nothing was moved. Check the folder behind the link by itself, "
            "or take the link away."
        )
    if os.path.lexists(source):
        _require_free(target)
    elif not os.path.lexists(target):
        raise FileNotFoundError(errno.ENOENT, "there is no such file any more", str(source))
    if target == destination / MANIFEST_NAME:
        raise ValueError(f"Received '{source}', expected another name than the manifest's. Rename it first.")


def _require_free(target: Path) -> None:
    if os.path.lexists(target):
        raise ValueError(f"Received '{target}', where another file is, expected a free place. Choose another folder.")


def _move(source: Path, target: Path) -> None:
    if not os.path.lexists(source):
        return  # an earlier run has moved it
    target.parent.mkdir(parents=True, exist_ok=True)
    _require_free(target)  # again: two names may be one place (a.jpg and A.jpg on a USB stick, linked folders)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno == errno.EXDEV:  # a folder below is on another disk
            raise _other_disk(target.parent) from error
        raise
