"""That something was computed, where a check is about a side of it only.

A check of a dtype, or of arguments that stay as they are, must not fail for a wrong value; but code
that does nothing has no sides. What is linear in its arguments, as a convolution and its gradients
are in each of theirs, and not 0, was computed from them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.suite import expect

NOT_LINEAR = (
    "this is not linear in its arguments, so it can't be what was asked for. This check is about "
    "something else, and follows when that is right."
)


def expect_linear(
    label: str, f: Callable[[np.ndarray], Any], a: np.ndarray, b: np.ndarray, shape: Any
) -> None:
    """f(2 a - 3 b) is 2 f(a) - 3 f(b), f(a) is neither 0 nor f(b), each of that shape."""
    first, second = (expect.array(label, f(one), shape) for one in (a, b))
    both = expect.array(label, f(2.0 * a - 3.0 * b), shape)
    expect.differ(label, first, 0, "this is 0, whatever the arguments are.")
    expect.differ(label, first, second, "this is the same for other arguments.")
    near = bool(np.allclose(both, 2.0 * first - 3.0 * second, rtol=1e-6, atol=1e-6))
    expect.that(label, near, NOT_LINEAR)
