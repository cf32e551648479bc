"""Exporting the gradebook to files for Canvas, Moodle, people and JUnit readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import load
from autograder.course.points import parse_points
from autograder.errors import OutputError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.private import PRIVATE
from autograder.integrations.gradebooks.canvas import fill_canvas
from autograder.integrations.gradebooks.exported_sheet import read_sheet
from autograder.integrations.gradebooks.fill_column import FillReport
from autograder.integrations.gradebooks.moodle import fill_moodle
from autograder.integrations.gradebooks.points_column import (
    GRADEBOOK,
    Pending,
    part_points,
    read_reports,
)
from autograder.report.class_files import write_class
from autograder.report.publishing import CHANGES_FILE, publish
from autograder.results.junit import junit_xml
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
) -> FillReport:
    """Fill columns of a Canvas gradebook; `columns` are pairs of an assignment and a part.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    reports = read_reports(course, grades)
    points = [(name, part_points(course, reports, part)) for name, part in columns]
    report = fill_canvas(sheet, points, rule)
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
) -> FillReport:
    """Fill a grading worksheet, or one column of a gradebook, of Moodle.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    try:
        max_points = None if out_of is None else parse_points(out_of)
    except ValueError as error:
        raise ExportError(f"--out-of: {error}.") from error
    reports = read_reports(course, grades)
    report = fill_moodle(sheet, part_points(course, reports, part), rule, column, max_points)
    _write(out, sheet.content)
    return report


def export_csv(root: Path, grades: Path) -> list[Path]:
    """Write the class's CSV files and feedback once more; return their paths.

    What counts otherwise since the last time, because the rubric has other points say, is in
    changes.csv, and kept in the gradebook where that may be written.
    """
    course = load(root)
    reports = read_reports(course, grades)
    try:
        written = write_class(course, reports, grades)
        with Gradebook.read(grades / GRADEBOOK) as gradebook:
            publish(course, gradebook, reports, "export", grades)
    except OSError as error:
        raise ExportError(f"{error.filename} can't be written: {error.strerror}.") from error
    changes = grades / CHANGES_FILE
    return [written.gradebook, written.by_hand, written.flags, written.students, changes]


def export_junit(root: Path, grades: Path) -> int:
    """Write students/<id>/junit.xml for everybody; return the number of students."""
    reports = read_reports(load(root), grades)
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


def _write(out: Path, content: bytes) -> None:
    try:
        write_bytes(out, content, PRIVATE)
    except OSError as error:
        raise ExportError(f"{out} can't be written: {error.strerror}.") from error
