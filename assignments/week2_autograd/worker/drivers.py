"""Long loops over graphs, and what an optimizer does to a tensor, by name.

A driver runs beside the student's code, so what it returns is the student's claim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def chain(x: Any, length: int) -> Any:
    """Return ((x + x) + x) + ... with `length` additions: a deep graph in which x is shared."""
    result = x
    for _ in range(length):
        result = result + x
    return result


def doubled(x: Any, times: int) -> Any:
    """Return x doubled so many times, each time by y + y: 2 ** times paths lead through it."""
    for _ in range(times):
        x = x + x
    return x


def graph(root: Any) -> list[list[Any]]:
    """Return [operation, data, indices of its operands] for each node below `root`, by `_prev`.

    Operands come before results, and each node once.
    """
    places: dict[int, int] = {}
    nodes: list[list[Any]] = []
    waiting = [(root, False)]
    while waiting:
        node, ready = waiting.pop()
        if id(node) in places:
            continue
        if not ready:
            waiting += [(node, True), *((operand, False) for operand in node._prev)]
            continue
        places[id(node)] = len(nodes)
        nodes.append([node._op, node.data, [places[id(operand)] for operand in node._prev]])
    return nodes


def descend(tensor: Any, step: np.ndarray) -> None:
    """Subtract `step` from `tensor.data` in place, as an optimizer does."""
    tensor.data -= step


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
    "doubled": doubled,
    "graph": graph,
    "descend": descend,
    "scale_gradient": scale_gradient,
    "graphs_within": graphs_within,
}
