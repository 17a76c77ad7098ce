"""The package as a whole: loading costs nothing until it is needed, and imports go one way."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import helpers

PACKAGE = Path(helpers.__file__).parent

# What each module may import from the package: the table of the design. "*" is anything.
ALLOWED: dict[str, set[str]] = {
    "__init__": {"_memory", "_quiet"},
    "__main__": {"commands"},
    "_memory": set(),
    "_quiet": set(),
    "_torch_pickle": set(),
    "architectures": set(),
    "augmentation": {"datasets"},
    "backbones": {"architectures", "_torch_pickle"},
    "calibration": set(),
    "checks": {"*"},
    "cleaning": {"images"},
    "commands": {"*"},
    "datasets": {"images", "cleaning", "downloads", "synthetic_pets"},
    "doctor": {"backbones", "datasets", "downloads"},
    "downloads": set(),
    "explain": {"architectures"},
    "features": {"backbones", "datasets"},
    "files": set(),
    "images": set(),
    "plotting": {"_quiet"},
    "prediction": {"_quiet", "architectures", "cleaning", "datasets", "training"},
    "synthetic_pets": set(),
    "teachable": {"backbones", "explain", "images", "prediction", "training"},
    "teachable_widget": {"commands", "datasets", "teachable"},
    "training": set(),
    "tuning": {"backbones", "features", "training"},
}
ANYWHERE = {"files"}  # the one room below all others


def module_of(path: Path) -> str:
    """The module of the package that a file belongs to: helpers/checks/nb01.py is part of checks."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted_name(path: Path) -> str:
    parts = [PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(source: str, *, package: str) -> Iterator[str]:
    """Every dotted name that the source imports, relative imports resolved against its package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imports_of_ours(source: str, *, package: str) -> set[str]:
    """The modules of helpers that a source imports, not counting names of the package itself."""
    names = imported_names(source, package=package)
    ours = (name.split(".")[1] for name in names if name.startswith("helpers."))
    return {name for name in ours if name != "__version__"}


def not_allowed(module: str, imported: set[str]) -> set[str]:
    if module not in ALLOWED:
        raise AssertionError(f"helpers.{module} is not in the table: say in ALLOWED what it may import.")
    return set() if "*" in ALLOWED[module] else imported - ALLOWED[module] - ANYWHERE - {module}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=dotted_name)
def test_imports_go_as_the_table_says(path: Path) -> None:
    package = dotted_name(path.parent / "__init__.py")
    imported = imports_of_ours(path.read_text(encoding="utf-8"), package=package)
    assert not not_allowed(module_of(path), imported)


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import helpers.images", "helpers", {"images"}),
        ("from helpers import images, datasets as d", "helpers", {"images", "datasets"}),
        ("from helpers.checks._common import call", "helpers.checks", {"checks"}),
        ("from . import images", "helpers", {"images"}),
        ("from .images import read", "helpers", {"images"}),
        ("from .. import datasets", "helpers.checks", {"datasets"}),
        ("def f():\n    from helpers.cli import main", "helpers", {"cli"}),
        ("import numpy\nfrom helpers import __version__", "helpers", set()),
    ],
)
def test_every_way_to_import_is_seen(source: str, package: str, expected: set[str]) -> None:
    assert imports_of_ours(source, package=package) == expected


def test_a_wrong_direction_is_refused() -> None:
    assert not_allowed("images", {"datasets"}) == {"datasets"}
    assert not_allowed("datasets", {"images"}) == set()
    with pytest.raises(AssertionError, match="not in the table"):
        not_allowed("unheard_of", set())


def in_a_new_process(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_importing_the_package_is_instant_and_loads_no_module() -> None:
    code = (
        "import json, sys, time; start = time.perf_counter(); import helpers; "
        "print(json.dumps([time.perf_counter() - start, sorted(sys.modules)]))"
    )
    runs = [json.loads(in_a_new_process(code)) for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.1
    loaded = set(runs[0][1])
    assert not loaded & {"numpy", "tensorflow", "keras", "matplotlib", "sklearn", "cv2", "pandas", "PIL"}
    assert not {name for name in loaded if name.startswith("helpers.")}


def test_images_needs_no_tensorflow() -> None:
    code = "import helpers, sys; helpers.images; print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    assert in_a_new_process(code).strip() == "[]"


def test_every_public_module_is_named_and_loads() -> None:
    public = {module_of(path) for path in PACKAGE.rglob("*.py") if not module_of(path).startswith("_")}
    assert set(helpers.__all__) - {"__version__"} == public
    assert public <= set(dir(helpers))
    for name in public:
        assert getattr(helpers, name).__name__ == f"helpers.{name}"
        assert f"``{name}``" in helpers.__doc__


def test_an_unknown_name_is_an_attribute_error_that_lists_the_modules() -> None:
    with pytest.raises(AttributeError, match=r"'image'.*images"):
        helpers.image  # noqa: B018 - reading the attribute is the test


def test_the_version_has_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", helpers.__version__)


# --- Errors --------------------------------------------------------------------------------------------------------


def literal_text(node: ast.expr) -> str:
    """What a text of the source always says; `{}` for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(literal_text, parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return literal_text(left) + literal_text(right)
    return "{}"


def value_errors(source: str) -> Iterator[str]:
    """The texts of all ValueErrors that a source raises, but for those that another error's text makes up or ends."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[message, *_])):
                text = literal_text(message)
                if not text.endswith("{}"):
                    yield text


def says_all(text: str) -> bool:
    return "Received" in text and re.search(r"[Ee]xpected .*\. \S|[Ee]xpected .*\{\}", text, re.DOTALL) is not None


def test_every_value_error_says_what_was_received_and_expected_and_what_to_do() -> None:
    texts = [text for path in PACKAGE.rglob("*.py") for text in value_errors(path.read_text(encoding="utf-8"))]
    assert len(texts) > 100
    assert [text for text in texts if not says_all(text)] == []


@pytest.mark.parametrize(
    ("error", "is_right"),
    [
        ('f"Received {n} pictures, expected 1 or more. Add some."', True),
        ('f"Received {n} pictures, expected 1 or more."', False),
        ('f"Received {n} pictures, too few. Add some."', False),
        ('"Expected a picture. Give one."', False),
    ],
)
def test_an_error_that_does_not_is_found(error: str, is_right: bool) -> None:
    assert [says_all(text) for text in value_errors(f"raise ValueError({error})")] == [is_right]
