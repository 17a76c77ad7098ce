"""Pictures from TensorFlow Datasets, the drawn ones among them."""

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import cleaning, downloads, files
from helpers.datasets._batches import decode_content, decode_later
from helpers.datasets._splits import (
    SPLITS,
    ImageDataset,
    Picture,
    data_folder,
    drop_copies,
    fingerprint_of,
    group_look_alikes,
    labels_of_splits,
    split_pictures,
)

READ_AT_ONCE = 256  # pictures
LAYOUT_VERSION = 4  # of what is remembered about pictures


def load_tfds(name: str, *, wanted: Mapping[str, int], seed: int) -> ImageDataset:
    """Do what `load` does, for the name of a TFDS data set."""
    builder = find_builder(name)
    if not downloads.is_prepared(builder):
        files.require_writable(data_folder())
        downloads.prepare(builder, name=name)
    pools = {split: _list_pictures(builder, split) for split in SPLITS if split in builder.info.splits}
    found = _inspect(builder, pools)
    set_aside = []
    for split, pictures in pools.items():
        set_aside += [(p.name, found[p.digest][0]) for p in pictures if found[p.digest][0]]
        whole = [(p, *found[p.digest][1:]) for p in pictures if not found[p.digest][0]]
        pools[split] = [p._replace(plain=plain, likeness=likeness) for p, plain, likeness in whole]
    pools, copies = drop_copies(pools)
    pools, near_copies, count = group_look_alikes(pools)
    set_aside += [(picture.name, reason) for picture, reason in (*copies, *near_copies)]
    chosen = split_pictures(pools, wanted=wanted, seed=seed)
    # Stored files are read from front to back, so that is the order of the pictures.
    chosen = {split: sorted(chosen[split], key=lambda picture: picture.position) for split in SPLITS}
    return ImageDataset(
        name=name,
        **{split: _select(builder, chosen[split]) for split in SPLITS},
        class_names=tuple(builder.info.features[_supervised_keys(builder)[1]].names),
        labels=labels_of_splits(chosen),
        fingerprint=fingerprint_of(chosen),
        set_aside=tuple(set_aside),
        near_duplicates=count,
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
    folder = data_folder() / "tfds"
    try:
        builder = tfds.builder(name, data_dir=folder)
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


def _encoded(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """Return `(encoded picture, label)` in the order of the stored files, the same every time."""
    image_key, label_key = _supervised_keys(builder)
    stored = builder.as_dataset(split=split, decoders={image_key: tfds.decode.SkipDecoding()}, shuffle_files=False)
    return stored.map(lambda example: (example[image_key], example[label_key]))


def _list_pictures(builder: tfds.core.DatasetBuilder, split: str) -> list[Picture]:
    """Name each picture as TFDS does: `tfds.load(name, split="train[17:18]")`."""
    pairs = (pair for portion in _read_portions(builder, split) for pair in zip(*portion, strict=True))
    return [
        Picture(f"{split}[{i}:{i + 1}]", i, int(label), hashlib.sha256(content).hexdigest())
        for i, (content, label) in enumerate(pairs)
    ]


def _read_portions(builder: tfds.core.DatasetBuilder, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read the encoded pictures and the labels of a split; one by one takes twice as long."""
    return _encoded(builder, split).batch(READ_AT_ONCE).as_numpy_iterator()


def _inspect(
    builder: tfds.core.DatasetBuilder, pools: Mapping[str, Sequence[Picture]]
) -> dict[str, tuple[str, bool, int | None]]:
    """Return, by digest, what is wrong with a picture, whether it is plain, and its likeness; remembered once found."""
    contents = "".join(sorted(picture.digest for pictures in pools.values() for picture in pictures))
    name = hashlib.sha256(contents.encode()).hexdigest()
    remembered = data_folder() / "checked" / f"{name}-{LAYOUT_VERSION}.json"
    if remembered.exists():
        return json.loads(remembered.read_text(encoding="utf-8"))
    found = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for split in pools:
            for contents, _ in _read_portions(builder, split):
                reports = pool.map(cleaning.inspect_content, contents)
                found |= {report.digest: (report.problem, report.plain, report.likeness) for report in reports}
    with suppress(OSError), files.written_beside(remembered) as draft:  # a read-only folder: looked for again next time
        draft.write_text(json.dumps(found), encoding="utf-8")
    return found


def _select(builder: tfds.core.DatasetBuilder, pictures: Sequence[Picture]) -> tf.data.Dataset:
    """Return the decoded pictures, which come from one split of the source, in the order of the stored files."""
    source = pictures[0].name.split("[")[0]
    member = np.zeros(builder.info.splits[source].num_examples, dtype=bool)
    member[[picture.position for picture in pictures]] = True
    plain = np.ones_like(member)
    plain[[picture.position for picture in pictures if not picture.plain]] = False
    is_member, is_plain = tf.constant(member), tf.constant(plain)
    selected = _encoded(builder, source).enumerate().filter(lambda index, _: is_member[index])
    selected = selected.apply(tf.data.experimental.assert_cardinality(len(pictures)))
    return decode_later(selected, lambda index, example: (decode_content(example[0], is_plain[index]), example[1]))
