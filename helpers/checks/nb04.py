"""Checks for notebook 04, a vanilla CNN."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.checks._common import call, passed, require, require_array

Array = np.ndarray


def _number(value: Any, *, name: str) -> float:
    """Return a number that the learner gave, or say what came instead."""
    value = np.asarray(value).item() if np.ndim(value) == 0 and hasattr(value, "dtype") else value
    require(
        isinstance(value, int | float) and not isinstance(value, bool),
        f"{name} is a {type(value).__name__}, expected one number.",
    )
    return value


def check_output_size(output_size: Callable[[int, int, int, str], int]) -> None:
    """Check exercise 1: `output_size(size, kernel, stride, padding)` gives the side of a feature map."""

    def ask(size: int, kernel: int, stride: int, padding: str) -> float:
        answer = call(output_size, size, kernel, stride, padding)
        return _number(answer, name="Your size")

    answer = ask(96, 3, 1, "valid")
    require(
        answer != 93,
        "For 96 pixels, kernel 3, stride 1, valid you have 93: count the place where the window starts as well.",
    )
    require(
        answer != 96,
        "For 96 pixels, kernel 3, stride 1, valid you have 96: without padding the map loses a rim of kernel - 1.",
    )
    require(answer == 94, f"For 96 pixels, kernel 3, stride 1, valid you have {answer}, expected 94.")
    answer = ask(96, 3, 2, "valid")
    require(answer != 94, "With stride 2 you still have 94: the stride is not used.")
    require(
        answer != 48,
        "For 96 pixels, kernel 3, stride 2, valid you have 48: a window that does not fit any more is left out. "
        "Round down before you add 1.",
    )
    require(
        answer == int(answer),
        f"You have {answer} places: a number of places is whole. Use // (divides and rounds down).",
    )
    require(answer == 47, f"For 96 pixels, kernel 3, stride 2, valid you have {answer}, expected 47.")
    answer = ask(97, 3, 2, "same")
    require(
        answer != 97,
        "For 97 pixels, kernel 3, stride 2, same you have 97: with a stride above 1, same makes the map smaller too.",
    )
    require(
        answer == int(answer),
        f"You have {answer} places with same: a number of places is whole. Round up.",
    )
    require(answer != 48, "For 97 pixels, kernel 3, stride 2, same you have 48: same rounds up, not down.")
    require(answer == 49, f"For 97 pixels, kernel 3, stride 2, same you have {answer}, expected 49.")
    for size, kernel, stride, padding, right in [
        (150, 3, 1, "valid", 148),
        (37, 2, 2, "valid", 18),
        (10, 4, 3, "valid", 3),
        (10, 4, 1, "same", 10),
        (96, 2, 2, "same", 48),
        (10, 5, 3, "same", 4),
    ]:
        answer = ask(size, kernel, stride, padding)
        require(
            answer == right,
            f"For {size} pixels, kernel {kernel}, stride {stride}, {padding} you have {answer}, expected {right}.",
        )
    passed("valid loses a rim and rounds down, same rounds up; so does Keras.")


def check_count_conv_parameters(count_conv_parameters: Callable[[int, int, int], int]) -> None:
    """Check exercise 2: `count_conv_parameters(size, channels, filters)` counts weights and biases."""

    def ask(size: int, channels: int, filters: int) -> float:
        return _number(call(count_conv_parameters, size, channels, filters), name="Your count")

    answer = ask(4, 16, 32)
    wrong = {
        4 * 4 * 16 * 32: "counts the weights only: each filter has a bias as well.",
        4 * 4 * 32 + 32: "forgets the channels: a filter has one kernel for each channel that it reads.",
        4 * 16 * 32 + 32: "has one side of the kernel only: a kernel of size 4 has 4 x 4 weights.",
        4 * 4 * 16 * 32 + 16: "adds a bias for each channel: it is each filter that has one.",
        4 * 4 * 16 * 32 + 16 * 32: "adds a bias for each kernel: the kernels of a filter share one.",
        4 * 4 * 16 * 32 + 1: "adds one bias in all: each filter has one.",
        4 * 4 * 16 + 1: "is one filter: multiply by the number of filters.",
    }
    for value, message in wrong.items():
        require(answer != value, f"{value:,} {message}")
    require(answer == 8_224, f"Your count is {answer:,}, expected 8,224 for 32 filters of 4 x 4 that read 16 channels.")
    for size, channels, filters, right in [(3, 1, 16, 160), (4, 32, 64, 32_832), (3, 3, 32, 896)]:
        answer = ask(size, channels, filters)
        require(
            answer == right,
            f"Right for the second layer, but for {filters} filters of {size} x {size} on {channels} channels you have "
            f"{answer:,}, expected {right:,}: use the arguments, not fixed numbers.",
        )
    passed("160, 8,224 and 32,832: the size of the picture does not come into it.")


def check_min_pool(min_pool: Callable[[Array], Array]) -> None:
    """Check exercise 3: `min_pool(maps)` gives the minimum of each 2 x 2, by maximum pooling."""
    maps = np.random.default_rng(4).normal(size=(2, 4, 6, 3)).astype("float32")
    blocks = maps.reshape(2, 2, 2, 3, 2, 3)
    answer = np.asarray(call(min_pool, maps))
    require(
        answer.shape != maps.shape, "Your map is as large as the one you got: pooling halves its height and its width."
    )
    require(answer.shape != (2, 3), "You pooled over the whole map: keep one number of each 2 x 2.")
    answer = require_array(answer, shape=(2, 2, 3, 3), name="Your pooled map")
    require(
        not np.allclose(answer, blocks.max(axis=(2, 4)), atol=1e-6),
        "That is the maximum of each block: turn the signs round before you pool, and back after.",
    )
    require(
        not np.allclose(answer, -blocks.max(axis=(2, 4)), atol=1e-6),
        "That is minus the maximum: turn the signs round before you pool as well.",
    )
    require(
        not np.allclose(answer, -blocks.min(axis=(2, 4)), atol=1e-6),
        "That is minus the minimum: you pooled -maps. Now turn the signs back.",
    )
    require(not np.allclose(answer, blocks.mean(axis=(2, 4)), atol=1e-6), "That is the average of each block.")
    require(
        np.allclose(answer, blocks.min(axis=(2, 4)), atol=1e-6),
        "The shape is right, the values are not the smallest of each block of 2 x 2.",
    )
    passed("the minimum is minus the maximum of minus x.")


def check_expected_first_loss(expected_first_loss: Callable[[int], float]) -> None:
    """Check exercise 4: `expected_first_loss(num_classes)` is ln k."""

    def ask(num_classes: int) -> float:
        return float(_number(call(expected_first_loss, num_classes), name="Your loss"))

    answer = ask(2)
    require(
        not math.isclose(answer, 0.5), "0.5 is the probability of the right class: the loss is minus its logarithm."
    )
    require(not math.isclose(answer, 1.0), "1.0 is a logarithm to base 2: Keras uses the natural one, np.log.")
    require(
        not math.isclose(answer, math.log10(2), abs_tol=1e-3),
        f"{answer:.3f} is a logarithm to base 10: Keras uses the natural one, np.log.",
    )
    require(answer >= 0, f"Your loss is {answer:.3f}, below 0: the loss is minus the logarithm of the probability.")
    require(
        not math.isclose(answer, 2 * math.log(2), rel_tol=1e-3),
        "You added up both classes: only the probability of the right class counts.",
    )
    require(
        math.isclose(answer, math.log(2), abs_tol=0.005), f"Your loss for 2 classes is {answer:.3f}, expected 0.693."
    )
    answer = ask(4)
    require(
        math.isclose(answer, math.log(4), abs_tol=0.005),
        f"Right for 2 classes; for 4 you have {answer:.3f}, expected 1.386: each class then has the probability 1/4.",
    )
    require(math.isclose(ask(1000), math.log(1000), abs_tol=0.005), "Right for 2 and 4 classes, not for 1,000.")
    passed("ln k: 0.69 for two classes, 1.39 for four, 6.91 for ImageNet's 1,000.")


def check_best_epoch(best_epoch: Callable[[Mapping[str, Sequence[float]]], int]) -> None:
    """Check exercise 5: `best_epoch(history)` is the epoch, from 1, with the lowest validation loss."""
    history = {
        "loss": [0.70, 0.60, 0.50, 0.40, 0.30, 0.20],
        "val_loss": [0.69, 0.61, 0.55, 0.58, 0.66, 0.80],  # lowest in epoch 3
        "accuracy": [0.50, 0.66, 0.75, 0.82, 0.88, 0.93],
        "val_accuracy": [0.52, 0.65, 0.71, 0.72, 0.74, 0.73],  # highest in epoch 5
    }
    answer = _number(call(best_epoch, {key: list(values) for key, values in history.items()}), name="Your epoch")
    require(answer != 2, "2 is its position in the list, which counts from 0: the first epoch is 1.")
    require(not math.isclose(answer, 0.55), "0.55 is the lowest loss: the epoch is asked for. See np.argmin.")
    require(answer != 5, "5 is where the validation accuracy is highest: the loss is asked for.")
    require(
        answer != 6,
        "6 is the last epoch: there the training loss is lowest, but the validation loss is highest.",
    )
    require(answer == 3, f"Your epoch is {answer}, expected 3 for the validation losses {history['val_loss']}.")
    first = {**history, "val_loss": [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}
    answer = _number(call(best_epoch, first), name="Your epoch")
    require(answer == 1, f"With a validation loss that only rises you have {answer}, expected 1.")
    passed("after epoch 3 of this example the network learns its training pictures by heart.")


def check_activation_bytes(activation_bytes: Callable[[list[tuple[int, ...]], int], int]) -> None:
    """Check exercise 6: `activation_bytes(shapes, batch_size)` is the memory of all outputs for a batch."""
    shapes = [(96, 96, 16), (48, 48, 16), (9216,), (2,)]
    values = sum(math.prod(shape) for shape in shapes)
    answer = _number(call(activation_bytes, list(shapes), 32), name="Your number of bytes")
    require(answer != 32 * values, "That is how many numbers there are: each takes 4 bytes.")
    require(answer != 4 * values, "That is for one picture: a batch has batch_size of them.")
    require(
        answer != values, "That is how many numbers one picture makes: 4 bytes each, and a whole batch of pictures."
    )
    require(
        answer != 8 * 32 * values,
        "You took 8 bytes for a number: that is float64. Networks compute with float32, 4 bytes.",
    )
    require(answer != 4 * 32 * math.prod(shapes[0]), "That is one layer's output: all of them are kept until the end.")
    require(
        answer != 4 * 32 * sum(sum(shape) for shape in shapes),
        "You added up the sides of a shape: multiply them, height times width times channels.",
    )
    require(answer == 4 * 32 * values, f"Your answer is {answer:,}, expected {4 * 32 * values:,}.")
    require(
        call(activation_bytes, [(10, 5, 2)], 1) == 400,
        "Right for a batch of 32, but not for one layer of 10 x 5 x 2 and a single picture: 400 bytes.",
    )
    passed(f"{4 * 32 * values / 1e6:.0f} MB for this small example.")
