"""Convolution and pooling of images in NumPy, forward and backward, and convolution as one product.

Conventions, for every function in this file:

- Images are arrays of shape (N, H, W, C): N images of H rows, W columns and C channels. A kernel
  has the shape (Kh, Kw, Ci, Co): for each of its Kh x Kw positions a matrix from Ci to Co channels.
- "Convolution" is what deep learning calls so, a *cross-correlation*: the kernel is laid onto the
  image as it is, and not rotated.
- The window moves `stride` rows or columns at a time, and has to fit: along H rows, with `padding`
  rows added at both ends, it has floor((H + 2 padding - Kh) / stride) + 1 places. Rows that are
  left over at the end are not read.
- A gradient has the shape of what it is the gradient of. No function changes its arguments.
- float32 in, float32 out. Whole batches at once: no Python loop over images or over pixels. A loop
  over the few positions *within* a window is fine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def pad(x: FloatArray, padding: int, value: float = 0.0) -> FloatArray:
    """Return images with `padding` more rows and columns on each of the four sides. Given.

    `x`: shape (N, H, W, C), not changed; `value` fills what is added. The result has the shape
    (N, H + 2 padding, W + 2 padding, C) and the dtype of x.
    """
    beside = (padding, padding)
    return np.pad(x, ((0, 0), beside, beside, (0, 0)), constant_values=value)


def every(first: int, count: int, stride: int) -> slice:
    """Return the slice of `count` indices first, first + stride, first + 2 stride ... Given.

    These are the rows (or columns) that one position of a window meets in all places of the window:
    position `first` of a window that has `count` places.
    """
    return slice(first, first + stride * (count - 1) + 1, stride)


def avg_pool2d(x: FloatArray, size: int) -> FloatArray:
    """Worked example: the mean of each window of size x size; windows lie side by side.

    Instead of going through all places of the window, the loop goes through the positions within
    it: one slice has what position (i, j) meets in all places at once.

    `x`: shape (N, H, W, C), not changed. Returns shape (N, H // size, W // size, C).
    """
    height, width = x.shape[1] // size, x.shape[2] // size
    total = np.zeros((len(x), height, width, x.shape[3]), dtype=x.dtype)
    for i, j in np.ndindex(size, size):
        total += x[:, every(i, height, size), every(j, width, size)]
    return total / size**2


def avg_pool2d_backward(grad: FloatArray, x: FloatArray, size: int) -> FloatArray:
    """Worked example: dL/dx of avg_pool2d. The mean moves by 1 / size^2 of a pixel's move.

    `grad`: dL/dy, of the shape of the output; `x`: what was pooled; neither is changed. Rows and
    columns that no window has read keep the gradient 0.
    """
    dx = np.zeros_like(x)
    for i, j in np.ndindex(size, size):
        dx[:, every(i, grad.shape[1], size), every(j, grad.shape[2], size)] = grad / size**2
    return dx


def conv2d(x: FloatArray, kernel: FloatArray, stride: int = 1, padding: int = 0) -> FloatArray:
    """Lay a kernel onto images in each place of its window.

    y[n, r, c, o] = sum over i, j, k of p[n, r stride + i, c stride + j, k] kernel[i, j, k, o],
    where p is x with `padding` rows and columns of zeros on each side. There is no bias.

    Args:
        x: images, shape (N, H, W, Ci), float, not changed.
        kernel: shape (Kh, Kw, Ci, Co), not changed.
        stride: how far the window moves, at least 1.
        padding: at least 0.

    Returns:
        Shape (N, Ho, Wo, Co) with Ho = floor((H + 2 padding - Kh) / stride) + 1, and Wo alike.
    """
    # BEGIN SOLUTION week4.conv2d
    padded, (kh, kw) = pad(x, padding), kernel.shape[:2]
    height = (padded.shape[1] - kh) // stride + 1
    width = (padded.shape[2] - kw) // stride + 1
    y = np.zeros((len(x), height, width, kernel.shape[3]), dtype=np.result_type(x, kernel))
    for i, j in np.ndindex(kh, kw):
        seen = padded[:, every(i, height, stride), every(j, width, stride)]
        y += seen @ kernel[i, j]
    return y
    # END SOLUTION


def conv2d_backward(
    grad: FloatArray, x: FloatArray, kernel: FloatArray, stride: int = 1, padding: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Return the gradients of conv2d(x, kernel, stride, padding).

    The shapes alone don't tell stride and padding, so both are arguments here too.

    Args:
        grad: dL/dy, of the shape of the output, not changed.
        x: the images that went in, shape (N, H, W, Ci), not changed.
        kernel: shape (Kh, Kw, Ci, Co), not changed.
        stride: as in the forward pass.
        padding: as in the forward pass.

    Returns:
        dL/dx, of the shape of x, and dL/dkernel, of the shape of the kernel, in this order.
    """
    # BEGIN SOLUTION week4.conv2d_backward
    padded, (_, height, width, _) = pad(x, padding), grad.shape
    dpadded, dkernel = np.zeros_like(padded), np.zeros_like(kernel)
    for i, j in np.ndindex(*kernel.shape[:2]):
        rows, columns = every(i, height, stride), every(j, width, stride)
        dkernel[i, j] = np.tensordot(padded[:, rows, columns], grad, axes=([0, 1, 2], [0, 1, 2]))
        dpadded[:, rows, columns] += grad @ kernel[i, j].T
    inside = every(padding, x.shape[1], 1), every(padding, x.shape[2], 1)
    return dpadded[:, inside[0], inside[1]], dkernel
    # END SOLUTION


def im2col(x: FloatArray, kh: int, kw: int, stride: int = 1, padding: int = 0) -> FloatArray:
    """Write each window of the images as a row, so that a convolution becomes one matrix product.

    Args:
        x: images, shape (N, H, W, Ci), not changed.
        kh: rows of the window.
        kw: columns of the window.
        stride: how far the window moves.
        padding: rows and columns of zeros on each side.

    Returns:
        Shape (N * Ho * Wo, kh * kw * Ci). Rows are in the order of (n, r, c), and the entries of a
        row in the order of (i, j, k), both as `reshape` counts: so im2col(x, ...) times
        kernel.reshape(kh * kw * Ci, Co) is conv2d(x, kernel, ...) with its first axes as one.
    """
    # BEGIN SOLUTION week4.im2col
    padded = pad(x, padding)
    height = (padded.shape[1] - kh) // stride + 1
    width = (padded.shape[2] - kw) // stride + 1
    windows = np.empty((len(x), height, width, kh, kw, x.shape[3]), dtype=x.dtype)
    for i, j in np.ndindex(kh, kw):
        windows[:, :, :, i, j] = padded[:, every(i, height, stride), every(j, width, stride)]
    return windows.reshape(len(x) * height * width, kh * kw * x.shape[3])
    # END SOLUTION


def col2im(
    columns: FloatArray,
    shape: tuple[int, int, int, int],
    kh: int,
    kw: int,
    stride: int = 1,
    padding: int = 0,
) -> FloatArray:
    """Add rows of windows up to images: the adjoint of im2col, which its backward pass needs.

    Each entry of `columns` goes back to the pixel that im2col has taken it from. A pixel that lies
    in several windows gets the *sum*; what belongs to the padding is dropped.

    Args:
        columns: shape (N * Ho * Wo, kh * kw * Ci), not changed.
        shape: (N, H, W, Ci), the shape of the images.
        kh: rows of the window.
        kw: columns of the window.
        stride: as in im2col.
        padding: as in im2col.

    Returns:
        Shape (N, H, W, Ci).
    """
    # BEGIN SOLUTION week4.im2col
    n, h, w, channels = shape
    height, width = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    windows = columns.reshape(n, height, width, kh, kw, channels)
    images = np.zeros((n, h + 2 * padding, w + 2 * padding, channels), dtype=columns.dtype)
    for i, j in np.ndindex(kh, kw):
        images[:, every(i, height, stride), every(j, width, stride)] += windows[:, :, :, i, j]
    return images[:, padding : padding + h, padding : padding + w]
    # END SOLUTION


def max_pool2d(x: FloatArray, size: int, stride: int | None = None, padding: int = 0) -> FloatArray:
    """Return the largest entry of each window of size x size, channel by channel.

    Args:
        x: images, shape (N, H, W, C), not changed.
        size: rows and columns of the window.
        stride: how far the window moves; `size` if None. Windows overlap if it is smaller.
        padding: at most size // 2. What is added on the sides must never win, so it is minus
            infinity here, and not 0.

    Returns:
        Shape (N, Ho, Wo, C) with Ho = floor((H + 2 padding - size) / stride) + 1, and Wo alike.
    """
    # BEGIN SOLUTION week4.max_pool2d
    stride = size if stride is None else stride
    padded = pad(x, padding, -np.inf)
    height = (padded.shape[1] - size) // stride + 1
    width = (padded.shape[2] - size) // stride + 1
    y = np.full((len(x), height, width, x.shape[3]), -np.inf, dtype=x.dtype)
    for i, j in np.ndindex(size, size):
        y = np.maximum(y, padded[:, every(i, height, stride), every(j, width, stride)])
    return y
    # END SOLUTION


def max_pool2d_backward(
    grad: FloatArray, x: FloatArray, size: int, stride: int | None = None, padding: int = 0
) -> FloatArray:
    """Return dL/dx of max_pool2d(x, size, stride, padding).

    Only the entry that won its window has moved the output, so it gets that output's gradient. An
    entry that won several windows gets the sum. Where several entries of a window are equally
    large, their shares add up to the gradient: all of it to the first of them, as here, or divided
    among them.

    Args:
        grad: dL/dy, of the shape of the output, not changed.
        x: the images that were pooled, shape (N, H, W, C), not changed.
        size: as in the forward pass.
        stride: as in the forward pass.
        padding: as in the forward pass.

    Returns:
        Shape (N, H, W, C).
    """
    stride = size if stride is None else stride
    padded = pad(x, padding, -np.inf)
    dpadded = np.zeros_like(padded)
    # BEGIN SOLUTION week4.max_pool2d
    y = max_pool2d(x, size, stride, padding)
    left = grad.copy()
    for i, j in np.ndindex(size, size):
        rows, columns = every(i, grad.shape[1], stride), every(j, grad.shape[2], stride)
        won = padded[:, rows, columns] == y
        dpadded[:, rows, columns] += np.where(won, left, 0.0)
        left = np.where(won, 0.0, left)
    # END SOLUTION
    return dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
