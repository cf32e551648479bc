"""The wire format of the value channel: msgpack for structure, raw buffers for arrays.

A frame is a 12-byte header (body length, buffer length), a msgpack body and the array buffers one
after the other, in the order in which the body names them. The format can say values and handles
and nothing else, so decoding runs no code that the other side chose. Every length is checked
against a cap before anything of that size is allocated.

This file is used on both sides. It needs numpy and msgpack only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np

from .scan import (
    ARRAY,
    HANDLE,
    MAX_DEPTH,
    MAX_HEAD,
    MAX_KEYS,
    MAX_NODES,
    MAX_TEXT,
    TUPLE,
    CodecError,
    Scan,
)

HEADER = struct.Struct("<IQ")
"""Length of the msgpack body in bytes, total length of the array buffers in bytes."""

DTYPES = {
    np.dtype(code).str: np.dtype(code)
    for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
}
"""The dtypes that may cross, by their little-endian name."""

MAX_DIMENSIONS = 8
MAX_ENTRIES = 1 << 28
"""Maximum number of entries of an array; dimensions of length 0 count as 1."""
MAX_NAME_CHARACTERS = 60
"""Maximum length of a handle's type name."""

MAX_UNSCANNED_BYTES = 1024
"""Bodies up to this size are decoded without a scan: at worst that builds 3 MB of objects."""

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Caps:
    """Maximum size of a body and of all array buffers together, in bytes."""

    body: int = 2 << 20
    buffers: int = 64 << 20


@dataclass(frozen=True)
class Ref:
    """A handle on the wire: the number of an object in the worker, and its type's name."""

    number: int
    type_name: str = ""


def encode(value: Any, to_ref: Callable[[Any], Ref] | None = None) -> list[bytes | memoryview]:
    """Return the frame of `value` as a list of chunks to be written in order.

    Types are checked exactly (`type(x) is ndarray`): a subclass is not a value. What is not a value
    is replaced by its handle from `to_ref`; without `to_ref` it raises CodecError. Arrays are sent
    in C order and little-endian.
    """
    buffers: list[memoryview] = []
    body = msgpack.packb(_plain(value, to_ref, buffers, 0), use_bin_type=True)
    size = sum(buffer.nbytes for buffer in buffers)
    return [HEADER.pack(len(body), size), body, *buffers]


def _plain(value: Any, to_ref: Callable[[Any], Ref] | None, buffers: list, depth: int) -> Any:
    """Convert `value` for msgpack and collect the array buffers."""
    kind = type(value)
    if kind is np.ndarray and value.dtype.newbyteorder("<").str in DTYPES:
        return _array(value, buffers)
    if kind in (float, bool, str, type(None)) or (kind is int and -(2**63) <= value < 2**64):
        return value
    if kind is Ref:
        return msgpack.ExtType(
            HANDLE, msgpack.packb([value.number, value.type_name[:MAX_NAME_CHARACTERS]])
        )
    if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in "biuf":
        return value.item()
    if depth < MAX_DEPTH - 1:
        if kind is list:
            return [_plain(part, to_ref, buffers, depth + 1) for part in value]
        if kind is tuple:
            parts = [_plain(part, to_ref, buffers, depth + 1) for part in value]
            return msgpack.ExtType(TUPLE, msgpack.packb(parts, use_bin_type=True))
        if kind is dict and len(value) <= MAX_KEYS and set(map(type, value)) <= {str, int}:
            return {key: _plain(part, to_ref, buffers, depth + 1) for key, part in value.items()}
    if to_ref is None:
        raise CodecError(f"a {kind.__name__} is not a value that can be sent")
    return _plain(to_ref(value), None, buffers, depth)


def _array(array: np.ndarray, buffers: list[memoryview]) -> msgpack.ExtType:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if little.nbytes:
        buffers.append(little.reshape(-1).view(np.uint8).data)
    return msgpack.ExtType(ARRAY, msgpack.packb([little.dtype.str, list(array.shape)]))


def check_header(header: bytes, caps: Caps) -> tuple[int, int]:
    """Return (body, buffers) lengths of a 12-byte header, or raise CodecError if over a cap."""
    body, buffers = HEADER.unpack(header)
    if body > caps.body:
        raise CodecError(f"a body of {body} bytes is over the limit of {caps.body}")
    if buffers > caps.buffers:
        raise CodecError(f"{buffers} bytes of arrays are over the limit of {caps.buffers}")
    return body, buffers


