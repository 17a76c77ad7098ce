"""Fine-tune on real photos, once with batch normalisation frozen and once with it learning along.

    COURSE_PHOTOS=FOLDER python benchmarks/batch_normalisation.py --seeds 2

Both train EfficientNetLite0 from `block6a` on, from the same solved head, on the same maps of 2,000 photos of cats and
dogs and their mirror images, at the same falling rate; after each epoch they are judged on the 1,000 others. Keeps
each run at once in benchmarks/results/batch_normalisation.json, from where the README quotes it, and goes on where it
was stopped. Without `COURSE_PHOTOS` nothing is measured and the last results stay.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from ladder import judge

from helpers import backbones, datasets, features, training

RESULTS = Path(__file__).parent / "results" / "batch_normalisation.json"
SIZE, BLOCK, EPOCHS, RATE, PENALTY = 160, "block6a", 3, 1e-4, 100
WAYS = ("frozen", "learning")


def train(maps: features.FeatureSets, network: keras.Model, head: keras.Model, *, way: str, seed: int) -> list[float]:
    """Return the accuracy on the photos held out, before the first epoch and after each."""
    training.set_seed(seed)
    backbones.unfreeze_top(network, from_name=BLOCK)
    top = backbones.split_at(network, BLOCK)[1]
    for layer in top.layers if way == "learning" else []:
        layer.trainable = True
    maps_in = keras.Input(top.input_shape[1:])
    average = keras.layers.GlobalAveragePooling2D()(top(maps_in, training=False))  # which does not protect it in `fit`
    model = keras.Model(maps_in, head(average))
    labels = keras.utils.to_categorical(maps.train.labels, model.output_shape[1])
    half = len(labels) // 2  # the maps of a photo and of its mirror image stand side by side: one of them per epoch
    rates = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-half // 32))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(rates), loss, jit_compile=False)
    random, accuracies = np.random.default_rng(seed), [round(judge(model, maps), 4)]
    for _ in range(EPOCHS):
        rows = 2 * np.arange(half) + random.integers(0, 2, half)
        model.fit(maps.train.features[rows], labels[rows], verbose=0)
        accuracies.append(round(judge(model, maps), 4))
    return accuracies


def solve_head(maps: features.FeatureSets, network: keras.Model) -> keras.Model:
    top = backbones.split_at(network, BLOCK)[1]
    model = keras.Sequential([top, keras.layers.GlobalAveragePooling2D()])
    rows = model.predict(maps.train.features, batch_size=64, verbose=0)
    return training.fit_logistic_head(rows, maps.train.labels, num_classes=2, penalty=PENALTY)


def main() -> None:
    """Measure what is missing, run by run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    seeds = parser.parse_args().seeds
    if not (photos := os.environ.get("COURSE_PHOTOS")):
        print("COURSE_PHOTOS is not set: nothing measured.")
        return
    data = datasets.load(Path(photos) / "cat_dog_small", num_train=2000, num_validation=500, num_test=500)
    network = backbones.build("EfficientNetLite0", input_shape=(SIZE, SIZE, 3))
    maps = features.load_or_extract_maps(data, backbones.split_at(network, BLOCK)[0], mirrored=True)
    head = solve_head(maps, network)
    before = network.get_weights(), head.get_weights()
    settings = {"image_size": SIZE, "from": BLOCK, "rate": RATE, "epochs": EPOCHS}
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else settings | {way: [] for way in WAYS}
    for seed in range(seeds):
        for way in WAYS:
            if seed < len(results[way]):
                continue
            network.set_weights(before[0])
            head.set_weights(before[1])
            results[way].append(train(maps, network, head, way=way, seed=seed))
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")
            print(f"{way}, seed {seed}: {results[way][-1]}", flush=True)


if __name__ == "__main__":
    main()
