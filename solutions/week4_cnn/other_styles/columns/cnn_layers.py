"""Layers that keep columns, and a network built from a small chain of them."""

import numpy as np
from conv import col2im, im2col
from conv import max_pool2d as pooled
from conv import max_pool2d_backward as unpooled


class Module:
    """Something with forward and backward."""

    def __call__(self, x):
        return self.forward(x)


class Conv2d(Module):
    """A convolution by columns."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        self.k, self.s, self.p = kernel_size, stride, padding
        rng = rng or np.random.default_rng()
        fan_in = kernel_size**2 * in_channels
        size = (kernel_size, kernel_size, in_channels, out_channels)
        self.W = rng.standard_normal(size) * (2 / fan_in) ** 0.5
        self.b = np.zeros((out_channels,))
        self.dL_dW = self.dL_db = None

    def forward(self, x):
        """Return the output."""
        self.columns, self.shape = im2col(x, self.k, self.k, stride=self.s, padding=self.p), x.shape
        n, h, w, _ = x.shape
        ho, wo = ((m + 2 * self.p - self.k) // self.s + 1 for m in (h, w))
        y = self.columns @ self.W.reshape(-1, self.W.shape[-1]) + self.b
        return y.reshape(n, ho, wo, -1)

    def backward(self, dL_dy):
        """Return dL/dx."""
        flat = dL_dy.reshape(-1, dL_dy.shape[-1])
        self.dL_dW = (self.columns.T @ flat).reshape(self.W.shape)
        self.dL_db = flat.sum(0)
        back = flat @ self.W.reshape(-1, self.W.shape[-1]).T
        return col2im(back, self.shape, self.k, self.k, stride=self.s, padding=self.p)


class ReLU(Module):
    """max(0, x)."""

    def forward(self, x):
        """Return the output."""
        self.y = np.maximum(x, 0)
        return self.y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * np.sign(self.y)


class MaxPool2d(Module):
    """Max pooling."""

    def __init__(self, size, stride=None, padding=0):
        self.args = (size, stride or size, padding)

    def forward(self, x):
        """Return the output."""
        self.x = x
        return pooled(x, *self.args)

    def backward(self, dL_dy):
        """Return dL/dx."""
        return unpooled(dL_dy, self.x, *self.args)


class Flatten(Module):
    """Images to rows."""

    def forward(self, x):
        """Return the output."""
        self.images = x.shape
        return np.reshape(x, (x.shape[0], np.prod(x.shape[1:])))

    def backward(self, dL_dy):
        """Return dL/dx."""
        return np.reshape(dL_dy, self.images)


class Linear(Module):
    """x W + b."""

    def __init__(self, inputs, outputs, rng=None):
        rng = rng or np.random.default_rng()
        self.W = rng.standard_normal((inputs, outputs)) * (2 / inputs) ** 0.5
        self.b = np.zeros(outputs)

    def forward(self, x):
        """Return the output."""
        self.x = x
        return self.x.dot(self.W) + self.b

    def backward(self, dL_dy):
        """Return dL/dx."""
        self.dL_dW = self.x.T.dot(dL_dy)
        self.dL_db = np.ones(len(dL_dy)).dot(dL_dy)
        return dL_dy.dot(self.W.T)


class ConvNet(Module):
    """conv 3 x 3, ReLU, pool 2 x 2, linear."""

    def __init__(self, height=8, width=8, in_channels=1, filters=8, classes=10, rng=None):
        self.conv = Conv2d(in_channels, filters, 3, rng=rng)
        self.fc = Linear((height // 2 - 1) * (width // 2 - 1) * filters, classes, rng=rng)
        self.pool, self.flat, self.act = MaxPool2d(2), Flatten(), ReLU()
        self.layers = [self.conv, self.act, self.pool, self.flat, self.fc]

    def forward(self, x):
        """Return the output."""
        h = self.act.forward(self.conv.forward(x))
        return self.fc.forward(self.flat.forward(self.pool.forward(h)))

    def backward(self, dL_dy):
        """Return dL/dx."""
        h = self.pool.backward(self.flat.backward(self.fc.backward(dL_dy)))
        return self.conv.backward(self.act.backward(h))

    def train_step(self, x, y, lr):
        """One step; the loss before it."""
        z = self.forward(x)
        top = z.max(1, keepdims=True)
        log_sum = top[:, 0] + np.log(np.exp(z - top).sum(1))
        loss = np.mean(log_sum - z[np.arange(len(y)), y])
        p = np.exp(z - log_sum[:, None])
        p[np.arange(len(y)), y] -= 1
        self.backward(p / len(y))
        for part in (self.conv, self.fc):
            part.W -= lr * part.dL_dW
            part.b -= lr * part.dL_db
        return loss
