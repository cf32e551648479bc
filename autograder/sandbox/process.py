"""One running sandbox: its start, a fresh worker for each test, output, limits and end."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Protocol

from autograder.channel.endings import fault_of_ending
from autograder.channel.faults import Fault, InfraError
from autograder.records import Verdict
from autograder.sandbox.cgroup import Events
from autograder.sandbox.client import POLL_SECONDS, Channel
from autograder.sandbox.launch import NO_FOLDERS, Folder, Launch
from autograder.sandbox.limits import Limits, tree, usage
from autograder.sandbox.own_time import OwnTime
from autograder.sandbox.running import Running
from autograder.sandbox.waiting import readable
from autograder.wire.codec import Caps
from autograder.worker.sandboxed.main import CONTROL, IMPORT, READY, REAP, SPAWN
from autograder.worker.week_drivers import WeekFolders

START_SECONDS = 30.0
EARLY_SECONDS = 0.03
IMPORT_SECONDS = 2.0
REAP_SECONDS = 2.0
SPARE_THREADS = 16
"""Threads allowed in addition: those of bubblewrap, the parent and the waiting worker."""

KEPT_OUTPUT = 64 << 10
TRAINING_CAPS = Caps(buffers=256 << 20)
NUMPY_CAPS = Caps(buffers=16 << 20)
"""For weeks without packages: their tests ask for far less, some of them many times over."""


class Confinement(Protocol):
    """A way of starting workers: one of the rungs A to D.

    `layers` describes its parts in words; `name` is recorded with every result. `own_uid` is the
    user that student code runs as, None for the grader's own user.
    """

    confined: bool

    @property
    def rung(self) -> str: ...

    @property
    def layers(self) -> tuple[str, ...]: ...

    @property
    def name(self) -> str: ...

    @property
    def own_uid(self) -> int | None: ...

    def place(self, folder: Folder) -> str: ...

    def start(self, launch: Launch) -> Running: ...


class Sandbox:
    """A ready parent in its confinement, which forks a fresh worker for each test.

    Raises InfraError if it can't be started. A sandbox whose parent has ended or doesn't answer is
    `broken`: the caller closes it and starts another. `clock` tells whether this process was
    stopped while it waited.
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
        clock: OwnTime | None = None,
    ):
        self.limits = limits
        self.clock = clock or OwnTime()
        self.broken = False
        self.reap_seconds = REAP_SECONDS
        self._caps = None if packages else NUMPY_CAPS
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
        # Moving processes into a cgroup takes 10 ms or more, so it is done while they start. Later
        # children of these processes start in the cgroup; `_admit` adds any that are missing.
        readable(self._control, seconds=EARLY_SECONDS)
        with contextlib.suppress(OSError):  # a process has ended; `recv` below shows it
            self._running.admit()
        self._control.settimeout(START_SECONDS)  # for what is sent
        try:
            ready = self._hear(len(READY), START_SECONDS)
        except OSError:
            ready = b""
        if ready != READY:
            self.drain_all()
            self.close()
            said = bytes(self.kept).decode(errors="replace").strip().splitlines()
            said = said[:1] + said[1:][-1:]  # the first line, and a traceback's last
            raise InfraError(f"the sandbox did not get ready: {' ... '.join(said) or 'no word'}")

    def _admit(self) -> None:
        """Put all processes under the cgroup's limits before any student code runs.

        Raises InfraError if that fails.
        """
        try:
            self._running.admit()
        except OSError as error:
            self.close()
            raise InfraError(f"the sandbox could not be limited: {error}") from error

    def import_modules(self, seed: int) -> bool:
        """Have the parent import the student's modules (or compile their tests), for all workers.

        Returns False, with the sandbox broken, if the import doesn't end within IMPORT_SECONDS,
        ends the process, exceeds a limit or starts threads.
        """
        try:
            self._control.sendall(CONTROL.pack(IMPORT, seed))
            self.broken = not self._answers(self.clock.begin() + IMPORT_SECONDS)
        except (OSError, Fault):
            self.broken = True
        self.kept.clear()
        return not self.broken

    def _answers(self, deadline: float) -> bool:
        """Wait until the parent reports that it is ready; read output meanwhile. Raises Fault."""
        while (left := deadline - self.clock.now()) > 0:
            ready = readable(self._control, self.output, seconds=min(POLL_SECONDS, left))
            if self._control in ready:
                return self._control.recv(len(READY)) == READY
            if self.output in ready:
                self.drain()
            self.watch()
        return False

    def fresh(self, seed: int, *, large: bool = False) -> Channel:
        """End the current worker and return a channel to a new one.

        `seed` is for the global generators; `large` selects the memory limit of training. Raises
        InfraError if the ready parent doesn't answer, even if student code is the cause.
        """
        self.end_worker(wait=large != self._large)
        if self.broken:
            raise InfraError("the sandbox does not answer any more")
        if large != self._large:
            self._limit_memory(large)
        self.next_test()
        waiting = self._spare or self._fork()
        self._spare = None
        caps = TRAINING_CAPS if large else self._caps
        self._channel = Channel(waiting, self, caps, self.clock)
        try:
            self._channel.begin(seed, large=large, seconds=self.limits.request_seconds)
        except Fault as fault:
            self.broken = True
            raise InfraError(f"the worker is gone before its test: {fault.message}") from fault
        self._spare = self._fork()
        return self._channel

    def next_test(self) -> None:
        """Let another test go on with the current worker: its output counts from here."""
        if self._seen != Events():
            self._struck()  # earlier kernel events don't count for it
        self.drain_all()
        self._printed = 0
        self.kept.clear()

    def _limit_memory(self, large: bool) -> None:
        self._large = large
        try:
            self._running.limit_memory(self._memory_mb)
        except OSError as error:
            self.broken = True
            raise InfraError(f"the sandbox could not be limited anew: {error}") from error

    @property
    def _memory_mb(self) -> int:
        """The current memory limit of all processes together, in MiB."""
        return self.limits.training_memory_mb if self._large else self.limits.memory_mb

    def _fork(self) -> socket.socket:
        """Have the parent fork a worker; return the examiner's end of its channel."""
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
        """Kill the worker and all it started; return its wait status, None without an answer.

        Without `wait` the call doesn't wait for the parent's answer, which a later call reads.
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

    def _hear(self, size: int, seconds: float) -> bytes:
        """Return what the parent says next, b"" if it has ended. Raises OSError after `seconds`."""
        until = self.clock.begin() + seconds
        while (left := until - self.clock.now()) > 0:
            if readable(self._control, seconds=min(POLL_SECONDS, left)):
                return self._control.recv(size)
        raise TimeoutError("the ready parent gives no answer")

    def _take_answers(self) -> int | None:
        """Read all outstanding wait statuses; return the last. Raises OSError."""
        status = None
        while self._unread:
            answer = self._hear(4, self.reap_seconds)
            if len(answer) != 4:
                raise ConnectionError("the ready parent is gone")
            self._unread -= 1
            status = int.from_bytes(answer, "little", signed=True)
        return status

    # The Guard protocol (client.Guard), called by a channel while it waits.

    def drain(self) -> None:
        """Read output. Raises Fault (OUTPUT) if a test has printed more than the limit."""
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
        """Read the output up to now, at most one test's limit of it, without raising Fault."""
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
        """Check memory, threads and files of all processes. Raises Fault if they exceed a limit."""
        limits = self.limits
        used = usage(self.processes()[self._running.ours :])
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
        """Return a Fault for the kernel's interventions since the last call; None without any."""
        before, self._seen = self._seen, self._running.events()
        if self._seen.killed > before.killed:
            return Fault(Verdict.MEMORY, _too_much(self._memory_mb))
        return Fault(Verdict.VIOLATION, TOO_MANY) if self._seen.refused > before.refused else None

    def died(self) -> Fault:
        """Return the Fault that describes how the worker ended."""
        status = self.end_worker()
        if fault := self._struck():
            return fault
        if status is None:
            return Fault(Verdict.CRASH, "Your code brought down all processes of its sandbox.")
        return fault_of_ending(os.waitstatus_to_exitcode(status))

    def close(self) -> None:
        """Kill all processes of the sandbox and wait for their end."""
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
