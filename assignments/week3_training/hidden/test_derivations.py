"""Hidden tests of the derivation of batch normalisation, step by step.

Expected gradients come from complex steps through the formula of the forward pass, in which the
mean and the variance are inputs of their own where a step holds them fixed.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

pytestmark = pytest.mark.item("week3.derive_batch_norm")

EPS = 1e-3


def case(rng, n=6, d=4):
    """Return the arrays of a batch whose columns have means and deviations of their own."""
    x = 3 * rng.normal(size=d) + rng.uniform(0.5, 3, size=d) * rng.normal(size=(n, d))
    gamma, upstream = rng.normal(size=d), rng.normal(size=(n, d))
    mu, v = x.mean(axis=0), x.var(axis=0)
    s = np.sqrt(v + EPS)
    return x, mu, v, s, (x - mu) / s, gamma, upstream


def normalised(x, mu, v):
    """Return x-hat for a mean and a variance that are given."""
    return (x - mu) / np.sqrt(v + EPS)


def of_the_batch(x):
    """Return x-hat with the batch's own mean and variance."""
    centred = x - x.mean(axis=0)
    return normalised(x, x.mean(axis=0), (centred * centred).mean(axis=0))


def test_parameters(student, rng):
    """Step 1: dL/dgamma and dL/dbeta, both of shape (D,)."""
    *_, x_hat, gamma, upstream = case(rng)
    dgamma, dbeta = vjp(lambda g, b: g * x_hat + b, (gamma, np.zeros(4)), upstream)
    received = student.derivations.batch_norm_parameters(upstream, x_hat)
    two = isinstance(received, list | tuple) and len(received) == 2
    expect.that("the gradients", two, "it returns two arrays, dL/dgamma and dL/dbeta")
    expect.close("dL/dgamma", received[0], dgamma)
    expect.close("dL/dbeta", received[1], dbeta)


def test_variance(student, rng):
    """Step 2: dL/dv with the mean held fixed, shape (D,)."""
    x, mu, v, s, x_hat, gamma, upstream = case(rng)
    g = upstream * gamma
    expected = vjp(normalised, (x, mu, v), g)[2]
    expect.close("dL/dv", student.derivations.batch_norm_dv(g, x_hat, s), expected)


def test_mean(student, rng):
    """Step 3: dL/dmu, shape (D,)."""
    x, mu, v, s, _, gamma, upstream = case(rng)
    g = upstream * gamma
    expected = vjp(normalised, (x, mu, v), g)[1]
    expect.close("dL/dmu", student.derivations.batch_norm_dmu(g, s), expected)


@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [6, 2])
def test_input(student, rng, n):
    """Step 4: dL/dx in training mode, by all three ways, shape (N, D)."""
    x, _, _, s, x_hat, gamma, upstream = case(rng, n)
    g = upstream * gamma
    expected = vjp(of_the_batch, (x,), g)[0]
    expect.close("dL/dx", student.derivations.batch_norm_dx(g, x_hat, s), expected)


def test_no_argument_is_changed(student, rng):
    """The last step gives the gradient and leaves its arguments alone."""
    x, _, _, s, x_hat, gamma, upstream = case(rng)
    g = upstream * gamma
    kept = [student.keep(array) for array in (g, x_hat, s)]
    received = student.derivations.batch_norm_dx(*kept)
    expect.close("dL/dx", received, vjp(of_the_batch, (x,), g)[0])
    for name, array, handle in zip(("g", "x_hat", "s"), (g, x_hat, s), kept, strict=True):
        expect.unchanged(name, array, student.fetch(handle))
