"""Augmentation: what each transform does, the same pictures from the same seed, and validation pictures left alone."""

import itertools
import warnings
from collections import Counter
from collections.abc import Callable

import albumentations as A  # noqa: N812 - everybody calls it A
import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import augmentation, datasets
from tests.lesson_cells import run_cells

SIZE = 24
PICTURE = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
NOISY = A.Compose([A.HorizontalFlip(p=0.5), A.Rotate(limit=40, p=0.8), A.GaussNoise(p=0.5), A.ColorJitter(p=1)])
TRANSFORMS = augmentation.spatial_transforms(SIZE) | augmentation.pixel_transforms()


def make_batches(count: int = 10, batch_size: int = 4) -> tf.data.Dataset:
    pictures = np.random.default_rng(1).integers(0, 256, (count, SIZE, SIZE, 3)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((pictures, np.arange(count))).batch(batch_size)


def as_array(batches: tf.data.Dataset) -> np.ndarray:
    return np.concatenate([pictures for pictures, _ in batches.as_numpy_iterator()])


@pytest.fixture
def data(make_folder) -> datasets.ImageDataset:
    return datasets.load(make_folder({"cat": 12, "dog": 12}), num_train=16, num_validation=4, num_test=4)


# --- every transform of the notes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_of_the_lesson_changes_the_picture_without_a_warning(name: str) -> None:
    # Warnings are errors here. A turn by 90 degrees may be none: of several, one is another picture.
    copies = augmentation.preview(PICTURE, TRANSFORMS[name], count=8)
    assert all(copy.dtype == np.uint8 and copy.ndim == 3 for copy in copies)
    assert any(copy.shape != PICTURE.shape or (copy != PICTURE).any() for copy in copies)


def test_the_notes_transforms_are_all_there() -> None:
    notes = (
        "HorizontalFlip VerticalFlip Rotate RandomRotate90 Affine Crop CenterCrop RandomResizedCrop Resize "
        "CoarseDropout RandomBrightnessContrast HueSaturationValue ColorJitter ChannelShuffle GaussNoise CLAHE Blur"
    )
    assert set(notes.split()) == set(TRANSFORMS)


def test_the_lesson_shows_the_same_transforms() -> None:
    lesson = run_cells("10")
    for shown, ours in (("spatial", augmentation.spatial_transforms(300)), ("pixel", augmentation.pixel_transforms())):
        described = {type(transform).__name__: augmentation.describe(transform) for transform in lesson[shown]}
        assert described == {name: augmentation.describe(transform) for name, transform in ours.items()}


@pytest.mark.parametrize("name", augmentation.pixel_transforms())
def test_a_pixel_transform_leaves_every_pixel_in_its_place(name: str) -> None:
    """A dark and a bright half stay where they are (a blur mixes only what touches)."""
    halves = np.full((SIZE, SIZE, 3), 60, np.uint8)
    halves[:, SIZE // 2 :] = 190
    for copy in augmentation.preview(halves, TRANSFORMS[name], count=5):
        assert copy[:, :6].mean() < copy[:, -6:].mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: A.GaussNoise(var_limit=(400, 900)), "var_limit"),
        (lambda: A.CoarseDropout(max_holes=100, max_height=10, max_width=10), "max_holes"),
        (lambda: A.ShiftScaleRotate(shift_limit=0.5), "Affine"),
        (lambda: A.Blur(blur_limit=(3, 12)), "odd"),
        (lambda: A.Rotate(limit=20, value=0), "value"),
    ],
)
def test_an_argument_of_old_is_a_warning_that_fails(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UserWarning, match=message):
        make()


@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: A.Compose([A.OneOf([t, A.CLAHE()], p=1)])])
def test_an_ignored_argument_is_refused_even_where_warnings_are_not_seen(wrap: Callable) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = wrap(A.GaussNoise(var_limit=(400, 900)))
    with pytest.raises(ValueError, match=r"var_limit.*GaussNoise"):
        augmentation.with_albumentations(pipeline)


