"""A layer with large gradients."""

import numpy as np


class Linear:
    """Holds parameters, and stores much."""

    def __init__(self, in_features, out_features, *, rng=None):
        """Keep the sizes."""
        self.W, self.b = np.zeros((out_features, in_features)), np.ones(out_features)

    def forward(self, x):
        """Return x."""
        return x

    def backward(self, dL_dy):
        """Store what fits nowhere."""
        self.dL_dW, self.dL_db = np.ones((6_000_000, 1, 1), np.uint8), np.ones((3_000_000, 1))
        return dL_dy


class ReLU(Linear):
    """The same."""

    def __init__(self):
        """Keep nothing."""


class Network:
    """A network of them."""

    def __init__(self, layers, loss_fn=None):
        """Keep the layers."""
        self.layers = list(layers)

    def forward(self, x):
        """Return much."""
        return np.ones((1_000_000, 1, 1))

    def backward(self, loss_grad):
        """Store much."""
        for layer in self.layers:
            layer.dL_dW = layer.dL_db = layer.W = layer.b = np.ones((6_000_000, 1, 1), np.uint8)
        return np.ones((1_000_000, 1, 1))

    def train_step(self, x, y, lr):
        """Store much."""
        self.backward(x)
        return np.ones((1_000_000, 1, 1))
