"""Hidden tests of VAE: with parts of the suite's own in it, and as it was built.

An encoder and a decoder of one matrix each, whose numbers are drawn here, take the place of the
model's own; what `loss`, `reconstruct` and `sample` make of them is computed here. Which layers a
VAE has is the student's choice, so its own encoder and decoder are asked for what is promised of
any: shapes, signs, rows that don't know of each other, gradients. How good they are, the trained
model shows (test_elbo.py).
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .vae_formulas import OtherTerms, Parts, Terms, sigmoid

pytestmark = pytest.mark.item("week7.vae")

PIXELS, MOST = 784, 2_000_000
NEAR = {"rtol": 1e-6, "atol": 1e-8}


def with_parts(student, rng, latent, scale=1.0):
    """Return a model with an encoder and a decoder of our own, their numbers, and their handle."""
    parts = Parts(rng, latent, PIXELS, scale)
    model = student.vae.VAE(latent, int(rng.integers(5, 12)))
    student.drive("double", model)
    numbers = student.prepare("give_parts", model, *parts.arrays)
    return model, parts, numbers


def built(student, rng, latent, hidden=11):
    """Return a model as it is built, in float64 and in evaluation mode."""
    student.drive("seed", int(rng.integers(2**31)))
    model = student.vae.VAE(latent, hidden)
    student.drive("double", model)
    student.drive("mode", model, False)
    return model


def images(rng, count):
    """Return pixels, most of them 0 or 1."""
    x = rng.uniform(size=(count, PIXELS))
    return np.where(rng.uniform(size=x.shape) < 0.8, x.round(), x)


def both(name, received, shape):
    """Return two arrays of a shape, or fail."""
    pair = isinstance(received, (tuple, list)) and len(received) == 2
    expect.that(name, pair, f"expected mu and logvar, got {expect.kind_of(received)}.")
    return [
        expect.array(label, one, shape)
        for label, one in zip(("mu", "logvar"), received, strict=True)
    ]


# With parts of our own


BATCHES = [(1, 3), (7, 3), (4, 6)]


def with_either(student, rng, latent, check):
    """Run `check(terms)` with the submission's own terms, or else with others in their place.

    A loss is right where it puts the terms together as it should, whatever they are.
    """

    def with_others():
        terms = OtherTerms(rng, latent, PIXELS)
        before = student.prepare("give_terms", student.vae, *terms.arrays)
        try:
            check(terms)
        finally:
            student.drive("take_terms", student.vae, before)

    expect.any_of(lambda: check(Terms), with_others)


@pytest.mark.weight(3)
@pytest.mark.parametrize("size", BATCHES, ids=[f"{n} images, {m} coordinates" for n, m in BATCHES])
def test_loss(student, rng, size):
    """loss is the mean over the images of both terms: it doesn't grow with their number."""
    model, parts, _ = with_parts(student, rng, size[1])

    def check(terms):
        for _ in range(2):
            x, eps = images(rng, size[0]), rng.normal(size=size)
            received = expect.array("loss", student.drive("asked", model.loss, x, eps), ())
            expect.close("loss", received, parts.losses(x, eps, terms).mean(), **NEAR)

    with_either(student, rng, size[1], check)


@pytest.mark.weight(2)
def test_gradients_of_the_loss(student, rng):
    """The loss's gradients reach encoder and decoder, through the codes and the divergence."""
    model, parts, numbers = with_parts(student, rng, 3)
    x, eps = images(rng, 5), rng.normal(size=(5, 3))

    def check(terms):
        def loss(a, b, c):
            mu, logvar = x @ parts.A + a, x @ parts.B + b
            logits = terms.code(mu, logvar, eps) @ parts.C + c
            return np.mean(terms.nll(logits, x) + terms.divergence(mu, logvar))

        wanted = vjp(loss, [parts.a, parts.b, parts.c], np.ones(()))
        received = student.drive("loss_slopes", model, numbers, x, eps)
        for label, place, one in zip(("mu", "logvar", "logits"), (1, 3, 5), wanted, strict=True):
            there = received[place] is not None
            expect.that(f"the gradient of {label}", there, "no gradient gets there.")
            expect.close(f"the gradient of {label}, all images together", received[place], one)

    with_either(student, rng, 3, check)


