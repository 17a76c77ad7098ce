"""The house rules: the form that every lesson keeps. A rule is a function from a lesson to what it finds there.

`RULES` is the table of them, at the end; the docstring of a rule says what it wants. A finding says what was seen, what
was expected, and, where that does not go without saying, what to do. `helpers.commands.lint` runs them.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from helpers.commands.student import BEGIN, END, PREDICT

if TYPE_CHECKING:
    from nbformat import NotebookNode

MOST_BYTES = 1_500_000
MOST_CELLS = 95  # with the words: what a beginner reads and tries in one sitting
MOST_WORDS = 2_800
MOST_LINES = 20  # of a cell of code
TAGS = {
    "markdown": {"exercise"},
    "code": {
        *("parameters", "exercise", "check", "claim"),
        *("from-scratch", "network"),  # written out in the lesson, and held equal to the package by a test
        *("nbval-ignore-output", "timing", "picked", "machine"),  # how outputs are compared, or not stored
    },
}
NOT_COMPARED = {"timing", "picked", "machine"}
ENDING = ["What you can do now", "More exercises", "Next", "Sources"]
UNTIMED = {"What you will be able to do", "Key terms", *ENDING}

NAME = re.compile(r"\d\d_[a-z_]+\.ipynb")
HANGUL = re.compile(r"[가-힣]")
TERMS = re.compile(r"^\| term \| Korean \|.*\n\|[-| ]+\n((?:\|.*\n?)+)", flags=re.MULTILINE | re.IGNORECASE)
GLOSS = re.compile(r"\*\*([^*\n]+)\*\*\s\(([가-힣][^)]*)\)")  # such as **features** (특징)
HINT = re.compile(r"<details>\s*<summary>Hint\b")
FOLD = re.compile(r"<details>\s*<summary>")
TARGET = re.compile(r"""\]\(((?:[^()\s]|\([^()\s]*\))+)(?:\s+"[^"]*")?\)|\b(?:href|src)=["']([^"']+)""")
NAMED_LESSONS = re.compile(r"\blessons?\s+(\d{1,2}\b(?:(?:,|,? and|,? or| to)\s\d\d\b(?!,\d))*)", flags=re.IGNORECASE)
# What tells of one machine: in a lesson it is noise, and on another machine wrong.
PLACE = re.compile(
    r"(?<![\w.])/(?:work|tmp|root|home|Users|usr|opt|var|private|mnt|content|kaggle)/|\b[A-Z]:\\"
    r"|\b[\w.-]{1,40}@[\w.-]{1,60}:[~/]|://(?:localhost|127\.0\.0\.1)\b"
)
WARNING = re.compile(r"\b\w*Warning:|\bWARNING\b|\bTraceback \(most recent call last\)")
UNFINISHED = re.compile(r"@[A-Z]+@|TODO|FIXME|XXX")
# "Pictures a second" is "pictures per second". Only with words that count, before words that are counted by: "gives a
# class", "how many pixels a picture has" and "pictures a second network takes" are fine.
DISTRIBUTIVE = re.compile(
    r"\b(?:(?:once|twice|times)\san?\s(?:minute|hour|day|night|week|epoch|step|lesson)\b"
    r"|(?:dozens?|hundreds|thousands|seconds|minutes|hours|bits|bytes|[KMG]B|pictures|photos|images|files|rows|columns|lines"
    r"|numbers|values|pixels|weights|parameters|steps|epochs|batches|multiply-adds|folders|sub-folders"
    r"|one (?:probability|number|value|file|row|line|folder|sub-folder|picture|model))\san?\s"
    r"(?:(?:minute|hour|day|night|week|picture|photo|image|pixel|class|epoch|step|batch|row|column|line|file|layer|filter"
    r"|channel|side|value|number|split|seed|lesson|notebook|exercise|section)\b(?!\s(?:has|can|\w+s)\b)"
    r"|second\b(?=[^\w\s]|\s\(|\s(?:and|at|on|in|with|when|than|or|from|for|to|is|are)\b|\s*$)))"
)


class Finding(NamedTuple):
    """What breaks a rule, and in which cell; cells are counted from 1, and None is the file as a whole."""

    cell: int | None
    message: str


class Lesson(NamedTuple):
    """A notebook and where it lies."""

    path: Path
    notebook: "NotebookNode"

    @property
    def number(self) -> str:
        """The two digits that its file's name begins with."""
        return self.path.stem[:2]

    def cells(self, kind: str = "", tag: str = "") -> list[tuple[int, "NotebookNode"]]:
        """Return its cells with their numbers: all, or those of a kind, or with a tag."""
        return [
            (number, cell)
            for number, cell in enumerate(self.notebook.cells, start=1)
            if kind in ("", cell.cell_type) and (not tag or tag in _tags(cell))
        ]

    def outputs(self) -> list[tuple[int, "NotebookNode"]]:
        """Return its stored outputs, each with the number of its cell."""
        return [(number, output) for number, cell in self.cells("code") for output in cell.outputs]

    def prose(self) -> list[tuple[int, str]]:
        """Return its text by cells, without blocks of code."""
        return [(n, re.sub(r"(?ms)^```.*?^```", "", cell.source)) for n, cell in self.cells("markdown")]

    def headings(self, level: int) -> list[tuple[int, str]]:
        """Return its headings of a level, each with the number of its cell."""
        mark = re.compile(rf"^{'#' * level} (.+)$", flags=re.MULTILINE)
        return [(number, heading) for number, text in self.prose() for heading in mark.findall(text)]

    def section(self, heading: str) -> str | None:
        """Return the text below the first second-level heading that begins so, or None if there is none."""
        text = "\n\n".join(text for _, text in self.prose())
        found = re.search(rf"(?ms)^## (?:\d+\. )?{heading}[^\n]*(.*?)(?=^## |\Z)", text)
        return found and found[1]

    def neighbours(self) -> set[str]:
        """Return the names of the lessons in its folder."""
        return {path.name for path in self.path.parent.glob("[0-9][0-9]_*.ipynb")}


