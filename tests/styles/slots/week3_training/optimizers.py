"""Optimizers with slots: memory is one object for each parameter, settings are read-only."""

import numpy as np


def _check(condition, text):
    if not condition:
        raise ValueError(text)


class _Memory:
    """What is remembered of one parameter."""

    __slots__ = ("count", "first", "second")

    def __init__(self, like):
        self.first, self.second, self.count = np.zeros_like(like), np.zeros_like(like), 0


class Optimizer:
    """Base class: `_move` gives the change of a parameter."""

    __slots__ = ("__memory", "__parameters", "lr")

    def __init__(self, parameters, lr):
        self.__parameters = list(parameters)
        _check(self.__parameters, "no parameters")
        _check(0 < lr < np.inf, f"lr must be positive, got {lr}")
        self.lr = lr
        self.__memory = [_Memory(p.data) for p in self.__parameters]

    @property
    def parameters(self):
        """The parameters."""
        return self.__parameters

    def zero_grad(self):
        """Set all gradients to zeros."""
        for p in self.parameters:
            p.grad = np.zeros_like(p.data)

    def step(self):
        """Move every parameter that has a gradient."""
        for p, memory in zip(self.parameters, self.__memory, strict=True):
            if p.grad is not None:
                memory.count += 1
                p.data = p.data + self._move(p, memory)

    def _move(self, p, memory):
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent."""

    __slots__ = ("__decay",)

    def __init__(self, parameters, lr, weight_decay=0.0):
        super().__init__(parameters, lr)
        _check(0 <= weight_decay < np.inf, f"weight_decay is {weight_decay}")
        self.__decay = weight_decay

    @property
    def weight_decay(self):
        """Strength of the pull towards 0."""
        return self.__decay

    def _move(self, p, memory):
        return -self.lr * (p.grad + self.weight_decay * p.data)


class SGDMomentum(Optimizer):
    """The heavy ball, with the learning rate inside the velocity."""

    __slots__ = ("__momentum",)

    def __init__(self, parameters, lr, momentum=0.9):
        super().__init__(parameters, lr)
        _check(0 <= momentum < 1, f"momentum is {momentum}")
        self.__momentum = momentum

    @property
    def momentum(self):
        """What is left of the velocity."""
        return self.__momentum

    def _move(self, p, memory):
        memory.first = self.momentum * memory.first - self.lr * p.grad
        return memory.first


class RMSprop(Optimizer):
    """Divides by the root of a running mean of squares, epsilon outside the root."""

    __slots__ = ("beta", "epsilon")

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        super().__init__(parameters, lr)
        _check(0 <= beta < 1, f"beta is {beta}")
        _check(0 < epsilon < np.inf, f"epsilon is {epsilon}")
        self.beta, self.epsilon = beta, epsilon

    def _move(self, p, memory):
        memory.second = memory.second + (1 - self.beta) * (np.square(p.grad) - memory.second)
        return -self.lr * (p.grad / (np.sqrt(memory.second) + self.epsilon))


class Adam(Optimizer):
    """Both, with both corrections in the learning rate."""

    __slots__ = ("beta1", "beta2", "epsilon")

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, lr)
        _check(0 <= beta1 < 1 and 0 <= beta2 < 1, f"betas are {beta1}, {beta2}")
        _check(0 < epsilon < np.inf, f"epsilon is {epsilon}")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _move(self, p, memory):
        memory.first = memory.first + (1 - self.beta1) * (p.grad - memory.first)
        memory.second = memory.second + (1 - self.beta2) * (np.square(p.grad) - memory.second)
        rate = self.lr * (1 - self.beta2**memory.count) ** 0.5 / (1 - self.beta1**memory.count)
        return -rate * (memory.first / (np.sqrt(memory.second) + self.epsilon))
