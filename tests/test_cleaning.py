"""helpers.cleaning: what would stop a training run is found before, and nothing stops the search itself."""

import contextlib
import errno
import hashlib
import itertools
import os
import shutil
import socket
import struct
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
import pandas
import pytest
import skimage.data
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from helpers import cleaning, datasets, images
from helpers.cleaning import _inspection
from tests import damaged_files
from tests.conftest import draw_noise
from tests.damaged_files import DAMAGE, HARMLESS, photo


def save(path: Path, *, mode: str = "RGB", **options: object) -> Path:
    Image.fromarray(draw_noise(0, height=40, width=50)).convert(mode).save(path, **options)
    return path


def test_a_good_file_has_no_problem_and_the_digest_of_its_content(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    found = cleaning.inspect_file(path)
    likeness = cleaning.perceptual_hash(images.read(path))
    assert found._replace(likeness=0) == (hashlib.sha256(path.read_bytes()).hexdigest(), "", "", True, 0, ())
    assert (found.likeness ^ likeness).bit_count() <= 2  # from brightness alone, which JPEG keeps apart
    assert cleaning.inspect_file(str(path)) == found
    assert cleaning.inspect_content(path.read_bytes()) == found


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
    assert cleaning.inspect_file(tmp_path / "page.jpg").problem.startswith("not a readable picture (a web page")


def test_the_content_counts_not_the_suffix(tmp_path: Path) -> None:
    png = save(tmp_path / "a.png")
    renamed = tmp_path / "b.jpg"
    renamed.write_bytes(png.read_bytes())
    found = cleaning.inspect_file(renamed)
    assert found._replace(remarks=()) == cleaning.inspect_file(png)
    assert [kind for kind, _ in found.remarks] == ["wrong extension"]
    assert found.plain


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
    exif[ExifTags.Base.Orientation] = orientation
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
        with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:  # Pillow warns of odd marks
            assert np.asarray(picture).size > 0


# --- files that a viewer shows and a network must not learn from -------------------------------------------------


def test_a_png_without_its_end_is_found(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    content = path.read_bytes()
    for missing in range(1, 13):  # Pillow reads the pixels all the same, TensorFlow stops
        path.write_bytes(content[:-missing])
        assert cleaning.inspect_file(path).problem.startswith("not a readable picture (")


def test_a_jpeg_filled_up_with_zeros_is_found_and_one_with_a_film_behind_it_is_not(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", subsampling=0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(9 * len(content)))
    assert images.read(path).shape == (40, 50, 3)
    assert "filled up with zeros" in cleaning.inspect_file(path).problem
    for behind in (bytes(9999), b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 9):
        path.write_bytes(content + behind)
        assert cleaning.inspect_file(path).problem == ""


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_jpeg_that_is_damaged_in_the_middle_is_found(damage: Callable[[bytes], bytes], progressive: bool) -> None:
    whole = photo(progressive=progressive)
    assert len(whole) > 16_000
    assert cleaning.inspect_content(whole).problem == ""
    found = cleaning.inspect_content(damage(whole))
    assert found.kind in ("unreadable", "truncated")
    assert "not a readable picture (" in found.problem


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_jpeg_whose_pixels_are_all_there_is_kept(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = change(photo())
    assert cleaning.inspect_content(content).problem == ""
    (tmp_path / "a.jpg").write_bytes(content)
    (tmp_path / "b.jpg").write_bytes(photo())
    np.testing.assert_array_equal(images.read(tmp_path / "a.jpg"), images.read(tmp_path / "b.jpg"))


def test_a_photo_of_one_color_is_kept_although_most_of_it_is_zeros() -> None:
    with BytesIO() as file:
        Image.new("RGB", (4000, 3000)).save(file, "JPEG", optimize=True)
        content = file.getvalue()
    assert bytes(512) in content
    assert cleaning.inspect_content(content).problem == ""


def test_a_png_with_a_part_whose_name_is_no_text_is_found() -> None:
    with BytesIO() as file:
        damaged_files.draw(0).save(file, "PNG")
        content = file.getvalue()
    found = cleaning.inspect_content(content[:-12] + bytes(4) + b"A\x80\x80\x80" + bytes(4) + content[-12:])
    assert (found.kind, found.plain) == ("unreadable", False)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.sampled_from(["RGB", "L"]),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 127, 255]) | st.integers(0, 255)),
        max_size=3,
    ),
    st.integers(0, 40),
    st.binary(max_size=20),
)
def test_what_is_called_plain_tensorflow_decodes_to_the_same(
    format_: str, mode: str, changes: list[tuple[float, int]], cut: int, junk: bytes
) -> None:
    with BytesIO() as file:
        damaged_files.draw(0, height=24, width=32).convert(mode).save(file, format_)
        content = bytearray(file.getvalue())
    for place, value in changes:
        content[int(place * len(content))] = value
    content = bytes(content[: len(content) - cut]) + junk
    if cleaning.inspect_content(content).plain:
        if format_ == "JPEG":
            decoded = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
        else:
            decoded = tf.io.decode_image(content, channels=3, expand_animations=False)
        np.testing.assert_array_equal(decoded, images.decode(content).pixels)


