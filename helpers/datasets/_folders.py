"""Pictures from a folder: what in it is a split, what is a class, and what is neither."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers import cleaning, images
from helpers.datasets._batches import decode_files
from helpers.datasets._splits import (
    SPLITS,
    ImageDataset,
    Picture,
    drop_copies,
    fingerprint_of,
    group_look_alikes,
    labels_of_splits,
    split_pictures,
)

# What may stand in a split's name beside "train", ...: `seg_train`, `test_set`, `val_images`, `train2017`.
FILLERS = {"data", "dataset", "folder", "full", "image", "images", "img", "imgs", "photos", "pictures"} | {"seg", "set"}


class Candidate(NamedTuple):
    """A file that claims to be a picture, or what stands in its place, such as a link that leads nowhere."""

    name: str
    path: Path
    split: str
    class_name: str


@dataclass
class Survey:
    """What was found in a folder.

    Attributes:
        candidates: of all classes, by name: the same order on every machine, however its file system lists.
        roots: by split, the folder that holds it, as names below the whole; `{"train": ()}` if it is not split.
        class_names: of the training split, in order.
        unused: `(file, reason)` of the candidates that stand in no class folder.
        notes: what a user would want to know of how the folder was read.
    """

    candidates: list[Candidate] = field(default_factory=list)
    roots: dict[str, tuple[str, ...]] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    unused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load_folder(folder: Path, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    """Do what `load` does, for a folder."""
    survey = survey_folder(folder)
    _require_classes(folder, survey)
    inspections = cleaning.inspect_files([candidate.path for candidate in survey.candidates])
    pools: dict[str, list[Picture]] = {split: [] for split in survey.roots}
    set_aside = list(survey.unused)
    for position, (candidate, inspection) in enumerate(zip(survey.candidates, inspections, strict=True)):
        if inspection.problem:
            set_aside.append((candidate.name, inspection.problem))
        else:
            label = survey.class_names.index(candidate.class_name)
            made = Picture(candidate.name, position, label, inspection.digest, inspection.plain, inspection.likeness)
            pools[candidate.split].append(made)
    pools, copies = drop_copies(pools)
    pools, near_copies, count = group_look_alikes(pools)
    set_aside += [(picture.name, reason) for picture, reason in (*copies, *near_copies)]
    _require_no_class_lost(folder, survey, pools["train"], dict(set_aside))
    chosen = split_pictures(pools, wanted=wanted, seed=seed)
    labels = labels_of_splits(chosen)
    paths = {split: tuple(survey.candidates[picture.position].path for picture in chosen[split]) for split in SPLITS}
    decoded = {
        split: decode_files(paths[split], plain=[picture.plain for picture in chosen[split]], labels=labels[split])
        for split in SPLITS
    }
    return ImageDataset(
        name=folder.resolve().name,
        **decoded,
        class_names=survey.class_names,
        labels=labels,
        fingerprint=fingerprint_of(chosen),
        set_aside=tuple(sorted(set_aside)),
        paths=paths,
        near_duplicates=count,
        notes=tuple(survey.notes),
    )


def _require_classes(folder: Path, survey: Survey) -> None:
    names = survey.class_names
    if survey.roots == {"train": ()}:
        _refuse_unknown_splits(folder, survey)
    if len(names) < 2:
        raise ValueError(
            f"Received '{folder}' with {len(names)} class folder(s) of pictures {list(names)}, expected two or more. "
            + (_did_you_mean(folder) or "Make one sub-folder per class and put its pictures in it.")
        )
    in_split = {split: {c.class_name for c in survey.candidates if c.split == split} for split in survey.roots}
    for split, found in in_split.items():
        strangers = sorted(found - set(names))
        if strangers:
            raise ValueError(
                f"Received classes {strangers} in '{'/'.join(survey.roots[split])}' that 'train' does not have, "
                f"expected {list(names)}. Use the same class folders in every split."
            )
        if set(names) - found:
            survey.notes.append(f"the {split} split has no pictures of {_enumerate(sorted(set(names) - found))}")


def _refuse_unknown_splits(folder: Path, survey: Survey) -> None:
    """Refuse "classes" that all have the same sub-folders: those are the classes, and the folders are splits."""
    below: dict[str, set[str]] = {name: set() for name in survey.class_names}
    for candidate in survey.candidates:
        below[candidate.class_name] |= set(candidate.name.split("/")[1:-1]) or {""}
    inner = below[survey.class_names[0]] if below else set()
    if len(below) > 1 and len(inner) > 1 and "" not in inner and all(found == inner for found in below.values()):
        raise ValueError(
            f"Received '{folder}' with {_enumerate(survey.class_names)}, which all have {_enumerate(sorted(inner))}: "
            "splits by names that are not known? Expected class folders, or splits called train, validation and test. "
            f"Rename them; or, if {_enumerate(survey.class_names)} are the classes, put each one's pictures together."
        )


def _did_you_mean(folder: Path) -> str:
    """Look one level down, or at the files' names, for what may have been meant."""
    tree = Tree(folder)
    inner = tree.children(())
    if len(inner) == 1 and len(tree.children((inner[0],))) > 1:
        below = [as_class_name(name) for name in tree.children((inner[0],))]
        return f"Did you mean '{folder / inner[0]}', which has {_enumerate(below)}?"
    names = sorted({match[1] for name in tree.files[()] if (match := NAME_AND_NUMBER.fullmatch(Path(name).stem))})
    if len(names) > 1:
        return (
            f"{len(tree.files[()]):,} pictures stand in it directly, named after {_enumerate(names)}: sort them with "
            "list_pictures(folder, label_from='name') and split_into_folders."
        )
    return ""


