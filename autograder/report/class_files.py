"""Writing a class's files: gradebook.csv, by_hand.csv, flags.csv and each student's reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.private import PRIVATE, PRIVATE_FOLDER
from autograder.report.changed_words import whole_results
from autograder.report.class_csv import by_hand_csv, flags_csv, gradebook_csv
from autograder.report.curves import curves_svg
from autograder.report.feedback import CURVES_FILE, feedback
from autograder.report.graded import GradedReport
from autograder.report.student_page import Background, student_page
from autograder.text.files import write_text


@dataclass(frozen=True)
class ClassFiles:
    """Paths of a class's files.

    The table of points, the folder with one folder per student, the answers to be marked by hand,
    and the flags to be looked at.
    """

    gradebook: Path
    students: Path
    by_hand: Path
    flags: Path


def class_files(out: Path) -> ClassFiles:
    """Return the paths of a class's files in a folder, whether or not they are there."""
    return ClassFiles(
        out / "gradebook.csv", out / "students", out / "by_hand.csv", out / "flags.csv"
    )


def write_class(
    course: Course,
    reports: Sequence[GradedReport],
    out: Path,
    gradebook: Gradebook | None = None,
) -> ClassFiles:
    """Write OUT/gradebook.csv, by_hand.csv and flags.csv, and every student's files.

    Without a `gradebook` the students' pages have neither code nor attempts. Raises OSError where
    that fails.
    """
    background = Background.of(course, gradebook) if gradebook else None
    for report in reports:
        write_student(report, out, background)
    return write_class_csv(course, reports, out)


def write_class_csv(course: Course, reports: Sequence[GradedReport], out: Path) -> ClassFiles:
    """Write OUT/gradebook.csv, by_hand.csv and flags.csv. Raises OSError where that fails."""
    files = class_files(out)
    out.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    write_text(files.gradebook, gradebook_csv(course, reports), PRIVATE)
    write_text(files.by_hand, by_hand_csv(course, reports), PRIVATE)
    write_text(files.flags, flags_csv(reports), PRIVATE)
    return files


def write_student(report: GradedReport, out: Path, background: Background | None = None) -> Path:
    """Write OUT/students/<id>/results.json, feedback.md and feedback.html; return that folder.

    Where a network was trained, its curves are in training.svg. Raises ValueError for an id that
    is no plain file name, which intake never gives.
    """
    folder = student_folder(report.score.student, out)
    write_text(folder / "results.json", whole_results(report), PRIVATE)
    for result in (check.result for item in report.score.items for check in item.checks):
        if result and "curves" in result.detail:
            picture = curves_svg(result.detail["curves"], result.detail.get("accuracy"))
            write_text(folder / CURVES_FILE, picture, PRIVATE)
    write_text(folder / "feedback.md", feedback(report), PRIVATE)
    write_text(folder / "feedback.html", student_page(report, background), PRIVATE)
    return folder


def student_folder(student: str, out: Path) -> Path:
    """Return OUT/students/<id>, created if it is missing.

    Raises ValueError for an id that is no plain file name, which intake never gives.
    """
    if student in ("", ".", "..") or "/" in student or "\\" in student or "\0" in student:
        raise ValueError(f"{student!r} can't be the name of a folder")
    folder = out / "students" / student
    folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return folder
