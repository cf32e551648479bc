"""Recurrent layers on whole arrays (T, N, D), with what backward needs in one dictionary."""

import numpy as np


def sigmoid(z):
    """Return 1 / (1 + exp(-z)), by the exponential that does not overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small)).astype(z.dtype)


def as_array(sequence):
    """Return a list of arrays as one array; an array as it is."""
    return np.array(sequence)


def with_zeros(gradients, h):
    """Return the gradients as one array, zeros in place of None."""
    full = np.zeros_like(h)
    for t in range(len(h)):
        if gradients[t] is not None:
            full[t] = gradients[t]
    return full


def rows(a):
    """Return (T, N, K) as (T N, K)."""
    return a.reshape(-1, a.shape[-1])


class RNN:
    """h_t = tanh(x_t Wx + h_{t-1} Wh + b)."""

    def __init__(self, input_size, hidden_size, *, rng=None, dtype=np.float64):
        """Uniform weights of deviation 1 / sqrt(fan-in)."""
        rng = rng if rng is not None else np.random.default_rng()
        self.D, self.H = input_size, hidden_size
        edge = np.sqrt(3 / input_size), np.sqrt(3 / hidden_size)
        self.Wx = rng.uniform(-edge[0], edge[0], (input_size, hidden_size)).astype(dtype)
        self.Wh = rng.uniform(-edge[1], edge[1], (hidden_size, hidden_size)).astype(dtype)
        self.b = np.zeros((hidden_size,), dtype=dtype)
        self.cache = {}

    def forward(self, x_sequence, h0=None):
        """Return the states, (T, N, H)."""
        x = as_array(x_sequence)
        T, N, _ = x.shape
        h = np.empty((T + 1, N, self.H), dtype=x.dtype)
        h[0] = 0 if h0 is None else h0
        for t in range(T):
            np.tanh(x[t] @ self.Wx + h[t] @ self.Wh + self.b, out=h[t + 1])
        self.cache = {"x": x, "h": h}
        return h[1:].copy()

    def backward(self, grad_sequence):
        """Return the gradients of the inputs, (T, N, D)."""
        x, h = self.cache["x"], self.cache["h"]
        dh = with_zeros(grad_sequence, h[1:])
        back = np.zeros_like(h[0])
        for t in range(len(x) - 1, -1, -1):
            dh[t] += back
            dh[t] *= (1 - h[t + 1]) * (1 + h[t + 1])
            back = dh[t] @ self.Wh.T
        self.dL_dWx = rows(x).T @ rows(dh)
        self.dL_dWh = rows(h[:-1]).T @ rows(dh)
        self.dL_db = rows(dh).sum(axis=0)
        self.dL_dh0 = back
        return dh @ self.Wx.T


class LSTM:
    """Gates in one array (T, 4, N, H): input, forget, output, candidate."""

    def __init__(self, input_size, hidden_size, forget_bias=1.0, *, rng=None, dtype=np.float64):
        """Normal weights of deviation 1 / sqrt(fan-in)."""
        rng = rng if rng is not None else np.random.default_rng()
        self.D, self.H = input_size, hidden_size
        self.Wx = rng.normal(0, input_size**-0.5, (input_size, 4 * hidden_size)).astype(dtype)
        self.Wh = rng.normal(0, hidden_size**-0.5, (hidden_size, 4 * hidden_size)).astype(dtype)
        self.b = np.repeat([0, forget_bias, 0, 0], hidden_size).astype(dtype)
        self.cache = {}

    def forward(self, x_sequence, h0=None, c0=None):
        """Return the states, (T, N, H)."""
        x = as_array(x_sequence)
        T, N, _ = x.shape
        h, c = (np.zeros((T + 1, N, self.H), dtype=x.dtype) for _ in range(2))
        gates = np.empty((T, 4, N, self.H), dtype=x.dtype)
        if h0 is not None:
            h[0] = h0
        if c0 is not None:
            c[0] = c0
        for t in range(T):
            z = np.hstack([x[t], h[t]]) @ np.vstack([self.Wx, self.Wh]) + self.b
            z = z.reshape(N, 4, self.H).transpose(1, 0, 2)
            gates[t, :3], gates[t, 3] = sigmoid(z[:3]), np.tanh(z[3])
            i, f, o, g = gates[t]
            c[t + 1] = c[t] * f + g * i
            h[t + 1] = np.tanh(c[t + 1]) * o
        self.cache = {"x": x, "h": h, "c": c, "gates": gates}
        self.c_last = c[T].copy()
        return h[1:].copy()

    def backward(self, grad_sequence):
        """Return the gradients of the inputs, (T, N, D)."""
        x, h, c, gates = (self.cache[name] for name in ("x", "h", "c", "gates"))
        direct, dz = with_zeros(grad_sequence, h[1:]), np.empty_like(gates)
        dh, dc = np.zeros_like(h[0]), np.zeros_like(c[0])
        for t in range(len(x) - 1, -1, -1):
            i, f, o, g = gates[t]
            bent = np.tanh(c[t + 1])
            dh = dh + direct[t]
            dc = dc + dh * o * (1 - bent * bent)
            dz[t] = dc * g, dc * c[t], dh * bent, dc * i
            dz[t, :3] *= gates[t, :3] - gates[t, :3] ** 2
            dz[t, 3] *= 1 - g * g
            dh = dz[t].transpose(1, 0, 2).reshape(len(dh), -1) @ self.Wh.T
            dc = dc * f
        dz = dz.transpose(0, 2, 1, 3).reshape(len(x), len(dh), -1)
        self.dL_dWx, self.dL_dWh = rows(x).T @ rows(dz), rows(h[:-1]).T @ rows(dz)
        self.dL_db, self.dL_dh0, self.dL_dc0 = rows(dz).sum(axis=0), dh, dc
        return dz @ self.Wx.T
