"""Graphs for the tests of `backward`: of additions alone, or of products alone.

A graph is a list of pairs: each pair makes a result of two earlier nodes, where the leaves come
first. In a graph of additions the gradient of a node is the upstream gradient times the number of
paths that lead from the result to it. In a graph of products of ones it is the same number, so a
test of `backward` does not depend on either operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Operand
from autograder.suite import expect

Pairs = Sequence[tuple[int, int]]

# Leaves are 0, 1 and 2; the results follow.
NEAR_AND_FAR = [(0, 1), (3, 3), (3, 3), (4, 5), (3, 3), (7, 7), (8, 8), (9, 2)]
"""a + b is used by two results near the end, and by one that is four steps further away."""

SMALL = {
    "a + a": [(0, 0)],
    "((a + b) + (a + c)) + (a + a)": [(0, 1), (0, 2), (3, 4), (0, 0), (5, 6)],
    "a diamond": [(0, 1), (3, 3), (3, 3), (4, 5), (6, 2)],
    "a node used near and far": [*NEAR_AND_FAR, (6, 10)],
    "a node used far and near": [*NEAR_AND_FAR, (10, 6)],
}
DOUBLED = [(0, 0), *((place, place) for place in range(3, 62))]
"""y = y + y, 60 times: 2 ** 60 paths."""


def paths(leaves: int, pairs: Pairs) -> list[int]:
    """Return how many paths lead from the last node to each node."""
    counts = [0] * (leaves + len(pairs))
    counts[-1] = 1
    for place in range(len(counts) - 1, leaves - 1, -1):
        for operand in pairs[place - leaves]:
            counts[operand] += counts[place]
    return counts


def built(starts: Sequence[Operand], pairs: Pairs, symbol: str) -> list[Operand]:
    """Return the nodes of a graph: the leaves, and a result for each pair of earlier nodes."""
    nodes = list(starts)
    for first, second in pairs:
        nodes.append(joined(symbol, nodes[first], nodes[second]))
    return nodes


def joined(symbol: str, a: Any, b: Any) -> Any:
    """Return a + b or a * b."""
    return a + b if symbol == "+" else a * b


def tangled(rng: np.random.Generator, leaves: int, results: int) -> Pairs:
    """Return a graph in which each result joins two random nodes among the last few."""
    pairs = []
    for nodes in range(leaves, leaves + results):
        first, second = rng.integers(max(0, nodes - 8), nodes, size=2)
        pairs.append((int(first), int(second)))
    return pairs


def by_sums_or_products(check: Callable[[str], None]) -> None:
    """`check(symbol)` passes for graphs of + or for graphs of *."""
    expect.any_of(lambda: check("+"), lambda: check("*"))


def by_sums(check: Callable[[str], None], plain: Callable[[str], None]) -> None:
    """`check("+")` passes; or `check("*")` where additions are wrong in `plain("+")` as well."""

    def otherwise() -> None:
        try:
            plain("+")
        except Fault:
            check("*")
        else:
            check("+")

    expect.any_of(lambda: check("+"), otherwise)
