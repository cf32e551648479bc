"""Losses that write their gradient into a buffer, and return copies of it."""

import numpy as np


def check_same_shape(y_pred, y_true):
    """Refuse different shapes."""
    if y_pred.shape != y_true.shape:
        raise ValueError(f"predictions are {y_pred.shape}, targets {y_true.shape}")


class _Buffered:
    """Base class of the losses."""

    _buffer = None

    def _write(self, array):
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (
            array.shape, array.dtype,
        ):  # fmt: skip
            self._buffer = np.zeros(array.shape, array.dtype, order="F")
        self._buffer[...] = array
        return self._buffer

    def backward(self):
        """Return the gradient of the latest forward pass."""
        return self._buffer.copy(order="K")


class MSELoss(_Buffered):
    """Mean squared error over all elements."""

    def forward(self, y_pred, y_true):
        """Return the loss."""
        check_same_shape(y_pred, y_true)
        r = self._write(y_pred)
        r -= y_true
        loss = float(np.linalg.norm(r) ** 2 / r.size)
        r *= 2 / r.size
        return loss


class HuberLoss(_Buffered):
    """Squared near 0, linear beyond delta."""

    def __init__(self, delta=1.0):
        if delta <= 0:
            raise ValueError(f"delta must be positive: {delta}")
        self.delta = delta

    def forward(self, y_pred, y_true):
        """Return the loss."""
        check_same_shape(y_pred, y_true)
        r = self._write(y_pred)
        r -= y_true
        far = np.abs(r) > self.delta
        linear = self.delta * (np.abs(r[far]) - 0.5 * self.delta)
        loss = float((0.5 * np.square(r[~far])).sum() + linear.sum()) / r.size
        np.clip(r, -self.delta, self.delta, out=r)
        r /= r.size
        return loss


class CrossEntropyLoss(_Buffered):
    """Of logits, or of probabilities."""

    def __init__(self, from_probabilities=False):
        self.from_probabilities = from_probabilities

    def forward(self, logits, targets):
        """Return the mean over the batch."""
        labels = self._labels(logits, targets)
        rows, count = np.arange(len(logits)), len(logits)
        z = self._write(logits)
        if self.from_probabilities:
            p = np.maximum(z[rows, labels], np.finfo(z.dtype).tiny)
            z.fill(0)
            z[rows, labels] = -1 / (count * p)
            return float(np.mean(-np.log(p)))
        z -= z.max(axis=1, keepdims=True)
        chosen = z[rows, labels].copy()
        np.exp(z, out=z)
        sums = z.sum(axis=1)
        z /= sums[:, None]
        z[rows, labels] -= 1
        z /= count
        return float(np.mean(np.log(sums) - chosen))

    def _labels(self, logits, targets):
        if logits.ndim != 2:
            raise ValueError(f"logits have shape {logits.shape}, not (N, C)")
        if targets.shape == logits.shape:
            return targets.argmax(axis=1)
        if targets.shape != (len(logits),):
            raise ValueError(f"targets have shape {targets.shape}, logits {logits.shape}")
        if len(targets) and (int(targets.min()) < 0 or int(targets.max()) >= logits.shape[1]):
            raise ValueError(f"labels go from 0 to {logits.shape[1] - 1}")
        return targets.astype(np.intp)
