"""The command line: `python -m helpers COMMAND`.

Exit codes: 0 done; 1 it went wrong (a notebook failed, some pictures could not be read); 2 the call was wrong;
130 stopped with Ctrl-C.
"""

import argparse
import csv
import io
import json
import logging
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers._commands import add_command, check_folder, make_printable
from helpers._data_commands import add_data

if TYPE_CHECKING:
    from helpers import prediction

DEFAULT_BACKBONE = "EfficientNetLite0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: as on the command line, without the program's name; by default those of this process.
    """
    options = build_parser().parse_args(arguments)
    _write_any_name()
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 1
    except (ValueError, ImportError, OSError) as error:
        print(f"python -m helpers {options.command}: {_explain(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        logging.disable()  # what libraries have to say about being stopped
        print("\nStopped. What was finished before is complete.", file=sys.stderr)
        return 130


def _write_any_name() -> None:
    """Let file names in any script, even badly encoded ones, be written, also to a file on Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _explain(error: Exception) -> str:
    """Return one line; what the operating system says names the file last, and never what to do."""
    if isinstance(error, OSError) and error.strerror:
        file = error.filename2 or error.filename  # of a move, where it should go
        return (
            f"{f'{str(file)!r}: ' if file else ''}{error.strerror}. Check the path, its permissions and the free space."
        )
    return " ".join(str(error).split())


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets `run`, the function that does it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers",
        description="The image-classification course: run its notebooks, or teach a network with your own pictures.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_teach(commands)
    _add_predict(commands)
    add_data(commands)
    _add_student(commands)
    _add_outputs(commands)
    return parser


# --- run ---------------------------------------------------------------------------------------------------------


def _add_run(commands: Any) -> None:
    parser = add_command(
        commands,
        "run",
        run_course,
        help="Execute the notebooks in order, and write them and one HTML index of them to a folder.",
        example="run 07 -p DATASET my_photos",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument(
        "--profile",
        default="quick",
        help="quick (minutes, the default), or full (cats_vs_dogs, downloaded, and longer training: a GPU or a night)",
    )
    parser.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter (see the notebook's first code cell), for example -p DATASET my_photos; may be repeated",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("output"),
        metavar="DIR",
        help="where the executed notebooks and index.html go; made if need be (default: output)",
    )


def run_course(options: argparse.Namespace) -> int:
    """Execute notebooks; a closing table says how long each took."""
    from helpers import course

    check_folder(options.output)
    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it logs, the failure says
    notebooks = course.find_notebooks(options.notebooks)
    results: list[course.RunResult] = []
    failure = None
    try:
        for result in course.run_notebooks(
            notebooks, output=options.output, parameters=dict(options.parameters), profile=options.profile
        ):
            results.append(result)
    except course.NotebookFailedError as error:
        failure = error
        results.append(error.result)
    finally:  # also when stopped with Ctrl-C
        if results:
            index = course.write_index(results, output=options.output)
            Console(stderr=True).print(_minutes_table(results))
    if failure:
        print(f"\n{failure}\n\nThe notebook up to there: {failure.result.page}", file=sys.stderr)
        return 1
    print(f"Done. Open {index} in a browser.")
    return 0


def _minutes_table(results: Sequence[Any]) -> Table:
    table = Table("notebook", "minutes", title="As run here")
    table.columns[1].justify = "right"
    for result in results:
        name = f"{result.name} (stopped)" if result.failed else result.name
        table.add_row(Text(name), f"{result.seconds / 60:.1f}")
    table.add_section()
    table.add_row("together", f"{sum(result.seconds for result in results) / 60:.1f}")
    return table


# --- teach -------------------------------------------------------------------------------------------------------


def _add_teach(commands: Any) -> None:
    parser = add_command(
        commands,
        "teach",
        teach_folder,
        help="Train a classifier on a folder with one sub-folder of pictures a class, and report how good it is.",
        example="teach my_photos --output my_model.keras",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="one sub-folder a class, two classes or more")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="MODEL.keras",
        help="the model; its report goes beside it (.html); files of these names are replaced",
    )
    parser.add_argument(
        "--backbone",
        default=DEFAULT_BACKBONE,
        metavar="NAME",
        help=f"pretrained network (default: {DEFAULT_BACKBONE})",
    )
    parser.add_argument(
        "--image-size", type=int, default=224, metavar="N", help="pixels a side, 32 to 600 (default: 224)"
    )


