"""Load TensorFlow without its remarks on the machine (and draw without those on its fonts).

While it is imported, TensorFlow's C++ part writes to file descriptor 2 what it found (no CUDA, which instructions the
processor has), and no setting stops that: tensorflow/tensorflow#100442. In a notebook these lines look like errors.
Warnings and errors are let through.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

REMARK = re.compile(
    r"I\d{4} |WARNING: All log messages before absl::|To enable the following instructions|"
    r"INFO: Created TensorFlow Lite|Fontconfig warning|\s*$"
)


@contextmanager
def without_remarks() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, then pass on all but the remarks.

    Example:
        >>> with without_remarks():
        ...     import tensorflow as tf
    """
    # TensorFlow reads it when it loads. 3, because at the first operation a machine without a GPU is reported as an
    # error ("failed call to cuInit"); what really goes wrong comes as a Python exception all the same.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = _copy_descriptor_2()
    if kept is None:
        yield
        return
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held_back.seek(0)
            lines = held_back.read().decode(errors="replace").splitlines()
            for line in lines:
                if not REMARK.match(line):
                    print(line, file=sys.stderr)


def _copy_descriptor_2() -> int | None:
    """Return a copy of it, or None if it is closed (`2>&-`, a program without a console)."""
    try:
        sys.stderr.flush()
        return os.dup(2)
    except (AttributeError, OSError):
        return None
