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


def test_moved_images(student):
    """Each image of one bright pixel has one bright pixel still, 2 pixels away at most."""
    images = np.zeros((50, 1, 9, 9), dtype=np.uint8)
    images[:, 0, 4, 4] = 200
    given = student.prepare("tensor", images)
    received = student.cifar_cnn.augment(given, student.prepare("generator", 1))
    moved = expect.array("augment(images)", received, images.shape)
    counts = (moved == 200).sum(axis=(1, 2, 3))
    expect.equal("bright pixels of each image", counts, np.ones(50, dtype=np.int64))
    inside = moved[:, :, 2:7, 2:7].sum(axis=(1, 2, 3))
    expect.that("augment(images)", bool((inside == 200).all()), "one has moved by more than 2.")
    places = {int(index) for index in moved.reshape(50, 81).argmax(axis=1)}
    expect.that("augment(images)", len(places) > 5, "all images move alike.")
