"""Reads the weights in a PyTorch file (format before 1.6) without PyTorch and without running anything in it.

Such a file is a row of pickles: a magic number, the format's version, facts about the machine, the weights
with a reference where the numbers belong, and the list of these references. After them come the numbers: for
each reference their count (int64) and the numbers themselves, little-endian.

A pickle is a small program and may call any function it names, which is why `pickle.load` on a stranger's
file is dangerous. The unpickler here knows three kinds of name and refuses the rest: an ordered dictionary,
the functions that make a tensor (replaced by ones that only note down its shape), and PyTorch's names for
types of numbers.
"""

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class _StorageType(NamedTuple):
    """Stands for a class such as torch.FloatStorage."""

    dtype: np.dtype


class _Storage(NamedTuple):
    """A row of numbers that comes later in the file."""

    key: str
    dtype: np.dtype
    count: int


class _Tensor(NamedTuple):
    """A part of a storage, and the shape to give it; one step along an axis skips `strides` numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _NoteTensor:
    """Stands for torch._utils._rebuild_tensor: notes down what it would build, if that stays inside its storage.

    An object without a `__dict__`, not a function: a pickle could set attributes of a function, here for good.
    """

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
        if not isinstance(storage, _Storage) or not all(_is_count(n) for n in (offset, *shape, *strides)):
            raise pickle.UnpicklingError("a tensor whose storage, offset, shape or strides are of the wrong type")
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if min(shape, default=1) < 1 or last >= storage.count or math.prod(shape) > storage.count:
            raise pickle.UnpicklingError(f"a tensor of shape {shape} that does not fit its {storage.count} numbers")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


class _WeightsUnpickler(pickle.Unpickler):
    """An unpickler that can make dictionaries, numbers, text and notes about tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., Any] | _StorageType:
        """Give the stand-in for an admitted name.

        Raises:
            pickle.UnpicklingError: For any other name.
        """
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in {"_rebuild_tensor", "_rebuild_tensor_v2"}:
            return _NoteTensor()
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which weights do not need")

    def persistent_load(self, pid: Any) -> _Storage:
        """Note down a reference to numbers.

        Raises:
            pickle.UnpicklingError: If it is not of the form PyTorch writes, or is a view of another storage.
        """
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(), int(count), None) if _is_count(count):
                return _Storage(key, dtype, count)
        raise pickle.UnpicklingError(f"a reference of an unknown form: {pid!r}")


def read(data: bytes) -> dict[str, np.ndarray]:
    """Read the weights in a file of PyTorch's legacy format.

    Args:
        data: The whole file.

    Returns:
        Name to array, in the file's order; read-only views of `data`, shapes as in PyTorch (a convolution's
        kernel is (filters, channels, height, width)).

    Raises:
        ValueError: If the file is damaged, of another format, or asks for anything but weights. Nothing is
        run.

    Source: `torch.serialization._legacy_save` of PyTorch.
    """
    file = io.BytesIO(data)
    try:
        notes = _read_notes(file)
        numbers = _read_numbers(file, {note.storage.key: note.storage for note in notes.values()})
        return {name: _view(numbers[note.storage.key], note) for name, note in notes.items()}
    # Damaged bytes make the unpickler raise nearly anything (its documentation says so).
    except Exception as error:
        raise ValueError(
            f"Cannot read these weights: {error or type(error).__name__}. Expected an undamaged file of "
            "PyTorch's format before 1.6, holding named tensors only. Fix: reinstall the package it comes in."
        ) from error


def _view(numbers: np.ndarray, note: _Tensor) -> np.ndarray:
    """Give numbers the noted shape; `_NoteTensor` has seen to it that this stays inside them."""
    strides = [stride * numbers.itemsize for stride in note.strides]
    return np.lib.stride_tricks.as_strided(numbers[note.offset :], note.shape, strides, writeable=False)


def _read_notes(file: io.BytesIO) -> dict[str, _Tensor]:
    """Read the pickles up to the weights; return what each tensor is made of."""
    magic, version, machine = (_WeightsUnpickler(file).load() for _ in range(3))
    if magic != _MAGIC or version != _VERSION:
        raise pickle.UnpicklingError("it does not start as a PyTorch file of that format does")
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise pickle.UnpicklingError("it was not written on a little-endian machine")
    notes = _WeightsUnpickler(file).load()
    if not isinstance(notes, dict) or not all(
        isinstance(name, str) and isinstance(note, _Tensor) for name, note in notes.items()
    ):
        raise pickle.UnpicklingError("it holds something else than named tensors")
    return notes


def _read_numbers(file: io.BytesIO, storages: dict[str, _Storage]) -> dict[str, np.ndarray]:
    """Read the list of references and the numbers of each; the file must end with them."""
    keys = _WeightsUnpickler(file).load()
    if not isinstance(keys, list) or sorted(keys) != sorted(storages):
        raise pickle.UnpicklingError("the numbers in it are not those its tensors need")
    data = file.getbuffer().toreadonly()
    numbers = {}
    for key in keys:
        start = file.tell() + 8
        (count,) = np.frombuffer(data[start - 8 : start], dtype="<i8")
        if count != storages[key].count:
            raise pickle.UnpicklingError(f"{count} numbers where {storages[key].count} were announced")
        numbers[key] = np.frombuffer(data, dtype=storages[key].dtype, count=int(count), offset=start)
        file.seek(start + numbers[key].nbytes)
    if file.tell() != len(data):
        raise pickle.UnpicklingError(f"{len(data) - file.tell()} bytes are left over at its end")
    return numbers
