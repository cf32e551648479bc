"""The images of the accuracy's training run, and what a SmallCNN may be made of."""

import numpy as np

from autograder.gpu.images import Images
from autograder.suite import expect

MOST_NUMBERS = 500_000


def photographs(data):
    """Return the images in CIFAR-10's format, (N, H, W, 3).

    Digits are enlarged twice from their original 8 x 8 pixels, in three equal colours: 16 x 16 is
    the smallest size that a SmallCNN is for, and costs a quarter of 32 x 32.
    """
    x_train, x_test = data.x_train, data.x_test
    if x_train.ndim == 3:
        x_train, x_test = (
            np.kron(x[:, 3:25:3, 3:25:3, None], np.ones((1, 2, 2, 3), dtype=np.uint8))
            for x in (x_train, x_test)
        )
    return Images("images", x_train, data.y_train, x_test, data.y_test)


def small(student, network):
    """Expect a network of the size and kind that is asked for; return its state."""
    held = student.drive("state", network)
    shapes = [expect.shape_of("a parameter", array) for array in held.values()]
    kernels = sum(len(shape) == 4 and max(shape[2:]) > 1 for shape in shapes)
    expect.that("SmallCNN", kernels >= 2, "expected two convolutions or more among its parameters.")
    few = sum(int(np.prod(shape)) for shape in shapes) <= MOST_NUMBERS
    message = f"it has more than {MOST_NUMBERS} numbers in parameters and buffers."
    expect.that("SmallCNN", few, message)
    return held
