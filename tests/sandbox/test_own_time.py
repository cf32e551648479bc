"""Time in which the grader itself did not run is charged to nobody.

Clocks are played: they jump where a process would have been stopped. Real signals on a real
terminal are in tests/commands/test_stopping.py.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox import own_time
from autograder.sandbox.client import Channel
from autograder.sandbox.own_time import STALL_SECONDS, STEP_SECONDS, OwnTime
from autograder.wire import codec

LONG_STOP = 10_000.0


class Played:
    """A clock that goes on by `step` seconds with each look, and as far as it is told to."""

    def __init__(self, step: float = 0.0):
        self.step, self.time, self.looks = step, 0.0, 0

    def __call__(self) -> float:
        self.time += self.step
        self.looks += 1
        return self.time


def test_a_stop_is_left_out_and_counted() -> None:
    played = Played()
    clock = OwnTime(played)
    began = clock.begin()
    for stops in range(1, 4):
        played.time += LONG_STOP
        assert clock.now() - began == pytest.approx(stops * STEP_SECONDS)
        assert clock.stalls == stops


def test_ordinary_steps_are_charged_in_full() -> None:
    clock = OwnTime(Played(STALL_SECONDS / 2))
    began = clock.begin()
    for _ in range(100):
        ended = clock.now()
    assert ended - began == pytest.approx(50 * STALL_SECONDS)
    assert clock.stalls == 0


def test_time_between_two_waits_is_no_stop() -> None:
    played = Played()
    clock = OwnTime(played)
    played.time += LONG_STOP
    began = clock.begin()
    assert (began, clock.now(), clock.stalls) == (LONG_STOP, LONG_STOP, 0)


# A channel


class Guard:
    """Stands for the sandbox; calls `look` each time it is asked to check the limits."""

    def __init__(self, look) -> None:
        self.output, self._end = os.pipe()
        self.watch = look

    def drain(self) -> None:
        os.read(self.output, 1 << 16)

    def died(self) -> Fault:
        return Fault(Verdict.CRASH, "the worker is gone")

    def close(self) -> None:
        os.close(self.output)
        os.close(self._end)


def ask(clock: OwnTime, look, answers: threading.Event, seconds: float):
    """Ask a peer that answers once it may; return the answer."""
    ours, theirs = socket.socketpair()
    guard = Guard(look)

    def peer() -> None:
        header = theirs.recv(codec.HEADER.size, socket.MSG_WAITALL)
        body, buffers = codec.HEADER.unpack(header)
        data = theirs.recv(body + buffers, socket.MSG_WAITALL)
        number = codec.decode(data[:body], bytearray(data[body:]), lambda ref: ref)[0]
        if answers.wait(60):
            theirs.sendall(b"".join(codec.encode([number, True, "late"])))

    thread = threading.Thread(target=peer)
    thread.start()
    channel = Channel(ours, guard, clock=clock)
    try:
        return channel.request("call", seconds=seconds)
    finally:
        answers.set()
        thread.join()
        channel.close()
        theirs.close()
        guard.close()


def test_a_worker_that_answers_after_a_stop_is_in_time() -> None:
    """The stop is far longer than the limit, and the answer comes only after it."""
    played, answers = Played(STEP_SECONDS / 10), threading.Event()

    def look() -> None:
        if not answers.is_set():
            played.time += LONG_STOP
            answers.set()

    clock = OwnTime(played)
    assert ask(clock, look, answers, LONG_STOP / 2) == (True, "late")
    assert clock.stalls == 1


def test_a_worker_that_gives_no_answer_runs_out_of_time_after_a_stop_too() -> None:
    played = Played(STALL_SECONDS / 4)
    clock = OwnTime(played)
    stopped: list[bool] = []

    def look() -> None:
        if not stopped:
            stopped.append(True)
            played.time += LONG_STOP

    with pytest.raises(Fault) as caught:
        ask(clock, look, threading.Event(), 5.0)
    assert caught.value.verdict is Verdict.TIMEOUT
    assert clock.stalls == 1


# A program that is run for us


def test_a_program_that_ends_is_told_of() -> None:
    done = own_time.run([sys.executable, "-c", "print('yes')"], 60.0)
    assert (done.returncode, done.stdout) == (0, b"yes\n")


def test_a_program_that_does_not_end_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        own_time.run([sys.executable, "-c", "while True: pass"], 0.2)


# A real stop


STOPPED = """
import sys, time
from autograder.sandbox.own_time import OwnTime
clock = OwnTime()
began = clock.begin()
print("begun", flush=True)
while not clock.stalls and clock.now() - began < 60:
    time.sleep(0.05)
print(clock.stalls, clock.now() - began < 60, flush=True)
"""


def test_a_process_notices_that_it_was_stopped() -> None:
    """Its clock has left out the stop, however long the machine took for it."""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(2 * STALL_SECONDS)
        process.send_signal(signal.SIGCONT)
        stalls, in_time = process.stdout.read().split()
    assert int(stalls) >= 1
    assert in_time == "True"
