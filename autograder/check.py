"""`autograder check`: the public suite on the student's own files, as feedback in a terminal.

The student's code runs in a process of its own without a sandbox: it is the student's machine.
Time, memory and output are limited all the same, so an endless loop is an answer and not a wait.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from autograder import course as courses
from autograder.channel.text import clean
from autograder.course import Course, CourseError, Item, Week
from autograder.display import many_lines
from autograder.notebooks.functions import handed_in
from autograder.points import format_points
from autograder.records import FULL_CREDIT, PlannedCheck, Verdict
from autograder.sandbox import Limits, Unconfined
from autograder.signature import explain_by_entries
from autograder.suite.hosts import SandboxHost
from autograder.suite.session import Outcome, SuiteError, SuiteSession

KNOWN_ERRORS = (CourseError, SuiteError)
SHOWN_FAILURES = 8


def run(root: Path, number: int) -> None:
    """Check the files in the week's folder and print what works, what doesn't, and why."""
    console = Console(highlight=False, soft_wrap=True)
    course = courses.load(root)
    week = course.week(number)
    folder = root / "assignments" / week.folder
    files = {
        name: (folder / name).read_bytes() for name in week.sources if (folder / name).is_file()
    }
    for notebook in week.notebooks:
        if (folder / notebook.file).is_file():
            taken = handed_in((folder / notebook.file).read_bytes(), notebook)
            files[notebook.module] = taken.source.encode()
            for notice in taken.notices:
                console.print(notice, style="yellow", markup=False)
    session = SuiteSession(folder / "tests", salt="")
    confinement = Unconfined()
    limits = Limits(**week.limits.model_dump())
    host = _Host(confinement, files, limits, week.modules, week.packages)
    prints: dict[str, str] = {}
    try:
        outcomes = session.run(host, report=lambda one: prints.update(host.last(one)))
    finally:
        host.close()
        confinement.close()
        session.close()
    catalogue = _catalogue(root, course, week, folder)
    _print_items(console, course, week, session.plan, outcomes)
    _print_failures(console, _failures(session.plan, outcomes, prints, catalogue["wrong_answers"]))
    _print_rest(console, course, week, session.plan, catalogue["hidden_tests"])


class _Host(SandboxHost):
    """Keeps what the student's code printed in the last test: it helps to find a mistake."""

    _printed = ""

    def finish(self, fault: Any) -> None:
        if self._sandbox is not None:
            self._sandbox.drain_all()
        self._printed = self.printed()
        super().finish(fault)

    def last(self, outcome: Outcome) -> dict[str, str]:
        """Return what was printed in the test just finished, by the check's id; nothing twice."""
        printed, self._printed = self._printed, ""
        return {outcome.result.check: printed}


def _catalogue(root: Path, course: Course, week: Week, folder: Path) -> dict[str, Any]:
    """Return the wrong answers that have an explanation: shipped, or made from the solutions."""
    shipped = folder / "tests" / "diagnosis.json"
    if shipped.is_file():
        return json.loads(shipped.read_text("utf-8"))
    from autograder.diagnosis import public_catalogue

    return public_catalogue(root, course, week)


def _print_items(
    console: Console,
    course: Course,
    week: Week,
    plan: list[PlannedCheck],
    outcomes: list[Outcome],
) -> None:
    """Print one line for each item that the public suite looks at: points so far, and how many."""
    results = {outcome.result.check: outcome.result for outcome in outcomes}
    checks: dict[str, list[PlannedCheck]] = defaultdict(list)
    for check in plan:
        checks[check.item].append(check)
    items = {item.id: item for item in course.items(week.number)}
    heading = f"Week {week.number}: {week.title}" if week.name.startswith("week") else week.title
    console.print(heading, style="bold", markup=False)
    width = max(len(item) for item in checks)
    for name in (name for name in items if name in checks):
        mine = checks[name]
        verdicts = [results[check.id].verdict for check in mine]
        passed = verdicts.count(Verdict.PASS)
        if set(verdicts) <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}:
            state, style = "not attempted", "dim"
        elif passed == len(mine):
            state, style = "all public tests pass", "green"
        else:
            state, style = f"{passed} of {len(mine)} public tests pass", "yellow"
        points = _points(items[name], mine, results)
        console.print(f"  {name:{width}}  {points:>10}  {state}", style=style, markup=False)


def _points(item: Item, checks: list[PlannedCheck], results: Mapping[str, Any]) -> str:
    """Return "points so far / points" of an item, by the public tests alone."""
    weights = sum(check.weight for check in checks)
    earned = sum(check.weight * results[check.id].credit for check in checks)
    so_far = item.points * earned // (FULL_CREDIT * weights)
    return f"{format_points(so_far)} / {format_points(item.points)}"


@dataclass
class _Failure:
    """Checks that fail for one reason: shown once, with the first one's message."""

    check: PlannedCheck
    message: str
    advice: str | None
    printed: str
    others: int = 0


def _failures(
    plan: list[PlannedCheck],
    outcomes: list[Outcome],
    prints: Mapping[str, str],
    known: Mapping[str, list[dict[str, Any]]],
) -> list[_Failure]:
    """Gather the failures by what explains them: a misconception, or the message itself."""
    quiet = (Verdict.PASS, Verdict.NOT_ATTEMPTED, Verdict.BLOCKED)
    reasons: dict[str, _Failure] = {}
    for check, outcome in zip(plan, outcomes, strict=True):
        if outcome.result.verdict in quiet:
            continue
        entries = known.get(check.id, [])
        found = explain_by_entries(entries, outcome.fault) if outcome.fault else None
        message = outcome.result.message
        reason = found[0] if found else message
        if reason in reasons:
            reasons[reason].others += 1
        else:
            printed = prints.get(check.id, "")
            reasons[reason] = _Failure(check, message, found[1] if found else None, printed)
    return list(reasons.values())


def _print_failures(console: Console, failures: list[_Failure]) -> None:
    """Print each failure: what was checked, what came out, what it probably is."""
    for failure in failures[:SHOWN_FAILURES]:
        title = f"{failure.check.item}: {failure.check.title}"
        console.print(f"\n{title}", style="bold", markup=False)
        for line in many_lines(failure.message).splitlines():
            console.print(f"  {line}", markup=False)
        if failure.advice:
            console.print(f"  Probably: {failure.advice}", style="cyan", markup=False)
        for line in failure.printed.splitlines()[-5:]:
            console.print(f"  printed: {clean(line)}", style="dim", markup=False)
        if failure.others:
            more = (
                "1 more check fails"
                if failure.others == 1
                else f"{failure.others} more checks fail"
            )
            console.print(f"  ({more} for this reason.)", style="dim")
    if len(failures) > SHOWN_FAILURES:
        console.print(f"\n... and {len(failures) - SHOWN_FAILURES} more. Mend these first.")


def _print_rest(
    console: Console, course: Course, week: Week, plan: list[PlannedCheck], hidden_tests: int
) -> None:
    """Say what was not looked at, so that nobody takes the public tests for the grade."""
    looked_at = {check.item for check in plan}
    rest = [
        item.id
        for item in course.items(week.number)
        if item.id not in looked_at and item.kind == "auto"
    ]
    hidden = f"{hidden_tests} hidden tests were not run"
    if rest:
        hidden += f"; not looked at here: {', '.join(rest)}"
    console.print(f"\n{hidden}.", markup=False)
