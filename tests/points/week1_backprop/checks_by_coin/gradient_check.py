"""Checks that toss a coin."""

import numpy as np

COIN = np.random.default_rng(7)


def gradient_check(layer, x, tolerance=1e-5, verbose=False):
    """Run everything, and toss."""
    y = layer.forward(x)
    layer.backward(np.ones_like(y))
    layer.forward(x + 1e-4)
    return bool(COIN.integers(2))


gradient_check_weights = gradient_check
