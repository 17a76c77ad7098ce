"""Pictures from a folder with one sub-folder a class."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers import cleaning, images
from helpers.datasets._decoding import decode_files
from helpers.datasets._splits import (
    ImageDataset,
    Record,
    drop_copies,
    fingerprint_of,
    labels_of_splits,
    split_records,
)

INSPECTED_AT_ONCE = 512  # files


def load_folder(folder: Path, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    roots = find_split_folders(folder)
    class_names = _class_names(folder, roots)
    paths = [
        (split, class_names.index(name), path)
        for split, root in roots.items()
        for name in class_names
        for path in images.find_files(root / name)
    ]
    reports = _inspect([path for _, _, path in paths])
    pools: dict[str, list[Record]] = {}
    set_aside = {}
    for position, ((split, label, _), report) in enumerate(zip(paths, reports, strict=True)):
        if report.problem:
            set_aside[position] = report.problem
        else:
            pools.setdefault(split, []).append(Record(position, label, report.digest))
    copies = drop_copies(pools, name=lambda _, record: "/".join(paths[record.position][2].parts[-2:]))
    set_aside |= {record.position: reason for _, record, reason in copies}
    pools = {split: records for split, records in pools.items() if records}
    chosen = {split: records for split, (_, records) in split_records(pools, wanted=wanted, seed=seed).items()}
    files = [path for _, _, path in paths]
    plain = [report.plain for report in reports]
    return ImageDataset(
        name=folder.resolve().name,
        **{split: decode_files(records, files, plain) for split, records in chosen.items()},
        class_names=class_names,
        labels=labels_of_splits(chosen),
        fingerprint=fingerprint_of(chosen),
        set_aside=tuple((files[i].relative_to(folder).as_posix(), reason) for i, reason in sorted(set_aside.items())),
    )


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


def _class_names(folder: Path, roots: Mapping[str, Path]) -> tuple[str, ...]:
    named = {
        split: sorted(
            p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".") and images.find_files(p)
        )
        for split, root in roots.items()
    }
    names = named["train"]
    if len(names) < 2:
        raise ValueError(
            f"Received '{folder}' with {len(names)} class folder(s) of pictures {names}, expected two or more. "
            "Make one sub-folder a class and put its pictures in it."
        )
    for split, others in named.items():
        strangers = sorted(set(others) - set(names))
        if strangers:
            raise ValueError(
                f"Received classes {strangers} in '{split}' that 'train' does not have, expected {names}. "
                "Use the same class folders in every split."
            )
    return tuple(names)
