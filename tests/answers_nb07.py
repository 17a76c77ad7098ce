"""Each check of notebook 07 both ways: the solution, other right answers, and the usual mistakes."""

import keras
import numpy as np

from helpers.checks import nb07


def global_average(feature_map):
    return feature_map.mean(axis=(1, 2))


def count_head_parameters(channels, hidden, classes):
    return (channels * hidden + hidden) + (hidden * classes + classes)


def build_classifier(backbone, num_classes):
    return make_classifier(backbone, num_classes)


def classify_by_nearest_mean(train_features, train_labels, features):
    classes = np.unique(train_labels)
    means = np.stack([train_features[train_labels == label].mean(axis=0) for label in classes])
    return classes[np.linalg.norm(features[:, np.newaxis] - means, axis=2).argmin(axis=1)]


def most_confident_mistakes(probabilities, labels, count):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))][:count]


def make_classifier(
    backbone,
    num_classes,
    *,
    freeze=True,
    training=False,
    pool=keras.layers.GlobalAveragePooling2D,
    activation="softmax",
    extra=(),
):
    """The solution, with one thing at a time to be done otherwise."""
    backbone.trainable = not freeze
    inputs = keras.Input(backbone.input_shape[1:])
    x = pool()(backbone(inputs, training=training))
    for layer in extra:
        x = layer(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation=activation)(x))


def build_sequential(backbone, num_classes):
    backbone.trainable = False
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(num_classes, activation="softmax")]
    return keras.Sequential([backbone, *head])


SOLUTIONS = {
    nb07.check_global_average: global_average,
    nb07.check_count_head_parameters: count_head_parameters,
    nb07.check_build_classifier: build_classifier,
    nb07.check_classify_by_nearest_mean: classify_by_nearest_mean,
    nb07.check_most_confident_mistakes: most_confident_mistakes,
}
OTHER_RIGHT_ANSWERS = [
    (nb07.check_global_average, lambda m: m.reshape(len(m), -1, m.shape[-1]).mean(axis=1)),
    (nb07.check_global_average, lambda m: keras.ops.convert_to_numpy(keras.layers.GlobalAveragePooling2D()(m))),
    (nb07.check_count_head_parameters, lambda c, h, k: np.int64((c + 1) * h + (h + 1) * k)),
    (nb07.check_build_classifier, build_sequential),
    # Frozen batch normalisation uses its stored averages whatever `training` says.
    (nb07.check_build_classifier, lambda b, n: make_classifier(b, n, training=True)),
    (nb07.check_classify_by_nearest_mean, lambda *args: classify_by_nearest_mean(*args).tolist()),
    (nb07.check_most_confident_mistakes, lambda *args: most_confident_mistakes(*args).tolist()),
]


def count_by_building(channels, hidden, classes):
    head = [keras.Input((channels,)), keras.layers.Dense(hidden), keras.layers.Dense(classes)]
    return keras.Sequential(head)


def distances_to_means(train_features, train_labels, features):
    means = np.stack([train_features[train_labels == label].mean(axis=0) for label in np.unique(train_labels)])
    return np.linalg.norm(features[:, np.newaxis] - means, axis=2)


def position_of_nearest(train_features, _train_labels, features):
    return np.linalg.norm(features[:, np.newaxis] - train_features, axis=2).argmin(axis=1)


def wrong_positions(probabilities, labels, _count):
    return np.flatnonzero(probabilities.argmax(axis=1) != labels)


def sort_all(probabilities, _labels, count):
    return np.argsort(-probabilities.max(axis=1))[:count]


def least_confident(probabilities, labels, count):
    wrong = wrong_positions(probabilities, labels, count)
    return wrong[np.argsort(probabilities[wrong].max(axis=1))][:count]


def confidences(probabilities, labels, count):
    return probabilities[most_confident_mistakes(probabilities, labels, count)].max(axis=1)


def variant(**options):
    return lambda backbone, num_classes: make_classifier(backbone, num_classes, **options)


def forget_the_average(backbone, num_classes):
    backbone.trainable = False
    inputs = keras.Input(backbone.input_shape[1:])
    outputs = keras.layers.Dense(num_classes, activation="softmax")(backbone(inputs, training=False))
    return keras.Model(inputs, outputs)


def fix_the_input_size(backbone, num_classes):
    inputs = keras.Input((160, 160, 3))
    return keras.Model(inputs, keras.layers.Dense(num_classes)(backbone(inputs)))


