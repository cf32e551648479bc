"""Late days: a budget of days over the term, by which a student may be late at no cost.

Beside the course's curve: a day that is spent on a week moves its due date by a day, and what is
left of the delay follows the curve.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from autograder.course import COURSE_FILE, GRADING_FILE, Course, CourseError
from autograder.course.lateness import DAY, HandedIn, kept_share, lateness
from autograder.course.loading import explained
from autograder.course.model import Count, Model, Text
from autograder.course.scoring import StudentScore, half_up
from autograder.records import FULL_CREDIT

TABLE = "late_days"
DaysByWeek = Mapping[int, int]


class Request(Model):
    """A student's request: so many late days are to be spent on a week, given by its id."""

    student: Text
    week: Text
    days: Count


_REQUESTS: TypeAdapter[tuple[Request, ...]] = TypeAdapter(
    Annotated[tuple[Request, ...], Field(strict=False)]
)


def requests_of(course: Course) -> tuple[Request, ...]:
    """Return the table [[late_days]] of grading.toml. Raises CourseError where it is wrong."""
    try:
        requests = _REQUESTS.validate_python(course.more.get(TABLE, ()))
    except ValidationError as error:
        raise explained(GRADING_FILE, error) from error
    budget, rule = course.handing_in.late_days, course.handing_in.late_days_spent
    if requests and rule != "on request":
        problem = "late days are spent automatically, in each student's favour"
        remedy = f'Remove it, or say late_days_spent = "on request" in {COURSE_FILE}'
        raise CourseError(GRADING_FILE, TABLE, problem, remedy)
    total: dict[str, int] = defaultdict(int)
    seen = set()
    for number, one in enumerate(requests, start=1):
        total[one.student] += one.days
        problem = ""
        if one.week not in course.known_weeks:
            problem = f"there is no week {one.week!r}"
        elif (one.student, one.week) in seen:
            problem = f"there is another one of {one.student} for {one.week}"
        elif total[one.student] > budget:
            problem = f"{one.student} asks for {total[one.student]} days, and {budget} are to spend"
        if problem:
            raise CourseError(GRADING_FILE, f"{TABLE}#{number}", problem, "Correct it")
        seen.add((one.student, one.week))
    return requests


def requested_days(course: Course) -> Mapping[str, DaysByWeek]:
    """Return the days that students asked for, by week number."""
    numbers = {week.id: week.number for week in course.weeks}
    days: dict[str, dict[int, int]] = defaultdict(dict)
    for one in requests_of(course):
        if one.week in numbers:
            days[one.student][numbers[one.week]] = one.days
    return days


def days_spent(
    course: Course, handed_in: Sequence[HandedIn], score: StudentScore, requests: DaysByWeek
) -> dict[int, int]:
    """Return the late days that a student spends, by week number; never more than are of use.

    Automatically, they are spent where they give most points over all weeks so far, as few of them
    as do that, and on the first weeks where it is the same. So they may move to a later week when
    that comes; the total never falls by that.
    """
    numbers = {week.id: week.number for week in course.weeks}
    late = {numbers[one.week]: one for one in handed_in if one.late}
    if not course.handing_in.late_days or not late:
        return {}

    def kept(week: int, days: int) -> int:
        return with_days(course, late[week], days).kept

    if course.handing_in.late_days_spent == "on request":
        asked = {week: min(requests.get(week, 0), _useful(one)) for week, one in late.items()}
        needed = {
            week: next(n for n in range(days + 1) if kept(week, n) == kept(week, days))
            for week, days in asked.items()
        }
        return {week: days for week, days in needed.items() if days}
    return _most_points(course, late, score, kept)


def with_days(course: Course, one: HandedIn, days: int) -> HandedIn:
    """Return what was handed in with late days spent on it: what is left follows the curve."""
    if one.due is None or not days:
        return one
    rule = course.handing_in
    left = lateness(rule, one.due + days * DAY, one.received)
    return replace(one, kept=kept_share(rule, left), days=days)


def after_spending(
    course: Course, handed_in: Iterable[HandedIn], spent: DaysByWeek
) -> list[HandedIn]:
    """Return what a student handed in, with the late days spent on each week."""
    days = {course.week(number).id: count for number, count in spent.items()}
    return [with_days(course, one, days.get(one.week, 0)) for one in handed_in]


def _useful(one: HandedIn) -> int:
    """Return the days after which nothing is late any more."""
    return math.ceil(one.late / DAY)


def _most_points(
    course: Course,
    late: Mapping[int, HandedIn],
    score: StudentScore,
    kept: Callable[[int, int], int],
) -> dict[int, int]:
    points: dict[int, list[int]] = defaultdict(list)
    week_of = {item.id: item.week for item in course.items()}
    for item in score.items:
        points[week_of[item.id]].append(item.points)
    # By the number of days spent: the most points with so many, and how they are spent.
    best: dict[int, tuple[int, dict[int, int]]] = {0: (0, {})}
    for week, one in sorted(late.items()):
        reached: dict[int, tuple[int, dict[int, int]]] = {}
        for days in range(_useful(one) + 1):
            share = kept(week, days)
            worth = sum(half_up(each * share, FULL_CREDIT) for each in points[week])
            for before, (sum_before, spent) in best.items():
                total = before + days
                known = reached.get(total)
                if total <= course.handing_in.late_days and (
                    known is None or sum_before + worth > known[0]
                ):
                    own = {week: days} if days else {}
                    reached[total] = (sum_before + worth, spent | own)
        best = reached
    most = max(worth for worth, _ in best.values())
    return next(spent for _, (worth, spent) in sorted(best.items()) if worth == most)
