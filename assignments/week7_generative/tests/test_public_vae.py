"""Public tests of vae.py: one worked number for each function, and the rules of the handout."""

import numpy as np
import pytest

from autograder.suite import expect

PIXELS = 784
# Variances of 1 and 4 in the first row, of 0.25 and 1 in the second.
MU = np.array([[0.0, 1.0], [-2.0, 0.5]])
LOGVAR = np.array([[0.0, 1.3862943611198906], [-1.3862943611198906, 0.0]])
EPS = np.array([[1.0, -0.5], [2.0, 0.0]])
LN2 = 0.6931471805599453


def term(student, name, *arrays):
    """Return what one of the terms makes of arrays."""
    return student.drive("asked", getattr(student.vae, name), *arrays)


@pytest.mark.item("week7.terms")
def test_codes(student):
    """Two codes of two numbers: their deviations are 1, 2 and 0.5, 1."""
    expect.close(
        "codes", term(student, "reparameterize", MU, LOGVAR, EPS), [[1.0, 0.0], [-1.0, 0.5]]
    )


@pytest.mark.item("week7.terms")
def test_divergence(student):
    """The divergence of two images' codes, in nats, added up over two coordinates."""
    received = term(student, "kl_to_standard_normal", MU, LOGVAR)
    expect.close("KL", received, [1.3068528194400547, 2.4431471805599454])


@pytest.mark.item("week7.terms")
def test_log_probability(student):
    """Three pixels: one even bet, one of 3 to 1 that is won, one of 3 to 1 that is half lost."""
    three = np.log(3.0)
    logits, x = np.array([[0.0, three, three]]), np.array([[1.0, 1.0, 0.5]])
    wanted = LN2 + np.log(4 / 3) + 0.5 * np.log(4 / 3) + 0.5 * np.log(4.0)
    expect.close("NLL", term(student, "bernoulli_nll", logits, x), [wanted])


@pytest.mark.item("week7.terms")
def test_extreme_logits(student):
    """Logits of 1,000 and -1,000: two pixels that are right, and one that is not."""
    logits, x = np.array([[1000.0, -1000.0, 1000.0]]), np.array([[1.0, 0.0, 0.0]])
    expect.close("NLL", term(student, "bernoulli_nll", logits, x), [1000.0])
    slope = student.drive("slopes", student.vae.bernoulli_nll, [logits, x], np.ones(1) * 2.0)[0]
    expect.that("the gradient of the logits", slope is not None, "none gets there.")
    expect.close("the gradient of the logits, times 2", slope, [[0.0, 0.0, 2.0]])


@pytest.mark.item("week7.terms")
def test_gradients_of_a_code(student):
    """The gradients of two codes, for means, logarithms of variances and noise."""
    upstream = np.array([[1.0, 2.0], [3.0, -1.0]])
    slopes = student.drive("slopes", student.vae.reparameterize, [MU, LOGVAR, EPS], upstream)
    wanted = upstream, [[0.5, -1.0], [1.5, 0.0]], [[1.0, 4.0], [1.5, -1.0]]
    for label, one, right in zip(("mu", "logvar", "eps"), slopes, wanted, strict=True):
        expect.that(f"the gradient of {label}", one is not None, "none gets there.")
        expect.close(f"the gradient of {label}", one, right)


@pytest.mark.item("week7.terms")
@pytest.mark.parametrize("name", ["reparameterize", "kl_to_standard_normal"])
def test_float32(student, name):
    """float32 stays float32."""
    arrays = [array.astype("float32") for array in (MU, LOGVAR, EPS)]
    given = arrays if name == "reparameterize" else arrays[:2]
    shape = (2, 2) if name == "reparameterize" else (2,)
    received = expect.array(name, term(student, name, *given), shape)
    expect.dtype(name, received, "float32")
    expect.that(name, bool(received.any()), "it gives zeros.")


def simple_parts():
    """Return an encoder and a decoder of one matrix each: two coordinates, 784 pixels.

    The first pixel is the first mean; the second coordinate's variance is that of pixel 1. A code
    makes the first two logits, all others are 0.
    """
    A, B, C = np.zeros((PIXELS, 2)), np.zeros((PIXELS, 2)), np.zeros((2, PIXELS))
    A[0, 0] = 1.0
    B[1, 1] = 2.0 * LN2
    C[0, 0] = C[1, 1] = 1.0
    return [A, np.zeros(2), B, np.zeros(2), C, np.zeros(PIXELS)]


def in_parts(student):
    """Return a model whose encoder and decoder are the simple ones."""
    model = student.vae.VAE(2, 3)
    student.drive("double", model)
    student.prepare("give_parts", model, *simple_parts())
    return model


IMAGES = np.zeros((3, PIXELS))
IMAGES[0, 0] = IMAGES[1, 0] = IMAGES[1, 1] = 1.0
# Codes (1, 0), (1, 2) and (0, 0), from the noise below: all else costs ln 2 for each pixel.
NOISE = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])


