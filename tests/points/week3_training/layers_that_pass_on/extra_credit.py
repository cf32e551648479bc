"""Nothing."""

import numpy as np


class LayerNorm:
    def __init__(self, n, eps=1e-5):
        self.gamma, self.beta = np.ones(n), np.zeros(n)

    def forward(self, x):
        return x

    def backward(self, g):
        self.dL_dgamma = self.dL_dbeta = g.sum(0) * 0
        return g * 0
