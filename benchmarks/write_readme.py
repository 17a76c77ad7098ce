"""Write the results that the other scripts kept into the README, between its two markers."""

import json
from pathlib import Path

PROJECT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
BEGIN, END = "<!-- results: written by benchmarks/write_readme.py -->", "<!-- end of results -->"


def render(results: dict[str, dict]) -> str:
    """Return the README's section on results as Markdown.

    Args:
        results: what the scripts kept, by script: `augmentation`, `course`, `input_pipeline`, ...
    """
    pets, transfer = results["synthetic_pets"], results["transfer"]
    lines = [
        "On the drawn pictures (2,000 to learn from, 1,000 to choose with, 1,000 to test on), two seeds of the data:",
        "",
        "| data | small CNN, 96 px, 15 epochs: training | validation | features at 160 px: validation | test |",
        "|---|---|---|---|---|",
    ]
    for name, label in (("default", "`synthetic_pets`"), ("seed1", "`synthetic_pets/seed1`")):
        figures = pets[name]
        keys = ("cnn_train", "cnn_validation", "features_validation", "features_test")
        lines.append(f"| {label} | " + " | ".join(f"{figures[key]:.3f}" for key in keys) + " |")
    lines += [
        "",
        "On 2,000 real photos of cats and dogs, judged on 1,000 others (EfficientNetLite0, one layer on top):",
        "",
        "| picture size | validation accuracy | seconds to compute 2,000 pictures' features |",
        "|---|---|---|",
    ]
    for size, figures in transfer["sizes"].items():
        lines.append(f"| {size} px | {figures['validation_accuracy']:.3f} | {figures['seconds']:.0f} |")
    lines += [
        "",
        f"`teach` on the same 2,000 photos takes {transfer['teach_seconds']:.0f} seconds from start to report, and its "
        f"model gets {transfer['predict_right']:.1%} of the 1,000 others right. Features read again from their saved "
        f"file: {transfer['reload_seconds']:.3f} seconds.",
        "",
        *render_ladder(results["ladder"]),
        "",
        *render_batch_normalisation(results["batch_normalisation"]),
        "",
        *render_another_kind(results["another_kind"]),
        "",
        *render_pipelines(results["input_pipeline"]),
        "",
        render_data_check(results["data_check"]),
        "",
        *render_augmentation(results["augmentation"]),
        "",
        *render_costs(results["course"]),
    ]
    return "\n".join(lines)


