"""`python -m helpers teach`: a folder of pictures in, a classifier and a report out."""

import argparse
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from helpers.commands._shared import add_command, check_folder

if TYPE_CHECKING:
    from helpers import datasets, features, training

DEFAULT_BACKBONE = "EfficientNetLite0"
PENALTIES = (1.0, 10.0, 100.0, 1000.0)  # tried on the validation split
SHARES = {"train": 80, "validation": 10, "test": 10}  # per cent
FEWEST_PICTURES = 10  # a class; below, a split of ten per cent is empty


def add_teach(commands: Any) -> None:
    """Add `teach`."""
    parser = add_command(
        commands,
        "teach",
        teach_folder,
        help="Train a classifier on a folder with one sub-folder of pictures a class, and report how good it is.",
        example="teach my_photos --output my_model.keras",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="one sub-folder a class, two classes or more")
    parser.add_argument(
        "--output",
        type=Path,
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
        "--image-size", type=int, default=224, metavar="N", help="pixels a side, 32 to 600 (default: 224)"
    )


def teach_folder(options: argparse.Namespace) -> int:
    """Train, save and report; say the accuracy and the confusion matrix."""
    if not 32 <= options.image_size <= 600:
        raise ValueError(f"Received --image-size {options.image_size}, expected 32 to 600 pixels.")
    check_folder(options.output.parent)
    start = time.perf_counter()
    lesson = teach(options.folder, output=options.output, backbone=options.backbone, image_size=options.image_size)
    test, names = lesson.test, lesson.data.class_names
    print(f"\nTest accuracy: {test.accuracy:.3f} on {len(test.labels)} pictures it had not seen.")
    table = Table("true \\ predicted")
    for name in names:
        table.add_column(Text(name), justify="right")  # Text: a name in brackets is no command to rich
    for name, row in zip(names, test.confusion, strict=True):
        table.add_row(Text(name), *map(str, row))
    Console().print(table)
    print(f"Model:  {lesson.model}\nReport: {lesson.report}")
    print(f"{time.perf_counter() - start:.0f} seconds. Try it:")
    print(f"    python -m helpers predict {shlex.quote(str(lesson.model))} PICTURE")
    return 0


@dataclass(frozen=True)
class Lesson:
    """What came out of teaching.

    Attributes:
        model: path of the saved `.keras` file.
        report: path of the report, an HTML page that needs no other file.
        data: the pictures and their splits.
        test: how the model did on pictures it has not seen.
        penalty: the head's penalty, chosen on the validation split.
        validation_accuracy: with that penalty, 0..1.
    """

    model: Path
    report: Path
    data: "datasets.ImageDataset"
    test: "training.Evaluation"
    penalty: float
    validation_accuracy: float


def teach(
    folder: Path,
    *,
    output: Path,
    backbone: str = DEFAULT_BACKBONE,
    image_size: int = 224,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> Lesson:
    """Train a classifier on a folder of pictures and report how good it is.

    The pretrained network stays as it is; one layer on top of its features is solved, its penalty chosen on the
    validation split. Then that layer is solved again on training and validation pictures together, and judged once
    on the test split.

    Args:
        folder: one sub-folder a class, or `train`, `validation`, `test` with those inside.
        output: where the model goes, a name ending in `.keras`; the report goes beside it.
        backbone: a name that `backbones.build` knows.
        image_size: height and width at which the network sees the pictures.
        seed: which pictures are held out.
        say: takes a line about each step.

    Returns:
        A `Lesson`.

    Raises:
        ValueError: if the folder, its classes, the output or the backbone do not fit; one line that says why.
    """
    import numpy as np

    from helpers import backbones, datasets, features, images, prediction, training
    from helpers.commands.report import write_report

    if not folder.is_dir():
        raise ValueError(f"Received '{folder}', which is not a folder. Give a folder with one sub-folder a class.")
    _check_output(output)
    network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    say(f"Checking the pictures in '{folder}' ...")
    count = len(images.find_files(folder))
    data = datasets.load(
        folder,
        seed=seed,
        # More than there are: `load` shrinks them in proportion, and uses a split with a folder of its own whole.
        **{f"num_{split}": max(1, count) * share for split, share in SHARES.items()},
    )
    _check_classes(data)
    say(
        f"{data.counts['train']} pictures to learn from, {data.counts['validation']} to choose with, "
        f"{data.counts['test']} to test on; classes: {', '.join(data.class_names)}."
    )
    for file, reason in data.set_aside:
        say(f"Set aside: {file} ({reason.rstrip('.')}).")
    say(f"Looking at them with {backbone} at {image_size} pixels ...")
    found = features.load_or_extract(data, backbone=backbone, image_size=image_size, network=network)
    penalty, validation_accuracy = choose_penalty(found, num_classes=len(data.class_names))
    head = training.fit_logistic_head(
        np.concatenate([found.train.features, found.validation.features]),
        np.concatenate([found.train.labels, found.validation.labels]),
        num_classes=len(data.class_names),
        penalty=penalty,
    )
    test = training.evaluate(head, found.test.features, found.test.labels)
    model = prediction.save_classifier(training.attach_head(network, head), output, class_names=data.class_names)
    lesson = Lesson(model, output.with_suffix(".html"), data, test, penalty, validation_accuracy)
    write_report(lesson, backbone=backbone, image_size=image_size)
    return lesson


def _check_output(output: Path) -> None:
    if output.suffix != ".keras":
        raise ValueError(f"Received output '{output}', expected a name ending in '.keras'. Add the ending.")
    if output.is_dir():
        raise ValueError(f"Received output '{output}', which is a folder. Give the name of a file.")


def _check_classes(data: "datasets.ImageDataset") -> None:
    import numpy as np

    counts = np.bincount(np.concatenate(list(data.labels.values())), minlength=len(data.class_names))
    few = [f"{name}: {n}" for name, n in zip(data.class_names, counts, strict=True) if n < FEWEST_PICTURES]
    if few:
        raise ValueError(
            f"Received too few usable pictures ({', '.join(few)}), expected {FEWEST_PICTURES} or more a class. "
            "Add pictures to those folders."
        )


def choose_penalty(found: "features.FeatureSets", *, num_classes: int) -> tuple[float, float]:
    """Return the penalty whose head is best on the validation split, and its accuracy there.

    Ties go to the larger likelihood of the right answers, which a small split decides better than its accuracy.
    """
    import numpy as np

    from helpers import training

    results = []
    for penalty in PENALTIES:
        head = training.fit_logistic_head(
            found.train.features, found.train.labels, num_classes=num_classes, penalty=penalty
        )
        result = training.evaluate(head, found.validation.features, found.validation.labels)
        likelihood = np.log(result.probabilities[np.arange(len(result.labels)), result.labels] + 1e-12).mean()
        results.append((result.accuracy, likelihood, penalty))
    accuracy, _, penalty = max(results)
    return penalty, accuracy
