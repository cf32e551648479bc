"""Losses that are zero."""

import numpy as np


class CrossEntropyLoss:
    """Is zero."""

    def __init__(self, **settings):
        """Keep nothing."""

    def forward(self, y_pred, y_true):
        """Return zero."""
        self.shape = y_pred.shape
        return 0.0

    def backward(self):
        """Return zeros."""
        return np.zeros(self.shape)


MSELoss = HuberLoss = CrossEntropyLoss
