"""Batch normalization."""

import numpy as np


class BatchNorm1d:
    """Normalize each feature over the batch, then scale and shift it."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        """Start with gamma 1, beta 0 and running statistics of 0 and 1."""
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.training = True

    def train(self):
        """Use the statistics of the batch."""
        self.training = True

    def eval(self):
        """Use the running statistics."""
        self.training = False

    def forward(self, x):
        """Normalize, scale and shift."""
        if self.training:
            self.mean = x.mean(axis=0)
            self.var = x.var(axis=0)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * self.mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * self.var
        else:
            self.mean = self.running_mean
            self.var = self.running_var
        self.x = x
        self.x_hat = (x - self.mean) / np.sqrt(self.var + self.eps)
        return self.gamma * self.x_hat + self.beta

    def backward(self, dL_dy):
        """Return dL/dx; keep dL/dgamma and dL/dbeta."""
        N = dL_dy.shape[0]
        self.dL_dgamma = np.sum(dL_dy * self.x_hat, axis=0)
        self.dL_dbeta = np.sum(dL_dy, axis=0)
        dx_hat = dL_dy * self.gamma
        std_inv = 1 / np.sqrt(self.var + self.eps)
        dvar = np.sum(dx_hat * (self.x - self.mean), axis=0) * -0.5 * std_inv**3
        dmean = -np.sum(dx_hat * std_inv, axis=0)
        dmean += dvar * np.mean(-2 * (self.x - self.mean), axis=0)
        return dx_hat * std_inv + dvar * 2 * (self.x - self.mean) / N + dmean / N
