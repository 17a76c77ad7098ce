"""The notebooks as files: found, read, given parameters, executed."""

import ast
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import yaml
from nbformat import NotebookNode

from helpers import files
from helpers.files import NOTEBOOK_FOLDER

CELL_TIMEOUT = 3600  # seconds; the full profile trains for long
# What a kernel logs looks like a fault to a learner: that other users of the machine could listen in, or, when it is
# stopped, that its connection is gone. What goes wrong in a cell is in the notebook.
KERNEL_ARGUMENTS = ("--IPKernelApp.log_level=CRITICAL",)
_MISSING = (
    f"The course's notebooks are not in '{NOTEBOOK_FOLDER}': this package was installed without them. "
    "Install a clone of the course with `pip install --editable .`, or give the path of a notebook."
)
TRUTH_VALUES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class RunResult(NamedTuple):
    """One executed notebook: where it is now, how long it took, and whether it stopped before its end."""

    name: str
    notebook: Path
    page: Path
    seconds: float
    failed: bool = False


class NotebookFailedError(RuntimeError):
    """A notebook stopped; `args[0]` says where and why, `result` (if it was run to a folder) is the part that ran."""

    def __init__(self, message: str, *, result: RunResult | None = None) -> None:
        super().__init__(message)
        self.result = result


class LastCell:
    """Remembers which cell a notebook client began last: the one to name if the notebook stops."""

    def __init__(self) -> None:
        self.cell: NotebookNode | None = None

    def __call__(self, *, cell: NotebookNode, cell_index: int) -> None:
        """Take the cell that begins; a notebook client calls this."""
        self.cell = cell

    def describe_failure(self, path: Path, error: Exception) -> str:
        """Say which notebook stopped, at which of its cells, with which code, and why."""
        from nbclient.exceptions import DeadKernelError

        reason = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else f"{type(error).__name__}: {error}"
        if isinstance(error, DeadKernelError):
            reason = "Its Python process died, most often for want of memory. Close other programs, or use less data."
        if self.cell is None:
            return f"{path.name} did not start: {reason}"
        numbers = {cell.id: number for number, cell in enumerate(read_notebook(path).cells, start=1)}
        place = f"cell {numbers[self.cell.id]}" if self.cell.id in numbers else "the cell with the parameters"
        code = "\n".join(f"    {line}" for line in self.cell.source.strip().splitlines())
        return f"{path.name} stopped at {place} (id {self.cell.id}):\n\n{code}\n\n{reason}"


def find_notebooks(names: Sequence[str] = ()) -> list[Path]:
    """Return the course's notebooks in order, or those named.

    Args:
        names: numbers (`"07"` or `"7"`), names (`"11_feature_extraction"`) or paths; none means all.

    Raises:
        ValueError: if a name fits no notebook, or the course's notebooks are not here.

    Example:
        >>> [path.stem for path in find_notebooks(["11"])]
        ['11_feature_extraction']
    """
    course = sorted(NOTEBOOK_FOLDER.glob("[0-9][0-9]_*.ipynb"))
    chosen = [_find_notebook(name, course) for name in names] if names else course
    if not chosen:
        raise ValueError(f"Received no notebook, expected one or more. {_MISSING}")
    return list({path.resolve(): path for path in chosen}.values())


def _find_notebook(name: str, course: Sequence[Path]) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    number = f"{int(name):02d}" if name.isdecimal() else None
    for candidate in course:
        if name in (candidate.name, candidate.stem) or candidate.stem[:2] == number:
            return candidate
    known = f"The course has {', '.join(candidate.stem for candidate in course)}." if course else _MISSING
    raise ValueError(f"Received notebook '{name}', expected a number, a name, or the path of a file. {known}")


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook file.

    Raises:
        ValueError: if it is not one.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    # The last four come from converters of old formats, which take any JSON without a version for such a notebook.
    except (
        *(ValueError, RecursionError, nbformat.ValidationError),
        *(AttributeError, KeyError, TypeError, NameError),
    ) as error:
        raise ValueError(
            f"Received '{path}', which is not a notebook ({type(error).__name__}). Expected a whole .ipynb file. "
            "Take a fresh copy."
        ) from error
    return notebook


def profile_parameters(profile: str) -> dict[str, dict[str, Any]]:
    """Return what a profile sets: parameters by notebook stem; `quick` sets nothing, it is what the notebooks say.

    Raises:
        ValueError: if there is no such profile.
    """
    if profile == "quick":
        return {}
    found = {path.stem: path for path in sorted((NOTEBOOK_FOLDER / "profiles").glob("*.yaml"))}
    if profile not in found:
        raise ValueError(f"Received profile '{profile}', expected one of {['quick', *found]}.")
    return yaml.safe_load(found[profile].read_text(encoding="utf-8"))


