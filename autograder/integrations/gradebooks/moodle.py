"""Points in a file that Moodle exported: an assignment's grading worksheet, or the gradebook.

The worksheet (Assignment, Download grading worksheet) is known by its column Identifier; Moodle
takes a grade from it that is a number, not above the maximum, and newer than what it has. The
gradebook (Grades, Export, Plain text file) has a column for each activity, and the teacher says on
import which is which. The dates in both, by which Moodle tells what is newer, stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from autograder.course.points import format_points
from autograder.integrations.gradebooks.exported_sheet import Row, Sheet, SheetError, decimal_sign
from autograder.integrations.gradebooks.fill_column import (
    Filled,
    Target,
    fill_points,
    tell_unmatched,
)
from autograder.integrations.gradebooks.matching import Person, match
from autograder.integrations.gradebooks.points_column import Pending, Portion, scaled, written
from autograder.report.class_csv import guard_formula
from autograder.text.display import one_line

OURS = "Autograder: "
"""What a comment of ours begins with; any other is a person's and stays."""
AGAIN = "Download it from Moodle again, with Moodle in English."
WORKSHEET = "Identifier"


def fill_moodle(
    sheet: Sheet,
    portions: Mapping[str, Portion],
    pending: Pending,
    column: str | None = None,
    out_of: int | None = None,
) -> Filled:
    """Fill one assignment's grades and comments.

    `column` names it in a gradebook; a worksheet has one assignment. `out_of`, in hundredths, is
    what a gradebook's column takes; a worksheet says it. Points are scaled to that. Raises
    SheetError, before anything is filled, where the file is neither, or a column isn't there.
    """
    if sheet.column(WORKSHEET) is not None:
        if column is not None or out_of is not None:
            problem = f"{sheet.name} is the grading worksheet of one assignment"
            raise SheetError(f"{problem}: leave --column and --out-of away.")
        return _worksheet(sheet, portions, pending)
    return _gradebook(sheet, portions, pending, column, out_of)


def _worksheet(sheet: Sheet, portions: Mapping[str, Portion], pending: Pending) -> Filled:
    identifier = sheet.needed(AGAIN, WORKSHEET)
    grade = sheet.needed(AGAIN, "Grade")
    maximum = sheet.needed(AGAIN, "Maximum grade")
    sheet.needed(AGAIN, "Last modified (grade)")
    name, changeable = sheet.column("Full name"), sheet.column("Grade can be changed")
    others = [sheet.column("ID number"), sheet.column("Email address"), sheet.column("Username")]
    persons = []
    for row in sheet.rows[1:]:
        full = row[name] if name is not None else ""
        number = re.sub(r"\D", "", row[identifier])
        sure = [row[identifier], *(row[place] for place in others if place is not None)]
        sure += [f"{full}_{number}"] if full and number else []
        persons.append(_person(row, full or row[identifier], sure, [full]))
    _all_different(sheet, (person.row[identifier] for person in persons), WORKSHEET)
    most = {row[maximum] for row in sheet.rows[1:]}
    points = _number(next(iter(most))) if len(most) == 1 else None
    if not points:
        raise SheetError(
            f"{sheet.name}: 'Maximum grade' has to be one number for everybody, not a scale."
        )

    def locked(person: Person) -> str | None:
        text = person.row[changeable] if changeable is not None else ""
        return "locked in Moodle" if text.casefold() == "no" else None

    sign = decimal_sign([*most, *(row[grade] for row in sheet.rows[1:])])
    target = Target(grade, points, sign, locked, capped=True)
    return _fill(sheet, target, persons, portions, pending, sheet.column("Feedback comments"))


def _gradebook(
    sheet: Sheet,
    portions: Mapping[str, Portion],
    pending: Pending,
    column: str | None,
    out_of: int | None,
) -> Filled:
    email, number = sheet.column("Email address"), sheet.column("ID number")
    if email is None and number is None:
        raise SheetError(
            f"{sheet.name} has neither 'Identifier' nor 'Email address' or 'ID number' among its "
            f"columns: it is no grading worksheet and no gradebook of Moodle's. {AGAIN}"
        )
    first, last = sheet.column("First name"), sheet.column("Last name", "Surname")
    real = [head for head in sheet.header if head.endswith("(Real)")]
    listed = ", ".join(f"'{one_line(head)}'" for head in real[:8]) or "none"
    if column is None:
        raise SheetError(f"{sheet.name} is a gradebook: say --column. It has these: {listed}.")
    place = sheet.needed(f"It has these: {listed}.", column)
    if sheet.header[place] not in real:
        problem = f"{sheet.name}: the column '{one_line(column)}' holds no points"
        raise SheetError(f"{problem}. Export the grades from Moodle as 'Real'; it has {listed}.")
    most = out_of
    persons = []
    for row in sheet.rows[1:]:
        parts = [row[at] for at in (first, last) if at is not None]
        full = " ".join(part for part in parts if part)
        sure = [row[at] for at in (email, number) if at is not None]
        persons.append(_person(row, full or next(filter(None, sure), ""), sure, [full]))
    for at in (email, number):
        if at is not None:
            _all_different(sheet, (p.row[at] for p in persons), sheet.header[at])
    sign = decimal_sign(row[place] for row in sheet.rows[1:])
    target = Target(place, most, sign, lambda person: None, capped=most is not None)
    feedback = sheet.column(sheet.header[place].removesuffix("(Real)") + "(Feedback)")
    return _fill(sheet, target, persons, portions, pending, feedback)


def _person(row: Row, shown: str, sure: Iterable[str], names: Iterable[str]) -> Person:
    sure = tuple(filter(None, sure))
    logins = (one.partition("@")[0] for one in sure if "@" in one)
    return Person(row, shown, sure, (*filter(None, names), *logins))


def _all_different(sheet: Sheet, values: Iterable[str], name: str) -> None:
    twice = sorted(value for value, count in Counter(values).items() if value and count > 1)
    if twice:
        where = f"{sheet.name}: '{one_line(twice[0])}' is there twice in the column '{name}'"
        raise SheetError(f"{where}. {AGAIN}")


def _fill(
    sheet: Sheet,
    target: Target,
    persons: list[Person],
    portions: Mapping[str, Portion],
    pending: Pending,
    feedback: int | None,
) -> Filled:
    filled = Filled()
    matched = match(sorted(portions), persons)
    done = fill_points(sheet, target, matched, portions, pending, filled)
    kept = []
    for student, portion in done.items():
        person = matched.rows[student]
        if feedback is None:
            continue
        if person.row[feedback] and not person.row[feedback].startswith(OURS):
            kept.append(student)
        else:
            sheet.fill(person.row, feedback, guard_formula(_comment(portion, target)))
    if kept:
        filled.remarks.append(f"A person's comment was kept: {', '.join(map(one_line, kept[:12]))}")
    tell_unmatched(matched, filled)
    return filled


def _comment(portion: Portion, target: Target) -> str:
    """Return a short comment; numbers and words of ours only, since Moodle shows it as HTML."""
    said = f"{OURS}{format_points(portion.points)} of {format_points(portion.max_points)} points"
    if target.most and target.most != portion.max_points:
        points = scaled(portion.points, portion.max_points, target.most)
        there = f"{written(points, '.')} of {written(target.most, '.')}"
        said += f", here {there}"
    said += ", after the deduction for late work" if portion.late else ""
    return said + (" so far; some are still to come." if portion.pending else ".")


def _number(text: str) -> int | None:
    """Return a maximum in hundredths; None where it is no number."""
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return int(number * 100) if number.is_finite() and 0 < number <= 100_000 else None
