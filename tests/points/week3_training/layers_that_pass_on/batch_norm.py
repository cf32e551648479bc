"""Nothing."""

import numpy as np


class BatchNorm1d:
    def __init__(self, n, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(n), np.zeros(n)
        self.running_mean, self.running_var = np.zeros(n), np.ones(n)

    def train(self):
        pass

    def eval(self):
        pass

    def forward(self, x):
        return x

    def backward(self, g):
        self.dL_dgamma = self.dL_dbeta = g.sum(0) * 0
        return g * 0