@pytest.mark.item("week7.vae")
def test_loss(student):
    """Three images, a simple encoder and decoder: the mean of what each image costs."""
    costs = [
        783 * LN2 + np.log1p(np.exp(-1.0)) + 0.5,
        782 * LN2 + np.log1p(np.exp(-1.0)) + np.log1p(np.exp(-2.0)) + 0.5 + 1.5 - LN2,
        784 * LN2,
    ]
    model = in_parts(student)
    for count in (3, 1):
        loss = student.drive("asked", model.loss, IMAGES[:count], NOISE[:count])
        expect.close(
            f"loss of {count} images", expect.array("loss", loss, ()), np.mean(costs[:count])
        )


@pytest.mark.item("week7.vae")
def test_reconstruct_and_sample(student):
    """The means decoded, and codes decoded: probabilities."""
    model = in_parts(student)
    wanted = np.full((3, PIXELS), 0.5)
    wanted[:2, 0] = 1.0 / (1.0 + np.exp(-1.0))
    received = student.drive("asked", model.reconstruct, IMAGES)
    expect.close("reconstruct(x)", received, wanted)
    z = np.array([[0.0, np.log(3.0)]])
    wanted = np.full((1, PIXELS), 0.5)
    wanted[0, 1] = 0.75
    expect.close("sample(z)", student.drive("asked", model.sample, z), wanted)


@pytest.mark.item("week7.vae")
def test_noise_is_drawn(student):
    """Without eps, the noise is drawn: another loss in each call."""
    model = in_parts(student)
    found = [expect.array("loss", student.drive("asked", model.loss, IMAGES), ()) for _ in range(2)]
    expect.differ("losses in two calls", found[0], found[1], "both are equal.")


@pytest.mark.item("week7.vae")
def test_shapes(student):
    """The network itself: codes and logits of three images, whose number may be any."""
    student.drive("seed", 7)
    model = student.vae.VAE(5, 40)
    student.drive("mode", model, False)
    for count in (3, 1):
        x = IMAGES[:count].astype("float32")
        codes = student.drive("asked", model.encode, x)
        pair = isinstance(codes, (tuple, list)) and len(codes) == 2
        expect.that("encode(x)", pair, f"expected mu and logvar, got {expect.kind_of(codes)}.")
        for label, one in zip(("mu", "logvar"), codes, strict=True):
            expect.array(label, one, (count, 5))
        logits = student.drive("asked", model.decode, np.ones((count, 5), "float32"))
        expect.array("decode(z)", logits, (count, PIXELS))
    expect.differ("means of two images", *codes_of_two(student, model), "they are the same.")


def codes_of_two(student, model):
    """Return the means of two images' codes."""
    mu = student.drive("asked", model.encode, IMAGES[:2].astype("float32"))[0]
    return expect.array("mu", mu, (2, 5))


@pytest.mark.item("week7.elbo")
def test_train_takes_its_steps(student):
    """train on a model whose loss is a distance: as many steps as asked for, and it learns."""
    images = np.zeros((4, PIXELS), "float32")
    images[:, 2:4] = 1.0, -1.0
    images[:, 0] = [0.1, 0.2, 0.3, 0.4]
    model = student.prepare("bowl", np.array([3.0, 2.0], "float32"), 5)
    given = student.prepare("tensor", images)
    losses = student.drive("trained", student.vae.train, model, given, 100, 2, 0.05, 1)
    numbers = isinstance(losses, list) and len(losses) == 100
    expect.that("train", numbers, f"expected 100 losses, got {expect.kind_of(losses)}.")
    expect.close("the first loss", losses[0], 13.0, rtol=1e-4)
    seen = student.drive("seen_by", model)
    expect.equal("losses that were asked for", len(seen["training"]), 100)
    expect.equal("afterwards in training mode", seen["afterwards"], [False])
    found = expect.array("the model's numbers", student.drive("state", model)["W"], (2,))
    expect.close("the model's numbers", found, np.array([1.0, -1.0]), rtol=0.0, atol=0.5)


@pytest.mark.item("week7.elbo")
def test_train_draws_noise(student):
    """train draws noise for each step: no two steps have the same."""
    images = np.tile(np.linspace(0.0, 1.0, 4, dtype="float32")[:, None], (1, PIXELS))
    model = student.prepare("bowl", np.array([3.0, 2.0], "float32"), 5)
    given = student.prepare("tensor", images)
    student.drive("trained", student.vae.train, model, given, 6, 3, 0.05, 1)
    noise = student.drive("seen_by", model)["noise"]
    expect.equal("losses that were asked for", len(noise), 6)
    arrays = [expect.array("noise of a step", one, (3, 5)) for one in noise]
    expect.differ("noise of two steps", arrays[0], arrays[1], "it is the same.")
    expect.differ("noise of two images", arrays[0][0], arrays[0][1], "it is the same.")
