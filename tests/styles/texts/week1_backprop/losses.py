"""Loss functions."""

import numpy as np


class MSELoss:
    """Mean squared error."""

    def __init__(self):
        """Create the loss."""
        self.y_pred = None
        self.y_true = None

    def forward(self, y_pred, y_true):
        """Return mean((y_pred - y_true)^2)."""
        self.y_pred = y_pred
        self.y_true = y_true
        return np.mean((y_pred - y_true) ** 2)

    def backward(self):
        """Return dL/dy_pred."""
        return 2 * (self.y_pred - self.y_true) / self.y_pred.size


class CrossEntropyLoss:
    """Cross-entropy with softmax, stabilised by log-sum-exp."""

    def __init__(self):
        """Create the loss."""
        self.probs = None
        self.targets = None

    def forward(self, logits, targets):
        """Return the mean loss; targets are class indices or one-hot vectors."""
        n = logits.shape[0]
        if targets.ndim == 2:
            targets = np.argmax(targets, axis=1)
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        log_sum_exp = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        log_probs = shifted - log_sum_exp
        self.probs = np.exp(log_probs)
        self.targets = targets
        return -np.mean(log_probs[np.arange(n), targets])

    def backward(self):
        """Return (softmax - one_hot) / N."""
        n = self.probs.shape[0]
        grad = self.probs.copy()
        grad[np.arange(n), self.targets] -= 1
        return grad / n


class HuberLoss:
    """Huber loss: quadratic near zero, linear far from it."""

    def __init__(self, delta=1.0):
        """Create the loss with the threshold delta."""
        self.delta = delta
        self.diff = None

    def forward(self, y_pred, y_true):
        """Return the mean Huber loss."""
        self.diff = y_pred - y_true
        small = np.abs(self.diff) <= self.delta
        quadratic = 0.5 * self.diff**2
        linear = self.delta * (np.abs(self.diff) - 0.5 * self.delta)
        return np.mean(np.where(small, quadratic, linear))

    def backward(self):
        """Return dL/dy_pred."""
        small = np.abs(self.diff) <= self.delta
        grad = np.where(small, self.diff, self.delta * np.sign(self.diff))
        return grad / self.diff.size