NAMES = (
    "a.jpg?x=1",
    "a.jpg?w=640&q=75",
    "a.jpg.1",
    "a.JPG@2x",
    "a.jpg!large",
    "a.jpg%3Fx=1",
    "a.png_640x480",
    "a.jpg (1)",
)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("name", [*NAMES, "no_suffix", "a.txt", "a.heic"])
def test_a_picture_is_listed_and_read_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(photo())
    (path,) = cleaning.find_candidates(tmp_path)
    found = cleaning.inspect_file(path)
    assert (path.name, found.problem, [kind for kind, _ in found.remarks]) == (name, "", ["wrong extension"])
    assert all(finding.usable for finding in cleaning.find_problems(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_what_claims_to_be_a_picture_is_named_and_the_rest_passed_over(tmp_path: Path) -> None:
    for name in (*NAMES, "a.svg", "a.psd", "a.dng"):
        (tmp_path / name).write_text("<html>gone</html>")
    claimed = len(list(tmp_path.iterdir()))
    for name in ("no_suffix", "a.jpg.json", "a.jpg.txt", "a.csv", "notes.txt", ".a.jpg"):
        (tmp_path / name).write_text("<html>gone</html>")
    for folder in ("@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX", ".thumbnails", "System Volume Information"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(photo())
    findings = cleaning.find_problems(tmp_path)
    assert len(cleaning.find_candidates(tmp_path)) == len(findings) == claimed
    assert {finding.kind for finding in findings} == {"unreadable"}
    assert images.find_files(tmp_path) == []


# --- a folder with everything in it ------------------------------------------------------------------------------


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, dict[str, set[tuple[str, bool]]]]:
    return tmp_path / "photos", damaged_files.plant(tmp_path / "photos")


def unusable_of(said: dict[str, set[tuple[str, bool]]]) -> set[str]:
    return {file for file, pairs in said.items() if not all(usable for _, usable in pairs)}


def test_everything_planted_is_named_and_nothing_else(planted) -> None:
    folder, expected = planted
    before = sorted(folder.rglob("*"))
    findings = cleaning.find_problems(folder)
    said: dict[str, set[tuple[str, bool]]] = {}
    for finding in findings:
        said.setdefault(finding.file, set()).add((finding.kind, finding.usable))
        assert finding.detail
    assert said == expected
    assert {finding.kind for finding in findings} == set(cleaning.KINDS)
    assert [finding.file for finding in findings] == sorted(finding.file for finding in findings)
    assert sorted(folder.rglob("*")) == before
    assert cleaning.find_problems(str(folder)) == findings


def test_everything_planted_trains_and_the_good_pictures_are_all_used(planted) -> None:
    folder, expected = planted
    listed = {path.relative_to(folder).as_posix() for path in images.find_files(folder)}
    used = listed - unusable_of(expected)
    sizes = {"num_train": len(used) - 8, "num_validation": 4, "num_test": 4}
    data = datasets.load(folder, **sizes)
    assert sum(data.counts.values()) == len(used)
    set_aside = {Path(file).as_posix(): reason for file, reason in data.set_aside}
    assert all(set_aside.values())
    # What no suffix makes a picture (a link to nothing, picture.txt) `load` may name or not; it cannot use it.
    unusable, must = (
        {file.encode(errors="backslashreplace").decode() for file in names}  # as `load` writes what is no Unicode
        for names in (unusable_of(expected), unusable_of(expected) & listed)
    )
    assert must <= set(set_aside) <= unusable
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seen = [len(labels) for _, labels in datasets.batches(data.train, image_size=16, batch_size=8)]
    assert sum(seen) == len(used) - 8
    batches = datasets.batches(data.train, image_size=16, batch_size=8)
    history = model.fit(batches, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_copies_in_split_folders_are_judged_as_when_training(tmp_path: Path) -> None:
    for number, place in enumerate(
        ["train/cat", "train/dog", "validation/cat", "validation/dog", "test/cat", "test/dog"]
    ):
        (tmp_path / place).mkdir(parents=True)
        for seed in range(2):
            damaged_files.draw(10 * number + seed).save(tmp_path / place / f"{seed}.png")
    for source, copy in [
        ("test/cat/0", "train/cat/a"),
        ("validation/dog/0", "train/dog/a"),
        ("validation/dog/1", "test/dog/a"),
        ("train/cat/1", "train/cat/b"),
        ("train/dog/1", "test/cat/x"),  # two classes: one label is wrong
    ]:
        shutil.copy(tmp_path / f"{source}.png", tmp_path / f"{copy}.png")
    unusable = {finding.file for finding in cleaning.find_problems(tmp_path) if not finding.usable}
    assert unusable == {
        *("train/cat/a.png", "train/dog/a.png", "validation/dog/1.png", "train/cat/b.png"),
        *("train/dog/1.png", "test/cat/x.png"),
    }
    assert unusable == {Path(file).as_posix() for file, _ in datasets.load(tmp_path).set_aside}


def test_a_clean_folder_has_no_findings_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    assert cleaning.find_problems(tmp_path) == []
    damaged_files.draw(0).save(tmp_path / "a.jpg")
    assert cleaning.find_problems(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="no such folder"):
        cleaning.find_problems(tmp_path / "nothing")
    with pytest.raises(NotADirectoryError, match="expected a folder"):
        cleaning.find_problems(tmp_path / "a.jpg")
    for distance in (-1, 65):
        with pytest.raises(ValueError, match=f"near_distance={distance}, expected 0 to 64"):
            cleaning.find_problems(tmp_path, near_distance=distance)


@pytest.mark.skipif(os.name == "nt", reason="links need a permission there")
def test_a_class_folder_that_is_a_link_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat").symlink_to(tmp_path / "elsewhere")
    assert [finding.file for finding in cleaning.find_problems(tmp_path / "photos")] == ["cat/a.jpg"]


def test_a_folder_that_cannot_be_opened_is_named_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scandir = tmp_path / "photos", os.scandir

    def refuse(path: Path) -> Iterator[os.DirEntry]:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    (folder / "closed").mkdir(parents=True)
    (folder / "open").mkdir()
    save(folder / "open" / "a.png")
    monkeypatch.setattr(os, "scandir", refuse)
    assert images.find_files(folder) == [folder / "open" / "a.png"]
    findings = cleaning.find_problems(folder)
    assert [(f.file, f.kind, f.usable) for f in findings] == [("closed", "unreadable", False)]
    assert findings[0].detail.startswith("the folder cannot be opened (Permission denied)")
    assert cleaning.set_aside(folder, findings, destination=tmp_path / "aside") == []
    assert (folder / "closed").is_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_decompression_bombs_take_no_memory(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(damaged_files.bomb() + bytes([number]))
    code = (
        "import resource, sys; from helpers import cleaning; peak = lambda: resource.getrusage(0).ru_maxrss; "
        "before = peak(); found = cleaning.find_problems(sys.argv[1]); "
        "print(len(found), {f.kind for f in found}, peak() - before)"
    )
    answer = subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True).stdout
    number, kinds, kilobytes = answer.split()
    assert (number, kinds) == ("8", "{'oversized'}")
    assert int(kilobytes) < 100_000


# --- near duplicates ---------------------------------------------------------------------------------------------


def bits_apart(first: Image.Image, second: Image.Image) -> int:
    hashes = [cleaning.perceptual_hash(np.array(picture.convert("RGB"))) for picture in (first, second)]
    assert None not in hashes
    return (hashes[0] ^ hashes[1]).bit_count()


def test_copies_of_a_photo_are_near_and_other_photos_are_not() -> None:
    photos = [
        Image.fromarray(photo) for photo in (skimage.data.chelsea(), skimage.data.coffee(), skimage.data.rocket())
    ]
    for shown in photos:
        width, height = shown.size
        cut = shown.crop((width // 100, height // 100, width - width // 100, height - height // 100))
        for copy in (shown.resize((90, 70)), shown.convert("L"), cut, shown.point(lambda value: min(255, value + 15))):
            assert bits_apart(shown, copy) <= cleaning.NEAR_DISTANCE
    assert min(bits_apart(a, b) for a, b in itertools.combinations(photos, 2)) > 2 * cleaning.NEAR_DISTANCE


@pytest.mark.parametrize("colour", ["black", "white", "red", (127, 128, 127)])
def test_a_flat_picture_resembles_nothing(colour: str | tuple[int, int, int]) -> None:
    flat = np.array(Image.new("RGB", (64, 48), colour))
    assert cleaning.perceptual_hash(flat) is None
    speckled = np.clip(flat.astype(int) + draw_noise(0, height=48, width=64) % 3 - 1, 0, 255).astype(np.uint8)
    assert cleaning.perceptual_hash(speckled) is None  # as a JPEG leaves it


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.integers(0, 2**64 - 1), max_size=30), st.integers(0, 64), st.integers(1, 40))
def test_near_pairs_are_those_that_a_double_loop_finds(hashes: list[int | None], distance: int, block: int) -> None:
    expected = [
        (i, j, (hashes[i] ^ hashes[j]).bit_count())
        for i, j in itertools.combinations(range(len(hashes)), 2)
        if None not in (hashes[i], hashes[j]) and (hashes[i] ^ hashes[j]).bit_count() <= distance
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_inspection, "BLOCK", block)
        assert sorted(cleaning.near_pairs(hashes, near_distance=distance)) == expected


def test_a_folder_full_of_look_alikes_names_the_nearest_and_the_first(tmp_path: Path) -> None:
    for number in range(6):
        damaged_files.draw(0).resize((100 + 10 * number, 80)).save(tmp_path / f"{number}.png")
    findings = cleaning.find_problems(tmp_path)
    assert [(f.file, f.kind, f.usable) for f in findings] == [(f"{n}.png", "near duplicate", True) for n in range(1, 6)]
    assert all(f.detail.startswith("nearly the same as ") for f in findings)
    assert findings[0].detail.startswith("nearly the same as 0.png")


@pytest.mark.skipif("COURSE_PHOTOS" not in os.environ, reason="COURSE_PHOTOS names no folder with photos")
def test_real_photos_have_the_near_duplicates_that_a_look_confirmed() -> None:
    folder = Path(os.environ["COURSE_PHOTOS"])
    pets = cleaning.find_problems(folder / "cat_dog_small")
    assert [(f.file, f.kind) for f in pets] == [("train/dogs/dog.74.jpg", "near duplicate")]
    skies = Counter(f.kind for f in cleaning.find_problems(folder / "weather"))
    assert skies == {"duplicate": 25, "near duplicate": 94}


# --- manifest and setting aside ----------------------------------------------------------------------------------


def test_the_manifest_opens_in_pandas_whatever_the_files_are_called(planted, tmp_path: Path) -> None:
    folder, _ = planted
    findings = cleaning.find_problems(folder)
    path = tmp_path / "new" / "found.csv"
    cleaning.write_manifest(findings, path)
    table = pandas.read_csv(path, keep_default_na=False)
    assert list(table.columns) == ["file", "kind", "detail", "usable"]
    assert table["usable"].dtype == bool
    as_written = [f._replace(file=f.file.encode("utf-8", "backslashreplace").decode()) for f in findings]
    assert [tuple(row) for row in table.itertuples(index=False)] == [tuple(finding) for finding in as_written]
    cleaning.write_manifest([], path)
    assert path.read_bytes() == b"file,kind,detail,usable\n"
    assert [other.name for other in path.parent.iterdir()] == ["found.csv"]


def test_a_manifest_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    cleaning.write_manifest([cleaning.Finding("a.jpg", "empty", "x", False)], path)
    before = path.read_bytes()

    def broken() -> Iterator[cleaning.Finding]:
        yield cleaning.Finding("b.jpg", "empty", "x", False)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cleaning.write_manifest(broken(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def contents(*folders: Path) -> Counter:
    """Every file and link below some folders, by content; manifests not counted."""
    paths = [p for folder in folders for p in folder.rglob("*") if p.name != cleaning.MANIFEST_NAME]
    return Counter(
        (p.name, str(p.readlink()) if p.is_symlink() else p.read_bytes())
        for p in paths
        if p.is_file() or p.is_symlink()
    )


def test_unusable_files_are_moved_and_no_others(planted, tmp_path: Path) -> None:
    folder, expected = planted
    before = contents(folder)
    findings = cleaning.find_problems(folder)
    moved = cleaning.set_aside(folder, findings, destination=tmp_path / "aside")
    assert {path.relative_to(tmp_path / "aside").as_posix() for path in moved} == unusable_of(expected)
    assert contents(folder, tmp_path / "aside") == before
    assert all(os.path.lexists(path) for path in moved)
    table = pandas.read_csv(tmp_path / "aside" / "manifest.csv")
    assert len(table) == sum(not finding.usable for finding in findings)
    assert not table["usable"].any()
    assert all(finding.usable for finding in cleaning.find_problems(folder))
    data = datasets.load(folder)
    assert data.set_aside == ()


def test_a_second_run_adds_to_the_first(tmp_path: Path) -> None:
    folder, aside = tmp_path / "photos", tmp_path / "aside"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).touch()
        findings = cleaning.find_problems(folder)
        assert cleaning.set_aside(folder, findings, destination=aside) == [aside / name]
    assert pandas.read_csv(aside / "manifest.csv")["file"].tolist() == ["a.jpg", "b.jpg"]
    assert cleaning.set_aside(folder, [], destination=tmp_path / "unused") == []
    assert not (tmp_path / "unused").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder, aside = tmp_path / "photos", tmp_path / "aside"
    folder.mkdir()
    aside.mkdir()
    (folder / "a.jpg").write_text("one")
    (folder / "b.jpg").write_text("two")
    (aside / "b.jpg").write_text("another")
    findings = cleaning.find_problems(folder)
    with pytest.raises(ValueError, match=r"b\.jpg', where another file is, expected a free place\. Choose"):
        cleaning.set_aside(folder, findings, destination=aside)
    assert sorted(path.name for path in folder.iterdir()) == ["a.jpg", "b.jpg"]
    assert [path.read_text() for path in aside.iterdir()] == ["another"]
    (aside / "b.jpg").unlink()
    (aside / "manifest.csv").write_text("mine\n")
    with pytest.raises(ValueError, match="expected a manifest that the course wrote"):
        cleaning.set_aside(folder, findings, destination=aside)
    assert (aside / "manifest.csv").read_text() == "mine\n"
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("destination", ["photos", "photos/aside", "photos/cat", ".", "photos/../photos/x"])
def test_a_destination_that_would_be_found_again_is_refused(tmp_path: Path, destination: str) -> None:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "a.jpg").touch()
    findings = cleaning.find_problems(tmp_path / "photos")
    with pytest.raises(ValueError, match="expected a folder apart from it"):
        cleaning.set_aside(tmp_path / "photos", findings, destination=tmp_path / destination)
    assert (tmp_path / "photos" / "cat" / "a.jpg").exists()
    cleaning.set_aside(tmp_path / "photos", findings, destination=tmp_path / "photos" / ".aside")
    assert cleaning.find_problems(tmp_path / "photos") == []


def test_findings_that_do_not_fit_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "outside.jpg").touch()
    for name in ("../outside.jpg", str(tmp_path / "outside.jpg")):
        with pytest.raises(ValueError, match="expected files in"):
            cleaning.set_aside(
                tmp_path / "photos", [cleaning.Finding(name, "empty", "", False)], destination=tmp_path / "aside"
            )
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        cleaning.set_aside(
            tmp_path / "photos", [cleaning.Finding("gone.jpg", "empty", "", False)], destination=tmp_path / "aside"
        )
    assert (tmp_path / "outside.jpg").exists()
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("stopped_at", range(3))
def test_a_run_that_is_killed_loses_nothing_and_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    folder, aside = tmp_path / "photos", tmp_path / "aside"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_text(f"no picture {number}")
    findings = cleaning.find_problems(folder)
    rename = Path.rename

    def rename_or_stop(source: Path, target: Path) -> Path:
        if source.name == f"{stopped_at}.jpg":
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_or_stop)
        with pytest.raises(KeyboardInterrupt):
            cleaning.set_aside(folder, findings, destination=aside)
    for number in range(3):
        copies = [place / f"{number}.jpg" for place in (folder, aside) if (place / f"{number}.jpg").exists()]
        assert copies
        assert {copy.read_text() for copy in copies} == {f"no picture {number}"}
    cleaning.set_aside(folder, cleaning.find_problems(folder), destination=aside)
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in aside.iterdir()) == ["0.jpg", "1.jpg", "2.jpg", "manifest.csv"]
    assert pandas.read_csv(aside / "manifest.csv")["file"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="making links needs rights on Windows")
