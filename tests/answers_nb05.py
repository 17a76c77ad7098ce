"""Each check of notebook 05 both ways: the solution, other right answers, and the usual mistakes."""

import math

import keras
import numpy as np

from helpers.checks import nb05


def believe(a, b, *, errors=2.0, ddof=1, count=True, absolute=True):
    """The solution, with one thing at a time to be done otherwise."""
    parts = [np.var(values, ddof=ddof) / (len(values) if count else 1) for values in (a, b)]
    difference = np.mean(b) - np.mean(a)
    return bool((abs(difference) if absolute else difference) > errors * np.sqrt(sum(parts)))


def is_believable(values_a, values_b):
    return believe(values_a, values_b)


def he_deviation(kernel_shape):
    return (2 / np.prod(kernel_shape[:-1])) ** 0.5


def update_moving_mean(moving_mean, maps, momentum):
    return momentum * moving_mean + (1 - momentum) * maps.mean(axis=(0, 1, 2))


def l2_penalty(kernels, strength):
    return strength * sum((kernel**2).sum() for kernel in kernels)


def count_steps(count, batch_size):
    return math.ceil(count / batch_size)


def find_stop(val_losses, patience):
    best = 1
    for epoch, loss in enumerate(val_losses, start=1):
        if loss < val_losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return epoch, best
    return len(val_losses), best


SOLUTIONS = {
    nb05.check_is_believable: is_believable,
    nb05.check_he_deviation: he_deviation,
    nb05.check_update_moving_mean: update_moving_mean,
    nb05.check_l2_penalty: l2_penalty,
    nb05.check_count_steps: count_steps,
    nb05.check_find_stop: find_stop,
}


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


