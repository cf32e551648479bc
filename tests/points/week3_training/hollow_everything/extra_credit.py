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


def gradient_norms(weights, x, g, activation="relu"):
    return [0.0 for _ in weights]


def activation_statistics(a):
    return [{"mean": 0.0, "deviation": 0.0, "dead": 0.0} for _ in a]


def clip_by_value(g, limit):
    return list(g)


def clip_by_norm(g, m):
    return list(g), 0.0


def initialise(*a, **k):
    return np.zeros(1)
