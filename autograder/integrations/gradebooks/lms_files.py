"""From a gradebook of ours to files of other systems: read, fill, write whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import load
from autograder.course.points import parse_points
from autograder.errors import OutputError
from autograder.integrations.gradebooks.canvas import fill_canvas
from autograder.integrations.gradebooks.exported_sheet import read_sheet
from autograder.integrations.gradebooks.fill_column import Filled
from autograder.integrations.gradebooks.moodle import fill_moodle
from autograder.integrations.gradebooks.points_column import Pending, portions, read_reports
from autograder.report.class_files import write_class
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
) -> Filled:
    """Fill columns of a gradebook of Canvas's: pairs of an assignment and the part that goes in.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    reports = read_reports(course, grades)
    wanted = [(name, portions(course, reports, part)) for name, part in columns]
    filled = fill_canvas(sheet, wanted, rule)
    _write(out, sheet.content)
    return filled


def export_moodle(
    root: Path,
    grades: Path,
    template: Path,
    out: Path,
    pending: str,
    part: str,
    column: str | None,
    out_of: str | None,
) -> Filled:
    """Fill a grading worksheet or one column of a gradebook of Moodle's.

    Raises AutograderError; then nothing is written.
    """
    course, sheet, rule = load(root), read_sheet(template), _pending(pending)
    try:
        most = None if out_of is None else parse_points(out_of)
    except ValueError as error:
        raise ExportError(f"--out-of: {error}.") from error
    reports = read_reports(course, grades)
    filled = fill_moodle(sheet, portions(course, reports, part), rule, column, most)
    _write(out, sheet.content)
    return filled


def export_csv(root: Path, grades: Path) -> list[Path]:
    """Write the files for people once more; return where."""
    course = load(root)
    try:
        written = write_class(course, read_reports(course, grades), grades)
    except OSError as error:
        raise ExportError(f"{error.filename} can't be written: {error.strerror}.") from error
    return [written.gradebook, written.by_hand, written.flags, written.students]


def export_junit(root: Path, grades: Path) -> int:
    """Write students/<id>/junit.xml for everybody, and return how many there are."""
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
        write_bytes(out, content)
    except OSError as error:
        raise ExportError(f"{out} can't be written: {error.strerror}.") from error