@pytest.mark.parametrize(
    "make", [lambda: A.RandomResizedCrop(height=250, width=250), lambda: A.Blur(blur_limit=(0.3, 0.5))]
)
def test_what_this_version_no_longer_takes_is_an_error(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        make()


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (A.HorizontalFlip(p=0.3), ""),
        (A.Rotate(limit=30, border_mode=cv2.BORDER_WRAP), "limit=(-30, 30), border_mode=WRAP"),
        (A.Resize(height=5, width=7, p=1), "height=5, width=7"),
        (A.GaussNoise(std_range=(0.1, 0.25)), "std_range=(0.1, 0.25)"),
        (A.RandomResizedCrop(size=(8, 8)), "size=(8, 8)"),
    ],
)
def test_a_description_names_what_is_not_the_default(transform: A.BasicTransform, expected: str) -> None:
    assert augmentation.describe(transform) == expected


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_description_makes_the_same_transform_again(name: str) -> None:
    known = {border: number for number, border in augmentation.BORDERS.items()}
    arguments = eval(f"dict({augmentation.describe(TRANSFORMS[name])})", known)
    assert augmentation.describe(type(TRANSFORMS[name])(**arguments)) == augmentation.describe(TRANSFORMS[name])


# --- seeds -------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_pictures_whatever_the_number_of_workers() -> None:
    runs = [augmentation.augment_batches(make_batches(), NOISY, seed=3, workers=n) for n in (1, 2, 8)]
    first, second = ([as_array(run) for run in runs] for _ in range(2))
    for epoch in (first, second):
        for other in epoch[1:]:
            np.testing.assert_array_equal(epoch[0], other)
    assert (first[0] != second[0]).any(axis=(1, 2, 3)).all()  # every picture, anew every epoch


def test_another_seed_gives_other_pictures() -> None:
    runs = [as_array(augmentation.augment_batches(make_batches(), NOISY, seed=seed)) for seed in (3, 4)]
    assert (runs[0] != runs[1]).any(axis=(1, 2, 3)).all()


def test_two_equal_pictures_are_changed_differently() -> None:
    same = tf.data.Dataset.from_tensors((np.repeat(PICTURE[np.newaxis], 6, axis=0).astype("float32"), range(6)))
    changed = as_array(augmentation.augment_batches(same, NOISY))
    assert len({picture.tobytes() for picture in changed}) == 6


def count_flips(changed: list[np.ndarray]) -> Counter:
    """Count the pictures by what happened to rows and columns: -1 is turned round."""
    kinds = {PICTURE[::v, ::h].tobytes(): (v, h) for v, h in itertools.product((1, -1), repeat=2)}
    return Counter(kinds[picture.tobytes()] for picture in changed)


def test_the_transforms_of_a_pipeline_draw_independently() -> None:
    flips = [A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]
    ours = count_flips(augmentation.preview(PICTURE, A.Compose(flips), count=400))
    assert min(ours[kind] for kind in itertools.product((1, -1), repeat=2)) > 60
    # What `with_albumentations` is there to avoid: one seed for all, so both flips or none.
    together = A.Compose(flips, seed=0)
    theirs = count_flips([together(image=PICTURE)["image"] for _ in range(400)])
    assert set(theirs) == {(1, 1), (-1, -1)}


def test_the_pipeline_that_was_given_is_not_changed() -> None:
    pipeline = A.Compose([A.HorizontalFlip(p=0.5)])
    state = pipeline.py_random.getstate()
    augmentation.preview(PICTURE, pipeline)
    assert pipeline.py_random.getstate() == state


def test_layers_of_one_seed_are_repeatable_and_draw_independently() -> None:
    layers = [augmentation.build_layers(seed=5) for _ in range(2)]
    first, second = (as_array(augmentation.augment_batches(make_batches(), each)) for each in layers)
    np.testing.assert_array_equal(first, second)
    named = {layer.name: layer for layer in layers[0].layers}
    many = np.zeros((300, 4, 4, 3), "float32")
    turns = np.asarray(named["rotation"].get_random_transformation(many)["angle"])
    zooms = np.asarray(named["zoom"].get_random_transformation(many)["width_zoom"]).ravel()
    assert abs(np.corrcoef(turns, zooms)[0, 1]) < 0.2


# --- layers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", augmentation.STRENGTHS)
def test_layers_change_in_training_only_and_stay_in_range(strength: str) -> None:
    layers, pictures = augmentation.build_layers(strength), as_array(make_batches())
    changed = np.asarray(layers(pictures, training=True))
    assert changed.shape == pictures.shape and changed.dtype == np.float32
    assert changed.min() >= 0 and changed.max() <= 255
    assert np.abs(changed - pictures).mean() > 1
    np.testing.assert_array_equal(layers(pictures, training=False), pictures)
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), layers])
    np.testing.assert_array_equal(model.predict(pictures, verbose=0), pictures)


