"""Pictures as rows of a CSV file: the same values there and back, and no bad row passes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import datasets, images
from tests.conftest import draw_noise

SIGNATURE = (tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((), tf.int64))


def make_split(count: int) -> tf.data.Dataset:
    pictures = [(draw_noise(i, height=20 + i % 7, width=30), i % 3) for i in range(count)]
    return tf.data.Dataset.from_generator(lambda: iter(pictures), output_signature=SIGNATURE)


def test_values_are_those_of_the_small_grey_pictures_and_come_back_exactly(tmp_path: Path) -> None:
    split = make_split(12)
    path = datasets.write_csv(split, tmp_path / "new" / "pets.csv")
    again = datasets.read_csv(path)
    assert again.element_spec == (tf.TensorSpec((70, 70), tf.uint8), tf.TensorSpec((), tf.int64))
    assert int(again.cardinality()) == 12
    for (picture, label), (grey, same_label) in zip(split.as_numpy_iterator(), again.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(grey, images.to_grey_luminosity(images.resize(picture, 70)))
        assert label == same_label


def test_pandas_reads_and_writes_the_same_file(tmp_path: Path) -> None:
    path = datasets.write_csv(make_split(5), tmp_path / "a.csv", image_size=4)
    table = pd.read_csv(path)
    assert list(table.columns) == ["label", *(f"p{i}" for i in range(16))]
    pictures = [
        (grey.ravel().tolist(), int(label))
        for grey, label in datasets.read_csv(path, image_size=4)
        .map(lambda grey, label: (tf.reshape(grey, [-1]), label))
        .as_numpy_iterator()
    ]
    assert [(row[1:].tolist(), row[0]) for row in table.to_numpy()] == pictures
    table.to_csv(tmp_path / "b.csv", index=False)
    assert (tmp_path / "b.csv").read_bytes() == path.read_bytes()
    table.to_csv(tmp_path / "windows.csv", index=False, lineterminator="\r\n")
    windows = datasets.read_csv(tmp_path / "windows.csv", image_size=4)
    assert [(grey.ravel().tolist(), int(label)) for grey, label in windows.as_numpy_iterator()] == pictures


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.binary(min_size=9, max_size=9), st.integers(0, 2**62)), max_size=8))
def test_any_values_and_labels_come_back(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    pictures = [(np.repeat(np.frombuffer(v, np.uint8).reshape(3, 3, 1), 3, axis=2), label) for v, label in rows]
    split = tf.data.Dataset.from_generator(lambda: iter(pictures), output_signature=SIGNATURE)
    path = datasets.write_csv(split, tmp_path_factory.mktemp("csv") / "a.csv", image_size=3)
    found = [(grey.tobytes(), int(label)) for grey, label in datasets.read_csv(path, image_size=3).as_numpy_iterator()]
    assert found == rows


BAD_LINES: dict[str, bytes] = {
    "a value too few": b"1,0,0,0",
    "a value too many": b"1,0,0,0,0,0",
    "nothing between two commas": b"1,0,,0,0",
    "a comma at the end": b"1,0,0,0,0,",
    "too large": b"1,0,0,256,0",
    "negative": b"1,0,0,-1,0",
    "not whole": b"1,0,0,1.5,0",
    "a word": b"cat,0,0,0,0",
    "a blank": b"1,0, 0,0,0",
    "empty": b"",
    "a label of 70 bits": b"1180591620717411303424,0,0,0,0",
    "other bytes": b"1,0,\xff\x00,0,0",
    "a comment": b"# 1,0,0,0,0",
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_bad_line_is_named_before_any_picture_is_given_out(tmp_path: Path, line: bytes, place: int) -> None:
    lines = [b"label,p0,p1,p2,p3", b"0,1,2,3,4", b"1,5,6,7,8", b"0,9,9,9,9"]
    lines[place - 1] = line
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(
        ValueError, match=rf"a\.csv', whose line {place} is not a picture, expected a label and 4 whole numbers"
    ):
        datasets.read_csv(path, image_size=2)


def test_a_file_that_was_cut_off_is_refused_even_within_its_last_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"label,p0,p1,p2,p3\n0,1,2,3,4\n1,5,6,7,255\n")
    whole = path.read_bytes()
    for length in range(len(b"label,p0,p1,p2,p3\n0,1,2,3,4\n") + 1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="line 3 is not a picture"):
            datasets.read_csv(path, image_size=2)


@pytest.mark.parametrize(
    "header",
    [b"", b"0,1,2,3,4", b"label,p0,p1,p2", b"label,p0,p1,p2,p3,p4", b"label;p0,p1;p2;p3", b"label\tp0\tp1\tp2\tp3"],
)
def test_another_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(header + b"\n0,1,2,3,4\n")
    with pytest.raises(
        ValueError, match=r"line 1 is not the header of 2 x 2 pictures, expected 'label,p0,...,p3'\. Set"
    ):
        datasets.read_csv(path, image_size=2)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte-order mark"])
@pytest.mark.parametrize("separator", [b",", b";"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path: Path, mark: bytes, separator: bytes, end: bytes) -> None:
    lines = [b"label,p0,p1,p2,p3", b"0,1,2,3,4", b"1,5,6,7,255"]
    path = tmp_path / "a.csv"
    path.write_bytes(mark + b"".join(line.replace(b",", separator) + end for line in lines))
    found = [(grey.tolist(), int(label)) for grey, label in datasets.read_csv(path, image_size=2).as_numpy_iterator()]
    assert found == [([[1, 2], [3, 4]], 0), ([[5, 6], [7, 255]], 1)]
    path.write_bytes(path.read_bytes() + b"1,5;6;7,8" + end)
    with pytest.raises(ValueError, match="line 4 is not a picture"):
        datasets.read_csv(path, image_size=2)


def test_a_file_without_line_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"label,p0,p1,p2,p3\n" + b"1," * 1_000_000)
    with pytest.raises(ValueError, match="line 2"):
        datasets.read_csv(path, image_size=2)


def test_a_row_that_is_damaged_later_stops_the_reading(tmp_path: Path) -> None:
    path = datasets.write_csv(make_split(9), tmp_path / "a.csv", image_size=2)
    pictures = datasets.read_csv(path, image_size=2)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], b"1,2,3\n", *lines[6:]]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="line 6 is not a picture"):
        list(pictures)


def test_a_run_that_stops_leaves_the_old_file(tmp_path: Path) -> None:
    path = datasets.write_csv(make_split(3), tmp_path / "a.csv", image_size=2)
    before = path.read_bytes()

    def stop() -> None:
        yield draw_noise(1), 0
        raise RuntimeError("no more")

    broken = tf.data.Dataset.from_generator(stop, output_signature=SIGNATURE)
    with pytest.raises(tf.errors.OpError, match="no more"):
        datasets.write_csv(broken, path, image_size=2)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_both_ways_are_streamed(tmp_path: Path) -> None:
    """Rows are on their way before the last picture is drawn, and read before the last row is."""
    drawn, sizes = [], []
    folder = tmp_path / "csv"

    def draw():
        for number in range(2_000):
            drawn.append(number)
            if number == 1_999:
                sizes.extend(file.stat().st_size for file in folder.rglob("*.csv"))
            yield np.full((16, 16, 3), number % 256, np.uint8), number

    split = tf.data.Dataset.from_generator(draw, output_signature=SIGNATURE)
    path = datasets.write_csv(split, folder / "a.csv", image_size=16)
    assert sizes and sizes[0] > 0.9 * path.stat().st_size
    read = []
    pictures = datasets.read_csv(path, image_size=16)
    original: Callable = np.loadtxt
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "loadtxt", lambda *args, **options: read.append(1) or original(*args, **options))
        next(iter(pictures))
    assert len(read) < 100
