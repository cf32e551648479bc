"""The examiner's end of a channel takes well-formed answers in time, and nothing else.

The peer is a thread with the other end of a socket pair, and does what a hostile worker would.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager

import msgpack
import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox.client import Channel
from autograder.wire import codec

PATIENT = 10.0
"""Seconds that no test needs: only a hang would."""

SHORT = 0.3


class Guard:
    """Stands for the sandbox: notes what it is asked, and can be told to complain."""

    def __init__(self) -> None:
        self.output, self.printing = os.pipe()
        os.set_blocking(self.output, False)
        self.looks = 0
        self.read = 0
        self.too_much_memory = self.too_much_output = False

    def drain(self) -> None:
        self.read += len(os.read(self.output, 1 << 16))
        if self.too_much_output:
            raise Fault(Verdict.OUTPUT, "too much output")

    def watch(self) -> None:
        self.looks += 1
        if self.too_much_memory:
            raise Fault(Verdict.MEMORY, "too much memory")

    def died(self) -> Fault:
        return Fault(Verdict.CRASH, "the worker is gone")

    def close(self) -> None:
        os.close(self.output)
        os.close(self.printing)


class Peer:
    """The worker's end: reads requests, and sends whatever it is told to."""

    def __init__(self, sock: socket.socket, guard: Guard, over: threading.Event):
        self.socket, self.guard, self.over = sock, guard, over
        self.reader = sock.makefile("rb")

    def request(self) -> list:
        """Read one request; return [number, operation, arguments]."""
        header = self.reader.read(codec.HEADER.size)
        body, buffers = codec.HEADER.unpack(header)
        data = self.reader.read(body)
        return codec.decode(data, bytearray(self.reader.read(buffers)), lambda ref: ref)

    def answer(self, value) -> None:
        """Answer the next request."""
        self.send([self.request()[0], True, value])

    def send(self, value) -> None:
        self.socket.sendall(b"".join(codec.encode(value)))


@contextmanager
def channel_to(behaviour: Callable[[Peer], None], caps: codec.Caps | None = None):
    """Yield a channel whose peer behaves like that, and its guard; close both ends afterwards."""
    ours, theirs = socket.socketpair()
    guard, over = Guard(), threading.Event()
    errors: list[Exception] = []

    def run() -> None:
        try:
            behaviour(Peer(theirs, guard, over))
        except OSError:
            pass  # the examiner has hung up on it
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    channel = Channel(ours, guard, caps)
    try:
        yield channel, guard
    finally:
        over.set()
        channel.close()
        theirs.shutdown(socket.SHUT_RDWR)
        thread.join()
        theirs.close()
        guard.close()
    assert not errors


def ask(channel: Channel, *arguments, seconds: float = PATIENT):
    return channel.request("get", *arguments, seconds=seconds)


def fault_of(behaviour, *arguments, seconds=PATIENT, caps=None) -> Fault:
    """Return the fault that a request to such a peer ends with; later ones end with it as well."""
    with channel_to(behaviour, caps) as (channel, _):
        with pytest.raises(Fault) as caught:
            ask(channel, *arguments, seconds=seconds)
        with pytest.raises(Fault) as again:
            ask(channel)
    assert again.value is caught.value
    assert caught.value.fatal
    return caught.value


# Answers


def test_a_request_arrives_and_its_answer_comes_back():
    asked = []

    def echo(peer: Peer) -> None:
        for _ in range(2):
            number, *rest = peer.request()
            asked.append(rest)
            peer.send([number, True, rest[1]])

    array = np.arange(6.0).reshape(2, 3)
    with channel_to(echo) as (channel, _):
        done, value = ask(channel, 1, "two")
        assert (done, value) == (True, [1, "two"])
        _, [received] = ask(channel, array)
    assert np.array_equal(received, array)
    assert asked[0] == ["get", [1, "two"]]


def test_a_large_array_goes_both_ways():
    def echo(peer: Peer) -> None:
        number, _, [array] = peer.request()
        peer.send([number, True, array])

    array = np.random.default_rng(0).normal(size=(1000, 1000))
    with channel_to(echo) as (channel, _):
        assert np.array_equal(ask(channel, array)[1], array)


