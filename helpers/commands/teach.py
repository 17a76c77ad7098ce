"""`python -m helpers teach`: a folder of pictures in, a classifier and a report out."""

import argparse
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers import files
from helpers.commands._shared import add_command, expand_path, make_printable, say

if TYPE_CHECKING:
    import keras
    import numpy as np

    from helpers import datasets, features, training

DEFAULT_BACKBONE = "EfficientNetLite0"
PENALTIES = (1.0, 10.0, 100.0, 1000.0)  # tried on the validation split
SHARES = {"train": 80, "validation": 10, "test": 10}  # per cent
# More than there are: `load` shrinks the three in proportion, and uses a split with a folder of its own whole.
EVERY_PICTURE = 1_000_000_000
SET_ASIDE_SHOWN = 20  # files with one reason
MISTAKES_SHOWN = 10  # kinds of mistake on a screen too narrow for the confusion matrix
FEWEST_PICTURES = 10  # per class; below, a split of ten per cent is empty


def add_teach(commands: Any) -> None:
    """Add `teach`."""
    parser = add_command(
        commands,
        "teach",
        teach_folder,
        help="Train a classifier on a folder with one sub-folder of pictures per class, and report how good it is.",
        example="teach my_photos --output my_model.keras",
    )
    parser.add_argument(
        "folder", type=expand_path, metavar="FOLDER", help="one sub-folder per class, two classes or more"
    )
    parser.add_argument(
        "--output",
        type=expand_path,
        required=True,
        metavar="MODEL.keras",
        help="the model; its report goes beside it (.html); files of these names are replaced",
    )
    parser.add_argument(
        "--backbone",
        default=DEFAULT_BACKBONE,
        metavar="NAME",
        help=f"pretrained network (default: {DEFAULT_BACKBONE})",
    )
    parser.add_argument(
        "--image-size", type=int, default=224, metavar="N", help="height and width in pixels, 32 to 600 (default: 224)"
    )
    parser.add_argument(
        "--fine-tune",
        nargs="?",
        choices=("always", "auto"),
        const="always",
        metavar="auto",
        help="train the last blocks of the network as well: minutes, stated before they begin; with 'auto', what comes "
        "of it is kept only if it is better on the validation pictures",
    )


def teach_folder(options: argparse.Namespace) -> int:
    """Train, save and report; say the accuracy and the confusion matrix."""
    if not 32 <= options.image_size <= 600:
        raise ValueError(f"Received --image-size {options.image_size}, expected 32 to 600 pixels. Choose a size.")
    start = time.perf_counter()
    result = teach(
        options.folder,
        output=options.output,
        backbone=options.backbone,
        image_size=options.image_size,
        fine_tune=options.fine_tune,
    )
    print(f"\nTest accuracy: {result.test.accuracy:.3f} on {len(result.test.labels)} pictures it had not seen.")
    for line in describe_balance(result):
        say(line)
    _print_confusion(result)
    say(f"Model:  {result.model}")
    say(f"Report: {result.report}")
    print(f"{time.perf_counter() - start:.0f} seconds. Try it:")
    say(f"    python -m helpers predict {shlex.quote(str(result.model))} PICTURE")
    return 0


def _print_confusion(result: "TeachResult") -> None:
    """Print the confusion matrix; where the screen is too narrow for it, which classes are taken for which."""
    names = [Text(make_printable(name)) for name in result.data.class_names]  # Text: brackets are no command to rich
    matrix = Table("true \\ predicted")
    for name in names:
        matrix.add_column(name, justify="right")
    for name, row in zip(names, result.test.confusion, strict=True):
        matrix.add_row(name, *map(str, row))
    console = Console()
    unbounded = console.options.update(max_width=sys.maxsize)
    if console.measure(matrix, options=unbounded).maximum <= console.width:
        console.print(matrix)
        return
    mistakes = Table("true", "predicted", "pictures", title="The most frequent mistakes")
    for column, justify in zip(mistakes.columns, ("left", "left", "right"), strict=True):
        column.overflow, column.justify = "fold", justify
    for truth, answer, count in most_frequent_mistakes(result.test.confusion)[:MISTAKES_SHOWN]:
        mistakes.add_row(names[truth], names[answer], str(count))
    if mistakes.row_count:
        console.print(mistakes)
    print(f"The report has the whole table of {len(names)} classes.")


def describe_balance(result: "TeachResult") -> Iterator[str]:
    """Say what accuracy hides where the classes differ in size: how much of each class was recognised."""
    if not result.test.classes_differ_in_size:
        return
    yield f"Balanced accuracy: {result.test.balanced_accuracy:.3f}, the mean over the classes of the share recognised:"
    counts = result.test.confusion.sum(axis=1)
    for name, share, count in zip(result.data.class_names, result.test.recalls, counts, strict=True):
        yield f"  {name}: {share:.3f} of {count}" if count else f"  {name}: no test picture"


