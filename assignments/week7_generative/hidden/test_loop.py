"""Hidden tests of vae.py's `train`, on a model of the suite's own (item week7.elbo).

Its loss is a squared distance from pixels, so what training has to find is known here.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week7.elbo")

PIXELS, WIDE, LATENT, M = 784, 6, 5, 30
STILL, QUICK = 1e-9, 0.05
"""Learning rates: with the first no number moves by what can be seen."""


def drawn_images(rng, count=M, alike=False):
    """Return images that differ in their first pixels; what is learnt are the WIDE after these."""
    x = rng.uniform(size=(count, PIXELS)).astype(np.float32)
    if alike:
        x[:, WIDE : 2 * WIDE] = x[0, WIDE : 2 * WIDE]
    return x


def bowl(student, rng, x):
    """Return the suite's model, its numbers, and how far each image's pixels lie from them."""
    W = rng.normal(size=WIDE).astype(np.float32) + 2.0 * rng.choice([-1.0, 1.0], size=WIDE)
    W = W.astype(np.float32)
    away = W.astype(float) - x[:, WIDE : 2 * WIDE]
    return student.prepare("bowl", W, LATENT), W, (away**2).sum(axis=1)


def trained(student, model, x, steps, batch, lr, seed=0):
    """Train a model; return the losses and the images that `train` was given."""
    images = student.prepare("tensor", x)
    losses = student.drive("trained", student.vae.train, model, images, steps, batch, lr, seed)
    numbers = isinstance(losses, (list, tuple)) and len(losses) == steps
    numbers = numbers and all(type(loss) is float and np.isfinite(loss) for loss in losses)
    kind = expect.kind_of(losses)
    expect.that("train", numbers, f"expected a list of {steps} finite numbers, got {kind}.")
    return np.array([float(loss) for loss in losses]), images


def learnt(student, model, W, x):
    """Expect that a model's numbers came near to the pixels' mean; return them."""
    state = student.drive("state", model)
    there = isinstance(state, dict) and "W" in state
    expect.that("model", there, "its parameter is gone.")
    found = expect.array("the model's numbers", state["W"], (WIDE,)).astype(float)
    goal = x[:, WIDE : 2 * WIDE].astype(float).mean(axis=0)
    left = np.abs(found - goal).sum() / np.abs(W - goal).sum()
    expect.that("train", left < 0.5, f"{left:.0%} of the way to what is best are left.")
    return found


def noted(student, model, name, count):
    """Return one list of what a model has noted."""
    found = student.drive("seen_by", model)[name]
    message = f"expected {count} losses to be asked for, there were {len(found)}."
    expect.that("train", len(found) == count, message)
    return found


@pytest.mark.weight(2)
def test_losses(student, rng):
    """train returns the loss of each step's batch."""
    x = drawn_images(rng)
    model, _, away = bowl(student, rng, x)
    steps, batch = 120, 5
    losses, _ = trained(student, model, x, steps, batch, STILL)
    off = 6 * away.std() / np.sqrt(steps * batch)
    expect.close("mean of the losses", float(losses.mean()), away.mean(), rtol=0.0, atol=off)
    within = bool((losses > away.min() - 1e-3).all() and (losses < away.max() + 1e-3).all())
    expect.that("losses", within, "some are larger or smaller than any image's.")
    spread = losses.std() * np.sqrt(batch) / away.std()
    message = "they don't vary as those of batches of this size do."
    expect.that("losses", 0.5 < spread < 2.0, message)


def test_gradients(student, rng):
    """The gradient that arrives in a step is that of this step's batch alone."""
    x = drawn_images(rng, alike=True)
    model, W, away = bowl(student, rng, x)
    losses, _ = trained(student, model, x, 6, 4, STILL)
    expect.close("losses", losses, np.full(6, away[0]), rtol=1e-4)
    wanted = 2.0 * (W - x[0, WIDE : 2 * WIDE])
    # Who asks for gradients without `backward` adds up nothing, and nothing is noted.
    for one in student.drive("seen_by", model)["arrived"]:
        expect.close("the gradient in a step", one, wanted, rtol=1e-3, atol=1e-5)