Rule = Callable[[Lesson], Iterator[Finding]]


def _tags(cell: "NotebookNode") -> list[str]:
    return cell.metadata.get("tags", [])


def _quote(text: str) -> str:
    """Return a text in quotation marks, on one line and cut short."""
    text = " ".join(text.split())
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


# --- the file ----------------------------------------------------------------------------------------------------


def check_name(lesson: Lesson) -> Iterator[Finding]:
    """The file's name is the number and words: 04_folders_to_batches.ipynb."""
    if not NAME.fullmatch(lesson.path.name):
        yield Finding(None, f"'{lesson.path.name}', expected two digits and small letters, as in 04_my_topic.ipynb")


def check_size(lesson: Lesson) -> Iterator[Finding]:
    """A lesson is one sitting and a small file: at most 95 cells, 2,800 words and 1.5 MB."""
    text = "\n".join(text for _, text in lesson.prose())
    read = re.sub(r"(?s)\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)]*\)|</?\w+>", " ", text)  # formulas and addresses are no words
    counts = {
        "bytes": (lesson.path.stat().st_size, MOST_BYTES),
        "cells": (len(lesson.notebook.cells), MOST_CELLS),
        "words": (len(re.findall(r"[^\W\d_][\w'’-]*", read)), MOST_WORDS),
    }
    for what, (count, most) in counts.items():
        if count > most:
            yield Finding(None, f"{count:,} {what}, expected {most:,} at most")


def check_ids(lesson: Lesson) -> Iterator[Finding]:
    """Cell ids are the lesson's number and the cell's position, so that a change shows as what it is."""
    for position, cell in enumerate(lesson.notebook.cells):
        if cell.get("id") != (expected := f"{lesson.number}-{position:03d}"):
            yield Finding(position + 1, f"id {cell.get('id')}, expected {expected}; `make outputs` numbers them")
            return


def check_places(lesson: Lesson) -> Iterator[Finding]:
    """Nothing names a place on some machine: no absolute path, no user, no local address."""
    for number, cell in [(None, lesson.notebook.metadata), *lesson.cells()]:
        for text in _texts(cell):
            if found := PLACE.search(text):
                around = text[max(found.start() - 10, 0) : found.end() + 30]
                yield Finding(number, f"{_quote(around)} names a machine; use a relative path, or do not print it")


