"""handed_in.csv: each student's hand-in time and commit, where no LMS export has them.

Columns: student, and received, commit, week (where the weeks came at different times) and remark,
which says where the time comes from; each may be left out or blank. `received` is ISO 8601
(2026-10-12T21:40:00+02:00), or as a spreadsheet shows it; without a time zone it is in the
course's. `commit` is a hash. One wrong line refuses the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from autograder.course import Week
from autograder.gradebook.ids import student_id
from autograder.intake.class_entries import IntakeError
from autograder.tables.sheet import SheetError
from autograder.tables.table import MAX_PROBLEMS, Table, TableLine, checked_lines, near
from autograder.tables.values import TimeColumn
from autograder.text.display import one_line

FILE = "handed_in.csv"
HEADER = ("student", "received", "commit", "week", "remark")
COMMIT_HASH = re.compile(r"[0-9a-fA-F]{7,64}")


@dataclass(frozen=True)
class HandInNote:
    """The hand-in time and commit of a student, or of one of their weeks, and a remark on them."""

    received: datetime | None
    commit: str | None
    remark: str = ""


HandInNotes = dict[tuple[str, int | None], HandInNote]


def read_notes(
    content: bytes, name: str, weeks: Sequence[Week], zone: tzinfo = UTC
) -> tuple[HandInNotes, list[str]]:
    """Return the notes by student and week number (None: all weeks without a note of their own).

    With them, remarks for the instructor. Raises IntakeError, which names the file `name` and every
    bad line.
    """
    try:
        table = Table(name, content, HEADER[:1], HEADER[1:])
    except SheetError as error:
        raise IntakeError(str(error)) from error
    if len(table.columns) < 2:
        raise IntakeError(f"{name} has no column of {', '.join(HEADER[1:])}: it says nothing.")
    zone_at, called = _zone_of_times(weeks, zone)
    times = TimeColumn((line["received"] for line in table), zone_at)
    notes: HandInNotes = {}
    problems = checked_lines(table, lambda line: _add_line(line, times, weeks, notes))
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems[:MAX_PROBLEMS])
        raise IntakeError(f"{name}: nothing was graded; correct this first:\n{listed}")
    remarks = []
    if times.without_zone:
        remarks.append(
            f"{name}: {times.without_zone} time(s) without a time zone, read as in {called}; "
            "`time_zone` in course.toml sets that."
        )
    return notes, remarks


def _zone_of_times(weeks: Sequence[Week], zone: tzinfo) -> tuple[Callable[[datetime], tzinfo], str]:
    """Return the zone of a time that doesn't say its own, and what to call it.

    It is the course's. Where that was left at UTC and due dates are in another zone, nobody there
    writes times in UTC: then it is that of the due date next to the time.
    """
    dues = [week.due for week in weeks if week.due is not None]
    if str(zone) != "UTC" or not any(due.utcoffset() for due in dues):
        return (lambda time: zone), str(zone)

    def of_next_due_date(time: datetime) -> tzinfo:
        due = min(dues, key=lambda due: abs(due.replace(tzinfo=None) - time))
        return due.tzinfo or zone

    return of_next_due_date, "the zone of the due dates"


def _add_line(
    line: TableLine, times: TimeColumn, weeks: Sequence[Week], notes: HandInNotes
) -> list[str]:
    """Add one line to `notes`; return what is wrong with it."""
    if not line["student"]:
        return ["it names no student"]
    received = None
    if line["received"]:
        try:
            received = times.read(line["received"])
        except ValueError as error:
            return [one_line(str(error))]
    commit, week = line["commit"], line["week"]
    if commit and not COMMIT_HASH.fullmatch(commit):
        return [f"'{one_line(commit)}' is no commit's hash"]
    number = None
    if week:
        names = {name: known.number for known in weeks for name in (known.id, str(known.number))}
        if week.casefold() not in names:
            return [f"there is no week '{one_line(week)}'"]
        number = names[week.casefold()]
    key = (student_id(line["student"]), number)
    if key in notes:
        return [f"{one_line(line['student'])} has a line like this already"]
    notes[key] = HandInNote(received, commit.lower() or None, one_line(line["remark"], 500))
    return []


def note_for(notes: HandInNotes, student: str, week: int) -> HandInNote | None:
    """Return the note on a student's week."""
    return notes.get((student, week)) or notes.get((student, None))


def without_submission(notes: HandInNotes, students: Iterable[str]) -> list[str]:
    """Return the student ids in the notes that have no submission, each with those near it."""
    known = sorted(set(students))
    unknown = sorted({student for student, _ in notes} - set(known))
    return [f"{student}{near(student, known)}" for student in unknown]