MISTAKES = [
    (nb07.check_global_average, lambda m: m.mean(axis=0), "over the pictures (axis 0)"),
    (nb07.check_global_average, lambda m: m.mean(axis=-1), "over the channels (the last axis)"),
    (nb07.check_global_average, lambda m: m.reshape(len(m), -1), "flattened the map"),
    (nb07.check_global_average, lambda m: m.mean(axis=(0, 1, 2)), "over the pictures as well"),
    (nb07.check_global_average, lambda m: m.max(axis=(1, 2)), "That is the maximum"),
    (nb07.check_global_average, lambda m: m.sum(axis=(1, 2)), "That is the sum"),
    (nb07.check_global_average, lambda m: np.median(m, axis=(1, 2)), "the values are not averages"),
    (nb07.check_global_average, lambda m: m.mean(), "has shape (), expected (2, 5)"),
    (nb07.check_global_average, lambda m: m.mean(axis=1), "has shape (2, 4, 5), expected (2, 5)"),
    (nb07.check_global_average, lambda m: m.mean(axis=(1, 2), keepdims=True), "has shape (2, 1, 1, 5)"),
    (nb07.check_global_average, lambda m: m.mean(axis=(1, 4)), "stopped with AxisError"),
    (nb07.check_count_head_parameters, lambda c, h, k: c * h + h * k, "counts the weights only"),
    (nb07.check_count_head_parameters, lambda c, h, k: (c + 1) * h, "the hidden layer alone"),
    (nb07.check_count_head_parameters, lambda c, h, k: (25 * c + 1) * h + (h + 1) * k, "flattened 5 by 5 map"),
    (nb07.check_count_head_parameters, lambda c, h, k: 263_682, "use the arguments, not fixed numbers"),
    (nb07.check_count_head_parameters, lambda c, h, k: 7, "Your count is 7, expected 263,682"),
    (nb07.check_count_head_parameters, lambda c, h, k: ((c + 1) * h, (h + 1) * k), "is a tuple, expected a number"),
    (nb07.check_count_head_parameters, lambda c, h, k: f"{(c + 1) * h}", "is a str, expected a number"),
    (nb07.check_count_head_parameters, count_by_building, "is a Sequential, expected a number"),
    (nb07.check_build_classifier, lambda backbone, num_classes: "model", "returned a str, expected a keras.Model"),
    (nb07.check_build_classifier, variant(freeze=False), "set backbone.trainable = False"),
    (nb07.check_build_classifier, variant(freeze=False, training=None), "set backbone.trainable = False"),
    (nb07.check_build_classifier, variant(activation=None), "activation='softmax'"),
    (nb07.check_build_classifier, variant(activation="sigmoid"), "activation='softmax'"),
    (nb07.check_build_classifier, variant(pool=keras.layers.Flatten), "GlobalAveragePooling2D in front"),
    (nb07.check_build_classifier, forget_the_average, "expected (None, 3): one unit a class"),
    (nb07.check_build_classifier, lambda b, n: make_classifier(b, 2), "gives (None, 2), expected (None, 3)"),
    (nb07.check_build_classifier, variant(extra=[keras.layers.Dense(4)]), "weights train, expected 21"),
    (nb07.check_build_classifier, variant(extra=[keras.layers.Dropout(0.5)]), "leave dropout out"),
    (nb07.check_build_classifier, fix_the_input_size, "stopped with ValueError"),
    (nb07.check_classify_by_nearest_mean, distances_to_means, "with argmin(axis=1)"),
    (nb07.check_classify_by_nearest_mean, lambda *a: distances_to_means(*a).argmax(axis=1), "farthest away"),
    (nb07.check_classify_by_nearest_mean, position_of_nearest, "the position of the nearest picture"),
    (nb07.check_classify_by_nearest_mean, lambda *a: distances_to_means(*a).min(axis=1), "for four clear cases"),
    (nb07.check_classify_by_nearest_mean, lambda t, y, f: np.zeros(len(f), int), "expected [2, 0, 1, 1]"),
    (nb07.check_classify_by_nearest_mean, lambda t, y, f: y, "has shape (10,), expected (4,)"),
    (nb07.check_most_confident_mistakes, least_confident, "start with the least confident"),
    (nb07.check_most_confident_mistakes, sort_all, "Right answers are among yours"),
    (nb07.check_most_confident_mistakes, lambda p, y, n: sort_all(p, y, None), "Right answers are among yours"),
    (nb07.check_most_confident_mistakes, lambda p, y, n: wrong_positions(p, y, n)[:n], "not sorted"),
    (nb07.check_most_confident_mistakes, lambda p, y, n: most_confident_mistakes(p, y, None), "only the first"),
    (nb07.check_most_confident_mistakes, confidences, "expected [3, 0, 4]"),
    (nb07.check_most_confident_mistakes, lambda p, y, n: p.argmax(axis=1) != y, "expected [3, 0, 4]"),
]
