"""Public tests of regularization.py."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.dropping import expect_scaled, where_kept

dropout = pytest.mark.item("week3.dropout")
l2 = pytest.mark.item("week3.l2")
early_stopping = pytest.mark.item("week3.early_stopping")
augmentation = pytest.mark.item("week3.augmentation")
options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")

W1, W2 = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([2.0, -1.0, 4.0])
IMAGES = np.arange(1, 121, dtype=np.uint8).reshape(10, 3, 4)


# Dropout


@dropout
def test_dropout_drops_the_share_p(student):
    """About the share p of the entries is dropped, and others in the next forward pass."""
    layer, x = student.regularization.Dropout(0.2), np.ones((100, 100))
    first, second = (expect.array("forward output", layer.forward(x), x.shape) for _ in range(2))
    share = float(np.mean(first == 0))
    expect.close("share of entries that are 0", share, 0.2, rtol=0, atol=0.03)
    differ = not np.array_equal(first, second)
    expect.that("second forward output", differ, "two forward passes dropped the same entries.")


@dropout
def test_dropout_enlarges_what_it_keeps(student):
    """An entry x comes out as 0 or as x / (1 - p), and backward returns dL/dx."""
    x, grad = np.linspace(1, 5, 200).reshape(4, 50), np.linspace(-3, -1, 200).reshape(4, 50)
    layer = student.regularization.Dropout(0.2)
    y, dL_dx = layer.forward(x), layer.backward(grad)
    kept = where_kept("forward output", y, x.shape)
    expect.that("forward output", bool(kept.any()), "every entry was dropped.")
    expect_scaled("forward output", y, x / 0.8)
    expect_scaled("dL_dx", dL_dx, grad / 0.8)
    same = np.array_equal(where_kept("dL_dx", dL_dx, x.shape), kept)
    expect.that("dL_dx", same, "it is 0 elsewhere than the forward output.")


@dropout
def test_dropout_does_nothing_for_predictions(student):
    """With training=False the output is the input; with training=True entries are dropped."""
    layer, x = student.regularization.Dropout(0.2), np.linspace(1, 5, 200).reshape(4, 50)
    expect.close("forward output with training=False", layer.forward(x, training=False), x)
    y = expect.array("forward output", layer.forward(x, training=True), x.shape)
    expect.that("forward output with training=True", bool((y == 0).any()), "no entry was dropped.")


# L2


@l2
def test_l2_penalty(student):
    """The penalty is strength / 2 times the sum of the squares of all entries."""
    received = student.regularization.L2(0.4).penalty([W1, W2])
    expect.close("penalty", received, 0.2 * float(np.sum(W1**2) + np.sum(W2**2)))


@l2
def test_l2_gradients(student):
    """The gradients of the penalty, one for each array, in order."""
    received = student.regularization.L2(0.4).gradients([W1, W2])
    listed = type(received) in (list, tuple)
    expect.that("gradients", listed, "it must return a list with one array for each W.")
    expect.equal("number of gradients", len(received), 2)
    for number, W in enumerate((W1, W2)):
        expect.close(f"gradient of array {number}", received[number], 0.4 * W)


# EarlyStopping


def expect_answers(stopping, losses, best_epochs, answers):
    """Compare best_epoch, and what `step` says, after each loss in turn."""
    steps = zip(losses, best_epochs, answers, strict=True)
    for epoch, (loss, best_epoch, answer) in enumerate(steps):
        received = stopping.step(loss)
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, best_epoch)
        expect.equal(f"step({loss}) in epoch {epoch}", received, answer)


@early_stopping
def test_early_stopping_waits_for_patience_epochs(student):
    """With patience 2, step is True at the second epoch in a row without an improvement."""
    stopping = student.regularization.EarlyStopping(2)
    losses, best_epochs = [5.0, 6.0, 4.0, 4.0, 4.5], [0, 0, 2, 2, 2]
    expect_answers(stopping, losses, best_epochs, [False, False, False, False, True])
    expect.close("best_loss", stopping.best_loss, 4.0)


@early_stopping
def test_early_stopping_min_delta(student):
    """Improvements of min_delta or less do not count."""
    stopping = student.regularization.EarlyStopping(3, min_delta=0.5)
    losses, best_epochs = [5.0, 5.25, 4.75, 4.25, 4.0, 3.9, 3.75], [0, 0, 0, 3, 3, 3, 3]
    expect_answers(stopping, losses, best_epochs, [False] * 6 + [True])


# random_crop and horizontal_flip


def crop(student, images, padding):
    """Return what random_crop gives: an array of the images' shape."""
    generator = student.probe("generator")(2)
    received = student.regularization.random_crop(images, padding, generator)
    return expect.array("random_crop", received, images.shape)


