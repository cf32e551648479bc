"""Weights of a trained network: out of a PyTorch file into .safetensors, and read from there.

Needs neither PyTorch nor the package safetensors. A .safetensors file is the length of its head (8
bytes), the head (JSON: for each array its type, shape and place), and the numbers; nothing in it
can be run. A PyTorch file is a pickle, which could name any function of Python: here it may name
four things, and anything else is refused.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Weights = dict[str, npt.NDArray[Any]]

LENGTH_BYTES = 8
DTYPES: dict[str, np.dtype[Any]] = {
    "I8": np.dtype("i1"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
TORCH_PROTOCOL = 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def to_safetensors(weights: Mapping[str, npt.NDArray[Any]], about: Mapping[str, str]) -> bytes:
    """Return a .safetensors file with these arrays: wide numbers first, then by their names.

    `about`: texts that say what they are. The same arrays and texts give the same bytes.
    """
    head: dict[str, Any] = {"__metadata__": dict(about)}
    parts, end = [], 0
    for name in sorted(weights, key=lambda name: (-weights[name].itemsize, name)):
        content = np.ascontiguousarray(weights[name]).tobytes()
        place = [end, end := end + len(content)]
        shape, code = list(weights[name].shape), CODES[weights[name].dtype.newbyteorder("<")]
        head[name] = {"dtype": code, "shape": shape, "data_offsets": place}
        parts.append(content)
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % LENGTH_BYTES)
    return b"".join([len(text).to_bytes(LENGTH_BYTES, "little"), text, *parts])


def from_safetensors(content: bytes) -> Weights:
    """Return the arrays of a .safetensors file, by their names.

    Raises:
        ValueError: it is no such file, or has a type that is not in DTYPES.
    """
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    head = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])
    numbers, weights = content[LENGTH_BYTES + length :], {}
    for name, entry in head.items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            flat = np.frombuffer(numbers[first:end], DTYPES[entry["dtype"]])
            weights[name] = flat.reshape(entry["shape"]).copy()
    return weights


def about(content: bytes) -> dict[str, str]:
    """Return the texts that a .safetensors file has about its arrays."""
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    texts = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])["__metadata__"]
    return {str(key): str(value) for key, value in texts.items()}


class _Storage:
    """The numbers that a tensor of a PyTorch file lies in: they come after all pickles."""

    def __init__(self, dtype: np.dtype[Any], key: str, count: int) -> None:
        """Keep what the pickle says of them."""
        self.dtype, self.key, self.count = dtype, key, count


class _Tensor:
    """What a PyTorch file says of a tensor: its storage, and where its numbers lie in it."""

    def __init__(
        self,
        storage: _Storage,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        *_: Any,
    ) -> None:
        """Keep it; what else is said, about gradients, is no part of the numbers."""
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides


class _Narrow(pickle.Unpickler):
    """An unpickler that knows a dict, a tensor and two kinds of storage, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the four things that may be named."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise ValueError(f"the weights' file names {module}.{name}, which weights don't need")

    def persistent_load(self, pid: Any) -> _Storage:
        """Return a storage: the pickle has its kind, key, device and count."""
        _, dtype, key, _, count, _ = pid
        return _Storage(dtype, key, count)


def from_torch(content: bytes) -> Weights:
    """Return the arrays of a dict of tensors that PyTorch saved before version 1.6.

    Raises:
        ValueError: it is no such file, or names anything but tensors.
    """
    stream = io.BytesIO(content)
    magic, protocol, system = (_Narrow(stream).load() for _ in range(3))
    if (magic, protocol) != (TORCH_MAGIC, TORCH_PROTOCOL) or not system["little_endian"]:
        raise ValueError("this is no file of PyTorch's older form")
    tensors, keys = _Narrow(stream).load(), _Narrow(stream).load()
    kinds = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    numbers = {}
    for key in keys:
        count = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        raw = stream.read(count * kinds[key].itemsize)
        numbers[key] = np.frombuffer(raw, kinds[key])
    return {sys.intern(name): _array(tensor, numbers) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, numbers: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return a tensor's numbers in its shape: entry i, j is number offset + i s_0 + j s_1."""
    places = np.full(tensor.shape, tensor.offset)
    for steps, stride in zip(np.indices(tensor.shape), tensor.strides, strict=True):
        places += steps * stride
    return numbers[tensor.storage.key][places]
