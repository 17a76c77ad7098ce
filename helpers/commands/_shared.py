"""What every command of the command line is made with."""

import argparse
import os
from pathlib import Path
from typing import Any, TextIO


def add_command(commands: Any, name: str, run: Any, *, help: str, example: str) -> argparse.ArgumentParser:
    """Add a command to those of a parser; its help ends with the example, which a test calls."""
    parser = commands.add_parser(
        name,
        help=help,
        description=help,
        epilog=f"Example:\n  python -m helpers {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_notebooks(parser: argparse.ArgumentParser) -> None:
    """Add which notebooks are meant."""
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")


def add_lesson_options(parser: argparse.ArgumentParser) -> None:
    """Add which notebooks are meant, and which parameters they get."""
    add_notebooks(parser)
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


def expand_path(text: str) -> Path:
    """Read a path as typed; a shell leaves the `~` of `--output=~/out` as it is."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises for a user that is not there


def make_printable(text: str) -> str:
    r"""Write out what would move the cursor or colour the screen, or can't be encoded, so that a file's name cannot.

    Example:
        >>> make_printable("고양이 1.jpg"), make_printable("new\nline.jpg"), make_printable("\udcb0.jpg")
        ('고양이 1.jpg', 'new\\nline.jpg', '\\udcb0.jpg')
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print one line, whatever the names in it are made of, on standard output unless told otherwise."""
    print(make_printable(text), file=file)
