"""`autograder grade`: all that a class handed in, or a simulated class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import (
    GRADES,
    SIMULATED,
    Jobs,
    OnlyWeek,
    Out,
    Submissions,
    Unconfined,
)
from autograder.commands.shared import ROOT, number_of, when_stopped


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(grade)


def grade(
    submissions: Submissions = None,
    out: Out = GRADES,
    week: OnlyWeek = None,
    jobs: Jobs = 0,
    unconfined: Unconfined = False,
    manual: Annotated[
        Path | None,
        typer.Option(help="CSV with marks given by hand (student,item,points,comment)."),
    ] = None,
    handed_in: Annotated[
        Path | None,
        typer.Option(help="CSV that says when each handed in (student,received,commit)."),
    ] = None,
) -> None:
    """Grade all that a class handed in.

    Without --submissions, write a simulated class of 12 and grade that.
    """
    from autograder.author.simulate.small_class import simulate
    from autograder.grading.class_run import grade_submissions
    from autograder.integrations.formgrader.marks import collect_marks
    from autograder.text.files import demand_folder

    with when_stopped("What was finished is kept; the same command goes on from there."):
        number = number_of(week)
        demand_folder(out)
        if submissions is None:
            simulate(ROOT, SIMULATED, number)
        grade_submissions(
            ROOT,
            submissions or SIMULATED,
            out,
            week=number,
            jobs=jobs or os.cpu_count() or 1,
            unconfined=unconfined,
            manual=manual,
            handed_in=handed_in,
            own_code=submissions is None,
            collect_marks=collect_marks,
        )
