"""Convolution and pooling on views of sliding windows, with einsum."""

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view


def two(value):
    """A number stands for both directions."""
    return value if isinstance(value, tuple) else (value, value)


def windows(x, kh, kw, stride, padding, fill=0.0):
    """A view (N, Ho, Wo, C, kh, kw) of the padded images."""
    (sh, sw), (ph, pw) = two(stride), two(padding)
    x = np.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)], mode="constant", constant_values=fill)
    return sliding_window_view(x, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]


def conv2d(x, kernel, stride=1, padding=0):
    """Sum over the window and the channels."""
    seen = windows(x, kernel.shape[0], kernel.shape[1], stride, padding)
    return np.einsum("nrckij,ijko->nrco", seen, kernel, optimize=True)


def spread_out(grad, stride, height, width):
    """Put zeros between the entries of a gradient, and behind them what the remainder needs."""
    n, ho, wo, c = grad.shape
    wide = np.zeros((n, height, width, c), dtype=grad.dtype)
    wide[:, : (ho - 1) * stride + 1 : stride, : (wo - 1) * stride + 1 : stride] = grad
    return wide


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """dx is a full correlation with the rotated kernel, dkernel one of the images with grad."""
    kh, kw = kernel.shape[:2]
    seen = windows(x, kh, kw, stride, padding)
    dkernel = np.einsum("nrckij,nrco->ijko", seen, grad, optimize=True)
    height, width = x.shape[1] + 2 * padding - kh + 1, x.shape[2] + 2 * padding - kw + 1
    wide = spread_out(grad, stride, height, width)
    wide = np.pad(wide, [(0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)])
    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    dx = conv2d(wide, turned)
    return dx[:, padding : padding + x.shape[1], padding : padding + x.shape[2]], dkernel


def im2col(x, kh, kw, stride=1, padding=0):
    """The view, copied into rows."""
    seen = windows(x, kh, kw, stride, padding).transpose(0, 1, 2, 4, 5, 3)
    return seen.reshape(-1, kh * kw * x.shape[3])


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """Add windows one place after the other: slow, and easy to believe."""
    n, h, w, c = shape
    sums = np.zeros((n, h + 2 * padding, w + 2 * padding, c), dtype=columns.dtype)
    ho, wo = (sums.shape[1] - kh) // stride + 1, (sums.shape[2] - kw) // stride + 1
    blocks = columns.reshape(n, ho, wo, kh, kw, c)
    for i in range(kh):
        for j in range(kw):
            seen = sums[:, i:, j:][:, : (ho - 1) * stride + 1 : stride]
            seen[:, :, : (wo - 1) * stride + 1 : stride] += blocks[:, :, :, i, j]
    return sums[:, padding : sums.shape[1] - padding, padding : sums.shape[2] - padding]


def max_pool2d(x, size, stride=None, padding=0):
    """The largest entry of each window of the view."""
    step = size if stride is None else stride
    return windows(x, size, size, step, padding, -np.inf).max(axis=(-1, -2))


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Shares the gradient equally among the largest entries of a window."""
    step = size if stride is None else stride
    seen = windows(x, size, size, step, padding, -np.inf)
    best = (seen == seen.max(axis=(-1, -2), keepdims=True)).astype(grad.dtype)
    best *= (grad / best.sum(axis=(-1, -2)))[..., None, None]
    n, h, w, c = x.shape
    wide = np.zeros((n, h + 2 * padding, w + 2 * padding, c), dtype=grad.dtype)
    sn, sh, sw, sc = wide.strides
    for i in range(size):
        for j in range(size):
            shape = (n, grad.shape[1], grad.shape[2], c)
            part = as_strided(wide[:, i:, j:], shape, (sn, step * sh, step * sw, sc))
            part += best[..., i, j]
    return wide[:, padding : padding + h, padding : padding + w]
