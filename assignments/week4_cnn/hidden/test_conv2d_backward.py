"""Hidden tests of conv.conv2d_backward.

Whoever rotates the kernel in conv2d loses that item's points; here the gradients of that function
are right too.
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas
from .cases import CONVOLUTIONS, PLAIN, Case, each
from .work import drawn, gradient_is_right, gradients, turned

pytestmark = pytest.mark.item("week4.conv2d_backward")

LABELS = "dL/dx", "dL/dkernel"


def expect_gradient(student, number, grad, x, kernel, *settings):
    """Compare one of the two gradients with the one of the formula."""
    received = gradients(student, grad, x, kernel, *settings)[number]
    wanted = formulas.conv2d_backward(grad, x, kernel, *settings)
    try:
        expect.close(LABELS[number], received, wanted[number])
    except expect.Wrong:
        if not rotates(student):
            raise
        dx, dkernel = formulas.conv2d_backward(grad, x, turned(kernel), *settings)
        expect.close(LABELS[number], received, (dx, turned(dkernel))[number])


def rotates(student):
    """Find out, by an image and a kernel of ours, whether the student's conv2d rotates it."""
    x = np.arange(1.0, 13.0).reshape(1, 3, 4, 1) ** 2
    kernel = np.arange(1.0, 7.0).reshape(2, 3, 1, 1)
    wanted = formulas.conv2d(x, turned(kernel))
    try:
        received = student.conv.conv2d(x, kernel)
        return np.allclose(expect.array("conv2d", received, wanted.shape), wanted)
    except expect.Fault:
        return False


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CONVOLUTIONS))
def test_images(student, rng, case):
    """conv2d_backward returns dL/dx first."""
    expect_gradient(student, 0, *drawn(case, rng, 0), *case.settings)


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CONVOLUTIONS))
def test_kernel(student, rng, case):
    """conv2d_backward returns dL/dkernel second."""
    expect_gradient(student, 1, *drawn(case, rng, 1), *case.settings)


def test_rows_that_no_window_reads(student, rng):
    """dL/dx has all rows and columns of x; those that no window reads have the gradient 0."""
    case = Case((2, 7, 8, 2), (2, 2), 3, 3, 0)
    received = gradients(student, case.grad(rng), case.x(rng), case.kernel(rng), *case.settings)
    dx = expect.array("dL/dx", received[0], case.images)
    expect.differ("dL/dx", dx[:, [0, 1, 3, 4]][:, :, [0, 1, 3, 4]], 0, "all of it is 0.")
    gradient_is_right(student, rng, 0)
    unread = np.concatenate([dx[:, [2, 5, 6]].ravel(), dx[:, :, [2, 5]].ravel()])
    expect.close("dL/dx where no window reads", unread, np.zeros(unread.size))


@pytest.mark.parametrize("number", [pytest.param(0, id="dL/dx"), pytest.param(1, id="dL/dkernel")])
def test_defaults(student, rng, number):
    """Without stride and padding, they are 1 and 0 as in conv2d."""
    expect_gradient(student, number, *drawn(PLAIN, rng, number))


def test_keeps_float32(student, rng):
    """Gradients of float32 arrays are float32 arrays."""
    arrays = [PLAIN.grad(rng), PLAIN.x(rng), PLAIN.kernel(rng)]
    gradient_is_right(student, rng, 0, 1)
    received = gradients(student, *(a.astype("float32") for a in arrays), 1, 0)
    for label, gradient in zip(LABELS, received, strict=True):
        expect.dtype(label, gradient, "float32")


def test_keeps_its_arguments(student, rng):
    """conv2d_backward changes none of its arguments."""
    arrays = {"grad": PLAIN.grad(rng), "x": PLAIN.x(rng), "kernel": PLAIN.kernel(rng)}
    gradient_is_right(student, rng, 0, 1)
    kept = {name: student.keep(array) for name, array in arrays.items()}
    gradients(student, *kept.values(), 1, 0)
    for name, array in arrays.items():
        expect.unchanged(name, array, student.fetch(kept[name]))
