"""Hostile: Makes numpy's generators give zeros, so that every expected value is zero."""

import random


class Zeros:
    """A generator that gives zeros."""

    def __getattr__(self, name):
        return lambda *args, size=None, **kwargs: np.zeros(size or ())


np.random.default_rng = lambda *args: Zeros()
np.random.normal = np.random.randn = np.random.rand = lambda *args, **kwargs: 0.0
np.random.seed = random.seed = lambda *args: None
