"""A submission in a sandbox while a suite examines it: one fresh worker for each test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autograder.channel.faults import Fault, InfraError
from autograder.channel.remote import Remote
from autograder.channel.source_lines import Sources
from autograder.records import Verdict
from autograder.sandbox import Confinement, Limits, Sandbox
from autograder.sandbox.client import Channel
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.text.sandbox_text import clean
from autograder.worker.modules import module_name

IMPORT_SEED = 0
"""Seed while modules are imported: random draws at import are the same for all tests."""

IMPATIENT_SECONDS = 1.0
"""Request deadline, in seconds, after a timeout of the submission: more are likely then."""

AGAIN_SECONDS = 2.0
"""Deadline, in seconds, of each request and of the whole test when a test is run again."""


MOST_NOTES = 100

IMPATIENT_REAP_SECONDS = 0.5
"""Time limit for ending a worker once the submission has broken a sandbox, in seconds."""


class SandboxHost:
    """A submission in a sandbox, which is started when first needed and again when it breaks.

    `modules` are the files that the assignment asks for: one that isn't there is not attempted;
    `packages` the distributions that it may import on top of numpy. `notes` says of each event
    that worker.sandboxed.audit noted, and of what it was about, where it was seen first.
    """

    ours = False

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
        self._limits = limits
        self._packages = packages
        self._modules = tuple(modules)
        self._sources = Sources(self._files)
        self._sandbox: Sandbox | None = None
        self._remote: Remote | None = None
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
        self, seed: int, *, large: bool = False, own: WeekWorker = NO_WORKER
    ) -> GradedStudent:
        """Return the submission in a fresh worker. Raises InfraError when there can't be one."""
        if own is not self._own:  # a sandbox has the drivers that it was started with
            self.close()
            self._own = own
        self._remote = None
        self._remote = Remote(
            self._fresh(seed, large),
            self._seconds,
            self._limits.test_seconds,
            self._limits.training_seconds if large else None,
            self._sources.place,
        )
        if self._untold:
            self._untold = False
            self._note_failed_imports(self._remote)
        return GradedStudent(self._remote, self._failed_imports, own.homes)

    def _note_failed_imports(self, remote: Remote) -> None:
        """Import each module before the sandbox receives any test's inputs; record the failures.

        The messages of failed imports therefore do not depend on inputs and may be shown. The
        parent has imported all modules already, so this takes almost no time.
        """
        for name in map(module_name, self._modules):
            if name not in self._failed_imports:
                try:
                    remote("import", name)
                except Fault as fault:
                    if fault.fatal:
                        raise
                    fault.quoting = False
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
        )
        if self.lost:
            sandbox.reap_seconds = IMPATIENT_REAP_SECONDS
        return sandbox

    def finish(self, fault: Fault | None) -> None:
        """End the worker; give up the sandbox if it doesn't answer any more."""
        if fault is not None and fault.verdict is Verdict.TIMEOUT:
            self._seconds = min(self._seconds, IMPATIENT_SECONDS)
        if self._sandbox is not None:
            if fault is None or not fault.fatal:
                self._take_notes()
            self._sandbox.end_worker(wait=fault is not None)
            if self._sandbox.broken:
                self._give_up()

    def _give_up(self) -> None:
        """Close a sandbox that no longer answers; the next one imports no modules beforehand."""
        self.lost += 1
        self._import_first = False
        self.close()

    def _take_notes(self) -> None:
        """Fetch the events that the worker's audit recorded; a malformed answer is ignored."""
        if self._remote is None:
            return
        try:
            answer = self._remote("notes")
            for event, what, file, line in answer if type(answer) is list else ():
                if len(self.notes) < MOST_NOTES and type(line) is int:
                    place = f"{clean(file, 60)}:{line}"
                    self.notes.setdefault((clean(event, 40), clean(what)), place)
        except (Fault, TypeError, ValueError):
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

    def printed(self) -> str:
        """Return the beginning of what the student's code printed in the last test."""
        return bytes(self._sandbox.kept).decode(errors="replace") if self._sandbox else ""

    def close(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
