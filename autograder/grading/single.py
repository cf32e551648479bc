"""The examination of one student's submission, with each result yielded at once.

For systems that grade one submission at a time and may stop the grader at any moment. No gradebook
is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue

from autograder.errors import CantExamineError
from autograder.gradebook.flags import Examined, Flag
from autograder.gradebook.submission import Submission
from autograder.grading.operations import Plan, describe, examine_submission
from autograder.grading.pool import ExaminerPool, note, open_pool
from autograder.grading.run import LOST
from autograder.grading.setting import Setting
from autograder.records import CheckResult, PlannedCheck, Verdict


@dataclass(frozen=True)
class Planned:
    """The planned checks of a week, yielded before any student code runs."""

    week: int
    checks: tuple[PlannedCheck, ...]
    confinement: str


@dataclass(frozen=True)
class Checked:
    """A check's result; a later one of the same check replaces it."""

    week: int
    result: CheckResult


@dataclass(frozen=True)
class Ended:
    """The end of a week, with its flags."""

    week: int
    flags: tuple[Flag, ...]


Told = Planned | Checked | Ended


def examine_one(setting: Setting, submissions: Mapping[int, Submission]) -> Iterator[Told]:
    """Examine one student's submissions, by the week's number; yield what is known, when it is.

    All plans come first, then the results of one week after another; each planned check gets a
    result. Checks whose examiner is lost in all attempts get INFRA. Raises CantExamineError if
    nothing can be graded.
    """
    with open_pool(setting, 1) as pool:
        plans = {week: pool.submit(describe, week).result() for week in submissions}
        for week, plan in plans.items():
            yield Planned(week, tuple(plan.checks), plan.confinement)
        for week, submission in submissions.items():
            yield from _examine(pool, week, submission, plans[week])


def _examine(pool: ExaminerPool, week: int, submission: Submission, plan: Plan) -> Iterator[Told]:
    """Yield the results of a week's checks, including those reported before the end."""
    told: SimpleQueue[CheckResult | None] = SimpleQueue()
    future = pool.submit(examine_submission, submission, week, report=told.put)
    future.add_done_callback(lambda _: told.put(None))
    known = set()
    while (result := told.get()) is not None:
        known.add(result.check)
        yield Checked(week, result)
    examined = _outcome(future)
    known |= {result.check for result in examined.results}
    lost = [check.id for check in plan.checks if check.id not in known]
    for result in examined.results:
        yield Checked(week, result)
    for check in lost:
        yield Checked(week, CheckResult(check, Verdict.INFRA, message=LOST))
    yield Ended(week, tuple(examined.flags))


def _outcome(future: Future[tuple[Examined, float]]) -> Examined:
    try:
        return future.result()[0]
    except CantExamineError as error:
        note(f"a submission could not be examined: {error}")
        return Examined([])
