"""One pytest session kept open: collected once, run for submission after submission.

Starting pytest and collecting a suite takes longer than running it. The session therefore runs in
its own thread, waits in pytest's run loop, and runs its tests for each host that it is given.
pytest collects, parametrizes and marks the tests; this module calls them, because pytest creates
fixtures once per run. This module runs in the examiner; student code is reached through the host
only.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.channel.faults import Fault, InfraError
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.suite.collected_test import (
    SuiteError,
    arguments,
    parameters,
    planned,
    reason_of,
    seed_of,
)
from autograder.suite.hosts import Host
from autograder.suite.student import Student
from autograder.suite.week_worker import WeekWorker, worker_beside
from autograder.text.display import many_lines

MARKERS: tuple[str, ...] = (
    "item(id): the rubric item that the test belongs to",
    "weight(n): the test's share of its item's points, relative to the item's other tests",
    "training: the test trains; it may use more memory and runs after the others",
    "needs(*ids): items whose failure explains a failure of this test",
    "fresh: the test needs a worker that has run no other test",
)
OPTIONS = ["--capture=no", "-c", os.devnull, "--import-mode=importlib"]
NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
PATIENCE = 3
"""Maximum number of timeouts per item; the item's remaining checks are not run."""

LONGEST_MESSAGE = 4_000

_COLLECTING = threading.Lock()
"""Lock held while a suite is collected: the module names of two suites may be the same."""

CANT_WORK = "The test can't work with what your code gave"
FIRST_MEND = "First mend"
"""How the message begins where a test ran, and failed by what another item has to give."""
NOT_RUN = f"Not run, since {PATIENCE} other checks of this item ran out of time."
OUTCOMES = (pytest.fail.Exception, pytest.skip.Exception)
"""Exceptions of pytest's functions (pytest.fail, ...); they do not derive from `Exception`."""

UNUSED = (
    *("cacheprovider", "terminal", "logging", "faulthandler", "unraisableexception"),
    *(
        "debugging",
        "threadexception",
        "junitxml",
        "pastebin",
        "doctest",
        "stepwise",
        "setuponly",
        "setupplan",
    ),
)


@dataclass
class Grade:
    """The `grade` fixture: partial credit and details for the report, set by the test itself."""

    credit: int | None = None
    message: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def __call__(self, share: float, message: str, **detail: Any) -> None:
        """Set the credit to `share` (clipped to 0..1), with a message and `detail` for reports."""
        self.credit = round(FULL_CREDIT * min(1.0, max(0.0, share)))
        self.message = message
        self.detail = detail


@dataclass
class Outcome:
    """The outcome of one test: its record, and its fault, which the diagnosis uses."""

    result: CheckResult
    fault: Fault | None = None


Report = Callable[[Outcome], None]
Test = tuple[PlannedCheck, pytest.Function]


class SuiteSession:
    """A suite's tests, ready to be run again and again.

    folder: the suite; salt: the seed of a test is computed from it and the id of the check.
    `context` is what tests get as the `settings` fixture. Raises SuiteError when the suite can't be
    collected, CourseError where the folders of its week's own drivers and probes (`worker`) aren't
    there. `plan` lists the checks in the order in which they run, `training` has the ids of those
    that train; `needs` maps the ids of checks to the items that they depend on.
    """

    def __init__(self, folder: Path, salt: str, context: Any = None):
        if not folder.is_dir():
            raise SuiteError(f"there is no folder {folder}", "Put the suite's tests into it")
        self.worker = worker_beside(folder)
        self._plugin = self._new_plugin(folder, context)
        self._salt = salt
        self._thread = threading.Thread(target=self._plugin.main, daemon=True, name="suite")
        self._thread.start()
        self._plugin.ready.wait()
        if self._plugin.problem:
            raise self._plugin.problem
        self.context = context
        self.plan: list[PlannedCheck] = [check for check, _ in self._plugin.tests]
        self.training = self._plugin.marked("training")
        self.needs: dict[str, tuple[str, ...]] = {
            check.id: marker.args
            for check, test in self._plugin.tests
            if (marker := test.get_closest_marker("needs")) is not None
        }

    def _new_plugin(self, folder: Path, context: Any) -> Plugin:
        """Return the pytest plugin that collects and runs the tests."""
        return Plugin(folder, context, self.worker)

    def run(
        self,
        host: Host,
        only: Collection[str] | None = None,
        report: Report | None = None,
        salt: str | None = None,
    ) -> list[Outcome]:
        """Run the tests (or those whose check ids are in `only`) against what `host` holds.

        Returns one outcome for each test, in the plan's order; `report` gets each as it ends.
        A `salt` replaces the session's, so that the tests draw different inputs.
        """
        salt = self._salt if salt is None else salt
        return self._ask(partial(self._plugin.run, host, only, report, salt))

    def _ask(self, work: Callable[[], Any]) -> Any:
        """Run `work` in pytest's thread; return its result or raise its exception."""
        if not self._thread.is_alive():
            raise SuiteError("the session has been closed")
        job = _Job(work)
        self._plugin.jobs.put(job)
        return job.future.result()

    def close(self) -> None:
        """End the session."""
        self._plugin.jobs.put(None)
        self._thread.join()


