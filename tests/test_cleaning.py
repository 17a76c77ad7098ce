"""helpers.cleaning: what would stop a training run is found before, and nothing stops the search itself."""

import hashlib
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import cleaning
from tests.conftest import draw_noise


def save(path: Path, *, mode: str = "RGB", **options: object) -> Path:
    Image.fromarray(draw_noise(0, height=40, width=50)).convert(mode).save(path, **options)
    return path


def test_a_good_file_has_no_problem_and_the_digest_of_its_content(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    report = cleaning.inspect_file(path)
    assert report == (hashlib.sha256(path.read_bytes()).hexdigest(), "", True)
    assert cleaning.inspect_file(str(path)) == report


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp"])
def test_a_file_that_is_cut_short_is_found(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}")
    content = path.read_bytes()
    assert cleaning.inspect_file(path).problem == ""
    path.write_bytes(content[: len(content) // 2])
    report = cleaning.inspect_file(path)
    assert report.problem.startswith("not a readable picture (")
    assert not report.plain
    assert report.digest == hashlib.sha256(content[: len(content) // 2]).hexdigest()


def test_empty_files_and_texts_are_found(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_text("<html>not found</html>")
    assert cleaning.inspect_file(tmp_path / "empty.jpg").problem == "the file is empty"
    assert cleaning.inspect_file(tmp_path / "page.jpg").problem.startswith("not a readable picture (unknown format")


def test_the_content_counts_not_the_suffix(tmp_path: Path) -> None:
    png = save(tmp_path / "a.png")
    renamed = tmp_path / "b.jpg"
    renamed.write_bytes(png.read_bytes())
    assert cleaning.inspect_file(renamed) == cleaning.inspect_file(png)
    assert cleaning.inspect_file(renamed).plain


@pytest.mark.parametrize(
    ("name", "mode", "plain"),
    [
        ("a.jpg", "RGB", True),
        ("a.jpg", "L", True),
        ("a.jpg", "CMYK", False),
        ("a.png", "RGB", True),
        ("a.png", "L", True),
        ("a.png", "P", False),
        ("a.png", "RGBA", False),
        ("a.png", "1", False),
        ("a.gif", "P", False),
        ("a.webp", "RGB", False),
        ("a.bmp", "RGB", False),
        ("a.tif", "RGB", False),
    ],
)
def test_only_what_every_decoder_reads_alike_is_plain(tmp_path: Path, name: str, mode: str, plain: bool) -> None:
    report = cleaning.inspect_file(save(tmp_path / name, mode=mode))
    assert (report.problem, report.plain) == ("", plain)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_not_plain(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[cleaning.EXIF_ORIENTATION] = orientation
    assert cleaning.inspect_file(save(tmp_path / "a.jpg", exif=exif)).plain is (orientation == 1)


BAD_EXIF = {
    "no TIFF header": b"Exif\0\0no TIFF header at all",
    "cut off": b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0",
    "a count beyond the end": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + struct.pack(">HHI", 0x0112, 3, 1),
    "an offset beyond the end": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "empty": b"Exif\0\0",
}


@pytest.mark.parametrize("exif", BAD_EXIF.values(), ids=BAD_EXIF)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_damaged_metadata_is_no_problem(tmp_path: Path, exif: bytes, suffix: str) -> None:
    report = cleaning.inspect_file(save(tmp_path / f"a.{suffix}", exif=exif))
    assert report.problem == ""


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cleaning.inspect_file(tmp_path / "a.jpg")


def test_many_files_keep_their_order_and_leave_warnings_alone(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{number}.png", pnginfo=None) for number in range(30)]
    for number, path in enumerate(paths):
        if number % 3 == 0:
            path.write_bytes(bytes([number]))
        elif number % 3 == 1:
            Image.fromarray(draw_noise(number)).save(path)
    before = list(warnings.filters)
    reports = cleaning.inspect_files([*paths, *reversed(paths)])
    assert reports == [cleaning.inspect_file(path) for path in [*paths, *reversed(paths)]]
    assert [bool(report.problem) for report in reports[:30]] == [number % 3 == 0 for number in range(30)]
    assert warnings.filters == before
    assert cleaning.inspect_files([]) == []


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["jpg", "png", "gif", "webp", "bmp", "tif"]), st.data())
def test_whatever_is_damaged_is_reported_and_never_raised(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = save(tmp_path / f"a.{suffix}", **({"exif": Image.Exif()} if suffix == "jpg" else {}))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    report = cleaning.inspect_file(path)
    assert report.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    if not report.problem:
        assert np.asarray(Image.open(path)).size > 0
