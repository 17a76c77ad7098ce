"""Data sets from the network: the cost said first, fetched with resume, verified, then handed to TensorFlow Datasets.

    builder = datasets.find_builder("cats_vs_dogs")
    print(measure_cost(builder).describe())     # what there is to download, and where it goes
    prepare(builder)                            # downloads what is missing, and stores the pictures

TensorFlow Datasets (TFDS) knows each file's address, size and SHA-256, but starts a broken transfer all over again.
Here each file is fetched before TFDS looks for it, and put where TFDS expects it.
"""

from helpers.downloads._archives import check_archive
from helpers.downloads._fetch import DownloadError, TransferError, fetch
from helpers.downloads._tfds import (
    Cost,
    add_archive,
    describe_stored,
    is_prepared,
    measure_cost,
    prepare,
    refuse_manual,
)

__all__ = [
    "Cost",
    "DownloadError",
    "TransferError",
    "add_archive",
    "check_archive",
    "describe_stored",
    "fetch",
    "is_prepared",
    "measure_cost",
    "prepare",
    "refuse_manual",
]
