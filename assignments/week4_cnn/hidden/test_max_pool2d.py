"""Hidden tests of conv.max_pool2d and conv.max_pool2d_backward.

Nearly all images are negative everywhere: what pads with 0 shows.
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas
from .cases import POOLINGS, SIDE_BY_SIDE, each
from .work import FAR_APART, pooling_back_is_right, pooling_is_right

pytestmark = pytest.mark.item("week4.max_pool2d")

LARGE = 1e7
"""As FAR_APART, for images with padding: some pad with a number that is only very small."""


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(POOLINGS))
def test_output(student, rng, case):
    """max_pool2d returns the largest entry of each window, channel by channel."""
    x = case.x(rng)
    received = student.conv.max_pool2d(x, *case.settings)
    expect.close("max_pool2d", received, formulas.max_pool2d(x, *case.settings))


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(POOLINGS))
def test_gradient(student, rng, case):
    """max_pool2d_backward gives each output's gradient to the entry that won its window."""
    x, grad = LARGE * case.x(rng), case.grad(rng)
    received = student.conv.max_pool2d_backward(grad, x, *case.settings)
    wanted = formulas.max_pool2d_backward(grad, x, *case.settings)
    expect.close("dL/dx of max_pool2d", received, wanted)


def test_default_stride_forward(student, rng):
    """Without a stride, windows of max_pool2d lie side by side."""
    x = SIDE_BY_SIDE.x(rng)
    expect.close("max_pool2d(x, 2)", student.conv.max_pool2d(x, 2), formulas.max_pool2d(x, 2))


def test_default_stride_backward(student, rng):
    """Without a stride, windows of max_pool2d_backward lie side by side."""
    x, grad = FAR_APART * SIDE_BY_SIDE.x(rng), SIDE_BY_SIDE.grad(rng)
    wanted = formulas.max_pool2d_backward(grad, x, 2)
    expect.close("dL/dx", student.conv.max_pool2d_backward(grad, x, 2), wanted)


def tied(rng):
    """Return images in which several entries of a window are the largest, and how many are."""
    x = FAR_APART * rng.choice([-3.0, -2.0], size=SIDE_BY_SIDE.images)
    windows = formulas.Windows.on(x, 2, 2, 2, 0).read(x)
    best = windows == windows.max(axis=(3, 4), keepdims=True)
    return x, best


@pytest.mark.weight(2)
def test_equal_entries_share(student, rng):
    """Where entries of a window are equally large, their shares add up to the gradient."""
    pooling_back_is_right(student, rng)
    (x, _), grad = tied(rng), SIDE_BY_SIDE.grad(rng)
    received = student.conv.max_pool2d_backward(grad, x, 2, 2, 0)
    dx = expect.array("dL/dx", received, x.shape).astype(np.float64)
    sums = formulas.Windows.on(x, 2, 2, 2, 0).read(dx).sum(axis=(3, 4))
    expect.close("dL/dx added up in each window", sums, grad)


def test_only_the_largest_share(student, rng):
    """No share goes to an entry that is not the largest of its window."""
    pooling_back_is_right(student, rng)
    (x, best), grad = tied(rng), SIDE_BY_SIDE.grad(rng)
    received = student.conv.max_pool2d_backward(grad, x, 2, 2, 0)
    dx = expect.array("dL/dx", received, x.shape).astype(np.float64)
    expect.differ("dL/dx", dx, 0, "all of it is 0.")
    elsewhere = np.where(best, 0.0, formulas.Windows.on(x, 2, 2, 2, 0).read(dx))
    expect.close("dL/dx of entries that are not the largest", elsewhere, np.zeros(best.shape))


def test_keeps_float32(student, rng):
    """Both functions give float32 arrays for float32 arrays."""
    pooling_is_right(student, rng)
    x, grad = (a.astype("float32") for a in (SIDE_BY_SIDE.x(rng), SIDE_BY_SIDE.grad(rng)))
    expect.dtype("max_pool2d", student.conv.max_pool2d(x, 2, 2, 0), "float32")
    expect.dtype("dL/dx", student.conv.max_pool2d_backward(grad, x, 2, 2, 0), "float32")


def test_keeps_its_arguments(student, rng):
    """Neither function changes what it is given."""
    pooling_is_right(student, rng)
    x, grad = SIDE_BY_SIDE.x(rng), SIDE_BY_SIDE.grad(rng)
    kept_x, kept_grad = student.keep(x), student.keep(grad)
    student.conv.max_pool2d(kept_x, 2, 2, 0)
    student.conv.max_pool2d_backward(kept_grad, kept_x, 2, 2, 0)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("grad", grad, student.fetch(kept_grad))