def test_two_files_that_would_land_in_one_place_are_both_kept(tmp_path: Path) -> None:
    source, aside = tmp_path / "photos", tmp_path / "aside"
    contents = {"cat": b"cut off", "dog": b"cut short"}
    for name, content in contents.items():
        (source / name).mkdir(parents=True)
        (source / name / "1.jpg").write_bytes(content)
    (aside / "cat").mkdir(parents=True)
    (aside / "dog").symlink_to(aside / "cat")
    with pytest.raises(ValueError, match=r"Choose another folder"):
        cleaning.set_aside(source, cleaning.find_problems(source), destination=aside)
    left = {path.read_bytes() for path in tmp_path.rglob("*.jpg") if not path.is_symlink()}
    assert left == set(contents.values())


@pytest.mark.skipif(os.name == "nt", reason="making links needs rights on Windows")
def test_a_file_is_no_copy_of_itself(tmp_path: Path) -> None:
    source, aside = tmp_path / "photos", tmp_path / "aside"
    (source / "cat").mkdir(parents=True)
    (source / "cat" / "1.jpg").write_bytes(b"cut off")
    aside.mkdir()
    (aside / "cat").symlink_to(source / "cat")
    with pytest.raises(ValueError, match=r"Choose another folder"):
        cleaning.set_aside(source, cleaning.find_problems(source), destination=aside)
    assert (source / "cat" / "1.jpg").read_bytes() == b"cut off"


