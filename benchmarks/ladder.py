"""Climb the course's ladder on one data set: from a small CNN to a fine-tuned network, over several seeds.

    python benchmarks/ladder.py --dataset photos/cat_dog_small --seeds 5
    python benchmarks/ladder.py --dataset photos/cat_dog_small --rungs vanilla "fine-tuned Lite0, 160 px"

Every rung learns from the same training pictures (2,000 at most) and is judged on the same others (1,000 at most),
which no rung chooses anything on. Each runs in a process of its own, for its peak of memory; costs are in passes (see
helpers/doctor.py). What is measured is kept at once in benchmarks/results/ladder.json, seed by seed: called again, it
goes on where it was stopped.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import albumentations as A  # noqa: N812
import cv2
import keras
import numpy as np

from helpers import architectures, augmentation, backbones, datasets, features, training, tuning
from helpers.commands.teach import choose_penalty
from helpers.doctor import measure_pass

RESULTS = Path(__file__).parent / "results" / "ladder.json"
# The notes' filters: photos need more of them than lesson 07's drawings. In three folds of the 2,000 training photos
# 0.782 are right with them, 0.759 with lesson 07's 16, 32, 64, 128; batches of 16 (0.765) or a falling rate (0.760)
# did not bring as much. As many epochs as augmentation needs to pay (lesson 10), for all three alike.
CNN_SIZE, CNN_FILTERS, CNN_EPOCHS, CNN_RATE = 64, (32, 64, 128, 128), 60, 1e-3
# Batch normalisation bears a larger rate. Rate and average were chosen on a quarter of the training photos.
BETTER_RATE, BETTER_L2 = 3e-3, 1e-3
NOTES_SIZE, NOTES_STEPS, NOTES_BATCH = 160, 6, 32  # of the notes' way and the lesson's, some steps are timed
LESSON_BLOCK = "block7a"  # where lesson 12 begins to fine-tune

Measure = Callable[[int], tuple[float, int]]  # a seed -> accuracy, parameters that learned


def load(folder: str | Path) -> datasets.ImageDataset:
    return datasets.load(folder, num_train=2000, num_validation=500, num_test=500)


def judge(model: keras.Model, sets: features.FeatureSets) -> float:
    """Return the accuracy on all pictures that were held out."""
    return share_right(training.evaluate(model, part.features, part.labels) for part in (sets.validation, sets.test))


def share_right(results: Iterable[training.Evaluation]) -> float:
    return float(np.concatenate([result.predicted == result.labels for result in results]).mean())


# --- small networks ------------------------------------------------------------------------------------------------


def prepare_cnn(folder: Path, *, better: bool, augmented: bool) -> Measure:
    """A small network of lessons 07, 08 and 10: all three see every training picture equally often."""
    data = load(folder)
    block = partial(architectures.normalised_block, l2=BETTER_L2) if better else architectures.convolution_block
    changes = [A.HorizontalFlip(p=0.5)]
    moves = {"translate_percent": (-0.1, 0.1), "scale": (0.8, 1.2), "rotate": (-20, 20)}
    changes.append(A.Affine(**moves, border_mode=cv2.BORDER_REPLICATE, p=1))

    def run(seed: int) -> tuple[float, int]:
        training.set_seed(seed)
        options = {"image_size": CNN_SIZE, "augment": A.Compose(changes) if augmented else None, "seed": seed}
        train = augmentation.training_batches(data, **options).train
        model = architectures.build_cnn(
            input_shape=(CNN_SIZE, CNN_SIZE, 3),
            num_classes=len(data.class_names),
            filters=CNN_FILTERS,
            block=block,
            pooling="average" if better else "flatten",
            dropout=0.5,
        )
        steps = CNN_EPOCHS * math.ceil(data.counts["train"] / NOTES_BATCH)
        rate = keras.optimizers.schedules.CosineDecay(BETTER_RATE, steps) if better else CNN_RATE
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
        model.fit(train, epochs=CNN_EPOCHS, shuffle=False, verbose=0)
        others = (datasets.batches(split, image_size=CNN_SIZE, cache=False) for split in (data.validation, data.test))
        return share_right(training.evaluate(model, batches) for batches in others), count_learners(model)

    return run


def count_learners(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


# --- pretrained networks -------------------------------------------------------------------------------------------


def solve_head(sets: features.FeatureSets, *, num_classes: int) -> keras.Model:
    """One layer on the features of pictures and their mirror images, in turn; a fifth of these chooses its penalty."""
    rows, labels = np.asarray(sets.train.features), sets.train.labels
    order = np.random.default_rng(0).permutation(len(labels) // 2)
    pairs = (np.concatenate([2 * part, 2 * part + 1]) for part in np.split(order, [len(order) // 5]))
    chosen_on, learned_from = (features.Features(rows[part], labels[part]) for part in pairs)
    parts = features.FeatureSets(learned_from, chosen_on, sets.test)
    penalty, _ = choose_penalty(parts, num_classes=num_classes)
    return training.fit_logistic_head(rows, labels, num_classes=num_classes, penalty=penalty)


def prepare_features(folder: str | Path, *, sizes: dict[str, int]) -> Measure:
    """One layer solved on the features of one network, or of several side by side; sizes: of the pictures for each.

    No chance is in it, so every seed gives the same.
    """
    data = load(folder)
    sets = put_side_by_side([extract_features(data, name, image_size=size) for name, size in sizes.items()])

    def run(seed: int) -> tuple[float, int]:
        head = solve_head(sets, num_classes=len(data.class_names))
        return judge(head, sets), count_learners(head)

    return run


def extract_features(data: datasets.ImageDataset, backbone: str, *, image_size: int) -> features.FeatureSets:
    """Return features as `features.load_or_extract` does, and those of the training pictures' mirror images as well."""
    network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    averaged = keras.layers.GlobalAveragePooling2D()(network.output)  # (b, h, w, c) -> (b, c)
    return features.load_or_extract_maps(data, keras.Model(network.input, averaged), mirrored=True)


