"""handed_in.csv: each student's hand-in time and commit, where no LMS export has them.

Columns: student,received,commit, and week where the weeks came at different times; then also
remark, which says where the time comes from. `received` is ISO 8601 with its time zone
(2026-10-12T21:40:00+02:00), `commit` a hash; all but the student may be blank. One wrong line
refuses the whole file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course import Week
from autograder.gradebook.ids import student_id
from autograder.intake.class_entries import IntakeError
from autograder.text.display import one_line

FILE = "handed_in.csv"
_SHORT = ["student", "received", "commit"]
HEADERS = (_SHORT, [*_SHORT, "week"], [*_SHORT, "week", "remark"])
COMMIT_HASH = re.compile(r"[0-9a-fA-F]{7,64}")


@dataclass(frozen=True)
class HandInNote:
    """The hand-in time and commit of a student, or of one of their weeks, and a remark on them."""

    received: datetime | None
    commit: str | None
    remark: str = ""


HandInNotes = dict[tuple[str, int | None], HandInNote]


def read_notes(content: bytes, name: str, weeks: Sequence[Week]) -> HandInNotes:
    """Return the notes by student and week number (None: all weeks without a note of their own).

    Raises IntakeError, which names the file `name` and every bad line.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise IntakeError(f"{name} is not UTF-8 text; save it as CSV (UTF-8).") from error
    except csv.Error as error:
        raise IntakeError(f"{name} is not a CSV file: {error}.") from error
    if not rows or [cell.strip().lower() for cell in rows[0]] not in HEADERS:
        wanted = " or ".join(",".join(header) for header in HEADERS)
        raise IntakeError(f"{name}, line 1: the header must be {wanted}.")
    notes: HandInNotes = {}
    problems: list[str] = []
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        problem = _add_line(cells, len(rows[0]), weeks, notes)
        if problem:
            problems.append(f"  line {line}: {problem}")
    if problems:
        listed = "\n".join(problems[:20])
        raise IntakeError(f"{name}: nothing was graded; correct this first:\n{listed}")
    return notes


def _add_line(cells: list[str], columns: int, weeks: Sequence[Week], notes: HandInNotes) -> str:
    """Add one line to `notes`; return what is wrong with it, or ""."""
    if len(cells) != columns:
        return f"{len(cells)} columns, not {columns}"
    student, time, commit, week, remark = [*cells, "", ""][:5]
    received = None
    if time:
        try:
            received = datetime.fromisoformat(time)
        except ValueError:
            return f"'{one_line(time)}' is no time such as 2026-10-12T21:40:00+02:00"
        if received.tzinfo is None:
            return f"'{one_line(time)}' needs its time zone, as in 2026-10-12T21:40:00+02:00"
    if commit and not COMMIT_HASH.fullmatch(commit):
        return f"'{one_line(commit)}' is no commit's hash"
    number = None
    if week:
        names = {name: known.number for known in weeks for name in (known.id, str(known.number))}
        if week.casefold() not in names:
            return f"there is no week '{one_line(week)}'"
        number = names[week.casefold()]
    key = (student_id(student), number)
    if key in notes:
        return f"{one_line(student)} has a line like this already"
    notes[key] = HandInNote(received, commit.lower() or None, one_line(remark, 500))
    return ""


def note_for(notes: HandInNotes, student: str, week: int) -> HandInNote | None:
    """Return the note on a student's week."""
    return notes.get((student, week)) or notes.get((student, None))


def without_submission(notes: HandInNotes, students: Iterable[str]) -> list[str]:
    """Return the student ids in the notes that have no submission."""
    return sorted({student for student, _ in notes} - set(students))
