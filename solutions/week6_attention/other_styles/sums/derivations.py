"""The functions of the derivation as sums over indices, in Python's numbers and lists of arrays."""

import math

import numpy as np


def product_deviation(d, sigma_q, sigma_k):
    """Add up variances."""
    return math.sqrt(sum((sigma_q * sigma_k) ** 2 for _ in range(d)))


def attention_dV(g, p):
    """One row for each value."""
    return np.array([share * g for share in p])


def attention_ds(g, p, V):
    """Compare each value with the result."""
    y = sum(share * v for share, v in zip(p, V, strict=True))
    return np.array([share * np.dot(g, v - y) for share, v in zip(p, V, strict=True)])


def attention_dq(dL_ds, K):
    """Add up the keys."""
    total = np.zeros(K.shape[1])
    for slope, k in zip(dL_ds, K, strict=True):
        total += slope * k
    return total / math.sqrt(K.shape[1])


def attention_dK(dL_ds, q):
    """Return a column times a row."""
    return dL_ds[:, np.newaxis] * q / math.sqrt(q.size)
