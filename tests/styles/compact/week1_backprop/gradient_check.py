"""Week 1 in another hand: checks that visit every entry, with absolute steps in float64."""

import numpy as np


def numerical_gradient(f, x, epsilon=1e-5):
    """Central differences, entry by entry, on fresh copies."""
    base = np.asarray(x, dtype=float)
    slopes = []
    for number in range(base.size):
        values = []
        for sign in (1, -1):
            moved = base.copy()
            moved.flat[number] += sign * epsilon
            values.append(f(moved))
        slopes.append((values[0] - values[1]) / (2 * epsilon))
    return np.array(slopes, dtype=float).reshape(base.shape)


def worst_relative_error(mine, measured):
    """Largest difference of two arrays, relative to the largest entry of both."""
    if np.shape(mine) != np.shape(measured) or not np.all(np.isfinite(mine)):
        return np.inf
    scale = max(np.abs(mine).max(), np.abs(measured).max())
    return 0.0 if scale == 0 else float(np.abs(mine - measured).max() / scale)


def gradient_check(layer, x, tolerance=1e-5):
    """Whether dL_dx is right to the tolerance."""
    x = np.array(x, dtype=float)
    upstream = np.random.RandomState(5).standard_normal(layer.forward(x).shape)
    mine = layer.backward(upstream)
    measured = numerical_gradient(lambda z: (layer.forward(z) * upstream).sum(), x)
    return worst_relative_error(mine, measured) < tolerance


def gradient_check_weights(layer, x, tolerance=1e-5):
    """Whether dL_dW and dL_db are right to the tolerance; parameters move in place and return."""
    x = np.array(x, dtype=float)
    upstream = np.random.RandomState(6).standard_normal(layer.forward(x).shape)
    layer.backward(upstream)
    pairs = [(layer.W, layer.dL_dW.copy()), (layer.b, layer.dL_db.copy())]
    worst = []
    for parameter, mine in pairs:
        saved = parameter.copy()

        def total(values, parameter=parameter):
            parameter[...] = values
            return np.vdot(layer.forward(x), upstream)

        measured = numerical_gradient(total, saved)
        parameter[...] = saved
        worst.append(worst_relative_error(mine, measured))
    return bool(max(worst) < tolerance)
