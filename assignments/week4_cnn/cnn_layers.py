"""Layers for images, and a small convolutional network that reads digits.

    python cnn_layers.py                 train the network for 12 epochs, and say how it does

Conventions, for every layer in this file:

- Images are arrays of shape (N, H, W, C), as in conv.py.
- `forward(x)` returns the layer's output and keeps whatever `backward` will need.
- `backward(dL_dy)` takes the gradient of the loss with respect to that output, of its shape, and
  returns the gradient with respect to the input, of its shape. It belongs to the latest `forward`.
  Gradients of parameters are stored anew by each `backward`; nothing accumulates.
- Neither method changes an array that it was given.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from conv import conv2d, conv2d_backward, max_pool2d, max_pool2d_backward

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


class ReLU:
    """Given: y = max(0, x), entry by entry, for arrays of any shape."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return max(0, x)."""
        self._positive = x > 0
        return np.where(self._positive, x, 0.0).astype(x.dtype, copy=False)

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx: the gradient passes where x was positive."""
        return np.where(self._positive, dL_dy, 0.0).astype(dL_dy.dtype, copy=False)


class Linear:
    """Given: y = x W + b for rows x of shape (N, in_features); here W is (in, out)."""

    def __init__(
        self, in_features: int, out_features: int, rng: np.random.Generator | None = None
    ) -> None:
        """Create the layer with He initialisation; `b` starts at zero."""
        rng = np.random.default_rng() if rng is None else rng
        deviation = np.sqrt(2.0 / in_features)
        self.W: FloatArray = rng.normal(0.0, deviation, size=(in_features, out_features))
        self.b: FloatArray = np.zeros(out_features)
        self.dL_dW: FloatArray = np.zeros_like(self.W)
        self.dL_db: FloatArray = np.zeros_like(self.b)

    def forward(self, x: FloatArray) -> FloatArray:
        """Return x W + b, shape (N, out_features)."""
        self._x = x
        return self.b + x @ self.W

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL_dW and dL_db, and return dL/dx."""
        self.dL_dW, self.dL_db = self._x.T @ dL_dy, dL_dy.sum(axis=0)
        return dL_dy @ self.W.T


def cross_entropy(logits: FloatArray, y: IntArray) -> tuple[float, FloatArray]:
    """Given: return the mean cross-entropy of logits (N, C) and labels y (N,), and dL/dlogits."""
    top = logits.max(axis=1)
    log_sums = top + np.log(np.exp(logits - top[:, np.newaxis]).sum(axis=1))
    of_label = np.take_along_axis(logits, y[:, np.newaxis], axis=1)[:, 0]
    probabilities = np.exp(logits - log_sums[:, np.newaxis])
    right = y[:, np.newaxis] == np.arange(logits.shape[1])
    return float(np.mean(log_sums - of_label)), (probabilities - right) / len(y)


