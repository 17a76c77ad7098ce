"""A folder of pictures as a table, a table as three folders, and a data set of any source as a folder."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
from PIL import Image

from helpers import cleaning
from helpers.datasets._folders import NAME_AND_NUMBER
from helpers.datasets._splits import SPLITS, ImageDataset, Picture, deal, group_look_alikes
from helpers.files import written_beside


def list_pictures(folder: str | Path, *, label_from: Literal["folder", "name"] = "folder") -> pd.DataFrame:
    """List the pictures of a folder with their classes, by path.

    Args:
        folder: where the pictures are, hidden ones excepted.
        label_from: `folder`: the class is the sub-folder (below `train`, `validation` and `test`, where there are
            such folders; pictures outside of all class folders are left out). `name`: the class is the file's name
            without its number, so `cat.12.jpg` shows a cat, in whatever folder.

    Returns:
        Columns `path` and `class_name`, both text; also `split` where there are `train`, ... folders.

    Raises:
        ValueError: if no picture has a class by this rule, or a file's name does not say it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("cat.1.jpg", "dog.1.jpg", "dog.2.jpg"):
        ...     (folder / name).touch()
        >>> list_pictures(folder, label_from="name").class_name.to_list()
        ['cat', 'dog', 'dog']
    """
    if label_from not in ("folder", "name"):
        raise ValueError(f"Received label_from={label_from!r}, expected 'folder' or 'name'. Choose one of the two.")
    folder = Path(folder).expanduser()
    if label_from == "name":
        rows = [(str(path), _class_in_name(path), split) for path, split in _list_with_splits(folder)]
    else:
        survey = cleaning.survey_folder(folder)
        if not survey.roots:
            raise ValueError(survey.problem)
        in_split = survey.roots != {"train": ()}
        listed = [c for c in survey.candidates if not c.unused and os.path.isfile(c.path)]
        rows = [(str(c.path), c.class_name, c.split if in_split else "") for c in listed]
    if not rows:
        raise ValueError(
            f"Received '{folder}' without a picture in a class folder, expected one sub-folder per class. "
            "Make these folders, or take the class from the files' names with label_from='name'."
        )
    # object: a path need not be Unicode, and pandas' own text must.
    table = pd.DataFrame(rows, columns=["path", "class_name", "split"], dtype=object)
    return table if table.split.any() else table.drop(columns="split")


def _list_with_splits(folder: Path) -> list[tuple[Path, str]]:
    """List the files that claim to be pictures, each with the split whose folder it is in, `""` if there are none."""
    paths = [path for path in cleaning.find_candidates(folder) if os.path.isfile(path)]
    split_of = cleaning.split_names(folder)
    if "train" not in split_of.values():
        return [(path, "") for path in paths]
    return [(path, split) for path in paths if (split := split_of.get(path.relative_to(folder).parts[0]))]


def _class_in_name(path: Path) -> str:
    found = NAME_AND_NUMBER.fullmatch(path.stem)
    if not found:
        raise ValueError(
            f"Received '{path.name}', expected a class and a number such as 'cat.12.jpg'. "
            "Rename the file, or put it into the folder of its class."
        )
    return found[1]


def split_into_folders(
    table: pd.DataFrame,
    output: str | Path,
    *,
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int = 0,
    link: bool = False,
) -> pd.DataFrame:
    """Copy pictures into `train`, `validation` and `test`, each with one sub-folder per class.

    The choice depends on the files' names, their classes and the seed, so it is the same on every machine, and keeps
    the classes' shares. Copies of one picture go into the same split, near copies too. The source stays as it is.

    Args:
        table: with columns `path` and `class_name`, as from `list_pictures`.
        output: a new or empty folder.
        shares: of train, validation and test; they add up to 1.
        seed: which picture goes where.
        link: make hard links, which take no space, or symbolic links to another disk. A change to a link's content
            changes the picture it came from.

    Returns:
        The rows of `table` in their order, with `split`, the new `path`, and the old one as `source`.

    Raises:
        ValueError: if a column is missing or has gaps, `output` is not empty, the shares do not add up to 1, or a
            split gets no picture.

    Example:
        >>> import tempfile
        >>> from skimage import data_dir
        >>> table = pd.DataFrame({"path": sorted(map(str, Path(data_dir).glob("c*.png"))), "class_name": "thing"})
        >>> table = split_into_folders(table, Path(tempfile.mkdtemp()) / "split", shares=(0.5, 0.25, 0.25))
        >>> sorted(table.split.unique())
        ['test', 'train', 'validation']
    """
    output = Path(output).expanduser()
    table = _require_columns(table)
    _require_shares(shares)
    require_class_names(sorted(set(table.class_name)))
    require_free(output)
    splits = _choose_splits(table, shares=shares, seed=seed)
    names = _new_names(table, splits)
    with written_beside(output) as draft:
        for source, name in zip(table.path, names, strict=True):
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            _place(Path(source), draft / name, link=link)
    paths = pd.Series([str(output / name) for name in names], index=table.index, dtype=object)
    return table.assign(split=splits, path=paths, source=table.path)


def _require_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with class names as text: a CSV file makes numbers of names such as 1 and 2."""
    names = {"path", "class_name"}
    if not names <= set(table.columns) or table[sorted(names)].isna().any(axis=None):
        raise ValueError(
            f"Received a table with columns {list(table.columns)}, expected 'path' and 'class_name' in every row. "
            "Make one with list_pictures, or rename its columns and drop the empty rows. A class called NA is kept by "
            "pd.read_csv(..., dtype=str, keep_default_na=False)."
        )
    if all(isinstance(name, str) for name in table.class_name):
        return table
    return table.assign(class_name=pd.Series([str(name) for name in table.class_name], table.index, dtype=object))


