"""helpers.datasets: disjoint and repeatable splits from folders and names, and batches with the right pixels."""

import io
import os
import shutil
import socket
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from etils import epath
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import helpers
from helpers import cleaning, datasets, images
from helpers.datasets import SPLITS, ImageDataset, _batches, _splits
from helpers.datasets._splits import Picture
from tests.conftest import draw_noise

MakeFolder = Callable[..., Path]
unhurried = settings(deadline=None)  # a busy machine is no failure
SMALL = {"num_train": 12, "num_validation": 6, "num_test": 6}


def pairs(split: tf.data.Dataset) -> list[tuple[bytes, int]]:
    """Pixels and label of each picture."""
    return [(picture.tobytes(), int(label)) for picture, label in split.as_numpy_iterator()]


def all_pairs(data: ImageDataset) -> dict[str, list[tuple[bytes, int]]]:
    return {split: pairs(getattr(data, split)) for split in SPLITS}


def chosen_sets(data: ImageDataset) -> dict[str, set[tuple[bytes, int]]]:
    return {split: set(found) for split, found in all_pairs(data).items()}


def assert_disjoint(data: ImageDataset) -> None:
    contents = [picture for found in all_pairs(data).values() for picture, _ in found]
    assert len(set(contents)) == len(contents) == sum(data.counts.values())


def copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


# --- Folders: layouts and classes ---------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [("cat", "dog"), ("cloudy", "rain", "shine", "sunrise")])
def test_a_flat_folder_is_split(make_folder: MakeFolder, classes: tuple[str, ...]) -> None:
    folder = make_folder(dict.fromkeys(reversed(classes), 24 // len(classes)))
    data = datasets.load(folder, **SMALL)
    assert data.name == "photos"
    assert data.class_names == classes
    assert data.counts == {"train": 12, "validation": 6, "test": 6}
    assert_disjoint(data)
    for split in SPLITS:
        assert sorted(set(data.labels[split].tolist())) == list(range(len(classes)))
    assert data.set_aside == ()
    assert len(data.fingerprint) == 64 and int(data.fingerprint, 16)


def test_labels_are_those_of_the_folders_in_the_order_of_the_pictures(make_folder: MakeFolder) -> None:
    folder = make_folder({"a": 12, "b": 12, "c": 12})
    truth = {images.read(path).tobytes(): "abc".index(path.parent.name) for path in images.find_files(folder)}
    data = datasets.load(folder, **SMALL)
    for split, found in all_pairs(data).items():
        assert [label for _, label in found] == data.labels[split].tolist() == [truth[pixels] for pixels, _ in found]
        assert data.labels[split].dtype == np.int64
        assert getattr(data, split).element_spec == (
            tf.TensorSpec((None, None, 3), tf.uint8),
            tf.TensorSpec((), tf.int64),
        )
        assert int(getattr(data, split).cardinality()) == len(found)
        assert pairs(getattr(data, split)) == found, "another pass gives the same order"


LAYOUTS = {
    "train and validation": (("train", "validation"), {"test": "validation"}),
    "train and val": (("train", "val"), {"validation": "val", "test": "val"}),
    "train and valid": (("train", "valid"), {"validation": "valid", "test": "valid"}),
    "train and test": (("train", "test"), {"validation": "train"}),
    "all three": (("train", "validation", "test"), {}),
    "train alone": (("train",), {"validation": "train", "test": "train"}),
}


@pytest.mark.parametrize(("folders", "taken_from"), LAYOUTS.values(), ids=LAYOUTS)
def test_given_splits_are_kept_and_missing_ones_taken_from_them(
    make_folder: MakeFolder, folders: tuple[str, ...], taken_from: dict[str, str]
) -> None:
    root = make_folder({f"{split}/{name}": 14 for split in folders for name in ("cat", "dog")})
    data = datasets.load(root, **SMALL)
    assert data.counts == {"train": 12, "validation": 6, "test": 6}
    assert data.class_names == ("cat", "dog")
    assert_disjoint(data)
    for split, found in all_pairs(data).items():
        source = root / taken_from.get(split, split)
        assert {pixels for pixels, _ in found} <= {images.read(path).tobytes() for path in images.find_files(source)}


def test_folders_in_class_folders_and_other_files_do_no_harm(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 10, "dog/small": 5, "dog/large": 5})
    (folder / "notes.txt").write_text("mine")
    (folder / "cat" / "list.csv").write_text("a,b")
    (folder / "empty").mkdir()
    (folder / ".hidden").mkdir()
    copy(folder / "cat" / "000.png", folder / ".hidden" / "x.png")
    data = datasets.load(str(folder), num_train=10, num_validation=5, num_test=5)
    assert data.class_names == ("cat", "dog")
    assert sum(data.counts.values()) == 20
    assert data.set_aside == ()


def test_a_path_may_begin_with_the_home_folder(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder({"cat": 6, "dog": 6})
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert datasets.load("~/photos", **SMALL).name == "photos"


def test_names_with_other_letters_work(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"고양이 새끼": 4, "Hündin": 4}, name="사진 모음"), **SMALL)
    assert data.class_names == ("Hündin", "고양이 새끼")
    assert data.name == "사진 모음"
    assert_disjoint(data)


# --- Folders: too little or wrong ---------------------------------------------------------------------------


def test_with_fewer_pictures_the_numbers_shrink_in_proportion(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"cat": 10, "dog": 10}))
    assert data.counts == {"train": 10, "validation": 5, "test": 5}
    assert_disjoint(data)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not Unicode")
def test_a_name_that_is_not_unicode_is_read(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 4, "dog": 4})
    (folder / "cat" / "000.png").rename(folder / "cat" / os.fsdecode(b"caf\xe9.png"))
    assert sum(len(found) for found in all_pairs(datasets.load(folder)).values()) == 8


