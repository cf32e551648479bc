"""Hidden tests of cifar_cnn.py: SmallCNN and augment."""

import numpy as np
import pytest

from autograder.suite import expect

from .photographs import small

pytestmark = pytest.mark.item("cifar.network")

SIZES = [(3, 32, 32), (1, 28, 28), (3, 16, 24)]


def network(student, channels=3, classes=10):
    """Return a new SmallCNN in evaluation mode."""
    made = student.cifar_cnn.SmallCNN(channels, classes)
    student.drive("mode", made, False)
    return made


def images(rng, count, size):
    """Draw normalised images."""
    return rng.normal(size=(count, *size)).astype(np.float32)


def answers(student, made, x, classes=10):
    """Return logits, which have to differ from image to image."""
    found = expect.array("logits", student.drive("outputs", made, x), (len(x), classes))
    message = "the logits are the same for different images."
    expect.that("logits", bool(np.ptp(found, axis=0).max() > 0), message)
    return found


# SmallCNN


@pytest.mark.parametrize("size", SIZES, ids=[f"{c} x {h} x {w}" for c, h, w in SIZES])
def test_logits(student, rng, size):
    """SmallCNN gives a row of logits for each image, of several sizes."""
    made = network(student, size[0], 7)
    answers(student, made, images(rng, 5, size), 7)


def test_an_image_alone(student, rng):
    """In evaluation mode an image gets the same logits, alone or with others."""
    made, x = network(student), images(rng, 6, (3, 32, 32))
    together = answers(student, made, x)
    for n in (0, 3):
        alone = expect.array("logits", student.drive("outputs", made, x[n : n + 1]), (1, 10))
        # Which logits it gets is the network's own affair; here, that others have no part in them.
        expect.repeated(
            "logits of an image alone", together[n : n + 1], alone, rtol=1e-3, atol=1e-4
        )


def test_size(student, rng):
    """SmallCNN has at most 500,000 numbers, and two convolutions or more."""
    made = network(student)
    answers(student, made, images(rng, 3, (3, 32, 32)))
    small(student, made)


def test_numbers_of_both_signs(student, rng):
    """What SmallCNN returns are logits: neither probabilities nor cut off at 0."""
    found = []
    for _ in range(3):
        made = network(student)
        found.append(answers(student, made, images(rng, 5, (3, 32, 32))))
    found = np.concatenate(found).astype(np.float64)
    sums = np.allclose(found.sum(axis=1), 1.0, atol=1e-3)
    expect.that("logits", not sums, "each row adds up to 1, as probabilities do.")
    expect.that("logits", bool((found < 0).any()), "no number of three networks is below 0.")


def test_gradients_reach_all(student, rng):
    """A gradient reaches every parameter."""
    made, x = network(student), images(rng, 8, (3, 32, 32))
    student.drive("mode", made, True)
    found = student.drive("reached", made, x, rng.normal(size=(8, 10)).astype(np.float32))
    some = isinstance(found, list) and len(found) > 3 and all(one is True for one in found)
    expect.that("SmallCNN", some, "no gradient gets to some of its parameters.")


# augment


def augmented(student, x, seed=3):
    """Return augmented images, uint8."""
    given = student.prepare("tensor", x)
    received = student.cifar_cnn.augment(given, student.prepare("generator", seed))
    return expect.array("augment(images)", received, x.shape), given


def moved(x, mirrored, i, j, **border):
    """Return an image (C, H, W), mirrored or not, seen from (i, j) of it in a border of 2."""
    at = x[:, :, ::-1] if mirrored else x
    wide = np.pad(at, ((0, 0), (2, 2), (2, 2)), **border)
    return wide[:, i : i + x.shape[1], j : j + x.shape[2]]


MOVES = [(mirrored, i, j) for mirrored in (False, True) for i in range(5) for j in range(5)]
OTHERS = {
    "what leaves it on one side comes in on the other": {"mode": "wrap"},
    "what comes in at its borders is its outermost pixels": {"mode": "edge"},
    "what comes in at its borders are pixels from inside": {"mode": "reflect"},
}


def wrong_move(image, received):
    """Say what an image has become that was not moved as one of MOVES."""
    if any(np.array_equal(moved(image[:, ::-1], *how), received) for how in MOVES):
        return "an image stands on its head."
    for what, border in OTHERS.items():
        if any(np.array_equal(moved(image, *how, **border), received) for how in MOVES):
            return f"an image is moved, and {what}."
    return "an image is none that was moved by up to 2 pixels, mirrored or not."


def move_of(image, received):
    """Return the movement, one of MOVES; fail where it is none that is asked for."""
    found = [how for how in MOVES if np.array_equal(moved(image, *how), received)]
    expect.that("augment(images)", bool(found), "" if found else wrong_move(image, received))
    return found[0]


def drawn_moves(student, rng, count=120):
    """Return the movement of each of many images; fail where it is none that is asked for."""
    x = rng.integers(1, 256, size=(count, 3, 7, 6)).astype(np.uint8)
    received, _ = augmented(student, x)
    return [move_of(image, after) for image, after in zip(x, received, strict=True)]


@pytest.mark.weight(2)
def test_each_is_moved(student, rng):
    """augment moves each image by up to 2 pixels, and mirrors it or not."""
    drawn_moves(student, rng)


@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_each_draws_its_own(student, rng, axis):
    """Each image draws its own movement, and all movements occur."""
    place = 1 + ["rows", "columns"].index(axis)
    found = {how[place] - 2 for how in drawn_moves(student, rng, 200)}
    label = f"movements by {axis}"
    expect.that(label, len(found) > 1, "all images have moved alike.")
    expect.equal(label, np.array(sorted(found)), np.arange(-2, 3))


def test_half_are_mirrored(student, rng):
    """Half of the images are mirrored."""
    mirrored = sum(how[0] for how in drawn_moves(student, rng, 200))
    expect.that("mirrored images", mirrored > 0, "none is.")
    expect.that("mirrored images", mirrored < 200, "all are.")
    expect.that("mirrored images", 60 <= mirrored <= 140, f"{mirrored} of 200 are.")


def test_a_generator_decides(student, rng):
    """All random numbers of augment come from the generator that it is given."""
    x = rng.integers(1, 256, size=(60, 3, 7, 6)).astype(np.uint8)
    first = []
    for seed in (4, 4, 5):
        student.drive("seed", int(rng.integers(2**31)))
        first.append(augmented(student, x, seed)[0])
    # How the generator is used is the function's own affair; here, that nothing else decides.
    expect.repeated("augment with the same generator", first[0], first[1])
    expect.differ("augment with another generator", first[0], first[2], "nothing differs.")


def test_augment_keeps_its_images(student, rng):
    """augment leaves what it is given, and returns the same dtype."""
    x = rng.integers(1, 256, size=(40, 3, 7, 6)).astype(np.uint8)
    received, given = augmented(student, x)
    expect.that("augment(images)", not np.array_equal(x, received), "nothing has moved.")
    expect.dtype("augment(images)", received, "uint8")
    expect.unchanged("images", x, student.fetch(given))
