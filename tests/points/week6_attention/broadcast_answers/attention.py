"""Answers of one entry, or of too many."""

import numpy as np


def attention_weights(Q, K, mask=None):
    """Return one entry."""
    return np.ones((1,) * Q.ndim, Q.dtype)


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return one entry."""
    return np.zeros((1,) * Q.ndim, Q.dtype)


def attention_backward(grad, Q, K, V, mask=None):
    """Return millions of them."""
    return (np.zeros((1_000_000, 1, 1)), np.zeros((1, 1)), np.zeros(()))


def causal_mask(T):
    """Return one entry."""
    return np.ones((1, 1), bool)


def sinusoidal_positions(T, d):
    """Return a column."""
    return np.zeros((1_000_000, 1))
