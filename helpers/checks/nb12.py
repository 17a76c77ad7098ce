"""Checks for notebook 12, fine-tuning."""

from helpers.checks._runner import case, exercise

NAMES = ["stem_conv", "stem_bn", "block6a_conv", "block6a_bn", "block6b_conv", "block6b_bn", "top_conv", "top_bn"]
VARIABLES = {"convolution": 1, "convolution with bias": 2, "batch normalisation": 2, "pooling": 0}


@exercise(
    case(NAMES, "block6b"),
    case(NAMES, "block6", why="Begin at the first name that starts so."),
    case(NAMES, "block6a_bn", why="Also where the first is a batch normalisation."),
    case(["a_conv", "b_conv", "a_conv2"], "a", why="Begin at the first match, not at the last."),
    right="all from there to the end, and no batch normalisation among them.",
)
def check_layers_that_learn(names, start):
    """`layers_that_learn(names, start)` gives what unfreezing from a name on lets learn."""
    first = next(position for position, name in enumerate(names) if name.startswith(start))
    learn = [name for name in names[first:] if not name.endswith("_bn")]
    return learn, {
        "Batch normalisation is among them: leave out the names that end in _bn.": names[first:],
        "Only those that begin so: all layers above learn as well.": [
            name for name in names if name.startswith(start) and not name.endswith("_bn")
        ],
        "Those are the layers below: they stay frozen.": [name for name in names[:first] if not name.endswith("_bn")],
        "The first layer itself is missing: begin at its position, not after it.": [
            name for name in names[first + 1 :] if not name.endswith("_bn")
        ],
    }


@exercise(
    case(["convolution", "batch normalisation"]),
    case(["convolution with bias"] * 3, why="Think of VGG16's last block: three layers, six variables."),
    case(["pooling", "convolution"], why="Pooling has nothing to learn."),
    case([], why="Where nothing is unfrozen, nothing learns."),
    asked="For {}",
    right="a kernel, a bias where there is one, gamma and beta; moving averages do not count.",
)
def check_count_trainable_variables(kinds):
    """`count_trainable_variables(kinds)` counts the variables that a gradient changes."""
    count = sum(VARIABLES[kind] for kind in kinds)
    return count, {
        "You counted the moving mean and variance too: no gradient changes them.": (
            count + 2 * kinds.count("batch normalisation")
        ),
        "That is the number of layers: count what each has to learn.": len(kinds),
        "You left batch normalisation out: unfrozen, its gamma and beta learn.": (
            count - 2 * kinds.count("batch normalisation")
        ),
    }


@exercise(
    case(2000, 10, 10, 112),
    case(500, 5, 5, 192),
    case(1, 4, 6, 3, why="Height and width may differ."),
    asked="For {} pictures with maps of {} x {} x {}",
    right="179 MB for 2,000 pictures and their mirror images at 10 x 10 x 112.",
    tolerance=1e-6,
)
def check_megabytes(pictures, height, width, channels):
    """`megabytes(pictures, height, width, channels)` is what the maps and their mirrored copy take."""
    numbers = pictures * height * width * channels
    return 2 * numbers * 4 / 1e6, {
        "You forgot the mirrored copy: every picture counts twice.": numbers * 4 / 1e6,
        "Those are numbers, not bytes: a float32 has four.": 2 * numbers / 1e6,
        "A float32 has 4 bytes, not 8.": 2 * numbers * 8 / 1e6,
        "Those are bytes: divide by 1,000,000.": 2 * numbers * 4.0,
        "Divide by 1,000,000, not by 1,024 squared.": 2 * numbers * 4 / 2**20,
    }


@exercise(
    case(0.99, 100),
    case(0.9, 2),
    case(0.5, 0, why="After no step everything is left."),
    asked="For a momentum of {} and {} steps",
    right="after 100 steps at 0.99, 37 % is left: most of the stored mean is that of your batches.",
)
def check_share_kept(momentum, steps):
    """`share_kept(momentum, steps)` is the share of the stored mean that is left after so many batches."""
    return momentum**steps, {
        "That is the share that is new: asked is the share that is left.": 1 - momentum**steps,
        "Each step keeps a share of what is left: multiply the momentum by itself.": momentum * steps,
        "That subtracts the same amount each time: each step takes a share of what is left.": (
            1 - (1 - momentum) * steps
        ),
        "That is the weight of the batch, to the power: it is the momentum that stays.": (1 - momentum) ** steps,
    }
