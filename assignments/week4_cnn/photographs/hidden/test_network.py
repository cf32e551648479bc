"""Hidden tests of cifar_cnn.py: SmallCNN, augment, and train on a few drawn images."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.network")

MOST_PARAMETERS = 500_000
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
    """SmallCNN has at most 500,000 numbers, and convolutions."""
    made = network(student)
    answers(student, made, images(rng, 3, (3, 32, 32)))
    held = student.drive("state", made)
    shapes = [expect.shape_of("a parameter", array) for array in held.values()]
    count = sum(int(np.prod(shape)) for shape in shapes)
    message = f"it has {count} parameters and buffers, more than {MOST_PARAMETERS}."
    expect.that("SmallCNN", 0 < count <= MOST_PARAMETERS, message)
    kernels = sum(len(shape) == 4 and max(shape[2:]) > 1 for shape in shapes)
    expect.that("SmallCNN", kernels >= 2, "expected two convolutions or more.")


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


def moves(x):
    """Return each of the 50 versions of an image (C, H, W), mirrored or not, with its movement."""
    found = []
    for mirrored in (False, True):
        at = x[:, :, ::-1] if mirrored else x
        wide = np.pad(at, ((0, 0), (2, 2), (2, 2)))
        for i, j in np.ndindex(5, 5):
            version = wide[:, i : i + x.shape[1], j : j + x.shape[2]]
            found.append((version, (mirrored, i, j)))
    return found


def drawn_moves(student, rng, count=120):
    """Return the movement of each of many images; fail where it is none that is asked for."""
    x = rng.integers(1, 256, size=(count, 3, 7, 6)).astype(np.uint8)
    received, _ = augmented(student, x)
    found = []
    for n, image in enumerate(x):
        known = [how for version, how in moves(image) if np.array_equal(version, received[n])]
        message = f"image {n} is none that was moved by up to 2 pixels, mirrored or not."
        expect.that("augment(images)", bool(known), message)
        found.append(known[0])
    return found


@pytest.mark.weight(2)
def test_each_is_moved(student, rng):
    """augment moves each image by up to 2 pixels, and mirrors it or not."""
    drawn_moves(student, rng)


def test_each_draws_its_own(student, rng):
    """All movements occur, and half of the images are mirrored."""
    found = drawn_moves(student, rng, 200)
    for label, place in (("rows", 1), ("columns", 2)):
        kinds = {how[place] for how in found}
        expect.that(
            f"movements by {label}", kinds == set(range(5)), "expected -2 to 2, all of them."
        )
    mirrored = sum(how[0] for how in found)
    expect.that("mirrored images", 60 <= mirrored <= 140, f"{mirrored} of 200 are mirrored.")


def test_augment_keeps_its_images(student, rng):
    """augment leaves what it is given, and returns the same dtype."""
    x = rng.integers(1, 256, size=(40, 3, 7, 6)).astype(np.uint8)
    received, given = augmented(student, x)
    expect.that("augment(images)", not np.array_equal(x, received), "nothing has moved.")
    expect.dtype("augment(images)", received, "uint8")
    expect.unchanged("images", x, student.fetch(given))


# train


def lesson(rng, count=64):
    """Draw images of 16 x 16 with a bright stripe, in rows or in columns, and their labels."""
    labels = rng.integers(0, 2, size=count)
    x = rng.integers(0, 60, size=(count, 1, 16, 16)).astype(np.uint8)
    for n, (label, place) in enumerate(zip(labels, rng.integers(3, 12, size=count), strict=True)):
        if label:
            x[n, 0, place : place + 2] += 180
        else:
            x[n, 0, :, place : place + 2] += 180
    return x, labels.astype(np.int64)


def trained(student, x, labels, epochs=8, seed=0):
    """Train a SmallCNN for two classes; return it, and what `train` returns."""
    student.drive("seed", 5)
    made = student.cifar_cnn.SmallCNN(1, 2)
    given = student.prepare("tensor", x), student.prepare("tensor", labels)
    losses = student.cifar_cnn.train(made, *given, epochs, 16, 0.01, seed)
    numbers = isinstance(losses, (list, tuple)) and len(losses) == epochs
    numbers = numbers and all(type(loss) is float and np.isfinite(loss) for loss in losses)
    expect.that(
        "train", numbers, f"expected a list of {epochs} numbers, got {expect.kind_of(losses)}."
    )
    return made, losses, given


def right(student, made, x, labels):
    """Return the share of images that a network gets right."""
    logits = student.drive("logits", made, x, "cpu")
    return float(np.mean(expect.array("logits", logits, (len(x), 2)).argmax(axis=1) == labels))


@pytest.mark.weight(3)
def test_it_learns(student, rng):
    """Trained on a few images, the network tells rows from columns in others, labels either way."""
    x, labels = lesson(rng)
    others, wanted = lesson(rng)
    for way in (labels, 1 - labels):
        made, losses, _ = trained(student, x, way)
        expect.that("losses", losses[-1] < losses[0], "the loss does not fall.")
        share = right(student, made, others, wanted if way is labels else 1 - wanted)
        expect.that(
            "train", share > 0.8, f"it gets {share:.0%} of two classes right after 8 epochs."
        )


def test_first_loss(student, rng):
    """The losses are mean cross-entropies: where labels are drawn, they are near log 2."""
    x, _ = lesson(rng)
    _, losses, _ = trained(student, x, rng.integers(0, 2, size=len(x)).astype(np.int64), epochs=1)
    expect.that("loss of the first epoch", 0.4 < losses[0] < 2.0, f"it is {losses[0]:.3g}.")


def test_afterwards(student, rng):
    """After train the network is in evaluation mode."""
    made, losses, _ = trained(student, *lesson(rng), epochs=4)
    expect.that("losses", losses[-1] < losses[0], "the loss does not fall.")
    still = [name for name in student.drive("free", made) if name[:5] == "mode "]
    expect.that("network", not still, "it is still in training mode.")


def test_the_same_again(student, rng):
    """The same seed, network and images give the same weights; another seed gives others."""
    x, labels = lesson(rng)
    first, again, other = (
        student.drive("state", trained(student, x, labels, 2, seed)[0]) for seed in (1, 1, 2)
    )
    name = next(iter(first))
    # Which weights come out is the network's own affair.
    expect.repeated("weights with the same seed", first[name], again[name])
    expect.differ("weights with another seed", first[name], other[name], "they are the same.")


def test_train_keeps_its_arguments(student, rng):
    """train changes neither the images nor the labels."""
    x, labels = lesson(rng)
    _, losses, given = trained(student, x, labels, 4)
    expect.that("losses", losses[-1] < losses[0], "the loss does not fall.")
    expect.unchanged("images", x, student.fetch(given[0]))
    expect.unchanged("labels", labels, student.fetch(given[1]))
