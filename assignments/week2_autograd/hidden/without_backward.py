"""Operations without the engine's `backward`, where that is at fault.

Students' trees hold suite_tools, but not this: the order in which nodes are gone through here is
what `backward` asks for. The functions are those of suite_tools.engine, with this as the last way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.channel.handles import Handle, Operand
from autograder.suite import expect
from autograder.suite.student import Student

from ..suite_tools import engine
from ..suite_tools.engine import End, Feed, Function

MOST_NODES = 100
"""Nodes of a graph that is gone through from here."""


def swept(student: Student, upstream: Any) -> End:
    """Return an end without the engine's `backward`: each node's `_backward` is called from here.

    The order, results before their operands, is found here, from what the nodes keep in `_prev`.
    """

    def end(result: Operand) -> None:
        order: list[Handle] = []
        seen: set[int] = set()

        def visit(node: Handle) -> None:
            found = student.drive("operands", node)
            for number, operand in found:
                if number not in seen:
                    seen.add(number)
                    expect.that("_prev", len(seen) <= MOST_NODES, "there are too many operands.")
                    visit(operand)
            order.extend([node] if found else [])

        result.grad = upstream
        visit(result)
        for node in reversed(order):
            node._backward()

    return end


def by_backward_or_swept(student: Student, way: Callable[[End], Any]) -> None:
    """Call `way(end)` for a single number: with the engine's `backward`, or without."""
    expect.any_of(
        lambda: way(lambda result: result.backward()), lambda: way(swept(student, 1.0))
    )  # fmt: skip


check_values = partial(engine.check_values, last=swept)
"""Compares a scalar operation's value and gradients."""


def check_tensors(
    student: Student,
    label: str,
    f: Function,
    arrays: Sequence[Any],
    upstream: Any,
    apply: Function | None = None,
    alone: bool = True,
) -> None:
    """Compare an array operation's value and gradients. `upstream` has the shape of the result.

    `alone`: at last without the engine's `backward`. Not for additions alone, which are
    given: who has written nothing would pass.
    """
    engine.check_tensors(student, label, f, arrays, upstream, apply, swept if alone else None)


def by_any_end(
    student: Student, upstream: Any, way: Callable[[End, np.ndarray], None], alone: bool = False
) -> None:
    """Call `way(end, upstream gradient)` with each end; `alone`: at last without `backward`."""
    engine.by_any_end(student, upstream, way, swept if alone else None)


def by_fed_ends(
    student: Student,
    upstream: Any,
    way: Callable[[Feed, End, np.ndarray], None],
    plain: bool = True,
    alone: bool = True,
) -> None:
    """Call `way(feed, end, upstream gradient)` with each end, on operands that are fed."""
    engine.by_fed_ends(student, upstream, way, plain, swept if alone else None)
