"""`autograder hook ...`: grading what students push to a git server of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, Jobs, Out
from autograder.commands.shared import ROOT

hooks = typer.Typer(
    help="Grade what students push to a git server of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Repositories = Annotated[
    list[Path], typer.Argument(help="Bare repositories (ada.git), or a folder of them.")
]
SPOOL = "Folder between hooks and a service that another user runs. Without it: OUT/push."
SpoolFolder = Annotated[Path | None, typer.Option("--spool", help=SPOOL)]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.add_typer(hooks, name="hook")


@hooks.command()
def install(
    repositories: Repositories,
    out: Out = GRADES,
    student: Annotated[
        str | None, typer.Option(help="Whose it is. Without it: by the repository's name.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option(help="The branch that counts. Without it: that of HEAD.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="Gradings a day; 0: no limit. Without it: the course's."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=1, help="Seconds after which a terminal is let go.")
    ] = 60,
    jobs: Jobs = 0,
    spool: SpoolFolder = None,
) -> None:
    """Have pushes to bare repositories graded, and answered in the pusher's terminal."""
    from autograder.integrations.push import commands

    lines = commands.install_all(
        repositories,
        student,
        root=ROOT,
        out=None if spool else out.resolve(),
        spool=(spool or out / "push").resolve(),
        branch=branch,
        limit=limit,
        wait=wait,
        jobs=jobs,
    )
    for line in lines:
        print(line)


@hooks.command()
def remove(repositories: Repositories) -> None:
    """Take the hook out of repositories; a hook that was there before comes back."""
    from autograder.integrations.push import install

    for path in install.repositories(repositories):
        print(install.remove(path))


@hooks.command()
def status(out: Out = GRADES, spool: SpoolFolder = None) -> None:
    """Say what is queued and running, and how many gradings each student has had today."""
    from autograder.integrations.push import commands

    for line in commands.status(ROOT, out, spool):
        print(line)


@hooks.command()
def release(
    student: Annotated[
        list[str] | None, typer.Option(help="Of this student alone; may be repeated.")
    ] = None,
    out: Out = GRADES,
    spool: SpoolFolder = None,
    again: Annotated[
        bool, typer.Option(help="Grade the newest of them again, without a limit.")
    ] = True,
) -> None:
    """Let pushes that ended by our fault count as gradings no more.

    Until then they count: whoever makes the grader fail must gain nothing by it.
    """
    from autograder.integrations.push import commands

    for line in commands.release(ROOT, out, spool, student or (), again=again):
        print(line)


@hooks.command()
def serve(
    out: Out = GRADES,
    spool: SpoolFolder = None,
    jobs: Jobs = 0,
    now: Annotated[
        bool,
        typer.Option("--now", help="Grade all that waits, for another day too, and end."),
    ] = False,
) -> None:
    """Grade what is pushed, until stopped. Hooks start such a service by themselves."""
    from autograder.integrations.push import commands

    commands.serve(ROOT, out, spool, jobs or os.cpu_count() or 1, now=now)
