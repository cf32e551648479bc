"""Writing the class's page, OUT/index.html, after all else that reports write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.private import PRIVATE
from autograder.report.class_facts import class_facts
from autograder.report.class_page import class_page
from autograder.report.graded import GradedReport
from autograder.report.publishing import Published
from autograder.text.files import write_text

PAGE = "index.html"


def write_class_page(
    course: Course,
    gradebook: Gradebook,
    reports: Sequence[GradedReport],
    out: Path,
    published: Published | None,
    command: str,
) -> None:
    """Write the page, whole or not at all; `published` are the changes that it tells of.

    Raises OSError where it can't be written.
    """
    facts = class_facts(course, gradebook, published, command)
    write_text(out / PAGE, class_page(course, reports, facts), PRIVATE)
