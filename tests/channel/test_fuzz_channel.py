"""A hundred thousand malformed frames: no crash, no hang, no allocation over the cap."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle
from autograder.records import Verdict
from autograder.sandbox import client
from autograder.sandbox.client import Channel
from autograder.wire import codec
from benchmarks import fuzz_channel

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_261_128
FRAMES = 100_000
MEGABYTES = 96
"""What decoding may take on top of a frame of up to 2 MB, Hypothesis's own memory included."""
SECONDS = 120


@pytest.mark.prove
def test_a_hundred_thousand_malformed_frames_are_refused(tmp_path):
    """In a process of its own: what takes too much memory or time ends that one, not this one."""
    at = tmp_path / "frame"
    command = [sys.executable, "-m", "benchmarks.fuzz_channel", "--frames", str(FRAMES)]
    command += ["--seed", str(SEED), "--at", str(at), "--megabytes", str(MEGABYTES)]
    done = subprocess.run(
        [*command, "--seconds", str(SECONDS)],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=5 * SECONDS,
        check=False,
    )
    said = done.stderr.strip()[-4000:]
    assert done.returncode == 0, f"seed {SEED}: {said or 'dead'}; at work on {frame_in(at)}"
    figures = json.loads(done.stdout)
    assert figures["refused"] >= FRAMES
    assert figures["decoded"] > 0, "none was only nearly malformed"
    assert figures["largest_bytes"] > 1 << 20, "none was large"
    assert figures["more_memory_mb"] <= MEGABYTES


def frame_in(at: Path) -> str:
    """Return the frame at which a fuzzing process ended, in hexadecimal digits."""
    data = at.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    return data[8 : 8 + size].hex()


class Broken(Exception):
    """What a decoder raises that has a mistake."""


@pytest.mark.parametrize("error", [Broken("no"), MemoryError(), RecursionError(), SystemExit(0)])
def test_the_fuzzer_notices_anything_but_a_codec_error(tmp_path, monkeypatch, error):
    def broken(*arguments):
        raise error

    monkeypatch.setattr(codec, "decode", broken)
    judge = fuzz_channel.Judge(tmp_path / "frame")
    frame = b"".join(codec.encode([1, True, None]))
    with pytest.raises(fuzz_channel.Failure, match=frame.hex()):
        judge(frame)
    assert frame_in(tmp_path / "frame") == frame.hex()


def test_the_fuzzer_notices_room_made_for_what_was_only_announced(tmp_path):
    """Its limit of memory holds: 100 lists that claim 200,000 entries each take 160 MB at once."""
    program = (
        "from benchmarks.fuzz_channel import limit\n"
        f"limit({MEGABYTES}, 60)\n"
        "lists = [[None] * 200_000 for _ in range(100)]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_frames_are_the_same_for_a_seed():
    first, again, other = (
        list(islice(fuzz_channel.frames(seed), 500)) for seed in (SEED, SEED, SEED + 1)
    )
    assert first == again
    assert first != other


# Through a socket

THROUGH_A_SOCKET = 3000
PATIENT = 20.0


class Guard:
    """Stands for the sandbox of a worker that prints nothing."""

    def __init__(self) -> None:
        self.output, self.printing = os.pipe()

    def drain(self) -> None:
        raise AssertionError("nothing was printed")

    def watch(self) -> None:
        pass

    def died(self) -> Fault:
        return Fault(Verdict.CRASH, "the worker is gone")


def answer_in_pieces(theirs: socket.socket, frame: bytes, seed: int) -> None:
    """Send a frame, cut anywhere, and hang up."""
    draw = random.Random(seed)
    try:
        while frame:
            size = draw.choice((1, 3, 12, 13, 500, len(frame)))
            theirs.sendall(frame[:size])
            frame = frame[size:]
        theirs.shutdown(socket.SHUT_WR)
    except OSError:
        theirs.close()  # the examiner has hung up


def test_malformed_answers_over_a_socket_end_in_a_fault(monkeypatch):
    number = 2**62 + 5
    monkeypatch.setattr(client.secrets, "randbits", lambda bits: number)
    draw, guard = random.Random(SEED), Guard()
    values = [fuzz_channel.a_value(draw) for _ in range(200)]
    stock = [b"".join(codec.encode([number, True, value])) for value in values]
    ends: Counter[str] = Counter()
    for index in range(THROUGH_A_SOCKET):
        frame = fuzz_channel.damaged(draw, stock)
        ends[end_of(guard, frame, index)] += 1
    os.close(guard.output)
    os.close(guard.printing)
    assert ends["violation"] > THROUGH_A_SOCKET / 2
    assert set(ends) <= {"violation", "crash", "a value"}, "only these, and in time"


def end_of(guard: Guard, frame: bytes, seed: int) -> str:
    """Ask a peer that answers with this frame; return how that ended."""
    ours, theirs = socket.socketpair()
    peer = threading.Thread(target=answer_in_pieces, args=(theirs, frame, seed))
    channel = Channel(ours, guard)
    peer.start()
    try:
        channel.request(
            "get", seconds=PATIENT, from_ref=lambda ref: Handle(ref, lambda *request: None)
        )
        return "a value"
    except Fault as fault:
        return str(fault.verdict) if fault.fatal else f"not fatal: {frame.hex()}"
    finally:
        channel.close()
        peer.join()
        theirs.close()
