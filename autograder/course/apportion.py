"""Whole numbers that add up: a total, shared out as near to exact shares as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from autograder.records import FULL_CREDIT

if TYPE_CHECKING:
    from autograder.course.scoring import CheckScore


def share_out(
    total: int, exact: Sequence[Fraction], least: Sequence[int], most: Sequence[int]
) -> list[int]:
    """Return whole numbers that add up to `total`, near the exact shares and within the bounds.

    Each is rounded down first; what is missing goes to those that lost most by it, of equals to
    the first. Raises ValueError where no numbers within the bounds add up to `total`.
    """
    if not sum(least) <= total <= sum(most):
        raise ValueError(f"{total} can't be shared out within these bounds")
    given = [
        min(max(int(share), low), high) for share, low, high in zip(exact, least, most, strict=True)
    ]
    places = range(len(given))
    while sum(given) < total:
        free = [place for place in places if given[place] < most[place]]
        given[max(free, key=lambda place: (exact[place] - given[place], -place))] += 1
    while sum(given) > total:
        free = [place for place in places if given[place] > least[place]]
        given[min(free, key=lambda place: (exact[place] - given[place], place))] -= 1
    return given


def share_points(points: int, max_points: int, checks: Sequence[CheckScore]) -> list[list[int]]:
    """Return [points, most points] of each check of an item, in hundredths.

    They add up to the item's `points` and `max_points`. A check that passed has all its points, one
    that earned nothing has none. So a check's most may differ by a hundredth from one submission to
    the next: whose points are rounded up follows from which checks pass.
    """
    weights = sum(check.planned.weight for check in checks)
    if not weights:
        return [[0, 0] for _ in checks]
    worth = [Fraction(max_points * check.planned.weight, weights) for check in checks]
    credits = [check.result.credit if check.result else 0 for check in checks]
    earned = [part * credit / FULL_CREDIT for part, credit in zip(worth, credits, strict=True)]
    nothing = [0] * len(checks)
    scores = share_out(points, earned, nothing, [-(-part // 1) for part in earned])
    ends = [
        score if credit == FULL_CREDIT else max_points
        for score, credit in zip(scores, credits, strict=True)
    ]
    mosts = share_out(max_points, worth, scores, ends)
    return [list(pair) for pair in zip(scores, mosts, strict=True)]
