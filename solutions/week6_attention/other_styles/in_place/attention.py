"""Attention with masked functions of NumPy, and results written into arrays that are made first."""

import numpy as np


def transposed(array):
    """Return the array with its last two axes exchanged."""
    return np.transpose(array, (*range(array.ndim - 2), array.ndim - 1, array.ndim - 2))


def attention_weights(Q, K, mask=None):
    """Return the weights: exponentials are made of the visible scores alone."""
    d = Q.shape[-1]
    Q = np.multiply(Q, d**-0.25)
    K = np.multiply(K, d**-0.25)
    scores = Q @ transposed(K)
    visible = np.broadcast_to(np.bool_(1) if mask is None else np.asarray(mask) > 0, scores.shape)
    scores -= np.max(scores, axis=-1, keepdims=True, where=visible, initial=-np.inf)
    result = np.zeros(scores.shape, scores.dtype)
    np.exp(scores, out=result, where=visible)
    sums = np.sum(result, axis=-1, keepdims=True)
    np.divide(result, sums, out=result, where=sums != 0)
    return result


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the result."""
    result = np.empty((*Q.shape[:-1], V.shape[-1]), V.dtype)
    np.matmul(attention_weights(Q, K, mask), V, out=result)
    return result


def attention_backward(grad, Q, K, V, mask=None):
    """Return the gradients; what a value brings is compared with the result."""
    weights = attention_weights(Q, K, mask)
    result = weights @ V
    slopes = grad @ transposed(V)
    slopes -= np.sum(grad * result, axis=-1, keepdims=True)
    slopes *= weights
    scale = Q.shape[-1] ** -0.5
    return scale * (slopes @ K), scale * (transposed(slopes) @ Q), transposed(weights) @ grad


def causal_mask(T):
    """Return the mask."""
    mask = np.full((T, T), True)
    mask[np.triu_indices(T, 1)] = False
    return mask


def sinusoidal_positions(T, d):
    """Return the table: angles, of which sines and cosines are made where they stand."""
    turns = np.empty((T, d))
    t = np.arange(T, dtype=np.float64)[:, None]
    even = np.arange(0, d, 2, dtype=np.float64)
    turns[:, ::2] = t / np.power(10000.0, even / d)
    turns[:, 1::2] = turns[:, : d - d % 2 : 2]
    np.sin(turns[:, ::2], out=turns[:, ::2])
    np.cos(turns[:, 1::2], out=turns[:, 1::2])
    return turns