@pytest.mark.weight(2)
def test_it_learns(student, rng):
    """What is to be learnt is learnt: the model's numbers come to the pixels' mean."""
    x = drawn_images(rng)
    model, W, _ = bowl(student, rng, x)
    trained(student, model, x, 300, 6, QUICK)
    found = learnt(student, model, W, x)
    goal = x[:, WIDE : 2 * WIDE].astype(float).mean(axis=0)
    expect.close("the model's numbers", found, goal, rtol=0.0, atol=0.3)


@pytest.mark.weight(2)
def test_images_of_a_step(student, rng):
    """Each step has its own batch of the images, and in the end all have been learnt from."""
    x = drawn_images(rng, 20)
    model, W, _ = bowl(student, rng, x)
    steps, batch = 160, 5
    trained(student, model, x, steps, batch, QUICK)
    learnt(student, model, W, x)
    places = {row[:WIDE].tobytes(): number for number, row in enumerate(x)}
    batches = []
    for seen in noted(student, model, "images", steps):
        rows = expect.array("images of a step", seen, (batch, 2 * WIDE)).astype(np.float32)
        keys = [row[:WIDE].tobytes() for row in rows]
        known = all(key in places for key in keys)
        expect.that("train", known, "a step learns from what is none of the images.")
        batches.append([places[key] for key in keys])
    counts = np.bincount(np.ravel(batches), minlength=20)
    expect.that("train", bool(counts.min() > 0), "some images are never used.")
    much = 4 * batch * steps / 20
    expect.that("train", bool(counts.max() < much), "one image is used far more than others.")
    different = len({tuple(sorted(one)) for one in batches})
    expect.that("train", different > steps // 2, "the same batches come again and again.")


@pytest.mark.weight(2)
def test_noise_of_a_step(student, rng):
    """Each step has noise that is drawn for it: for each image, standard normal."""
    x = drawn_images(rng)
    model, W, _ = bowl(student, rng, x)
    steps, batch = 160, 6
    trained(student, model, x, steps, batch, QUICK)
    learnt(student, model, W, x)
    found = noted(student, model, "noise", steps)
    noise = np.array([expect.array("noise of a step", one, (batch, LATENT)) for one in found])
    different = len(np.unique(noise)) > 0.99 * noise.size
    expect.that("noise", different, "the same numbers come more than once.")
    off = 6 / np.sqrt(noise.size)
    expect.close("mean of the noise", float(noise.mean()), 0.0, rtol=0.0, atol=off)
    expect.close("variance of the noise", float(noise.var()), 1.0, rtol=0.0, atol=1.5 * off)


def test_modes(student, rng):
    """While it trains the model is in training mode, and afterwards in evaluation mode."""
    x = drawn_images(rng)
    model, W, _ = bowl(student, rng, x)
    student.drive("mode", model, False)
    trained(student, model, x, 150, 6, QUICK)
    learnt(student, model, W, x)
    modes = noted(student, model, "training", 150)
    expect.that("model", all(one is True for one in modes), "it trains in evaluation mode.")
    after = student.drive("seen_by", model)["afterwards"]
    expect.that("model", after == [False], "afterwards it is still in training mode.")


def test_the_same_again(student, rng):
    """The same seed and model give the same numbers; another seed gives others."""
    x = drawn_images(rng)
    seed, found = int(rng.integers(2**31)), []
    W = bowl(student, rng, x)[1]
    for number in (seed, seed, seed + 1):
        model = student.prepare("bowl", W, LATENT)
        trained(student, model, x, 150, 6, QUICK, number)
        found.append(learnt(student, model, W, x))
    # Which numbers come out is the loop's own affair.
    expect.repeated("numbers with the same seed", found[0], found[1])
    expect.differ("numbers with another seed", found[0], found[2], "they are the same.")


def test_images_stay(student, rng):
    """train does not change the images."""
    x = drawn_images(rng)
    model, W, _ = bowl(student, rng, x)
    _, images = trained(student, model, x, 150, 6, QUICK)
    learnt(student, model, W, x)
    expect.unchanged("images", x, student.fetch(images))
