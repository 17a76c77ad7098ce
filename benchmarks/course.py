"""Measure how long each notebook takes, in the quick profile, with the data set drawn already.

    python benchmarks/course.py              # all of them
    python benchmarks/course.py 04 05        # the figures of the others stay

Prints the seconds and keeps them in benchmarks/results/course.json, from where the README quotes them.
"""

import argparse
import json
import tempfile
from pathlib import Path

from helpers import datasets
from helpers.commands import notebooks

RESULTS = Path(__file__).parent / "results" / "course.json"


def main() -> None:
    """Run the notebooks once, features computed anew, and keep the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="number, name or path (default: all)")
    options = parser.parse_args()
    datasets.load("synthetic_pets")  # draws it, if need be
    for saved in (datasets.data_folder() / "features").glob("*.npz"):
        saved.unlink()
    seconds = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for result in notebooks.run_notebooks(notebooks.find_notebooks(options.notebooks), output=Path(folder)):
            seconds[result.name] = round(result.seconds)
    names = {path.stem for path in notebooks.find_notebooks()}
    kept = {name: seconds[name] for name in sorted(names & set(seconds))}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")
    print(json.dumps(kept, indent=2))


if __name__ == "__main__":
    main()