def most_frequent_mistakes(confusion: "np.ndarray") -> list[tuple[int, int, int]]:
    """Return `(true label, predicted label, pictures)` of each kind of mistake, the most frequent first.

    Example:
        >>> import numpy as np
        >>> most_frequent_mistakes(np.array([[9, 1, 0], [0, 5, 0], [3, 0, 2]]))
        [(2, 0, 3), (0, 1, 1)]
    """
    counts = [(i, j, int(n)) for i, row in enumerate(confusion) for j, n in enumerate(row) if n and i != j]
    return sorted(counts, key=lambda mistake: -mistake[2])


# --- the work ----------------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What was tried, and how it did on the validation split, having learned from the training split."""

    name: str
    validation: "training.Evaluation"


@dataclass(frozen=True)
class TeachResult:
    """What came out of teaching.

    Attributes:
        model: path of the saved `.keras` file.
        report: path of the report, an HTML page that needs no other file.
        data: the pictures and their splits.
        test: how the model did on pictures it has not seen.
        penalty: the head's penalty, chosen on the validation split.
        validation_accuracy: with that penalty, 0..1.
        steps: with fine-tuning, the layer on the features and the fine-tuned network; else empty.
        tuned: whether the model is the fine-tuned network.
    """

    model: Path
    report: Path
    data: "datasets.ImageDataset"
    test: "training.Evaluation"
    penalty: float
    validation_accuracy: float
    steps: tuple[Step, ...] = ()
    tuned: bool = False


def teach(
    folder: Path,
    *,
    output: Path,
    backbone: str = DEFAULT_BACKBONE,
    image_size: int = 224,
    fine_tune: Literal["always", "auto"] | None = None,
    say: Callable[[str], None] = say,
) -> TeachResult:
    """Train a classifier on a folder of pictures and report how good it is.

    The pretrained network stays as it is; one layer on top of its features is solved, its penalty chosen on the
    validation split. Then that layer is solved again on training and validation pictures together, and judged once
    on the test split.

    With `fine_tune`, the last blocks of the network learn from the training pictures as well. "auto" keeps that only
    if more is recognised on the validation split; where the classes differ in size, each counts the same for that.

    Args:
        folder: one sub-folder per class, or `train`, `validation`, `test` with those inside.
        output: where the model goes, a name ending in `.keras`; the report goes beside it.
        backbone: a name that `backbones.build` knows.
        image_size: height and width at which the network sees the pictures.
        fine_tune: "always", "auto", or None for never.
        say: takes a line about each step.

    Returns:
        A `TeachResult`.

    Raises:
        ValueError: if the folder, its classes, the output or the backbone do not fit; one line that says why.
    """
    import numpy as np

    from helpers import backbones, datasets, features, prediction, training
    from helpers.commands.report import write_report

    if not folder.is_dir():
        raise ValueError(f"Received '{folder}', expected a folder. Give one with a sub-folder per class.")
    _check_output(output)
    datasets.data_folder()  # a wrong one is refused before the work, not after it
    network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    if fine_tune:
        backbones.find_last_block(network)  # a network without one is refused before the work, too
    say(f"Checking the pictures in '{folder}' ...")
    data = datasets.load(folder, **{f"num_{split}": EVERY_PICTURE * n for split, n in SHARES.items()})
    for line in describe_data(data):
        say(line)
    _check_classes(data)
    say(f"Looking at them with {backbone} at {image_size} pixels ...")
    found = features.load_or_extract(data, backbone=backbone, image_size=image_size, network=network, say=say)
    penalty, validation_accuracy = choose_penalty(found, num_classes=len(data.class_names))
    steps, model, test = (), None, None
    if fine_tune:
        steps, model, test = _fine_tune(network, data, found, penalty=penalty, auto=fine_tune == "auto", say=say)
    tuned = model is not None
    if not tuned:
        head = training.fit_logistic_head(
            np.concatenate([found.train.features, found.validation.features]),
            np.concatenate([found.train.labels, found.validation.labels]),
            num_classes=len(data.class_names),
            penalty=penalty,
        )
        test = training.evaluate(head, found.test.features, found.test.labels)
        model = training.attach_head(network, head)
    names = [make_printable(name) for name in data.class_names]  # a badly encoded one can't be written
    path = prediction.save_classifier(model, output, class_names=names)
    report = output.with_suffix(".html")
    result = TeachResult(path, report, data, test, penalty, validation_accuracy, steps=steps, tuned=tuned)
    write_report(result, backbone=backbone, image_size=image_size)
    return result


