"""Losses with slots: value and gradient are both found in the forward pass."""

import numpy as np


def check_same_shape(y_pred, y_true):
    """Refuse shapes that NumPy would broadcast."""
    if y_pred.shape != y_true.shape:
        raise ValueError(f"predictions {y_pred.shape}, targets {y_true.shape}")


class _Loss:
    __slots__ = ("__gradient",)

    def _keep(self, gradient):
        self.__gradient = gradient

    def backward(self):
        """Return a copy of the gradient that the latest forward pass has found."""
        return self.__gradient.copy()


class MSELoss(_Loss):
    """Mean over all elements of the squared difference."""

    __slots__ = ()

    def forward(self, y_pred, y_true):
        """Return the loss, keep the gradient."""
        check_same_shape(y_pred, y_true)
        r = (y_pred - y_true).astype(y_pred.dtype, copy=False)
        self._keep(2 * r / r.size)
        return float(np.vdot(r, r) / r.size)


class HuberLoss(_Loss):
    """A parabola near 0, straight lines beyond delta."""

    __slots__ = ("__delta",)

    def __init__(self, delta=1.0):
        if not delta > 0:
            raise ValueError("delta must be positive")
        self.__delta = delta

    @property
    def delta(self):
        """Where the parabola ends."""
        return self.__delta

    def forward(self, y_pred, y_true):
        """Return the loss, keep the gradient."""
        check_same_shape(y_pred, y_true)
        r = (y_pred - y_true).astype(y_pred.dtype, copy=False)
        inner = np.clip(r, -self.delta, self.delta)
        self._keep(inner / r.size)
        return float(np.sum(inner * (r - inner / 2)) / r.size)


class CrossEntropyLoss(_Loss):
    """Mean over the batch of -log softmax; or of -log p where p are probabilities."""

    __slots__ = ("__from_probabilities",)

    def __init__(self, from_probabilities=False):
        self.__from_probabilities = bool(from_probabilities)

    @property
    def from_probabilities(self):
        """Whether the softmax is switched off."""
        return self.__from_probabilities

    @staticmethod
    def _rows(targets, logits):
        if logits.ndim != 2:
            raise ValueError(f"logits must have two axes, not {logits.shape}")
        count, classes = logits.shape
        if targets.shape == (count, classes):
            return targets.astype(logits.dtype)
        if targets.shape != (count,):
            raise ValueError(f"targets {targets.shape} do not fit logits {logits.shape}")
        if np.any(targets < 0) or np.any(targets >= classes):
            raise ValueError(f"labels must be from 0 to {classes - 1}")
        return (targets[:, None] == np.arange(classes)).astype(logits.dtype)

    def forward(self, logits, targets):
        """Return the loss, keep the gradient."""
        hot, count = self._rows(targets, logits), len(logits)
        if self.from_probabilities:
            p = np.maximum(logits, np.finfo(logits.dtype).tiny)
            self._keep(-hot / (count * p))
            return float(-(hot * np.log(p)).sum() / count)
        shifted = logits - logits.max(axis=1, keepdims=True)
        powers = np.exp(shifted)
        sums = powers.sum(axis=1, keepdims=True)
        self._keep((powers / sums - hot) / count)
        return float((np.log(sums)[:, 0] - (hot * shifted).sum(axis=1)).mean())
