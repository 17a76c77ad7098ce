"""The commands `python -m helpers data ...`: look after the pictures before a network sees them."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers import files
from helpers.commands._shared import add_command, expand_path, make_printable, say

if TYPE_CHECKING:
    from helpers import cleaning

FINDINGS_SHOWN = 20  # unusable files first; the manifest has all


def add_data(commands: Any) -> None:
    """Add `data` and the commands below it; each sets `run`, the function that does it."""
    parser = add_command(
        commands,
        "data",
        None,
        help="Look after pictures before a network sees them.",
        example="data check my_photos",
    )
    data_commands = parser.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    _add_check(data_commands)
    _add_get(data_commands)


# --- check -------------------------------------------------------------------------------------------------------


def _add_check(data_commands: Any) -> None:
    parser = add_command(
        data_commands,
        "check",
        check_pictures,
        help="Decode every picture of a folder, and list the damaged, odd and duplicate ones. Nothing is deleted.",
        example="data check my_photos --manifest findings.csv --set-aside damaged",
    )
    parser.add_argument("folder", type=expand_path, metavar="FOLDER", help="looked through with everything below it")
    parser.add_argument(
        "--manifest", type=expand_path, metavar="FILE.csv", help="write all findings there; replaces the file"
    )
    parser.add_argument(
        "--set-aside",
        type=expand_path,
        metavar="DIR",
        help="move the files that cannot be used there, with a manifest of them; a folder outside FOLDER",
    )


def check_pictures(options: argparse.Namespace) -> int:
    """List what was found; 1 if some files cannot be used, moved or not."""
    from helpers import cleaning

    _check_outputs(options)
    survey = cleaning.survey_folder(options.folder)
    number = len(survey.candidates)
    if not number:
        raise ValueError(f"Received folder '{options.folder}' without a picture, expected one or more. Check the path.")
    findings = cleaning.find_problems(options.folder, progress=True, survey=survey)
    unusable = {finding.file for finding in findings if not finding.usable}
    print(f"{number:,} pictures looked at, {number - len(unusable):,} of them usable.")
    for note in survey.notes:
        say(f"Note: {note}.")
    if survey.problem:
        say(f"For training: {survey.problem}")
    if findings:
        _print_findings(findings)
    if options.manifest:
        cleaning.write_manifest(findings, options.manifest)
        say(f"Manifest: {options.manifest}")
    if unusable and options.set_aside:
        moved = cleaning.set_aside(options.folder, findings, destination=options.set_aside)
        say(f"Moved {len(moved):,} files; listed in {options.set_aside / cleaning.MANIFEST_NAME}")
    elif unusable:
        print("Training leaves the unusable files out. To move them away: add --set-aside DIR")
    return 1 if unusable else 0


def _check_outputs(options: argparse.Namespace) -> None:
    """Refuse, before the work, what could not be written after it."""
    from helpers import cleaning

    if options.manifest:
        if options.manifest.is_dir():
            raise ValueError(f"Received --manifest '{options.manifest}', a folder, expected a file. Add a file name.")
        if options.manifest.suffix.lower() != ".csv":  # a slip of the finger must not replace a picture
            raise ValueError(
                f"Received --manifest '{options.manifest}', expected a name that ends in .csv. Choose one."
            )
        files.require_writable(options.manifest.parent)
    if options.set_aside:
        cleaning.check_destination(options.folder, options.set_aside)
        kept = options.set_aside / cleaning.MANIFEST_NAME
        if options.manifest and options.manifest.resolve() == kept.resolve():
            raise ValueError(
                f"Received --manifest '{options.manifest}', expected another file than the list of all that was set "
                "aside. Choose another name."
            )
        files.require_writable(options.set_aside)


def _print_findings(findings: Sequence["cleaning.Finding"]) -> None:
    counts = Table("kind", "files", "of them unusable")
    for column in counts.columns[1:]:
        column.justify = "right"
    for kind, number in Counter(finding.kind for finding in findings).most_common():
        unusable = sum(finding.kind == kind and not finding.usable for finding in findings)
        counts.add_row(kind, f"{number:,}", f"{unusable:,}")
    listed = Table("file", "kind", "what was found")
    for column in listed.columns:
        column.overflow = "fold"
    for finding in sorted(findings, key=lambda finding: finding.usable)[:FINDINGS_SHOWN]:
        listed.add_row(Text(make_printable(finding.file)), finding.kind, Text(make_printable(finding.detail)))
    console = Console()
    console.print(counts, listed)
    if len(findings) > FINDINGS_SHOWN:
        print(f"{len(findings) - FINDINGS_SHOWN:,} more findings: --manifest FILE.csv lists them all.")


# --- get ---------------------------------------------------------------------------------------------------------


def _add_get(data_commands: Any) -> None:
    parser = add_command(
        data_commands,
        "get",
        get_pictures,
        help="Download a data set of TensorFlow Datasets and store its pictures, once. What it costs is said first; "
        "a call that was stopped goes on where it was.",
        example="data get cats_vs_dogs --dry-run",
    )
    parser.add_argument("name", metavar="NAME", help="such as cats_vs_dogs; it is then loaded by this name")
    parser.add_argument("--dry-run", action="store_true", help="say what it costs, and do nothing")
    parser.add_argument(
        "--archive",
        type=expand_path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file of the data set that you downloaded in another way; its checksum is verified; may be repeated",
    )


def get_pictures(options: argparse.Namespace) -> int:
    """Say the cost, download and store; a data set that is here already is left as it is."""
    if Path(options.name).is_dir():
        raise ValueError(
            f"Received '{options.name}', a folder that is here, expected a data set's name. Nothing is to be got: "
            "give the folder wherever a data set's name is asked for."
        )
    for file in options.archive:
        if not file.is_file():
            raise FileNotFoundError(f"There is no file '{file}'. Check the path.")
    from helpers import datasets, downloads

    builder = datasets.find_builder(options.name)
    if downloads.is_prepared(builder):
        print(f"Already here. {downloads.describe_stored(builder)}")
        return 0
    if options.dry_run:
        downloads.refuse_manual(builder, name=options.name)
        files.require_writable(Path(builder.data_dir_root))
        print(downloads.measure_cost(builder, name=options.name).describe())
        return 0
    try:
        for file in options.archive:
            downloads.add_archive(builder, file)
        downloads.prepare(builder, name=options.name)
    except KeyboardInterrupt:
        print("\nThe same command goes on from here.", file=sys.stderr)
        raise
    print(f"Done. {downloads.describe_stored(builder)}")
    return 0