def _require_no_class_lost(folder: Path, survey: Survey, train: Sequence, set_aside: Mapping[str, str]) -> None:
    """Stop where every picture to learn a class from was set aside: not even its name would be seen again."""
    left = {picture.label for group in train for picture in group}
    lost = [name for label, name in enumerate(survey.class_names) if label not in left]
    if lost:
        name, reason = next(
            (c.name, set_aside[c.name]) for c in survey.candidates if c.class_name == lost[0] and c.name in set_aside
        )
        raise ValueError(
            f"Received '{folder}' without a usable picture of {_enumerate(lost)}, expected some of each class. "
            f"'{name}', for example: {reason.rstrip('.')}. Mend the files, or move the class folder away."
        )


# --- What is a split, and what is a class ------------------------------------------------------------------------

# cat.12, american_bulldog_7, dog (3): a class has a letter, or ends at the only dot (10.3).
NAME_AND_NUMBER = re.compile(r"(.*?[^\W\d_].*?|[^.]+(?=\.))[ ._-]*\(?\d+\)?")


def as_text(name: str) -> str:
    """Return a name as it can be printed and stored anywhere, the same on every machine.

    NFC, because macOS stores a letter and its accent apart; escaped where a name is not Unicode, as an archive from
    another system may bring.
    """
    return unicodedata.normalize("NFC", name).encode(errors="backslashreplace").decode()


def as_class_name(folder_name: str) -> str:
    """Return the class that a folder's name stands for."""
    return as_text(folder_name).strip()


