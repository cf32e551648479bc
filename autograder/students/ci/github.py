"""GitHub Actions: annotations as workflow commands, and the summary of a step as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder.records import Verdict
from autograder.results.student import VERDICT_WORDS
from autograder.students.check import heading, more, points, state
from autograder.students.ci.outcome import CiOutcome, Remark, WeekOutcome
from autograder.students.public_run import Failure
from autograder.text.display import many_lines, one_line
from autograder.text.markdown import block, code, inline

MOST_ANNOTATIONS = 10
"""Maximum number of annotations per level that GitHub shows for one step."""
LONGEST_MESSAGE = 2_000
MOST_FAILURES = 20
LONGEST_FAILURE = 4_000
"""These limits keep the summary far below GitHub's limit of 1 MB (lengths in characters)."""


def workflow_commands(remarks: Sequence[Remark]) -> list[str]:
    """Return the workflow commands for these remarks, each one line."""
    chosen: list[Remark] = []
    for level in dict.fromkeys(remark.level for remark in remarks):
        chosen += [one for one in remarks if one.level == level][:MOST_ANNOTATIONS]
    return [_command(one) for one in chosen]


def _command(remark: Remark) -> str:
    properties = {"title": one_line(remark.title)}
    if remark.place:
        properties = {"file": remark.place.path, "line": str(remark.place.line), **properties}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{remark.level} {listed}::{_data(many_lines(remark.message, LONGEST_MESSAGE))}"


def _data(text: str) -> str:
    """Escape the message of a command: percent signs and line breaks."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a command: as in messages, and colons and commas."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(found: CiOutcome) -> str:
    """Return the summary: a table for each week, what fails and why, and what was not run."""
    parts = [f"# Public tests\n\n**{inline(found.summary())}**"]
    if found.our_fault:
        parts.append("Some tests could not be run, which is our fault. They count nowhere.")
    for week in found.weeks:
        parts += _week(week)
    if found.not_begun:
        parts.append(f"Not begun: {inline(', '.join(found.not_begun))}.")
    return "\n\n".join(parts) + "\n"


def _week(week: WeekOutcome) -> Iterator[str]:
    run = week.run
    yield f"## {inline(heading(run))}"
    if run.files.notices:
        yield block("\n".join(run.files.notices))
    rows = ["| task | points so far | public tests |", "|:---|---:|:---|"]
    for one in run.items:
        extra = " (extra credit)" if one.extra else ""
        rows.append(f"| {cell(code(one.item.id))}{extra} | {points(one)} | {state(one)} |")
    yield "\n".join(rows)
    yield f"**{inline(run.hidden)}**"
    failures = run.failures
    if failures:
        yield "### What fails"
    for failure in failures[:MOST_FAILURES]:
        yield from _failure(week, failure)
    if len(failures) > MOST_FAILURES:
        yield f"... and {len(failures) - MOST_FAILURES} more."


def _failure(week: WeekOutcome, failure: Failure) -> Iterator[str]:
    verdict = failure.outcome.result.verdict
    place = week.places.of_failure(failure)
    where = f", {code(f'{place.path}:{place.line}')}" if place else ""
    title = f"**{inline(failure.check.title)}** ({code(failure.check.item)}{where})"
    yield f"{title}: {VERDICT_WORDS[verdict]}"
    if verdict is not Verdict.INFRA and failure.message:
        yield block(failure.message[:LONGEST_FAILURE])
    if failure.advice:
        yield f"> Probably: {inline(failure.advice)}"
    if more(failure):
        yield more(failure)


def cell(text: str) -> str:
    """Return Markdown for a table's cell, bars escaped: they end a cell even in code."""
    return text.replace("|", "\\|")
