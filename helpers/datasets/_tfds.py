"""Pictures from TensorFlow Datasets, the drawn ones among them."""

import difflib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import cleaning, downloads
from helpers.datasets._decoding import decode_content
from helpers.datasets._splits import (
    SPLITS,
    ImageDataset,
    Record,
    data_folder,
    drop_copies,
    fingerprint_of,
    labels_of_splits,
    split_records,
)
from helpers.datasets._writing import written_beside

INSPECTED_AT_ONCE = 256  # pictures


def load_tfds(name: str, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    builder = find_builder(name)
    _, label_key = _supervised_keys(builder)
    downloads.prepare(builder, name=name)
    pools = {split: _tfds_records(builder, split) for split in SPLITS if split in builder.info.splits}
    problems, odd = _find_problems(builder, pools)
    set_aside = _drop_damaged(pools, problems)
    set_aside += [(_slice_of(split, r), reason) for split, r, reason in drop_copies(pools, name=_slice_of)]
    chosen = split_records(pools, wanted=wanted, seed=seed)
    # Stored files are read from front to back, so that is the order of the pictures.
    records = {split: sorted(chosen[split][1]) for split in SPLITS}
    return ImageDataset(
        name=name,
        **{split: _select_tfds(builder, chosen[split][0], records[split], odd=odd) for split in SPLITS},
        class_names=tuple(builder.info.features[label_key].names),
        labels=labels_of_splits(records),
        fingerprint=fingerprint_of(records),
        set_aside=tuple(set_aside),
    )


def find_builder(name: str) -> tfds.core.DatasetBuilder:
    """Return the TFDS builder of a data set of labelled pictures, without downloading anything.

    Args:
        name: `"synthetic_pets"` or a TensorFlow Datasets name, with a configuration and a version if need be.

    Raises:
        ValueError: if there is no such data set, or it is not one of (image, class label) pairs.

    Example:
        >>> find_builder("cats_vs_dogs").info.features["label"].names
        ['cat', 'dog']
    """
    if name.split("/")[0] == "synthetic_pets":
        import helpers.synthetic_pets  # noqa: F401  (registers the builder)
    try:
        builder = tfds.builder(name, data_dir=data_folder() / "tfds")
    # AssertionError: no such version. ImportError: a source such as "huggingface:..." whose package is not here.
    except (tfds.core.registered.DatasetNotFoundError, ValueError, AssertionError, ImportError) as error:
        close = difflib.get_close_matches(name, {"synthetic_pets", *tfds.list_builders()})
        raise ValueError(
            f"Received '{name}', expected a folder, 'synthetic_pets' or a TensorFlow Datasets name"
            + (f" (did you mean {' or '.join(map(repr, close))}?)" if close else "")
            + ". Check the path: it is taken from the folder you are in."
        ) from error
    _supervised_keys(builder)
    return builder


def _supervised_keys(builder: tfds.core.DatasetBuilder) -> tuple[str, str]:
    keys, features = builder.info.supervised_keys, builder.info.features
    if not (
        keys
        and isinstance(features[keys[0]], tfds.features.Image)
        and isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise ValueError(
            f"Received '{builder.name}', expected a data set of (image, class label) pairs. "
            "Choose an image-classification data set such as 'cats_vs_dogs'."
        )
    return keys[0], keys[1]


def _tfds_encoded(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """Return `(encoded picture, label)` in the order of the stored files, the same every time."""
    image_key, label_key = _supervised_keys(builder)
    stored = builder.as_dataset(split=split, decoders={image_key: tfds.decode.SkipDecoding()}, shuffle_files=False)
    return stored.map(lambda example: (example[image_key], example[label_key]))


def _tfds_records(builder: tfds.core.DatasetBuilder, split: str) -> list[Record]:
    return [
        Record(position, int(label), hashlib.sha256(content).hexdigest())
        for position, (content, label) in enumerate(_tfds_encoded(builder, split).as_numpy_iterator())
    ]


def _find_problems(
    builder: tfds.core.DatasetBuilder, pools: Mapping[str, Sequence[Record]]
) -> tuple[dict[str, str], set[str]]:
    """Return what is wrong with the damaged pictures, by digest, and the digests of those that are whole but not plain.

    Looked for once, and remembered.
    """
    contents = hashlib.sha256("".join(sorted(r.digest for r in chain.from_iterable(pools.values()))).encode())
    remembered = data_folder() / "checked" / f"{contents.hexdigest()}-2.json"
    if not remembered.exists():
        reports = [report for split in pools for report in _inspect(builder, split)]
        with written_beside(remembered) as draft:
            problems = {report.digest: report.problem for report in reports if report.problem}
            odd = sorted({report.digest for report in reports if not (report.problem or report.plain)})
            draft.write_text(json.dumps([problems, odd]))
    problems, odd = json.loads(remembered.read_text())
    return problems, set(odd)


def _inspect(builder: tfds.core.DatasetBuilder, split: str) -> Iterator[cleaning.FileReport]:
    """Decode every picture in full, as for a folder of files."""
    for contents, _ in _tfds_encoded(builder, split).batch(INSPECTED_AT_ONCE).as_numpy_iterator():
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, str(number)) for number in range(len(contents))]
            for file, content in zip(files, contents, strict=True):
                file.write_bytes(content)
            yield from cleaning.inspect_files(files)


def _drop_damaged(pools: dict[str, list[Record]], problems: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keep the whole pictures; return (slice, reason) of the others."""
    set_aside = []
    for split, records in pools.items():
        set_aside += [(_slice_of(split, r), problems[r.digest]) for r in records if r.digest in problems]
        pools[split] = [record for record in records if record.digest not in problems]
    return set_aside


def _slice_of(split: str, record: Record) -> str:
    """Name a picture as TFDS does: `tfds.load(name, split="train[17:18]")`."""
    return f"{split}[{record.position}:{record.position + 1}]"


def _select_tfds(
    builder: tfds.core.DatasetBuilder, split: str, records: Sequence[Record], *, odd: Set[str]
) -> tf.data.Dataset:
    member = np.zeros(builder.info.splits[split].num_examples, dtype=bool)
    member[[record.position for record in records]] = True
    plain = np.ones_like(member)
    plain[[record.position for record in records if record.digest in odd]] = False
    is_member, is_plain = tf.constant(member), tf.constant(plain)
    selected = _tfds_encoded(builder, split).enumerate().filter(lambda index, _: is_member[index])
    pictures = selected.map(
        lambda index, example: (decode_content(example[0], is_plain[index]), example[1]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return pictures.apply(tf.data.experimental.assert_cardinality(len(records)))
