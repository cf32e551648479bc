"""Attention that is a mean."""

import numpy as np


def attention_weights(Q, K, mask=None):
    """Return equal shares."""
    return np.full((*Q.shape[:-1], K.shape[-2]), 1.0 / K.shape[-2], Q.dtype)


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the mean."""
    mean = V.mean(axis=-2, keepdims=True)
    return np.repeat(mean, Q.shape[-2], axis=-2)


def attention_backward(grad, Q, K, V, mask=None):
    """Return ones, and equal shares of the gradient."""
    dV = np.repeat(grad.sum(axis=-2, keepdims=True) / K.shape[-2], K.shape[-2], axis=-2)
    return np.ones_like(Q), np.ones_like(K), dV.astype(V.dtype)


def causal_mask(T):
    """Show itself alone."""
    return np.eye(T, dtype=bool)


def sinusoidal_positions(T, d):
    """Return the positions themselves."""
    return np.repeat(np.arange(float(T))[:, None], d, axis=1)
