"""What a person changed, in words: for the student, the class's table and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograder.gradebook.overrides import Scope, signed_points
from autograder.report.graded import Change, GradedReport
from autograder.report.points_words import EXCUSED
from autograder.results.results_json import results_json
from autograder.text.display import one_line
from autograder.text.markdown import inline

BY_A_PERSON = "Changed by a person"
COUNTS_NOT = "it counts neither for nor against you"
MOST_SHOWN = 12


def of_item(changes: Iterable[Change]) -> Iterator[str]:
    """Yield a paragraph of a feedback for each change of an item or of its checks."""
    for change in changes:
        is_check = change.events[0].scope is Scope.CHECK
        what = f"the check *{inline(change.title)}*: " if is_check else ""
        yield f"**{BY_A_PERSON}**: {what}{item_said(change)}. {_why(change)}"


def of_whole(report: GradedReport) -> Iterator[str]:
    """Yield a paragraph of a feedback for each change of a week, a phase and the total."""
    for change in report.changes:
        if change.events[0].scope not in (Scope.ITEM, Scope.CHECK):
            said = f"{change.title[:1].upper()}{change.title[1:]}: {sum_said(report, change)}"
            yield f"**{BY_A_PERSON}**: {said}. {_why(change)}"


def item_said(change: Change) -> str:
    """Return what a person changed an item or a check to."""
    if change.after == EXCUSED:
        return f"{EXCUSED}, {COUNTS_NOT}"
    unit = "" if change.events[0].scope is Scope.CHECK else " points"
    return f"from {change.before} to {change.after}{unit}"


def sum_said(report: GradedReport, change: Change) -> str:
    """Return what a person added to a week, a phase or the total, or took from it."""
    asked = sum(event.amount for event in change.events)
    counts = report.adjustments.get(change.target, asked)
    said = [f"{EXCUSED}, {COUNTS_NOT}"] if change.after.startswith(EXCUSED) else []
    if asked:
        said.append(f"{'+' if asked > 0 else ''}{signed_points(asked)} points")
    if counts != asked:
        said.append(f"{signed_points(counts)} of them, since nobody has fewer than 0 points")
    return ", ".join(said)


def _why(change: Change) -> str:
    return f"Why: {'; '.join(inline(reason) for reason in change.reasons)}"


def cell(report: GradedReport) -> str:
    """Return all changes of a student as a cell: "week1.linear 1.5 -> 4; total +5"."""
    return "; ".join(f"{change.target} {change.words}" for change in report.changes)


def whole_results(report: GradedReport) -> str:
    """Return results.json, which says what a person changed where anybody did."""
    changed: list[dict[str, Any]] = [
        {
            "target": change.target,
            "before": change.before,
            "after": change.after,
            "reasons": list(change.reasons),
        }
        for change in report.changes
    ]
    return results_json(report, {"changed_by_a_person": changed} if changed else None)


def of_class(reports: Sequence[GradedReport]) -> Iterator[str]:
    """Yield the lines of the class's summary; none where nothing was changed."""
    changes = [(report.score.student, change) for report in reports for change in report.changes]
    if not changes:
        return
    students = {student for student, _ in changes}
    yield f"{BY_A_PERSON}: {len(changes)} of {len(students)} students"
    for student, change in changes[:MOST_SHOWN]:
        last = change.events[-1]
        why = "; ".join(one_line(reason, 200) for reason in change.reasons)
        line = f"  {one_line(student)}: {change.target} {change.words} ({why}; {last.author})"
        yield line + (" - for an earlier submission than the present one" * change.is_stale)
    if len(changes) > MOST_SHOWN:
        yield f"  and {len(changes) - MOST_SHOWN} more: autograder override lists them"
