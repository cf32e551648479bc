"""What keeps a network of the small library from overfitting."""

import math

import numpy as np


class Dropout:
    """Inverted dropout."""

    def __init__(self, p=0.5):
        """Keep p; there is no mask yet."""
        self.p = p
        self.keep = 1 - p
        self.mask = None

    def forward(self, x, training=True):
        """Draw a mask in training; without one everything goes through."""
        self.mask = self.draw(x.shape) if training else None
        return x if self.mask is None else self.apply(x)

    def draw(self, shape):
        """Return 1 for what is kept and 0 for what is dropped."""
        return np.random.binomial(1, self.keep, size=shape)

    def apply(self, values):
        """Mask and rescale."""
        return values * self.mask / self.keep

    def backward(self, grad):
        """The same mask and the same scale."""
        return grad if self.mask is None else self.apply(grad)


class L2:
    """Weight decay as a term of the loss."""

    def __init__(self, strength):
        """Keep lambda."""
        self.lam = strength

    def penalty(self, weights):
        """Return lambda / 2 |W|^2."""
        return 0.5 * self.lam * sum(np.linalg.norm(W) ** 2 for W in weights)

    def gradients(self, weights):
        """Return lambda W."""
        return tuple(self.lam * W for W in weights)


class EarlyStopping:
    """Remembers the best epoch and how long it is ago."""

    def __init__(self, patience, min_delta=0.0):
        """No epoch yet."""
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_epoch, self.seen = math.inf, None, 0

    def improved(self, loss):
        """Whether the loss is better than the best by more than min_delta."""
        return self.best_loss - loss > self.min_delta

    def step(self, loss):
        """Note an epoch; say whether to stop."""
        if self.improved(loss):
            self.best_loss, self.best_epoch = loss, self.seen
        self.seen += 1
        since = self.seen if self.best_epoch is None else self.seen - 1 - self.best_epoch
        return since >= self.patience


def random_crop(images, padding, rng):
    """Shift each image, one after the other, into an empty frame."""
    out = np.zeros_like(images)
    height, width = images.shape[1:3]
    for n, image in enumerate(images):
        down, right = rng.integers(-padding, padding + 1, size=2)
        target_rows = slice(max(down, 0), height + min(down, 0))
        target_columns = slice(max(right, 0), width + min(right, 0))
        rows = slice(max(-down, 0), height + min(-down, 0))
        columns = slice(max(-right, 0), width + min(-right, 0))
        out[n, target_rows, target_columns] = image[rows, columns]
    return out


def horizontal_flip(images, rng, p=0.5):
    """Choose between each image and its mirror image."""
    choose = rng.random(len(images)) < p
    choose = choose.reshape(-1, *[1] * (images.ndim - 1))
    return np.where(choose, np.flip(images, axis=2), images)
