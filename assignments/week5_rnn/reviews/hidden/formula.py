"""The classifier in NumPy: what its weights are called, and the logits that they give."""

import numpy as np

WEIGHTS = {
    "embedding.weight": ("V", "D"),
    "lstm.weight_ih_l0": ("4H", "D"),
    "lstm.weight_hh_l0": ("4H", "H"),
    "lstm.bias_ih_l0": ("4H",),
    "lstm.bias_hh_l0": ("4H",),
    "head.weight": (1, "H"),
    "head.bias": (1,),
}
"""The names of the classifier's weights, and their shapes in words, embedding and states."""


def shapes(vocab, embed, hidden):
    """Return the shape of each weight."""
    sizes = {"V": vocab, "D": embed, "H": hidden, "4H": 4 * hidden}
    return {name: tuple(sizes.get(one, one) for one in shape) for name, shape in WEIGHTS.items()}


def drawn_weights(rng, vocab, embed, hidden):
    """Draw weights that let each gate matter."""
    return {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in shapes(vocab, embed, hidden).items()
    }


def sigmoid(x):
    """Return the sigmoid, of complex numbers too."""
    return 1.0 / (1.0 + np.exp(-x))


def last_states(weights, ids, lengths):
    """Return the state after the last word of each review, shape (N, H)."""
    E, Wx, Wh, bx, bh = (weights[name] for name in list(WEIGHTS)[:5])
    H = Wh.shape[1]
    h = c = np.zeros((len(ids), H), dtype=np.result_type(E, Wh))
    for t in range(ids.shape[1]):
        i, f, g, o = np.split(E[ids[:, t]] @ Wx.T + bx + h @ Wh.T + bh, 4, axis=1)
        after_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        after_h = sigmoid(o) * np.tanh(after_c)
        reads = (t < lengths)[:, None]
        h, c = np.where(reads, after_h, h), np.where(reads, after_c, c)
    return h


def logits(weights, ids, lengths):
    """Return the logits of reviews, shape (N,)."""
    wide = {
        name: array if np.iscomplexobj(array) else array.astype(np.float64)
        for name, array in weights.items()
    }
    states = last_states(wide, ids, lengths)
    return states @ wide["head.weight"][0] + wide["head.bias"][0]


def drawn_lengths(rng, count, longest):
    """Draw lengths: the shortest, the longest and some between, in a drawn order."""
    between = rng.integers(2, longest, size=count - 2) if longest > 2 else np.ones(count - 2)
    return rng.permutation(np.array([1, longest, *between], dtype=np.int64))


def drawn_reviews(rng, count, longest, vocab):
    """Draw reviews (N, T) with 0 behind their ends, and their lengths."""
    lengths = drawn_lengths(rng, count, longest)
    ids = rng.integers(1, vocab, size=(count, longest))
    ids[np.arange(longest) >= lengths[:, None]] = 0
    return ids, lengths
