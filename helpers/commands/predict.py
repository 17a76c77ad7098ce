"""`python -m helpers predict`: label pictures with a model that `teach` made."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers.commands._shared import add_command, expand_path, make_printable, say

if TYPE_CHECKING:
    from helpers import prediction


def add_predict(commands: Any) -> None:
    """Add `predict`."""
    parser = add_command(
        commands,
        "predict",
        predict_paths,
        help="Label pictures with a model that `teach` made.",
        example="predict my_model.keras holiday.jpg more_photos --format csv",
    )
    parser.add_argument("model", type=expand_path, metavar="MODEL.keras", help="what `teach` wrote")
    parser.add_argument("paths", nargs="+", type=expand_path, metavar="PATH", help="pictures, or folders of pictures")
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="table to look at (default); csv or json for other programs, all with file, label, probability (0 to 1)",
    )


def predict_paths(options: argparse.Namespace) -> int:
    """Print one line per picture on standard output; each file without an answer is named on standard error."""
    files = _expand(options.paths)
    from helpers import prediction

    classifier = prediction.load_classifier(options.model)
    predictions, problems = prediction.predict_files(classifier, files)
    {"table": _print_table, "csv": _print_csv, "json": _print_json}[options.format](predictions)
    for problem in problems:
        say(f"Not read: {problem.file} ({problem.reason.rstrip('.')}).", file=sys.stderr)
    return 1 if problems else 0


def _expand(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by all below them that claims to be a picture: each file is answered, or named."""
    from helpers import cleaning

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = cleaning.find_candidates(path)
            if not found:
                raise ValueError(f"Received folder '{path}' without a picture in it, expected one or more.")
            files.extend(found)
        elif path.is_symlink() or path.exists():  # a link that leads nowhere is named, and the others are answered
            files.append(path)
        else:
            raise FileNotFoundError(f"There is no file or folder '{path}'. Check the path.")
    return files


def _print_table(predictions: Sequence["prediction.Prediction"]) -> None:
    table = Table("file", "label", "probability")
    table.columns[0].overflow = "fold"
    for row in predictions:
        table.add_row(Text(make_printable(row.file)), Text(make_printable(row.label)), f"{row.probability:.3f}")
    Console().print(table)


def _print_csv(predictions: Sequence["prediction.Prediction"]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", "probability"])
    writer.writerows([row.file, row.label, f"{row.probability:.6f}"] for row in predictions)


def _print_json(predictions: Sequence["prediction.Prediction"]) -> None:
    print(json.dumps([row._asdict() for row in predictions], indent=2, ensure_ascii=False))
