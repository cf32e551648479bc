"""Lateness: how late a submission is, and the share of its points that it keeps.

Pure arithmetic with hand-in times, as the LMS, the server or the commit gives them. The present
time is never used, so that grading again next month changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from autograder.course import Course, HandingIn
from autograder.records import FULL_CREDIT

DAY = timedelta(days=1)


@dataclass(frozen=True)
class HandedIn:
    """When a student handed in a week's work, and how late that was.

    `late` is the time since the due date, zero within the grace period; `days` are the late days
    spent on it, and `kept` is the share of the points that counts, 0..FULL_CREDIT. `received` is
    None where the hand-in time is unknown; it counts as in time then. `due` is None where the week
    has no due date.
    """

    week: str
    due: datetime | None = None
    received: datetime | None = None
    commit: str | None = None
    late: timedelta = timedelta(0)
    kept: int = FULL_CREDIT
    days: int = 0

    @property
    def unknown(self) -> bool:
        """Whether there is a due date and the hand-in time is unknown."""
        return self.due is not None and self.received is None


def judge_lateness(
    course: Course, student: str, number: int, received: datetime | None, commit: str | None = None
) -> HandedIn:
    """Return how late a submission of week `number` is and the share of points that it keeps."""
    week = course.week(number)
    due = course.due(student, week)
    late = lateness(course.handing_in, due, received)
    return HandedIn(week.id, due, received, commit, late, kept_share(course.handing_in, late))


def lateness(rule: HandingIn, due: datetime | None, received: datetime | None) -> timedelta:
    """Return the time between `due` and `received`, zero within the grace period.

    After the grace period, all of the time since `due` counts.
    """
    if due is None or received is None or received <= due + timedelta(minutes=rule.grace_minutes):
        return timedelta(0)
    return received - due


def kept_share(rule: HandingIn, late: timedelta) -> int:
    """Return the share of the points, 0..FULL_CREDIT, that the course's curve keeps.

    Linear between the curve's pairs, falling from everything at the due date to the first pair, and
    constant after the last one. Rounded to the nearest unit of credit, half up.
    """
    if not late or not rule.late:
        return FULL_CREDIT
    days = late / DAY
    if rule.whole_days:
        days = math.ceil(days)
    previous_days, share = 0.0, 1.0
    for pair_days, pair_share in rule.late:
        if days <= pair_days:
            if pair_days > previous_days:
                rise = (pair_share - share) * (days - previous_days)
                share += rise / (pair_days - previous_days)
            else:
                share = pair_share
            break
        previous_days, share = pair_days, pair_share
    return math.floor(share * FULL_CREDIT + 0.5)
