"""A pool of examiners behind the interface of `concurrent.futures.Executor`.

Each thread of the pool uses one examiner, a process whose messages are never unpickled. An examiner
that ends or sends an invalid message is replaced, and the new one repeats its job once.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from autograder import course as courses
from autograder.errors import CantExamineError
from autograder.gradebook.flags import Examined
from autograder.gradebook.submission import Submission
from autograder.grading import messages, proven
from autograder.grading.examiner_process import (
    END_SECONDS,
    ExaminerProcess,
    LostError,
    SilentError,
    lost,
)
from autograder.grading.fork_server import running_server
from autograder.grading.operations import Plan, describe
from autograder.grading.self_check import fault_of_week
from autograder.grading.setting import Setting
from autograder.records import CheckResult
from autograder.text.display import many_lines, one_line

ATTEMPTS = 2
"""Maximum number of attempts at a job whose examiner is lost."""

REFUSED_SECONDS = 60.0
"""Time for which a week that could not be proven is refused without another look."""


@dataclass
class _Place:
    """A place for one examiner, with the slot that determines the uids of its sandboxes."""

    slot: int
    examiner: ExaminerProcess | None = None


class ExaminerPool(Executor):
    """Up to `jobs` examiners, each with a slot (for root: with uids of its own).

    They are started when first needed. Slots are numbered from `first_slot`; pools that run at the
    same time must not share any. Only functions marked by `operations.operation` can be submitted.
    """

    def __init__(self, setting: Setting, jobs: int, first_slot: int = 0):
        self.setting = setting
        running_server()  # it loads its modules in parallel with the next steps
        self._places = [_Place(slot) for slot in range(first_slot, first_slot + jobs)]
        # Last in, first out: the place used last has a running examiner.
        self._free: queue.LifoQueue[_Place] = queue.LifoQueue()
        for place in reversed(self._places):
            self._free.put(place)
        self._threads = ThreadPoolExecutor(jobs, "examiner")
        self._plans: dict[int, Plan] = {}
        self._refused: dict[int, tuple[float, CantExamineError]] = {}
        self._planning: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._futures: set[Future[Any]] = set()
        self._given_up = False
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have an operation done by an examiner.

        The future raises CantExamineError if the operation fails, its subclass LostError if the
        examiner was lost ATTEMPTS times, and CancelledError if the pool was given up. Raises
        TypeError if `fn` is not an operation.
        """
        name = _name_of(fn)
        operations: dict[str, Callable[..., Any]] = {
            "described": self._describe,
            "examined": self._examine,
            "text": self._say,
        }
        do = operations.get(getattr(fn, "operation", ""))
        if do is None:
            raise TypeError(f"{name} is no operation of an examiner")
        untouched = bool(getattr(fn, "untouched", False))
        future = self._threads.submit(self._attempt, do, untouched, name, *args, **kwargs)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def _attempt(self, do: Callable[..., Any], untouched: bool, *args: Any, **kwargs: Any) -> Any:
        """Run `do` with a free examiner; if that is lost, again with a new one."""
        place = self._free.get()
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return self._with(place, do, untouched, *args, **kwargs)
                except LostError as error:
                    if self._given_up:
                        raise CancelledError from None
                    note(f"{error.problem}; attempt {attempt} of {ATTEMPTS}")
                    if attempt == ATTEMPTS or isinstance(error, SilentError):
                        raise
        finally:
            self._free.put(place)

    def _with(
        self, place: _Place, do: Callable[..., Any], untouched: bool, *args: Any, **kwargs: Any
    ) -> Any:
        """Run `do` with the examiner of a place; end the examiner if its state is unknown."""
        try:
            examiner = self._examiner(place, untouched)
            try:
                return do(examiner, *args, **kwargs)
            finally:
                examiner.untouched = examiner.untouched and untouched
        except LostError as error:
            status = self._discard(place)
            if status is not None and status != -signal.SIGKILL:
                problem = f"{error.problem}, exit status {status}"
                raise type(error)(problem, error.remedy) from None
            raise
        except CantExamineError:
            raise
        except BaseException:  # from `report`: the examiner has more messages to send
            self._discard(place)
            raise

    def _examiner(self, place: _Place, untouched: bool = False) -> ExaminerProcess:
        """Return the examiner of a place, or a new one if it is missing or not ready.

        `untouched`: also a new one if it has examined a submission, which may control it.
        """
        if place.examiner is not None and not place.examiner.is_ready:
            note("a process that examines submissions ended, or spoke unasked: it is replaced")
            self._discard(place)
        if untouched and place.examiner is not None and not place.examiner.untouched:
            self._discard(place)
        examiner = place.examiner or ExaminerProcess(self.setting, place.slot)
        with self._lock:
            place.examiner = examiner
            if self._given_up:
                raise lost("the pool was given up")
        return examiner

    @staticmethod
    def _discard(place: _Place) -> int | None:
        """End the examiner of a place; return its exit status, where that is known."""
        examiner, place.examiner = place.examiner, None
        return examiner.kill() if examiner is not None else None

    # The operations.

    def _describe(self, examiner: ExaminerProcess, name: str, week: int) -> Plan:
        with self._planning[week]:  # whoever else asks for it meanwhile waits for this answer
            return self._plans.get(week) or self._described(examiner, name, week)

    def _described(self, examiner: ExaminerProcess, name: str, week: int) -> Plan:
        answer = examiner.ask(messages.Described, kind="described", function=name, week=week)
        checks = [check.record() for check in answer.checks]
        plan = Plan(checks, answer.fingerprint, answer.confinement, answer.versions)
        self._demand_proven(examiner, week, plan)
        return self._plans.setdefault(week, plan)

    def _demand_proven(self, examiner: ExaminerProcess, week: int, plan: Plan) -> None:
        """Raise CantExamineError if a week's reference does not get everything, or stubs do.

        That is looked at once for each fingerprint, and takes as long as two submissions.
        """
        if proven.is_proven(plan.fingerprint):
            return
        until, refused = self._refused.get(week, (0.0, None))
        if refused is not None and time.monotonic() < until:
            raise refused
        with proven.alone(plan.fingerprint):
            if proven.is_proven(plan.fingerprint):  # another process has seen to it meanwhile
                return
            name = courses.load(self.setting.root).week(week).name
            note(f"{name} is new here: its reference and its stubs are graded first, once.")
            fault = self._say(examiner, _name_of(fault_of_week), week)
            if not fault:
                proven.remember(plan.fingerprint, name)
                return
        print(many_lines(f"{name}: {fault}"), file=sys.stderr, flush=True)
        problem = f"{name} is not graded: {fault.partition(':')[0]}, as is shown above"
        error = CantExamineError(problem, "Mend the tests, or the reference, first")
        self._refused[week] = time.monotonic() + REFUSED_SECONDS, error
        raise error

    def _examine(
        self,
        examiner: ExaminerProcess,
        name: str,
        submission: Submission,
        week: int,
        report: Callable[[CheckResult], None] | None = None,
    ) -> tuple[Examined, float]:
        plan = self._plans.get(week)
        if plan is None:
            if not examiner.untouched:
                raise lost("it was to plan a week after a submission was in it")
            plan = self._describe(examiner, _name_of(describe), week)
        checks = {check.id for check in plan.checks}
        answer = examiner.ask(
            messages.Done,
            checks,
            report,
            kind="examined",
            function=name,
            week=week,
            submission={
                "student": submission.student,
                "files": dict(submission.files),
                "refusal": submission.refusal,
            },
            reports=report is not None,
        )
        try:
            return examined_of(answer, checks)
        except ValueError as error:
            raise lost(str(error)) from None

    @staticmethod
    def _say(examiner: ExaminerProcess, name: str, *values: Any) -> str:
        answer = examiner.ask(messages.Said, kind="text", function=name, values=list(values))
        return answer.text

    # The end.

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more jobs; end the examiners when the submitted jobs are done."""
        self._threads.shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            self._end()
        else:
            threading.Thread(target=self._end, name="end of examiners").start()

    def _end(self) -> None:
        self._threads.shutdown(wait=True)
        self._end_examiners()

    def _end_examiners(self) -> None:
        examiners = [place.examiner for place in self._places if place.examiner is not None]
        for place in self._places:
            place.examiner = None
        for examiner in examiners:
            examiner.ask_to_end()
        for examiner in examiners:
            examiner.wait_until_gone()

    def give_up(self) -> None:
        """Stop all jobs now; their futures raise CancelledError.

        Takes a few times END_SECONDS at most, whatever the examiners do.
        """
        with self._lock:
            self._given_up = True
            examiners = [place.examiner for place in self._places if place.examiner is not None]
        self._threads.shutdown(wait=False, cancel_futures=True)
        for examiner in examiners:
            examiner.terminate()
        if wait(list(self._futures), END_SECONDS).not_done:
            for examiner in examiners:
                examiner.interrupt()
            wait(list(self._futures), END_SECONDS)
        self._end_examiners()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Wait for the submitted jobs; after an exception (Ctrl-C, say) give them up."""
        if kind is None:
            self.shutdown()
        else:
            self.give_up()
        return None


def open_pool(setting: Setting, jobs: int, first_slot: int = 0) -> ExaminerPool:
    """Return a pool of `jobs` examiners with the slots from `first_slot` on."""
    return ExaminerPool(setting, jobs, first_slot)


def examined_of(done: messages.Done, checks: Collection[str]) -> tuple[Examined, float]:
    """Return what a message tells: results and flags, and the time in seconds.

    Raises ValueError if it tells of other checks than these, or twice of one.
    """
    results = [result.record() for result in done.results]
    told = {result.check for result in results}
    if not told <= set(checks) or len(told) != len(results):
        raise ValueError("it told of checks that were not planned, or twice of one")
    return Examined(results, [flag.record() for flag in done.flags]), done.seconds


def _name_of(operation: Callable[..., Any]) -> str:
    return f"{operation.__module__}:{operation.__qualname__}"


def note(text: str) -> None:
    """Print a line about a lost examiner to standard error."""
    print(one_line(text, 500), file=sys.stderr, flush=True)
