"""Teaching on a folder: what comes out, what the report says, and what is refused before the work starts."""

import io
import os
import re
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import backbones, commands, datasets, prediction, training, tuning
from helpers.commands.report import describe_confusion, write_report
from helpers.commands.teach import PENALTIES, TeachResult, choose_penalty, describe_data, teach
from helpers.features import Features, FeatureSets
from tests.conftest import keras_and_numpy_2

pytestmark = keras_and_numpy_2

RED, BLUE = (180, 70, 70), (70, 70, 180)
HOSTILE = '<b>red & "co"'  # a class name that a page must not take for HTML
KOREAN = "파란 색"


def write_noise(folder: Path, colour: tuple[int, int, int], count: int, *, seed: int) -> None:
    """Fill a folder with noise around a colour, spread so widely that a few pictures are hard."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.array(colour) + generator.normal(0, 60, (40, 40, 3))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 30 pictures; one file is damaged, one a copy, and four red ones lie under blue."""
    folder = tmp_path_factory.mktemp("photos")
    write_noise(folder / HOSTILE, RED, 30, seed=0)
    write_noise(folder / KOREAN, BLUE, 26, seed=1)
    write_noise(folder / KOREAN / "more", RED, 4, seed=2)
    (folder / HOSTILE / "cut&paste.png").write_bytes((folder / HOSTILE / "00.png").read_bytes()[:200])
    shutil.copy(folder / KOREAN / "00.png", folder / KOREAN / "copy.png")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder, where the features of `folder` stay for those who teach on it again."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """For those who teach without changing it; with fine-tuning, `teach` builds its own."""
    return backbones.build("EfficientNetLite0", input_shape=(32, 32, 3))


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def result(folder: Path, home: Path, tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> TeachResult:
    output = tmp_path_factory.mktemp("out") / "deep" / "model.keras"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(home))
        return teach(folder, output=output, image_size=32, say=said.append)


@pytest.fixture(scope="module")
def report(result: TeachResult) -> str:
    return result.report.read_text(encoding="utf-8")


class Page(HTMLParser):
    """What a browser would make of the report: the tags, the pictures, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_model_and_report_lie_side_by_side(result: TeachResult) -> None:
    assert sorted(path.name for path in result.model.parent.iterdir()) == ["model.html", "model.keras"]
    # 62 files, of which one is damaged and one a copy
    assert result.data.counts == {"train": 48, "validation": 6, "test": 6}


@pytest.fixture(scope="module")
def classifier(result: TeachResult) -> prediction.Classifier:
    return prediction.load_classifier(result.model)


def answers(model: keras.Model, result: TeachResult) -> np.ndarray:
    """A model's answers on the test pictures, which are too few for a graph to pay."""
    return np.concatenate(
        [model(pictures, training=False) for pictures, _ in datasets.batches(result.data.test, image_size=32)]
    )


def test_it_has_learned_the_colours(result: TeachResult, classifier: prediction.Classifier, folder: Path) -> None:
    assert classifier.class_names == result.data.class_names == (HOSTILE, KOREAN)
    assert classifier.image_size == 32
    files = [*sorted((folder / HOSTILE).glob("[0-9]*.png")), *sorted((folder / KOREAN).glob("[0-9]*.png"))]
    predictions, problems = prediction.predict_files(classifier, files)
    right = [row.label == Path(row.file).parent.name for row in predictions]
    assert not problems
    assert np.mean(right) >= 0.9


def test_the_saved_model_gives_what_the_result_measured(result: TeachResult, classifier: prediction.Classifier) -> None:
    np.testing.assert_allclose(answers(classifier.model, result), result.test.probabilities, atol=1e-3)


def test_the_report_gives_accuracy_and_matrix(result: TeachResult, report: str) -> None:
    page = Page(report)
    assert f"{result.test.accuracy:.1%} of {len(result.test.labels)} test pictures are right" in page.text
    assert describe_confusion(result.test.confusion, class_names=result.data.class_names) in page.text
    cells = [int(cell) for cell in re.findall(r"<td style=[^>]*>(\d+)</td>", report)]
    assert cells == result.test.confusion.ravel().tolist()


def test_the_report_lists_what_was_set_aside(result: TeachResult, report: str, said: list[str]) -> None:
    text = Page(report).text
    reasons = dict(result.data.set_aside)
    assert set(reasons) == {str(Path(HOSTILE, "cut&paste.png")), str(Path(KOREAN, "copy.png"))}
    for file, reason in reasons.items():
        assert f"{file}: {reason}" in text
        assert any(line.startswith(f"Set aside: {file} (") for line in said)


