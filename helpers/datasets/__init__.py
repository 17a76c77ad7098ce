"""The one door to data: a name or a folder in, three disjoint splits out.

    data = load("synthetic_pets")            # drawn on your machine, no download
    data = load("cats_vs_dogs")              # any TensorFlow Datasets name
    data = load("my_photos")                 # a folder with one sub-folder a class

Whatever the source, a split is a `tf.data.Dataset` of `(picture, label)`, and no picture stands in two splits.

Files to other files: `list_pictures` and `split_into_folders` (a table of paths, three folders), `write_csv` and
`read_csv`, `write_tfrecords` and `read_tfrecords`, `export` (any data set to folders). `leakage_report` finds pictures
that stand in two splits.
"""

from helpers.datasets._batches import batches, batches_from_files, pictures_at
from helpers.datasets._csv import read_csv, write_csv
from helpers.datasets._export import export
from helpers.datasets._leakage import leakage_report
from helpers.datasets._load import load
from helpers.datasets._splits import SPLITS, ImageDataset, data_folder
from helpers.datasets._tables import list_pictures, split_into_folders
from helpers.datasets._tfds import find_builder
from helpers.datasets._tfrecords import read_tfrecords, write_tfrecords

__all__ = [
    "SPLITS",
    "ImageDataset",
    "batches",
    "batches_from_files",
    "data_folder",
    "export",
    "find_builder",
    "leakage_report",
    "list_pictures",
    "load",
    "pictures_at",
    "read_csv",
    "read_tfrecords",
    "split_into_folders",
    "write_csv",
    "write_tfrecords",
]
