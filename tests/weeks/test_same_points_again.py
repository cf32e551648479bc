"""The same submission of week 2 gets the same points in every grading, whatever the order of a set.

Python orders a set of a graph's nodes by their places in memory, which differ from run to run. The
engines here are wrong for one order of a set and right for another, or depend on it otherwise.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.grading.examiner import Examiner
from autograder.reference.misconceptions import Misconception, apply
from autograder.suite.hidden.local_host import LocalHost

ROOT = Path(__file__).resolve().parents[2]
WEEK = courses.load(ROOT).week_called("2")
GRADINGS = 5
ITEMS = ("week2.value_backward", "week2.tensor_backward", "week2.draw_graph")

FAULTS = {
    "goes on to one operand alone": (
        "(operand, False) for operand in node._prev)",
        "(operand, False) for operand in list(node._prev)[:1])",
    ),
    "leaves out an operand of the whole graph's end": (
        "for operand in node._prev)",
        "for operand in (node._prev if order else [*node._prev][:1]))",
    ),
}


def with_fault(files: dict[str, bytes], replace: str, by: str) -> dict[str, bytes]:
    """Return the reference with a fault in its topological order."""
    fault = Misconception(
        id="order",
        module="autograd",
        where="topological_order",
        replace=replace,
        by=by,
        fails=["week2.value_backward"],
        says="-",
    )
    return apply(fault, files)


class Node:
    """An object as large as a Value, to take its place in memory."""

    def __init__(self) -> None:
        self.data = self.grad = self._backward = self._prev = self._op = None


def holes(number: int) -> list[Node]:
    """Return objects with gaps between them, where the next ones will lie in some other order."""
    drawn, nodes = random.Random(number), [Node() for _ in range(4000)]
    drawn.shuffle(nodes)
    return nodes[:2000]


@pytest.fixture(scope="module")
def examiner(confinement):
    made = Examiner(ROOT, WEEK.number, confinement, None)
    yield made
    made.close()


@pytest.mark.prove
@pytest.mark.parametrize("fault", FAULTS)
def test_five_gradings_fail_the_same_checks(examiner, fault) -> None:
    checks = {one.id for one in examiner.session.plan if one.item in ITEMS}
    files = with_fault(examiner.reference, *FAULTS[fault])
    gradings, elsewhere = [], []
    for number in range(GRADINGS):
        elsewhere.append(holes(number))
        outcomes = examiner.session.run(LocalHost(files), only=checks)
        gradings.append([(one.result.check, one.result.credit) for one in outcomes])
    assert 0 in {credit for _, credit in gradings[0]}
    assert gradings == [gradings[0]] * GRADINGS
