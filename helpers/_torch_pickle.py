"""Reads the weights in a PyTorch file (format before 1.6) without PyTorch and without running anything in it.

Such a file is a row of pickles: a magic number, the format's version, facts about the machine, the weights
with a reference where the numbers belong, and the list of these references. After them come the numbers: for
each reference their count (int64) and the numbers themselves, little-endian.

A pickle is a small program and may call any function it names, which is why `pickle.load` on a stranger's
file is dangerous. The unpickler here knows three kinds of name and refuses the rest: an ordered dictionary,
the functions that make a tensor (replaced by one that only notes down its shape), and PyTorch's names for
types of numbers. Whether a file is whole and the right one is for the caller to say, by its SHA-256.
"""

import io
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Storage(NamedTuple):
    """A row of numbers that comes later in the file."""

    key: str
    dtype: str


class _Tensor(NamedTuple):
    """A part of a storage, and the shape to give it; one step along an axis skips `strides` numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _note_tensor(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    """Stand in for torch._utils._rebuild_tensor: the numbers come later."""
    return _Tensor(storage, offset, shape, strides)


class _WeightsUnpickler(pickle.Unpickler):
    """An unpickler that can make dictionaries, numbers, text and notes about tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., Any] | str:
        """Give the stand-in for an admitted name."""
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2":
                return _note_tensor
            case "torch", _ if name in _DTYPES:
                return _DTYPES[name]
        raise ValueError(
            f"Received weights that ask for {module}.{name}, expected named tensors only. Do not use this file."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """Note down a reference to numbers."""
        _, dtype, key, *_ = pid
        return _Storage(key, dtype)


def read(data: bytes) -> dict[str, np.ndarray]:
    """Read the weights in a file of PyTorch's legacy format, whose SHA-256 has been verified.

    Args:
        data: the whole file.

    Returns:
        Name to array, in the file's order; read-only views of `data`, shapes as in PyTorch (a convolution's
        kernel is (filters, channels, height, width)).

    Raises:
        ValueError: if the file asks for anything but weights. Nothing is run.

    Source: `torch.serialization._legacy_save` of PyTorch.
    """
    file = io.BytesIO(data)
    _magic, _version, _machine, tensors, keys = (_WeightsUnpickler(file).load() for _ in range(5))
    dtypes = {tensor.storage.key: np.dtype(tensor.storage.dtype) for tensor in tensors.values()}
    starts = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        starts[key] = file.tell()
        file.seek(count * dtypes[key].itemsize, os.SEEK_CUR)
    return {name: _view(data, tensor, start=starts[tensor.storage.key]) for name, tensor in tensors.items()}


def _view(data: bytes, tensor: _Tensor, *, start: int) -> np.ndarray:
    """Give numbers the noted shape; NumPy sees to it that this stays inside the file."""
    dtype = np.dtype(tensor.storage.dtype)
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    return np.ndarray(tensor.shape, dtype, buffer=data, offset=start + tensor.offset * dtype.itemsize, strides=strides)
