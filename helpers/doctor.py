"""What this machine has, how long the lessons will run here, what is missing, and the command that mends it.

Machines differ by a factor of four, and one machine does so from hour to hour. So what a lesson costs is stated in
passes: one pass is what the forward pass of EfficientNetLite0 over 2,000 pictures at 160 x 160 pixels takes. Measured
here and now, it turns the passes of each lesson into minutes.

What needs other packages is imported in the functions: a machine without TensorFlow is examined, too.
"""

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import files

if TYPE_CHECKING:
    import keras

PROJECT = Path(__file__).parents[1]
DISTRIBUTION = "image-classification-course"
PICTURES = 2000  # of a pass
BATCHES = 15  # that are measured; the rest is inferred
QUIET_PASS = 9.0  # seconds on a quiet machine with two cores: what stated minutes are for
PYTHONS = ((3, 11), (3, 13))  # first and last
GIGABYTE = 1e9
LEAST_DISK = 0.5 * GIGABYTE  # the drawn pictures, the features of all lessons, a few models
LEAST_MEMORY = 3 * GIGABYTE  # not in use by other programs
SHOWN = ("tensorflow", "keras", "numpy", "jupyterlab")  # versions to name in a report
INSTALL = "python -m pip install --editable ."
CONDA = "In the course's folder: conda env create --file environment.yml; the next steps: README.md, Windows and conda"
OWN_DATA, REAL_DATA = "synthetic_pets", "cats_vs_dogs"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that the course needs: the versions it takes, and the one that is installed, if any."""

    name: str
    wanted: str
    installed: str | None
    fits: bool


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A notebook that is here: its title, what it costs, and whether a learner in a hurry may skip it.

    Attributes:
        name: of the file, without `.ipynb`.
        title: its first heading.
        minutes: to read and try, as it says itself; None if it does not.
        passes: to run, as measured; None if it was not.
        optional: whether its first lines say that it may be skipped.
    """

    name: str
    title: str
    minutes: int | None
    passes: float | None
    optional: bool


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What was found on a machine.

    Attributes:
        python: version.
        system: name and processor.
        packages: those that the course needs; none if it was not installed as a package.
        cores: processor cores.
        gpus: names.
        memory: bytes in all.
        free_memory: bytes that programs may still take.
        data_folder: where pictures and features go.
        data_problem: why nothing can be written there, or "".
        free_disk: bytes there.
        data_sets: by name, whether it is ready.
        weights_problem: why EfficientNetLite0 cannot be used, and what to do, or "".
        lessons: the notebooks that are here.
        seconds_per_pass: None if it was not measured.
    """

    python: str
    system: str
    packages: tuple[Package, ...]
    cores: int
    gpus: tuple[str, ...]
    memory: float
    free_memory: float
    data_folder: str
    data_problem: str
    free_disk: float
    data_sets: dict[str, bool]
    weights_problem: str
    lessons: tuple[Lesson, ...]
    seconds_per_pass: float | None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is not as it should be, the command or the step that mends it, and whether the course needs it."""

    what: str
    mend: str
    needed: bool


# --- found on this machine ---------------------------------------------------------------------------------------


def examine(*, measure: bool = True) -> Machine:
    """Look at this machine; nothing is downloaded, drawn or changed.

    Args:
        measure: whether to measure a pass, which takes five to twenty seconds.
    """
    packages = find_packages()
    found = {"gpus": (), "memory": 0, "free_memory": 0, "data_sets": {}, "data_problem": "", "weights_problem": ""}
    folder, seconds = PROJECT / "data", None
    # Without them the rest cannot be asked for. (Of another version they may well do.)
    if all(package.installed for package in packages):
        import psutil

        from helpers import datasets

        folder = datasets.data_folder()
        memory = psutil.virtual_memory()
        found |= {"memory": memory.total, "free_memory": memory.available}
        found["gpus"] = _find_gpus()
        found["data_sets"], found["data_problem"] = _find_data(folder)
        found["weights_problem"], seconds = _try_weights(measure=measure)
    return Machine(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages=packages,
        cores=_count_cores(),
        data_folder=str(folder),
        free_disk=shutil.disk_usage(files.existing_folder(folder)).free,
        lessons=tuple(find_lessons()),
        seconds_per_pass=seconds,
        **found,
    )


