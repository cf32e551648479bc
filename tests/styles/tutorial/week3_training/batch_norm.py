"""Batch normalization of the small library, with the compact gradient."""

import numpy as np


class BatchNorm1d:
    """Batch normalization for rows of features."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        """Parameters, running statistics, mode."""
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.eps = eps
        self.momentum = momentum
        self.is_training = True

    def train(self):
        """Training mode."""
        self.is_training = True
        return self

    def eval(self):
        """Evaluation mode."""
        self.is_training = False
        return self

    def track(self, mean, variance, count):
        """Let a batch into the running statistics, with the unbiased variance."""
        unbiased = variance * count / (count - 1)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (unbiased - self.running_var)

    def forward(self, x):
        """Normalize, scale, shift."""
        if self.is_training:
            mean = np.mean(x, axis=0)
            variance = np.mean((x - mean) ** 2, axis=0)
            self.track(mean, variance, len(x))
        else:
            mean, variance = self.running_mean, self.running_var
        self.inverse = (variance + self.eps) ** -0.5
        self.normal = (x - mean) * self.inverse
        return self.normal * self.gamma + self.beta

    def backward(self, dL_dy):
        """(N g - sum g - x_hat sum(g x_hat)) / (N sigma), with g = gamma dL/dy."""
        count = len(dL_dy)
        self.dL_dbeta = dL_dy.sum(axis=0)
        self.dL_dgamma = (dL_dy * self.normal).sum(axis=0)
        inner = count * dL_dy - self.dL_dbeta - self.normal * self.dL_dgamma
        return self.gamma * self.inverse / count * inner
