"""`load`: a name or a folder in, three disjoint splits out."""

from pathlib import Path

from helpers.datasets._folders import load_folder
from helpers.datasets._splits import ImageDataset
from helpers.datasets._tfds import load_tfds


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
    The choice depends on the pictures' contents and the seed alone, keeps the classes' shares, and takes the test
    pictures first: another `num_train` leaves the test split as it is.

    Args:
        source: `"synthetic_pets"`, any image-classification name of TensorFlow Datasets such as `"cats_vs_dogs"`,
            or a folder with one sub-folder a class (also below `train`, `validation` and `test`).
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
    if Path(source).expanduser().is_dir():
        return load_folder(Path(source).expanduser(), wanted=wanted, seed=seed)
    return load_tfds(str(source), wanted=wanted, seed=seed)
