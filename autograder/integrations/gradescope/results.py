"""results.json for Gradescope, complete at any moment of the grading.

Of a hidden test it has what feedback.md has: title, verdict, message and advice, and of no test its
time. All texts are declared plain: Gradescope shows some of them as HTML otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeGuard

from autograder.course import Course
from autograder.course.apportion import apportion
from autograder.course.points import format_points
from autograder.course.scoring import CheckScore, ItemScore, StudentScore
from autograder.records import FULL_CREDIT, Verdict
from autograder.report.gather import VERDICT_WORDS
from autograder.text.display import many_lines, one_line

SCHEMA = "nnf/gradescope/v1"
MAX_OUTPUT_CHARACTERS = 20_000
MAX_NAME_CHARACTERS = 300

BEGUN = (
    "Grading has begun and is not finished. If this stays, the time ran out before it was: then "
    "what has been graded so far counts, and your instructor can run it again."
)
OUR_FAULT = (
    "could not be graded. This is our fault and costs you nothing: the score is not shown until "
    "your instructor has run it again."
)
FAILED_TEST = "The grader failed (this hides the score from the student)"


class Visibility(StrEnum):
    """When students see the tests; any that they can't see hides their score too."""

    VISIBLE = "visible"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class GradingStatus:
    """How far the grading of a submission is.

    `weeks` are the numbers of the weeks graded; `remarks` are for the student.
    """

    weeks: Collection[int]
    running: bool
    confinement: str = ""
    remarks: tuple[str, ...] = ()
    visibility: Visibility = Visibility.VISIBLE


Results = dict[str, Any]


def results_of(course: Course, score: StudentScore, status: GradingStatus) -> Results:
    """Return results.json of a submission: a test for each planned check, in the plan's order.

    The tests of an item add up to its points; the score is their sum after deductions. Items
    without checks, those that a person marks, are left out. A check that failed by our fault hides
    the score.
    """
    items = [item for item in score.items if course.item(item.id).week in status.weeks]
    graded = [item for item in items if item.checks]
    tests = [
        test
        for number, item in enumerate(graded, start=1)
        for test in _tests(item, number, status.visibility)
    ]
    checks = [check for item in graded for check in item.checks]
    failed = sum(bool(c.result and c.result.verdict is Verdict.INFRA) for c in checks)
    output = [BEGUN] if status.running else []
    if failed:
        output.append(f"{_count(failed, 'check')} {OUR_FAULT}")
        tests.append(_hidden(f"{_count(failed, 'check')} could not be graded."))
    output += status.remarks
    others = [item for item in items if not item.checks]
    if others:
        named = ", ".join(f"{item.title} ({format_points(item.max_points)})" for item in others)
        output.append(f"Not in this score, since it is marked separately: {named}.")
    state = "running" if status.running else "failed" if failed else "graded"
    return {
        **_frame(sum(item.final for item in graded), output, state),
        "visibility": str(status.visibility),
        "tests": tests,
        "leaderboard": _leaderboard(checks),
        "extra_data": _extra(state, status.confinement),
    }


def started() -> Results:
    """Return results.json for a submission whose grading begins."""
    return {**_frame(0, [BEGUN], "running"), "tests": []}


def withheld(why: str) -> Results:
    """Return results.json for a submission that can't be graded, by our fault.

    A hidden test with the reason hides the score from the student. It stands in the student's file
    all the same: it names nothing of the course's own.
    """
    output = [f"Your submission {OUR_FAULT}"]
    return {**_frame(0, output, "failed"), "tests": [_hidden(why)]}


def refused(why: str) -> Results:
    """Return results.json for a refused submission: no points, and the reason."""
    output = f"Your submission was not taken: {why}"
    return {**_frame(0, [output], "refused"), "tests": []}


def repeated(previous: Mapping[str, Any], score: float, reason: str, since: str) -> Results:
    """Return an earlier submission's results for one that isn't graded, with the reason.

    `since` identifies the earlier submission. Only valid fields of its results are copied.
    """
    tests = [_repeated(test) for test in _objects(previous.get("tests"))]
    visibility = previous.get("visibility")
    return {
        **_frame(0, [reason], "limited"),
        "score": score,
        "visibility": visibility if visibility in list(Visibility) else Visibility.VISIBLE.value,
        "tests": tests,
        "leaderboard": [
            {"name": str(entry["name"]), "value": entry["value"]}
            for entry in _objects(previous.get("leaderboard"))
            if "name" in entry and is_number(entry.get("value"))
        ],
        "extra_data": {**_extra("limited", ""), "results_of": since},
    }


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value from a JSON file is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def as_json(results: Results) -> bytes:
    """Return results as JSON in ASCII."""
    return (json.dumps(results, indent=1, allow_nan=False) + "\n").encode()


