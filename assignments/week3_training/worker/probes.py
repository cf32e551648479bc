"""A parameter for an optimizer to move."""

from __future__ import annotations

import numpy as np


class Parameter:
    """Something to optimize: `data`, and its gradient `grad` (arrays, or None for no gradient)."""

    requires_grad = True  # as tensors of week 2 say

    def __init__(self, data: np.ndarray, grad: np.ndarray | None = None) -> None:
        self.data, self.grad = data.copy(), None if grad is None else grad.copy()

    def overwrite(self, grad: np.ndarray) -> None:
        """Write the next gradient into the array that holds the present one."""
        self.grad[...] = grad


PROBES: dict[str, object] = {"parameter": Parameter}