def test_an_answer_in_pieces_is_put_together():
    def piecemeal(peer: Peer) -> None:
        frame = b"".join(codec.encode([peer.request()[0], True, np.arange(50.0)]))
        for start in range(0, len(frame), 7):
            peer.socket.sendall(frame[start : start + 7])

    with channel_to(piecemeal) as (channel, _):
        assert np.array_equal(ask(channel)[1], np.arange(50.0))


def test_request_numbers_cannot_be_guessed():
    numbers = []

    def note(peer: Peer) -> None:
        for _ in range(20):
            numbers.append(peer.request()[0])
            peer.send([numbers[-1], False, None])

    with channel_to(note) as (channel, _):
        assert [ask(channel) for _ in range(20)] == [(False, None)] * 20
    assert len({number for number in numbers if number.bit_length() > 40}) == 20


# Forged and malformed ones


@pytest.mark.parametrize("other", [1, True, 1.0, "1", None, [1]], ids=repr)
def test_an_answer_to_another_request_is_a_violation(other):
    def forge(peer: Peer) -> None:
        peer.request()
        peer.send([other, True, None])

    fault = fault_of(forge)
    assert fault.verdict is Verdict.VIOLATION
    assert "never made" in fault.message


NO_ANSWERS = [
    lambda number: None,
    lambda number: number,
    lambda number: [],
    lambda number: [number, True],
    lambda number: [number, True, None, None],
    lambda number: (number, True, None),
    lambda number: {0: number, 1: True, 2: None},
    lambda number: [number, 1, None],
    lambda number: [np.array(number), True, None],
    lambda number: [number, None, None],
    lambda number: [number, np.array(True), None],
]


@pytest.mark.parametrize("make", NO_ANSWERS)
def test_an_answer_of_another_form_is_a_violation(make):
    fault = fault_of(lambda peer: peer.send(make(peer.request()[0])))
    assert fault.verdict is Verdict.VIOLATION


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\xff" * 40, msgpack.packb(b"bytes"), b"\x91" * 5000 + b"\xc0"]
)
def test_what_is_no_message_is_a_violation(body):
    def forge(peer: Peer) -> None:
        peer.request()
        peer.socket.sendall(codec.HEADER.pack(len(body), 0) + body)

    fault = fault_of(forge)
    assert fault.verdict is Verdict.VIOLATION
    assert "malformed" in fault.message


def test_data_after_the_answer_is_a_violation():
    def chatter(peer: Peer) -> None:
        number = peer.request()[0]
        frame = b"".join(codec.encode([number, True, 1]))
        peer.socket.sendall(frame + b"and more")

    fault = fault_of(chatter)
    assert fault.verdict is Verdict.VIOLATION
    assert "nobody asked for" in fault.message


def test_a_second_answer_is_a_violation_at_the_next_request():
    def twice(peer: Peer) -> None:
        number = peer.request()[0]
        peer.send([number, True, np.zeros(20_000)])  # more than is read at a time
        peer.send([number, True, 2])

    with channel_to(twice) as (channel, _):
        assert ask(channel)[0]
        with pytest.raises(Fault) as caught:
            ask(channel)
    assert caught.value.verdict is Verdict.VIOLATION


def test_an_answer_sent_before_the_question_is_a_violation():
    sent = threading.Event()

    def eager(peer: Peer) -> None:
        peer.send([1, True, "ok"])
        sent.set()

    with channel_to(eager) as (channel, _):
        sent.wait()
        with pytest.raises(Fault) as caught:
            ask(channel)
    assert caught.value.verdict is Verdict.VIOLATION


@pytest.mark.parametrize(("body", "buffers"), [(2**32 - 1, 0), (100, 2**63), (100, 1 << 40)])
def test_an_oversized_header_is_refused_before_anything_is_allocated(body, buffers):
    def boast(peer: Peer) -> None:
        peer.request()
        peer.socket.sendall(codec.HEADER.pack(body, buffers))
        peer.over.wait()

    tracemalloc.start()
    fault = fault_of(boast)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault.verdict is Verdict.VIOLATION
    assert "over the limit" in fault.message
    assert peak < 8 << 20


# Deadlines


def timed_out(behaviour, *arguments) -> Fault:
    """Return the fault of a request with a short deadline, which must have ended it."""
    started = time.monotonic()
    fault = fault_of(behaviour, *arguments, seconds=SHORT)
    assert SHORT <= time.monotonic() - started < PATIENT
    assert fault.verdict is Verdict.TIMEOUT
    return fault


