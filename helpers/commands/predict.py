"""`python -m helpers predict`: label pictures with a model that `teach` made, or with another."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from helpers.commands._shared import add_command, expand_path, make_printable, say

if TYPE_CHECKING:
    from helpers import prediction

# Takes a prediction when there is one, and None at the end.
Writer = Callable[["prediction.Prediction | None"], None]


def add_predict(commands: Any) -> None:
    """Add `predict`."""
    parser = add_command(
        commands,
        "predict",
        predict_paths,
        help="Label pictures with a model that `teach` made, or with another Keras model.",
        example="predict my_model.keras holiday.jpg more_photos --threshold 0.8 --format csv",
    )
    parser.add_argument("model", type=expand_path, metavar="MODEL.keras", help="what `teach` wrote; or a .h5 file")
    parser.add_argument("paths", nargs="+", type=expand_path, metavar="PATH", help="pictures, or folders of pictures")
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="table to look at (default); csv or json for other programs, all with file, label, probability (0 to 1)",
    )
    parser.add_argument(
        "--top-k", type=int, default=1, metavar="K", help="the K most probable classes per picture, a row for each"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="P",
        help="label a picture 'neither' where no class has a probability of P (0 to 1) or more",
    )
    parser.add_argument(
        "--class-names",
        metavar="NAMES",
        help="of a model from elsewhere, in label order: cat,dog or a file with a line for each (labels.txt)",
    )
    parser.add_argument(
        "--scaling",
        choices=("none", "unit", "tf"),
        help="of a model from elsewhere: what its pixels were in training, 0 to 255, 0 to 1, or -1 to 1 (Teachable "
        "Machine)",
    )


def predict_paths(options: argparse.Namespace) -> int:
    """Print a line per picture on standard output as it comes; then name each file without an answer on the other."""
    files = _expand(options.paths)
    from helpers import prediction

    names = _read_names(options.class_names)
    classifier = prediction.load_classifier(options.model, class_names=names, scaling=options.scaling)
    answers = prediction.stream_predictions(classifier, files, top_k=options.top_k, threshold=options.threshold)
    writers = {"table": _table_writer, "csv": _csv_writer, "json": _json_writer}
    write = writers[options.format]([*classifier.class_names, prediction.NEITHER])
    problems = []
    for answer in answers:
        if isinstance(answer, prediction.Problem):
            problems.append(answer)
        else:
            write(answer)
    write(None)
    for problem in problems:
        say(f"Not read: {problem.file} ({problem.reason.rstrip('.')}).", file=sys.stderr)
    return 1 if problems else 0


def _read_names(text: str | None) -> Sequence[str] | None:
    """Read class names as they were given: a list, or a file of them."""
    from helpers import prediction

    if text is None:
        return None
    path = expand_path(text)
    if path.is_file():
        return prediction.read_class_names(path)
    if path.suffix == ".txt":
        raise FileNotFoundError(f"There is no file '{text}'. Check the path.")
    return [name.strip() for name in text.split(",")]


def _expand(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by all below them that claims to be a picture: each file is answered, or named."""
    from helpers import cleaning

    files: list[Path] = []
    for path in paths:
        if os.path.isdir(path):
            found = cleaning.find_candidates(path)
            if not found:
                raise ValueError(f"Received folder '{path}' without a picture, expected one or more. Check the path.")
            files.extend(found)
        elif _is_missing(path):
            raise FileNotFoundError(f"There is no file or folder '{path}'. Check the path.")
        else:  # what cannot be read, such as a link that leads nowhere, is named, and the others are answered
            files.append(path)
    return files


def _is_missing(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # in a folder that may not be entered, say
        return False
    return False


def _table_writer(labels: Sequence[str]) -> Writer:
    # Only the file's name can be of any length, so it comes last, and no row has to wait for the others.
    labels = [make_printable(label) for label in labels]
    width = max(len("label"), *(cell_len(label) for label in labels))
    print(f"probability  {set_cell_size('label', width)}  file")

    def write(row: "prediction.Prediction | None") -> None:
        if row:
            label = set_cell_size(make_printable(row.label), width)
            print(f"{row.probability:11.3f}  {label}  {make_printable(row.file)}")

    return write


def _csv_writer(_: Sequence[str]) -> Writer:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", "probability"])

    def write(row: "prediction.Prediction | None") -> None:
        if row:
            writer.writerow([row.file, row.label, f"{row.probability:.6f}"])

    return write


def _json_writer(_: Sequence[str]) -> Writer:
    before = "["

    def write(row: "prediction.Prediction | None") -> None:
        nonlocal before
        if row:
            print(before + "\n  " + json.dumps(row._asdict(), ensure_ascii=False), end="")
            before = ","
        else:
            print("[]" if before == "[" else "\n]")

    return write