def put_side_by_side(several: Sequence[features.FeatureSets]) -> features.FeatureSets:
    """Return one row per picture that holds what every network sees in it."""

    def join(split: str) -> features.Features:
        parts = [getattr(sets, split) for sets in several]
        return features.Features(np.concatenate([part.features for part in parts], axis=1), parts[0].labels)

    return features.FeatureSets(*map(join, datasets.SPLITS))


def prepare_tuning(folder: str | Path, *, backbone: str, image_size: int, block: str = "") -> Measure:
    """That layer and the last blocks of the network, trained on: the bottom's maps serve all seeds.

    From `block` on, or as `teach --fine-tune` does it.
    """
    data = load(folder)
    network = backbones.build(backbone, input_shape=(image_size, image_size, 3))
    block = block or backbones.find_last_block(network)
    bottom, top = backbones.split_at(network, block)
    maps = features.load_or_extract_maps(data, bottom, mirrored=True)
    sets = features.FeatureSets(*(pool(top, part) for part in (maps.train, maps.validation, maps.test)))
    before = network.get_weights()

    def run(seed: int) -> tuple[float, int]:
        network.set_weights(before)
        head = solve_head(sets, num_classes=len(data.class_names))
        tuned = tuning.fine_tune(network, head, maps.train, from_name=block, seed=seed)
        backbones.unfreeze_top(network, from_name=block)
        return judge(tuned.top, maps), count_learners(tuned.top)

    return run


def pool(top: keras.Model, maps: features.Features) -> features.Features:
    """Return the features of pictures whose maps are given."""
    inputs = keras.Input(top.input_shape[1:])
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(top(inputs)))
    starts = range(0, len(maps.labels), 64)
    return features.Features(
        np.concatenate([model.predict_on_batch(maps.features[i : i + 64]) for i in starts]), maps.labels
    )


# --- the notes' way ------------------------------------------------------------------------------------------------


def build_notes_way() -> keras.Model:
    """VGG16 as in the notes: frozen, inside the model that is trained, so it runs in every epoch."""
    shape = (NOTES_SIZE, NOTES_SIZE, 3)
    network = backbones.build("VGG16", input_shape=shape, weights=None)  # which weights makes no difference in time
    network.trainable = False
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(network.output))
    return keras.Model(network.input, outputs)


def build_lesson_way() -> keras.Model:
    """The top of Lite0 as in lesson 12: from its last block on, on maps that the bottom gave once."""
    network = backbones.build("EfficientNetLite0", input_shape=(NOTES_SIZE, NOTES_SIZE, 3), weights=None)
    backbones.unfreeze_top(network, from_name=LESSON_BLOCK)
    top = backbones.split_at(network, LESSON_BLOCK)[1]
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(top.output))
    return keras.Model(top.input, outputs)


def time_epoch(model: keras.Model, *, num_train: int) -> float:
    """Return the seconds of an epoch in which each picture comes once, reckoned from a few steps."""
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    inputs, labels = np.zeros((NOTES_BATCH, *model.input_shape[1:]), "float32"), np.zeros(NOTES_BATCH)
    model.train_on_batch(inputs, labels)
    start = time.perf_counter()
    for _ in range(NOTES_STEPS):
        model.train_on_batch(inputs, labels)
    return (time.perf_counter() - start) / NOTES_STEPS * num_train / NOTES_BATCH


WAYS = {"epoch_passes": build_notes_way, "lesson_epoch_passes": build_lesson_way}


# --- the ladder ----------------------------------------------------------------------------------------------------


