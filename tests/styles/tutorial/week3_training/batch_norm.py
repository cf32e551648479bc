"""Batch normalisation layer, step by step through the computation graph."""

import numpy as np


class BatchNorm1d:
    """Batch normalisation with rows of parameters, shape (1, D)."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma = np.ones((1, num_features))
        self.beta = np.zeros((1, num_features))
        self.running_mean = np.zeros((1, num_features))
        self.running_var = np.ones((1, num_features))
        self.dL_dgamma = np.zeros((1, num_features))
        self.dL_dbeta = np.zeros((1, num_features))
        self.mode = "train"
        self.cache = None

    def train(self):
        """Switch to training mode."""
        self.mode = "train"

    def eval(self):
        """Switch to evaluation mode."""
        self.mode = "eval"

    def forward(self, x):
        """Normalise x over the batch."""
        if self.mode == "train":
            return self._forward_train(x)
        x_hat = (x - self.running_mean) / np.sqrt(self.running_var + self.eps)
        return x_hat * self.gamma + self.beta

    def _forward_train(self, x):
        n = x.shape[0]
        mu = x.sum(axis=0, keepdims=True) / n
        xmu = x - mu
        var = (xmu**2).sum(axis=0, keepdims=True) / n
        sqrtvar = np.sqrt(var + self.eps)
        x_hat = xmu / sqrtvar
        unbiased = var * n / (n - 1)
        self.running_mean += self.momentum * (mu - self.running_mean)
        self.running_var += self.momentum * (unbiased - self.running_var)
        self.cache = (xmu, sqrtvar, x_hat)
        return x_hat * self.gamma + self.beta

    def backward(self, dL_dy):
        """Go back through the graph node by node; the cache is used up."""
        xmu, sqrtvar, x_hat = self.cache
        self.cache = None
        n = dL_dy.shape[0]
        self.dL_dbeta = dL_dy.sum(axis=0, keepdims=True)
        self.dL_dgamma = (dL_dy * x_hat).sum(axis=0, keepdims=True)
        dx_hat = dL_dy * self.gamma
        dvar = (dx_hat * xmu).sum(axis=0, keepdims=True) * -0.5 / sqrtvar**3
        dmu = -(dx_hat / sqrtvar).sum(axis=0, keepdims=True)
        return dx_hat / sqrtvar + dvar * 2 * xmu / n + dmu / n
