"""What a person changes counts everywhere: points, feedback, tables, exports; and can be undone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.override_lines import Line, OverrideReader
from autograder.gradebook.submission import Submission
from autograder.integrations.gradebooks.points_column import part_points
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.report.changed_words import of_class, whole_results
from autograder.report.class_csv import by_hand_csv, gradebook_csv
from autograder.report.feedback import feedback
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.not_handed_in import NOTHING_HANDED_IN

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
WEEK = COURSE.week(1)
AUTO = [item for item in COURSE.items(1) if item.kind == "auto"]
PLAN = [PlannedCheck(f"t.py::{i.id}-{n}", i.id, f"{i.id} {n}") for i in AUTO for n in (0, 1)]
NOTEBOOK = {"derivations.ipynb": "0" * 64}


def grade(book: Gradebook, student: str, documents: dict[str, str], text: str = "") -> None:
    """Record a student of whom the first check of each item passed and the second is wrong."""
    one = Submission(student, {"losses.py": (student + text).encode()}, documents=documents)
    job = GradingJob(student + text, student, 1, one.fingerprint, "none")
    book.add_submission(one, 1)
    book.plan(job, PLAN)
    results = [
        CheckResult(check.id, Verdict.PASS, FULL_CREDIT)
        if check.id.endswith("-0")
        else CheckResult(check.id, Verdict.WRONG, message="wrong", misconception="m", advice="a")
        for check in PLAN
    ]
    book.record(job.key, results, 1.0)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        grade(book, "ada", NOTEBOOK)
        grade(book, "bob", {})
        yield book


def change(book: Gradebook, target: str, says: str, reason: str = "a look by eye") -> None:
    line = Line("ada", target, says, reason, "Dr. X")
    book.add_overrides(OverrideReader(COURSE, book).read([line], "test", "command"))


def of(book: Gradebook, student: str = "ada") -> GradedReport:
    [report] = gather(COURSE, book, [student])
    return report


def item(report: GradedReport, id: str = "week1.linear"):
    return next(item for item in report.score.items if item.id == id)


@pytest.mark.parametrize(
    ("says", "points"), [("4", 400), ("0", 0), ("+1.5", 350), ("-0.5", 150), ("+4", 400)]
)
def test_an_item_is_changed_up_or_down_and_undone(book, says, points):
    before = of(book)
    assert item(before).points == 200
    change(book, "week1.linear", says)
    after = of(book)
    assert item(after).points == points
    assert after.score.total - before.score.total == points - 200
    assert of(book, "bob").score.total == gather(COURSE, book)[1].score.total
    text = feedback(after)
    said = f"**Changed by a person**: from 2 to {points / 100:g} points. Why: a look by eye"
    assert said in text
    assert "Dr. X" not in text
    change(book, "week1.linear", "undo")
    assert of(book).score == before.score
    assert of(book).changes == ()


def test_a_check_is_changed_up_and_down(book):
    change(book, "t.py::week1.linear-1", "pass")
    change(book, "t.py::week1.relu-0", "fail")
    change(book, "t.py::week1.tanh-1", "50%")
    report = of(book)
    assert item(report).points == 400
    assert item(report, "week1.relu").points == 0
    assert item(report, "week1.tanh").points == 75
    text = feedback(report)
    assert "the check *week1.linear 1*: from wrong to pass. Why: a look by eye" in text
    assert "the check *week1.relu 0*: from pass to fail" in text
    assert "All 2 checks passed" in text
    assert "A person looked at this and decided so." in text


def test_a_check_that_is_gone_is_named(book):
    change(book, "t.py::week1.linear-1", "pass")
    job = GradingJob("new", "ada", 1, book.submission("ada", 1).fingerprint, "none")
    book.plan(job, PLAN[:1])
    book.record("new", [CheckResult(PLAN[0].id, Verdict.PASS, FULL_CREDIT)], 1.0)
    assert "no longer among the checks (pass)" in " ".join(of_class([of(book)]))


def test_an_excused_item_counts_for_nothing_and_against_nobody(book):
    before = of(book).score
    change(book, "week1.linear", "excused", "ill")
    report = of(book)
    assert report.score.max_total == before.max_total - 400
    assert report.score.total == before.total - 200
    text = feedback(report)
    assert "Linear (`week1.linear`): excused" in text
    assert "excused, it counts neither for nor against you. Why: ill" in text
    [row] = csv.DictReader(io.StringIO(gradebook_csv(COURSE, [report])))
    assert row["week1.linear"] == ""
    assert row["changed"] == "week1.linear 2 -> excused"


def test_an_excused_week_waits_for_nothing(book):
    assert of(book).score.pending, "the notebook is to be marked"
    change(book, "1", "excused", "ill")
    report = of(book)
    assert not report.score.pending
    week = {one.id for one in COURSE.items(1)}
    assert all(one.reason == "excused" for one in report.score.items if one.id in week)
    points = part_points(COURSE, [report, of(book, "bob")], "week1")
    assert points["ada"].excused
    assert not points["bob"].excused
    assert "Week 1: excused, it counts neither for nor against you. Why: ill" in feedback(report)
    assert [line["student"] for line in by_hand(report)] == []
    change(book, "week1", "undo")
    assert of(book).score.pending


def by_hand(*reports: GradedReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(by_hand_csv(COURSE, reports))))


def test_points_are_added_and_taken_in_a_week_and_in_total(book):
    before = of(book).score
    change(book, "week1", "+2", "helped others")
    change(book, "total", "-1.5", "late note")
    report = of(book)
    assert report.score.total == before.total + 50
    assert report.score.max_total == before.max_total
    assert part_points(COURSE, [report], "total")["ada"].points == report.score.final
    assert part_points(COURSE, [report], "week1")["ada"].points == before.final + 200
    assert part_points(COURSE, [report], "core")["ada"].points == sum(
        one.final for one in report.score.components[1].items
    )
    text = feedback(report)
    assert "**Changed by a person**: Week 1: +2 points. Why: helped others" in text
    assert "**Changed by a person**: The total: -1.5 points. Why: late note" in text
    [row] = csv.DictReader(io.StringIO(gradebook_csv(COURSE, [report])))
    assert row["changed"] == "week1 +2; total -1.5"


def test_nobody_has_fewer_than_no_points(book):
    change(book, "total", "-500", "copied")
    report = of(book)
    assert report.score.final == 0
    assert "of them, since nobody has fewer than 0 points. Why: copied" in feedback(report)


def test_a_mark_that_is_waited_for_may_be_overridden(book):
    change(book, "week1.written_linear", "1.5", "seen on paper")
    one = item(of(book), "week1.written_linear")
    assert (one.points, one.pending) == (150, False)
    [row] = [row for row in by_hand(of(book)) if row["item"] == one.id]
    assert row["points"] == "", "the list of marks holds marks only"


def test_a_change_outlives_a_new_submission_and_says_so(book):
    change(book, "week1.linear", "4")
    grade(book, "ada", NOTEBOOK, "changed")
    report = of(book)
    assert item(report).points == 400
    assert any("for an earlier submission" in line for line in of_class([report]))


def test_what_is_in_force_is_named_as_a_cause(book):
    change(book, "week1.linear", "4", "wrong test")
    change(book, "t.py::week1.linear-1", "fail", "looked at")
    change(book, "total", "-1", "late note")
    said = of(book).overrides
    assert said == {
        "week1.linear": "week1.linear 1: fail (looked at; Dr. X); 4 (wrong test; Dr. X)",
        "total": "-1 (late note; Dr. X)",
    }
    grade(book, "ada", NOTEBOOK, "again")
    assert of(book).overrides == said, "only a person changes it"


def test_other_programs_read_what_was_changed(book):
    assert "changed_by_a_person" not in json.loads(whole_results(of(book)))
    change(book, "week1.linear", "4", "<b>wrong test</b>")
    text = whole_results(of(book))
    assert "<b>" not in text
    assert json.loads(text)["changed_by_a_person"] == [
        {"target": "week1.linear", "before": "2", "after": "4", "reasons": ["<b>wrong test</b>"]}
    ]


def test_what_was_not_handed_in_is_0_and_not_waited_for(book):
    ada, bob = of(book), of(book, "bob")
    written = [one.id for one in COURSE.items(1) if one.kind == "manual"]
    assert all(item(ada, id).pending for id in written)
    for id in written:
        one = item(bob, id)
        assert (one.points, one.pending, one.reason) == (0, False, NOTHING_HANDED_IN)
    assert not part_points(COURSE, [bob], "week1")["bob"].pending, "an export has its points"
    text = feedback(bob)
    assert "Up to" not in text
    assert "(`week1.written_mse`): 0 of 1. Nothing was handed in for this." in text
    assert {row["points"] for row in by_hand(bob)} == {""}, "handed back, it gives no mark"


def test_a_document_that_comes_later_is_waited_for(book):
    grade(book, "bob", NOTEBOOK, "later")
    assert of(book, "bob").score.pending


def test_extra_credit_that_nobody_began_leaves_no_star(book):
    late = Submission("ada", {"optimizers.py": b"x = 1"})
    book.add_submission(late, 3)
    extra = [one for one in of(book).score.components if one.extra]
    manual = {one.id for one in COURSE.items(3) if one.kind == "manual"}
    waiting = {one.id for part in extra for one in part.items if one.pending}
    assert not waiting & manual
    bob = of(book, "bob")
    assert not bob.score.pending, "of week 3 there is nothing of bob's"
    assert bob.score.max_total == of(book).score.max_total
