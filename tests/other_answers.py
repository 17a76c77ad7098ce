"""Answers that the exercises' data does not hold: other right ones, and wrong ones with a part of their message."""

import math
import statistics
from functools import partial
from itertools import pairwise

import cv2
import keras
import numpy as np
import tensorflow as tf
from PIL import Image

# --- 00 ----------------------------------------------------------------------------------------------------------


def name_by_loop(probabilities, class_names):
    best = max(zip(probabilities, class_names, strict=True))
    return best[1]


# --- 01 ----------------------------------------------------------------------------------------------------------


def pad_with_the_spare_first(image):
    height, width = image.shape[:2]
    high, wide = max(width - height, 0), max(height - width, 0)
    return np.pad(image, ((high - high // 2, high // 2), (wide - wide // 2, wide // 2), (0, 0)))


def pad_only_height(image):
    gap = (image.shape[1] - image.shape[0]) // 2
    return np.pad(image, ((gap, gap), (0, 0), (0, 0))) if gap > 0 else image


# --- 02 ----------------------------------------------------------------------------------------------------------


def make_mlp(num_inputs, hidden_units, num_classes, *, hidden="relu", last="softmax", extra=()):
    inputs = keras.Input((num_inputs,))
    x = inputs
    for units in hidden_units:
        x = keras.layers.Dense(units, activation=hidden)(x)
    for layer in extra:
        x = layer()(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation=last)(x) if last else x)


def call_on_the_inputs(num_inputs, hidden_units, num_classes):
    inputs = keras.Input((num_inputs,))
    x = inputs
    for units in hidden_units:
        x = keras.layers.Dense(units, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(x))


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train_with_pairs(
    rate,
    model,
    learn,
    judge,
    *,
    fixed=None,
    make=keras.optimizers.Adam,
    loss=keras.losses.sparse_categorical_crossentropy,
    early=False,
    **fit,
):
    """Names what it passes, and asks for the results by name."""
    model.compile(optimizer=make(learning_rate=fixed or rate), loss=loss, metrics=["accuracy"])
    before = model.evaluate(*judge, verbose=0)
    model.fit(x=learn[0], y=learn[1], validation_data=judge, **{"epochs": 3} | fit)
    after = model.evaluate(x=judge[0], y=judge[1], return_dict=True)
    return before[1] if early else after["accuracy"]


def fit_without_evaluating(rate, model, learn, judge):
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(*learn, 32, 3, validation_data=judge).history["val_accuracy"][-1]


# --- 03 ----------------------------------------------------------------------------------------------------------


def measure_in_place(loss, weights, nudge=1e-5):
    """Nudges the array it was given, and puts it back."""
    slopes = []
    for i, value in enumerate(weights):
        losses = []
        for sign in (1, -1):
            weights[i] = value + sign * nudge
            losses.append(loss(weights))
        weights[i] = value
        slopes.append((losses[0] - losses[1]) / (2 * nudge))
    return np.array(slopes)


def measure_and_leave_nudged(loss, weights):
    slopes = np.zeros_like(weights)
    for i in range(len(weights)):
        before = loss(weights)
        weights[i] += 1e-5
        slopes[i] = (loss(weights) - before) / 1e-5
    return slopes


def backward(x, hidden, probabilities, truth, weights_2, *, slope=lambda h: 1 - h * h, at=lambda p, t: p - t):
    at_logits = at(probabilities, truth) / len(x)
    at_sums = np.einsum("rc,hc,rh->rh", at_logits, weights_2, slope(hidden))
    gradients = x.T @ at_sums, at_sums.sum(axis=0), hidden.T @ at_logits, at_logits.sum(axis=0)
    return dict(zip(["weights_1", "bias_1", "weights_2", "bias_2"], gradients, strict=True))


def backward_relu(*given):
    return backward(*given, slope=lambda hidden: (hidden > 0).astype(float))


def correct_in_place(x, hidden, probabilities, truth, weights_2):
    probabilities -= truth
    return backward(x, hidden, probabilities, 0 * truth, weights_2)


def average_by_weights(values, keep):
    """Every value weighted by its age, as a mean with weights that sum to 1."""
    averages = []
    for count in range(1, len(values) + 1):
        weights = keep ** np.arange(count)[::-1]
        averages.append(weights @ values[:count] / weights.sum())
    return np.array(averages)


# --- 04 ----------------------------------------------------------------------------------------------------------


def split(labels, shares, mix, *, classes=None):
    """Cut each class by rounding down; the last part takes what is left, in lists."""
    parts = [[] for _ in shares]
    for positions in classes or [np.flatnonzero(labels == label) for label in np.unique(labels)]:
        cuts = np.cumsum([int(share * len(positions)) for share in shares[:-1]])
        for part, piece in zip(parts, np.split(mix(positions), cuts), strict=True):
            part.extend(piece.tolist())
    return parts


def split_right(labels, shares, seed):
    return split(labels, shares, np.random.default_rng(seed).permutation)


def split_sorted(labels, shares, seed):
    """Counts on classes that stand one after the other."""
    classes = [np.arange(start, end) for start, end in pairwise([0, 60, 90, 101])]
    return split(labels, shares, np.random.default_rng(seed).permutation, classes=classes)


def split_and_lose_the_rest(labels, shares, seed):
    first, second, last = split_right(labels, shares, seed)
    return [first, second, last[:-1]]


def pipeline(*steps):
    """Chain steps by name, to try every wrong order."""

    def make(pictures, augment, batch_size):
        actions = {
            "cache": lambda d: d.cache(),
            "shuffle": lambda d: d.shuffle(1000),
            "batch": lambda d: d.batch(batch_size),
            "batch of 32": lambda d: d.batch(32),
            "full batches": lambda d: d.batch(batch_size, drop_remainder=True),
            "augment": lambda d: d.map(lambda x, y: (augment(x), y)),
            "augment in parallel": lambda d: d.map(lambda x, y: (augment(x), y), num_parallel_calls=tf.data.AUTOTUNE),
            "augment alone": lambda d: d.map(lambda x, _: augment(x)),
            "repeat": lambda d: d.repeat(),
            "repeat twice": lambda d: d.repeat(2),
            "prefetch": lambda d: d.prefetch(2),
            "options": lambda d: d.with_options(tf.data.Options()),
            "count": lambda d: d.apply(tf.data.experimental.assert_cardinality(7)),
        }
        for step in steps:
            pictures = actions[step](pictures)
        return pictures

    return make


def shuffle_apart(pictures, augment, batch_size):
    x = pictures.map(lambda x, y: x).cache().shuffle(1000, seed=1)
    y = pictures.map(lambda x, y: y).cache().shuffle(1000, seed=2)
    return tf.data.Dataset.zip((x, y)).batch(batch_size).map(lambda x, y: (augment(x), y)).prefetch(1)


def decode_into_array(path):
    try:
        with Image.open(path) as picture:
            return np.asarray(picture).ndim == 3
    except OSError:
        return False


def open_only(path):
    try:
        Image.open(path).close()
    except OSError:
        return False
    return True


def decode_and_hope(path):
    with Image.open(path) as picture:
        picture.load()
    return True


def deal_one_by_one(records: list, num_shards: int) -> list[list]:
    shards: list[list] = [[] for _ in range(num_shards)]
    for position, record in enumerate(records):
        shards[position % num_shards].append(record)
    return shards


def batches_by_keras(paths: list[str], labels: list[int], size: int, batch_size: int) -> tf.data.Dataset:
    pictures = [np.asarray(keras.utils.load_img(path, target_size=(size, size)), "float32") / 255 for path in paths]
    return tf.data.Dataset.from_tensor_slices((pictures, labels)).batch(batch_size)


def compare_all(train, test):
    return [i for i, digest in enumerate(test) if any(digest == other for other in train)]


# --- 06 to 11 --------------------------------------------------------------------------------------------------


def field_from_the_end(stack):
    """One place at the end, widened layer by layer towards the picture."""
    field = 1
    for kernel, stride in reversed(stack):
        field = (field - 1) * stride + kernel
    return field


def build_tiny_functionally(image_size, num_classes, *, filters=(8, 16), activation="relu"):
    pictures = keras.Input((image_size, image_size, 3))
    x = keras.layers.Rescaling(1 / 255)(pictures)
    for number in filters:
        x = keras.layers.Conv2D(number, 3, padding="same")(x)
        x = keras.layers.MaxPooling2D()(keras.layers.Activation(activation)(x))
    x = keras.layers.Dense(num_classes)(keras.layers.Flatten()(x))
    return keras.Model(pictures, keras.layers.Softmax()(x))


def size_by_keras(size, kernel, stride, padding):
    layer = keras.layers.Conv2D(1, kernel, strides=stride, padding=padding)
    return layer.compute_output_shape((None, size, size, 1))[1]


def size_by_rounding(size, kernel, stride, padding):
    return math.ceil((size if padding == "same" else size - kernel + 1) / stride)


def believe_with_numpy_bool(a, b):
    error = np.hypot(a.std(ddof=1) / len(a) ** 0.5, b.std(ddof=1) / len(b) ** 0.5)
    return np.abs(a.mean() - b.mean()) > 2 * error


def penalty_of_keras(kernels, strength):
    penalty = keras.regularizers.L2(strength)
    return sum(keras.ops.convert_to_numpy(penalty(kernel)) for kernel in kernels)


def stop_with_lists(losses, patience):
    for stop in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:stop])) + 1
        if stop - best >= patience:
            break
    return [stop, best]


