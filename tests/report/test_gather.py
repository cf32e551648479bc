"""Gathering reports costs the same for each student, however many the class has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.journal import TRAINING, Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.gather import gather

COURSE = load(Path(__file__).resolve().parents[2])
CHECKS = [PlannedCheck(f"t::{n}", "week1.linear", f"Check number {n}") for n in range(5)]
PROJECT = next(week.number for week in COURSE.weeks if week.job)
TRAINED = PlannedCheck("training", "project.accuracy", "Accuracy")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        yield book


def hand_in(book: Gradebook, students: int) -> None:
    for number in range(students):
        one = Submission(f"s{number:03}", {"a.py": b"%d" % number})
        job = GradingJob(one.student, one.student, 1, one.fingerprint, "none")
        book.add_submission(one, 1)
        book.plan(job, CHECKS)
        passed = [CheckResult(check.id, Verdict.PASS, FULL_CREDIT) for check in CHECKS]
        book.record(job.key, passed, 1.0)


def statements(book: Gradebook, students: list[str] | None = None) -> int:
    """Return how many statements the gradebook runs to gather reports."""
    said: list[str] = []
    book._db.set_trace_callback(said.append)
    assert gather(COURSE, book, students)
    book._db.set_trace_callback(None)
    return len(said)


def test_one_student_costs_the_same_in_any_class(book: Gradebook) -> None:
    hand_in(book, 3)
    gather(COURSE, book)  # what is remembered is remembered for all
    small = statements(book, ["s001"])
    hand_in(book, 60)
    assert statements(book, ["s001"]) == small


def test_each_student_of_a_class_costs_the_same(book: Gradebook) -> None:
    hand_in(book, 3)
    gather(COURSE, book)
    common = statements(book, ["s001"])
    each = (statements(book) - common) / 2
    hand_in(book, 60)
    assert statements(book) <= common + 59 * each


def test_students_with_the_same_plan_share_its_checks(book: Gradebook) -> None:
    hand_in(book, 2)
    plans = [
        [check.planned for item in report.score.items for check in item.checks]
        for report in gather(COURSE, book)
    ]
    assert [check.id for check in plans[0]] == [f"{COURSE.week(1).id}/{one.id}" for one in CHECKS]
    assert all(one is other for one, other in zip(*plans, strict=True))


def test_a_week_that_only_another_student_handed_in_is_open_for_all(book: Gradebook) -> None:
    hand_in(book, 2)
    late = Submission("zoe", {"b.py": b"1"})
    book.add_submission(late, 2)
    manual = next(item for item in COURSE.items() if item.week == 3 and item.kind == "manual")
    book.put_marks([ManualMark("zoe", manual.id, 0)])
    for report in gather(COURSE, book):
        assert {item.week for item in COURSE.items() if item.id in ids(report)} >= {1, 2, 3}


def ids(report) -> set[str]:
    return {item.id for item in report.score.items}


def test_the_leaderboard_holds_those_who_have_a_network(book: Gradebook) -> None:
    hand_in(book, 2)
    for student, accuracy in (("ada", 0.8), ("ben", 0.9), ("cleo", None)):
        one = Submission(student, {"p.py": student.encode()})
        book.add_submission(one, PROJECT)
        job = GradingJob(f"t{student}", student, PROJECT, one.fingerprint, "none", TRAINING)
        book.plan(job, [TRAINED])
        if accuracy:
            detail = {"accuracy": accuracy}
            book.record(job.key, [CheckResult("training", Verdict.PASS, 1, detail=detail)], 9.0)
    boards = {report.score.student: report.board for report in gather(COURSE, book)}
    assert [row.student for row in boards["ada"]] == ["ben", "ada"]
    assert boards["cleo"] == boards["s000"] == ()
