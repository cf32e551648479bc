"""No checks: whether attention works on whole arrays, and whether its gradients are derived.

What is noticed here becomes a flag, for a person to look at, and takes no point. A loop over the
leading axes is slow, and raises none.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.hidden import conduct

from . import formulas

pytestmark = pytest.mark.flag(conduct.LOOPS)


def drawn(rng, length, features):
    """Draw as many queries as keys, with as many features as the values have columns."""
    return rng.normal(size=(3, 2, length, features))


def beside(trace, *wanted):
    """Return a trace with the gradients that are right, all of them as one array."""
    received = trace.result if isinstance(trace.result, (tuple, list)) else [trace.result]
    fits = len(received) == len(wanted) and all(
        isinstance(got, np.ndarray) and (got.shape, got.dtype) == (right.shape, np.float64)
        for got, right in zip(received, wanted, strict=False)
    )
    if not fits:
        return trace
    one = replace(trace, result=np.concatenate([got.ravel() for got in received]))
    return one.beside(np.concatenate([right.ravel() for right in wanted]))


@pytest.mark.item("week6.attention")
def test_attention(student, rng):
    """Attention works on all queries and keys at once."""

    def run(length, features):
        Q, K, V = drawn(rng, length, features)
        attention = student.attention
        return {
            "attention_weights": student.trace(attention.attention_weights, Q, K),
            "scaled_dot_product_attention": student.trace(
                attention.scaled_dot_product_attention, Q, K, V
            ),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week6.attention_backward")
def test_attention_backward(student, rng):
    """attention_backward works on all queries and keys at once, and derives the gradients."""

    def run(length, features):
        Q, K, V = drawn(rng, length, features)
        grad = rng.normal(size=Q.shape)
        trace = student.trace(student.attention.attention_backward, grad, Q, K, V)
        return {"attention_backward": beside(trace, *formulas.backward(grad, Q, K, V))}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week6.positions")
def test_positions(student):
    """Mask and positions are made as whole arrays."""

    def run(length, columns):
        return {
            "causal_mask": student.trace(student.attention.causal_mask, length),
            "sinusoidal_positions": student.trace(
                student.attention.sinusoidal_positions, length, columns
            ),
        }

    conduct.on_whole_arrays(run)
