"""Layers that write gradients into arrays that stay, and weights in place."""

import numpy as np
from conv import conv2d, conv2d_backward, max_pool2d, max_pool2d_backward


class Weighted:
    """W, b and buffers of their gradients."""

    def make(self, shape, rng):
        """Draw W into an array."""
        rng = np.random.default_rng() if rng is None else rng
        self.W = np.empty(shape)
        rng.standard_normal(out=self.W)
        self.W *= np.sqrt(2 / np.prod(shape[:-1]))
        self.b = np.zeros(shape[-1])
        self.dL_dW, self.dL_db = np.empty(shape), np.empty(shape[-1])


class Conv2d(Weighted):
    """A convolution."""

    __slots__ = ("W", "b", "dL_dW", "dL_db", "how", "x")

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        self.how = {"stride": stride, "padding": padding}
        self.make((kernel_size, kernel_size, in_channels, out_channels), rng)

    def forward(self, x):
        """Return the output."""
        self.x = x.copy()
        y = conv2d(self.x, self.W, **self.how)
        y += self.b
        return y

    def backward(self, dL_dy):
        """Return dL/dx."""
        dx, self.dL_dW[...] = conv2d_backward(dL_dy, self.x, self.W, **self.how)
        np.sum(dL_dy, axis=(0, 1, 2), out=self.dL_db)
        return dx


class ReLU:
    """max(0, x)."""

    def forward(self, x):
        """Return the output."""
        self.y = np.clip(x, 0, None)
        return self.y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return np.where(self.y > 0, dL_dy, 0)


class MaxPool2d:
    """Max pooling."""

    def __init__(self, size, stride=None, padding=0):
        self.size, self.stride, self.padding = size, stride or size, padding

    def forward(self, x):
        """Return the output."""
        self.x = x
        return max_pool2d(x, size=self.size, stride=self.stride, padding=self.padding)

    def backward(self, dL_dy):
        """Return dL/dx."""
        how = {"size": self.size, "stride": self.stride, "padding": self.padding}
        return max_pool2d_backward(dL_dy, self.x, **how)


class Flatten:
    """Images to rows."""

    def forward(self, x):
        """Return a copy as rows."""
        self.n, *self.rest = x.shape
        return np.ascontiguousarray(x).reshape(self.n, -1).copy()

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy.reshape(self.n, *self.rest).copy()


class Linear(Weighted):
    """x W + b."""

    def __init__(self, in_features, out_features, rng=None):
        self.make((in_features, out_features), rng)

    def forward(self, x):
        """Return the output."""
        self.x = x
        return np.add(x @ self.W, self.b)

    def backward(self, dL_dy):
        """Return dL/dx."""
        np.matmul(self.x.T, dL_dy, out=self.dL_dW)
        np.sum(dL_dy, axis=0, out=self.dL_db)
        return dL_dy @ self.W.T


class ConvNet:
    """Five layers, which are changed in place."""

    def __init__(self, height=8, width=8, in_channels=1, filters=8, classes=10, rng=None):
        self.layers = []
        self.layers.append(Conv2d(in_channels, filters, 3, rng=rng))
        self.layers += [ReLU(), MaxPool2d(2), Flatten()]
        self.layers.append(Linear((height // 2 - 1) * (width // 2 - 1) * filters, classes, rng))

    def forward(self, x):
        """Return the logits."""
        out = x
        for k in range(len(self.layers)):
            out = self.layers[k].forward(out)
        return out

    def backward(self, dL_dy):
        """Return dL/dx."""
        k = len(self.layers)
        while k:
            k -= 1
            dL_dy = self.layers[k].backward(dL_dy)
        return dL_dy

    def train_step(self, x, y, lr):
        """Take a step; return the loss before."""
        z = self.forward(x)
        z = z - np.max(z, axis=1, keepdims=True)
        log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
        rows = np.arange(y.shape[0])
        loss = -np.mean(log_p[rows, y])
        d = np.exp(log_p, out=log_p)
        d[rows, y] -= 1
        d /= y.shape[0]
        self.backward(d)
        for layer in self.layers:
            if hasattr(layer, "W"):
                np.subtract(layer.W, lr * layer.dL_dW, out=layer.W)
                np.subtract(layer.b, lr * layer.dL_db, out=layer.b)
        return np.float64(loss)
