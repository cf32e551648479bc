"""`autograder doctor`: what this machine can confine."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(doctor)


def doctor() -> None:
    """Say which rung of confinement this machine gives, and what a better one needs.

    The exit status is 1 where hidden suites would refuse to run.
    """
    from autograder.sandbox import doctor as examination

    if not examination.run():
        raise SystemExit(1)
