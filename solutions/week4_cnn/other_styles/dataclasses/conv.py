"""Windows by as_strided, sums by tensordot; layers are dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided


@dataclass(frozen=True, slots=True)
class Grid:
    """Where windows of kh x kw lie."""

    kh: int
    kw: int
    stride: int
    padding: int

    def size(self, height, width):
        """Return how many rows and columns of windows there are."""
        return tuple(
            1 + (n + 2 * self.padding - k) // self.stride
            for n, k in ((height, self.kh), (width, self.kw))
        )

    def enlarged(self, x, fill=0):
        """Return x inside of a margin."""
        p = self.padding
        shape = (x.shape[0], x.shape[1] + 2 * p, x.shape[2] + 2 * p, x.shape[3])
        large = np.full(shape, fill, dtype=x.dtype)
        large[:, p : p + x.shape[1], p : p + x.shape[2]] = x
        return large

    def cut(self, large, writeable=False):
        """Return the view (N, Ho, Wo, kh, kw, C) of a padded array."""
        n, height, width, c = large.shape
        rows = 1 + (height - self.kh) // self.stride
        columns = 1 + (width - self.kw) // self.stride
        a, b, d, e = large.strides
        strides = (a, b * self.stride, d * self.stride, b, d, e)
        shape = (n, rows, columns, self.kh, self.kw, c)
        return as_strided(large, shape, strides, writeable=writeable)

    def inner(self, large):
        """Return what is inside of the margin."""
        p = self.padding
        return large[:, p : large.shape[1] - p, p : large.shape[2] - p]

    def summed(self, shape, parts):
        """Add windows (N, Ho, Wo, kh, kw, C) up to images."""
        large = np.zeros(self.enlarged(np.empty(shape)).shape, dtype=parts.dtype)
        seen = self.cut(large, writeable=True)
        for i in range(self.kh):
            for j in range(self.kw):
                seen[:, :, :, i, j] += parts[:, :, :, i, j]
        return self.inner(large)


def conv2d(x, kernel, stride=1, padding=0):
    """Contract window and channel at once."""
    grid = Grid(*kernel.shape[:2], stride, padding)
    return np.tensordot(grid.cut(grid.enlarged(x)), kernel, axes=([3, 4, 5], [0, 1, 2]))


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Both contractions of it."""
    grid = Grid(*kernel.shape[:2], stride, padding)
    dkernel = np.tensordot(grid.cut(grid.enlarged(x)), grad, axes=([0, 1, 2], [0, 1, 2]))
    parts = np.tensordot(grad, kernel, axes=(3, 3))
    return grid.summed(x.shape, parts), dkernel


def im2col(x, kh, kw, stride=1, padding=0):
    """Flatten the view."""
    grid = Grid(kh, kw, stride, padding)
    return grid.cut(grid.enlarged(x)).reshape(-1, kh * kw * x.shape[-1])


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """Add the rows up."""
    grid = Grid(kh, kw, stride, padding)
    rows = grid.size(shape[1], shape[2])
    return grid.summed(shape, columns.reshape(shape[0], *rows, kh, kw, shape[3]))


def max_pool2d(x, size, stride=None, padding=0):
    """Reduce the view."""
    grid = Grid(size, size, stride or size, padding)
    return np.amax(grid.cut(grid.enlarged(x, -np.inf)), axis=(3, 4))


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Put each gradient where the first maximum is."""
    grid = Grid(size, size, stride or size, padding)
    seen = grid.cut(grid.enlarged(x, -np.inf))
    flat = seen.reshape(*seen.shape[:3], size * size, seen.shape[-1])
    parts = np.zeros(flat.shape, dtype=grad.dtype)
    best = flat.argmax(axis=3)[:, :, :, np.newaxis]
    np.put_along_axis(parts, best, grad[:, :, :, np.newaxis], axis=3)
    return grid.summed(x.shape, parts.reshape(seen.shape))
