"""Folders as users have them: names, links, copies that are nearly the same, tables, the data folder.

What is a split, what is a class, and what becomes of every file: see test_real_folders.py.
"""

import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from skimage import data as samples

from helpers import cleaning, datasets, images
from helpers.datasets import SPLITS
from tests.conftest import draw_noise

MakeFolder = Callable[..., Path]
CATS = {"cat": 6, "dog": 6}


def below(*folders: str, classes: dict[str, int] | None = None) -> dict[str, int]:
    """`below("train", "test")` asks for cats and dogs in each of these folders."""
    return {f"{folder}/{name}": count for folder in folders for name, count in (classes or CATS).items()}


def used(data: datasets.ImageDataset) -> list[Path]:
    return [path for split in SPLITS for path in data.paths[split]]


def assert_each_is_used_or_named(folder: Path, data: datasets.ImageDataset) -> None:
    candidates = {
        unicodedata.normalize("NFC", p.relative_to(folder).as_posix()) for p in cleaning.find_candidates(folder)
    }
    learned = [unicodedata.normalize("NFC", path.relative_to(folder).as_posix()) for path in used(data)]
    named = [file for file, reason in data.set_aside if reason]
    assert sorted([*learned, *named]) == sorted(candidates)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not Unicode")
def test_class_names_that_are_not_unicode_can_be_written(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"a": 6, "b": 6})
    for old, new in (("a", "고양이"), ("b", "강아지")):
        (folder / old).rename(folder / os.fsdecode(new.encode("cp949")))
    data = datasets.load(folder)
    assert len(data.class_names) == 2 and all(name.encode() for name in data.class_names)
    assert all(name.startswith("\\udc") for name in data.class_names)
    table = datasets.list_pictures(folder)
    assert sorted(table.class_name.unique()) == sorted(data.class_names)
    with pytest.raises(ValueError, match="expected one that can name a folder"):
        datasets.split_into_folders(table, tmp_path / "out")
    table["class_name"] = table.class_name.map(dict(zip(data.class_names, ("cat", "dog"), strict=True)))
    datasets.split_into_folders(table, tmp_path / "out")
    datasets.write_tfrecords(data.train, tmp_path / "records", class_names=data.class_names)


def test_class_folders_with_the_same_parts_can_still_be_listed_and_split(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    table = datasets.list_pictures(make_folder(below("cat", "dog", classes={"2019": 6, "2020": 6})))
    assert table.class_name.value_counts().to_dict() == {"cat": 12, "dog": 12}
    datasets.split_into_folders(table, tmp_path / "out")
    assert datasets.load(tmp_path / "out").class_names == ("cat", "dog")


# --- Links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", ["class", "split", "file"])
def test_linked_pictures_are_used(make_folder: MakeFolder, tmp_path: Path, depth: str) -> None:
    store = make_folder(below("train", "test"), name="store")
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in images.find_files(store):
        target = {"class": path.parent, "split": path.parents[1], "file": path}[depth]
        link = folder / target.relative_to(store)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)
    linked, plain = datasets.load(folder), datasets.load(store)
    assert linked.counts == plain.counts and linked.fingerprint == plain.fingerprint
    assert len(datasets.list_pictures(folder)) == len(datasets.list_pictures(store)) == 24


# --- Copies that are nearly the same ------------------------------------------------------------------------------


def put_near_copies(folder: Path, *, pictures: int, classes: tuple[str, ...] = ("cat", "dog")) -> None:
    """Write pictures that differ, each three times: as it is, saved again, and smaller."""
    for number in range(pictures):
        shown = Image.fromarray(draw_noise(number, height=6, width=6)).resize((120, 90), Image.Resampling.BICUBIC)
        place = folder / classes[number % len(classes)]
        place.mkdir(parents=True, exist_ok=True)
        shown.save(place / f"{number}.png")
        shown.save(place / f"{number} again.jpg", quality=60)
        shown.resize((60, 45)).save(place / f"{number} small.png")