@augmentation
def test_crops_are_windows(student):
    """With padding 1, each image is a window of itself with a border of zeros."""
    received, places = crop(student, IMAGES, 1), set()
    for n, image in enumerate(IMAGES):
        padded = np.pad(image, 1)
        windows = {
            (top, left): padded[top : top + 3, left : left + 4]
            for top in range(3)
            for left in range(3)
        }
        nearest = max(windows, key=lambda place: np.sum(windows[place] == received[n]))
        label = f"compared with the most similar window of its padded original, image {n}"
        expect.equal(label, received[n], windows[nearest])
        places.add(nearest)
    expect.that("random_crop", len(places) > 1, "all images were cut at the same place.")


@augmentation
def test_crops_without_padding(student):
    """With padding 0 all images stay as they are."""
    expect.equal("random_crop with padding 0", crop(student, IMAGES, 0), IMAGES)


def flip(student, images, p, label):
    """Return what horizontal_flip gives: an array of the images' shape."""
    generator = student.probe("generator")(3)
    received = student.regularization.horizontal_flip(images, generator, p)
    return expect.array(label, received, images.shape)


@augmentation
def test_flips_mirror_left_and_right(student):
    """With p = 1 the columns of every image change their order, in colour images as well."""
    received = flip(student, IMAGES, 1.0, "horizontal_flip")
    expect.equal("horizontal_flip with p = 1", received, IMAGES[:, :, ::-1])
    colour = IMAGES.reshape(5, 2, 4, 3)
    received = flip(student, colour, 1.0, "horizontal_flip of colour images")
    expect.equal("horizontal_flip of colour images", received, colour[:, :, ::-1])


@augmentation
def test_flips_are_drawn_for_each_image(student):
    """With p = 0.5 some images are mirrored and others are not."""
    images, generator = np.tile(IMAGES, (4, 1, 1)), student.probe("generator")(3)
    received = student.regularization.horizontal_flip(images, generator)
    received = expect.array("horizontal_flip", received, images.shape)
    same = sum(np.array_equal(one, other) for one, other in zip(received, images, strict=True))
    expect.that("horizontal_flip", 0 < same < 40, "of 40 images all were mirrored, or none was.")


# Beyond the texts


@options
def test_dropout_draws_from_its_generator(student):
    """Layers with equally seeded generators drop the same entries, and another seed others."""
    x, make = np.ones((20, 20)), student.regularization.Dropout
    layers = [make(0.5, rng=student.probe("generator")(seed)) for seed in (1, 1, 2)]
    first, again, other = (expect.array("y", layer.forward(x), x.shape) for layer in layers)
    same = np.array_equal(first, again)
    expect.that("forward output, same seed", same, "two equal generators gave different masks.")
    differ = not np.array_equal(first, other)
    expect.that("forward output, other seed", differ, "two seeds gave exactly the same mask.")


@robustness
def test_dropout_refuses_impossible_probabilities(student):
    """A p of -0.1 or 1 raises a ValueError; 0.4 does not."""

    def is_made(p):
        student.regularization.Dropout(p)
        return True

    for p in (-0.1, 1.0):
        expect.raises(f"Dropout({p})", is_made, "ValueError", p)
    y = student.regularization.Dropout(0.4).forward(np.ones((4, 5)))
    expect.array("forward output", y, (4, 5))


@robustness
def test_dropout_backward_after_predictions(student):
    """After a forward pass with training=False, dL/dx is dL/dy."""
    layer, x = student.regularization.Dropout(0.2), np.linspace(1, 5, 40).reshape(4, 10)
    layer.forward(x, training=True)
    layer.forward(x, training=False)
    expect.close("dL_dx of a prediction", layer.backward(-x), -x)


@robustness
def test_early_stopping_never_takes_nan_for_an_improvement(student):
    """NaN is no improvement."""
    stopping = student.regularization.EarlyStopping(2)
    nan = float("nan")
    expect_answers(stopping, [5.0, nan, nan], [0, 0, 0], [False, False, True])
    expect.close("best_loss", stopping.best_loss, 5.0)


@robustness
@pytest.mark.parametrize("name", ["random_crop", "horizontal_flip"])
def test_augmentation_keeps_images_and_dtype(student, name):
    """The images that were handed in are unchanged, and the new ones have their dtype."""
    kept, generator = student.keep(IMAGES), student.probe("generator")(3)
    arguments = (kept, 1, generator) if name == "random_crop" else (kept, generator)
    received = getattr(student.regularization, name)(*arguments)
    expect.dtype(name, received, IMAGES.dtype)
    expect.unchanged("images", IMAGES, student.fetch(kept))
