"""Public tests of gan.py, with numbers that can be followed by hand."""

import numpy as np
import pytest

from autograder.suite import expect

GUESS = 0.693147
REAL, FAKE = np.array([2.0, 0.0]), np.array([-1.0, 1.0, 0.0])

MAKER = [
    np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]], dtype=np.float32),
    np.array([0.0, 0.5, -0.5], dtype=np.float32),
]
TELLER = [
    np.array([[1.0, -1.0], [0.5, 1.0], [-2.0, 0.5]], dtype=np.float32),
    np.array([1.0, 0.5], dtype=np.float32),
    np.array([0.0, 0.2], dtype=np.float32),
    np.array([1.0, -2.0], dtype=np.float32),
    np.array(0.1, dtype=np.float32),
]
X = np.array([[0.0, 1.0, 0.5], [1.0, 0.2, 0.0], [0.4, 0.4, 0.9], [0.1, 0.8, 0.2]], dtype=np.float32)
Z = np.array(
    [
        [[1.0, -1.0], [0.5, 2.0], [-1.0, 0.0], [0.0, 1.0]],
        [[2.0, 0.0], [-0.5, 1.0], [1.0, 1.0], [-2.0, 0.5]],
    ],
    dtype=np.float32,
)
LOSSES = (1.913371, 0.795951, 0.776753)
"""Of the discriminator, of the generator, and of the generator once the discriminator has moved."""
STEPS, BATCH, L = 12, 4, 3


def asked(student, name, *logits):
    """Return what a loss of the student's is."""
    return student.drive("asked", getattr(student.gan, name), *logits)


@pytest.mark.item("week7.gan_losses")
def test_undecided(student):
    """Logits of 0: every verdict is a guess and costs ln 2 = 0.693, for each kind of image."""
    zeros = np.zeros(4)
    expect.close(
        "discriminator_loss",
        asked(student, "discriminator_loss", zeros, zeros[:3]),
        np.array(2 * GUESS),
    )
    expect.close("generator_loss", asked(student, "generator_loss", zeros), np.array(GUESS))


@pytest.mark.item("week7.gan_losses")
def test_values(student):
    """Real logits 2 and 0, generated ones -1, 1 and 0: 0.410038 and 0.773223, together 1.183261."""
    received = asked(student, "discriminator_loss", REAL, FAKE)
    expect.close("discriminator_loss", received, np.array(1.18326111), rtol=1e-5)
    received = asked(student, "generator_loss", FAKE)
    expect.close("generator_loss", received, np.array(0.77322352), rtol=1e-5)


@pytest.mark.item("week7.gan_losses")
def test_slopes(student):
    """A generated image with the logit -4 is found out: the generator's slope there is -0.982."""
    (received,) = student.drive(
        "slopes", student.gan.generator_loss, [np.array([-4.0])], np.array(1.0)
    )
    expect.close("the gradient of generator_loss", received, np.array([-0.98201379]), rtol=1e-5)


@pytest.mark.item("week7.gan_losses")
def test_large_logits(student):
    """Logits of 1000, all wrong: both losses are finite, 2000 and 1000."""
    far = np.array([1000.0])
    expect.close(
        "discriminator_loss", asked(student, "discriminator_loss", -far, far), np.array(2000.0)
    )
    expect.close("generator_loss", asked(student, "generator_loss", -far), np.array(1000.0))


@pytest.mark.item("week7.gan_losses")
def test_float32(student):
    """Losses of float32 logits are float32."""
    logits = [one.astype(np.float32) for one in (REAL, FAKE)]
    received = asked(student, "discriminator_loss", *logits)
    expect.dtype("discriminator_loss", received, "float32")
    expect.close("discriminator_loss", received, np.array(1.18326111), rtol=1e-5)


@pytest.mark.item("week7.gan_step")
def test_images_and_logits(student):
    """Five rows of noise become five images with pixels from 0 to 1, and these five logits."""
    made, told = student.gan.Generator(3), student.gan.Discriminator()
    for network in (made, told):
        student.drive("mode", network, False)
    z = np.linspace(-30, 30, 15, dtype=np.float32).reshape(5, 3)
    images = expect.array("Generator(z)", student.drive("asked", made, z), (5, 784))
    expect.that("Generator(z)", float(images.min()) >= 0, "there are numbers below 0.")
    expect.that("Generator(z)", float(images.max()) <= 1, "there are numbers above 1.")
    logits = expect.array("Discriminator(x)", student.drive("asked", told, images), (5,))
    alone = expect.array("Generator(z)", student.drive("asked", made, z[1:2]), (1, 784))
    # Which image it is is the network's own affair; here, that others have no part in it.
    expect.repeated("an image alone", images[1:2], alone, rtol=1e-3, atol=1e-4)
    spread = float(np.ptp(logits)) > 0
    expect.that("logits", spread, "they are the same for different images.")


