"""Regularization in another hand: masks of truth values, a history of losses, index arithmetic."""

import math

import numpy as np


class GaussianNoise:
    """The worked example of the handout."""

    def __init__(self, deviation=0.1, rng=None):
        self.deviation, self.rng = deviation, rng or np.random.default_rng()

    def forward(self, x, training=True):
        """Add noise in training."""
        return x + training * self.rng.normal(0, self.deviation, x.shape)

    def backward(self, grad):
        """Pass the gradient on."""
        return grad


class Dropout:
    """Inverted dropout; for predictions there is no mask at all."""

    def __init__(self, p=0.5, rng=None):
        if p < 0 or p >= 1:
            raise ValueError(f"{p} is no probability of dropping")
        self.p, self._source = p, rng or np.random.default_rng()
        self._mask = None

    def forward(self, x, training=True):
        """Choose what stays."""
        self._mask = None
        if not training:
            return x
        self._mask = self._source.binomial(1, 1 - self.p, size=x.shape).astype(bool)
        return np.where(self._mask, x / (1 - self.p), 0)

    def backward(self, grad):
        """Use the same choice."""
        if self._mask is None:
            return grad
        result = grad.copy()
        result[~self._mask] = 0
        result /= 1 - self.p
        return result


class L2:
    """Half the squared length of all weights, times the strength."""

    def __init__(self, strength):
        self._strength = strength

    def penalty(self, weights):
        """Add up exactly."""
        return self._strength / 2 * math.fsum(np.vdot(W, W) for W in weights)

    def gradients(self, weights):
        """One gradient for each array."""
        return tuple(np.multiply(W, self._strength) for W in weights)


class EarlyStopping:
    """Keeps all losses and the number of the best one."""

    def __init__(self, patience, min_delta=0.0):
        self.losses, self._patience, self._delta = [], patience, min_delta
        self.best_loss, self.best_epoch = math.inf, None

    def step(self, loss):
        """Compare how long ago the best epoch was with the patience."""
        self.losses.append(loss)
        now = len(self.losses) - 1
        if not math.isnan(loss) and self.best_loss - loss > self._delta:
            self.best_loss, self.best_epoch = loss, now
        best = -1 if self.best_epoch is None else self.best_epoch
        return np.bool_(now - best >= self._patience)


def check_axes(images):
    """Raise a ValueError unless there are three or four axes."""
    if images.ndim not in (3, 4):
        raise ValueError(f"{images.ndim} axes")


def random_crop(images, padding, rng):
    """Look every pixel up in the padded images."""
    check_axes(images)
    count, height, width = images.shape[:3]
    shape = (count, height + 2 * padding, width + 2 * padding, *images.shape[3:])
    padded = np.zeros(shape, dtype=images.dtype)
    padded[:, padding : padding + height, padding : padding + width] = images
    top, left = rng.integers(0, 2 * padding, size=(2, count, 1, 1), endpoint=True)
    rows, columns = top + np.arange(height)[:, None], left + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows, columns]


def horizontal_flip(images, rng, p=0.5):
    """Go through the images one by one."""
    check_axes(images)
    turned = [image[:, ::-1] if rng.uniform() < p else image for image in images]
    return np.array(turned, dtype=images.dtype)
