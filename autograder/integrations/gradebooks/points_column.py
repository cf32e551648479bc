"""The points for one column of another system's gradebook: of all, a phase, week or component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.course import Component, Course, CourseError, Phase, Week
from autograder.course.points import format_points
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.report.gather import gather
from autograder.report.graded import COUNTS_STILL, GradedReport
from autograder.report.points_words import is_excused

TOTAL = "total"
GRADEBOOK = "gradebook.sqlite"


class Pending(StrEnum):
    """What to do for a student with pending points.

    LEAVE: the cell stays as it is. SO_FAR: the points that are certain are filled in.
    """

    LEAVE = "leave"
    SO_FAR = "so-far"


class NotTaken(StrEnum):
    """What to do for a student whose submission could not be taken, a damaged archive say.

    LEAVE: nothing of it was graded, so the cell stays as it is. ZERO: 0 points.
    """

    LEAVE = "leave"
    ZERO = "zero"


@dataclass(frozen=True)
class PartPoints:
    """A student's points of a part of the course, after deductions, in hundredths.

    `pending` are the ids of the items whose points may still grow. `not_taken`: a submission of it
    was refused, no earlier one counts, and nobody said that this is 0 points. `earlier` says that
    some are of an earlier grading, which count until a new one is finished. `excused`: a person
    excused the student from all of it.
    """

    points: int
    max_points: int
    pending: tuple[str, ...] = ()
    late: bool = False
    not_taken: bool = False
    earlier: bool = False
    excused: bool = False


def part_points(
    course: Course,
    reports: Sequence[GradedReport],
    part: str,
    not_taken: NotTaken = NotTaken.LEAVE,
) -> Mapping[str, PartPoints]:
    """Return each student's points of a part: "total", the id of a phase, of a component or of a
    week, or a week's number.

    Extra credit doesn't count towards the maximum, unless the part is nothing else. Raises
    CourseError for a part that doesn't exist or isn't open yet.
    """
    chosen = _items(course, part)
    extra = {
        item.id for component in course.components if component.extra for item in component.items
    }
    weeks = {item.week for item in course.items() if item.id in chosen}
    adjusted = {
        *(week.id for week in course.weeks if part.casefold() in (week.id, str(week.number))),
        *(part, *(week.id for week in course.weeks_of(part))),
    }
    if part == TOTAL:
        adjusted |= {TOTAL, *(phase.id for phase in course.phases)}
        adjusted |= {week.id for week in course.weeks}
    points_by_student = {}
    for report in reports:
        items = [item for item in report.score.items if item.id in chosen]
        max_points = sum(
            item.max_points for item in items if item.id not in extra or chosen <= extra
        )
        earlier = [item.id for item in items if item.reason in COUNTS_STILL]
        pending = tuple(item.id for item in items if item.pending and item.id not in earlier)
        points = sum(item.final for item in items)
        points += sum(amount for name, amount in report.adjustments.items() if name in adjusted)
        late = any(item.final != item.points for item in items)
        refused = not_taken is NotTaken.LEAVE and not weeks.isdisjoint(report.refused_weeks)
        excused = bool(items) and all(map(is_excused, items))
        points_by_student[report.score.student] = PartPoints(
            max(0, points), max_points, pending, late, refused, bool(earlier), excused
        )
    if not any(one.max_points or one.excused for one in points_by_student.values()):
        problem = f"there is nothing of {part!r} yet"
        remedy = "Grade it first, or choose another part"
        raise CourseError("the gradebook", "part", problem, remedy)
    return points_by_student


def _items(course: Course, part: str) -> set[str]:
    if part == TOTAL:
        return {item.id for item in course.items()}
    for phase in course.phases:
        if phase.id == part:
            return {item.id for item in phase.items}
    of_component = {
        item.id
        for component in course.components
        if component.id == part
        for item in component.items
    }
    of_week = {
        item.id
        for week in course.weeks
        if part.casefold() in (week.id, str(week.number))
        for item in course.items(week.number)
    }
    if of_component and of_week and of_component != of_week:
        raise CourseError(
            "--part", part, "a week and a component have this id", "Name the week by its number"
        )
    if not of_component | of_week:
        parts: list[Phase | Component | Week] = [*course.phases, *course.components, *course.weeks]
        known = [TOTAL, *(one.id for one in parts)]
        remedy = f"Choose one of these: {', '.join(dict.fromkeys(known))}"
        raise CourseError("--part", part, "there is no such part", remedy)
    return of_component | of_week


def read_reports(course: Course, grades: Path) -> list[GradedReport]:
    """Return the reports on everybody in a folder that `grade` wrote. Raises GradebookError."""
    path = grades / GRADEBOOK
    if not path.is_file():
        raise GradebookError(
            f"there is no {path}. Name the folder that `grade` wrote: --grades DIR."
        )
    with Gradebook.read(path) as gradebook:
        reports = gather(course, gradebook)
    if not reports:
        raise GradebookError(f"{path} holds nobody's results yet.")
    return reports


def scaled(points: int, max_points: int, new_max: int | None) -> int:
    """Scale points from one maximum to another, all in hundredths, rounded half up.

    Where a maximum is unknown or 0, the points stay as they are.
    """
    if not new_max or not max_points:
        return points
    return (2 * points * new_max + max_points) // (2 * max_points)


def formatted(hundredths: int, sign: str) -> str:
    """Return points with the given decimal sign: "12.5" or "12,5"."""
    return format_points(hundredths).replace(".", sign)
