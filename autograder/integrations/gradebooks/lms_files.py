"""Exporting the gradebook to files for Canvas, Moodle, people and JUnit readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import Course, load
from autograder.course.points import parse_points
from autograder.errors import OutputError
from autograder.gradebook.ids import student_id
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.people import known_people
from autograder.gradebook.private import PRIVATE
from autograder.gradebook.roster import Roster
from autograder.integrations.gradebooks.canvas import fill_canvas
from autograder.integrations.gradebooks.fill_column import FillReport
from autograder.integrations.gradebooks.matching import known_by
from autograder.integrations.gradebooks.moodle import fill_moodle
from autograder.integrations.gradebooks.points_column import (
    GRADEBOOK,
    NotTaken,
    Pending,
    part_points,
    read_reports,
)
from autograder.report.class_files import write_class, write_class_csv
from autograder.report.class_page_file import write_class_page
from autograder.report.graded import GradedReport
from autograder.report.publishing import CHANGES_FILE, publish
from autograder.results.junit import junit_xml
from autograder.tables.sheet import read_sheet
from autograder.tables.values import plain_number
from autograder.text.files import write_bytes


class ExportError(OutputError):
    """An option is wrong, or a file can't be written: what, and what to do."""


def export_canvas(
    root: Path,
    grades: Path,
    template: Path,
    out: Path,
    pending: str,
    columns: Sequence[tuple[str, str]],
    section: str | None = None,
    not_taken: str = NotTaken.LEAVE,
) -> FillReport:
    """Fill columns of a Canvas gradebook; `columns` are pairs of an assignment and a part.

    With a `section`, those of the students that the roster has in it.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    refused = _not_taken(not_taken)
    reports = in_section(course, read_reports(course, grades), grades, section)
    points = [(name, part_points(course, reports, part, refused)) for name, part in columns]
    report = fill_canvas(sheet, points, rule, known_by(grades, course))
    _write(out, sheet.content)
    return report


def export_moodle(
    root: Path,
    grades: Path,
    template: Path,
    out: Path,
    pending: str,
    part: str,
    column: str | None,
    out_of: str | None,
    section: str | None = None,
    not_taken: str = NotTaken.LEAVE,
) -> FillReport:
    """Fill a grading worksheet, or one column of a gradebook, of Moodle; or of a section in it.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    try:
        max_points = None if out_of is None else parse_points(plain_number(out_of))
    except ValueError as error:
        raise ExportError(f"--out-of: {error}.") from error
    refused = _not_taken(not_taken)
    reports = in_section(course, read_reports(course, grades), grades, section)
    points = part_points(course, reports, part, refused)
    report = fill_moodle(sheet, points, rule, column, max_points, known_by(grades, course))
    _write(out, sheet.content)
    return report


def in_section(
    course: Course, reports: Sequence[GradedReport], grades: Path, section: str | None
) -> list[GradedReport]:
    """Return the reports on the students of a section, on all where there is none to choose.

    Raises RosterError where there is no such section.
    """
    if section is None:
        return [*reports]
    roster = known_people(grades, course.weeks).roster or Roster(())
    chosen = roster.in_section(section)
    return [report for report in reports if report.score.student in chosen]


def export_section(root: Path, grades: Path, section: str) -> list[Path]:
    """Write a section's CSV files into GRADES/sections/<section>; return their paths."""
    course = load(root)
    reports = in_section(course, read_reports(course, grades), grades, section)
    folder = grades / "sections" / student_id(section)
    try:
        written = write_class_csv(course, reports, folder)
    except OSError as error:
        raise ExportError(f"{error.filename} can't be written: {error.strerror}.") from error
    return [written.gradebook, written.by_hand, written.flags]


def export_csv(root: Path, grades: Path) -> list[Path]:
    """Write the class's CSV files and feedback once more; return their paths.

    What counts otherwise since the last time, because the rubric has other points say, is in
    changes.csv, and kept in the gradebook where that may be written.
    """
    course = load(root)
    reports = read_reports(course, grades)
    try:
        with Gradebook.read(grades / GRADEBOOK) as gradebook:
            written = write_class(course, reports, grades, gradebook)
            published = publish(course, gradebook, reports, "export", grades)
            write_class_page(course, gradebook, reports, grades, published, "export")
    except OSError as error:
        raise ExportError(f"{error.filename} can't be written: {error.strerror}.") from error
    changes = grades / CHANGES_FILE
    return [written.gradebook, written.by_hand, written.flags, written.students, changes]


def export_junit(root: Path, grades: Path, section: str | None = None) -> int:
    """Write students/<id>/junit.xml for everybody, or a section; return the number of students."""
    course = load(root)
    reports = in_section(course, read_reports(course, grades), grades, section)
    for report in reports:
        folder = grades / "students" / report.score.student
        if not folder.is_dir():
            raise ExportError(f"there is no {folder}. Grade the class into {grades} first.")
        _write(folder / "junit.xml", junit_xml(report))
    return len(reports)


def _pending(name: str) -> Pending:
    if name not in list(Pending):
        raise ExportError(f"--pending is one of {', '.join(Pending)}, not {name!r}.")
    return Pending(name)


def _not_taken(name: str) -> NotTaken:
    if name not in list(NotTaken):
        raise ExportError(f"--not-taken is one of {', '.join(NotTaken)}, not {name!r}.")
    return NotTaken(name)


def _write(out: Path, content: bytes) -> None:
    try:
        write_bytes(out, content, PRIVATE)
    except OSError as error:
        raise ExportError(f"{out} can't be written: {error.strerror}.") from error
