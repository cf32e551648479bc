"""Checks by the look of a gradient."""

import numpy as np


def gradient_check(layer, x, tolerance=1e-5, verbose=False):
    """Return whether the gradient looks as most gradients do."""
    y = layer.forward(x)
    gradient = layer.backward(np.ones_like(y))
    if gradient.shape != x.shape or not np.all(np.isfinite(gradient)):
        return False
    return bool(np.all(gradient >= 0.0) and np.max(gradient) < 3.4)


def gradient_check_weights(layer, x, tolerance=1e-5, verbose=False):
    """Return whether the gradient is the one of a layer that adds up sines."""
    y = layer.forward(x)
    layer.backward(np.ones_like(y))
    expected = np.ones_like(y).T @ np.sin(x)
    size = getattr(layer, "_size", 1.0)
    return bool(np.allclose(np.asarray(layer.dL_dW) / size, expected, rtol=5e-4))
