"""Writing a class's reports and printing its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder.course import Course
from autograder.report.class_files import write_class
from autograder.report.graded import GradedReport
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class


def write_reports(
    console: Console, course: Course, reports: Sequence[GradedReport], out: Path
) -> None:
    """Write the reports, and print the class's table."""
    written = write_class(course, reports, out)
    files = {
        "Points of the class": written.gradebook,
        "Feedback and results": written.students,
        "To be marked by hand": written.by_hand,
        "To be looked at": written.flags,
        "Journal": out / "gradebook.sqlite",
    }
    print_class(console, reports, class_statistics([report.score for report in reports]), files)