def stop_otherwise(*, better=lambda loss, best, before: loss < best, start_anew=True):
    """Early stopping with one thing done otherwise: what counts as better, or whether a new best starts the waiting."""

    def stop(losses, patience):
        best, waited = 1, 0
        for epoch in range(2, len(losses) + 1):
            if better(losses[epoch - 1], losses[best - 1], losses[epoch - 2]):
                best, waited = epoch, 0 if start_anew else waited
            else:
                waited += 1
            if waited == patience:
                return epoch, best
        return len(losses), best

    return stop


def make_classifier(
    backbone,
    num_classes,
    *,
    freeze=True,
    training=False,
    pool=keras.layers.GlobalAveragePooling2D,
    last="softmax",
    extra=(),
):
    backbone.trainable = not freeze
    inputs = keras.Input(backbone.input_shape[1:])
    x = backbone(inputs, training=training)
    for layer in [pool(), *extra] if pool else extra:
        x = layer(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation=last)(x))


def classify_with(**options):
    return lambda backbone, num_classes: make_classifier(backbone, num_classes, **options)


def build_sequential_classifier(backbone, num_classes):
    backbone.trainable = False
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(num_classes, activation="softmax")]
    return keras.Sequential([backbone, *head])


def fix_the_input_size(backbone, num_classes):
    inputs = keras.Input((160, 160, 3))
    return keras.Model(inputs, keras.layers.Dense(num_classes)(backbone(inputs)))


