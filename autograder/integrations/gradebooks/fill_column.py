"""Filling points into a column of a sheet, with a report of everybody who got none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from autograder.course.points import format_points
from autograder.integrations.gradebooks.matching import Matches, Person
from autograder.integrations.gradebooks.points_column import PartPoints, Pending, formatted, scaled
from autograder.tables.sheet import Sheet
from autograder.text.display import one_line

MAX_NAMES = 12


@dataclass
class FillReport:
    """The result of filling a sheet: the students filled in, by column, and remarks."""

    columns: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TargetColumn:
    """A column to fill: its index, and its maximum points in hundredths, None if unknown.

    `capped` is true where the system refuses more than the maximum. `sign` is the decimal sign.
    `locked_reason` says why a person's cell must not be changed, None where it may be. `excused` is
    what the system reads as excused, "" where a cell can't say that.
    """

    column: int
    max_points: int | None
    sign: str
    locked_reason: Callable[[Person], str | None]
    capped: bool = False
    excused: str = ""


def fill_points(
    sheet: Sheet,
    target: TargetColumn,
    matches: Matches,
    points_by_student: Mapping[str, PartPoints],
    pending: Pending,
    report: FillReport,
) -> dict[str, PartPoints]:
    """Fill a column; return the points of the students whose cells were filled.

    All other cells stay as they are; `report` gets a remark that names their students.
    """
    name = sheet.header[target.column]
    filled: dict[str, PartPoints] = {}
    unchanged: dict[str, list[str]] = {}
    over_maximum, excused = [], []
    for student, person in matches.rows.items():
        part = points_by_student[student]
        reason = target.locked_reason(person)
        if reason is None and part.pending and pending is Pending.LEAVE:
            reason = "not graded completely (--pending so-far fills in the points so far)"
        if reason is None and part.not_taken and not part.excused:
            reason = "the submission was not taken, so not graded (--not-taken zero fills in 0)"
        if reason is None and part.excused and not target.excused:
            reason = "excused here, which the file can't say"
        if reason is not None:
            unchanged.setdefault(reason, []).append(student)
            continue
        if part.excused:
            sheet.fill(person.row, target.column, target.excused)
            excused.append(student)
            continue
        points = scaled(part.points, part.max_points, target.max_points)
        if target.capped and target.max_points is not None and points > target.max_points:
            points = target.max_points
            over_maximum.append(student)
        sheet.fill(person.row, target.column, formatted(points, target.sign))
        filled[student] = part
    report.columns[name] = list(filled)
    maxima = {part.max_points for part in filled.values()}
    if target.max_points and maxima and maxima != {target.max_points}:
        ours = " or ".join(map(format_points, sorted(maxima)))
        there = format_points(target.max_points)
        report.remarks.append(f"{one_line(name)}: points are scaled, {ours} here are {there} there")
    report.remarks += [
        f"{one_line(name)}: left as it was: {reason}: {some(students)}"
        for reason, students in unchanged.items()
    ]
    earlier = [student for student, part in filled.items() if part.earlier]
    if earlier:
        report.remarks.append(
            f"{one_line(name)}: points of the last finished grading, since a later one was stopped "
            f"or what was handed in later was not taken: {some(earlier)}"
        )
    if excused:
        report.remarks.append(f"{one_line(name)}: {target.excused}, excused: {some(excused)}")
    if over_maximum:
        students = some(over_maximum)
        report.remarks.append(f"{one_line(name)}: more than there is to get, cut off: {students}")
    return filled


def report_unmatched(matches: Matches, report: FillReport) -> None:
    """Add remarks on everybody who could not be matched, on either side."""
    report.remarks += [
        f"Not clear who it is, so left alone: {one_line(problem)}" for problem in matches.unclear
    ]
    if matches.without_row:
        students = some(matches.without_row)
        report.remarks.append(f"Graded here, and without a row in the file: {students}")
    if matches.without_results:
        names = some(matches.without_results)
        report.remarks.append(f"In the file, and without results here: {names}")


def some(names: Iterable[str]) -> str:
    """Name a few and count the others."""
    ordered = sorted(names)
    shown = ", ".join(one_line(name, 80) for name in ordered[:MAX_NAMES])
    rest = len(ordered) - MAX_NAMES
    return shown + (f" and {rest} more" if rest > 0 else "")
