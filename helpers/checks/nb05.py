"""Checks for notebook 05, storage formats."""

import io
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from helpers.checks._runner import Function, case, exercise, require

SLICE = re.compile(r"train\[(?:(\d+)%)?:(?:(\d+)%)?\]")


def _find_percents(text: Any) -> list[int]:
    """Return which of the 100 percents of a split a text such as `train[:20%]+train[40%:]` takes."""
    require(isinstance(text, str), f"Your slice is a {type(text).__name__}, expected text: 'train[20%:40%]'.")
    found = [SLICE.fullmatch(part.strip()) for part in text.split("+")]
    require(all(found), f"Your slice is {text!r}, expected a text such as 'train[:20%]+train[40%:]'.")
    stretches = [range(int(part[1] or 0), int(part[2] or 100)) for part in found]
    return [percent for stretch in stretches for percent in stretch]


def _view_slices(fold_slices: Function, number: int, folds: int) -> Mapping[str, Any]:
    answer = fold_slices(number, folds)
    require(isinstance(answer, tuple | list) and len(answer) == 2, "Return two texts: for training, and held back.")
    train, held_back = map(_find_percents, answer)
    return {
        "You hold back {} percent, expected {}.": len(held_back),
        "{} percent stand in both of your slices, expected {}: learn from what is left.": len({*train} & {*held_back}),
        "You hold back from {} percent on, expected {}.": min(held_back),
        "You learn from {} percent, expected {}: from what stands before the fold and from what stands behind it.": len(
            train
        ),
    }