def decode(body: Buffer, buffers: Buffer, from_ref: Callable[[Ref], Any]) -> Any:
    """Decode one frame. Raises CodecError for anything the format does not allow.

    Arrays are writable views into `buffers`, which must not be used elsewhere afterwards; handles
    are made by `from_ref`.
    """
    if len(body) > MAX_UNSCANNED_BYTES:
        body = bytes(body)
        Scan(body).walk()
    decoder = _Decoder(buffers, from_ref)
    value = decoder.unpack(body)
    _check(value, 0)
    if decoder.offset != len(buffers):
        raise CodecError(f"{len(buffers) - decoder.offset} bytes of arrays belong to no array")
    return value


class _Decoder:
    """The state of one decoding: the offset of the next array's bytes, the nesting of tuples."""

    def __init__(self, buffers: Buffer, from_ref: Callable[[Ref], Any]):
        self.buffers = memoryview(buffers)
        self.from_ref = from_ref
        self.offset = 0
        self.depth = 0

    def unpack(self, data: Buffer) -> Any:
        size = len(data)
        try:
            return msgpack.unpackb(
                data,
                raw=False,
                strict_map_key=False,
                object_pairs_hook=_dict,
                ext_hook=self._extension,
                max_array_len=min(MAX_NODES, size),
                max_map_len=min(MAX_KEYS, size),
                max_str_len=min(MAX_TEXT, size),
                max_bin_len=0,
                max_ext_len=size,
            )
        except CodecError:
            raise
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
            raise CodecError(f"not a well-formed message ({type(error).__name__})") from None

    def _extension(self, code: int, data: bytes) -> Any:
        if code == ARRAY:
            return self._read_array(_small_list(data, 2))
        if code == HANDLE:
            number, name = _small_list(data, 2)
            if type(number) is not int or number < 0 or type(name) is not str:
                raise CodecError("not a well-formed handle")
            return self.from_ref(Ref(number, name))
        if code != TUPLE:
            raise CodecError(f"unknown extension {code}")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise CodecError("tuples nested too deeply")
        parts = self.unpack(data)
        self.depth -= 1
        if type(parts) is not list:
            raise CodecError("not a well-formed tuple")
        return tuple(parts)

    def _read_array(self, head: list) -> np.ndarray:
        name, shape = head
        dtype = DTYPES.get(name) if type(name) is str else None
        if dtype is None:
            raise CodecError("an array of a dtype that may not cross")
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS:
            raise CodecError("an array with too many dimensions")
        size, entries = dtype.itemsize, 1
        for length in shape:
            if type(length) is not int or length < 0:
                raise CodecError("an array with an impossible shape")
            size *= length
            entries *= length or 1
        if entries > MAX_ENTRIES:
            raise CodecError("an array with an absurd shape")
        if size > len(self.buffers) - self.offset:
            raise CodecError("an array larger than the bytes sent for it")
        raw = self.buffers[self.offset : self.offset + size]
        self.offset += size
        if dtype.kind == "b" and size and np.frombuffer(raw, np.uint8).max() > 1:
            raise CodecError("an array of truth values that holds something else")
        try:
            return np.frombuffer(raw, dtype).reshape(shape) if size else np.empty(shape, dtype)
        except ValueError:
            raise CodecError("an array with an impossible shape") from None


def _check(value: Any, depth: int) -> None:
    """Refuse what msgpack allows and the format doesn't: bytes, timestamps, deep nesting."""
    if depth > MAX_DEPTH:
        raise CodecError("a value nested too deeply")
    kind = type(value)
    if kind is list or kind is tuple:
        for part in value:
            _check(part, depth + 1)
    elif kind is dict:
        for part in value.values():
            _check(part, depth + 1)
    elif kind in (bytes, bytearray, msgpack.Timestamp):
        raise CodecError(f"a {kind.__name__} is not a value")


def _dict(pairs: list[tuple[Any, Any]]) -> dict[str | int, Any]:
    """Build a dict. Keys must be texts or integers, which is checked before they are hashed."""
    for key, _ in pairs:
        if type(key) not in (str, int):
            raise CodecError("a dict with a key that is neither a string nor an integer")
    value = dict(pairs)
    if len(value) != len(pairs):
        raise CodecError("a dict with a key that comes twice")
    return value


def _small_list(data: bytes, length: int) -> list:
    """Unpack the head of an array or a handle: a flat list of `length` parts."""
    if len(data) > MAX_HEAD:
        raise CodecError("the head of an array or handle is too long")
    try:
        head = msgpack.unpackb(
            data,
            raw=False,
            ext_hook=_no_extension,
            max_array_len=MAX_DIMENSIONS,
            max_map_len=0,
            max_str_len=4 * MAX_NAME_CHARACTERS,
            max_bin_len=0,
            max_ext_len=0,
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):
        raise CodecError("the head of an array or handle is not well formed") from None
    if type(head) is not list or len(head) != length:
        raise CodecError("the head of an array or handle has the wrong length")
    return head


def _no_extension(code: int, data: bytes) -> Any:
    raise CodecError(f"extension {code} inside a head")
