"""Functions, a loss and layers that are handed to student code where a test needs a known one.

No callbacks cross the channel, so a function argument, such as f of `numerical_gradient(f, x)`, is
one of these by name. Student code can read this file, so nothing in it is the answer to a task: the
functions and layers are made-up ones. Those whose names begin with a fault are wrong on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

# Scalar functions of one array.


def cubes(x: np.ndarray) -> float:
    """Return the sum of x ** 3. A central difference of it is off by exactly epsilon ** 2."""
    return float(np.sum(x**3))


def quadratic_form(x: np.ndarray) -> float:
    """Return x^T A x + 3 * (first entry) for a fixed A that is not symmetric, over all entries."""
    flat = np.ravel(x)
    a = np.arange(flat.size**2, dtype=np.float64).reshape(flat.size, flat.size) % 7.0 - 2.0
    return float(flat @ a @ flat + 3.0 * flat[0])


def waves(x: np.ndarray) -> float:
    """Return the sum of sin(x_i) * (i + 1), so that no two entries count the same."""
    return float(np.sum(np.sin(x) * (1.0 + np.arange(x.size).reshape(x.shape))))


def halves(x: np.ndarray) -> float:
    """Return the sum of x[0] * x[1] ** 2 for an array of shape (2, ...): it needs the shape."""
    if x.ndim != 3 or len(x) != 2:
        raise ValueError(f"this function takes arrays of shape (2, ?, ?), it was given {x.shape}")
    return float(np.sum(x[0] * x[1] ** 2))


# A loss, and layers without parameters.


class CosineLoss:
    """L = sum of cos(2 pred - target), a loss that notices when its arguments are swapped."""

    def forward(self, pred: np.ndarray, target: np.ndarray) -> float:
        """Return the loss."""
        self._phase = 2.0 * pred - target
        return float(np.sum(np.cos(self._phase)))

    def backward(self) -> np.ndarray:
        """Return dL/dpred."""
        return -2.0 * np.sin(self._phase)


class Elementwise:
    """y = scale * f(x), entry by entry, with a fault in the slope if one is named.

    Faults: "doubled", "sign", "slightly" (by a factor 1.001), "entry" (only the last one is wrong),
    "upstream" (right only where the upstream gradient is all ones), "shape" (transposed), "nan".
    """

    def __init__(
        self,
        f: Callable[[np.ndarray], np.ndarray],
        slope: Callable[[np.ndarray], np.ndarray],
        fault: str = "",
        scale: float = 1.0,
    ) -> None:
        self._f, self._slope, self._fault, self._scale = f, slope, fault, scale

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return scale * f(x)."""
        self._x = x.copy()
        return self._scale * self._f(x)

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx, with the fault in it."""
        upstream = np.ones_like(dL_dy) if self._fault == "upstream" else dL_dy
        return spoil(upstream * self._scale * self._slope(self._x), self._fault)


def spoil(gradient: np.ndarray, fault: str) -> np.ndarray:
    """Return a wrong copy of a gradient; without a fault, or with one not known here, the same."""
    gradient = gradient.copy()
    if fault in FACTORS:
        gradient *= FACTORS[fault]
    elif fault == "entry":
        gradient.flat[-1] = 1.5 * gradient.flat[-1] + 0.5
    elif fault == "shape":
        gradient = gradient.T
    return gradient


FACTORS = {"doubled": 2.0, "sign": -1.0, "slightly": 1.001, "nan": float("nan")}


def cosine_slope(x: np.ndarray) -> np.ndarray:
    """Return the derivative of sin(x) + x ** 2 / 2."""
    return np.cos(x) + x


def bump(x: np.ndarray) -> np.ndarray:
    """Return sin(x) + x ** 2 / 2."""
    return np.sin(x) + x**2 / 2.0


def bent_slope(x: np.ndarray) -> np.ndarray:
    """Return the derivative of x ** 2 + 3 |x|, which has a kink at 0."""
    return 2.0 * x + 3.0 * np.where(x < 0.0, -1.0, 1.0)


def bent(x: np.ndarray) -> np.ndarray:
    """Return x ** 2 + 3 |x|."""
    return x**2 + 3.0 * np.abs(x)


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


# A layer with parameters.


class Swing:
    """y = sin(W x) + b ** 2 x, entry by entry, with W and b of shape (D,), for x of shape (N, D).

    `weight_fault` and `bias_fault` name faults of dL_dW and dL_db, as in `Elementwise`.
    """

    def __init__(self, weight_fault: str = "", bias_fault: str = "", scale: float = 1.0) -> None:
        self._faults, self._scale = (weight_fault, bias_fault), scale
        self.W = np.array([0.7, -1.2, 0.4, 1.6, -0.5])
        self.b = np.array([1.5, 0.3, -0.8, 0.6, 1.1])
        self.dL_dW, self.dL_db = np.zeros(5), np.zeros(5)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output, the shape of x."""
        self._x = x.copy()
        return self._scale * (np.sin(self.W * x) + self.b**2 * x)

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Store dL_dW and dL_db with their faults in them, and return dL/dx."""
        x, slope = self._x, np.cos(self.W * self._x)
        parts = []
        for fault, part in zip(self._faults, (slope * x, 2.0 * self.b * x), strict=True):
            upstream = np.ones_like(dL_dy) if fault == "upstream" else dL_dy
            gradient = spoil(np.einsum("nd,nd->d", upstream, self._scale * part), fault)
            parts.append(gradient[np.newaxis] if fault == "shape" else gradient)
        self.dL_dW, self.dL_db = parts
        return dL_dy * self._scale * (slope * self.W + self.b**2)


PROBES: dict[str, object] = {
    "cubes": cubes,
    "quadratic_form": quadratic_form,
    "waves": waves,
    "halves": halves,
    "cosine_loss": CosineLoss,
    "bump": partial(Elementwise, bump, cosine_slope),
    "bent": partial(Elementwise, bent, bent_slope),
    "constant": partial(Elementwise, np.ones_like, np.zeros_like),
    "pairs": Pairs,
    "swing": Swing,
}
