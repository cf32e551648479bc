"""A node of a graph that no engine made, and the two ends of a `with` block."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np


class GraphNode:
    """A node of a computational graph that no engine made.

    Its hash comes from its numbers, not from its place in memory: the order of a set of nodes is
    the same in every run.
    """

    def __init__(
        self,
        data: float | np.ndarray,
        grad: float | np.ndarray | None = None,
        op: str = "",
        operands: Sequence[GraphNode] = (),
    ) -> None:
        self.data, self.grad, self._op, self._prev = data, grad, op, set(operands)

    def __hash__(self) -> int:
        return hash(float(np.sum(self.data)))


# Context managers can't cross a channel, but their two ends can be called.


def enter(manager: AbstractContextManager) -> object:
    """Begin a `with` block; return what `as` would give."""
    return type(manager).__enter__(manager)


def leave(manager: AbstractContextManager, failed: bool = False) -> bool:
    """End a `with` block, in order or by an exception; tell whether the block swallows it."""
    error = ValueError("raised inside the block") if failed else None
    return bool(type(manager).__exit__(manager, type(error) if error else None, error, None))


PROBES: dict[str, object] = {"graph_node": GraphNode, "enter": enter, "leave": leave}
