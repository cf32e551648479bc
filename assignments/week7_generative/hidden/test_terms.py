"""Hidden tests of the three terms: codes, their divergence, the pixels' log-probability.

What is expected is computed here in float64, from formulas and from draws of our own.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .vae_formulas import code, divergence, nll, sigmoid

pytestmark = pytest.mark.item("week7.terms")

SIZES = [(6, 4), (3, 7), (1, 5), (5, 1)]
BY_SIZE = pytest.mark.parametrize("size", SIZES, ids=[f"{n} x {m}" for n, m in SIZES])
TERMS = ("reparameterize", "kl_to_standard_normal", "bernoulli_nll")


def drawn(rng, size):
    """Return means, logarithms of variances and noise."""
    return list(rng.normal(size=(3, *size)) * np.array([1.5, 1.3, 1.0])[:, None, None])


def pixels(rng, size):
    """Return logits and pixels: half of these 0 or 1, the others between."""
    x = rng.uniform(size=size)
    return rng.normal(scale=3.0, size=size), np.where(rng.uniform(size=size) < 0.5, x.round(), x)


def given_to(name, rng, size):
    """Return arguments of one of the terms, and its formula."""
    if name == "reparameterize":
        return drawn(rng, size), code
    if name == "kl_to_standard_normal":
        return drawn(rng, size)[:2], divergence
    return list(pixels(rng, size)), nll


def told(student, name, *arrays):
    """Return what one of the terms makes of arrays."""
    return student.drive("asked", getattr(student.vae, name), *arrays)


# Codes


@pytest.mark.weight(2)
@BY_SIZE
def test_codes(student, rng, size):
    """reparameterize makes codes of means, variances and noise, each entry of its own."""
    given = drawn(rng, size)
    expect.close("codes", told(student, "reparameterize", *given), code(*given))


def test_how_codes_are_spread(student, rng):
    """Over many draws, codes have the means and the variances that were asked for."""
    mu, logvar = rng.normal(size=(2, 1, 3)) * [[[1.5]], [[1.0]]]
    many = 40_000
    given = np.repeat(mu, many, axis=0), np.repeat(logvar, many, axis=0), rng.normal(size=(many, 3))
    z = expect.array("codes", told(student, "reparameterize", *given), (many, 3))
    near = {"rtol": 0.0, "atol": 6 / np.sqrt(many)}
    deviation = np.exp(logvar[0] / 2)
    expect.close(
        "(mean of the codes - mu) / sigma",
        (z.mean(axis=0) - mu[0]) / deviation,
        np.zeros(3),
        **near,
    )
    ratio = z.var(axis=0) / np.exp(logvar[0])
    expect.close("variance of the codes / exp(logvar)", ratio, np.ones(3), rtol=0.0, atol=0.05)


# The divergence


@pytest.mark.weight(2)
@BY_SIZE
def test_divergence(student, rng, size):
    """kl_to_standard_normal gives a number of nats for each image: the closed form."""
    mu, logvar, _ = drawn(rng, size)
    expect.close("KL", told(student, "kl_to_standard_normal", mu, logvar), divergence(mu, logvar))


def test_divergence_is_a_mean_over_draws(student, rng):
    """kl_to_standard_normal is the mean of ln q - ln p over codes that are drawn here."""
    mu, logvar, _ = drawn(rng, (3, 4))
    many = 100_000
    eps = rng.normal(size=(many, 3, 4))
    z = mu + np.exp(logvar / 2) * eps
    terms = ((z**2 - eps**2 - logvar) / 2).sum(axis=2)
    off = 6 * terms.std(axis=0).max() / np.sqrt(many)
    received = told(student, "kl_to_standard_normal", mu, logvar)
    expect.close("KL", received, terms.mean(axis=0), rtol=0.0, atol=off)


def test_divergence_from_itself(student, rng):
    """The divergence of the standard normal from itself is 0, and rises to all sides of it."""
    small = 1e-2 * rng.normal(size=(2, 5, 3))
    small[:, 0] = 0.0
    received = expect.array("KL", told(student, "kl_to_standard_normal", *small), (5,))
    expect.close("KL of the standard normal", received[:1], np.zeros(1), atol=1e-12)
    expect.close("KL nearby", received[1:], divergence(*small)[1:], rtol=1e-6)


# The pixels


@pytest.mark.weight(2)
@BY_SIZE
def test_log_probability(student, rng, size):
    """bernoulli_nll gives a number of nats for each image, added up over its pixels."""
    logits, x = pixels(rng, size)
    expect.close("NLL", told(student, "bernoulli_nll", logits, x), nll(logits, x))


@pytest.mark.weight(2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_logits(student, rng, dtype):
    """bernoulli_nll of logits of 1,000 and -1,000: finite, right, and so is the gradient."""
    sizes = rng.integers(60, 1000, size=(4, 6)).astype(float)
    logits = sizes * rng.choice([-1.0, 1.0], size=(4, 6))
    logits[0, :3] = 1000.0, -1000.0, 1000.0
    logits[3] /= 200.0  # what fails in a row with extremes may be right here
    x = rng.choice([0.0, 1.0, 0.25], size=(4, 6))
    x[0, :3] = 0.0, 1.0, 1.0
    given = logits.astype(dtype), x.astype(dtype)
    expect.close("NLL", told(student, "bernoulli_nll", *given), nll(logits, x), rtol=1e-5)
    upstream = rng.normal(size=4)
    slope, _ = student.drive(
        "slopes", student.vae.bernoulli_nll, list(given), upstream.astype(dtype)
    )
    wanted = upstream[:, None] * (sigmoid(logits) - x)
    expect.that("dNLL/dlogits", slope is not None, "no gradient gets there.")
    expect.close("dNLL/dlogits", slope, wanted, rtol=1e-5, atol=1e-7)


# All three


@pytest.mark.weight(2)
@pytest.mark.parametrize("name", TERMS)
def test_gradients(student, rng, name):
    """The gradients of all arguments are those of the formula, whatever comes from above."""
    arrays, formula = given_to(name, rng, (5, 3))
    upstream = rng.normal(size=formula(*arrays).shape)
    received = student.drive("slopes", getattr(student.vae, name), arrays, upstream)
    wanted = vjp(formula, arrays, upstream)
    count = 1 if name == "bernoulli_nll" else len(arrays)  # pixels need no gradient
    for number in range(count):
        there = received[number] is not None
        expect.that(f"gradient of argument {number + 1}", there, "no gradient gets there.")
        expect.close(f"gradient of argument {number + 1}", received[number], wanted[number])


@pytest.mark.parametrize("name", TERMS)
def test_float32_and_arguments(student, rng, name):
    """float32 gives float32, and the arguments stay as they are."""
    arrays, formula = given_to(name, rng, (4, 6))
    arrays = [array.astype(np.float32) for array in arrays]
    given = [student.prepare("tensor", array) for array in arrays]
    received = student.drive("asked_of_tensors", getattr(student.vae, name), *given)
    wanted = formula(*[array.astype(float) for array in arrays])
    received = expect.array(name, received, wanted.shape)
    close = bool((np.abs(received) < 100 * (1 + np.abs(wanted))).all() and received.any())
    expect.that(name, close, "what it returns has nothing to do with its arguments.")
    expect.dtype(name, received, "float32")
    for array, handle in zip(arrays, given, strict=True):
        expect.unchanged("an argument", array, student.fetch(handle))