@pytest.mark.parametrize("train", ["train", "Train", "training"])
def test_copies_are_looked_for_across_splits_whatever_their_folders_are_called(train: str, tmp_path: Path) -> None:
    for split in (train, "Test"):
        (tmp_path / split / "cat").mkdir(parents=True)
        save(tmp_path / split / "cat" / "a.png")
    (finding,) = [found for found in cleaning.find_problems(tmp_path) if found.kind == "duplicate"]
    assert (finding.file, finding.detail) == (f"{train}/cat/a.png", "the same content as Test/cat/a.png")


linked = pytest.mark.skipif(os.name == "nt", reason="making links needs rights on Windows")


@linked
def test_nothing_is_moved_out_of_a_folder_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "broken.jpg").write_bytes(b"cut off")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat").symlink_to(tmp_path / "elsewhere")
    findings = cleaning.find_problems(tmp_path / "photos")
    with pytest.raises(ValueError, match=r"behind a link to a folder.* Nothing was moved"):
        cleaning.set_aside(tmp_path / "photos", findings, destination=tmp_path / "aside")
    assert (tmp_path / "elsewhere" / "broken.jpg").exists()


LINKS = {
    "a class elsewhere": ({"photos/cat": "../store"}, ["cat/1.png"]),
    "a folder in a class": ({"photos/cat/more": "../../store"}, ["cat/more/1.png"]),
    "a folder twice in one class": (
        {"photos/cat/a": "../../store", "photos/cat/b": "../../store"},
        ["cat/a/1.png"],
    ),
    "a folder that is there": (
        {"photos/all/cat": "../real", "photos/real": "../store"},
        ["all/cat/1.png", "real/1.png"],
    ),
    "in circles": ({"photos/cat/up": "../..", "photos/cat/self": ".", "photos/cat/a": "../../store"}, ["cat/a/1.png"]),
    "two classes, each linked into the other": (
        {"photos/a/b": "../b", "photos/b/a": "../a", "photos/a/1.png": "../../store/1.png"},
        ["a/1.png", "b/a/1.png"],
    ),
    "a file and a link to it": ({"store/0.png": "1.png", "photos/cat": "../store"}, ["cat/1.png"]),
    "links to links": ({"photos/cat/z.png": "../../store/1.png", "photos/cat/a.png": "z.png"}, ["cat/z.png"]),
    "one file in two classes": (
        {"photos/cat/1.png": "../../store/1.png", "photos/dog/1.png": "../../store/1.png"},
        ["cat/1.png", "dog/1.png"],
    ),
    "nowhere": (
        {"photos/cat/gone.jpg": "gone", "photos/dog": "gone", "photos/notes.txt": "gone"},
        ["cat/gone.jpg", "dog"],
    ),
    "a link to itself": ({"photos/cat/a.jpg": "a.jpg"}, ["cat/a.jpg"]),
}


