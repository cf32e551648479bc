"""Functions that know shapes and nothing else."""

import numpy as np


def product_deviation(d, sigma_q, sigma_k):
    """Return a number that grows with all three."""
    return d + sigma_q + sigma_k


def attention_dV(g, p):
    """Return sums."""
    return p[:, None] + g


def attention_ds(g, p, V):
    """Return the weights."""
    return p.copy()


def attention_dq(dL_ds, K):
    """Return the first key."""
    return K[0].copy()


def attention_dK(dL_ds, q):
    """Return the query for each key."""
    return np.tile(q, (len(dL_ds), 1))