def _fine_tune(
    network: "keras.Model",
    data: "datasets.ImageDataset",
    found: "features.FeatureSets",
    *,
    penalty: float,
    auto: bool,
    say: Callable[[str], None],
) -> tuple[tuple[Step, ...], "keras.Model | None", "training.Evaluation | None"]:
    """Return both steps, and the fine-tuned model with its answers on the test split, or None where it does not win."""
    from helpers import backbones, features, training, tuning

    before, block = network.get_weights(), backbones.find_last_block(network)
    head = training.fit_logistic_head(
        found.train.features, found.train.labels, num_classes=len(data.class_names), penalty=penalty
    )
    plain = training.evaluate(head, found.validation.features, found.validation.labels)
    counts = data.counts
    seconds = tuning.estimate_seconds(
        network, from_name=block, num_train=counts["train"], num_others=counts["validation"] + counts["test"]
    )
    say(f"Fine-tuning {network.name} from {block} on: about {describe_time(seconds)} ...")
    bottom, _ = backbones.split_at(network, block)
    maps = features.load_or_extract_maps(data, bottom, mirrored=True, say=say)
    tuned = tuning.fine_tune(network, head, maps.train, from_name=block)
    better = training.evaluate(tuned.top, maps.validation.features, maps.validation.labels)
    steps = (Step("one layer on the features", plain), Step(f"fine-tuned from {block} on", better))
    for name, validation in steps:
        say(f"Validation, {name}: {describe_accuracy(validation)}.")
    if auto and better.balanced_accuracy <= plain.balanced_accuracy:
        say("Fine-tuning did not win on the validation pictures: the network stays as it was.")
        network.set_weights(before)
        return steps, None, None
    return steps, tuned.model, training.evaluate(tuned.top, maps.test.features, maps.test.labels)


def describe_time(seconds: float) -> str:
    """Say how long something takes, as exactly as one can know it before.

    Example:
        >>> describe_time(8.2), describe_time(200)
        ('10 seconds', '3 minutes')
    """
    if seconds < 90:
        return f"{max(1, round(seconds / 10)) * 10} seconds"
    return f"{round(seconds / 60)} minutes"


def describe_accuracy(result: "training.Evaluation") -> str:
    """Say the accuracy, and the balanced one beside it where the classes differ in size."""
    if not result.classes_differ_in_size:
        return f"accuracy {result.accuracy:.3f}"
    return f"accuracy {result.accuracy:.3f}, balanced accuracy {result.balanced_accuracy:.3f}"


def _check_output(output: Path) -> None:
    if output.suffix != ".keras":
        raise ValueError(f"Received output '{output}', expected a name ending in '.keras'. Add the ending.")
    if output.is_dir():
        raise ValueError(f"Received output '{output}', a folder, expected the name of a file. Give one.")
    files.require_writable(output.parent)


def describe_data(data: "datasets.ImageDataset") -> list[str]:
    """Say in lines what was found: splits, classes, near duplicates, what was noticed, each file that is not used."""
    counts = data.counts
    names = ", ".join(data.class_names)
    near = data.near_duplicates
    return [
        f"{counts['train']} pictures to learn from, {counts['validation']} to choose with, "
        f"{counts['test']} to test on; classes: {names}.",
        *([f"Near duplicates: {near} pictures, each kept in one split with those that it resembles."] if near else []),
        *(f"Note: {note}." for note in data.notes),
        *_describe_set_aside(data.set_aside),
    ]


def _describe_set_aside(set_aside: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Name each file that is not used; of a folder that is not used as a whole, the first ones."""
    reasons: Counter[str] = Counter()
    for file, reason in set_aside:
        reasons[reason] += 1
        if reasons[reason] <= SET_ASIDE_SHOWN:
            yield f"Set aside: {file} ({reason.rstrip('.')})."
    for reason, count in reasons.items():
        if count > SET_ASIDE_SHOWN:
            yield f"Set aside: {count - SET_ASIDE_SHOWN:,} files more ({reason.rstrip('.')}); the report names them."


def _check_classes(data: "datasets.ImageDataset") -> None:
    import numpy as np

    counts = np.bincount(np.concatenate(list(data.labels.values())), minlength=len(data.class_names))
    few = [f"{name}: {n}" for name, n in zip(data.class_names, counts, strict=True) if n < FEWEST_PICTURES]
    if few:
        raise ValueError(
            f"Received too few usable pictures ({', '.join(few)}), expected {FEWEST_PICTURES} or more per class. "
            "Add pictures to those folders."
        )


def choose_penalty(found: "features.FeatureSets", *, num_classes: int) -> tuple[float, float]:
    """Return the penalty whose head finds the right answers of the validation split likeliest, and its accuracy there.

    Not the most accurate head: on a small split that hangs on a picture or two, the likelihood on all of them.
    """
    from helpers import training

    results = []
    for penalty in PENALTIES:
        head = training.fit_logistic_head(
            found.train.features, found.train.labels, num_classes=num_classes, penalty=penalty
        )
        result = training.evaluate(head, found.validation.features, found.validation.labels)
        results.append((result.log_likelihood, penalty, result.accuracy))
    _, penalty, accuracy = max(results)
    return penalty, accuracy
