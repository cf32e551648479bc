"""The commands that students have too: check, ci, hand-in, export classroom50.

Their options stand in students/command_line.py, which reads them here as in a students' tree.
"""

from __future__ import annotations

from typing import Any

import typer

from autograder.commands.shared import export_app
from autograder.students import command_line

facts: Any = None
"""A public_run.Facts; set where the whole repository is."""

PASSED_ON: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command(**PASSED_ON)(check)
    app.command(**PASSED_ON)(ci)
    app.command("hand-in", **PASSED_ON)(hand_in)
    export_app.command(**PASSED_ON)(classroom50)


def check(context: typer.Context) -> None:
    """Run the public tests on your own files, where they are."""
    _run("check", *context.args)


def ci(context: typer.Context) -> None:
    """Run the public tests of all weeks that have been begun, for a CI system."""
    _run("ci", *context.args)


def hand_in(context: typer.Context) -> None:
    """Put your files of a week into one archive, and say what is missing in it."""
    _run("hand-in", *context.args)


def classroom50(context: typer.Context) -> None:
    """Write Classroom 50's result.json, by the public tests."""
    _run("export", "classroom50", *context.args)


def _run(*arguments: str) -> None:
    status = command_line.run(arguments, facts)
    if status:
        raise SystemExit(status)
