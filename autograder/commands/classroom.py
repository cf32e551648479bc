"""`autograder class ...`: a class whose work is in repositories of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import ROOT

class_app = typer.Typer(
    help="A class whose work is in repositories of its own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
TOP = "The top of your private copy of this repository. Default: this one."


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.add_typer(class_app, name="class")


@class_app.command("fetch")
def fetch(
    into: Annotated[Path, typer.Option(help="The folder of submissions, for `grade`.")],
    roster: Annotated[Path, typer.Option(help="CSV: student,repository.")] = Path("roster.csv"),
    jobs: Annotated[int, typer.Option(min=1, help="Repositories at once.")] = 8,
) -> None:
    """Fetch what the class has pushed, with the commits' hashes and times; run nothing of it."""
    from autograder.integrations.github import command

    command.run_fetch(ROOT, roster, into, jobs)


@class_app.command("report")
def report(
    submissions: Annotated[Path, typer.Option(help="The folder that `class fetch` filled.")],
    out: Annotated[Path, typer.Option(help="The folder that `grade` wrote.")] = Path("grades"),
    feedback: Annotated[
        bool, typer.Option(help="Push the feedback to the branch feedback.")
    ] = True,
) -> None:
    """Tell each student how it went: a commit status, and the branch `feedback`.

    $CLASS_TOKEN may write commit statuses, and contents, in the students' repositories.
    """
    from autograder.integrations.github import command

    command.run_report(ROOT, submissions, out, feedback)


@class_app.command("init")
def init(to: Annotated[Path | None, typer.Option(help=TOP)] = None) -> None:
    """Put the workflow that grades a class every hour into a private repository."""
    from autograder.integrations.github import command

    command.run_init(ROOT, to or ROOT)
