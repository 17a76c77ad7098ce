"""Pictures from a folder: every file is used, or named with the reason why not."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers import cleaning
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

# cat.12, american_bulldog_7, dog (3): a class has a letter, or ends at the only dot (10.3).
NAME_AND_NUMBER = re.compile(r"(.*?[^\W\d_].*?|[^.]+(?=\.))[ ._-]*\(?\d+\)?")


def load_folder(folder: Path, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    """Do what `load` does, for a folder."""
    survey = cleaning.survey_folder(folder)
    _require_classes(folder, survey)
    candidates = [candidate for candidate in survey.candidates if not candidate.unused]
    inspections = cleaning.inspect_files([candidate.path for candidate in candidates])
    pools: dict[str, list[Picture]] = {split: [] for split in survey.roots}
    set_aside = [(candidate.name, candidate.unused) for candidate in survey.candidates if candidate.unused]
    for position, (candidate, inspection) in enumerate(zip(candidates, inspections, strict=True)):
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
    paths = {split: tuple(candidates[picture.position].path for picture in chosen[split]) for split in SPLITS}
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
        notes=(*survey.notes, *_note_depth(inspections)),
    )


def _note_depth(inspections: Sequence[cleaning.Inspection]) -> list[str]:
    """Say what becomes of files of 16 bits that hold smaller numbers: they would be black otherwise."""
    details = Counter(detail for found in inspections for kind, detail in found.remarks if kind == "depth")
    return [f"{count:,} pictures have {detail}" for detail, count in details.items()]


def _require_classes(folder: Path, survey: cleaning.Survey) -> None:
    if survey.problem:
        raise ValueError(survey.problem)
    if len(survey.class_names) < 2:
        raise ValueError(
            f"Received '{folder}' with {len(survey.class_names)} class folder(s) of pictures "
            f"{list(survey.class_names)}, expected two or more. "
            + (_look_at_names(survey) or "Make one sub-folder per class and put its pictures in it.")
        )


def _look_at_names(survey: cleaning.Survey) -> str:
    """Say how to go on with pictures that stand in no class folder, but say their class themselves."""
    loose = [candidate.path.stem for candidate in survey.candidates if "/" not in candidate.name]
    names = sorted({match[1] for stem in loose if (match := NAME_AND_NUMBER.fullmatch(stem))})
    if len(names) < 2:
        return ""
    return (
        f"{len(loose):,} pictures stand in it directly, named after {cleaning.enumerate_names(names)}: sort them with "
        "list_pictures(folder, label_from='name') and split_into_folders."
    )


def _require_no_class_lost(
    folder: Path, survey: cleaning.Survey, train: Sequence, set_aside: Mapping[str, str]
) -> None:
    """Stop where every picture to learn a class from was set aside: not even its name would be seen again."""
    left = {picture.label for group in train for picture in group}
    lost = [name for label, name in enumerate(survey.class_names) if label not in left]
    if lost:
        name, reason = next(
            (c.name, set_aside[c.name]) for c in survey.candidates if c.class_name == lost[0] and c.name in set_aside
        )
        raise ValueError(
            f"Received '{folder}' without a usable picture of {cleaning.enumerate_names(lost)}, expected some of each "
            f"class. '{name}', for example: {reason.rstrip('.')}. Mend the files, or move the class folder away."
        )
