"""Batch normalisation with slots; statistics are (1, D)."""

import numpy as np


class BatchNorm1d:
    """gamma x_hat + beta, feature by feature."""

    __slots__ = (
        *("gamma", "beta", "running_mean", "running_var", "__training", "__kept"),
        *("__gradients", "__settings"),
    )

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        if num_features < 1 or not eps > 0 or not 0 <= momentum <= 1:
            raise ValueError(f"settings out of range: {num_features}, {eps}, {momentum}")
        self.__settings = num_features, eps, momentum
        shape = (1, num_features)
        self.gamma, self.beta = np.ones(shape), np.zeros(shape)
        self.running_mean, self.running_var = np.zeros(shape), np.ones(shape)
        self.__gradients, self.__training = (np.zeros(shape), np.zeros(shape)), True

    num_features = property(lambda self: self.__settings[0])
    eps = property(lambda self: self.__settings[1])
    momentum = property(lambda self: self.__settings[2])
    training = property(lambda self: self.__training)
    dL_dgamma = property(lambda self: self.__gradients[0])
    dL_dbeta = property(lambda self: self.__gradients[1])

    def train(self):
        """Go over to training mode."""
        self.__training = True

    def eval(self):
        """Go over to evaluation mode."""
        self.__training = False

    def forward(self, x):
        """Return the normalised batch."""
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"x has shape {x.shape}, not (N, {self.num_features})")
        if self.training and len(x) < 2:
            raise ValueError("one example has no variance: call eval()")
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = np.mean(x, axis=0, keepdims=True)
            var = np.mean(np.square(x - mean), axis=0, keepdims=True)
            self._gather(mean, var * (len(x) / (len(x) - 1)))
        root = np.sqrt(var + self.eps).reshape(1, -1)
        x_hat = (x - mean) / root
        self.__kept = x_hat, root, self.training
        return (self.gamma * x_hat + self.beta).astype(x.dtype)

    def _gather(self, mean, var):
        if self.momentum:
            keep = 1 - self.momentum
            shape = np.shape(self.running_mean)
            new = (self.momentum * mean).reshape(shape), (self.momentum * var).reshape(shape)
            self.running_mean = keep * self.running_mean + new[0]
            self.running_var = keep * self.running_var + new[1]

    def backward(self, dL_dy):
        """Store the parameters' gradients, return dL/dx."""
        x_hat, root, batch = self.__kept
        shape = np.shape(self.gamma)
        of_gamma, of_beta = (x_hat * dL_dy).sum(axis=0), dL_dy.sum(axis=0)
        self.__gradients = of_gamma.reshape(shape), of_beta.reshape(shape)
        g = np.reshape(self.gamma, (1, -1)) * dL_dy
        if batch:
            g = g - g.mean(axis=0) - x_hat * (x_hat * g).mean(axis=0)
        return (g / root).astype(dL_dy.dtype)
