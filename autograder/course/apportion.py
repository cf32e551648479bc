"""Apportionment: whole numbers that add up to a total, as near as possible to exact shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from autograder.records import FULL_CREDIT

if TYPE_CHECKING:
    from autograder.course.scoring import CheckScore


def apportion(
    total: int, shares: Sequence[Fraction], lower: Sequence[int], upper: Sequence[int]
) -> list[int]:
    """Return whole numbers that add up to `total`, near the exact shares and within the bounds.

    Each share is rounded down first; the remainder goes to those that lost most by it, among equals
    to the first. Raises ValueError where no numbers within the bounds add up to `total`.
    """
    if not sum(lower) <= total <= sum(upper):
        raise ValueError(f"{total} can't be shared out within these bounds")
    numbers = [
        min(max(int(share), low), high)
        for share, low, high in zip(shares, lower, upper, strict=True)
    ]
    indices = range(len(numbers))
    while sum(numbers) < total:
        free = [i for i in indices if numbers[i] < upper[i]]
        numbers[max(free, key=lambda i: (shares[i] - numbers[i], -i))] += 1
    while sum(numbers) > total:
        free = [i for i in indices if numbers[i] > lower[i]]
        numbers[min(free, key=lambda i: (shares[i] - numbers[i], i))] -= 1
    return numbers


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