def _texts(node: Any) -> Iterator[str]:
    """Yield every text in a part of a notebook but those that encode a picture."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if not (key.startswith("image/") and isinstance(value, str)):
                yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


# --- the parts of a lesson ---------------------------------------------------------------------------------------


def check_header(lesson: Lesson) -> Iterator[Finding]:
    """The first cell has the title with the lesson's question, minutes to read and to run, and the ways on."""
    cells = lesson.cells()
    if not cells or cells[0][1].cell_type != "markdown":
        yield Finding(None, "does not begin with a text, expected title, minutes, 'Previous:' and 'Next:'")
        return
    first = cells[0][1].source
    if not re.match(rf"# {lesson.number} .+\?(?:\n|\Z)", first):
        line = first.partition("\n")[0]
        yield Finding(1, f"begins with {_quote(line)}, expected '# {lesson.number} Topic: the lesson's question?'")
    if not re.search(r"(?i)about \d+ minutes to read and try; about \d+ (?:minutes?|seconds?) to run", first):
        yield Finding(1, "does not say 'About N minutes to read and try; about N minutes (or seconds) to run'")
    for way in ("Previous:", "Next:"):
        if way not in first:
            yield Finding(1, f"has no '{way}' with a link to the neighbour")
    for other in sorted(lesson.neighbours()):
        if lesson.number.isdecimal() and abs(int(other[:2]) - int(lesson.number)) == 1 and f"({other})" not in first:
            yield Finding(1, f"does not link to its neighbour {other}")
    for number, heading in lesson.headings(1)[1:]:
        yield Finding(number, f"a second title, {_quote(heading)}; sections begin with '##'")


def check_objectives(lesson: Lesson) -> Iterator[Finding]:
    """Three to five objectives begin with a bold verb, and what the lesson builds on stands below them."""
    text = lesson.section("What you will be able to do")
    if text is None:
        yield Finding(None, "no section '## What you will be able to do'")
        return
    found = re.findall(r"^(?:-|\d\.) \*\*[A-Za-z ]+\*\*", text, flags=re.MULTILINE)
    if not 3 <= len(found) <= 5:
        yield Finding(None, f"{len(found)} objectives that begin with a bold verb, expected 3 to 5")
    if "**Builds on" not in text:
        yield Finding(None, "no '**Builds on:**' below the objectives")


def check_terms(lesson: Lesson) -> Iterator[Finding]:
    """A table "| term | Korean | meaning |" has five key terms or more, each in both languages."""
    rows = list(_term_rows(lesson))
    if len(rows) < 5:
        yield Finding(None, f"{len(rows)} key terms, expected 5 or more in a table '| term | Korean | meaning |'")
    for number, row in rows:
        if not (len(row) == 3 and all(row) and HANGUL.search(row[1])):
            yield Finding(number, f"{_quote(' | '.join(row))}, expected term, Korean and meaning")


def _term_rows(lesson: Lesson) -> Iterator[tuple[int, list[str]]]:
    for number, text in lesson.prose():
        if table := TERMS.search(text):
            for row in table[1].splitlines():
                yield number, [column.strip() for column in row.strip().strip("|").split("|")]


def check_ending(lesson: Lesson) -> Iterator[Finding]:
    """The last sections are the recap, more exercises, what comes next, and the sources."""
    headings = [heading for _, heading in lesson.headings(2)]
    if headings[-4:] != ENDING:
        yield Finding(None, f"ends with the sections {headings[-4:]}, expected {ENDING}")
    for heading in ENDING:
        if heading in headings and len((lesson.section(heading) or "").split()) < 5:
            yield Finding(None, f"'## {heading}' has next to no text")


def check_recap(lesson: Lesson) -> Iterator[Finding]:
    """The recap, "What you can do now", has a line for each objective or more."""
    counts = [
        len(re.findall(r"^(?:-|\d\.) ", lesson.section(heading) or "", flags=re.MULTILINE))
        for heading in ("What you will be able to do", ENDING[0])
    ]
    if counts[1] < counts[0]:
        yield Finding(None, f"{counts[1]} lines in '{ENDING[0]}', expected one per objective: {counts[0]}")


def check_minutes(lesson: Lesson) -> Iterator[Finding]:
    """Every section says how long it takes: "## Train (10 minutes)"."""
    for number, heading in lesson.headings(2):
        if heading not in UNTIMED and not re.search(r"\(\d+ minutes?(?:, [^)]+)?\)$", heading):
            yield Finding(number, f"'## {heading}', expected '## {heading} (10 minutes)'")


def check_pause(lesson: Lesson) -> Iterator[Finding]:
    """The text says where to pause: "**A good place to pause.**" once or more."""
    if not any("**A good place to pause.**" in text for _, text in lesson.prose()):
        yield Finding(None, "no '**A good place to pause.**'")


