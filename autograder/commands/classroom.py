"""The commands of `autograder class`, thin like those of cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

class_app = typer.Typer(
    help="A class whose work is in repositories of its own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
TO = "The top of your private copy of this repository. Default: this one."


@class_app.command("fetch")
def fetch(
    into: Annotated[Path, typer.Option(help="The folder of submissions, for `grade`.")],
    roster: Annotated[Path, typer.Option(help="CSV: student,repository.")] = Path("roster.csv"),
    jobs: Annotated[int, typer.Option(min=1, help="Repositories at once.")] = 8,
) -> None:
    """Fetch what the class has pushed, with the commits' hashes and times; run nothing of it."""
    from autograder.commands.app import ROOT, fail
    from autograder.integrations.github import command

    try:
        command.run_fetch(ROOT, roster, into, jobs)
    except command.KNOWN_ERRORS as error:
        fail(str(error))


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
    from autograder.commands.app import ROOT, fail
    from autograder.integrations.github import command

    try:
        command.run_report(ROOT, submissions, out, feedback)
    except command.KNOWN_ERRORS as error:
        fail(str(error))


@class_app.command("init")
def init(to: Annotated[Path | None, typer.Option(help=TO)] = None) -> None:
    """Put the workflow that grades a class every hour into a private repository."""
    from autograder.commands.app import ROOT, fail
    from autograder.integrations.github import command

    try:
        command.run_init(ROOT, to or ROOT)
    except command.KNOWN_ERRORS as error:
        fail(str(error))
