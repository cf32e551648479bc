"""Attention: each query takes from all values, and most from those whose keys resemble it.

    python attention.py                  how sharp attention is, with and without its scale

Conventions, for every function in this file:

- Tq queries with d features are an array Q of shape (..., Tq, d). The Tk keys, K of shape
  (..., Tk, d), belong to as many values, V of shape (..., Tk, dv). Tq and Tk may differ, and so may
  d and dv; all are at least 1.
- The leading axes are free: none, a batch, or a batch and heads. They are the same for Q, K and V,
  and what differs in them has nothing to do with each other.
- A mask says what a query may attend to: **True means that it may**. It is boolean, or of numbers 0
  and 1 that mean the same, of a shape that broadcasts to (..., Tq, Tk). (PyTorch's
  `nn.MultiheadAttention` means the opposite by its masks, its `scaled_dot_product_attention` the
  same as this file.)
- A query that may attend to nothing gets zeros: as weights, as a result, and as a gradient.
- What is given is not changed. All numbers are finite, and none of them overflows, however large
  the scores are. float32 gives float32.
- Whole arrays at once: no Python loop runs over queries, keys or features. None over the leading
  axes is needed either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]


def check_shapes(Q: FloatArray, K: FloatArray, V: FloatArray | None = None) -> None:
    """Make sure that queries, keys and values fit each other. Given.

    Raises:
        ValueError: if they don't: the message names their shapes.
    """
    fit = min(Q.ndim, K.ndim) >= 2 and Q.shape[:-2] == K.shape[:-2] and Q.shape[-1] == K.shape[-1]
    if not fit:
        raise ValueError(f"queries of shape {Q.shape} don't fit keys of shape {K.shape}")
    if V is not None and (V.ndim != K.ndim or V.shape[:-1] != K.shape[:-1]):
        raise ValueError(f"values of shape {V.shape} don't fit keys of shape {K.shape}")


def full_mask(mask: npt.ArrayLike | None, Q: FloatArray, K: FloatArray) -> BoolArray:
    """Return a mask in its whole shape, (..., Tq, Tk); None allows everything. Given.

    What comes back may be a view that must not be written to.

    Raises:
        ValueError: if the mask does not broadcast to that shape.
    """
    allowed = np.asarray(True if mask is None else mask, dtype=bool)
    return np.broadcast_to(allowed, (*Q.shape[:-1], K.shape[-2]))


def smooth(q: FloatArray, k: FloatArray, V: FloatArray, width: float) -> FloatArray:
    """Worked example: attention by distance (Nadaraya and Watson, 1964).

    Queries and keys are single numbers here, places on a line. The weights of a query fall off with
    the distance of the keys, and they add to 1:

        weights[i, j] = exp(-(q_i - k_j)^2 / (2 width^2)) / (the sum of this over all j)

    The result of a query is the mean of the values with these weights: a smooth curve through
    points (k_j, V_j). Nothing is learnt in it. Attention differs in how it measures likeness: by a
    product of vectors, which come out of layers that are trained.

    Args:
        q: where the curve is asked for, shape (..., Tq), not changed.
        k: where the points lie, shape (..., Tk), not changed.
        V: the values there, shape (..., Tk, dv), not changed.
        width: how far a point reaches, positive.

    Returns:
        The curve at the places q, shape (..., Tq, dv).
    """
    # A new axis on each side gives all pairs: (..., Tq, 1) - (..., 1, Tk) is (..., Tq, Tk).
    distances = q[..., :, None] - k[..., None, :]
    scores = -0.5 * (distances / width) ** 2
    # The largest exponent of each row becomes 0. Without that all exponentials of a query that is
    # far from every key would be 0, and so would their sum.
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ V


def attention_weights(
    Q: FloatArray, K: FloatArray, mask: npt.ArrayLike | None = None
) -> FloatArray:
    """Return how much each query takes from each value (Vaswani et al., 2017).

        scores[i, j] = (q_i . k_j) / sqrt(d)
        weights[i, :] = softmax of scores[i, :] over the keys that query i may attend to

    d is the size of the last axis of Q: so many products are in each sum.

    Args:
        Q: queries, shape (..., Tq, d), not changed.
        K: keys, shape (..., Tk, d), not changed.
        mask: True where a query may attend to a key; broadcasts to (..., Tq, Tk). None: everywhere.

    Returns:
        Weights from 0 to 1, shape (..., Tq, Tk). Each row adds to 1, and is exactly 0 where the
        mask is False. A row whose mask is False everywhere is zeros.

    Raises:
        ValueError: if the shapes don't fit.
    """
    check_shapes(Q, K)
    # BEGIN SOLUTION week6.attention
    scores = Q @ K.swapaxes(-1, -2) / Q.shape[-1] ** 0.5
    scores = np.where(full_mask(mask, Q, K), scores, -np.inf)
    largest = scores.max(axis=-1, keepdims=True)
    # Of a row without a key the largest is -inf, and -inf - -inf would be NaN.
    exponentials = np.exp(scores - np.where(np.isfinite(largest), largest, 0.0))
    sums = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(sums == 0.0, 1.0, sums)
    # END SOLUTION


def scaled_dot_product_attention(
    Q: FloatArray, K: FloatArray, V: FloatArray, mask: npt.ArrayLike | None = None
) -> FloatArray:
    """Return the mean of the values for each query, with the weights of `attention_weights`.

    Args:
        Q: queries, shape (..., Tq, d), not changed.
        K: keys, shape (..., Tk, d), not changed.
        V: values, shape (..., Tk, dv), not changed.
        mask: True where a query may attend to a key; broadcasts to (..., Tq, Tk). None: everywhere.

    Returns:
        Shape (..., Tq, dv). A query that may attend to nothing gets zeros.

    Raises:
        ValueError: if the shapes don't fit.
    """
    check_shapes(Q, K, V)
    # BEGIN SOLUTION week6.attention
    return attention_weights(Q, K, mask) @ V
    # END SOLUTION


def attention_backward(
    grad: FloatArray,
    Q: FloatArray,
    K: FloatArray,
    V: FloatArray,
    mask: npt.ArrayLike | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the gradients of the loss with respect to Q, K and V.

    The weights are computed again, from what was given to `scaled_dot_product_attention`: nothing
    has to be kept in between.

    Args:
        grad: gradient of the loss with respect to the result, shape (..., Tq, dv), not changed.
        Q, K, V, mask: what the result was computed from, not changed.

    Returns:
        dQ, dK and dV, of the shapes of Q, K and V. A key that no query may attend to has zeros in
        dK and dV, and a query that may attend to nothing has zeros in dQ.

    Raises:
        ValueError: if the shapes don't fit.
    """
    check_shapes(Q, K, V)
    if grad.shape != (*Q.shape[:-1], V.shape[-1]):
        raise ValueError(f"a result has shape {(*Q.shape[:-1], V.shape[-1])}, not {grad.shape}")
    # BEGIN SOLUTION week6.attention_backward
    weights = attention_weights(Q, K, mask)
    dweights = grad @ V.swapaxes(-1, -2)
    # The slope of softmax, row by row. Weights of 0 stay as they are: what is hidden gets nothing.
    dscores = weights * (dweights - (dweights * weights).sum(axis=-1, keepdims=True))
    dscores /= Q.shape[-1] ** 0.5
    return dscores @ K, dscores.swapaxes(-1, -2) @ Q, weights.swapaxes(-1, -2) @ grad
    # END SOLUTION


