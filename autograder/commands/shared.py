"""What groups of commands share: the course's place, and errors' last line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from autograder.text.display import many_lines

ROOT = Path(__file__).resolve().parents[2]
USAGE_STATUS = 2

WEEK = 'Number of the week, or "project".'
WeekName = Annotated[str, typer.Option("--week", help=WEEK)]

export_app = typer.Typer(
    help="Write results for people and other systems, without grading again.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def fail(message: str, status: int = USAGE_STATUS) -> NoReturn:
    """Print an error in one line and end the program."""
    print(f"autograder: {many_lines(message)}", file=sys.stderr)
    raise SystemExit(status)
