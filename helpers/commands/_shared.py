"""What every command of the command line is made with."""

import argparse
from pathlib import Path
from typing import Any

from helpers import files


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


def make_printable(text: str) -> str:
    r"""Write out what would move the cursor or colour the screen, so that a file's name cannot.

    Example:
        >>> make_printable("고양이 1.jpg"), make_printable("new\nline.jpg")
        ('고양이 1.jpg', 'new\\nline.jpg')
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def check_folder(folder: Path) -> None:
    """Refuse, before long work and not after it, a folder that no file can be written to, or with a file in its way."""
    in_the_way = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if in_the_way:
        raise ValueError(
            f"Received output '{folder}', where no file can be written ('{in_the_way}' is a file). "
            "Choose another folder."
        )
    files.require_writable(folder)
