"""Measure the default data set: seconds to draw it, and how hard it is.

    python benchmarks/synthetic_pets.py                # configurations default and seed1
    python benchmarks/synthetic_pets.py default --data-dir FOLDER   # reuse what is prepared there

Prints the figures and keeps them in benchmarks/results/synthetic_pets.json, from where the README quotes them.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from joblib.externals.loky import get_reusable_executor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import helpers.synthetic_pets
from helpers import backbones

RESULTS = Path(__file__).parent / "results" / "synthetic_pets.json"
CNN_SIZE, FEATURE_SIZE, EPOCHS, BATCH = 96, 160, 15, 32
L2_STRENGTHS = (0.001, 0.01, 0.1)  # scikit-learn's C; the validation split chooses


def prepare(config: str, data_dir: str) -> dict[str, float]:
    """Draw a configuration, or find it drawn, and return wall-clock and processor seconds."""
    builder = tfds.builder(f"{helpers.synthetic_pets.SyntheticPets.name}/{config}", data_dir=data_dir)
    if builder.is_prepared():
        return {}
    start, cpu = time.perf_counter(), _children_seconds()
    builder.download_and_prepare()
    seconds = time.perf_counter() - start
    get_reusable_executor().shutdown()  # the system counts the seconds of a process when it has ended
    cpu = _children_seconds() - cpu
    total = builder.info.splits.total_num_examples
    return {
        "prepare_seconds": round(seconds, 1),
        "pictures_per_cpu_second": round(total / cpu, 1),
        "kilobytes_a_picture": round(builder.info.dataset_size / total / 1000, 1),
    }


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load(config: str, data_dir: str, split: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read a split, stretched to a square: float32 (N, size, size, 3) in 0..255 and int64 (N,)."""
    pictures = tfds.load(f"synthetic_pets/{config}", split=split, as_supervised=True, data_dir=data_dir)
    # The two lines every pipeline of the course shares: area averaging keeps small pictures free of aliasing.
    resized = pictures.map(lambda image, label: (tf.image.resize(image, (size, size), "area"), label), 2)
    arrays = list(resized.batch(BATCH).as_numpy_iterator())
    return np.concatenate([images for images, _ in arrays]), np.concatenate([labels for _, labels in arrays])


def train_small_cnn(train: tuple, validation: tuple, seed: int = 0) -> dict[str, float]:
    """Train the course's first network and return its accuracies, each the mean of the last three epochs."""
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((CNN_SIZE, CNN_SIZE, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (32, 64, 128):
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D()]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, validation_data=validation, epochs=EPOCHS, batch_size=BATCH, verbose=2).history
    measured = {"cnn_train": history["accuracy"], "cnn_validation": history["val_accuracy"]}
    return {name: round(float(np.mean(values[-3:])), 3) for name, values in measured.items()}


def fit_head(config: str, data_dir: str) -> dict[str, float]:
    """Fit a logistic head on pooled EfficientNetLite0 features; the validation split chooses its strength."""
    backbone = backbones.build("EfficientNetLite0", input_shape=(FEATURE_SIZE, FEATURE_SIZE, 3))
    sets = {}
    for split in ("train", "validation", "test"):
        pictures, labels = load(config, data_dir, split, FEATURE_SIZE)
        sets[split] = backbone.predict(pictures, batch_size=BATCH, verbose=0).mean(axis=(1, 2)), labels
    heads = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000)) for c in L2_STRENGTHS]
    best = max((head.fit(*sets["train"]) for head in heads), key=lambda head: head.score(*sets["validation"]))
    return {f"features_{split}": round(float(best.score(*sets[split])), 3) for split in sets}


def measure(config: str, data_dir: str) -> dict[str, float]:
    """Take all measurements of one configuration."""
    results = prepare(config, data_dir)
    splits = [load(config, data_dir, split, CNN_SIZE) for split in ("train", "validation")]
    return results | train_small_cnn(*splits) | fit_head(config, data_dir)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=["default", "seed1"], metavar="CONFIG")
    parser.add_argument("--data-dir", help="keep the pictures here (default: a temporary folder)")
    options = parser.parse_args()
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        for config in options.configs:
            found = measure(config, options.data_dir or temporary)
            kept[config] = kept.get(config, {}) | found
            print(config, json.dumps(found, indent=2))
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
