"""The worker's long loops, by name: what would take too many requests to ask for one by one.

A driver runs beside the student's code, so what it returns is not believed: the examiner fetches
the weights and measures for itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .file_drivers import FILE_DRIVERS
from .project_drivers import PROJECT_DRIVERS
from .torch_drivers import TORCH_DRIVERS


def standardise(images: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return (images - mean) / deviation as rows: (N, ...) uint8 -> (N, features) float64."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    rows -= mean
    rows /= deviation
    return rows


def train_epoch(
    model: Any, x: np.ndarray, y: np.ndarray, batch: int, lr: float, seed: int
) -> float:
    """Call `model.train_step(x, y, lr)` once for each batch of a shuffled epoch.

    x: (N, features), y: (N,) integer labels. Returns the mean of the losses that it was given
    (for the curve in the report; no points depend on it).
    """
    order = np.random.default_rng(seed).permutation(len(x))
    losses = []
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        losses.append(float(model.train_step(x[rows], y[rows], lr)))
    return float(np.mean(losses))


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


def rates_at(scheduler: Any, epochs: list[int]) -> list[Any]:
    """Return what `scheduler.lr_at` says of each epoch, asked in this order."""
    return [scheduler.lr_at(epoch) for epoch in epochs]


def rates_of(scheduler: Any, optimizer: Any, epochs: int) -> list[Any]:
    """Return the optimizer's learning rate in so many epochs, with a step after each."""
    rates = [optimizer.lr]
    for _ in range(1, epochs):
        scheduler.step()
        rates.append(optimizer.lr)
    return rates


DRIVERS = {
    "standardise": standardise,
    "train_epoch": train_epoch,
    "chain": chain,
    "doubled": doubled,
    "graph": graph,
    "descend": descend,
    "scale_gradient": scale_gradient,
    "graphs_within": graphs_within,
    "rates_at": rates_at,
    "rates_of": rates_of,
    **FILE_DRIVERS,
    **TORCH_DRIVERS,
    **PROJECT_DRIVERS,
}
