"""Networks for tests that only look at layers and count: with shapes, without values."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras


def build_without_values(build: Callable[..., keras.Model], *arguments: Any, **options: Any) -> keras.Model:
    """Build a network whose weights have shapes only: none is drawn, and none takes memory.

    Not for computing: its weights would be drawn anew each time they are read.

    In a thread of its own: Keras keeps a list per thread of the weights still to be filled, and would fill these as
    soon as the next network is built.
    """

    def build_shapes() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return build(*arguments, **options)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build_shapes).result()
