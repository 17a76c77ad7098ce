"""The command line: `python -m helpers COMMAND`, one file per command.

Exit codes: 0 done; 1 it went wrong (a notebook failed, some pictures could not be read); 2 the call was wrong;
130 stopped with Ctrl-C.

What a command needs is imported in its functions, not on top: help is there at once.
"""

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.commands._shared import say
from helpers.commands.data import add_data
from helpers.commands.doctor import add_doctor
from helpers.commands.lint import add_lint
from helpers.commands.outputs import add_outputs
from helpers.commands.predict import add_predict
from helpers.commands.run import add_run
from helpers.commands.student import add_student
from helpers.commands.teach import add_teach


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: as on the command line, without the program's name; by default those of this process.
    """
    options = build_parser().parse_args(arguments)
    _prepare_streams()
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 1
    except (ValueError, ImportError, OSError) as error:
        say(f"python -m helpers {options.command}: {_explain(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        logging.disable()  # what libraries have to say about being stopped
        print("\nStopped. What was finished before is complete.", file=sys.stderr)
        return 130


def _prepare_streams() -> None:
    """Let file names in any script, even badly encoded ones, be written, and take what goes to a closed stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller (`2>&-`)
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _explain(error: Exception) -> str:
    """Return one line; what the operating system says names the file last, and never what to do."""
    if isinstance(error, OSError) and error.strerror:
        file = error.filename2 or error.filename  # of a move, where it should go
        named = f"'{file}': " if file else ""
        return f"{named}{error.strerror}. Check the path, its permissions and the free space."
    return " ".join(str(error).split())


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets `run`, the function that does it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers",
        description="The image-classification course: run its notebooks, or teach a network with your own pictures.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_doctor(commands)
    add_run(commands)
    add_teach(commands)
    add_predict(commands)
    add_data(commands)
    add_student(commands)
    add_lint(commands)
    add_outputs(commands)
    return parser