def render_ladder(ladder: dict) -> list[str]:
    """Return the lines on what each step of the course brings on the same real photos."""
    lines = [
        "The course's ladder on these 2,000 photos, judged on the 1,000 others. No rung chooses anything on those, "
        "but how fine-tuning is done was found on photos of this set (and the rate and the average of the "
        "better-trained network, on a quarter of its training photos; the filters of the small networks by "
        "cross-validation on these). Heads are solved on the features of each "
        "training photo and of its mirror image, by one network or by several side by side, these at the sizes that "
        "they were made for. Accuracy and standard deviation over the seeds (a solved head is the same with every "
        "seed), passes (see below) for one run from nothing, and the most memory that the process took, with what it "
        "had read of its saved maps:",
        "",
        "| rung | accuracy | seeds | parameters trained | passes | MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in ladder["rungs"].items():
        lines.append(
            f"| {name} | {write_spread(row, digits=4)} | {len(row['runs'])} | {row['parameters_trained']:,} "
            f"| {row['passes']:.1f} | {row['peak_megabytes']:,} |"
        )
    lines += [  # found by looking at what every rung gets wrong
        "",
        "Two of the 1,000 lie in the wrong folder (`dog.4334.jpg` is a cat, `cat.4085.jpg` is a dog), and "
        "`cat.4338.jpg` shows a room: no rung can be expected to get more than 0.998.",
    ]
    if notes := ladder.get("notes"):
        lines += [
            "",
            f"A network that is frozen inside the model and runs anew in every epoch (VGG16, {notes['image_size']} px) "
            f"costs {notes['epoch_passes']:.0f} passes per epoch. Fine-tuning EfficientNetLite0 on saved maps costs "
            f"{notes['lesson_epoch_passes']:.2f} as in lesson 12, from its last block on "
            f"({notes['epoch_passes'] / notes['lesson_epoch_passes']:.0f} times less; both reckoned from "
            f"{notes['steps_timed']} steps), and {notes['tuning_epoch_passes']:.1f} as in this table: four more "
            "blocks, and each picture twice, with its mirror image.",
        ]
    return lines


def write_spread(row: dict, *, digits: int) -> str:
    """Return a mean over seeds, with its standard deviation where there is one."""
    spread = f" ± {row['standard_deviation']:.{digits}f}" if row["standard_deviation"] else ""
    return f"{row['mean']:.{digits}f}{spread}"


def render_batch_normalisation(figures: dict) -> list[str]:
    """Return the lines on what it costs to let batch normalisation learn along."""
    epochs = range(1, figures["epochs"] + 1)
    lines = [
        f"Fine-tuning on these photos at {figures['image_size']} px, from `{figures['from']}` on: accuracy on the "
        "1,000 others before it and after each epoch, with batch normalisation frozen, and with batch normalisation "
        "that learns along (and is called with `training=False`, which `fit` overrides):",
        "",
        "| batch normalisation | seed | before | " + " | ".join(f"epoch {epoch}" for epoch in epochs) + " |",
        "|---|---|---|" + "---|" * len(epochs),
    ]
    for way in ("frozen", "learning"):
        for seed, accuracies in enumerate(figures[way]):
            lines.append(f"| {way} | {seed} | " + " | ".join(f"{accuracy:.3f}" for accuracy in accuracies) + " |")
    return lines


def render_another_kind(figures: dict) -> list[str]:
    """Return the lines on what fine-tuning brings where pictures do not look like photos."""
    ways = list(next(iter(figures.values())))
    lines = [
        "What fine-tuning brings on pictures that do not look like ImageNet's photos: accuracy on pictures held out "
        "(EfficientNetLite0, 160 px; 2,000 drawn pets, or 1,000 grey surfaces of metal, sound or scratched, to learn "
        "from; mean and standard deviation over three seeds):",
        "",
        "| pictures | " + " | ".join(ways) + " |",
        "|---|" + "---|" * len(ways),
    ]
    for kind, rows in figures.items():
        lines.append(f"| {kind} | " + " | ".join(write_spread(row, digits=3) for row in rows.values()) + " |")
    return lines


def render_data_check(figures: dict) -> str:
    """Return the line on what it costs to look at every file of a folder."""
    return (
        f"`data check` on {figures['pictures']:,} photos takes {figures['ratio']:.1f} times as long as opening and "
        "decoding each of them once with Pillow."
    )


def render_costs(course: dict) -> list[str]:
    """Return the lines on what each notebook costs to run."""
    quiet = course["quiet_pass"]
    lines = [
        f"What the notebooks cost to run, in passes: one pass is what EfficientNetLite0 takes to see 2,000 pictures at "
        f"160 px, {quiet:.0f} seconds on a quiet machine with two cores, which the minutes are for:",
        "",
        "| notebook | passes | minutes |",
        "|---|---|---|",
    ]
    for name, cost in course["notebooks"].items():
        lines.append(f"| {name} | {cost['passes']:.1f} | {cost['passes'] * quiet / 60:.1f} |")
    in_all = course["passes_in_all"]
    return [*lines, f"| together | {in_all:.1f} | {in_all * quiet / 60:.1f} |"]


def render_pipelines(figures: dict[str, dict]) -> list[str]:
    """Return the lines on how fast pictures are read, and in how much memory."""
    lines = [
        f"Reading 2,000 {figures['source']} at 160 px in batches of 32, shuffled; the ratios are to Keras' older "
        "`ImageDataGenerator`, augmenting where the row does:",
        "",
        "| way | pictures per second | ratio |",
        "|---|---|---|",
    ]
    for name, way in figures["ways"].items():
        lines.append(f"| {name} | {way['pictures_per_second']:,} | {way['ratio']:.1f} |")
    memory = figures["memory_megabytes"]["shuffled"]
    few, many = memory["2000"], memory["25000"]
    return [
        *lines,
        "",
        f"Memory does not grow with the number of pictures: loading and one shuffled epoch take {few:,} MB at most "
        f"over 2,000 pictures, {many:,} MB over 25,000.",
    ]


def render_augmentation(figures: dict) -> list[str]:
    """Return the lines on what changing pictures costs."""
    lines = [
        f"Changing pictures in memory, {figures['image_size']} px, in batches of 32: milliseconds per 1,000 pictures, "
        "and how many times faster than the older generator with the same transforms (the ratios are what counts: the "
        "machine may have been busy):",
        "",
        "| transforms | generator | Keras layers | albumentations |",
        "|---|---|---|---|",
    ]
    for name, way in figures["pipelines"].items():
        ours = " | ".join(f"{way[key]:,.0f} ({way[f'{key}_ratio']:.1f} times)" for key in ("keras", "albumentations"))
        lines.append(f"| {name} | {way['generator']:,.0f} | {ours} |")
    costs = sorted(figures["transforms"].items(), key=lambda item: item[1])
    each = ", ".join(f"{name} {cost:,.0f}" for name, cost in costs)
    return [
        *lines,
        "",
        f"Each transform of albumentations alone, in the same unit and with the batches around it: {each}.",
    ]


def read_results() -> dict[str, dict]:
    """Return what the scripts kept, by script."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}


def insert(readme: str, section: str) -> str:
    """Return the README's text with the section between the markers.

    Raises:
        ValueError: if a marker is missing.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"Received a README without the two markers, expected '{BEGIN}' and '{END}' once each.")
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def main() -> None:
    """Write the section in place."""
    path = PROJECT / "README.md"
    path.write_text(insert(path.read_text(encoding="utf-8"), render(read_results())), encoding="utf-8")


if __name__ == "__main__":
    main()