def list_rungs() -> dict[str, Callable[[Path], Measure]]:
    """Return what to prepare, by rung; of the Lites, those whose weights are here."""
    rungs = {
        "vanilla": partial(prepare_cnn, better=False, augmented=False),
        "better trained": partial(prepare_cnn, better=True, augmented=False),
        "augmented": partial(prepare_cnn, better=True, augmented=True),
    }
    here = [row for row in backbones.availability() if "Lite" in row.name and row.weights == "installed"]
    for row in here:
        for size in sorted({160, 224, row.image_size}):  # the last: of the pictures that it was trained with
            short = f"{shorten(row.name)}, {size} px"
            rungs[f"features of {short}"] = partial(prepare_features, sizes={row.name: size})
            rungs[f"fine-tuned {short}"] = partial(prepare_tuning, backbone=row.name, image_size=size)
    if len(here) > 1:
        names = " + ".join(shorten(row.name) for row in here)
        rungs[f"features of {names}"] = partial(prepare_features, sizes={row.name: row.image_size for row in here})
    return rungs


def shorten(name: str) -> str:
    return name.removeprefix("EfficientNet")


def climb(rung: str, folder: Path, *, seeds: int) -> None:
    """Measure one rung in this process and keep each seed's row at once."""
    row = read_results()["rungs"].get(rung, {"runs": []})
    done = len(row["runs"])
    if done >= seeds:
        return
    before, start = measure_pass(), time.perf_counter()
    run = list_rungs()[rung](folder)
    prepared = time.perf_counter() - start
    row.setdefault("prepare_passes", round(prepared / before, 2))  # what was measured first: later, maps may be there
    for seed in range(done, seeds):
        start = time.perf_counter()
        accuracy, learned = run(seed)
        seconds = time.perf_counter() - start
        after = measure_pass()
        run_row = {"accuracy": round(accuracy, 4), "passes": round(2 * seconds / (before + after), 2)}
        before = after
        row["runs"].append(run_row)
        row["parameters_trained"] = learned
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        row["peak_megabytes"] = max(megabytes, row.get("peak_megabytes", 0))
        keep(rung, summarise(row))
        print(f"{rung}, seed {seed}: {run_row}", flush=True)


def summarise(row: dict) -> dict:
    """Add to a rung's row what its runs come to."""
    passes = row["prepare_passes"] + mean(run["passes"] for run in row["runs"])
    return row | {
        **average([run["accuracy"] for run in row["runs"]]),
        "passes": round(passes, 1),  # of one run from nothing
    }


def average(accuracies: Sequence[float]) -> dict[str, float | None]:
    """Return the mean over seeds, and its standard deviation where there are several."""
    spread = round(stdev(accuracies), 4) if len(accuracies) > 1 else None
    return {"mean": round(mean(accuracies), 4), "standard_deviation": spread}


def read_results() -> dict:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rungs": {}}


def keep(rung: str, row: dict) -> None:
    """Write a rung's row into the results, in the order of the ladder."""
    results = read_results()
    rows = results["rungs"] | {rung: row}
    order = [*list_rungs(), *rows]
    write({**results, "rungs": {name: rows[name] for name in dict.fromkeys(order) if name in rows}})


def write(results: dict) -> None:
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def compare_notes(folder: Path) -> None:
    """Put an epoch in the notes' way beside those of fine-tuning at the same size, in passes."""
    num_train = load(folder).counts["train"]
    before = measure_pass()
    seconds = {name: time_epoch(build(), num_train=num_train) for name, build in WAYS.items()}
    seconds_per_pass = (before + measure_pass()) / 2
    found = {name: round(value / seconds_per_pass, 2) for name, value in seconds.items()}
    results = read_results()
    runs = results["rungs"][f"fine-tuned Lite0, {NOTES_SIZE} px"]["runs"]  # measured before
    found["tuning_epoch_passes"] = round(mean(run["passes"] for run in runs) / tuning.EPOCHS, 2)
    write(results | {"notes": found | {"steps_timed": NOTES_STEPS, "image_size": NOTES_SIZE}})
    print(found)


def main() -> None:
    """Climb rung by rung, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, metavar="FOLDER", help="default: $COURSE_PHOTOS/cat_dog_small")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rungs", nargs="+", metavar="RUNG", help="default: all, and the notes' way ('notes')")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # in this process
    options = parser.parse_args()
    if not options.dataset and not os.environ.get("COURSE_PHOTOS"):
        print("Neither --dataset nor COURSE_PHOTOS is given: nothing measured.")
        return
    folder = options.dataset or Path(os.environ["COURSE_PHOTOS"]) / "cat_dog_small"
    for rung in find_rungs(options.rungs):
        if not options.here:
            command = [sys.executable, __file__, "--dataset", folder, "--seeds", str(options.seeds), "--here"]
            with tempfile.TemporaryDirectory() as scratch:  # so that nothing saved earlier is taken
                subprocess.run([*command, "--rungs", rung], check=True, env=os.environ | {"COURSE_DATA": scratch})
        elif rung == "notes":
            compare_notes(folder)
        else:
            climb(rung, folder, seeds=options.seeds)


def find_rungs(wanted: list[str] | None) -> Iterator[str]:
    known = [*list_rungs(), "notes"]
    for rung in wanted or known:
        if rung not in known:
            raise SystemExit(f"Received rung '{rung}', expected one of these: {'; '.join(known)}.")
        yield rung


if __name__ == "__main__":
    main()