@pytest.mark.parametrize("pictures", [8, 20, 40])
def test_near_copies_stay_in_one_split(tmp_path: Path, pictures: int) -> None:
    put_near_copies(tmp_path, pictures=pictures)
    data = datasets.load(tmp_path, num_train=2 * pictures, num_validation=pictures // 2, num_test=pictures // 2)
    splits_of: dict[str, set[str]] = {}
    for split in SPLITS:
        for path in data.paths[split]:
            splits_of.setdefault(path.stem.split()[0], set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert data.near_duplicates == 2 * pictures
    assert len(splits_of) == pictures
    assert_each_is_used_or_named(tmp_path, data)
    assert len(datasets.leakage_report({split: getattr(data, split) for split in SPLITS})) == 0


def test_in_given_splits_a_near_copy_stays_where_it_is_tested(make_folder: MakeFolder) -> None:
    folder = make_folder(below("train", "val", "test"))
    cat = Image.fromarray(samples.chelsea())
    for split, quality in (("train", 95), ("val", 70), ("test", 50)):
        cat.save(folder / split / "cat" / "chelsea.jpg", quality=quality)
    data = datasets.load(folder)
    reason = "nearly the same as test/cat/chelsea.jpg, which is kept for the test split"
    assert data.set_aside == (("train/cat/chelsea.jpg", reason), ("val/cat/chelsea.jpg", reason))
    assert data.near_duplicates == 2
    assert folder / "test" / "cat" / "chelsea.jpg" in data.paths["test"]


def test_plain_pictures_are_not_taken_for_copies(make_folder: MakeFolder) -> None:
    folder = make_folder({"red": 6, "blue": 6})
    for name, channel in (("red", 0), ("blue", 2)):
        for shade in range(20):
            color = [0, 0, 0]
            color[channel] = 100 + shade
            Image.new("RGB", (40, 30), tuple(color)).save(folder / name / f"plain {shade}.png")
    data = datasets.load(folder)
    assert data.near_duplicates == 0 and len(used(data)) == 52 and data.set_aside == ()


def test_split_into_folders_keeps_near_copies_together(tmp_path: Path) -> None:
    put_near_copies(tmp_path / "photos", pictures=20)
    table = datasets.split_into_folders(datasets.list_pictures(tmp_path / "photos"), tmp_path / "out")
    number = table.source.map(lambda path: Path(path).stem.split()[0])
    assert (table.groupby(number).split.nunique() == 1).all() and len(table) == 60
    data = datasets.load(tmp_path / "out")
    assert data.set_aside == () and sum(data.counts.values()) == 60


# --- Tables and the data folder -----------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [(1, 2), (0, 10), (1.5, 2.0), ("007", "1")])
def test_class_names_that_a_csv_file_made_numbers_are_text(make_folder: MakeFolder, tmp_path: Path, names) -> None:
    table = datasets.list_pictures(make_folder({"cat": 8, "dog": 8}))
    table["class_name"] = table.class_name.map({"cat": names[0], "dog": names[1]})
    table.to_csv(tmp_path / "a.csv", index=False)
    result = datasets.split_into_folders(pd.read_csv(tmp_path / "a.csv"), tmp_path / "out")
    expected = {str(name) for name in pd.read_csv(tmp_path / "a.csv").class_name}
    assert set(result.class_name) == expected == {path.name for path in (tmp_path / "out" / "train").iterdir()}


def test_a_class_called_na_gets_the_way_to_read_it(make_folder: MakeFolder, tmp_path: Path) -> None:
    datasets.list_pictures(make_folder({"NA": 8, "EU": 8})).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match=r"pd\.read_csv\(\.\.\., dtype=str, keep_default_na=False\)"):
        datasets.split_into_folders(pd.read_csv(tmp_path / "a.csv"), tmp_path / "out")
    table = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    assert set(datasets.split_into_folders(table, tmp_path / "out").class_name) == {"NA", "EU"}


def test_the_data_folder_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("COURSE_DATA", "~/data")
    assert datasets.data_folder() == (tmp_path / "data").resolve()


@pytest.mark.parametrize("below", ["", "/deeper/still"])
def test_a_file_in_place_of_the_data_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_DATA", f"{tmp_path}/file{below}")
    with pytest.raises(ValueError, match=r"data folder '.*', but '.*file' is a file, expected a folder\. Set the env"):
        datasets.load("synthetic_pets/tiny")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder where nobody may write")
def test_a_data_folder_that_cannot_be_written_is_one_line_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", "/proc/nope")
    with pytest.raises(ValueError, match=r"/proc/nope', where no file can be written") as caught:
        datasets.load("synthetic_pets/tiny")
    assert "\n" not in str(caught.value)


def test_what_is_prepared_is_read_from_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = datasets.load("synthetic_pets/tiny", num_train=4, num_validation=2, num_test=2)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for path in (datasets.data_folder() / "checked").glob("*.json"):
        path.unlink()
    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    again = datasets.load("synthetic_pets/tiny", num_train=4, num_validation=2, num_test=2)
    assert again.fingerprint == expected.fingerprint
