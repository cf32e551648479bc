"""Losses as dataclasses: arguments are kept, the gradient is found when it is asked for."""

from dataclasses import dataclass

import numpy as np


def check_same_shape(y_pred, y_true):
    """Refuse different shapes."""
    if y_pred.shape != y_true.shape:
        raise ValueError(f"{y_pred.shape} and {y_true.shape} are not the same shape")


class _Residual:
    """For losses of a difference."""

    def forward(self, y_pred, y_true):
        """Return the mean over all elements."""
        check_same_shape(y_pred, y_true)
        self._kept = np.subtract(y_pred, y_true, dtype=y_pred.dtype)
        return float(np.mean([np.mean(self._shares(self._kept), dtype=np.float64)]))

    def backward(self):
        """Return the gradient."""
        return self._slopes(self._kept) / self._kept.size


@dataclass
class MSELoss(_Residual):
    """Mean squared error."""

    def _shares(self, r):
        return r**2

    def _slopes(self, r):
        return 2 * r


@dataclass
class HuberLoss(_Residual):
    """Squared near 0, linear beyond delta."""

    delta: float = 1.0

    def __post_init__(self):
        if self.delta <= 0:
            raise ValueError(f"delta must be above 0, got {self.delta}")

    def _shares(self, r):
        near = np.minimum(abs(r), self.delta)
        return near * (abs(r) - near / 2)

    def _slopes(self, r):
        return np.maximum(np.minimum(r, self.delta), -self.delta)


@dataclass
class CrossEntropyLoss:
    """Of logits, or of probabilities."""

    from_probabilities: bool = False

    def forward(self, logits, targets):
        """Return the mean over the batch."""
        self._scores, self._labels = logits.copy(), self._as_rows(logits, targets)
        return float(-np.sum(self._labels * self._logs, dtype=np.float64) / len(logits))

    @property
    def _logs(self):
        if self.from_probabilities:
            return np.log(self._bounded)
        z = self._scores - self._scores.max(1, keepdims=True)
        return z - np.log(np.exp(z).sum(1, keepdims=True))

    @property
    def _bounded(self):
        return np.maximum(self._scores, np.finfo(self._scores.dtype).tiny)

    def backward(self):
        """Return the gradient of the scores."""
        count = len(self._scores)
        if self.from_probabilities:
            return -self._labels / (self._bounded * count)
        return (np.exp(self._logs) - self._labels) / count

    @staticmethod
    def _as_rows(scores, targets):
        if scores.ndim != 2 or targets.shape not in (scores.shape, scores.shape[:1]):
            raise ValueError(f"scores {scores.shape} and targets {targets.shape} do not fit")
        if targets.ndim == 2:
            return targets.astype(scores.dtype)
        if not set(np.unique(targets).tolist()) <= set(range(scores.shape[1])):
            raise ValueError(f"labels must be from 0 to {scores.shape[1] - 1}")
        rows = np.zeros_like(scores)
        rows[np.arange(len(rows)), targets] = 1
        return rows
