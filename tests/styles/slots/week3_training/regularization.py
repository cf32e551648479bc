"""Regularization with slots and read-only settings."""

import numpy as np


def _refuse(wrong, text):
    if wrong:
        raise ValueError(text)


class Dropout:
    """Inverted dropout."""

    __slots__ = ("__factors", "__p", "__rng")

    def __init__(self, p=0.5, rng=None):
        _refuse(not 0 <= p < 1, f"p is {p}")
        self.__p, self.__factors = p, None
        self.__rng = rng if rng is not None else np.random.default_rng()

    @property
    def p(self):
        """The probability of being dropped."""
        return self.__p

    @property
    def rng(self):
        """The generator."""
        return self.__rng

    def forward(self, x, training=True):
        """Draw the factors 0 and 1 / (1 - p) and use them."""
        self.__factors = np.ones(x.shape, x.dtype)
        if training:
            kept = self.rng.binomial(1, 1 - self.p, size=x.shape)
            self.__factors = (kept / (1 - self.p)).astype(x.dtype)
        return x * self.__factors

    def backward(self, grad):
        """Use the factors again."""
        return grad * self.__factors


class L2:
    """The penalty."""

    __slots__ = ("__strength",)

    def __init__(self, strength):
        _refuse(not strength >= 0, f"strength is {strength}")
        self.__strength = strength

    @property
    def strength(self):
        """The factor."""
        return self.__strength

    def penalty(self, weights):
        """Return half of strength times the squared norms."""
        return float(sum(self.strength / 2 * np.linalg.norm(w) ** 2 for w in weights))

    def gradients(self, weights):
        """Return strength times each array."""
        return [np.multiply(w, self.strength) for w in weights]


class EarlyStopping:
    """Counts; what it has found is read-only."""

    __slots__ = ("__best", "__delta", "__epoch", "__left", "__patience")

    def __init__(self, patience, min_delta=0.0):
        _refuse(patience < 1 or not min_delta >= 0, f"patience {patience}, delta {min_delta}")
        self.__patience = self.__left = patience
        self.__delta, self.__epoch, self.__best = min_delta, -1, (float("inf"), None)

    @property
    def best_loss(self):
        """The best loss."""
        return self.__best[0]

    @property
    def best_epoch(self):
        """Its epoch."""
        return self.__best[1]

    def step(self, loss):
        """Return whether to stop."""
        self.__epoch += 1
        self.__left -= 1
        if loss < self.best_loss - self.__delta:
            self.__best, self.__left = (loss, self.__epoch), self.__patience
        return self.__left <= 0


def random_crop(images, padding, rng):
    """Roll each padded image to its place by one big index of rows and columns."""
    _refuse(images.ndim not in (3, 4), f"images have shape {images.shape}")
    _refuse(padding < 0, f"padding is {padding}")
    count, height, width = images.shape[:3]
    down = rng.integers(-padding, padding + 1, size=count)
    right = rng.integers(-padding, padding + 1, size=count)
    rows = np.arange(height) + down[:, None]
    columns = np.arange(width) + right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    picked = images[
        np.arange(count)[:, None, None], rows[:, :, None] % height, columns[:, None] % width
    ]
    picked[~inside] = 0
    return picked


def horizontal_flip(images, rng, p=0.5):
    """Reverse the columns of some images."""
    _refuse(images.ndim not in (3, 4), f"images have shape {images.shape}")
    _refuse(not 0 <= p <= 1, f"p is {p}")
    result = np.array(images)
    chosen = rng.uniform(size=len(images)) < p
    result[chosen] = result[chosen][:, :, ::-1]
    return result
