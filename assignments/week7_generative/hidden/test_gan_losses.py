"""Hidden tests of discriminator_loss and generator_loss: values, gradients, extreme logits."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week7.gan_losses")

SIZES = [(5, 8), (9, 4), (1, 3)]
FAR = 1000.0


def d_loss(real, fake):
    """Return the discriminator's loss and its gradients, for logits of any size."""
    value = np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()
    return value, [(chance(real) - 1) / len(real), chance(fake) / len(fake)]


def g_loss(fake):
    """Return the generator's loss and its gradient."""
    return np.logaddexp(0, -fake).mean(), [(chance(fake) - 1) / len(fake)]


def chance(logits):
    """Return the probabilities that logits stand for."""
    return np.exp(-np.logaddexp(0, -logits))


def asked(student, name, *logits):
    """Return what a loss of the student's is: a number."""
    return expect.array(name, student.drive("asked", getattr(student.gan, name), *logits), ())


def sloped(student, name, logits, upstream):
    """Return the gradients of upstream * loss for the logits."""
    received = student.drive("slopes", getattr(student.gan, name), list(logits), upstream)
    there = isinstance(received, list) and len(received) == len(logits)
    there = there and all(one is not None for one in received)
    expect.that(name, there, "no gradient gets to its logits.")
    return received


def undecided(student, name, count):
    """Return the value for logits of 0."""
    return asked(student, name, *(np.zeros(n) for n in count))


@pytest.mark.weight(2)
@pytest.mark.parametrize("size", SIZES, ids=[f"{n} and {m}" for n, m in SIZES])
def test_discriminator_loss(student, rng, size):
    """discriminator_loss is the sum of both means, whatever their numbers of images."""
    real, fake = (rng.normal(scale=3.0, size=n) for n in size)
    expected, _ = d_loss(real, fake)
    received = asked(student, "discriminator_loss", real, fake)
    expect.close("discriminator_loss", received, np.array(expected))


@pytest.mark.weight(2)
@pytest.mark.parametrize("count", [6, 1, 11])
def test_generator_loss(student, rng, count):
    """generator_loss is the mean that is described, of any number of images."""
    fake = rng.normal(scale=3.0, size=count)
    expected, _ = g_loss(fake)
    expect.close("generator_loss", asked(student, "generator_loss", fake), np.array(expected))


def test_undecided(student):
    """Logits of 0 cost as much as guessing does."""
    guess = np.log(2.0)
    received = undecided(student, "discriminator_loss", (5, 3))
    expect.close("discriminator_loss of zeros", received, np.array(2 * guess))
    expect.close(
        "generator_loss of zeros", undecided(student, "generator_loss", (4,)), np.array(guess)
    )


@pytest.mark.weight(2)
def test_gradients(student, rng):
    """The gradients of discriminator_loss get to both kinds of logits."""
    real, fake = rng.normal(scale=2.0, size=6), rng.normal(scale=2.0, size=9)
    upstream = np.array(rng.uniform(0.5, 2.0))
    received = sloped(student, "discriminator_loss", (real, fake), upstream)
    for name, one, expected in zip(("real", "fake"), received, d_loss(real, fake)[1], strict=True):
        expect.close(f"the gradient of {name} logits", one, upstream * expected)


@pytest.mark.weight(2)
def test_gradient_of_the_generator(student, rng):
    """The gradient of generator_loss, which is steep where the images are found out."""
    for fake in (rng.normal(scale=2.0, size=7), rng.uniform(-30, -20, size=5)):
        upstream = np.array(rng.uniform(0.5, 2.0))
        (received,) = sloped(student, "generator_loss", (fake,), upstream)
        expect.close("the gradient of fake logits", received, upstream * g_loss(fake)[1][0])


FARS = [(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)]


@pytest.mark.parametrize("signs", FARS, ids=["right", "wrong", "all real", "all fake"])
def test_extreme_logits(student, rng, signs):
    """Logits of 1000 and -1000 have finite losses, and finite gradients."""
    real, fake = (
        sign * (FAR + rng.integers(0, 9, size=n)) for sign, n in zip(signs, (3, 4), strict=True)
    )
    value, gradients = d_loss(real, fake)
    one = np.array(1.0)
    received = asked(student, "discriminator_loss", real, fake)
    expect.close("discriminator_loss", received, np.array(value))
    found = sloped(student, "discriminator_loss", (real, fake), one)
    for name, slope, expected in zip(("real", "fake"), found, gradients, strict=True):
        expect.close(f"the gradient of {name} logits", slope, expected)
    value, (expected,) = g_loss(fake)
    expect.close("generator_loss", asked(student, "generator_loss", fake), np.array(value))
    (slope,) = sloped(student, "generator_loss", (fake,), one)
    expect.close("the gradient of fake logits", slope, expected)


def test_float32(student, rng):
    """Losses of float32 logits are float32, and as near as float32 is."""
    real, fake = (rng.normal(scale=3.0, size=n).astype(np.float32) for n in (5, 7))
    pairs = (("discriminator_loss", (real, fake), d_loss), ("generator_loss", (fake,), g_loss))
    for name, logits, formula in pairs:
        received = asked(student, name, *logits)
        expect.dtype(name, received, "float32")
        expected, _ = formula(*(one.astype(float) for one in logits))
        expect.close(name, received.astype(float), np.array(expected), rtol=1e-5, atol=1e-6)


def test_logits_are_kept(student, rng):
    """The losses leave the logits as they are."""
    real, fake = rng.normal(size=5), rng.normal(size=6)
    given = [student.prepare("tensor", one) for one in (real, fake)]
    received = student.drive("asked_of_tensors", student.gan.discriminator_loss, *given)
    expect.close(
        "discriminator_loss", expect.array("loss", received, ()), np.array(d_loss(real, fake)[0])
    )
    received = student.drive("asked_of_tensors", student.gan.generator_loss, given[1])
    expect.close("generator_loss", expect.array("loss", received, ()), np.array(g_loss(fake)[0]))
    for name, before, handle in zip(("real", "fake"), (real, fake), given, strict=True):
        expect.unchanged(f"{name} logits", before, student.fetch(handle))
