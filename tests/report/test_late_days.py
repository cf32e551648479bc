"""A budget of late days: spent where it gives most points, or where a student asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import Course, CourseError, Extension, HandingIn, load
from autograder.course.lateness import judge_lateness
from autograder.course.scoring import ComponentScore, ItemScore, PhaseScore, StudentScore, half_up
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.overrides import Act, Override, Scope
from autograder.gradebook.submission import LATE_IN_CANVAS, Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.report.class_csv import gradebook_csv
from autograder.report.feedback import feedback
from autograder.report.gather import gather
from autograder.report.late_days import days_spent, requested_days, with_days

LOADED = load(Path(__file__).resolve().parents[2])
DUE = datetime(2026, 10, 12, 22, tzinfo=UTC)
CURVE = HandingIn(grace_minutes=15, late=((0, 1.0), (4, 0.0)), whole_days=True, late_days=3)
ITEMS = {1: "week1.linear", 2: "week2.graphs", 3: "week3.adam"}
ON_REQUEST = CURVE.model_copy(update={"late_days_spent": "on request"})


def course(rule: HandingIn = CURVE, **changes: object) -> Course:
    weeks = tuple(week.model_copy(update={"due": DUE}) for week in LOADED.weeks)
    return LOADED.model_copy(update={"weeks": weeks, "handing_in": rule, **changes})


def score_of(points: Mapping[int, int]) -> StudentScore:
    items = [
        next(item for item in LOADED.items(week) if item.kind == "auto") for week in sorted(points)
    ]
    scores = tuple(ItemScore(item.id, item.title, points[item.week], 10_000) for item in items)
    part = ComponentScore("all", "All", 10_000, False, scores)
    return StudentScore("ada", (PhaseScore("phase", "Phase", (part,)),))


def spent(
    rule: HandingIn, days_late: Mapping[int, float], points: Mapping[int, int], asked=None
) -> dict[int, int]:
    chosen = course(rule)
    judged = [
        judge_lateness(chosen, "ada", week, DUE + timedelta(days=days))
        for week, days in days_late.items()
    ]
    return days_spent(chosen, judged, score_of(points), asked or {})


@pytest.mark.parametrize(
    ("late", "points", "days"),
    [
        ({1: 2}, {1: 1000}, {1: 2}),
        ({1: 2, 2: 2}, {1: 1000, 2: 2000}, {1: 1, 2: 2}),
        ({1: 2, 2: 2}, {1: 1000, 2: 1000}, {1: 2, 2: 1}),
        ({1: 5, 2: 1}, {1: 1000, 2: 100}, {1: 3}),
        ({1: 9}, {1: 1000}, {}),
        ({1: 2}, {1: 0}, {}),
        ({1: 0.001}, {1: 1000}, {}),
        ({1: 1.001}, {1: 1000}, {1: 1}),
        ({1: 1.5}, {1: 1000}, {1: 2}),
        ({1: -3}, {1: 1000}, {}),
    ],
)
def test_automatically_they_are_spent_in_the_students_favour(late, points, days) -> None:
    assert spent(CURVE, late, points) == days


def test_without_a_budget_none_are_spent() -> None:
    assert spent(CURVE.model_copy(update={"late_days": 0}), {1: 2}, {1: 1000}) == {}


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from([1, 2, 3]), st.floats(0, 5), min_size=1),
    st.lists(st.integers(0, 3000), min_size=3, max_size=3),
    st.integers(0, 5),
)
def test_no_other_way_of_spending_them_gives_more(late, worth, budget) -> None:
    rule = CURVE.model_copy(update={"late_days": budget})
    points = {week: worth[week - 1] for week in late}

    def kept(week: int, days: int) -> int:
        judged = judge_lateness(course(rule), "ada", week, DUE + timedelta(days=late[week]))
        return with_days(course(rule), judged, days).kept

    def final(days: Mapping[int, int]) -> int:
        return sum(
            half_up(points[week] * kept(week, each), FULL_CREDIT) for week, each in days.items()
        )

    chosen = spent(rule, late, points)
    ways = (dict(zip(late, days, strict=True)) for days in product(range(6), repeat=len(late)))
    most = max(final(days) for days in ways if sum(days.values()) <= budget)
    assert sum(chosen.values()) <= budget
    assert final({week: chosen.get(week, 0) for week in late}) == most


def test_on_request_only_what_was_asked_for_and_is_of_use() -> None:
    late, points = {1: 2, 2: 1.001}, {1: 1000, 2: 1000}
    assert spent(ON_REQUEST, late, points) == {}
    assert spent(ON_REQUEST, late, points, {1: 1, 2: 2, 3: 1}) == {1: 1, 2: 1}


REQUEST = {"student": "ada", "week": "week1", "days": 2}


@pytest.mark.parametrize(
    ("rule", "requests", "says"),
    [
        (CURVE, [REQUEST], "spent automatically"),
        (ON_REQUEST, [REQUEST | {"week": "week99"}], "there is no week 'week99'"),
        (ON_REQUEST, [REQUEST, REQUEST | {"days": 1}], "there is another one of ada for week1"),
        (ON_REQUEST, [REQUEST, REQUEST | {"week": "week2"}], "ada asks for 4 days, and 3 are to"),
        (ON_REQUEST, [REQUEST | {"days": 0}], "greater than 0"),
        (ON_REQUEST, [{"student": "ada"}], "field required"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(rule, requests, says) -> None:
    with pytest.raises(CourseError, match=says):
        requested_days(course(rule, more={"late_days": requests}))


def test_requests_are_read_by_student_and_week() -> None:
    assert requested_days(course(ON_REQUEST, more={"late_days": [REQUEST]})) == {"ada": {1: 2}}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        yield book


def graded(book: Gradebook, submission: Submission) -> None:
    book.start_run("bubblewrap", "digits", "", {})
    book.add_submission(submission, 1)
    who, files = submission.student, submission.fingerprint
    book.plan(GradingJob(f"k-{who}", who, 1, files, "b"), [PlannedCheck("a", ITEMS[1], "t")])
    book.record(f"k-{who}", [CheckResult("a", Verdict.PASS, FULL_CREDIT)], 1.0)


def test_the_report_says_what_was_spent_in_one_time_zone(book: Gradebook) -> None:
    berlin = datetime.fromisoformat("2026-10-13T23:59:00+02:00")
    own = Extension(student="ada", week="week1", due=berlin)
    received = datetime(2026, 10, 15, 20, tzinfo=UTC)
    graded(book, Submission("ada", {"losses.py": b"1"}, received=received))
    chosen = course(extensions=(own,))
    [report] = gather(chosen, book)
    assert report.score.final == report.score.total > 0
    text = feedback(report)
    assert (
        "was due on 2026-10-13 23:59 and handed in on 2026-10-15 22:00 (UTC+02:00), 1 day 22 hours "
        "late: 2 of your 3 late days are spent on it, and 100 % of its points count." in text
    )
    assert "Late days left: 1 of 3." in text
    assert "week1:1 day 22 hours (2 late days spent):1,\n" in gradebook_csv(chosen, [report])
    [report] = gather(course(CURVE.model_copy(update={"late_days": 0})), book)
    assert "late days" not in feedback(report)
    assert report.score.final < report.score.total


def test_an_excused_week_spends_no_late_days(book: Gradebook) -> None:
    graded(book, Submission("ada", {"losses.py": b"1"}, received=DUE + timedelta(days=2)))
    graded(book, Submission("bob", {"losses.py": b"2"}, (LATE_IN_CANVAS,)))
    assert [one.days for one in gather(course(), book)[0].handed_in] == [2]
    book.add_overrides(
        Override(who, "week1", Scope.WEEK, Act.EXCUSE, 0, "ill", "prof") for who in ("ada", "bob")
    )
    for report in gather(course(), book):
        assert (report.handed_in, report.undecided) == ((), ())
        assert report.score.final == report.score.max_total == 0


def test_late_by_canvas_is_to_be_decided_until_a_time_is_known(book: Gradebook) -> None:
    bob = Submission("bob", {"losses.py": b"1"}, (LATE_IN_CANVAS,))
    graded(book, bob)
    graded(book, Submission("eve", {"losses.py": b"2"}, (LATE_IN_CANVAS,), received=DUE))
    graded(book, Submission("nan", notices=(LATE_IN_CANVAS,)))
    reports = gather(course(), book)
    assert [report.undecided for report in reports] == [("week1",), (), ()]
    assert "week1:late in Canvas (to be decided):1,\n" in gradebook_csv(course(), reports)