@pytest.mark.parametrize("counts", [{}, {"cat": 5}, {"train/cat": 5, "validation/cat": 5}])
def test_fewer_than_two_classes_are_refused(make_folder: MakeFolder, counts: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(
        ValueError, match=r"with [01] class folder\(s\) of pictures .*, expected two or more\. Make one"
    ):
        datasets.load(make_folder(counts), **SMALL)


def test_a_class_that_is_only_tested_is_refused(make_folder: MakeFolder) -> None:
    folder = make_folder({"train/cat": 5, "train/dog": 5, "test/cat": 5, "test/bird": 5})
    with pytest.raises(ValueError, match=r"Received classes \['bird'\] in 'test' that 'train' does not have"):
        datasets.load(folder, **SMALL)


def test_too_few_pictures_for_three_splits_are_refused(make_folder: MakeFolder) -> None:
    with pytest.raises(
        ValueError, match=r"Received 2 pictures, expected enough to fill \['validation', 'test'\], too\. Add"
    ):
        datasets.load(make_folder({"cat": 1, "dog": 1}))


@pytest.mark.parametrize("name", ["num_train", "num_validation", "num_test"])
@pytest.mark.parametrize("count", [0, -1])
def test_a_split_needs_a_picture(make_folder: MakeFolder, name: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"Received {name}={count}, expected 1 or more"):
        datasets.load(make_folder({"cat": 3, "dog": 3}), **SMALL | {name: count})


def test_damaged_files_are_set_aside_and_named(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 10, "dog": 10})
    (folder / "cat" / "empty.jpg").write_bytes(b"")
    (folder / "dog" / "text.png").write_text("no picture")
    whole = (folder / "dog" / "000.png").read_bytes()
    (folder / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    data = datasets.load(folder, num_train=10, num_validation=5, num_test=5)
    reasons = {Path(file).as_posix(): reason for file, reason in data.set_aside}
    assert set(reasons) == {"cat/empty.jpg", "dog/text.png", "dog/cut.png"}
    assert "the file is empty" in reasons["cat/empty.jpg"]
    assert all("not a readable picture" in reasons[file] for file in ("dog/text.png", "dog/cut.png"))
    assert str(folder) not in "".join(reasons.values())
    assert sum(data.counts.values()) == 20


# --- Folders: copies ----------------------------------------------------------------------------------------


def test_a_copy_is_used_once(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 10, "dog": 10})
    for number in range(10):
        copy(folder / "cat" / f"{number:03}.png", folder / "cat" / f"again{number}.png")
    data = datasets.load(folder, num_train=20, num_validation=5, num_test=5)
    assert_disjoint(data)
    assert len(data.set_aside) == 10
    assert all(reason.startswith("a copy of cat/0") for _, reason in data.set_aside)


def test_a_picture_under_two_classes_is_used_in_neither(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 10, "dog": 10})
    copy(folder / "cat" / "003.png", folder / "dog" / "a cat.png")
    data = datasets.load(folder, num_train=18, num_validation=6, num_test=6)
    assert sorted(data.set_aside) == [
        (str(Path("cat/003.png")), "the same picture stands under two classes"),
        (str(Path("dog/a cat.png")), "the same picture stands under two classes"),
    ]
    pixels = images.read(folder / "cat" / "003.png").tobytes()
    assert all(picture != pixels for found in all_pairs(data).values() for picture, _ in found)


@pytest.mark.parametrize(("learned", "tested"), [("train", "validation"), ("train", "test"), ("validation", "test")])
def test_a_copy_across_given_splits_stays_where_it_is_tested(
    make_folder: MakeFolder, learned: str, tested: str
) -> None:
    folder = make_folder({f"{split}/{name}": 6 for split in SPLITS for name in ("cat", "dog")})
    copy(folder / tested / "dog" / "002.png", folder / learned / "dog" / "zzz.png")
    data = datasets.load(folder, num_train=100, num_validation=100, num_test=100)
    assert data.set_aside == ((str(Path(learned, "dog", "zzz.png")), f"a copy of {tested}/dog/002.png"),)
    pixels = images.read(folder / tested / "dog" / "002.png").tobytes()
    assert [split for split, found in all_pairs(data).items() if pixels in dict(found)] == [tested]
    assert_disjoint(data)


# --- Seeds, order and fingerprints --------------------------------------------------------------------------


def test_the_seed_fixes_splits_and_order(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 16, "dog": 16})
    first, again, other = (datasets.load(folder, seed=seed, **SMALL) for seed in (3, 3, 4))
    assert all_pairs(first) == all_pairs(again)
    assert first.fingerprint == again.fingerprint
    assert chosen_sets(first)["test"] != chosen_sets(other)["test"]
    assert first.fingerprint != other.fingerprint


def chosen_names(data: ImageDataset) -> dict[str, list[str]]:
    return {split: [path.as_posix().split("photos/")[-1] for path in data.paths[split]] for split in SPLITS}


def test_names_decide_and_contents_do_not(make_folder: MakeFolder) -> None:
    """A drawn picture's bytes depend on the processor: on every machine, the same names go to the same splits."""
    counts = {"cat": 12, "dog": 12}
    first = datasets.load(make_folder(counts), **SMALL)
    second = datasets.load(make_folder(counts, name="more photos", first_seed=100), **SMALL)
    assert chosen_names(first) == chosen_names(second)
    assert {split: labels.tolist() for split, labels in first.labels.items()} == {
        split: labels.tolist() for split, labels in second.labels.items()
    }
    assert first.fingerprint != second.fingerprint


def test_letters_in_two_parts_as_macos_has_them_give_the_same_splits(make_folder: MakeFolder) -> None:
    counts = {unicodedata.normalize("NFC", name): 12 for name in ("고양이", "Hündin")}
    composed = make_folder(counts)
    apart = make_folder(
        {unicodedata.normalize("NFD", name): count for name, count in counts.items()}, name="mac photos"
    )
    first, second = datasets.load(composed, **SMALL), datasets.load(apart, **SMALL)
    assert all_pairs(first) == all_pairs(second)
    assert first.class_names == second.class_names == tuple(sorted(counts))
    assert first.fingerprint == second.fingerprint


def test_which_copy_is_kept_depends_on_names_alone(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 10, "dog": 10})
    for number, seed in enumerate((7, 8, 9)):  # whatever their hashes are
        Image.fromarray(draw_noise(500 + seed)).save(folder / "cat" / f"b{number}.png")
        copy(folder / "cat" / f"b{number}.png", folder / "cat" / f"a{number}.png")
    assert datasets.load(folder).set_aside == tuple((f"cat/b{i}.png", f"a copy of cat/a{i}.png") for i in range(3))


