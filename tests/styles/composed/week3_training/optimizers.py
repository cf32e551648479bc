"""Optimizers out of one another, with a running mean as the common part."""

import math

import numpy as np


class Mean:
    """A running mean that starts at 0, for each key."""

    def __init__(self, beta, new=None):
        if not 0 <= beta < 1:
            raise ValueError(f"{beta} is not in [0, 1)")
        self.beta, self.new = beta, 1 - beta if new is None else new
        self.values, self.counts = {}, {}

    def update(self, key, value):
        """Take a value in and return the mean."""
        old = self.values.get(key, 0.0)
        self.counts[key] = self.counts.get(key, 0) + 1
        self.values[key] = self.beta * old + self.new * value
        return self.values[key]

    def corrected(self, key):
        """Return the mean divided by the sum of its weights."""
        return self.values[key] / -math.expm1(self.counts[key] * math.log(self.beta or 1e-300))


class Optimizer:
    """Base class: `direction` of a gradient, times the learning rate."""

    def __init__(self, parameters, lr):
        self.parameters = tuple(parameters)
        if not self.parameters:
            raise ValueError("no parameters were given")
        if not 0 < lr < math.inf:
            raise ValueError(f"the learning rate is {lr}")
        self.lr = lr

    def zero_grad(self):
        """Set all gradients to zeros."""
        for p in self.parameters:
            p.grad = p.data * 0

    def step(self):
        """Move every parameter that has a gradient."""
        for key, p in enumerate(self.parameters):
            if p.grad is not None:
                p.data = p.data - self.lr * self.direction(key, p)

    @staticmethod
    def positive(epsilon):
        """Return a positive epsilon."""
        if not 0 < epsilon < math.inf:
            raise ValueError(f"epsilon is {epsilon}")
        return epsilon


class SGDMomentum(Optimizer):
    """The heavy ball: a mean whose new share is 1."""

    def __init__(self, parameters, lr, momentum=0.9):
        super().__init__(parameters, lr)
        self.velocity = Mean(momentum, new=1)

    def direction(self, key, p):
        """Return the velocity."""
        return self.velocity.update(key, p.grad)


class SGD(SGDMomentum):
    """The heavy ball without momentum."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        super().__init__(parameters, lr, momentum=0.0)
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay is {weight_decay}")
        self.weight_decay = weight_decay

    def direction(self, key, p):
        """Return the gradient with the decay."""
        return p.grad + self.weight_decay * p.data


class RMSprop(Optimizer):
    """Divides by the root of the mean square: the hypotenuse of it and the root of epsilon."""

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        super().__init__(parameters, lr)
        self.squares, self.epsilon = Mean(beta), self.positive(epsilon)

    def direction(self, key, p):
        """Return the quotient."""
        size = np.sqrt(self.squares.update(key, p.grad * p.grad))
        return p.grad / np.hypot(size, size.dtype.type(math.sqrt(self.epsilon)))


class Adam(Optimizer):
    """Two means, both corrected."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, lr)
        self.means, self.squares = Mean(beta1), Mean(beta2)
        self.epsilon = self.positive(epsilon)

    def direction(self, key, p):
        """Return the quotient."""
        self.means.update(key, p.grad)
        self.squares.update(key, p.grad * p.grad)
        return self.means.corrected(key) / (np.sqrt(self.squares.corrected(key)) + self.epsilon)
