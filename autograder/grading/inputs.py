"""What a run is given besides submissions, read and checked before anything is graded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.course import GRADING_FILE, Course, CourseError
from autograder.gradebook.called import Called
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import ManualMarks, read_manual
from autograder.gradebook.people import names_before
from autograder.gradebook.roster import Roster
from autograder.gradebook.submission import Submission
from autograder.report.by_roster import with_ids
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
    by_week: Mapping[int, Sequence[Submission]],
    manual: Path | None = None,
    own_code: bool = False,
    everybody: Collection[str] = (),
    roster: Roster | None = None,
) -> Inputs:
    """Read and check all of it.

    The students of these submissions, those in the journal and `everybody` are known, by whatever
    the roster calls them. In a class that is the course's own code nobody can have an extension.
    Raises CourseError or ManualError.
    """
    known = {one.student for each in by_week.values() for one in each} | set(everybody)
    course = with_ids(course, roster)
    remarks = list(_without_effect(course))
    others: list[tuple[str, str]] = []
    if journal.is_file():
        with Gradebook.read(journal) as gradebook:
            known.update(gradebook.students())
            others = names_before(gradebook)
            remarks += _earlier_times(course, by_week, gradebook)
    marks = read_manual(manual, course, Called(known, roster, others)) if manual else None
    requests_of(course)
    if own_code:
        return Inputs(manual, marks)
    _demand_known(course, sorted(known))
    return Inputs(manual, marks, tuple(remarks))


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


def _earlier_times(
    course: Course, by_week: Mapping[int, Sequence[Submission]], gradebook: Gradebook
) -> Iterator[str]:
    """Name those whose files came at a later time by now than the journal has for them.

    The first time counts there, so that handing in the same files again makes nobody late.
    """
    for week, submissions in by_week.items():
        later = []
        for one in submissions:
            old = gradebook.submission(one.student, week) if one.received else None
            if old is None or old.received is None or one.received is None:
                continue
            same = (old.fingerprint, old.documents) == (one.fingerprint, one.documents)
            if same and datetime.fromisoformat(old.received) < one.received:
                later.append(one_line(one.student))
        if later:
            name = course.week(week).name
            yield (
                f"{name}: {', '.join(later)} handed in the same files earlier, by the gradebook: "
                "that time counts, not the later one that is given now."
            )


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
