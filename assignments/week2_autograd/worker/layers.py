"""Plain gradient descent on layers of the student's, with a loss that NumPy computes here.

The loss's gradient with respect to the logits goes back as a constant: L' = sum(logits * constant)
has the same gradients as the loss itself. So no loss of the student's is needed. What a driver
returns is the student's claim; the examiner fetches the weights and looks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Make = Callable[[np.ndarray], Any]
Way = Callable[[Make, Any, np.ndarray], Any]


def by_product_and_sum(make: Make, logits: Any, constant: np.ndarray) -> Any:
    """Return sum(logits * constant) by `*` and `sum`."""
    return (logits * make(constant)).sum()


def by_products(make: Make, logits: Any, constant: np.ndarray) -> Any:
    """Return the same, of shape (1, 1), by `*` and `@`."""
    rows, columns = constant.shape
    product = logits * make(constant)
    return make(np.ones((1, rows))) @ product @ make(np.ones((columns, 1)))


def by_reshape(make: Make, logits: Any, constant: np.ndarray) -> Any:
    """Return the same, of shape (1, 1), by `reshape` and `@`."""
    return logits.reshape(1, constant.size) @ make(constant.reshape(-1, 1))


WAYS: tuple[Way, ...] = (by_product_and_sum, by_products, by_reshape)
"""Ways to the same number by different operations."""


def train_layers(
    make: Make,
    layers: Sequence[Any],
    x: np.ndarray,
    y: np.ndarray,
    batches: Sequence[np.ndarray],
    lr: float,
    way: int,
) -> float:
    """Take one step of gradient descent for each batch; return the mean loss before the steps.

    Args:
        make: the student's Tensor.
        layers: linear, activation, linear.
        x, y: images as rows, and their classes.
        batches: the rows of each batch.
        lr: learning rate.
        way: an index into WAYS.
    """
    first, activation, second = layers
    parameters = first.W, first.b, second.W, second.b
    cleared = [_kept(parameter.grad) for parameter in parameters]
    losses = []
    for rows in batches:
        for parameter, start in zip(parameters, cleared, strict=True):
            parameter.grad = _kept(start)
        logits = second(activation(first(make(x[rows]))))
        loss, constant = _loss_and_gradient(np.asarray(logits.data), y[rows])
        WAYS[way](make, logits, constant).backward()
        for parameter in parameters:
            parameter.data = parameter.data - lr * parameter.grad
        losses.append(loss)
    for parameter, start in zip(parameters, cleared, strict=True):
        parameter.grad = _kept(start)
    return float(np.mean(losses))


def _kept(grad: Any) -> Any:
    """Return what `grad` was before the first backward: None or a number, or zeros."""
    return np.zeros_like(grad) if isinstance(grad, np.ndarray) else grad


def _loss_and_gradient(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of a batch, and its gradient with respect to the logits."""
    rows = np.arange(len(labels))
    powers = np.exp(logits - np.max(logits, axis=1)[:, np.newaxis])
    shares = powers / np.sum(powers, axis=1)[:, np.newaxis]
    loss = -float(np.mean(np.log(np.maximum(shares[rows, labels], 1e-300))))
    shares[rows, labels] -= 1.0
    return loss, shares / len(rows)


def listed(parameters: Any) -> list[Any]:
    """Return what `parameters()` gave as a list, whatever it is: a list, a set, a generator."""
    return list(parameters)


class Step:
    """A layer that computes max(x A + c, floor) of a tensor's numbers, without a graph."""

    def __init__(self, make: Make, A: np.ndarray, c: np.ndarray, floor: float) -> None:
        self.make, self.A, self.c, self.floor = make, A, c, floor

    def __call__(self, x: Any) -> Any:
        return self.make(np.maximum(np.asarray(x.data) @ self.A + self.c, self.floor))

    forward = __call__

    def parameters(self) -> list[Any]:
        """Return none."""
        return []


class Watching(Step):
    """A layer with two matrices A: the first where a graph is built, the second elsewhere."""

    def __call__(self, x: Any) -> Any:
        make: Any = self.make
        one = make(np.ones(1), requires_grad=True)
        A = self.A[0 if (one + one).requires_grad else 1]
        return self.make(np.maximum(np.asarray(x.data) @ A + self.c, self.floor))

    forward = __call__


def bend(layer: Any, make: Make, C: np.ndarray) -> None:
    """From now on, what the layer returns is multiplied by C, by an operation of the engine."""
    kind: Any = type(layer)
    running: list[str] = []

    def bent(name: str) -> Callable[..., Any]:
        def call(self: Any, x: Any) -> Any:
            if running:  # one of the layer's methods calls the other
                return getattr(kind, name)(self, x)
            running.append(name)
            try:
                result = getattr(kind, name)(self, x)
            finally:
                running.clear()
            return result @ make(C)

        return call

    ways = {name: bent(name) for name in ("__call__", "forward") if hasattr(kind, name)}
    layer.__class__ = type(kind)(kind.__name__, (kind,), {"__slots__": (), **ways})


def put_in(model: Any, layers: list[Any]) -> None:
    """Put layers of ours in the place of a network's, whose `layers` may only show its own."""
    try:
        model.layers = list(layers)
    except AttributeError:
        for own, ours in zip(list(model.layers), layers, strict=True):
            _act_as(own, ours)


def _act_as(layer: Any, ours: Any) -> None:
    kind: Any = type(layer)

    def call(self: Any, x: Any) -> Any:
        return ours(x)

    ways = {"__call__": call, "forward": call, "parameters": lambda self: []}
    layer.__class__ = type(kind)(kind.__name__, (kind,), {"__slots__": (), **ways})


PROBES: dict[str, Any] = {"step": Step, "watching": Watching}
DRIVERS = {"train_layers": train_layers, "listed": listed, "bend": bend, "put_in": put_in}
