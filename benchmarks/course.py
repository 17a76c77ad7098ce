"""Measure what each notebook costs in the quick profile, in passes, with the data set drawn already.

    python benchmarks/course.py              # all of them
    python benchmarks/course.py 07 08        # the figures of the others stay; features are computed anew for these, too
    python benchmarks/course.py --store      # store the outputs as well, as `make outputs` does: one run for both

A pass is measured before and after each notebook (see helpers/doctor.py). Prints passes and seconds, keeps them in
benchmarks/results/course.json, from where the README quotes them, and ends with code 1 if a budget does not hold.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from helpers import datasets
from helpers.commands import notebooks, outputs
from helpers.doctor import QUIET_PASS, measure_pass

RESULTS = Path(__file__).parent / "results" / "course.json"
MOST_PER_LESSON = 8  # passes
MOST_IN_ALL = 70


def main() -> int:
    """Run the notebooks once, features computed anew, and keep what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    parser.add_argument("--store", action="store_true", help="store the outputs in the notebooks")
    options = parser.parse_args()
    datasets.load("synthetic_pets")  # draws it, if need be
    shutil.rmtree(datasets.data_folder() / "features", ignore_errors=True)
    costs = json.loads(RESULTS.read_text())["notebooks"] if RESULTS.exists() else {}
    before = measure_pass()
    for path in notebooks.find_notebooks(options.notebooks):
        seconds = run(path, store=options.store)
        after = measure_pass()
        seconds_per_pass = (before + after) / 2
        costs[path.stem] = {
            "passes": round(seconds / seconds_per_pass, 1),
            "seconds": round(seconds),
            "seconds_per_pass": round(seconds_per_pass, 1),
        }
        print(f"{path.stem}: {costs[path.stem]}", flush=True)
        before = after
    names = {path.stem for path in notebooks.find_notebooks()}
    kept = {name: costs[name] for name in sorted(names & set(costs))}
    broken = broken_budgets({name: cost["passes"] for name, cost in kept.items()})
    in_all = round(sum(cost["passes"] for cost in kept.values()), 1)
    summary = {"notebooks": kept, "passes_in_all": in_all, "quiet_pass": QUIET_PASS, "broken_budgets": broken}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"Together {in_all} passes. " + ("; ".join(broken) or "Every budget holds."))
    return 1 if broken else 0


def run(path: Path, *, store: bool) -> float:
    """Execute a notebook and return the seconds it took."""
    start = time.perf_counter()
    if store:
        outputs.refresh_outputs(path, force=True)
    else:
        with tempfile.TemporaryDirectory() as folder:
            list(notebooks.run_notebooks([path], output=Path(folder)))
    return time.perf_counter() - start


def broken_budgets(passes: dict[str, float]) -> list[str]:
    """Return a line for each budget that does not hold: a lesson's, or that of all together."""
    lines = [
        f"{name} costs {cost} passes, at most {MOST_PER_LESSON} are allowed"
        for name, cost in passes.items()
        if cost > MOST_PER_LESSON
    ]
    if sum(passes.values()) > MOST_IN_ALL:
        lines.append(f"all cost {sum(passes.values()):.1f} passes, at most {MOST_IN_ALL} are allowed")
    return lines


if __name__ == "__main__":
    sys.exit(main())
