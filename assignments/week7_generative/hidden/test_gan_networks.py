"""Hidden tests of Generator and Discriminator: free inside, known from outside."""

import numpy as np
import pytest

from autograder.suite import expect

from .gan_images import parameters_of

pytestmark = pytest.mark.item("week7.gan_step")

PIXELS = 784
NEAR = {"rtol": 1e-3, "atol": 1e-4}


def generator(student, latent=5):
    """Return a new generator in evaluation mode."""
    network = student.gan.Generator(latent)
    student.drive("mode", network, False)
    return network


def discriminator(student):
    """Return a new discriminator in evaluation mode."""
    network = student.gan.Discriminator()
    student.drive("mode", network, False)
    return network


def images(student, network, z):
    """Return what a generator makes of noise: images which are not all the same."""
    received = student.drive("asked", network, z.astype(np.float32))
    found = expect.array("Generator(z)", received, (len(z), PIXELS))
    if len(z) > 1:
        spread = float(np.ptp(found, axis=0).max())
        expect.that("Generator(z)", spread > 0, "its images are the same for different noise.")
    return found


def pixels(found):
    """Expect numbers from 0 to 1."""
    low, high = float(found.min()), float(found.max())
    inside = low >= 0 and high <= 1
    expect.that("Generator(z)", inside, f"its numbers go from {low:.3g} to {high:.3g}.")
    expect.that("Generator(z)", high > low, "all its numbers are the same.")


@pytest.mark.weight(2)
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_generated_range(student, rng, training):
    """Whatever the noise, pixels are numbers from 0 to 1."""
    for scale in (1.0, 30.0):
        network = generator(student, 5)
        student.drive("mode", network, training)
        pixels(images(student, network, scale * rng.normal(size=(9, 5))))


def test_range_of_other_weights(student, rng):
    """Whatever the weights, pixels are numbers from 0 to 1."""
    for scale in (0.3, 1.0):
        network = generator(student, 6)
        student.drive("stir", network, int(rng.integers(2**31)), scale)
        pixels(images(student, network, rng.normal(size=(8, 6))))


@pytest.mark.parametrize("latent", [3, 40])
def test_latent(student, rng, latent):
    """A generator knows its number of coordinates, and takes noise of so many."""
    network = generator(student, latent)
    expect.equal("generator.latent", network.latent, latent)
    images(student, network, rng.normal(size=(6, latent)))


def test_an_image_alone(student, rng):
    """In evaluation mode noise gives the same image, alone or with others."""
    network, z = generator(student), rng.normal(size=(7, 5))
    together = images(student, network, z)
    # Which images these are is the network's own affair; here, that others have no part in them.
    for n in (0, 4):
        alone = images(student, network, z[n : n + 1])
        expect.repeated("an image alone", together[n : n + 1], alone, **NEAR)
    expect.repeated("the same noise again", together, images(student, network, z), **NEAR)


def test_size(student, rng):
    """A generator has at most 2,000,000 numbers."""
    network = generator(student, 64)
    images(student, network, rng.normal(size=(4, 64)))
    parameters_of(student, network)


def test_gradients_reach_all(student, rng):
    """Gradients reach every parameter of the generator and of the discriminator."""
    cases = (
        ("Generator", student.gan.Generator(5), rng.normal(size=(9, 5)), (9, PIXELS)),
        ("Discriminator", student.gan.Discriminator(), rng.uniform(size=(6, PIXELS)), (6,)),
    )
    for name, network, given, shape in cases:
        upstream = rng.normal(size=shape).astype(np.float32)
        found = student.drive("gan_reached", network, given.astype(np.float32), upstream)
        some = isinstance(found, list) and len(found) > 1 and all(one is True for one in found)
        expect.that(name, some, "no gradient gets to some of its parameters.")


def logits(student, network, x):
    """Return a discriminator's logits."""
    received = student.drive("asked", network, x.astype(np.float32))
    return expect.array("Discriminator(x)", received, (len(x),))


@pytest.mark.weight(2)
def test_logits(student, rng):
    """A discriminator gives one logit for each image: a number of either sign, no probability."""
    found = []
    for _ in range(4):
        network = discriminator(student)
        student.drive("stir", network, int(rng.integers(2**31)), 0.3)
        one = logits(student, network, rng.uniform(size=(9, PIXELS)))
        expect.that("logits", float(np.ptp(one)) > 0, "they are the same for different images.")
        found.append(one)
    together = np.concatenate(found)
    expect.that("logits", bool((together < 0).any()), "none is below 0.")
    expect.that("logits", bool((together > 0).any()), "none is above 0.")
    outside = bool((np.abs(together) > 1).any())
    expect.that("logits", outside, "all lie between -1 and 1, as if something had cut them off.")


def test_a_logit_alone(student, rng):
    """In evaluation mode an image gets the same logit, alone or with others."""
    network, x = discriminator(student), rng.uniform(size=(7, PIXELS))
    together = logits(student, network, x)
    expect.that("logits", float(np.ptp(together)) > 0, "they are the same for different images.")
    # Which logits these are is the network's own affair; here, that others have no part in them.
    for n in (0, 5):
        alone = logits(student, network, x[n : n + 1])
        expect.repeated("a logit alone", together[n : n + 1], alone, **NEAR)
