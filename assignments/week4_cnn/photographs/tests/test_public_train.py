"""Public tests of train, with a network of a bias for each class that notes what it is given."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.network")

BIAS = np.array([2.0, 0.0, -1.0], dtype=np.float32)
LABELS = np.array([0, 1, 2, 0, 0, 1, 2, 2, 1, 0, 0, 1])


def went_through(student, batch_size=5, lr=0.01, labels=LABELS):
    """Train with twelve images for two epochs; return the network and the losses."""
    levels = np.arange(20, 20 * (len(LABELS) + 1), 20, dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (len(LABELS), 3, 16, 16)).copy()
    made = student.prepare("ledger", BIAS)
    student.drive("mode", made, False)
    given = student.prepare("tensor", images), student.prepare("tensor", labels)
    return made, student.cifar_cnn.train(made, *given, 2, batch_size, lr)


def test_batches_and_modes(student):
    """Each epoch has batches of five, five and two, in training mode; afterwards it is over."""
    made, _ = went_through(student)
    noted = student.drive("noted", made)
    sizes = [len(row[3]) for row in noted if row[0] is True]
    expect.equal("images in each batch in training mode", sizes, [5, 5, 2, 5, 5, 2])
    modes = [name for name in student.drive("free", made) if name[:5] == "mode "]
    expect.equal("parts in training mode afterwards", modes, [])


def test_normalised_images(student):
    """The network gets normalised images, not numbers up to 255."""
    made, _ = went_through(student)
    noted = student.drive("noted", made)
    expect.that("train", bool(noted), "the network is never asked for logits.")
    inside = all(-8.0 < row[1] <= row[2] < 8.0 for row in noted)
    expect.that("numbers that reach the network", inside, "some are outside.")


def test_a_tiny_rate(student):
    """With a tiny rate nothing is learnt: the mean loss of three equal batches is 1.5865."""
    _, losses = went_through(student, 4, 1e-7)
    told = isinstance(losses, (list, tuple)) and all(type(loss) is float for loss in losses)
    expect.that("losses", told, "expected a list of two numbers.")
    expect.close("losses", np.array(losses), np.array([1.5865, 1.5865]), rtol=1e-3)


def test_orders(student):
    """Each epoch goes through all twelve images, in an order of its own."""
    made, _ = went_through(student)
    levels = [float(one) for row in student.drive("noted", made) for one in row[3]]
    expect.equal("images in two epochs", len(levels), 24)
    first, second = levels[:12], levels[12:]
    both = np.array([sorted(first), sorted(second)])
    # Which levels these are is another test's matter; here, both epochs have the same images.
    expect.repeated("levels of gray of an epoch, sorted", both[0], both[1], rtol=1e-4)
    given = first == sorted(first)
    expect.that("order of the first epoch", not given, "it is that in which the images came.")
    expect.that("order of the second epoch", first != second, "it is that of the first.")


def test_gradients_of_the_last_batch(student):
    """A step goes by the gradients of one batch, as small as those of a mean cross-entropy are."""
    made, _ = went_through(student, 4, 1e-7, np.full(len(LABELS), 2))
    left = expect.array("gradient", student.drive("gradients", made)[0], (3,))
    small = float(np.abs(left).sum()) <= 2.1  # a softmax minus one: never more than 2 together
    expect.that("gradients of the last step", small, "they are larger than one batch's can be.")
