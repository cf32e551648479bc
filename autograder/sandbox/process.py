"""One running sandbox: starting it, fresh workers in it, its output, its limits, its end."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Mapping
from typing import Any, Protocol

from autograder.channel.endings import fault_of_ending
from autograder.channel.faults import Fault, InfraError
from autograder.records import Verdict
from autograder.sandbox.cgroup import Events
from autograder.sandbox.client import POLL_SECONDS, Channel
from autograder.sandbox.launch import Folder, Launch
from autograder.sandbox.limits import Limits, tree, usage
from autograder.sandbox.running import Running
from autograder.wire.codec import Caps
from autograder.worker.sandboxed.main import CONTROL, IMPORT, READY, REAP, SPAWN
from autograder.worker.week_drivers import NO_FOLDERS, WeekFolders

START_SECONDS = 30.0
EARLY_SECONDS = 0.03
IMPORT_SECONDS = 2.0
REAP_SECONDS = 2.0
SPARE_THREADS = 16
"""Threads that are not the submission's: bubblewrap's, the parent's, the waiting worker's."""

KEPT_OUTPUT = 64 << 10
TRAINING_CAPS = Caps(buffers=256 << 20)


class Confinement(Protocol):
    """A way of starting workers: a rung of the ladder, A to D.

    `layers` are what it is made of, in words; `name` is recorded with every result. `own_uid` is
    the user that student code runs as, where that isn't the grader's own.
    """

    rung: str
    layers: tuple[str, ...]
    confined: bool

    @property
    def name(self) -> str: ...

    @property
    def own_uid(self) -> int | None: ...

    def place(self, folder: Folder) -> str: ...

    def start(self, launch: Launch) -> Running: ...


class Sandbox:
    """A ready parent in its confinement, which forks a fresh worker for each test.

    Raises InfraError when it can't be started. When the parent is gone or doesn't answer any more,
    the whole sandbox is `broken`: the caller closes it and starts another.
    """

    def __init__(
        self,
        confinement: Confinement,
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        tests: str | None = None,
        with_pytest: bool = False,
        packages: tuple[str, ...] = (),
        folders: tuple[Folder, ...] = (),
        gpus: tuple[str, ...] = (),
        week: WeekFolders = NO_FOLDERS,
    ):
        self.limits = limits
        self.broken = False
        self.reap_seconds = REAP_SECONDS
        self._large = False
        self._unread = 0
        self._spare: socket.socket | None = None
        self._channel: Channel | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.output, write_end = os.pipe()
        os.set_blocking(self.output, False)
        self.kept = bytearray()
        self._printed = 0
        try:
            launch = Launch(
                files,
                limits,
                theirs.fileno(),
                write_end,
                tests,
                with_pytest,
                packages,
                folders,
                gpus,
                week=week,
            )
            self._running = confinement.start(launch)
        except OSError as error:
            self._control.close()
            os.close(self.output)
            raise InfraError(f"the sandbox could not be started: {error}") from error
        finally:
            theirs.close()
            os.close(write_end)
        self._seen = Events()
        self._await_ready()
        self._admit()

    def _await_ready(self) -> None:
        # Moving processes into a cgroup waits in the kernel for 10 ms and more: while they start,
        # that costs nothing. Whoever is not there yet comes into it with its parent, or below.
        select.select([self._control], [], [], EARLY_SECONDS)
        with contextlib.suppress(OSError):  # one of them has ended, which will be seen
            self._running.admit()
        self._control.settimeout(START_SECONDS)
        try:
            ready = self._control.recv(len(READY))
        except OSError:
            ready = b""
        if ready != READY:
            self.drain_all()
            self.close()
            said = bytes(self.kept).decode(errors="replace").strip().splitlines()
            said = said[:1] + said[1:][-1:]  # a program's own first word, a traceback's last
            raise InfraError(f"the sandbox did not get ready: {' ... '.join(said) or 'no word'}")

    def _admit(self) -> None:
        """Let the kernel's limits hold: now, when all that runs is ours and waits."""
        try:
            self._running.admit()
        except OSError as error:
            self.close()
            raise InfraError(f"the sandbox could not be limited: {error}") from error

    def import_modules(self, seed: int) -> bool:
        """Have the parent import the student's modules (or compile their tests), for all workers.

        False says that this can't be done with this submission: its import doesn't end, ends the
        process, prints without end, or starts threads. The sandbox is then broken.
        """
        try:
            self._control.sendall(CONTROL.pack(IMPORT, seed))
            self.broken = not self._answers(time.monotonic() + IMPORT_SECONDS)
        except (OSError, Fault):
            self.broken = True
        self.kept.clear()
        return not self.broken

    def _answers(self, deadline: float) -> bool:
        """Wait for the parent to say that it is ready, reading output meanwhile."""
        while (left := deadline - time.monotonic()) > 0:
            watched: list[Any] = [self._control, self.output]
            ready, _, _ = select.select(watched, [], [], min(POLL_SECONDS, left))
            if self._control in ready:
                return self._control.recv(len(READY)) == READY
            if self.output in ready:
                self.drain()
            self.watch()
        return False

    def fresh(self, seed: int, *, large: bool = False) -> Channel:
        """End the worker there is and return a channel to a new one.

        `seed` is for numpy's global generator; `large` gives the worker the memory of a training
        run. Raises InfraError when the ready parent doesn't answer, whoever's fault that is.
        """
        self.end_worker(wait=large != self._large)
        if self.broken:
            raise InfraError("the sandbox does not answer any more")
        if large != self._large:
            self._limit_memory(large)
        if self._seen != Events():
            self._struck()  # whatever the kernel did up to now is not the next test's
        self.drain_all()
        self._printed = 0
        self.kept.clear()
        waiting = self._spare or self._fork()
        self._spare = None
        self._channel = Channel(waiting, self, TRAINING_CAPS if large else None)
        try:
            self._channel.begin(seed, large=large, seconds=self.limits.request_seconds)
        except Fault as fault:
            self.broken = True
            raise InfraError(f"the worker is gone before its test: {fault.message}") from fault
        self._spare = self._fork()
        return self._channel

    def _limit_memory(self, large: bool) -> None:
        self._large = large
        try:
            self._running.limit_memory(self._memory_mb)
        except OSError as error:
            self.broken = True
            raise InfraError(f"the sandbox could not be limited anew: {error}") from error

    @property
    def _memory_mb(self) -> int:
        """What all its processes together may use now."""
        return self.limits.training_memory_mb if self._large else self.limits.memory_mb

    def _fork(self) -> socket.socket:
        """Have the parent fork a worker; return our end of the channel to it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            socket.send_fds(self._control, [CONTROL.pack(SPAWN, 0)], [theirs.fileno()])
        except OSError as error:
            ours.close()
            self.broken = True
            raise InfraError(f"the sandbox is gone: {error}") from error
        finally:
            theirs.close()
        return ours

    def end_worker(self, *, wait: bool = True) -> int | None:
        """Kill the worker and all it started; return its wait status, None if nobody answered.

        Without `wait` the killing goes on while the examiner does something else; a later call
        takes the answer.
        """
        if self.broken:
            return None
        status = None
        self._control.settimeout(self.reap_seconds)
        try:
            if self._channel is not None:
                self._take_answers()
                self._channel.close()
                self._channel = None
                self._control.sendall(CONTROL.pack(REAP, 0))
                self._unread += 1
            if wait:
                status = self._take_answers()
        except OSError:
            self.broken = True
        return None if self.broken else status

    def _take_answers(self) -> int | None:
        """Read the statuses that are still to come; return the last one. Raises OSError."""
        status = None
        while self._unread:
            answer = self._control.recv(4)
            if len(answer) != 4:
                raise ConnectionError("the ready parent is gone")
            self._unread -= 1
            status = int.from_bytes(answer, "little", signed=True)
        return status

    # What a channel asks of its guard while it waits.

    def drain(self) -> None:
        """Read what was printed. Raises Fault (OUTPUT) when a test printed more than it may."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return
        self._printed += len(data)
        self.kept += data[: max(0, KEPT_OUTPUT - len(self.kept))]
        if self._printed > self.limits.output_kb << 10:
            raise Fault(
                Verdict.OUTPUT,
                f"Your code printed more than {self.limits.output_kb} kB in one test.",
            )

    def drain_all(self) -> None:
        """Read all that was printed up to now, without judging it; no more than a test may."""
        most = self._printed + (self.limits.output_kb << 10)
        while self._printed <= most:
            try:
                data = os.read(self.output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            self._printed += len(data)
            self.kept += data[: max(0, KEPT_OUTPUT - len(self.kept))]

    def processes(self) -> list[int]:
        """Return the process ids, as this side sees them, of everything in the sandbox."""
        return tree(self._running.pid)

    def watch(self) -> None:
        """Look at all processes together. Raises Fault when they hold too much, or are too many."""
        limits = self.limits
        used = usage(self.processes())
        if fault := self._struck():
            raise fault
        if used.memory > self._memory_mb << 20:
            raise Fault(Verdict.MEMORY, _too_much(self._memory_mb))
        if used.threads > limits.processes + SPARE_THREADS:
            raise Fault(Verdict.VIOLATION, TOO_MANY)
        if self._running.written() > 2 * limits.file_mb << 20:
            most = 2 * limits.file_mb
            raise Fault(Verdict.OUTPUT, f"Your code wrote more than {most} MB into files.")

    def _struck(self) -> Fault | None:
        """Say what the kernel had to do to its processes since this was last asked, if anything."""
        before, self._seen = self._seen, self._running.events()
        if self._seen.killed > before.killed:
            return Fault(Verdict.MEMORY, _too_much(self._memory_mb))
        return Fault(Verdict.VIOLATION, TOO_MANY) if self._seen.refused > before.refused else None

    def died(self) -> Fault:
        """Say why the channel is closed: how the worker ended."""
        status = self.end_worker()
        if fault := self._struck():
            return fault
        if status is None:
            return Fault(Verdict.CRASH, "Your code brought down all processes of its sandbox.")
        return fault_of_ending(os.waitstatus_to_exitcode(status))

    def close(self) -> None:
        """Kill everything in the sandbox, and wait until it is gone."""
        for end in (self._channel, self._spare):
            if end is not None:
                end.close()
        self._channel = self._spare = None
        self._running.kill()
        self._control.close()
        os.close(self.output)


TOO_MANY = "Your code started more processes or threads than it may."


def _too_much(megabytes: int) -> str:
    return f"Your code used more than {megabytes} MB of memory."
