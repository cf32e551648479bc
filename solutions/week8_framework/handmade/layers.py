"""Layers without memory: linear, convolution, pooling, embedding, activations, dropout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handmade import conv, ops
from handmade.module import Module
from handmade.tensor import Array, Tensor, result


def drawn(rng: np.random.Generator, shape: tuple[int, ...], variance: float) -> Tensor:
    """Return a parameter drawn from a normal distribution around 0."""
    return Tensor(rng.normal(0.0, np.sqrt(variance), size=shape), requires_grad=True)


def filled(shape: int | tuple[int, ...], value: float) -> Tensor:
    """Return a parameter whose entries are all one number."""
    return Tensor(np.full(shape, value), requires_grad=True)


class Linear(Module):
    """y = x weight + bias over the last axis; weight (in, out), He initialisation."""

    def __init__(self, in_features: int, out_features: int, rng: np.random.Generator) -> None:
        """Draw the weights with variance 2 / in_features; biases are 0."""
        super().__init__()
        self.weight = drawn(rng, (in_features, out_features), 2.0 / in_features)
        self.bias = filled(out_features, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out_features) for (..., in_features)."""
        return ops.add(ops.matmul(x, self.weight), self.bias)


class Conv2d(Module):
    """Convolution of images (N, H, W, in) to (N, Ho, Wo, out), with a bias for each channel."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        rng: np.random.Generator,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        """Draw the kernel with variance 2 / (size * size * in_channels); biases are 0."""
        super().__init__()
        shape = (size, size, in_channels, out_channels)
        self.weight = drawn(rng, shape, 2.0 / (size * size * in_channels))
        self.bias = filled(out_channels, 0.0)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved images."""
        return ops.add(conv.conv2d(x, self.weight, self.stride, self.padding), self.bias)


class Pool2d(Module):
    """A pooling operation as a layer."""

    def __init__(
        self,
        operation: Callable[[Tensor, int, int | None], Tensor],
        size: int,
        stride: int | None = None,
    ) -> None:
        """Keep the operation, the window's size, and how far it moves (None: its size)."""
        super().__init__()
        self.operation, self.size, self.stride = operation, size, stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled images."""
        return self.operation(x, self.size, self.stride)


class Apply(Module):
    """A function of a tensor as a layer: activations, and `flatten` and `last` below."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Keep the function."""
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of x."""
        return self.function(x)


def flatten(x: Tensor) -> Tensor:
    """Return (N, everything else)."""
    return ops.reshape(x, (x.shape[0], -1))


def last(x: Tensor) -> Tensor:
    """Return the last step of a sequence (T, N, H)."""
    return ops.index(x, -1)


def time_first(x: Tensor) -> Tensor:
    """Return sequences (N, T, D) as (T, N, D), the form that recurrent layers read."""
    return ops.transpose(x, (1, 0, *range(2, x.data.ndim)))


class Embedding(Module):
    """A vector for each of `count` symbols."""

    def __init__(self, count: int, features: int, rng: np.random.Generator) -> None:
        """Draw the vectors with variance 1."""
        super().__init__()
        self.weight = drawn(rng, (count, features), 1.0)

    def forward(self, x: Array | Tensor) -> Tensor:
        """Return (..., features) for whole numbers (...)."""
        numbers = x.data if isinstance(x, Tensor) else np.asarray(x)
        return ops.index(self.weight, numbers)


class Dropout(Module):
    """Sets entries to 0 with probability p in training, and divides the others by 1 - p."""

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        """Keep the probability, and the generator that draws."""
        super().__init__()
        self.p, self.rng = p, rng

    def forward(self, x: Tensor) -> Tensor:
        """Return x thinned out; in evaluation mode x itself."""
        if not self.training:
            return x
        kept = (self.rng.random(x.shape) >= self.p) / (1.0 - self.p)
        kept = kept.astype(x.data.dtype)
        return result(x.data * kept, (x,), lambda grad: (grad * kept,))
