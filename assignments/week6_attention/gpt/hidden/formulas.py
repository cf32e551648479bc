"""The network in NumPy: what its weights are called, and what each part makes of them.

Complex numbers go through all of it, for derivatives by complex steps.
"""

import numpy as np

EPS = 1e-5
EXACT, BY_TANH = "exact", "tanh"
"""The two forms of GELU."""


def softmax(scores):
    """Return the softmax over the last axis."""
    powers = np.exp(scores - np.real(scores).max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits):
    """Return the logarithms of the softmax over the last axis."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def layer_norm(x, weight, bias, eps=EPS):
    """Return each vector with mean 0 and variance 1, times weight, plus bias."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return weight * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps) + bias


def erf(x):
    """Return the error function, wrong by 1.5e-7 at most (Abramowitz and Stegun, 7.1.26).

    A small imaginary part is multiplied by the slope.
    """
    at = np.abs(np.real(x))
    t = 1.0 / (1.0 + 0.3275911 * at)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    found = np.sign(np.real(x)) * (1.0 - t * np.polyval(factors, t) * np.exp(-(at**2)))
    if np.iscomplexobj(x):
        return found + 2j / np.sqrt(np.pi) * np.exp(-(at**2)) * np.imag(x)
    return found


def gelu(x, form):
    """Return x times the share of a normal distribution below it, in one of two forms."""
    if form == EXACT:
        return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))
    return 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def linear(w, name, x):
    """Return x through the linear layer of this name."""
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def below(w, prefix):
    """Return the weights whose names begin with a prefix, without it."""
    return {name[len(prefix) :]: one for name, one in w.items() if name.startswith(prefix)}


# Attention


def head_shapes(d):
    """Return the shape of each weight of a MultiHeadAttention."""
    layers = [f"{one}_proj" for one in ("q", "k", "v", "out")]
    return {f"{one}.{kind}": (d, d)[: 2 - k] for one in layers for k, kind in enumerate(KINDS)}


KINDS = ("weight", "bias")


def attention_weights(q, k, mask):
    """Return the weights of one head, (N, Tq, Tk), zeros where nothing is allowed."""
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    allowed = np.broadcast_to(True if mask is None else mask, scores.shape)
    some = allowed.any(axis=-1, keepdims=True)
    highest = np.where(allowed, np.real(scores), -np.inf).max(axis=-1, keepdims=True)
    powers = np.where(allowed, np.exp(np.where(allowed, scores - np.where(some, highest, 0), 0)), 0)
    return powers / np.where(some, powers.sum(axis=-1, keepdims=True), 1.0)


def columns_of(heads, d):
    """Return the columns of each head."""
    return [slice(n * d // heads, (n + 1) * d // heads) for n in range(heads)]


def head_weights(w, heads, query, key, mask=None):
    """Return the weights of all heads, (N, heads, Tq, Tk), one head after the other."""
    q, k = linear(w, "q_proj", query), linear(w, "k_proj", key)
    found = [
        attention_weights(q[..., at], k[..., at], mask) for at in columns_of(heads, q.shape[-1])
    ]
    return np.stack(found, axis=1)


def multi_head(w, heads, query, key, value, mask=None):
    """Return multi-head attention, head by head."""
    v = linear(w, "v_proj", value)
    weights = head_weights(w, heads, query, key, mask)
    each = [weights[:, n] @ v[..., at] for n, at in enumerate(columns_of(heads, v.shape[-1]))]
    return linear(w, "out_proj", np.concatenate(each, axis=-1))


# Blocks and the network


def layer_shapes(name, rows, columns):
    """Return the shapes of a linear layer."""
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def norm_shapes(name, d):
    """Return the shapes of a LayerNorm."""
    return {f"{name}.weight": (d,), f"{name}.bias": (d,)}


def feed_shapes(d, wide):
    """Return the shapes of a block's two linear layers."""
    return layer_shapes("up", wide, d) | layer_shapes("down", d, wide)


def block_shapes(d, wide):
    """Return the shape of each weight of a TransformerBlock."""
    heads = {f"attention.{name}": shape for name, shape in head_shapes(d).items()}
    return norm_shapes("norm1", d) | heads | norm_shapes("norm2", d) | feed_shapes(d, wide)


def block(w, heads, x, mask, form):
    """Return what a TransformerBlock makes of x."""
    normed = layer_norm(x, w["norm1.weight"], w["norm1.bias"])
    x = x + multi_head(below(w, "attention."), heads, normed, normed, normed, mask)
    normed = layer_norm(x, w["norm2.weight"], w["norm2.bias"])
    return x + linear(w, "down", gelu(linear(w, "up", normed), form))


def outer_shapes(vocab, context, d):
    """Return the shapes of a MiniGPT's weights outside of its blocks."""
    ends = {"tokens.weight": (vocab, d), "positions.weight": (context, d)}
    return ends | norm_shapes("norm", d) | layer_shapes("head", vocab, d)


def network_shapes(vocab, context, d, layers):
    """Return the shape of each weight of a MiniGPT."""
    blocks = {
        f"blocks.{number}.{name}": shape
        for number in range(layers)
        for name, shape in block_shapes(d, 4 * d).items()
    }
    return outer_shapes(vocab, context, d) | blocks


def network(w, heads, layers, ids, form):
    """Return a MiniGPT's logits, (N, T, V)."""
    T = ids.shape[1]
    x = w["tokens.weight"][ids] + w["positions.weight"][:T]
    for number in range(layers):
        x = block(below(w, f"blocks.{number}."), heads, x, np.tri(T, dtype=bool), form)
    return linear(w, "head", layer_norm(x, w["norm.weight"], w["norm.bias"]))


# Numbers


def drawn(rng, shapes, scale=0.6):
    """Draw weights, float32, none of them 0 on average: weights of norms are around 1."""
    return {
        name: (
            rng.normal(scale=scale, size=shape) + 1.0 * ("norm" in name and "weight" in name)
        ).astype(np.float32)
        for name, shape in shapes.items()
    }


def wide(w):
    """Return weights in float64."""
    return {name: one.astype(np.float64) for name, one in w.items()}
