"""No checks: whether convolution and pooling work on whole batches, without a loop over pixels.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

import pytest

from autograder.suite.hidden import conduct

from . import formulas

pytestmark = pytest.mark.flag(conduct.LOOPS)


def images(rng, batch, width):
    """Draw images of five rows."""
    return rng.normal(size=(batch, 5, width, 2))


@pytest.mark.item("week4.conv2d")
def test_conv2d(student, rng):
    """conv2d works on whole batches."""

    def run(batch, features):
        kernel = rng.normal(size=(3, 2, 2, 3))
        return {"conv2d": student.trace(student.conv.conv2d, images(rng, batch, features), kernel)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.conv2d_backward")
def test_conv2d_backward(student, rng):
    """conv2d_backward works on whole batches."""

    def run(batch, features):
        x, kernel = images(rng, batch, features), rng.normal(size=(3, 2, 2, 3))
        grad = rng.normal(size=formulas.conv2d(x, kernel).shape)
        return {
            "conv2d_backward": student.trace(student.conv.conv2d_backward, grad, x, kernel),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.im2col")
def test_columns(student, rng):
    """im2col and col2im work on whole batches."""

    def run(batch, features):
        x = images(rng, batch, features)
        columns = formulas.im2col(x, 3, 2)
        return {
            "im2col": student.trace(student.conv.im2col, x, 3, 2),
            "col2im": student.trace(student.conv.col2im, columns, x.shape, 3, 2),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.max_pool2d")
def test_max_pool2d(student, rng):
    """Pooling works on whole batches."""

    def run(batch, features):
        x = images(rng, batch, features)
        grad = rng.normal(size=formulas.max_pool2d(x, 2).shape)
        return {
            "max_pool2d": student.trace(student.conv.max_pool2d, x, 2),
            "max_pool2d_backward": student.trace(student.conv.max_pool2d_backward, grad, x, 2),
        }

    conduct.on_whole_arrays(run)