def test_the_report_says_how_the_folder_was_read(result: TeachResult, report: str, tmp_path: Path) -> None:
    assert "How the folder was read" not in report
    data = replace(result.data, notes=("'<b>' has no pictures",))
    page = write_report(replace(result, data=data, report=tmp_path / "a.html"), backbone="net", image_size=32)
    assert "How the folder was read'<b>' has no pictures" in Page(page.read_text(encoding="utf-8")).text


def test_the_report_shows_names_and_does_not_run_them(report: str) -> None:
    page = Page(report)
    assert "b" not in page.tags
    assert HOSTILE in page.text
    assert KOREAN in page.text


def test_the_report_needs_no_other_file(report: str) -> None:
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", report)


def test_the_gallery_shows_each_mistake_with_a_text(result: TeachResult, tmp_path: Path) -> None:
    labels = 1 - result.test.predicted  # as if every answer were wrong
    wrong = training.Evaluation(0.0, labels, result.test.probabilities)
    changed = TeachResult(
        result.model, tmp_path / "wrong.html", result.data, wrong, result.penalty, result.validation_accuracy
    )
    page = Page(write_report(changed, backbone="net", image_size=32).read_text(encoding="utf-8"))
    names = result.data.class_names
    expected = {
        f"{names[truth]}, taken for {names[answer]} ({row.max():.0%})"
        for truth, answer, row in zip(labels, wrong.predicted, wrong.probabilities, strict=True)
    }
    assert len(page.pictures) == len(labels)
    assert {picture["alt"] for picture in page.pictures} == expected
    assert "None on the test pictures" not in page.text


def test_the_penalty_finds_the_right_answers_of_validation_likeliest() -> None:
    # Without a penalty worth the name, noise in 40 channels hides the one channel that tells the classes apart.
    generator = np.random.default_rng(0)

    def make(count: int) -> Features:
        labels = np.arange(count) % 2
        rows = generator.normal(size=(count, 40))
        rows[:, 0] += 1.5 * labels
        return Features(rows.astype(np.float32), labels)

    found = FeatureSets(make(40), make(400), make(10))
    penalty, accuracy = choose_penalty(found, num_classes=2)
    results = {}  # (likelihood of the right answers, accuracy)
    for candidate in PENALTIES:
        head = training.fit_logistic_head(found.train.features, found.train.labels, num_classes=2, penalty=candidate)
        result = training.evaluate(head, found.validation.features, found.validation.labels)
        right = result.probabilities[np.arange(len(result.labels)), result.labels]
        results[candidate] = (float(np.log(right).mean()), result.accuracy)
    assert results[penalty] == max(results.values())
    assert accuracy == results[penalty][1]
    assert min(results.values())[0] < results[penalty][0] - 0.1


@pytest.mark.parametrize(
    ("output", "message"), [("model", "ending in '.keras'"), ("folder.keras", "a folder, expected the name of a file")]
)
def test_an_output_that_cannot_be_is_refused_first(tmp_path: Path, output: str, message: str) -> None:
    (tmp_path / "folder.keras").mkdir()
    said: list[str] = []
    with pytest.raises(ValueError, match=message):
        teach(tmp_path, output=tmp_path / output, say=said.append)
    assert said == []


def test_few_pictures_are_refused_by_name(
    network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "build", lambda *_, **__: network)
    write_noise(tmp_path / "photos" / "red", RED, 12, seed=0)
    write_noise(tmp_path / "photos" / "blue", BLUE, 9, seed=1)
    with pytest.raises(ValueError, match=r"too few usable pictures \(blue: 9\), expected 10 or more per class"):
        teach(tmp_path / "photos", output=tmp_path / "m.keras", image_size=32, say=lambda _: None)
    assert not list(tmp_path.glob("*.keras"))


def test_a_test_folder_is_used_whole(tuned: tuple[TeachResult, list[str]]) -> None:
    result, _ = tuned
    assert result.data.counts == {"train": 20, "validation": 10, "test": 40}
    assert len(result.test.labels) == 40


# --- fine-tuning -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[TeachResult, list[str]]:
    """Fine-tuned on a folder that has its splits."""
    lines: list[str] = []
    folder = tmp_path_factory.mktemp("tuned")
    for seed, (split, count) in enumerate({"train": 10, "validation": 5, "test": 20}.items()):
        write_noise(folder / "photos" / split / "red", RED, count, seed=2 * seed)
        write_noise(folder / "photos" / split / "blue", BLUE, count, seed=2 * seed + 1)
    options = {"output": folder / "model.keras", "image_size": 32, "fine_tune": "always"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(tmp_path_factory.mktemp("data")))
        return teach(folder / "photos", **options, say=lines.append), lines


def test_the_fine_tuned_network_is_saved_and_judged(tuned: tuple[TeachResult, list[str]]) -> None:
    result, _ = tuned
    assert result.tuned
    model = prediction.load_classifier(result.model).model
    np.testing.assert_allclose(answers(model, result), result.test.probabilities, atol=1e-3)


