"""JUnit XML among the exports: students/<id>/junit.xml for everybody whom a report is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.atomic import write_bytes
from autograder.export import student_folder
from autograder.junit import junit_xml
from autograder.report import StudentReport

__all__ = ["junit_xml", "write_junit"]


def write_junit(reports: Sequence[StudentReport], out: Path) -> list[Path]:
    """Write OUT/students/<id>/junit.xml for each report; return the files.

    Raises OSError where that fails, and ValueError for an id that is no plain file name.
    """
    written = []
    for report in reports:
        path = student_folder(report.score.student, out) / "junit.xml"
        write_bytes(path, junit_xml(report))
        written.append(path)
    return written
