"""A folder: every file that claims to be a picture, and what is wrong or odd about it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from helpers import images
from helpers.cleaning._files import DamagedError, Header, decode, digest_of, read_header
from helpers.cleaning._likeness import HASH_BITS, NEAR_DISTANCE, near_blocks, perceptual_hash

KINDS = (
    "unreadable",
    "truncated",
    "empty",
    "oversized",
    "wrong extension",
    "cmyk",
    "alpha",
    "grey",
    "animated",
    "duplicate",
    "near duplicate",
)
SUFFIXES = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".jpe", ".jfif"),  # a JPEG with more behind it, as some cameras and phones write
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
# Pictures as well, but of formats that the course does not read.
OTHER_PICTURE_SUFFIXES = frozenset(
    {".avif", ".heic", ".heif", ".ico", ".jp2", ".jxl", ".pgm", ".ppm", ".psd", ".svg", ".tga"}
    | {".arw", ".cr2", ".cr3", ".dng", ".nef", ".raw"}  # straight from a camera's sensor
)
# What folders are called that hold a split; in any case, since `Train` and `Test` are as usual as `train` and `test`.
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}
# Copies stay where they are tested rather than where they are learned, as in `datasets.load`.
USES = ("test", "validation", "train")
BAR_DELAY = 3  # seconds before a progress bar appears


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


class _Look(NamedTuple):
    """What one file shows by itself: (kind, detail) pairs; what is needed to compare it with others."""

    remarks: tuple[tuple[str, str], ...]
    usable: bool
    digest: str = ""
    fingerprint: int | None = None


def find_problems(folder: str | Path, *, near_distance: int = NEAR_DISTANCE, progress: bool = False) -> list[Finding]:
    """Decode every picture of a folder and say what is wrong or odd.

    Files of other kinds, such as `notes.txt` or `Thumbs.db`, are none of our business, and hidden ones are skipped;
    but a picture behind a foreign suffix is found. Unusable (`usable=False`) is what cannot be trained on: damaged,
    empty or oversized files, pictures whose suffix nothing here reads, every copy of a file but one, and files that
    stand under two classes, because one of the labels is wrong. The rest is told, and used: `images.read` turns
    CMYK, transparent, grey and animated pictures into plain ones.

    Args:
        folder: one sub-folder a class, below `train`, `validation` and `test` or not; or any other folder.
        near_distance: how many of the 64 bits of the perceptual hash may differ in near duplicates, 0 to 64.
        progress: show a bar on standard error.

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
    paths = find_candidates(folder)
    with images.quiet_about_metadata(), ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = tqdm(
            pool.map(_look_at, paths),
            total=len(paths),
            unit="picture",
            leave=False,
            delay=BAR_DELAY,
            disable=not progress,
        )
        looks = list(bar)
    files = [path.relative_to(folder).as_posix() for path in paths]
    found = [
        Finding(file, *remark, look.usable) for file, look in zip(files, looks, strict=True) for remark in look.remarks
    ]
    copies = _find_copies(folder, files, looks, split=_is_split(folder))
    unusable = {finding.file for finding in [*found, *copies] if not finding.usable}
    hashes = [None if file in unusable else look.fingerprint for file, look in zip(files, looks, strict=True)]
    near = _find_near(files, hashes, near_distance)
    told = [finding._replace(usable=finding.file not in unusable) for finding in [*found, *copies, *near]]
    return sorted(told, key=lambda finding: (finding.file, KINDS.index(finding.kind)))


def find_candidates(folder: str | Path) -> list[Path]:
    """List everything in a folder that claims to be a picture, by its suffix or by its content.

    Unlike `images.find_files`, which lists what can be trained on, this finds broken links, folders with the name of
    a picture, formats that the course does not read, and pictures behind a foreign suffix.

    Args:
        folder: looked through with all below it, except what is hidden.

    Returns:
        Paths that begin with `folder`, in order.

    Raises:
        FileNotFoundError: if there is nothing at `folder`.
        NotADirectoryError: if `folder` is a file.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: there is no such folder. Check the path.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: this is a file, expected a folder. Give the folder it is in.")
    claimed = images.IMAGE_SUFFIXES | OTHER_PICTURE_SUFFIXES
    found = [
        path
        for path in _walk(folder, levels=2 if _is_split(folder) else 1)
        if path.suffix.lower() in claimed or _is_link_to_folder(path) or _format_of(path)
    ]
    return sorted(found, key=lambda path: path.as_posix())


def _walk(folder: Path, *, levels: int) -> Iterator[Path]:
    """Yield all that is not hidden. A class may be a link to a folder; deeper ones are not followed, as in training.

    Of links to folders, only those that are not followed are yielded.
    """
    for path in folder.iterdir():  # raises if the folder cannot be opened: nothing is passed over
        if path.name.startswith("."):
            continue
        followed = path.is_dir() and (levels > 0 or not path.is_symlink())
        if not (followed and path.is_symlink()):
            yield path
        if followed:
            yield from _walk(path, levels=levels - 1)


def _is_link_to_folder(path: Path) -> bool:
    return path.is_symlink() and path.is_dir()


def _format_of(path: Path) -> str:
    """Return the format that a file's first bytes show, `""` if none that we know."""
    if not path.is_file():
        return ""
    try:
        with images.quiet_about_metadata(), Image.open(path, formats=images.FORMATS) as picture:
            return picture.format or ""
    except Exception:  # no picture, or too damaged to show that it was one
        return ""