def find_packages() -> tuple[Package, ...]:
    """Return the packages that the course names as its own needs, with the versions that are here."""
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        return ()
    wanted = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return tuple(_find_package(one.name, one.specifier) for one in wanted)


def _find_package(name: str, specifier: "SpecifierSet") -> Package:  # noqa: F821 - packaging is imported late
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        installed = None
    fits = installed is not None and specifier.contains(installed, prereleases=True)
    return Package(name=name, wanted=str(specifier), installed=installed, fits=fits)


def _count_cores() -> int:
    """Return the cores that this process may use: a container may have fewer than its machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _find_gpus() -> tuple[str, ...]:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return tuple(details(gpu).get("device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU"))


def _find_data(folder: Path) -> tuple[dict[str, bool], str]:
    from helpers import datasets, downloads

    ready = {name: downloads.is_prepared(datasets.find_builder(name)) for name in (OWN_DATA, REAL_DATA)}
    try:
        files.require_writable(folder)
    except ValueError as error:
        return ready, str(error)
    return ready, ""


def _try_weights(*, measure: bool) -> tuple[str, float | None]:
    """Build the network with its weights, and measure a pass with it."""
    try:
        network = _build_network()
    except (ImportError, OSError, ValueError) as error:
        return str(error), None
    return "", measure_pass(network) if measure else None


def _build_network() -> "keras.Model":
    from helpers import backbones

    return backbones.build("EfficientNetLite0", input_shape=(160, 160, 3))


def measure_pass(network: "keras.Model | None" = None) -> float:
    """Return the seconds that one pass takes here and now.

    Args:
        network: EfficientNetLite0 for 160 x 160 pixels, if you have built it already.
    """
    from helpers import backbones

    return PICTURES * backbones.time_picture(network or _build_network(), batches=BATCHES)


# --- the lessons -------------------------------------------------------------------------------------------------


def find_lessons(project: Path = PROJECT) -> list[Lesson]:
    """Return the lessons that are here, in order; none where the package was installed without its notebooks.

    Example:
        >>> [lesson.name for lesson in find_lessons() if lesson.name.startswith("01")]
        ['01_images_as_arrays']
    """
    costs = project / "benchmarks" / "results" / "course.json"
    measured = json.loads(costs.read_text(encoding="utf-8"))["notebooks"] if costs.is_file() else {}
    paths = sorted((project / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [_read_lesson(path, passes=measured.get(path.stem, {}).get("passes")) for path in paths]


def _read_lesson(path: Path, *, passes: float | None) -> Lesson:
    """Read what a notebook says of itself in its first lines: the cell with its title, and the next."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"][:2]
    text = "\n\n".join("".join(cell["source"]) for cell in cells)
    title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    minutes = re.search(r"(?i)about (\d+) minutes to read", text)
    return Lesson(
        name=path.stem,
        title=title[1] if title else path.stem,
        minutes=int(minutes[1]) if minutes else None,
        passes=passes,
        optional="may be skipped" in text,
    )


def estimate_minutes(machine: Machine) -> dict[str, float]:
    """Return the minutes that each lesson runs on a machine, by its name; those that were not measured are left out.

    Empty where the machine's pass was not measured.
    """
    seconds = machine.seconds_per_pass
    costs = {lesson.name: lesson.passes for lesson in machine.lessons if lesson.passes is not None}
    return {name: passes * seconds / 60 for name, passes in costs.items()} if seconds else {}


# --- judged ------------------------------------------------------------------------------------------------------


def find_problems(machine: Machine) -> list[Problem]:
    """Return what is missing or wrong on a machine, what the course needs first."""
    return sorted(_find_problems(machine), key=lambda problem: not problem.needed)