class Tree:
    """The candidates of a folder by the folders they stand in; a folder is a tuple of names, `()` the whole."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[tuple[str, ...], Path] = {}
        self.folders: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self.files: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for path in cleaning.find_candidates(folder):
            parts = path.relative_to(folder).parts
            # A folder that cannot be opened, or a link to one that is gone, stands for a class of no usable picture.
            if path.is_dir() or (path.is_symlink() and not path.exists() and not path.suffix):
                parts = (*parts, "")
            self.paths[parts] = path
            self.files[parts[:-1]].append(parts[-1])
            for depth, name in enumerate(parts[:-1]):
                self.folders[parts[:depth]].add(name)

    def children(self, top: tuple[str, ...]) -> list[str]:
        """Return the names of the folders below `top` that hold candidates."""
        return sorted(self.folders.get(top, ()))


def survey_folder(folder: Path) -> Survey:
    """List the candidates of a folder with their splits and classes, and say what is none of either.

    A folder is a split by its name and by what is in it: class folders. Among vehicles, `train` is a class.

    Raises:
        ValueError: if the folder can be understood in two ways, or has a split for testing but none for training.
    """
    tree = Tree(folder)
    survey = Survey()
    survey.roots = _find_roots(folder, tree, survey.notes)
    names = _ClassNames(survey.notes)
    for folder_name in tree.children(survey.roots["train"]):
        names.of(folder_name)  # first: the training split's folders name the classes
    for parts, path in tree.paths.items():
        split, root = next(((s, r) for s, r in survey.roots.items() if parts[: len(r)] == r), ("", ()))
        name = as_text(path.relative_to(folder).as_posix())
        if split and len(parts) > len(root) + 1:
            survey.candidates.append(Candidate(name, path, split, names.of(parts[len(root)])))
        else:
            reason = "it stands in no class folder" if split else f"'{as_text(parts[0])}' is not used"
            survey.unused.append((name, reason))
    for root in survey.roots.values():
        for path in sorted(folder.joinpath(*root).iterdir()):
            if path.is_dir() and not images.is_passed_over(path.name) and path.name not in tree.folders[root]:
                survey.notes.append(f"'{as_text(path.relative_to(folder).as_posix())}' has no pictures")
    survey.candidates.sort()
    survey.class_names = tuple(sorted({c.class_name for c in survey.candidates if c.split == "train"}))
    return survey


def list_with_splits(folder: Path) -> list[tuple[Path, str]]:
    """List the files that claim to be pictures, each with the split whose folder it is in, `""` if there are none."""
    tree = Tree(folder)
    split_of = _name_splits(tree.children(()))
    if "train" not in split_of.values():
        return [(path, "") for path in tree.paths.values() if path.is_file()]
    return [(path, split) for parts, path in tree.paths.items() if (split := split_of.get(parts[0])) and path.is_file()]


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


def _find_roots(folder: Path, tree: Tree, notes: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the path of each split below the folder; of the folder itself, `()`, if it is not split."""
    tops = tree.children(())
    named = _name_splits(tops)
    roots: dict[str, tuple[str, ...]] = {}
    for top, split in named.items():
        root = _unwrap(tree, top)
        if not tree.children(root):
            continue
        if split in roots:
            raise ValueError(
                f"Received '{roots[split][0]}' and '{top}' in '{folder}', expected one folder for the {split} split. "
                "Put their pictures together, or move one of the two away."
            )
        roots[split] = root
    flat = [top for top in named if top not in {root[0] for root in roots.values()}]
    others = [top for top in tops if top not in named]
    if "train" not in roots:
        if named and not others:
            raise ValueError(
                f"Received '{folder}' with {tops}, expected a folder 'train' beside them, with one sub-folder per "
                "class. Rename the one with the training pictures, and put the pictures of each class into a folder."
            )
        return {"train": ()}
    if len(roots) == 1 and not flat and sum(not tree.children((top,)) for top in others) > 1:
        raise ValueError(
            f"Received '{folder}' with '{roots['train'][0]}', which has {_enumerate(tree.children(roots['train']))}, "
            f"beside {_enumerate(others)}: is it the training split or a class? Expected 'train', 'validation' and "
            "'test', or class folders. Move the others away if it is a split, or rename it if it is a class."
        )
    notes += [f"the classes are taken from '{as_text('/'.join(root))}'" for root in roots.values() if len(root) > 1]
    notes += [f"'{as_text(top)}' has no class folders and is not used" for top in flat]
    notes += [f"'{as_text(top)}' is neither train, validation nor test and is not used" for top in others]
    return roots


def _name_splits(tops: Sequence[str]) -> dict[str, str]:
    """Return the splits that folders' names say: `Train`, `seg_train` beside `seg_test`, `test_set`."""
    words = {top: set(re.findall(r"[^\W\d_]+", top.lower())) for top in tops}
    common = set.intersection(*words.values()) if len(tops) > 1 else set()
    fillers = FILLERS | (common - set(cleaning.SPLIT_FOLDERS))
    own = {top: " ".join(words[top] - fillers) for top in tops}
    return {top: cleaning.SPLIT_FOLDERS[own[top]] for top in tops if own[top] in cleaning.SPLIT_FOLDERS}


def _unwrap(tree: Tree, top: str) -> tuple[str, ...]:
    """Return the folder of a split, further down if an archive has wrapped it twice: `seg_train/seg_train`."""
    inner = tree.children((top,))
    if len(inner) == 1 and not tree.files[top,] and inner[0].casefold() in {top.casefold(), *FILLERS}:
        return (top, inner[0])
    return (top,)


def _enumerate(names: Sequence[str]) -> str:
    """Say some names in words, however many there are."""
    shown = [f"'{as_text(name)}'" for name in names[:4]]
    rest = [f"{len(names) - 4} more"] if len(names) > 4 else []
    *head, last = [*shown, *rest]
    return f"{', '.join(head)} and {last}" if head else last
