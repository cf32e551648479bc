"""Writing a class's reports and printing its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder.course import Course
from autograder.gradebook.journal import Gradebook
from autograder.report.class_files import class_files, write_class
from autograder.report.graded import GradedReport
from autograder.report.publishing import CHANGES_FILE, publish
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class, say


def write_reports(
    console: Console,
    course: Course,
    gradebook: Gradebook,
    reports: Sequence[GradedReport],
    out: Path,
    command: str,
) -> None:
    """Write the reports, print the class's table, and say what changed since the last reports.

    `command` is what the gradebook calls these reports by: "grade".
    """
    write_class(course, reports, out)
    published = publish(course, gradebook, reports, command, out)
    print_table(console, reports, out)
    for line in published.lines(out / CHANGES_FILE, course.handing_in.zone):
        say(console, line)


def print_table(console: Console, reports: Sequence[GradedReport], out: Path) -> None:
    """Print the class's table, and where the files are."""
    written = class_files(out)
    files = {
        "Points of the class": written.gradebook,
        "Feedback and results": written.students,
        "To be marked by hand": written.by_hand,
        "To be looked at": written.flags,
        "What changed": out / CHANGES_FILE,
        "Journal": out / "gradebook.sqlite",
    }
    shown = {what: path for what, path in files.items() if path.exists()}
    print_class(console, reports, class_statistics([report.score for report in reports]), shown)
