"""What tests of BatchNorm1d's backward share: exact gradients of forward, in any of its forms."""

from contextlib import contextmanager

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.by_itself import by_itself

from ..suite_tools.rows import NEAR, batch, expect_gradient, make, normalised, parameters
from .batch_norm_forms import RIGHT, UNKNOWN, form_of
from .own_rows import Own

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


@contextmanager
def held_to_its_forward(student):
    """Give the form of forward that backward is held to; what fails then is backward's own fault.

    Of a forward of which nothing is known that can't be said: it has to be mended first.
    """
    form = form_of(student)
    with by_itself(form != UNKNOWN):
        yield form


def input_gradient(x, gamma, dL_dy, eps=TINY):
    """Return dL/dx in training mode, from the formula of forward alone."""
    return gradient(lambda moved: normalised(moved, gamma, eps=eps), x, dL_dy)


def usual(x_hat, divisor, g, *, mean=True, variance=True):
    """Return dL/dx by the usual formula, g = dL/dx_hat, or without one of its terms."""
    through_mean = g.mean(axis=0) if mean else 0.0
    through_variance = x_hat * (g * x_hat).mean(axis=0) if variance else 0.0
    return (g - through_mean - through_variance) / divisor


def input_gradients(form, x, gamma, dL_dy, eps=TINY):
    """Return what dL/dx may be after a forward pass of that form: one array for the right form.

    After another one: its exact gradient; or the usual formula, with the x_hat and the divisor of
    that form, or with right ones.
    """
    if form in (RIGHT, UNKNOWN):
        return [input_gradient(x, gamma, dL_dy, eps)]
    (x_hat, divisor), (right, deviation) = form.parts(x, eps), RIGHT.parts(x, eps)
    pairs = ((x_hat, divisor), (x_hat, deviation), (right, deviation), (right, divisor))
    usually = [usual(*pair, gamma * dL_dy) for pair in pairs]
    if isinstance(form, Own):
        return usually  # its own gradient is that of no formula of ours
    return [gradient(lambda moved: form.normalised(moved, gamma, eps=eps), x, dL_dy), *usually]


def partial_gradients(form, x, gamma, dL_dy, eps=TINY):
    """Return what dL/dx is without its term for the mean, for the variance, or without both."""
    parts, g = form.parts(x, eps), gamma * dL_dy
    without = ((False, True), (True, False), (False, False))
    return [usual(*parts, g, mean=mean, variance=variance) for mean, variance in without]


def expect_one_of(label, received, wanted):
    """Compare with the first of several arrays, unless another one is near."""
    got = expect.array(label, received, wanted[0].shape).astype(np.float64)
    near = (one for one in wanted if np.allclose(got, one, **NEAR))
    expect.close(label, received, next(near, wanted[0]), **NEAR)


def expect_input_gradient(form, received, x, gamma, dL_dy, eps=TINY, *, whole=True):
    """Compare dL/dx with what it may be; unless `whole`, terms may be missing."""
    wanted = input_gradients(form, x, gamma, dL_dy, eps)
    more = [] if whole else partial_gradients(form, x, gamma, dL_dy, eps)
    expect_one_of("dL_dx", received, [*wanted, *more])


def expect_gamma_gradient(form, layer, x, dL_dy, label="", eps=TINY):
    """Compare dL/dgamma: dL/dy times x_hat, of the form or the right one, added up."""
    wanted = [(dL_dy * one.parts(x, eps)[0]).sum(axis=0) for one in (RIGHT, form)]
    ways = [lambda one=one: expect_gradient(layer, "gamma", one, label) for one in wanted]
    expect.any_of(*ways[: 1 if form in (RIGHT, UNKNOWN) else 2])
