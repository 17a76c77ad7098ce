"""Each check of notebook 04 both ways: the solution, other right answers, and the usual mistakes."""

import math

import keras
import numpy as np

from helpers.checks import nb04


def output_size(size, kernel, stride, padding):
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1


def count_conv_parameters(size, channels, filters):
    return size * size * channels * filters + filters


def pool_blocks(reduce):
    def pool(maps):
        pictures, height, width, channels = maps.shape
        return reduce(maps.reshape(pictures, height // 2, 2, width // 2, 2, channels), axis=(2, 4))

    return pool


def min_pool(maps):
    return -np.asarray(keras.layers.MaxPooling2D(2)(-maps))


def expected_first_loss(num_classes):
    return float(np.log(num_classes))


def best_epoch(history):
    return int(np.argmin(history["val_loss"])) + 1


def activation_bytes(shapes, batch_size):
    return 4 * batch_size * sum(int(np.prod(shape)) for shape in shapes)


SOLUTIONS = {
    nb04.check_output_size: output_size,
    nb04.check_count_conv_parameters: count_conv_parameters,
    nb04.check_min_pool: min_pool,
    nb04.check_expected_first_loss: expected_first_loss,
    nb04.check_best_epoch: best_epoch,
    nb04.check_activation_bytes: activation_bytes,
}


def size_by_keras(size, kernel, stride, padding):
    layer = keras.layers.Conv2D(1, kernel, strides=stride, padding=padding)
    return layer.compute_output_shape((None, size, size, 1))[1]


def size_by_rounding(size, kernel, stride, padding):
    places = size if padding == "same" else size - kernel + 1
    return math.ceil(places / stride)


OTHER_RIGHT_ANSWERS = [
    (nb04.check_output_size, size_by_keras),
    (nb04.check_output_size, size_by_rounding),
    (nb04.check_output_size, lambda *args: float(output_size(*args))),
    (nb04.check_count_conv_parameters, lambda s, c, f: np.int64((s**2 * c + 1) * f)),
    (nb04.check_min_pool, lambda maps: -keras.layers.MaxPooling2D()(-maps)),
    (nb04.check_min_pool, pool_blocks(np.min)),
    (nb04.check_expected_first_loss, lambda k: -np.log(1 / k)),
    (nb04.check_expected_first_loss, lambda k: np.float32(math.log(k))),
    (nb04.check_best_epoch, lambda h: np.argmin(h["val_loss"]) + 1),
    (nb04.check_best_epoch, lambda h: h["val_loss"].index(min(h["val_loss"])) + 1),
    (nb04.check_activation_bytes, lambda shapes, n: np.float64(sum(math.prod(s) for s in shapes) * n * 4)),
]


def sum_of_sides(shapes, batch_size):
    return 4 * batch_size * sum(sum(shape) for shape in shapes)


def only_for(check_answer, *, otherwise):
    """An answer that is right for the first question only."""
    asked = []

    def answer(*args):
        asked.append(args)
        return check_answer(*args) if args == asked[0] else otherwise

    return answer


def valid_and(same):
    return lambda size, kernel, stride, padding: (
        same(size, kernel, stride) if padding == "same" else output_size(size, kernel, stride, padding)
    )


MISTAKES = [
    (nb04.check_output_size, lambda s, k, t, p: (s - k) // t, "count the place where the window starts"),
    (nb04.check_output_size, lambda s, k, t, p: s, "without padding the map loses a rim"),
    (nb04.check_output_size, lambda s, k, t, p: s - k + 1, "the stride is not used"),
    (nb04.check_output_size, lambda s, k, t, p: (s - k) / t + 1, "a number of places is whole"),
    (nb04.check_output_size, lambda s, k, t, p: math.ceil((s - k) / t) + 1, "Round down before you add 1"),
    (nb04.check_output_size, lambda s, k, t, p: (s - k) // t + 1, "same rounds up, not down"),
    (nb04.check_output_size, valid_and(lambda s, k, t: s), "same makes the map smaller too"),
    (nb04.check_output_size, valid_and(lambda s, k, t: s // t), "same rounds up, not down"),
    (nb04.check_output_size, valid_and(lambda s, k, t: s / t), "Round up"),
    (nb04.check_output_size, valid_and(lambda s, k, t: 49), "For 10 pixels, kernel 4, stride 1, same you have 49"),
    (nb04.check_output_size, valid_and(lambda s, k, t: 50), "you have 50, expected 49"),
    (nb04.check_output_size, lambda s, k, t, p: 7, "you have 7, expected 94"),
    (nb04.check_output_size, lambda s, k, t, p: 94 if t == 1 else 3, "you have 3, expected 47"),
    (nb04.check_output_size, lambda s, k, t, p: (s, s), "is a tuple, expected one number"),
    (nb04.check_output_size, lambda s, k, t, p: True, "is a bool, expected one number"),
    (nb04.check_output_size, lambda s, k, t, p: 1 // 0, "stopped with ZeroDivisionError"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * s * c * f, "counts the weights only"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * s * f + f, "forgets the channels"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * c * f + f, "one side of the kernel only"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * s * c * f + c, "adds a bias for each channel"),
    (nb04.check_count_conv_parameters, lambda s, c, f: (s * s + 1) * c * f, "adds a bias for each kernel"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * s * c * f + 1, "adds one bias in all"),
    (nb04.check_count_conv_parameters, lambda s, c, f: s * s * c + 1, "is one filter"),
    (nb04.check_count_conv_parameters, lambda s, c, f: 5, "Your count is 5, expected 8,224"),
    (nb04.check_count_conv_parameters, lambda s, c, f: 8_224, "use the arguments, not fixed numbers"),
    (nb04.check_count_conv_parameters, lambda s, c, f: "8,224", "is a str, expected one number"),
    (nb04.check_min_pool, pool_blocks(np.max), "That is the maximum of each block"),
    (nb04.check_min_pool, lambda maps: -pool_blocks(np.max)(maps), "That is minus the maximum"),
    (nb04.check_min_pool, lambda maps: pool_blocks(np.max)(-maps), "Now turn the signs back"),
    (nb04.check_min_pool, pool_blocks(np.mean), "That is the average"),
    (nb04.check_min_pool, pool_blocks(np.sum), "not the smallest of each block"),
    (nb04.check_min_pool, lambda maps: maps.min(axis=(1, 2)), "pooled over the whole map"),
    (nb04.check_min_pool, lambda maps: -keras.layers.MaxPooling2D(2, strides=1, padding="same")(-maps), "as large as"),
    (nb04.check_min_pool, lambda maps: maps[0], "has shape (4, 6, 3), expected (2, 2, 3, 3)"),
    (nb04.check_min_pool, lambda maps: keras.layers.MinPooling2D(2)(maps), "stopped with AttributeError"),
    (nb04.check_expected_first_loss, lambda k: 1 / k, "0.5 is the probability of the right class"),
    (nb04.check_expected_first_loss, math.log2, "to base 2"),
    (nb04.check_expected_first_loss, math.log10, "to base 10"),
    (nb04.check_expected_first_loss, lambda k: math.log(1 / k), "below 0"),
    (nb04.check_expected_first_loss, lambda k: k * math.log(k), "You added up both classes"),
    (nb04.check_expected_first_loss, lambda k: 0.0, "is 0.000, expected 0.693"),
    (nb04.check_expected_first_loss, lambda k: 0.69, "for 4 you have 0.690, expected 1.386"),
    (nb04.check_expected_first_loss, lambda k: {2: 0.693, 4: 1.386}.get(k, 5.0), "not for 1,000"),
    (nb04.check_best_epoch, lambda h: int(np.argmin(h["val_loss"])), "counts from 0"),
    (nb04.check_best_epoch, lambda h: min(h["val_loss"]), "0.55 is the lowest loss"),
    (nb04.check_best_epoch, lambda h: int(np.argmax(h["val_accuracy"])) + 1, "validation accuracy is highest"),
    (nb04.check_best_epoch, lambda h: int(np.argmin(h["loss"])) + 1, "6 is the last epoch"),
    (nb04.check_best_epoch, lambda h: int(np.argmax(h["val_loss"])) + 1, "6 is the last epoch"),
    (nb04.check_best_epoch, lambda h: 4, "Your epoch is 4, expected 3"),
    (nb04.check_best_epoch, lambda h: 3, "that only rises you have 3, expected 1"),
    (nb04.check_best_epoch, lambda h: np.array([3]), "is a ndarray, expected one number"),
    (nb04.check_activation_bytes, lambda s, n: activation_bytes(s, n) // 4, "each takes 4 bytes"),
    (nb04.check_activation_bytes, lambda s, n: activation_bytes(s, 1), "That is for one picture"),
    (nb04.check_activation_bytes, lambda s, n: activation_bytes(s, 1) // 4, "a whole batch"),
    (nb04.check_activation_bytes, lambda s, n: 2 * activation_bytes(s, n), "that is float64"),
    (nb04.check_activation_bytes, lambda s, n: activation_bytes(s[:1], n), "one layer's output"),
    (nb04.check_activation_bytes, sum_of_sides, "You added up the sides"),
    (nb04.check_activation_bytes, lambda s, n: 12, "Your answer is 12, expected"),
    (nb04.check_activation_bytes, only_for(activation_bytes, otherwise=1), "400 bytes"),
]
