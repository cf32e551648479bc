"""One script of a submission, run in a sandbox by the grader's clock until it ends or is ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.channel.faults import InfraError
from autograder.records import Verdict

from .launch import Launch
from .limits import resident_bytes, tree
from .process import CLOSE_SECONDS, Confinement, wait_until_gone

SLICE = 0.2
LOOK = 1.0
"""Seconds between two looks at memory and at the folder that the script writes to."""

KEPT = 64 << 10


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    verdict: PASS where the script ended by itself with status 0, else why not, with a `message`;
    None where it was stopped by `stop`. seconds: wall-clock time; said: the end of its output.
    """

    verdict: Verdict | None
    message: str
    seconds: float
    said: str


def run_script(
    confinement: Confinement,
    launch: Callable[[int], Launch],
    *,
    seconds: float,
    folder: Path,
    folder_mb: int,
    stop: threading.Event,
    tell: Callable[[float], None] = lambda seconds: None,
) -> Ended:
    """Run a script for at most `seconds`; return how it ended. Nothing of it is left running.

    `launch` gets the descriptor for the output. The script may fill `folder` with up to
    `folder_mb`. `tell` is told about once a second how long it has run. Raises InfraError where
    the sandbox can't be started.
    """
    output, write_end = os.pipe()
    os.set_blocking(output, False)
    started = time.monotonic()
    wanted = launch(write_end)
    try:
        process = confinement.start(wanted)
    except OSError as error:
        os.close(output)
        raise InfraError(f"the sandbox could not be started: {error}") from error
    finally:
        os.close(write_end)
    watch = _Watch(process, wanted, output, folder, folder_mb)
    try:
        while process.poll() is None:
            watch.read(SLICE)
            lasted = time.monotonic() - started
            if stop.is_set():
                return Ended(None, "", lasted, watch.said())
            if lasted > seconds:
                message = f"It was still running after {seconds / 60:.3g} minutes."
                return Ended(Verdict.TIMEOUT, message, lasted, watch.said())
            fault = watch.look(lasted, tell)
            if fault:
                return Ended(*fault, lasted, watch.said())
        watch.read(0)
        return Ended(*_ending(process.returncode), time.monotonic() - started, watch.said())
    finally:
        _end(process)
        os.close(output)


class _Watch:
    """Reads what a running script prints, and looks at what it uses."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        launch: Launch,
        output: int,
        folder: Path,
        folder_mb: int,
    ):
        self._process, self._limits, self._output = process, launch.limits, output
        self._folder, self._folder_mb = folder, folder_mb
        self._kept = bytearray()
        self._printed = 0
        self._next = 0.0

    def read(self, seconds: float) -> None:
        """Read what was printed, waiting up to `seconds` for it."""
        ready, _, _ = select.select([self._output], [], [], seconds)
        while ready:
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                time.sleep(seconds / 4)  # it closed its output and runs on
                return
            self._printed += len(data)
            self._kept += data
            del self._kept[:-KEPT]

    def look(self, lasted: float, tell: Callable[[float], None]) -> tuple[Verdict, str] | None:
        """Say which limit is passed, if one is."""
        if lasted < self._next:
            return None
        self._next = lasted + LOOK
        tell(lasted)
        limits = self._limits
        if self._printed > limits.output_kb << 10:
            return Verdict.OUTPUT, f"It printed more than {limits.output_kb} kB."
        memory = limits.training_memory_mb
        if memory and resident_bytes(tree(self._process.pid)) > memory << 20:
            return Verdict.MEMORY, f"It used more than {memory} MB of memory."
        if _size(self._folder) > self._folder_mb << 20:
            return Verdict.OUTPUT, f"It wrote more than {self._folder_mb} MB into its folder."
        return None

    def said(self) -> str:
        return bytes(self._kept).decode("utf-8", "replace")


def _size(folder: Path) -> int:
    """Return how many bytes the files below a folder take on disk. Links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it may have gone between two looks
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


def _ending(code: int) -> tuple[Verdict, str]:
    """Put an exit status into a verdict; bubblewrap gives 128 + the signal's number for one."""
    if code == 0:
        return Verdict.PASS, ""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        return Verdict.CRASH, f"Its process was ended by signal {name}."
    return Verdict.RAISED, f"It ended with exit status {code}."


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill everything that runs in the sandbox, whatever signals it ignores; wait until gone."""
    inside = tree(process.pid)
    for pid in inside:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    wait_until_gone(inside, CLOSE_SECONDS)
