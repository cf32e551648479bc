"""BERT in NumPy: its weights by their names, its last states, and logits by both legal poolings."""

import numpy as np

EPS = 1e-12
SMALL = {"V": 23, "D": 12, "F": 20, "L": 15, "layers": 2, "heads": 3}
"""The small BERT of most tests: pieces, columns, inner columns, positions."""


def shapes(size):
    """Return the shape of each weight of a BERT without a pooler."""
    D, F = size["D"], size["F"]
    found = {
        "embeddings.word_embeddings.weight": (size["V"], D),
        "embeddings.position_embeddings.weight": (size["L"], D),
        "embeddings.token_type_embeddings.weight": (2, D),
        "embeddings.LayerNorm.weight": (D,),
        "embeddings.LayerNorm.bias": (D,),
    }
    for layer in range(size["layers"]):
        before = f"encoder.layer.{layer}."
        for name, out, inner in (
            ("attention.self.query", D, D),
            ("attention.self.key", D, D),
            ("attention.self.value", D, D),
            ("attention.output.dense", D, D),
            ("intermediate.dense", F, D),
            ("output.dense", D, F),
        ):
            found |= {f"{before}{name}.weight": (out, inner), f"{before}{name}.bias": (out,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            found |= {f"{before}{name}.weight": (D,), f"{before}{name}.bias": (D,)}
    return found


def drawn_weights(rng, size, scale=0.5):
    """Draw a BERT's weights, large enough that each of them matters."""
    found = {}
    for name, shape in shapes(size).items():
        near_one = name.endswith("LayerNorm.weight")
        found[name] = (near_one + scale * rng.normal(size=shape)).astype(np.float32)
    return found


def erf(x):
    """Return the error function, to 1.5e-7: Abramowitz and Stegun, 7.1.26."""
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x))
    series = 1.061405429
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + coefficient
    return np.sign(x) * (1.0 - series * t * np.exp(-x * x))


def layer_norm(x, weight, bias):
    """Return x with the mean and spread of each row put to 0 and 1, then stretched and moved."""
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPS) * weight + bias


def states(weights, ids, mask, heads):
    """Return BERT's last states, shape (N, T, D)."""
    N, T = ids.shape
    word, place, kind = (
        weights[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
    )
    x = word[ids] + place[:T] + kind[0]

    def normed(x, before):
        return layer_norm(x, weights[f"{before}.weight"], weights[f"{before}.bias"])

    def linear(x, before):
        return x @ weights[f"{before}.weight"].T + weights[f"{before}.bias"]

    x = normed(x, "embeddings.LayerNorm")
    layers = sum(name.endswith("query.weight") for name in weights)
    for layer in range(layers):
        before = f"encoder.layer.{layer}"
        q, k, v = (
            linear(x, f"{before}.attention.self.{name}")
            .reshape(N, T, heads, -1)
            .transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1], dtype=x.dtype)
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        y = (shares @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        y = linear(y, f"{before}.attention.output.dense")
        x = normed(x + y, f"{before}.attention.output.LayerNorm")
        y = linear(x, f"{before}.intermediate.dense")
        y = linear(
            y * (0.5 + 0.5 * erf(y / np.sqrt(2.0))).astype(y.dtype), f"{before}.output.dense"
        )
        x = normed(x + y, f"{before}.output.LayerNorm")
    return x


def pooled(weights, ids, mask, heads):
    """Return the two vectors of each text that are legal: its first state, and the mean."""
    x = states(weights, ids, mask, heads)
    shares = (mask == 1) / mask.sum(axis=1, keepdims=True)
    return x[:, 0], np.einsum("nt,ntd->nd", shares.astype(x.dtype), x)


def pooled_in_parts(weights, ids, mask, heads, rows=50):
    """Return the same for many texts, sorted by length, so that little is computed for padding."""
    order = np.argsort(mask.sum(axis=1), kind="stable")
    found = [np.empty((len(ids), weights["embeddings.LayerNorm.bias"].shape[0]), np.float32)] * 2
    found = [one.copy() for one in found]
    for begin in range(0, len(order), rows):
        part = order[begin : begin + rows]
        longest = int(mask[part].sum(axis=1).max())
        vectors = pooled(weights, ids[part, :longest], mask[part, :longest], heads)
        for all_of_them, some in zip(found, vectors, strict=True):
            all_of_them[part] = some
    return found


def wide(weights):
    """Return weights as float64."""
    return {name: array.astype(np.float64) for name, array in weights.items()}


def logits(weights, head, ids, mask, heads):
    """Return the logits of texts by both poolings; `head`: its weight and its bias."""
    vectors = pooled(wide(weights), ids, mask, heads)
    return [one @ head[0].T.astype(float) + head[1] for one in vectors]


def drawn_texts(rng, count, longest, vocab):
    """Draw pieces (N, T) with 0 behind their ends, and the mask; the longest text has T pieces."""
    lengths = rng.permutation([longest, *rng.integers(2, longest, size=count - 1)])
    mask = (np.arange(longest) < lengths[:, None]).astype(np.int64)
    return rng.integers(1, vocab, size=(count, longest)) * mask, mask
