"""Functions, a loss and layers that are handed to student code where a test needs a known one.

No callbacks cross the channel, so a function argument, such as f of `numerical_gradient(f, x)`, is
made here, of numbers that the test draws. Student code can read this file, so nothing in it is the
answer to a task. The forward and the backward pass of a layer have numbers of their own: whether
they belong together, and the layer is right, is known to the test alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def function(
    cubic: np.ndarray, waves: np.ndarray, form: np.ndarray
) -> Callable[[np.ndarray], float]:
    """Return f(x) = sum(cubic * x^3 + waves * sin(x)) + x^T form x, for x of the shape of `cubic`.

    A central difference of the cubic part is off by exactly cubic * epsilon^2. In the last term x
    stands for all its entries in a row.
    """

    def f(x: np.ndarray) -> float:
        if np.shape(x) != cubic.shape:
            raise ValueError(f"f takes arrays of shape {cubic.shape}, it was given {np.shape(x)}")
        flat = np.ravel(x)
        return float(np.sum(cubic * x**3 + waves * np.sin(x)) + flat @ form @ flat)

    return f


class Loss:
    """L = sum of cos(2 y - 3 t) / N, a loss that notices when its arguments are swapped.

    Targets t are class indices, or arrays of the shape of the predictions y.
    """

    def forward(self, y: np.ndarray, t: np.ndarray) -> float:
        """Return the loss."""
        if t.ndim == 1:
            t = np.arange(y.shape[1]) == t[:, np.newaxis]
        self._phase = 2.0 * y - 3.0 * t
        return float(np.sum(np.cos(self._phase)) / len(y))

    def backward(self) -> np.ndarray:
        """Return dL/dy."""
        return -2.0 * np.sin(self._phase) / len(self._phase)

    __call__ = forward


class Curve:
    """y = p0 sin(x) + p1 x + p2 |x| + p3, entry by entry; `backward` uses q instead of p.

    p: four numbers; q: three, or an array of three times the shape of x. Where q is p[:3], the
    gradient is right. `share` of the upstream gradient is used, ones for the rest of it; `order` is
    that of the axes of the result.
    """

    def __init__(
        self, p: np.ndarray, q: np.ndarray, share: float = 1.0, order: tuple[int, int] = (0, 1)
    ) -> None:
        self._p, self._q, self._share, self._order = p, q, share, order

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output, of the shape of x."""
        self._x = x.copy()
        p = self._p
        return p[0] * np.sin(x) + p[1] * x + p[2] * np.abs(x) + p[3]

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx by the numbers q."""
        q, x = self._q, self._x
        slope = q[0] * np.cos(x) + q[1] + q[2] * np.where(x < 0.0, -1.0, 1.0)
        upstream = self._share * dL_dy + (1.0 - self._share)
        return (upstream * slope).transpose(self._order)

    __call__ = forward


class Pairs:
    """y[:, k] = x[:, k] * x[:, k + 1]: fewer outputs than inputs, each made of two of them."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the products of neighbours, shape (N, D - 1) for x of shape (N, D)."""
        self._x = x.copy()
        return x[:, :-1] * x[:, 1:]

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx, shape (N, D)."""
        result = np.zeros_like(self._x)
        result[:, :-1] += dL_dy * self._x[:, 1:]
        result[:, 1:] += dL_dy * self._x[:, :-1]
        return result

    __call__ = forward


class Mixer:
    """y = sin(x) W^T + b^2, a layer with parameters: W of shape (M, D), b of (M,) or (1, M).

    `backward` multiplies what it stores for W and b by `w` and `v`, arrays of any shape that fits
    (1 where the gradient is right); `share` is as for `Curve`, for the stored gradients.
    """

    W: Any = None
    b: Any = None
    dL_dW: Any = None
    dL_db: Any = None

    def __init__(
        self, W: np.ndarray, b: np.ndarray, w: Any = 1.0, v: Any = 1.0, share: float = 1.0
    ) -> None:
        self.W, self.b = W.copy(), b.copy()
        self.dL_dW, self.dL_db = np.zeros_like(W), np.zeros_like(b)
        self._w, self._v, self._share = w, v, share

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output, shape (N, M) for x of shape (N, D)."""
        self._x = x.copy()
        return np.sin(x) @ self.W.T + self.b**2

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Store dL_dW and dL_db, and return dL/dx."""
        upstream = self._share * dL_dy + (1.0 - self._share)
        self.dL_dW = (upstream.T @ np.sin(self._x)) * self._w
        self.dL_db = (2.0 * self.b * upstream.sum(axis=0)) * self._v
        return (dL_dy @ self.W) * np.cos(self._x)

    __call__ = forward


def mixer_of_kind(kind: type, W: np.ndarray, b: np.ndarray) -> Mixer:
    """Return a `Mixer` that is an instance of `kind` too, for code that asks for that."""
    made = type(kind.__name__, (Mixer, kind), {})
    layer = made.__new__(made)
    Mixer.__init__(layer, W, b)
    return layer


PROBES: dict[str, object] = {
    "function": function,
    "loss": Loss,
    "curve": Curve,
    "pairs": Pairs,
    "mixer": Mixer,
    "mixer_of_kind": mixer_of_kind,
}
