"""Numerical gradient checking."""

import numpy as np


def numerical_gradient(f, x, epsilon=1e-5):
    """Compute the gradient of f at x by central differences."""
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=[["readwrite"]])
    while not it.finished:
        idx = it.multi_index
        original = x[idx]
        x[idx] = original + epsilon
        f_plus = f(x)
        x[idx] = original - epsilon
        f_minus = f(x)
        x[idx] = original
        grad[idx] = (f_plus - f_minus) / (2 * epsilon)
        it.iternext()
    return grad


def relative_error(a, b):
    """Return the largest relative error of two arrays."""
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def gradient_check(layer, x, tolerance=1e-5):
    """Compare the analytical gradient of a layer's input with the numerical one."""
    y = layer.forward(x)
    analytical = layer.backward(np.ones_like(y))
    numerical = numerical_gradient(lambda z: np.sum(layer.forward(z)), x)
    error = relative_error(analytical, numerical)
    print(f"max relative error: {error:.2e}")
    return bool(error < tolerance)


def gradient_check_weights(layer, x):
    """Compare the analytical gradient of a layer's weights with the numerical one."""
    y = layer.forward(x)
    layer.backward(np.ones_like(y))
    analytical = layer.dL_dW.copy()
    numerical = np.zeros_like(layer.W)
    epsilon = 1e-5
    for i in range(layer.W.shape[0]):
        for j in range(layer.W.shape[1]):
            layer.W[i, j] += epsilon
            plus = np.sum(layer.forward(x))
            layer.W[i, j] -= 2 * epsilon
            minus = np.sum(layer.forward(x))
            layer.W[i, j] += epsilon
            numerical[i, j] = (plus - minus) / (2 * epsilon)
    error = relative_error(analytical, numerical)
    print(f"max relative error: {error:.2e}")
    return bool(error < 1e-5)
