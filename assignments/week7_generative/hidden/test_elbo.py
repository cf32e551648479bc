"""The bound of a VAE that the student's `train` trains (item week7.elbo).

Architecture and loop are the student's. Three sandboxes are asked, one after the other. The first
trains on images whose pixels have changed places by a secret of this run, and gives weights. The
second has these weights and encodes test images; the codes are drawn here, and their divergence is
computed here. The third has the weights and these codes, has seen no image, and gives logits. So
whatever an encoder says of an image is paid for in nats, and what the decoder knows of images is in
the weights, which were there before the test images were shown to anybody.
"""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .vae_formulas import code, divergence, nll

PIXELS, LATENT, MOST = 784, 20, 2_000_000
GUESSED = PIXELS * np.log(2.0)
"""Nats of an image each of whose pixels is guessed."""

MOST_TESTED = 2_000


def binarised(images):
    """Return uint8 images as rows of zeros and ones."""
    return (images.reshape(len(images), PIXELS) > 127).astype(np.float32)


def rearranged(data, rng):
    """Return training and test images whose pixels have changed places, the same in all."""
    places = rng.permutation(PIXELS)
    rows = np.arange(min(len(data.x_test), MOST_TESTED)) * len(data.x_test)
    rows //= min(len(data.x_test), MOST_TESTED)
    return binarised(data.x_train)[:, places], binarised(data.x_test[rows])[:, places]


def weights_of(student, model):
    """Return a model's parameters and buffers; fail where they are too many."""
    held = student.drive("state", model)
    expect.that("VAE", isinstance(held, dict) and bool(held), "it has no parameters.")
    count = sum(int(np.prod(expect.shape_of("a parameter", one))) for one in held.values())
    message = f"it has {count} numbers in parameters and buffers, and at most {MOST} are allowed."
    expect.that("VAE", count <= MOST, message)
    return held


def filled(student, weights):
    """Return a new model with these weights, in evaluation mode."""
    model = student.vae.VAE()
    student.drive("fill", model, weights)
    student.drive("mode", model, False)
    return model


def encoded(student, weights, x):
    """Return the means of the images' codes and the logarithms of their variances."""
    received = student.drive("asked", filled(student, weights).encode, x)
    pair = isinstance(received, (tuple, list)) and len(received) == 2
    expect.that("encode(x)", pair, f"expected mu and logvar, got {expect.kind_of(received)}.")
    return [
        expect.array(name, one, (len(x), LATENT)).astype(np.float64)
        for name, one in zip(("mu", "logvar"), received, strict=True)
    ]


def bound(encoder, decoder, weights, x, rng):
    """Return minus the evidence lower bound, in nats per image, and the divergence's part."""
    mu, logvar = encoded(encoder, weights, x)
    with np.errstate(over="ignore", invalid="ignore"):
        z = code(mu, logvar, rng.normal(size=mu.shape)).astype(np.float32)
        apart = divergence(mu, logvar)
    expect.that("codes", bool(np.isfinite(z).all()), "their variances are too large for a number.")
    logits = student_logits(decoder(), weights, z)
    return float(np.mean(nll(logits, x.astype(np.float64)) + apart)), float(apart.mean())


def student_logits(student, weights, z):
    """Return the logits of codes, of a decoder that has seen no images."""
    received = student.drive("asked", filled(student, weights).decode, z)
    return expect.array("decode(z)", received, (len(z), PIXELS)).astype(np.float64)


def said_of(settings, saved, steps):
    """Return the message on a bound: it says no more than the credit does."""
    full, none = (GUESSED * (1.0 - one) for one in (settings.full_from, settings.any_from))
    nats = GUESSED * (1.0 - saved)
    if saved >= settings.full_from:
        reached = f"at most {full:.0f}"
    elif saved > settings.any_from:
        low = 5 * np.floor(nats / 5)
        reached = f"{low:.0f} to {low + 5:.0f}"
    else:
        reached = f"at least {none:.0f}"
    return (
        f"{reached} nats per image on images that were not trained on, after {steps} steps; full "
        f"points up to {full:.0f}."
    )


@pytest.mark.item("week7.elbo")
@pytest.mark.weight(12)
@pytest.mark.training
@pytest.mark.needs("week7.terms", "week7.vae")
def test_the_bound(student, settings, grade, rng):
    """Trained by your `train`, your VAE describes images that it has not seen."""
    train, test = rearranged(settings.data, rng)
    student.drive("seed", int(rng.integers(2**31)))
    model = student.vae.VAE()
    weights_of(student, model)
    images = student.prepare("tensor", train)
    steps = settings.epochs * len(train) // settings.batch_size
    how = steps, settings.batch_size, settings.lr, int(rng.integers(2**31))
    losses = student.drive("trained", student.vae.train, model, images, *how)
    weights = weights_of(student, model)
    encoder = student.anew()
    nats, apart = bound(encoder, encoder.anew, weights, test, rng)
    saved = 1.0 - nats / GUESSED
    numbers = [one for one in losses if type(one) is float] if isinstance(losses, list) else []
    grade(
        settings.credit(saved) / FULL_CREDIT,
        said_of(settings, saved, steps),
        shown=settings.shown(saved),
        data=settings.name,
        loss=[round(one, 3) for one in numbers[:steps:20] if np.isfinite(one)],
        nats=[round(nats, 3)],
        divergence=[round(apart, 3)],
    )
