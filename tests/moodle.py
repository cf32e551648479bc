"""Moodle's two imports of grades, by Moodle's rules, for the tests of the export.

The rules are those of Moodle's own importers: which columns there have to be, what names a row, and
which grades are taken, skipped, or stop the whole import.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DATE = "%A, %d %B %Y, %I:%M %p"


class NotImported(Exception):
    """Moodle refuses the whole file."""


def rows_of(content: bytes, separator: str = ",") -> tuple[list[str], list[list[str]]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    header, *rows = csv.reader(text, delimiter=separator, strict=True)
    if any(len(row) != len(header) for row in rows):
        raise NotImported("a row has another number of cells than the header")
    return header, rows


def number_of(text: str, decimal: str = ".") -> float | None:
    """Return a number as Moodle reads it where `decimal` is the language's sign; None for none."""
    plain = text.replace(" ", "").replace(decimal, ".")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?", plain) else None


@dataclass
class Worksheet:
    """An assignment: participants' numbers -> (grade, when it was given, comment)."""

    maximum: float
    grades: dict[int, tuple[float | None, datetime | None, str]]
    locked: set[int] = field(default_factory=set)
    decimal: str = "."

    def changes(self, content: bytes) -> dict[int, tuple[float | None, str | None]]:
        """Return what an import changes: number -> (new grade, new comment), None: not changed."""
        header, rows = rows_of(content)
        needed = ("Identifier", "Grade", "Last modified (grade)")
        if not all(name in header for name in needed):
            raise NotImported("columns are missing")
        identifier, grade, modified = (header.index(name) for name in needed)
        feedback = header.index("Feedback comments") if "Feedback comments" in header else None
        found = {}
        for row in rows:
            number = row[identifier].removeprefix("Participant ")
            if not number.isdecimal() or int(number) not in self.grades:
                continue
            old, when, comment = self.grades[int(number)]
            new = self._grade(int(number), row[grade], old, when, row[modified])
            said = row[feedback] if feedback is not None and row[feedback] != comment else None
            if self._stale(when, row[modified]):
                said = None
            if new is not None or said is not None:
                found[int(number)] = (new, said)
        return found

    def _grade(
        self, number: int, text: str, old: float | None, when: datetime | None, modified: str
    ) -> float | None:
        new = number_of(text, self.decimal)
        skipped = (
            new is None
            or new == old
            or new < 0
            or new > self.maximum
            or self._stale(when, modified)
            or number in self.locked
        )
        return None if skipped else new

    def _stale(self, when: datetime | None, modified: str) -> bool:
        """Whether the grade was changed in Moodle after the worksheet was downloaded."""
        if when is None:
            return False
        try:
            return when > datetime.strptime(modified, DATE) + timedelta(seconds=60)
        except ValueError:
            return True


@dataclass
class Course:
    """A gradebook: users by email, and the activity that a column is mapped to."""

    emails: set[str]
    grades: dict[str, float]
    most: float = 100.0

    def changes(self, content: bytes, column: str, feedback: str | None = None) -> dict[str, tuple]:
        """Return what an import that maps `column` changes: email -> (grade, comment)."""
        header, rows = rows_of(content)
        email = header.index("Email address")
        found = {}
        for row in rows:
            if row[email] not in self.emails:
                raise NotImported(f"there is no user {row[email]!r}: the whole import stops")
            value = row[header.index(column)].strip()
            grade = None if value in ("", "-") else number_of(value)
            if grade is None and value not in ("", "-"):
                raise NotImported(f"{value!r} is no grade: the whole import stops")
            if grade is not None and grade > self.most:
                raise NotImported("a grade is too large: the whole import stops")
            said = row[header.index(feedback)] if feedback else ""
            if grade != self.grades.get(row[email]) or said:
                found[row[email]] = (grade, said)
        return found


def feedback_files(content: bytes, participants: set[int]) -> dict[int, dict[str, bytes]]:
    """Return what 'Upload multiple feedback files in a zip' gives each participant, by number.

    The first part of a path that has a participant's number behind its first underscore says whose
    the file is, if a plugin follows; what is behind that is the file's path. Others are ignored.
    """
    found: dict[int, dict[str, bytes]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            parts = info.filename.split("/")
            if info.is_dir() or parts[-1].startswith((".", "~")):
                continue
            while parts:
                said = parts.pop(0).split("_", 4)
                if len(said) < 4 or not said[1].isdecimal() or int(said[1]) not in participants:
                    continue
                if said[2:4] == ["assignsubmission", "file"]:
                    rest = "/".join(filter(None, [*said[4:], *parts]))
                    found.setdefault(int(said[1]), {})[rest] = archive.read(info)
                    break
    return found
