"""Memory that was freed is kept for the next step; nothing looks for garbage while a module is loaded."""

import ctypes
import gc
import subprocess
import sys

import pytest

from helpers._memory import without_garbage_collection

# Takes and frees six blocks of 16 MiB, 4,096 pages each, over and over; prints how many pages the system had to bring.
PROGRAM = """
import resource
import helpers
{first}
pages = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = pages()
for _ in range(20):
    blocks = [bytearray(16 * 2**20) for _ in range(6)]
    del blocks
print(pages() - before)
"""


def count_pages(first: str) -> int:
    call = [sys.executable, "-c", PROGRAM.format(first=first)]
    return int(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc is what gives memory back"
)
def test_once_a_module_is_loaded_freed_memory_is_kept() -> None:
    assert count_pages("helpers.files") < 2 * 6 * 4096 < 10 * 6 * 4096 < count_pages("")


COUNT_ROUNDS = """
import gc
rounds = []
gc.callbacks.append(lambda phase, about: rounds.append(phase))
import helpers
{how}
print(len(rounds), gc.isenabled())
"""


@pytest.mark.parametrize(("how", "some"), [("helpers.images", False), ("import helpers.images", True)])
def test_nothing_looks_for_garbage_while_a_module_is_loaded(how: str, some: bool) -> None:
    call = [sys.executable, "-c", COUNT_ROUNDS.format(how=how)]
    rounds, enabled = subprocess.run(call, check=True, capture_output=True, text=True).stdout.split()
    assert (int(rounds) > 20) == some
    assert enabled == "True"


def test_where_nothing_looked_for_garbage_nothing_does_afterwards() -> None:
    gc.disable()
    try:
        with without_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
