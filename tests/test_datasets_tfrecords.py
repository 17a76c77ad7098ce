"""Pictures in TFRecord shards: all of them back, in order, or one line that says what is damaged."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from helpers import datasets
from tests.conftest import draw_noise

SIGNATURE = (tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.int64))


def draw(count: int) -> list[tuple[np.ndarray, int]]:
    return [(draw_noise(i, height=10 + i % 5, width=12), i % 3) for i in range(count)]


def make_split(count: int) -> tf.data.Dataset:
    return tf.data.Dataset.from_generator(lambda: iter(draw(count)), output_signature=SIGNATURE)


@pytest.mark.parametrize(("count", "shards"), [(10, 4), (8, 4), (3, 1), (2, 5), (0, 2)])
def test_every_pixel_and_label_comes_back_in_order(tmp_path: Path, count: int, shards: int) -> None:
    files = datasets.write_tfrecords(make_split(count), tmp_path / "new", shards=shards)
    assert [file.name for file in files] == [f"train-{i:05}-of-{shards:05}.tfrecord" for i in range(shards)]
    assert sorted((tmp_path / "new").iterdir()) == files
    pictures = datasets.read_tfrecords(list(reversed(files)))
    assert pictures.element_spec == SIGNATURE
    assert int(pictures.cardinality()) == count
    for (picture, label), (expected, same_label) in zip(pictures.as_numpy_iterator(), draw(count), strict=True):
        np.testing.assert_array_equal(picture, expected)
        assert label == same_label


def test_jpeg_is_smaller_and_close(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:200, 0:160]
    picture = np.stack([rows, columns, (rows + columns) // 2], axis=2).astype(np.uint8)
    picture = picture + np.random.default_rng(0).integers(0, 6, picture.shape, dtype=np.uint8)
    split = tf.data.Dataset.from_tensors((picture, np.int64(1)))
    sizes = {}
    for quality in (None, 95, 60):
        (file,) = datasets.write_tfrecords(split, tmp_path, shards=1, name=f"q{quality}", quality=quality)
        sizes[quality] = file.stat().st_size
        ((found, label),) = datasets.read_tfrecords([file]).as_numpy_iterator()
        assert label == 1
        assert np.abs(found.astype(int) - picture).mean() <= (0 if quality is None else 4)
    assert sizes[60] < sizes[95] < sizes[None] / 2


def test_splits_share_a_folder_and_class_names_stand_beside(tmp_path: Path) -> None:
    names = ("고양이", "dog")
    for name, count in (("train", 5), ("test", 3)):
        datasets.write_tfrecords(make_split(count), tmp_path, shards=2, name=name, class_names=names)
    assert json.loads((tmp_path / "class_names.json").read_text(encoding="utf-8")) == list(names)
    assert int(datasets.read_tfrecords(sorted(tmp_path.glob("test-*.tfrecord"))).cardinality()) == 3


def test_labels_keep_the_names_they_have(tmp_path: Path) -> None:
    datasets.write_tfrecords(make_split(3), tmp_path, shards=1, name="train", class_names=("cat", "dog"))
    with pytest.raises(ValueError, match=r"class_names=\['sun', 'rain'\], expected \['cat', 'dog'\] as in "):
        datasets.write_tfrecords(make_split(3), tmp_path, shards=1, name="test", class_names=("sun", "rain"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class_names.json", "train-00000-of-00001.tfrecord"]


def test_batches_take_them(tmp_path: Path) -> None:
    files = datasets.write_tfrecords(make_split(7), tmp_path)
    batches = list(datasets.batches(datasets.read_tfrecords(files), image_size=8, batch_size=4))
    assert [pictures.shape for pictures, _ in batches] == [(4, 8, 8, 3), (3, 8, 8, 3)]


def test_shards_that_are_there_are_not_mixed_with_new_ones(tmp_path: Path) -> None:
    files = datasets.write_tfrecords(make_split(5), tmp_path, shards=4)
    before = [file.read_bytes() for file in files]
    with pytest.raises(ValueError, match=r"with 'train-00000-of-00004\.tfrecord', expected none of it\. Take another"):
        datasets.write_tfrecords(make_split(9), tmp_path, shards=2)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shards": 0}, "Received shards=0, expected 1 to 99,999"),
        ({"quality": 101}, "Received quality=101, expected 1 to 100, or None"),
        ({"name": "../train"}, "Received name='../train', expected the beginning of a file name"),
        ({"name": ""}, "Received name='', expected"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        datasets.write_tfrecords(make_split(1), tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_stops_leaves_nothing(tmp_path: Path) -> None:
    def stop():
        yield from draw(9)
        raise RuntimeError("no more")

    broken = tf.data.Dataset.from_generator(stop, output_signature=SIGNATURE)
    with pytest.raises(tf.errors.OpError, match="no more"):
        datasets.write_tfrecords(broken, tmp_path, class_names=["a"])
    assert list(tmp_path.iterdir()) == []


# --- Damage -------------------------------------------------------------------------------------------------


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    files = datasets.write_tfrecords(make_split(9), tmp_path)
    with pytest.raises(
        ValueError, match=r"Received 3 shards.*expected 4.*'train-00002-of-00004\.tfrecord' is not among"
    ):
        datasets.read_tfrecords([files[0], files[1], files[3]])
    with pytest.raises(ValueError, match="Received 5 shards of 'train', expected 4, each once"):
        datasets.read_tfrecords([*files, files[0]])


def test_a_file_that_is_not_there_is_missing_and_not_damaged(tmp_path: Path) -> None:
    files = datasets.write_tfrecords(make_split(4), tmp_path, shards=2)
    files[1].unlink()
    with pytest.raises(FileNotFoundError, match=r"train-00001-of-00002\.tfrecord: there is no such file"):
        datasets.read_tfrecords(files)


def test_class_names_that_are_not_unicode_come_back(tmp_path: Path) -> None:
    names = ["caf\udce9", "고양이"]  # as Python names a folder that an archive in another encoding left
    datasets.write_tfrecords(make_split(2), tmp_path, shards=1, class_names=names)
    assert json.loads((tmp_path / "class_names.json").read_text(encoding="utf-8")) == names


def test_other_files_and_mixed_splits_are_refused(tmp_path: Path) -> None:
    train = datasets.write_tfrecords(make_split(4), tmp_path, shards=2)
    test = datasets.write_tfrecords(make_split(4), tmp_path, shards=2, name="test")
    for files in ([], [*train, *test], [tmp_path / "a.txt"]):
        with pytest.raises(ValueError, match="expected the shards of one split"):
            datasets.read_tfrecords(files)


def test_a_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    (file,) = datasets.write_tfrecords(make_split(2), tmp_path, shards=1)
    whole = file.read_bytes()
    first = 16 + int.from_bytes(whole[:8], "little")
    for length in [*range(1, 20), *range(first - 20, first), *range(first + 1, first + 20), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"train-00000-of-00001\.tfrecord, record [01]: damaged"):
            datasets.read_tfrecords([file])


def test_a_shard_cut_between_two_records_is_noticed(tmp_path: Path) -> None:
    files = datasets.write_tfrecords(make_split(9), tmp_path, shards=2)
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: 16 + int.from_bytes(whole[:8], "little")])
    with pytest.raises(ValueError, match=r"Received shards of \[1, 4\] records, expected \[3, 2\]: one of them lost"):
        datasets.read_tfrecords(files)


def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    (file,) = datasets.write_tfrecords(make_split(2), tmp_path, shards=1)
    whole = file.read_bytes()
    for place in np.linspace(0, len(whole) - 1, 40).astype(int):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        file.write_bytes(changed)
        with pytest.raises(ValueError, match=r"tfrecord, record [01]: damaged"):
            datasets.read_tfrecords([file])


def write_records(path: Path, records: list[dict[str, tf.train.Feature]]) -> Path:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for features in records:
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return path


def feature(value: bytes | int) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


GOOD = tf.io.encode_jpeg(draw_noise(0)).numpy()


@pytest.mark.parametrize(
    "features",
    [
        {"picture": feature(GOOD[: len(GOOD) // 2]), "label": feature(1)},
        {"picture": feature(b""), "label": feature(1)},
        {"picture": feature(b"GIF89a"), "label": feature(1)},
        {"image": feature(GOOD), "label": feature(1)},
        {"picture": feature(GOOD)},
        {"picture": feature(GOOD), "label": feature(b"cat")},
    ],
    ids=["half a JPEG", "nothing", "another format", "another name", "no label", "a word for a label"],
)
def test_a_record_that_is_no_picture_with_a_label_is_named(tmp_path: Path, features: dict) -> None:
    good = {"picture": feature(GOOD), "label": feature(1)}
    path = write_records(tmp_path / "train-00000-of-00001.tfrecord", [good, good, features, good])
    with pytest.raises(ValueError, match=r"train-00000-of-00001\.tfrecord, record 2: damaged"):
        datasets.read_tfrecords([path])


def test_a_picture_damaged_within_stops_the_reading(tmp_path: Path) -> None:
    broken = GOOD[:20] + b"\xff\xc0" + bytes(30) + GOOD[-2:]
    records = [{"picture": feature(content), "label": feature(1)} for content in (GOOD, GOOD, broken, GOOD)]
    path = write_records(tmp_path / "train-00000-of-00001.tfrecord", records)
    pictures = datasets.read_tfrecords([path]).as_numpy_iterator()
    next(pictures), next(pictures)
    with pytest.raises(tf.errors.InvalidArgumentError, match="JPEG"):
        next(pictures)