def _frame(points: int, output: Sequence[str], state: str) -> Results:
    return {
        "score": points / 100,
        "output": many_lines("\n\n".join(output), MAX_OUTPUT_CHARACTERS),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": _extra(state, ""),
    }


def _extra(state: str, confinement: str) -> dict[str, Any]:
    return {"schema": SCHEMA, "state": state, "confinement": confinement}


def _tests(item: ItemScore, number: int, visibility: Visibility) -> list[Results]:
    shares = apportion_points(item.points, item.max_points, item.checks)
    tests = []
    checks = zip(item.checks, shares, strict=True)
    for position, (check, (points, max_points)) in enumerate(checks, start=1):
        passed = check.result is not None and check.result.credit == FULL_CREDIT
        tests.append(
            {
                "score": points / 100,
                "max_score": max_points / 100,
                "status": "passed" if passed else "failed",
                "name": one_line(f"{item.title}: {check.planned.title}", MAX_NAME_CHARACTERS),
                "name_format": "text",
                "number": f"{number}.{position}",
                "output": _output(check),
                "output_format": "text",
                "tags": [item.id],
                "visibility": str(visibility),
            }
        )
    return tests


def _output(check: CheckScore) -> str:
    result = check.result
    words = VERDICT_WORDS[result.verdict if result else None]
    parts = [f"{words[0].upper()}{words[1:]}."]
    if result and result.message and result.verdict is not Verdict.INFRA:
        parts.append(result.message)
    if result and result.advice:
        parts.append(f"What probably happened: {result.advice}")
    return many_lines("\n\n".join(parts), MAX_OUTPUT_CHARACTERS)


def _hidden(why: str) -> Results:
    return {
        "status": "failed",
        "name": FAILED_TEST,
        "name_format": "text",
        "output": many_lines(why, MAX_OUTPUT_CHARACTERS),
        "output_format": "text",
        "visibility": Visibility.HIDDEN.value,
    }


def _repeated(test: Mapping[str, Any]) -> Results:
    """Return a test of earlier results, with only those of its fields that are valid."""
    texts = ("name", "number", "output", "visibility", "status")
    kept = {key: test[key] for key in texts if isinstance(test.get(key), str)}
    kept |= {key: test[key] for key in ("score", "max_score") if is_number(test.get(key))}
    tags = test.get("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        kept["tags"] = tags
    if kept.get("visibility") not in (None, *Visibility):
        del kept["visibility"]
    if kept.get("status") not in (None, "passed", "failed"):
        del kept["status"]
    return {**kept, "name_format": "text", "output_format": "text"}


def _leaderboard(checks: Sequence[CheckScore]) -> list[Results]:
    """Return the accuracies as far as points go by them, which may be shown as a leaderboard."""
    entries: list[Results] = []
    for check in checks:
        shown = check.result.detail.get("shown") if check.result else None
        if is_number(shown):
            name = "Accuracy" if not entries else f"Accuracy {len(entries) + 1}"
            entries.append({"name": name, "value": round(float(shown), 2), "order": "desc"})
    return entries


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def apportion_points(
    points: int, max_points: int, checks: Sequence[CheckScore]
) -> list[tuple[int, int]]:
    """Return the points and maximum points of each check of an item, in hundredths.

    They add up to the item's `points` and `max_points`. A check that passed has all its points, one
    that earned nothing has none. So a check's maximum may differ by a hundredth between
    submissions: which checks are rounded up depends on which checks pass.
    """
    weights = sum(check.planned.weight for check in checks)
    if not weights:
        return [(0, 0) for _ in checks]
    max_shares = [Fraction(max_points * check.planned.weight, weights) for check in checks]
    credits = [check.result.credit if check.result else 0 for check in checks]
    shares = [
        share * credit / FULL_CREDIT for share, credit in zip(max_shares, credits, strict=True)
    ]
    zeros = [0] * len(checks)
    scores = apportion(points, shares, zeros, [math.ceil(share) for share in shares])
    upper = [
        score if credit == FULL_CREDIT else max_points
        for score, credit in zip(scores, credits, strict=True)
    ]
    max_scores = apportion(max_points, max_shares, scores, upper)
    return list(zip(scores, max_scores, strict=True))
