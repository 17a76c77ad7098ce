"""What the documents say holds: measured figures, the map of the modules, the lessons' numbers, plans that add up."""

import ast
import importlib.util
import re
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import nbformat
import pytest
from test_package import ALLOWED, module_of

from helpers.checks._runner import CheckError
from helpers.commands import notebooks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEACHING = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_results_in_the_readme_are_those_that_were_measured() -> None:
    script = load_script("write_readme")
    section = script.render(script.read_results())
    assert script.insert(README, section) == README, "run benchmarks/write_readme.py"


def test_the_minutes_of_each_notebook_are_those_that_were_measured() -> None:
    costs = load_script("write_readme").read_results()["course"]
    seconds = {name: cost["passes"] * costs["quiet_pass"] for name, cost in costs["notebooks"].items()}
    for path in notebooks.find_notebooks():
        stated = re.search(r"about (\d+) (second|minute)s? to run", path.read_text(encoding="utf-8"))
        assert stated, f"{path.name} does not say how long it runs"
        stated_seconds = int(stated[1]) * (60 if stated[2] == "minute" else 1)
        assert stated_seconds / 2 <= seconds[path.stem] <= 1.5 * stated_seconds, path.name


def test_the_readme_maps_every_module_and_what_it_may_import() -> None:
    modules = {module_of(path) for path in (ROOT / "helpers").rglob("*.py") if not module_of(path).startswith("_")}
    rows = re.findall(r"^\| `([a-z_]+)` \| .+ \| (.*)\|$", README, flags=re.MULTILINE)
    mapped = {name: {"*"} if "anything" in uses else set(re.findall(r"`(\w+)`", uses)) for name, uses in rows}
    allowed = {name: {used for used in ALLOWED[name] if not used.startswith("_")} for name in modules}
    assert mapped == allowed


def test_the_readme_names_every_notebook_and_its_title() -> None:
    for path in notebooks.find_notebooks():
        assert f"notebooks/{path.name}" in README


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/teaching.md", "data/README.md"])
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        aim = path.parent / file if file else path
        assert aim.exists(), target
        assert not anchor or anchor in find_anchors(aim.read_text(encoding="utf-8")), target


def find_anchors(markdown: str) -> set[str]:
    """The names under which a page's headings can be linked."""
    headings = re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_walk_through_shows_what_the_check_says() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    with pytest.raises(CheckError) as caught:
        exec(re.search(r'python -c "(.+)"$', guide, flags=re.MULTILINE)[1], {})
    assert f"CheckError: {caught.value}\n" in guide, "this change has been made: walk through another"


# --- the instructor's guide --------------------------------------------------------------------------------------


class Lesson(NamedTuple):
    title: str
    minutes: int
    exercises: int
    sections: list[str]


@cache
def lessons() -> dict[str, Lesson]:
    """What the notebooks say of themselves, by number."""
    found = {}
    for path in notebooks.find_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        headings = re.findall(r"^##+ (?:\d+\. )?(.+?)(?: \(\d+ minutes.*\))?$", prose, flags=re.MULTILINE)
        tags = [cell.metadata.get("tags", []) for cell in cells if cell.cell_type == "code"]
        found[path.stem[:2]] = Lesson(
            title=re.match(r"# ([^:]+):", prose)[1],
            minutes=int(re.search(r"About (\d+) minutes to read", prose)[1]),
            exercises=sum("exercise" in one for one in tags),
            sections=headings,
        )
    return found


def read_table(markdown: str) -> list[dict[str, str]]:
    """The rows of the first table of a text, each by the names of the columns."""
    lines = re.search(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE)[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(names, row, strict=True)) for row in rows]


def read_part(heading: str) -> str:
    """The text below a heading of the guide, up to the next heading."""
    return re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", TEACHING, flags=re.MULTILINE | re.DOTALL)[1]


