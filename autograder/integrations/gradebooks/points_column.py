"""What goes into one column of another system's gradebook: a total, a week or a component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from autograder.course import Course, CourseError
from autograder.course.points import format_points
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.report.gather import GradedReport, gather

TOTAL = "total"


class Pending(StrEnum):
    """What becomes of a student some of whose points are not known yet.

    LEAVE: the cell stays as it is. SO_FAR: the points that are certain are filled in.
    """

    LEAVE = "leave"
    SO_FAR = "so-far"


@dataclass(frozen=True)
class Portion:
    """A student's points of a part, those that count, in hundredths; `pending` may still grow."""

    points: int
    max_points: int
    pending: tuple[str, ...] = ()
    late: bool = False


def portions(course: Course, reports: Sequence[GradedReport], part: str) -> Mapping[str, Portion]:
    """Return each student's portion of a part: "total", a component's id, a week's id or number.

    What is extra credit counts on top of the most, unless the part is nothing else. Raises
    CourseError for a part that isn't there or isn't open yet.
    """
    chosen = _items(course, part)
    extra = {
        item.id for component in course.components if component.extra for item in component.items
    }
    found = {}
    for report in reports:
        items = [item for item in report.score.items if item.id in chosen]
        most = sum(item.max_points for item in items if item.id not in extra or chosen <= extra)
        pending = tuple(item.id for item in items if item.pending)
        points = sum(item.final for item in items)
        late = any(item.final != item.points for item in items)
        found[report.score.student] = Portion(points, most, pending, late)
    if not any(portion.max_points for portion in found.values()):
        problem = f"there is nothing of {part!r} yet"
        remedy = "Grade it first, or choose another part"
        raise CourseError("the gradebook", "part", problem, remedy)
    return found


def _items(course: Course, part: str) -> set[str]:
    if part == TOTAL:
        return {item.id for item in course.items()}
    component = {item.id for one in course.components if one.id == part for item in one.items}
    of_week = {
        item.id
        for week in course.weeks
        if part.casefold() in (week.id, str(week.number))
        for item in course.items(week.number)
    }
    if component and of_week and component != of_week:
        raise CourseError(
            "--part", part, "a week and a component have this id", "Name the week by its number"
        )
    if not component | of_week:
        known = [TOTAL, *(one.id for one in course.components), *(week.id for week in course.weeks)]
        remedy = f"Choose one of these: {', '.join(dict.fromkeys(known))}"
        raise CourseError("--part", part, "there is no such part", remedy)
    return component | of_week


def read_reports(course: Course, grades: Path) -> list[GradedReport]:
    """Return what a folder that `grade` wrote says of everybody. Raises GradebookError."""
    path = grades / "gradebook.sqlite"
    if not path.is_file():
        raise GradebookError(
            f"there is no {path}. Name the folder that `grade` wrote: --grades DIR."
        )
    with Gradebook.open(path) as gradebook:
        reports = gather(course, gradebook)
    if not reports:
        raise GradebookError(f"{path} holds nobody's results yet.")
    return reports


def scaled(points: int, most: int, there: int | None) -> int:
    """Return points in hundredths, as many of `there` as they are of `most`, rounded half up.

    Where there is no number of points there, or 0 of them, points stay points.
    """
    if not there or not most:
        return points
    return (2 * points * there + most) // (2 * most)


def written(hundredths: int, sign: str) -> str:
    """Return points as a system's file has them: "12.5" or "12,5"."""
    return format_points(hundredths).replace(".", sign)
