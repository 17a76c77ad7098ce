"""Memory that was freed is kept for the next step."""

import ctypes
import subprocess
import sys

import pytest

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