@exercise(
    case(1, 5),
    case(0, 5, why="The first fold has number 0."),
    case(4, 5, why="The last fold ends at 100."),
    case(3, 4, why="Use folds, not fixed percents."),
    view=_view_slices,
    right="every fold holds back another part, and learns from all the rest.",
)
def check_fold_slices(number, folds):
    """`fold_slices(number, folds)` gives the TFDS slices of one fold of a cross-validation."""

    def fold(first, width):
        low, high = first * width, (first + 1) * width
        return f"train[:{low}%]+train[{high}%:]", f"train[{low}%:{high}%]"

    train, held_back = fold(number, 100 // folds)
    return (train, held_back), {
        "The two are exchanged: first what to learn from, then what is held back.": (held_back, train),
        "Counted from 1: the first fold has number 0.": fold(number - 1, 100 // folds),
        "A fold takes 100 // folds percent, not folds percent.": fold(number, folds),
        "You learn from everything, also from what is held back.": ("train[:100%]", held_back),
        "What stands behind the fold is missing: join two slices with +.": (train.split("+")[0], held_back),
    }


def _view_line(parse: Function, line: str) -> Mapping[str, Any]:
    answer = parse(line)
    require(isinstance(answer, tuple) and len(answer) == 2, "Return two things: the label and the picture.")
    label, picture = answer
    return {"Your label is {}, expected {}: the first number of the line.": label, "": picture}


@exercise(
    case("3,200," + ",".join(map(str, np.random.default_rng(5).integers(0, 256, size=4899)))),
    view=_view_line,
    dtype="uint8",
    right="label 3 and 70 x 70 pixels: nothing was lost on the way through the text.",
)
def check_from_line(line):
    """`from_line(line)` gives label and picture of a CSV line."""
    numbers = np.array(line.split(","), dtype=int)
    label, pixels = int(numbers[0]), numbers[1:].astype(np.uint8)
    picture = pixels.reshape(70, 70)
    return (label, picture), {
        "The label comes first, the picture second.": (picture, label),
        "Your label is the text '3', expected a number: int(...).": (str(label), picture),
        "Your picture has 4,901 numbers: the first one is the label, not a pixel.": (label, numbers),
        "Your picture is still a row: put it into shape with reshape(70, 70).": (label, pixels),
        "Rows and columns are exchanged: the line holds the picture row by row.": (label, picture.T),
    }


@exercise(
    case(list(range(10)), 3),
    case(["a", "b", "c", "d"], 2),
    case([7], 2, why="A shard may stay empty."),
    asked="For {} and {} shards",
    right="dealt out in turn: no shard is more than one record longer than another.",
)
def check_deal_into_shards(records, num_shards):
    """`deal_into_shards(records, num_shards)` deals records out like cards."""
    size = -(-len(records) // num_shards)  # rounded up
    whole = len(records) - len(records) % num_shards
    return [records[first::num_shards] for first in range(num_shards)], {
        "Those are stretches, one after the other: deal the records out in turn.": [
            records[first * size : (first + 1) * size] for first in range(num_shards)
        ],
        "Those are rounds of one card each: a list per shard was asked for.": [
            records[first : first + num_shards] for first in range(0, len(records), num_shards)
        ],
        "The last records are missing, those of the round that is not full.": [
            records[first:whole:num_shards] for first in range(num_shards)
        ],
        "The first shard is missing: it begins at position 0.": [
            records[first::num_shards] for first in range(1, num_shards + 1)
        ],
    }


COLOURS = (51, 102, 153, 204, 255)


def _write_pictures(folder: Path) -> list[str]:
    """Write grey JPEG files of different sizes, each of one shade."""
    paths = [folder / f"{shade}.jpg" for shade in COLOURS]
    for number, (path, shade) in enumerate(zip(paths, COLOURS, strict=True)):
        buffer = io.BytesIO()
        Image.fromarray(np.full((20 + 7 * number, 40, 3), shade, dtype=np.uint8)).save(buffer, format="JPEG")
        path.write_bytes(buffer.getvalue())
    return [str(path) for path in paths]


def _view_batches(make: Function, labels: list[int], size: int, batch_size: int) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        dataset = make(_write_pictures(Path(folder)), labels, size, batch_size)
        kind = type(dataset).__name__
        require(isinstance(dataset, tf.data.Dataset), f"Your answer is of type {kind}, expected a tf.data.Dataset.")
        spec = dataset.element_spec
        is_pair = isinstance(spec, tuple) and len(spec) == 2
        require(
            is_pair, "Your data set does not yield pairs (pictures, labels): return both from the function for map."
        )
        batches = list(dataset.take(10).as_numpy_iterator())
    shapes = [pictures.shape for pictures, _ in batches]
    require(all(len(shape) == 4 for shape in shapes), f"Your pictures have shape {shapes[0]}: batch them, once.")
    shades = np.concatenate([pictures.mean(axis=(1, 2, 3)) for pictures, _ in batches])
    largest = max(float(pictures.max()) for pictures, _ in batches)
    return {
        "Your batches have {} pictures, expected {}.": [shape[0] for shape in shapes],
        "Your pictures have {} rows, columns and channels, expected {}.": list(shapes[0][1:]),
        "Your largest number is about {}, expected {}.": round(largest, 3),
        "Your labels are {}, expected {}: in the order of the paths.": np.concatenate([y for _, y in batches]).tolist(),
        "Your pictures have the shades {}, expected {}: in the order of the paths, as floats.": (
            shades.astype(float).round(1).tolist()
        ),
    }


@exercise(
    case([1, 0, 1, 1, 0], 8, 2),
    view=_view_batches,
    right="the same batches as the generator's, in parallel, and ready before they are asked for.",
)
def check_batches_like_generator(paths, labels, size, batch_size):
    """`batches_like_generator(paths, labels, size, batch_size)` does what `flow_from_dataframe` does, in tf.data."""

    def read(path, label, scale=255.0):
        picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(picture, (size, size)) / scale, label

    def in_batches(pairs, read=read, **options):
        return tf.data.Dataset.from_tensor_slices(pairs).map(read).batch(batch_size, **options)

    def divide_twice(path, label):
        return read(path, label, scale=255.0**2)

    whole = in_batches((paths, labels))
    return whole, {
        "The last, smaller batch is missing: the generator hands it out, too.": in_batches(
            (paths, labels), drop_remainder=True
        ),
        "It should end after one epoch: no repeat().": whole.repeat(),
        "Your numbers are not scaled: divide by 255.": in_batches(
            (paths, labels), lambda path, label: read(path, label, scale=1.0)
        ),
        "You divided by 255 twice.": in_batches((paths, labels), divide_twice),
        "The pictures came in another order than the paths: don't shuffle.": in_batches((paths[::-1], labels[::-1])),
    }
