"""Graphs of many nodes, and what can be said of them, by name.

A driver runs beside the student's code, so what it returns is the student's claim.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

OPERATORS = {"+": operator.add, "*": operator.mul}


def chain(x: Any, length: int, symbol: str) -> Any:
    """Return ((x + x) + x) + ... with `length` additions: a deep graph in which x is shared."""
    result = x
    for _ in range(length):
        result = OPERATORS[symbol](result, x)
    return result


def graph(leaves: list[Any], pairs: list[list[int]], symbol: str) -> list[Any]:
    """Return the nodes of a graph: the leaves, and a result for each pair of earlier nodes."""
    nodes = list(leaves)
    for first, second in pairs:
        nodes.append(OPERATORS[symbol](nodes[first], nodes[second]))
    return nodes


def node(nodes: list[Any], place: int) -> Any:
    """Return one node of `graph`."""
    return nodes[place]


def grads(nodes: list[Any]) -> list[Any]:
    """Return the gradient of each node of `graph`."""
    return [one.grad for one in nodes]


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


def graphs_within(model: Any, method: str, x: np.ndarray) -> list[bool]:
    """Return `requires_grad` of each result of `model.forward` while `model.<method>(x)` runs."""
    forward, found = model.forward, []

    def recorded(*args: Any) -> Any:
        result = forward(*args)
        found.append(bool(result.requires_grad))
        return result

    model.forward = recorded
    getattr(model, method)(x)
    return found


DRIVERS: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "graph": graph,
    "node": node,
    "grads": grads,
    "in_place": in_place,
    "remembered": remembered,
    "scale_gradient": scale_gradient,
    "graphs_within": graphs_within,
}
