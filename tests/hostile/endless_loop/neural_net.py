"""Hostile: Never returns from forward."""

import numpy as np


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features, out_features, **options):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        while True:
            pass

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        return dL_dy @ self.W


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self):
        pass

    def backward(self, dL_dy):
        return dL_dy


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
