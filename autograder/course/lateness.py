"""How late a submission is and which share of its points it keeps: pure arithmetic with times.

Times are when something was handed in, as the system, the server or the commit says; "now" is
never among them, so that grading again next month changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from autograder.course import Course, HandingIn
from autograder.records import FULL_CREDIT

DAY = timedelta(days=1)


@dataclass(frozen=True)
class HandedIn:
    """When a student handed in a week's work, and what follows from that.

    `late` is how long after the due time, nothing within the grace; `kept` is the share of the
    points that counts, 0..FULL_CREDIT. `received` is None where nothing says it: then it counts as
    in time. `due` is None where the week has no due date.
    """

    week: str
    due: datetime | None = None
    received: datetime | None = None
    commit: str | None = None
    late: timedelta = timedelta(0)
    kept: int = FULL_CREDIT

    @property
    def unknown(self) -> bool:
        """Whether there is a due date and nothing says when the work was handed in."""
        return self.due is not None and self.received is None


def judge(
    course: Course, student: str, number: int, received: datetime | None, commit: str | None = None
) -> HandedIn:
    """Return what a submission of week `number`, handed in at `received`, keeps of its points."""
    week = course.week(number)
    due = course.due(student, week)
    late = lateness(course.handing_in, due, received)
    return HandedIn(week.id, due, received, commit, late, kept(course.handing_in, late))


def lateness(rule: HandingIn, due: datetime | None, received: datetime | None) -> timedelta:
    """Return how long after `due` something was received: nothing where it is within the grace.

    Whoever misses the grace too is late by all of the time since `due`.
    """
    if due is None or received is None or received <= due + timedelta(minutes=rule.grace_minutes):
        return timedelta(0)
    return received - due


def kept(rule: HandingIn, late: timedelta) -> int:
    """Return the share of the points, 0..FULL_CREDIT, that the course's curve leaves.

    Straight lines between the curve's pairs; before the first one everything is kept, behind the
    last one what that says. Rounded to the nearest unit of credit, half up.
    """
    if not late or not rule.late:
        return FULL_CREDIT
    days = late / DAY
    if rule.whole_days:
        days = math.ceil(days)
    before, share = 0.0, 1.0
    for after, then in rule.late:
        if days <= after:
            if after > before:
                share += (then - share) * (days - before) / (after - before)
            else:
                share = then
            break
        before, share = after, then
    return math.floor(share * FULL_CREDIT + 0.5)


def in_words(late: timedelta) -> str:
    """Say how late something is: "2 days 3 hours", "1 hour 5 minutes", "40 seconds"."""
    seconds = max(1, round(late.total_seconds()))
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2])


def shares(handed_in: Iterable[HandedIn], course: Course) -> dict[int, int]:
    """Return the share that each week keeps, by its number, for `scoring.score_student`."""
    numbers = {week.id: week.number for week in course.weeks}
    return {numbers[one.week]: one.kept for one in handed_in}