def _require_shares(shares: Sequence[float]) -> None:
    if len(shares) != len(SPLITS) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(
            f"Received shares={tuple(shares)}, expected three numbers of 0 or more that add up to 1. "
            "Say how much goes to train, validation and test, such as (0.7, 0.15, 0.15)."
        )


def _choose_splits(table: pd.DataFrame, *, shares: Sequence[float], seed: int) -> list[str]:
    """Return the split of each row: copies and near copies together, and each class shared out like the whole."""
    classes = sorted(set(table.class_name))
    inspections = cleaning.inspect_files([Path(path) for path in table.path])
    rows = enumerate(zip(table.path, table.class_name, inspections, strict=True))
    pictures = [
        Picture(
            cleaning.as_text(f"{name}/{Path(path).name}"),
            row,
            classes.index(name),
            found.digest,
            likeness=found.likeness,
        )
        for row, (path, name, found) in rows
    ]
    groups, _, _ = group_look_alikes({"train": sorted(pictures)})
    asked = {split: share for split, share in zip(SPLITS, shares, strict=True) if share}
    sizes = {split: round(asked[split] * len(table)) for split in reversed(asked)}
    sizes[next(iter(asked))] = len(table)  # the last to choose: with what rounding has left over
    dealt = deal(groups["train"], sizes, seed=seed)
    empty = [split for split in asked if not dealt[split]]
    if empty:
        raise ValueError(
            f"Received {len(table)} pictures, expected enough to fill {empty}, too. Add some, or change `shares`."
        )
    split_of = {picture.position: split for split, pictures in dealt.items() for picture in pictures}
    return [split_of[row] for row in range(len(table))]


def _new_names(table: pd.DataFrame, splits: Sequence[str]) -> list[Path]:
    """Return `split/class/file name`, with a number added where two files would get the same name."""
    names, taken = [], set()
    for path, class_name, split in zip(table.path, table.class_name, splits, strict=True):
        old = Path(path)
        name, number = Path(split, class_name, old.name), 1
        while str(name).lower() in taken:  # lower: on Windows and macOS a.JPG and a.jpg are one file
            number += 1
            name = Path(split, class_name, f"{old.stem}-{number}{old.suffix}")
        taken.add(str(name).lower())
        names.append(name)
    return names


def _place(source: Path, target: Path, *, link: bool) -> None:
    if not link:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source.resolve(), target)
    except OSError:  # another disk, or a file system without hard links
        target.symlink_to(source.resolve())


def export(data: ImageDataset, folder: str | Path, *, quality: int = 95) -> Path:
    """Write every picture to `folder/split/class/number.jpg`; `load(folder)` finds the same splits.

    JPEG changes pixels by a few steps of 255. `load` numbers the classes by their names in alphabetical order, so
    a label's number may differ from the one it has here; its name does not. It also sets copies aside, that is,
    pictures that were different files of the same pixels.

    Args:
        data: as from `load`.
        folder: a new or empty folder.
        quality: of the JPEG files, 1 to 100.

    Returns:
        The folder.

    Raises:
        ValueError: if the folder is not empty, or a class has a name that no folder can have.

    Example:
        >>> import tempfile
        >>> from helpers.datasets import load
        >>> data = load("synthetic_pets/tiny", num_train=4, num_validation=2, num_test=2)
        >>> folder = export(data, Path(tempfile.mkdtemp()) / "pets")
        >>> len(list(folder.glob("train/*/*.jpg"))), load(folder).counts == data.counts
        (4, True)
    """
    folder = Path(folder).expanduser()
    if not 1 <= quality <= 100:
        raise ValueError(f"Received quality={quality}, expected 1 to 100. 95 is hard to tell from the original.")
    require_class_names(data.class_names)
    require_free(folder)
    with written_beside(folder) as draft:
        for split in SPLITS:
            for name in data.class_names:
                (draft / split / name).mkdir(parents=True)
            for number, (picture, label) in enumerate(getattr(data, split).as_numpy_iterator()):
                file = draft / split / data.class_names[label] / f"{number:06}.jpg"
                Image.fromarray(picture).save(file, quality=quality)
    return folder


def require_free(folder: Path) -> None:
    """Refuse to write into a file, or a folder that holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"Received '{folder}', where there is something already, expected a new or empty folder. "
            "Choose another name, or move away what is there."
        )


def require_class_names(names: Iterable[str]) -> None:
    """Refuse class names that cannot name a folder, such as `a/b` or `..`."""
    for name in names:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise ValueError(f"Received the class name {name!r}, expected one that can name a folder. Rename it.")
