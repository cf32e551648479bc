"""What groups of commands share: the course's place, the name of a week, and errors' last line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from autograder.text.display import many_lines

ROOT = Path(__file__).resolve().parents[2]
USAGE_STATUS = 2
INTERRUPTED_STATUS, TERMINATED_STATUS = 130, 143

WEEK = 'Number of the week, or "project".'
WeekName = Annotated[str, typer.Option("--week", help=WEEK)]

export_app = typer.Typer(
    help="Write results for people and other systems, without grading again.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def number_of(week: str | None) -> int | None:
    """Return the number of the week that an option names. Raises CourseError where none is."""
    from autograder import course as courses

    return None if week is None else courses.load(ROOT).week_called(week).number


def fail(message: str, status: int = USAGE_STATUS) -> NoReturn:
    """Print an error in one line and end the program."""
    print(f"autograder: {many_lines(message)}", file=sys.stderr)
    raise SystemExit(status)


class Terminated(KeyboardInterrupt):
    """The program was asked to end by SIGTERM: it ends as after Ctrl-C."""


@contextmanager
def when_stopped(message: str) -> Iterator[None]:
    """Say what Ctrl-C leaves behind, where a command says more than that it was stopped."""
    try:
        yield
    except Terminated:
        fail(f"stopped. {message}", TERMINATED_STATUS)
    except KeyboardInterrupt:
        fail(f"stopped. {message}", INTERRUPTED_STATUS)


@contextmanager
def ending_when_terminated() -> Iterator[None]:
    """Make SIGTERM, from `kill` or a batch system, raise Terminated meanwhile."""

    def end(number: int, frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