def _look_at(path: Path) -> _Look:
    if _is_link_to_folder(path):
        return _Look((("unreadable", "a link to a folder inside a class: training does not follow it"),), False)
    if path.is_dir():
        return _Look((("wrong extension", "a folder, not a picture; what is in it was looked at as everywhere"),), True)
    if not path.is_file():
        broken = "a link to a file that is not there" if path.is_symlink() else "not a file"
        return _Look((("unreadable", broken),), False)
    suffix = path.suffix.lower()
    if suffix in OTHER_PICTURE_SUFFIXES and not _format_of(path):
        return _Look((("unreadable", f"the course does not read {suffix}: save it as JPEG or PNG"),), False)
    try:
        digest, pixels, header = digest_of(path), decode(path), read_header(path)
    except DamagedError as error:
        return _Look(((error.kind, str(error)), *_misnamed(_format_of(path), suffix)), False)
    except OSError as error:
        return _Look((("unreadable", error.strerror or str(error)),), False)
    except MemoryError:
        return _Look((("oversized", "too large for this machine's memory: save a smaller copy"),), False)
    readable = suffix in images.IMAGE_SUFFIXES
    remarks = (*_misnamed(header.format, suffix), *_oddities(header))
    return _Look(remarks, readable, digest, perceptual_hash(pixels) if readable else None)


def _misnamed(format_: str, suffix: str) -> Iterator[tuple[str, str]]:
    if format_ and suffix not in SUFFIXES[format_]:
        name = "JPEG" if format_ == "MPO" else format_
        named = f"named '{suffix}'" if suffix else "without a suffix"
        lost = "" if suffix in images.IMAGE_SUFFIXES else ", or it is taken for no picture"
        yield "wrong extension", f"a {name} picture {named}: rename it to '{SUFFIXES[format_][0]}'{lost}"


def _oddities(header: Header) -> Iterator[tuple[str, str]]:
    if header.mode == "CMYK":
        yield "cmyk", "four inks as for print, converted to red, green and blue"
    if header.transparent:
        yield "alpha", "transparent parts, shown on white"
    if header.mode.startswith(("1", "L", "I")) and header.mode != "LAB":
        depth = {"1": "black and white only", "L": "8 bits", "LA": "8 bits"}.get(header.mode, "16 bits")
        yield "grey", f"one channel ({depth}), repeated into three"
    if header.animated:
        yield "animated", "several frames or pages, the first is used"


# --- Copies ------------------------------------------------------------------------------------------------------


def _find_copies(folder: Path, files: Sequence[str], looks: Sequence[_Look], *, split: bool) -> list[Finding]:
    """Find equal files: one of them is kept, where it tests rather than where it teaches; of two classes, none."""
    groups: dict[str, list[str]] = {}
    for file, look in zip(files, looks, strict=True):
        if look.digest and look.usable:
            groups.setdefault(look.digest, []).append(file)
    found = []
    for group in groups.values():
        classes = sorted({_class_of(file, split=split) for file in group} - {""})
        if len(classes) > 1:
            reason = f"the same content stands under the classes {', '.join(classes)}: one label is wrong"
            found += [Finding(file, "duplicate", reason, False) for file in group]
        else:
            first, *others = sorted(
                group,
                # A link is not the one that is kept: it would lead nowhere once the file behind it is moved.
                key=lambda file: (
                    _count_links(folder / file),
                    _is_linked(folder, file),
                    _use_of(file) if split else 0,
                    not _class_of(file, split=split),
                ),
            )
            found += [Finding(file, "duplicate", f"the same content as {first}", False) for file in others]
    return found


def _count_links(path: Path) -> int:
    """Return how many links lead from a path to its file: 0 for the file itself."""
    count = 0
    while path.is_symlink():
        path, count = path.parent / path.readlink(), count + 1
    return count


def _is_linked(folder: Path, file: str) -> bool:
    return (folder / file).resolve() != folder.resolve() / file


def _is_split(folder: Path) -> bool:
    return any(path.is_dir() and SPLIT_FOLDERS.get(path.name.lower()) == "train" for path in folder.iterdir())


def _use_of(file: str) -> int:
    return USES.index(SPLIT_FOLDERS.get(PurePosixPath(file).parts[0].lower(), "train"))


def _class_of(file: str, *, split: bool) -> str:
    *folders, _ = PurePosixPath(file).parts
    if split and folders and folders[0].lower() in SPLIT_FOLDERS:
        folders = folders[1:]
    return folders[0] if folders else ""


def _find_near(files: Sequence[str], fingerprints: Sequence[int | None], near_distance: int) -> list[Finding]:
    """Find, for each picture, the earlier one that it resembles most."""
    nearest: dict[int, tuple[int, int]] = {}
    for pairs in near_blocks(fingerprints, near_distance=near_distance):
        first, second, distance = pairs.T
        ordered = pairs[np.lexsort((first, distance, second))]
        _, best = np.unique(ordered[:, 1], return_index=True)
        for i, j, bits in ordered[best].tolist():
            nearest[j] = min(nearest.get(j, (HASH_BITS + 1, 0)), (bits, i))
    return [
        Finding(files[j], "near duplicate", f"nearly the same as {files[i]} ({bits} of {HASH_BITS} bits differ)", True)
        for j, (bits, i) in nearest.items()
    ]
