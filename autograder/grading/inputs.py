"""What a run is given besides submissions, read and checked before anything is graded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import GRADING_FILE, Course, CourseError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import ManualMarks, read_manual
from autograder.report.late_days import TABLE as LATE_DAYS
from autograder.report.late_days import requests_of
from autograder.tables.table import near
from autograder.text.display import one_line


@dataclass(frozen=True)
class Inputs:
    """The marks of `manual`, None where there is none; remarks for the instructor."""

    manual: Path | None = None
    marks: ManualMarks | None = None
    remarks: tuple[str, ...] = ()


def read_inputs(
    course: Course,
    journal: Path,
    students: Collection[str],
    manual: Path | None = None,
    own_code: bool = False,
) -> Inputs:
    """Read and check all of it.

    `students` are those of this run's submissions; those in the journal are known too. In a class
    that is the course's own code nobody can have an extension. Raises CourseError or ManualError.
    """
    known = {*students, *_students_of(journal)}
    marks = read_manual(manual, course, known) if manual else None
    requests_of(course)
    if own_code:
        return Inputs(manual, marks)
    _demand_known(course, sorted(known))
    return Inputs(manual, marks, tuple(_without_effect(course)))


def _students_of(journal: Path) -> list[str]:
    if not journal.is_file():
        return []
    with Gradebook.read(journal) as gradebook:
        return gradebook.students()


def _demand_known(course: Course, known: list[str]) -> None:
    """Raise CourseError for extensions and requests of nobody, which would have no effect."""
    named = [
        (f"extension#{number}.student", one.student)
        for number, one in enumerate(course.extensions, start=1)
        if not one.nothing_yet
    ]
    requests = enumerate(requests_of(course), start=1)
    named += [(f"{LATE_DAYS}#{number}.student", one.student) for number, one in requests]
    unknown = [(key, student) for key, student in named if student not in set(known)]
    if unknown:
        key = unknown[0][0]
        nobody = "; ".join(
            f"nobody handed in as '{one_line(student)}'{near(student, known)}"
            for student in dict.fromkeys(student for _, student in unknown)
        )
        remedy = "Correct the id. Who has handed in nothing yet gets `nothing_yet = true` there"
        raise CourseError(GRADING_FILE, key, nobody, remedy)


def _without_effect(course: Course) -> Iterator[str]:
    """Name the extensions that are no later than the class's due date."""
    weeks = {week.id: week for week in course.weeks}
    for one in course.extensions:
        due = weeks[one.week].due
        if due is None or one.due < due:
            of_class = "has no due date" if due is None else f"is due on {due:%Y-%m-%d %H:%M %Z}"
            own = one.due.astimezone(due.tzinfo) if due else one.due
            yield (
                f"The extension of {one_line(one.student)} to {own:%Y-%m-%d %H:%M %Z} has no "
                f"effect: {one.week} {of_class} for everybody, and that counts."
            )
