"""Compare `data check` on real photos with opening and decoding each of them once with Pillow.

    COURSE_PHOTOS=FOLDER python benchmarks/data_check.py

`COURSE_PHOTOS` holds `cat_dog_small/train` (2,000 photos). Prints the ratio and keeps it in
benchmarks/results/data_check.json. Without `COURSE_PHOTOS` nothing is measured and the last results stay.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from helpers import cleaning, images

RESULTS = Path(__file__).parent / "results" / "data_check.json"
ROUNDS = 9
BUDGET = 1.5


def decode_with_pillow(file: Path) -> None:
    """Open and decode one file, and nothing else."""
    with Image.open(file) as picture:
        picture.load()


def decode_all(files: list[Path]) -> None:
    """Decode files with as many threads as `data check` takes (`cleaning.inspect_files`)."""
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        list(pool.map(decode_with_pillow, files))


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds on the clock, and on all processors together."""
    start, processor_start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - processor_start


def main() -> None:
    """Measure in turns, since a machine's speed changes, and keep the median of the ratios."""
    if not os.environ.get("COURSE_PHOTOS"):
        print("COURSE_PHOTOS is not set: nothing measured.")
        return
    folder = Path(os.environ["COURSE_PHOTOS"]) / "cat_dog_small" / "train"
    files = images.find_files(folder)
    rounds = [
        (measure(lambda: decode_all(files)), measure(lambda: cleaning.find_problems(folder))) for _ in range(ROUNDS)
    ]
    clock, processor = (
        round(statistics.median(check[kind] / plain[kind] for plain, check in rounds), 2) for kind in (0, 1)
    )
    results = {
        "pictures": len(files),
        "pillow_seconds": round(min(plain[0] for plain, _ in rounds), 2),
        "check_seconds": round(min(check[0] for _, check in rounds), 2),
        "ratio": clock,
        "ratio_of_processor_time": processor,
        "budget": BUDGET,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))
    if clock > BUDGET:
        print(f"Above the budget of {BUDGET}.")


if __name__ == "__main__":
    main()
