"""What a worker writes when nobody asked, or in another measure than it said, ends in a fault."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox.client import Channel
from autograder.sandbox.waiting import readable
from autograder.wire import codec

PATIENT = 10.0
SHORT = 0.3


class Guard:
    """Stands for the sandbox."""

    def __init__(self) -> None:
        self.output, self.printing = os.pipe()
        os.set_blocking(self.output, False)
        self.drains = 0

    def drain(self) -> None:
        self.drains += 1
        os.read(self.output, 1 << 16)

    def watch(self) -> None:
        pass

    def died(self) -> Fault:
        return Fault(Verdict.CRASH, "the worker is gone")


@pytest.fixture
def pair():
    """Yield a channel, the worker's end of it, and the guard."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENT)
    guard = Guard()
    yield Channel(ours, guard, codec.Caps(body=10_000, buffers=1 << 20)), theirs, guard
    ours.close()
    theirs.close()
    os.close(guard.output)
    if guard.printing >= 0:
        os.close(guard.printing)


def frame_of(value) -> bytes:
    return b"".join(codec.encode(value))


def ask(channel: Channel, *arguments, seconds: float = PATIENT) -> Fault:
    """Return the fault that a request ends with; the channel is over after it."""
    with pytest.raises(Fault) as caught:
        channel.request("get", *arguments, seconds=seconds)
    assert caught.value.fatal
    with pytest.raises(Fault) as again:
        channel.request("get", seconds=seconds)
    assert again.value is caught.value
    return caught.value


WRITTEN_AHEAD = {
    "a whole answer": frame_of([1, True, None]),
    "two": 2 * frame_of([1, True, None]),
    "no answer at all": b"\xff" * 5000,
    "zeros": bytes(5000),
    "an empty frame": codec.HEADER.pack(0, 0),
    "an answer without its number": frame_of([None, True, None]),
    "a header over the caps": codec.HEADER.pack(10_001, 0),
    "a header of too many array bytes": codec.HEADER.pack(10, (1 << 20) + 1),
    "a header of all that there is": codec.HEADER.pack(2**32 - 1, 2**64 - 1),
}


@pytest.mark.parametrize("ahead", WRITTEN_AHEAD.values(), ids=WRITTEN_AHEAD.keys())
@pytest.mark.parametrize("argument", [None, np.zeros(100_000)], ids=["small", "large"])
def test_a_worker_that_writes_ahead_violates_the_protocol(pair, ahead, argument):
    """Also where the request is so large that the worker has to read while we write."""
    channel, theirs, _ = pair
    theirs.sendall(ahead)
    reader = threading.Thread(target=read_all, args=(theirs,))
    reader.start()
    fault = ask(channel, argument)
    channel.close()
    reader.join()
    assert fault.verdict is Verdict.VIOLATION


def read_all(theirs: socket.socket) -> None:
    try:
        while theirs.recv(1 << 16):
            pass
    except OSError:
        return


def answer_later(theirs: socket.socket, make) -> threading.Thread:
    """Read a request in a thread and send what `make` gives for its number."""

    def run() -> None:
        header = theirs.recv(codec.HEADER.size)
        body, _ = codec.HEADER.unpack(header)
        number = codec.decode(theirs.recv(body), bytearray(), lambda ref: ref)[0]
        for piece in make(number):
            theirs.sendall(piece)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_beginning_of_an_answer_written_ahead_gains_nothing(pair):
    """It has to be finished with the number of the request, which nobody can know before it."""
    channel, theirs, _ = pair
    right = frame_of([2**62, True, "ahead"])
    theirs.sendall(right[:14])  # the header, and that a list of three and a long number follow
    number = right[14:22]
    assert number == (2**62).to_bytes(8, "big")
    thread = answer_later(theirs, lambda number: [number.to_bytes(8, "big"), right[22:]])
    channel._socket.setblocking(False)
    assert channel.request("get", seconds=PATIENT) == (True, "ahead")
    thread.join()


@pytest.mark.parametrize("extra", [b"\0", b"x" * 100_000, frame_of([1, True, None])])
@pytest.mark.parametrize("size", [0, 20_000], ids=["a short answer", "a long one"])
def test_what_follows_an_answer_is_noticed_then_or_at_the_next_request(pair, extra, size):
    channel, theirs, _ = pair
    thread = answer_later(theirs, lambda n: [frame_of([n, True, np.zeros(size, "u1")]) + extra])
    with suppress(Fault):  # it is noticed then, or at the next request
        assert channel.request("get", seconds=PATIENT)[0]
    reader = threading.Thread(target=read_all, args=(theirs,))
    reader.start()
    fault = ask(channel, seconds=SHORT)
    channel.close()
    thread.join()
    reader.join()
    # A lone byte looks like the beginning of a frame that never comes.
    assert fault.verdict in (Verdict.VIOLATION, Verdict.TIMEOUT)


@pytest.mark.parametrize(
    ("body", "buffers"),
    [(-1, 0), (1, 0), (0, -1), (0, 1), (0, 8), (-1, 1), (1, -1)],
)
def test_a_header_that_says_another_size_than_what_follows_is_found_out(pair, body, buffers):
    channel, theirs, _ = pair

    def lying(number: int):
        header, packed, *rest = codec.encode([number, True, np.zeros(3)])
        sizes = codec.HEADER.unpack(header)
        yield codec.HEADER.pack(sizes[0] + body, sizes[1] + buffers)
        yield bytes(packed) + b"".join(rest)

    thread = answer_later(theirs, lying)
    fault = ask(channel, seconds=SHORT)
    thread.join()
    assert fault.verdict in (Verdict.VIOLATION, Verdict.TIMEOUT)
    if body + buffers <= 0:
        assert fault.verdict is Verdict.VIOLATION, "all that was announced has come"


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_a_frame_that_comes_byte_by_byte_has_one_deadline(pair, pause):
    channel, theirs, _ = pair

    def trickle(number: int):
        for byte in frame_of([number, True, np.zeros(2000)]):
            time.sleep(pause)
            yield bytes([byte])

    if not pause:
        thread = answer_later(theirs, trickle)
        assert channel.request("get", seconds=PATIENT)[0]
        thread.join()
        return
    thread = threading.Thread(target=quietly, args=(theirs, trickle(1)))
    thread.start()
    started = time.monotonic()
    fault = ask(channel, seconds=SHORT)
    assert time.monotonic() - started < PATIENT / 2
    channel.close()
    thread.join()
    assert fault.verdict is Verdict.TIMEOUT


def quietly(theirs: socket.socket, pieces) -> None:
    try:
        for piece in pieces:
            theirs.sendall(piece)
    except OSError:
        return  # the examiner has hung up


def test_an_output_that_nobody_holds_any_more_keeps_nobody_busy(pair):
    """A worker may close its standard output: poll reports that again and again."""
    channel, _, guard = pair
    os.write(guard.printing, b"the last words")
    os.close(guard.printing)
    guard.printing = -1
    used = time.process_time()
    fault = ask(channel, seconds=1.0)
    assert fault.verdict is Verdict.TIMEOUT
    assert guard.drains == 1, "what was printed before is read"
    assert time.process_time() - used < 0.5
    assert readable(guard.output, seconds=0), "it is at its end"
