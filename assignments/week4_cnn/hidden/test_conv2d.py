"""Hidden tests of conv.conv2d."""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas
from .cases import CONVOLUTIONS, PLAIN, each
from .work import conv2d_is_right

pytestmark = pytest.mark.item("week4.conv2d")


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CONVOLUTIONS))
def test_output(student, rng, case):
    """conv2d lays the kernel onto the images in each place."""
    x, kernel = case.x(rng), case.kernel(rng)
    received = student.conv.conv2d(x, kernel, *case.settings)
    expect.close("conv2d(x, kernel)", received, formulas.conv2d(x, kernel, *case.settings))


def test_one_bright_pixel(student, rng):
    """Around a single bright pixel the output is the kernel, rotated by 180 degrees."""
    x, kernel = np.zeros((1, 5, 5, 1)), rng.normal(size=(3, 3, 1, 1))
    x[0, 2, 2, 0] = bright = rng.uniform(1.0, 2.0)
    wanted = bright * kernel[::-1, ::-1, :, :].transpose(2, 0, 1, 3)
    expect.close("conv2d of one bright pixel", student.conv.conv2d(x, kernel), wanted)


def test_defaults(student, rng):
    """Without stride and padding, the window moves by 1 and nothing is added on the sides."""
    x, kernel = PLAIN.x(rng), PLAIN.kernel(rng)
    received = student.conv.conv2d(x, kernel)
    expect.close("conv2d(x, kernel)", received, formulas.conv2d(x, kernel))


def test_keeps_float32(student, rng):
    """conv2d of float32 arrays is a float32 array."""
    x, kernel = (a.astype("float32") for a in (PLAIN.x(rng), PLAIN.kernel(rng)))
    conv2d_is_right(student, rng)
    expect.dtype("conv2d(x, kernel)", student.conv.conv2d(x, kernel, 1, 0), "float32")


def test_keeps_its_arguments(student, rng):
    """conv2d changes neither the images nor the kernel."""
    x, kernel = PLAIN.x(rng), PLAIN.kernel(rng)
    conv2d_is_right(student, rng)
    kept = student.keep(x), student.keep(kernel)
    student.conv.conv2d(*kept, 1, 0)
    expect.unchanged("x", x, student.fetch(kept[0]))
    expect.unchanged("kernel", kernel, student.fetch(kept[1]))
