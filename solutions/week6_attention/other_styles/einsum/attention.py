"""Attention with named axes: every product is an einsum, and softmax has its Jacobian."""

import numpy as np


def _softmax(scores, allowed):
    """Return the softmax over the last axis of what is allowed; zeros where nothing is."""
    lowest = np.finfo(scores.dtype).min
    top = np.max(np.where(allowed, scores, lowest), axis=-1)[..., None]
    e = np.exp(np.minimum(scores - top, 0)) * allowed
    total = np.einsum("...k->...", e)[..., None]
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


def attention_weights(Q, K, mask=None):
    """Return the weights, (..., Tq, Tk)."""
    if Q.shape[:-2] != K.shape[:-2] or Q.shape[-1] != K.shape[-1]:
        raise ValueError("queries and keys don't fit")
    scores = np.einsum("...id,...jd->...ij", Q, K) * float(Q.shape[-1]) ** -0.5
    if mask is None:
        mask = np.ones(scores.shape[-1:], dtype=bool)
    return _softmax(scores, np.broadcast_to(np.asarray(mask) != 0, scores.shape))


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the mean of the values."""
    return np.einsum("...ij,...jv->...iv", attention_weights(Q, K, mask), V)


def attention_backward(grad, Q, K, V, mask=None):
    """Return a list: dL/dQ, dL/dK, dL/dV."""
    w = attention_weights(Q, K, mask)
    eye = np.eye(w.shape[-1], dtype=w.dtype)
    jacobian = np.einsum("...ij,jk->...ijk", w, eye) - np.einsum("...ij,...ik->...ijk", w, w)
    ds = np.einsum("...ij,...ijk->...ik", np.einsum("...iv,...jv->...ij", grad, V), jacobian)
    ds *= float(Q.shape[-1]) ** -0.5
    return [
        np.einsum("...ij,...jd->...id", ds, K),
        np.einsum("...ij,...id->...jd", ds, Q),
        np.einsum("...ij,...iv->...jv", w, grad),
    ]


def causal_mask(T):
    """Return True where s <= t."""
    places = np.arange(T)
    return places[None, :] <= places[:, None]


def sinusoidal_positions(T, d):
    """Return the table: all pairs at once, and the last cosine cut off."""
    pairs = (d + 1) // 2
    angles = np.outer(np.arange(T), np.exp(-np.log(10000.0) * 2.0 * np.arange(pairs) / d))
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, 2 * pairs)[:, :d]
