"""What tests of BatchNorm2d share: its formula, and a layer's numbers, one for each channel."""

import numpy as np

from autograder.suite import expect

AXES = (0, 2, 3)


def flat(label, received, channels):
    """Return a layer's numbers, one for each channel: of shape (C,), or spread to (1, C, 1, 1)."""
    spread_out = type(received) is np.ndarray and received.shape == (1, channels, 1, 1)
    shape = (1, channels, 1, 1) if spread_out else (channels,)
    return expect.array(label, received, shape).reshape(channels)


def expect_flat(label, received, wanted, **near):
    """Compare a layer's numbers, one for each channel."""
    expect.close(label, flat(label, received, len(wanted)), wanted, **near)


def spread(vector):
    return np.reshape(vector, (1, -1, 1, 1))


def normalised(x, weight=1.0, bias=0.0, eps=1e-5):
    """Return the output in training mode; x may be complex."""
    centred = x - x.mean(axis=AXES, keepdims=True)
    variance = (centred * centred).mean(axis=AXES, keepdims=True)
    return spread(weight) * centred / np.sqrt(variance + eps) + spread(bias)
