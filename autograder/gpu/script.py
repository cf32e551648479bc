"""The run of one script of a submission in a sandbox, with the grader's time limit."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.channel.faults import InfraError
from autograder.records import Verdict
from autograder.sandbox.launch import Launch
from autograder.sandbox.limits import folder_bytes, tree, usage
from autograder.sandbox.own_time import STEP_SECONDS, OwnTime
from autograder.sandbox.process import Confinement
from autograder.sandbox.running import Running
from autograder.sandbox.waiting import readable

SLICE = 0.2
START_SECONDS = 60.0
"""What importing PyTorch may take on a busy machine."""

LOOK = 1.0
"""Seconds between two checks of memory and of the size of the script's folder."""

KEPT = 64 << 10


@dataclass(frozen=True)
class Ended:
    """The end of a run.

    verdict: PASS if the script exited with status 0, None if it was stopped by `stop`, otherwise
    the reason, with a `message`. seconds: wall-clock time in which
    the grader ran; said: the end of its output.
    """

    verdict: Verdict | None
    message: str
    seconds: float
    said: str


def run_script(
    confinement: Confinement,
    launch: Callable[[int, int], Launch],
    *,
    seconds: float,
    folder: Path,
    folder_mb: int,
    stop: threading.Event,
    tell: Callable[[float], None] = lambda seconds: None,
) -> Ended:
    """Run a script for at most `seconds`; return its end. All its processes are killed.

    `launch` gets two descriptors: one to release the script, one for its output. The script may
    write up to `folder_mb` MiB into `folder`. `tell` gets the run time in seconds about once a
    second. Raises InfraError if the sandbox can't be started.
    """
    output, write_end = os.pipe()
    os.set_blocking(output, False)
    gate, theirs = socket.socketpair()
    clock = OwnTime()
    started = clock.begin()
    wanted = launch(theirs.fileno(), write_end)
    try:
        running = confinement.start(wanted)
    except OSError as error:
        os.close(output)
        gate.close()
        raise InfraError(f"the sandbox could not be started: {error}") from error
    finally:
        theirs.close()
        os.close(write_end)
    watch = _Watch(running, wanted, output, folder, folder_mb)
    try:
        _let_go(running, gate, clock)
        while (code := running.poll()) is None:
            clock.begin()  # a slow look at its folder is part of its time
            watch.read(SLICE)
            lasted = clock.now() - started
            if stop.is_set():
                return Ended(None, "", lasted, watch.said())
            if lasted > seconds:
                message = f"It was still running after {seconds / 60:.3g} minutes."
                return Ended(Verdict.TIMEOUT, message, lasted, watch.said())
            fault = watch.look(lasted, tell)
            if fault:
                return Ended(*fault, lasted, watch.said())
        watch.read(0)
        ending = watch.killed_for_memory() or _ending(code)
        return Ended(*ending, clock.now() - started, watch.said())
    finally:
        running.kill()
        os.close(output)


def _let_go(running: Running, gate: socket.socket, clock: OwnTime) -> None:
    """Apply the limits, then release the submission's code. Raises InfraError if that fails."""
    with gate:
        until = clock.now() + START_SECONDS
        try:
            while not readable(gate, seconds=STEP_SECONDS):
                if clock.now() > until:
                    raise TimeoutError("it does not get ready")
            if gate.recv(1):  # no data: it has ended already
                running.admit()
                gate.sendall(b"g")
        except OSError as error:
            raise InfraError(f"the sandbox could not be limited: {error}") from error


class _Watch:
    """Reads the output of a running script and checks its limits."""

    def __init__(
        self,
        running: Running,
        launch: Launch,
        output: int,
        folder: Path,
        folder_mb: int,
    ):
        self._running, self._limits, self._output = running, launch.limits, output
        self._folder, self._folder_mb = folder, folder_mb
        self._kept = bytearray()
        self._printed = 0
        self._next = 0.0

    def read(self, seconds: float) -> None:
        """Read the output, waiting up to `seconds` for it."""
        ready = readable(self._output, seconds=seconds)
        while ready:
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                time.sleep(seconds / 4)  # it closed its output but still runs
                return
            self._printed += len(data)
            self._kept += data
            del self._kept[:-KEPT]

    def look(self, lasted: float, tell: Callable[[float], None]) -> tuple[Verdict, str] | None:
        """Return verdict and message of an exceeded limit, if any; checked every LOOK seconds."""
        if lasted < self._next:
            return None
        self._next = lasted + LOOK
        tell(lasted)
        limits = self._limits
        if self._printed > limits.output_kb << 10:
            return Verdict.OUTPUT, f"It printed more than {limits.output_kb} kB."
        memory = limits.training_memory_mb
        if memory and usage(tree(self._running.pid)).memory > memory << 20:
            return self._too_much()
        if folder_bytes(self._folder) > self._folder_mb << 20:
            return Verdict.OUTPUT, f"It wrote more than {self._folder_mb} MB into its folder."
        return None

    def killed_for_memory(self) -> tuple[Verdict, str] | None:
        """Return the verdict and message if the kernel killed a process for its memory."""
        return self._too_much() if self._running.events().killed else None

    def _too_much(self) -> tuple[Verdict, str]:
        return Verdict.MEMORY, f"It used more than {self._limits.training_memory_mb} MB of memory."

    def said(self) -> str:
        return bytes(self._kept).decode("utf-8", "replace")


def _ending(code: int) -> tuple[Verdict, str]:
    """Return verdict and message for an exit status; bubblewrap exits with 128 + signal number."""
    if code == 0:
        return Verdict.PASS, ""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        return Verdict.CRASH, f"Its process was ended by signal {name}."
    return Verdict.RAISED, f"It ended with exit status {code}."
