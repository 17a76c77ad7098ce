"""Measure feature extraction and `teach` on real photos of cats and dogs.

    COURSE_PHOTOS=FOLDER python benchmarks/transfer.py

`COURSE_PHOTOS` holds `cat_dog_small/train` (2,000 photos) and `cat_dog_small/validation` (1,000), each with one
sub-folder per class. Prints the figures and keeps them in benchmarks/results/transfer.json, from where the README
quotes them. Without `COURSE_PHOTOS` nothing is measured and the last results stay.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from helpers import backbones, datasets, features, images, training

RESULTS = Path(__file__).parent / "results" / "transfer.json"
SIZES = (96, 128, 160, 224)
SEEDS, SHARE = 5, 0.8  # of the training photos: how much of an accuracy is chance?


def extract(folder: Path, *, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features and labels of all pictures in a folder of class folders, by file name."""
    files = images.find_files(folder)
    classes = sorted({file.parent.name for file in files})
    network = backbones.build("EfficientNetLite0", input_shape=(image_size, image_size, 3))
    labels = np.array([classes.index(file.parent.name) for file in files])
    pictures = datasets.batches_from_files(files, image_size=image_size)
    return np.concatenate([network.predict_on_batch(batch).mean(axis=(1, 2)) for batch in pictures]), labels


def measure_head(features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, test_labels: np.ndarray) -> float:
    """Return the accuracy of one layer trained on some features."""
    head = training.fit_logistic_head(features, labels, num_classes=2)
    return training.evaluate(head, test_features, test_labels).accuracy


def measure_sizes(photos: Path) -> dict[str, dict[str, float]]:
    """Train one layer on all training photos, and on five random shares of them; judge it on all validation photos."""
    results = {}
    for size in SIZES:
        start = time.perf_counter()
        train = extract(photos / "train", image_size=size)
        seconds = time.perf_counter() - start
        validation = extract(photos / "validation", image_size=size)
        parts = [np.random.default_rng(seed).permutation(len(train[1])) for seed in range(SEEDS)]
        shares = [part[: int(SHARE * len(part))] for part in parts]
        accuracies = [measure_head(train[0][part], train[1][part], *validation) for part in shares]
        results[str(size)] = {
            "seconds": round(seconds, 1),
            "validation_accuracy": round(measure_head(*train, *validation), 3),
            "validation_accuracy_five_seeds": round(float(np.mean(accuracies)), 4),
        }
        print(size, results[str(size)])
    return results


def measure_reload(photos: Path) -> float:
    """Return the seconds that it takes to read 2,000 pictures' features from the saved file."""
    data = datasets.load(photos / "train", num_train=1600, num_validation=200, num_test=200)
    features.load_or_extract(data, image_size=160)
    start = time.perf_counter()
    features.load_or_extract(data, image_size=160)
    return round(time.perf_counter() - start, 3)


def measure_commands(photos: Path, scratch: Path) -> dict[str, float]:
    """Time `teach` on the training photos and `predict` on the validation photos, as a learner calls them."""
    command = [sys.executable, "-m", "helpers"]
    model = scratch / "cats.keras"
    start = time.perf_counter()
    subprocess.run([*command, "teach", photos / "train", "--output", model], check=True)
    teach_seconds = time.perf_counter() - start
    call = [*command, "predict", model, photos / "validation", "--format", "json"]
    answers = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    right = [answer["label"] == Path(answer["file"]).parent.name for answer in answers]
    return {"teach_seconds": round(teach_seconds, 1), "predict_right": round(sum(right) / len(right), 3)}


def main() -> None:
    """Measure and keep the results."""
    if not os.environ.get("COURSE_PHOTOS"):
        print("COURSE_PHOTOS is not set: nothing measured.")
        return
    photos = Path(os.environ["COURSE_PHOTOS"]) / "cat_dog_small"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COURSE_DATA"] = folder  # so that nothing saved earlier is taken
        results = {
            "sizes": measure_sizes(photos),
            "reload_seconds": measure_reload(photos),
            **measure_commands(photos, Path(folder)),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
