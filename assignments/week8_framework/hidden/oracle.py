"""What a framework should answer, in NumPy: formulas that also take complex numbers.

Gradients come from `derivatives.vjp`, complex steps through these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, Any]


def relu(x: Any) -> Any:
    """Return max(0, x)."""
    return np.where(np.real(x) > 0.0, x, 0.0)


def sigmoid(x: Any) -> Any:
    """Return the logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def places(length: int, window: int, stride: int) -> int:
    """Return in how many places a window fits."""
    return (length - window) // stride + 1


def windows(x: Any, size: tuple[int, int], stride: int) -> Any:
    """Return all windows of images: (N, Ho, Wo, Kh, Kw, C)."""
    rows, columns = (places(x.shape[1 + k], size[k], stride) for k in (0, 1))
    return np.stack(
        [
            np.stack(
                [
                    x[:, r * stride : r * stride + size[0], c * stride : c * stride + size[1]]
                    for c in range(columns)
                ],
                axis=1,
            )
            for r in range(rows)
        ],
        axis=1,
    )


def conv2d(x: Any, kernel: Any, stride: int = 1, padding: int = 0) -> Any:
    """Return the cross-correlation of images with a kernel."""
    beside = (padding, padding)
    padded = np.pad(x, ((0, 0), beside, beside, (0, 0)))
    return np.einsum("nrcijk,ijko->nrco", windows(padded, kernel.shape[:2], stride), kernel)


def max_of(x: Any, axis: int) -> Any:
    """Return the entries with the largest real part along an axis."""
    at = np.expand_dims(np.argmax(np.real(x), axis=axis), axis)
    return np.take_along_axis(x, at, axis=axis).squeeze(axis)


def max_pool2d(x: Any, size: int, stride: int | None = None) -> Any:
    """Return the largest pixel of each window."""
    found = windows(x, (size, size), stride or size)
    flat = found.reshape(*found.shape[:3], size * size, found.shape[-1])
    return max_of(flat, 3)


def avg_pool2d(x: Any, size: int, stride: int | None = None) -> Any:
    """Return the mean of each window."""
    return windows(x, (size, size), stride or size).mean(axis=(3, 4))


def rnn(x: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """Return the states of an RNN, (T, N, H)."""
    h, states = np.zeros((x.shape[1], len(Wh))), []
    for one in x:
        h = np.tanh(one @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states)


def lstm(x: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """Return the states of an LSTM, (T, N, H)."""
    h = c = np.zeros((x.shape[1], len(Wh)))
    states = []
    for one in x:
        i, f, o, g = np.split(one @ Wx + h @ Wh + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states)


def batch_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Return each feature normalised over all other axes."""
    axes = tuple(range(x.ndim - 1))
    centred = x - x.mean(axis=axes)
    return centred / np.sqrt((centred * centred).mean(axis=axes) + eps) * gamma + beta


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    """Return each example's features normalised."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * gamma + beta


def cross_entropy(logits: Any, target: Any) -> Any:
    """Return the mean cross-entropy of logits."""
    moved = logits - np.max(np.real(logits), axis=1, keepdims=True)
    logs = moved - np.log(np.exp(moved).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(target)), target].mean()
