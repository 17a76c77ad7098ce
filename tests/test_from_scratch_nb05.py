"""What notebook 05 writes out by hand, taken from its cells as they stand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from tests.lesson_cells import run_cells

IMAGE_SIZE = 96
LESSON = run_cells("05", IMAGE_SIZE=IMAGE_SIZE)


@settings(max_examples=30, deadline=None)
@given(content=st.binary(), label=st.integers(-(2**63), 2**63 - 1))
def test_a_record_gives_back_any_content(tmp_path_factory: pytest.TempPathFactory, content: bytes, label: int) -> None:
    path = tmp_path_factory.mktemp("record") / "any"
    path.write_bytes(content)
    stored, number = LESSON["from_record"](LESSON["to_record"](path, label))
    assert stored.numpy() == content
    assert number.numpy() == label


def test_a_record_is_decoded_to_a_square_of_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    Image.fromarray(data.chelsea()).save(path, quality=95)
    picture, label = LESSON["decode"](*LESSON["from_record"](LESSON["to_record"](path, 3)))
    assert (picture.shape, picture.dtype.name, label.numpy()) == ((IMAGE_SIZE, IMAGE_SIZE, 3), "uint8", 3)
    assert abs(picture.numpy().mean() - np.asarray(Image.open(path)).mean()) < 3
