"""A class that is graded twice, by hand: the second time is killed after some of its students.

`python -m tests.report.regraded FOLDER` writes FOLDER/KIND-N/gradebook.sqlite, where the process
that graded again had come to N students when SIGKILL ended it, for each kind of grading again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.report.gather import gather
from autograder.report.publishing import publish

COURSE = load(Path(__file__).resolve().parents[2])
STUDENTS = [f"s{number:02}" for number in range(10)]
WEEK = 1
ITEMS = [item for item in COURSE.items(WEEK) if item.kind == "auto"]
BEFORE, NOW = FULL_CREDIT // 2, FULL_CREDIT // 4
KINDS = ("another suite", "other files", "a failure of ours")
"""Why it is graded again. In the last, the examiners of all the others are lost as well."""


def plan_of(suite: int) -> list[PlannedCheck]:
    return [PlannedCheck(f"{suite}::{item.id}", item.id, item.title) for item in ITEMS]


def results(suite: int, credit: int) -> list[CheckResult]:
    return [CheckResult(check.id, Verdict.WRONG, credit) for check in plan_of(suite)]


def submission(student: str, version: int) -> Submission:
    return Submission(student, {"a.py": b"%s %d" % (student.encode(), version)})


def job_of(one: Submission, suite: int) -> GradingJob:
    key = f"{one.student} {suite} {one.fingerprint}"
    return GradingJob(key, one.student, WEEK, one.fingerprint, "none")


def grade(book: Gradebook, version: int, suite: int, credit: int, most: int, lost: bool) -> None:
    """Grade the class up to a student, as `grade_class` does."""
    book.start_run("none", "digits", "salt", {})
    class_now = [submission(student, version) for student in STUDENTS]
    book.add_submissions(class_now, WEEK)
    parts = {f"hidden tests: {suite}.py": str(suite)}
    book.plan_all([job_of(one, suite) for one in class_now], plan_of(suite), parts)
    for number, one in enumerate(class_now):
        if number < most:
            book.record(job_of(one, suite).key, results(suite, credit), 1.0)
        elif lost:
            ours = [CheckResult(check.id, Verdict.INFRA) for check in plan_of(suite)]
            book.record(job_of(one, suite).key, ours, 1.0)


def grade_again(folder: Path, kind: str, most: int) -> None:
    """Grade again in a process that is killed."""
    child = os.fork()
    if child == 0:
        with Gradebook.open(folder / "gradebook.sqlite") as book:
            version, suite = (2, 1) if kind == "other files" else (1, 2)
            grade(book, version, suite, NOW, most, kind == "a failure of ours")
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if status != signal.SIGKILL:
        raise SystemExit(f"{kind}, {most}: the process ended otherwise ({status})")


def write(folder: Path) -> None:
    first = folder / "first"
    with Gradebook.open(first / "gradebook.sqlite") as book:
        grade(book, 1, 1, BEFORE, len(STUDENTS), lost=False)
        book.finish_run()
        publish(COURSE, book, gather(COURSE, book), "grade", first)
    for kind in KINDS:
        for most in range(len(STUDENTS) + 1):
            target = folder / f"{kind}-{most}"
            shutil.copytree(first, target)
            grade_again(target, kind, most)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
