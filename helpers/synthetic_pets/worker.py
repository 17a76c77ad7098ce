"""Draw many pictures on all processor cores, in order.

Each core runs this module as a program of its own and writes its share to a pipe. Unlike Python's process pools this
never imports the caller's script or notebook again, and no worker inherits TensorFlow's threads.
A worker whose reader is gone stops at its next write.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import cv2

from helpers._pets.scene import draw_jpeg, draw_labels

LENGTH = struct.Struct("<I")  # each JPEG file is preceded by its number of bytes


def draw_many(*, seed: int, split: str, number: int, workers: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Draw the first pictures of a split.

    Args:
        seed: the data set's seed.
        split: "train", "validation" or "test".
        number: how many pictures.
        workers: how many processes draw; by default one a processor core.

    Yields:
        (label, JPEG file's bytes), in the order of the pictures' numbers.

    Raises:
        RuntimeError: a worker died; the message carries the last line it wrote.
    """
    workers = max(1, min(workers or _count_cores(), number))
    with ExitStack() as open_now:
        processes = [_start(open_now, (seed, split, number, first, workers)) for first in range(workers)]
        for index, label in enumerate(draw_labels(seed=seed, split=split, number=number)):
            yield label, _read(*processes[index % workers])


def _count_cores() -> int:
    """Return the number of cores this process may use, which a container can restrict."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(open_now: ExitStack, arguments: tuple) -> tuple[subprocess.Popen, BinaryIO]:
    """Start a worker that is killed when `open_now` closes; return it and the file of its error messages."""
    errors = open_now.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (open_now is the context)
    root = str(Path(__file__).resolve().parents[2])
    search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", __name__, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": search}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": errors}
    process = subprocess.Popen(command, env=environment, **pipes)
    open_now.enter_context(process)  # waits, and closes the pipe
    open_now.callback(process.kill)  # before that
    return process, errors


def _read(process: subprocess.Popen, errors: BinaryIO) -> bytes:
    """Read the next JPEG file from a worker's pipe."""
    header = process.stdout.read(LENGTH.size)
    length = LENGTH.unpack(header)[0] if len(header) == LENGTH.size else -1
    file = process.stdout.read(max(0, length))
    if len(file) != length:
        code = process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"A process that draws pictures ended with code {code} before it was done: {said}")
    return file


def _main() -> None:
    """Draw pictures FIRST, FIRST + STEP, ... of a split and write them to standard output."""
    seed, split, number, first, step = sys.argv[1:]
    seed, number, first, step = int(seed), int(number), int(first), int(step)
    cv2.setNumThreads(1)  # the other cores are busy with the other pictures
    labels = draw_labels(seed=seed, split=split, number=number)
    for index in range(first, number, step):
        file = draw_jpeg(label=labels[index], seed=seed, split=split, index=index)
        sys.stdout.buffer.write(LENGTH.pack(len(file)) + file)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main()
