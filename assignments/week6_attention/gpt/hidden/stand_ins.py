"""What the stand-ins of worker/ compute, with the numbers that were sent to them."""

import numpy as np

from .formulas import gelu, linear


def norm_like(w, name, x):
    """Return what stands in for a LayerNorm."""
    return np.tanh(w[f"{name}.weight"] * x) + w[f"{name}.bias"]


def pooled(mask, x, queries):
    """Return for each query the sum of the places of x that its mask has, over their number."""
    allowed = np.broadcast_to(True if mask is None else mask, (len(x), queries, x.shape[1]))
    return allowed.astype(float) @ x / x.shape[1]


def attention_like(w, query, key, value, mask):
    """Return what stands in for a MultiHeadAttention."""
    A, B, C = (w[f"attention.{name}"] for name in "ABC")
    return np.tanh(query @ A) + pooled(mask, np.tanh(key @ B) + value @ C, query.shape[1])


def block_of_parts(w, x, mask, form):
    """Return what a block makes of x, with stand-ins for its norms and its attention."""
    normed = norm_like(w, "norm1", x)
    x = x + attention_like(w, normed, normed, normed, mask)
    return x + linear(w, "down", gelu(linear(w, "up", norm_like(w, "norm2", x)), form))


def part_shapes(d):
    """Return the shapes of the stand-ins of a block."""
    square = {f"attention.{name}": (d, d) for name in "ABC"}
    return square | {f"{norm}.{kind}": (d,) for norm in ("norm1", "norm2") for kind in KINDS}


KINDS = ("weight", "bias")


def network_of_parts(w, layers, ids):
    """Return a network's logits, with stand-ins for its blocks and its last norm."""
    T = ids.shape[1]
    x = w["tokens.weight"][ids] + w["positions.weight"][:T]
    for number in range(layers):
        A, B = (w[f"blocks.{number}.{name}"] for name in "AB")
        x = x + np.tanh(x @ A) + pooled(np.tri(T, dtype=bool), x @ B, T)
    return linear(w, "head", norm_like(w, "norm", x))


def speaker(table, ids):
    """Return the logits of the model that `generate` is given, (N, T, V)."""
    T = ids.shape[1]
    logits = np.zeros((*ids.shape, table.shape[-1]))
    for back in range(T):
        logits[:, back:] += table[back][ids[:, : T - back]]
    return logits
