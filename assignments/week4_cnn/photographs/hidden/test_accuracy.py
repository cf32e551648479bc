"""The accuracy of a SmallCNN that the student's `train` trains (item cifar.accuracy).

Architecture and loop are the student's. Classes, colours and rows are exchanged by a secret of this
run, so weights from elsewhere fit nothing; the fresh network is at chance; and it is measured here,
on plain and moved test images in one random order.
"""

import numpy as np
import pytest

from autograder.gpu.assess import CHANCE, measure
from autograder.gpu.images import SIDE, Images
from autograder.records import FULL_CREDIT
from autograder.suite import expect

MOST_PARAMETERS = 500_000
CHUNK = 10_000
FEW = 1_000


def photographs(data):
    """Return the images in CIFAR-10's format; digits get a frame, and three equal colours."""
    x_train, x_test = data.x_train, data.x_test
    if x_train.ndim == 3:
        edge = (SIDE - x_train.shape[1]) // 2
        frame = (0, 0), (edge, edge), (edge, edge)
        x_train, x_test = (
            np.repeat(np.pad(x, frame)[..., None], 3, axis=3) for x in (x_train, x_test)
        )
    return Images("images", x_train, data.y_train, x_test, data.y_test)


def small(network, student):
    """Expect a network of the size that is asked for, buffers included."""
    held = student.drive("state", network)
    count = sum(int(np.prod(expect.shape_of("a parameter", array))) for array in held.values())
    message = f"it has {count} parameters and buffers, more than {MOST_PARAMETERS}."
    expect.that("SmallCNN", count <= MOST_PARAMETERS, message)


@pytest.mark.item("cifar.accuracy")
@pytest.mark.training
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your `train`, your SmallCNN recognises images that it has not seen."""
    images = photographs(settings.data).rearranged(int(rng.integers(2**31)))
    few = Images(
        "few",
        *(array[:FEW] for array in (images.x_train, images.y_train, images.x_test, images.y_test)),
    )
    student.drive("seed", int(rng.integers(2**31)))
    network = student.cifar_cnn.SmallCNN(3, 10)
    small(network, student)
    student.drive("mode", network, False)
    before = measure(student, network, few, "cpu", rng).plain
    message = "before the training it knows the images already."
    expect.that("SmallCNN", before <= CHANCE, message)
    first = np.ascontiguousarray(images.x_train.transpose(0, 3, 1, 2))
    chunks = [first[k : k + CHUNK] for k in range(0, len(first), CHUNK)]
    x = student.prepare("tensor", *(student.keep(np.ascontiguousarray(c)) for c in chunks))
    y = student.prepare("tensor", images.y_train.astype(np.int64))
    how = settings.epochs, settings.batch_size, settings.lr, int(rng.integers(2**31))
    losses = student.drive("trained", student.cifar_cnn.train, network, x, y, *how)
    small(network, student)
    student.drive("mode", network, False)
    reached = measure(student, network, images, "cpu", rng).credited
    numbers = [one for one in losses if type(one) is float] if isinstance(losses, list) else []
    grade(
        settings.credit(reached) / FULL_CREDIT,
        settings.said_of(reached),
        shown=settings.shown(reached),
        data=settings.name,
        loss=[round(one, 6) for one in numbers[: settings.epochs] if np.isfinite(one)],
        accuracy=[round(reached, 6)],
    )