def check_predictions(lesson: Lesson) -> Iterator[Finding]:
    """The reader is asked to predict three times or more: "**Predict first.**" and a question."""
    count = sum(text.count(f"{PREDICT}.**") for _, text in lesson.prose())
    if count < 3:
        yield Finding(None, f"'{PREDICT}.**' {count} times, expected 3 or more")


def check_clinic(lesson: Lesson) -> Iterator[Finding]:
    """A clinic, "## Spot the bug", shows code that runs and is wrong, and folds away what is wrong with it."""
    headings = lesson.headings(2)
    starts = [number for number, heading in headings if re.match(r"(?:\d+\. )?Spot the bug\b", heading)]
    if not starts:
        yield Finding(None, "no section '## Spot the bug'")
        return
    end = next((number for number, _ in headings if number > starts[0]), len(lesson.notebook.cells) + 1)
    inside = [cell for number, cell in lesson.cells() if starts[0] <= number < end]
    if not any(cell.cell_type == "code" for cell in inside):
        yield Finding(starts[0], "the clinic has no cell of code, expected code that runs and is wrong")
    if not any(cell.cell_type == "markdown" and FOLD.search(cell.source) for cell in inside):
        yield Finding(starts[0], "the clinic has no '<details><summary>What is wrong?</summary>'")


def check_parameters(lesson: Lesson) -> Iterator[Finding]:
    """One cell tagged `parameters` sets DATASET and SEED, among others."""
    cells = lesson.cells("code", "parameters")
    if len(cells) != 1:
        yield Finding(None, f"{len(cells)} cells of code tagged `parameters`, expected one")
        return
    ((number, cell),) = cells
    try:
        names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
    except SyntaxError as error:
        yield Finding(number, f"{error.msg} in line {error.lineno}, expected plain Python; mend that line")
        return
    for name in sorted({"DATASET", "SEED"} - names):
        yield Finding(number, f"does not set {name}")


# --- cells -------------------------------------------------------------------------------------------------------


def check_cell_length(lesson: Lesson) -> Iterator[Finding]:
    """A cell of code has twenty lines at most."""
    for number, cell in lesson.cells("code"):
        if (lines := len(cell.source.splitlines())) > MOST_LINES:
            yield Finding(number, f"{lines} lines, expected {MOST_LINES} at most; split the cell")


def check_unfinished(lesson: Lesson) -> Iterator[Finding]:
    """No cell is empty, and none waits for somebody."""
    for number, cell in lesson.cells():
        if not cell.source.strip():
            yield Finding(number, "empty; remove it")
        if cell.cell_type == "markdown" and (found := UNFINISHED.search(cell.source)):
            yield Finding(number, f"'{found[0]}' is unfinished; write it, or remove it")


def check_tags(lesson: Lesson) -> Iterator[Finding]:
    """Tags are among those that tools know, and go together as these need it."""
    for number, cell in lesson.cells():
        have, known = set(_tags(cell)), TAGS.get(cell.cell_type, set())
        for tag in sorted(have - known):
            yield Finding(number, f"tag '{tag}' on a {cell.cell_type} cell, expected one of {sorted(known)}")
        for tag in sorted(have & NOT_COMPARED):
            if "nbval-ignore-output" not in have:
                yield Finding(number, f"tag '{tag}' without 'nbval-ignore-output'; add that")
        if "claim" in have and not cell.metadata.get("jupyter", {}).get("source_hidden"):
            yield Finding(number, "tag 'claim' on an open cell; collapse it (metadata jupyter.source_hidden: true)")


# --- exercises ---------------------------------------------------------------------------------------------------


def check_exercises(lesson: Lesson) -> Iterator[Finding]:
    """An exercise is a numbered task, a cell for the answer, and its check, one right after the other."""
    parts = [None, *(_exercise_part(cell) for _, cell in lesson.cells()), None]
    for number, part in enumerate(parts):
        for first, second in (("task", "answer"), ("answer", "check")):
            if part == first and parts[number + 1] != second:
                yield Finding(number, f"no {second} right after this {first}; tag the next cell of code, or write it")
            if part == second and parts[number - 1] != first:
                yield Finding(number, f"no {first} right before this {second}; tag the cell above, or write it")
    tasks = lesson.cells("markdown", "exercise")
    if len(tasks) < (least := 3 if lesson.number == "00" else 4):  # the first lesson is shorter
        yield Finding(None, f"{len(tasks)} exercises, expected {least} or more")
    for expected, (number, task) in enumerate(tasks, start=1):
        if not task.source.startswith(f"**Exercise {expected}.**"):
            yield Finding(number, f"begins with {_quote(task.source[:20])}, expected '**Exercise {expected}.**'")


