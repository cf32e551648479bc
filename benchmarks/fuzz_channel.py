"""Throws malformed frames at the decoder: `python -m benchmarks.fuzz_channel --frames 100000`.

Frames are valid ones, damaged: bits flipped, bytes cut, added, moved and taken from elsewhere,
lengths that lie, types exchanged, lists in lists in lists. A part is made up from nothing by
Hypothesis. The process limits its own memory and processor time first, so a decoder that hangs or
makes room for what was only announced ends it. Nothing but a CodecError may come of a frame.

The frame at work stands in the file `--at` (its length in 8 bytes, then its bytes), for who finds
this process dead.
"""

from __future__ import annotations

import argparse
import json
import mmap
import random
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from autograder.wire import codec
from autograder.wire.codec import HEADER, Caps, CodecError, Ref

SLOWEST = 2.0
"""Seconds of processor time that one frame may take."""
FRAME_ROOM = 8 << 20
HYPOTHESIS_SHARE = 50
"""Every so many frames one is Hypothesis's."""
SWOLLEN = 0.003
"""The share of frames of megabytes among those that could be: each takes as long as thousands."""
TYPES = bytes([*range(0x80, 0xA2), *range(0xC0, 0xE0)])
"""First bytes of lists, dicts, texts, extensions and numbers."""
LIES = (0, 1, 0x7F, 0xFF, 0x400, 0xFFFF, 0x30D40, 0x7FFFFFFF, 0xFFFFFFFF)


class Failure(Exception):
    """Something else than a value or a CodecError came of a frame."""


# Valid frames


def a_value(draw: random.Random, depth: int = 0) -> Any:
    """Return a random value as the channel carries them."""
    kinds = [*SCALARS, an_array, a_handle, *([a_list, a_tuple, a_dict] if depth < 5 else [])]
    return draw.choice(kinds)(draw, depth)


SCALARS: tuple[Callable[[random.Random, int], Any], ...] = (
    lambda draw, depth: draw.choice((None, True, False)),
    lambda draw, depth: draw.randint(-(2 ** draw.randint(0, 63)), 2 ** draw.randint(0, 64) - 1),
    lambda draw, depth: draw.choice((0.0, -0.5, 1e300, float("nan"), float("inf"))),
    lambda draw, depth: "é" * draw.choice((0, 3, 40, 300)),
)


def an_array(draw: random.Random, depth: int) -> np.ndarray:
    """Return a small array of any dtype that may cross."""
    shape = [draw.randint(0, 4) for _ in range(draw.randint(0, 4))]
    return np.zeros(shape, draw.choice(list(codec.DTYPES)))


def a_handle(draw: random.Random, depth: int) -> Ref:
    """Return a handle."""
    return Ref(draw.randint(0, 2**40), "Linear")


def a_list(draw: random.Random, depth: int) -> list[Any]:
    """Return a list: mostly short, now and then of many small parts."""
    if draw.random() < 0.05:
        return [draw.randint(-40, 70_000) for _ in range(draw.choice((300, 2000)))]
    return [a_value(draw, depth + 1) for _ in range(draw.randint(0, 4))]


def a_tuple(draw: random.Random, depth: int) -> tuple[Any, ...]:
    """Return a short tuple."""
    return tuple(a_list(draw, depth + 1))


def a_dict(draw: random.Random, depth: int) -> dict[Any, Any]:
    """Return a short dict."""
    keys = (draw.choice(("W", "b", draw.randint(0, 300))) for _ in range(draw.randint(0, 4)))
    return {key: a_value(draw, depth + 1) for key in keys}


def a_frame(draw: random.Random) -> bytes:
    """Return a valid answer."""
    answer = [draw.getrandbits(63), draw.random() < 0.9, a_value(draw)]
    return b"".join(codec.encode(answer))


# Damage. Each takes a frame's body and buffers and what to draw with, and changes them in place.


def flip(part: bytearray, draw: random.Random) -> None:
    """Flip a bit."""
    part[draw.randrange(len(part))] ^= 1 << draw.randrange(8)


