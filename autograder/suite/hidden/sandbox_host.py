"""A submission in a sandbox while a suite examines it: a worker for the tests of each item.

docs/sandbox.md says why no point is won by what a test leaves behind in a worker, and none lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from autograder.channel.faults import Fault, InfraError
from autograder.channel.remote import Remote
from autograder.channel.source_lines import Sources
from autograder.records import Verdict
from autograder.sandbox import Confinement, Limits, Sandbox
from autograder.sandbox.client import Channel
from autograder.sandbox.own_time import OwnTime
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.text.display import clean
from autograder.wire.codec import Ref
from autograder.worker.modules import module_name

IMPORT_SEED = 0
"""Seed while modules are imported: random draws at import are the same for all tests."""

IMPATIENT_SECONDS = 1.0
"""Request deadline, in seconds, after a timeout of the submission: more are likely then."""

AGAIN_SECONDS = 4.0
"""Deadline, in seconds, of each request and of the whole test when a test is run again."""


MOST_NOTES = 100

IMPATIENT_REAP_SECONDS = 0.5
"""Time limit for ending a worker once the submission has broken a sandbox, in seconds."""


PYTEST, STAND_IN = (
    "pytest.py",
    b'''"""Stands for pytest where tests are only imported."""


class Anything:
    def __getattr__(self, name):
        return self

    def __call__(self, *arguments, **named):
        alone = len(arguments) == 1 and not named and callable(arguments[0])
        return arguments[0] if alone else self


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything()
''',
)
"""A file of the student's own tests may hold functions that are examined, and import pytest, which
no sandbox has in which a suite is run."""


class SandboxHost:
    """A submission in a sandbox, which is started when first needed and again when it breaks.

    `modules` are the files that the assignment asks for: one that isn't there is not attempted;
    `packages` the distributions that it may import on top of numpy. `notes` says of each event
    that worker.sandboxed.audit noted, and of what it was about, where it was seen first. `reused`:
    whether the present test's worker has run other tests.
    """

    ours = False
    reused = False

    def __init__(
        self,
        confinement: Confinement,
        files: Mapping[str, bytes],
        limits: Limits,
        modules: Iterable[str] = (),
        packages: tuple[str, ...] = (),
    ):
        self._confinement = confinement
        self._files = {name: data for name, data in files.items() if name.endswith(".py")}
        tests = (data for name, data in self._files.items() if name.startswith("test_"))
        if PYTEST not in self._files and any(b"pytest" in data for data in tests):
            self._files[PYTEST] = STAND_IN
        self._limits = limits
        self._packages = packages
        self._modules = tuple(modules)
        self._sources = Sources(self._files)
        self._sandbox: Sandbox | None = None
        self._clock = OwnTime()
        self._before = 0
        self._channel: Channel | None = None
        self._group: str | None = None
        self.notes: dict[tuple[str, str], str] = {}
        self._failed_imports: dict[str, Fault] = {
            module_name(name): Fault(
                Verdict.NOT_ATTEMPTED, f"There is no {name} in your submission."
            )
            for name in self._modules
            if name not in self._files
        }
        self._seconds = limits.request_seconds
        self._own = NO_WORKER
        self._import_first = True
        self.lost = 0
        self._untold = False

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> GradedStudent:
        """Return the submission for one test, in a worker that begins with the first request.

        Tests of the same `group` share a worker as long as they pass; without one, or with `large`,
        the test has its own.
        """
        self._before = self.stalls
        if own is not self._own:  # a sandbox has the drivers that it was started with
            self.close()
            self._own = own
        if group is None or large or group != self._group:
            self._end_worker(None)
        self._group = None if large else group
        self.reused = self._channel is not None
        return self._student(seed, large)

    def _student(self, seed: int, large: bool) -> GradedStudent:
        """Return the submission, in the present worker or in one that begins when it is asked."""
        later = _Later(self, seed, large)
        remote = Remote(
            later,
            self._seconds,
            self._limits.test_seconds,
            self._limits.training_seconds if large else None,
            self._sources.place,
        )
        return GradedStudent(
            remote,
            self._failed_imports,
            self._own.homes,
            lambda: later.asked,
            lambda: self._in_another_sandbox(seed, large),
        )

    def _in_another_sandbox(self, seed: int, large: bool) -> GradedStudent:
        """Close the sandbox in the middle of a test; return the submission in another one."""
        self.close()
        return self._student((seed + 1) % 2**32, large)

    @property
    def stalls(self) -> int:
        """How often this process was stopped, as far as is known, while it waited for an answer."""
        return self._clock.stalls

    def begin(self, seed: int, large: bool) -> tuple[Channel, bool]:
        """Return the channel to the present test's worker, and whether it is to be reset first.

        Raises InfraError when there can't be one.
        """
        if self._channel is not None and self._sandbox is not None:
            self._sandbox.next_test()
            return self._channel, True
        self._channel = self._fresh(seed, large)
        if self._untold:
            self._untold = False
            self._note_failed_imports(self._channel)
        return self._channel, False

    def failed_import(self, name: str) -> Fault | None:
        """Return why a module's import failed, None where it is not known to have."""
        return self._failed_imports.get(name)

    def _note_failed_imports(self, channel: Channel) -> None:
        """Import each module and record the failures, before the first test is charged for it.

        The parent has imported all modules already, so this takes almost no time.
        """
        limit = self._limits.test_seconds
        remote = Remote(channel, self._seconds, limit, None, self._sources.place)
        for name in map(module_name, self._modules):
            if name not in self._failed_imports:
                try:
                    remote("import", name)
                except Fault as fault:
                    if fault.fatal:
                        raise
                    self._failed_imports[name] = fault

    def _fresh(self, seed: int, large: bool) -> Channel:
        """Return a channel to a new worker.

        A submission can break its sandbox between tests. The next test then gets a new sandbox, in
        which no code of the submission has run.
        """
        try:
            if self._sandbox is None:
                self._sandbox = self._open()
            return self._sandbox.fresh(seed, large=large)
        except InfraError:
            if self._sandbox is None:
                raise
            self._give_up()
            self._sandbox = self._open()
            return self._sandbox.fresh(seed, large=large)

    def _open(self) -> Sandbox:
        """Start a sandbox, with the modules imported beforehand unless that failed once."""
        sandbox = self._new()
        if not self._import_first:
            return sandbox
        if sandbox.import_modules(IMPORT_SEED):
            self._untold = True
            return sandbox
        self._import_first = False
        sandbox.close()
        return self._new()

    def _new(self) -> Sandbox:
        sandbox = Sandbox(
            self._confinement,
            self._files,
            self._limits,
            packages=self._packages,
            week=self._own.folders,
            clock=self._clock,
        )
        if self.lost:
            sandbox.reap_seconds = IMPATIENT_REAP_SECONDS
        return sandbox

    def finish(self, fault: Fault | None) -> None:
        """End the test; its worker is kept for the next one of its group, unless it failed."""
        stalled = self.stalls > self._before
        if fault is not None and fault.verdict is Verdict.TIMEOUT and not stalled:
            self._seconds = min(self._seconds, IMPATIENT_SECONDS)
        kept = fault is None or (fault.verdict is Verdict.NOT_ATTEMPTED and not fault.fatal)
        if self._group is None or not kept:
            self._end_worker(fault)

    def renew(self) -> None:
        """End the worker: the next test has a fresh one."""
        self._end_worker(None)

    def _end_worker(self, fault: Fault | None) -> None:
        """End the worker; give up the sandbox if it doesn't answer any more."""
        if self._channel is None:
            return
        if fault is None or not fault.fatal:
            self._take_notes(self._channel)
        self._channel = None
        if self._sandbox is not None:
            self._sandbox.end_worker(wait=fault is not None)
            if self._sandbox.broken:
                self._give_up()

    def _give_up(self) -> None:
        """Close a sandbox that no longer answers; the next one imports no modules beforehand."""
        self.lost += self.stalls == self._before
        self._import_first = False
        self._channel = None
        self.close()

    def _take_notes(self, channel: Channel) -> None:
        """Fetch the events that the worker's audit recorded; a malformed answer is ignored."""
        remote = Remote(channel, self._seconds, self._seconds, None, self._sources.place)
        try:
            answer = remote("notes")
            for event, what, file, line in answer if type(answer) is list else ():
                if len(self.notes) < MOST_NOTES and type(line) is int:
                    place = f"{clean(file, 60)}:{line}"
                    self.notes.setdefault((clean(event, 40), clean(what)), place)
        except (Fault, TypeError, ValueError, MemoryError):
            return

    def again(self) -> SandboxHost:
        """Close this host's sandbox and return a separate host with the same submission.

        No data of this host's sandboxes reaches the new host. Its deadlines are short, because it
        only runs tests that have failed already.
        """
        self.close()
        seconds = min(self._seconds, AGAIN_SECONDS)
        limits = replace(
            self._limits,
            request_seconds=seconds,
            test_seconds=seconds,
            training_seconds=seconds,
        )
        other = SandboxHost(self._confinement, self._files, limits, self._modules, self._packages)
        other._import_first = self._import_first
        return other

    def holds(self, text: str) -> bool:
        """Tell whether a text stands in one of the submission's files."""
        return any(text.encode() in data for data in self._files.values())

    def printed(self) -> str:
        """Return the beginning of what the student's code printed in the last test."""
        return bytes(self._sandbox.kept).decode(errors="replace") if self._sandbox else ""

    def close(self) -> None:
        """End the worker and its sandbox; another is started if a test asks for one."""
        if self._channel is not None:
            self._take_notes(self._channel)
        self.abandon()

    def abandon(self) -> None:
        """End the sandbox without asking it for anything more."""
        self._channel = self._group = None
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None


class _Later:
    """The channel of a test whose worker begins with the first request."""

    def __init__(self, host: SandboxHost, seed: int, large: bool):
        self._host, self._seed, self._large = host, seed, large
        self._channel: Channel | None = None
        self._reset = False
        self.asked = False

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[Ref], Any],
    ) -> tuple[bool, Any]:
        """Send a request, as Channel.request does."""
        if self._channel is None:
            self._channel, self._reset = self._host.begin(self._seed, self._large)
            known = self._host.failed_import(arguments[0]) if operation == "import" else None
            if known is not None:  # found out just now, before the worker had any inputs
                raise known
        if self._reset:  # the test's first request goes with it, in one message
            self._reset = False
            first = arguments[0] if operation == "batch" else [[operation, list(arguments)]]
            operation, arguments = "batch", ([["reset", [self._seed]], *first],)
        self.asked = True
        return self._channel.request(operation, *arguments, seconds=seconds, from_ref=from_ref)