def _exercise_part(cell: "NotebookNode") -> str | None:
    if "check" in _tags(cell):
        return "check"
    return {"markdown": "task", "code": "answer"}.get(cell.cell_type) if "exercise" in _tags(cell) else None


def check_hints(lesson: Lesson) -> Iterator[Finding]:
    """Each task has a hint that is folded away."""
    for number, task in lesson.cells("markdown", "exercise"):
        if not HINT.search(task.source):
            yield Finding(number, "a task without a hint, expected '<details><summary>Hint</summary>' ... '</details>'")


def check_solutions(lesson: Lesson) -> Iterator[Finding]:
    """Each answer marks its solution, so that the student edition can take it out."""
    for number, cell in lesson.cells("code", "exercise"):
        if not cell.source.count(BEGIN) == cell.source.count(END) >= 1:
            yield Finding(number, f"an answer without a pair of '{BEGIN}' and '{END}'")


def check_check_cells(lesson: Lesson) -> Iterator[Finding]:
    """A check is one call of the lesson's own module, and nothing else."""
    for number, cell in lesson.cells("code", "check"):
        if not re.fullmatch(rf"checks\.nb{lesson.number}\.check_\w+\(\w+\)", cell.source):
            yield Finding(number, f"{_quote(cell.source)}, expected checks.nb{lesson.number}.check_name(answer)")


# --- stored outputs ----------------------------------------------------------------------------------------------


def check_execution_counts(lesson: Lesson) -> Iterator[Finding]:
    """The notebook was run once, from top to bottom: its cells count 1, 2, 3."""
    for expected, (number, cell) in enumerate(lesson.cells("code"), start=1):
        if cell.execution_count != expected:
            yield Finding(number, f"execution count {cell.execution_count}, expected {expected}; run `make outputs`")
            return


def check_stray_output(lesson: Lesson) -> Iterator[Finding]:
    """No output is an error, a warning, or what a library remarks; what is said of a machine is not stored."""
    for number, output in lesson.outputs():
        text = output.get("text", "")
        if output.output_type == "error":
            yield Finding(number, f"ends with {output.ename}: {_quote(output.evalue)}; mend the cell")
        elif output.get("name") == "stderr" or WARNING.search(text):
            yield Finding(number, f"{_quote(text)} in the output; mend what warns, or make it silent")
    for number, cell in lesson.cells("code", "machine"):
        if cell.outputs:
            yield Finding(number, "tag 'machine', and an output is stored; clear it")


def check_pictures(lesson: Lesson) -> Iterator[Finding]:
    """There are pictures, and each has a text for those who cannot see it, of four words or more."""
    found = False
    for number, output in lesson.outputs():
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                found, text = True, _alt_text(output, kind)
                if len(text.split()) < 4:
                    yield Finding(number, f"a picture with the text {_quote(text)}, expected what it shows: alt=...")
        if re.search(r"<img\b(?![^>]*\balt=)", str(output.get("data", {}).get("text/html", ""))):
            yield Finding(number, "an <img> without alt text")
    for number, text in lesson.prose():
        for alt in re.findall(r"!\[([^\]]*)\]\(", text) + re.findall(r"<img\b(?![^>]*\balt=)()", text):
            found = True
            if len(alt.split()) < 4:
                yield Finding(number, f"a picture with the text {_quote(alt)}, expected what it shows")
    if not found:
        yield Finding(None, "no picture; run `make outputs`, or show something")


def _alt_text(output: "NotebookNode", kind: str) -> str:
    entry = output.get("metadata", {}).get(kind)
    return str(entry.get("alt", "")) if isinstance(entry, Mapping) else ""


# --- words and links ---------------------------------------------------------------------------------------------


def check_links(lesson: Lesson) -> Iterator[Finding]:
    """Links lead to files, and to headings, that are there."""
    shown = [
        (n, output.data["text/markdown"]) for n, output in lesson.outputs() if "text/markdown" in output.get("data", {})
    ]
    for number, text in [*lesson.prose(), *shown]:
        for target in (unquote(first or second) for first, second in TARGET.findall(text)):
            file, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            if file and not (lesson.path.parent / file).exists():
                yield Finding(number, f"a link to '{file}', which is not there")
            elif anchor and not file and anchor not in _anchors(lesson):
                yield Finding(number, f"a link to '#{anchor}', and no heading of that name")


