"""Optimizers."""

import numpy as np


class Optimizer:
    """Base class of all optimizers."""

    def __init__(self, parameters, lr):
        """Keep the parameters and the learning rate."""
        self.parameters = parameters
        self.lr = lr

    def step(self):
        """Update all parameters."""
        raise NotImplementedError

    def zero_grad(self):
        """Set all gradients to zero."""
        for param in self.parameters:
            param.grad = np.zeros_like(param.grad)


class SGD(Optimizer):
    """Stochastic gradient descent."""

    def step(self):
        """Move against the gradient."""
        for param in self.parameters:
            param.data -= self.lr * param.grad


class SGDMomentum(Optimizer):
    """SGD with momentum."""

    def __init__(self, parameters, lr, momentum=0.9):
        """Start with velocities of zero."""
        super().__init__(parameters, lr)
        self.momentum = momentum
        self.velocity = [np.zeros_like(param.data) for param in parameters]

    def step(self):
        """v = momentum * v + grad, then a step along v."""
        for i, param in enumerate(self.parameters):
            self.velocity[i] = self.momentum * self.velocity[i] + param.grad
            param.data -= self.lr * self.velocity[i]


class RMSprop(Optimizer):
    """Divides by the root of a running mean of squared gradients."""

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        """Start with means of zero."""
        super().__init__(parameters, lr)
        self.beta = beta
        self.epsilon = epsilon
        self.s = [np.zeros_like(param.data) for param in parameters]

    def step(self):
        """s = beta * s + (1 - beta) * grad^2, then a step of grad / sqrt(s + epsilon)."""
        for i, param in enumerate(self.parameters):
            self.s[i] = self.beta * self.s[i] + (1 - self.beta) * param.grad**2
            param.data -= self.lr * param.grad / np.sqrt(self.s[i] + self.epsilon)


class Adam(Optimizer):
    """Adam: momentum and RMSprop with bias correction."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        """Start with moments of zero."""
        super().__init__(parameters, lr)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = [np.zeros_like(param.data) for param in parameters]
        self.v = [np.zeros_like(param.data) for param in parameters]
        self.t = 0

    def step(self):
        """Update the moments, correct their bias, take a step."""
        self.t += 1
        for i, param in enumerate(self.parameters):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * param.grad
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * param.grad**2
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            param.data -= self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)
