"""Exact derivatives for expected values, by complex steps through functions written in NumPy.

Moving an entry by i h instead of h gives f(x + i h) = f(x) + i h f'(x) + O(h ** 2). The derivative
is the imaginary part divided by h: nothing is subtracted, so h can be so small that the remainder
vanishes, and the result is exact up to rounding (Squire and Trapp, 1998, "Using Complex Variables
to Estimate Derivatives of Real Functions").

The functions must be analytic, and must ask for the sign or the size of real parts only, as `relu`
below does. `abs`, `np.maximum` and `np.max` of complex numbers mean something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

STEP = 1e-40
"""Step h: h ** 2 is lost to rounding beside 1, and h is far from underflow."""


def vjp(f: Callable[..., Any], arrays: Sequence[Any], upstream: Any) -> list[FloatArray]:
    """Return the gradient of sum(upstream * f(*arrays)) with respect to each of `arrays`.

    f takes complex arrays of their shapes; `upstream` has the shape of its result (ValueError
    otherwise). The gradients are float64 and have the shapes of `arrays`, which stay as they are.
    """
    weights = np.asarray(upstream, dtype=np.float64)
    points = [np.array(array, dtype=np.complex128) for array in arrays]
    shape = np.shape(f(*points))
    if shape != weights.shape:
        raise ValueError(f"the upstream gradient has shape {weights.shape}, the result {shape}")
    gradients = []
    for number, point in enumerate(points):
        gradient = np.empty(point.shape)
        for index in np.ndindex(*point.shape):
            moved = point.copy()
            moved[index] += 1j * STEP
            result = f(*points[:number], moved, *points[number + 1 :])
            gradient[index] = np.sum(weights * (np.imag(result) / STEP))
        gradients.append(gradient)
    return gradients


def relu(x: Any) -> Any:
    """Return x where its real part is positive, and 0 elsewhere; the derivative at 0 is 0."""
    return np.where(np.real(x) > 0.0, x, 0.0)
