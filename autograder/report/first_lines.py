"""The first lines of a feedback: points by component, what to mend first, and what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder.course.points import format_points
from autograder.course.scoring import ComponentScore, ItemScore, StudentScore
from autograder.records import FULL_CREDIT, Verdict
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import points_of
from autograder.text.markdown import inline

MOST_NAMED = 5
"""Maximum number of items that a line names."""

NO_FAULT = (Verdict.PASS, Verdict.NOT_ATTEMPTED, Verdict.BLOCKED, Verdict.INFRA)


def first_lines(score: StudentScore) -> Iterator[str]:
    """Yield the paragraphs of the summary; none where nothing is open yet."""
    parts = [part for part in score.components if part.is_open]
    if not parts:
        return
    yield "\n".join(["| In short | points |", "|---|---|", *_rows(score)])
    items = [item for part in parts for item in part.items]
    lines = [
        *_named("Mend first", filter(to_mend, items), "in this order: the first may cause others"),
        *_named("Not attempted yet", filter(not_begun, items), ""),
        *_named("Waits for other items", filter(waits, items), ""),
        *_named("Nothing handed in", filter(is_missing, items), ""),
        *_pending(items),
    ]
    if lines:
        yield "\n".join(lines)


def _rows(score: StudentScore) -> Iterator[str]:
    """Yield a row for each component that is open, below its phase's where there are several."""
    for phase in score.shown:
        if len(score.shown) > 1:
            yield f"| **{inline(phase.title)}** | **{points_of(phase)}** |"
        for part in phase.components:
            if part.is_open:
                yield f"| {inline(part.title)} | {_points(part)} |"


def to_mend(item: ItemScore) -> bool:
    """Whether a check failed by what the item's own code does."""
    return item.points < item.max_points and any(
        check.result is not None
        and check.result.verdict not in NO_FAULT
        and check.result.credit < FULL_CREDIT
        for check in item.checks
    )


def waits(item: ItemScore) -> bool:
    """Whether checks failed, all of which build on another item."""
    has_all = item.points >= item.max_points
    return not (has_all or to_mend(item)) and Verdict.BLOCKED in _verdicts(item)


def not_begun(item: ItemScore) -> bool:
    """Whether something of the item is not filled in, and nothing of it is wrong."""
    begun = to_mend(item) or waits(item) or item.points >= item.max_points
    return not begun and Verdict.NOT_ATTEMPTED in _verdicts(item)


def is_missing(item: ItemScore) -> bool:
    """Whether there is no document for the item, or nothing of its week."""
    return item.reason == NOTHING_HANDED_IN and not item.pending


def _verdicts(item: ItemScore) -> set[Verdict]:
    return {check.result.verdict for check in item.checks if check.result is not None}


def _points(part: ComponentScore) -> str:
    """Return a component's points, and how many of its items may still get some."""
    points = points_of(part)
    points += ", extra credit" * part.extra
    later = sum(item.max_points - item.points for item in part.items if item.pending)
    return f"{points}; up to {format_points(later)} to come" if later else points


def _named(what: str, items: Iterator[ItemScore], order: str) -> Iterator[str]:
    """Name the items of a kind that have most to gain, in the rubric's order."""
    found = list(items)
    if not found:
        return
    most = sorted(found, key=lambda item: item.points - item.max_points)[:MOST_NAMED]
    names = [
        f"{inline(item.title)} ({format_points(item.max_points - item.points)})"
        for item in found
        if item in most
    ]
    more = len(found) - len(most)
    names += [f"and {more} more below"] if more else []
    hint = f", {order}" if order and len(names) > 1 else ""
    yield f"- **{what}** (points to gain{hint}): {', '.join(names)}."


def _pending(items: Sequence[ItemScore]) -> Iterator[str]:
    """Say how much of the rest is not decided, by its reason."""
    reasons = dict.fromkeys(item.reason for item in items if item.pending)
    for reason in reasons:
        alike = [item for item in items if item.pending and item.reason == reason]
        points = format_points(sum(item.max_points - item.points for item in alike))
        many = "1 item" if len(alike) == 1 else f"{len(alike)} items"
        yield f"- **Pending**: {many} ({points}), {reason}."
