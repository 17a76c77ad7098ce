"""The files around the code agree: pyproject.toml, the lock, environment.yml, the Makefile and the documents."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import dropwhile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = ("requirements.txt", "requirements-book.txt")  # of the course, and of what renders its website
NOT_LOCKED = {"lite1", "lite2", "nbgrader", "gpu"}  # extras that a learner, or a teacher, adds by hand


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def project() -> dict:
    return tomllib.loads(read("pyproject.toml"))["project"]


def dependencies() -> list[Requirement]:
    extras = project()["optional-dependencies"]
    wanted = [text for name, texts in extras.items() if name not in NOT_LOCKED for text in texts]
    return [Requirement(text) for text in [*project()["dependencies"], *wanted]]


@cache
def lock(name: str = "requirements.txt") -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Package -> its locked requirements (several where Pythons differ), each with its SHA-256 hashes."""
    text = re.sub(r"^\s*#.*\n", "", read(name), flags=re.MULTILINE).replace("\\\n", " ")
    locked: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s+--hash=", line)
        parsed = Requirement(requirement)
        locked.setdefault(canonicalize_name(parsed.name), []).append((parsed, hashes))
    return locked


def locked_version(name: str, *, python: str, system: str, file: str = "requirements.txt") -> str | None:
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
    }
    versions = {  # the lock has a line of its own for each combination of extras
        next(iter(requirement.specifier)).version
        for requirement, _ in lock(file).get(canonicalize_name(name), [])
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    assert len(versions) <= 1, f"{name}: {versions} for Python {python} on {system}"
    return next(iter(versions), None)


@pytest.mark.parametrize("dependency", dependencies(), ids=lambda dependency: dependency.name)
def test_each_dependency_has_a_range_and_is_locked_inside_it(dependency: Requirement) -> None:
    operators = {specifier.operator for specifier in dependency.specifier}
    assert ">=" in operators, "no lower bound"
    assert "<" in operators or dependency.name == "setuptools", "no upper bound"
    for python in PYTHONS:
        for system in ("linux", "darwin", "win32"):
            version = locked_version(dependency.name, python=python, system=system)
            assert version is not None, f"not in the lock for Python {python} on {system}: make lock"
            assert dependency.specifier.contains(version), f"{version} is locked: make lock"


@pytest.mark.parametrize("text", tomllib.loads(read("pyproject.toml"))["dependency-groups"]["book"])
def test_what_renders_the_website_is_locked_inside_its_range(text: str) -> None:
    needed = Requirement(text)
    for python in PYTHONS:
        for system in ("linux", "darwin", "win32"):
            version = locked_version(needed.name, python=python, system=system, file="requirements-book.txt")
            assert version is not None and needed.specifier.contains(version), f"{text}: {version} is locked: make lock"


def test_no_dependency_is_named_twice() -> None:
    names = [canonicalize_name(dependency.name) for dependency in dependencies()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_line_is_one_version_with_hashes(file: str) -> None:
    assert len(lock(file)) > 50
    for name, entries in lock(file).items():
        for requirement, hashes in entries:
            assert [specifier.operator for specifier in requirement.specifier] == ["=="], name
            assert requirement.url is None, name
            assert hashes, f"{name} has no hash"
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), name


@pytest.mark.parametrize("file", LOCKS)
def test_the_lock_names_no_index_and_no_place_on_a_machine(file: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|(^|\s)/", read(file))


def third_party_imports() -> set[str]:
    """The top-level names of other projects that our code imports."""
    # tests/reference holds scripts that recorded expected values once, with libraries that are no dependency.
    folders = (ROOT / "helpers", ROOT / "benchmarks")
    files = [*(ROOT / "tests").glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    local = {"helpers", "tests", *(path.stem for path in files)}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - local


def test_what_the_code_imports_is_declared() -> None:
    declared = {canonicalize_name(dependency.name) for dependency in dependencies()}
    providers = packages_distributions()
    undeclared = {
        name
        for name in third_party_imports()
        if not declared & {canonicalize_name(provider) for provider in providers.get(name, [])}
    }
    assert not undeclared, "imported, but not in pyproject.toml"


def test_there_is_one_opencv() -> None:
    assert [name for name in lock() if name.startswith("opencv")] == ["opencv-python-headless"]


def test_conda_gets_a_python_that_is_allowed_and_the_same_lock() -> None:
    environment = yaml.safe_load(read("environment.yml"))
    texts = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert [text.partition("=")[0] for text in texts] == ["python", "pip"]
    python = texts[0].partition("=")[2]
    assert python in PYTHONS
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["--requirement requirements.txt"]
    assert environment["name"] == project()["name"]


def test_the_pythons_allowed_are_those_the_makefile_looks_for() -> None:
    allowed = SpecifierSet(project()["requires-python"])
    assert [minor for minor in range(8, 20) if Version(f"3.{minor}.1") in allowed] == [11, 12, 13]
    line = re.search(r"^PYTHON = (.*)$", read("Makefile"), flags=re.MULTILINE)
    assert line is not None
    assert {f"python{python}" for python in PYTHONS} <= set(line[1].split())


# --- Makefile and documents ---

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/teaching.md")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))


def shell_commands(markdown: str) -> list[list[str]]:
    """The words of each command in ```bash and ```sh blocks, and of `make` and `python -m helpers` in a sentence.

    Prompts, comments and `NAME=value` in front are left out.
    """
    blocks = re.findall(r"^ *```(?:bash|sh)\n(.*?)^ *```", markdown, flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`((?:make|(?:\S+/)?python -m helpers) [^`]+)`", markdown)
    lines = "\n".join([*blocks, *inline]).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line.strip().removeprefix("$ "), comments=True) for line in lines]
    bare = [list(dropwhile(re.compile("[A-Z_]+=").match, words)) for words in commands]
    return [words for words in bare if words]


def helpers_command(words: list[str]) -> list[str] | None:
    """What follows `python -m helpers` in a command, if it is one, however Python is spelled."""
    for at in range(1, len(words) - 1):
        if words[at : at + 2] == ["-m", "helpers"] and "python" in words[at - 1]:
            return words[at + 2 :]
    return None


def shown_commands() -> list[list[str]]:
    """The commands of all documents."""
    return [words for name in DOCUMENTS for words in shell_commands(read(name))]


@cache
def help_text(*sub_command: str) -> str:
    command = [sys.executable, "-m", "helpers", *sub_command, "--help"]
    answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, f"{shlex.join(command[1:])}: {answer.stderr}"
    return answer.stdout


def test_shell_commands_are_found_in_markdown() -> None:
    shell = "```bash\n$ A=1 B=$PWD/x make course   # a comment\n\nmake lab \\\n  PYTHON=x\n```\n"
    markdown = f"text, `make x` and `made`\n{shell}```python\nmake no\n```\n"
    assert shell_commands(markdown) == [["make", "course"], ["make", "lab", "PYTHON=x"], ["make", "x"]]
    assert helpers_command([".venv/bin/python", "-m", "helpers", "run", "01"]) == ["run", "01"]
    assert helpers_command(["python", "-m", "pytest"]) is None


def test_every_make_target_is_listed_by_make_help_and_needs_no_file_of_its_name() -> None:
    listed = set(re.findall(r"^make ([a-z-]+) ", make_help(), flags=re.MULTILINE))
    assert listed == make_targets() - {"help"}
    phony = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), flags=re.MULTILINE)
    assert set(" ".join(phony).split()) == make_targets()


