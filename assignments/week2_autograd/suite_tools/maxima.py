"""The maximum of an array as a function that `suite.derivatives` can take the gradient of."""

from __future__ import annotations

from typing import Any

import numpy as np

Axis = int | tuple[int, ...] | None


def largest(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the maximum; entries that tie for it share its derivative equally."""
    real = np.real(x)
    ties = real == real.max(axis=axis, keepdims=True)
    share = ties / ties.sum(axis=axis, keepdims=True)
    return np.sum(x * share, axis=axis, keepdims=keepdims)
