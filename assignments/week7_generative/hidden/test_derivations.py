"""Hidden tests of the derivation of the bound and of the gradients through a draw."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.rows import array_of
from .vae_formulas import code, divergence

pytestmark = pytest.mark.item("week7.derive_bound")

SIZES = [1, 4, 7]
NAMES = ("u", "mu", "logvar", "eps")


def drawn(rng, size):
    """Return u, mu, logvar and eps."""
    scales = np.array([1.5, 1.0, 1.2, 1.0])
    return list(rng.normal(size=(4, size)) * scales[:, None])


def whole(rng, size):
    """Return u, mu, logvar and eps, and the loss's gradients for mu and for logvar.

    f is linear here: its slope u is the same wherever the code lies.
    """
    u, mu, logvar, eps = drawn(rng, size)

    def loss(m, v):
        return np.sum(u * code(m, v, eps)) + divergence(m[None], v[None])[0]

    return [u, mu, logvar, eps], vjp(loss, [mu, logvar], np.ones(()))


@pytest.mark.parametrize("size", SIZES, ids=[f"{n} coordinates" for n in SIZES])
def test_divergence(student, rng, size):
    """Step 3: the divergence of each coordinate."""
    _, mu, logvar, _ = drawn(rng, size)
    received = array_of(student.derivations.normal_kl(mu, logvar))
    expected = np.array(
        [divergence(m[None, None], v[None, None])[0] for m, v in zip(mu, logvar, strict=True)]
    )
    expect.close("KL", received, expected)


def test_divergence_of_the_same(student, rng):
    """Step 3: where both distributions are the same, and where they nearly are."""
    mu, logvar = 1e-3 * rng.normal(size=(2, 5))
    mu[0] = logvar[0] = 0.0
    received = expect.array("KL", array_of(student.derivations.normal_kl(mu, logvar)), (5,))
    expect.close("KL where both are the same", received[:1], np.zeros(1), atol=1e-12)
    # To the second order in both: mu^2 / 2 + logvar^2 / 4.
    expect.close("KL nearby", received[1:], (mu**2 / 2 + logvar**2 / 4)[1:], rtol=1e-3, atol=1e-12)
    expect.that("KL nearby", bool((received[1:] > 0).all()), "it is not above 0.")


@pytest.mark.parametrize("size", SIZES, ids=[f"{n} coordinates" for n in SIZES])
def test_slope_by_means(student, rng, size):
    """Step 4: the gradient of the whole loss for mu."""
    given, (wanted, _) = whole(rng, size)
    expect.close("dL/dmu", array_of(student.derivations.loss_dmu(*given)), wanted)


@pytest.mark.parametrize("size", SIZES, ids=[f"{n} coordinates" for n in SIZES])
def test_slope_by_variances(student, rng, size):
    """Step 4: the gradient of the whole loss for logvar."""
    given, (_, wanted) = whole(rng, size)
    expect.close("dL/dlogvar", array_of(student.derivations.loss_dlogvar(*given)), wanted)


def test_what_was_given_stays(student, rng):
    """Step 4: what the functions are given is not changed."""
    given, wanted = whole(rng, 5)
    lent = [student.keep(array) for array in given]
    for name, expected in zip(("loss_dmu", "loss_dlogvar"), wanted, strict=True):
        received = array_of(getattr(student.derivations, name)(*lent))
        received = expect.array(name, received, (5,))
        for label, array, handle in zip(NAMES, given, lent, strict=True):
            expect.unchanged(label, array, student.fetch(handle))
        near = float(np.abs(received - expected).max()) < 10.0
        expect.that(name, near, "what it returns is no gradient of this loss.")


@pytest.mark.parametrize("slope", ["positive", "negative", "none"])
def test_codes_of_a_number(student, rng, slope):
    """Step 5: mean and variance of the codes that may have made a number."""
    for _ in range(3):
        x, s = float(rng.normal(scale=2.0)), float(rng.uniform(0.2, 3.0))
        w = float({"positive": 1, "negative": -1, "none": 0}[slope] * rng.uniform(0.3, 2.5))
        received = student.derivations.posterior(x, w, s)
        pair = expect.array("p(z|x)", array_of(received), (2,))
        # By Bayes' rule precisions add up: 1 of the prior, w^2 / s of what was seen.
        precision = 1.0 + w * w / s
        expected = np.array([w * x / s / precision, -np.log(precision)])
        expect.close("mean and logvar of p(z|x)", pair, expected, atol=1e-10)
