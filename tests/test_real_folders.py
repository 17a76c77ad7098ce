"""Folders and files as learners bring them: kinds down the side, doors across, one right answer per cell.

The doors are `datasets.load` and the commands `data check`, `teach` and `predict`. A kind is what a public report told
of; its input is made by code. Nothing is trained: `teach` is followed until it has decided what to learn from.
"""

import csv
import errno
import io
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from helpers import backbones, cleaning, commands, datasets, features, prediction
from helpers.commands._shared import make_printable
from helpers.datasets import SPLITS
from tests import damaged_files
from tests.conftest import draw_noise
from tests.damaged_files import DAMAGE, HARMLESS, photo

DOORS = ("load", "check", "teach", "predict")
CountOpenings = Callable[[Path, Callable[[], object]], Counter[tuple[str, str]]]
posix = pytest.mark.skipif(os.name == "nt", reason="no such files there")


class Answer(NamedTuple):
    """What came through a door.

    Attributes:
        used: files that are learned from or labelled, by their path below the folder; None if the door says none.
        named: the other files, each with the reason.
        said: everything that was written on the screen, or noticed.
        refused: the line that says why the folder is refused.
        data: what is learned.
    """

    used: set[str] | None
    named: dict[str, str]
    said: str = ""
    refused: str = ""
    data: datasets.ImageDataset | None = None


class DecidedError(Exception):
    """`teach` has decided what to learn from."""


def shown(path: Path | str, folder: Path) -> str:
    """A file's path as every door writes it: below the folder, and printable."""
    below = Path(path).relative_to(folder).as_posix() if Path(path).is_absolute() else Path(path).as_posix()
    return make_printable(cleaning.as_text(below))


def call(*arguments: str | Path) -> tuple[int | None, str, str]:
    """Run a command; its exit code (None: it went on to the work), standard output and standard error."""
    code, output, error = None, io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(error), suppress(DecidedError):
        code = commands.main([str(argument) for argument in arguments])
    return code, output.getvalue(), error.getvalue()


def through_load(folder: Path) -> Answer:
    try:
        data = datasets.load(folder)
    except ValueError as error:
        return Answer(None, {}, refused=str(error))
    used = {shown(path, folder) for split in SPLITS for path in data.paths[split]}
    assert len(used) == sum(data.counts.values()), "no picture stands in two splits"
    named = {shown(file, folder): reason for file, reason in data.set_aside}
    return Answer(used, named, "".join(f"Note: {note}. " for note in data.notes), data=data)


def through_check(folder: Path) -> Answer:
    manifest = folder.parent / "found.csv"
    code, output, error = call("data", "check", folder, "--manifest", manifest)
    if code == 2:
        return Answer(None, {}, refused=error)
    table = pd.read_csv(manifest, keep_default_na=False)
    named = {shown(row.file, folder): row.detail for row in table.itertuples() if not row.usable}
    counts = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+(?= pictures| of them)", output)[:2]]
    assert counts[0] - counts[1] == len(named)
    assert code == bool(named)
    candidates = {shown(path, folder) for path in cleaning.find_candidates(folder)}
    assert counts[0] == len(candidates)
    return Answer(candidates - set(named), named, said=output)


def through_teach(folder: Path) -> Answer:
    seen: list[datasets.ImageDataset] = []

    def decided(data: datasets.ImageDataset, **_: object) -> None:
        raise DecidedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbones, "build", lambda *_, **__: None)
        patch.setattr(features, "load_or_extract", decided)
        patch.setattr("helpers.commands.teach.FEWEST_PICTURES", 1)
        load = datasets.load
        patch.setattr(datasets, "load", lambda *a, **k: seen.append(load(*a, **k)) or seen[-1])
        code, output, error = call("teach", folder, "--output", folder.parent / "model.keras")
    if code is not None:
        assert code == 2 and error.count("\n") == 1, error
        return Answer(None, {}, refused=error.removeprefix("python -m helpers teach: "))
    named = dict(re.findall(r"^Set aside: (.*?) \((.*)\)\.$", output, re.MULTILINE))
    used = {shown(path, folder) for split in SPLITS for path in seen[0].paths[split]}
    return Answer(used, named, output, data=seen[0])


