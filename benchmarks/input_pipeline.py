"""Measure how fast pictures come: Keras' older generator, Keras' loader, and the ways of helpers.datasets.

    COURSE_PHOTOS=FOLDER python benchmarks/input_pipeline.py

`COURSE_PHOTOS` holds `cat_dog_small/train` (2,000 photos in two class folders); without it, the drawn pictures are
measured. Then the memory of one epoch, over 2,000 and over 25,000 pictures, each in a process of its own. Prints the
figures and keeps them in benchmarks/results/input_pipeline.json, from where the README quotes them.
"""

import argparse
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

from helpers import datasets, images

RESULTS = Path(__file__).parent / "results" / "input_pipeline.json"
IMAGE_SIZE, BATCH, REPEATS = 160, 32, 3
NUM_PICTURES = 2_000
HELD_OUT = 10  # pictures for each of the other splits: `load` wants some in each
MEMORY_COUNTS = (2_000, 25_000)
DEGREES, ZOOM = 20, 0.2  # of both ways to augment, beside a flip

Epoch = Callable[[], Iterable]  # gives the batches of one epoch
WAYS = (
    "generator",
    "image_dataset_from_directory",
    "ours, first epoch",
    "ours, later epochs",
    "generator, augmented",
    "ours, augmented by three Keras layers",
    "ours, augmented by one matrix",
    "TFRecord, first epoch",
    "CSV, 70 x 70 grayscale",
)


def take_epoch(epoch: Iterable, *, batches: int) -> float:
    """Return the pictures per second of one epoch."""
    start = time.perf_counter()
    count = sum(len(pictures) for pictures, _ in itertools.islice(iter(epoch), batches))
    return count / (time.perf_counter() - start)


def make_generator(folder: Path, **options: object) -> Epoch:
    source = ImageDataGenerator(rescale=1 / 255, **options)
    flow = source.flow_from_directory(
        folder, target_size=(IMAGE_SIZE, IMAGE_SIZE), batch_size=BATCH, class_mode="sparse", interpolation="bilinear"
    )
    return lambda: flow


def make_keras_loader(folder: Path) -> Epoch:
    size = (IMAGE_SIZE, IMAGE_SIZE)
    loader = keras.utils.image_dataset_from_directory(folder, image_size=size, batch_size=BATCH, verbose=False)
    loader = loader.prefetch(tf.data.AUTOTUNE)
    return lambda: loader


def make_keras_layers() -> keras.Sequential:
    layers = [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(DEGREES / 360, fill_mode="nearest"),
        keras.layers.RandomZoom((-ZOOM, ZOOM), (-ZOOM, ZOOM), fill_mode="nearest"),
    ]
    return keras.Sequential(layers)