OTHER_RIGHT_ANSWERS = [
    (nb05.check_is_believable, believe_with_numpy_bool),
    (nb05.check_he_deviation, lambda shape: math.sqrt(2 / math.prod(shape[:-1]))),
    (nb05.check_he_deviation, lambda shape: np.float32((2 / np.prod(shape[:-1])) ** 0.5)),
    (nb05.check_update_moving_mean, lambda m, x, p: m + (1 - p) * (x.mean(axis=(0, 1, 2)) - m)),
    (nb05.check_update_moving_mean, lambda m, x, p: p * m + (1 - p) * x.reshape(-1, x.shape[-1]).mean(axis=0)),
    (nb05.check_l2_penalty, penalty_of_keras),
    (nb05.check_count_steps, lambda count, size: -(-count // size)),
    (nb05.check_count_steps, lambda count, size: count // size + (count % size > 0)),
    (nb05.check_count_steps, lambda count, size: len(range(0, count, size))),
    (nb05.check_find_stop, stop_with_lists),
]


def return_inside_the_loop(kernels, strength):
    for kernel in kernels:
        return strength * (kernel**2).sum()


def overwrite_in_the_loop(kernels, strength):
    for kernel in kernels:
        penalty = strength * (kernel**2).sum()
    return penalty


def wait_too_long(losses, patience):
    return find_stop(losses, patience + 1)[0], find_stop(losses, patience)[1]


def best_of_all(losses, patience):
    return find_stop(losses, patience)[0], int(np.argmin(losses)) + 1


def compare_with_the_one_before(losses, patience):
    waited, best = 0, 1
    for epoch in range(2, len(losses) + 1):
        if losses[epoch - 1] < losses[epoch - 2]:
            waited, best = 0, epoch
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses), best


def never_start_anew(losses, patience):
    best, waited = 1, 0
    for epoch, loss in enumerate(losses[1:], start=2):
        if loss < losses[best - 1]:
            best = epoch
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses), best


def as_good_is_better(losses, patience):
    best = 1
    for epoch, loss in enumerate(losses, start=1):
        if loss <= losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return epoch, best
    return len(losses), best


MISTAKES = [
    (nb05.check_is_believable, lambda a, b: float(b.mean() - a.mean()), "is a float, expected True or False"),
    (nb05.check_is_believable, lambda a, b: False, "You do not believe 0.72 against 0.82"),
    (nb05.check_is_believable, lambda a, b: believe(a, b, absolute=False), "take the absolute difference"),
    (nb05.check_is_believable, lambda a, b: bool(a.mean() != b.mean()), "You believe -1, 1 against 0, 2"),
    (nb05.check_is_believable, lambda a, b: believe(a, b, errors=1), "more than twice its standard error"),
    (nb05.check_is_believable, lambda a, b: believe(a, b, ddof=0), "`ddof=1`"),
    (nb05.check_is_believable, lambda a, b: believe(a, b, count=False), "divide each variance by the number"),
    (nb05.check_is_believable, lambda a, b: bool(a.max() < b.min() or b.max() < a.min()), "divide each variance"),
    (nb05.check_he_deviation, lambda s: 2 / np.prod(s[:-1]), "That is the variance"),
    (nb05.check_he_deviation, lambda s: np.prod(s[:-1]) ** -0.5, "right without ReLU"),
    (nb05.check_he_deviation, lambda s: (2 / (s[0] * s[1] * s[-1])) ** 0.5, "divided by what goes out"),
    (nb05.check_he_deviation, lambda s: (2 / s[-2]) ** 0.5, "by the channels alone"),
    (nb05.check_he_deviation, lambda s: (2 / (s[0] * s[1])) ** 0.5, "by the places alone"),
    (nb05.check_he_deviation, lambda s: (2 / (np.prod(s[:-2]) * sum(s[-2:]))) ** 0.5, "That is Glorot's"),
    (nb05.check_he_deviation, lambda s: (2 / np.prod(s)) ** 0.5, "by all weights of the layer"),
    (nb05.check_he_deviation, lambda s: (2 / np.prod(s[:3])) ** 0.5, "Right for a convolution, but"),
    (nb05.check_he_deviation, lambda s: 0.05, "Your deviation is 0.05, expected 0.1179"),
    (nb05.check_he_deviation, lambda s: np.ones(s), "gave a ndarray, expected one number"),
    (nb05.check_update_moving_mean, lambda m, x, p: m * p + (1 - p) * x.mean(axis=0), "a mean for each place"),
    (nb05.check_update_moving_mean, lambda m, x, p: m * p + (1 - p) * x.mean(axis=(1, 2)), "for each picture"),
    (nb05.check_update_moving_mean, lambda m, x, p: update_moving_mean(m, x, 1 - p), "You swapped the parts"),
    (nb05.check_update_moving_mean, lambda m, x, p: x.mean(axis=(0, 1, 2)), "the mean of this batch"),
    (nb05.check_update_moving_mean, lambda m, x, p: m, "has not moved"),
    (nb05.check_update_moving_mean, lambda m, x, p: p * m + x.mean(axis=(0, 1, 2)), "added the whole"),
    (nb05.check_update_moving_mean, lambda m, x, p: p * m + (1 - p) * x.mean(), "the values are not"),
    (nb05.check_update_moving_mean, lambda m, x, p: update_moving_mean(m, x, 0.9), "not for 0.5"),
    (nb05.check_update_moving_mean, lambda m, x, p: x.mean(), "has shape (), expected (5,)"),
    (nb05.check_l2_penalty, lambda k, s: sum((a**2).sum() for a in k), "left the strength out"),
    (nb05.check_l2_penalty, lambda k, s: s * sum(np.abs(a).sum() for a in k), "That is L1"),
    (nb05.check_l2_penalty, lambda k, s: s * sum(a.sum() for a in k), "square each."),
    (nb05.check_l2_penalty, return_inside_the_loop, "Only the first kernel"),
    (nb05.check_l2_penalty, overwrite_in_the_loop, "Only the last kernel"),
    (nb05.check_l2_penalty, lambda k, s: l2_penalty(k, s) / 2, "Half of it"),
    (nb05.check_l2_penalty, lambda k, s: s * sum((a**2).sum() for a in k) ** 0.5, "You took the root"),
    (nb05.check_l2_penalty, lambda k, s: s * np.mean([v**2 for a in k for v in a.ravel()]), "That is a mean"),
    (nb05.check_l2_penalty, lambda k, s: s * sum((a**2).mean() for a in k), "averaged each kernel"),
    (nb05.check_l2_penalty, lambda k, s: l2_penalty(k[:2], s), "Right for two kernels and 0.1"),
    (nb05.check_l2_penalty, lambda k, s: [s * (a**2).sum() for a in k], "gave a list, expected one number"),
    (nb05.check_count_steps, lambda count, size: count // size, "which is a step as well"),
    (nb05.check_count_steps, lambda count, size: round(count / size), "which is a step as well"),
    (nb05.check_count_steps, lambda count, size: count / size, "There is no 0.3 of a step"),
    (nb05.check_count_steps, lambda count, size: count // size + 1, "comes out even"),
    (nb05.check_count_steps, lambda count, size: count, "a batch size of 1"),
    (nb05.check_count_steps, lambda count, size: math.ceil(size / count), "You counted 1 steps"),
    (nb05.check_count_steps, lambda count, size: f"{count / size}", "gave a str, expected one number"),
    (nb05.check_count_steps, lambda count, size: True, "gave a bool, expected one number"),
    (nb05.check_find_stop, lambda losses, patience: find_stop(losses, patience)[::-1], "wrong way round"),
    (nb05.check_find_stop, lambda losses, patience: tuple(e - 1 for e in find_stop(losses, patience)), "from 0"),
    (nb05.check_find_stop, lambda losses, patience: (find_stop(losses, patience)[0], 2), "counts from 0"),
    (nb05.check_find_stop, lambda losses, patience: find_stop(losses, patience - 1), "one epoch early"),
    (nb05.check_find_stop, lambda losses, patience: find_stop(losses, 1), "at the first epoch that is no better"),
    (nb05.check_find_stop, wait_too_long, "one epoch too long"),
    (nb05.check_find_stop, best_of_all, "training never got there"),
    (nb05.check_find_stop, compare_with_the_one_before, "Compare each epoch with the best so far"),
    (nb05.check_find_stop, never_start_anew, "a new best starts the waiting anew"),
    (nb05.check_find_stop, as_good_is_better, "as good is not better"),
    (nb05.check_find_stop, lambda losses, patience: find_stop(losses, patience)[1], "Return two numbers"),
    (nb05.check_find_stop, lambda losses, patience: (6, min(losses)), "whole numbers, not losses"),
]