def teach_folder(options: argparse.Namespace) -> int:
    """Train, save and report; say the accuracy and the confusion matrix."""
    if not 32 <= options.image_size <= 600:
        raise ValueError(f"Received --image-size {options.image_size}, expected 32 to 600 pixels.")
    check_folder(options.output.parent)
    from helpers import teaching

    start = time.perf_counter()
    lesson = teaching.teach(
        options.folder, output=options.output, backbone=options.backbone, image_size=options.image_size
    )
    test, names = lesson.test, lesson.data.class_names
    print(f"\nTest accuracy: {test.accuracy:.3f} on {len(test.labels)} pictures it had not seen.")
    table = Table("true \\ predicted")
    for name in names:
        table.add_column(Text(name), justify="right")  # Text: a name in brackets is no command to rich
    for name, row in zip(names, test.confusion, strict=True):
        table.add_row(Text(name), *map(str, row))
    Console().print(table)
    print(f"Model:  {lesson.model}\nReport: {lesson.report}")
    print(f"{time.perf_counter() - start:.0f} seconds. Try it:")
    print(f"    python -m helpers predict {shlex.quote(str(lesson.model))} PICTURE")
    return 0


# --- predict -----------------------------------------------------------------------------------------------------


def _add_predict(commands: Any) -> None:
    parser = add_command(
        commands,
        "predict",
        predict_paths,
        help="Label pictures with a model that `teach` made.",
        example="predict my_model.keras holiday.jpg more_photos --format csv",
    )
    parser.add_argument("model", type=Path, metavar="MODEL.keras", help="what `teach` wrote")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="pictures, or folders of pictures")
    parser.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="table to look at (default); csv or json for other programs, all with file, label, probability (0 to 1)",
    )


def predict_paths(options: argparse.Namespace) -> int:
    """Print one line a picture on standard output; files that cannot be read go to standard error."""
    files = _expand(options.paths)
    from helpers import prediction

    classifier = prediction.load_classifier(options.model)
    predictions, problems = prediction.predict_files(classifier, files)
    {"table": _print_table, "csv": _print_csv, "json": _print_json}[options.format](predictions)
    for problem in problems:
        print(f"Not read: {make_printable(problem.file)} ({problem.reason.rstrip('.')}).", file=sys.stderr)
    return 1 if problems else 0


def _expand(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by the pictures below them."""
    from helpers import images

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = images.find_files(path)
            if not found:
                raise ValueError(f"Received folder '{path}' without a picture in it, expected one or more.")
            files.extend(found)
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"There is no file or folder '{path}'. Check the path.")
    return files


def _print_table(predictions: Sequence["prediction.Prediction"]) -> None:
    table = Table("file", "label", "probability")
    table.columns[0].overflow = "fold"
    for row in predictions:
        table.add_row(Text(make_printable(row.file)), Text(row.label), f"{row.probability:.3f}")
    Console().print(table)


def _print_csv(predictions: Sequence["prediction.Prediction"]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", "probability"])
    writer.writerows([row.file, row.label, f"{row.probability:.6f}"] for row in predictions)


def _print_json(predictions: Sequence["prediction.Prediction"]) -> None:
    print(json.dumps([row._asdict() for row in predictions], indent=2, ensure_ascii=False))


# --- editions ----------------------------------------------------------------------------------------------------


def _add_student(commands: Any) -> None:
    parser = add_command(
        commands,
        "student",
        write_students,
        help="Write the notebooks for students: a stub in place of each solution.",
        example="student --output student",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument("--output", type=Path, default=Path("student"), metavar="DIR", help="default: student")
    parser.add_argument(
        "--force", action="store_true", help="replace notebooks there that differ: somebody's answers would be lost"
    )


def write_students(options: argparse.Namespace) -> int:
    """Write the student edition and name the files."""
    from helpers import course

    check_folder(options.output)
    notebooks = course.find_notebooks(options.notebooks)
    for path in course.write_student_edition(notebooks, output=options.output, force=options.force):
        print(path)
    return 0


def _add_outputs(commands: Any) -> None:
    parser = add_command(
        commands,
        "outputs",
        refresh_outputs,
        help="For authors: execute the notebooks whose code has changed and store their outputs in them.",
        example="outputs 07 --all",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument("--all", action="store_true", help="also those whose code has not changed")


def refresh_outputs(options: argparse.Namespace) -> int:
    """Execute what has changed, and say which notebooks were executed."""
    from helpers import course

    for path in course.find_notebooks(options.notebooks):
        try:
            executed = course.refresh_outputs(path, force=options.all)
        except course.NotebookFailedError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{path.name}: {'executed' if executed else 'unchanged'}")
    return 0