def make_help() -> str:
    command = ["make", "--no-print-directory", "help"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_newest_packages_are_asked_for_by_name_and_lower_limit() -> None:
    command = re.search(r"^\tsed (-nE '.*' pyproject.toml) > \$\(LATEST\)/names.txt$", read("Makefile"), re.MULTILINE)
    assert command is not None
    answer = subprocess.run(["sed", *shlex.split(command[1])], cwd=ROOT, check=True, capture_output=True, text=True)
    lowest = {
        str(one).replace(str(one.specifier), str(next(s for s in one.specifier if s.operator == ">=")))
        for one in dependencies()
    }
    assert sorted(answer.stdout.split()) == sorted(lowest)


def test_every_make_command_in_the_documents_exists() -> None:
    named = {
        word
        for words in shown_commands()
        if words[0] == "make"
        for word in words[1:]
        if "=" not in word and not word.startswith("-")
    }
    assert {"course", "test"} <= named, "neither `make course` nor `make test` is shown"
    assert named <= make_targets()


def test_every_sub_command_and_option_in_the_documents_exists() -> None:
    commands = [words for words in map(helpers_command, shown_commands()) if words]
    assert commands, "no `python -m helpers` command is shown"
    for words in commands:
        names = words[: 2 if words[0] == "data" else 1]  # `data` has commands of its own
        text = help_text(*names) if not words[0].startswith("-") else help_text()
        for option in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"{words[0]} has no {option}"


def test_every_path_that_a_command_names_exists() -> None:
    scripts = {
        word
        for words in shown_commands()
        for word in words
        if re.match(r"(notebooks|helpers|tests|benchmarks)/[^*]+$", word) or word == "environment.yml"
    }
    assert not {script for script in scripts if not (ROOT / script).exists()}