class Conv2d:
    """A convolutional layer: y = conv2d(x, W, stride, padding) + b.

    Attributes:
        W: the kernel, shape (kernel_size, kernel_size, in_channels, out_channels).
        b: one bias for each output channel, shape (out_channels,).
        dL_dW: gradient of the loss with respect to W, of its shape, set by each `backward`.
        dL_db: gradient of the loss with respect to b, of its shape, set by each `backward`.

    `W` and `b` may be replaced from outside at any time: `forward` and `backward` use the present
    ones.
    """

    W: FloatArray
    b: FloatArray

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Create the layer with He initialisation.

        Args:
            in_channels: channels of the images that come in.
            out_channels: channels of the output, one for each filter.
            kernel_size: rows and columns of the window.
            stride: how far the window moves.
            padding: rows and columns of zeros on each side.
            rng: where the random weights come from; a fresh generator if None.

        Every entry of `W` is drawn from a normal distribution with mean 0 and *variance* 2 / n,
        where n is the number of terms that are added up in one output. `b` starts at zero.
        """
        self.stride, self.padding = stride, padding
        rng = np.random.default_rng() if rng is None else rng
        raise NotImplementedError("week4.layers: fill in Conv2d.__init__")
        self.dL_dW: FloatArray = np.zeros_like(self.W)
        self.dL_db: FloatArray = np.zeros_like(self.b)

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the output, shape (N, Ho, Wo, out_channels), for images (N, H, W, in_channels)."""
        raise NotImplementedError("week4.layers: fill in Conv2d.forward")

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL_dW and dL_db, and return dL/dx.

        `dL_dy`: shape (N, Ho, Wo, out_channels). A bias is added in every place of every image.
        """
        raise NotImplementedError("week4.layers: fill in Conv2d.backward")


class MaxPool2d:
    """A layer without parameters: max_pool2d(x, size, stride, padding)."""

    def __init__(self, size: int, stride: int | None = None, padding: int = 0) -> None:
        """Keep the three numbers; `stride` is `size` if None."""
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the pooled images."""
        raise NotImplementedError("week4.layers: fill in MaxPool2d.forward")

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx, of the shape of the images that were pooled."""
        raise NotImplementedError("week4.layers: fill in MaxPool2d.backward")


class Flatten:
    """A layer that writes each image as one row: (N, H, W, C) to (N, H * W * C).

    The entries of a row stand as `reshape` counts them.
    """

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the rows. `x`: shape (N, H, W, C)."""
        raise NotImplementedError("week4.layers: fill in Flatten.forward")

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return the gradient in the shape of the images. `dL_dy`: shape (N, H * W * C)."""
        raise NotImplementedError("week4.layers: fill in Flatten.backward")


class ConvNet:
    """A convolution of 3 x 3, ReLU, max pooling of 2 x 2, and a linear layer to the logits.

    Attributes:
        layers: a list of five: Conv2d, ReLU, MaxPool2d, Flatten, Linear.

    The methods use whatever the list holds at the moment, and take any object with `forward` and
    `backward` for a layer; `hasattr(layer, "W")` says whether it has parameters.
    """

    layers: list[Any]

    def __init__(
        self,
        height: int = 8,
        width: int = 8,
        in_channels: int = 1,
        filters: int = 8,
        classes: int = 10,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Create the five layers for images of shape (height, width, in_channels).

        The convolution has `filters` filters of 3 x 3, stride 1 and no padding; the pooling takes
        windows of 2 x 2, side by side. The linear layer has as many inputs as are left then. `rng`
        is handed to both layers with weights.
        """
        raise NotImplementedError("week4.network: fill in ConvNet.__init__")

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the logits, shape (N, classes), of images (N, height, width, in_channels)."""
        raise NotImplementedError("week4.network: fill in ConvNet.forward")

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Run `backward` of all layers, from the last to the first; return dL/dx.

        `dL_dy`: the gradient with respect to the logits, shape (N, classes), not changed.
        """
        raise NotImplementedError("week4.network: fill in ConvNet.backward")

    def train_step(self, x: FloatArray, y: IntArray, lr: float) -> float:
        """Take one step of gradient descent on a batch; return the loss that it had before.

        The loss is the mean cross-entropy of the logits. Every layer with parameters goes to
        W - lr dL_dW and b - lr dL_db.

        Args:
            x: images, shape (N, height, width, in_channels), not changed.
            y: labels, shape (N,), integers from 0 to classes - 1, not changed.
            lr: the learning rate.
        """
        raise NotImplementedError("week4.network: fill in ConvNet.train_step")

    def predict(self, x: FloatArray) -> IntArray:
        """Return the class with the largest logit for each image, shape (N,). Given."""
        return np.argmax(self.forward(x), axis=1)


def digits_as_images(digits: Any) -> tuple[FloatArray, FloatArray]:
    """Return training and test images, shape (N, 8, 8, 1), with mean 0 and deviation 1. Given.

    The course keeps the digits enlarged three times, in a frame of 28 x 28. The original 8 x 8
    pixels are every third one, from the fourth on.
    """
    train, test = (images[:, 3:25:3, 3:25:3] for images in (digits.x_train, digits.x_test))
    mean, deviation = train.mean(), train.std()
    train, test = ((images[..., np.newaxis] - mean) / deviation for images in (train, test))
    return train, test


def train_on_digits(epochs: int = 12, batch_size: int = 32, lr: float = 0.1, seed: int = 0) -> None:
    """Train a ConvNet on the digits that come with the course, and say how it does. Given."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    digits, rng = data.load("digits"), np.random.default_rng(seed)
    x_train, x_test = digits_as_images(digits)
    network = ConvNet(rng=rng)
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x_train))
        batches = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
        losses = [network.train_step(x_train[b], digits.y_train[b], lr) for b in batches]
        right = np.mean(network.predict(x_test) == digits.y_test)
        print(f"epoch {epoch:2}: loss {np.mean(losses):.3f}, test accuracy {right:.1%}")


if __name__ == "__main__":
    train_on_digits()
