"""Regularization in buffers: masks are written again, images are copied one region at a time."""

import numpy as np


class Dropout:
    """Inverted dropout; the mask is a buffer of float32."""

    def __init__(self, p=0.5, rng=None):
        if p < 0 or p >= 1:
            raise ValueError(f"p must be at least 0 and below 1, got {p}")
        self.p, self.rng = p, rng or np.random.default_rng()
        self._kept = None

    def forward(self, x, training=True):
        """Drop entries in training."""
        if not training:
            self._kept = None
            return x
        if self._kept is None or self._kept.shape != x.shape:
            self._kept = np.empty(x.shape, bool, order="F")
        np.greater_equal(self.rng.random(x.shape, dtype=np.float32), self.p, out=self._kept)
        return self._scaled(x)

    def _scaled(self, array):
        result = np.zeros_like(array)
        np.divide(array, 1 - self.p, out=result, where=self._kept)
        return result

    def backward(self, grad):
        """Use the same mask."""
        return np.array(grad) if self._kept is None else self._scaled(grad)


class L2:
    """The penalty."""

    def __init__(self, strength):
        if not strength >= 0:
            raise ValueError(f"strength is {strength}")
        self.strength = strength

    def penalty(self, weights):
        """Return half the strength times the sum of squares."""
        total = 0.0
        for w in weights:
            total += float(np.einsum("i,i->", w.ravel(order="K"), w.ravel(order="K")))
        return self.strength * total / 2

    def gradients(self, weights):
        """Return new arrays."""
        copies = [np.array(w, order="F") for w in weights]
        for copy in copies:
            copy *= self.strength
        return copies


class EarlyStopping:
    """Keeps all losses, and counts from the best one."""

    def __init__(self, patience, min_delta=0.0):
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"patience {patience}, min_delta {min_delta}")
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_epoch, self.history = np.inf, None, []

    def step(self, loss):
        """Return whether to stop."""
        self.history.append(loss)
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_epoch = loss, len(self.history) - 1
        last = -1 if self.best_epoch is None else self.best_epoch
        return len(self.history) - 1 - last >= self.patience


def _check(images):
    if images.ndim not in (3, 4):
        raise ValueError(f"images of shape {images.shape}")


def random_crop(images, padding, rng):
    """Copy what is seen of each image, for one place of the window after the other."""
    _check(images)
    if padding < 0:
        raise ValueError(f"padding is {padding}")
    count, height, width = images.shape[:3]
    shape = (count, height + 2 * padding, width + 2 * padding, *images.shape[3:])
    padded = np.zeros(shape, images.dtype)
    padded[:, padding : padding + height, padding : padding + width] = images
    places = rng.integers(0, 2 * padding + 1, size=(count, 2))
    result = np.empty_like(images)
    for top, left in np.unique(places, axis=0):
        here = (places == (top, left)).all(axis=1)
        result[here] = padded[here, top : top + height, left : left + width]
    return result


def horizontal_flip(images, rng, p=0.5):
    """Copy all, then turn some."""
    _check(images)
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}")
    result = images.copy(order="K")
    turned = np.flatnonzero(rng.random(len(images)) < p)
    result[turned] = images[turned, :, ::-1]
    return result
