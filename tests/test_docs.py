"""The README says what the scripts measured, and maps every module there is."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from test_package import ALLOWED, module_of

from helpers.commands import notebooks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
