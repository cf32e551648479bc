"""Recurrent layers by somebody who comes from PyTorch: weights as (outputs, inputs), a tuple out.

Wx and Wh are views of these, so that whoever changes them in place changes the weights. What
backward needs is computed again from the states, and gradients are gathered step by step.
"""

import numpy as np


class Module:
    """Weights by PyTorch's names and the other way round by those of the course."""

    def reset_parameters(self, fan_in, wide, hidden, rng, dtype):
        """Draw the weights."""
        rng = rng or np.random.default_rng()
        self.weight_ih = rng.normal(scale=fan_in**-0.5, size=(wide, fan_in)).astype(dtype)
        self.weight_hh = rng.normal(scale=hidden**-0.5, size=(wide, hidden)).astype(dtype)
        self.bias = np.zeros(wide).astype(dtype)
        self.hidden_size = hidden
        self.zero_grad()

    @property
    def Wx(self):
        """The weights of the inputs, (D, wide)."""
        return self.weight_ih.T

    @Wx.setter
    def Wx(self, value):
        self.weight_ih = value.T

    @property
    def Wh(self):
        """The weights of the state, (H, wide)."""
        return self.weight_hh.T

    @Wh.setter
    def Wh(self, value):
        self.weight_hh = value.T

    @property
    def b(self):
        """The biases."""
        return self.bias

    @b.setter
    def b(self, value):
        self.bias = value

    @property
    def dL_dWx(self):
        """The gradient of Wx."""
        return self.grads["ih"].T

    @property
    def dL_dWh(self):
        """The gradient of Wh."""
        return self.grads["hh"].T

    @property
    def dL_db(self):
        """The gradient of b."""
        return self.grads["bias"]

    def zero_grad(self):
        """Begin the sums over the steps."""
        arrays = {"ih": self.weight_ih, "hh": self.weight_hh, "bias": self.bias}
        self.grads = {name: np.zeros_like(array) for name, array in arrays.items()}

    def accumulate(self, dz, x, h):
        """Add what a step contributes; return its gradients of x and h."""
        self.grads["ih"] += dz.T @ x
        self.grads["hh"] += dz.T @ h
        self.grads["bias"] += dz.sum(axis=0)
        return dz @ self.weight_ih, dz @ self.weight_hh

    def zeros(self, batch):
        """Return a state of zeros."""
        return np.zeros((batch, self.hidden_size), dtype=self.weight_ih.dtype)

    def __call__(self, *args):
        """Call forward."""
        return self.forward(*args)


class RNN(Module):
    """tanh(x W_ih^T + h W_hh^T + b)."""

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        """Create the layer."""
        self.reset_parameters(input_size, hidden_size, hidden_size, rng, dtype)

    def forward(self, x_sequence, h0=None):
        """Return the states as a tuple."""
        h = self.zeros(len(x_sequence[0])) if h0 is None else h0
        self.saved = []
        for x in x_sequence:
            new = np.tanh(x @ self.weight_ih.T + self.bias + h @ self.weight_hh.T)
            self.saved.append((x, h, new))
            h = new
        return tuple(new for _, _, new in self.saved)

    def backward(self, grad_sequence):
        """Return the gradients of the inputs as a tuple."""
        self.zero_grad()
        found, back = [], 0.0
        for (x, h, new), grad in zip(self.saved[::-1], list(grad_sequence)[::-1], strict=True):
            dh = back + (np.zeros_like(new) if grad is None else grad)
            dx, back = self.accumulate(dh * (1 - new**2), x, h)
            found.append(dx)
        self.dL_dh0 = back
        return tuple(reversed(found))


class LSTM(Module):
    """The four gates in the course's order; nothing but inputs, states and cells is kept."""

    def __init__(self, input_size, hidden_size, forget_bias=1.0, *, rng=None, dtype=np.float64):
        """Create the layer."""
        self.reset_parameters(input_size, 4 * hidden_size, hidden_size, rng, dtype)
        self.bias[hidden_size : 2 * hidden_size] = forget_bias

    def activations(self, x, h):
        """Return the gates and the candidate."""
        z = x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias
        i, f, o, g = np.array_split(z, 4, axis=1)
        return *(0.5 + 0.5 * np.tanh(gate / 2) for gate in (i, f, o)), np.tanh(g)

    def forward(self, x_sequence, h0=None, c0=None):
        """Return the states as a tuple."""
        h = self.zeros(len(x_sequence[0])) if h0 is None else h0
        c = self.zeros(len(x_sequence[0])) if c0 is None else c0
        self.saved, states = [], []
        for x in x_sequence:
            self.saved.append((x, h, c))
            i, f, o, g = self.activations(x, h)
            c = f * c + i * g
            h = o * np.tanh(c)
            states.append(h)
        self.c_last = c
        return tuple(states)

    def backward(self, grad_sequence):
        """Return the gradients of the inputs as a tuple."""
        self.zero_grad()
        found, dh, dc = [], 0.0, 0.0
        for (x, h, c), grad in zip(self.saved[::-1], list(grad_sequence)[::-1], strict=True):
            i, f, o, g = self.activations(x, h)
            squashed = np.tanh(f * c + i * g)
            dh = dh + (np.zeros_like(h) if grad is None else grad)
            dc = dc + dh * (o - o * squashed**2)
            gates = (dc * g * i * (1 - i), dc * c * f * (1 - f), dh * squashed * o * (1 - o))
            dz = np.hstack([*gates, dc * i * (1 - g**2)])
            dx, dh = self.accumulate(dz, x, h)
            dc = dc * f
            found.append(dx)
        self.dL_dh0, self.dL_dc0 = dh, dc
        return tuple(reversed(found))
