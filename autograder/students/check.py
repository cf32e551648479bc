"""`autograder check`: the public suite on the student's own files, as feedback in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from autograder import course as courses
from autograder.course.points import format_points
from autograder.students.public_run import (
    Facts,
    Failure,
    ItemState,
    PublicRun,
    read_files,
    read_shipped,
    run_public,
)
from autograder.text.display import clean, many_lines

SHOWN_FAILURES = 8


def run(root: Path, number: int, make: Facts | None = None) -> None:
    """Check the files in the week's folder and print what works, what doesn't, and why.

    `make` computes tests/diagnosis.json's content where that file does not exist.
    """
    course = courses.load(root)
    week = course.week(number)
    files = read_files(root, week)
    shipped = read_shipped(root, week, make)
    done = run_public(root, course, week, files, shipped, own_work=True)
    print_run(Console(highlight=False, soft_wrap=True), done)


def print_run(console: Console, done: PublicRun) -> None:
    """Print one week: a line for each item, failures with reasons, and untested items."""
    for notice in done.files.notices:
        console.print(notice, style="yellow", markup=False)
    if done.shipped.is_older:
        version = ".".join(map(str, done.shipped.python))
        console.print(f"Python {version} grades, older than yours: newer syntax fails there.")
    console.print(heading(done), style="bold", markup=False)
    _print_items(console, done.items)
    _print_failures(console, done.failures)
    console.print(f"\n{done.hidden}", markup=False)


def heading(done: PublicRun) -> str:
    """Return a week's title, with its number where that is how it is called."""
    week = done.week
    return f"Week {week.number}: {week.title}" if week.name.startswith("week") else week.title


def state(one: ItemState) -> str:
    """Return the state of an item in a few words."""
    if not one.attempted:
        return "not attempted"
    if one.passed == len(one.checks):
        return "all public tests pass"
    return f"{one.passed} of {len(one.checks)} public tests pass"


def points(one: ItemState) -> str:
    """Return "points so far / points" of an item, by the public tests alone."""
    return f"{format_points(one.points)} / {format_points(one.item.points)}"


def more(failure: Failure) -> str:
    """Return how many further checks fail for the same reason; an empty text for none."""
    if not failure.others:
        return ""
    count = failure.others
    return f"{count} more {'check fails' if count == 1 else 'checks fail'} for this reason."


def _print_items(console: Console, items: Sequence[ItemState]) -> None:
    width = max((len(one.item.id) for one in items), default=0)
    for one in items:
        style = "yellow"
        if not one.attempted:
            style = "dim"
        elif one.passed == len(one.checks):
            style = "green"
        line = f"  {one.item.id:{width}}  {points(one):>10}  {state(one)}"
        console.print(line, style=style, markup=False)


def _print_failures(console: Console, failures: Sequence[Failure]) -> None:
    """Print each failure: the check, the message, and the probable cause."""
    for failure in failures[:SHOWN_FAILURES]:
        title = f"{failure.check.item}: {failure.check.title}"
        console.print(f"\n{title}", style="bold", markup=False)
        for line in many_lines(failure.message).splitlines():
            console.print(f"  {line}", markup=False)
        if failure.advice:
            console.print(f"  Probably: {failure.advice}", style="cyan", markup=False)
        for line in failure.printed.splitlines()[-5:]:
            console.print(f"  printed: {clean(line)}", style="dim", markup=False)
        if more(failure):
            console.print(f"  ({more(failure)})", style="dim")
    if len(failures) > SHOWN_FAILURES:
        console.print(f"\n... and {len(failures) - SHOWN_FAILURES} more. Mend these first.")
