"""Hidden tests of regularization.py beyond the texts: repeatable runs, arrays, bad arguments, NaN.

Those of arrays see as well that something right is done with them, and are blocked where the part
that they go through is at fault.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .moved_pictures import mirrored, pictures, places

options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")
after_dropout = pytest.mark.needs("week3.dropout")
after_l2 = pytest.mark.needs("week3.l2")
after_stopping = pytest.mark.needs("week3.early_stopping")
after_augmentation = pytest.mark.needs("week3.augmentation")

OTHER_SEEDS = range(6, 26)
NAN = float("nan")


def crop(student, images, generator, padding=2):
    """Return what random_crop gives: an array of the images' shape."""
    received = student.regularization.random_crop(images, padding, generator)
    return expect.array("random_crop", received, images.shape)


def flip(student, images, generator):
    """Return what horizontal_flip gives: an array of the images' shape."""
    received = student.regularization.horizontal_flip(images, generator)
    return expect.array("horizontal_flip", received, images.shape)


def expect_moved(name, images, received):
    """Images have been moved, not all alike, and each is a window or mirror image of its own."""
    if name == "random_crop":
        kinds = np.unique(np.array(places(images, received, 2)), axis=1).shape[1]
    else:
        kinds = len(np.unique(mirrored(images, received)))
    expect.that(name, kinds > 1, f"the same was done with all {len(images)} images.")


AUGMENTATIONS = {"random_crop": crop, "horizontal_flip": flip}
each = pytest.mark.parametrize("name", list(AUGMENTATIONS))


# Repeatable runs


@options
def test_dropout_draws_from_its_generator(student):
    """Layers with equally seeded generators drop the same entries, and other seeds others."""
    x = np.ones((20, 20))

    def dropped(seed):
        generator = student.probe("generator")(seed)
        layer = student.regularization.Dropout(0.5, rng=generator)
        return expect.array("forward output", layer.forward(x), x.shape) == 0

    first = dropped(5)
    expect.that("forward output", bool(first.any()), "no entry was dropped.")
    same = np.array_equal(dropped(5), first)
    expect.that("forward output, same seed", same, "two equal generators gave different masks.")
    differ = any(not np.array_equal(dropped(seed), first) for seed in OTHER_SEEDS)
    expect.that("forward output, other seeds", differ, "all seeds gave exactly the same mask.")


@options
def test_dropout_without_a_generator(student):
    """Two new layers that were given no generator drop different entries."""
    x = np.ones((20, 20))
    layers = [student.regularization.Dropout(0.5) for _ in range(2)]
    one, other = (expect.array("y", layer.forward(x), x.shape) == 0 for layer in layers)
    differ = not np.array_equal(one, other)
    expect.that("another layer's output", differ, "two new layers dropped the same entries.")


@options
@each
def test_augmentation_comes_from_the_generator(student, rng, name):
    """The same generator state gives the same images again, and another one gives others."""
    images, make = pictures(rng, 30), student.probe("generator")
    call = AUGMENTATIONS[name]
    first = call(student, images, make(5))
    expect.equal(f"{name} with the same seed", call(student, images, make(5)), first)
    differ = any(
        not np.array_equal(call(student, images, make(seed)), first) for seed in OTHER_SEEDS
    )
    expect.that(f"{name}, other seeds", differ, "all seeds gave exactly the same images.")
    one = make(5)
    calls = [call(student, images, one) for _ in OTHER_SEEDS]
    differ = any(not np.array_equal(again, first) for again in calls)
    expect.that(f"{name}, called again", differ, "all calls gave exactly the same images.")


# Dropout


def passed_on(layer, x, grad, p):
    """Return dL/dx after a pass in training, which drops some entries and enlarges the others."""
    y = expect.array("forward output", layer.forward(x), x.shape)
    kept = y != 0
    expect.that("forward output", 0 < kept.sum() < kept.size, "no entry was dropped, or every one.")
    expect.close("forward output", y, np.where(kept, x / (1 - p), 0.0), rtol=1e-4, atol=1e-6)
    dL_dx = expect.array("dL_dx", layer.backward(grad), grad.shape)
    expect.close("dL_dx", dL_dx, np.where(kept, grad / (1 - p), 0.0), rtol=1e-4, atol=1e-6)
    return dL_dx


@robustness
@after_dropout
def test_dropout_backward_after_predictions(student, rng):
    """After a forward pass with training=False, dL/dx is dL/dy, whatever was dropped before."""
    layer = student.regularization.Dropout(0.4)
    x, grad = rng.normal(size=(16, 20)), rng.normal(size=(16, 20))
    for when in ("before any training", "after training"):
        expect.array("forward output", layer.forward(x, training=False), x.shape)
        expect.close(f"dL_dx of a prediction {when}", layer.backward(grad), grad, rtol=1e-4)
        passed_on(layer, x, grad, 0.4)


@robustness
@after_dropout
def test_dropout_backward_again(student, rng):
    """A second backward for the same forward pass gives the same gradient."""
    layer, grad = student.regularization.Dropout(0.4), rng.normal(size=(16, 20))
    first = passed_on(layer, rng.normal(size=(16, 20)), grad, 0.4)
    second = expect.array("dL_dx", layer.backward(grad), grad.shape)
    same = np.array_equal(first, second)
    expect.that("dL_dx, asked for again", same, "it is another one than before.")


