"""Each check of notebook 01 both ways: the solution, other right answers, and the usual mistakes."""

import cv2
import numpy as np
from PIL import Image

from helpers import images
from helpers.checks import nb01

MEAN, DEVIATION = np.float32(images.IMAGENET_MEAN), np.float32(images.IMAGENET_DEVIATION)


def crop(image, left, top, width, height):
    return image[top : top + height, left : left + width]


def brighten(image, amount):
    return np.clip(image.astype(np.int16) + amount, 0, 255).astype(np.uint8)


def read_rgb(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def to_luminosity(image):
    return np.rint((image * np.array([0.299, 0.587, 0.114])).sum(axis=2)).astype(np.uint8)


def pad_to_square(image):
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def scale_torch(image):
    return (image.astype(np.float32) / 255 - MEAN) / DEVIATION


def make_batch(pictures, side):
    return np.stack([images.resize(picture, side, mode="pad") for picture in pictures])


SOLUTIONS = {
    nb01.check_crop: crop,
    nb01.check_brighten: brighten,
    nb01.check_read_rgb: read_rgb,
    nb01.check_luminosity: to_luminosity,
    nb01.check_pad_to_square: pad_to_square,
    nb01.check_scale_torch: scale_torch,
    nb01.check_make_batch: make_batch,
}


def darken_only_upwards(image, amount):
    return np.minimum(image.astype(np.int16) + amount, 255).astype(np.uint8)


def brighten_in_place(image, amount):
    image[:] = brighten(image, amount)
    return image


def multiply_in_uint8(image):
    return (image * np.array([0.299, 0.587, 0.114])).astype(np.uint8).sum(axis=2).astype(np.uint8)


def pad_in_the_corner(image):
    side = max(image.shape[:2])
    return np.pad(image, ((0, side - image.shape[0]), (0, side - image.shape[1]), (0, 0)))


def pad_with(value):
    def pad(image):
        black = pad_to_square(image)
        black[(black == 0).all(axis=2)] = value
        return black

    return pad


def pad_with_the_spare_first(image):
    return pad_to_square(image[::-1, ::-1])[::-1, ::-1]


def pad_at_the_end(image):
    return pad_in_the_corner(image[::-1, ::-1])[::-1, ::-1]


def pad_only_height(image):
    gap = (image.shape[1] - image.shape[0]) // 2
    return np.pad(image, ((gap, gap), (0, 0), (0, 0))) if gap > 0 else image


def standardise_by_the_picture(image):
    values = image / 255
    return (values - values.mean(axis=(0, 1))) / values.std(axis=(0, 1))


def batch_of(mode):
    return lambda pictures, side: np.stack([images.resize(p, side, mode=mode) for p in pictures])


OTHER_RIGHT_ANSWERS = [(nb01.check_pad_to_square, pad_with_the_spare_first)]  # the spare row may go to either side

MISTAKES = [
    (nb01.check_crop, lambda i, left, top, w, h: i[left : left + w, top : top + h], "axes are exchanged"),
    (nb01.check_crop, lambda i, left, top, w, h: i[top:h, left:w], "its end is top + height, not height"),
    (nb01.check_crop, lambda i, left, top, w, h: i[top : top + h + 1, left : left + w + 1], "too many"),
    (nb01.check_crop, lambda i, left, top, w, h: i[:h, :w], "the place is not"),
    (
        nb01.check_crop,
        lambda i, left, top, w, h: i[top : top + h, left : left + w, 0],
        "shape (5, 4), expected",
    ),
    (nb01.check_brighten, lambda i, amount: i + np.int64(amount).astype(np.uint8), "200 + 100 became 44"),
    (nb01.check_brighten, lambda i, amount: (i.astype(int) + amount).astype(np.uint8), "200 + 100 became 44"),
    (nb01.check_brighten, darken_only_upwards, "0 + -150 became 106"),
    (nb01.check_brighten, lambda i, amount: np.clip(i.astype(int) + amount, 0, 255), "dtype int64"),
    (nb01.check_brighten, lambda i, amount: i + amount, "200 + 100 became 44"),
    (nb01.check_brighten, lambda i, amount: np.maximum(i, 100), "you have 100, expected 200"),
    (nb01.check_brighten, brighten_in_place, "changes the picture it is given"),
    (nb01.check_read_rgb, lambda path: cv2.imread(str(path)), "blue, green, red"),
    (nb01.check_read_rgb, lambda path: cv2.imread(str(path))[::-1], "stands on its head"),
    (nb01.check_read_rgb, lambda path: cv2.imread(str(path))[:, ::-1], "is mirrored"),
    (nb01.check_read_rgb, lambda path: cv2.imread(str(path))[::-1, ::-1, ::-1], "All three axes"),
    (nb01.check_read_rgb, lambda path: cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), "This is grey"),
    (nb01.check_read_rgb, lambda path: read_rgb(path) / 255, "dtype float64, expected uint8"),
    (nb01.check_read_rgb, lambda path: np.asarray(Image.open(path).resize((4, 6))), "has shape (6, 4, 3)"),
    (nb01.check_luminosity, images.to_grey_mean, "This is the plain mean"),
    (nb01.check_luminosity, lambda i: images.to_grey_luminosity(i[..., ::-1]), "order blue, green, red"),
    (nb01.check_luminosity, images.to_grey_mean_3d, "Still three values a pixel"),
    (nb01.check_luminosity, lambda i: i @ np.array([0.299, 0.587, 0.114]), "dtype float64, expected uint8"),
    (nb01.check_luminosity, multiply_in_uint8, "expected"),
    (nb01.check_pad_to_square, pad_in_the_corner, "sits in a corner"),
    (nb01.check_pad_to_square, lambda i: images.resize(i, max(i.shape)), "stretched to a square"),
    (nb01.check_pad_to_square, lambda i: images.resize(i, 4, mode="crop"), "Pad up to the longer one"),
    (nb01.check_pad_to_square, pad_with(255), "hold values up to 255, expected black"),
    (nb01.check_pad_to_square, pad_at_the_end, "hold values up to"),
    (nb01.check_pad_to_square, pad_only_height, "shape (8, 9, 3), expected (9, 9, 3)"),
    (nb01.check_scale_torch, lambda i: (i - MEAN) / DEVIATION, "divide the picture by 255 first"),
    (nb01.check_scale_torch, lambda i: i / 255, "This is mode 'unit'"),
    (nb01.check_scale_torch, lambda i: i / 255 - MEAN, "the spread is not"),
    (nb01.check_scale_torch, lambda i: i / 255 - MEAN / DEVIATION, "Set brackets"),
    (nb01.check_scale_torch, lambda i: i / 127.5 - 1, "This is mode 'tf'"),
    (nb01.check_scale_torch, standardise_by_the_picture, "picture's own mean"),
    (nb01.check_scale_torch, lambda i: (i / 255 - MEAN[::-1]) / DEVIATION[::-1], "order blue, green, red"),
    (nb01.check_scale_torch, lambda i: (i / 255 - MEAN) / DEVIATION, "the dtype is float64"),
    (nb01.check_scale_torch, lambda i: images.scale(i, mode="caffe"), "you have"),
    (nb01.check_make_batch, lambda p, side: list(make_batch(p, side)), "is a list, expected a NumPy array"),
    (nb01.check_make_batch, lambda p, side: np.concatenate(make_batch(p, side)), "glued below each other"),
    (
        nb01.check_make_batch,
        lambda p, side: make_batch(p, side).transpose(0, 3, 1, 2),
        "Keras expects them last",
    ),
    (nb01.check_make_batch, batch_of("stretch"), "are distorted"),
    (nb01.check_make_batch, batch_of("crop"), "lose their edges"),
    (nb01.check_make_batch, lambda p, side: make_batch(p, side) / 255, "dtype float64, expected uint8"),
    (nb01.check_make_batch, lambda p, side: np.stack(p), "stopped with ValueError"),
]