def test_paths_lead_to_the_pictures_in_their_order(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"cat": 12, "dog": 12}), **SMALL)
    for split in SPLITS:
        assert [images.read(path).tobytes() for path in data.paths[split]] == [
            pixels for pixels, _ in pairs(getattr(data, split))
        ]


def test_the_test_split_does_not_depend_on_num_train(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 20, "dog": 20})
    few, many = (datasets.load(folder, num_train=n, num_validation=6, num_test=6) for n in (4, 28))
    assert pairs(few.test) == pairs(many.test)
    assert pairs(few.validation) == pairs(many.validation)
    assert chosen_sets(few)["train"] < chosen_sets(many)["train"]
    assert few.fingerprint != many.fingerprint


def test_class_shares_are_kept(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"common": 36, "rare": 12}), num_train=24, num_validation=12, num_test=12)
    rare = {split: int(labels.sum()) for split, labels in data.labels.items()}
    assert all(abs(rare[split] - data.counts[split] / 4) <= 1 for split in SPLITS)
    assert sum(rare.values()) == 12


def test_the_fingerprint_changes_with_any_picture_and_label(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 6, "dog": 6})
    everything = {"num_train": 4, "num_validation": 4, "num_test": 4}
    fingerprints = [datasets.load(folder, **everything).fingerprint]
    Image.fromarray(draw_noise(99)).save(folder / "cat" / "000.png")
    fingerprints.append(datasets.load(folder, **everything).fingerprint)
    (folder / "cat" / "001.png").rename(folder / "dog" / "moved.png")
    fingerprints.append(datasets.load(folder, **everything).fingerprint)
    fingerprints.append(datasets.load(folder, **everything | {"num_train": 3}).fingerprint)
    assert len(set(fingerprints)) == 4


def test_adding_a_picture_leaves_most_others_where_they_were(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 40, "dog": 40})
    sizes = {"num_train": 40, "num_validation": 20, "num_test": 20}
    before = datasets.load(folder, **sizes)
    Image.fromarray(draw_noise(999)).save(folder / "cat" / "new.png")
    after = datasets.load(folder, **sizes)
    assert len(set(before.paths["test"]) & set(after.paths["test"])) >= 18


def make_pictures(labels: list[int]) -> list[Picture]:
    return [Picture(f"{i}.jpg", i, label, f"{i:064x}") for i, label in enumerate(labels)]


labels = st.lists(st.integers(0, 4), min_size=1, max_size=120)


@unhurried
@given(labels, st.integers(1, 130), st.booleans())
def test_a_split_has_the_class_shares_and_each_class_where_it_can(labels: list[int], size: int, keep: bool) -> None:
    counts = Counter(labels)
    quota = _splits.share_out(counts, size, keep=keep)
    most = {label: count - keep for label, count in counts.items()}
    assert sum(quota.values()) == min(size, sum(most.values()))
    assert all(0 <= quota[label] <= most[label] for label in counts)
    if size >= len(counts):
        assert all(quota[label] >= 1 for label in counts if most[label])
    if min(size * count / len(labels) for count in counts.values()) >= 1 and size <= len(labels) - len(counts) * keep:
        assert all(abs(quota[label] - size * count / len(labels)) <= 1 for label, count in counts.items())


@pytest.mark.parametrize(
    ("counts", "size", "expected"),
    [
        ((40, 1, 1, 1), 10, (10, 0, 0, 0)),
        ((36, 12), 12, (9, 3)),
        ((90, 9, 2, 1), 20, (17, 2, 1, 0)),
        ((5, 5), 0, (0, 0)),
        ((3, 3, 3), 2, (1, 1, 0)),
        ((300, 3), 30, (29, 1)),
    ],
)
def test_shares_of_known_classes(counts: tuple[int, ...], size: int, expected: tuple[int, ...]) -> None:
    assert tuple(_splits.share_out(dict(enumerate(counts)), size, keep=True).values()) == expected


@pytest.mark.parametrize("rare", [3, 4, 5])
def test_a_class_of_three_lands_in_every_split(make_folder: MakeFolder, rare: int) -> None:
    data = datasets.load(make_folder({"common": 60, "rare": rare}), num_train=40, num_validation=10, num_test=10)
    assert all((labels == 1).any() for labels in data.labels.values())


def test_a_lone_picture_of_a_class_is_learned(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"common": 30, "lone": 1}), num_train=20, num_validation=5, num_test=5)
    assert {split: int(labels.sum()) for split, labels in data.labels.items()} == {
        "train": 1,
        "validation": 0,
        "test": 0,
    }


@unhurried
@given(labels)
def test_every_prefix_has_about_the_class_shares(labels: list[int]) -> None:
    taken = _splits.take_turns(make_pictures(labels))
    assert sorted(taken) == sorted(make_pictures(labels))
    totals, seen = Counter(labels), Counter()
    for length, picture in enumerate(taken, start=1):
        seen[picture.label] += 1
        # Half a picture for each class that may be early or late.
        assert all(abs(seen[label] - n * length / len(taken)) <= 0.5 + len(totals) / 2 for label, n in totals.items())


@unhurried
@given(labels, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_choice_depends_on_names_and_seed_alone(labels: list[int], seed: int, random) -> None:
    pictures = make_pictures(labels)
    mixed = [[picture] for picture in random.sample(pictures, len(pictures))]
    sizes = {"test": len(labels) // 4, "train": len(labels)}
    sorted_groups = [[picture] for picture in pictures]
    assert _splits.deal(mixed, sizes, seed=seed) == _splits.deal(sorted_groups, sizes, seed=seed)


@unhurried
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), min_size=1, max_size=40), st.integers(0, 30))
def test_groups_stay_whole_and_none_is_lost(groups: list[tuple[int, int]], size: int) -> None:
    made, number = [], 0
    for label, count in groups:
        made.append([Picture(f"{number + i}", number + i, label) for i in range(count)])
        number += count
    dealt = _splits.deal(made, {"test": size, "train": number}, seed=0)
    room = _splits.share_out(Counter(label for label, count in groups for _ in range(count)), size, keep=True)
    for label, places in room.items():
        found = [picture for picture in dealt["test"] if picture.label == label]
        assert len(found) <= places or found in made, "more only where one group has more than that"
    assert sorted(dealt["test"] + dealt["train"]) == sorted(picture for group in made for picture in group)
    tested = set(dealt["test"])
    assert all(len(tested & set(group)) in (0, len(group)) for group in made)