@robustness
@after_dropout
def test_dropout_of_images(student, rng):
    """Arrays with four axes work like those with two."""
    layer = student.regularization.Dropout(0.25)
    x, grad = rng.normal(size=(3, 2, 5, 4)), rng.normal(size=(3, 2, 5, 4))
    passed_on(layer, x, grad, 0.25)


@robustness
@after_dropout
def test_dropout_keeps_what_it_is_given(student, rng):
    """Neither x nor dL_dy is changed, in training or not."""
    x, grad = rng.normal(size=(8, 10)), rng.normal(size=(8, 10))
    layer = student.regularization.Dropout(0.5)
    for training in (True, False):
        kept_x, kept_grad = student.keep(x), student.keep(grad)
        y = expect.array("forward output", layer.forward(kept_x, training=training), x.shape)
        factor = np.where(y == 0, 0.0, 2.0) if training else np.ones(x.shape)
        dropped = bool((factor == 0).any())
        expect.that("forward output", dropped is training, "entries are dropped, or none is.")
        expect.close("dL_dx", layer.backward(kept_grad), factor * grad, rtol=1e-4, atol=1e-6)
        expect.unchanged(f"x with training={training}", x, student.fetch(kept_x))
        expect.unchanged(f"dL_dy with training={training}", grad, student.fetch(kept_grad))


@robustness
def test_dropout_refuses_impossible_probabilities(student):
    """A p below 0, of 1 or above raises a ValueError; 0 and 0.99 do not."""
    x = np.ones((4, 5))

    def is_made(p):
        student.regularization.Dropout(p)
        return True

    for p in (-0.1, 1.0, 1.5):
        expect.raises(f"Dropout({p})", is_made, "ValueError", p)
    for p in (0.0, 0.99):
        y = student.regularization.Dropout(p).forward(x)
        expect.array(f"forward output with p = {p}", y, x.shape)


# L2 and early stopping


@robustness
@after_l2
def test_l2_keeps_the_weights(student, rng):
    """Neither penalty nor gradients changes the arrays."""
    weights, penalty = [rng.normal(size=(4, 3)), rng.normal(size=6)], student.regularization.L2(0.3)
    kept = [student.keep(W) for W in weights]
    wanted = 0.15 * sum(float(np.sum(W * W)) for W in weights)
    expect.close("penalty", penalty.penalty(kept), wanted, rtol=1e-4)
    gradients = penalty.gradients(kept)
    listed = type(gradients) in (list, tuple) and len(gradients) == len(weights)
    expect.that("gradients", listed, "it must return a list with one array for each W.")
    for number, (W, handle) in enumerate(zip(weights, kept, strict=True)):
        expect.close(f"gradient of array {number}", gradients[number], 0.3 * W, rtol=1e-4)
        expect.unchanged(f"array {number}", W, student.fetch(handle))


def best_epoch_after(stopping, *losses):
    """Return best_epoch after these further losses: a whole number, or None."""
    for loss in losses:
        stopping.step(loss)
    best = stopping.best_epoch
    known = best is None or type(best) is int
    expect.that("best_epoch", known, "it must be a whole number, or None.")
    return best


@robustness
@after_stopping
def test_early_stopping_never_takes_nan_for_an_improvement(student):
    """A loss of NaN leaves best_epoch as it was; a smaller loss behind it moves it."""
    stopping = student.regularization.EarlyStopping(5)
    expect.equal("best_epoch after the first loss", best_epoch_after(stopping, 1.0), 0)
    expect.equal("best_epoch after two losses of NaN", best_epoch_after(stopping, NAN, NAN), 0)
    expect.equal("best_epoch after a smaller one", best_epoch_after(stopping, 0.5), 3)


@robustness
def test_early_stopping_when_the_first_loss_is_nan(student):
    """A first loss of NaN is no improvement either, as a first loss of 7 would be."""
    first, second = (student.regularization.EarlyStopping(4) for _ in range(2))
    best = best_epoch_after(first, 7.0)
    expect.that("best_epoch", best is not None, "it is still None after a loss of 7.")
    expect.equal("best_epoch after losses of NaN", best_epoch_after(second, NAN, NAN), None)


# Augmentation of images


@robustness
@after_augmentation
@each
def test_augmentation_keeps_the_dtype(student, rng, name):
    """uint8 stays uint8, float32 stays float32, float64 stays float64."""
    for dtype in (np.uint8, np.float32, np.float64):
        images = pictures(rng, 30, dtype=dtype)
        received = AUGMENTATIONS[name](student, images, student.probe("generator")(0))
        expect.dtype(f"{name} of {np.dtype(dtype)}", received, dtype)
        expect_moved(name, images, received)


@robustness
@after_augmentation
@each
def test_augmentation_leaves_the_images(student, rng, name):
    """The images that were handed in are not changed."""
    images = pictures(rng, 30)
    kept, generator = student.keep(images), student.probe("generator")(0)
    arguments = (kept, 2, generator) if name == "random_crop" else (kept, generator)
    received = getattr(student.regularization, name)(*arguments)
    expect_moved(name, images, expect.array(name, received, images.shape))
    expect.unchanged("images", images, student.fetch(kept))


@robustness
@after_augmentation
@each
def test_augmentation_refuses_other_arrays(student, rng, name):
    """Images with another number of axes raise a ValueError; those with three do not."""
    call, generator = AUGMENTATIONS[name], student.probe("generator")(0)
    for shape in ((6, 5), (3, 2, 6, 5, 3)):
        images = np.ones(shape)
        expect.raises(f"images of shape {shape}", call, "ValueError", student, images, generator)
    images = pictures(rng, 30)
    expect_moved(name, images, call(student, images, generator))