def _anchors(lesson: Lesson) -> set[str]:
    return {heading.replace(" ", "-") for level in (1, 2, 3, 4) for _, heading in lesson.headings(level)}


def check_lessons_named(lesson: Lesson) -> Iterator[Finding]:
    """A lesson that is named, by number or by file, is there."""
    there = {other.removesuffix(".ipynb") for other in lesson.neighbours()}
    numbers = {stem[:2] for stem in there}
    for number, cell in lesson.cells():
        for stem in re.findall(r"\b[01]\d_[a-z]{3}[a-z_]*\b", cell.source):
            if stem not in there:
                yield Finding(number, f"names the notebook {stem}, which is not there")
        named = [digits for found in NAMED_LESSONS.findall(cell.source) for digits in re.findall(r"\d+", found)]
        named += re.findall(r"\bnb(\d\d)\b", cell.source)
        if found := re.search(r"(?s)\*\*Builds on.*?(?=\n\n|\Z)", cell.source):
            named += re.findall(r"(?<=[(\s])\d\d(?=[,)\s])", found[0])
        for digits in named:
            if digits.zfill(2) not in numbers:
                yield Finding(number, f"names lesson {digits}, which is not there")


def check_per(lesson: Lesson) -> Iterator[Finding]:
    """A rate or a share says "per": pictures per second, not pictures a second."""
    for number, cell in lesson.cells():
        for found in DISTRIBUTIVE.finditer(cell.source):
            seen = " ".join(found[0].split())
            yield Finding(number, f"'{seen}', expected '{re.sub(r' an? ', ' per ', seen)}'")


def check_korean_words(lessons: Sequence[Lesson]) -> Iterator[tuple[Lesson, Finding]]:
    """A term has one Korean word in all lessons, in tables and in the text; a rule of all of them together."""
    uses: dict[str, list[tuple[Lesson, int, set[str]]]] = defaultdict(list)
    for lesson in lessons:
        for number, term, korean in _translations(lesson):
            uses[term].append((lesson, number, korean))
    for term, found in uses.items():
        usual = Counter(word for _, _, words in found for word in sorted(words)).most_common(1)[0][0]
        for lesson, number, words in found:
            if usual not in words:
                yield lesson, Finding(number, f"'{term}' is {', '.join(sorted(words))}, expected {usual} as elsewhere")


def _translations(lesson: Lesson) -> Iterator[tuple[int, str, set[str]]]:
    """Yield each term that is translated in the table or in the text, in the singular, and its Korean words."""
    pairs = [(number, row[0], row[1]) for number, row in _term_rows(lesson) if len(row) > 1]
    pairs += [(number, *pair) for number, text in lesson.prose() for pair in GLOSS.findall(text)]
    for number, term, korean in pairs:
        several = list(zip(term.split(", "), korean.split(", "), strict=False))
        if term.count(", ") != korean.count(", "):
            several = [(term, korean)]
        for one, words in several:
            key = re.sub(r"(?<=[a-z])(?<!s)s$", "", re.sub(r"\s*\([^)]*\)", "", " ".join(one.split())).lower())
            translated = {word.strip() for word in re.split(r"[,;:()]", " ".join(words.split())) if HANGUL.search(word)}
            if key and translated:
                yield number, key, translated


RULES: dict[str, Rule] = {
    "name": check_name,
    "size": check_size,
    "ids": check_ids,
    "places": check_places,
    "header": check_header,
    "objectives": check_objectives,
    "terms": check_terms,
    "minutes": check_minutes,
    "parameters": check_parameters,
    "predictions": check_predictions,
    "pause": check_pause,
    "clinic": check_clinic,
    "recap": check_recap,
    "ending": check_ending,
    "exercises": check_exercises,
    "hints": check_hints,
    "solutions": check_solutions,
    "checks": check_check_cells,
    "cell-length": check_cell_length,
    "unfinished": check_unfinished,
    "tags": check_tags,
    "execution-counts": check_execution_counts,
    "stray-output": check_stray_output,
    "pictures": check_pictures,
    "links": check_links,
    "lessons-named": check_lessons_named,
    "per": check_per,
}
RULES_OF_ALL: dict[str, Callable[[Sequence[Lesson]], Iterator[tuple[Lesson, Finding]]]] = {
    "korean-words": check_korean_words,
}