def read_days() -> list[tuple[re.Match, list[dict[str, str]]]]:
    """Each stated sum of a day, with the table below it."""
    stated = re.finditer(r"(\d+) minutes from (\d+:\d+)\s+to\s+(\d+:\d+), of which (\d+) are breaks", TEACHING)
    return [(day, read_table(TEACHING[day.end() :])) for day in stated]


def as_minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    return 60 * hours + minutes


def test_the_guide_has_the_lessons_numbers() -> None:
    *rows, together = read_table(read_part("The lessons in numbers"))
    assert [row["lesson"][1:3] for row in rows] == list(lessons())
    for row, lesson in zip(rows, lessons().values(), strict=True):
        assert (int(row["minutes"]), int(row["exercises"])) == (lesson.minutes, lesson.exercises), row
        exercises = [int(number) for place in ("in class", "at home") for number in re.findall(r"\d+", row[place])]
        assert sorted(exercises) == list(range(1, lesson.exercises + 1)), row
    for name in ("minutes", "exercises"):
        assert int(together[name]) == sum(int(row[name]) for row in rows)


def test_sections_and_exercises_that_the_guide_names_are_there() -> None:
    tables = [read_table(read_part("The lessons in numbers"))[:-1], *(rows for _, rows in read_days())]
    for row in (row for rows in tables for row in rows if row["lesson"]):
        lesson, text = lessons()[re.search(r"\d\d", row["lesson"])[0]], " ".join(row.values())
        assert set(re.findall(r"\*([^*]+)\*", text)) <= set(lesson.sections), row
        assert all(1 <= int(number) <= lesson.exercises for number in re.findall(r"exercise (\d)", text)), row


def test_each_day_of_the_guide_adds_up() -> None:
    days = read_days()
    assert len(days) == 4, "one day, and three"
    for stated, rows in days:
        clock = as_minutes(stated[2])
        for row in rows:
            assert as_minutes(row["start"]) == clock, row
            clock += int(row["minutes"])
        assert clock == as_minutes(stated[3])
        assert clock - as_minutes(stated[2]) == int(stated[1])
        assert sum(int(row["minutes"]) for row in rows if "break" in row["what"]) == int(stated[4])


def test_no_plan_takes_longer_for_a_lesson_than_the_lesson_says() -> None:
    (_, one), *three = read_days()
    weeks = read_table(read_part("Six weeks"))
    for plan in (one, [row for _, rows in three for row in rows], weeks):
        taken = Counter()
        for row in plan:
            taken[row["lesson"]] += int(row["minutes"])
        assert all(taken[number] <= lesson.minutes for number, lesson in lessons().items())
    assert [int(row["session"]) for row in weeks] == list(range(1, len(weeks) + 1))
    assert re.search(r"(\d+) minutes in class", read_part("Six weeks"))[1] == str(90 * len(weeks))


def test_the_guide_has_a_part_for_each_lesson_with_questions_and_answers() -> None:
    for lesson in lessons().values():
        part = read_part(lesson.title)
        assert all(f"**{word}.**" in part for word in ("Idea", "Prepare", "Watch for")), lesson.title
        questions = re.findall(r"^- .+\?.* \*.+\*$", part, flags=re.MULTILINE)
        assert 3 <= len(questions) <= 5, lesson.title


def test_messages_that_the_guide_quotes_are_those_of_the_checks() -> None:
    for number, lesson in lessons().items():
        for message in re.findall(r'"([^"]+)"', read_part(lesson.title).partition("**Watch for.**")[2]):
            assert any(" ".join(message.split()) in text for text in read_texts(f"nb{number}.py")), message
    for row in read_table(read_part("Messages that learners bring you")):
        for message in re.findall(r'"([^"]+)"', row["they see"]):
            assert any(message in text for text in read_texts("_runner.py")), message


def read_texts(name: str) -> set[str]:
    """All texts in the source of a module of the checks."""
    tree = ast.parse((ROOT / "helpers" / "checks" / name).read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
