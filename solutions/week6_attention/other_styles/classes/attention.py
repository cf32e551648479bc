"""Attention as an object that remembers its forward pass; the functions make one and use it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


class Softmax:
    """The softmax of the last axis, with the rows that are empty left out."""

    def forward(self, scores, empty):
        """Return shares."""
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.shares = powers / powers.sum(axis=-1, keepdims=True)
        self.shares[np.broadcast_to(empty, self.shares.shape)] = 0
        return self.shares

    def backward(self, upstream):
        """Return the gradient of the scores."""
        moved = upstream * self.shares
        return moved - self.shares * moved.sum(axis=-1, keepdims=True)


@dataclass
class Attention:
    """One forward pass, and its gradients."""

    Q: np.ndarray
    K: np.ndarray
    mask: object = None
    softmax: Softmax = field(default_factory=Softmax)

    @property
    def root(self):
        """The root of the number of features, a Python number."""
        return float(np.sqrt(self.Q.shape[-1]))

    @cached_property
    def hidden(self):
        """Where nothing may be seen."""
        shape = (*self.Q.shape[:-1], self.K.shape[-2])
        seen = np.ones(shape, bool) if self.mask is None else np.asarray(self.mask).astype(bool)
        return np.logical_not(np.broadcast_to(seen, shape))

    @cached_property
    def weights(self):
        """The shares of each query."""
        scores = np.matmul(self.Q, np.moveaxis(self.K, -1, -2)) / self.root
        scores[self.hidden] = -1e30
        return self.softmax.forward(scores, self.hidden.all(axis=-1, keepdims=True))

    def backward(self, grad, V):
        """Return the gradients."""
        weights = np.moveaxis(self.weights, -1, -2)
        slopes = self.softmax.backward(np.matmul(grad, np.moveaxis(V, -1, -2))) / self.root
        return (
            np.matmul(slopes, self.K),
            np.matmul(np.moveaxis(slopes, -1, -2), self.Q),
            np.matmul(weights, grad),
        )


def attention_weights(Q, K, mask=None):
    """Return the weights."""
    return Attention(Q, K, mask).weights


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the result."""
    return Attention(Q, K, mask).weights @ V


def attention_backward(grad, Q, K, V, mask=None):
    """Return the gradients."""
    attention = Attention(Q, K, mask)
    assert attention.weights.shape == (*grad.shape[:-1], V.shape[-2])
    return attention.backward(grad, V)


def causal_mask(T):
    """Return the mask."""
    mask = np.zeros((T, T), dtype=bool)
    mask[np.tril_indices(T)] = True
    return mask


def sinusoidal_positions(T, d):
    """Return the table: sines with a phase of a quarter turn are cosines."""
    columns = np.arange(d)
    rates = np.power(10000.0, -2.0 * np.floor_divide(columns, 2) / d)
    return np.sin(np.arange(T)[:, None] * rates + (columns % 2) * np.pi / 2)
