"""Layers as dataclasses; gradients are properties of what backward has kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import conv
import numpy as np


def he(rng, *shape):
    """Draw weights for a product over all axes but the last."""
    generator = np.random.default_rng() if rng is None else rng
    return generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))


class Parameters:
    """W and b with gradients that can be read, but not set."""

    @property
    def dL_dW(self):
        """dL/dW."""
        return self.slopes[0]

    @property
    def dL_db(self):
        """dL/db."""
        return self.slopes[1]


@dataclass(eq=False)
class Conv2d(Parameters):
    """A convolution."""

    in_channels: int
    out_channels: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    rng: Any = field(default=None, repr=False)

    def __post_init__(self):
        k = self.kernel_size
        self.W = he(self.rng, k, k, self.in_channels, self.out_channels)
        self.b = np.zeros(self.out_channels)
        self.slopes = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        """Return the output."""
        self.seen = x
        return self.b + conv.conv2d(x, kernel=self.W, stride=self.stride, padding=self.padding)

    def backward(self, dL_dy):
        """Return dL/dx."""
        how = {"stride": self.stride, "padding": self.padding}
        dx, dW = conv.conv2d_backward(grad=dL_dy, x=self.seen, kernel=self.W, **how)
        self.slopes = dW, np.einsum("nrco->o", dL_dy)
        return dx


@dataclass(eq=False)
class ReLU:
    """max(0, x)."""

    on: Any = None

    def forward(self, x):
        """Return the output."""
        self.on = x > 0
        return x * self.on

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * self.on


@dataclass(eq=False)
class MaxPool2d:
    """Max pooling."""

    size: int
    stride: int | None = None
    padding: int = 0

    def forward(self, x):
        """Return the output."""
        self.seen = x
        return conv.max_pool2d(x, self.size, stride=self.stride, padding=self.padding)

    def backward(self, dL_dy):
        """Return dL/dx."""
        settings = self.size, self.stride, self.padding
        return conv.max_pool2d_backward(dL_dy, self.seen, *settings)


@dataclass(eq=False)
class Flatten:
    """Images to rows."""

    shape: tuple = ()

    def forward(self, x):
        """Return the output."""
        self.shape = x.shape[1:]
        return x.reshape(x.shape[0], int(np.prod(self.shape)))

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy.reshape(-1, *self.shape)


@dataclass(eq=False)
class Linear(Parameters):
    """x W + b."""

    inputs: int
    outputs: int
    rng: Any = None

    def __post_init__(self):
        self.W, self.b = he(self.rng, self.inputs, self.outputs), np.zeros(self.outputs)

    def forward(self, x):
        """Return the output."""
        self.seen = x
        return np.einsum("ni,io->no", x, self.W) + self.b

    def backward(self, dL_dy):
        """Return dL/dx."""
        self.slopes = np.einsum("ni,no->io", self.seen, dL_dy), dL_dy.sum(axis=0)
        return np.einsum("no,io->ni", dL_dy, self.W)


@dataclass(eq=False)
class ConvNet:
    """Five layers."""

    height: int = 8
    width: int = 8
    in_channels: int = 1
    filters: int = 8
    classes: int = 10
    rng: Any = None

    def __post_init__(self):
        left = [(n - 2) // 2 for n in (self.height, self.width)]
        self.layers = [
            Conv2d(self.in_channels, self.filters, 3, rng=self.rng),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(left[0] * left[1] * self.filters, self.classes, rng=self.rng),
        ]

    def forward(self, x):
        """Return the logits."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dL_dy):
        """Return dL/dx."""
        for layer in self.layers[::-1]:
            dL_dy = layer.backward(dL_dy)
        return dL_dy

    def train_step(self, x, y, lr):
        """Take a step; return the loss before."""
        logits = self.forward(x)
        logits = logits - logits.max(axis=1)[:, np.newaxis]
        p = np.exp(logits)
        p /= p.sum(axis=1)[:, np.newaxis]
        own = np.take_along_axis(p, y[:, np.newaxis], axis=1)
        one_hot = y[:, np.newaxis] == np.arange(p.shape[1])
        self.backward((p - one_hot) / y.size)
        for layer in filter(lambda one: hasattr(one, "W"), self.layers):
            for name, slope in (("W", layer.dL_dW), ("b", layer.dL_db)):
                setattr(layer, name, getattr(layer, name) - lr * slope)
        return -np.log(own).mean()
