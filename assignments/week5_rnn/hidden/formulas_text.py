"""A language model of characters as the examiner computes it: embedding, LSTM, linear layer, loss.

Gates are kept apart, (T, N, 4, H), so that each formula stands where it is used. Sizes: N rows of
text, T characters in each, an alphabet of V, vectors of D, states of H.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
Weights = dict[str, np.ndarray]

NAMES = ("embedding.W", "lstm.Wx", "lstm.Wh", "lstm.b", "Wy", "by")
"""The network's parameters, in the order of CharLSTM.parameters."""

LN2 = float(np.log(2.0))


def shapes(vocabulary: int, size: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter."""
    kinds = [
        (vocabulary, size),
        (size, 4 * hidden),
        (hidden, 4 * hidden),
        (4 * hidden,),
        (hidden, vocabulary),
        (vocabulary,),
    ]
    return dict(zip(NAMES, kinds, strict=True))


def drawn(rng: np.random.Generator, vocabulary: int, size: int, hidden: int) -> Weights:
    """Draw all parameters, biases too, in the sizes of a network that is about to learn."""
    found = {}
    for name, shape in shapes(vocabulary, size, hidden).items():
        scale = 1.0 if name == "embedding.W" else 1.0 / np.sqrt(shape[0])
        found[name] = rng.normal(size=shape) * (scale if len(shape) == 2 else 0.3)
    return found


def embedding_gradient(W: Array, ids: Array, dL_dy: Array) -> Array:
    """Return dL/dW of W[ids]: one-hot rows, transposed, times the gradient."""
    if ids.dtype.kind not in "iu" or dL_dy.shape != (*ids.shape, W.shape[1]):
        raise ValueError(f"{ids.shape} characters don't fit a gradient of shape {dL_dy.shape}")
    hot = np.arange(len(W))[:, None] == ids.reshape(1, -1)
    return hot.astype(np.float64) @ dL_dy.reshape(-1, W.shape[1])


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z))."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


class Reading:
    """What an LSTM computes while it reads x, (T, N, D), from h0 and c0, (N, H); None: zeros."""

    def __init__(self, x: Array, Wx: Array, Wh: Array, b: Array, h0: Any, c0: Any) -> None:
        hidden = len(Wh)
        if x.ndim != 3 or x.shape[2] != len(Wx) or not len(x):
            raise ValueError(f"expected inputs (T, N, {len(Wx)}), got an array of shape {x.shape}")
        steps, rows, _ = x.shape
        for start in (h0, c0):
            if start is not None and start.shape != (rows, hidden):
                raise ValueError(f"expected a state ({rows}, {hidden}), got {start.shape}")
        self._x, self._Wx, self._Wh = x, Wx, Wh
        self.h = np.zeros((steps + 1, rows, hidden))
        self.c = np.zeros_like(self.h)
        self.h[0] = 0.0 if h0 is None else h0
        self.c[0] = 0.0 if c0 is None else c0
        self._gates = np.zeros((steps, rows, 4, hidden))
        inputs = x @ Wx + b
        for t in range(steps):
            z = (inputs[t] + self.h[t] @ Wh).reshape(rows, 4, hidden)
            self._gates[t, :, :3], self._gates[t, :, 3] = sigmoid(z[:, :3]), np.tanh(z[:, 3])
            i, f, o, g = np.moveaxis(self._gates[t], 1, 0)
            self.c[t + 1] = f * self.c[t] + i * g
            self.h[t + 1] = o * np.tanh(self.c[t + 1])

    def gradients(self, direct: Array) -> tuple[Array, ...]:
        """Return dL/dx, dL/dWx, dL/dWh, dL/db, dL/dh0, dL/dc0; `direct`: (T, N, H)."""
        if direct.shape != self.h[1:].shape:
            raise ValueError(f"expected gradients {self.h[1:].shape}, got {direct.shape}")
        slopes = np.zeros_like(self._gates)
        dh, dc = np.zeros_like(self.h[0]), np.zeros_like(self.c[0])
        for t in reversed(range(len(direct))):
            i, f, o, g = np.moveaxis(self._gates[t], 1, 0)
            bent = np.tanh(self.c[t + 1])
            dh = dh + direct[t]
            dc = dc + dh * o * (1.0 - bent * bent)
            slopes[t, :, 0] = dc * g * i * (1.0 - i)
            slopes[t, :, 1] = dc * self.c[t] * f * (1.0 - f)
            slopes[t, :, 2] = dh * bent * o * (1.0 - o)
            slopes[t, :, 3] = dc * i * (1.0 - g * g)
            dh, dc = slopes[t].reshape(len(dh), -1) @ self._Wh.T, dc * f
        dz = slopes.reshape(*direct.shape[:2], -1)
        flat = dz.reshape(-1, dz.shape[2])
        dWx = self._x.reshape(-1, self._x.shape[2]).T @ flat
        dWh = self.h[:-1].reshape(-1, direct.shape[2]).T @ flat
        return dz @ self._Wx.T, dWx, dWh, flat.sum(axis=0), dh, dc


def log_softmax(logits: Array) -> Array:
    """Return ln softmax along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def sequence_loss(logits: Array, targets: Array) -> tuple[float, Array]:
    """Return the mean cross-entropy of all places, and its gradient."""
    if targets.dtype.kind not in "iu" or logits.shape[:-1] != targets.shape:
        raise ValueError(f"logits {logits.shape} don't fit targets {targets.shape}")
    logs = log_softmax(logits)
    hot = np.arange(logits.shape[-1]) == targets[..., None]
    return -float(logs[hot].mean()), (np.exp(logs) - hot) / targets.size


def clipped(grads: Sequence[Array], limit: float) -> list[Array]:
    """Return gradients that are together no longer than the limit."""
    length = float(np.sqrt(sum(float(np.vdot(one, one)) for one in grads)))
    return [one * min(1.0, limit / length) if length else one for one in grads]


class Model:
    """The whole network, with the examiner's weights and the state in which it stopped reading."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = {name: np.array(weights[name], dtype=np.float64) for name in NAMES}
        self.state: tuple[Array, Array] | None = None
        self._sums = {name: np.zeros_like(self.weights[name]) for name in NAMES}

    def forward(self, ids: Array) -> Array:
        """Read ids, (N, T), from the state; return logits, (N, T, V)."""
        w = self.weights
        h0, c0 = self.state or (None, None)
        self._ids = ids.T
        lstm = (w["lstm.Wx"], w["lstm.Wh"], w["lstm.b"])
        self._read = Reading(w["embedding.W"][self._ids], *lstm, h0, c0)
        self.state = self._read.h[-1], self._read.c[-1]
        return (self._read.h[1:] @ w["Wy"] + w["by"]).swapaxes(0, 1)

    def gradients(self, dL_dlogits: Array) -> Weights:
        """Return the gradient of each parameter, for the latest `forward`."""
        dy = dL_dlogits.swapaxes(0, 1)
        flat = dy.reshape(-1, dy.shape[2])
        dWy = self._read.h[1:].reshape(len(flat), -1).T @ flat
        dx, dWx, dWh, db, _, _ = self._read.gradients(dy @ self.weights["Wy"].T)
        dE = embedding_gradient(self.weights["embedding.W"], self._ids, dx)
        return dict(zip(NAMES, (dE, dWx, dWh, db, dWy, flat.sum(axis=0)), strict=True))

    def train_step(self, x: Array, y: Array, lr: float, limit: float = 5.0) -> float:
        """Read on and take one step of Adagrad; return the loss before it."""
        loss, slope = sequence_loss(self.forward(x), y)
        slopes = self.gradients(slope)
        for name, slope in zip(NAMES, clipped(list(slopes.values()), limit), strict=True):
            self._sums[name] += slope * slope
            self.weights[name] -= lr * slope / (np.sqrt(self._sums[name]) + 1e-8)
        return loss

    def bits(self, ids: Array) -> float:
        """Return the mean bits of all but the first character of a text, (L,), read as one."""
        return self.bits_of_windows(ids[None], 1)

    def bits_of_windows(self, windows: Array, after: int) -> float:
        """Return the mean bits of the characters from number `after` on in each row, (N, L)."""
        self.state = None
        logs = log_softmax(self.forward(windows[:, :-1]))[:, after - 1 :]
        hot = np.arange(logs.shape[-1]) == windows[:, after:, None]
        return -float(logs[hot].mean()) / LN2

    def greedy(self, start: Array, count: int) -> list[int]:
        """Return the likeliest characters after `start`, each read before the next."""
        self.state, read, written = None, start[None], []
        for _ in range(count):
            written.append(int(np.argmax(self.forward(read)[0, -1])))
            read = np.array([written[-1:]])
        return written
