"""Hidden tests of regularization.py beyond the texts: repeatable runs, arrays, bad arguments, NaN.

Each test looks at its own side alone: whether the right entries are dropped, the right images
mirrored, is a matter of other items. But it has to see that something is done with what it gives.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .dropout_passes import dropped_by, expect_some_dropped
from .moved_pictures import any_moved, pictures

options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")

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


def expect_moved(student, rng, name):
    """With some seeds of the generator, images come out cropped or mirrored."""
    images, make = pictures(rng), student.probe("generator")
    received = (AUGMENTATIONS[name](student, images, make(seed)) for seed in OTHER_SEEDS)
    moved = any(any_moved(images, one) for one in received)
    said = f"with {len(OTHER_SEEDS)} seeds no image came out as another piece of itself."
    expect.that(name, moved, said)


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
        return dropped_by(layer, x)

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
    one, other = (dropped_by(layer, x) for layer in layers)
    differ = not np.array_equal(one, other)
    expect.that("another layer's output", differ, "two new layers dropped the same entries.")


@options
@each
def test_augmentation_comes_from_the_generator(student, rng, name):
    """The same generator state gives the same images again, and another one gives others."""
    images, make = pictures(rng, 30), student.probe("generator")
    call = AUGMENTATIONS[name]
    first = call(student, images, make(5))
    again = call(student, images, make(5))
    # What is drawn is up to the student; that other seeds draw something else is asked below.
    expect.repeated(f"{name} with the same seed", first, again, rtol=0, atol=0)
    differ = any(
        not np.array_equal(call(student, images, make(seed)), first) for seed in OTHER_SEEDS
    )
    expect.that(f"{name}, other seeds", differ, "all seeds gave exactly the same images.")
    one = make(5)
    calls = [call(student, images, one) for _ in OTHER_SEEDS]
    differ = any(not np.array_equal(again, first) for again in calls)
    expect.that(f"{name}, called again", differ, "all calls gave exactly the same images.")


# Dropout


def expect_drops(layer, x):
    """A pass in training drops some entries, and not all."""
    label = "forward output in training"
    expect_some_dropped(label, dropped_by(layer, x, label))


@robustness
def test_dropout_backward_after_predictions(student, rng):
    """After a forward pass with training=False, dL/dx is dL/dy, whatever was dropped before."""
    layer = student.regularization.Dropout(0.4)
    x, grad = rng.normal(size=(16, 20)), rng.normal(size=(16, 20))
    for when in ("before any training", "after training"):
        expect.array("forward output", layer.forward(x, training=False), x.shape)
        expect.close(f"dL_dx of a prediction {when}", layer.backward(grad), grad, rtol=1e-4)
        expect_drops(layer, x)


@robustness
def test_dropout_backward_again(student, rng):
    """A second backward for the same forward pass gives the same gradient."""
    layer, grad = student.regularization.Dropout(0.4), rng.normal(size=(16, 20))
    expect_drops(layer, rng.normal(size=(16, 20)))
    first, second = (expect.array("dL_dx", layer.backward(grad), grad.shape) for _ in range(2))
    same = np.array_equal(first, second)
    expect.that("dL_dx, asked for again", same, "it is another one than before.")


@robustness
def test_dropout_of_images(student, rng):
    """Arrays with four axes work like those with two."""
    layer = student.regularization.Dropout(0.25)
    x, grad = rng.normal(size=(3, 2, 5, 4)), rng.normal(size=(3, 2, 5, 4))
    expect_drops(layer, x)
    expect.array("dL_dx", layer.backward(grad), x.shape)


@robustness
def test_dropout_keeps_what_it_is_given(student, rng):
    """Neither x nor dL_dy is changed, in training or not."""
    x, grad = rng.normal(size=(8, 10)), rng.normal(size=(8, 10))
    layer = student.regularization.Dropout(0.5)
    expect_drops(layer, x)
    for training in (True, False):
        kept_x, kept_grad = student.keep(x), student.keep(grad)
        layer.forward(kept_x, training=training)
        expect.array("dL_dx", layer.backward(kept_grad), x.shape)
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
def test_l2_keeps_the_weights(student, rng):
    """Neither penalty nor gradients changes the arrays."""
    weights, penalty = [rng.normal(size=(4, 3)), rng.normal(size=6)], student.regularization.L2(0.3)
    kept = [student.keep(W) for W in weights]
    small = float(expect.array("penalty", penalty.penalty(kept), ()))
    large = float(expect.array("penalty", penalty.penalty([9.0 * W for W in weights]), ()))
    message = f"it is {small:.4g}, and {large:.4g} for arrays nine times as large."
    expect.that("penalty", 0.0 < small < large, message)
    found = [penalty.gradients(kept), penalty.gradients([-W for W in weights])]
    listed = all(type(one) in (list, tuple) and len(one) == len(weights) for one in found)
    expect.that("gradients", listed, "it must return a list with one array for each W.")
    one, other = (expect.array("gradient", both[0], (4, 3)) for both in found)
    differ = not np.array_equal(one, other)
    expect.that("gradients", differ, "they are the same for other arrays.")
    for number, (W, handle) in enumerate(zip(weights, kept, strict=True)):
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
def test_early_stopping_never_takes_nan_for_an_improvement(student):
    """A smaller loss moves best_epoch, a loss of NaN leaves it as it was."""
    stopping = student.regularization.EarlyStopping(5)
    first, best = best_epoch_after(stopping, 1.0), best_epoch_after(stopping, 0.5)
    moved = best is not None and first != best
    expect.that("best_epoch", moved, "a smaller loss has not moved it.")
    after = best_epoch_after(stopping, NAN, NAN)
    # Whether epochs are counted from 0 or 1 is up to the student.
    expect.repeated("best_epoch after two losses of NaN", best, after)


@robustness
def test_early_stopping_when_the_first_loss_is_nan(student):
    """A first loss of NaN is no improvement either, as a first loss of 7 would be."""
    first, second = (student.regularization.EarlyStopping(4) for _ in range(2))
    best = best_epoch_after(first, 7.0)
    expect.that("best_epoch", best is not None, "it is still None after a loss of 7.")
    expect.equal("best_epoch after losses of NaN", best_epoch_after(second, NAN, NAN), None)


# Augmentation of images


@robustness
@each
def test_augmentation_keeps_the_dtype(student, rng, name):
    """uint8 stays uint8, float32 stays float32, float64 stays float64."""
    expect_moved(student, rng, name)
    for dtype in (np.uint8, np.float32, np.float64):
        images = pictures(rng, 6, dtype=dtype)
        received = AUGMENTATIONS[name](student, images, student.probe("generator")(0))
        expect.dtype(f"{name} of {np.dtype(dtype)}", received, dtype)


@robustness
@each
def test_augmentation_leaves_the_images(student, rng, name):
    """The images that were handed in are not changed."""
    expect_moved(student, rng, name)
    images = pictures(rng, 30)
    kept, generator = student.keep(images), student.probe("generator")(0)
    arguments = (kept, 2, generator) if name == "random_crop" else (kept, generator)
    received = getattr(student.regularization, name)(*arguments)
    expect.array(name, received, images.shape)
    expect.unchanged("images", images, student.fetch(kept))


@robustness
@each
def test_augmentation_refuses_other_arrays(student, rng, name):
    """Images with another number of axes raise a ValueError; those with three do not."""
    call, generator = AUGMENTATIONS[name], student.probe("generator")(0)
    for shape in ((6, 5), (3, 2, 6, 5, 3)):
        images = np.ones(shape)
        expect.raises(f"images of shape {shape}", call, "ValueError", student, images, generator)
    expect_moved(student, rng, name)
