"""Batch normalisation as functions; the class keeps a closure for the way back."""

import numpy as np


def normalised(x, eps):
    """Return x_hat, mean, variance, and the way back through all three."""
    mean = np.einsum("nd->d", x) / len(x)
    centred = x - mean
    var = np.einsum("nd,nd->d", centred, centred) / len(x)
    scale = 1 / np.sqrt(var + eps)
    x_hat = centred * scale

    def back(g):
        through = np.einsum("nd,nd->d", g, x_hat) / len(x)
        return scale * (g - np.einsum("nd->d", g) / len(x) - x_hat * through)

    return x_hat, mean, var, back


def standardised(x, mean, var, eps):
    """Return x_hat by given statistics, and the way back."""
    scale = 1 / np.sqrt(var + eps)
    return (x - mean) * scale, lambda g: g * scale


class BatchNorm1d:
    """gamma x_hat + beta."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        for right, name in ((num_features >= 1, "num_features"), (eps > 0, "eps"),
                            (0 <= momentum <= 1, "momentum")):  # fmt: skip
            if not right:
                raise ValueError(f"{name} is out of range")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.gamma, self.running_var = np.ones(num_features), np.ones(num_features)
        self.beta, self.running_mean = np.zeros(num_features), np.zeros(num_features)
        self.modes = {"train": self._by_batch, "eval": self._by_running}
        self.train()

    def train(self):
        """Choose the training pass."""
        self.pass_ = self.modes["train"]

    def eval(self):
        """Choose the evaluation pass."""
        self.pass_ = self.modes["eval"]

    training = property(lambda self: self.pass_ == self._by_batch)

    def _by_batch(self, x):
        if len(x) < 2:
            raise ValueError("a batch needs two examples; call eval() for one")
        x_hat, mean, var, back = normalised(x, self.eps)
        if self.momentum:
            blend = lambda old, new: old + self.momentum * (new.reshape(old.shape) - old)  # noqa: E731
            self.running_mean = blend(self.running_mean, mean)
            self.running_var = blend(self.running_var, var)
        return x_hat, back

    def _by_running(self, x):
        return standardised(x, self.running_mean, self.running_var, self.eps)

    def forward(self, x):
        """Return the normalised batch."""
        if np.shape(x)[1:] != (self.num_features,):
            raise ValueError(f"expected (N, {self.num_features}), got {np.shape(x)}")
        x_hat, back = self.pass_(x)
        gamma = self.gamma

        def backward(dL_dy):
            self.dL_dgamma = np.sum(dL_dy * x_hat, axis=0).reshape(gamma.shape)
            self.dL_dbeta = np.sum(dL_dy, axis=0).reshape(gamma.shape)
            return back(gamma * dL_dy).astype(dL_dy.dtype)

        self.backward = backward
        return (gamma * x_hat + self.beta).astype(x.dtype)
