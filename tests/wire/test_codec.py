"""The wire format carries values exactly, and answers anything else with a CodecError."""

from __future__ import annotations

import struct
import tracemalloc

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.wire import codec
from autograder.wire.codec import ARRAY, HANDLE, TUPLE, Caps, CodecError, Ref

many = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
DTYPES = [np.dtype(name) for name in codec.DTYPES]
BIG_ENDIAN = [dtype.newbyteorder(">") for dtype in DTYPES if dtype.itemsize > 1]

arrays = hnp.arrays(
    dtype=st.sampled_from(DTYPES + BIG_ENDIAN),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | texts
    | st.builds(Ref, st.integers(0, 2**40), texts)
)
keys = texts | st.integers(-(2**63), 2**64 - 1)
values = st.recursive(
    scalars | arrays,
    lambda part: (
        st.lists(part, max_size=4)
        | st.lists(part, max_size=4).map(tuple)
        | st.dictionaries(keys, part, max_size=4)
    ),
    max_leaves=12,
)


class Thing:
    """An object that isn't a value."""


def frame(value, to_ref=None) -> tuple[bytes, bytes]:
    """Return the body and the array buffers of a value's frame, as a reader has them."""
    header, body, *buffers = codec.encode(value, to_ref)
    joined = b"".join(buffers)
    assert codec.check_header(header, Caps()) == (len(body), len(joined))
    return body, joined


def read(body, buffers=b""):
    """Decode; handles stay what crossed."""
    return codec.decode(body, bytearray(buffers), lambda ref: ref)


def crossed(value, to_ref=None):
    return read(*frame(value, to_ref))


