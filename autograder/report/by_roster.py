"""What the course says of single students, with the ids that the roster has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.course import Course
from autograder.gradebook.roster import Roster
from autograder.report.late_days import TABLE as LATE_DAYS


def with_ids(course: Course, roster: Roster | None) -> Course:
    """Return a course whose extensions and requests of late days name students by their ids.

    What may be several people's, or is nobody's, stays as it is.
    """
    if not roster:
        return course

    def id_of(text: str) -> str:
        people = [] if text in roster.people else roster.who([text], [text])
        return people[0].id if len(people) == 1 else text

    requests = course.more.get(LATE_DAYS, ())
    own = tuple(one.model_copy(update={"student": id_of(one.student)}) for one in course.extensions)
    more: dict[str, Any] = dict(course.more)
    if isinstance(requests, (list, tuple)):
        more[LATE_DAYS] = [
            {**one, "student": id_of(one["student"])}
            if isinstance(one, Mapping) and isinstance(one.get("student"), str)
            else one
            for one in requests
        ]
    return course.model_copy(update={"extensions": own, "more": more})
