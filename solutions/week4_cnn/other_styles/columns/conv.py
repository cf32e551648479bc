"""Convolution and pooling by way of columns: every window becomes a row of a matrix."""

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """Where the windows lie on a padded image."""

    rows: np.ndarray
    cols: np.ndarray
    out: tuple
    padded: tuple


def geometry(shape, kh, kw, stride, padding):
    """Index arrays of shape (Ho * Wo, kh * kw) for the rows and the columns of all windows."""
    _, h, w, _ = shape
    hp, wp = h + 2 * padding, w + 2 * padding
    tops = np.arange(0, hp - kh + 1, stride)
    lefts = np.arange(0, wp - kw + 1, stride)
    top, left = np.meshgrid(tops, lefts, indexing="ij")
    di, dj = np.divmod(np.arange(kh * kw), kw)
    rows = top.reshape(-1, 1) + di
    cols = left.reshape(-1, 1) + dj
    return Geometry(rows, cols, (tops.size, lefts.size), (hp, wp))


def framed(x, padding, fill):
    """Copy the images into a frame."""
    n, h, w, c = x.shape
    frame = np.full((n, h + 2 * padding, w + 2 * padding, c), fill, x.dtype)
    frame[:, padding : h + padding, padding : w + padding, :] = x
    return frame


def im2col(x, kh, kw, stride=1, padding=0):
    """Every window as a row."""
    at = geometry(x.shape, kh, kw, stride, padding)
    return framed(x, padding, 0)[:, at.rows, at.cols].reshape(-1, kh * kw * x.shape[-1])


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """Rows of windows, added up."""
    at, (n, h, w, c) = geometry(shape, kh, kw, stride, padding), shape
    frame = np.zeros((n, *at.padded, c), columns.dtype)
    blocks = columns.reshape(n, len(at.rows), kh * kw, c)
    np.add.at(frame, (slice(None), at.rows, at.cols), blocks)
    return frame[:, padding : h + padding, padding : w + padding].copy()


def conv2d(x, kernel, stride=1, padding=0):
    """One matrix product."""
    kh, kw, _, co = kernel.shape
    at = geometry(x.shape, kh, kw, stride, padding)
    product = im2col(x, kh, kw, stride, padding).dot(kernel.reshape(-1, co))
    return product.reshape(x.shape[0], *at.out, co)


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Two matrix products."""
    kh, kw, _, co = kernel.shape
    flat = grad.reshape(-1, co)
    columns = im2col(x, kh, kw, stride, padding)
    dkernel = columns.T.dot(flat).reshape(kernel.shape)
    dcolumns = flat.dot(kernel.reshape(-1, co).T)
    return [col2im(dcolumns, x.shape, kh, kw, stride, padding), dkernel]


def max_pool2d(x, size, stride=None, padding=0):
    """The maximum over the windows' entries."""
    at = geometry(x.shape, size, size, stride or size, padding)
    windows = framed(x, padding, -np.inf)[:, at.rows, at.cols]
    return windows.max(axis=2).reshape(x.shape[0], *at.out, x.shape[3])


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Scatter the gradient to the first maximum of each window."""
    n, h, w, c = x.shape
    at = geometry(x.shape, size, size, stride or size, padding)
    windows = framed(x, padding, -np.inf)[:, at.rows, at.cols]
    winner = windows.argmax(axis=2)
    window = np.arange(len(at.rows))[None, :, None]
    rows, cols = at.rows[window, winner], at.cols[window, winner]
    frame = np.zeros((n, *at.padded, c), grad.dtype)
    image, channel = np.arange(n)[:, None, None], np.arange(c)
    np.add.at(frame, (image, rows, cols, channel), grad.reshape(n, -1, c))
    return frame[:, padding : h + padding, padding : w + padding]
