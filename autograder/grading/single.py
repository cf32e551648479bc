"""One student's submission, examined in a process of its own that tells of each check as it ends.

For a system that grades one submission at a time and may stop the grader at any moment. Nothing is
kept in a gradebook. What the process tells is JSON: it decodes strangers' answers, and whoever got
hold of it must not get hold of this process too.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

from autograder.course import CourseError
from autograder.gradebook.flags import Flag
from autograder.grading import run as grading
from autograder.grading.run import Setting
from autograder.records import CheckResult, PlannedCheck, Submission, Verdict
from autograder.reference.misconceptions import MisconceptionError
from autograder.sandbox import InfraError
from autograder.suite.session import SuiteError

LONGEST_MESSAGE = 16 << 20
LOST = "The grader lost this check's result; it has to be graded again."


class CantGradeError(Exception):
    """Nothing can be graded here; the message says why."""


@dataclass(frozen=True)
class Planned:
    """What will be checked of a week; comes before any of the student's code runs."""

    week: int
    checks: tuple[PlannedCheck, ...]
    confinement: str


@dataclass(frozen=True)
class Checked:
    """A check's result. A later one of the same check takes its place."""

    week: int
    result: CheckResult


@dataclass(frozen=True)
class Ended:
    """A week is done, and this is what a person should look at."""

    week: int
    flags: tuple[Flag, ...]


Told = Planned | Checked | Ended


def examine_one(setting: Setting, submissions: Mapping[int, Submission]) -> Iterator[Told]:
    """Examine one student's submissions, by the week's number; yield what is known, when it is.

    All plans come first, then week after week its results; each planned check has one in the end.
    If the process is lost the weeks that have not ended are done once more by another one, and
    what that doesn't tell either is our fault. Raises CantGradeError where nothing can be graded.
    """
    plans: dict[int, Planned] = {}
    left = dict(submissions)
    for _ in range(2):
        told: dict[int, set[str]] = {week: set() for week in left}
        for one in _tell(setting, left):
            if isinstance(one, Planned):
                if one.week in plans:
                    continue
                plans[one.week] = one
            elif isinstance(one, Checked):
                told[one.week].add(one.result.check)
            else:
                del left[one.week]
            yield one
        if not left:
            return
    for week in left:
        if week not in plans:
            raise CantGradeError("the process that examines submissions came to a sudden end")
        for check in plans[week].checks:
            if check.id not in told[week]:
                yield Checked(week, CheckResult(check.id, Verdict.INFRA, message=LOST))
        yield Ended(week, ())


def _tell(setting: Setting, submissions: Mapping[int, Submission]) -> Iterator[Told]:
    """Yield what a process of its own tells, until it has nothing more to tell or is gone."""
    os.environ.update(dict.fromkeys(grading.ONE_THREAD, "1"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.grading.examiner"])
    slots = context.Queue()
    slots.put(0)
    ours, theirs = context.Pipe(duplex=False)
    arguments = (setting, slots, dict(submissions), theirs)
    process = context.Process(target=_work, args=arguments, name="examiner")
    process.start()
    theirs.close()
    try:
        while True:
            try:
                told = json.loads(ours.recv_bytes(LONGEST_MESSAGE))
            except EOFError:
                return
            if told["kind"] == "failed":
                raise CantGradeError(told["why"])
            yield _read(told)
    finally:
        ours.close()
        process.kill()
        process.join()
        slots.close()


def _read(told: dict[str, Any]) -> Told:
    week = told["week"]
    if told["kind"] == "planned":
        checks = tuple(PlannedCheck(**check) for check in told["checks"])
        return Planned(week, checks, told["confinement"])
    if told["kind"] == "checked":
        result = told["result"]
        return Checked(week, CheckResult(**{**result, "verdict": Verdict(result["verdict"])}))
    return Ended(week, tuple(Flag(**flag) for flag in told["flags"]))


# What runs in the process.


def _work(
    setting: Setting,
    slots: Any,
    submissions: Mapping[int, Submission],
    pipe: Connection,
) -> None:
    def tell(kind: str, **what: Any) -> None:
        pipe.send_bytes(json.dumps({"kind": kind, **what}).encode())

    grading.begin(setting, slots)
    try:
        for week in submissions:
            plan = grading.describe(week)
            checks = [asdict(check) for check in plan.checks]
            tell("planned", week=week, checks=checks, confinement=plan.confinement)
    except (InfraError, SuiteError, CourseError, MisconceptionError, OSError) as error:
        tell("failed", why=str(error) or type(error).__name__)
        return
    for week, submission in submissions.items():

        def checked(result: CheckResult, week: int = week) -> None:
            tell("checked", week=week, result=asdict(result))

        found, _ = grading.examine_submission(submission, week, checked)
        for result in found.results:
            checked(result)
        tell("ended", week=week, flags=[asdict(flag) for flag in found.flags])
    pipe.close()