@linked
@pytest.mark.parametrize(("links", "expected"), LINKS.values(), ids=LINKS)
def test_links_are_followed_but_not_in_circles(links: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "store").mkdir()
    save(tmp_path / "store" / "1.png")
    for link, target in links.items():
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(target)
    found = cleaning.find_candidates(tmp_path / "photos")
    assert [path.relative_to(tmp_path / "photos").as_posix() for path in found] == expected
    readable = [path for path, inspection in zip(found, cleaning.inspect_files(found), strict=True) if inspection.plain]
    assert images.find_files(tmp_path / "photos") == readable


@linked
def test_a_manifest_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "kept.csv")
    cleaning.write_manifest([], tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "kept.csv").read_text() == "file,kind,detail,usable\n"


def test_a_foreign_list_in_any_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    (tmp_path / "aside").mkdir()
    (tmp_path / "aside" / cleaning.MANIFEST_NAME).write_bytes("파일".encode("utf-16"))
    findings = cleaning.find_problems(tmp_path / "photos")
    with pytest.raises(ValueError, match="expected a manifest that the course wrote"):
        cleaning.set_aside(tmp_path / "photos", findings, destination=tmp_path / "aside")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError(errno.ESTALE, "Stale file handle"), "Stale file handle"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "no such file any more"),
        (MemoryError(), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_and_no_error(
    error: BaseException, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    save(tmp_path / "a.png")
    monkeypatch.setattr(Path, "open", refuse)
    found = cleaning.inspect_file(tmp_path / "a.png")
    assert problem in found.problem
    assert (found.digest, found.kind, found.plain, found.likeness) == ("", "unreadable", False, None)
    (finding,) = cleaning.find_problems(tmp_path)
    assert (finding.file, finding.kind, finding.usable) == ("a.png", "unreadable", False)


@pytest.mark.skipif(os.name == "nt", reason="no such files there")
def test_nothing_that_a_file_system_holds_is_an_error_or_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nothing")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(tmp_path):
        listener.bind("socket.jpg")
        with Path("huge.png").open("wb") as file:
            file.truncate(2**40)  # of which the disk holds nothing
        found = {p.name: cleaning.inspect_file(p) for p in (*tmp_path.iterdir(), Path("never.jpg"), Path("a\0.jpg"))}
        listed = [path.name for path in cleaning.find_candidates(tmp_path)]
    for name, said in (("pipe", "a pipe"), ("device", "a device"), ("socket", "a socket"), ("folder", "a folder")):
        assert said in found[f"{name}.jpg"].problem
    assert "leads nowhere" in found["gone.jpg"].problem
    assert "no such file" in found["never.jpg"].problem
    assert found["huge.png"].kind == "oversized"
    assert all(inspection.problem and inspection.digest == "" for inspection in found.values())
    assert listed == ["device.jpg", "gone.jpg", "huge.png", "pipe.jpg", "socket.jpg"]


def test_a_picture_that_does_not_fit_into_memory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(picture: Image.Image) -> None:
        raise MemoryError

    save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    (finding,) = cleaning.find_problems(tmp_path)
    assert (finding.kind, finding.usable) == ("oversized", False)


def test_another_disk_is_refused_before_anything_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    findings = cleaning.find_problems(tmp_path / "photos")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(ValueError, match=r"on another disk.*Choose a folder beside the pictures"):
            cleaning.set_aside(tmp_path / "photos", findings, destination=tmp_path / "aside")
    other = Path("/dev/shm")
    if other.is_dir() and other.stat().st_dev != tmp_path.stat().st_dev:
        with pytest.raises(ValueError, match="on another disk"):
            cleaning.set_aside(tmp_path / "photos", findings, destination=other / "aside")
        assert not (other / "aside").exists()
    assert (tmp_path / "photos" / "a.jpg").exists()
