"""What tests of BatchNorm1d's backward share: exact gradients of the formula of forward."""

import numpy as np

from ..suite_tools.rows import batch, make, normalised, parameters

TINY = 1e-12
"""An eps that counts for nothing."""
STEP = 1e-20


def formula(x, gamma=1.0, beta=0.0, eps=TINY):
    """Return the output in training mode, with an eps that counts for nothing."""
    return normalised(x, gamma, beta, eps)


def gradient(function, point, upstream):
    """Return the derivatives of sum(upstream * function(point)), by steps along the imaginary axis.

    Unlike a difference, the imaginary part loses no digits, so the step can be as small as we like.
    """
    result = np.empty_like(point)
    for index in np.ndindex(point.shape):
        moved = point.astype(complex)
        moved[index] += STEP * 1j
        result[index] = np.sum(upstream * function(moved)).imag / STEP
    return result


def ready(student, rng, n=6, features=4, eps=TINY):
    """Return a layer after a forward pass, its input, gamma, beta, and an upstream gradient."""
    layer, x = make(student, features, eps=eps), batch(rng, n, features)
    gamma, beta = parameters(layer, rng, features)
    layer.forward(x)
    return layer, x, gamma, beta, rng.normal(size=x.shape)


def input_gradient(x, gamma, dL_dy, eps=TINY):
    """Return dL/dx in training mode, from the formula of forward alone."""
    return gradient(lambda moved: normalised(moved, gamma, eps=eps), x, dL_dy)