def causal_mask(T: int) -> BoolArray:
    """Return the mask with which no position attends to a later one.

    Args:
        T: how many positions, at least 1.

    Returns:
        Boolean, shape (T, T): [t, s] is True where position t may attend to s, its own included.
    """
    # BEGIN SOLUTION week6.positions
    return np.tri(T, dtype=bool)
    # END SOLUTION


def sinusoidal_positions(T: int, d: int) -> FloatArray:
    """Return a vector for each position, which is added to what stands there.

    Attention alone does not know the order: permuted keys and values give the same result. Sines
    and cosines alternate, each pair more slowly than the one before (Vaswani et al., 2017):

        P[t, 2i]     = sin(t / 10000^(2i / d))
        P[t, 2i + 1] = cos(t / 10000^(2i / d))        i = 0, 1, 2, ...

    Args:
        T: how many positions, at least 1: t runs from 0 to T - 1.
        d: how many columns, at least 1. If it is odd, the last column is a sine, and its cosine is
            left out; the exponents have this same d.

    Returns:
        Shape (T, d), float64.
    """
    # BEGIN SOLUTION week6.positions
    columns = np.arange(d)
    angles = np.arange(T)[:, None] / 10000.0 ** ((columns - columns % 2) / d)
    return np.where(columns % 2 == 0, np.sin(angles), np.cos(angles))
    # END SOLUTION


def entropy(weights: FloatArray) -> float:
    """Return the mean entropy of the rows, in nats. Given.

    It says over how many keys attention is spread: 0 is one key, and ln(Tk) all keys alike.
    """
    logarithms = np.log(np.where(weights > 0.0, weights, 1.0))
    return float(-(weights * logarithms).sum(axis=-1).mean())


def main() -> None:
    """Show what the scale is there for: scores of random vectors grow with sqrt(d). Given."""
    rng = np.random.default_rng(0)
    keys = 64
    print(f"entropy over {keys} keys in nats; alike for all: {np.log(keys):.2f}")
    print("    d    with 1/sqrt(d)    without")
    for d in (1, 4, 16, 64, 256):
        Q, K = rng.normal(size=(2, 20, keys, d))
        with_scale = entropy(attention_weights(Q, K))
        # Longer queries undo the division.
        without = entropy(attention_weights(Q * np.sqrt(d), K))
        print(f"{d:5d} {with_scale:17.2f} {without:10.2f}")


if __name__ == "__main__":
    main()
