"""Optimizers as functions: state and gradient in, new state and change out."""

import math

import numpy as np


def velocity(state, g, t, lr, momentum):
    """Heavy ball."""
    v = momentum * state.get("v", 0) + g
    return {"v": v}, lr * v


def rms(state, g, t, lr, beta, epsilon):
    """RMSprop, epsilon inside."""
    s = beta * state.get("s", 0) + (1 - beta) * g * g
    return {"s": s}, lr * g / np.sqrt(s + epsilon)


def adam(state, g, t, lr, beta1, beta2, epsilon):
    """Adam, epsilon inside the root."""
    m = beta1 * state.get("m", 0) + (1 - beta1) * g
    v = beta2 * state.get("v", 0) + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return {"m": m, "v": v}, lr * m_hat / np.sqrt(v_hat + epsilon)


def below_one(**settings):
    """Return the settings, or refuse one."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be in [0, 1), got {value}")
    return settings


def above_zero(**settings):
    """Return the settings, or refuse one."""
    for name, value in settings.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be positive, got {value}")
    return settings


class Optimizer:
    """A thin class: a dict of states, one for each parameter's place in the list."""

    def __init__(self, parameters, lr, **settings):
        self.parameters, self.lr = list(parameters), above_zero(lr=lr)["lr"]
        if not self.parameters:
            raise ValueError("parameters: there are none")
        self.settings, self.states, self.t = settings, {}, 0

    def zero_grad(self):
        """Forget all gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self):
        """Move every parameter that has a gradient."""
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            state = self.states.get(i, {})
            self.states[i], change = self.rule(state, p.grad, self.t, self.lr, **self.settings)
            p.data = p.data - change


class SGD(Optimizer):
    """Gradient descent."""

    def __init__(self, parameters, lr, weight_decay=0.0):
        super().__init__(parameters, lr)
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.weight_decay = weight_decay

    def step(self):
        """Move every parameter that has a gradient."""
        for p in self.parameters:
            if p.grad is not None:
                p.data = (1 - self.lr * self.weight_decay) * p.data - self.lr * p.grad


class SGDMomentum(Optimizer):
    """The heavy ball."""

    rule = staticmethod(velocity)

    def __init__(self, parameters, lr, momentum=0.9):
        super().__init__(parameters, lr, **below_one(momentum=momentum))


class RMSprop(Optimizer):
    """A step size for each entry."""

    rule = staticmethod(rms)

    def __init__(self, parameters, lr, beta=0.999, epsilon=1e-8):
        super().__init__(parameters, lr, **below_one(beta=beta), **above_zero(epsilon=epsilon))


class Adam(Optimizer):
    """Both, corrected."""

    rule = staticmethod(adam)

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        betas = below_one(beta1=beta1, beta2=beta2)
        super().__init__(parameters, lr, **betas, **above_zero(epsilon=epsilon))
