"""Graphs of many nodes, and what can be said of them, by name.

A driver runs beside the student's code, so what it returns is the student's claim.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from typing import Any

OPERATORS = {"+": operator.add, "*": operator.mul}


def chain(x: Any, length: int, symbol: str) -> Any:
    """Return ((x + x) + x) + ... with `length` additions: a deep graph in which x is shared."""
    result = x
    for _ in range(length):
        result = OPERATORS[symbol](result, x)
    return result


FEW = 10_000
"""Nodes that are numbered; in graphs of more, no order of a set decides anything."""


class Numbered:
    """The hash of a class's objects: their number, in the order in which they are asked for it.

    By itself Python's is the place in memory, so that a set of operands had another order in every
    run. What goes wrong in one order only has to go wrong each time.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, Any]] = {}

    def __call__(self, node: Any) -> int:
        if id(node) not in self._known and len(self._known) == FEW:
            return object.__hash__(node)
        number, _ = self._known.setdefault(id(node), (len(self._known), node))
        return number

    @classmethod
    def give(cls, kind: Any) -> None:
        """Give it to a class whose objects are told apart by identity, once."""
        if getattr(kind, "__hash__", None) is object.__hash__:
            with contextlib.suppress(AttributeError, TypeError):
                number = cls()
                kind.__hash__ = lambda node: number(node)


def operands(node: Any) -> list[list[Any]]:
    """Return the operands that a node keeps, each with a number that stands for it."""
    return [[id(operand), operand] for operand in node._prev]


def fed(make: Any, starts: list[Any], data: list[Any], factors: list[float], more: Any) -> Any:
    """Return leaves, and a node made of each that passes its gradient on times a factor.

    A node's data has nothing to do with its leaf's: only `_backward` knows what lies between them.
    `more` are arguments that `make` takes between the numbers and the operands.
    """
    Numbered.give(make)
    leaves = [make(start, *more) for start in starts]
    nodes = [make(one, *more, (leaf,)) for one, leaf in zip(data, leaves, strict=True)]
    for leaf, node, factor in zip(leaves, nodes, factors, strict=True):

        def push(leaf: Any = leaf, node: Any = node, factor: float = factor) -> None:
            share = factor * node.grad
            leaf.grad = share if leaf.grad is None else leaf.grad + share

        node._backward = push
    return leaves, nodes


def in_place(x: Any, y: Any) -> Any:
    """Return the result of `x += y` and then `x *= y`."""
    x += y
    x *= y
    return x


def remembered(result: Any, candidates: list[Any]) -> dict[str, Any]:
    """Return what a value says of where it comes from; which of the candidates are in `_prev`."""
    operands = list(result._prev)
    found = [
        place for place, one in enumerate(candidates) if any(one is other for other in operands)
    ]
    strangers = [one for one in operands if not any(one is other for other in candidates)]
    return {
        "operation": result._op,
        "operands": found,
        "others": len(strangers),
        "text": repr(result),
    }


def scale_gradient(tensor: Any, factor: float) -> None:
    """Multiply `tensor.grad` in place, as gradient clipping does."""
    gradient = tensor.grad
    gradient *= factor


DRIVERS: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "fed": fed,
    "in_place": in_place,
    "operands": operands,
    "remembered": remembered,
    "scale_gradient": scale_gradient,
}
