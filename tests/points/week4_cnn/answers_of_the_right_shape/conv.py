"""Functions that know shapes and nothing else."""

import numpy as np


def places(x, kh, kw, stride, padding):
    """Return how many rows and columns of windows there are."""
    return [
        (n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape[1:3], (kh, kw), strict=True)
    ]


def conv2d(x, kernel, stride=1, padding=0):
    """Return ones."""
    kh, kw, _, co = kernel.shape
    return np.ones((len(x), *places(x, kh, kw, stride, padding), co), dtype=x.dtype)


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Return what came in."""
    return x.copy(), kernel.copy()


def im2col(x, kh, kw, stride=1, padding=0):
    """Return zeros."""
    rows = len(x) * np.prod(places(x, kh, kw, stride, padding))
    return np.zeros((rows, kh * kw * x.shape[3]), dtype=x.dtype)


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """Return zeros."""
    return np.zeros(shape, dtype=columns.dtype)


def max_pool2d(x, size, stride=None, padding=0):
    """Return ones."""
    rows = places(x, size, size, stride or size, padding)
    return np.ones((len(x), *rows, x.shape[3]), dtype=x.dtype)


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Return what came in."""
    return x.copy()
