"""Convolution and pooling of images (N, H, W, C), with loops over the positions in a window alone.

As in week 4: kernels are (Kh, Kw, Ci, Co), "convolution" is a cross-correlation, a window has to
fit, and rows that are left over at the end are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handmade.tensor import Array, Tensor, result

Places = tuple[slice, slice, slice]


def places_of(shape: tuple[int, ...], window: tuple[int, int], stride: int) -> tuple[int, int]:
    """Return in how many places a window fits, downwards and sideways."""
    height, width = ((shape[1 + k] - window[k]) // stride + 1 for k in (0, 1))
    return height, width


def positions(
    window: tuple[int, int], places: tuple[int, int], stride: int
) -> Iterator[tuple[int, int, Places]]:
    """Yield each position within a window, and the slices that it meets in all places at once."""
    for i, j in np.ndindex(*window):
        rows, columns = (
            slice(first, first + stride * (count - 1) + 1, stride)
            for first, count in zip((i, j), places, strict=True)
        )
        yield i, j, (slice(None), rows, columns)


def conv2d(x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Lay a kernel onto images: (N, H, W, Ci) and (Kh, Kw, Ci, Co) give (N, Ho, Wo, Co)."""
    beside = (padding, padding)
    padded = np.pad(x.data, ((0, 0), beside, beside, (0, 0)))
    window = (kernel.shape[0], kernel.shape[1])
    places = places_of(padded.shape, window, stride)
    y = np.zeros((len(padded), *places, kernel.shape[3]), np.result_type(padded, kernel.data))
    for i, j, met in positions(window, places, stride):
        y += padded[met] @ kernel.data[i, j]

    def pull(grad: Array) -> tuple[Array, ...]:
        by_x, by_kernel = np.zeros_like(padded), np.empty_like(kernel.data)
        for i, j, met in positions(window, places, stride):
            by_x[met] += grad @ kernel.data[i, j].T
            by_kernel[i, j] = np.tensordot(padded[met], grad, axes=((0, 1, 2), (0, 1, 2)))
        height, width = x.shape[1:3]
        return by_x[:, padding : padding + height, padding : padding + width], by_kernel

    return result(y, (x, kernel), pull)


def max_pool2d(x: Tensor, size: int, stride: int | None = None) -> Tensor:
    """Return the largest pixel of each window, (N, Ho, Wo, C); tied pixels share the gradient."""
    window, stride = (size, size), stride or size
    places = places_of(x.shape, window, stride)
    y = np.full((x.shape[0], *places, x.shape[3]), -np.inf, x.data.dtype)
    for _, _, met in positions(window, places, stride):
        np.maximum(y, x.data[met], out=y)

    def pull(grad: Array) -> tuple[Array]:
        ties = np.zeros_like(y)
        for _, _, met in positions(window, places, stride):
            ties += x.data[met] == y
        by_x, share = np.zeros_like(x.data), grad / ties
        for _, _, met in positions(window, places, stride):
            by_x[met] += (x.data[met] == y) * share
        return (by_x,)

    return result(y, (x,), pull)


def avg_pool2d(x: Tensor, size: int, stride: int | None = None) -> Tensor:
    """Return the mean of each window, (N, Ho, Wo, C)."""
    window, stride = (size, size), stride or size
    places = places_of(x.shape, window, stride)
    y = np.zeros((x.shape[0], *places, x.shape[3]), x.data.dtype)
    for _, _, met in positions(window, places, stride):
        y += x.data[met] / size**2

    def pull(grad: Array) -> tuple[Array]:
        by_x = np.zeros_like(x.data)
        for _, _, met in positions(window, places, stride):
            by_x[met] += grad / size**2
        return (by_x,)

    return result(y, (x,), pull)
