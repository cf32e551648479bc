"""Recurrent layers as chains of cells: one object for each step, which knows its own way back."""

import numpy as np


def sigmoid(z):
    """Return 1 / (1 + exp(-z)); -z is cut off where exp would overflow."""
    return 1 / (1 + np.exp(np.minimum(-z, 80)))


class _Chain:
    """What both layers have in common: cells one after the other, and sums over them."""

    blocks = 1
    kept = 1

    def _create(self, input_size, hidden_size, rng, dtype):
        rng = np.random.default_rng(rng)
        self.hidden = hidden_size
        wide = self.blocks * hidden_size
        self.Wx = np.asarray(rng.standard_normal((input_size, wide)) * input_size**-0.5, dtype)
        self.Wh = np.asarray(rng.standard_normal((hidden_size, wide)) * hidden_size**-0.5, dtype)
        self.b = np.zeros(wide, dtype)

    def _run(self, x_sequence, starts):
        zeros = np.zeros((len(x_sequence[0]), self.hidden), self.Wx.dtype)
        carried = [zeros if start is None else start for start in starts]
        self.cells = []
        for x in x_sequence:
            cell = self.cell(self, x, *carried)
            carried = cell.carried
            self.cells.append(cell)
        return [cell.carried[0] for cell in self.cells]

    def _run_back(self, grad_sequence):
        self.dL_dWx, self.dL_dWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        self.dL_db = np.zeros_like(self.b)
        back, found = [np.zeros_like(one) for one in self.cells[-1].carried], []
        for cell, grad in zip(reversed(self.cells), reversed(list(grad_sequence)), strict=True):
            if grad is not None:
                back = [back[0] + grad, *back[1:]]
            dz, *passed = cell.back(*back)
            self.dL_dWx += cell.x.T @ dz
            self.dL_dWh += cell.h.T @ dz
            self.dL_db += dz.sum(0)
            back = [dz @ self.Wh.T, *passed]
            found.insert(0, dz @ self.Wx.T)
        return found, back


class RNNCell:
    """One step of an RNN."""

    def __init__(self, layer, x, h):
        self.x, self.h = x, h
        self.carried = [np.tanh(x @ layer.Wx + h @ layer.Wh + layer.b)]

    def back(self, dh):
        """Return the gradient inside of the tanh."""
        return [dh - dh * np.square(self.carried[0])]


class RNN(_Chain):
    """A chain of RNNCells."""

    cell = RNNCell

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        self._create(input_size, hidden_size, rng, dtype)

    def forward(self, x_sequence, h0=None):
        """Return the states."""
        return self._run(x_sequence, [h0])

    def backward(self, grad_sequence):
        """Return the gradients of the inputs."""
        found, [self.dL_dh0] = self._run_back(grad_sequence)
        return found


class LSTMCell:
    """One step of an LSTM, with a product for each gate."""

    def __init__(self, layer, x, h, c):
        self.x, self.h, self.c = x, h, c
        i, f, o, g = (x @ wx + h @ wh + b for wx, wh, b in layer.gates())
        self.i, self.f, self.o, self.g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        new = self.f * c + self.i * self.g
        self.squashed = np.tanh(new)
        self.carried = [self.o * self.squashed, new]

    def back(self, dh, dc):
        """Return the gradient of z, and that of the cell before."""
        dc = dc + dh * self.o * (1 - self.squashed**2)
        di, df, do, dg = dc * self.g, dc * self.c, dh * self.squashed, dc * self.i
        dz = [d * s * (1 - s) for d, s in ((di, self.i), (df, self.f), (do, self.o))]
        return [np.concatenate([*dz, dg * (1 - self.g**2)], axis=-1), dc * self.f]


class LSTM(_Chain):
    """A chain of LSTMCells. W_f, U_f and b_f are views of the forget gate's blocks, and so on."""

    blocks, cell = 4, LSTMCell

    def __init__(self, input_size, hidden_size, forget_bias=1.0, *, rng=None, dtype=np.float64):
        self._create(input_size, hidden_size, rng, dtype)
        self.b_f[...] = forget_bias

    def gates(self):
        """Return weights and biases of each block."""
        size = self.hidden
        for n in range(4):
            at = slice(n * size, (n + 1) * size)
            yield self.Wx[:, at], self.Wh[:, at], self.b[at]

    @property
    def b_f(self):
        """The forget gate's biases."""
        return self.b[self.hidden : 2 * self.hidden]

    @property
    def c_last(self):
        """The last cell."""
        return self.cells[-1].carried[1]

    def forward(self, x_sequence, h0=None, c0=None):
        """Return the states."""
        return self._run(x_sequence, [h0, c0])

    def backward(self, grad_sequence):
        """Return the gradients of the inputs."""
        found, (self.dL_dh0, self.dL_dc0) = self._run_back(grad_sequence)
        return found
