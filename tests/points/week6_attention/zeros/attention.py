"""Functions that know shapes and nothing else."""

import numpy as np


def attention_weights(Q, K, mask=None):
    """Return zeros."""
    return np.zeros((*Q.shape[:-1], K.shape[-2]), Q.dtype)


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return zeros."""
    return np.zeros((*Q.shape[:-1], V.shape[-1]), Q.dtype)


def attention_backward(grad, Q, K, V, mask=None):
    """Return zeros."""
    return np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)


def causal_mask(T):
    """Return False everywhere."""
    return np.zeros((T, T), bool)


def sinusoidal_positions(T, d):
    """Return zeros."""
    return np.zeros((T, d))