counts = st.integers(1, 40)


@unhurried
@given(labels, st.fixed_dictionaries(dict.fromkeys(SPLITS, counts)), st.sets(st.sampled_from(SPLITS[1:])))
def test_splits_are_disjoint_and_never_larger_than_asked(labels, wanted: dict[str, int], given_splits) -> None:
    pictures = make_pictures(labels)
    names = ["train", *sorted(given_splits)]
    pools = {name: pictures[i :: len(names)] for i, name in enumerate(names)}
    groups = {name: [[picture] for picture in pool] for name, pool in pools.items()}
    try:
        chosen = _splits.split_pictures(groups, wanted=wanted, seed=0)
    except ValueError as error:
        assert "expected enough to fill" in str(error)
        assert any(len(pool) < sum(wanted.values()) + 5 for pool in pools.values())
        return
    positions = [picture.position for found in chosen.values() for picture in found]
    assert len(set(positions)) == len(positions)
    for split, found in chosen.items():
        (pool,) = [pool for pool, members in pools.items() if set(found) <= set(members)]
        assert pool == (split if pools.get(split) else pool)
        assert len(found) >= 1
        members = [name for name in SPLITS if chosen[name] and chosen[name][0] in pools[pool]]
        if split != members[0] or len(pools[pool]) > sum(wanted[name] for name in members):
            assert len(found) <= wanted[split]
        if sum(wanted.values()) + 5 <= len(pools[pool]):  # one of each of the five classes is left for the next split
            assert len(found) == wanted[split]


@pytest.mark.parametrize("names", [("Train", "Test"), ("training", "testing"), ("TRAIN", "valid")])
def test_folders_of_splits_are_known_in_any_case(names: tuple[str, str], make_folder: MakeFolder) -> None:
    folder = make_folder({f"{split}/{name}": 8 for split in names for name in ("cat", "dog")})
    data = datasets.load(folder, **SMALL)
    assert data.class_names == ("cat", "dog")
    assert_disjoint(data)


def test_two_folders_for_one_split_are_refused(make_folder: MakeFolder) -> None:
    folder = make_folder({f"{split}/{name}": 3 for split in ("train", "val", "validation") for name in ("cat", "dog")})
    with pytest.raises(ValueError, match=r"Received 'val' and 'validation' .* expected one folder for the validation"):
        datasets.load(folder, **SMALL)


def test_splits_without_a_training_one_are_refused(make_folder: MakeFolder) -> None:
    folder = make_folder({f"{split}/{name}": 3 for split in ("val", "test") for name in ("cat", "dog")})
    with pytest.raises(ValueError, match=r"expected a folder 'train' beside them"):
        datasets.load(folder, **SMALL)


def test_classes_may_be_called_like_splits(make_folder: MakeFolder) -> None:
    assert datasets.load(make_folder({"valid": 12, "invalid": 12}), **SMALL).class_names == ("invalid", "valid")


def test_a_position_that_is_not_there_is_refused() -> None:
    split = tf.data.Dataset.from_tensors((tf.zeros((2, 2, 3), tf.uint8), 0))
    with pytest.raises(ValueError, match=r"Received positions \[1, 7\], expected those of pictures in the split"):
        datasets.pictures_at(split, [0, 1, 7])


# --- TensorFlow Datasets ------------------------------------------------------------------------------------


class NoiseSquares(tfds.core.GeneratorBasedBuilder):
    """Pictures that the tests put into folders too: one split, three classes, with copies."""

    code_path = epath.Path(__file__)
    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "picture": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "kind": tfds.features.ClassLabel(names=["a", "b", "c"]),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=("picture", "kind")
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        del dl_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        return enumerate_examples(noise_files())


def enumerate_examples(files: list[tuple[str, bytes]]):
    for key, (kind, content) in enumerate(files):
        yield key, {"picture": io.BytesIO(content), "kind": kind}


def noise_files() -> list[tuple[str, bytes]]:
    """Class and PNG file of 36 pictures, then three copies, then one picture of class a under class b."""

    def encode(seed: int) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(draw_noise(1_000 + seed)).save(buffer, format="png")
        return buffer.getvalue()

    files = [("abc"[seed % 3], encode(seed)) for seed in range(36)]
    return [*files, *files[3:6], ("b", files[0][1])]


def test_a_name_uses_every_picture_once(tmp_path: Path) -> None:
    data = datasets.load("noise_squares", num_train=20, num_validation=10, num_test=10)
    assert data.class_names == ("a", "b", "c")
    assert data.counts == {"train": 19, "validation": 8, "test": 8}  # all 35: train gets what rounding leaves
    assert_disjoint(data)
    assert datasets.load("noise_squares", **SMALL).counts == {"train": 12, "validation": 6, "test": 6}


def test_places_decide_in_a_name_and_contents_do_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = datasets.load("noise_squares", **SMALL)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    other_bytes = [(kind, to_jpeg(content)) for kind, content in noise_files()]
    monkeypatch.setattr(NoiseSquares, "_generate_examples", lambda _: enumerate_examples(other_bytes))
    second = datasets.load("noise_squares", **SMALL)
    assert {split: labels.tolist() for split, labels in first.labels.items()} == {
        split: labels.tolist() for split, labels in second.labels.items()
    }
    assert first.set_aside == second.set_aside
    for split in SPLITS:
        for (picture, _), (other, _) in zip(getattr(first, split), getattr(second, split), strict=True):
            assert np.corrcoef(np.ravel(picture), np.ravel(other))[0, 1] > 0.5


