"""`autograder show` and `autograder diff`: a class's points again, and what changed in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, Section
from autograder.commands.shared import ROOT
from autograder.errors import InputError

Grades = Annotated[Path, typer.Option(help="The folder that `grade` wrote.")]
STATE = (
    "A report's number, a time (the last report until then), now, or a folder that `grade` wrote."
)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(show)
    app.command()(diff)


def show(
    grades: Grades = GRADES,
    student: Annotated[
        str | None, typer.Option(help="Say how this student's points came about, report by report.")
    ] = None,
    section: Section = None,
) -> None:
    """Print the class's table once more, without grading and without writing anything."""
    from rich.console import Console

    from autograder import course as courses
    from autograder.report.history import history_lines
    from autograder.report.showing import show_class
    from autograder.report.terminal import say

    course = courses.load(ROOT)
    console = Console(highlight=False)
    if student is None:
        show_class(console, course, grades, section)
        return
    for line in history_lines(course, grades, student):
        say(console, line)


def diff(
    before: Annotated[str | None, typer.Argument(help=STATE, metavar="A")] = None,
    after: Annotated[str | None, typer.Argument(help=STATE, metavar="B")] = None,
    grades: Grades = GRADES,
    csv: Annotated[
        Path | None, typer.Option(help="Write every change into this file as well.")
    ] = None,
) -> None:
    """Say whose points differ between two reports or two folders, by which items, and why.

    Each run that writes reports numbers them, and changes.csv has what it changed. Without A, name
    the reports there are; without B, compare with the last one.
    """
    from autograder import course as courses
    from autograder.gradebook.private import PRIVATE
    from autograder.report.changes import changes_between
    from autograder.report.changes_words import changes_csv, lines
    from autograder.report.comparing import edition_line, editions_of, state_called
    from autograder.text.files import write_text

    course = courses.load(ROOT)
    if before is None or after is None:
        known = editions_of(grades)
        if not known:
            remedy = "They are numbered from the next run on that writes reports"
            raise InputError(f"{grades} has no reports that can be compared", remedy)
        if before is None:
            for edition in known:
                print(edition_line(edition, course.handing_in.zone))
            return
        after = after or str(known[-1].number)
    since, old = state_called(course, grades, before)
    until, new = state_called(course, grades, after)
    changes = changes_between(old, new)
    print(f"Points {until}:")
    if csv:
        write_text(csv, changes_csv(changes, old, new), PRIVATE)
    for line in lines(changes, old, new, since, str(csv) if csv else ""):
        print(line)
