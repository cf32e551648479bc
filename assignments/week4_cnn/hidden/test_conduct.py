"""No checks: whether convolution and pooling work on whole batches, and derive their gradients.

What is noticed here becomes a flag, for a person to look at, and takes no point. The images are
small, so that code which goes through them pixel by pixel comes to its end, and is noticed.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.hidden import conduct

from . import formulas

pytestmark = pytest.mark.flag(conduct.LOOPS)

KERNEL = 2, 2, 1, 2


def images(rng, batch, width):
    """Draw images of three rows and one channel."""
    return rng.normal(size=(batch, 3, width, 1))


def beside(trace, *wanted):
    """Return a trace with the gradients that are right, all of them as one array."""
    received = trace.result if isinstance(trace.result, (tuple, list)) else [trace.result]
    fits = len(received) == len(wanted) and all(
        isinstance(got, np.ndarray) and (got.shape, got.dtype) == (right.shape, np.float64)
        for got, right in zip(received, wanted, strict=False)
    )
    if not fits:
        return trace
    one = replace(trace, result=np.concatenate([got.ravel() for got in received]))
    return one.beside(np.concatenate([right.ravel() for right in wanted]))


@pytest.mark.item("week4.conv2d")
def test_conv2d(student, rng):
    """conv2d works on whole batches."""

    def run(batch, features):
        kernel = rng.normal(size=KERNEL)
        return {"conv2d": student.trace(student.conv.conv2d, images(rng, batch, features), kernel)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.conv2d_backward")
def test_conv2d_backward(student, rng):
    """conv2d_backward works on whole batches, and derives the gradients."""

    def run(batch, features):
        x, kernel = images(rng, batch, features), rng.normal(size=KERNEL)
        grad = rng.normal(size=formulas.conv2d(x, kernel).shape)
        trace = student.trace(student.conv.conv2d_backward, grad, x, kernel)
        wanted = formulas.conv2d_backward(grad, x, kernel)
        return {"conv2d_backward": beside(trace, *wanted)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.im2col")
def test_columns(student, rng):
    """im2col and col2im work on whole batches."""

    def run(batch, features):
        x = images(rng, batch, features)
        columns = formulas.im2col(x, 2, 2)
        return {
            "im2col": student.trace(student.conv.im2col, x, 2, 2),
            "col2im": student.trace(student.conv.col2im, columns, x.shape, 2, 2),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week4.max_pool2d")
def test_max_pool2d(student, rng):
    """Pooling works on whole batches, and derives the gradient."""

    def run(batch, features):
        x = images(rng, batch, features)
        grad = rng.normal(size=formulas.max_pool2d(x, 2).shape)
        back = student.trace(student.conv.max_pool2d_backward, grad, x, 2)
        return {
            "max_pool2d": student.trace(student.conv.max_pool2d, x, 2),
            "max_pool2d_backward": beside(back, formulas.max_pool2d_backward(grad, x, 2)),
        }

    conduct.on_whole_arrays(run)
