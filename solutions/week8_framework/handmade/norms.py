"""Normalisation: over the batch, and over the features of each example."""

from __future__ import annotations

import numpy as np

from handmade import ops
from handmade.layers import filled
from handmade.module import Module
from handmade.tensor import Tensor


def normalised(x: Tensor, axis: tuple[int, ...], eps: float) -> Tensor:
    """Return x minus its mean over some axes, divided by sqrt(variance + eps)."""
    centred = ops.subtract(x, ops.mean(x, axis, keepdims=True))
    variance = ops.mean(ops.multiply(centred, centred), axis, keepdims=True)
    return ops.multiply(centred, ops.power(ops.add(variance, eps), -0.5))


class BatchNorm(Module):
    """Normalises each feature (last axis) over all other axes; then gamma times it, plus beta.

    In evaluation mode it takes the running statistics instead of the batch's. Training updates
    them: running <- (1 - momentum) running + momentum batch, with the unbiased variance.
    """

    buffers = ("running_mean", "running_var")

    def __init__(self, features: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        """Begin with gamma 1, beta 0, running mean 0 and running variance 1."""
        super().__init__()
        self.gamma, self.beta = filled(features, 1.0), filled(features, 0.0)
        self.momentum, self.eps = momentum, eps
        self.running_mean, self.running_var = np.zeros(features), np.ones(features)

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised, of its shape."""
        if self.training:
            self._update(x.data)
            plain = normalised(x, tuple(range(x.data.ndim - 1)), self.eps)
        else:
            scale = 1.0 / np.sqrt(self.running_var + self.eps)
            plain = ops.multiply(ops.subtract(x, Tensor(self.running_mean)), Tensor(scale))
        return ops.add(ops.multiply(plain, self.gamma), self.beta)

    def _update(self, x: np.ndarray) -> None:
        rows, share = x.reshape(-1, x.shape[-1]), self.momentum
        self.running_mean = (1.0 - share) * self.running_mean + share * rows.mean(axis=0)
        self.running_var = (1.0 - share) * self.running_var + share * rows.var(axis=0, ddof=1)


class LayerNorm(Module):
    """Normalises the features (last axis) of each example; then gamma times them, plus beta."""

    def __init__(self, features: int, eps: float = 1e-5) -> None:
        """Begin with gamma 1 and beta 0."""
        super().__init__()
        self.gamma, self.beta, self.eps = filled(features, 1.0), filled(features, 0.0), eps

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised, of its shape."""
        return ops.add(ops.multiply(normalised(x, (-1,), self.eps), self.gamma), self.beta)
