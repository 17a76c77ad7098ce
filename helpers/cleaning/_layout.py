"""What is in a folder: every file that claims to be a picture, and what is a split, what a class, what neither."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers import images

# Pictures as well, but of formats that the course does not read.
OTHER_PICTURE_SUFFIXES = frozenset({".jxl", ".psd", ".svg"}) | images.RAW_SUFFIXES
# A picture's suffix, alone or with what downloads put behind it: a.jpg?w=640, a.jpg.1, a.jpg_large, "a.jpg (1)".
PICTURE_NAME = re.compile(
    rf"\.({'|'.join(suffix[1:] for suffix in images.IMAGE_SUFFIXES | OTHER_PICTURE_SUFFIXES)})"
    r"([?@&!:;=%~_,# ].*|\.\d+)?$",
    re.IGNORECASE | re.DOTALL,
)
# What folders are called that hold a split, and what may stand in the name beside it: `seg_train`, `Test Set`,
# `val_images`, `train2017`, `testdata`.
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}
FILLERS = {"data", "dataset", "folder", "full", "image", "images", "img", "imgs", "photos", "pictures"} | {"seg", "set"}

Place = tuple[str, ...]  # a folder below the one that is looked at, by the names on the way; `()` is the whole


class Candidate(NamedTuple):
    """A file that claims to be a picture, or what stands in its place, such as a link that leads nowhere.

    Attributes:
        name: its path from the folder down as text, the same on every machine (see `as_text`).
        path: where it is.
        split: "train", "validation" or "test", by the folder that it is in; "train" if there are no such folders.
        class_name: by the folder that it is in.
        unused: why it belongs to no class, and so to no data set; `split` and `class_name` are empty then.
    """

    name: str
    path: Path
    split: str = ""
    class_name: str = ""
    unused: str = ""


@dataclass
class Survey:
    """What was found in a folder.

    Attributes:
        candidates: of all classes, by name: the same order on every machine, however its file system lists.
        roots: by split, the folder that holds it; `{"train": ()}` if the folder is not split; empty if nobody can
            say which folders are splits.
        class_names: of the training split, in order.
        notes: what a user would want to know of how the folder was read.
        problem: why it is no data set as it is, in one line with advice; empty if it may be one.
    """

    candidates: list[Candidate] = field(default_factory=list)
    roots: dict[str, Place] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    problem: str = ""


def survey_folder(folder: str | Path) -> Survey:
    """List the candidates of a folder with their splits and classes, and say what is none of either.

    A folder is a split by its name and by what is in it: class folders. Among vehicles, `train` is a class.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name in ("seg_train/cat/1.jpg", "seg_test/cat/2.jpg", "seg_pred/3.jpg"):
        ...         Path(folder, name).parent.mkdir(parents=True)
        ...         Path(folder, name).touch()
        ...     survey = survey_folder(folder)
        >>> [(candidate.name, candidate.split) for candidate in survey.candidates]
        [('seg_pred/3.jpg', ''), ('seg_test/cat/2.jpg', 'test'), ('seg_train/cat/1.jpg', 'train')]
        >>> survey.notes
        ["'seg_pred' is neither train, validation nor test and is not used"]
    """
    folder = Path(folder)
    tree, survey = Tree(folder), Survey()
    survey.roots, survey.problem = _find_roots(folder, tree, survey.notes)
    roots = survey.roots or {"train": ()}
    names = _ClassNames(survey.notes)
    for folder_name in tree.children(roots["train"]):
        names.of(folder_name)  # first: the training split's folders name the classes
    for parts, path in tree.paths.items():
        survey.candidates.append(_place(as_text(path.relative_to(folder).as_posix()), path, parts, roots, names))
    survey.candidates.sort()
    survey.class_names = tuple(sorted({c.class_name for c in survey.candidates if c.split == "train"}))
    survey.problem = survey.problem or _find_problem(folder, tree, survey)
    if not survey.problem:
        for root in survey.roots.values():
            survey.notes += _note_folders(folder, root, tree)
        survey.notes += _note_missing(survey)
    return survey


def _place(name: str, path: Path, parts: Place, roots: dict[str, Place], names: "_ClassNames") -> Candidate:
    split = next((split for split, root in roots.items() if parts[: len(root)] == root), "")
    depth = len(roots.get(split, ()))
    if split and len(parts) > depth + 1:
        return Candidate(name, path, split, names.of(parts[depth]))
    return Candidate(
        name, path, unused="it stands in no class folder" if split else f"'{as_text(parts[0])}' is not used"
    )


def _note_folders(folder: Path, root: Place, tree: "Tree") -> list[str]:
    """Say which folders in a split are no classes, and which classes have folders of their own."""
    notes = []
    for path in sorted(folder.joinpath(*root).iterdir()):
        place = (*root, path.name)
        shown = as_text("/".join(place))
        if os.path.isdir(path) and not images.is_passed_over(path.name) and path.name not in tree.folders[root]:
            notes.append(f"'{shown}' has no pictures")
        elif len(tree.children(place)) > 1:
            notes.append(
                f"'{shown}' is taken for one class with all its folders, {enumerate_names(tree.children(place))}"
            )
    return notes


def split_names(folder: Path) -> dict[str, str]:
    """Return the splits that the names of a folder's folders say, whatever is in them."""
    folders = [path.name for path in folder.iterdir() if os.path.isdir(path)]
    return _name_splits([name for name in folders if not images.is_passed_over(name)])


