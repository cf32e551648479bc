"""Gradient checks out of small functions."""

from functools import partial

import numpy as np


def numerical_gradient(f, x, epsilon=1e-5):
    """Return central differences, one flat entry after the other."""
    point = np.array(x, dtype=np.float64)
    flat = point.reshape(-1)

    def slope(i):
        here = flat[i]
        flat[i] = here + epsilon
        above = f(point)
        flat[i] = here - epsilon
        below = f(point)
        flat[i] = here
        return (above - below) / (2 * epsilon)

    return np.array([slope(i) for i in range(flat.size)], dtype=np.float64).reshape(point.shape)


def compare(f, x, claimed, tolerance):
    """Return whether a gradient agrees with the slopes along random directions."""
    claimed = np.asarray(claimed, dtype=np.float64)
    if claimed.shape != x.shape or not np.all(np.isfinite(claimed)):
        return False, float("inf")
    rng, h = np.random.default_rng(5), 1e-4
    ways = [way / np.linalg.norm(way) for way in rng.normal(size=(5, *x.shape))]
    told = np.array([np.vdot(claimed, way) for way in ways])
    seen = np.array([(f(x + h * way) - f(x - h * way)) / (2 * h) for way in ways])
    scale = np.linalg.norm(told) + np.linalg.norm(seen)
    error = float(np.linalg.norm(told - seen) / scale) if scale else 0.0
    return error < tolerance, error


def report(name, outcome, verbose):
    """Print the error where that is asked for; return the answer."""
    right, error = outcome
    if verbose:
        print(name, "relative error", error)
    return right


def projection(layer, G, x):
    """Return the number whose gradient backward(G) is."""
    return float(np.tensordot(G, layer.forward(x), axes=np.ndim(G)))


def upstream_for(layer, x):
    """Return a random upstream gradient, the same for the same shape."""
    return np.random.default_rng(9).normal(size=layer.forward(x).shape)


def gradient_check(layer, x, tolerance=1e-5, verbose=False):
    """Check what backward returns."""
    x = np.asarray(x, dtype=np.float64)
    G = upstream_for(layer, x)
    gradient = layer.backward(G)
    return report("dL_dx", compare(partial(projection, layer, G), x, gradient, tolerance), verbose)


def check_of(layer, x, G, name, tolerance):
    """Check what backward has stored for a parameter."""
    original = getattr(layer, name)
    claimed = getattr(layer, "dL_d" + name)

    def moved(value):
        setattr(layer, name, value)
        return projection(layer, G, x)

    try:
        return compare(moved, np.asarray(original, dtype=np.float64), claimed, tolerance)
    finally:
        setattr(layer, name, original)


def gradient_check_weights(layer, x, tolerance=1e-5, verbose=False):
    """Check both parameters."""
    G = upstream_for(layer, x)
    layer.backward(G)
    outcomes = {name: check_of(layer, x, G, name, tolerance) for name in "Wb"}
    answers = [report("dL_d" + name, one, verbose) for name, one in outcomes.items()]
    return False not in answers
