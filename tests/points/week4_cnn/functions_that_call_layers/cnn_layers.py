"""Layers that leave the work to functions."""

import conv
import numpy as np


class Conv2d:
    """A convolution by conv.conv2d."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        """Draw the weights."""
        self.settings = stride, padding
        sizes = kernel_size, kernel_size, in_channels, out_channels
        rng = rng or np.random.default_rng()
        self.W = rng.normal(0.0, np.sqrt(2.0 / np.prod(sizes[:3])), size=sizes)
        self.b = np.zeros(out_channels)

    def forward(self, x):
        """Ask a function."""
        self.x = x
        return conv.conv2d(x, self.W, *self.settings) + self.b

    def backward(self, dL_dy):
        """Ask a function."""
        dx, self.dL_dW = conv.conv2d_backward(dL_dy, self.x, self.W, *self.settings)
        self.dL_db = dL_dy.sum(axis=(0, 1, 2))
        return dx


class MaxPool2d:
    """Pooling by conv.max_pool2d."""

    def __init__(self, size, stride=None, padding=0):
        """Keep the sizes."""
        self.settings = size, stride, padding

    def forward(self, x):
        """Ask a function."""
        self.x = x
        return conv.max_pool2d(x, *self.settings)

    def backward(self, dL_dy):
        """Ask a function."""
        return conv.max_pool2d_backward(dL_dy, self.x, *self.settings)


class Flatten:
    """Rows."""

    def forward(self, x):
        """Return rows."""
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dL_dy):
        """Return images."""
        return dL_dy.reshape(self.shape)