def nearest_mean(train_features, train_labels, features):
    classes = np.unique(train_labels)
    means = [train_features[train_labels == label].mean(axis=0) for label in classes]
    return [classes[np.argmin([np.linalg.norm(row - mean) for mean in means])] for row in features]


def take_confident(probabilities, labels, count):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))][:count]


# --- 10 ----------------------------------------------------------------------------------------------------------


def gain_by_statistics(plain, augmented):
    gains = [after - before for before, after in zip(plain, augmented, strict=True)]
    return statistics.mean(gains), statistics.stdev(gains) / len(gains) ** 0.5


def mix_with_flip(pictures, labels, share):
    return tuple(share * values + (1 - share) * np.flip(values, axis=0) for values in (pictures, labels))


# --- 13 ----------------------------------------------------------------------------------------------------------


def add_by_operator(x, filters, *, size=3, normalise=True, padding="same", use_bias=False):
    f = x
    for number in range(2):
        f = keras.layers.Conv2D(filters, size, padding=padding, use_bias=use_bias)(f)
        f = keras.layers.BatchNormalization(momentum=0.5)(f) if normalise else f
        f = keras.activations.relu(f) if number == 0 else f
    return keras.layers.Activation("relu")(x + f)


# --- 14 ----------------------------------------------------------------------------------------------------------


def count_by_building(side, channels, filters, kernel_size, strides):
    layer = keras.layers.Conv2D(filters, kernel_size, strides=strides, padding="same", use_bias=False)
    _, height, width, _ = layer(np.zeros((1, side, side, channels))).shape
    return layer.count_params(), height * width * layer.count_params()


def find_by_table(costs, accuracies):
    cost, accuracy = (np.array([table[name] for name in costs]) for table in (costs, accuracies))
    no_worse = (cost[:, None] <= cost) & (accuracy[:, None] >= accuracy)
    better = (cost[:, None] < cost) | (accuracy[:, None] > accuracy)
    return [name for name, beaten in zip(costs, (no_worse & better).any(axis=0), strict=True) if not beaten]


