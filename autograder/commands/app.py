"""The command line as a whole: which groups of commands there are, and how errors end it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import typer

from autograder.commands.shared import export_app, fail
from autograder.errors import AutograderError, FileError

GROUPS = (
    *("grade", "status", "changes", "override", "marking", "gpu", "students", "author"),
    *("author_weeks", "doctor", "classroom", "export", "hand_back", "hook"),
)
"""Modules of commands, in the order of the help."""

app = typer.Typer(
    help="The autograder of Neural Network Foundations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(export_app, name="export")
for group in GROUPS:
    import_module(f"autograder.commands.{group}").add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the program.

    What a person can put right is one line, and exit status 2. `arguments` stand for the program's.
    """
    try:
        app(args=arguments)
    except AutograderError as error:
        fail(str(error))
    except OSError as error:
        refusal = FileError.of(error)
        if refusal is None:
            raise
        fail(str(refusal))
