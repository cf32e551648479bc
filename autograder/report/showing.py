"""The class's table of the journal as it is, printed once more: nothing is graded or written."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from autograder.course import Course
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.gradebook.people import roster_beside
from autograder.gradebook.roster import Roster
from autograder.report.changes import Side, changes_between, contents_of
from autograder.report.changes_words import lines, made_at
from autograder.report.comparing import GRADEBOOK
from autograder.report.gather import gather
from autograder.report.terminal import say
from autograder.report.writing import print_table


def show_class(console: Console, course: Course, grades: Path, section: str | None = None) -> None:
    """Print the table, and say where it differs from the last reports that were written.

    With a `section`, the table of those whom the roster has in it. Raises GradebookError for a
    folder without anybody's results, and RosterError where there is no such section.
    """
    path = grades / GRADEBOOK
    with Gradebook.read(path) as gradebook:
        if section is not None:
            (roster_beside(gradebook, course.weeks) or Roster(())).in_section(section)
        reports = gather(course, gradebook)
        if not reports:
            raise GradebookError(f"{path} holds nobody's results yet.")
        editions = gradebook.editions
        last = editions.last()
        now = Side(contents_of(course, reports, editions), editions.parts)
        written = Side(editions.contents(last.number) if last else {}, editions.parts)
        print_table(console, reports, grades, section)
        changes = changes_between(written, now) if last else []
        if last and changes:
            since = f"in report {last.number} of {made_at(last, course.handing_in.zone)}"
            for line in lines(changes, written, now, since):
                say(console, line)
            say(console, "The files above are of that report: `autograder export csv` writes them.")