def to_jpeg(content: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).save(buffer, format="jpeg", quality=95)
    return buffer.getvalue()


class OddSquares(NoiseSquares):
    """Pictures that TensorFlow decodes otherwise than Pillow, or not at all, among plain ones."""

    code_path = epath.Path(__file__)

    def _generate_examples(self):
        return enumerate_examples(odd_files())


def odd_files() -> list[tuple[str, bytes]]:
    """Class and file of 30 pictures: plain, see-through, turned by a mark, or with something behind the end."""

    def encode(seed: int) -> bytes:
        picture, buffer = Image.fromarray(draw_noise(2_000 + seed)), io.BytesIO()
        if seed % 5 == 1:
            picture.putalpha(Image.fromarray(draw_noise(3_000 + seed)[..., 0]))
        exif = Image.Exif()
        if seed % 5 == 2:
            exif[0x0112] = 6  # orientation
        if seed % 5 in (2, 3):
            picture.save(buffer, format="jpeg", quality=95, exif=exif)
        else:
            picture.save(buffer, format="png")
        return buffer.getvalue() + (b"junk" * 200 if seed % 5 == 3 else b"")

    return [("abc"[seed % 3], encode(seed)) for seed in range(30)]


def test_a_name_decodes_odd_pictures_as_a_folder_does(tmp_path: Path) -> None:
    expected = set()
    for number, (_, content) in enumerate(odd_files()):
        (tmp_path / str(number)).write_bytes(content)
        expected.add(images.read(tmp_path / str(number)).tobytes())
    data = datasets.load("odd_squares", num_train=20, num_validation=5, num_test=5)
    found = {pixels for split in all_pairs(data).values() for pixels, _ in split}
    assert data.set_aside == ()
    assert found == expected


def test_labels_of_a_name_stand_in_the_order_of_the_pictures() -> None:
    truth = {np.asarray(Image.open(io.BytesIO(content))).tobytes(): kind for kind, content in noise_files()[1:36]}
    data = datasets.load("noise_squares", **SMALL)
    for split, found in all_pairs(data).items():
        assert [label for _, label in found] == data.labels[split].tolist()
        assert ["abc"[label] for _, label in found] == [truth[pixels] for pixels, _ in found]
        assert int(getattr(data, split).cardinality()) == len(found)


def test_synthetic_pets_come_in_their_given_splits(course_data: Path) -> None:
    data = datasets.load("synthetic_pets/tiny")
    assert data.class_names == ("cat", "dog")
    assert data.counts == {"train": 60, "validation": 30, "test": 30}
    assert all(abs(labels.mean() - 0.5) <= 0.02 for labels in data.labels.values())
    assert_disjoint(data)
    assert (course_data / "tfds" / "synthetic_pets" / "tiny").is_dir()
    stored = tfds.load("synthetic_pets/tiny", split="test", as_supervised=True, data_dir=course_data / "tfds")
    assert {label for _, label in pairs(data.test)} == {0, 1}
    sizes = {picture.shape for picture, _ in stored.as_numpy_iterator()}
    assert {picture.shape for picture, _ in data.test.as_numpy_iterator()} == sizes


def test_preparing_is_announced_once_and_prints_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    datasets.load("noise_squares", **SMALL)
    first = capfd.readouterr()
    assert first.out == ""
    assert first.err.startswith("Preparing 'noise_squares' once: ")
    datasets.load("noise_squares", **SMALL)
    assert capfd.readouterr() == ("", "")


def test_a_name_too_depends_on_seed_but_not_on_num_train() -> None:
    few, many, other = (
        datasets.load("noise_squares", num_train=n, num_validation=6, num_test=6, seed=seed)
        for n, seed in ((4, 0), (20, 0), (20, 1))
    )
    assert pairs(few.test) == pairs(many.test)
    assert chosen_sets(many)["test"] != chosen_sets(other)["test"]
    assert len({few.fingerprint, many.fingerprint, other.fingerprint}) == 3


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("synthetic_pet", r" \(did you mean 'synthetic_pets'\?\)"),
        ("cat_vs_dogs", r" \(did you mean 'cats_vs_dogs'\?\)"),
        ("synthetic_pets/huge", r" \(did you mean 'synthetic_pets'\?\)"),
        ("mnist:9.9.9", r" \(did you mean 'mnist'\?\)"),
        ("my photos", ""),
        ("no/such/folder", ""),
        ("../photos", ""),
    ],
)
def test_an_unknown_name_gets_the_closest_one(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"Received '{name}', expected a folder.*Datasets name{hint}. Check the path"):
        datasets.load(name)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["cats_vs_dogs", "mnist"])
def test_without_a_network_one_line_says_so_at_once(
    name: str, capfd: pytest.CaptureFixture[str], course_data: Path
) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectionError) as caught:
        datasets.load(name)
    assert time.monotonic() - started < 10
    assert str(caught.value) == (
        f"'{name}' is not on this machine and could not be downloaded (ConnectionError). "
        f"Connect to the network, or wait for the server, and run `python -m helpers data get {name}`, which goes on "
        "from here; 'synthetic_pets' and a folder of your own work without."
    )
    announced = f"Preparing '{name}' once: downloading and storing its pictures.\n"
    told = capfd.readouterr()
    assert told.err.startswith(announced + "Download: ")
    assert (told.out, told.err.count("\n")) == ("", 6), "neither TFDS nor its downloader says anything"
    assert list((course_data / "tfds").glob(f"{name}/**/*.tfrecord*")) == []


