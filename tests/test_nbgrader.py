"""nbgrader itself hands out, marks and gives feedback on what `student --nbgrader` writes: `make test-nbgrader`.

Needs nbgrader, and does not install it. Three learners hand in: one who solved everything, one who solved nothing, and
one who solved half, with a warning beside a right answer, parameters of their own, and a check made to pass.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.commands import notebooks, student

pytestmark = pytest.mark.nbgrader

pytest.importorskip("nbgrader", reason="needs nbgrader: pip install nbgrader")

SMALL = "90_two_exercises"
LESSON = "01_images_as_arrays"
IMPORTS = "import warnings\nfrom pathlib import Path\nimport numpy as np\nfrom helpers import checks"
CROP = """
def crop(image, left, top, width, height):
    ### BEGIN SOLUTION
    return image[top : top + height, left : left + width]
    ### END SOLUTION
""".strip()
BRIGHTEN = """
def brighten(image, amount):
    ### BEGIN SOLUTION
    warnings.warn("a remark")
    return np.clip(image.astype(int) + amount, 0, WHITE).astype(np.uint8)
    ### END SOLUTION
""".strip()
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def code(source: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)})


def write_small_lesson(folder: Path) -> Path:
    cells = [
        new_markdown_cell("# Two exercises"),
        code(IMPORTS),
        code('FOLDER = "given"', "parameters"),
        code('WHITE = int(Path(FOLDER, "white.txt").read_text())'),
        code(CROP, "exercise"),
        code("checks.nb01.check_crop(crop)", "check"),
        code(BRIGHTEN, "exercise"),
        code("checks.nb01.check_brighten(brighten)", "check"),
    ]
    path = folder / f"{SMALL}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
    return path


def run_nbgrader(course: Path, *arguments: str) -> None:
    """Call nbgrader as a teacher does, in the course's folder and environment (it looks for `alembic` on the path)."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def read(course: Path, step: str, name: str) -> NotebookNode:
    return nbformat.read(course / step / name / f"{name}.ipynb", as_version=4)


def cells_by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that nbgrader knows, by its name for them."""
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def hand_in(course: Path, learner: str, name: str, *, answers: Mapping[str, str]) -> None:
    """Submit the notebook that was handed out, with other text in the cells named."""
    notebook = read(course, "release", name)
    for grade_id, source in answers.items():
        cells_by_id(notebook)[grade_id].source = source
    folder = course / "submitted" / learner / name
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


def solutions(course: Path, name: str) -> dict[str, str]:
    found = cells_by_id(read(course, "source", name))
    return {grade_id: cell.source for grade_id, cell in found.items() if cell.metadata.nbgrader.solution}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of a small lesson and a real one: handed out, handed in, marked, with feedback."""
    course = tmp_path_factory.mktemp("course")
    paths = [write_small_lesson(course), *notebooks.find_notebooks([LESSON])]
    parameters = notebooks.choose_parameters(paths, {"DATASET": "synthetic_pets/tiny"})
    student.write_student_edition(paths, output=course, parameters=parameters, graded=True)
    given = course / "source" / SMALL / "given"  # as a folder of pictures would be
    given.mkdir()
    (given / "white.txt").write_text("255")
    for name in (SMALL, LESSON):
        run_nbgrader(course, "generate_assignment", name)
    right = solutions(course, SMALL)
    cheated = {"check_crop": "print('Right')", "parameters": 'FOLDER = "mine"'}
    hand_in(course, "all", SMALL, answers=right)
    hand_in(course, "none", SMALL, answers={})
    hand_in(course, "half", SMALL, answers={"brighten": right["brighten"], **cheated})
    right = solutions(course, LESSON)
    hand_in(course, "half", LESSON, answers={grade_id: right[grade_id] for grade_id in list(right)[::2]})
    for name in (SMALL, LESSON):
        run_nbgrader(course, "autograde", name)
    run_nbgrader(course, "generate_feedback", SMALL)
    run_nbgrader(course, "export", "--to", "grades.csv")
    return course


def points(course: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Points and most points, by assignment and learner."""
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["assignment"], row["student_id"]): (float(row["raw_score"]), float(row["max_score"]))
        for row in rows
        if (course / "submitted" / row["student_id"] / row["assignment"]).is_dir()
    }


@pytest.mark.parametrize("name", [SMALL, LESSON])
def test_what_is_handed_out_is_the_edition_for_learners(course: Path, name: str) -> None:
    released, source = read(course, "release", name), read(course, "source", name)
    for handed_out, solved in zip(released.cells, source.cells, strict=True):
        stripped = student.strip_solutions(solved.source) if student.BEGIN in solved.source else solved.source
        assert handed_out.source == stripped
        assert not handed_out.get("outputs")
    assert "SOLUTION" not in nbformat.writes(released)
    assert name == LESSON or (course / "release" / name / "given" / "white.txt").is_file()
    # Another try at the parameters and "Run all" past an open exercise stay possible; a check can't be changed.
    cells = cells_by_id(released)
    assert cells["parameters"].metadata.get("editable", True)
    assert "raises-exception" in cells["check_crop"].metadata.tags
    assert not cells["check_crop"].metadata.editable


def test_each_gets_the_points_of_what_is_right(course: Path) -> None:
    checks = [cell for cell in read(course, "release", LESSON).cells if "check" in cell.metadata.get("tags", [])]
    assert points(course) == {
        (SMALL, "all"): (2, 2),
        (SMALL, "none"): (0, 2),
        (SMALL, "half"): (1, 2),
        (LESSON, "half"): ((len(checks) + 1) // 2, len(checks)),  # the first, the third, ...
    }


def test_the_feedback_says_what_is_not_right_yet(course: Path) -> None:
    pages = {
        learner: (course / "feedback" / learner / SMALL / f"{SMALL}.html").read_text(encoding="utf-8")
        for learner in ("all", "none", "half")
    }
    open_exercises = {learner: page.count("You have not started this one yet") for learner, page in pages.items()}
    assert open_exercises == {"all": 0, "none": 2, "half": 1}
    assert pages["all"].count("Right: ") == 2