def notebook_parameters(path: Path) -> dict[str, str]:
    """Return the names that the cell tagged `parameters` sets, each with the code of its value, such as `'2000'`.

    Raises:
        ValueError: if that cell is not Python.
    """
    cell = _parameters_cell(read_notebook(path))
    return {name: ast.unparse(value) for name, value in _assigned_values(cell, path=path).items()} if cell else {}


def set_parameters(notebook: NotebookNode, parameters: Mapping[str, Any], *, path: Path) -> None:
    """Write values into a notebook's cell tagged `parameters`, in place of its own; stored outputs, of others, go.

    Args:
        notebook: changed in place.
        parameters: values by name, see `choose_parameters`; with none, nothing changes.
        path: of the notebook, for messages.
    """
    cell = _parameters_cell(notebook)
    if not parameters or not cell:
        return
    lines = cell.source.encode().split(b"\n")  # the places that `ast` names are counted in bytes
    values = _assigned_values(cell, path=path)
    for name in sorted(values, key=lambda name: values[name].lineno, reverse=True):  # from below: no line moves
        if name in parameters:
            value = values[name]
            first, last = value.lineno - 1, value.end_lineno - 1
            before, after = lines[first][: value.col_offset], lines[last][value.end_col_offset :]
            given = parameters[name]
            written = json.dumps(given, ensure_ascii=False) if isinstance(given, str) else repr(given)
            lines[first : last + 1] = [before + written.encode() + after]
    cell.source = b"\n".join(lines).decode()
    for other in notebook.cells:
        if other.cell_type == "code":
            other.outputs, other.execution_count = [], None


def _parameters_cell(notebook: NotebookNode) -> NotebookNode | None:
    return next((cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])), None)


