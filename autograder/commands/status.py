"""`autograder status`: how far a grading is, from another shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES
from autograder.commands.shared import ROOT


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(status)


def status(
    grades: Annotated[Path, typer.Option(help="The folder that `grade` writes into.")] = GRADES,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, as JSON.")] = False,
) -> None:
    """Say how far a grading is: done, running and left by week, how long still, our failures.

    It only reads, while a grading runs or after it.
    """
    from autograder import course as courses
    from autograder.grading import status as found

    now = found.read_status(grades)
    course = courses.load(ROOT)
    if as_json:
        print(found.as_json(now, course))
        return
    for line in found.lines(now, course):
        print(line)
