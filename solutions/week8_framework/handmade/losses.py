"""Losses: numbers that say how wrong predictions are. Any function of two tensors is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from handmade import ops
from handmade.tensor import Array, Tensor, result


def mse(prediction: Tensor, target: Any) -> Tensor:
    """Return the mean over all entries of the squared difference."""
    difference = ops.subtract(prediction, as_target(prediction, target))
    return ops.mean(ops.multiply(difference, difference))


def huber(prediction: Tensor, target: Any, delta: float = 1.0) -> Tensor:
    """Return the mean of a loss that is quadratic up to `delta` and linear beyond it.

    An example of a loss of one's own: d^2 / 2 for |d| up to delta, else delta |d| - delta^2 / 2.
    It is made of operations, and the engine finds the gradient.
    """
    difference = ops.subtract(prediction, as_target(prediction, target))
    size = ops.add(ops.relu(difference), ops.relu(ops.multiply(difference, -1.0)))
    beyond = ops.relu(ops.subtract(size, delta))
    inside = ops.subtract(size, beyond)
    quadratic = ops.multiply(ops.multiply(inside, inside), 0.5)
    return ops.mean(ops.add(quadratic, ops.multiply(beyond, delta)))


def cross_entropy(logits: Tensor, target: Any) -> Tensor:
    """Return the mean of -log softmax(logits)[target] over the examples.

    `logits` is (N, K), `target` N whole numbers. Logits are moved so that the largest is 0, so
    none is too large for exp.
    """
    labels = target.data if isinstance(target, Tensor) else np.asarray(target)
    rows, count = np.arange(len(labels)), len(labels)
    moved = logits.data - logits.data.max(axis=1, keepdims=True)
    log_shares = moved - np.log(np.exp(moved).sum(axis=1, keepdims=True))

    def pull(grad: Array) -> tuple[Array]:
        by_logits = np.exp(log_shares)
        by_logits[rows, labels] -= 1.0
        return (grad * by_logits / count,)

    return result(-log_shares[rows, labels].mean(), (logits,), pull)


def as_target(prediction: Tensor, target: Any) -> Tensor:
    """Return a target as a tensor of the prediction's shape, so that nothing is broadcast."""
    if not isinstance(target, Tensor):
        target = Tensor(np.asarray(target, dtype=prediction.data.dtype))
    if target.shape != prediction.shape:
        raise ValueError(f"target has shape {target.shape}, the prediction {prediction.shape}")
    return target
