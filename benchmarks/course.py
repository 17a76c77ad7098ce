"""Measure how long each notebook takes, in the quick profile, with the data set drawn already.

    python benchmarks/course.py

Prints the seconds and keeps them in benchmarks/results/course.json, from where the README quotes them.
"""

import json
import tempfile
from pathlib import Path

from helpers import course, datasets

RESULTS = Path(__file__).parent / "results" / "course.json"


def main() -> None:
    """Run the course once, features computed anew, and keep the seconds."""
    datasets.load("synthetic_pets")  # draws it, if need be
    for saved in (datasets.data_folder() / "features").glob("*.npz"):
        saved.unlink()
    with tempfile.TemporaryDirectory() as folder:
        results = course.run_notebooks(course.find_notebooks(), output=Path(folder))
        seconds = {result.name: round(result.seconds) for result in results}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(seconds, indent=2) + "\n")
    print(json.dumps(seconds, indent=2))


if __name__ == "__main__":
    main()