def test_the_cost_is_said_first_and_then_what_each_step_brought(tuned: tuple[TeachResult, list[str]]) -> None:
    result, lines = tuned
    (cost,) = (line for line in lines if "Fine-tuning EfficientNetLite0 from block6a on: about " in line)
    steps = [line for line in lines if line.startswith("Validation, ")]
    assert lines.index(cost) < lines.index(steps[0])
    assert [step.name for step in result.steps] == ["one layer on the features", "fine-tuned from block6a on"]
    text = Page(result.report.read_text(encoding="utf-8")).text
    assert "Kept: the fine-tuned network." in text
    for (name, found), line in zip(result.steps, steps, strict=True):
        assert line == f"Validation, {name}: accuracy {found.accuracy:.3f}."
        assert f"{name}{found.accuracy:.1%}{found.balanced_accuracy:.1%}" in text


def test_with_auto_what_does_not_win_is_undone(
    folder: Path, home: Path, result: TeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ruin(network: keras.Model, head: keras.Model, maps: Features, **_: object) -> tuning.Tuned:
        head.set_weights([0 * weights for weights in head.get_weights()])
        network.set_weights([0 * weights for weights in network.get_weights()])
        outputs = head(keras.layers.GlobalAveragePooling2D()(network.output))
        inputs = keras.Input(maps.features.shape[1:])
        flat = keras.layers.Dense(2, "softmax", kernel_initializer="zeros")(keras.layers.Flatten()(inputs))
        return tuning.Tuned(keras.Model(network.input, outputs), keras.Model(inputs, flat))

    monkeypatch.setattr(tuning, "fine_tune", ruin)
    monkeypatch.setenv("COURSE_DATA", str(home))
    lines: list[str] = []
    other = teach(folder, output=tmp_path / "m.keras", image_size=32, fine_tune="auto", say=lines.append)
    assert not other.tuned
    assert "did not win" in lines[-1]
    assert "Kept: the network as it was" in Page(other.report.read_text(encoding="utf-8")).text
    model = prediction.load_classifier(other.model).model
    np.testing.assert_allclose(answers(model, other), result.test.probabilities, atol=1e-3)


@pytest.mark.parametrize(
    ("words", "expected"), [([], None), (["--fine-tune"], "always"), (["--fine-tune", "auto"], "auto")]
)
def test_fine_tuning_is_asked_for(words: list[str], expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def remember(*_: object, fine_tune: str | None, **__: object) -> TeachResult:
        asked.append(fine_tune)
        return stand_in(np.eye(2, dtype=int))

    monkeypatch.setattr("helpers.commands.teach.teach", remember)
    assert commands.main(["teach", "photos", "--output", "m.keras", *words]) == 0
    assert asked == [expected]


# --- on the screen -----------------------------------------------------------------------------------------------


def stand_in(confusion: np.ndarray, **changes: object) -> TeachResult:
    """A result that needs no training: class names of eight letters, and this confusion matrix."""
    names = tuple(f"class{number:03}" for number in range(len(confusion)))
    counts = {"train": 8, "validation": 1, "test": 1}
    data = SimpleNamespace(
        **{"class_names": names, "counts": counts, "set_aside": (), "near_duplicates": 0, "notes": ()} | changes
    )
    labels = np.repeat(np.arange(len(confusion)), confusion.sum(axis=1))
    predicted = np.concatenate([np.repeat(np.arange(len(row)), row) for row in confusion])
    test = training.Evaluation(0.5, labels, np.eye(len(confusion))[predicted])
    return TeachResult(Path("m.keras"), Path("m.html"), data, test, 1.0, 0.5)


@pytest.mark.parametrize(
    ("classes", "columns", "whole"),
    [(2, 80, True), (4, 80, True), (6, 80, False), (20, 80, False), (20, 400, True), (120, 80, False), (2, 20, False)],
)
def test_a_table_wider_than_the_screen_is_told_by_its_largest_numbers(
    classes: int, columns: int, whole: bool, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    confusion = 50 * np.eye(classes, dtype=int)
    confusion[1, 0], confusion[0, 1] = 41, 37
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("helpers.commands.teach.teach", lambda *_, **__: stand_in(confusion))
    assert commands.main(["teach", "photos", "--output", "m.keras"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith(("┃", "│"))]
    assert max(map(len, table)) <= columns
    assert len(table) < 25 or whole
    numbers = [re.findall(r"\b\d+\b", line.split("│")[-2 if not whole else 2]) for line in table if "│" in line]
    assert [number for found in numbers for number in found][:2] == (["50", "41"] if whole else ["41", "37"])
    assert ("The report has the whole table of 120 classes." in lines) is (classes == 120)
    assert "…" not in "".join(table)


def test_without_mistakes_no_table_is_needed(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("helpers.commands.teach.teach", lambda *_, **__: stand_in(np.eye(40, dtype=int)))
    assert commands.main(["teach", "photos", "--output", "m.keras"]) == 0
    output = capsys.readouterr().out
    assert "┃" not in output
    assert "The report has the whole table of 40 classes." in output


def test_where_classes_differ_in_size_each_is_counted_the_same(
    result: TeachResult, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = stand_in(np.array([[88, 2], [5, 5]]))
    monkeypatch.setattr("helpers.commands.teach.teach", lambda *_, **__: found)
    assert commands.main(["teach", "photos", "--output", "m.keras"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("Balanced accuracy: 0.739, the mean over the classes of the share recognised:")
    assert lines[start + 1 : start + 3] == ["  class000: 0.978 of 90", "  class001: 0.500 of 10"]
    wrong = replace(result, test=found.test, report=tmp_path / "a.html")
    monkeypatch.setattr("helpers.commands.report._mistakes_gallery", lambda _: "")
    text = Page(write_report(wrong, backbone="net", image_size=32).read_text(encoding="utf-8")).text
    assert "mean of these shares: 73.9%" in text
    assert "50.0%10" in text


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"near_duplicates": 3}, "Near duplicates: 3 pictures, each kept in one split with those that it resembles."),
        ({"set_aside": (("a/b.heic", "no picture."),)}, "Set aside: a/b.heic (no picture)."),
        ({"notes": ("'eel' has no pictures",)}, "Note: 'eel' has no pictures."),
    ],
)
def test_what_is_not_as_expected_is_said(changes: dict, line: str) -> None:
    first, *others = describe_data(stand_in(np.eye(2, dtype=int), **changes).data)
    assert first == "8 pictures to learn from, 1 to choose with, 1 to test on; classes: class000, class001."
    assert others == [line]


def test_a_folder_full_of_what_is_not_used_does_not_fill_the_screen() -> None:
    set_aside = [(f"extra/{number:04}.jpg", "'extra' is not used") for number in range(2000)]
    set_aside += [("cat/cut.jpg", "cut short.")]
    _, *lines = describe_data(stand_in(np.eye(2, dtype=int), set_aside=set_aside).data)
    assert len(lines) == 22
    assert "Set aside: 1,980 files more ('extra' is not used); the report names them." in lines
    assert "Set aside: cat/cut.jpg (cut short)." in lines


# --- names that cannot be written, a data folder that cannot be written to --------------------------------------

ODD = ("\x1b[31mred", os.fsdecode("고양이".encode("cp949")))
PRINTED = ("\\x1b[31mred", "\\udcb0\\udced\\udcbe\\udce7\\udcc0\\udccc")


@pytest.fixture(scope="module")
def odd_output(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The model, and what was printed."""
    if sys.platform != "linux":
        pytest.skip("other systems take UTF-8 names only")
    home = tmp_path_factory.mktemp("odd")
    for seed, (name, colour) in enumerate(zip(ODD, (RED, BLUE), strict=True)):
        write_noise(home / "photos" / name, colour, 12, seed=seed)
        (home / "photos" / name / f"{ODD[1]}.png").write_bytes(b"\0")
    written = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("COURSE_DATA", "/proc/course")  # where not even root can make a folder
        patch.setattr(backbones, "build", lambda *_, **__: network)
        patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
        assert commands.main(["teach", "photos", "--output", "m.keras", "--image-size", "32"]) == 0
        return home / "m.keras", written.getvalue().decode("utf-8")


def test_names_that_cannot_be_written_are_written_out(odd_output: tuple[Path, str]) -> None:
    model, printed = odd_output
    page = Page(model.with_suffix(".html").read_text(encoding="utf-8"))
    assert prediction.load_classifier(model).class_names == PRINTED
    for text in (printed, page.text):
        assert "\x1b" not in text
        for name in PRINTED:
            assert name in text
            assert f"{name}/{PRINTED[1]}.png" in text
    assert set(page.tags) >= {"table", "li"}


def test_without_a_place_for_features_they_are_not_saved_and_that_is_said(odd_output: tuple[Path, str]) -> None:
    model, printed = odd_output
    (line,) = (line for line in printed.splitlines() if "features are not saved" in line)
    assert "'/proc/course'" in line
    assert sorted(path.name for path in model.parent.iterdir()) == ["m.html", "m.keras", "photos"]


def test_a_data_folder_that_is_none_is_refused_before_the_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_file").touch()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "a_file" / "data"))
    said: list[str] = []
    with pytest.raises(ValueError, match=r"a_file' is a file, expected a folder\. Set .* COURSE_DATA"):
        teach(folder, output=tmp_path / "m.keras", image_size=32, say=said.append)
    assert said == []