def damaged_files() -> list[tuple[str, bytes]]:
    """The noise pictures, the first one whole, among them three that are not."""
    files = noise_files()[:30]
    cut = files[4][1][: len(files[4][1]) // 2]
    return [*files[:7], ("b", cut), *files[7:20], ("c", b"no picture"), ("a", b""), *files[20:], files[3]]


def test_damaged_pictures_and_copies_of_a_name_are_set_aside_and_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(NoiseSquares, "_generate_examples", lambda _: enumerate_examples(damaged_files()))
    everything = {"num_train": 20, "num_validation": 5, "num_test": 5}
    data = datasets.load("noise_squares", **everything)
    assert data.counts == {"train": 20, "validation": 5, "test": 5}
    assert all(place.startswith("train[") for place, _ in data.set_aside)
    stored = tfds.load("noise_squares", data_dir=tmp_path / "tfds", decoders={"picture": tfds.decode.SkipDecoding()})
    by_place = {
        f"train[{i}:{i + 1}]": example["picture"] for i, example in enumerate(stored["train"].as_numpy_iterator())
    }
    reasons = {by_place[place]: reason for place, reason in data.set_aside}
    assert "the file is empty" in reasons.pop(b"")
    assert "not a readable picture" in reasons.pop(b"no picture")
    assert "not a readable picture" in reasons.pop(damaged_files()[7][1])
    ((copy, reason),) = reasons.items()
    assert copy == damaged_files()[3][1] and reason.startswith("a copy of train[")
    again = datasets.load("noise_squares", **everything)
    assert (again.set_aside, again.fingerprint) == (data.set_aside, data.fingerprint)


def test_pictures_of_a_name_are_inspected_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    inspected, inspect = [], cleaning.inspect_content
    monkeypatch.setattr(cleaning, "inspect_content", lambda content: inspected.append(content) or inspect(content))
    for _ in range(2):
        datasets.load("noise_squares", **SMALL)
    assert len(inspected) == len(noise_files())


@pytest.mark.usefixtures("offline")
def test_what_was_prepared_before_works_without_a_network() -> None:
    datasets.load("noise_squares", **SMALL)
    assert datasets.load("noise_squares", **SMALL).counts["train"] == 12


@pytest.mark.usefixtures("offline")
def test_texts_are_refused_before_they_are_downloaded() -> None:
    with pytest.raises(ValueError, match=r"Received 'imdb_reviews', expected a data set of \(image, class label\)"):
        datasets.load("imdb_reviews")


def test_the_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "x" / ".." / "y"))
    assert datasets.data_folder() == (tmp_path / "y").resolve()
    for unset in (lambda: monkeypatch.setenv("COURSE_DATA", ""), lambda: monkeypatch.delenv("COURSE_DATA")):
        unset()
        assert datasets.data_folder() == Path(helpers.__file__).resolve().parents[1] / "data"


# --- Decoding -----------------------------------------------------------------------------------------------


def smooth(height: int, width: int) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [columns * 255 / width, rows * 255 / height, (rows * 7 + columns * 5) % 256]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


def turned(orientation: int) -> dict[str, object]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


def transparent() -> Image.Image:
    picture = smooth(31, 45).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


PICTURE = smooth(31, 45)
FORMATS: dict[str, tuple[Image.Image, str, dict[str, object], bool]] = {
    "JPEG": (PICTURE, "jpg", {}, True),
    "JPEG 4:4:4": (PICTURE, "jpg", {"subsampling": 0, "quality": 95}, True),
    "JPEG 4:2:2": (PICTURE, "jpg", {"subsampling": 1, "quality": 60}, True),
    "JPEG 4:2:0": (smooth(64, 33), "jpg", {"subsampling": 2, "quality": 30}, True),
    "JPEG progressive": (PICTURE, "jpeg", {"progressive": True, "optimize": True}, True),
    "JPEG grey": (PICTURE.convert("L"), "jpg", {}, True),
    "JPEG of one pixel": (smooth(1, 1), "jpg", {}, True),
    "JPEG CMYK": (PICTURE.convert("CMYK"), "jpg", {}, False),
    "PNG": (PICTURE, "png", {}, True),
    "PNG grey": (PICTURE.convert("L"), "png", {}, True),
    "PNG palette": (PICTURE.quantize(17), "png", {}, False),
    "PNG of one bit": (PICTURE.convert("1"), "png", {}, False),
    "PNG of 16 bits": (Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30) * 109), "png", {}, False),
    "PNG alpha": (transparent(), "png", {}, False),
    "PNG grey and alpha": (transparent().convert("LA"), "png", {}, False),
    "PNG with a transparent grey": (PICTURE.convert("L"), "png", {"transparency": 100}, False),
    "GIF": (PICTURE.quantize(50), "gif", {}, False),
    "WEBP": (PICTURE, "webp", {}, False),
    "WEBP alpha": (transparent(), "webp", {"lossless": True}, False),
    "BMP": (PICTURE, "bmp", {}, False),
    "TIFF": (PICTURE, "tiff", {}, False),
    "PNG turned": (PICTURE, "png", turned(8), False),
    **{f"JPEG turned {o}": (PICTURE, "jpg", turned(o), o == 1) for o in range(1, 9)},
}


@pytest.mark.parametrize(("picture", "suffix", "options", "plain"), FORMATS.values(), ids=FORMATS)
def test_both_decoders_give_the_same_pixels(
    tmp_path: Path, picture: Image.Image, suffix: str, options: dict[str, object], plain: bool
) -> None:
    path = tmp_path / f"a.{suffix}"
    picture.save(path, **options)
    expected = images.read(path)
    assert cleaning.inspect_file(path).plain is plain
    ((picture, label),) = _batches.decode_files([path], plain=[plain], labels=[3])
    assert label == 3
    np.testing.assert_array_equal(picture, expected)


def test_every_format_passes_through_load_and_batches(tmp_path: Path) -> None:
    for number, (picture, suffix, options, _) in enumerate(FORMATS.values()):
        for name in ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            if picture.size[0] > 1:
                (picture if name == "a" else picture.rotate(180)).save(
                    tmp_path / name / f"{number}.{suffix}", **options
                )
    data = datasets.load(tmp_path, num_train=24, num_validation=8, num_test=8)
    files = images.find_files(tmp_path)
    expected = {images.read(path).tobytes() for path in files}
    found = {pixels for split in all_pairs(data).values() for pixels, _ in split}
    assert found <= expected
    assert len(data.set_aside) == 0
    assert data.near_duplicates > 40, "they are all of one picture, so they cannot be shared out exactly"
    assert 30 <= sum(data.counts.values()) == sum(len(found) for found in all_pairs(data).values()) <= 40


# --- Batches ------------------------------------------------------------------------------------------------


