"""Losses as functions that return a value and a closure for the gradient."""

import numpy as np


def check_same_shape(y_pred, y_true):
    """Refuse different shapes."""
    if np.shape(y_pred) != np.shape(y_true):
        raise ValueError(f"shapes differ: {np.shape(y_pred)} and {np.shape(y_true)}")


def squared(p, t):
    """Sum over the features, mean over the batch, of the squared difference."""
    check_same_shape(p, t)
    n, r = (len(p) if np.ndim(p) > 1 else np.size(p)), p - t
    return float(np.sum(r * r) / n), lambda: (r * 2 / n).astype(p.dtype)


def huber(p, t, delta):
    """Sum over the features, mean over the batch, of the Huber function."""
    check_same_shape(p, t)
    n, r = (len(p) if np.ndim(p) > 1 else np.size(p)), p - t
    far = np.abs(r) > delta
    value = np.where(far, delta * (np.abs(r) - delta / 2), r * r / 2)
    slope = np.where(far, delta * np.sign(r), r) / n
    return float(value.sum() / n), lambda: slope.astype(p.dtype)


def class_indices(targets, scores):
    """Return weights of the classes, one row for each example, of the scores' dtype."""
    if np.ndim(scores) != 2:
        raise ValueError(f"expected a matrix of scores, got shape {np.shape(scores)}")
    if np.shape(targets) == np.shape(scores):
        return np.asarray(targets, scores.dtype)
    if np.shape(targets) != scores.shape[:1]:
        raise ValueError(f"targets have shape {np.shape(targets)}, scores {scores.shape}")
    if len(targets) and not (targets.min() >= 0 and targets.max() < scores.shape[1]):
        raise ValueError(f"a label is not in 0..{scores.shape[1] - 1}")
    return np.eye(scores.shape[1], dtype=scores.dtype)[targets]


def log_softmax(z):
    """Return the logarithms of the probabilities."""
    z = z - np.max(z, axis=1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))


def of_logits(z, targets):
    """Cross-entropy of logits."""
    hot, logs = class_indices(targets, z), log_softmax(z)
    chosen = np.where(hot != 0, hot * logs, 0)
    return float(-np.sum(chosen) / len(z)), lambda: (np.exp(logs) - hot) / len(z)


def of_probabilities(p, targets):
    """Cross-entropy of probabilities."""
    hot, p = class_indices(targets, p), np.fmax(p, np.finfo(p.dtype).tiny)
    return float(-np.sum(hot * np.log(p)) / len(p)), lambda: -hot / (len(p) * p)


class _Loss:
    """Keeps the closure of the latest forward pass."""

    def forward(self, predictions, targets):
        """Return the loss."""
        value, self.backward = self.function(predictions, targets)
        return value


class MSELoss(_Loss):
    """Squared differences."""

    function = staticmethod(squared)


class HuberLoss(_Loss):
    """Squared near 0, linear beyond delta."""

    def __init__(self, delta=1.0):
        if delta <= 0:
            raise ValueError(f"delta is {delta}, but must be positive")
        self.function = lambda p, t: huber(p, t, delta)


class CrossEntropyLoss(_Loss):
    """Of logits, or of probabilities."""

    def __init__(self, from_probabilities=False):
        self.function = of_probabilities if from_probabilities else of_logits