def test_stronger_changes_more() -> None:
    smooth = np.asarray(tf.image.resize(as_array(make_batches(32, 32))[:, ::8, ::8], (SIZE, SIZE), "bicubic")).clip(
        0, 255
    )
    amounts = []
    for strength in ("light", "medium", "strong"):
        unflipped = augmentation.build_layers(strength).layers[1:]  # a mirror image would drown the rest
        amounts.append(np.abs(np.asarray(keras.Sequential(unflipped)(smooth, training=True)) - smooth).mean())
    assert amounts == sorted(amounts)


def test_an_unknown_strength_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'heroic'.*light, medium, strong"):
        augmentation.build_layers("heroic")


# --- inside tf.data, on the training split only ------------------------------------------------------------------


@pytest.mark.parametrize(
    "augment",
    [NOISY, augmentation.build_layers("strong"), lambda picture, seed: 255 - picture],
    ids=["albumentations", "layers", "function"],
)
def test_only_the_training_pictures_change(data: datasets.ImageDataset, augment: augmentation.Augmentation) -> None:
    plain = augmentation.training_batches(data, image_size=SIZE, batch_size=6)
    changed = augmentation.training_batches(data, image_size=SIZE, augment=augment, batch_size=6)
    np.testing.assert_array_equal(as_array(plain.validation), as_array(changed.validation))
    before, after = ([*split.train.as_numpy_iterator()] for split in (plain, changed))
    for (pictures, labels), (new_pictures, new_labels) in zip(before, after, strict=True):
        assert (pictures != new_pictures).any(axis=(1, 2, 3)).mean() > 0.5
        np.testing.assert_array_equal(labels, new_labels)  # the label of a changed picture is that of the picture
    assert changed.train.element_spec == plain.train.element_spec
    assert changed.train.element_spec[0].shape[1:] == (SIZE, SIZE, 3)
    assert int(changed.train.cardinality()) == int(plain.train.cardinality()) == 3


def test_nothing_changes_where_nothing_is_asked_for(data: datasets.ImageDataset) -> None:
    train = augmentation.training_batches(data, image_size=SIZE).train
    expected = datasets.batches(data.train, image_size=SIZE, shuffle=True)
    np.testing.assert_array_equal(as_array(train), as_array(expected))


def test_a_single_split_is_refused(data: datasets.ImageDataset) -> None:
    with pytest.raises(ValueError, match=r"expected a data set with its splits.*datasets\.load"):
        augmentation.training_batches(data.validation, image_size=SIZE, augment=NOISY)


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        (A.CenterCrop(height=8, width=8, p=1), r"\(8, 8, 3\).*\(24, 24, 3\).*A\.Resize"),
        (A.Compose([A.HorizontalFlip(), A.Normalize()]), "float32.*uint8.*scaling to the network"),
    ],
)
def test_a_picture_of_another_size_or_type_is_refused_before_the_first_epoch(pipeline: A.Compose, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        augmentation.augment_batches(make_batches(), pipeline)


def test_a_crop_that_comes_only_sometimes_is_named_when_it_comes() -> None:
    crop = A.CenterCrop(height=8, width=8, p=0.5)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"End a crop with A\.Resize"):
        as_array(augmentation.augment_batches(make_batches(), crop, seed=1).repeat(20))


# --- a look beforehand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("augment", [NOISY, augmentation.build_layers("strong"), A.Crop(0, 0, 8, 16)])
def test_a_preview_is_pictures_that_differ(augment: augmentation.Augmentation) -> None:
    copies = augmentation.preview(PICTURE, augment, count=3)
    assert [copy.dtype for copy in copies] == [np.uint8] * 3
    fixed = isinstance(augment, A.Crop)
    assert (copies[0].tobytes() == copies[1].tobytes()) == fixed
    assert copies[0].shape == ((16, 8, 3) if fixed else PICTURE.shape)


def test_a_preview_is_repeatable() -> None:
    once, again, other = (augmentation.preview(PICTURE, NOISY, count=2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once[0] != other[0]).any()
