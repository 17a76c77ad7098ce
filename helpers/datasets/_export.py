"""A data set of any source as a folder of JPEG files, for programs that want files."""

from pathlib import Path

from PIL import Image

from helpers.datasets._splits import SPLITS, ImageDataset
from helpers.datasets._writing import require_class_names, require_free, written_beside


def export(data: ImageDataset, folder: str | Path, *, quality: int = 95) -> Path:
    """Write every picture to `folder/split/class/number.jpg`; `load(folder)` finds the same splits.

    JPEG changes pixels by a few steps of 255. `load` numbers the classes by their names in alphabetical order, so
    a label's number may differ from the one it has here; its name does not. It also sets copies aside, that is,
    pictures that were different files of the same pixels.

    Args:
        data: as from `load`.
        folder: a new or empty folder.
        quality: of the JPEG files, 1 to 100.

    Returns:
        The folder.

    Raises:
        ValueError: if the folder is not empty, or a class has a name that no folder can have.

    Example:
        >>> import tempfile
        >>> from helpers.datasets import load
        >>> data = load("synthetic_pets/tiny", num_train=4, num_validation=2, num_test=2)
        >>> folder = export(data, Path(tempfile.mkdtemp()) / "pets")
        >>> len(list(folder.glob("train/*/*.jpg"))), load(folder).counts == data.counts
        (4, True)
    """
    folder = Path(folder).expanduser()
    if not 1 <= quality <= 100:
        raise ValueError(f"Received quality={quality}, expected 1 to 100. 95 is hard to tell from the original.")
    require_class_names(list(data.class_names))
    require_free(folder)
    with written_beside(folder) as draft:
        for split in SPLITS:
            for name in data.class_names:
                (draft / split / name).mkdir(parents=True)
            for number, (picture, label) in enumerate(getattr(data, split).as_numpy_iterator()):
                file = draft / split / data.class_names[label] / f"{number:06}.jpg"
                Image.fromarray(picture).save(file, quality=quality)
    return folder
