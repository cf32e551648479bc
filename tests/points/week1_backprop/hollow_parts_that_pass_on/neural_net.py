"""Layers that are there."""

import numpy as np


class Linear:
    """Holds parameters and computes nothing."""

    def __init__(self, in_features, out_features, *, rng=None):
        """Keep the sizes."""
        self.W, self.b = np.zeros((out_features, in_features)), np.ones(out_features)
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        """Return zeros."""
        return np.zeros((len(x), len(self.W)))

    def backward(self, dL_dy):
        """Return zeros."""
        return np.zeros((len(dL_dy), self.W.shape[1]))


class ReLU:
    """Computes nothing."""

    def forward(self, x):
        """Return x."""
        return x

    def backward(self, dL_dy):
        """Return dL_dy."""
        return dL_dy


class LeakyReLU(ReLU):
    """Computes nothing."""

    def __init__(self, alpha=0.01):
        """Keep nothing."""


class Sigmoid(ReLU):
    """Computes nothing."""


class Tanh(ReLU):
    """Computes nothing."""


class Softmax(ReLU):
    """Computes nothing."""
