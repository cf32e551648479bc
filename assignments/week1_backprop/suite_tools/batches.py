"""A batch of a student's minibatch_indices: one-dimensional, and no longer than the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.suite import expect


def indices(label: str, part: Any, count: int) -> np.ndarray:
    """Return a batch as an array (n,) with n <= count, or fail."""
    shape = expect.shape_of(label, part)
    lengths = [n for n in range(count + 1) if shape == (n,)]
    message = f"expected at most {count} indices in one dimension, got shape {shape}."
    expect.that(label, bool(lengths), message)
    return expect.array(label, part, (lengths[0],))