@pytest.mark.weight(2)
@pytest.mark.parametrize("alike", [False, True], ids=["against each other", "together"])
def test_noise_of_its_own(student, rng, alike):
    """Without eps, each image and each coordinate gets noise of its own, in each call anew."""
    many, calls, latent = 900, 6, 4
    model, parts, _ = with_parts(student, rng, latent, 2.0)
    # What all coordinates have in common cancels in the logits, or else adds up; all have the same
    # variance.
    parts.C = np.repeat(parts.C[:1], latent, axis=0) if alike else parts.C - parts.C.mean(axis=0)
    parts.B *= 0.0
    parts.b[:] = parts.b[0]
    student.prepare("give_parts", model, *parts.arrays)
    x = np.repeat(images(rng, 1), many, axis=0)
    eps, seeds = rng.normal(size=(6 * many, latent)), rng.integers(2**31, size=calls)

    def check(terms):
        drawn = parts.losses(np.repeat(x[:1], len(eps), axis=0), eps, terms)
        deviation = drawn.std() / np.sqrt(many)
        found = []
        for number in seeds:
            student.drive("seed", int(number))
            found.append(expect.array("loss", student.drive("asked", model.loss, x), ()))
            label = "loss of one image, many times, against its mean over noise"
            expect.close(label, found[-1], drawn.mean(), rtol=0.0, atol=6.0 * deviation)
        expect.differ("losses in two calls", found[0], found[1], "both are equal.")
        enough = float(np.std(found)) > deviation / 8
        expect.that("losses in several calls", enough, "they hardly differ: is the noise drawn?")

    with_either(student, rng, latent, check)


def test_generator(student, rng):
    """The noise comes from torch's own generator: the same seed gives the same loss."""
    model, parts, _ = with_parts(student, rng, 3)
    x, seed = images(rng, 4), int(rng.integers(2**31))

    def check(terms):
        found = []
        for number in (seed, seed, seed + 1):
            student.drive("seed", number)
            found.append(expect.array("loss", student.drive("asked", model.loss, x), ()))
        # Which noise is drawn first is the loss's own affair.
        expect.repeated("loss with the same seed", found[0], found[1])
        expect.differ("loss with another seed", found[0], found[2], "it is the same.")
        is_a_loss(found[0], parts.losses(np.repeat(x, 500, axis=0), many_draws, terms))

    many_draws = rng.normal(size=(2000, 3))
    with_either(student, rng, 3, check)


def is_a_loss(received, drawn):
    """Expect a loss that is one of a few images, whose losses over draws are known."""
    far = np.abs(received - drawn.mean())
    message = "what it returns is no loss of these images."
    expect.that("loss", float(far) < 10 * drawn.std() + 0.1 * abs(drawn.mean()), message)


@pytest.mark.weight(2)
def test_reconstruct(student, rng):
    """reconstruct decodes the means, to probabilities; nothing is drawn."""
    model, parts, _ = with_parts(student, rng, 4)
    for count in (5, 1):
        x = images(rng, count)
        wanted = sigmoid(parts.decode(parts.encode(x)[0]))
        expect.close("reconstruct(x)", student.drive("asked", model.reconstruct, x), wanted, **NEAR)


@pytest.mark.weight(2)
def test_sample(student, rng):
    """sample gives the probabilities of the codes it is given; nothing is drawn."""
    model, parts, _ = with_parts(student, rng, 5)
    for count in (6, 1):
        z = rng.normal(size=(count, 5))
        received = student.drive("asked", model.sample, z)
        expect.close("sample(z)", received, sigmoid(parts.decode(z)), **NEAR)


def test_arguments_of_the_loss(student, rng):
    """loss leaves images and noise as they are."""
    model, parts, _ = with_parts(student, rng, 3)
    x, eps = images(rng, 4), rng.normal(size=(4, 3))

    def check(terms):
        given = [student.prepare("tensor", array) for array in (x, eps)]
        loss = student.drive("asked_of_tensors", model.loss, *given)
        is_a_loss(expect.array("loss", loss, ()), parts.losses(x, eps, terms))
        expect.unchanged("x", x, student.fetch(given[0]))
        expect.unchanged("eps", eps, student.fetch(given[1]))

    with_either(student, rng, 3, check)


