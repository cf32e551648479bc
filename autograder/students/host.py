"""The host for public suites: runs a student's files on the student's own machine.

All tests share one process; a test that ends it or exceeds a limit is followed by a new process.
Endless loops end by a timeout. The code has full access to the machine, which belongs to its
author.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from autograder.channel.faults import Fault, InfraError
from autograder.channel.source_lines import Sources
from autograder.course import Limits
from autograder.records import Verdict
from autograder.students.inputs import RecordedRemote, Recorder
from autograder.students.process import Process
from autograder.suite.student import Student
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.worker.modules import module_name

IMPATIENT_SECONDS = 1.0
"""Request deadline, in seconds, after a timeout of the code: more are likely then.

Where it isn't known whether the code or a busy machine was slow, the time is only halved at once.
"""


def missing_modules(modules: Sequence[str], files: Collection[str]) -> dict[str, Fault]:
    """Return a fault for each module that the assignment asks for and that isn't there."""
    return {
        module_name(name): Fault(Verdict.NOT_ATTEMPTED, f"There is no {name} in your submission.")
        for name in modules
        if name not in files
    }


class StudentHost:
    """Runs modules for a suite; the first process is started at once, while tests are collected.

    `modules` are the files that the assignment asks for: one that isn't there is not attempted;
    `packages` the distributions that may be imported on top of numpy, `own` has the week's own
    drivers and probes. `printed` is the beginning of the code's output in the last test, `recorder`
    has what that test did with the code.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        limits: Limits,
        modules: Sequence[str] = (),
        packages: tuple[str, ...] = (),
        own: WeekWorker = NO_WORKER,
    ):
        self._files = {name: data for name, data in files.items() if name.endswith(".py")}
        self._limits = limits
        self._packages = packages
        self._own = own
        self._sources = Sources(self._files)
        self._failed_imports = missing_modules(modules, self._files)
        self._seconds = limits.request_seconds
        self._import_first = True
        self._closed = False
        self.printed = ""
        self.recorder = Recorder()
        self.reused = False
        self._process: Process | None = self._new()

    def _new(self) -> Process:
        try:
            return Process(self._files, self._limits, self._packages, self._own, self._import_first)
        except OSError as error:
            raise InfraError(f"no process could be started for your code: {error}") from error

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> Student:
        """Begin a test: return the student's modules in their initial state.

        The drivers and probes are those that the host was made with.
        """
        if self._closed:
            raise InfraError("the check was stopped")
        if self._process is not None and self._process.has_ended:  # between two tests
            self._give_up()
        if self._process is None:
            self._process = self._new()
        if not self._process.get_ready():
            self._import_first = False
            self._give_up()
            self._process = self._new()
            self._process.get_ready()
        self._process.begin(seed, large=large)
        training = self._limits.training_seconds if large else None
        self.recorder = Recorder()
        remote = RecordedRemote(
            self.recorder,
            self._process,
            self._seconds,
            self._limits.test_seconds,
            training,
            self._sources.place,
            self._process.clock.now,
        )
        return Student(remote, self._failed_imports, own.homes)

    def finish(self, fault: Fault | None) -> None:
        """Keep what was printed; give up a process that has ended."""
        self.printed = self._process.printed() if self._process else ""
        if fault is not None and fault.verdict is Verdict.TIMEOUT and not fault.busy:
            known = self._process is not None and self._process.clock.known
            then = IMPATIENT_SECONDS if known else max(IMPATIENT_SECONDS, self._seconds / 2)
            self._seconds = min(self._seconds, then)
        if self._process is not None and self._process.has_ended:
            self._give_up()

    def renew(self) -> None:
        """Do nothing: all tests share a process here."""

    def _give_up(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def close(self) -> None:
        """End the process. No other is started, so a suite that still runs ends soon."""
        self._closed = True
        self._give_up()