def make_split(count: int = 10) -> tf.data.Dataset:
    """Grey pictures of different sizes: picture number i has the value 10 i and the label i."""
    pictures = [np.full((5 + i, 9, 3), 10 * i, np.uint8) for i in range(count)]
    signature = (tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.int64))
    source = tf.data.Dataset.from_generator(
        lambda: ((p, i) for i, p in enumerate(pictures)), output_signature=signature
    )
    return source.apply(tf.data.experimental.assert_cardinality(count))


def order(batches: Iterable[tuple[tf.Tensor, tf.Tensor]]) -> list[int]:
    return [int(label) for _, labels in batches for label in labels]


def test_shapes_types_range_and_the_last_batch() -> None:
    batches = list(datasets.batches(make_split(), image_size=6, batch_size=4))
    assert [pictures.shape for pictures, _ in batches] == [(4, 6, 6, 3), (4, 6, 6, 3), (2, 6, 6, 3)]
    for pictures, labels in batches:
        assert (pictures.dtype, labels.dtype) == (tf.float32, tf.int64)
        np.testing.assert_array_equal(
            pictures, np.broadcast_to(10.0 * labels.numpy()[:, None, None, None], pictures.shape)
        )


def test_arrays_hold_what_the_batches_hold() -> None:
    pictures, labels = datasets.to_arrays(make_split(), image_size=6)
    (whole,) = datasets.batches(make_split(), image_size=6, batch_size=10)
    assert (pictures.dtype, labels.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(pictures, whole[0])
    np.testing.assert_array_equal(labels, whole[1])


def test_endless_batches_are_full_and_the_same_for_the_same_seed() -> None:
    pictures = np.arange(10)[:, np.newaxis]

    def draw(seed: int) -> list[int]:
        batches = list(datasets.endless_batches(pictures, np.arange(10), batch_size=4, seed=seed).take(5))
        for rows, labels in batches:
            np.testing.assert_array_equal(rows[:, 0], labels)
        return order(batches)

    drawn = draw(1)
    assert len(drawn) == 20
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10)), "each picture once in each round"
    assert drawn[:10] != drawn[10:]
    assert draw(1) == drawn != draw(2)


def test_values_stay_in_range_and_whole() -> None:
    extremes = np.zeros((9, 9, 3), np.uint8)
    extremes[::2, ::2] = 255
    split = tf.data.Dataset.from_tensors((extremes, np.int64(0)))
    for image_size in (4, 9, 23):
        pictures = next(iter(datasets.batches(split, image_size=image_size)))[0].numpy()
        assert 0 <= pictures.min() <= pictures.max() <= 255
        np.testing.assert_array_equal(pictures, np.round(pictures))


def resized(picture: np.ndarray, image_size: int) -> np.ndarray:
    split = tf.data.Dataset.from_tensors((picture, 0))
    ((pictures, _),) = datasets.batches(split, image_size=image_size)
    return pictures[0].numpy()


@pytest.mark.parametrize(("height", "width"), [(96, 64), (32, 128), (16, 32), (16, 16), (192, 192)])
def test_a_smaller_picture_is_the_average_of_the_larger(height: int, width: int) -> None:
    picture = draw_noise(3, height=height, width=width)
    blocks = picture.reshape(16, height // 16, 16, width // 16, 3).mean(axis=(1, 3))  # (h, w, 3) -> (16, 16, 3)
    np.testing.assert_allclose(resized(picture, 16), np.floor(blocks + 0.5), atol=0.01)


@pytest.mark.parametrize(("height", "width"), [(37, 61), (16, 90), (101, 17), (300, 219)])
def test_no_pixel_is_passed_over(height: int, width: int) -> None:
    """Of pictures that are black but for one row or column, none comes out black."""
    for place in range(height):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[place] = 255
        assert resized_at_once(picture).max() > 0
    for place in range(width):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, place] = 255
        assert resized_at_once(picture).max() > 0


@tf.function(input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)])
def resize_to_16(picture: tf.Tensor) -> tf.Tensor:
    return _batches.resize(picture, 16)


def resized_at_once(picture: np.ndarray) -> np.ndarray:
    return resize_to_16(picture).numpy()


@pytest.mark.parametrize(("height", "width"), [(37, 61), (16, 90), (101, 17), (300, 219)])
def test_brightness_stays(height: int, width: int) -> None:
    picture = np.asarray(smooth(height, width))
    np.testing.assert_allclose(resized(picture, 16).mean(axis=(0, 1)), picture.mean(axis=(0, 1)), atol=3)


@pytest.mark.parametrize(("height", "width"), [(9, 12), (12, 15), (16, 16)])
def test_a_larger_picture_is_as_images_resizes_it(height: int, width: int) -> None:
    picture = np.asarray(smooth(height, width))
    np.testing.assert_allclose(resized(picture, 16), images.resize(picture, 16), atol=1)


def test_without_shuffling_the_order_is_kept_in_every_epoch() -> None:
    batches = datasets.batches(make_split(), image_size=4, batch_size=3)
    assert order(batches) == order(batches) == list(range(10))


