"""Every cap of the decoder: what is just below it arrives, what is just above it is refused."""

from __future__ import annotations

import struct
import time
import tracemalloc

import msgpack
import numpy as np
import pytest

from autograder.wire import codec
from autograder.wire.codec import ARRAY, HANDLE, MAX_UNSCANNED_BYTES, TUPLE, Caps, CodecError, Ref
from autograder.wire.scan import MAX_OBJECTS, Scan

MEGABYTE = 1 << 20


def packed(value) -> bytes:
    return bytes(msgpack.packb(value))


def extension(code: int, *parts) -> msgpack.ExtType:
    return msgpack.ExtType(code, packed(list(parts)))


def many(count: int, part: bytes) -> bytes:
    """Return a list of so many equal parts."""
    return b"\xdd" + struct.pack(">I", count) + count * part


def rows(count: int, part: bytes, length: int = 1000) -> bytes:
    """Return so many parts in lists of 1000."""
    return many(count // length, many(length, part))


def read(body: bytes, buffers: bytes = b""):
    return codec.decode(body, bytearray(buffers), lambda ref: ref)


def refusal(body: bytes, buffers: bytes = b"") -> str:
    with pytest.raises(CodecError) as caught:
        read(body, buffers)
    return str(caught.value)


HANDLE_1 = packed(extension(HANDLE, 1, ""))
NO_ENTRIES = packed(extension(ARRAY, "<f8", [0]))
WIDE = "a" * (codec.MAX_TEXT - 4) + "\N{GRINNING FACE}"
"""A text of the largest size; it takes four times that, each character as wide as the last."""


def test_the_numbers_of_the_caps():
    """Whoever changes one should think of the others: together they bound what is built."""
    assert Caps() == Caps(body=2 * MEGABYTE, buffers=64 * MEGABYTE)
    assert (codec.MAX_DEPTH, codec.MAX_NODES, codec.MAX_KEYS) == (16, 50_000, 1024)
    assert (MAX_OBJECTS, codec.MAX_TEXT, codec.MAX_HEAD) == (8_192, MEGABYTE, 256)
    assert (codec.MAX_ENTRIES, codec.MAX_DIMENSIONS, MAX_UNSCANNED_BYTES) == (1 << 28, 8, 1024)


LARGEST = {
    "parts": rows(49_000, b"\x90"),
    "numbers": rows(49_000, b"\xcb" + bytes(8)),
    "a text": packed(WIDE),
    "keys": packed(dict.fromkeys(range(codec.MAX_KEYS))),
    "handles": many(MAX_OBJECTS, HANDLE_1),
    "arrays": many(MAX_OBJECTS, NO_ENTRIES),
    "depth": b"\x91" * codec.MAX_DEPTH + packed("x" * MAX_UNSCANNED_BYTES),
}


@pytest.mark.parametrize("body", LARGEST.values(), ids=LARGEST.keys())
def test_the_largest_of_each_kind_arrives_and_takes_little_memory(body):
    assert len(body) <= Caps().body
    tracemalloc.start()
    value = read(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert value is not None
    assert peak < 32 * MEGABYTE


TOO_MUCH = {
    "parts": (rows(201_000, b"\x90"), "too many parts"),
    "parts of tuples": (
        rows(201_000, packed(msgpack.ExtType(TUPLE, b"\x90"))),
        "too many parts",
    ),
    "a text": (packed(WIDE + "a"), "a text that is too long"),
    "keys": (packed(dict.fromkeys(range(codec.MAX_KEYS + 1))), "too many keys"),
    "handles": (many(MAX_OBJECTS + 1, HANDLE_1), "too many arrays and handles"),
    "arrays": (many(MAX_OBJECTS + 1, NO_ENTRIES), "too many arrays and handles"),
    "depth": (
        b"\x91" * (codec.MAX_DEPTH + 1) + packed("x" * MAX_UNSCANNED_BYTES),
        "nested too deeply",
    ),
    "a head": (
        packed(["x" * MAX_UNSCANNED_BYTES, msgpack.ExtType(ARRAY, bytes(codec.MAX_HEAD + 1))]),
        "head of an array or handle is too long",
    ),
    "an unknown extension": (
        packed(["x" * MAX_UNSCANNED_BYTES, msgpack.ExtType(9, b"")]),
        "unknown extension 9",
    ),
    "bytes": (packed(bytes(2 * MAX_UNSCANNED_BYTES)), "of an unknown type"),
    "a tuple of tuples without lists": (
        packed(
            [
                "x" * MAX_UNSCANNED_BYTES,
                msgpack.ExtType(TUPLE, packed(msgpack.ExtType(TUPLE, b"\x90"))),
            ]
        ),
        "not a well-formed tuple",
    ),
}


@pytest.mark.parametrize(("body", "says"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_one_more_of_each_kind_is_refused(body, says):
    assert says in refusal(body)


CLAIMS = {
    "lists in each other": b"\xdd" + struct.pack(">I", 50_000),
    "short lists in each other": b"\xdc\xff\xff",
    "dicts in each other": b"\xde\x04\x00",
    "a dict in lists": b"\x91\xdf\x00\x00\x04\x00",
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS.keys())
@pytest.mark.parametrize("size", [MAX_UNSCANNED_BYTES, 5000, 400_000])
def test_nothing_is_made_room_for_that_was_only_announced(claim, size):
    body = claim * (size // len(claim))
    tracemalloc.start()
    refusal(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MEGABYTE


def test_a_walk_builds_nothing_and_ends_early():
    """Four megabytes of empty lists: the walk ends at the part that is too many."""
    body = rows(4_000_000, b"\x90")
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(CodecError, match="too many parts"):
        Scan(body).walk()
    lasted = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEGABYTE
    assert lasted < 5.0


# What is too odd rather than too much


@pytest.mark.parametrize("padding", ["", "x" * MAX_UNSCANNED_BYTES], ids=["short", "long"])
@pytest.mark.parametrize(
    ("part", "says"),
    [
        (b"\x82\x01\xc0\x01\xc3", "a key that comes twice"),
        (b"\x82\xa1a\xc0\xa1a\xc3", "a key that comes twice"),
        (b"\x81" + packed(float("nan")) + b"\xc0", "neither a string nor an integer"),
        (b"\x81\xc3\xc0", "neither a string nor an integer"),
        (b"\x81\x90\xc0", "neither a string nor an integer"),
        (b"\x81" + HANDLE_1 + b"\xc0", "neither a string nor an integer"),
        (b"\xa2\xff\xfe", "not a well-formed message"),
        (b"\xa3\xed\xa0\x80", "not a well-formed message"),
        (packed(extension(ARRAY, "<f8", [0, 2**40])), "absurd shape"),
        (packed(extension(ARRAY, "<f8", [2**62, 0, 2**62])), "absurd shape"),
        (packed(extension(ARRAY, "|u1", [0, 2**28 + 1])), "absurd shape"),
        (packed(extension(HANDLE, 1, "x" * 300)), "too long"),
    ],
)
def test_odd_parts_are_refused_in_short_and_in_long_messages(part, says, padding):
    assert says in refusal(b"\x92" + packed(padding) + part)


def test_a_large_empty_array_of_a_sensible_shape_arrives():
    assert read(packed(extension(ARRAY, "<f8", [0, 2**20]))).shape == (0, 2**20)


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63)])
def test_the_largest_numbers_arrive_and_there_are_no_larger_ones(number):
    assert read(packed(number)) == number
    with pytest.raises(OverflowError):
        msgpack.packb(2**64)


@pytest.mark.parametrize("byte", [2, 0x80, 0xFF])
def test_truth_values_are_0_or_1(byte):
    """NumPy takes any byte for a truth value, and compares and adds up the bytes."""
    assert read(packed(extension(ARRAY, "|b1", [2])), b"\0\1").tolist() == [False, True]
    says = refusal(packed(extension(ARRAY, "|b1", [2])), bytes([1, byte]))
    assert "truth values" in says


def test_arrays_never_share_bytes():
    one = extension(ARRAY, "|u1", [4])
    first, second = read(packed([one, one]), bytes(range(8)))
    assert not np.shares_memory(first, second)
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 3], [4, 5, 6, 7])
    assert "larger than the bytes sent" in refusal(packed([one, one]), bytes(7))
    assert "belong to no array" in refusal(packed([one, one]), bytes(9))


def test_what_a_worker_may_send_is_never_more_than_what_is_accepted():
    """An answer that our own encoder made of a legal value isn't refused for being long."""
    values = [
        [0.5] * 49_000,
        ["é" * 1000] * 500,
        {f"key {n}": [Ref(n, "T" * 60)] for n in range(1000)},
        [np.zeros(3)] * 8_000,
        ((1, 2),) * 12_000,
    ]
    for value in values:
        header, body, *buffers = codec.encode([2**63, True, value])
        codec.check_header(header, Caps())
        assert type(read(body, b"".join(buffers))[2]) is type(value)
