"""Points in a gradebook that Canvas exported, ready to be imported there again.

Canvas knows a column by the number behind its name, a row by ID, else SIS ID, login or name; it
takes what differs from what it has and asks for confirmation. So everything else stays as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from autograder.integrations.gradebooks.exported_sheet import Row, Sheet, SheetError, decimal_sign
from autograder.integrations.gradebooks.fill_column import (
    Filled,
    Target,
    fill_points,
    tell_unmatched,
)
from autograder.integrations.gradebooks.matching import Person, match
from autograder.integrations.gradebooks.points_column import Pending, Portion
from autograder.text.display import one_line

AGAIN = "Export the gradebook from Canvas (Grades, Export) and give that file."
TEST_STUDENT = "Student, Test"
POINTS_POSSIBLE = "points possible"
READ_ONLY = re.compile(r"read\s+only", re.IGNORECASE)
_POSTING = re.compile(r"(Muted|Manual Posting.*)?", re.IGNORECASE | re.DOTALL)
_COMPUTED = re.compile(
    r"(Unposted )?(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)"
)
LEFT = {"EX": "excused in Canvas", "N/A": "not assigned to them in Canvas"}

Wanted = Sequence[tuple[str, Mapping[str, Portion]]]


def fill_canvas(sheet: Sheet, wanted: Wanted, pending: Pending) -> Filled:
    """Fill columns of a gradebook: for each its name, with or without Canvas's number, and points.

    Points are scaled to the column's Points Possible. Raises SheetError, before anything is filled,
    where the file is no such gradebook, or a column isn't there or is read-only.
    """
    people = _People(sheet)
    targets = [(people.target(name), portions) for name, portions in wanted]
    columns = Counter(target.column for target, _ in targets)
    for column, count in columns.items():
        if count > 1:
            raise SheetError(f"the column '{one_line(sheet.header[column])}' is asked for twice.")
    filled = Filled()
    students = sorted({student for _, portions in targets for student in portions})
    matched = match(students, people.persons)
    for target, portions in targets:
        fill_points(sheet, target, matched, portions, pending, filled)
    tell_unmatched(matched, filled)
    return filled


class _People:
    """The parts of a gradebook: its columns, the row of Points Possible, and the students' rows."""

    def __init__(self, sheet: Sheet):
        self._sheet = sheet
        self._id = sheet.needed(AGAIN, "ID")
        self._section = sheet.needed(AGAIN, "Section")
        self._login = sheet.column("SIS Login ID")
        self._sis = sheet.column("SIS User ID")
        self._last, self._first = sheet.column("LastName"), sheet.column("FirstName")
        if self._last is None or self._first is None:
            self._student = sheet.needed(AGAIN, "Student")
        self._possible: Row | None = None
        self.persons: list[Person] = []
        for row in sheet.rows[1:]:
            if POINTS_POSSIBLE in row[0].casefold():
                self._possible = row
            elif not all(_POSTING.fullmatch(cell.value.strip()) for cell in row.cells):
                person = self._person(row)
                if person.shown != TEST_STUDENT:
                    self.persons.append(person)
        if self._possible is None:
            where = f"{sheet.name}: there is no row 'Points Possible'"
            raise SheetError(f"{where}. {AGAIN}")
        ids = Counter(row[self._id] for row in (person.row for person in self.persons))
        twice = sorted(id for id, count in ids.items() if id and count > 1)
        if twice:
            raise SheetError(f"{sheet.name}: the ID {one_line(twice[0])} is there twice. {AGAIN}")

    def _person(self, row: Row) -> Person:
        if self._last is not None and self._first is not None:
            name = f"{row[self._last]}, {row[self._first]}".strip(", ")
        else:
            name = row[self._student]
        last, comma, first = name.partition(",")
        turned = f"{first.strip()} {last.strip()}" if comma else name
        id = row[self._id]
        others = [row[column] for column in (self._login, self._sis) if column is not None]
        # What Canvas calls the files of this student, and intake the student.
        letters = re.sub(r"\W", "", name)
        of_files = f"{letters}_{id}" if id else ""
        logins = tuple(other.partition("@")[0] for other in others if "@" in other)
        return Person(row, name or id, (id, *others, of_files), (name, turned, *logins))

    def target(self, wanted: str) -> Target:
        """Return the column of an assignment. Raises SheetError where it can't be filled."""
        sheet, possible = self._sheet, self._possible
        assert possible is not None
        column = self._column(wanted)
        name = one_line(sheet.header[column])
        if READ_ONLY.search(possible[column]) or _COMPUTED.search(sheet.header[column]):
            raise SheetError(f"{sheet.name}: the column '{name}' is read-only: Canvas computes it.")
        sign = decimal_sign(possible[place] for place in range(len(possible.cells)))
        if sign == "." and sheet.separator == ";":
            sign = decimal_sign(row.row[column] for row in self.persons)

        def locked(person: Person) -> str | None:
            return LEFT.get(person.row[column].upper())

        return Target(column, _number(possible[column]), sign, locked)

    def _column(self, wanted: str) -> int:
        """Return the column of that header, or else the only one whose name it is without number.

        Only columns behind the section are assignments'.
        """
        heads = dict(enumerate(self._sheet.header))
        own = {place: head for place, head in heads.items() if place > self._section}
        exact = [place for place, head in own.items() if head == wanted.strip()]
        named = [
            place
            for place, head in own.items()
            if re.sub(r"\s*\([0-9]+\)$", "", head) == wanted.strip()
        ]
        found = exact or named
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"'{one_line(heads[place])}'" for place in found)
            raise SheetError(
                f"{self._sheet.name}: several columns are called '{one_line(wanted)}': {listed}. "
                "Give the name with its number."
            )
        known = [head for head in own.values() if re.search(r"\([0-9]+\)$", head)]
        listed = ", ".join(f"'{one_line(head)}'" for head in known[:8]) or "none"
        problem = f"{self._sheet.name}: there is no column '{one_line(wanted)}'"
        raise SheetError(f"{problem}. Its assignments: {listed}.")


def _number(text: str) -> int | None:
    """Return points in hundredths as Canvas writes them; None for anything else."""
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return int(number * 100) if number.is_finite() and 0 <= number <= 1_000_000 else None
