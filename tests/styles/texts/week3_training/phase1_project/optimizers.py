"""Optimizers for torch tensors."""

import torch


class Optimizer:
    """What all optimizers have."""

    def __init__(self, parameters, lr):
        self.parameters = parameters
        self.lr = lr

    def step(self):
        """Update the parameters."""
        raise NotImplementedError

    def zero_grad(self):
        """Set all gradients to zero."""
        for p in self.parameters:
            p.grad = torch.zeros_like(p)


class Adam(Optimizer):
    """Adam with bias correction."""

    def __init__(self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, lr)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]
        self.t = 0

    def step(self):
        """Update the parameters."""
        self.t += 1
        for i, p in enumerate(self.parameters):
            g = p.grad
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            p.data -= self.lr * m_hat / (torch.sqrt(v_hat) + self.epsilon)
