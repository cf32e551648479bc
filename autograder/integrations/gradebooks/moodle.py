"""Points filled into a file that Moodle exported: a grading worksheet, or the gradebook.

From a worksheet (Assignment, Download grading worksheet) Moodle imports a grade that is a number,
not above the maximum, and newer than its own. The gradebook (Grades, Export, Plain text file) has a
column for each activity, and the teacher assigns the columns on import. The dates in both, by which
Moodle tells what is newer, stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from autograder.course.points import format_points
from autograder.integrations.gradebooks.fill_column import (
    FillReport,
    TargetColumn,
    fill_points,
    report_unmatched,
)
from autograder.integrations.gradebooks.matching import Known, Person, match
from autograder.integrations.gradebooks.moodle_columns import (
    NO,
    REMEDY,
    WorksheetColumns,
    is_address_column,
    is_column_of_points,
    worksheet_columns,
)
from autograder.integrations.gradebooks.points_column import PartPoints, Pending, formatted, scaled
from autograder.tables.formulas import guard_formula
from autograder.tables.sheet import (
    Sheet,
    SheetError,
    SheetRow,
    decimal_sign,
)
from autograder.text.display import one_line

COMMENT_PREFIX = "Autograder: "
"""The beginning of our comments; any other comment is a person's and stays."""


def fill_moodle(
    sheet: Sheet,
    points_by_student: Mapping[str, PartPoints],
    pending: Pending,
    column: str | None = None,
    out_of: int | None = None,
    known: Mapping[str, Known] | None = None,
) -> FillReport:
    """Fill one assignment's grades and comments.

    `column` names it in a gradebook; a worksheet has one assignment. `out_of`, in hundredths, is
    a gradebook column's maximum; a worksheet contains it. Points are scaled to that. `known` is
    what else names a student. Raises SheetError, before anything is filled, where the file is
    neither, or a column isn't there.
    """
    columns = worksheet_columns(sheet)
    if columns is not None:
        if column is not None or out_of is not None:
            problem = f"{sheet.name} is the grading worksheet of one assignment"
            raise SheetError(f"{problem}: leave --column and --out-of away.")
        return _worksheet(sheet, columns, points_by_student, pending, known)
    return _gradebook(sheet, points_by_student, pending, column, out_of, known)


def _worksheet(
    sheet: Sheet,
    columns: WorksheetColumns,
    points_by_student: Mapping[str, PartPoints],
    pending: Pending,
    known: Mapping[str, Known] | None,
) -> FillReport:
    grade, maximum, changeable = columns.grade, columns.maximum, columns.changeable
    persons = _worksheet_persons(sheet, columns)
    maxima = {row[maximum] for row in sheet.rows[1:]}
    max_points = _number(next(iter(maxima))) if len(maxima) == 1 else None
    if not max_points:
        raise SheetError(
            f"{sheet.name}: '{one_line(sheet.header[maximum])}' has to be one number for "
            "everybody, not a scale."
        )

    def locked(person: Person) -> str | None:
        text = person.row[changeable] if changeable is not None else ""
        return "locked in Moodle" if text.casefold() in NO else None

    sign = decimal_sign([*maxima, *(row[grade] for row in sheet.rows[1:])])
    target = TargetColumn(grade, max_points, sign, locked, capped=True)
    report = _fill(sheet, target, persons, points_by_student, pending, columns.feedback, known)
    if columns.remark:
        report.remarks.insert(0, columns.remark)
    return report


def worksheet_persons(sheet: Sheet) -> list[Person]:
    """Return the persons of a grading worksheet; the first id of each is the Identifier."""
    columns = worksheet_columns(sheet)
    if columns is None:
        raise SheetError(f"{sheet.name} is no grading worksheet of Moodle's. {REMEDY}")
    return _worksheet_persons(sheet, columns)


def _worksheet_persons(sheet: Sheet, columns: WorksheetColumns) -> list[Person]:
    identifier, name = columns.identifier, columns.name
    persons = []
    for row in sheet.rows[1:]:
        full_name = row[name] if name is not None else ""
        number = re.sub(r"\D", "", row[identifier])
        ids = [row[identifier], *(row[column] for column in columns.ids)]
        ids += [f"{full_name}_{number}"] if full_name and number else []
        ids += [f"Participant {number}"] if number else []
        persons.append(_person(row, full_name or row[identifier], ids, [full_name]))
    _require_unique(sheet, (person.row[identifier] for person in persons), sheet.header[identifier])
    return persons


