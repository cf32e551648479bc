"""Attention and positions as the examiner computes them, and the ways in which they often go wrong.

`weights` and `output` take complex arrays too: so the gradient of each way, right or wrong, comes
from complex steps. The right one has formulas of its own here, which tests hold against the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.suite.derivatives import vjp

Array = np.ndarray


@dataclass(frozen=True)
class Way:
    """How weights are made: by what scores are divided, what adds to 1, and what a mask does."""

    divisor: Callable[[int, int], float] = lambda features, keys: features**0.5
    axes: tuple[int, ...] = (-1,)
    mask: str = "hides"


RIGHT = Way()
WRONG = {
    "no scale": Way(lambda features, keys: 1.0),
    "divided by the features": Way(lambda features, keys: features),
    "divided by the root of the keys": Way(lambda features, keys: keys**0.5),
    "adds to 1 over the queries": Way(axes=(-2,)),
    "adds to 1 over queries and keys": Way(axes=(-2, -1)),
    "hides what it should show": Way(mask="turned"),
    "no mask": Way(mask="ignored"),
    "hidden scores are 0": Way(mask="zeros"),
    "hidden after the softmax": Way(mask="late"),
    "empty rows attend to everything": Way(mask="no empty rows"),
}
"""Where a student's weights are made in one of these ways, `attention_backward` may follow that
way, or have the right formulas with these weights in them: what is wrong is wrong elsewhere."""


def _full(mask: Any, Q: Array, K: Array) -> Array:
    """Return a mask in its whole shape."""
    allowed = np.asarray(True if mask is None else mask, dtype=bool)
    return np.broadcast_to(allowed, (*Q.shape[:-1], K.shape[-2]))


def _softmax(scores: Array, allowed: Array, axes: tuple[int, ...]) -> Array:
    """Return the softmax of the scores that are allowed, 0 for the others."""
    largest = np.where(allowed, scores.real, -np.inf).max(axis=axes, keepdims=True)
    shifted = np.where(allowed, scores - np.where(np.isfinite(largest), largest, 0.0), 0.0)
    exponentials = np.where(allowed, np.exp(shifted), 0.0)
    sums = exponentials.sum(axis=axes, keepdims=True)
    return exponentials / np.where(sums == 0.0, 1.0, sums)


def weights(Q: Array, K: Array, mask: Any = None, way: Way = RIGHT) -> Array:
    """Return how much each query takes from each value; the arrays may be complex."""
    allowed = _full(mask, Q, K)
    scores = np.einsum("...qc,...kc->...qk", Q, K) / way.divisor(Q.shape[-1], K.shape[-2])
    if way.mask == "hides":
        return _softmax(scores, allowed, way.axes)
    everything = np.ones_like(allowed)
    if way.mask == "turned":
        return _softmax(scores, everything if mask is None else ~allowed, way.axes)
    if way.mask == "zeros":
        return _softmax(np.where(allowed, scores, 0.0), everything, way.axes)
    if way.mask == "late":
        return np.where(allowed, _softmax(scores, everything, way.axes), 0.0)
    if way.mask == "no empty rows":
        empty = ~allowed.any(axis=-1, keepdims=True)
        scores = np.where(empty, 0.0, scores)
        return _softmax(scores, allowed | empty, way.axes)
    return _softmax(scores, everything, way.axes)


def output(Q: Array, K: Array, V: Array, mask: Any = None, way: Way = RIGHT) -> Array:
    """Return the mean of the values for each query; the arrays may be complex."""
    return np.einsum("...qk,...kv->...qv", weights(Q, K, mask, way), V)


def backward(
    grad: Array, Q: Array, K: Array, V: Array, mask: Any = None, way: Way = RIGHT
) -> tuple[Array, Array, Array]:
    """Return the gradients by the right formulas, with the weights of any way in them."""
    if grad.shape != (*Q.shape[:-1], V.shape[-1]):
        raise ValueError(f"an upstream gradient of shape {grad.shape} doesn't fit")
    p = weights(Q, K, mask, way)
    if way == RIGHT:
        # What all values have in common is in no difference of two: without it, no digit is lost.
        V = V - V.mean(axis=-2, keepdims=True)
    brought = np.einsum("...qv,...kv->...qk", grad, V)
    mean = np.einsum("...qk,...qk->...q", p, brought)[..., None]
    slopes = p * (brought - mean) / Q.shape[-1] ** 0.5
    return (
        np.einsum("...qk,...kc->...qc", slopes, K),
        np.einsum("...qk,...qc->...kc", slopes, Q),
        np.einsum("...qk,...qv->...kv", p, grad),
    )


def backward_of(
    way: Way, grad: Array, Q: Array, K: Array, V: Array, mask: Any = None
) -> list[Array]:
    """Return the gradients of any way, from its weights to its end, by complex steps."""
    return vjp(lambda *moved: output(*moved, mask, way), [Q, K, V], grad)


def causal_mask(T: int) -> Array:
    """Return which positions may be seen from which."""
    return np.array([[s <= t for s in range(T)] for t in range(T)])


def sinusoidal_positions(T: int, d: int) -> Array:
    """Return the table of positions, column by column."""
    t = np.arange(T, dtype=np.float64)
    columns = []
    for column in range(d):
        angles = t * 10000.0 ** (-2.0 * (column // 2) / d)
        columns.append(np.cos(angles) if column % 2 else np.sin(angles))
    return np.stack(columns, axis=1)
