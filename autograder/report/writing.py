"""Writing a class's reports and printing its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder.course import Course
from autograder.gradebook.ids import key
from autograder.gradebook.journal import Gradebook
from autograder.report.class_files import class_files, write_class
from autograder.report.class_page_file import PAGE, write_class_page
from autograder.report.graded import GradedReport
from autograder.report.publishing import CHANGES_FILE, publish
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class, say
from autograder.text.display import one_line


def write_reports(
    console: Console,
    course: Course,
    gradebook: Gradebook,
    reports: Sequence[GradedReport],
    out: Path,
    command: str,
    section: str | None = None,
) -> None:
    """Write the reports, print the class's table, and say what changed since the last reports.

    `command` is what the gradebook calls these reports by: "grade". The table is on a `section`
    alone where one is given; all else is on everybody.
    """
    write_class(course, reports, out, gradebook)
    published = publish(course, gradebook, reports, command, out)
    write_class_page(course, gradebook, reports, out, published, command)
    print_table(console, reports, out, section)
    for line in published.lines(out / CHANGES_FILE, course.handing_in.zone):
        say(console, line)


def of_section(reports: Sequence[GradedReport], section: str) -> list[GradedReport]:
    """Return the reports on the students whom the roster has in a section."""
    return [report for report in reports if key(report.section) == key(section)]


def print_table(
    console: Console, reports: Sequence[GradedReport], out: Path, section: str | None = None
) -> None:
    """Print the class's table, or that of a section, and where the files are."""
    if section is not None:
        whole, reports = len(reports), of_section(reports, section)
        name = one_line(section)
        say(console, f"Section {name}: {len(reports)} of {whole} students. The files have all.")
        if not reports:
            return
    written = class_files(out)
    files = {
        "The class on one page": out / PAGE,
        "Points of the class": written.gradebook,
        "Feedback and results": written.students,
        "To be marked by hand": written.by_hand,
        "To be looked at": written.flags,
        "What changed": out / CHANGES_FILE,
        "Journal": out / "gradebook.sqlite",
    }
    shown = {what: path for what, path in files.items() if path.exists()}
    print_class(console, reports, class_statistics([report.score for report in reports]), shown)
