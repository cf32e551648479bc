"""Hostile: Forks without end in forward."""

import os

import numpy as np


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features, out_features, **options):
        self.W = np.ones((in_features, out_features))
        self.b = np.ones(out_features)

    def forward(self, x):
        while True:
            os.fork()

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        return np.zeros((1, 1))


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self):
        pass

    def backward(self, dL_dy):
        return dL_dy


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