def game(student):
    """Return a GAN with two small networks and plain gradient descent of the rate 0.5."""
    gan = student.prepare("gan_of", student.gan.GAN, MAKER, TELLER, 0.01)
    student.drive("gan_plain", gan, 0.5)
    return gan


def step(student, gan, name, *arrays):
    """Take a step; return the loss, and how far each network's numbers have moved at most."""
    given = [student.prepare("tensor", one) for one in arrays]
    loss = student.drive("gan_stepped", getattr(gan, name), *given)
    after = student.drive("gan_numbers", gan)
    moved = [
        max(float(np.abs(new - old).max()) for new, old in zip(part, before, strict=True))
        for part, before in zip(after, (MAKER, TELLER), strict=True)
    ]
    return loss, moved


@pytest.mark.item("week7.gan_step")
def test_discriminator_step(student):
    """discriminator_step moves the discriminator and leaves the generator."""
    loss, (made, told) = step(student, game(student), "discriminator_step", X, Z[0])
    expect.that("the discriminator", told > 0, "it has not moved.")
    expect.that("the generator", made == 0, "it has moved.")
    expect.close("the loss", np.array(loss), np.array(LOSSES[0]), rtol=1e-4)


@pytest.mark.item("week7.gan_step")
def test_generator_step(student):
    """generator_step moves the generator and leaves the discriminator."""
    loss, (made, told) = step(student, game(student), "generator_step", Z[1])
    expect.that("the generator", made > 0, "it has not moved.")
    expect.that("the discriminator", told == 0, "it has moved.")
    expect.close("the loss", np.array(loss), np.array(LOSSES[1]), rtol=1e-4)


@pytest.mark.item("week7.gan_step")
def test_train_step(student):
    """The discriminator moves first, so the generator meets one that has learnt."""
    losses, (made, told) = step(student, game(student), "train_step", X, Z)
    expect.that("both networks", made > 0 and told > 0, "one of them has not moved.")
    expect.close("the discriminator's loss", np.array(losses[0]), np.array(LOSSES[0]), rtol=1e-4)
    expect.close("the generator's loss", np.array(losses[1]), np.array(LOSSES[2]), rtol=1e-4)


@pytest.mark.item("week7.gan_step")
def test_old_gradients(student):
    """Gradients that were there before a step are not in it."""
    moved = []
    for scale in (0.0, 5.0):
        gan = game(student)
        litter = [[np.full_like(one, scale) for one in part] for part in (MAKER, TELLER)]
        student.drive("gan_littered", gan, *litter)
        loss, (_, told) = step(student, gan, "discriminator_step", X, Z[0])
        expect.close("the loss", np.array(loss), np.array(LOSSES[0]), rtol=1e-4)
        moved.append(told)
    expect.that("the discriminator", moved[0] > 0, "it has not moved.")
    same = abs(moved[0] - moved[1]) < 1e-5
    expect.that("the discriminator", same, "old gradients move it as well.")


@pytest.mark.item("week7.samples")
def test_the_loop(student):
    """Twelve steps: so many losses, batches of four, and new noise each time."""
    images = (np.arange(20 * 784, dtype=np.float32) / (20 * 784)).reshape(20, 784)
    losses = np.arange(2 * STEPS, dtype=float).reshape(STEPS, 2)
    diary = student.prepare("diary", L, losses)
    given = student.prepare("tensor", images)
    returned = student.drive("trained", student.gan.train, diary, given, STEPS, BATCH, 3)
    found = student.drive("gan_diary", diary)
    expect.equal("calls of train_step", len(found["noise"]), STEPS)
    expect.close("losses", np.array([list(one) for one in returned]), losses)
    noise = np.stack([expect.array("z", one, (2, BATCH, L)) for one in found["noise"]])
    new = len(np.unique(noise)) > 0.9 * noise.size
    expect.that("noise", new, "some of its numbers come again.")
    x = np.stack([expect.array("x", one, (BATCH, 12)) for one in found["images"]])
    known = {row[:12].tobytes() for row in images}
    seen = {row.astype(np.float32).tobytes() for batch in x for row in batch}
    expect.that("x", seen <= known, "a row is none of the images.")
    expect.that("x", len(seen) > 2 * BATCH, "only few of the images are ever used.")
    expect.equal("in training mode, by steps", found["training"], [True] * STEPS)
    expect.equal("in training mode afterwards", found["afterwards"], [False, False])