@pytest.fixture(scope="module")
def classifier() -> prediction.Classifier:
    inputs = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    return prediction.Classifier(keras.Model(inputs, keras.layers.Dense(2, "softmax")(pooled)), ("one", "other"))


@pytest.fixture(autouse=True)
def loaded(classifier: prediction.Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "load_classifier", lambda _, **__: classifier)


def through_predict(folder: Path) -> Answer:
    code, output, error = call("predict", "model.keras", folder, "--format", "csv")
    if code == 2:
        return Answer(None, {}, refused=error)
    rows = [row["file"] for row in csv.DictReader(io.StringIO(output))]
    assert len(rows) == len(set(rows)), "each file is answered once"
    # On a slow machine a progress bar was there first, and was wiped: the line begins where it stood.
    problems = re.findall(r"(?:^|\r)Not read: (.*?) \((.*)\)\.$", error, re.MULTILINE)
    assert code == bool(problems)
    return Answer({shown(row, folder) for row in rows}, {shown(file, folder): reason for file, reason in problems})


@pytest.fixture(autouse=True)
def closed_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder called "closed" can be opened, not even by root, whom permissions do not bind."""
    scandir = os.scandir

    def refuse(path: Path | int) -> object:
        if not isinstance(path, int) and Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


THROUGH = {name: globals()[f"through_{name}"] for name in DOORS}


# --- Files: one folder with one of each, once through each door ---------------------------------------------------

USED, PASSED = "used", "passed over"
WHOLE = photo()


def encode(format_: str, *, mode: str = "RGB", seed: int = 0, **options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        picture = damaged_files.draw(seed).convert(mode)
        with path.open("wb") as file:
            picture.save(file, format_, **options)

    return write


def hold(content: bytes | str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode()) and None


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def save_heic(path: Path) -> None:
    pillow_heif.from_pillow(damaged_files.draw(900)).save(path)


def save_values(dtype: str, *, top: int) -> Callable[[Path], None]:
    gray = np.asarray(damaged_files.draw(top).convert("L")) / 255 * top
    return lambda path: Image.fromarray(gray.astype(dtype)).save(path)


def save_long_text(path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", "x" * 2**21, zip=True)
    damaged_files.draw(901).save(path, pnginfo=texts)


def flip_length_of_end(path: Path) -> None:
    damaged_files.draw(902).save(path)
    content = bytearray(path.read_bytes())
    content[-12] = 0xFF
    path.write_bytes(content)


class File(NamedTuple):
    """A file by name, what makes it, and the answer: `USED`, `PASSED`, or what its reason says; where doors differ,
    `check` and `predict` have answers of their own."""

    name: str
    make: Callable[[Path], None]
    answer: str
    check: str = ""
    predict: str = ""


FILES = [
    # Formats
    File("phone.heic", save_heic, USED),
    File("PHONE.HEIC", lambda path: pillow_heif.from_pillow(damaged_files.draw(905)).save(path), USED),
    File("new.avif", encode("AVIF", seed=1), USED),
    File("page.jp2", encode("JPEG2000", seed=2), USED),
    File("icon.ico", lambda path: damaged_files.draw(3).save(path, sizes=[(60, 60)]), USED),
    File("old.ppm", encode("PPM", seed=4), USED),
    File("game.tga", encode("TGA", seed=5), USED),
    File("moving.gif", encode("GIF", seed=6), USED),
    File("web.webp", encode("WEBP", seed=7), USED),
    File("print.jpg", encode("JPEG", mode="CMYK", seed=8), USED),
    File("glass.png", encode("PNG", mode="RGBA", seed=9), USED),
    # Depth
    File("microscope 8.png", save_values("uint16", top=255), USED),
    File("camera 12.png", save_values("uint16", top=4095), USED),
    File("map.tif", save_values("int32", top=200), USED),
    File("float.tif", save_values("float32", top=1), "floating-point numbers, of unknown range"),
    # Names, as downloads leave them
    File("0a1b2c3d", encode("JPEG", seed=10), USED),
    File("photo.jpg?w=640&q=75", encode("JPEG", seed=11), USED),
    File("page.jpg?w=640", hold("<!doctype html><p>gone"), "a web page"),
    File("renamed.jpg", encode("PNG", seed=12), USED),
    File("picture.txt", encode("JPEG", seed=13), USED),
    File("한글, =1+1.png", encode("PNG", seed=14), USED),
    File("\x1b[31mred.png", hold(""), "the file is empty"),
    # Not a picture
    File("text.jpg", hold("hello, this is a text"), "a text"),
    File("page.jpg", hold("<html>not found</html>"), "a web page"),
    File("drawing.svg", hold('<svg xmlns="http://www.w3.org/2000/svg"/>'), "an SVG drawing"),
    File("pointer.jpg", hold("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "a Git LFS pointer"),
    File("empty.png", hold(""), "the file is empty"),
    File("not.heic", hold(b"\0\0\0\x18ftypheic" + bytes(99)), "not a readable picture"),
    File("raw.dng", encode("TIFF", seed=15), "a raw file"),
    File("bomb.png", hold(damaged_files.bomb()), "too many pixels"),
    File("notes.txt", hold("mine"), PASSED),
    File("labels.csv", hold("a,b"), PASSED),
    File(".hidden.png", encode("PNG", seed=16), PASSED),
    File("._mac.jpg", hold(bytes(100)), PASSED),
    File("Thumbs.db", hold(b"\xd0\xcf\x11\xe0" + bytes(600)), PASSED),
    # Damaged
    File("cut.png", hold(WHOLE[:3000]), "not a readable picture"),
    File("byte.png", flip_length_of_end, "truncated PNG file"),
    File("long text.png", save_long_text, USED),
    *(File(f"{name}.jpg", hold(damage(WHOLE)), "not a readable picture") for name, damage in DAMAGE.items()),
    File("stray.jpg", hold(HARMLESS["stray bytes before the end"](photo(seed=2))), USED),
    File("behind.jpg", hold(HARMLESS["bytes behind the end"](photo(seed=3))), USED),
    # Copies
    File("copy.png", lambda path: path.write_bytes((path.parent / "000.png").read_bytes()) and None,
         "a copy of dog/000.png", check="the same content as dog/000.png", predict=USED),
    File("mislabelled.png", lambda path: path.write_bytes((path.parents[1] / "cat" / "000.png").read_bytes()) and None,
         "the same picture stands under two classes", check="under the classes cat, dog: one label", predict=USED),
]  # fmt: skip
FILES_OF_POSIX = [
    File("gone.jpg", link("nowhere.jpg"), "a link that leads nowhere"),
    File("linked.png", link("../../store/1.png"), USED),
    File("again.png", link("001.png"), PASSED),  # one picture, one path
    File("pipe.jpg", os.mkfifo if os.name == "posix" else hold(""), "a pipe"),
    File("pipe", os.mkfifo if os.name == "posix" else hold(""), "a pipe"),
    File("device.jpg", link("/dev/zero"), "a device"),
]
FILES_OF_LINUX = [
    File("disk.jpg", link("/proc/self/mem"), "Input/output error"),
    File(os.fsdecode("고양이.jpg".encode("cp949")), hold("<html>"), "a web page"),
    File(os.fsdecode("강아지.png".encode("cp949")), encode("PNG", seed=17), USED),
]
FILES += FILES_OF_POSIX if os.name == "posix" else []
FILES += FILES_OF_LINUX if sys.platform == "linux" else []


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files") / "photos"
    (folder.parent / "store").mkdir()
    Image.fromarray(draw_noise(99)).save(folder.parent / "store" / "1.png")
    for first, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(draw_noise(10 * first + number)).save(folder / name / f"{number:03}.png")
    for file in FILES:
        file.make(folder / "dog" / file.name)
    (folder / "dog" / "folder.jpg").mkdir()
    return folder


@pytest.fixture(scope="module")
def answers(one_of_each: Path) -> Callable[[str], Answer]:
    known: dict[str, Answer] = {}

    def ask(door: str) -> Answer:
        if door not in known:
            known[door] = THROUGH[door](one_of_each)
        return known[door]

    return ask


@posix
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.encode("ascii", "backslashreplace").decode())
def test_each_file_gets_the_right_answer_at_each_door(file: File, door: str, answers: Callable[[str], Answer]) -> None:
    expected = {"check": file.check, "predict": file.predict}.get(door) or file.answer
    answer, name = answers(door), f"dog/{make_printable(cleaning.as_text(file.name))}"
    if expected == USED:
        assert name in answer.used, answer.named.get(name)
    elif expected == PASSED:
        assert name not in answer.used and name not in answer.named
    else:
        assert expected in answer.named[name] and name not in answer.used


def test_the_doors_agree_on_what_there_is(one_of_each: Path, answers: Callable[[str], Answer]) -> None:
    everything = {shown(path, one_of_each) for path in cleaning.find_candidates(one_of_each)}
    for door in DOORS:
        assert answers(door).used | set(answers(door).named) == everything
    assert answers("load").used == answers("teach").used == answers("check").used
    assert "16 bits per value, of which 8 are used: 255 shows as white" in answers("load").said
    assert "16 bits per value, of which 12 are used: 4,095 shows as white" in answers("teach").said


@pytest.fixture(scope="module")
def openings() -> Iterator[CountOpenings]:
    """A function that counts how often Python opens each file, and walks each folder, below one while it calls."""
    watched: list[tuple[str, str]] = []
    watching: list[str] = []

    def note(event: str, arguments: tuple) -> None:
        if watching and event in ("open", "os.scandir") and isinstance(arguments[0], str | os.PathLike):
            path = os.fspath(arguments[0])
            if isinstance(path, str) and path.startswith(watching[0]):
                watched.append((event, path.removeprefix(watching[0])))

    def count(folder: Path, call: Callable[[], object]) -> Counter[tuple[str, str]]:
        watched.clear()
        watching.append(str(folder))
        call()
        watching.clear()
        return Counter(watched)

    sys.addaudithook(note)  # which stays as long as the process, and idle behind this
    yield count
    watching.clear()


@pytest.mark.parametrize("door", DOORS)
def test_each_picture_is_opened_once_and_each_folder_walked_once(
    door: str, openings: CountOpenings, tmp_path: Path
) -> None:
    fill(tmp_path / "photos", CATS)
    found = openings(tmp_path / "photos", lambda: THROUGH[door](tmp_path / "photos"))
    files = {f"/cat/{n:03}.png" for n in range(6)} | {f"/dog/{n:03}.png" for n in range(6, 12)}
    # The right answer of `through_check` lists the candidates itself, once more.
    walks = 2 if door == "check" else 1
    assert found == {("open", file): 1 for file in files} | {("os.scandir", at): walks for at in ("", "/cat", "/dog")}


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """In here permissions hold: root, whom they do not bind, becomes nobody."""
    if os.getuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


@posix
@pytest.mark.parametrize("door", DOORS)
def test_a_folder_that_may_be_listed_but_not_entered_is_named_and_ends_nothing(
    door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as place:  # not in `tmp_path`, which nobody may enter
        Path(place).chmod(0o777)
        folder = Path(place, "photos")
        fill(folder, CATS | {"dog/locked": 2})
        monkeypatch.setenv("COURSE_DATA", str(Path(place, "data")))
        locked = folder / "dog" / "locked"
        (locked.parent / "through.jpg").symlink_to("locked/012.png")
        THROUGH[door](folder)  # what is imported late is imported before doors close
        for file in Path(place).glob("*.csv"):
            file.unlink()
        locked.chmod(0o444)
        with bound_by_permissions():
            answer = THROUGH[door](folder)
        locked.chmod(0o755)
    assert len(answer.used) == 12
    assert answer.named["dog/locked"].startswith("the folder cannot be opened (Permission denied)")
    assert answer.named["dog/through.jpg"].startswith("the file cannot be read (Permission denied)")


# --- Folders ------------------------------------------------------------------------------------------------------

CATS = {"cat": 6, "dog": 6}
TWO_WAYS = {name: unicodedata.normalize(form, "고양이") for name, form in (("windows", "NFC"), ("mac", "NFD"))}


def below(*folders: str, classes: dict[str, int] | None = None) -> dict[str, int]:
    """`below("train", "test")` asks for cats and dogs in each of these folders."""
    return {f"{folder}/{name}": count for folder in folders for name, count in (classes or CATS).items()}


def fill(folder: Path, counts: dict[str, int]) -> None:
    """Put pictures into folders; no two are alike."""
    seed = 0
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            Image.fromarray(draw_noise(seed)).save(folder / name / f"{seed:03}.png")
            seed += 1


def link_classes(folder: Path) -> None:
    fill(folder.parent / "store", CATS)
    folder.mkdir()
    (folder / "cat").symlink_to(folder.parent / "store" / "cat")
    (folder / "dog").symlink_to("../store/dog")


def link_in_circles(folder: Path) -> None:
    fill(folder, CATS)
    (folder / "dog" / "again").symlink_to(folder)
    (folder / "cat" / "more").symlink_to(folder / "cat")


def leave_by_programs(folder: Path) -> None:
    fill(folder, CATS | {"@eaDir": 3, "#recycle": 3, "__MACOSX": 3, ".thumbnails": 3, "cat/@eaDir": 2})


class Folder(NamedTuple):
    """A folder that is understood.

    Attributes:
        make: pictures by sub-folder, or what makes them.
        classes: what is learned.
        goes_to: the split of what is in a folder; empty if it is not used.
        said: noticed at each door that looks at classes; empty: nothing is to be noticed.
    """

    make: dict[str, int] | Callable[[Path], None]
    classes: tuple[str, ...] = ("cat", "dog")
    goes_to: dict[str, str] = {}  # noqa: RUF012 - nobody writes into it
    said: str = ""


FOLDERS = {
    "classes": Folder(CATS),
    "splits": Folder(below("train", "val", "test"), goes_to={"train": "train", "val": "validation", "test": "test"}),
    "seg_train, seg_test, seg_pred, each twice": Folder(
        below("seg_train/seg_train", "seg_test/seg_test") | {"seg_pred/seg_pred": 3},
        goes_to={"seg_train": "train", "seg_test": "test", "seg_pred": ""},
        said="'seg_pred' is neither train, validation nor test and is not used",
    ),
    "training_set, test_set": Folder(
        below("training_set", "test_set"), goes_to={"training_set": "train", "test_set": "test"}
    ),
    "trainset, testset": Folder(below("trainset", "testset"), goes_to={"trainset": "train", "testset": "test"}),
    "Training Data, Testing Data": Folder(
        below("Training Data", "Testing Data"), goes_to={"Training Data": "train", "Testing Data": "test"}
    ),
    "train_images, val_images": Folder(
        below("train_images", "val_images"), goes_to={"train_images": "train", "val_images": "validation"}
    ),
    "intel-train, intel-test": Folder(
        below("intel-train", "intel-test"), goes_to={"intel-train": "train", "intel-test": "test"}
    ),
    "pets_train, pets_test and one more": Folder(
        below("pets_train", "pets_test") | {"samples": 3},
        goes_to={"pets_train": "train", "pets_test": "test", "samples": ""},
        said="'samples' is neither train, validation nor test and is not used",
    ),
    "train2017, val2017": Folder(
        below("train2017", "val2017"), goes_to={"train2017": "train", "val2017": "validation"}
    ),
    "a class called train among vehicles": Folder({"bus": 6, "car": 6, "train": 6}, ("bus", "car", "train")),
    "a class called test_tube": Folder({"test_tube": 6, "flask": 6}, ("flask", "test_tube")),
    "stations": Folder({"train_station": 6, "bus_station": 6}, ("bus_station", "train_station")),
    "an unlabelled test": Folder(
        below("train", "val") | {"test": 4},
        goes_to={"train": "train", "val": "validation", "test": ""},
        said="'test' has no class folders and is not used",
    ),
    "a class missing from val": Folder(
        below("train", classes=CATS | {"eel": 6}) | below("val"),
        ("cat", "dog", "eel"),
        {"val": "validation"},
        "the validation split has no pictures of 'eel'",
    ),
    "folders beside train": Folder(
        below("train", "holdout") | {"extra": 2},
        goes_to={"holdout": "", "extra": ""},
        said="'holdout' is neither train, validation nor test and is not used",
    ),
    "images in each split": Folder(
        below("train/images", "test/images"), said="the classes are taken from 'train/images'"
    ),
    "files beside the class folders": Folder(CATS | {"": 1}),
    "an empty class": Folder(CATS | {"eel": 0, ".hidden": 0}, said="'eel' has no pictures"),
    "folders in a class": Folder(
        {"cat": 6, "dog/old": 3, "dog/new": 3}, said="'dog' is taken for one class with all its folders"
    ),
    "two spellings": Folder({"Cat": 4, "cat": 4, "dog": 4}, ("Cat", "dog"), {}, "'Cat' and 'cat' are taken for one"),
    "a blank at the end": Folder({"cat ": 4, "cat": 4, "dog": 4}, said="'cat' and 'cat ' are taken for one"),
    "capitals in one split only": Folder(
        below("train") | below("test", classes={"Cat": 6, "Dog": 6}), goes_to={"test": "test"}, said="'cat' and 'Cat'"
    ),
    "a Korean name in two ways": Folder(
        {TWO_WAYS["windows"]: 5, TWO_WAYS["mac"]: 5, "개": 5}, ("개", "고양이"), said="taken for one class, '고양이'"
    ),
    "a Korean name another way in each split": Folder(
        {f"train/{TWO_WAYS['windows']}": 5, f"val/{TWO_WAYS['mac']}": 5, "train/dog": 5, "val/dog": 5},
        ("dog", "고양이"),
        said="\\u1100",  # shown so that they can be told apart
    ),
    "numbers": Folder({"0": 4, "1": 4, "10": 4}, ("0", "1", "10")),
    "linked classes": Folder(link_classes),
    "links in circles": Folder(link_in_circles),
    "what programs leave": Folder(leave_by_programs),
}  # fmt: skip


def used_or_named(folder: Path, answer: Answer) -> bool:
    """Whether each candidate of a folder is in the answer, once."""
    candidates = [shown(path, folder) for path in cleaning.find_candidates(folder)]
    return sorted([*answer.used, *answer.named]) == sorted(candidates)


@posix
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_is_understood_at_each_door(kind: Folder, door: str, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    kind.make(folder) if callable(kind.make) else fill(folder, kind.make)
    answer = THROUGH[door](folder)
    assert answer.refused == ""
    assert used_or_named(folder, answer)
    if door == "predict":  # what is to be labelled has no classes
        assert answer.named == {}
        return
    assert kind.said in answer.said
    assert ("Note: " in answer.said) == bool(kind.said)
    if door == "check":
        assert answer.named == {}
        return
    assert answer.data.class_names == kind.classes
    assert goes_where_its_folder_says(kind, folder, answer.data)
    not_used = {top for top, split in kind.goes_to.items() if not split}
    assert all(file.split("/")[0] in not_used or "/" not in file for file in answer.named)


def goes_where_its_folder_says(kind: Folder, folder: Path, data: datasets.ImageDataset) -> bool:
    """Whether the pictures below each folder are in its split, or in one that was taken from it for want of another."""
    own = set(kind.goes_to.values())
    for top, split in kind.goes_to.items():
        found = {name for name in SPLITS for path in data.paths[name] if path.relative_to(folder).parts[0] == top}
        allowed = {split} | (set(SPLITS) - own if split else set())
        if bool(found) != bool(split) or not found <= allowed:
            return False
    return True


# --- Folders that are refused, with what was seen and what to do --------------------------------------------------


def lose_class(make: Callable[[Path, Path], None]) -> Callable[[Path], None]:
    """A folder with a class 'bird' of which no file can be used."""

    def make_folder(folder: Path) -> None:
        fill(folder, CATS)
        (folder / "bird").mkdir()
        for number in range(3):
            make(folder / "bird" / f"{number}.jpg", folder / "cat" / f"{number:03}.png")

    return make_folder


def lose_folder(folder: Path) -> None:
    fill(folder, CATS)
    (folder / "bird").symlink_to(folder.parent / "not mounted")


def name_files(folder: Path) -> None:
    folder.mkdir()
    for number in range(4):
        for first, name in enumerate(("cat", "dog")):
            Image.fromarray(draw_noise(2 * number + first)).save(folder / f"{name}.{number}.png")


LOST = r"without a usable picture of 'bird', expected some of each class\. 'bird"


class Refused(NamedTuple):
    """A folder that `load` and `teach` refuse in one line; `checked`: `data check` says that line, too."""

    make: dict[str, int] | Callable[[Path], None]
    message: str
    checked: bool = False


REFUSED = {
    "a doubled wrapper folder": Refused(
        below("pets"), r"Did you mean '.*photos/pets', which has 'cat' and 'dog'\?", True
    ),
    "a wrapper in a wrapper": Refused(below("a/b"), r"Did you mean '.*photos/a/b', which has 'cat' and 'dog'\?", True),
    "a wrapper of splits": Refused(
        below("data/train", "data/test"), r"Did you mean '.*data', which has 'test' and 'train'\?", True
    ),
    "splits by other names": Refused(below("dev", "holdout"), "with 'dev' and 'holdout', which all have 'cat'", True),
    "splits by other names, a class missing": Refused(
        below("one", classes=CATS | {"eel": 6}) | below("two"), "which all have 'cat' and 'dog': splits by names", True
    ),
    "folds": Refused(below("fold1", "fold2", "fold3"), "which all have 'cat' and 'dog': splits by names that", True),
    "splits without classes": Refused({"train": 5, "test": 5}, "one sub-folder per class", True),
    "splits in the names of classes": Refused(
        {"train_cat": 5, "test_cat": 5, "train_dog": 5, "test_dog": 5}, "one sub-folder per class", True
    ),
    "training pictures without classes": Refused(
        {"train": 5} | below("test"), "expected a folder 'train' beside them", True
    ),
    "a class or a split": Refused(
        {"train/steam": 5, "train/diesel": 5, "bus": 5, "car": 5}, "is it the training split or a class", True
    ),
    "two training splits": Refused(below("train", "training_set"), "expected one folder for the train split", True),
    "a stranger in test": Refused(
        below("train") | below("test", classes={"bird": 3}), r"classes \['bird'\] in 'test'", True
    ),
    "all pictures in one folder": Refused({"": 6}, "with 0 class folder"),
    "one class": Refused({"cat": 6}, "with 1 class folder.* one sub-folder per class"),
    "named after classes, in one folder": Refused(
        name_files, r"8 pictures .* named after 'cat' and 'dog': sort them with list_pictures"
    ),
    "a class of no pictures": Refused(lose_class(lambda file, _: hold("<html>")(file)), LOST),
    "a class of links that lead nowhere": Refused(lose_class(lambda file, _: file.symlink_to("nowhere.jpg")), LOST),
    "a class of copies": Refused(lose_class(lambda file, other: hold(other.read_bytes())(file)), LOST),
    "a class folder that is gone": Refused(lose_folder, LOST),
    "a class folder that cannot be opened": Refused(
        CATS | {"closed": 3}, r"of 'closed', .*'closed', for example: the folder cannot be opened \(Permission denied\)"
    ),
}  # fmt: skip


@posix
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", REFUSED.values(), ids=REFUSED)
def test_a_folder_that_cannot_be_understood_is_refused_before_the_work(
    kind: Refused, door: str, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    kind.make(folder) if callable(kind.make) else fill(folder, kind.make)
    answer = THROUGH[door](folder)
    if door in ("load", "teach"):
        assert re.search(kind.message, answer.refused)
        assert "Received" in answer.refused and "xpected" in answer.refused
        assert answer.refused.rstrip("\n").count("\n") == 0
        return
    assert answer.refused == "" and used_or_named(folder, answer)
    if door == "check":
        (line,) = re.findall("^For training: .*", answer.said, re.MULTILINE) or [""]
        assert bool(re.search(kind.message, line)) == kind.checked
    else:
        assert all(re.search("nowhere|web page|cannot be opened", reason) for reason in answer.named.values())


@posix
@pytest.mark.parametrize("door", DOORS)
def test_a_folder_in_a_class_that_cannot_be_opened_is_named(door: str, tmp_path: Path) -> None:
    fill(tmp_path / "photos", CATS | {"cat/closed": 3})
    answer = THROUGH[door](tmp_path / "photos")
    assert used_or_named(tmp_path / "photos", answer)
    assert answer.named.keys() == {"cat/closed"}
    assert "the folder cannot be opened (Permission denied)" in answer.named["cat/closed"]
