"""Public tests of cifar_cnn.py: the network's shapes, and images that are moved."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.network")

PICTURES = (np.arange(2 * 3 * 16 * 16) % 251).reshape(2, 3, 16, 16).astype(np.float32) / 125.0 - 1.0


def test_rows_of_logits(student):
    """Two images give two rows of ten logits, which are not the same."""
    network = student.cifar_cnn.SmallCNN(3, 10)
    student.drive("mode", network, False)
    logits = expect.array("logits", student.drive("outputs", network, PICTURES), (2, 10))
    expect.that("logits", not np.array_equal(logits[0], logits[1]), "both rows are the same.")


def test_gray_images(student):
    """A network for images of one channel, and four classes."""
    network = student.cifar_cnn.SmallCNN(1, 4)
    student.drive("mode", network, False)
    expect.array("logits", student.drive("outputs", network, PICTURES[:, :1]), (2, 4))


def test_gradients(student):
    """A gradient gets to each parameter."""
    network = student.cifar_cnn.SmallCNN(3, 10)
    found = student.drive("reached", network, PICTURES, np.linspace(-1, 1, 20).reshape(2, 10))
    expect.that("gradients", all(found), "none gets to some of the parameters.")


def test_logits_are_any_numbers(student):
    """Logits are what the last layer gives, as softmax comes later: some are below zero."""
    found = []
    for _ in range(5):
        network = student.cifar_cnn.SmallCNN(3, 10)
        student.drive("mode", network, False)
        found.append(expect.array("logits", student.drive("outputs", network, PICTURES), (2, 10)))
    below = bool((np.array(found) < 0.0).any())
    expect.that("logits of five new networks", below, "none of the hundred is below zero.")


def test_an_image_alone_and_among_others(student):
    """In evaluation mode an image has the same logits alone as beside another one."""
    network = student.cifar_cnn.SmallCNN(3, 10)
    student.drive("mode", network, False)
    both = expect.array("logits", student.drive("outputs", network, PICTURES), (2, 10))
    alone = expect.array("logits", student.drive("outputs", network, PICTURES[1:]), (1, 10))
    # Which logits it gets is the network's own affair.
    expect.repeated("logits of the second image", both[1:], alone, rtol=1e-3, atol=1e-4)


def test_parameters(student):
    """PyTorch knows of two convolutions or more, and of 500,000 numbers at most."""
    held = student.drive("state", student.cifar_cnn.SmallCNN(3, 10))
    arrays = [np.asarray(one) for one in held.values()]
    kernels = sum(one.ndim == 4 for one in arrays)
    expect.that("SmallCNN", kernels > 1, f"{kernels} convolutions are among its parameters.")
    numbers = sum(one.size for one in arrays)
    expect.that("SmallCNN", numbers <= 500_000, f"it has {numbers:,} numbers.")


def moved(student, image, seed=1):
    """Return what `augment` makes of 200 times the same image of one channel."""
    images = np.repeat(np.array(image, dtype=np.uint8)[np.newaxis, np.newaxis], 200, axis=0)
    given = student.prepare("tensor", images)
    received = student.cifar_cnn.augment(given, student.prepare("generator", seed))
    found = expect.array("augment(images)", received, images.shape)
    expect.dtype("augment(images)", received, "uint8")
    expect.unchanged("images", images, student.fetch(given))
    return found[:, 0]


def bright():
    """Return an image of three pixels: 200 in the middle, 100 on its right, 50 below it."""
    image = np.zeros((9, 9))
    image[4, 4], image[4, 5], image[5, 4] = 200, 100, 50
    return image


def places(images, value):
    """Return row and column of a pixel that each image has once."""
    counts = (images == value).sum(axis=(1, 2))
    expect.equal(f"pixels of {value} in each image", counts, np.ones(len(images), dtype=np.int64))
    return np.argwhere(images == value)[:, 1:]


def test_moved_images(student):
    """Each image draws its own movement: from 2 pixels back to 2 pixels on, by rows and columns."""
    found = places(moved(student, bright()), 200) - 4
    for axis, name in enumerate(("rows", "columns")):
        drawn = sorted({int(step) for step in found[:, axis]})
        expect.equal(f"movements by {name}", drawn, [-2, -1, 0, 1, 2])


def test_mirrored_images(student):
    """Half of the images are mirrored, left to right; none stands on its head."""
    images = moved(student, bright())
    middle = places(images, 200)
    below, beside = places(images, 50) - middle, places(images, 100) - middle
    upright = bool((below == (1, 0)).all())
    expect.that("augment(images)", upright, "in one the pixel below the middle is not below it.")
    inline = bool((beside[:, 0] == 0).all() and (np.abs(beside[:, 1]) == 1).all())
    expect.that("augment(images)", inline, "in one the pixel beside the middle is not beside it.")
    mirrored = int((beside[:, 1] == -1).sum())
    expect.that("mirrored images", 60 <= mirrored <= 140, f"{mirrored} of 200 are.")


def test_borders(student):
    """What comes in at the borders is 0: an image that is white all over gets black ones."""
    images = moved(student, np.full((9, 9), 255))
    black = (images == 0).sum(axis=(1, 2))
    expect.that("augment(images)", bool((black > 0).any()), "no image has a black border.")
    gray = bool(((images == 0) | (images == 255)).all())
    expect.that("augment(images)", gray, "one has a pixel that is neither black nor white.")


def test_a_generator_for_all_that_is_drawn(student):
    """The same generator gives the same images, and another one gives others."""
    first, again, other = (moved(student, bright(), seed) for seed in (1, 1, 2))
    # How the generator is used is up to the student.
    expect.repeated("augment with the same generator", first, again)
    expect.differ("augment with another generator", first, other, "nothing differs.")
