"""The grader examines itself: a week's reference gets everything, its untouched stubs nothing.

A mistake in a hidden test costs every student points, and looks like theirs. So before the first
submission of a week is graded, these two are, as submissions are: with the same limits, confined
in the same way. What is proven holds for a fingerprint of the week: see grading.proven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from autograder.channel.faults import InfraError
from autograder.gradebook.flags import Examined
from autograder.grading.operations import examiner_of, operation
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.gaps import stub_modules
from autograder.reference.misconceptions import catalogue_of

if TYPE_CHECKING:
    from autograder.grading.examiner import Examiner

TRIES = 3
"""How often the reference is graded where nothing but time or a sandbox is missing."""

TOO_BUSY = "This machine may be too busy: try again, with fewer jobs at once (JOBS=1)"

MOST_SHOWN = 5
"""Maximum number of checks that are shown with all that is known; the others are named."""


@operation("text", untouched=True)
def fault_of_week(week: int) -> str:
    """Return why a week may not be graded, in lines for the instructor; "" where it may."""
    return fault_of(examiner_of(week))


def fault_of(examiner: Examiner) -> str:
    """Return what is wrong with an examiner's week, in lines; "" where it may be graded.

    Without a data set nothing is trained, here as with submissions.
    Raises MisconceptionError for an entry of the catalogue that doesn't fit the reference.
    """
    catalogue_of(examiner.root, examiner.course, examiner.week, verify=True)
    checks = {check.id: check for check in examiner.plan}
    trains = not examiner.week.data or examiner.session.context is not None
    for _ in range(TRIES):
        with examiner.session.traced() as traces:
            examined = examiner.examine(examiner.reference, explain=False, training=trains)
        lost = _results(examined, lambda result: result.credit < FULL_CREDIT)
        mistaken = [result for result in lost if not _of_the_machine(result, traces)]
        if mistaken or not lost:
            break
    if mistaken:
        return _said("fail on the reference", mistaken, checks, traces)
    if lost:
        what = f"did not come to an end on the reference, {TRIES} times. {TOO_BUSY}"
        return _said(what, lost, checks, {})
    stubs = stub_modules(examiner.root, examiner.course, examiner.week)
    files = {name: text.encode() for name, text in stubs.items()}
    untouched = examiner.examine(files, explain=False, training=trains)
    given = _results(untouched, lambda result: result.credit > 0)
    return _said("give points to untouched stubs", given, checks, {}) if given else ""


def _of_the_machine(result: CheckResult, traces: Mapping[str, str]) -> bool:
    """Whether time or a sandbox was missing; what a test itself raised has its own traceback."""
    if result.verdict is Verdict.INFRA:
        return InfraError.__name__ in traces.get(result.check, InfraError.__name__)
    return result.verdict is Verdict.TIMEOUT


def _results(examined: Examined, wanted: Callable[[CheckResult], bool]) -> list[CheckResult]:
    return [result for result in examined.results if wanted(result)]


def _said(
    what: str,
    results: list[CheckResult],
    checks: Mapping[str, PlannedCheck],
    traces: Mapping[str, str],
) -> str:
    """Describe the first of these results, and name the others."""
    lines = [f"{len(results)} of {len(checks)} hidden checks {what}:"]
    for result in results[:MOST_SHOWN]:
        lines.append(f"\n{result.check} ({checks[result.check].item}): {result.verdict}")
        lines.append(traces.get(result.check) or result.message)
    others = [result.check for result in results[MOST_SHOWN:]]
    if others:
        lines.append(f"\nand {len(others)} more: {', '.join(others)}")
    return "\n".join(lines)
