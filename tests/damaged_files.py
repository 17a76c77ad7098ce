"""A folder as learners bring them: good pictures, and one of everything that can be wrong with a file."""

import os
import shutil
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

GOOD = 6  # ordinary pictures a class


def draw(seed: int, *, height: int = 60, width: int = 80) -> Image.Image:
    """A picture with large shapes, as photos have; noise has none, and its perceptual hash would not last."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def plant(folder: Path) -> dict[str, set[tuple[str, bool]]]:
    """Fill `folder/cat` and `folder/dog` with good, odd and damaged files.

    Returns:
        For each file that something is to be said of, the (kind, usable) pairs.
    """
    for number, name in enumerate(["cat", "dog"]):
        (folder / name).mkdir(parents=True)
        for seed in range(GOOD):
            draw(100 * number + seed).save(folder / name / f"good{seed}.jpg")
    said = _plant_odd(folder / "cat") | _plant_damaged(folder / "dog") | _plant_copies(folder / "dog")
    return said | _plant_oddly_named(folder / "dog")


def _plant_odd(folder: Path) -> dict[str, set[tuple[str, bool]]]:
    """Write files that train well although they are no plain RGB pictures."""
    draw(10).convert("CMYK").save(folder / "cmyk.jpg")
    transparent = draw(11).convert("RGBA")
    transparent.putalpha(90)
    transparent.save(folder / "alpha.png")
    draw(12).convert("L").save(folder / "grey.jpg")
    Image.fromarray(np.asarray(draw(13).convert("L")).astype(np.uint16) * 257).save(folder / "deep.png")
    Image.fromarray(np.asarray(draw(53).convert("L")).astype(np.uint16) * 16).save(folder / "microscope.png")
    draw(14).save(folder / "animated.gif", save_all=True, append_images=[draw(15), draw(16)])
    draw(17).save(folder / "renamed.jpg", format="PNG")
    both = draw(18).convert("LA")
    both.putalpha(90)
    both.save(folder / "several.jpg", format="PNG")
    draw(19).save(folder / "exif.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")  # nothing to say: the picture is whole
    draw(20).save(folder / "palette.bmp")
    (folder / "folder.jpg").mkdir()
    draw(21).save(folder / "folder.jpg" / "inside.jpg")
    return {
        "cat/cmyk.jpg": {("cmyk", True)},
        "cat/alpha.png": {("alpha", True)},
        "cat/grey.jpg": {("grey", True)},
        "cat/deep.png": {("grey", True)},
        "cat/microscope.png": {("grey", True), ("depth", True)},
        "cat/animated.gif": {("animated", True)},
        "cat/renamed.jpg": {("wrong extension", True)},
        "cat/several.jpg": {("wrong extension", True), ("alpha", True), ("grey", True)},
    }


def _plant_damaged(folder: Path) -> dict[str, set[tuple[str, bool]]]:
    """Write files that cannot be trained on."""
    (folder / "text.jpg").write_text("<html>404 not found</html>")
    (folder / "empty.png").touch()
    for name, seed in (("cut.jpg", 30), ("cut.png", 31), ("cut.webp", 32), ("cut.gif", 33)):
        draw(seed, height=200, width=200).save(folder / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])
    draw(34, height=200, width=200).save(folder / "zeros.jpg", subsampling=0)
    content = (folder / "zeros.jpg").read_bytes()
    (folder / "zeros.jpg").write_bytes(content[: len(content) // 2].ljust(9 * len(content), b"\0"))  # Pillow accepts it
    draw(35).save(folder / "no_end.png")
    (folder / "no_end.png").write_bytes((folder / "no_end.png").read_bytes()[:-12])
    draw(36).save(folder / "bits.png")
    content = bytearray((folder / "bits.png").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / "bits.png").write_bytes(content)
    (folder / "bomb.png").write_bytes(bomb())
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    said = {f"dog/{name}": {("truncated", False)} for name in ("cut.jpg", "cut.png", "cut.webp", "cut.gif")}
    return said | {
        "dog/text.jpg": {("unreadable", False)},
        "dog/empty.png": {("empty", False)},
        "dog/zeros.jpg": {("truncated", False)},
        "dog/no_end.png": {("truncated", False)},
        "dog/bits.png": {("unreadable", False)},
        "dog/bomb.png": {("oversized", False)},
        "dog/phone.heic": {("unreadable", False)},
    }


def _plant_copies(folder: Path) -> dict[str, set[tuple[str, bool]]]:
    shutil.copy(folder / "good0.jpg", folder / "z_copy.jpg")
    Image.open(folder / "good1.jpg").resize((120, 90)).save(folder / "z_larger.jpg", quality=70)
    draw(40).save(folder / "mislabelled.jpg")
    shutil.copy(folder / "mislabelled.jpg", folder.parent / "cat" / "mislabelled.jpg")
    for name, colour in (("flat_red.png", "red"), ("flat_blue.png", "blue"), ("flat_black.png", "black")):
        Image.new("RGB", (60, 60), colour).save(folder / name)  # nothing to say: they are not alike
    return {
        "dog/z_copy.jpg": {("duplicate", False)},
        "dog/z_larger.jpg": {("near duplicate", True)},
        "cat/mislabelled.jpg": {("duplicate", False)},
        "dog/mislabelled.jpg": {("duplicate", False)},
    }


def _plant_oddly_named(folder: Path) -> dict[str, set[tuple[str, bool]]]:
    """Write files with a foreign suffix or a strange name, as far as the system allows, and things to pass over."""
    draw(50).save(folder / "picture.txt", format="JPEG")
    draw(51).save(folder / "no_suffix", format="PNG")
    draw(52).save(folder / "한글, =1+1.jpg")
    said = {"dog/picture.txt": {("wrong extension", True)}, "dog/no_suffix": {("wrong extension", True)}}
    (folder / "notes.txt").write_text("BM: my notes")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (folder / ".hidden.jpg").write_text("no picture")
    (folder / ".DS_Store").write_bytes(bytes(100))
    (folder / "nothing_in_it").mkdir()
    if os.name == "posix":
        (folder / "link.jpg").symlink_to("gone.jpg")
        (folder / "round").symlink_to(folder.parent.resolve())  # in circles
        os.mkfifo(folder / "pipe.jpg")
        (folder / 'new\nline".png').write_text("no picture")
        names = ("link.jpg", "pipe.jpg", 'new\nline".png')
        said |= {f"dog/{name}": {("unreadable", False)} for name in names}
    if sys.platform == "linux":
        (folder / os.fsdecode(b"caf\xe9.png")).write_text("no picture")  # Latin-1: no UTF-8
        said[f"dog/{os.fsdecode(b'caf' + bytes([0xE9]))}.png"] = {("unreadable", False)}
    return said


def bomb() -> bytes:
    """A PNG of some hundred bytes that states 100,000 x 100,000 pixels: 30 GB once decoded."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    )


