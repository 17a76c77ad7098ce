"""A folder as a table, a table as three folders, a data set as a folder."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import datasets, images
from helpers.datasets import SPLITS, ImageDataset, _tables
from tests.conftest import draw_noise

MakeFolder = Callable[..., Path]


def content_of(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


# --- Listing ------------------------------------------------------------------------------------------------


def test_classes_are_those_of_the_folders(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 3, "dog/small": 1, "dog/large": 2})
    Image.fromarray(draw_noise(77)).save(folder / "loose.png")
    table = datasets.list_pictures(folder)
    assert list(table.columns) == ["path", "class_name"]
    assert table.class_name.to_list() == ["cat"] * 3 + ["dog"] * 3
    assert table.path.to_list() == [str(path) for path in images.find_files(folder) if path.name != "loose.png"]
    assert all(isinstance(path, str) for path in table.path)


def test_given_splits_become_a_column(make_folder: MakeFolder) -> None:
    folder = make_folder({"train/cat": 2, "train/dog": 2, "val/cat": 1, "val/dog": 1})
    table = datasets.list_pictures(str(folder))
    assert table.groupby(["split", "class_name"]).size().to_dict() == {
        ("train", "cat"): 2,
        ("train", "dog"): 2,
        ("validation", "cat"): 1,
        ("validation", "dog"): 1,
    }


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("cat.12.jpg", "cat"),
        ("cat12.jpg", "cat"),
        ("dog (3).png", "dog"),
        ("american_bulldog_104.JPG", "american_bulldog"),
        ("Scottish-fold-7.jpeg", "Scottish-fold"),
        ("고양이 1.png", "고양이"),
        ("b 52 bomber 1.png", "b 52 bomber"),
        ("3d model-02.png", "3d model"),
        ("10.3.jpg", "10"),
        ("1-2.3.jpg", "1-2"),
    ],
)
def test_classes_are_those_of_the_names(tmp_path: Path, name: str, class_name: str) -> None:
    (tmp_path / name).touch()
    assert datasets.list_pictures(tmp_path, label_from="name").class_name.to_list() == [class_name]


@pytest.mark.parametrize("name", ["cat.jpg", "12.jpg", "2024-05-17.jpg", "2024.05.17.jpg", "IMG.png"])
def test_a_name_without_class_or_number_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=rf"Received '{name}', expected a class and a number"):
        datasets.list_pictures(tmp_path, label_from="name")


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.1.jpg").touch()
    with pytest.raises(ValueError, match=r"without a picture in a class folder.*label_from='name'"):
        datasets.list_pictures(tmp_path)
    with pytest.raises(ValueError, match="Received label_from='suffix', expected"):
        datasets.list_pictures(tmp_path, label_from="suffix")


# --- Splitting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [False, True])
def test_pictures_go_to_three_folders_and_load_finds_them_there(
    make_folder: MakeFolder, tmp_path: Path, link: bool
) -> None:
    folder = make_folder({"cat": 20, "dog": 20})
    before = {path: path.read_bytes() for path in images.find_files(folder)}
    table = datasets.list_pictures(folder)
    result = datasets.split_into_folders(table, tmp_path / "out", link=link)
    assert Counter(result.split) == {"train": 28, "validation": 6, "test": 6}
    assert result.source.equals(table.path) and result.class_name.equals(table.class_name)
    for row in result.itertuples():
        assert Path(row.path).parts[-3:-1] == (row.split, row.class_name)
        assert Path(row.path).read_bytes() == Path(row.source).read_bytes()
        assert Path(row.path).samefile(row.source) is link
    assert len(images.find_files(tmp_path / "out")) == 40
    assert {path: path.read_bytes() for path in images.find_files(folder)} == before
    data = datasets.load(tmp_path / "out")
    assert data.counts == {"train": 28, "validation": 6, "test": 6} and data.set_aside == ()
    for labels in data.labels.values():
        assert labels.mean() == 0.5


def test_links_to_another_disk_are_symbolic(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(_tables.os, "link", refuse)
    monkeypatch.chdir(tmp_path)
    table = datasets.list_pictures(make_folder({"cat": 6, "dog": 6}).relative_to(tmp_path))
    result = datasets.split_into_folders(table, tmp_path / "a" / "out", shares=(0.5, 0.25, 0.25), link=True)
    assert all(Path(path).is_symlink() for path in result.path)
    assert [content_of(path) for path in result.path] == [content_of(path) for path in table.path]


def splits_by_name(table: pd.DataFrame) -> dict[str, str]:
    return {
        f"{name}/{Path(path).name}": split
        for path, name, split in zip(table.path, table.class_name, table.split, strict=True)
    }


def test_the_seed_and_the_names_decide_and_contents_do_not(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"cat": 15, "dog": 15})
    elsewhere = make_folder({"cat": 15, "dog": 15}, name="elsewhere", first_seed=100)
    first, again, other = (
        splits_by_name(datasets.split_into_folders(datasets.list_pictures(source), tmp_path / name, seed=seed))
        for source, name, seed in ((folder, "1", 5), (elsewhere, "2", 5), (folder, "3", 6))
    )
    assert first == again
    assert first != other
    shuffled = datasets.list_pictures(folder).sample(frac=1, random_state=1)
    assert splits_by_name(datasets.split_into_folders(shuffled, tmp_path / "4", seed=5)) == first


def test_copies_of_a_picture_stay_in_one_split(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"cat": 10, "dog": 10})
    for number in range(6):
        for copy in range(number):
            name = "dog" if (number, copy) == (5, 0) else "cat"  # one of them even under another class
            shutil.copyfile(folder / "cat" / f"{number:03}.png", folder / name / f"copy {number} {copy}.png")
    result = datasets.split_into_folders(datasets.list_pictures(folder), tmp_path / "out", shares=(0.5, 0.25, 0.25))
    splits_of: dict[str, set[str]] = {}
    for row in result.itertuples():
        splits_of.setdefault(content_of(row.path), set()).add(row.split)
    assert len(splits_of) == 20 and all(len(splits) == 1 for splits in splits_of.values())
    assert Counter(result.split).total() == 35 == len(images.find_files(tmp_path / "out"))


@pytest.mark.parametrize("shares", [(0.7, 0.15, 0.15), (0.5, 0.25, 0.25), (0.8, 0.2, 0.0), (0.34, 0.33, 0.33)])
def test_the_shares_are_kept_in_every_class(
    make_folder: MakeFolder, tmp_path: Path, shares: tuple[float, float, float]
) -> None:
    counts = {"common": 60, "middle": 20, "rare": 7}
    result = datasets.split_into_folders(datasets.list_pictures(make_folder(counts)), tmp_path / "out", shares=shares)
    for split, share in zip(SPLITS, shares, strict=True):
        assert abs((result.split == split).sum() - share * 87) <= 1
        for name, count in counts.items():
            found = ((result.split == split) & (result.class_name == name)).sum()
            assert abs(found - share * count) <= 2  # two roundings


def test_files_of_the_same_name_do_not_overwrite_each_other(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder({"cat/a": 8, "cat/b": 8, "dog/a": 8, "dog/b": 8})
    result = datasets.split_into_folders(datasets.list_pictures(folder), tmp_path / "out")
    assert len({path.lower() for path in result.path}) == 32 == len(images.find_files(tmp_path / "out"))
    assert [content_of(path) for path in result.path] == [content_of(path) for path in result.source]


@pytest.mark.parametrize("content", ["file", "folder"])
def test_what_is_there_is_not_overwritten(make_folder: MakeFolder, tmp_path: Path, content: str) -> None:
    table = datasets.list_pictures(make_folder({"cat": 10, "dog": 10}))
    output = tmp_path / "out"
    if content == "file":
        output.write_text("mine")
    else:
        output.mkdir()
        (output / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        ValueError, match=r"Received '.*out', where there is something already, expected a new or empty"
    ):
        datasets.split_into_folders(table, output)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(make_folder: MakeFolder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    table = datasets.list_pictures(make_folder({"cat": 10, "dog": 10}))
    datasets.split_into_folders(table, tmp_path / "out")
    assert len(images.find_files(tmp_path / "out")) == 20


def test_a_run_that_stops_leaves_nothing(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = datasets.list_pictures(make_folder({"cat": 10, "dog": 10}))
    placed = []

    def place(source: Path, target: Path, *, link: bool) -> None:
        placed.append(shutil.copyfile(source, target))
        assert not (tmp_path / "out").exists(), "nothing stands under the name before all of it does"
        if len(placed) == 15:
            raise KeyboardInterrupt

    monkeypatch.setattr(_tables, "_place", place)
    with pytest.raises(KeyboardInterrupt):
        datasets.split_into_folders(table, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.parametrize("shares", [(0.7, 0.3), (0.7, 0.2, 0.2), (1.2, -0.1, -0.1), (70, 15, 15)])
def test_shares_that_make_no_whole_are_refused(make_folder: MakeFolder, tmp_path: Path, shares: tuple) -> None:
    table = datasets.list_pictures(make_folder({"cat": 5, "dog": 5}))
    with pytest.raises(ValueError, match="expected three numbers of 0 or more that add up to 1"):
        datasets.split_into_folders(table, tmp_path / "out", shares=shares)


def test_too_few_pictures_are_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    table = datasets.list_pictures(make_folder({"cat": 1, "dog": 1}))
    with pytest.raises(
        ValueError, match=r"Received 2 pictures, expected enough to fill \['validation', 'test'\], too\. Add"
    ):
        datasets.split_into_folders(table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../cat", "a/b", "..", "", ".hidden", "a\\b"])
def test_a_class_name_cannot_leave_the_folder(make_folder: MakeFolder, tmp_path: Path, name: str) -> None:
    table = datasets.list_pictures(make_folder({"cat": 5, "dog": 5}))
    table["class_name"] = table.class_name.replace("cat", name)
    with pytest.raises(ValueError, match="expected one that can name a folder"):
        datasets.split_into_folders(table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- Exporting ----------------------------------------------------------------------------------------------


def make_dataset(make_folder: MakeFolder) -> ImageDataset:
    return datasets.load(make_folder({"cat": 12, "dog": 12, "eel": 12}), num_train=18, num_validation=9, num_test=9)


def test_an_exported_data_set_loads_again_with_the_same_splits_and_labels(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    data = make_dataset(make_folder)
    assert datasets.export(data, tmp_path / "out", quality=100) == tmp_path / "out"
    again = datasets.load(tmp_path / "out")
    assert (again.class_names, again.counts, again.set_aside) == (data.class_names, data.counts, ())
    assert {split: Counter(labels.tolist()) for split, labels in again.labels.items()} == {
        split: Counter(labels.tolist()) for split, labels in data.labels.items()
    }
    for split in SPLITS:
        files = sorted((tmp_path / "out" / split).rglob("*.jpg"), key=lambda path: path.name)
        for number, (file, (picture, label)) in enumerate(
            zip(files, getattr(data, split).as_numpy_iterator(), strict=True)
        ):
            assert (file.name, file.parent.name) == (f"{number:06}.jpg", data.class_names[label])
            pixels = images.read(file)
            assert pixels.shape == picture.shape
            # Noise is the worst case for JPEG, which keeps every second colour; the brightness stays close.
            grey, expected = pixels.mean(axis=2), picture.mean(axis=2)
            assert np.abs(grey - expected).mean() < 30 and np.corrcoef(grey.ravel(), expected.ravel())[0, 1] > 0.8


def test_export_does_not_overwrite_and_leaves_nothing_half_done(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_dataset(make_folder)
    with pytest.raises(ValueError, match="where there is something already"):
        datasets.export(data, tmp_path / "photos")
    with pytest.raises(ValueError, match="Received quality=0, expected 1 to 100"):
        datasets.export(data, tmp_path / "out", quality=0)
    saved = []

    def save(*args: object, **options: object) -> None:
        saved.append(args)
        if len(saved) == 20:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(OSError, match="No space left"):
        datasets.export(data, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.parametrize("table", [{"path": ["a"]}, {"path": ["a", "b"], "class_name": ["cat", None]}])
def test_a_table_without_paths_and_classes_is_refused(table: dict, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected 'path' and 'class_name' in every row"):
        datasets.split_into_folders(pd.DataFrame(table), tmp_path / "split")
    assert not (tmp_path / "split").exists()
