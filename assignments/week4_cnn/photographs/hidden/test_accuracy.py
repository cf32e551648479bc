"""The accuracy of a SmallCNN that the student's `train` trains (item cifar.accuracy).

Architecture and loop are the student's. Classes, colours and rows are exchanged by a secret of this
run, so weights from elsewhere fit nothing; the fresh network is at chance; it is measured here, on
plain and moved test images in one random order; and with the weights of before the training it is
at chance again, so that what it has learnt is in the weights and not beside them.
"""

import numpy as np
import pytest

from autograder.gpu.assess import CHANCE, measure
from autograder.gpu.images import Images
from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .photographs import photographs, small

CHUNK = 10_000
FEW = 400


def first_of(images):
    """Return a few of the images."""
    parts = images.x_train, images.y_train, images.x_test, images.y_test
    return Images("few", *(array[:FEW] for array in parts))


def at_chance(student, network, few, rng, when):
    """Expect that a network in evaluation mode knows nothing of the images."""
    student.drive("mode", network, False)
    known = measure(student, network, few, "cpu", rng).plain
    expect.that("SmallCNN", known <= CHANCE, f"{when} it knows the images already.")


@pytest.mark.item("cifar.accuracy")
@pytest.mark.training
@pytest.mark.needs("cifar.network")
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your `train`, your SmallCNN recognises images that it has not seen."""
    images = photographs(settings.data).rearranged(int(rng.integers(2**31)))
    few = first_of(images)
    student.drive("seed", int(rng.integers(2**31)))
    network = student.cifar_cnn.SmallCNN(3, 10)
    new = small(student, network)
    at_chance(student, network, few, rng, "before the training")
    first = np.ascontiguousarray(images.x_train.transpose(0, 3, 1, 2))
    chunks = [first[k : k + CHUNK] for k in range(0, len(first), CHUNK)]
    x = student.prepare("tensor", *(student.keep(np.ascontiguousarray(c)) for c in chunks))
    y = student.prepare("tensor", images.y_train.astype(np.int64))
    how = settings.epochs, settings.batch_size, settings.lr, int(rng.integers(2**31))
    student.drive("mode", network, True)  # that of a new network
    losses = student.drive("trained", student.cifar_cnn.train, network, x, y, *how)
    small(student, network)
    student.drive("mode", network, False)
    reached = measure(student, network, images, "cpu", rng).credited
    student.drive("fill", network, new)
    at_chance(student, network, few, rng, "with the weights of before the training")
    numbers = [one for one in losses if type(one) is float] if isinstance(losses, list) else []
    grade(
        settings.credit(reached) / FULL_CREDIT,
        settings.said_of(reached),
        shown=settings.shown(reached),
        data=settings.name,
        loss=[round(one, 6) for one in numbers[: settings.epochs] if np.isfinite(one)],
        accuracy=[round(reached, 6)],
    )
