"""A suite's session for grading: filtered messages, a limit on broken sandboxes, flags."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from autograder.channel.faults import Fault, InfraError
from autograder.gradebook.flags import Flag
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.sandbox.own_time import MOST_STALLED, STALLED
from autograder.suite.collected_test import seed_of
from autograder.suite.expect import Wrong
from autograder.suite.hidden import digest  # noqa: F401 - it says what is kept of large answers
from autograder.suite.hidden.by_itself import is_by_itself
from autograder.suite.hidden.disclosure import Disclosure, GradedOutcome
from autograder.suite.hidden.graded_host import GradedHost
from autograder.suite.hidden.memory import limited_memory
from autograder.suite.hidden.refused import refusing
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.hidden.whose_fault import is_ours, trace_of
from autograder.suite.hosts import Host
from autograder.suite.session import (
    CANT_WORK,
    MARKERS,
    OUTCOMES,
    Grade,
    Outcome,
    Plugin,
    Report,
    SuiteSession,
    Test,
)
from autograder.suite.student import Student
from autograder.suite.week_worker import WeekWorker
from autograder.text.display import many_lines

GRADED_MARKERS = (
    *MARKERS,
    "long: the test takes so long that it isn't run twice for a second look",
    "flag(rule): no check; a failure is a flag, for a person to look at",
    "shares(least): if items that it needs are wrong in part, it earns the share of them that is "
    "right; each item needs a quarter of its own credit, or what `least` names for it",
)


LEAST_SHARE = FULL_CREDIT // 4
"""The credit that each needed item must have for a check marked `shares`: no part of what it puts
together may be missing, or wrong altogether."""

MOST_LOST = 12
"""Number of sandboxes that a submission may break; after that, an item's remaining checks are not
run once one of its tests has broken a sandbox. Ordinary mistakes break none."""

TOO_LARGE = "what your code gave is too large to be compared."
"""The answers of an honest submission are far from that."""

BROUGHT_DOWN = "Not run, since your code brings down its whole sandbox, again and again."


class GradedSession(SuiteSession):
    """A suite's tests, ready to be run on submissions in sandboxes.

    With a `disclosure`, nothing that is said of untrusted code depends on the inputs of the run
    that counts, verdicts apart. `long` has the ids of the checks that are not to be run twice;
    `watches` lists the tests marked `flag`, which are no checks.
    """

    _plugin: _GradedPlugin

    def __init__(
        self,
        folder: Path,
        salt: str,
        context: Any = None,
        *,
        disclosure: Disclosure | None = None,
    ):
        self._disclosure = disclosure
        super().__init__(folder, salt, context)
        self.watches: list[PlannedCheck] = [check for check, _ in self._plugin.watches]
        self.long = self.training | self._plugin.marked("long")

    def _new_plugin(self, folder: Path, context: Any) -> _GradedPlugin:
        self.worker = refusing(self.worker, folder)
        return _GradedPlugin(folder, context, self.worker, self._disclosure)

    def watch(self, host: Host, only: Collection[str] | None = None) -> list[Flag]:
        """Run the tests marked `flag` (or those of the items in `only`); return what they noticed.

        They share one worker, replaced after a fatal fault. Code that can't run gets no flags.
        """
        return self._ask(partial(self._plugin.watch, host, only, self._salt))

    @contextmanager
    def traced(self) -> Iterator[dict[str, str]]:
        """Keep the tracebacks of tests that fail, by the check's id, while the context is open.

        For code of ours alone: they quote what was received.
        """
        traces: dict[str, str] = {}
        self._plugin.traces = traces
        try:
            yield traces
        finally:
            self._plugin.traces = None


class _GradedPlugin(Plugin):
    """Runs a suite's tests on submissions.

    What is said of a failed test comes from throw-away runs, when all tests have ended; until then,
    reports of single tests say the verdict.
    """

    markers = GRADED_MARKERS

    def __init__(
        self, folder: Path, context: Any, worker: WeekWorker, disclosure: Disclosure | None
    ):
        super().__init__(folder, context, worker)
        self.watches: list[Test] = []
        self._rules: dict[str, str] = {}
        self._disclosure = disclosure
        self._broke: Counter[str] = Counter()
        self._told: set[str] = set()
        self.traces: dict[str, str] | None = None

    def run(
        self, host: Host, only: Collection[str] | None, report: Report | None, salt: str
    ) -> list[Outcome]:
        self._broke.clear()
        if cast(GradedHost, host).ours:
            return super().run(host, only, report, salt)
        with limited_memory():
            return super().run(host, only, report, salt)

    def run_test(
        self, host: Host, check: PlannedCheck, item: pytest.Function, salt: str
    ) -> Outcome:
        """Run one test; again if it fails in a time in which this process was stopped."""
        for _ in range(MOST_STALLED):
            stalls = cast(GradedHost, host).stalls
            outcome = self._run_test(host, check, item, salt)
            stalled = cast(GradedHost, host).stalls > stalls
            if not stalled or outcome.result.verdict is Verdict.PASS:
                return outcome
            host.renew()
        result = CheckResult(check.id, Verdict.INFRA, message=STALLED)
        return self._outcome(result, None, None)

    def _run_test(
        self, host: Host, check: PlannedCheck, item: pytest.Function, salt: str
    ) -> Outcome:
        """Run one test, unless its item is given up."""
        lost = cast(GradedHost, host).lost
        if self._broke[check.item] and lost >= MOST_LOST:
            result = CheckResult(check.id, Verdict.CRASH, message=BROUGHT_DOWN)
            return self._outcome(result, None, None)
        outcome = super().run_test(host, check, item, salt)
        failed = outcome.result.verdict is not Verdict.PASS
        self._broke[check.item] += failed and cast(GradedHost, host).lost > lost
        return outcome

    def _call(
        self,
        check: PlannedCheck,
        item: pytest.Function,
        student: Student,
        grade: Grade,
        salt: str,
    ) -> None:
        """Call a test's function.

        No memory is left for what the submission gave: Wrong. The suite's own mistake: InfraError.
        """
        asked = cast(GradedStudent, student).asked
        try:
            super()._call(check, item, student, grade, salt)
        except MemoryError:
            if not asked():  # nothing of the submission's is held
                raise
            raise Wrong("the answers", TOO_LARGE) from None
        except (Exception, *OUTCOMES) as error:
            if self.traces is not None:
                self.traces[check.id] = trace_of(error, self.folder.parent)
            if isinstance(error, (Fault, InfraError, OSError, *OUTCOMES)):
                raise
            if not is_ours(error, self.folder.parent, received=asked()):
                raise
            self._tell(check, error)
            raise InfraError(f"the test raised {type(error).__name__}") from error

    def _tell(self, check: PlannedCheck, error: BaseException) -> None:
        """Print the traceback of a test that is itself at fault, once for each test.

        It goes where the instructor looks, and into no result: it may show inputs.
        """
        if check.id in self._told or self.traces is not None:  # whoever keeps them shows them
            return
        self._told.add(check.id)
        said = f"The hidden test {check.id} is itself at fault:"
        print(many_lines(f"{said}\n{trace_of(error, self.folder.parent)}"), file=sys.stderr)

    def _checks(self, tests: list[Test]) -> list[Test]:
        marks = {check.id: item.get_closest_marker("flag") for check, item in tests}
        self._rules = {name: mark.args[0] for name, mark in marks.items() if mark}
        self.watches = [test for test in tests if test[0].id in self._rules]
        return [test for test in tests if test[0].id not in self._rules]

    def _outcome(
        self, result: CheckResult, fault: Fault | None, student: Student | None
    ) -> GradedOutcome:
        error = result.message.startswith(CANT_WORK)
        by_credit = fault is None and result.verdict is Verdict.WRONG and not error
        return GradedOutcome(result, fault, by_credit=by_credit, by_itself=is_by_itself(fault))

    def _reported(self, host: Host, report: Report | None) -> Report | None:
        """Return the function that receives each outcome, with a message that may be shown."""
        disclosure = self._disclosure_for(host)
        if report is None or disclosure is None:
            return report
        return lambda outcome: report(disclosure.meanwhile(cast(GradedOutcome, outcome)))

    def _settled(self, outcomes: list[Outcome], host: Host, salt: str) -> list[Outcome]:
        disclosure = self._disclosure_for(host)
        if disclosure is None:
            return outcomes
        graded, graded_host = cast(list[GradedOutcome], outcomes), cast(GradedHost, host)
        items = {check.id: check.item for check, _ in self.tests}
        return cast(list[Outcome], disclosure.settle(graded, items, graded_host, self._again))

    def _with_reasons(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Give checks marked `shares` their share where an item that they need is wrong in part.

        Those that failed for a reason of their own are left as they are. It is the mean of the
        needed items' credit, if each has LEAST_SHARE at least, or the share that the mark names for
        it. What the check itself has measured counts if that is more.
        """
        tests = {check.id: item for check, item in self.tests}
        credit = self._credit_of_items(outcomes)
        found = []
        for given, outcome in zip(outcomes, super()._with_reasons(outcomes), strict=True):
            if cast(GradedOutcome, given).by_itself:
                found.append(given)
                continue
            test = tests[outcome.result.check]
            needs = test.get_closest_marker("needs")
            blocked = outcome.result.verdict is Verdict.BLOCKED
            shares = test.get_closest_marker("shares")
            if blocked and needs and shares:
                needed = {item: credit[item] for item in needs.args if item in credit}
                outcome = _shared(outcome, needed, *shares.args)
            found.append(outcome)
        return found

    def _credit_of_items(self, outcomes: list[Outcome]) -> dict[str, int]:
        """Return the credit of each item; checks that were not run count as passed."""
        results = {outcome.result.check: outcome.result for outcome in outcomes}
        earned: Counter[str] = Counter()
        weights: Counter[str] = Counter()
        for check, _ in self.tests:
            weights[check.item] += check.weight
            result = results.get(check.id)
            earned[check.item] += check.weight * (result.credit if result else FULL_CREDIT)
        return {item: earned[item] // weight for item, weight in weights.items() if weight}

    def _disclosure_for(self, host: Host) -> Disclosure | None:
        return None if cast(GradedHost, host).ours else self._disclosure

    def _again(self, host: Host, name: str, salt: str) -> GradedOutcome:
        """Run one test with inputs from another seed, in a worker that has run no other.

        It has failed once, so most likely it does so again, and a used worker would be no gain.
        """
        check, item = next(test for test in self.tests if test[0].id == name)
        host.renew()
        return cast(GradedOutcome, self.run_test(host, check, item, salt))

    def watch(self, host: Host, only: Collection[str] | None, salt: str) -> list[Flag]:
        """Run the tests that are no checks, until one of them runs out of time."""
        flags: list[Flag] = []
        student, fault = None, None
        for check, item in self.watches:
            if only is not None and check.item not in only:
                continue
            if student is None:
                try:
                    seed = seed_of(salt, check.id, "|worker")
                    student = host.start(seed, large=False, own=self.worker)
                except Fault:
                    break  # there is no worker for it any more
            fault = self._noticed(student, check, item, salt)
            if isinstance(fault, Wrong):
                rule = getattr(fault, "rule", self._rules[check.id])
                flag = Flag(rule, fault.message, check.item, getattr(fault, "place", ""))
                if not any(known.place == flag.place != "" for known in flags):
                    flags.append(flag)
            elif fault is not None and fault.fatal:
                host.finish(fault)
                student = None
                if fault.verdict is Verdict.TIMEOUT:
                    break
        if student is not None:
            host.finish(None)
        return flags

    def _noticed(
        self, student: Student, check: PlannedCheck, item: pytest.Function, salt: str
    ) -> Fault | None:
        """Run one test marked `flag`; return its fault, None if it passes or itself raises."""
        try:
            self._call(check, item, student, Grade(), salt)
        except Fault as fault:
            return fault
        except (Exception, *OUTCOMES):  # noqa: BLE001 - an answer that it can't work with
            return None
        return None


def _shared(
    outcome: Outcome, credits: Mapping[str, int], least: Mapping[str, int] | None = None
) -> Outcome:
    """Return a blocked check's outcome with the share of the items that it needs, if it has one.

    `least` has the credit that an item must have, where that is not LEAST_SHARE.
    """
    needed = dict.fromkeys(credits, LEAST_SHARE) | dict(least or {})
    if not credits or any(credit < needed[item] for item, credit in credits.items()):
        return outcome
    result = outcome.result
    share = max(result.credit, sum(credits.values()) // len(credits))
    percent = share * 100 // FULL_CREDIT
    said = (
        f"{result.message} Until then it earns the share of those items that is right: {percent} %."
    )
    shared = replace(result, verdict=Verdict.WRONG, credit=share, message=said)
    return replace(outcome, result=shared)
