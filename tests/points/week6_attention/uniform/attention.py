"""Attention that looks at no query and no key."""

import numpy as np


def attention_weights(Q, K, mask=None):
    """Share equally among what may be seen."""
    shape = (*Q.shape[:-1], K.shape[-2])
    seen = np.broadcast_to(np.asarray(True if mask is None else mask, bool), shape)
    return (seen / np.maximum(seen.sum(axis=-1, keepdims=True), 1)).astype(Q.dtype)


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the mean of what may be seen."""
    return attention_weights(Q, K, mask) @ V


def attention_backward(grad, Q, K, V, mask=None):
    """Return the gradients of a mean."""
    weights = attention_weights(Q, K, mask)
    slopes = grad @ V.swapaxes(-1, -2) * weights
    slopes -= weights * slopes.sum(axis=-1, keepdims=True)
    slopes /= Q.shape[-1] ** 0.5
    return slopes @ K, slopes.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ grad


def causal_mask(T):
    """Show everything."""
    return np.ones((T, T), bool)


def sinusoidal_positions(T, d):
    """Return zeros and ones in turn."""
    return np.tile(np.arange(d) % 2.0, (T, 1))
