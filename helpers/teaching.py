"""A folder of pictures in, a classifier and a report out: what `python -m helpers teach` does."""

import base64
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from helpers import backbones, datasets, features, images, prediction, training

PENALTIES = (1.0, 10.0, 100.0, 1000.0)  # tried on the validation split
SHARES = {"train": 80, "validation": 10, "test": 10}  # per cent
MOST_MISTAKES = 24  # pictures in the report's gallery
FEWEST_PICTURES = 10  # a class; below, a split of ten per cent is empty


@dataclass(frozen=True)
class Lesson:
    """What came out of teaching.

    Attributes:
        model: path of the saved `.keras` file.
        report: path of the report, an HTML page that needs no other file.
        data: the pictures and their splits.
        test: how the model did on pictures it has not seen.
        penalty: the head's penalty, chosen on the validation split.
        validation_accuracy: with that penalty, 0..1.
    """

    model: Path
    report: Path
    data: datasets.ImageDataset
    test: training.Evaluation
    penalty: float
    validation_accuracy: float


def teach(
    folder: Path,
    *,
    output: Path,
    backbone: str = "EfficientNetLite0",
    image_size: int = 224,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> Lesson:
    """Train a classifier on a folder of pictures and report how good it is.

    The pretrained network stays as it is; one layer on top of its features is solved, its penalty chosen on the
    validation split. Then that layer is solved again on training and validation pictures together, and judged once
    on the test split.

    Args:
        folder: one sub-folder a class, or `train`, `validation`, `test` with those inside.
        output: where the model goes, a name ending in `.keras`; the report goes beside it.
        backbone: a name that `backbones.build` knows.
        image_size: height and width at which the network sees the pictures.
        seed: which pictures are held out.
        say: takes a line about each step.

    Returns:
        A `Lesson`.

    Raises:
        ValueError: if the folder, its classes, the output or the backbone do not fit; one line that says why.
    """
    if not folder.is_dir():
        raise ValueError(f"Received '{folder}', which is not a folder. Give a folder with one sub-folder a class.")
    _check_output(output)
    network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    say(f"Checking the pictures in '{folder}' ...")
    count = len(images.find_files(folder))
    data = datasets.load(
        folder,
        seed=seed,
        # More than there are: `load` shrinks them in proportion, and uses a split with a folder of its own whole.
        **{f"num_{split}": max(1, count) * share for split, share in SHARES.items()},
    )
    _check_classes(data)
    say(
        f"{data.counts['train']} pictures to learn from, {data.counts['validation']} to choose with, "
        f"{data.counts['test']} to test on; classes: {', '.join(data.class_names)}."
    )
    for file, reason in data.set_aside:
        say(f"Set aside: {file} ({reason.rstrip('.')}).")
    say(f"Looking at them with {backbone} at {image_size} pixels ...")
    found = features.load_or_extract(data, backbone=backbone, image_size=image_size, network=network)
    penalty, validation_accuracy = choose_penalty(found, num_classes=len(data.class_names))
    head = training.fit_logistic_head(
        np.concatenate([found.train.features, found.validation.features]),
        np.concatenate([found.train.labels, found.validation.labels]),
        num_classes=len(data.class_names),
        penalty=penalty,
    )
    test = training.evaluate(head, found.test.features, found.test.labels)
    model = prediction.save_classifier(training.attach_head(network, head), output, class_names=data.class_names)
    lesson = Lesson(model, output.with_suffix(".html"), data, test, penalty, validation_accuracy)
    write_report(lesson, backbone=backbone, image_size=image_size)
    return lesson


def _check_output(output: Path) -> None:
    if output.suffix != ".keras":
        raise ValueError(f"Received output '{output}', expected a name ending in '.keras'. Add the ending.")
    if output.is_dir():
        raise ValueError(f"Received output '{output}', which is a folder. Give the name of a file.")


def _check_classes(data: datasets.ImageDataset) -> None:
    counts = np.bincount(np.concatenate(list(data.labels.values())), minlength=len(data.class_names))
    few = [f"{name}: {n}" for name, n in zip(data.class_names, counts, strict=True) if n < FEWEST_PICTURES]
    if few:
        raise ValueError(
            f"Received too few usable pictures ({', '.join(few)}), expected {FEWEST_PICTURES} or more a class. "
            "Add pictures to those folders."
        )


def choose_penalty(found: features.FeatureSets, *, num_classes: int) -> tuple[float, float]:
    """Return the penalty whose head is best on the validation split, and its accuracy there.

    Ties go to the larger likelihood of the right answers, which a small split decides better than its accuracy.
    """
    results = []
    for penalty in PENALTIES:
        head = training.fit_logistic_head(
            found.train.features, found.train.labels, num_classes=num_classes, penalty=penalty
        )
        result = training.evaluate(head, found.validation.features, found.validation.labels)
        likelihood = np.log(result.probabilities[np.arange(len(result.labels)), result.labels] + 1e-12).mean()
        results.append((result.accuracy, likelihood, penalty))
    accuracy, _, penalty = max(results)
    return penalty, accuracy


# --- the report --------------------------------------------------------------------------------------------------


def write_report(lesson: Lesson, *, backbone: str, image_size: int) -> Path:
    """Write the report: test accuracy, confusion matrix, a gallery of the mistakes, what was set aside."""
    names, test = lesson.data.class_names, lesson.test
    count = len(test.labels)
    low, high = binomtest(count - len(test.mistakes()), count).proportion_ci(method="wilson")
    set_aside = "".join(
        f"<li><code>{html.escape(file)}</code>: {html.escape(reason)}</li>" for file, reason in lesson.data.set_aside
    )
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{html.escape(lesson.model.name)}: report</title>
<style>
body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; line-height: 1.5 }}
.gallery {{ display: flex; flex-wrap: wrap; gap: 1em }} figure {{ margin: 0; width: 11em; font-size: .85em }}
img {{ max-width: 100% }} table {{ border-collapse: collapse }} td, th {{ padding: .2em .8em; text-align: left }}
caption {{ text-align: left; padding-bottom: .6em }} .matrix td {{ text-align: right; border: 1px solid #999 }}
</style>
<h1>{html.escape(lesson.model.name)}</h1>
<p><strong>{test.accuracy:.1%}</strong> of {count} test pictures are right, pictures that played no part in
training or choosing. On other pictures of this kind, expect {low:.0%} to {high:.0%} (95 % interval, Wilson).</p>
<table>
<tr><th>classes</th><td>{html.escape(", ".join(names))}</td></tr>
<tr><th>pictures</th><td>{_describe_counts(lesson.data)}</td></tr>
<tr><th>network</th><td>{html.escape(backbone)} at {image_size} pixels, one layer trained on its features</td></tr>
<tr><th>validation accuracy</th><td>{lesson.validation_accuracy:.1%} (penalty {lesson.penalty:g})</td></tr>
</table>
<h2>Which class is taken for which</h2>
{_confusion_table(test.confusion, class_names=names)}
<h2>Mistakes, the most confident first</h2>
{_mistakes_gallery(lesson)}
<h2>Set aside</h2>
{f"<ul>{set_aside}</ul>" if set_aside else "<p>Nothing: every file was used.</p>"}
</html>
"""
    lesson.report.write_text(page, encoding="utf-8")
    return lesson.report


def _confusion_table(matrix: np.ndarray, *, class_names: Sequence[str]) -> str:
    """Return the matrix as a table, not a picture: names in every script show, and a screen reader reads it."""
    names = [html.escape(name) for name in class_names]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = []
    for name, counts in zip(names, matrix, strict=True):
        # Okabe-Ito blue, the stronger the larger the share of the row; dark text stays readable on it.
        cells = [
            f'<td style="background: rgb(0 114 178 / {0.6 * n / max(1, counts.sum()):.2f})">{n}</td>' for n in counts
        ]
        rows.append(f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>')
    caption = html.escape(describe_confusion(matrix, class_names=class_names))
    return (
        f'<table class="matrix">\n<caption>{caption}</caption>\n'
        f"<tr><th>true \\ predicted</th>{head}</tr>\n" + "\n".join(rows) + "\n</table>"
    )


def describe_confusion(matrix: np.ndarray, *, class_names: Sequence[str]) -> str:
    """Say in words what a confusion matrix shows.

    Example:
        >>> describe_confusion(np.array([[9, 1], [0, 5]]), class_names=["cat", "dog"])
        'cat: 9 of 10 right, 1 taken for dog. dog: 5 of 5 right.'
    """
    sentences = []
    for row, name in enumerate(class_names):
        wrong = [
            f"{matrix[row, column]} taken for {class_names[column]}"
            for column in range(len(class_names))
            if column != row and matrix[row, column]
        ]
        sentences.append(", ".join([f"{name}: {matrix[row, row]} of {matrix[row].sum()} right", *wrong]) + ".")
    return " ".join(sentences)


def _describe_counts(data: datasets.ImageDataset) -> str:
    return ", ".join(f"{data.counts[split]} {split}" for split in datasets.SPLITS)


def _png_address(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _mistakes_gallery(lesson: Lesson) -> str:
    positions = lesson.test.mistakes()[:MOST_MISTAKES]
    if not len(positions):
        return "<p>None on the test pictures.</p>"
    pictures = datasets.pictures_at(lesson.data.test, positions)
    figures = [_mistake_figure(lesson, i, picture) for i, picture in zip(positions, pictures, strict=True)]
    return f'<div class="gallery">{"".join(figures)}</div>'


def _mistake_figure(lesson: Lesson, position: int, picture: np.ndarray) -> str:
    names, test = lesson.data.class_names, lesson.test
    truth, answer = names[test.labels[position]], names[test.predicted[position]]
    caption = html.escape(f"{truth}, taken for {answer} ({test.probabilities[position].max():.0%})")
    buffer = BytesIO()
    thumbnail = Image.fromarray(picture)
    thumbnail.thumbnail((240, 240))
    thumbnail.save(buffer, format="PNG")
    image = f'<img alt="{caption}" src="{_png_address(buffer.getvalue())}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
