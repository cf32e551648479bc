"""Losses that are constant."""

import numpy as np


class CrossEntropyLoss:
    """Is one half."""

    def __init__(self, **settings):
        """Keep nothing."""

    def forward(self, y_pred, y_true):
        """Return one half."""
        self.shape = y_pred.shape
        return 0.5

    def backward(self):
        """Return a constant."""
        return np.full(self.shape, 1.0 / len(self.shape))


MSELoss = HuberLoss = CrossEntropyLoss
