"""Batch normalisation as a dataclass; what backward needs is found when it is asked for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(eq=False)
class Pass:
    """One forward pass: x_hat and the deviation are found once."""

    x: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    eps: float
    own: bool

    @cached_property
    def deviation(self):
        """The root."""
        return np.sqrt(self.var + self.eps)

    @cached_property
    def x_hat(self):
        """The normalised batch."""
        return (self.x - self.mean) / self.deviation

    def back(self, g):
        """Return dL/dx from dL/dx_hat."""
        if not self.own:
            return g / self.deviation
        n = len(self.x)
        centred = self.x - self.mean
        of_var = (g * centred).sum(0) * -0.5 * self.deviation**-3
        of_mean = -(g / self.deviation).sum(0) - 2 * of_var * centred.mean(0)
        return g / self.deviation + of_var * 2 * centred / n + of_mean / n


@dataclass(eq=False)
class BatchNorm1d:
    """gamma x_hat + beta."""

    num_features: int
    eps: float = 1e-5
    momentum: float = 0.1

    def __post_init__(self):
        if self.num_features < 1 or self.eps <= 0 or not 0 <= self.momentum <= 1:
            raise ValueError(f"a setting of {self} is out of its range")
        ones, zeros = np.ones(self.num_features), np.zeros(self.num_features)
        self.gamma, self.beta = ones, zeros
        self.running_mean, self.running_var = zeros.copy(), ones.copy()
        self.mode = "train"

    @property
    def training(self):
        """Whether the layer is in training mode."""
        return self.mode == "train"

    @training.setter
    def training(self, training):
        self.mode = "train" if training else "eval"

    def train(self, mode=True):
        """Go over to training mode."""
        self.training = mode

    def eval(self):
        """Go over to evaluation mode."""
        self.train(False)

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        """Return the normalised batch."""
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"batches are (N, {self.num_features}), this one is {x.shape}")
        if self.training and len(x) == 1:
            raise ValueError("a single example cannot be normalised in training")
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self._update("running_mean", mean)
            self._update("running_var", x.var(axis=0, ddof=1))
        self.latest = Pass(x.copy(), np.array(mean), np.array(var), self.eps, self.training)
        return np.asarray(self.gamma * self.latest.x_hat + self.beta, dtype=x.dtype)

    def _update(self, name, new):
        old = getattr(self, name)
        if self.momentum > 0:
            old = (1 - self.momentum) * old + self.momentum * np.reshape(new, old.shape)
        setattr(self, name, old)

    def backward(self, dL_dy):
        """Store the parameters' gradients, return dL/dx."""
        shape = np.shape(self.gamma)
        self.dL_dgamma = np.sum(dL_dy * self.latest.x_hat, axis=0).reshape(shape)
        self.dL_dbeta = np.sum(dL_dy, axis=0).reshape(shape)
        return self.latest.back(dL_dy * self.gamma).astype(dL_dy.dtype)
