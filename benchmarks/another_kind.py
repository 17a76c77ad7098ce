"""What fine-tuning brings on pictures that do not look like ImageNet's photos, at two depths, over several seeds.

    python benchmarks/another_kind.py --seeds 3

Drawn pets, and grey surfaces of brushed metal, sound or scratched, which are drawn here: 1,000 to learn from, 600 to be
judged on. Everything else as in ladder.py, at 160 pixels with EfficientNetLite0. Writes results/another_kind.json.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import ladder
import numpy as np

RESULTS = Path(__file__).parent / "results" / "another_kind.json"
SIDE = 160
BLOCKS = ("block7a", "block6a")  # lesson 12's last block; where `teach --fine-tune` begins
COUNTS = {"train": 1000, "validation": 600}


def draw_surface(random: np.random.Generator, *, scratched: bool) -> np.ndarray:
    """Return a grey picture uint8 (160, 160, 3) of brushed metal, lit from one side, with or without a scratch."""
    grain = cv2.GaussianBlur(random.normal(0, 1, (SIDE, SIDE)), (0, 0), sigmaX=random.uniform(4, 12), sigmaY=0.6)
    across = np.linspace(-1, 1, SIDE)
    light = random.uniform(-25, 25) * across[:, None] + random.uniform(-25, 25) * across[None]
    surface = random.uniform(100, 160) + light + grain / grain.std() * random.uniform(6, 14)
    if scratched:
        angle, length = random.uniform(0, np.pi), random.uniform(25, 70)
        middle, bow = random.uniform(35, SIDE - 35, 2), random.uniform(-8, 8)
        along = np.linspace(-0.5, 0.5, 12)
        direction, aside = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        points = middle + length * along[:, None] * direction + bow * (4 * along**2 - 1)[:, None] * aside
        line = cv2.polylines(np.zeros((SIDE, SIDE)), [(points * 16).round().astype(np.int32)], False, 1.0, 1, 16, 4)
        surface += random.choice([-1, 1]) * random.uniform(18, 40) * cv2.GaussianBlur(line, (0, 0), 0.8)
    grey = (surface + random.normal(0, 3, surface.shape)).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def write_surfaces(folder: Path) -> Path:
    """Write them as a folder of splits and classes."""
    random = np.random.default_rng(0)
    for split, count in COUNTS.items():
        for name in ("scratched", "sound"):
            place = folder / split / name
            place.mkdir(parents=True)
            for number in range(count // 2):
                picture = draw_surface(random, scratched=name == "scratched")
                cv2.imwrite(str(place / f"{number:04}.png"), picture)
    return folder


def measure(data: str | Path, *, seeds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what the head on features reaches, then the network fine-tuned from each block on, seed by seed."""
    options = {"EfficientNetLite0": SIDE}
    yield "head on features", [ladder.prepare_features(data, sizes=options)(0)[0]]
    for block in BLOCKS:
        run = ladder.prepare_tuning(data, backbone="EfficientNetLite0", image_size=SIDE, block=block)
        yield f"fine-tuned from {block}", [run(seed)[0] for seed in range(seeds)]


def main() -> None:
    """Measure both kinds and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as scratch:
        kinds = {"scratched surfaces": write_surfaces(Path(scratch, "surfaces")), "drawn pets": "synthetic_pets"}
        for kind, data in kinds.items():
            found[kind] = {}
            for way, accuracies in measure(data, seeds=seeds):
                runs = [round(accuracy, 4) for accuracy in accuracies]
                found[kind][way] = {"runs": runs, **ladder.average(accuracies)}
                print(kind, way, found[kind][way], flush=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
