"""A layer with large parameters."""

import numpy as np


class Linear:
    """Holds much."""

    def __init__(self, in_features, out_features, *, rng=None):
        """Make much."""
        self.W, self.b = np.ones((3_000_000, 1, 1)), np.ones((3_000_000, 1))

    def forward(self, x):
        """Return much."""
        return self.W

    def backward(self, dL_dy):
        """Return much."""
        self.dL_dW, self.dL_db = self.W, self.b
        return self.W