def find_candidates(folder: str | Path) -> list[Path]:
    """List everything in a folder that claims to be a picture, by its name or by its content.

    Unlike `images.find_files`, which goes by the suffix, this finds pictures behind another suffix or none, names as
    downloads leave them (`cat.jpg?w=640`, `cat.jpg.1`), links that lead nowhere, folders that cannot be opened,
    pipes and sockets, and formats that the course does not read: what cannot be used is to be named, not passed over.
    Hidden files and what programs leave are (see `images.walk`).

    Args:
        folder: looked through with all below it. Links are followed; a file that several links lead to is listed
            once for each class.

    Returns:
        Paths that begin with `folder`, in order.

    Raises:
        FileNotFoundError: if there is nothing at `folder`.
        NotADirectoryError: if `folder` is a file.
    """
    folder = Path(folder)
    images.require_folder(folder)
    is_split = "train" in split_names(folder).values()
    return [path for path in images.walk(folder, apart=2 if is_split else 1) if _claims_to_be_picture(path)]


def _claims_to_be_picture(path: Path) -> bool:
    if PICTURE_NAME.search(path.name):
        return True
    if os.path.isfile(path):
        return images.is_picture(path)
    # A closed folder, a pipe or a socket; or a link that leads nowhere, which may have been a class.
    return os.path.exists(path) or (os.path.islink(path) and not path.suffix)


# --- Names -------------------------------------------------------------------------------------------------------


def as_text(name: str) -> str:
    """Return a name as it can be printed and stored anywhere, the same on every machine.

    NFC, because macOS stores a letter and its accent apart; escaped where a name is not Unicode, as an archive from
    another system may bring.
    """
    return unicodedata.normalize("NFC", name).encode(errors="backslashreplace").decode()


def as_class_name(folder_name: str) -> str:
    """Return the class that a folder's name stands for."""
    return as_text(folder_name).strip()


def enumerate_names(names: Sequence[str]) -> str:
    """Say some names in words, however many there are.

    Example:
        >>> enumerate_names(["ant", "bee", "cat", "dog", "eel", "fox"])
        "'ant', 'bee', 'cat', 'dog' and 2 more"
    """
    shown = [f"'{as_text(name)}'" for name in names[:4]]
    rest = [f"{len(names) - 4} more"] if len(names) > 4 else []
    *head, last = [*shown, *rest]
    return f"{', '.join(head)} and {last}" if head else last


class _ClassNames:
    """The class of each folder's name: `Cat` and `cat` are one, and so are the two ways to store a Korean name."""

    def __init__(self, notes: list[str]) -> None:
        self.notes, self.first_of, self.known = notes, {}, {}

    def of(self, folder_name: str) -> str:
        if folder_name not in self.known:
            name = as_class_name(folder_name)
            first = self.first_of.setdefault(name.casefold(), name)
            if self.known and first in self.known.values():
                twin = next(other for other, known in self.known.items() if known == first)
                self.notes.append(f"the folders {tell_apart(twin, folder_name)} are taken for one class, '{first}'")
            self.known[folder_name] = first
        return self.known[folder_name]


def tell_apart(first: str, second: str) -> str:
    """Name two folders so that a reader sees the difference, even if they look the same."""
    if as_text(first) == as_text(second):
        return f"{first!a} and {second!a}"
    return f"'{as_text(first)}' and '{as_text(second)}'"


# --- What is a split, and what is a class ------------------------------------------------------------------------


