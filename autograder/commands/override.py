"""`autograder override`: a person changes what a student has, up or down, with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, Out
from autograder.commands.shared import ROOT
from autograder.errors import InputError

WHAT = "An item, a check, a week, a phase, or total."
SAYS = "4 sets, +1 adds, -1 takes; excused; undo; of a check: pass, fail, 50%."


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    # Points to be taken begin with a minus, as options do.
    app.command(context_settings={"ignore_unknown_options": True})(override)


def override(
    student: Annotated[str | None, typer.Argument(help="The student's id.")] = None,
    what: Annotated[str | None, typer.Argument(help=WHAT)] = None,
    points: Annotated[str | None, typer.Argument(help=SAYS)] = None,
    reason: Annotated[str, typer.Option(help="Why; the student reads it.")] = "",
    by: Annotated[
        str | None,
        typer.Option(help="Who decided. Default: $AUTOGRADER_AUTHOR, or your login name."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="CSV with many: student,item,points,reason[,author].")
    ] = None,
    out: Out = GRADES,
) -> None:
    """Change points of one student by hand: an item, a check, a week, a phase, or the total.

    Nothing is run again, and nothing is lost: each change is kept with its time, author and reason,
    the feedback shows it, and "undo" takes back all that was changed of the same item, check, week,
    phase or total. Without arguments, list all changes.
    """
    from autograder import course as courses
    from autograder.gradebook.author import author_here
    from autograder.gradebook.override_lines import Line
    from autograder.report import overriding

    given = [one for one in (student, what, points) if one is not None]
    if file is None and not given:
        for said in overriding.listed(out):
            print(said)
        return
    if file is not None and given:
        raise InputError("Give --file or one change, not both.")
    author = by if by is not None else author_here()
    line = None
    if file is None:
        if student is None or what is None or points is None:
            raise InputError(
                "Say STUDENT WHAT POINTS, such as: autograder override ada week1.linear 4 "
                '--reason "the test was wrong"'
            )
        line = Line(student.strip(), what.strip(), points, reason.strip(), author.strip())
    for said in overriding.override(courses.load(ROOT), out, author, file=file, line=line):
        print(said)
