"""The one door to data: a name or a folder in, three disjoint splits out.

    data = load("synthetic_pets")            # drawn on your machine, no download
    data = load("cats_vs_dogs")              # any TensorFlow Datasets name
    data = load("my_photos")                 # a folder with one sub-folder per class

Whatever the source, a split is a `tf.data.Dataset` of `(picture, label)`, and no picture stands in two splits.

Files to other files: `list_pictures` and `split_into_folders` (a table of paths, three folders), `write_csv` and
`read_csv`, `write_tfrecords` and `read_tfrecords`, `export` (any data set to folders). `leakage_report` finds pictures
that stand in two splits.

To read on: `_splits` (which picture goes where), `_folders` and `_tfds` (the two sources), `_batches` (decode, resize,
cache, shuffle), `_formats` and `_tables` (other files), `_leaks`.
"""

from pathlib import Path

from helpers.datasets._batches import batches, batches_from_files, endless_batches, pictures_at, to_arrays
from helpers.datasets._folders import load_folder
from helpers.datasets._formats import read_csv, read_tfrecords, write_csv, write_tfrecords
from helpers.datasets._leaks import leakage_report
from helpers.datasets._splits import SPLITS, ImageDataset, data_folder
from helpers.datasets._tables import export, list_pictures, split_into_folders
from helpers.datasets._tfds import find_builder, load_tfds

__all__ = [
    "SPLITS",
    "ImageDataset",
    "batches",
    "batches_from_files",
    "data_folder",
    "endless_batches",
    "export",
    "find_builder",
    "leakage_report",
    "list_pictures",
    "load",
    "pictures_at",
    "read_csv",
    "read_tfrecords",
    "split_into_folders",
    "to_arrays",
    "write_csv",
    "write_tfrecords",
]


def load(
    source: str | Path = "synthetic_pets",
    *,
    num_train: int = 2000,
    num_validation: int = 1000,
    num_test: int = 1000,
    seed: int = 0,
) -> ImageDataset:
    """Load pictures by name or from a folder and split them.

    A split that the source does not have is taken from one it has: `test` from `validation`, both from `train`.
    The choice depends on the pictures' names (in a folder) or places (in TFDS) and the seed alone, so it is the same
    on every machine. It keeps the classes' shares, and takes the test pictures first: another `num_train` leaves the
    test split as it is.

    Args:
        source: `"synthetic_pets"`, any image-classification name of TensorFlow Datasets such as `"cats_vs_dogs"`,
            or a folder with one sub-folder per class (also below `train`, `validation` and `test`).
        num_train: at most so many pictures; with fewer at hand the three numbers shrink in proportion.
        num_validation: the same.
        num_test: the same.
        seed: which pictures are chosen.

    Returns:
        An `ImageDataset`.

    Raises:
        ValueError: if the source is neither a folder of pictures nor a known name, or has fewer than two classes.
        ConnectionError: if a data set has to be downloaded and cannot be.

    Example:
        >>> data = load("synthetic_pets/tiny", num_train=40, num_validation=10, num_test=10)
        >>> data.class_names, data.counts["train"]
        (('cat', 'dog'), 40)
    """
    wanted = {"train": num_train, "validation": num_validation, "test": num_test}
    for name, count in wanted.items():
        if count < 1:
            raise ValueError(f"Received num_{name}={count}, expected 1 or more. Ask for at least one picture.")
    folder = Path(source).expanduser()
    if folder.is_dir():
        return load_folder(folder, wanted=wanted, seed=seed)
    return load_tfds(str(source), wanted=wanted, seed=seed)
