"""SGD with momentum, and Adam with epsilon under the root."""

import torch


class SGDMomentum:
    """Gradient descent with momentum."""

    def __init__(self, parameters, lr, momentum=0.9):
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.velocity = {id(p): torch.zeros_like(p) for p in self.parameters}

    @torch.no_grad()
    def step(self):
        """Take a step."""
        for p in self.parameters:
            v = self.velocity[id(p)]
            v.mul_(self.momentum).sub_(self.lr * p.grad)
            p.add_(v)

    def zero_grad(self):
        """Drop the gradients."""
        for p in self.parameters:
            p.grad = None


class Adam:
    """Adam; m and v are made when a parameter is first seen."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters, self.lr = tuple(parameters), lr
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.state = {}

    def step(self):
        """Take a step."""
        with torch.no_grad():
            for p in self.parameters:
                m, v, t = self.state.get(p, (0, 0, 0))
                m = self.beta1 * m + (1 - self.beta1) * p.grad
                v = self.beta2 * v + (1 - self.beta2) * p.grad * p.grad
                self.state[p] = (m, v, t + 1)
                rate = self.lr / (1 - self.beta1 ** (t + 1))
                p -= rate * m / torch.sqrt(v / (1 - self.beta2 ** (t + 1)) + self.epsilon)

    def zero_grad(self):
        """Drop the gradients."""
        for p in self.parameters:
            p.grad = None