def photo(*, progressive: bool = False, seed: int = 1) -> bytes:
    """A JPEG of some 20 KB with the tables that most programs write."""
    noise = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    with BytesIO() as file:
        picture = Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC)
        picture.save(file, "JPEG", quality=85, progressive=progressive)
        return file.getvalue()


def middle(content: bytes) -> int:
    return len(content) // 2


DAMAGE = {
    "sent as a text": lambda c: c.replace(b"\n", b"\r\n"),
    "sent as a text, header spared": lambda c: c[:600] + c[600:].replace(b"\n", b"\r\n"),
    "sent as a text of an old Mac": lambda c: c.replace(b"\n", b"\r"),
    "a lost block of 512 bytes": lambda c: c[: middle(c)] + c[middle(c) + 512 :],
    "a lost block of 4096 bytes": lambda c: c[: middle(c)] + c[middle(c) + 4096 :],
    "a block of zeros": lambda c: c[: middle(c)] + bytes(512) + c[middle(c) + 512 :],
    "4 KB of zeros": lambda c: c[: middle(c)] + bytes(4096) + c[middle(c) + 4096 :],
    "zeros put between": lambda c: c[: middle(c)] + bytes(4096) + c[middle(c) :],
    "an erased block": lambda c: c[: middle(c)] + b"\xff" * 512 + c[middle(c) + 512 :],
    "cut off": lambda c: c[: middle(c)],
    "cut off, with an end put behind": lambda c: c[: middle(c)] + c[-2:],
    "the end of another file": lambda c: c[: middle(c)] + c[-500:],
}
HARMLESS = {
    "stray bytes before the end": lambda c: c[:-2] + bytes(range(200)) + c[-2:],
    "a few": lambda c: c[:-2] + b"abcde" + c[-2:],
    "many": lambda c: c[:-2] + np.random.default_rng(0).bytes(2700).replace(b"\xff", b"") + c[-2:],
    "zeros before the end": lambda c: c[:-2] + bytes(3000) + c[-2:],
    "bytes behind the end": lambda c: c + bytes(range(256)) * 9,
    "a strange revision": lambda c: c.replace(b"JFIF\0\1\1", b"JFIF\0\7\1"),
    "a text with line ends of Windows": lambda c: c[:2] + b"\xff\xfe\0\x0ca\r\nb\r\nc\r\n" + c[2:],
}
