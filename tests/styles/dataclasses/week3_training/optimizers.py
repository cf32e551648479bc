"""Optimizers as dataclasses; memory is made lazily, in a dict by the parameter's id."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


class RangesMixin:
    """Checks settings by the metadata of nobody: a table of names."""

    FRACTIONS = ("momentum", "beta", "beta1", "beta2")
    POSITIVE = ("lr", "epsilon")

    def check(self):
        """Raise a ValueError for what is out of range."""
        for name, value in vars(self).items():
            if name in self.FRACTIONS and not 0 <= value < 1:
                raise ValueError(f"{name}={value} is not in [0, 1)")
            if name in self.POSITIVE and not 0 < value < float("inf"):
                raise ValueError(f"{name}={value} is not positive")
        if not self.parameters:
            raise ValueError("there are no parameters")


class MemoryMixin:
    """Arrays that are made when they are first asked for."""

    def memory(self, p, name):
        """Return an array of a parameter; zeros at first."""
        table = self.memories.setdefault(id(p), {})
        if name not in table:
            table[name] = np.zeros(p.data.shape, dtype=p.data.dtype)
        return table[name]


@dataclass(eq=False)
class Optimizer(RangesMixin, MemoryMixin):
    """Base class."""

    parameters: Any
    lr: float
    memories: dict = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        self.parameters = list(self.parameters)
        self.check()

    def zero_grad(self):
        """Set all gradients to zeros, in place where there is an array."""
        for p in self.parameters:
            p.grad = np.zeros(p.data.shape, p.data.dtype)

    def step(self):
        """Move every parameter in place."""
        for p in self.parameters:
            if p.grad is not None:
                p.data -= self.change(p).astype(p.data.dtype, copy=False)


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent."""

    weight_decay: float = 0.0

    def check(self):
        """Refuse a negative decay too."""
        super().check()
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight_decay={self.weight_decay} is negative or infinite")

    def change(self, p):
        """Return what is taken away."""
        return self.lr * p.grad + self.lr * self.weight_decay * p.data


@dataclass(eq=False)
class SGDMomentum(Optimizer):
    """The heavy ball."""

    momentum: float = 0.9

    def change(self, p):
        """Return what is taken away."""
        v = self.memory(p, "v")
        v *= self.momentum
        v += p.grad
        return self.lr * v


@dataclass(eq=False)
class RMSprop(Optimizer):
    """A step size for each entry."""

    beta: float = 0.999
    epsilon: float = 1e-8

    def change(self, p):
        """Return what is taken away."""
        s = self.memory(p, "s")
        s += (1 - self.beta) * (p.grad**2 - s)
        return self.lr * p.grad * (s + self.epsilon) ** -0.5


@dataclass(eq=False)
class Adam(Optimizer):
    """Both, corrected."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def change(self, p):
        """Return what is taken away."""
        m, v, t = (self.memory(p, name) for name in ("m", "v", "t"))
        t += 1
        m += (1 - self.beta1) * (p.grad - m)
        v += (1 - self.beta2) * (p.grad**2 - v)
        corrected = np.sqrt(v / (1 - self.beta2**t)) + self.epsilon
        return self.lr * m / (1 - self.beta1**t) / corrected
