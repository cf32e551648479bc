"""The comparison of a week's plan with its rubric: every check needs an item, and vice versa."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from autograder.course import RUBRIC_FILE, Course, Week
from autograder.errors import AuthorError
from autograder.records import PlannedCheck


class PlanError(AuthorError):
    """The rubric's items and the suite's checks don't match; names both and the remedy."""


def check_plan(
    course: Course,
    week: Week,
    plan: Collection[PlannedCheck],
    watches: Collection[PlannedCheck] = (),
    needs: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Raise PlanError where a check counts in no automatic item, or such an item has no check.

    `watches` are tests that only raise flags; `needs` has the items that a test stands on, by its
    id. Points of an item without a check would be waited for for ever, and results of a check
    without an item would be lost.
    """
    items = {item.id: item for item in course.items(week.number)}
    automatic = {id for id, item in items.items() if item.kind == "auto"}
    faults = [_lost(week, check, items, automatic) for check in plan if check.item not in automatic]
    named = [(check.id, check.item) for check in watches]
    named += [(check, item) for check, names in (needs or {}).items() for item in names]
    faults += [_unknown(week, check, item, items) for check, item in named if item not in items]
    for item in sorted(automatic - {check.item for check in plan}):
        remedy = (
            f'Write one with @pytest.mark.item("{item}") in {_suite(week)}, or correct the item'
        )
        faults.append(f"{RUBRIC_FILE}: {item} has no test. {remedy}.")
    if faults:
        raise PlanError("\n".join(dict.fromkeys(faults)))


def _lost(
    week: Week, check: PlannedCheck, items: Mapping[str, object], automatic: Collection[str]
) -> str:
    if check.item not in items:
        return _unknown(week, check.id, check.item, automatic)
    problem = f"its item {check.item} is not graded by tests"
    remedy = f'Correct the marker, or give the item the kind "auto" in {RUBRIC_FILE}'
    return f"{_place(week, check.id)}: {problem}. {remedy}."


def _unknown(week: Week, check: str, item: str, known: Iterable[str]) -> str:
    close = get_close_matches(item, list(known), n=1)
    guess = f"Is it {close[0]}? " if close else ""
    problem = f"{RUBRIC_FILE} has no item {item!r} in {week.name}"
    return f"{_place(week, check)}: {problem}. {guess}Correct the marker, or add the item."


def _place(week: Week, check: str) -> str:
    """Return the file and the test of a check of the suite; other checks have their ids alone."""
    file, _, test = check.partition("::")
    return f"{_suite(week)}/{file}.py: {test}" if file.startswith("test_") else check


def _suite(week: Week) -> str:
    return f"assignments/{week.folder}/hidden"