def exchange(part: bytearray, draw: random.Random) -> None:
    """Write the first byte of another type somewhere."""
    part[draw.randrange(len(part))] = draw.choice(TYPES)


def cut(part: bytearray, draw: random.Random) -> None:
    """Take out a few bytes, or all that comes after a place."""
    start = draw.randrange(len(part))
    del part[start : start + draw.choice((1, 2, 5, len(part)))]


def add(part: bytearray, draw: random.Random) -> None:
    """Put in a few bytes, often ones that begin something."""
    start = draw.randint(0, len(part))
    part[start:start] = bytes(draw.choice(TYPES) for _ in range(draw.choice((1, 2, 9))))


def repeat(part: bytearray, draw: random.Random) -> None:
    """Repeat a stretch, up to some hundred times."""
    start = draw.randrange(len(part))
    piece = part[start : start + draw.randint(1, 12)]
    part[start:start] = piece * draw.choice((1, 3, 40, 400))


def swell(part: bytearray, draw: random.Random) -> None:
    """Repeat a stretch until the body is as large as may be, or a little larger."""
    if draw.random() < SWOLLEN:
        piece = part[draw.randrange(len(part)) :][: draw.randint(1, 12)] or b"\x90"
        claim = b"\xdd" + struct.pack(">I", draw.choice((199_000, 200_001, 2**32 - 1)))
        part[:] = claim + piece * (draw.choice((199_000, 2_000_000)) // len(piece))


def lie(part: bytearray, draw: random.Random) -> None:
    """Announce a long list, dict, text, or extension; often many in each other."""
    first, width = draw.choice(
        ((0xDD, ">I"), (0xDF, ">I"), (0xDB, ">I"), (0xC9, ">I"), (0xDC, ">H"))
    )
    size = draw.choice(LIES) & (0xFFFF if width == ">H" else 0xFFFFFFFF)
    claim = bytes([first]) + struct.pack(width, size)
    start = draw.randint(0, len(part))
    part[start:start] = claim * draw.choice((1, 1, 1, 2, 20, 200))


def nest(part: bytearray, draw: random.Random) -> None:
    """Put everything into many lists, or into tuples."""
    if draw.random() < 0.5:
        part[:0] = b"\x91" * draw.choice((14, 15, 16, 17, 100, 3000))
        return
    for _ in range(draw.choice((1, 15, 17, 30))):
        tuple_of_it = msgpack.packb(msgpack.ExtType(codec.TUPLE, b"\x91" + bytes(part)))
        part[:] = tuple_of_it


DAMAGE = (flip, flip, exchange, exchange, cut, add, repeat, lie, nest, swell)


def damaged(draw: random.Random, stock: list[bytes]) -> bytes:
    """Return a frame with some damage; mostly the header fits it, so that it gets further."""
    frame = draw.choice(stock)
    size = HEADER.unpack_from(frame)[0]
    body = bytearray(frame[HEADER.size : HEADER.size + size])
    buffers = bytearray(frame[HEADER.size + size :])
    if draw.random() < 0.1:  # the beginning of one, the end of another
        other = draw.choice(stock)
        body[draw.randint(0, len(body)) :] = other[draw.randint(HEADER.size, len(other)) :]
    for _ in range(draw.choice((1, 1, 2, 5))):
        part = buffers if buffers and draw.random() < 0.1 else body
        if part:
            draw.choice(DAMAGE)(part, draw)
    if draw.random() < 0.05:
        return HEADER.pack(draw.choice(LIES), draw.getrandbits(64)) + body + buffers
    return HEADER.pack(len(body), len(buffers)) + body + buffers


def frames(seed: int) -> Iterator[bytes]:
    """Yield damaged frames without end, the same for a seed."""
    draw = random.Random(seed)
    stock = [a_frame(draw) for _ in range(400)]
    while True:
        frame = damaged(draw, stock)
        if len(frame) < FRAME_ROOM - 8:
            yield frame


# Frames from nothing


def from_nothing(seed: int, count: int, judge: Callable[[bytes], None]) -> None:
    """Have Hypothesis make up bodies from the format's own pieces and judge each."""
    import hypothesis
    from hypothesis import strategies as st

    sizes = st.sampled_from(LIES) | st.integers(0, 40)
    firsts = st.sampled_from(TYPES).map(lambda byte: bytes([byte]))
    long = st.builds(lambda first, size: first + struct.pack(">I", size), firsts, sizes)
    head = st.builds(
        lambda code, data: bytes(msgpack.packb(msgpack.ExtType(code, data))),
        st.sampled_from((codec.ARRAY, codec.TUPLE, codec.HANDLE, 9)),
        st.binary(max_size=12),
    )
    bodies = st.lists(firsts | long | head | st.binary(max_size=4), min_size=1, max_size=12)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(bodies.map(b"".join), st.binary(max_size=16))
    def each(body: bytes, buffers: bytes) -> None:
        judge(HEADER.pack(len(body), len(buffers)) + body + buffers)

    each()


# The run


def read(frame: bytes) -> Any:
    """Decode a frame as the examiner does. Raises CodecError."""
    body, buffers = codec.check_header(frame[: HEADER.size], Caps())
    if HEADER.size + body + buffers != len(frame):
        raise CodecError("the lengths in the header are not those of the frame")
    end = HEADER.size + body
    return codec.decode(frame[HEADER.size : end], bytearray(frame[end:]), lambda ref: ref)


class Judge:
    """Decodes frame after frame and counts."""

    def __init__(self, at: Path):
        at.write_bytes(bytes(FRAME_ROOM))
        with at.open("r+b") as file:
            self._at = mmap.mmap(file.fileno(), FRAME_ROOM)
        self.refused = self.decoded = self.largest = 0
        self.slowest = 0.0

    def __call__(self, frame: bytes) -> None:
        """Decode one frame. Raises Failure where something else than a CodecError comes of it."""
        self._at[: 8 + len(frame)] = struct.pack("<Q", len(frame)) + frame
        self.largest = max(self.largest, len(frame))
        started = time.process_time()
        try:
            read(frame)
            self.decoded += 1
        except CodecError:
            self.refused += 1
        except BaseException as error:
            raise Failure(f"{type(error).__name__}: {error}; frame {frame.hex()}") from error
        lasted = time.process_time() - started
        self.slowest = max(self.slowest, lasted)
        if lasted > SLOWEST:
            raise Failure(f"{lasted:.1f} s of processor time; frame {frame.hex()}")


def limit(megabytes: int, seconds: int) -> None:
    """Allow this process so much more memory than it has now, and so much processor time."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + (megabytes << 20),) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(wanted: int, seed: int, at: Path, megabytes: int, seconds: int) -> dict[str, Any]:
    """Decode frames until so many were refused; return the figures."""
    judge = Judge(at)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limit(megabytes, seconds)
    started = time.process_time()
    from_nothing(seed, wanted // HYPOTHESIS_SHARE, judge)
    source = frames(seed)
    while judge.refused < wanted:
        judge(next(source))
    return {
        "seed": seed,
        "frames": judge.refused + judge.decoded,
        "refused": judge.refused,
        "decoded": judge.decoded,
        "seconds": round(time.process_time() - started, 1),
        "slowest_ms": round(1000 * judge.slowest, 1),
        "largest_bytes": judge.largest,
        "more_memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    }


def main() -> None:
    """Run with the limits given and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_channel", description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="so many must be refused")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at", type=Path, default=Path("/dev/shm/fuzz-channel-frame"))
    parser.add_argument("--megabytes", type=int, default=96, help="of memory on top of the start's")
    parser.add_argument("--seconds", type=int, default=600, help="of processor time")
    options = parser.parse_args()
    try:
        figures = run(options.frames, options.seed, options.at, options.megabytes, options.seconds)
    except Failure as failure:
        sys.exit(f"seed {options.seed}: {failure}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
