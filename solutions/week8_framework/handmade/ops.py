"""Operations on tensors: arithmetic, functions of entries, products, sums, shapes.

Arithmetic broadcasts as NumPy does. Where an operand was stretched, its gradient is added up over
the copies (`unbroadcast`), so a gradient always has the shape of what it is the gradient of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from handmade.tensor import Array, Tensor, result

Axis = int | tuple[int, ...] | None
Operand = Tensor | float


def as_tensors(a: Operand, b: Operand) -> tuple[Tensor, Tensor]:
    """Return both as tensors; a plain number takes the dtype of the other one."""
    if not isinstance(a, Tensor):
        a = Tensor(np.asarray(a, dtype=b.data.dtype if isinstance(b, Tensor) else None))
    if not isinstance(b, Tensor):
        b = Tensor(np.asarray(b, dtype=a.data.dtype))
    return a, b


def unbroadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    """Add a gradient up over the axes along which an operand of this shape was stretched."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size != grad.shape[axis])
    return grad.sum(axis=stretched, keepdims=True)


# Arithmetic


def add(a: Operand, b: Operand) -> Tensor:
    """Return a + b."""
    a, b = as_tensors(a, b)
    return result(
        a.data + b.data,
        (a, b),
        lambda grad: (unbroadcast(grad, a.shape), unbroadcast(grad, b.shape)),
    )


def subtract(a: Operand, b: Operand) -> Tensor:
    """Return a - b."""
    a, b = as_tensors(a, b)
    return result(
        a.data - b.data,
        (a, b),
        lambda grad: (unbroadcast(grad, a.shape), unbroadcast(-grad, b.shape)),
    )


def multiply(a: Operand, b: Operand) -> Tensor:
    """Return a * b, entry by entry."""
    a, b = as_tensors(a, b)
    return result(
        a.data * b.data,
        (a, b),
        lambda grad: (unbroadcast(grad * b.data, a.shape), unbroadcast(grad * a.data, b.shape)),
    )


def divide(a: Operand, b: Operand) -> Tensor:
    """Return a / b, entry by entry."""
    a, b = as_tensors(a, b)

    def pull(grad: Array) -> tuple[Array, ...]:
        by_b = -grad * a.data / b.data**2
        return unbroadcast(grad / b.data, a.shape), unbroadcast(by_b, b.shape)

    return result(a.data / b.data, (a, b), pull)


def power(x: Tensor, exponent: float) -> Tensor:
    """Return x ** exponent; the exponent is a number, and no tensor."""
    return result(
        x.data**exponent,
        (x,),
        lambda grad: (grad * exponent * x.data ** (exponent - 1),),
    )


# Functions of entries


def exp(x: Tensor) -> Tensor:
    """Return e to the power of each entry."""
    y = np.exp(x.data)
    return result(y, (x,), lambda grad: (grad * y,))


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of each entry."""
    return result(np.log(x.data), (x,), lambda grad: (grad / x.data,))


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent of each entry."""
    y = np.tanh(x.data)
    return result(y, (x,), lambda grad: (grad * (1.0 - y**2),))


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    y = 0.5 + 0.5 * np.tanh(0.5 * x.data)
    return result(y, (x,), lambda grad: (grad * y * (1.0 - y),))


def relu(x: Tensor) -> Tensor:
    """Return max(0, x); the derivative at 0 is 0."""
    return result(np.maximum(x.data, 0.0), (x,), lambda grad: (grad * (x.data > 0.0),))


# Products, sums, maxima


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b of two axes or more each; leading axes broadcast, as NumPy's do."""

    def pull(grad: Array) -> tuple[Array, ...]:
        by_a = grad @ np.swapaxes(b.data, -1, -2)
        by_b = np.swapaxes(a.data, -1, -2) @ grad
        return unbroadcast(by_a, a.shape), unbroadcast(by_b, b.shape)

    return result(a.data @ b.data, (a, b), pull)


def restored(reduced: Array, axis: Axis, ndim: int) -> Array:
    """Put the axes that a reduction took away back in, with length 1."""
    if axis is None:
        return reduced.reshape((1,) * ndim)
    axes = (axis,) if isinstance(axis, int) else axis
    return np.expand_dims(reduced, tuple(one % ndim for one in axes))


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over all axes, or over some."""

    def pull(grad: Array) -> tuple[Array]:
        whole = grad if keepdims else restored(grad, axis, x.data.ndim)
        return (np.broadcast_to(whole, x.shape),)

    return result(x.data.sum(axis=axis, keepdims=keepdims), (x,), pull)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over all axes, or over some."""
    total = sum(x, axis, keepdims)
    return multiply(total, max(total.data.size, 1) / max(x.data.size, 1))


def max_of(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest entry over all axes, or over some; tied entries share the gradient."""
    top = x.data.max(axis=axis, keepdims=True)

    def pull(grad: Array) -> tuple[Array]:
        whole = grad if keepdims else restored(grad, axis, x.data.ndim)
        at_top = x.data == top
        return (whole * at_top / at_top.sum(axis=axis, keepdims=True),)

    return result(x.data.max(axis=axis, keepdims=keepdims), (x,), pull)


# Shapes


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the same entries in another shape; one length may be -1."""
    return result(x.data.reshape(shape), (x,), lambda grad: (grad.reshape(x.shape),))


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in another order; without `axes` in reverse."""
    order = tuple(axes) if axes is not None else tuple(reversed(range(x.data.ndim)))
    back = tuple(np.argsort(order))
    return result(x.data.transpose(order), (x,), lambda grad: (grad.transpose(back),))


def index(x: Tensor, at: Any) -> Tensor:
    """Return x[at]: numbers, slices, integer arrays. An entry taken twice gets both gradients."""

    parts = at if isinstance(at, tuple) else (at,)
    simple = all(isinstance(part, int | slice) for part in parts)  # then no entry comes twice

    def pull(grad: Array) -> tuple[Array]:
        whole = np.zeros_like(x.data)
        if simple:
            whole[at] = grad
        else:
            np.add.at(whole, at, grad)
        return (whole,)

    return result(x.data[at], (x,), pull)


def concatenate(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return the tensors one after the other along an axis that is there."""
    ends = np.cumsum([one.shape[axis] for one in tensors])[:-1]
    joined = np.concatenate([one.data for one in tensors], axis=axis)
    return result(joined, tuple(tensors), lambda grad: tuple(np.split(grad, ends, axis=axis)))


def stack(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors of one shape along a new first axis."""
    joined = np.stack([one.data for one in tensors])
    return result(joined, tuple(tensors), lambda grad: tuple(grad))
