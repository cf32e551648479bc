"""Convolution and pooling as the examiner computes them: by lists of indices, with no window loop.

An index list says which pixel of the padded image stands in each position of each window. So
forward reads by it, and the gradient is added up by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


def places(length: int, window: int, stride: int, padding: int) -> int:
    """Return in how many places a window fits. Raises ValueError if there is none."""
    count = (length + 2 * padding - window) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {window} does not fit into {length} + 2 * {padding}")
    return count


@dataclass(frozen=True)
class Windows:
    """All windows on images of H x W: `pixels` (Ho, Wo, Kh, Kw) indexes the padded image, flat."""

    height: int
    width: int
    padding: int
    pixels: Array

    @classmethod
    def on(cls, x: Array, kh: int, kw: int, stride: int, padding: int) -> Windows:
        """Return the windows of kh x kw on images x of shape (N, H, W, C)."""
        if x.ndim != 4:
            raise ValueError(f"expected images (N, H, W, C), got an array of shape {x.shape}")
        _, h, w, _ = x.shape
        starts = [
            stride * np.arange(places(length, window, stride, padding))
            for length, window in ((h, kh), (w, kw))
        ]
        rows = starts[0][:, None, None, None] + np.arange(kh)[:, None]
        columns = starts[1][:, None, None] + np.arange(kw)
        return cls(h, w, padding, rows * (w + 2 * padding) + columns)

    def read(self, x: Array, beyond: float = 0.0) -> Array:
        """Return what stands in the windows, (N, Ho, Wo, Kh, Kw, C); `beyond` fills the padding."""
        p = self.padding
        n, h, w, c = x.shape
        padded = np.full((n, h + 2 * p, w + 2 * p, c), beyond, dtype=x.dtype)
        padded[:, p : p + h, p : p + w] = x
        return padded.reshape(n, -1, c)[:, self.pixels]

    def add(self, values: Array) -> Array:
        """Return images in which values of windows (N, Ho, Wo, Kh, Kw, C) are added up."""
        p, n, c = self.padding, len(values), values.shape[-1]
        h, w = self.height + 2 * p, self.width + 2 * p
        flat = np.zeros((h * w, n, c))
        np.add.at(flat, self.pixels.reshape(-1), values.reshape(n, -1, c).swapaxes(0, 1))
        padded = flat.swapaxes(0, 1).reshape(n, h, w, c)
        return padded[:, p : p + self.height, p : p + self.width]


def conv2d(x: Array, kernel: Array, stride: int = 1, padding: int = 0) -> Array:
    """Return the cross-correlation of images with a kernel."""
    if kernel.ndim != 4 or kernel.shape[2] != x.shape[-1]:
        raise ValueError(f"a kernel of shape {kernel.shape} does not fit images {x.shape}")
    seen = Windows.on(x, *kernel.shape[:2], stride, padding).read(x)
    return np.tensordot(seen, kernel, axes=3)


def conv2d_backward(
    grad: Array, x: Array, kernel: Array, stride: int = 1, padding: int = 0
) -> tuple[Array, Array]:
    """Return dL/dx and dL/dkernel."""
    windows = Windows.on(x, *kernel.shape[:2], stride, padding)
    seen = windows.read(x)
    wanted = (*seen.shape[:3], kernel.shape[3])
    if grad.shape != wanted:
        raise ValueError(f"expected an upstream gradient of shape {wanted}, got {grad.shape}")
    dkernel = np.tensordot(seen, grad, axes=([0, 1, 2], [0, 1, 2]))
    return windows.add(np.tensordot(grad, kernel, axes=([3], [3]))), dkernel


def im2col(x: Array, kh: int, kw: int, stride: int = 1, padding: int = 0) -> Array:
    """Return each window as a row."""
    seen = Windows.on(x, kh, kw, stride, padding).read(x)
    return seen.reshape(-1, kh * kw * x.shape[3])


def col2im(
    columns: Array, shape: tuple[int, ...], kh: int, kw: int, stride: int = 1, padding: int = 0
) -> Array:
    """Return rows of windows, added up to images."""
    windows = Windows.on(np.empty(shape), kh, kw, stride, padding)
    return windows.add(columns.reshape(shape[0], *windows.pixels.shape, shape[3]))


def max_pool2d(x: Array, size: int, stride: int | None = None, padding: int = 0) -> Array:
    """Return the largest entry of each window."""
    windows = Windows.on(x, size, size, stride or size, padding)
    return windows.read(x, -np.inf).max(axis=(3, 4))


def max_pool2d_backward(
    grad: Array, x: Array, size: int, stride: int | None = None, padding: int = 0
) -> Array:
    """Return dL/dx; of equal entries in a window the first gets all."""
    windows = Windows.on(x, size, size, stride or size, padding)
    seen = windows.read(x, -np.inf)
    flat = seen.reshape(*seen.shape[:3], size * size, -1)
    if grad.shape != (*flat.shape[:3], flat.shape[4]):
        raise ValueError(f"the upstream gradient has a wrong shape, {grad.shape}")
    first = np.arange(size * size)[:, None] == flat.argmax(axis=3)[:, :, :, None]
    return windows.add((first * grad[:, :, :, None]).reshape(seen.shape))


FUNCTIONS = {
    "conv2d": conv2d,
    "conv2d_backward": conv2d_backward,
    "im2col": im2col,
    "col2im": col2im,
    "max_pool2d": max_pool2d,
    "max_pool2d_backward": max_pool2d_backward,
}
"""The functions of conv.py by their names, with the arguments that they are promised to have."""
