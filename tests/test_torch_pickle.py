"""The reader of PyTorch files: right on a file that PyTorch wrote, and safe on one that means harm."""

import io
import os
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy

from helpers import _torch_pickle

STATE = Path(__file__).parent / "reference" / "state.pth"
MACHINE = {"protocol_version": 1001, "little_endian": True}
MAGIC = 0x1950A86A20F9469CFC6C


class FloatStorage:
    """Pickled under PyTorch's name."""


class Reference:
    """A reference to numbers, as PyTorch writes it."""

    def __init__(self, *parts):
        self.parts = parts


class Rebuilt:
    """A tensor of any storage, offset, shape and strides, right or wrong."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (*self.arguments, False, OrderedDict())


class Writer(pickle.Pickler):
    def persistent_id(self, value):
        return value.parts if isinstance(value, Reference) else None


def dump(value) -> bytes:
    """Pickle a value with PyTorch's names in it, where there is no PyTorch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_):
        raise AssertionError("the reader must not call what the file names")

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", *["_rebuild_tensor_v2"] * 2
    torch.FloatStorage, torch._utils, utils._rebuild_tensor_v2 = FloatStorage, utils, rebuild
    with (
        mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}),
        mock.patch.object(FloatStorage, "__module__", "torch"),
    ):
        file = io.BytesIO()
        Writer(file, protocol=2).dump(value)
        return file.getvalue()


def assemble(state: bytes, numbers: dict[str, np.ndarray], *, magic=MAGIC, version=1001, machine=MACHINE) -> bytes:
    """Put a legacy file together from the pickle with the weights and the numbers that belong to it."""
    head = b"".join(pickle.dumps(part, protocol=2) for part in (magic, version, machine))
    keys = pickle.dumps(list(numbers), protocol=2)
    rows = b"".join(np.int64(row.size).tobytes() + row.astype("<f4").tobytes() for row in numbers.values())
    return head + state + keys + rows


def refer(count: int, key: str = "0") -> Reference:
    return Reference("storage", FloatStorage, key, "cpu", count, None)


def write(weights: dict[str, np.ndarray]) -> bytes:
    state = {}
    for key, (name, array) in enumerate(weights.items()):
        strides = [stride // 4 for stride in np.ascontiguousarray(array).strides[: array.ndim]]
        state[name] = Rebuilt(refer(array.size, str(key)), 0, array.shape, tuple(strides))
    return assemble(dump(state), {str(key): array for key, array in enumerate(weights.values())})


def test_reads_what_pytorch_wrote():
    numbers = np.arange(12, dtype="float32")
    expected = {
        "float": numbers.reshape(3, 4),
        "part of the same": numbers[4:8],
        "turned": numbers.reshape(3, 4).T,
        "scalar": np.array(7),
        "half": np.array([0.5, -1.25], "float16"),
        "double": np.array([[1 / 3]]),
        "bool": np.array([True, False]),
        "bytes": np.array([0, 255], "uint8"),
        "int8": np.array([-1, 100], "int8"),
        "int16": np.array([-1, 100], "int16"),
        "int32": np.array([-1, 100], "int32"),
        "parameter": np.ones(2, "float32"),
    }
    weights = _torch_pickle.read(STATE.read_bytes())
    assert list(weights) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(weights[name], array, strict=True, err_msg=name)


def test_arrays_are_read_only():
    weights = _torch_pickle.read(STATE.read_bytes())
    with pytest.raises(ValueError, match="read-only"):
        weights["float"][0, 0] = 1


@given(
    st.dictionaries(
        st.text(max_size=8),
        hypothesis_numpy.arrays("float32", hypothesis_numpy.array_shapes(min_dims=0, max_side=4)),
        max_size=4,
    )
)
def test_gives_back_what_was_written(weights):
    read = _torch_pickle.read(write(weights))
    assert list(read) == list(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(read[name], array, strict=True)


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.mkdir, ["made-by-the-pickle"], "mkdir"),
        (eval, ["__import__('os').mkdir('made-by-the-pickle')"], "eval"),
        (exec, ["__import__('os').mkdir('made-by-the-pickle')"], "exec"),
        (getattr, [OrderedDict, "__init__"], "getattr"),
        (np.zeros, [1], "zeros"),
    ],
)
@pytest.mark.parametrize("place", ["magic", "version", "machine", "state"])
def test_refuses_functions_and_calls_none(tmp_path, monkeypatch, function, arguments, name, place):
    monkeypatch.chdir(tmp_path)
    evil = Evil(function, *arguments)
    data = assemble(dump({"w": evil}), {}) if place == "state" else assemble(dump({}), {}, **{place: evil})
    with pytest.raises(ValueError, match=rf"ask for \w+(\.\w+)*\.{name}, expected named tensors only"):
        _torch_pickle.read(data)
    assert list(tmp_path.iterdir()) == []


def test_the_attack_above_would_work_on_plain_pickle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Evil(os.mkdir, "made-by-the-pickle"), protocol=2))
    assert (tmp_path / "made-by-the-pickle").is_dir()


@pytest.mark.parametrize(
    "name", ["torch\nload\n", "torch._utils\n_rebuild_parameter\n", "torch.nn\nModule\n", "collections\nChainMap\n"]
)
def test_refuses_neighbours_of_the_admitted_names(name):
    with pytest.raises(ValueError, match="expected named tensors only"):
        _torch_pickle.read(assemble(b"\x80\x02c" + name.encode() + b".", {}))
