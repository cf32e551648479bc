"""Checks of hand-written gradients against slopes that are measured.

A wrong backward pass often trains, only worse, so looking at the loss does not find it. Measuring
does: move the input a little, see how the output moves, and compare.

How the checks here work, and why:

- A layer's output is an array. To get one number from it, multiply it by a fixed random upstream
  gradient and add up: L = sum(dL_dy * y). Then `backward(dL_dy)` claims to be dL/dx. With an
  upstream gradient of ones, errors such as a forgotten dL_dy would not show.
- First, slopes along a few random directions of length 1. Each involves every entry, so even one
  wrong entry shows, and a direction costs two forward passes, however large the array is.
- Single entries only afterwards, to find out where the fault is: `worst_entry`.
- All in float64, on copies: the arrays that you pass in are not changed.

How to read a relative error: below 1e-7 excellent, below 1e-5 good, below 1e-2 suspicious, above
that a bug. Suspicious often means a kink (the bend of ReLU at 0) between the two points of a
difference, where no slope exists: choose inputs with `away_from_kinks`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
ScalarFunction = Callable[[FloatArray], float]


class Differentiable(Protocol):
    """What a check needs of a layer; the layers of neural_net.py have it."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the output for `x`."""
        ...

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx; store dL_dW and dL_db where there are parameters."""
        ...


def relative_error(analytic: npt.ArrayLike, numeric: npt.ArrayLike) -> float:
    """Return ||a - n|| / (||a|| + ||n||), a number between 0 and 1. Given, as a worked example.

    The norms run over all entries, so single entries near 0 do no harm, and the size of the
    gradient cancels: an error of 1 % is an error of 1 %, whether gradients are about 1e-6 or 1e6.
    Two gradients that are both exactly 0 agree: the error is 0. NaN or infinity anywhere
    gives NaN, which is below no tolerance.
    """
    analytic, numeric = np.asarray(analytic, np.float64), np.asarray(numeric, np.float64)
    if not (np.all(np.isfinite(analytic)) and np.all(np.isfinite(numeric))):
        return float("nan")
    scale = np.linalg.norm(analytic) + np.linalg.norm(numeric)
    return float(np.linalg.norm(analytic - numeric) / scale) if scale > 0.0 else 0.0


def interpret(error: float) -> str:
    """Return the reading of a relative error as a word. Given, as a worked example."""
    for limit, reading in ((1e-7, "excellent"), (1e-5, "good"), (1e-2, "suspicious")):
        if error < limit:
            return reading
    return "a bug"


def away_from_kinks(x: FloatArray, kink: float = 0.0, margin: float = 0.1) -> FloatArray:
    """Return a copy of `x` with no entry closer than `margin` to `kink`. Given.

    Entries that are too close move outwards, to the side on which they are.
    """
    side = np.where(x >= kink, 1.0, -1.0)
    return np.where(np.abs(x - kink) < margin, kink + margin * side, x)


def numerical_gradient(f: ScalarFunction, x: npt.NDArray, epsilon: float = 1e-5) -> FloatArray:
    """Return the gradient of `f` at `x`, measured entry by entry with central differences.

    Entry i is (f(x + epsilon e_i) - f(x - epsilon e_i)) / (2 epsilon), where e_i is 1 at entry i
    and 0 elsewhere. The error of a central difference shrinks with epsilon ** 2, that of a
    one-sided difference only with epsilon.

    Args:
        f: takes an array of x's shape and returns a float. It does not change its argument.
        x: where to measure: any shape, any real dtype, not changed.
        epsilon: half the distance between the two points of a difference.

    Returns:
        The gradient, the shape of x.

    Beyond the texts (week1.robustness): all work is done in float64, and so is the result, so that
    integer and float32 inputs can be moved by epsilon too; and x can have any number of axes.
    """
    # BEGIN SOLUTION week1.numerical_gradient
    point = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        original = point[index]
        point[index] = original + epsilon
        above = f(point)
        point[index] = original - epsilon
        below = f(point)
        point[index] = original
        gradient[index] = (above - below) / (2.0 * epsilon)
    return gradient
    # END SOLUTION


def directional_error(
    f: ScalarFunction, x: FloatArray, gradient: FloatArray, count: int = 5, step: float = 1e-4
) -> float:
    """Return the relative error of `gradient` along random directions. Given.

    The slope of f at x along a direction v of length 1 is sum(gradient * v), and also about
    (f(x + step v) - f(x - step v)) / (2 step). This compares the two for `count` directions, always
    the same ones, and returns their `relative_error`. A gradient of another shape than x's is
    wrong whatever its values: its error is infinite.
    """
    if np.shape(gradient) != np.shape(x):
        return float("inf")
    rng = np.random.default_rng(1)
    claimed, measured = [], []
    for _ in range(count):
        direction = rng.normal(size=np.shape(x))
        direction /= np.linalg.norm(direction)
        claimed.append(np.sum(gradient * direction))
        measured.append((f(x + step * direction) - f(x - step * direction)) / (2.0 * step))
    return relative_error(claimed, measured)


def worst_entry(f: ScalarFunction, x: FloatArray, gradient: FloatArray) -> tuple[int, ...]:
    """Return the index at which `gradient` is furthest from the measured one. Given.

    For use after a check has failed: it needs two calls of `f` for every entry of x.
    """
    difference = np.abs(gradient - numerical_gradient(f, x))
    return tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))


def passes(name: str, error: float, tolerance: float, verbose: bool) -> bool:
    """Return whether `error` is below `tolerance`; if `verbose`, print it and its reading."""
    if verbose:
        print(f"{name}: relative error {error:.1e}, {interpret(error)}")
    return error < tolerance


def gradient_check(
    layer: Differentiable, x: FloatArray, tolerance: float = 1e-5, verbose: bool = False
) -> bool:
    """Check the gradient that a layer's `backward` returns, dL/dx.

    1. Draw an upstream gradient dL_dy from the normal distribution, of the shape of the layer's
       output for x; always the same one, from a seeded generator.
    2. Run `forward(x)` and `backward(dL_dy)`: the gradient that is to be checked.
    3. Compare it, by `directional_error`, with the slopes of L(x) = sum(dL_dy * forward(x)).
    4. Return what `passes` says of the result, under the name "dL_dx".

    Args:
        layer: has `forward` and `backward`. Its parameters, if any, are not changed.
        x: inputs in the shape that the layer takes, at least 1e-3 away from kinks, not changed.
        tolerance: largest relative error (exclusive) that counts as right.
        verbose: print one line with the error and how to read it.

    Returns:
        True if the error is below `tolerance`, otherwise False.

    Beyond the texts (week1.robustness): a gradient of NaN or of another shape than x's gives False
    and raises nothing; a layer that is right only for an upstream gradient of ones gives False; a
    gradient of 0 that should be 0 gives True; and the size of the gradients makes no difference.
    """
    # BEGIN SOLUTION week1.gradient_check
    x = np.array(x, dtype=np.float64)
    dL_dy = np.random.default_rng(0).normal(size=layer.forward(x).shape)
    gradient = np.array(layer.backward(dL_dy.copy()))

    def loss(point: FloatArray) -> float:
        return float(np.sum(dL_dy * layer.forward(point)))

    return passes("dL_dx", directional_error(loss, x, gradient), tolerance, verbose)
    # END SOLUTION


def gradient_check_weights(
    layer: Any, x: FloatArray, tolerance: float = 1e-5, verbose: bool = False
) -> bool:
    """Check the gradients that a layer's `backward` stores, dL_dW and dL_db.

    As `gradient_check`, but here the parameters move and the inputs stay. Both parameters
    are checked, also when the first is wrong. (The biases, `tolerance` and what `gradient_check`
    does beyond the texts are beyond them here too: week1.robustness.)

    Args:
        layer: has `forward`, `backward`, the parameters `W` and `b`, and after `backward` their
            gradients `dL_dW` and `dL_db`. `W` and `b` have their values back at the end.
        x: inputs in the shape that the layer takes, not changed.
        tolerance: largest relative error (exclusive) that counts as right.
        verbose: print one line for each gradient, named "dL_dW" and "dL_db".

    Returns:
        True if the errors of both gradients are below `tolerance`, otherwise False.
    """
    # BEGIN SOLUTION week1.gradient_check_weights
    x = np.array(x, dtype=np.float64)
    dL_dy = np.random.default_rng(0).normal(size=layer.forward(x).shape)
    layer.backward(dL_dy.copy())
    right = True
    for name in ("W", "b"):
        error = _parameter_error(layer, name, x, dL_dy)
        right &= passes(f"dL_d{name}", error, tolerance, verbose)
    return right
    # END SOLUTION


def _parameter_error(layer: Any, name: str, x: FloatArray, dL_dy: FloatArray) -> float:
    """Return the `directional_error` of the stored gradient of one parameter, "W" or "b".

    `layer.forward(x)` and `layer.backward(dL_dy)` have been run. The loss whose slopes are measured
    is sum(dL_dy * layer.forward(x)) as a function of the parameter's value. `getattr(layer, name)`
    and `setattr(layer, name, value)` read and replace a parameter by its name. The layer gets its
    original parameter back, also when `forward` raises.
    """
    # BEGIN SOLUTION week1.gradient_check_weights
    original = getattr(layer, name)
    gradient = np.array(getattr(layer, f"dL_d{name}"))

    def loss(value: FloatArray) -> float:
        setattr(layer, name, value)
        return float(np.sum(dL_dy * layer.forward(x)))

    try:
        return directional_error(loss, np.array(original, dtype=np.float64), gradient)
    finally:
        setattr(layer, name, original)
    # END SOLUTION
