"""Optimizers in another correct style: state in dicts made on first use, data changed in place."""

import math
from types import SimpleNamespace

import numpy as np


class Parameter:
    """A parameter and its gradient."""

    def __init__(self, data, grad=None):
        """Keep both."""
        self.data = data
        self.grad = grad


def check(right, text):
    """Raise a ValueError unless `right`."""
    if not right:
        raise ValueError(text)


class Optimizer:
    """Loops over the parameters; a subclass says how one of them moves."""

    def __init__(self, parameters, lr):
        """Keep them."""
        self.parameters = tuple(parameters)
        check(self.parameters, "no parameters")
        check(lr > 0, f"learning rate {lr}")
        self.lr = lr
        self.state = {}

    def zero_grad(self):
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None if p.grad is None else 0 * p.grad

    def step(self):
        """Move what has a gradient."""
        for p in self.parameters:
            if p.grad is not None:
                memory = self.state.setdefault(id(p), SimpleNamespace())
                p.data -= self.change(p, memory)

    def change(self, p, memory):
        """Return what to subtract."""
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        """Keep the settings."""
        super().__init__(parameters, lr)
        check(weight_decay >= 0, "weight_decay below 0")
        self.weight_decay = weight_decay

    def change(self, p, memory):
        """Return lr (grad + weight_decay data)."""
        return self.lr * p.grad + self.lr * self.weight_decay * p.data


class SGDMomentum(Optimizer):
    """The heavy ball."""

    def __init__(self, parameters, lr, momentum=0.9):
        """Keep the settings."""
        super().__init__(parameters, lr)
        check(0 <= momentum < 1, "momentum")
        self.momentum = momentum

    def change(self, p, memory):
        """Return lr v, where the first v is a copy of the gradient."""
        old = getattr(memory, "v", None)
        memory.v = p.grad.copy() if old is None else p.grad + self.momentum * old
        return self.lr * memory.v


class RMSprop(Optimizer):
    """Divides by the root of a mean square."""

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        """Keep the settings."""
        super().__init__(parameters, lr)
        check(0 <= beta < 1, "beta")
        check(epsilon > 0, "epsilon")
        self.beta, self.epsilon = beta, epsilon

    def change(self, p, memory):
        """Return lr g / (sqrt(s) + epsilon)."""
        old = getattr(memory, "s", 0.0)
        memory.s = old + (1 - self.beta) * (p.grad * p.grad - old)
        return self.lr * p.grad / (np.sqrt(memory.s) + self.epsilon)


class Adam(Optimizer):
    """Counts steps for the whole optimizer, and puts the corrections where they cost least."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        """Keep the settings."""
        super().__init__(parameters, lr)
        check(0 <= beta1 < 1 and 0 <= beta2 < 1, "betas")
        check(epsilon > 0, "epsilon")
        self.betas, self.epsilon, self.t = (beta1, beta2), epsilon, 0

    def step(self):
        """Count once, then as ever."""
        self.t += 1
        super().step()

    def change(self, p, memory):
        """Return lr m_hat / (sqrt(v_hat) + epsilon)."""
        b1, b2 = self.betas
        memory.m = b1 * getattr(memory, "m", 0.0) + (1 - b1) * p.grad
        memory.v = b2 * getattr(memory, "v", 0.0) + (1 - b2) * np.square(p.grad)
        root = np.sqrt(memory.v) / math.sqrt(1 - b2**self.t) + self.epsilon
        return self.lr / (1 - b1**self.t) * memory.m / root