def same(one, other) -> bool:
    """Tell whether two values are the same: type by type, bit by bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        little = one.dtype.newbyteorder("<")
        return (
            little == other.dtype
            and one.shape == other.shape
            and one.astype(little).tobytes() == other.tobytes()
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (one != one and other != other)
    return one == other


# What crosses


@many
@given(values)
def test_every_value_arrives_as_it_was(value):
    assert same(value, crossed(value))


@pytest.mark.parametrize("depth", [1, codec.MAX_DEPTH - 1])
@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"in": v}])
def test_nesting_up_to_the_limit_arrives(depth, wrap):
    value = np.arange(3.0)
    for _ in range(depth):
        value = wrap(value)
    assert same(value, crossed(value))


def test_arrays_arrive_in_c_order_whatever_their_strides():
    base = np.arange(24.0).reshape(4, 6)
    for view in (base.T, base[::-1], base[:, ::2], np.asfortranarray(base), base[1:1]):
        assert same(np.ascontiguousarray(view), crossed(view))


def test_arrays_arrive_writable_and_apart_from_each_other():
    first, second = crossed([np.zeros(3), np.zeros(3)])
    first[:] = 1.0
    assert not second.any()


@pytest.mark.parametrize(
    ("scalar", "value"),
    [(np.float32(0.5), 0.5), (np.int8(-3), -3), (np.bool_(True), True), (np.uint64(2**63), 2**63)],
)
def test_numpy_scalars_arrive_as_plain_numbers(scalar, value):
    assert same(value, crossed(scalar))


# What becomes a handle: subclasses and whatever isn't a value


class LyingFloat(float):
    pass


class LyingInt(int):
    pass


class LyingText(str):
    pass


class LyingArray(np.ndarray):
    pass


class LyingList(list):
    pass


class LyingDict(dict):
    pass


NOT_VALUES = [
    Thing(),
    LyingFloat(1.0),
    LyingInt(1),
    LyingText("a"),
    np.zeros(3).view(LyingArray),
    LyingList(),
    LyingDict(),
    np.array([None, 1], dtype=object),
    np.zeros(2, dtype=[("x", "f8")]),
    np.ma.masked_array([1.0, 2.0], mask=[0, 1]),
    np.array(["text"]),
    np.array([b"bytes"]),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
    np.complex128(1j),
    1j,
    2**64,
    -(2**63) - 1,
    b"bytes",
    {1, 2},
    range(3),
    {None: 1},
    {(1, 2): 3},
    dict.fromkeys(range(codec.MAX_KEYS + 1)),
    len,
]


@pytest.mark.parametrize("thing", NOT_VALUES, ids=lambda thing: type(thing).__name__)
def test_what_is_not_a_value_crosses_as_a_handle(thing):
    kept = []

    def to_ref(value):
        kept.append(value)
        return Ref(len(kept) - 1, type(value).__name__)

    assert crossed([thing], to_ref) == [Ref(0, type(thing).__name__)]
    assert kept[0] is thing


@pytest.mark.parametrize("thing", NOT_VALUES, ids=lambda thing: type(thing).__name__)
def test_without_handles_it_is_an_error(thing):
    with pytest.raises(CodecError, match="not a value that can be sent"):
        codec.encode({"in": [thing]})


def test_a_list_that_holds_itself_becomes_a_handle_in_the_end():
    endless: list = []
    endless.append(endless)
    value = crossed(endless, lambda thing: Ref(5))
    for _ in range(codec.MAX_DEPTH - 1):
        [value] = value
    assert value == Ref(5)


def test_the_name_of_a_type_is_cut():
    assert len(crossed(Ref(1, "x" * 5000)).type_name) == 60


# What a reader refuses


def extension(code, *parts) -> msgpack.ExtType:
    return msgpack.ExtType(code, msgpack.packb(list(parts)))


def nested(number: int, code: int | None = None):
    """Return a body of `number` lists (or tuples) in each other."""
    if code is None:
        return b"\x91" * number + b"\xc0"
    data = msgpack.packb([None])
    for _ in range(number):
        data = msgpack.packb([msgpack.ExtType(code, data)])
    return data


MALFORMED = {
    "nothing": b"",
    "two values": b"\xc0\xc0",
    "cut short": msgpack.packb([1, 2, 3])[:-1],
    "reserved byte": b"\xc1",
    "claims 4 billion entries": b"\xdd\xff\xff\xff\xff",
    "claims 4 billion keys": b"\xdf\xff\xff\xff\xff",
    "claims a long text": b"\xdb\x7f\xff\xff\xff",
    "text that isn't UTF-8": b"\xa2\xff\xfe",
    "bytes": msgpack.packb(b"bytes"),
    "a timestamp": msgpack.packb(msgpack.Timestamp(1)),
    "a list as a key": b"\x81\x90\xc0",
    "None as a key": b"\x81\xc0\xc0",
    "a number with a point as a key": msgpack.packb({1.5: None}),
    "a tuple as a key": msgpack.packb({extension(TUPLE, 1): None}),
    "an array as a key": msgpack.packb({extension(ARRAY, "<f8", [0]): None}),
    "a dict with too many keys": msgpack.packb(dict.fromkeys(range(codec.MAX_KEYS + 1))),
    "deep lists": nested(codec.MAX_DEPTH + 1),
    "very deep lists": nested(100_000),
    "deep tuples": nested(codec.MAX_DEPTH + 1, TUPLE),
    "an unknown extension": msgpack.packb(msgpack.ExtType(9, b"")),
    "a tuple of no list": msgpack.packb(msgpack.ExtType(TUPLE, msgpack.packb({}))),
    "an empty array head": msgpack.packb(msgpack.ExtType(ARRAY, b"")),
    "a long array head": msgpack.packb(extension(ARRAY, "<f8", [0] * 300)),
    "a handle in an array head": msgpack.packb(extension(ARRAY, "<f8", [extension(HANDLE, 1, "")])),
    "no shape": msgpack.packb(extension(ARRAY, "<f8")),
    "a shape that is a number": msgpack.packb(extension(ARRAY, "<f8", 3)),
    "nine dimensions": msgpack.packb(extension(ARRAY, "<f8", [0] * 9)),
    "a negative dimension": msgpack.packb(extension(ARRAY, "<f8", [-1])),
    "a dimension of 2**64 - 1": msgpack.packb(extension(ARRAY, "<f8", [0, 2**64 - 1])),
    "a product that overflows": msgpack.packb(extension(ARRAY, "<f8", [2**32, 2**32])),
    "an array without its bytes": msgpack.packb(extension(ARRAY, "<f8", [1])),
    "objects": msgpack.packb(extension(ARRAY, "|O", [0])),
    "structures": msgpack.packb(extension(ARRAY, "|V8", [0])),
    "text arrays": msgpack.packb(extension(ARRAY, "<U5", [0])),
    "big-endian": msgpack.packb(extension(ARRAY, ">f8", [0])),
    "a dtype in words": msgpack.packb(extension(ARRAY, "float64", [0])),
    "a dtype that is a number": msgpack.packb(extension(ARRAY, 8, [0])),
    "a negative handle": msgpack.packb(extension(HANDLE, -1, "")),
    "a handle that is True": msgpack.packb(extension(HANDLE, True, "")),
    "a handle that is text": msgpack.packb(extension(HANDLE, "1", "")),
    "a number as an array head": msgpack.packb(msgpack.ExtType(ARRAY, b"\x05")),
    "a dict as a handle's head": msgpack.packb(msgpack.ExtType(HANDLE, b"\x82\x01\xc0\xa0\xc0")),
    "a handle without a name": msgpack.packb(extension(HANDLE, 1)),
    "a handle named by a number": msgpack.packb(extension(HANDLE, 1, 2)),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_bodies_are_refused(body):
    with pytest.raises(CodecError):
        read(body)


@pytest.mark.parametrize("length", [True, 0.5, 1.0, None, "1", [1]], ids=repr)
def test_a_dimension_is_an_integer_even_where_the_bytes_are_there(length):
    for shape in ([length], [2, length], [0, length]):
        with pytest.raises(CodecError):
            read(msgpack.packb(extension(ARRAY, "<f8", shape)), bytes(16))
        with pytest.raises(CodecError):
            read(msgpack.packb(extension(ARRAY, "<f8", shape)), bytes(8))


def test_bytes_that_belong_to_no_array_are_refused():
    body, buffers = frame(np.zeros(3))
    with pytest.raises(CodecError, match="1 bytes of arrays belong to no array"):
        read(body, buffers + b"\0")
    with pytest.raises(CodecError, match="larger than the bytes sent"):
        read(body, buffers[:-1])


@pytest.mark.parametrize(
    "part", [b"\xc0", b"\x90", bytes(msgpack.packb(extension(HANDLE, 1, "")))], ids=repr
)
def test_too_many_parts_are_refused(part):
    rows = codec.MAX_NODES // 1000 + 1
    body = msgpack.Packer().pack_array_header(rows)
    body += rows * (msgpack.Packer().pack_array_header(1000) + 1000 * part)
    with pytest.raises(CodecError, match="too many"):
        read(body)


@pytest.mark.parametrize(
    "header",
    [
        codec.HEADER.pack(Caps().body + 1, 0),
        codec.HEADER.pack(0, Caps().buffers + 1),
        b"\xff" * codec.HEADER.size,
    ],
)
def test_a_header_over_a_cap_is_refused(header):
    with pytest.raises(CodecError, match="over the limit"):
        codec.check_header(header, Caps())


def test_a_header_at_the_caps_is_accepted():
    caps = Caps(body=10, buffers=20)
    assert codec.check_header(codec.HEADER.pack(10, 20), caps) == (10, 20)


# Anything at all


@many
@given(st.binary(max_size=200), st.binary(max_size=40))
def test_random_bytes_are_a_value_or_a_codec_error(body, buffers):
    try:
        value = read(body, buffers)
    except CodecError:
        return
    assert same(value, crossed(value))


@many
@given(values, st.data())
def test_a_damaged_frame_is_a_value_or_a_codec_error(value, data):
    body, buffers = frame(value)
    body, buffers = bytearray(body), bytearray(buffers)
    for _ in range(data.draw(st.integers(1, 4))):
        part = data.draw(st.sampled_from([body, buffers]))
        place = data.draw(st.integers(0, len(part)))
        how = data.draw(st.sampled_from(["change", "insert", "cut"]))
        new = data.draw(st.integers(0, 255))
        part[place : place + (how != "insert")] = b"" if how == "cut" else bytes([new])
    try:
        value = read(bytes(body), buffers)
    except CodecError:
        return
    assert same(value, crossed(value))


@many
@given(
    st.sampled_from([ARRAY, TUPLE, HANDLE]),
    st.lists(
        st.sampled_from([*codec.DTYPES, "|O", 8])
        | st.lists(st.integers(-3, 2**64 - 1) | st.none(), max_size=10)
        | st.integers(-3, 2**64 - 1),
        max_size=3,
    ),
    st.binary(max_size=64),
)
def test_random_extensions_are_a_value_or_a_codec_error(code, parts, buffers):
    try:
        value = read(msgpack.packb(extension(code, *parts)), buffers)
    except CodecError:
        return
    assert same(value, crossed(value))


BOMBS = {
    "headers that claim everything": b"\xdd\xff\xff\xff\xff" * 200,
    "lists that claim what is allowed": b"\xdd\x00\x03\x0d\x40" * 500,
    "dicts that claim what is allowed": b"\xdf\x00\x00\x04\x00" * 500,
    "a text that claims 4 GiB": b"\xdb\xff\xff\xff\xff" + b"x" * 100,
    "an extension that claims 4 GiB": b"\xc9\xff\xff\xff\xff\x01" + b"x" * 100,
    "an array that claims 2**61 entries": msgpack.packb(extension(ARRAY, "<f8", [2**61])),
    "an empty array of many rows": msgpack.packb(extension(ARRAY, "<f8", [2**40, 0])),
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_claims_do_not_allocate(body):
    tracemalloc.start()
    try:
        read(body)
    except CodecError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 64 << 20
