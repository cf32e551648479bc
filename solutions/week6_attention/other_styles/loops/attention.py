"""Attention for one example, and a loop over all leading axes; hidden scores lose 1e30."""

import math

import numpy as np


def one_by_one(*arrays):
    """Return the leading axes, and arrays of which they are one axis."""
    leading = arrays[0].shape[:-2]
    return leading, [array.reshape(math.prod(leading), *array.shape[-2:]) for array in arrays]


def masks(mask, leading, queries, keys):
    """Return one mask of numbers for each example."""
    full = np.ones((*leading, queries, keys)) if mask is None else np.asarray(mask, dtype=float)
    full = np.broadcast_to(full, (*leading, queries, keys))
    return full.reshape(math.prod(leading), queries, keys)


def weights_of_one(q, k, allowed):
    """Return the weights of one example."""
    scores = (q / math.sqrt(q.shape[1])) @ k.T + ((allowed - 1.0) * 1e30).astype(q.dtype)
    scores = scores - scores.max(1, keepdims=True)
    logarithm = np.log(np.exp(scores).sum(1, keepdims=True))
    return np.exp(scores - logarithm) * (allowed.max(1, keepdims=True) > 0)


def attention_weights(Q, K, mask=None):
    """Return the weights."""
    leading, (queries, keys) = one_by_one(Q, K)
    result = np.empty((len(queries), Q.shape[-2], K.shape[-2]), dtype=Q.dtype)
    allowed = masks(mask, leading, *result.shape[1:])
    for n in range(len(queries)):
        result[n] = weights_of_one(queries[n], keys[n], allowed[n])
    return result.reshape(*leading, *result.shape[1:])


def scaled_dot_product_attention(Q, K, V, mask=None):
    """Return the mean of the values."""
    leading, (queries, keys, values) = one_by_one(Q, K, V)
    allowed = masks(mask, leading, Q.shape[-2], K.shape[-2])
    found = [
        weights_of_one(q, k, here) @ v
        for q, k, v, here in zip(queries, keys, values, allowed, strict=True)
    ]
    return np.array(found).reshape(*leading, Q.shape[-2], V.shape[-1])


def attention_backward(grad, Q, K, V, mask=None):
    """Return the gradients."""
    leading, (upstream, queries, keys, values) = one_by_one(grad, Q, K, V)
    allowed = masks(mask, leading, Q.shape[-2], K.shape[-2])
    found = [[], [], []]
    for g, q, k, v, here in zip(upstream, queries, keys, values, allowed, strict=True):
        w = weights_of_one(q, k, here)
        against = ((w @ v) * g).sum(1)
        ds = w * (g @ v.T - against[:, None]) / math.sqrt(q.shape[1])
        for results, one in zip(found, (ds @ k, ds.T @ q, w.T @ g), strict=True):
            results.append(one)
    return tuple(
        np.array(one).reshape(like.shape) for one, like in zip(found, (Q, K, V), strict=True)
    )


def causal_mask(T):
    """Return the mask."""
    return ~np.triu(np.ones((T, T), dtype=bool), k=1)


def sinusoidal_positions(T, d):
    """Return the table, by slices of columns."""
    table = np.zeros((T, d))
    rates = 10000 ** (-np.arange(0, d, 2) / d)
    table[:, 0::2] = np.sin(np.arange(T)[:, np.newaxis] * rates)
    table[:, 1::2] = np.cos(np.arange(T)[:, np.newaxis] * rates[: d // 2])
    return table
