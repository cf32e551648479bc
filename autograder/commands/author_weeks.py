"""The commands for authors of weeks: `autograder new` and `autograder author check`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

author_app = typer.Typer(
    help="Write weeks, and prove their suites.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(new)
    app.add_typer(author_app, name="author")


def new(
    name: Annotated[str, typer.Argument(help="The week's number and topic, as in week9_hello.")],
    title: Annotated[str | None, typer.Option(help="Default: the topic.")] = None,
    items: Annotated[
        str | None,
        typer.Option(help="Items with their points: greet=4,count=6. Default: the topic, for 10."),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(help="The phase in which it counts. Default: the last one with items."),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Top of the course's repository. Default: this one.")
    ] = None,
) -> None:
    """Write a new week that can be graded at once, with examples to replace."""
    from autograder.author import new_week
    from autograder.commands.shared import ROOT

    week = new_week.new_week(root or ROOT, name, title, items, phase)
    written = new_week.write_week(root or ROOT, week)
    for path in written:
        print(f"written: {path}")
    print("\nNow edit, in this order:")
    for number, step in enumerate(new_week.next_steps(week), start=1):
        print(f"{number:3}. {step}")


@author_app.command()
def check(
    week: Annotated[
        str | None, typer.Option(help="Number or id of the week. Default: all that are there.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Top of the course's repository. Default: this one.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, help="Processes side by side; 0: one for each processor.")
    ] = 1,
    unconfined: Annotated[
        bool, typer.Option(help="Run solutions and stubs WITHOUT a sandbox.")
    ] = False,
) -> None:
    """Prove suites: who is right gets everything, who does nothing nothing, a mistake its own item.

    The exit status is 1 where anything does not hold, 2 for an error.
    """
    from rich.console import Console

    from autograder import course as courses
    from autograder.author import week_check
    from autograder.commands.shared import ROOT

    top = (root or ROOT).resolve()
    number = None if week is None else courses.load(top).week_called(week).number
    console = Console(highlight=False)
    held = week_check.check(
        console, top, number, jobs or os.cpu_count() or 1, unconfined=unconfined
    )
    if not held:
        raise SystemExit(1)
