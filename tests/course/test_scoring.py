"""Points follow from plan, results, rubric and marks, exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Course, load
from autograder.course.scoring import (
    MUST_BE_REGRADED,
    NOT_GRADED_YET,
    TO_BE_MARKED,
    CheckScore,
    ItemScore,
    StudentScore,
    item_points,
    score_student,
)
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.points_words import pending_points
from autograder.report.statistics import class_statistics
from tests.rubrics import with_components, with_items


def week_1_alone() -> Course:
    """The course as it was when only its first week was open."""
    course = load(Path(__file__).resolve().parents[2])
    return with_items(course, lambda item: item if item.week == 1 else None)


COURSE = week_1_alone()
AUTO = [item for item in COURSE.items(week=1) if item.kind == "auto"]
MANUAL = [item for item in COURSE.items(week=1) if item.kind == "manual"]


def plan_of(items: list[str], checks: int = 2) -> list[PlannedCheck]:
    return [
        PlannedCheck(f"{item}::{n}", item, f"Check {n}") for item in items for n in range(checks)
    ]


PLAN = plan_of([item.id for item in AUTO])


def passed(plan: list[PlannedCheck]) -> list[CheckResult]:
    return [CheckResult(check.id, Verdict.PASS, FULL_CREDIT) for check in plan]


def full_marks() -> list[ManualMark]:
    return [ManualMark("ada", item.id, item.points) for item in MANUAL]


def item_of(score: StudentScore, id: str) -> ItemScore:
    return next(item for item in score.items if item.id == id)


def test_all_passed_and_marked_is_everything_that_is_open() -> None:
    score = score_student(COURSE, "ada", PLAN, passed(PLAN), full_marks())
    assert score.total == score.max_total == sum(item.points for item in COURSE.items())
    assert not score.pending
    assert pending_points(score) == 0


def test_nothing_passed_is_nothing() -> None:
    results = [CheckResult(check.id, Verdict.NOT_ATTEMPTED) for check in PLAN]
    score = score_student(COURSE, "ada", PLAN, results)
    assert score.total == 0
    assert score.max_total == 5500
    assert {item.reason for item in score.items} == {"", TO_BE_MARKED}


def test_components_that_are_not_open_count_nowhere() -> None:
    score = score_student(COURSE, "ada", PLAN, passed(PLAN), full_marks())
    closed = [part for part in score.components if not part.is_open]
    assert closed
    assert all(part.points == 0 and not part.pending for part in closed)
    assert score.max_total == sum(
        part.max_points for part in score.components if part.is_open and not part.extra
    )


def test_components_of_weeks_that_are_not_open_count_nowhere() -> None:
    course = load(Path(__file__).resolve().parents[2])
    score = score_student(course, "ada", PLAN, passed(PLAN), full_marks(), open_weeks={1})
    assert {part.id for part in score.components if part.is_open} == {
        part.id for part in COURSE.components if part.is_open
    }
    assert score.total == score.max_total == 5500
    assert not score.pending
    everything = score_student(course, "ada", PLAN, passed(PLAN), full_marks())
    open_points = [part.most for part in course.components if part.is_open and not part.extra]
    assert everything.max_total == sum(open_points) >= 12000
    assert item_of(everything, "week2.matmul").reason == NOT_GRADED_YET


def test_a_component_of_several_weeks_is_open_with_the_first_of_them() -> None:
    second = COURSE.components[1].id
    more = AUTO[0].model_copy(update={"id": "x.y", "week": 2})
    course = with_components(
        COURSE,
        lambda part: part.model_copy(
            update={"items": (*part.items, *[more] * (part.id == second))}
        ),
    )
    score = score_student(course, "ada", PLAN, passed(PLAN), open_weeks={1})
    assert item_of(score, "x.y").pending
    assert item_of(score, "x.y").reason == NOT_GRADED_YET


def test_the_plan_fixes_the_denominator() -> None:
    plan = plan_of(["week1.linear"], 4)
    score = score_student(COURSE, "ada", plan, passed(plan)[:1])
    item = item_of(score, "week1.linear")
    assert item.points == 100, "one of four planned checks, not one of one"
    assert (item.pending, item.reason) == (True, NOT_GRADED_YET)


def test_infra_is_pending_and_not_lost() -> None:
    results = passed(PLAN)
    results[0] = CheckResult(results[0].check, Verdict.INFRA)
    score = score_student(COURSE, "ada", PLAN, results, full_marks())
    item = item_of(score, PLAN[0].item)
    assert (item.pending, item.reason) == (True, MUST_BE_REGRADED)
    assert item.points == item.max_points // 2
    assert score.total + pending_points(score) == score.max_total
    assert [other.id for other in score.items if other.pending] == [item.id]


def test_what_was_not_planned_is_pending() -> None:
    score = score_student(COURSE, "ada", [], [])
    assert score.total == 0
    assert pending_points(score) == score.max_total
    assert item_of(score, "week1.linear").reason == NOT_GRADED_YET


def test_a_refused_submission_has_nothing_and_waits_for_nothing() -> None:
    score = score_student(COURSE, "ada", [], [], refused_weeks={1})
    assert score.total == 0
    assert not score.pending
    recorded = score_student(COURSE, "ada", PLAN, passed(PLAN), refused_weeks={1})
    assert (recorded.total, recorded.pending) == (0, False)
    assert item_of(recorded, PLAN[0].item).checks
    marked = score_student(COURSE, "ada", [], [], full_marks()[:1], refused_weeks={1})
    assert marked.total == MANUAL[0].points, "a person may still give points"


def test_marks_of_others_don_t_count_and_no_mark_exceeds_the_maximum() -> None:
    item = MANUAL[0]
    marks = [ManualMark("ben", MANUAL[1].id, 100), ManualMark("ada", item.id, 99_999, "Wow")]
    score = score_student(COURSE, "ada", [], [], marks)
    assert item_of(score, item.id) == ItemScore(
        item.id, item.title, item.points, item.points, comment="Wow"
    )
    assert item_of(score, MANUAL[1].id).pending


def test_a_mark_for_an_automatic_item_gives_nothing() -> None:
    score = score_student(COURSE, "ada", [], [], [ManualMark("ada", "week1.linear", 400)])
    assert score.total == 0


def test_checks_of_items_that_left_the_rubric_are_left_out() -> None:
    plan = [*PLAN, PlannedCheck("gone::0", "week1.gone", "A check of old")]
    score = score_student(COURSE, "ada", plan, passed(plan), full_marks())
    assert score.total == score.max_total


@pytest.mark.parametrize(
    ("plan", "results", "says"),
    [
        (PLAN, [*passed(PLAN), *passed(PLAN[:1])], "two records"),
        ([*PLAN, PLAN[0]], passed(PLAN), "planned twice"),
        (PLAN[1:], passed(PLAN), "never planned"),
    ],
)
def test_contradictions_are_errors(
    plan: list[PlannedCheck], results: list[CheckResult], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        score_student(COURSE, "ada", plan, results)


def checks_of(pairs: list[tuple[int, int | None]]) -> list[CheckScore]:
    """One check per (weight, credit); no record where the credit is None."""
    return [
        CheckScore(
            PlannedCheck(f"t::{n}", "week1.linear", "A check", weight),
            None if credit is None else CheckResult(f"t::{n}", Verdict.WRONG, credit),
        )
        for n, (weight, credit) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("max_points", "pairs", "points"),
    [
        (150, [(1, 10_000), (1, 10_000), (1, 0)], 100),
        (100, [(1, 10_000), (1, 0), (1, 0)], 33),
        (100, [(1, 10_000), (1, 10_000), (1, 0)], 67),
        (1, [(1, 10_000), (1, 0)], 1),
        (1, [(1, 4_999)], 0),
        (1, [(1, 5_000)], 1),
        (100, [(3, 10_000), (1, 0)], 75),
        (100, [(3, None), (1, 10_000)], 25),
        (100, [(0, 10_000), (1, 0)], 0),
        (100, [(0, 10_000)], 0),
        (100, [], 0),
    ],
)
def test_points_are_weighted_and_rounded_half_up(
    max_points: int, pairs: list[tuple[int, int | None]], points: int
) -> None:
    assert item_points(max_points, checks_of(pairs)) == points


CREDITS = st.one_of(st.none(), st.integers(0, FULL_CREDIT))
PAIRS = st.lists(st.tuples(st.integers(1, 50), CREDITS), min_size=1, max_size=12)


@given(st.integers(0, 4000), PAIRS)
def test_points_are_the_exact_share_rounded_once(
    max_points: int, pairs: list[tuple[int, int | None]]
) -> None:
    points = item_points(max_points, checks_of(pairs))
    share = Fraction(
        sum(weight * (credit or 0) for weight, credit in pairs),
        FULL_CREDIT * sum(weight for weight, _ in pairs),
    )
    assert Fraction(-1, 2) < points - max_points * share <= Fraction(1, 2)
    assert 0 <= points <= max_points
    if share == 1:
        assert points == max_points


@given(st.integers(1, 4000), PAIRS, st.data())
def test_more_credit_never_costs_and_order_never_matters(
    max_points: int, pairs: list[tuple[int, int | None]], data: st.DataObject
) -> None:
    points = item_points(max_points, checks_of(pairs))
    assert item_points(max_points, checks_of(data.draw(st.permutations(pairs)))) == points
    at = data.draw(st.integers(0, len(pairs) - 1))
    better = data.draw(st.integers(pairs[at][1] or 0, FULL_CREDIT))
    raised = [*pairs[:at], (pairs[at][0], better), *pairs[at + 1 :]]
    assert item_points(max_points, checks_of(raised)) >= points


VERDICTS = st.sampled_from([None, *Verdict])


@given(st.lists(VERDICTS, min_size=len(PLAN), max_size=len(PLAN)), st.booleans())
def test_totals_add_up_and_only_records_give_points(
    verdicts: list[Verdict | None], marked: bool
) -> None:
    results = [
        CheckResult(check.id, verdict, FULL_CREDIT if verdict is Verdict.PASS else 0)
        for check, verdict in zip(PLAN, verdicts, strict=True)
        if verdict is not None
    ]
    score = score_student(COURSE, "ada", PLAN, results, full_marks() if marked else [])
    assert score.total == sum(item.points for item in score.items)
    assert score.total + pending_points(score) <= score.max_total
    for item in score.items:
        found = [check.result.verdict for check in item.checks if check.result]
        if item.checks:
            assert item.pending == (len(found) < len(item.checks) or Verdict.INFRA in found)
            assert (item.points > 0) == (Verdict.PASS in found)


def extra_credit_course() -> Course:
    """The course with one item of extra credit open."""
    item = AUTO[0].model_copy(update={"id": "week1.bonus", "points": 2000})
    first = next(part.id for part in COURSE.components if part.extra)
    return with_components(
        COURSE,
        lambda part: part.model_copy(update={"items": (item,)}) if part.id == first else part,
    )


def test_extra_credit_comes_on_top() -> None:
    plan = [*PLAN, *plan_of(["week1.bonus"])]
    score = score_student(extra_credit_course(), "ada", plan, passed(plan), full_marks())
    assert score.max_total == 5500
    assert score.total == 7500


def with_misconceptions(student: str, ids: list[str | None]) -> StudentScore:
    results = [
        CheckResult(check.id, Verdict.WRONG, misconception=id, advice=id and f"About {id}.")
        for check, id in zip(PLAN, ids, strict=False)
    ]
    return score_student(COURSE, student, PLAN, results)


def test_two_weeks_may_have_misconceptions_of_one_id() -> None:
    results = [
        CheckResult(PLAN[n].id, Verdict.WRONG, misconception="sign", advice=f"In week {n}.")
        for n in (0, 1)
    ]
    statistics = class_statistics([score_student(COURSE, "ada", PLAN, results)])
    found = [(entry.id, entry.advice, entry.students) for entry in statistics.misconceptions]
    assert found == [("sign", "In week 0.", 1), ("sign", "In week 1.", 1)]


def test_the_commonest_misconceptions_count_students() -> None:
    scores = [
        with_misconceptions("ada", ["many", "many", "many", "rare"]),
        with_misconceptions("ben", ["common", None, "second"]),
        with_misconceptions("cyd", ["common", "second", "also"]),
        with_misconceptions("dan", ["common"]),
    ]
    statistics = class_statistics(scores)
    found = [(entry.id, entry.students) for entry in statistics.misconceptions]
    assert found == [("common", 3), ("second", 2), ("also", 1)]
    assert statistics.misconceptions[0].advice == "About common."
    assert len(class_statistics(scores, commonest=10).misconceptions) == 5


def test_means_are_rounded_half_up() -> None:
    full = score_student(COURSE, "ada", PLAN, passed(PLAN), full_marks())
    none = score_student(COURSE, "ben", PLAN, [CheckResult(c.id, Verdict.WRONG) for c in PLAN])
    statistics = class_statistics([full, none, none])
    assert statistics.students == 3
    assert statistics.mean == 1833
    assert statistics.component_means == {
        "derivations": 500,
        "core": 833,
        "gradient_checking": 500,
    }
    assert statistics.misconceptions == ()
    with pytest.raises(ValueError, match="without students"):
        class_statistics([])