def test_arguments(student, rng):
    """reconstruct and sample leave what they are given as it is."""
    model, parts, _ = with_parts(student, rng, 3)
    for name, array in (("reconstruct", images(rng, 4)), ("sample", rng.normal(size=(4, 3)))):
        given = student.prepare("tensor", array)
        received = student.drive("asked_of_tensors", getattr(model, name), given)
        received = expect.array(name, received, (4, PIXELS))
        z = array if name == "sample" else parts.encode(array)[0]
        # Logits instead of probabilities are another test's affair, and so are draws.
        alike = np.corrcoef(received.ravel(), parts.decode(z).ravel())[0, 1] > 0.2
        expect.that(name, bool(alike), "what it returns has nothing to do with what was given.")
        expect.unchanged("the argument", array, student.fetch(given))


# As it was built


@pytest.mark.parametrize("latent", [20, 2, 7])
def test_size(student, rng, latent):
    """VAE has codes of `latent` coordinates, and not too many parameters."""
    model = student.vae.VAE() if latent == 20 else student.vae.VAE(latent, 60)
    expect.equal("latent", model.latent, latent)
    count = student.drive("size", model)
    few = type(count) is int and 784 < count <= MOST
    expect.that("VAE", few, f"it must have some parameters, and at most {MOST} of them.")
    student.drive("double", model)
    x = images(rng, 3)
    mu, _ = both("encode(x)", student.drive("asked", model.encode, x), (3, latent))
    expect.differ("means of two images", mu[0], mu[1], "they are the same.")
    logits = student.drive("asked", model.decode, rng.normal(size=(4, latent)))
    logits = expect.array("decode(z)", logits, (4, PIXELS))
    expect.differ("logits of two codes", logits[0], logits[1], "they are the same.")


@pytest.mark.weight(2)
def test_both_signs(student, rng):
    """mu, logvar and the logits are numbers of both signs, whatever the weights."""
    model = built(student, rng, 6)
    for number in rng.integers(2**31, size=4):
        student.drive("stir", model, int(number), 0.3)
        received = student.drive("asked", model.encode, images(rng, 30))
        found = dict(zip(("mu", "logvar"), both("encode(x)", received, (30, 6)), strict=True))
        logits = student.drive("asked", model.decode, 2.0 * rng.normal(size=(30, 6)))
        found["logits"] = expect.array("decode(z)", logits, (30, PIXELS))
        for label, one in found.items():
            signs = bool(one.min() < 0 < one.max())
            message = f"they lie between {one.min():.3g} and {one.max():.3g} alone."
            expect.that(label, signs, message)


def test_rows(student, rng):
    """In evaluation mode a row's result depends on no other row, and on nothing asked before."""
    model = built(student, rng, 5)
    student.drive("stir", model, int(rng.integers(2**31)), 0.2)
    x, z = images(rng, 6), rng.normal(size=(6, 5))
    many = both("encode(x)", student.drive("asked", model.encode, x), (6, 5))
    logits = student.drive("asked", model.decode, z)
    logits = expect.array("decode(z)", logits, (6, PIXELS))
    expect.differ("logits of two codes", logits[0], logits[1], "they are the same.")
    few = both("encode(x)", student.drive("asked", model.encode, x[2:4]), (2, 5))
    # Which layers there are is the model's own affair: its answers are compared with each other.
    for label, whole, part in zip(("mu", "logvar"), many, few, strict=True):
        expect.differ(f"{label} of two images", whole[2], whole[3], "they are the same.")
        expect.repeated(f"{label} of two images alone", whole[2:4], part, rtol=1e-6, atol=1e-9)
    student.drive("asked", model.encode, images(rng, 3))
    again = student.drive("asked", model.decode, z[4:5])
    again = expect.array("decode(z)", again, (1, PIXELS))
    expect.repeated("logits of a code alone", logits[4:5], again, rtol=1e-6, atol=1e-9)


@pytest.mark.weight(2)
def test_gradients_reach_all(student, rng):
    """Gradients of what is encoded and decoded reach all parameters."""
    model = built(student, rng, 4)
    student.drive("stir", model, int(rng.integers(2**31)), 0.1)
    student.drive("mode", model, True)
    upstream = [rng.normal(size=(8, wide)) for wide in (4, 4, PIXELS)]
    there = student.drive("reached", model, images(rng, 8), upstream)
    enough = isinstance(there, list) and len(there) >= 3
    expect.that("VAE", enough, "expected parameters of an encoder, of a decoder and of both heads.")
    missing = sum(one is not True for one in there)
    message = f"no gradient gets to {missing} of its {len(there)} parameters."
    expect.that("VAE", missing == 0, message)
