"""Convolution, pooling and the layers on top of them, all in one file; functions are closures."""

from functools import partial
from itertools import product

import numpy as np


def looking(shape, kh, kw, stride, padding):
    """Return for each position of the window the slices that it meets, and the padded shape."""
    n, h, w, c = shape
    tall, wide = h + 2 * padding, w + 2 * padding
    rows, columns = (tall - kh) // stride, (wide - kw) // stride
    found = {
        (i, j): np.s_[:, i : i + rows * stride + 1 : stride, j : j + columns * stride + 1 : stride]
        for i, j in product(range(kh), range(kw))
    }
    inside = np.s_[:, padding : padding + h, padding : padding + w]
    return found, (n, tall, wide, c), inside


def conv2d(x, kernel, stride=1, padding=0):
    """A stack of what all positions meet, times the stack of their matrices."""
    found, shape, inside = looking(x.shape, *kernel.shape[:2], stride, padding)
    padded = np.zeros_like(x, shape=shape)
    padded[inside] = x
    seen = np.concatenate([padded[at] for at in found.values()], axis=-1)
    return seen @ np.concatenate([kernel[at] for at in found], axis=0)


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Position by position."""
    found, shape, inside = looking(x.shape, *kernel.shape[:2], stride, padding)
    padded, back = np.zeros_like(x, shape=shape), np.zeros_like(x, shape=shape)
    padded[inside] = x
    dkernel = {}
    for position, at in found.items():
        dkernel[position] = np.einsum("nrck,nrco->ko", padded[at], grad)
        back[at] = back[at] + np.einsum("nrco,ko->nrck", grad, kernel[position])
    return back[inside], np.stack(list(dkernel.values())).reshape(kernel.shape)


def im2col(x, kh, kw, stride=1, padding=0):
    """The stack of what all positions meet."""
    found, shape, inside = looking(x.shape, kh, kw, stride, padding)
    padded = np.zeros_like(x, shape=shape)
    padded[inside] = x
    seen = np.stack([padded[at] for at in found.values()], axis=3)
    return seen.reshape(-1, seen.shape[3] * seen.shape[4])


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """The stack, added up."""
    found, padded, inside = looking(shape, kh, kw, stride, padding)
    back = np.zeros_like(columns, shape=padded)
    size = back[found[0, 0]].shape
    for k, at in enumerate(found.values()):
        part = columns[:, k * shape[3] : (k + 1) * shape[3]]
        back[at] = back[at] + part.reshape(size)
    return back[inside]


def max_pool2d(x, size, stride=None, padding=0):
    """The maximum of the stack."""
    found, shape, inside = looking(x.shape, size, size, stride or size, padding)
    padded = np.full_like(x, np.finfo(x.dtype).min, shape=shape)
    padded[inside] = x
    return np.max(np.stack([padded[at] for at in found.values()]), axis=0)


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Each position, if it is the first one that is the largest."""
    found, shape, inside = looking(x.shape, size, size, stride or size, padding)
    padded, back = np.full_like(x, -np.inf, shape=shape), np.zeros_like(x, shape=shape)
    padded[inside] = x
    best = np.stack([padded[at] for at in found.values()]).argmax(axis=0)
    for k, at in enumerate(found.values()):
        back[at] = back[at] + np.where(best == k, grad, grad.dtype.type(0))
    return back[inside]


class Layer:
    """Its forward makes the function that is its backward."""

    def forward(self, x):
        """Return the output."""
        y, self._back = self._run(x)
        return y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return self._back(dL_dy)

    __call__ = forward


class ReLU(Layer):
    """max(0, x)."""

    def _run(self, x):
        return np.maximum(x, 0), lambda g: g * (x > 0)


class MaxPool2d(Layer):
    """Max pooling."""

    def __init__(self, size, stride=None, padding=0):
        self._pool = partial(max_pool2d, size=size, stride=stride, padding=padding)
        self._unpool = partial(max_pool2d_backward, size=size, stride=stride, padding=padding)

    def _run(self, x):
        return self._pool(x), lambda g: self._unpool(g, x)


class Flatten(Layer):
    """Images to rows."""

    def _run(self, x):
        return np.array([image.ravel() for image in x]), lambda g: np.reshape(g, x.shape)


class Weighted(Layer):
    """A layer with W and b."""

    def _draw(self, rng, *shape):
        rng = np.random.default_rng() if rng is None else rng
        self.W = rng.normal(size=shape, scale=(2 / np.prod(shape[:-1])) ** 0.5)
        self.b = np.zeros(shape[-1:])


class Conv2d(Weighted):
    """A convolution."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self._draw(rng, kernel_size, kernel_size, in_channels, out_channels)

    def _run(self, x):
        def back(g):
            dx, self.dL_dW = conv2d_backward(g, x, self.W, self.stride, self.padding)
            self.dL_db = g.sum(axis=0).sum(axis=0).sum(axis=0)
            return dx

        return conv2d(x, self.W, self.stride, self.padding) + self.b, back


class Linear(Weighted):
    """x W + b."""

    def __init__(self, in_features, out_features, rng=None):
        self._draw(rng, in_features, out_features)

    def _run(self, x):
        def back(g):
            self.dL_dW, self.dL_db = x.T @ g, g.sum(axis=0)
            return g @ self.W.T

        return x @ self.W + self.b, back


class ConvNet(Layer):
    """Five layers."""

    def __init__(self, height=8, width=8, in_channels=1, filters=8, classes=10, rng=None):
        pixels = (height - 2) // 2 * ((width - 2) // 2)
        conv, linear = (
            Conv2d(in_channels, filters, 3, rng=rng),
            Linear(pixels * filters, classes, rng),
        )
        self.layers = [conv, ReLU(), MaxPool2d(2), Flatten(), linear]

    def _run(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x, self._through

    def _through(self, g):
        for layer in reversed(self.layers):
            g = layer.backward(g)
        return g

    def train_step(self, x, y, lr):
        """Take a step; return the loss before."""
        z = self.forward(x)
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        hot = np.identity(p.shape[1])[y]
        self.backward((p - hot) / len(hot))
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W, layer.b = layer.W - lr * layer.dL_dW, layer.b - lr * layer.dL_db
        return float(-(hot * np.log(p)).sum() / len(hot))