RIGHT = {
    "nb00.check_most_likely": [name_by_loop],
    "nb00.check_accuracy": [lambda predicted, labels: sum(predicted == labels) / len(labels)],
    "nb01.check_pad_to_square": [pad_with_the_spare_first],  # the spare row may go to either side
    "nb02.check_fire": [
        lambda x, w, b: keras.ops.convert_to_numpy(keras.ops.sigmoid(keras.ops.convert_to_tensor(x @ w + b))),
        lambda x, w, b: (np.tanh((x @ w + b) / 2) + 1) / 2,
    ],
    "nb02.check_cross_entropy": [lambda p, y: -(np.eye(p.shape[1])[y] * np.log(p)).sum(axis=1).mean()],
    "nb02.check_count_steps": [
        lambda rows, size, epochs: epochs * np.ceil(rows / size),
        lambda rows, size, epochs: np.int64(len(range(0, rows, size)) * epochs),
    ],
    "nb02.check_train_at": [train_with_pairs],
    "nb02.check_build_mlp": [make_mlp],
    "nb03.check_measure_gradient": [measure_in_place],
    "nb03.check_backward_relu": [backward_relu],
    "nb03.check_backward_tanh": [backward],
    "nb03.check_exponential_average": [average_by_weights],
    "nb04.check_label_from_path": [lambda path: path.stem.partition(".")[0] if "." in path.stem else path.parts[-2]],
    "nb04.check_stratified_split": [split_right],
    "nb04.check_make_pipeline": [
        pipeline("cache", "shuffle", "augment", "batch", "prefetch"),  # slower, and right
        pipeline("cache", "shuffle", "batch", "augment", "prefetch", "options"),
        pipeline("cache", "shuffle", "batch", "augment in parallel", "prefetch", "count"),
    ],
    "nb04.check_is_readable": [decode_into_array],
    "nb04.check_find_leaks": [lambda train, test: np.flatnonzero(np.isin(test, train))],
    "nb05.check_fold_slices": [
        lambda number, folds: (
            "+".join(f"train[{one}%:{one + 1}%]" for one in range(100) if one * folds // 100 != number),
            f"train[{number * 100 // folds}%:{(number + 1) * 100 // folds}%]",
        )
    ],
    "nb05.check_from_line": [
        lambda line: (np.int64(line[0]), np.fromstring(line, np.int64, sep=",")[1:].astype(np.uint8).reshape(70, 70))
    ],
    "nb05.check_deal_into_shards": [deal_one_by_one],
    "nb05.check_batches_like_generator": [batches_by_keras],
    "nb06.check_output_size": [size_by_keras, size_by_rounding, lambda *args: float(size_by_rounding(*args))],
    "nb06.check_count_conv_parameters": [lambda s, c, f: np.int64((s**2 * c + 1) * f)],
    "nb06.check_min_pool": [lambda maps: -keras.layers.MaxPooling2D()(-maps)],
    "nb06.check_receptive_field": [field_from_the_end],
    "nb07.check_build_tiny": [build_tiny_functionally],
    "nb07.check_recalls": [lambda confusion: [row[i] / sum(row) for i, row in enumerate(confusion.tolist())]],
    "nb07.check_expected_first_loss": [lambda k: -np.log(1 / k), lambda k: np.float32(math.log(k))],
    "nb07.check_best_epoch": [lambda history: np.argmin(history["val_loss"]) + 1],
    "nb06.check_activation_bytes": [lambda shapes, n: np.float64(sum(math.prod(s) for s in shapes) * n * 4)],
    "nb08.check_is_believable": [believe_with_numpy_bool],
    "nb08.check_he_deviation": [lambda shape: np.float32((2 / np.prod(shape[:-1])) ** 0.5)],
    "nb08.check_update_moving_mean": [lambda m, x, p: m + (1 - p) * (x.reshape(-1, x.shape[-1]).mean(axis=0) - m)],
    "nb08.check_l2_penalty": [penalty_of_keras],
    "nb09.check_growing_rates": [
        np.geomspace,
        lambda low, high, steps: np.logspace(np.log10(low), np.log10(high), steps),
    ],
    "nb09.check_cosine_rate": [lambda step, steps, first: first * math.cos(math.pi * step / steps / 2) ** 2],
    "nb09.check_seeds_needed": [lambda d, s: next(n for n in range(2, 1000) if d > 2 * math.sqrt(2 * s**2 / n))],
    "nb09.check_count_steps": [lambda count, size: -(-count // size), lambda count, size: len(range(0, count, size))],
    "nb09.check_find_stop": [stop_with_lists],
    "nb11.check_global_average": [
        lambda maps: maps.reshape(len(maps), -1, maps.shape[-1]).mean(axis=1),
        lambda maps: keras.ops.convert_to_numpy(keras.layers.GlobalAveragePooling2D()(maps)),
    ],
    "nb11.check_count_head_parameters": [lambda c, h, k: np.int64((c + 1) * h + (h + 1) * k)],
    "nb11.check_build_classifier": [
        build_sequential_classifier,
        # Frozen batch normalisation uses its stored averages whatever `training` says.
        classify_with(training=True),
    ],
    "nb11.check_classify_by_nearest_mean": [nearest_mean],
    "nb11.check_most_confident_mistakes": [take_confident],
    "nb10.check_flip_horizontally": [
        lambda pictures: np.flip(pictures, axis=2),
        lambda pictures: pictures[..., ::-1, :],
    ],
    "nb10.check_share_unchanged": [lambda probabilities: np.prod([1 - p for p in probabilities])],
    "nb10.check_gain_and_error": [gain_by_statistics],
    "nb10.check_mix_up": [mix_with_flip],
    "nb12.check_layers_that_learn": [
        lambda names, start: [
            name
            for position, name in enumerate(names)
            if any(earlier.startswith(start) for earlier in names[: position + 1]) and name[-3:] != "_bn"
        ]
    ],
    "nb12.check_count_trainable_variables": [
        lambda kinds: sum(("conv" in kind) + ("bias" in kind) + 2 * ("batch" in kind) for kind in kinds)
    ],
    "nb12.check_megabytes": [lambda *shape: np.prod((2, *shape, 4.0)) / 10**6],
    "nb12.check_share_kept": [lambda momentum, steps: np.power(momentum, steps)],
    "nb13.check_stack_and_single": [lambda n, c: (sum([9 * c * c] * n), np.int64((1 + n * 2) ** 2 * c**2))],
    "nb13.check_dense_parameters": [lambda sizes: sum(a * b + b for a, b in pairwise(sizes))],
    "nb13.check_count_with_bottleneck": [lambda s, c, n, f: np.int64(s * s * c * n + s * s * n * f * 25)],
    "nb13.check_residual_block": [add_by_operator],
    "nb13.check_count_layers": [lambda blocks, convolutions: np.int64(np.sum(blocks) * convolutions + 2)],
    "nb14.check_count_with_stride": [count_by_building],
    "nb14.check_count_inverted_residual": [
        lambda c, f, t: np.int64(c * t * (c + 9 + f) if t > 1 else c * (9 + f)),
    ],
    "nb14.check_scale_up": [lambda phi: (1.2**phi, 1.1**phi, 1.15**phi, 1.92027**phi)],
    "nb14.check_peak_bytes": [lambda shapes: max(4 * (math.prod(a) + math.prod(b)) for a, b in pairwise(shapes))],
    "nb14.check_find_efficient": [find_by_table],
}

WRONG = {
    "nb00.check_most_likely": [(lambda probabilities, names: sorted(names), "expected text")],
    "nb00.check_accuracy": [(lambda predicted, labels: predicted == labels, "expected one number")],
    "nb01.check_crop": [(lambda i, x, y, w, h: i[y : y + h, x : x + w, 0], "shape (5, 4), expected (5, 4, 3)")],
    "nb01.check_brighten": [
        (lambda i, amount: i + amount, "200 + 100 became 44"),
        (lambda i, amount: np.maximum(i, 100), "After adding 100 you have 100 at [0, 1, 0], expected 200."),
    ],
    "nb01.check_read_rgb": [(lambda path: cv2.imread(str(path)) / 255, "dtype float64, expected uint8")],
    "nb01.check_luminosity": [(lambda i: i @ np.array([0.299, 0.587, 0.114]), "dtype float64, expected uint8")],
    "nb01.check_pad_to_square": [(pad_only_height, "shape (8, 9, 3), expected (9, 9, 3)")],
    "nb01.check_make_batch": [
        (lambda pictures, side: np.stack(pictures), "with ValueError"),
        (lambda pictures, side: np.zeros((3, side, side, 3), np.float32), "You have 0 at [0, 0, 0, 0], expected -1"),
    ],
    "nb02.check_cross_entropy": [(lambda p, y: -np.log(0.7 * 0.3 * 0.8 * 0.1) / 4, "should cost ln 2")],
    "nb02.check_count_steps": [
        (lambda rows, size, epochs: rows * epochs, "you have 1,000, expected 10. How many batches"),
        (lambda rows, size, epochs: 95 if size == 32 else 10, "you have 95, expected 96. How many batches"),
        (lambda rows, size, epochs: 10 if size == 100 else 96, "still make one step"),
    ],
    "nb02.check_train_at": [
        (lambda rate, model, *data: model.evaluate(*data[1]), "does not compile"),
        (lambda rate, model, *data: model.compile("adam", loss="mse") or 0.75, "does not fit the model"),
        (lambda *args: train_with_pairs(*args, fixed=0.003), "Your learning rate is 0.003, expected 1"),
        (lambda *args: train_with_pairs(*args, make=keras.optimizers.SGD), "Your optimizer is 'SGD', expected 'Adam'"),
        (lambda *args: train_with_pairs(*args, loss="mse"), "Your loss is 'mean_squared_error'"),
        (lambda *args: train_with_pairs(*args, loss=LOGITS), "from_logits is True, expected False"),
        (lambda *args: train_with_pairs(*args, epochs=30), "You fit for 30 epochs, expected 3"),
        (lambda *args: train_with_pairs(*args, batch_size=100), "in batches of 100, expected 32"),
        (lambda *args: train_with_pairs(*args, early=True), "after `fit`"),
        (fit_without_evaluating, "does not evaluate"),
    ],
    "nb02.check_build_mlp": [
        (lambda *args: "model", "returned a str, expected a keras.Model"),
        (lambda i, h, c: make_mlp(64, h, c), "takes (None, 64), expected (None, 6)"),
        (lambda i, h, c: make_mlp(i, h, 10), "gives (None, 10), expected (None, 3)"),
        (call_on_the_inputs, "Only the last hidden layer is connected"),
        (lambda *args: make_mlp(*args, last=None), "in a last layer of its own"),
        (lambda i, h, c: make_mlp(i, (64, 128), c), "have [64, 128, 3] units"),
        (lambda *args: make_mlp(*args, hidden="tanh"), "use ['tanh', 'tanh'], expected 'relu'"),
        (lambda *args: make_mlp(*args, last="linear"), "Your last layer uses 'linear'"),
        (lambda *args: make_mlp(*args, extra=[keras.layers.BatchNormalization]), "only dense layers"),
        (lambda i, h, c: make_mlp(i, (5, 4), c), "Use the arguments, not fixed layers"),
    ],
    "nb03.check_measure_gradient": [(measure_and_leave_nudged, "changes what it is given")],
    "nb03.check_backward_relu": [
        (lambda *given: backward(*given), "The gradient of bias_1 has the right shape"),
        (correct_in_place, "changes what it is given"),
    ],
    "nb03.check_backward_tanh": [
        (
            lambda *given: backward(*given, at=lambda p, t: p * (1 - p) * (p - t)),
            "The gradient of bias_2 has the right",
        ),
        (lambda *given: (g := backward(*given)) | {"weights_1": g["weights_1"] / 2}, "The gradient of weights_1 has"),
        (lambda *given: backward(*given) | {"bias_1": np.zeros((6, 5))}, "has shape (6, 5), expected (5,)"),
        (lambda *given: tuple(backward(*given).values()), "returned a tuple"),
        (lambda *given: {"bias_1": backward(*given)["bias_1"]}, "has ['bias_1'], expected"),
    ],
    "nb03.check_exponential_average": [(lambda values, keep: [values[0]] * len(values), "keep = 0.5 you have")],
    "nb04.check_label_from_path": [
        (lambda path: path.parent, "is a PurePosixPath, expected text"),
        (lambda path: "dog", "you have 'dog', expected 'cat'. With a dot in the stem"),
        (
            lambda path: path.stem.split(".")[0] if str(path).count(".") > 1 else path.parent.name,
            "Only a dot in the file's own stem counts",
        ),
        (
            lambda path: path.stem.split(".")[0] if "." in path.stem else str(path).split("/")[-2],
            "with IndexError",  # the path has backslashes
        ),
    ],
    "nb04.check_stratified_split": [
        (lambda labels, shares, seed: 3, "a list of 3 parts"),
        (lambda labels, shares, seed: [np.zeros((2, 2), int)] * 3, "flat array of positions"),
        (lambda labels, shares, seed: [np.zeros(2)] * 3, "flat array of positions"),
        (
            lambda *args: [np.array(part) + 1 for part in split_right(*args)],
            "1 of your positions are outside of 0 to 100",
        ),
        (
            lambda labels, shares, seed: [np.arange(round(share * len(labels))) for share in shares],
            "more than once, expected 0: draw without putting back",
        ),
        (split_and_lose_the_rest, "hold 100 positions, expected 101: where a share"),
        (lambda labels, shares, seed: np.split(np.arange(101), [61, 91]), "split each class separately"),
        (lambda labels, shares, seed: split(labels, shares, np.array), "Another seed gave the same split"),
        (
            lambda labels, shares, seed: split(labels, shares, np.random.default_rng().permutation),
            "The same seed gave another split",
        ),
        (split_sorted, "not for mixed ones"),
    ],
    "nb04.check_make_pipeline": [
        (lambda pictures, augment, size: [], "of type list"),
        (pipeline("cache", "shuffle", "batch", "augment alone"), "does not yield pairs"),
        (pipeline("cache", "shuffle", "augment", "prefetch"), "batch once"),
        (pipeline("cache", "shuffle", "batch of 32", "augment"), "up to 32 pictures, expected 8"),
        (pipeline("cache", "shuffle", "full batches", "augment"), "has 48 pictures, expected 50"),
        (pipeline("cache", "shuffle", "repeat twice", "batch", "augment"), "no repeat()"),
        (pipeline("cache", "shuffle", "batch", "augment", "repeat"), "no repeat()"),
        (lambda pictures, augment, size: pictures.take(0).batch(size), "Your data set is empty"),
        (shuffle_apart, "no longer belong together"),
        (pipeline("cache", "shuffle", "batch", "prefetch"), "Nobody was augmented"),
        (pipeline("shuffle", "batch", "augment", "prefetch"), "read 100 pictures, expected 50"),
        (pipeline("cache", "batch", "augment", "prefetch"), "in the order of the files"),
        (pipeline("cache", "batch", "shuffle", "augment", "prefetch"), "Shuffle before you batch"),
        (pipeline("shuffle", "cache", "batch", "augment", "prefetch"), "Shuffle behind the cache"),
        (pipeline("augment", "cache", "shuffle", "batch", "prefetch"), "Augment behind the cache"),
        (pipeline("cache", "shuffle", "batch", "augment", "options"), "prefetch is missing"),
        (pipeline("cache", "shuffle", "prefetch", "batch", "augment in parallel"), "prefetch is missing"),
    ],
    "nb04.check_is_readable": [
        (lambda path: "yes", "is a str, expected True or False"),
        (lambda path: path.suffix.lower() in (".jpg", ".jpeg", ".png"), "proves nothing"),
        (open_only, "breaks off half-way"),
        (decode_and_hope, "with UnidentifiedImageError"),
    ],
    "nb04.check_find_leaks": [
        (lambda train, test: 3, "is a int, expected a list"),
        (lambda train, test: [1, 2], "you have [1, 2], expected [1, 3, 4]"),
        (lambda train, test: [1, 3, 4], "give an empty list"),
        (compare_all, "make a set of the training hashes"),
    ],
    "nb05.check_fold_slices": [
        (lambda number, folds: "train[20%:40%]", "Return two texts"),
        (lambda number, folds: (20, 40), "is a int, expected text"),
        (lambda number, folds: ("train[:20]", "train[20:40]"), "expected a text such as 'train[:20%]+train[40%:]'"),
        (lambda number, folds: ("train[:20%]+train[40%:]", "train[20%:40%]"), "The first fold has number 0."),
    ],
    "nb05.check_from_line": [
        (lambda line: np.fromstring(line, int, sep=","), "Return two things"),
        (lambda line: (int(line[2:5]), line), "Your label is 200, expected 3: the first number of the line."),
        (lambda line: (3, [0]), "is a list, expected a NumPy array"),
        (lambda line: (3, np.zeros((70, 70, 1))), "has shape (70, 70, 1), expected (70, 70)"),
        (lambda line: (3, np.zeros((70, 70))), "has dtype float64, expected uint8"),
    ],
    "nb05.check_deal_into_shards": [
        (lambda records, shards: dict(enumerate(records)), "is a dict, expected a list"),
        (lambda records, shards: [records[first::3] for first in range(3)], "For ['a', 'b', 'c', 'd'] and 2 shards"),
    ],
    "nb05.check_batches_like_generator": [
        (lambda paths, labels, size, batch: [], "of type list"),
        (lambda paths, labels, size, batch: tf.data.Dataset.range(3), "does not yield pairs"),
        (lambda *args: batches_by_keras(*args).unbatch(), "batch them, once"),
        (
            lambda p, y, size, batch: batches_by_keras(p, y, 2 * size, batch),
            "have [16, 16, 3] rows, columns and channels",
        ),
        (lambda p, y, size, batch: batches_by_keras(p, y, size, 5), "have [5] pictures, expected [2, 2, 1]"),
        (
            lambda *args: batches_by_keras(*args).map(lambda x, y: (tf.round(x), y)),
            "Your pictures have the shades [0, 0, 1, 1, 1], expected [0.2, 0.4, 0.6, 0.8, 1]",
        ),
    ],
    "nb06.check_output_size": [
        (lambda s, k, t, p: (s - k) // t + 1, "Same rounds up, not down"),
        (lambda s, k, t, p: size_by_rounding(s, k, t, p) if s > 90 else 7, "For 37 pixels, kernel 2, stride 2, valid"),
    ],
    "nb06.check_count_conv_parameters": [(lambda s, c, f: 8_224, "Use the arguments, not fixed numbers")],
    "nb06.check_min_pool": [
        (lambda maps: -keras.layers.MaxPooling2D(2, strides=1, padding="same")(-maps), "as large as"),
        (lambda maps: maps[0], "has shape (4, 6, 3), expected (2, 2, 3, 3)"),
    ],
    "nb06.check_receptive_field": [
        (lambda stack: 1 + 2 * len(stack), "Each layer adds its own kernel - 1"),
        (lambda stack: {1: 3, 2: stack[0][0] + 2}.get(len(stack), 7), "neighbouring places are 2 pixels apart"),
    ],
    "nb07.check_build_tiny": [
        (lambda size, classes: "a model", "expected a keras.Model"),
        (lambda size, classes: build_tiny_functionally(16, 2), "(None, 16, 16, 3), expected"),
        (partial(build_tiny_functionally, filters=(16, 8)), "Your convolutions have [16, 8] filters"),
        (partial(build_tiny_functionally, activation=None), "activation='relu'"),
    ],
    "nb07.check_recalls": [(lambda confusion: np.array([0.8, 0.5]), "has shape (2,), expected (3,)")],
    "nb07.check_expected_first_loss": [
        (lambda k: 0.69, "For 4 classes you have 0.69, expected 1.386"),
        (lambda k: {2: 0.693, 4: 1.386}.get(k, 5.0), "so use the argument"),
    ],
    "nb07.check_best_epoch": [(lambda history: 3, "you have 3, expected 1. Where it only rises")],
    "nb06.check_activation_bytes": [(lambda shapes, n: 24_772_864, "For the shapes [(10, 5, 2)] and a batch of 1")],
    "nb08.check_is_believable": [(lambda a, b: a.max() < b.min() or b.max() < a.min(), "divide each variance")],
    "nb08.check_he_deviation": [(lambda s: (2 / np.prod(s[:3])) ** 0.5, "For a dense kernel, what comes in")],
    "nb08.check_update_moving_mean": [
        (lambda m, x, p: 0.9 * m + 0.1 * x.mean(axis=(0, 1, 2)), "Right for a momentum of 0.9"),
        (lambda m, x, p: x.mean(), "has shape (), expected (5,)"),
    ],
    "nb08.check_l2_penalty": [(lambda k, s: penalty_of_keras(k[:2], s), "Right for two kernels and 0.1")],
    "nb09.check_growing_rates": [
        (lambda low, high, steps: np.geomspace(low, high, steps + 1), "has shape (6,), expected (5,)"),
        (lambda low, high, steps: [1e-4, 1e-3, 1e-2, 0.1, 1.0], "has shape (5,), expected (3,)"),
    ],
    "nb09.check_cosine_rate": [
        (lambda step, steps, first: 0.8535534 * first, "After 0 of 100 steps"),
        (lambda step, steps, first: max(1e-4, first * math.cos(math.pi * step / steps / 2) ** 2), "nothing is left"),
    ],
    "nb09.check_seeds_needed": [(lambda d, s: 82, "For a difference of 0.05")],
    "nb09.check_count_steps": [(lambda count, size: max(2, -(-count // size)), "A short batch alone is a step")],
    "nb09.check_find_stop": [
        (stop_otherwise(better=lambda loss, best, before: loss < before), "Compare each epoch with the best so far"),
        (stop_otherwise(start_anew=False), "A new best starts the waiting anew"),
        (stop_otherwise(better=lambda loss, best, before: loss <= best), "as good is not better"),
    ],
    "nb11.check_global_average": [
        (lambda maps: maps.mean(axis=1), "has shape (2, 4, 5), expected (2, 5)"),
        (lambda maps: np.median(maps, axis=(1, 2)), "You have 0.2082 at [0, 0]"),
    ],
    "nb11.check_count_head_parameters": [(lambda c, h, k: 263_682, "Use the arguments, not fixed numbers")],
    "nb11.check_build_classifier": [
        (lambda backbone, num_classes: "model", "returned a str, expected a keras.Model"),
        (classify_with(freeze=False, training=None), "set backbone.trainable = False"),
        (classify_with(last=None), "activation='softmax'"),
        (classify_with(last="sigmoid"), "activation='softmax'"),
        (classify_with(pool=None), "expected (None, 3): one unit for each class"),
        (lambda backbone, num_classes: make_classifier(backbone, 2), "gives (None, 2), expected (None, 3)"),
        (classify_with(extra=[keras.layers.Dense(4)]), "43 weights train, expected 21"),
        (classify_with(extra=[keras.layers.Dropout(0.5)]), "leave dropout out"),
        (fix_the_input_size, "with ValueError"),
    ],
    "nb11.check_classify_by_nearest_mean": [
        (lambda train, labels, new: np.zeros(len(new)), "you have [0, 0, 0, 0], expected [2, 0, 1, 1]")
    ],
    "nb11.check_most_confident_mistakes": [(lambda p, y, count: p.argmax(axis=1) != y, "expected [3, 0, 4]")],
    "nb10.check_flip_horizontally": [
        (lambda pictures: pictures[0, :, ::-1], "expected (2, 3, 4, 3)"),
        (lambda pictures: 255 - pictures, "You have"),
    ],
    "nb10.check_share_unchanged": [(lambda probabilities: 0.125, "For p = [0.9]")],
    "nb10.check_gain_and_error": [(lambda a, b: np.mean(b) - np.mean(a), "expected a tuple")],
    "nb10.check_mix_up": [(lambda pictures, labels, share: share * pictures, "expected a tuple")],
    "nb12.check_layers_that_learn": [(lambda names, start: names.index(start), "expected a list")],
    "nb12.check_count_trainable_variables": [
        (lambda kinds: 3, "have 3, expected 6"),
        (lambda kinds: 2 * len(kinds), "have 4, expected 3"),
    ],
    "nb12.check_megabytes": [(lambda *shape: 179.2, "For 500 pictures with maps of 5 x 5 x 192")],
    "nb12.check_share_kept": [(lambda momentum, steps: 0.366, "For a momentum of 0.99 and 100 steps")],
    "nb13.check_stack_and_single": [(lambda n, c: n * 9 * c * c, "expected a tuple")],
    "nb13.check_dense_parameters": [(lambda sizes: 123_642_856, "One layer has two sizes")],
    "nb13.check_count_with_bottleneck": [(lambda s, c, n, f: 12_443_648, "Use the arguments, not fixed numbers")],
    "nb13.check_residual_block": [
        (lambda x, filters: 3, "You returned a int"),
        (lambda x, filters: keras.layers.Add()([x, keras.layers.Conv2D(filters, 3, padding="same")(x)]), "has 1 conv"),
        (lambda x, filters: add_by_operator(x, filters, size=5), "has kernels of"),
        (lambda x, filters: add_by_operator(x, filters, normalise=False), "0 layers of batch normalisation"),
        (lambda x, filters: add_by_operator(x, filters, padding="valid"), "with ValueError"),
        (lambda x, filters: add_by_operator(x, filters, use_bias=True), "2 have a bias, expected 0"),
    ],
    "nb13.check_count_layers": [(lambda blocks, convolutions: 50, "you have 50, expected 101")],
    "nb14.check_count_with_stride": [(lambda *sizes: sizes[1] * sizes[2], "expected a tuple")],
    "nb14.check_find_efficient": [(lambda costs, accuracies: set(costs), "expected a list")],
}
