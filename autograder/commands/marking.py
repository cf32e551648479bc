"""`autograder formgrader`: marks that a person gives in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, OnlyWeek, Out, Submissions
from autograder.commands.instructors import number_of, when_stopped
from autograder.commands.shared import ROOT


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(formgrader)


def formgrader(
    submissions: Submissions = None,
    out: Out = GRADES,
    week: OnlyWeek = None,
    port: Annotated[int, typer.Option(min=0, help="Of the page; 0: any free one.")] = 8765,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    collect: Annotated[
        bool, typer.Option("--collect", help="Only take over what was marked.")
    ] = False,
    serve: Annotated[
        bool, typer.Option(help="Open the page; otherwise the course is only prepared.")
    ] = True,
) -> None:
    """Mark what a class wrote in notebooks, in nbgrader's formgrader, and take the marks over."""
    from autograder.integrations.formgrader import command

    kept = "Marks that were given are kept; the same command takes them over."
    with when_stopped(kept, "The formgrader is ended, and its marks are taken over."):
        command.run(
            ROOT,
            out,
            submissions=submissions,
            week=number_of(week),
            port=port,
            browser=browser,
            collect=collect,
            serve=serve,
        )
