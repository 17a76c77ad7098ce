"""helpers.images against known values, against other libraries, and against odd and damaged files."""

import struct
import subprocess
import sys
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import ExifTags, ImageOps
from PIL import Image as PillowImage

from helpers import images

MODES = ("unit", "tf", "torch", "caffe")
READERS = (images.read, images.read_with_opencv, images.read_with_matplotlib)
unhurried = settings(deadline=None)  # a busy machine is no failure
pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)))


def make_picture(height: int = 24, width: int = 36) -> np.ndarray:
    """A smooth picture without any symmetry: red grows to the right, green downwards, blue both ways."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = columns * 255 / width, rows * 200 / height
    return np.stack([red, green, (red + green) / 2], axis=2).astype(np.uint8)


def save(picture: np.ndarray | PillowImage.Image, path: Path, **options: object) -> Path:
    if isinstance(picture, np.ndarray):
        picture = PillowImage.fromarray(picture)
    picture.save(path, **options)
    return path


def largest_difference(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    assert one.dtype == other.dtype == np.uint8
    return int(np.abs(one.astype(int) - other.astype(int)).max())


# --- Reading: ordinary files --------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_lossless_files_come_back_exactly(tmp_path: Path, reader, suffix: str) -> None:
    picture = make_picture()
    np.testing.assert_array_equal(reader(save(picture, tmp_path / f"a.{suffix}")), picture)


def test_lossless_webp_comes_back_exactly(tmp_path: Path) -> None:
    path = save(make_picture(), tmp_path / "a.webp", lossless=True)
    for reader in READERS:
        np.testing.assert_array_equal(reader(path), make_picture())


@pytest.mark.parametrize("reader", READERS)
def test_jpeg_comes_back_nearly(tmp_path: Path, reader) -> None:
    path = save(make_picture(), tmp_path / "a.jpg", quality=95)
    assert largest_difference(reader(path), make_picture()) <= 12
    assert largest_difference(reader(path), images.read(path)) <= 3


@pytest.mark.parametrize("reader", READERS)
def test_red_is_the_first_channel(tmp_path: Path, reader) -> None:
    path = save(np.full((4, 5, 3), (250, 20, 3), dtype=np.uint8), tmp_path / "red.png")
    assert reader(path)[0, 0].tolist() == [250, 20, 3]


def test_the_result_can_be_written_to_and_is_contiguous(tmp_path: Path) -> None:
    path = save(make_picture(), tmp_path / "a.png")
    for reader in READERS:
        pixels = reader(path)
        pixels[0, 0] = 7
        assert pixels.flags.c_contiguous
        assert reader(path)[0, 0].tolist() != [7, 7, 7]


def test_paths_may_be_strings_with_any_letters(tmp_path: Path) -> None:
    path = save(make_picture(), tmp_path / "고양이 é.png")
    for reader in READERS:
        np.testing.assert_array_equal(reader(str(path)), make_picture())


# --- Reading: rotation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, reader, suffix: str, orientation: int) -> None:
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}}.get(suffix, {})
    path = save(make_picture(), tmp_path / f"turned.{suffix}", exif=exif, **options)
    with PillowImage.open(path) as picture:
        expected = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    assert expected.shape == ((24, 36, 3) if orientation < 5 else (36, 24, 3))
    assert largest_difference(reader(path), expected) <= 3


@pytest.mark.parametrize("reader", [images.read, images.read_with_matplotlib])
def test_a_rotated_tiff_is_turned_once(tmp_path: Path, reader) -> None:
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = 6
    path = save(make_picture(), tmp_path / "turned.tif", exif=exif)
    np.testing.assert_array_equal(reader(path), np.rot90(make_picture(), -1))


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0no metadata at all",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",  # says it has 65,535 entries, has none
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",  # orientation 99
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0\0\0\0\0",  # orientation "abc"
    ],
    ids=["garbage", "cut short", "number 99", "text"],
)
def test_damaged_exif_data_leaves_the_picture_as_it_is(tmp_path: Path, exif: bytes) -> None:
    path = save(make_picture(), tmp_path / "a.jpg", exif=exif, quality=95)
    for reader in READERS:
        assert largest_difference(reader(path), make_picture()) <= 12


# --- Reading: unusual kinds ---------------------------------------------------------------------------------


def make_unusual_files(folder: Path) -> dict[str, tuple[Path, np.ndarray, int]]:
    """Return file, expected pixels and allowed difference, by kind."""
    picture = make_picture()
    pillow = PillowImage.fromarray(picture)
    grey = np.asarray(pillow.convert("L"))
    grey_3d = np.repeat(grey[..., np.newaxis], 3, axis=2)
    alpha = np.zeros((24, 36), dtype=np.uint8)
    alpha[:, 12:24], alpha[:, 24:] = 128, 255
    share = alpha[..., np.newaxis] / 255
    on_white = np.rint(picture * share + 255 * (1 - share)).astype(np.uint8)
    grey_on_white = np.rint(grey_3d * share + 255 * (1 - share)).astype(np.uint8)
    rgba = np.dstack([picture, alpha])
    palette = pillow.quantize(16)
    from_palette = np.asarray(palette.convert("RGB"))
    see_through = from_palette.copy()
    see_through[np.asarray(palette) == 3] = 255
    cmyk = pillow.convert("CMYK")
    deep = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36) * 75
    deep_colour = np.dstack([deep, deep[::-1], deep[:, ::-1]])
    cv2.imwrite(str(folder / "rgb16.png"), deep_colour[..., ::-1])
    animation = [palette, ImageOps.invert(pillow).quantize(16)]
    deep_grey = np.repeat((deep >> 8).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    return {
        "grey PNG": (save(grey, folder / "l.png"), grey_3d, 0),
        "grey JPEG": (save(grey, folder / "l.jpg", quality=95), grey_3d, 8),
        "black and white": (
            save(pillow.convert("1"), folder / "1.png"),
            np.asarray(pillow.convert("1").convert("RGB")),
            0,
        ),
        "palette": (save(palette, folder / "p.png"), from_palette, 0),
        "palette, transparent": (save(palette, folder / "pt.png", transparency=3), see_through, 0),
        "RGBA PNG": (save(rgba, folder / "rgba.png"), on_white, 1),
        "RGBA WebP": (save(rgba, folder / "a.webp", lossless=True, exact=True), on_white, 1),
        "LA": (save(PillowImage.fromarray(rgba).convert("LA"), folder / "la.png"), grey_on_white, 1),
        "CMYK": (save(cmyk, folder / "cmyk.jpg", quality=95), np.asarray(cmyk.convert("RGB")), 14),
        "16-bit grey": (save(deep, folder / "i16.png"), deep_grey, 1),
        "16-bit RGB": (folder / "rgb16.png", (deep_colour >> 8).astype(np.uint8), 1),
        "animated GIF": (
            save(palette, folder / "a.gif", save_all=True, append_images=animation[1:]),
            from_palette,
            0,
        ),
        "animated PNG": (
            save(pillow, folder / "ap.png", save_all=True, append_images=[ImageOps.invert(pillow)]),
            picture,
            0,
        ),
        "one pixel": (save(picture[:1, :1], folder / "one.png"), picture[:1, :1], 0),
    }


KINDS = (
    "grey PNG",
    "grey JPEG",
    "black and white",
    "palette",
    "palette, transparent",
    "RGBA PNG",
    "RGBA WebP",
    "LA",
    "CMYK",
    "16-bit grey",
    "16-bit RGB",
    "animated GIF",
    "animated PNG",
    "one pixel",
)


@pytest.fixture(scope="module")
def unusual_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, np.ndarray, int]]:
    files = make_unusual_files(tmp_path_factory.mktemp("unusual"))
    assert set(files) == set(KINDS)
    return files


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_unusual_kinds_become_rgb(unusual_files, reader, kind: str) -> None:
    path, expected, allowed = unusual_files[kind]
    assert largest_difference(reader(path), expected) <= allowed


def test_a_single_transparent_colour_shows_white(tmp_path: Path) -> None:
    picture = np.full((3, 4, 3), (10, 20, 30), dtype=np.uint8)
    picture[0, 0] = (200, 0, 0)
    path = save(picture, tmp_path / "key.png", transparency=(200, 0, 0))
    assert images.read(path)[0, 0].tolist() == [255, 255, 255]
    assert images.read(path)[1, 1].tolist() == [10, 20, 30]


def test_integers_of_16_bits_in_a_tiff_are_read_in_either_byte_order(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256, 65_535]])
    for index, dtype in enumerate(("<u2", ">u2")):
        picture = PillowImage.frombytes(("I;16", "I;16B")[index], (4, 1), values.astype(dtype).tobytes())
        path = save(picture, tmp_path / f"{index}.tif")
        assert images.read(path)[0, :, 0].tolist() == [0, 0, 1, 255]


def test_the_contents_decide_not_the_suffix(tmp_path: Path) -> None:
    path = save(make_picture(), tmp_path / "really_a_jpeg.png", format="JPEG", quality=95)
    for reader in READERS:
        assert largest_difference(reader(path), make_picture()) <= 12


def save_heic(picture: np.ndarray, path: Path, **options: object) -> Path:
    pillow_heif.from_pillow(PillowImage.fromarray(picture)).save(path, **options)
    return path


OTHER_FORMATS = {  # options, allowed difference
    "avif": ({"quality": 95, "subsampling": "4:4:4"}, 12),
    "ico": ({"sizes": [(36, 24)]}, 0),
    "jp2": ({}, 0),
    "pgm": ({}, 0),
    "ppm": ({}, 0),
    "tga": ({}, 0),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("suffix", [*OTHER_FORMATS, "heic"])
def test_formats_of_phones_scanners_and_games_are_read_or_refused_in_one_line(
    tmp_path: Path, reader, suffix: str
) -> None:
    options, allowed = OTHER_FORMATS.get(suffix, ({"quality": 95, "chroma": 444}, 12))
    picture = make_picture()
    if suffix == "pgm":
        picture = np.repeat(images.to_grey_luminosity(picture)[..., np.newaxis], 3, axis=2)
        path = save(picture[..., 0], tmp_path / "a.pgm")
    else:
        path = (save_heic if suffix == "heic" else save)(picture, tmp_path / f"a.{suffix}", **options)
    try:
        pixels = reader(path)
    except ValueError as error:
        assert reader is not images.read
        assert "images.read may have one" in str(error)
    else:
        assert largest_difference(pixels, picture) <= allowed


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_pictures_of_phones_come_out_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path, picture = tmp_path / f"a.{suffix}", make_picture()
    turned = save(picture, tmp_path / "a.png", exif=exif)  # first: Pillow's AVIF takes the orientation out of `exif`
    if suffix == "heic":
        save_heic(picture, path, exif=exif.tobytes(), quality=95, chroma=444)
    else:
        save(picture, path, exif=exif, quality=95, subsampling="4:4:4")
    assert largest_difference(images.read(path), images.read(turned)) <= 12


def test_reading_a_heic_file_changes_nothing_for_others(tmp_path: Path) -> None:
    before = set(PillowImage.OPEN)  # imageio, which other packages bring, registers HEIF for everybody
    images.read(save_heic(make_picture(), tmp_path / "a.heic"))
    assert set(PillowImage.OPEN) == before


def test_a_tga_file_without_its_signature_is_known_by_its_suffix(tmp_path: Path) -> None:
    content = save(make_picture(), tmp_path / "a.tga").read_bytes()[:-26]
    (tmp_path / "b.TGA").write_bytes(content)
    (tmp_path / "b.jpg").write_bytes(content)
    np.testing.assert_array_equal(images.read(tmp_path / "b.TGA"), make_picture())
    with pytest.raises(ValueError, match="unknown format"):
        images.read(tmp_path / "b.jpg")


def png_of_bits(bits: int, values: np.ndarray) -> bytes:
    """A grayscale PNG whose values, 0 to 2 ** bits - 1, take so many bits each."""
    height, width = values.shape
    digits = np.unpackbits(values.astype(np.uint8)[..., np.newaxis], axis=2)[..., 8 - bits :].reshape(height, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in digits)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows))]
    return images.PNG_START + b"".join(png_part(name, data) for name, data in [*parts, (b"IEND", b"")])


def png_part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("dark", [False, True])
def test_few_bits_are_spread_over_the_whole_range(tmp_path: Path, reader, bits: int, dark: bool) -> None:
    values = np.arange(2**bits).reshape(1, -1) // (2 if dark else 1)
    (tmp_path / "a.png").write_bytes(png_of_bits(bits, values))
    np.testing.assert_array_equal(reader(tmp_path / "a.png")[..., 0], values * 255 // (2**bits - 1))


DEEP = {  # largest value, what it becomes
    "16 of 16": (65_535, 255),
    "13 of 16": (8191, 31),
    "12 of 16": (4095, 255),
    "10 of 16": (1023, 63),
    "8 of 16": (255, 255),
    "labels": (40, 40),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["png", "tif", "int32 tif", "RGB png", "RGB tif", "RGBA png"])
@pytest.mark.parametrize(("top", "white"), DEEP.values(), ids=DEEP)
def test_values_of_16_bits_are_scaled_by_the_bits_they_use(
    tmp_path: Path, reader, kind: str, top: int, white: int
) -> None:
    values = np.linspace(0, top, 30).astype(np.uint16).reshape(5, 6)
    path = tmp_path / f"a.{kind[-3:]}"
    if kind.startswith("RGB"):
        channels = [values, values[::-1], values[:, ::-1]] + [np.full_like(values, 65_535)] * (kind[3] == "A")
        cv2.imwrite(str(path), np.dstack(channels)[..., [2, 1, 0, 3][: len(channels)]])
    else:
        save(PillowImage.fromarray(values.astype(np.int32) if "int32" in kind else values), path)
    pixels = reader(path)
    assert pixels.shape == (5, 6, 3)
    assert pixels.dtype == np.uint8
    assert (pixels[0, 0, 0], pixels[-1, -1, 0]) == (0, white)
    if kind.startswith("RGB"):
        np.testing.assert_array_equal(pixels[..., 1], pixels[::-1, :, 0])
        np.testing.assert_array_equal(pixels[..., 2], pixels[:, ::-1, 0])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("values", [[[0, 70_000]], [[-1, 5]]])
def test_integers_beyond_16_bits_are_refused(tmp_path: Path, reader, values: list[list[int]]) -> None:
    path = save(PillowImage.fromarray(np.array(values, dtype=np.int32)), tmp_path / "a.tif")
    with pytest.raises(ValueError, match="more than 16 bits hold"):
        reader(path)


@pytest.mark.parametrize("text", [b"zTXtComment\0\0", b"iTXtComment\0\1\0\0\0"])
def test_a_png_with_a_large_text_is_read(tmp_path: Path, text: bytes) -> None:
    content = save(make_picture(), tmp_path / "a.png").read_bytes()
    large = png_part(text[:4], text[4:] + zlib.compress(bytes(5_000_000)))
    (tmp_path / "a.png").write_bytes(content[:33] + large + content[33:])
    np.testing.assert_array_equal(images.read(tmp_path / "a.png"), make_picture())


def test_photos_of_108_megapixels_are_read() -> None:
    with BytesIO() as file:
        PillowImage.new("L", (12_000, 9000), 200).save(file, "JPEG")
        decoded = images.decode(file.getvalue())
    assert decoded.pixels.shape == (9000, 12_000, 3)
    assert decoded.pixels[-1, -1].tolist() == [200, 200, 200]


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_overview_of_a_jpeg_is_small_and_knows_how_far_the_picture_goes(orientation: int) -> None:
    across = np.broadcast_to(np.linspace(0, 255, 501).astype(np.uint8), (375, 501))
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    with BytesIO() as file:
        PillowImage.fromarray(across).save(file, "JPEG", quality=95, exif=exif)
        content = file.getvalue()
    decoded, whole = images.decode(content, overview=True), images.decode(content)
    turn = slice(None, None, 1 if orientation == 1 else -1)
    # Two eighths, since one would leave 47 pixels: 93.75 and 125.25, rounded up.
    assert decoded.pixels.shape == (94, 126)[turn]
    assert decoded.extent == (93.75, 125.25)[turn]
    assert whole.extent == (375, 501)[turn]
    ramp = decoded.pixels[0] if orientation == 1 else decoded.pixels[:, 0]
    np.testing.assert_allclose(ramp[:125], np.linspace(0, 255, 501)[:500].reshape(125, 4).mean(1), atol=2)


@pytest.mark.parametrize("size", [(30, 40), (64, 64), (63, 500)])
def test_an_overview_leaves_a_small_picture_in_its_size(size: tuple[int, int]) -> None:
    with BytesIO() as file:
        PillowImage.fromarray(make_picture(*size)).save(file, "JPEG")
        decoded = images.decode(file.getvalue(), overview=True)
    assert decoded.pixels.shape == decoded.extent == size


# --- Reading: what cannot be read ---------------------------------------------------------------------------


def make_unreadable_files(folder: Path) -> dict[str, Path]:
    whole = save(make_picture(90, 120), folder / "whole.jpg").read_bytes()
    png = save(make_picture(), folder / "whole.png").read_bytes()
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"<html>404 not found</html>",
        "cut.jpg": whole[: len(whole) // 2],
        "cut.png": png[: len(png) // 2],
        "flipped.png": png[:60] + bytes([png[60] ^ 0xFF]) + png[61:],
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    save(PillowImage.new("F", (5, 5)), folder / "float.tif")
    save(PillowImage.new("I", (5, 5), 70_000), folder / "deep.tif")
    return {name: folder / name for name in (*contents, "float.tif", "deep.tif")}


@pytest.mark.parametrize(
    "name",
    [
        "empty.jpg",
        "text.jpg",
        "cut.jpg",
        "cut.png",
        "flipped.png",
        "script.eps",
        "float.tif",
        "deep.tif",
    ],
)
def test_unreadable_files_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = make_unreadable_files(tmp_path)[name]
    with pytest.raises(ValueError, match="not a readable picture") as caught:
        images.read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert "Expected a whole" in message
    assert "set it aside" in message


@pytest.mark.parametrize("reader", READERS[1:])
@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg", "cut.jpg", "cut.png", "script.eps"])
def test_the_other_readers_refuse_damaged_files_too(tmp_path: Path, reader, name: str) -> None:
    path = make_unreadable_files(tmp_path)[name]
    with pytest.raises(ValueError, match="not a readable picture"):
        reader(path)


@pytest.mark.parametrize("reader", READERS)
def test_missing_files_and_folders_are_told_apart(tmp_path: Path, reader) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.jpg: there is no such file\. Check"):
        reader(tmp_path / "nothing.jpg")
    with pytest.raises(ValueError, match="this is a folder, expected one picture"):
        reader(tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch, reader) -> None:
    path = save(make_picture(), tmp_path / "bomb.png")  # 864 pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 500)  # Pillow warns from here, and refuses twice as many
        np.testing.assert_array_equal(reader(path), make_picture())
        monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 300)
        with pytest.raises(ValueError, match=r"bomb\.png: .*too many pixels.*Save a smaller copy"):
            reader(path)


def test_a_real_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    save(PillowImage.new("1", (20_000, 10_000)), path)
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="at most 512 MiB"):
        images.read(path)


@unhurried
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_a_value_error(data, unusual_files, tmp_path_factory) -> None:
    path, _, _ = unusual_files[data.draw(st.sampled_from(("grey JPEG", "palette", "RGBA WebP", "animated GIF")))]
    contents = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    damaged = tmp_path_factory.getbasetemp() / f"damaged{path.suffix}"
    damaged.write_bytes(contents)
    try:
        pixels = images.read(damaged)
    except ValueError as error:
        assert str(error).startswith(str(damaged))
        assert "\n" not in str(error)
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3


NO_PICTURES = {
    "a web page": b"\r\n<!DOCTYPE HTML>\n<html><title>404</title>",
    "an SVG drawing": b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "a video": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2",
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n",
    "a Photoshop file": b"8BPS\0\1" + bytes(20),
    "a PDF document": b"%PDF-1.7\n",
    "a PostScript drawing": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "an archive": b"PK\3\4" + bytes(30),
    "a server's answer": b'{"error": "not found"}',
    "a text": b"Lorem ipsum dolor sit amet",
    "nothing but zeros": bytes(4096),
    "unknown format": bytes(range(1, 60)),
}


@pytest.mark.parametrize(("name", "content"), NO_PICTURES.items(), ids=NO_PICTURES)
def test_what_is_no_picture_is_called_what_it_is(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=name) as caught:
        images.read(tmp_path / "a.jpg")
    assert "\n" not in str(caught.value)


def test_a_raw_file_of_a_camera_is_not_mistaken_for_its_preview(tmp_path: Path) -> None:
    path = save(make_picture(), tmp_path / "a.tif").rename(tmp_path / "a.NEF")
    with pytest.raises(ValueError, match="raw file, straight from a camera"):
        images.read(path)


# --- Finding files ------------------------------------------------------------------------------------------


def test_find_files_lists_pictures_in_order_and_no_hidden_ones(tmp_path: Path) -> None:
    names = ("b/2.JPG", "b/10.png", "a/x.jpeg", "a/deep/y.webp", "c.gif")
    others = ("a/notes.txt", "b/._2.jpg", ".hidden/z.jpg", "b/no_suffix")
    for name in (*names, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in images.find_files(str(tmp_path))]
    assert found == sorted(names)


def test_find_files_tells_missing_from_empty(tmp_path: Path) -> None:
    assert images.find_files(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        images.find_files(tmp_path / "nothing")
    with pytest.raises(NotADirectoryError, match="expected a folder"):
        images.find_files(save(make_picture(), tmp_path / "a.png"))


# --- Grey ---------------------------------------------------------------------------------------------------


@unhurried
@given(picture=pictures)
def test_luminosity_equals_pillow(picture: np.ndarray) -> None:
    expected = np.asarray(PillowImage.fromarray(picture).convert("L"))
    assert largest_difference(images.to_grey_luminosity(picture), expected) <= 1


@unhurried
@given(picture=pictures)
def test_mean_equals_a_loop_over_the_pixels(picture: np.ndarray) -> None:
    grey = images.to_grey_mean(picture)
    for row, column in np.ndindex(*grey.shape):
        assert grey[row, column] == round(sum(int(value) for value in picture[row, column]) / 3)
    np.testing.assert_array_equal(images.to_grey_mean_3d(picture), np.dstack([grey] * 3))


@unhurried
@given(value=st.integers(0, 255))
def test_grey_stays_grey(value: int) -> None:
    picture = np.full((2, 3, 3), value, dtype=np.uint8)
    assert (images.to_grey_mean(picture) == value).all()
    assert (images.to_grey_luminosity(picture) == value).all()


def test_grey_does_not_change_its_input() -> None:
    picture = make_picture()
    images.to_grey_mean_3d(picture)[:] = 0
    images.to_grey_luminosity(picture)[:] = 0
    np.testing.assert_array_equal(picture, make_picture())


# --- Size ---------------------------------------------------------------------------------------------------


@unhurried
@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
    ),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    mode=st.sampled_from(("stretch", "pad", "crop")),
)
def test_resize_gives_the_size_asked_for(shape, size, mode) -> None:
    resized = images.resize(np.full(shape, 9, dtype=np.uint8), size, mode=mode)
    assert resized.shape == (*size, *shape[2:])
    assert resized.dtype == np.uint8
    assert resized.max() == 9  # neither stretching nor cropping nor padding makes brighter values


@unhurried
@given(picture=pictures, mode=st.sampled_from(("stretch", "pad", "crop")))
def test_resize_to_the_same_size_changes_nothing(picture: np.ndarray, mode) -> None:
    np.testing.assert_array_equal(images.resize(picture, picture.shape[:2], mode=mode), picture)


def test_stretch_equals_pillow() -> None:
    expected = PillowImage.fromarray(make_picture()).resize((10, 15), PillowImage.Resampling.BILINEAR)
    np.testing.assert_array_equal(images.resize(make_picture(), (15, 10)), np.asarray(expected))


def test_pad_keeps_the_whole_picture_between_black_bars() -> None:
    padded = images.resize(np.full((24, 36, 3), 200, dtype=np.uint8), 36, mode="pad")
    assert (padded[6:30] == 200).all()
    assert (padded[:6] == 0).all()
    assert (padded[30:] == 0).all()


def test_crop_cuts_both_sides_equally() -> None:
    picture = np.zeros((24, 36, 3), dtype=np.uint8)
    picture[:, 6:30] = 200
    assert (images.resize(picture, 24, mode="crop") == 200).all()


def test_extreme_proportions_keep_one_pixel() -> None:
    line = np.full((1, 1000, 3), 255, dtype=np.uint8)
    assert images.resize(line, 10, mode="pad").max() == 255


@pytest.mark.parametrize("size", [0, -3, 2.5, (10,), (10, 0), (3, 4, 5), "10", None, (10.0, 10)])
def test_resize_refuses_odd_sizes(size) -> None:
    with pytest.raises(ValueError, match=r"Received size=.*expected a whole number or \(height, width\)"):
        images.resize(make_picture(), size)


def test_resize_refuses_unknown_modes() -> None:
    with pytest.raises(ValueError, match=r"Received mode='squash', expected 'stretch', 'pad' or 'crop'"):
        images.resize(make_picture(), 10, mode="squash")


# --- Values -------------------------------------------------------------------------------------------------


@unhurried
@given(picture=pictures, mode=st.sampled_from(MODES))
def test_unscale_undoes_scale_exactly(picture: np.ndarray, mode) -> None:
    scaled = images.scale(picture, mode=mode)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(images.unscale(scaled, mode=mode), picture)
    np.testing.assert_array_equal(images.unscale(scaled[np.newaxis], mode=mode)[0], picture)


ALL_VALUES = np.stack([np.roll(np.arange(256), shift) for shift in (0, 85, 170)], axis=1).astype(np.uint8)[None]


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_scale_equals_keras(mode) -> None:
    from keras.applications.imagenet_utils import preprocess_input

    expected = preprocess_input(ALL_VALUES.astype(np.float32), mode=mode, data_format="channels_last")
    np.testing.assert_allclose(images.scale(ALL_VALUES, mode=mode), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "black", "white"),
    [
        ("unit", [0, 0, 0], [1, 1, 1]),
        ("tf", [-1, -1, -1], [1, 1, 1]),
        ("torch", [-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.64]),
        ("caffe", [-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]),
    ],
)
def test_scale_of_black_and_white(mode, black, white) -> None:
    ends = np.array([[[0] * 3, [255] * 3]], dtype=np.uint8)
    np.testing.assert_allclose(images.scale(ends, mode=mode)[0], [black, white], atol=1e-4)


def test_caffe_puts_blue_first() -> None:
    red = np.array([[[255, 0, 0]]], dtype=np.uint8)
    assert images.scale(red, mode="caffe")[0, 0].argmax() == 2


def test_grey_can_be_scaled_where_channels_do_not_matter() -> None:
    grey = np.array([[0, 255]], dtype=np.uint8)
    assert images.scale(grey, mode="unit").tolist() == [[0, 1]]
    assert images.unscale(images.scale(grey, mode="tf"), mode="tf").tolist() == [[0, 255]]
    for mode in ("torch", "caffe"):
        with pytest.raises(ValueError, match=r"Received shape \(1, 2\).*Repeat a grey picture"):
            images.scale(grey, mode=mode)


def test_scaling_twice_is_refused() -> None:
    once = images.scale(make_picture(), mode="unit")
    with pytest.raises(ValueError, match=r"Received dtype float32, expected uint8.*Scale a picture once"):
        images.scale(once, mode="unit")
    with pytest.raises(ValueError, match="Received dtype uint8, expected floating-point"):
        images.unscale(make_picture(), mode="unit")


@pytest.mark.parametrize("mode", ["Unit", "", None, "imagenet"])
def test_unknown_modes_are_refused(mode) -> None:
    for function, array in ((images.scale, make_picture()), (images.unscale, np.zeros((2, 2, 3)))):
        with pytest.raises(ValueError, match=r"Received mode=.*expected 'unit', 'tf', 'torch' or 'caffe'"):
            function(array, mode=mode)


def test_unscale_cuts_off_what_no_pixel_can_hold() -> None:
    assert images.unscale(np.array([[[-0.5, 0.5, 7.0]]]), mode="unit").tolist() == [[[0, 128, 255]]]
    with pytest.raises(ValueError, match="NaN or infinity"):
        images.unscale(np.array([[[np.nan, 0, 0]]]), mode="unit")


@unhurried
@given(picture=pictures, bins=st.sampled_from((1, 16, 100, 256)))
def test_histogram_counts_every_pixel_once(picture: np.ndarray, bins: int) -> None:
    counts = images.histogram(picture, bins=bins)
    assert list(counts) == ["red", "green", "blue", "edges"]
    assert counts["edges"].shape == (bins + 1,)
    for name in ("red", "green", "blue"):
        assert counts[name].shape == (bins,)
        assert counts[name].sum() == picture.shape[0] * picture.shape[1]


@unhurried
@given(picture=pictures)
def test_histogram_of_256_bins_equals_pillow(picture: np.ndarray) -> None:
    expected = np.reshape(PillowImage.fromarray(picture).histogram(), (3, 256))
    counts = images.histogram(picture)
    np.testing.assert_array_equal([counts[name] for name in ("red", "green", "blue")], expected)


def test_histogram_of_grey_and_of_floats() -> None:
    grey = images.histogram(np.array([[3, 3, 200]], dtype=np.uint8))
    assert (grey["grey"][3], grey["grey"][200], grey["grey"].sum()) == (2, 1, 3)
    floats = images.histogram(np.array([[[-1.0, 0.0, 1.0]]], dtype=np.float32), bins=4)
    assert floats["edges"].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert [floats[name].tolist() for name in ("red", "green", "blue")] == [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]


def test_histogram_refuses_what_it_cannot_count() -> None:
    with pytest.raises(ValueError, match="Received bins=0, expected at least 1"):
        images.histogram(make_picture(), bins=0)
    with pytest.raises(ValueError, match="NaN or infinity"):
        images.histogram(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="Received dtype int64, expected uint8"):
        images.histogram(np.zeros((2, 2), dtype=np.int64))


# --- What is refused everywhere -----------------------------------------------------------------------------

NEEDS_COLOUR = (images.to_grey_mean, images.to_grey_mean_3d, images.to_grey_luminosity)
NEEDS_PICTURE = (*NEEDS_COLOUR, lambda image: images.resize(image, 8), images.histogram)


@pytest.mark.parametrize("function", NEEDS_PICTURE)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2, 3]], "Received a list, expected a NumPy array. Convert it with np.asarray"),
        (np.zeros((4, 5, 3), dtype=np.int16), r"Received dtype int16, expected uint8 \(0 to 255\)"),
        (
            np.zeros((4, 5, 4), dtype=np.uint8),
            r"Received shape \(4, 5, 4\), expected .*drop an alpha channel",
        ),
        (np.zeros((3, 4, 5), dtype=np.uint8), r"Received shape \(3, 4, 5\).*Put the axes in this order"),
        (np.zeros((1, 4, 5, 3), dtype=np.uint8), r"Received shape \(1, 4, 5, 3\).*as in batch\[0\]"),
        (np.zeros((0, 5, 3), dtype=np.uint8), r"Received shape \(0, 5, 3\), expected .*not empty"),
    ],
    ids=["list", "int16", "alpha", "channels first", "batch", "empty"],
)
def test_wrong_arrays_are_refused_with_a_way_out(function, value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(value)


@pytest.mark.parametrize("function", NEEDS_COLOUR)
def test_grey_cannot_be_made_grey_again(function) -> None:
    with pytest.raises(ValueError, match="A grey picture needs no conversion"):
        function(np.zeros((4, 5), dtype=np.uint8))


def test_the_module_does_not_load_tensorflow() -> None:
    code = "import sys, helpers.images; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_large_see_through_picture_is_put_on_white_in_portions(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2 * images.ROWS_AT_ONCE + 3, 5, 4), dtype=np.uint8)
    PillowImage.fromarray(pixels).save(tmp_path / "a.png")
    share = pixels[..., 3:] / 255
    np.testing.assert_allclose(images.read(tmp_path / "a.png"), pixels[..., :3] * share + 255 * (1 - share), atol=0.51)
