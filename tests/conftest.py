"""Pictures and networks that several test files use.

What is slow to import is imported where it is used: the process that hands out the tests needs none of it.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

MakeFolder = Callable[..., Path]


def pytest_configure() -> None:
    """Collect garbage less often: with TensorFlow's million objects about, every round takes long and frees little."""
    gc.set_threshold(20_000)


# Keras 3 saves models, and builds some, in a way that NumPy 2 calls outdated.
keras_and_numpy_2 = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


def draw_noise(seed: int, *, height: int = 10, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A function that fills a folder: `make_folder({"train/cat": 5})` puts 5 different PNG pictures there."""

    def make(counts: dict[str, int], *, name: str = "photos", first_seed: int = 0) -> Path:
        seed = first_seed
        for folder, count in counts.items():
            (tmp_path / name / folder).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                Image.fromarray(draw_noise(seed)).save(tmp_path / name / folder / f"{number:03}.png")
                seed += 1
        return tmp_path / name

    return make


def catch_figures(monkeypatch: pytest.MonkeyPatch) -> "list[Figure]":
    """Return a list that figures go to from now on, drawn, instead of to the screen."""
    caught: list[Figure] = []
    for room in ("", "._charts", "._diagrams", "._pictures"):
        monkeypatch.setattr(f"helpers.plotting{room}.display_figure", lambda figure, **_: caught.append(figure))
    return caught


def build_tiny_backbone() -> "keras.Model":
    """A backbone with weights and batch normalisation: 16 x 16 pictures in, a 7 x 7 map of 5 channels out."""
    import keras

    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(5, 3, strides=2, kernel_initializer=keras.initializers.GlorotUniform(seed=0))(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.ReLU()(x), name="tiny")


@pytest.fixture
def tiny_backbone() -> "keras.Model":
    """One of its own for each test."""
    return build_tiny_backbone()
