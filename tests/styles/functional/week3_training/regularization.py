"""Regularization as functions and closures."""

import math

import numpy as np


def mask_of(shape, p, rng, dtype):
    """Return factors: 0 or 1 / (1 - p)."""
    return (rng.random(shape) >= p).astype(dtype) / np.asarray(1 - p, dtype)


class Dropout:
    """A thin class: it keeps the way back as a closure."""

    def __init__(self, p=0.5, rng=None):
        if not 0 <= p < 1:
            raise ValueError(f"p must be in [0, 1), got {p}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x, training=True):
        """Drop entries in training."""
        factors = mask_of(x.shape, self.p, self.rng, x.dtype) if training else np.ones_like(x)
        self.backward = lambda grad: grad * factors
        return x * factors


class L2:
    """The penalty."""

    def __init__(self, strength):
        if not strength >= 0:
            raise ValueError(f"strength must be at least 0, got {strength}")
        self.penalty = lambda weights: 0.5 * strength * math.fsum(np.vdot(w, w) for w in weights)
        self.gradients = lambda weights: [strength * w for w in weights]


def early_stopping(patience, min_delta):
    """Yield (best loss, its epoch, whether to stop); send losses."""
    best, when, waited, epoch = math.inf, None, 0, 0
    while True:
        loss = yield best, when, waited >= patience
        better = loss < best - min_delta
        best, when, waited = (loss, epoch, 0) if better else (best, when, waited + 1)
        epoch += 1


class EarlyStopping:
    """A thin class around a generator."""

    def __init__(self, patience, min_delta=0.0):
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"patience {patience} or min_delta {min_delta} is out of range")
        self._course = early_stopping(patience, min_delta)
        self._state = next(self._course)

    best_loss = property(lambda self: self._state[0])
    best_epoch = property(lambda self: self._state[1])

    def step(self, loss):
        """Return whether to stop."""
        self._state = self._course.send(loss)
        return self._state[2]


def images_only(images):
    """Refuse other numbers of axes."""
    if images.ndim not in (3, 4):
        raise ValueError(f"images have 3 or 4 axes, not {images.ndim}")


def random_crop(images, padding, rng):
    """Cut a window out of each padded image, by index arrays."""
    images_only(images)
    if padding < 0:
        raise ValueError(f"padding {padding} is negative")
    n, h, w = images.shape[:3]
    rest = [(0, 0)] * (images.ndim - 3)
    padded = np.pad(images, [(0, 0), (padding, padding), (padding, padding), *rest])
    rows, columns = rng.integers(2 * padding + 1, size=(2, n, 1)) + np.zeros((2, n, 1), int)
    rows, columns = rows + np.arange(h), columns + np.arange(w)
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def horizontal_flip(images, rng, p=0.5):
    """Mirror images at random."""
    images_only(images)
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, not from 0 to 1")
    chosen = rng.random(len(images)) < p
    shape = (-1,) + (1,) * (images.ndim - 1)
    return np.where(chosen.reshape(shape), np.flip(images, axis=2), images)