def test_shuffling_is_repeatable_and_new_in_every_epoch() -> None:
    first, again, other = (
        datasets.batches(make_split(20), image_size=4, batch_size=3, shuffle=True, seed=seed) for seed in (1, 1, 2)
    )
    epochs = [order(first) for _ in range(3)]
    assert epochs == [order(again) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert order(other) != epochs[0]
    for pictures, labels in first:
        np.testing.assert_array_equal(pictures[:, 0, 0, 0], 10.0 * labels.numpy())


def test_pictures_are_decoded_once() -> None:
    decoded = []

    def note(picture: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.ensure_shape(
            tf.numpy_function(lambda p: decoded.append(1) or p, [picture], tf.uint8), (None,) * 3
        ), label

    split = make_split().map(note).map(lambda picture, label: (tf.ensure_shape(picture, (None, None, 3)), label))
    batches = datasets.batches(split, image_size=4)
    for _ in range(3):
        list(batches)
    assert len(decoded) == 10


def test_more_pictures_than_fit_into_memory_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_batches, "CACHE_BYTES", 9 * 4 * 4 * 3)
    batches = datasets.batches(make_split(), image_size=4)
    assert order(batches) == order(batches) == list(range(10))
    kept = datasets.batches(make_split(9), image_size=4)
    assert ("Cache" in trace_of(kept)) and ("Cache" not in trace_of(batches))
    assert "Cache" not in trace_of(datasets.batches(make_split(9), image_size=5)), "it is bytes that count"


def test_a_single_pass_keeps_nothing() -> None:
    batches = datasets.batches(make_split(), image_size=4, cache=False)
    assert order(batches) == list(range(10)) and "Cache" not in trace_of(batches)


def trace_of(dataset: tf.data.Dataset) -> str:
    """The names of the steps of a pipeline."""
    names = []
    todo = [dataset]
    while todo:
        step = todo.pop()
        names.append(type(step).__name__)
        todo.extend(step._inputs())
    return " ".join(names)


def test_augmenting_changes_the_float_batch_and_nothing_else() -> None:
    brighten = keras.layers.RandomBrightness((0.1, 0.2), value_range=(0, 1_000), seed=1)
    seen = []

    def augment(pictures: tf.Tensor) -> tf.Tensor:
        seen.append((pictures.dtype, pictures.shape.as_list()))
        return brighten(pictures, training=True)

    plain = list(datasets.batches(make_split(), image_size=4, batch_size=4))
    batches = datasets.batches(make_split(), image_size=4, batch_size=4, augment=augment)
    first, second = list(batches), list(batches)
    assert set(map(str, seen)) == {str((tf.float32, [None, 4, 4, 3]))}
    for (pictures, labels), (changed, same_labels), (later, _) in zip(plain, first, second, strict=True):
        added = changed - pictures
        assert 99 <= float(tf.reduce_min(added)) <= float(tf.reduce_max(added)) <= 201
        np.testing.assert_array_equal(labels, same_labels)
        assert not np.array_equal(changed, later), "the cache must not hold augmented pictures"


def test_a_part_of_a_split_comes_out_as_the_whole_does(make_folder: MakeFolder) -> None:
    """The whole is decoded and resized in one step, a part in two."""
    data = datasets.load(make_folder({"cat": 12, "dog": 12}), **SMALL)
    for split in (data.train, datasets.load("odd_squares", **SMALL).train):
        ((whole, labels),) = datasets.batches(split, image_size=7)
        ((part, part_labels),) = datasets.batches(split.take(9), image_size=7)
        np.testing.assert_array_equal(part, whole[:9])
        np.testing.assert_array_equal(part_labels, labels[:9])


def test_files_come_out_as_in_training(make_folder: MakeFolder) -> None:
    folder = make_folder({"cat": 6, "dog": 6})
    for number in range(5):
        smooth(20 + number, 31).save(folder / "cat" / f"p{number}.jpg", **turned(1 + number % 3))
    data = datasets.load(folder, num_train=9, num_validation=4, num_test=4)
    files = {images.read(path).tobytes(): path for path in images.find_files(folder)}
    paths = [files[pixels] for pixels, _ in pairs(data.train)]
    from_split = [pictures for pictures, _ in datasets.batches(data.train, image_size=8, batch_size=4)]
    from_files = list(datasets.batches_from_files([str(path) for path in paths], image_size=8, batch_size=4))
    assert [batch.shape for batch in from_files] == [batch.shape for batch in from_split]
    assert from_files[0].dtype == tf.float32
    for one, other in zip(from_split, from_files, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_is_no_picture_is_named(make_folder: MakeFolder) -> None:
    good = make_folder({"cat": 1}) / "cat" / "000.png"
    bad = good.with_name("bad.jpg")
    bad.write_bytes(b"")
    with pytest.raises(ValueError, match=r"Received '.*bad\.jpg': .*the file is empty"):
        datasets.batches_from_files([good, bad], image_size=4)


def test_reports_that_were_made_before_are_taken(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = images.find_files(make_folder({"cat": 3}))
    reports = cleaning.inspect_files(paths)
    expected = next(iter(datasets.batches_from_files(paths, image_size=4)))
    monkeypatch.setattr(cleaning, "inspect_files", None)
    np.testing.assert_array_equal(
        next(iter(datasets.batches_from_files(paths, image_size=4, reports=reports))), expected
    )


def test_pictures_at_follows_the_positions() -> None:
    split = make_split()
    assert [int(picture[0, 0, 0]) for picture in datasets.pictures_at(split, [7, 0, 7, 2])] == [70, 0, 70, 20]
    assert datasets.pictures_at(split, np.array([], dtype=np.int64)) == []
    assert [picture.shape for picture in datasets.pictures_at(split, np.array([9]))] == [(14, 9, 3)]


def test_pictures_at_decodes_no_others(make_folder: MakeFolder) -> None:
    data = datasets.load(make_folder({"cat": 12, "dog": 12}), **SMALL)
    expected = [pixels for pixels, _ in pairs(data.train)]
    wanted = [8, 2]
    for number, path in enumerate(data.paths["train"]):
        if number not in wanted:
            path.unlink()
    assert [picture.tobytes() for picture in datasets.pictures_at(data.train, wanted)] == [expected[i] for i in wanted]


def test_of_a_name_too_no_others_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, decode = [], images.decode
    monkeypatch.setattr(images, "decode", lambda content, **options: decoded.append(1) or decode(content, **options))
    data = datasets.load("odd_squares", num_train=20, num_validation=5, num_test=5)
    expected = [pixels for pixels, _ in pairs(data.train)]
    places = [i for i in range(20) if i % 7 == 0]
    decoded.clear()
    assert [p.tobytes() for p in datasets.pictures_at(data.train, places)] == [expected[i] for i in places]
    assert len(decoded) <= len(places), "those that TensorFlow does not decode itself"


def test_pictures_of_a_name_can_be_picked_too() -> None:
    data = datasets.load("noise_squares", **SMALL)
    expected = [pixels for pixels, _ in pairs(data.test)]
    assert [picture.tobytes() for picture in datasets.pictures_at(data.test, [5, 0])] == [expected[5], expected[0]]
