"""handed_in.csv: when each student handed in, and which commit, where no system's export says it.

Columns: student,received,commit, and week where the weeks came at different times. `received` is
ISO 8601 with its time zone (2026-10-12T21:40:00+02:00), `commit` a hash; both may be blank. All of
it is right, or nothing is taken.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.course import Week
from autograder.intake.class_entries import IntakeError
from autograder.intake.students import student_id
from autograder.text.display import one_line

FILE = "handed_in.csv"
HEADERS = (["student", "received", "commit"], ["student", "received", "commit", "week"])
HASH = re.compile(r"[0-9a-fA-F]{7,64}")


@dataclass(frozen=True)
class Note:
    """What the file says of a student, or of one of their weeks."""

    received: datetime | None
    commit: str | None


Notes = dict[tuple[str, int | None], Note]


def read_notes(content: bytes, name: str, weeks: Sequence[Week]) -> Notes:
    """Return the notes by student and week's number (None: all weeks that have no own note).

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
    notes: Notes = {}
    problems: list[str] = []
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        problem = _take(cells, len(rows[0]), weeks, notes)
        if problem:
            problems.append(f"  line {line}: {problem}")
    if problems:
        listed = "\n".join(problems[:20])
        raise IntakeError(f"{name}: nothing was graded; correct this first:\n{listed}")
    return notes


def _take(cells: list[str], columns: int, weeks: Sequence[Week], notes: Notes) -> str:
    """Take one line into `notes`; return what is wrong with it, or ""."""
    if len(cells) != columns:
        return f"{len(cells)} columns, not {columns}"
    student, when, commit, *rest = cells
    received = None
    if when:
        try:
            received = datetime.fromisoformat(when)
        except ValueError:
            return f"'{one_line(when)}' is no time such as 2026-10-12T21:40:00+02:00"
        if received.tzinfo is None:
            return f"'{one_line(when)}' needs its time zone, as in 2026-10-12T21:40:00+02:00"
    if commit and not HASH.fullmatch(commit):
        return f"'{one_line(commit)}' is no commit's hash"
    number = None
    if rest and rest[0]:
        names = {name: week.number for week in weeks for name in (week.id, str(week.number))}
        if rest[0].casefold() not in names:
            return f"there is no week '{one_line(rest[0])}'"
        number = names[rest[0].casefold()]
    key = (student_id(student), number)
    if key in notes:
        return f"{one_line(student)} has a line like this already"
    notes[key] = Note(received, commit.lower() or None)
    return ""


def note_of(notes: Notes, student: str, week: int) -> Note | None:
    """Return what the notes say of a student's week."""
    return notes.get((student, week)) or notes.get((student, None))


def without_submission(notes: Notes, students: Iterable[str]) -> list[str]:
    """Return the ids in the notes that nobody's submission has."""
    return sorted({student for student, _ in notes} - set(students))
