"""Apportionment: whole numbers that add up to a total, as near as possible to exact shares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


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
