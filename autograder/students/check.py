"""`autograder check`: the public suite on the student's own files, as feedback in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.course.points import format_points
from autograder.records import Verdict
from autograder.students import hints
from autograder.students.public_run import (
    Facts,
    Failure,
    ItemState,
    PublicRun,
    read_files,
    read_shipped,
    reason,
    run_public,
)
from autograder.students.screen import Screen
from autograder.students.selection import EVERYTHING, Selection
from autograder.text.display import clean, many_lines

SHOWN_FAILURES = 8
ENDS = {
    Verdict.PASS: ("green", "green"),
    Verdict.NOT_ATTEMPTED: ("to do", "dim"),
    Verdict.BLOCKED: ("waits", "dim"),
}
"""What is said of a check that ended so, and how it looks."""
STOPPED = "BdbQuit"
"""What a breakpoint raises where nobody can type."""
DEBUGGER = "breakpoint() stops with --debug only. Take it out before you hand in."


@dataclass(frozen=True)
class How:
    """How to check: a selection of tests, in this process for a debugger, with failures' inputs."""

    selection: Selection = EVERYTHING
    debug: bool = False
    inputs: bool = False


def run(root: Path, number: int, make: Facts | None = None, how: How | None = None) -> PublicRun:
    """Check the files in the week's folder and print what works, what doesn't, and why.

    `make` computes tests/diagnosis.json's content where that file does not exist.
    """
    how = how or How()
    course = courses.load(root)
    week = course.week(number)
    files, shipped = read_files(root, week), read_shipped(root, week, make)
    debug = how.debug
    own = not debug  # which is for what runs in this process
    done = run_public(
        root, course, week, files, shipped, how.selection, in_process=debug, own_work=own
    )
    print_run(Screen(), done, inputs=how.inputs)
    failing = [failure.check.item for failure in done.failures]
    if offer := hints.offered(root, week, failing):
        Screen().line(offer)
    return done


def print_run(screen: Screen, done: PublicRun, *, inputs: bool = False) -> None:
    """Print one week: a line for each item, failures with reasons, and untested items.

    inputs: with what each failure's check did with the code.
    """
    for notice in done.files.notices:
        screen.line(notice, "yellow")
    if done.shipped.is_older:
        version = ".".join(map(str, done.shipped.python))
        screen.line(f"Python {version} grades, older than yours: newer syntax fails there.")
    screen.line(heading(done), "bold")
    print_items(screen, done)
    _print_failures(screen, done.failures, inputs)
    screen.line()
    screen.line(done.hidden)


def heading(done: PublicRun) -> str:
    """Return a week's title, with its number where that is how it is called."""
    week = done.week
    return f"Week {week.number}: {week.title}" if week.name.startswith("week") else week.title


def state(one: ItemState) -> str:
    """Return the state of an item in a few words."""
    if one.is_held_up:
        return f"waits: {_begun_small(one.waits)}"
    if not one.attempted:
        return "not attempted"
    if one.passed == len(one.checks):
        return "all public tests pass"
    count = one.verdicts.count(Verdict.BLOCKED)
    wait = f"; {count} {'waits' if count == 1 else 'wait'}: {_begun_small(one.waits)}"
    return f"{one.passed} of {len(one.checks)} public tests pass{wait if count else ''}"


def _begun_small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def points(one: ItemState) -> str:
    """Return "points so far / points" of an item, by the public tests alone."""
    return f"{format_points(one.points)} / {format_points(one.item.points)}"


def more(failure: Failure) -> str:
    """Return how many further checks fail for the same reason; an empty text for none."""
    if not failure.others:
        return ""
    count = failure.others
    return f"{count} more {'check fails' if count == 1 else 'checks fail'} for this reason."


def print_items(screen: Screen, done: PublicRun) -> None:
    """Print a line for each item; points where all of its tests were run."""
    items = done.items
    partly = {check.item for check in done.left_out}
    width = max((len(one.item.id) for one in items), default=0)
    for one in items:
        style = "yellow"
        if not one.attempted:
            style = "dim"
        elif one.passed == len(one.checks):
            style = "green"
        score = "" if one.item.id in partly else points(one)
        said = state(one)
        if one.item.id in partly and one.attempted:
            said = f"{one.passed} of {len(one.checks)} that were asked for pass"
        screen.line(f"  {one.item.id:{width}}  {score:>10}  {said}", style)
        if done.left_out:
            _print_checks(screen, one)


def _print_checks(screen: Screen, one: ItemState) -> None:
    """Print how each check of an item ended, where only some were asked for."""
    for score in one.checks:
        verdict = score.result.verdict if score.result else Verdict.NOT_ATTEMPTED
        word, style = ENDS.get(verdict, ("fails", "yellow"))
        waits = ""
        if score.result and verdict is Verdict.BLOCKED:
            waits = f" ({_begun_small(reason(score.result))})"
        screen.line(f"    {word:5}  {score.planned.title}{waits}", style, hanging=7)


def _print_failures(screen: Screen, failures: Sequence[Failure], inputs: bool) -> None:
    """Print each failure: the check, the message, and the probable cause."""
    for failure in failures[:SHOWN_FAILURES]:
        screen.line()
        screen.line(f"{failure.check.item}: {failure.check.title}", "bold", hanging=2)
        for line in many_lines(failure.message).splitlines():
            screen.line(f"  {line}", hanging=2)
        if failure.message.startswith(STOPPED):
            screen.line(f"  {DEBUGGER}", "cyan", hanging=2)
        if failure.advice:
            screen.line(f"  Probably: {failure.advice}", "cyan", hanging=2)
        for line in failure.printed.splitlines()[-5:]:
            screen.line(f"  printed: {clean(line)}", "dim", hanging=2)
        if inputs:
            _print_inputs(screen, failure)
        if more(failure):
            screen.line(f"  ({more(failure)})", "dim")
    if len(failures) > SHOWN_FAILURES:
        screen.line()
        screen.line(f"... and {len(failures) - SHOWN_FAILURES} more. Mend these first.")


def _print_inputs(screen: Screen, failure: Failure) -> None:
    """Print what a check did with the code, to be tried by hand."""
    name = failure.check.id.partition("::")[2]
    screen.line(f"  What {name} did:")
    for line in failure.inputs.splitlines() or ["nothing: a module could not be imported"]:
        screen.line(f"    {clean(line, len(line))}", "dim", hanging=4)
