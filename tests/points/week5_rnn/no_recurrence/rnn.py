"""Layers that read each step as if it were the only one, and go back likewise."""

from __future__ import annotations

import numpy as np


def sigmoid(z):
    """Return 1 / (1 + exp(-z))."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


class RNN:
    """h_t = tanh(x_t Wx + b), and the gradients of that."""

    blocks = 1

    def __init__(self, input_size, hidden_size, forget_bias=1.0, *, rng=None, dtype=np.float64):
        """Create weights of a fixed size."""
        wide = self.blocks * hidden_size
        self.Wx = np.full((input_size, wide), 0.1, dtype)
        self.Wh = np.full((hidden_size, wide), 0.1, dtype)
        self.b = np.full(wide, 0.1, dtype)

    def forward(self, x_sequence, h0=None, c0=None):
        """Return the states."""
        self.x = np.stack(list(x_sequence))
        self.h = self.compute(self.x @ self.Wx + self.b)
        return list(self.h)

    def compute(self, z):
        """Return all states at once."""
        return np.tanh(z)

    def slope(self, direct):
        """Return the gradient of z."""
        return direct * (1 - self.h**2)

    def backward(self, grad_sequence):
        """Return the gradients of each step by itself."""
        found = [np.zeros_like(self.h[0]) if one is None else one for one in grad_sequence]
        dz = self.slope(np.stack(found))
        self.dL_dWx = np.einsum("tnd,tnh->dh", self.x, dz)
        self.dL_dWh = np.zeros_like(self.Wh)
        self.dL_db = dz.sum(axis=(0, 1))
        self.dL_dh0 = self.dL_dc0 = np.zeros_like(self.h[0])
        return list(dz @ self.Wx.T)


class LSTM(RNN):
    """c_t = i * g and h_t = o * tanh(c_t)."""

    blocks = 4

    def compute(self, z):
        """Return all states at once."""
        i, _, o, g = np.split(z, 4, axis=-1)
        self.i, self.o, self.g = sigmoid(i), sigmoid(o), np.tanh(g)
        self.c = self.i * self.g
        self.c_last = self.c[-1]
        return self.o * np.tanh(self.c)

    def slope(self, direct):
        """Return the gradient of z."""
        squashed = np.tanh(self.c)
        dc = direct * self.o * (1 - squashed**2)
        parts = [
            dc * self.g * self.i * (1 - self.i),
            np.zeros_like(dc),
            direct * squashed * self.o * (1 - self.o),
            dc * self.i * (1 - self.g**2),
        ]
        return np.concatenate(parts, axis=-1)