@dataclass(frozen=True)
class _Job:
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class Plugin:
    """The pytest plugin that is the session: markers, plan, fixtures, and the loop over jobs."""

    markers: tuple[str, ...] = MARKERS

    def __init__(self, folder: Path, context: Any, worker: WeekWorker):
        self.folder = folder
        self.worker = worker
        self.context = context
        self.tests: list[Test] = []
        self.items: set[str] = set()
        self.arguments: dict[str, list[str]] = {}
        self.jobs: queue.Queue[_Job | None] = queue.Queue()
        self.ready = threading.Event()
        self.collecting = contextlib.ExitStack()
        self.problem: SuiteError | None = None

    def main(self) -> None:
        """Run pytest until the session is closed."""
        # importlib mode names a module by its path below the root, and the names must be unique in
        # this process: <assignment>.<suite>.<file>.
        # Suites import what lies beside them relatively (`from ..suite_tools import ...`), so each
        # week has its own. A copy of the course has the same names, so they are removed first.
        root = self.folder.parent.parent
        self.collecting.enter_context(_COLLECTING)
        _forget_modules(self.folder.parent.name)
        # Options, plugins and conftest.py files of somebody's own tests are none of a suite's.
        os.environ.pop("PYTEST_ADDOPTS", None)
        self.collecting.enter_context(_without_plugins())
        arguments = [*OPTIONS, *(f"-pno:{name}" for name in UNUSED), str(self.folder)]
        arguments += ["--confcutdir", str(self.folder)]
        try:
            code = pytest.main([*arguments, "--rootdir", str(root)], plugins=[self])
            if not self.ready.is_set():
                what = f"pytest ended with {code!s} in {self.folder}"
                self.problem = self.problem or SuiteError(what)
        except BaseException as error:
            self.problem = SuiteError(f"{self.folder}: {type(error).__name__}: {error}")
            raise
        finally:
            self.collecting.close()
            self.ready.set()

    def pytest_configure(self, config: pytest.Config) -> None:
        for marker in self.markers:
            config.addinivalue_line("markers", marker)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            where = report.nodeid or str(self.folder)
            reason = reason_of(report.longreprtext)
            self.problem = SuiteError(f"{where} can't be collected: {reason}", "Correct the file")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self.problem:
            try:
                tests: list[Test] = [
                    (planned(item), item)
                    for item in session.items
                    if isinstance(item, pytest.Function)
                ]
            except SuiteError as error:
                self.problem = error
                return
            self.arguments = {check.id: arguments(item) for check, item in tests}
            tests = self._checks(tests)
            last = {id(item) for _, item in tests if item.get_closest_marker("training")}
            self.tests = sorted(tests, key=lambda test: id(test[1]) in last)
            self.items = {check.item for check, _ in tests}
            if not tests:
                remedy = "Write one: a function test_... in a file test_*.py"
                self.problem = SuiteError(f"there are no tests in {self.folder}", remedy)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.collecting.close()
        if self.problem:
            return True
        self.ready.set()
        while (job := self.jobs.get()) is not None:
            try:
                job.future.set_result(job.work())
            except BaseException as error:  # noqa: BLE001 - it is raised again in `_ask`
                job.future.set_exception(error)
        return True

    def _checks(self, tests: list[Test]) -> list[Test]:
        """Return those of the collected tests that are checks."""
        return tests

    def marked(self, name: str) -> set[str]:
        """Return the ids of the checks whose tests have a marker."""
        return {check.id for check, test in self.tests if test.get_closest_marker(name) is not None}

    def run(
        self, host: Host, only: Collection[str] | None, report: Report | None, salt: str
    ) -> list[Outcome]:
        """Run the tests, see SuiteSession.run."""
        outcomes: list[Outcome] = []
        timeouts: Counter[str] = Counter()
        tell = self._reported(host, report)
        for check, item in self.tests:
            if only is not None and check.id not in only:
                continue
            if timeouts[check.item] >= PATIENCE:
                result = CheckResult(check.id, Verdict.TIMEOUT, message=NOT_RUN)
                outcome = self._outcome(result, None, None)
            else:
                outcome = self._run_test_twice(host, check, item, salt)
            too_busy = outcome.fault is not None and outcome.fault.busy
            timeouts[check.item] += outcome.result.verdict is Verdict.TIMEOUT and not too_busy
            outcomes.append(outcome)
            if tell:
                tell(outcome)
        return self._with_reasons(self._settled(outcomes, host, salt))

    def _reported(self, host: Host, report: Report | None) -> Report | None:
        """Return the function that receives each outcome as its test ends."""
        return report

    def _settled(self, outcomes: list[Outcome], host: Host, salt: str) -> list[Outcome]:
        """Return the outcomes with the messages that are shown."""
        return outcomes

    def _with_reasons(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Mark failed tests as blocked where an item that they need failed too."""
        tests = {check.id: (check.item, item) for check, item in self.tests}
        failed = {
            tests[outcome.result.check][0]
            for outcome in outcomes
            if outcome.result.verdict is not Verdict.PASS
        }
        found = []
        for outcome in outcomes:
            needs = tests[outcome.result.check][1].get_closest_marker("needs")
            first = [item for item in needs.args if item in failed] if needs else []
            found.append(_blocked(outcome, first) if first else outcome)
        return found

    def _run_test_twice(
        self, host: Host, check: PlannedCheck, item: pytest.Function, salt: str
    ) -> Outcome:
        """Run one test; if it fails where other tests have been, what it does alone counts.

        A gap that is not filled in is so everywhere.
        """
        outcome = self.run_test(host, check, item, salt)
        if host.reused and outcome.result.verdict not in (Verdict.PASS, Verdict.NOT_ATTEMPTED):
            host.renew()
            outcome = self.run_test(host, check, item, salt)
        return outcome

    def run_test(
        self, host: Host, check: PlannedCheck, item: pytest.Function, salt: str
    ) -> Outcome:
        """Run one test against what `host` holds, in a worker of its item's if that is possible."""
        started = time.perf_counter()
        large = item.get_closest_marker("training") is not None
        group = None if item.get_closest_marker("fresh") else check.item
        grade = Grade()
        fault: Fault | None = None
        error: BaseException | None = None
        student: Student | None = None
        try:
            student = host.start(
                seed_of(salt, check.id, "|worker"), large=large, own=self.worker, group=group
            )
            self._call(check, item, student, grade, salt)
        except Fault as caught:
            fault = caught
            fault.__traceback__ = fault.__context__ = None  # they would hold the test's arrays
        except (Exception, *OUTCOMES) as caught:  # noqa: BLE001 - judged in _result
            error = caught
        finally:
            host.finish(fault)
        seconds = time.perf_counter() - started
        result = _result(check, self.items, grade, fault, error, seconds)
        return self._outcome(result, fault, student)

    def _call(
        self,
        check: PlannedCheck,
        item: pytest.Function,
        student: Student,
        grade: Grade,
        salt: str,
    ) -> None:
        """Call a test's function with its arguments."""
        given = {
            "student": student,
            "rng": np.random.default_rng(seed_of(salt, check.id)),
            "grade": grade,
            "settings": self.context,
            **parameters(item),
        }
        item.obj(**{name: given[name] for name in self.arguments[check.id]})

    def _outcome(
        self, result: CheckResult, fault: Fault | None, student: Student | None
    ) -> Outcome:
        return Outcome(result, fault)


def _forget_modules(package: str) -> None:
    """Remove a package and all its submodules from sys.modules."""
    for name in list(sys.modules):
        if name == package or name.startswith(f"{package}."):
            del sys.modules[name]


def _result(
    check: PlannedCheck,
    items: Collection[str],
    grade: Grade,
    fault: Fault | None,
    error: BaseException | None,
    seconds: float,
) -> CheckResult:
    """Decide the verdict; an error counts as the grader's only if that is certain.

    Reaching an open gap of another item in `items` makes the check blocked.
    """
    verdict, message, credit = Verdict.PASS, grade.message, FULL_CREDIT
    if fault is not None:
        verdict, message, credit = fault.verdict, fault.message, 0
        gap = message.partition(":")[0]
        if verdict is Verdict.NOT_ATTEMPTED and gap in items and gap != check.item:
            verdict, message = Verdict.BLOCKED, f"This check builds on {message}."
    elif isinstance(error, (InfraError, OSError, MemoryError, NameError, ImportError)):
        verdict, message, credit = Verdict.INFRA, f"The grader failed: {error}", 0
    elif error is not None:
        # The reference passes this test, so a value from the student's code caused the error.
        verdict, credit = Verdict.WRONG, 0
        message = f"{CANT_WORK} ({type(error).__name__})."
    elif grade.credit is not None and grade.credit < FULL_CREDIT:
        verdict, credit = Verdict.WRONG, grade.credit
    return CheckResult(
        check=check.id,
        verdict=verdict,
        credit=credit,
        message=many_lines(message, LONGEST_MESSAGE),
        seconds=round(seconds, 6),
        detail=grade.detail,
    )


def _blocked(outcome: Outcome, first: list[str]) -> Outcome:
    """Return a failed test's outcome as blocked by the failed items in `first`."""
    result = outcome.result
    if result.verdict in (Verdict.PASS, Verdict.INFRA, Verdict.NOT_ATTEMPTED):
        return outcome
    said = f"{FIRST_MEND} {', '.join(first)}: this check builds on it. {result.message}"
    said = result.message if result.verdict is Verdict.BLOCKED else said  # it names the gap
    blocked = replace(result, verdict=Verdict.BLOCKED, message=said.strip())
    return replace(outcome, result=blocked)


@contextlib.contextmanager
def _without_plugins() -> Iterator[None]:
    """Keep pytest from loading the plugins that are installed for other tests."""
    earlier = os.environ.get(NO_PLUGINS)
    os.environ[NO_PLUGINS] = "1"
    yield
    os.environ.pop(NO_PLUGINS)
    os.environ.update({NO_PLUGINS: earlier} if earlier is not None else {})