class Tree:
    """The candidates of a folder by the folders they stand in."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[Place, Path] = {}
        self.folders: dict[Place, set[str]] = defaultdict(set)
        self.files: dict[Place, list[str]] = defaultdict(list)
        for path in find_candidates(folder):
            parts = path.relative_to(folder).parts
            # A folder that cannot be opened, or a link to one that is gone, stands for a class of no usable picture.
            if os.path.isdir(path) or (os.path.islink(path) and not os.path.exists(path) and not path.suffix):
                parts = (*parts, "")
            self.paths[parts] = path
            self.files[parts[:-1]].append(parts[-1])
            for depth, name in enumerate(parts[:-1]):
                self.folders[parts[:depth]].add(name)

    def children(self, place: Place) -> list[str]:
        """Return the names of the folders in a place that hold candidates."""
        return sorted(self.folders.get(place, ()))


def _find_roots(folder: Path, tree: Tree, notes: list[str]) -> tuple[dict[str, Place], str]:
    """Return the folder of each split, `()` if there are none; and why it cannot be said, with no folders."""
    tops = tree.children(())
    named = _name_splits(tops)
    roots: dict[str, Place] = {}
    for top, split in named.items():
        root = _unwrap(tree, top)
        if not tree.children(root):
            continue
        if split in roots:
            return {}, (
                f"Received '{roots[split][0]}' and '{top}' in '{folder}', expected one folder for the {split} split. "
                "Put their pictures together, or move one of the two away."
            )
        roots[split] = root
    flat = [top for top in named if top not in {root[0] for root in roots.values()}]
    others = [top for top in tops if top not in named]
    if "train" not in roots:
        if named and not others:
            return {}, (
                f"Received '{folder}' with {tops}, expected a folder 'train' beside them, with one sub-folder per "
                "class. Rename the one with the training pictures, and put the pictures of each class into a folder."
            )
        return {"train": ()}, ""
    if len(roots) == 1 and not flat and sum(not tree.children((top,)) for top in others) > 1:
        return {}, (
            f"Received '{folder}' with '{roots['train'][0]}', which has "
            f"{enumerate_names(tree.children(roots['train']))}, beside {enumerate_names(others)}: is it the training "
            "split or a class? Expected 'train', 'validation' and 'test', or class folders. Move the others away if it "
            "is a split, or rename it if it is a class."
        )
    notes += [f"the classes are taken from '{as_text('/'.join(root))}'" for root in roots.values() if len(root) > 1]
    notes += [f"'{as_text(top)}' has no class folders and is not used" for top in flat]
    notes += [f"'{as_text(top)}' is neither train, validation nor test and is not used" for top in others]
    return roots, ""


def _name_splits(tops: Sequence[str]) -> dict[str, str]:
    """Return the splits that folders' names say: `Train`, `test_set`, and `pets_train` beside `pets_test`."""
    said: dict[str, str] = {}
    rests: dict[str, str] = {}
    for top in tops:
        words = [_without_filler(word) for word in re.findall(r"[^\W\d_]+", top.lower())]
        splits = {SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS}
        if len(splits) == 1:
            said[top] = splits.pop()
            rests[top] = " ".join(word for word in words if word not in {*SPLIT_WORDS, *FILLERS})
    # Among "train_station" and "bus_station" there is none: what is left of a name is empty, or stands in two splits.
    splits_of = defaultdict(set)
    for top, rest in rests.items():
        splits_of[rest].add(said[top])
    return {top: split for top, split in said.items() if not rests[top] or len(splits_of[rests[top]]) > 1}


def _without_filler(word: str) -> str:
    """Return `test` for `testset`, `testdata` and so on."""
    return next((w for w in (word.removesuffix(filler) for filler in FILLERS) if w in SPLIT_WORDS), word)


def _unwrap(tree: Tree, top: str) -> Place:
    """Return the folder of a split, further down if an archive has wrapped it twice: `seg_train/seg_train`."""
    inner = tree.children((top,))
    if len(inner) == 1 and not tree.files[top,] and inner[0].casefold() in {top.casefold(), *FILLERS}:
        return (top, inner[0])
    return (top,)


def _find_problem(folder: Path, tree: Tree, survey: Survey) -> str:
    """Say why the folders of a survey cannot be the classes of a data set."""
    names = survey.class_names
    if survey.roots == {"train": ()}:
        inner = {name: set(tree.children((name,))) for name in tree.children(()) if not tree.files[name,]}
        common = sorted(set.intersection(*inner.values())) if inner else []
        if len(inner) > 1 and len(inner) == len(tree.children(())) and len(common) > 1:
            return (
                f"Received '{folder}' with {enumerate_names(names)}, which all have {enumerate_names(common)}: splits "
                "by names that are not known? Expected class folders, or splits called train, validation and test. "
                f"Rename them; or, if {enumerate_names(names)} are the classes, put each one's pictures together."
            )
        place = ()
        while len(tree.children(place)) == 1:
            place = (*place, *tree.children(place))
        if place and tree.children(place):
            below = [as_class_name(name) for name in tree.children(place)]
            return (
                f"Received '{folder}' with {len(names)} class folder(s) of pictures {list(names)}, expected two or "
                f"more. Did you mean '{folder.joinpath(*place)}', which has {enumerate_names(below)}?"
            )
    for split, root in survey.roots.items():
        strangers = sorted({c.class_name for c in survey.candidates if c.split == split} - set(names))
        if strangers:
            return (
                f"Received classes {strangers} in '{'/'.join(root)}' that 'train' does not have, expected "
                f"{list(names)}. Use the same class folders in every split."
            )
    return ""


def _note_missing(survey: Survey) -> list[str]:
    """Say which classes of the training split another split does not have."""
    found = {(candidate.split, candidate.class_name) for candidate in survey.candidates}
    missing = {split: [name for name in survey.class_names if (split, name) not in found] for split in survey.roots}
    return [
        f"the {split} split has no pictures of {enumerate_names(names)}" for split, names in missing.items() if names
    ]