def test_silence_is_a_timeout():
    fault = timed_out(lambda peer: peer.over.wait())
    assert fault.message == "No answer within 0.3 seconds."


@pytest.mark.parametrize("start", [0, 5, codec.HEADER.size, 60])
def test_one_byte_at_a_time_is_a_timeout(start):
    """The deadline holds for the whole exchange, wherever in the frame the trickle begins."""

    def trickle(peer: Peer) -> None:
        frame = b"".join(codec.encode([peer.request()[0], True, np.zeros(1000)]))
        peer.socket.sendall(frame[:start])
        for byte in frame[start:]:
            peer.socket.sendall(bytes([byte]))
            if peer.over.wait(0.05):
                return

    timed_out(trickle)


def test_a_peer_that_never_reads_is_a_timeout():
    timed_out(lambda peer: peer.over.wait(), np.zeros(1_000_000))


def test_a_peer_that_talks_and_never_reads_is_a_timeout():
    def talk(peer: Peer) -> None:
        peer.socket.sendall(b"x" * 1000)
        peer.over.wait()

    timed_out(talk, np.zeros(1_000_000))


def test_endless_output_does_not_put_off_the_deadline():
    def print_on(peer: Peer) -> None:
        while not peer.over.wait(0.001):
            os.write(peer.guard.printing, b"line\n")

    timed_out(print_on)


def test_no_time_left_is_a_timeout():
    fault = fault_of(lambda peer: peer.answer(1), seconds=0.0)
    assert fault.verdict is Verdict.TIMEOUT


# The end of the peer


@pytest.mark.parametrize("sent", [0, 1, codec.HEADER.size - 1, codec.HEADER.size, 30, 400, -1])
def test_the_end_of_the_peer_is_a_crash_wherever_it_comes(sent):
    def break_off(peer: Peer) -> None:
        frame = b"".join(codec.encode([peer.request()[0], True, np.zeros(100)]))
        peer.socket.sendall(frame[:sent])
        peer.socket.shutdown(socket.SHUT_RDWR)

    fault = fault_of(break_off)
    assert fault.verdict is Verdict.CRASH
    assert fault.message == "the worker is gone"


@pytest.mark.parametrize("argument", [1, np.zeros(2_000_000)], ids=["small", "large"])
def test_a_peer_that_is_gone_already_is_a_crash(argument):
    gone = threading.Event()

    def leave(peer: Peer) -> None:
        peer.socket.shutdown(socket.SHUT_RDWR)
        gone.set()

    with channel_to(leave) as (channel, _):
        gone.wait()
        with pytest.raises(Fault) as caught:
            ask(channel, argument)
    assert caught.value.verdict is Verdict.CRASH


# The guard


def test_output_is_read_while_waiting():
    def chatty(peer: Peer) -> None:
        number = peer.request()[0]
        for _ in range(30):  # more than a pipe holds
            os.write(peer.guard.printing, b"x" * 10_000)
        peer.send([number, True, None])

    with channel_to(chatty) as (channel, guard):
        assert ask(channel) == (True, None)
        assert guard.read >= 300_000 - (64 << 10)


def hog(peer: Peer) -> None:
    peer.guard.too_much_memory = True
    peer.over.wait()


def hog_and_print(peer: Peer) -> None:
    peer.guard.too_much_memory = True
    while not peer.over.wait(0.005):
        os.write(peer.guard.printing, b"x")


def hog_and_trickle(peer: Peer) -> None:
    peer.guard.too_much_memory = True
    for byte in b"".join(codec.encode([peer.request()[0], True, np.zeros(10_000)])):
        peer.socket.sendall(bytes([byte]))
        if peer.over.wait(0.005):
            return


def print_too_much(peer: Peer) -> None:
    peer.guard.too_much_output = True
    os.write(peer.guard.printing, b"x")
    peer.over.wait()


@pytest.mark.parametrize("behaviour", [hog, hog_and_print, hog_and_trickle])
def test_the_guard_watches_whatever_the_peer_does_meanwhile(behaviour):
    assert fault_of(behaviour).verdict is Verdict.MEMORY


def test_the_guards_complaint_about_output_ends_the_request():
    assert fault_of(print_too_much).verdict is Verdict.OUTPUT
