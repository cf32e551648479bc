"""Regularization as dataclasses."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np


class CallMixin:
    """A call delegates to forward."""

    def __call__(self, *arguments, **settings):
        return self.forward(*arguments, **settings)


@dataclass(eq=False)
class Dropout(CallMixin):
    """Inverted dropout; the mask lies in a dict."""

    p: float = 0.5
    rng: Any = None
    cache: dict = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        if not 0 <= self.p < 1:
            raise ValueError(f"p={self.p} is no probability below 1")
        self.rng = self.rng or np.random.default_rng()

    def forward(self, x, training=True):
        """Drop entries in training."""
        self.cache.clear()
        if training:
            self.cache["mask"] = self.rng.random(x.shape) < 1 - self.p
        return self._masked(x)

    def _masked(self, x):
        mask = self.cache.get("mask")
        if mask is None:
            return x + 0
        return np.where(mask, x / (1 - self.p), 0).astype(x.dtype)

    backward = _masked


@dataclass(frozen=True)
class L2:
    """The penalty; its setting cannot be changed."""

    strength: float

    def __post_init__(self):
        if not self.strength >= 0:
            raise ValueError(f"strength={self.strength} is negative")

    def penalty(self, weights):
        """Return the penalty."""
        return 0.5 * self.strength * float(sum([np.square(w).sum() for w in weights]))

    def gradients(self, weights):
        """Return its gradients."""
        return [self.strength * np.array(w) for w in weights]


@dataclass
class EarlyStopping:
    """Keeps all losses and looks at them anew."""

    patience: int
    min_delta: float = 0.0
    losses: list = field(default_factory=list, init=False)

    def __post_init__(self):
        if self.patience < 1 or not self.min_delta >= 0:
            raise ValueError(f"{self} has a setting out of its range")

    @property
    def _best(self):
        best = inf, None
        for epoch, loss in enumerate(self.losses):
            if loss < best[0] - self.min_delta:
                best = loss, epoch
        return best

    @property
    def best_loss(self):
        """The loss of the latest improvement."""
        return self._best[0]

    @property
    def best_epoch(self):
        """The epoch of the latest improvement."""
        return self._best[1]

    def step(self, loss):
        """Return whether to stop."""
        self.losses.append(loss)
        since = -1 if self.best_epoch is None else self.best_epoch
        return bool(len(self.losses) - 1 - since >= self.patience)


def _images(images):
    if np.ndim(images) not in (3, 4):
        raise ValueError(f"images of shape {np.shape(images)} are no images")
    return images


def random_crop(images, padding, rng):
    """Take windows out of a view that holds all of them."""
    if padding < 0:
        raise ValueError(f"padding={padding} is negative")
    n, height, width = _images(images).shape[:3]
    shape = n, height + 2 * padding, width + 2 * padding, *images.shape[3:]
    padded = np.zeros(shape, images.dtype)
    padded[:, padding : padding + height, padding : padding + width] = images
    view = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    top, left = rng.integers(0, 2 * padding, endpoint=True, size=(2, n))
    windows = view[np.arange(n), top, left]
    return windows if images.ndim == 3 else np.moveaxis(windows, 1, -1)


def horizontal_flip(images, rng, p=0.5):
    """Mirror images at random."""
    if not 0 <= p <= 1:
        raise ValueError(f"p={p} is no probability")
    columns = np.arange(_images(images).shape[2])
    order = np.where((rng.random(len(images)) < p)[:, None], columns[::-1], columns)
    return np.take_along_axis(
        images, order.reshape(len(images), 1, -1, *[1] * (images.ndim - 3)), axis=2
    )
