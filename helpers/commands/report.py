"""The report of `python -m helpers teach`: one HTML page that needs no other file."""

import base64
import html
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from helpers import datasets, files
from helpers.commands._shared import make_printable

if TYPE_CHECKING:
    from helpers.commands.teach import TeachResult

MOST_MISTAKES = 24  # pictures in the gallery


def write_report(result: "TeachResult", *, backbone: str, image_size: int) -> Path:
    """Write the report: test accuracy, confusion matrix, a gallery of the mistakes, what was set aside."""
    names, test = result.data.class_names, result.test
    count = len(test.labels)
    low, high = binomtest(count - len(test.mistakes()), count).proportion_ci(method="wilson")
    set_aside = "".join(
        f"<li><code>{_escape(file)}</code>: {_escape(reason)}</li>" for file, reason in result.data.set_aside
    )
    notes = "".join(f"<li>{_escape(note)}</li>" for note in result.data.notes)
    what = "fine-tuned" if result.tuned else "one layer trained on its features"
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{_escape(result.model.name)}: report</title>
<style>
body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; line-height: 1.5 }}
.gallery {{ display: flex; flex-wrap: wrap; gap: 1em }} figure {{ margin: 0; width: 11em; font-size: .85em }}
img {{ max-width: 100% }} table {{ border-collapse: collapse }} td, th {{ padding: .2em .8em; text-align: left }}
caption {{ text-align: left; padding-bottom: .6em }} .matrix td {{ text-align: right; border: 1px solid #999 }}
</style>
<h1>{_escape(result.model.name)}</h1>
<p><strong>{test.accuracy:.1%}</strong> of {count} test pictures are right, pictures that played no part in
training or choosing. On other pictures of this kind, expect {low:.0%} to {high:.0%} (95 % interval, Wilson).</p>
<table>
<tr><th>classes</th><td>{_escape(", ".join(names))}</td></tr>
<tr><th>pictures</th><td>{_describe_counts(result.data)}</td></tr>
<tr><th>network</th><td>{_escape(backbone)} at {image_size} pixels, {what}</td></tr>
<tr><th>validation accuracy</th><td>{result.validation_accuracy:.1%} (penalty {result.penalty:g})</td></tr>
</table>
{_steps_table(result)}
{_recall_table(result)}
{f"<h2>How the folder was read</h2><ul>{notes}</ul>" if notes else ""}
<h2>Which class is taken for which</h2>
{_confusion_table(test.confusion, class_names=names)}
<h2>Mistakes, the most confident first</h2>
{_mistakes_gallery(result)}
<h2>Set aside</h2>
{f"<ul>{set_aside}</ul>" if set_aside else "<p>Nothing: every file was used.</p>"}
</html>
"""
    with files.written_beside(result.report) as draft:
        draft.write_text(page, encoding="utf-8")
    return result.report


def _escape(text: str) -> str:
    """Return a name for a page: shown, not run, also where it holds what no page can."""
    return html.escape(make_printable(text))


def _steps_table(result: "TeachResult") -> str:
    """Return what each step brought on the validation split, if there was more than one."""
    if not result.steps:
        return ""
    rows = "".join(
        f"<tr><td>{_escape(name)}</td><td>{found.accuracy:.1%}</td><td>{found.balanced_accuracy:.1%}</td></tr>"
        for name, found in result.steps
    )
    kept = "fine-tuned network" if result.tuned else "network as it was: fine-tuning did not win"
    return (
        "<h2>What each step brought</h2>\n<table>\n"
        f"<caption>Learned from the {result.data.counts['train']} training pictures, judged on the "
        f"{len(result.steps[0].validation.labels)} validation pictures. Kept: the {kept}.</caption>\n"
        f"<tr><th>step</th><th>accuracy</th><th>balanced accuracy</th></tr>\n{rows}\n</table>"
    )


def _recall_table(result: "TeachResult") -> str:
    """Return how much of each class was recognised on the test split, where the classes differ in size."""
    if not result.test.classes_differ_in_size:
        return ""
    counts = result.test.confusion.sum(axis=1)
    rows = "".join(
        f"<tr><td>{_escape(name)}</td><td>{f'{share:.1%}' if count else 'none'}</td><td>{count}</td></tr>"
        for name, share, count in zip(result.data.class_names, result.test.recalls, counts, strict=True)
    )
    return (
        "<h2>How much of each class is recognised</h2>\n<table>\n"
        f"<caption>The classes differ in size, and the accuracy speaks mostly of the largest. Balanced accuracy, the "
        f"mean of these shares: <strong>{result.test.balanced_accuracy:.1%}</strong></caption>\n"
        f"<tr><th>class</th><th>recall</th><th>test pictures</th></tr>\n{rows}\n</table>"
    )


def _confusion_table(matrix: np.ndarray, *, class_names: Sequence[str]) -> str:
    """Return the matrix as a table, not a picture: names in every script show, and a screen reader reads it."""
    names = [_escape(name) for name in class_names]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = []
    for name, counts in zip(names, matrix, strict=True):
        # Okabe-Ito blue, the stronger the larger the share of the row; dark text stays readable on it.
        cells = [
            f'<td style="background: rgb(0 114 178 / {0.6 * n / max(1, counts.sum()):.2f})">{n}</td>' for n in counts
        ]
        rows.append(f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>')
    caption = _escape(describe_confusion(matrix, class_names=class_names))
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
    counts = ", ".join(f"{data.counts[split]} {split}" for split in datasets.SPLITS)
    near = data.near_duplicates
    return f"{counts}; {near} near duplicates, each kept in one split with those that it resembles" if near else counts


def _png_address(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _mistakes_gallery(result: "TeachResult") -> str:
    positions = result.test.mistakes()[:MOST_MISTAKES]
    if not len(positions):
        return "<p>None on the test pictures.</p>"
    pictures = datasets.pictures_at(result.data.test, positions)
    figures = [_mistake_figure(result, i, picture) for i, picture in zip(positions, pictures, strict=True)]
    return f'<div class="gallery">{"".join(figures)}</div>'


def _mistake_figure(result: "TeachResult", position: int, picture: np.ndarray) -> str:
    names, test = result.data.class_names, result.test
    truth, answer = names[test.labels[position]], names[test.predicted[position]]
    caption = _escape(f"{truth}, taken for {answer} ({test.probabilities[position].max():.0%})")
    buffer = BytesIO()
    thumbnail = Image.fromarray(picture)
    thumbnail.thumbnail((240, 240))
    thumbnail.save(buffer, format="PNG")
    image = f'<img alt="{caption}" src="{_png_address(buffer.getvalue())}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
