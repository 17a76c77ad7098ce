"""Folders as users have them: what is a split, what is a class, and what becomes of every file.

Each kind of folder stands in a table; the folders are made by code.
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


# --- Recognised ---------------------------------------------------------------------------------------------------

# What is in the folder, the classes, which split the pictures of a folder go to, and what is said.
KNOWN: dict[str, tuple[dict[str, int], tuple[str, ...], dict[str, str], str]] = {
    "seg_train, seg_test, seg_pred, each twice": (
        below("seg_train/seg_train", "seg_test/seg_test") | {"seg_pred/seg_pred": 3},
        ("cat", "dog"),
        {"seg_train": "train", "seg_test": "test", "seg_pred": ""},
        "'seg_pred' is neither train, validation nor test and is not used",
    ),
    "training_set, test_set": (
        below("training_set", "test_set"), ("cat", "dog"), {"training_set": "train", "test_set": "test"}, "",
    ),
    "train_images, val_images": (
        below("train_images", "val_images"), ("cat", "dog"), {"train_images": "train", "val_images": "validation"}, "",
    ),
    "intel-train, intel-test": (
        below("intel-train", "intel-test"), ("cat", "dog"), {"intel-train": "train", "intel-test": "test"}, "",
    ),
    "train2017, val2017": (
        below("train2017", "val2017"), ("cat", "dog"), {"train2017": "train", "val2017": "validation"}, "",
    ),
    "a class called train among vehicles": ({"bus": 6, "car": 6, "train": 6}, ("bus", "car", "train"), {}, ""),
    "a class called test_tube": ({"test_tube": 6, "flask": 6}, ("flask", "test_tube"), {}, ""),
    "stations": ({"train_station": 6, "bus_station": 6}, ("bus_station", "train_station"), {}, ""),
    "an unlabelled test": (
        below("train", "val") | {"test": 4},
        ("cat", "dog"),
        {"train": "train", "val": "validation", "test": ""},
        "'test' has no class folders and is not used",
    ),
    "a class missing from val": (
        below("train", classes=CATS | {"eel": 6}) | below("val"),
        ("cat", "dog", "eel"),
        {"val": "validation"},
        "the validation split has no pictures of 'eel'",
    ),
    "folders beside train": (
        below("train", "holdout") | {"extra": 2},
        ("cat", "dog"),
        {"holdout": "", "extra": ""},
        "'holdout' is neither train, validation nor test and is not used",
    ),
    "images in each split": (
        below("train/images", "test/images"), ("cat", "dog"), {}, "the classes are taken from 'train/images'",
    ),
    "files beside the class folders": (CATS | {"": 1}, ("cat", "dog"), {}, ""),
    "two spellings": ({"Cat": 4, "cat": 4, "dog": 4}, ("Cat", "dog"), {}, "'Cat' and 'cat' are taken for one"),
    "a blank at the end": ({"cat ": 4, "cat": 4, "dog": 4}, ("cat", "dog"), {}, "'cat' and 'cat ' are taken for one"),
    "capitals in one split only": (
        below("train") | below("test", classes={"Cat": 6, "Dog": 6}),
        ("cat", "dog"),
        {"test": "test"},
        "'cat' and 'Cat'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("counts", "classes", "goes_to", "said"), KNOWN.values(), ids=KNOWN)
def test_a_folder_is_understood(
    make_folder: MakeFolder, counts: dict[str, int], classes: tuple[str, ...], goes_to: dict[str, str], said: str
) -> None:
    folder = make_folder(counts)
    data = datasets.load(folder)
    assert data.class_names == classes
    assert said in " | ".join(data.notes) if said else data.notes == ()
    assert_each_is_used_or_named(folder, data)
    own = {split for split in goes_to.values() if split}
    for top, split in goes_to.items():
        found = {name for name in SPLITS for path in data.paths[name] if path.relative_to(folder).parts[0] == top}
        taken_too = {"test": {"validation"}, "validation": {"test"}}.get("", set())
        allowed = {split} | {name for name in SPLITS if name not in own and split} | taken_too
        assert found <= allowed and bool(found) == bool(split)


def test_a_folder_without_pictures_is_said(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 6, "dog": 6, "eel": 0})
    (folder / ".hidden").mkdir()
    assert datasets.load(folder).notes == ("'eel' has no pictures",)


TWO_WAYS = {name: unicodedata.normalize(form, "고양이") for name, form in (("windows", "NFC"), ("mac", "NFD"))}


def test_a_korean_name_in_two_ways_is_one_class_and_it_is_said(make_folder: MakeFolder) -> None:
    folder = make_folder({TWO_WAYS["windows"]: 5, TWO_WAYS["mac"]: 5, "개": 5})
    data = datasets.load(folder)
    assert data.class_names == tuple(sorted(("개", "고양이")))
    assert len(used(data)) == 15
    (note,) = data.notes
    assert r"\u1100" in note and "taken for one class, '고양이'" in note, "shown so that they can be told apart"


def test_splits_may_write_a_name_in_two_ways(make_folder: MakeFolder) -> None:
    counts = {f"train/{TWO_WAYS['windows']}": 5, f"val/{TWO_WAYS['mac']}": 5, "train/dog": 5, "val/dog": 5}
    assert datasets.load(make_folder(counts)).class_names == ("dog", "고양이")


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


# --- Refused, with what was seen ----------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, int], str]] = {
    "a doubled wrapper folder": (below("pets"), r"Did you mean '.*photos/pets', which has 'cat' and 'dog'\?"),
    "a wrapper of splits": (below("data/train", "data/test"), r"Did you mean '.*data', which has 'test' and 'train'\?"),
    "splits by other names": (below("dev", "holdout"), "with 'dev' and 'holdout', which all have 'cat' and 'dog'"),
    "folds": (below("fold1", "fold2", "fold3"), "which all have 'cat' and 'dog': splits by names that are not known"),
    "splits without classes": ({"train": 5, "test": 5}, "one sub-folder per class"),
    "training pictures without classes": ({"train": 5} | below("test"), "expected a folder 'train' beside them"),
    "a class or a split": (
        {"train/steam": 5, "train/diesel": 5, "bus": 5, "car": 5}, "is it the training split or a class",
    ),
    "two training splits": (below("train", "training_set"), "expected one folder for the train split"),
    "all pictures in one folder": ({"": 6}, "with 0 class folder"),
    "a stranger in test": (below("train") | below("test", classes={"bird": 3}), r"classes \['bird'\] in 'test'"),
}  # fmt: skip


@pytest.mark.parametrize(("counts", "message"), REFUSED.values(), ids=REFUSED)
def test_a_folder_that_cannot_be_understood_is_refused(
    make_folder: MakeFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        datasets.load(make_folder(counts))
    assert "Received" in str(caught.value) and "xpected" in str(caught.value)


def test_pictures_named_after_their_classes_in_one_folder_are_told_how(tmp_path: Path) -> None:
    for number in range(4):
        for name in ("cat", "dog"):
            Image.fromarray(draw_noise(number)).save(tmp_path / f"{name}.{number}.png")
    with pytest.raises(ValueError, match=r"8 pictures .* named after 'cat' and 'dog': sort them with list_pictures"):
        datasets.load(tmp_path)


def test_class_folders_with_the_same_parts_can_still_be_listed_and_split(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    table = datasets.list_pictures(make_folder(below("cat", "dog", classes={"2019": 6, "2020": 6})))
    assert table.class_name.value_counts().to_dict() == {"cat": 12, "dog": 12}
    datasets.split_into_folders(table, tmp_path / "out")
    assert datasets.load(tmp_path / "out").class_names == ("cat", "dog")


# --- Every file is used or named ----------------------------------------------------------------------------------


def spoil(folder: Path) -> None:
    """Put one of each kind of useless file beside the good ones."""
    (folder / "cat" / "page.jpg").write_text("<html>not found</html>")
    (folder / "cat" / "empty.png").touch()
    (folder / "dog" / "drawing.svg").write_text("<svg/>")
    (folder / "dog" / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "loose.png").write_bytes((folder / "cat" / "000.png").read_bytes()[:60])
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "dog" / "pipe.jpg")


def test_what_cannot_be_used_is_named_with_its_reason(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 8, "dog": 8})
    spoil(folder)
    (folder / "cat" / "notes.txt").write_text("mine")
    (folder / "dog" / "no suffix").write_bytes((folder / "dog" / "000.png").read_bytes())
    Image.fromarray(draw_noise(77)).save(folder / "dog" / "photo.jpg?w=640", format="jpeg")
    data = datasets.load(folder)
    assert_each_is_used_or_named(folder, data)
    assert {"dog/gone.jpg", "loose.png", "cat/page.jpg", "dog/no suffix"} <= {file for file, _ in data.set_aside}
    assert any(path.name == "photo.jpg?w=640" for path in used(data))
    assert all("notes" not in file for file, _ in data.set_aside)


@pytest.mark.parametrize("kind", ["no pictures", "links that lead nowhere", "a class folder that is gone", "copies"])
def test_a_class_that_is_lost_whole_is_an_error_that_names_it(make_folder: MakeFolder, kind: str) -> None:
    folder = make_folder({"cat": 6, "dog": 6})
    if kind == "a class folder that is gone":
        (folder / "bird").symlink_to(folder.parent / "not mounted")
    else:
        (folder / "bird").mkdir()
        for number in range(3):
            file = folder / "bird" / f"{number}.jpg"
            if kind == "no pictures":
                file.write_text("<html>")
            elif kind == "copies":
                file.write_bytes((folder / "cat" / f"00{number}.png").read_bytes())
            else:
                file.symlink_to(folder / "nowhere.jpg")
    with pytest.raises(ValueError, match=r"without a usable picture of 'bird', expected some of each class\. 'bird"):
        datasets.load(folder)


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


def test_links_in_circles_end_and_no_picture_counts_twice(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 6, "dog": 6})
    (folder / "dog" / "again").symlink_to(folder)
    (folder / "cat" / "more").symlink_to(folder / "cat")
    data = datasets.load(folder)
    assert len(used(data)) == 12 and data.class_names == ("cat", "dog") and data.set_aside == ()


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
