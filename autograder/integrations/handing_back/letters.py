"""What each student gets back: a line in words, and files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.errors import OutputError
from autograder.gradebook.people import known_people
from autograder.integrations.gradebooks.matching import Known, known_by
from autograder.integrations.gradebooks.points_column import read_reports
from autograder.report.curves import curves_svg
from autograder.report.feedback import CURVES_FILE, feedback
from autograder.report.graded import GradedReport
from autograder.report.points_words import pending_points, points_in_words
from autograder.text.display import one_line

FEEDBACK_FILE = "feedback.md"
LONGEST_LINE = 300
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class HandBackError(OutputError):
    """Nothing can be handed back: why, and what to do."""


@dataclass(frozen=True)
class Letter:
    """One student's points in a line, and the files by name; the feedback is the first of them.

    `known` is by what else the student is known, `address` the roster's e-mail address.
    """

    student: str
    line: str
    files: Mapping[str, bytes]
    known: Known = field(default_factory=Known)
    address: str = ""

    @property
    def feedback(self) -> bytes:
        """The feedback, as in OUT/students."""
        return self.files[FEEDBACK_FILE]


@dataclass
class HandedBack:
    """Whose letters go out, by student, and remarks on everybody else."""

    letters: dict[str, Letter] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def letters_of(course: Course, grades: Path) -> dict[str, Letter]:
    """Return everybody's letter, by student. Raises GradebookError where nothing is graded."""
    known, roster = known_by(grades, course), known_people(grades, course.weeks).roster
    people = roster.people if roster else {}
    found = {}
    for report in read_reports(course, grades):
        id = report.score.student
        address = people[id].email if id in people else ""
        found[id] = _letter(report, known.get(id, Known()), address)
    return found


def known_of(letters: Mapping[str, Letter]) -> dict[str, Known]:
    """Return by what else these students are known."""
    return {student: letter.known for student, letter in letters.items()}


def _letter(report: GradedReport, known: Known, address: str) -> Letter:
    score = report.score
    line = points_in_words(score, final=True)
    if report.refusals:
        line = f"{line}. Not taken: {report.refusals[0]}"
    elif score.pending:
        line = f"{line} so far; up to {format_points(pending_points(score))} are still to come"
    files = {FEEDBACK_FILE: feedback(report).encode()}
    for result in (check.result for item in score.items for check in item.checks):
        if result and "curves" in result.detail:
            curves = curves_svg(result.detail["curves"], result.detail.get("accuracy"))
            files[CURVES_FILE] = curves.encode()
    return Letter(score.student, one_line(line, LONGEST_LINE), files, known, address)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file of these; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