def _assigned_values(cell: NotebookNode, *, path: Path) -> dict[str, ast.expr]:
    """Return the expression that each name gets in a cell of plain assignments."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        tree = ast.parse(TransformerManager().transform_cell(cell.source))  # magics become calls
    except SyntaxError as error:
        raise ValueError(
            f"Received '{path}', expected Python in its cell tagged `parameters` ({error.msg}, line {error.lineno}). "
            "Mend that line."
        ) from error
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node.value for target in targets if isinstance(target, ast.Name)}
    return found


def parse_value(text: str, *, name: str, default: Any) -> Any:
    """Read a parameter given as text as what its default is: a text stays one, also if it looks like a number.

    Args:
        text: as typed.
        name: of the parameter, for the message.
        default: the value in the notebook; with a list or None, `text` is read as YAML.

    Raises:
        ValueError: if the text is not of that kind, or is blank where the notebook's is not.

    Example:
        >>> parse_value("007", name="DATASET", default="synthetic_pets")
        '007'
        >>> parse_value("1e-3", name="LEARNING_RATE", default=0.01)
        0.001
    """
    try:
        match default:
            case str():
                if default and not text.strip():
                    raise ValueError
                value = text
            case bool():
                value = TRUTH_VALUES[text.lower()]
            case int() | float():
                value = type(default)(text)
            case _:
                value = yaml.safe_load(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()  # else no cell can hold it, such as `nan`
        return value
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        kinds = {bool: "yes or no", int: "a whole number", float: "a number", str: "a text that is not blank, in UTF-8"}
        kind = kinds.get(type(default), "a list or a value")
        raise ValueError(f"Received {name} '{text}', expected {kind}. The notebook has {default}.") from error


def run_notebooks(
    notebooks: Sequence[Path],
    *,
    output: Path,
    parameters: Mapping[str, Any] | None = None,
    profile: str = "quick",
    progress: bool = True,
    jobs: int = 1,
) -> Iterator[RunResult]:
    """Execute notebooks in the current folder, and yield the results in order, each as soon as it is there.

    Args:
        notebooks: paths; they are not changed.
        output: folder for the executed notebooks and their HTML pages, made if need be.
        parameters: values for the cell tagged `parameters`, or texts as typed (see `parse_value`); each goes to the
            notebooks that have its name.
        profile: `quick` or the name of a file in `notebooks/profiles`.
        progress: whether to show a bar that counts cells; bars of notebooks that run side by side would overwrite one
            another, so there is none then.
        jobs: how many notebooks run at the same time, at least 1; they share the processor's cores.

    Yields:
        A `RunResult` per notebook.

    Raises:
        ValueError: if no notebook has a parameter of a given name, a value is not of its kind, the output does not
            fit, or `jobs` is below 1; nothing has been run then.
        NotebookFailedError: at the first cell that fails; the notebook is saved up to there, and those that ran beside
            it are stopped.
    """
    import joblib

    if jobs < 1:
        raise ValueError(f"Received {jobs} jobs, expected 1 or more. Give how many run at once.")
    for path in notebooks:
        if (output / path.name).resolve() == path.resolve():
            raise ValueError(f"Received output '{output}', expected another folder than the notebooks'. Choose one.")
    if len({path.name for path in notebooks}) < len(notebooks):
        raise ValueError("Received two notebooks of the same name, expected one of each. Run them one by one.")
    chosen = choose_parameters(notebooks, parameters or {}, profile=profile)
    output.mkdir(parents=True, exist_ok=True)
    run = joblib.delayed(_run_notebook)
    options = {"output": output, "progress": progress and jobs == 1}
    if jobs > 1:
        options["threads"] = max(1, joblib.cpu_count() // jobs)
    tasks = (run(path, parameters=chosen[path], **options) for path in notebooks)
    yield from joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator")(tasks)


def choose_parameters(
    notebooks: Sequence[Path], parameters: Mapping[str, Any], *, profile: str = "quick"
) -> dict[Path, dict[str, Any]]:
    """Return what to set in each notebook: what the profile says, then what was given, if the notebook has the name.

    Args:
        notebooks: paths.
        parameters: values, or texts as typed (see `parse_value`).
        profile: `quick` or the name of a file in `notebooks/profiles`.

    Raises:
        ValueError: if no notebook has a parameter of a given name, or a value is not of its kind.
    """
    by_profile = profile_parameters(profile)
    known = {path: notebook_parameters(path) for path in notebooks}
    everything = sorted({name for names in known.values() for name in names})
    for name in parameters:
        if name not in everything:
            raise ValueError(f"Received parameter '{name}', expected one of {everything}.")
    return {
        path: by_profile.get(path.stem, {})
        | {
            name: parse_value(value, name=name, default=_plain_value(names[name], name=name, path=path))
            if isinstance(value, str)
            else value
            for name, value in parameters.items()
            if name in names
        }
        for path, names in known.items()
    }


def _plain_value(code: str, *, name: str, path: Path) -> Any:
    """Return the value that a parameter has in its notebook, by which we know of what kind another may be."""
    try:
        return ast.literal_eval(code)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Received a value for {name}, but {name} = {code} in '{path.name}' is not a plain value, expected a "
            "number, a text or a list. Write one there, or change it there."
        ) from error


def _run_notebook(
    path: Path, *, output: Path, parameters: Mapping[str, Any], progress: bool, threads: int | None = None
) -> RunResult:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from helpers.commands import _engine

    if threads:  # here, in a process of its own; more of them would only wait for those of the notebook beside it
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    executed, last_cell = output / path.name, LastCell()
    start = time.perf_counter()
    problem = ""
    try:
        papermill.execute_notebook(
            str(path),
            str(executed),
            parameters=dict(parameters),
            cwd=str(Path.cwd()),
            kernel_name="python3",
            engine_name=_engine.register(),
            progress_bar={"desc": path.stem} if progress else False,
            execution_timeout=CELL_TIMEOUT,
            extra_arguments=list(KERNEL_ARGUMENTS),
            on_cell_execute=last_cell,
        )
    # A cell's error, a kernel that died (also: was killed for its memory), or a cell over its time.
    except (PapermillExecutionError, DeadKernelError, CellTimeoutError) as error:
        problem = last_cell.describe_failure(path, error)
    result = RunResult(path.stem, executed, _write_page(executed), time.perf_counter() - start, failed=bool(problem))
    if problem:
        raise NotebookFailedError(problem, result=result)
    return result


def _write_page(notebook: Path) -> Path:
    """Write a notebook as HTML beside it; the `classic` template keeps the pictures' alt texts."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(template_name="classic").from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    with files.written_beside(target) as draft:
        draft.write_text(page, encoding="utf-8", errors="backslashreplace")
    return target


def notebook_title(path: Path) -> str:
    """Return the first heading of a notebook, without the `#`."""
    for cell in read_notebook(path).cells:
        heading = re.search(r"^# (.+)$", cell.source, flags=re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading.group(1)
    return path.stem
