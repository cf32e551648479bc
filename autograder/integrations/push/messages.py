"""Messages to a pusher's terminal, as plain lines of limited width."""

from __future__ import annotations

import textwrap
from collections import Counter
from datetime import date, datetime, time, timedelta, tzinfo

from autograder.course.points import format_points
from autograder.records import Verdict
from autograder.report.lateness_words import in_words
from autograder.report.points_words import pending_points, points_in_words, points_of
from autograder.results.student import StudentReport
from autograder.text.display import many_lines, one_line

WIDTH = 72
"""git writes "remote: " before every line: together they fit into 80 columns."""

MAX_LINES = 400
MAX_ADVICE = 3


def fit(text: str) -> list[str]:
    """Return text as lines of at most WIDTH characters, with nothing invisible in them.

    Continuation lines are indented a little more than the first.
    """
    lines: list[str] = []
    for line in many_lines(text).splitlines():
        indent = " " * min(len(line) - len(line.lstrip()), 12)
        wrapped = textwrap.wrap(
            line.rstrip(),
            WIDTH,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        lines += wrapped or [""]
    return lines[:MAX_LINES]


def greeting(title: str, short: str, branch: str, received: datetime, zone: tzinfo) -> str:
    """Return the message on a push that has arrived."""
    name = one_line(branch.removeprefix("refs/heads/"), 40)
    return f"{title}: {short} on {name}, received {received.astimezone(zone):%H:%M:%S %Z}"


def superseded(newer: str) -> str:
    """Return the message on a push that a newer one replaces."""
    return f"Superseded by your newer push {newer}: this one is not graded."


def waiting(before: int) -> str:
    """Return the message on a queued push; `before` is the number of gradings before it."""
    first = "yours is next" if not before else f"{before} more before yours"
    return f"Hidden tests: queued, {first}. You need not wait: it goes on without you."


def held(limit: int, day: date, zone: tzinfo) -> str:
    """Return the message on a push over the day's limit, with the time of the next grading."""
    after = datetime.combine(day + timedelta(days=1), time(), zone)
    many = "grading" if limit == 1 else f"{limit} gradings"
    return (
        f"You have had the {many} with hidden tests of {day}. This push is kept: it counts as "
        f"handed in now, and is graded from {after:%Y-%m-%d %H:%M %Z} on, or a newer one in its "
        "place."
    )


def left_over(limit: int, used: int) -> str:
    """Return the number of gradings left, "" without a limit."""
    return f"Gradings left today: {max(0, limit - used)} of {limit}." if limit else ""


def failed(problem: str = "", *, counts: bool = False) -> str:
    """Return the message on a failure of the grader, for a push that counts as a grading or not."""
    reason = f" ({one_line(problem)})" if problem else ""
    until = "It counts as a grading of this day until your instructor releases it. "
    return (
        f"Hidden tests: the grader failed{reason}. It costs you no points, and your push is kept. "
        f"{until * counts}Tell your instructor."
    )


def where(branch: str) -> str:
    """Return the command that shows the feedback."""
    return f"All of the feedback: git fetch && git show origin/{branch}:feedback.md"


def summary(report: StudentReport, weeks: list[str]) -> str:
    """Return the score by components, the pending points, and the most frequent advice."""
    lines = [f"Hidden tests: graded {' and '.join(weeks)}."]
    score = report.score
    parts = [part for part in score.components if part.is_open]
    width = max((len(part.title) for part in parts), default=0)
    for phase in score.shown:
        for part in filter(parts.__contains__, phase.components):
            points = f"{format_points(part.points)} / {format_points(part.max_points)}"
            later = "  (more to come)" if part.pending else ""
            lines.append(f"  {one_line(part.title):{width}}  {points:>13}{later}")
        if len(score.shown) > 1:
            lines.append(f"{one_line(phase.title)}: {points_of(phase)}")
    more = format_points(pending_points(score))
    later = f"  (up to {more} more to come)" if score.pending else ""
    lines.append(f"Together: {points_in_words(score)}{later}")
    for week in report.late:
        lines.append(f"{week.week} was handed in {in_words(week.late)} late.")
    if report.late:
        lines.append(f"With that, {format_points(score.final)} points count.")
    return "\n".join([*lines, *_advice(report)])


def _advice(report: StudentReport) -> list[str]:
    """Return the advice that explains most failed checks."""
    results = [check.result for item in report.score.items for check in item.checks]
    count = Counter(
        result.advice
        for result in results
        if result and result.advice and result.verdict is not Verdict.PASS
    )
    ranked = sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))[:MAX_ADVICE]
    if not ranked:
        return []
    lines = ["What probably happened:"]
    for text, checks in ranked:
        number = "1 check" if checks == 1 else f"{checks} checks"
        lines.append(f"  {number}: {one_line(text, 500)}")
    return lines
