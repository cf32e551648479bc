"""Points filled into a gradebook that Canvas exported, to be imported there again.

Canvas identifies a column by the number behind its name, a row by ID, else SIS ID, login or name.
It imports every cell that differs, after a confirmation; so all other cells stay as they were.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from autograder.integrations.gradebooks.fill_column import (
    FillReport,
    TargetColumn,
    fill_points,
    report_unmatched,
)
from autograder.integrations.gradebooks.matching import Known, Person, match
from autograder.integrations.gradebooks.points_column import PartPoints, Pending
from autograder.tables.sheet import (
    Sheet,
    SheetError,
    SheetRow,
    decimal_sign,
)
from autograder.text.display import one_line

REMEDY = "Export the gradebook from Canvas (Grades, Export) and give that file."
TEST_STUDENT = "Student, Test"
POINTS_POSSIBLE = "points possible"
READ_ONLY = re.compile(r"read\s+only", re.IGNORECASE)
_POSTING = re.compile(r"(Muted|Manual Posting.*)?", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"\s*\([0-9]+\)$")
_COMPUTED = re.compile(
    r"(.* )?((Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status))", re.DOTALL
)
"""A column that Canvas computes, of all or of a group. Those of assignments end with a number."""
EXCUSED = "EX"
LOCKED = {"EX": "excused in Canvas", "N/A": "not assigned to them in Canvas"}

ColumnPoints = Sequence[tuple[str, Mapping[str, PartPoints]]]


def fill_canvas(
    sheet: Sheet,
    columns: ColumnPoints,
    pending: Pending,
    known: Mapping[str, Known] | None = None,
) -> FillReport:
    """Fill columns of a gradebook, each given by its name, with or without Canvas's number.

    Points are scaled to the column's Points Possible; `known` is what else names a student. Raises
    SheetError, before anything is filled, where the file is no such gradebook, or a column is
    missing or read-only.
    """
    canvas = _CanvasSheet(sheet)
    targets = [(canvas.target(name), points) for name, points in columns]
    counts = Counter(target.column for target, _ in targets)
    for column, count in counts.items():
        if count > 1:
            raise SheetError(f"the column '{one_line(sheet.header[column])}' is asked for twice.")
    report = FillReport()
    students = sorted({student for _, points in targets for student in points})
    matches = match(students, canvas.persons, known)
    for target, points in targets:
        fill_points(sheet, target, matches, points, pending, report)
    report_unmatched(matches, report)
    return report


class _CanvasSheet:
    """A gradebook of Canvas: its columns, the row of Points Possible, and the students' rows."""

    def __init__(self, sheet: Sheet):
        self._sheet = sheet
        self._id = sheet.required_column(REMEDY, "ID")
        self._section = sheet.required_column(REMEDY, "Section")
        self._login = sheet.column("SIS Login ID")
        self._sis = sheet.column("SIS User ID")
        self._last, self._first = sheet.column("LastName"), sheet.column("FirstName")
        if self._last is None or self._first is None:
            self._student = sheet.required_column(REMEDY, "Student")
        self._possible: SheetRow | None = None
        self.persons: list[Person] = []
        for row in sheet.rows[1:]:
            if POINTS_POSSIBLE in row[0].casefold():
                self._possible = row
            elif not all(_POSTING.fullmatch(cell.value.strip()) for cell in row.cells):
                person = self._person(row)
                if person.display_name != TEST_STUDENT:
                    self.persons.append(person)
        if self._possible is None:
            where = f"{sheet.name}: there is no row 'Points Possible'"
            raise SheetError(f"{where}. {REMEDY}")
        ids = Counter(person.row[self._id] for person in self.persons)
        repeated = sorted(id for id, count in ids.items() if id and count > 1)
        if repeated:
            raise SheetError(
                f"{sheet.name}: the ID {one_line(repeated[0])} is there twice. {REMEDY}"
            )

    def _person(self, row: SheetRow) -> Person:
        if self._last is not None and self._first is not None:
            name = f"{row[self._last]}, {row[self._first]}".strip(", ")
        else:
            name = row[self._student]
        last, comma, first = name.partition(",")
        first_last = f"{first.strip()} {last.strip()}" if comma else name
        id = row[self._id]
        other_ids = [row[column] for column in (self._login, self._sis) if column is not None]
        # The name that Canvas gives to this student's files, and intake to the student.
        letters = re.sub(r"\W", "", name)
        file_prefix = f"{letters}_{id}" if id else ""
        logins = tuple(other.partition("@")[0] for other in other_ids if "@" in other)
        ids = (id, *other_ids, file_prefix, f"Canvas {id}" if id else "")
        return Person(row, name or id, ids, (name, first_last, *logins))

    def target(self, column_name: str) -> TargetColumn:
        """Return the column of an assignment. Raises SheetError where it can't be filled."""
        sheet, possible = self._sheet, self._possible
        assert possible is not None
        column = self._column(column_name)
        name = one_line(sheet.header[column])
        if READ_ONLY.search(possible[column]) or _is_computed(sheet.header[column]):
            raise SheetError(f"{sheet.name}: the column '{name}' is read-only: Canvas computes it.")
        sign = decimal_sign(possible[index] for index in range(len(possible.cells)))
        if sign == "." and sheet.separator == ";":
            sign = decimal_sign(person.row[column] for person in self.persons)

        def locked(person: Person) -> str | None:
            return LOCKED.get(person.row[column].upper())

        return TargetColumn(column, _number(possible[column]), sign, locked, excused=EXCUSED)

    def _column(self, name: str) -> int:
        """Return the column with this header, or the only one with this header but for its number.

        Only columns behind the section are assignments'.
        """
        header = self._sheet.header
        assignments = {i: head for i, head in enumerate(header) if i > self._section}
        exact = [i for i, head in assignments.items() if head == name.strip()]
        without_number = [
            i for i, head in assignments.items() if _NUMBERED.sub("", head) == name.strip()
        ]
        own = [i for i in exact if not _is_computed(header[i])]
        numbered = [i for i in without_number if i not in exact]
        matching = own or numbered or exact
        if len(matching) == 1:
            return matching[0]
        if matching:
            listed = ", ".join(f"'{one_line(header[i])}'" for i in matching)
            raise SheetError(
                f"{self._sheet.name}: several columns are called '{one_line(name)}': {listed}. "
                "Give the name with its number."
            )
        known = [head for head in assignments.values() if _NUMBERED.search(head)]
        listed = ", ".join(f"'{one_line(head)}'" for head in known[:8]) or "none"
        problem = f"{self._sheet.name}: there is no column '{one_line(name)}'"
        raise SheetError(f"{problem}. Its assignments: {listed}.")


def _is_computed(header: str) -> bool:
    return not _NUMBERED.search(header) and bool(_COMPUTED.fullmatch(header))


def _number(text: str) -> int | None:
    """Return a number of points in hundredths; None where the text is none."""
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return int(number * 100) if number.is_finite() and 0 <= number <= 1_000_000 else None
