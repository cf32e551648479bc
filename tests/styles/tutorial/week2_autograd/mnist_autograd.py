"""Layers on the autograd library, and a network trained with them.

W is stored as (out_dim, in_dim), as in the layers that were written by hand.
"""

import numpy as np
from autograd import Tensor


class Layer:
    """A part of a network."""

    def parameters(self):
        """Return what is trained."""
        return [p for p in vars(self).values() if isinstance(p, Tensor) and p.requires_grad]

    def zero_grad(self):
        """Reset the gradients."""
        for p in self.parameters():
            p.zero_grad()


class LinearAutograd(Layer):
    """y = x W^T + b with W of shape (out_dim, in_dim) and b of shape (1, out_dim)."""

    def __init__(self, in_dim, out_dim):
        limit = np.sqrt(6.0 / (in_dim + out_dim))
        self.b = Tensor(np.zeros((1, out_dim)), requires_grad=True)
        self.W = Tensor(np.random.uniform(-limit, limit, (out_dim, in_dim)), requires_grad=True)

    def __call__(self, x):
        return self.b + x @ self.W.T


class ReLUAutograd(Layer):
    """max(0, x)."""

    def __call__(self, x):
        return x.relu()


class MLP(Layer):
    """Linear, ReLU, linear."""

    def __init__(self, sizes=(784, 128, 10)):
        self.layers = [
            LinearAutograd(sizes[0], sizes[1]),
            ReLUAutograd(),
            LinearAutograd(sizes[1], sizes[2]),
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        """Return the parameters of all layers."""
        return [p for layer in self.layers for p in layer.parameters()]


def softmax_loss(logits, y):
    """Return the mean cross-entropy of a batch, computed by operations of the library."""
    one_hot = np.eye(logits.shape[1])[y]
    shifted = logits - logits.data.max(axis=1, keepdims=True)
    log_sum = shifted.exp().sum(axis=1, keepdims=True).log()
    return ((log_sum - shifted) * one_hot).sum() * (1.0 / len(y))


def train(model, x, y, epochs=5, lr=0.01, batch_size=64):
    """Train by stochastic gradient descent; print the loss of each epoch."""
    for epoch in range(epochs):
        order = np.random.permutation(len(x))
        total = 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            model.zero_grad()
            loss = softmax_loss(model(Tensor(x[rows])), y[rows])
            loss.backward()
            for p in model.parameters():
                p.data = p.data - lr * p.grad
            total += float(loss.data) * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")