def _gradebook(
    sheet: Sheet,
    points_by_student: Mapping[str, PartPoints],
    pending: Pending,
    column: str | None,
    out_of: int | None,
    known: Mapping[str, Known] | None,
) -> FillReport:
    addresses = [i for i in range(len(sheet.header)) if is_address_column(sheet, i)]
    email, number = sheet.column("Email address"), sheet.column("ID number", "ID-Nummer")
    first, last = sheet.column("First name"), sheet.column("Last name", "Surname")
    real = [head for head in sheet.header if head.endswith("(Real)")]
    if email is None and number is None and not real and len(addresses) == 1:
        # In another language: the names stand first, and the column is told by what is in it.
        email, first, last = addresses[0], 0, 1
    if email is None and number is None:
        raise SheetError(
            f"{sheet.name} has neither 'Identifier' nor 'Email address' or 'ID number' among its "
            f"columns: it is no grading worksheet and no gradebook of Moodle's. {REMEDY}"
        )
    if not real:
        points = (i for i in range(2, len(sheet.header)) if is_column_of_points(sheet, i))
        real = [sheet.header[i] for i in points if sheet.header[i].endswith(")")]
    listed = ", ".join(f"'{one_line(head)}'" for head in real[:8]) or "none"
    if column is None:
        raise SheetError(f"{sheet.name} is a gradebook: say --column. It has these: {listed}.")
    index = sheet.required_column(f"It has these: {listed}.", column)
    if sheet.header[index] not in real:
        problem = f"{sheet.name}: the column '{one_line(column)}' holds no points"
        raise SheetError(f"{problem}. Export the grades from Moodle as 'Real'; it has {listed}.")
    persons = []
    for row in sheet.rows[1:]:
        names = [row[name] for name in (first, last) if name is not None]
        full_name = " ".join(filter(None, names))
        ids = [row[id] for id in (email, number) if id is not None]
        persons.append(_person(row, full_name or next(filter(None, ids), ""), ids, [full_name]))
    for id in (email, number):
        if id is not None:
            _require_unique(sheet, (person.row[id] for person in persons), sheet.header[id])
    sign = decimal_sign(row[index] for row in sheet.rows[1:])
    target = TargetColumn(index, out_of, sign, lambda person: None, capped=out_of is not None)
    feedback = sheet.column(re.sub(r"\([^()]*\)$", "(Feedback)", sheet.header[index]))
    return _fill(sheet, target, persons, points_by_student, pending, feedback, known)


def _person(row: SheetRow, display_name: str, ids: Iterable[str], names: Iterable[str]) -> Person:
    known_ids = tuple(filter(None, ids))
    logins = (id.partition("@")[0] for id in known_ids if "@" in id)
    return Person(row, display_name, known_ids, (*filter(None, names), *logins))


def _require_unique(sheet: Sheet, values: Iterable[str], name: str) -> None:
    repeated = sorted(value for value, count in Counter(values).items() if value and count > 1)
    if repeated:
        where = f"{sheet.name}: '{one_line(repeated[0])}' is there twice in the column '{name}'"
        raise SheetError(f"{where}. {REMEDY}")


def _fill(
    sheet: Sheet,
    target: TargetColumn,
    persons: list[Person],
    points_by_student: Mapping[str, PartPoints],
    pending: Pending,
    feedback: int | None,
    known: Mapping[str, Known] | None,
) -> FillReport:
    report = FillReport()
    matches = match(sorted(points_by_student), persons, known)
    filled = fill_points(sheet, target, matches, points_by_student, pending, report)
    kept = []
    for student, part in filled.items():
        person = matches.rows[student]
        if feedback is None:
            continue
        if person.row[feedback] and not person.row[feedback].startswith(COMMENT_PREFIX):
            kept.append(student)
        else:
            sheet.fill(person.row, feedback, guard_formula(_comment(part, target)))
    if kept:
        report.remarks.append(f"A person's comment was kept: {', '.join(map(one_line, kept[:12]))}")
    report_unmatched(matches, report)
    return report


def _comment(part: PartPoints, target: TargetColumn) -> str:
    """Return a short comment, without text from elsewhere, since Moodle shows it as HTML."""
    text = (
        f"{COMMENT_PREFIX}{format_points(part.points)} of {format_points(part.max_points)} points"
    )
    if target.max_points and target.max_points != part.max_points:
        points = scaled(part.points, part.max_points, target.max_points)
        text += f", here {formatted(points, '.')} of {formatted(target.max_points, '.')}"
    text += ", after the deduction for late work" if part.late else ""
    return text + (" so far; some are still to come." if part.pending else ".")


def _number(text: str) -> int | None:
    """Return a maximum number of points in hundredths; None where the text is no number."""
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return int(number * 100) if number.is_finite() and 0 < number <= 100_000 else None
