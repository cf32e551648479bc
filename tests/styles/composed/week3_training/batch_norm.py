"""Batch normalisation out of three layers: centre, scale to variance 1, stretch."""

import numpy as np


class Centre:
    """x minus its mean."""

    def forward(self, x):
        """Return x with mean 0."""
        self.mean = np.ones(len(x), x.dtype) @ x / len(x)
        return x - self.mean

    def backward(self, g):
        """Take the mean out of the gradient."""
        return g - np.ones(len(g), g.dtype) @ g / len(g)


class Scale:
    """x divided by the root of its mean square."""

    def __init__(self, eps):
        self.eps = eps

    def forward(self, x):
        """Return x with mean square 1."""
        self.var = np.square(np.linalg.norm(x, axis=0)) / len(x)
        self.y, self.inverse = x / np.sqrt(self.var + self.eps), (self.var + self.eps) ** -0.5
        return self.y

    def backward(self, g):
        """Take what goes along x out of the gradient."""
        return self.inverse * (g - self.y * (self.y * g).mean(axis=0))


class Fixed:
    """x by given statistics."""

    def __init__(self, mean, var, eps):
        self.mean, self.inverse = mean, (var + eps) ** -0.5

    def forward(self, x):
        """Return the normalised batch."""
        return (x - self.mean) * self.inverse

    def backward(self, g):
        """Return the scaled gradient."""
        return g * self.inverse


class BatchNorm1d:
    """gamma x_hat + beta."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        if not (num_features >= 1 and eps > 0 and 0 <= momentum <= 1):
            raise ValueError("num_features, eps or momentum is out of its range")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.training = True

    def train(self):
        """Go over to training mode."""
        self.training = True

    def eval(self):
        """Go over to evaluation mode."""
        self.training = False

    def forward(self, x):
        """Return the normalised batch; the biased variance goes into the running one."""
        if x.ndim != 2 or x.shape[-1] != self.num_features:
            raise ValueError(f"{x.shape} is no batch of {self.num_features} features")
        if not self.training:
            parts = [Fixed(self.running_mean, self.running_var, self.eps)]
        elif len(x) > 1:
            parts = [Centre(), Scale(self.eps)]
        else:
            raise ValueError("training needs more than one example")
        self.x_hat, self.parts = x, parts
        for part in parts:
            self.x_hat = part.forward(self.x_hat)
        if self.training:
            self.running_mean = self.blend(self.running_mean, parts[0].mean)
            self.running_var = self.blend(self.running_var, parts[1].var)
        return (self.x_hat * self.gamma + self.beta).astype(x.dtype)

    def blend(self, old, new):
        """Return old and new, mixed by the momentum."""
        if self.momentum == 0:
            return old
        shares = [1 - self.momentum, self.momentum]
        return np.average([old.ravel(), new], axis=0, weights=shares).reshape(old.shape)

    def backward(self, dL_dy):
        """Store the parameters' gradients, return dL/dx."""
        self.dL_dgamma = np.diagonal(self.x_hat.T @ dL_dy).reshape(self.gamma.shape)
        self.dL_dbeta = (np.ones(len(dL_dy), dL_dy.dtype) @ dL_dy).reshape(self.gamma.shape)
        g = dL_dy * self.gamma
        for part in reversed(self.parts):
            g = part.backward(g)
        return g.astype(dL_dy.dtype)
