"""Turns images to (N, C, H, W) and kernels to (Co, Ci, Kh, Kw), works there, and turns back."""

import numpy as np


def first(x):
    """(N, H, W, C) to (N, C, H, W)."""
    return np.moveaxis(x, 3, 1)


def last(x):
    """(N, C, H, W) to (N, H, W, C), as a view."""
    return np.moveaxis(x, 1, 3)


def two(value):
    """Return rows' and columns' value: one number stands for both."""
    return (value, value) if np.ndim(value) == 0 else tuple(value)


def indices(h, w, kh, kw, stride, padding):
    """Return for each window and each position the row and the column."""
    (sh, sw), (ph, pw) = two(stride), two(padding)
    r = np.arange(0, h + 2 * ph - kh + 1, sh)[:, None] + np.arange(kh)[None]
    c = np.arange(0, w + 2 * pw - kw + 1, sw)[:, None] + np.arange(kw)[None]
    return r[:, None, :, None], c[None, :, None, :]


def spread(x, padding, value=0.0):
    """Put a margin around images (N, C, H, W)."""
    ph, pw = two(padding)
    return np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)], constant_values=value)


def patches(x, kh, kw, stride, padding, value=0.0):
    """(N, C, Ho, Wo, kh, kw) of images (N, C, H, W)."""
    at = indices(*x.shape[2:], kh, kw, stride, padding)
    return spread(x, padding, value)[:, :, *at]


def gathered(parts, shape, kh, kw, stride, padding):
    """Add patches up by bincount, whose sums are float64: the dtype is put back."""
    n, c, h, w = shape
    (ph, pw), at = two(padding), indices(h, w, kh, kw, stride, padding)
    hp, wp = h + 2 * ph, w + 2 * pw
    pixel = np.broadcast_to(at[0] * wp + at[1], parts.shape[2:])
    plane = np.arange(n * c).reshape(n, c, 1, 1, 1, 1) * (hp * wp)
    flat = np.bincount((plane + pixel).ravel(), parts.ravel(), n * c * hp * wp)
    return flat.reshape(n, c, hp, wp)[:, :, ph : ph + h, pw : pw + w].astype(parts.dtype)


def conv2d(x, kernel, stride=1, padding=0):
    """Sum over channels and positions."""
    K = kernel.transpose(3, 2, 0, 1)
    seen = patches(first(x), *K.shape[2:], stride, padding)
    return last(np.einsum("ncrsij,ocij->nors", seen, K, optimize=True))


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Both gradients."""
    K, g, images = kernel.transpose(3, 2, 0, 1), first(grad), first(x)
    kh, kw = K.shape[2:]
    dK = np.einsum("ncrsij,nors->ocij", patches(images, kh, kw, stride, padding), g, optimize=True)
    parts = np.einsum("nors,ocij->ncrsij", g, K, optimize=True)
    dx = last(gathered(parts, images.shape, kh, kw, stride, padding))
    return dx, dK.transpose(2, 3, 1, 0)


def im2col(x, kh, kw, stride=1, padding=0):
    """Rows, with the channels last."""
    seen = patches(first(x), kh, kw, stride, padding)
    return seen.transpose(0, 2, 3, 4, 5, 1).reshape(-1, kh * kw * x.shape[3])


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """The way back."""
    n, h, w, c = shape
    rows, places = indices(h, w, kh, kw, stride, padding)
    parts = columns.reshape(n, rows.shape[0], places.shape[1], kh, kw, c)
    return last(gathered(parts.transpose(0, 5, 1, 2, 3, 4), (n, c, h, w), kh, kw, stride, padding))


def max_pool2d(x, size, stride=None, padding=0):
    """Maximum of sorted patches."""
    seen = patches(first(x), size, size, stride or size, padding, -np.inf)
    return last(np.sort(seen.reshape(*seen.shape[:4], -1), axis=-1)[..., -1])


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Shares among equals."""
    images = first(x)
    seen = patches(images, size, size, stride or size, padding, -np.inf)
    won = seen == seen.max(axis=(4, 5), keepdims=True)
    parts = won * (first(grad) / won.sum(axis=(4, 5)).astype(grad.dtype))[..., None, None]
    return last(gathered(parts, images.shape, size, size, stride or size, padding))