def _find_problems(machine: Machine) -> Iterator[Problem]:
    first, last = (".".join(map(str, python)) for python in PYTHONS)
    on_windows = machine.system.startswith("Windows")  # where there is no make
    if not PYTHONS[0] <= tuple(map(int, machine.python.split(".")[:2])) <= PYTHONS[1]:
        yield Problem(
            what=f"Python {machine.python}, expected {first} to {last}.",
            mend=CONDA if on_windows else f"Install Python {last}, then: make clean setup PYTHON=python{last}",
            needed=True,
        )
    if not machine.packages:
        yield Problem(
            what="The course is not installed as a package, so the versions of others were not checked.",
            mend=f"In the course's folder: {'' if on_windows else 'make setup, or: '}{INSTALL}",
            needed=False,
        )
    for package in machine.packages:
        if not package.fits:
            there = f"{package.name} {package.installed}" if package.installed else f"No {package.name}"
            yield Problem(
                what=f"{there}, expected {package.name}{package.wanted}.",
                mend=f'python -m pip install "{package.name}{package.wanted}"',
                needed=True,
            )
    yield from _find_lack_of_room(machine)
    if machine.weights_problem:
        yield Problem(what="EfficientNetLite0 cannot be used.", mend=machine.weights_problem, needed=True)
    if not machine.lessons:
        yield Problem(
            what="The notebooks are not here: the package was installed without them.",
            mend=f"Clone the course, then, in its folder: {INSTALL}",
            needed=False,
        )


def _find_lack_of_room(machine: Machine) -> Iterator[Problem]:
    if machine.data_problem:
        yield Problem(
            what="Nothing can be written to the data folder.",
            mend=f"{machine.data_problem} Set the environment variable COURSE_DATA to it.",
            needed=True,
        )
    if machine.free_disk < LEAST_DISK:
        yield Problem(
            what=f"{_gigabytes(machine.free_disk)} free on the disk, expected {_gigabytes(LEAST_DISK)}.",
            mend="Free some, or set the environment variable COURSE_DATA to a folder on another disk.",
            needed=True,
        )
    if machine.memory and machine.free_memory < LEAST_MEMORY:
        yield Problem(
            what=f"{_gigabytes(machine.free_memory)} of memory free; a lesson may take {_gigabytes(LEAST_MEMORY)}.",
            mend="Close other programs. If a lesson still stops, make IMAGE_SIZE or NUM_TRAIN in it smaller.",
            needed=False,
        )
    if machine.data_sets.get(OWN_DATA) is False:
        yield Problem(
            what="The pictures are not drawn yet; the first lesson that needs them takes a minute or so for it.",
            mend=f"python -m helpers data get {OWN_DATA}",
            needed=False,
        )


def describe(machine: Machine) -> list[str]:
    """Say in lines what was found, how long the lessons run here, and what is missing."""
    versions = {package.name: package.installed for package in machine.packages if package.installed}
    shown = [f"{name} {versions[name]}" for name in SHOWN if name in versions]
    there = "; ".join(f"{name}: {'ready' if ready else 'not here'}" for name, ready in machine.data_sets.items())
    lines = [
        f"Python     {', '.join([machine.python, *shown])} ({machine.system})",
        f"Processor  {machine.cores} cores; GPU: {', '.join(machine.gpus) or 'none, and none is needed'}",
        f"Memory     {_gigabytes(machine.memory)}, of which {_gigabytes(machine.free_memory)} free",
        f"Disk       {_gigabytes(machine.free_disk)} free for {machine.data_folder}",
        f"Pictures   {f'{there} (needed only by the profile full)' if there else 'not looked for'}",
        f"Weights    EfficientNetLite0: {'not usable' if machine.weights_problem else 'ready'}",
    ]
    return [*lines, *_describe_minutes(machine), *_describe_problems(find_problems(machine))]


def _describe_minutes(machine: Machine) -> Iterator[str]:
    minutes = estimate_minutes(machine)
    if machine.seconds_per_pass:
        yield f"One pass   {machine.seconds_per_pass:.1f} seconds ({QUIET_PASS:.0f} on a quiet machine with two cores)"
    if minutes:
        width = max(map(len, minutes))
        yield f"\n{'Lesson':{width}}  minutes to run here"
        yield from (f"{name:{width}}  {value:.1f}" for name, value in minutes.items())
        yield f"{'together':{width}}  {sum(minutes.values()):.1f}"


def _describe_problems(problems: Sequence[Problem]) -> Iterator[str]:
    yield ""
    for problem in problems:
        yield f"{'Missing' if problem.needed else 'Note'}: {problem.what}\n    {problem.mend}"
    if not any(problem.needed for problem in problems):
        yield "All that the course needs is here."


def _gigabytes(number: float) -> str:
    return f"{number / GIGABYTE:.1f} GB"
