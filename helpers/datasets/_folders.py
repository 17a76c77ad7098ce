"""Pictures from a folder with one sub-folder per class."""

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers import cleaning, images
from helpers.datasets._batches import decode_files
from helpers.datasets._splits import (
    SPLITS,
    ImageDataset,
    Picture,
    drop_copies,
    fingerprint_of,
    labels_of_splits,
    split_pictures,
)

INSPECTED_AT_ONCE = 512  # files


def load_folder(folder: Path, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    """Do what `load` does, for a folder."""
    roots = find_split_folders(folder)
    class_names = _class_names(folder, roots)
    listed = [
        (name_in(folder, path), split, class_names.index(normalize(class_folder.name)), path)
        for split, root in roots.items()
        for class_folder in _class_folders(root)
        for path in images.find_files(class_folder)
    ]
    listed.sort()  # by name: the same order on every machine, however its file system lists
    files = [path for *_, path in listed]
    pools: dict[str, list[Picture]] = {split: [] for split in roots}
    set_aside = []
    for position, (report, (name, split, label, _)) in enumerate(zip(_inspect(files), listed, strict=True)):
        if report.problem:
            set_aside.append((name, report.problem))
        else:
            pools[split].append(Picture(name, position, label, report.digest, report.plain))
    pools, dropped = drop_copies(pools)
    set_aside += [(picture.name, reason) for picture, reason in dropped]
    chosen = split_pictures(pools, wanted=wanted, seed=seed)
    labels = labels_of_splits(chosen)
    paths = {split: tuple(files[picture.position] for picture in chosen[split]) for split in SPLITS}
    decoded = {
        split: decode_files(paths[split], plain=[picture.plain for picture in chosen[split]], labels=labels[split])
        for split in SPLITS
    }
    return ImageDataset(
        name=folder.resolve().name,
        **decoded,
        class_names=class_names,
        labels=labels,
        fingerprint=fingerprint_of(chosen),
        set_aside=tuple(sorted(set_aside)),
        paths=paths,
    )


def name_in(folder: Path, path: Path) -> str:
    """Return the path from the folder down, the same on every machine: macOS may store other bytes for a letter."""
    return normalize(path.relative_to(folder).as_posix())


def normalize(name: str) -> str:
    """Return a name as every system but macOS writes it (NFC)."""
    return unicodedata.normalize("NFC", name)


def _inspect(paths: Sequence[Path]) -> list[cleaning.FileReport]:
    # In portions: a job that waits takes two kilobytes, and 25,000 of them would be seen in the memory.
    portions = (paths[start : start + INSPECTED_AT_ONCE] for start in range(0, len(paths), INSPECTED_AT_ONCE))
    return [report for portion in portions for report in cleaning.inspect_files(portion)]


def find_split_folders(folder: Path) -> dict[str, Path]:
    """Return the folders of `train`, `validation`, `test` that are there, or the folder itself as `train`."""
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found: dict[str, Path] = {}
    for path in folders:
        split = cleaning.SPLIT_FOLDERS.get(path.name.lower())
        if split in found:
            raise ValueError(
                f"Received '{found[split].name}' and '{path.name}' in '{folder}', expected one folder for the "
                f"{split} split. Put their pictures together, or move one of the two away."
            )
        if split:
            found[split] = path
    if found and "train" not in found and len(found) == len(folders):
        raise ValueError(
            f"Received '{folder}' with {[path.name for path in folders]}, expected a folder 'train' beside them. "
            "Rename the one with the training pictures."
        )
    return found if "train" in found else {"train": folder}


def _class_folders(root: Path) -> list[Path]:
    return [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".") and images.find_files(p)]


def _class_names(folder: Path, roots: Mapping[str, Path]) -> tuple[str, ...]:
    named = {split: sorted({normalize(path.name) for path in _class_folders(root)}) for split, root in roots.items()}
    names = named["train"]
    if len(names) < 2:
        raise ValueError(
            f"Received '{folder}' with {len(names)} class folder(s) of pictures {names}, expected two or more. "
            "Make one sub-folder per class and put its pictures in it."
        )
    for split, others in named.items():
        strangers = sorted(set(others) - set(names))
        if strangers:
            raise ValueError(
                f"Received classes {strangers} in '{split}' that 'train' does not have, expected {names}. "
                "Use the same class folders in every split."
            )
    return tuple(names)