def flip_turn_and_zoom(pictures: tf.Tensor) -> tf.Tensor:
    """Do what the layers do with a single look-up of each pixel, as the generator does too: one matrix per picture."""
    count, middle = tf.shape(pictures)[0], (tf.cast(tf.shape(pictures)[1], tf.float32) - 1) / 2
    angle = tf.random.uniform([count], -DEGREES, DEGREES) * math.pi / 180
    across = tf.random.uniform([count], 1 - ZOOM, 1 + ZOOM) * tf.sign(tf.random.uniform([count], -1, 1))
    down = tf.random.uniform([count], 1 - ZOOM, 1 + ZOOM)
    a, b = tf.cos(angle) * across, -tf.sin(angle) * down
    d, e = tf.sin(angle) * across, tf.cos(angle) * down
    zero = tf.zeros([count])
    matrices = tf.stack([a, b, middle * (1 - a - b), d, e, middle * (1 - d - e), zero, zero], axis=1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=matrices,
        output_shape=tf.shape(pictures)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def make_ways(folder: Path, scratch: Path) -> dict[str, Epoch]:
    """Return every way to read the pictures of a folder."""
    data = datasets.load(folder, num_train=NUM_PICTURES - 2 * HELD_OUT, num_validation=HELD_OUT, num_test=HELD_OUT)
    tables = datasets.write_csv(data.train, scratch / "train.csv")
    records = datasets.read_tfrecords(datasets.write_tfrecords(data.train, scratch, quality=95))
    options = {"image_size": IMAGE_SIZE, "batch_size": BATCH, "shuffle": True}
    kept = datasets.batches(data.train, **options)
    layers = make_keras_layers()
    by_layers = datasets.batches(data.train, augment=lambda p: layers(p, training=True), **options)
    by_matrix = datasets.batches(data.train, augment=flip_turn_and_zoom, **options)
    rows = datasets.read_csv(tables).shuffle(NUM_PICTURES).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    turned = {"horizontal_flip": True, "rotation_range": DEGREES, "zoom_range": ZOOM}
    return {
        "generator": make_generator(folder),
        "image_dataset_from_directory": make_keras_loader(folder),
        "ours, first epoch": lambda: datasets.batches(data.train, **options),  # anew, so nothing is kept yet
        "ours, later epochs": lambda: kept,
        "generator, augmented": make_generator(folder, **turned),
        "ours, augmented by three Keras layers": lambda: by_layers,
        "ours, augmented by one matrix": lambda: by_matrix,
        "TFRecord, first epoch": lambda: datasets.batches(records, **options),
        "CSV, 70 x 70 grayscale": lambda: rows,
    }


def measure_way(name: str, folder: Path, scratch: Path) -> None:
    """Print the pictures per second of one way: the median of some epochs after one that is not counted."""
    epoch = make_ways(folder, scratch)[name]
    speeds = [take_epoch(epoch(), batches=-(-NUM_PICTURES // BATCH)) for _ in range(1 + REPEATS)]
    print(json.dumps({"pictures_per_second": round(median(speeds[1:]))}))


def measure_speed(folder: Path) -> dict[str, float]:
    """Return pictures per second, each way in a process of its own: in one, what a way leaves behind slows the next."""
    return {name: call_self("--way", name, "--source", folder)["pictures_per_second"] for name in WAYS}


def call_self(*arguments: str | Path) -> dict[str, float]:
    """Run this script in a process of its own, and return what it prints last."""
    call = [sys.executable, __file__, *arguments]
    return json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def add_ratios(speeds: dict[str, float]) -> dict[str, dict[str, float]]:
    """Put the ratio to the generator beside each speed: the augmenting one for what augments."""
    return {
        name: {
            "pictures_per_second": speed,
            "ratio": round(speed / speeds["generator, augmented" if "augmented" in name else "generator"], 1),
        }
        for name, speed in speeds.items()
    }


def multiply_pictures(source: Path, target: Path, *, count: int) -> None:
    """Write so many files, no two alike: the same photos again, with a number behind each picture's end."""
    files = [file for file in images.find_files(source) if file.suffix.lower() in {".jpg", ".jpeg"}]
    for number, file in zip(range(count), itertools.cycle(files), strict=False):
        folder = target / file.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(file.read_bytes() + number.to_bytes(8, "big"))


def read_one_epoch(folder: Path, *, shuffle: bool) -> None:
    """Load a folder, read one epoch, and print the most memory that this process has had, in MB."""
    count = len(images.find_files(folder)) - 2 * HELD_OUT
    data = datasets.load(folder, num_train=count, num_validation=HELD_OUT, num_test=HELD_OUT)
    seen = sum(len(p) for p, _ in datasets.batches(data.train, image_size=IMAGE_SIZE, shuffle=shuffle))
    print(json.dumps({"pictures": seen, "megabytes": measure_peak()}))


def measure_peak() -> int:
    """Return the most memory, in MB, that this process has had at a time (Linux)."""
    # Not `resource.getrusage`: on Linux its figure starts from that of the process which started this one.
    return round(int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)


def measure_memory(source: Path, scratch: Path) -> dict[str, dict[str, float]]:
    """Return the peak memory by number of pictures, shuffled for training and in order for evaluation."""
    found: dict[str, dict[str, float]] = {"shuffled": {}, "in order": {}}
    for count in MEMORY_COUNTS:
        folder = scratch / f"pictures_{count}"
        multiply_pictures(source, folder, count=count + 2 * HELD_OUT)
        for order, results in found.items():
            shuffle = ["--shuffle"] if order == "shuffled" else []
            results[str(count)] = call_self("--one-epoch", folder, *shuffle)["megabytes"]
        shutil.rmtree(folder)
    return found


def find_source(scratch: Path) -> tuple[str, Path]:
    """Return what the pictures show, and their folder."""
    if os.environ.get("COURSE_PHOTOS"):
        return "photos", Path(os.environ["COURSE_PHOTOS"]) / "cat_dog_small" / "train"
    return "drawn pictures", datasets.export(datasets.load("synthetic_pets"), scratch / "pets") / "train"


def main() -> None:
    """Measure and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-epoch", type=Path, metavar="FOLDER", help="only read a folder and print the memory")
    parser.add_argument("--shuffle", action="store_true", help="with --one-epoch: as for training")
    parser.add_argument("--only", choices=["speed", "memory"], help="keep the last figures of the other")
    parser.add_argument("--way", choices=WAYS, help="only read by one way, and print its speed")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="with --way: two class folders")
    options = parser.parse_args()
    if options.way:
        with tempfile.TemporaryDirectory() as folder:
            measure_way(options.way, options.source, Path(folder))
        return
    if options.one_epoch:
        read_one_epoch(options.one_epoch, shuffle=options.shuffle)
        return
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        name, source = find_source(Path(folder))
        results = kept | {"source": name}
        if options.only != "memory":
            results["ways"] = add_ratios(measure_speed(source))
        if options.only != "speed":
            results["memory_megabytes"] = measure_memory(source, Path(folder))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
