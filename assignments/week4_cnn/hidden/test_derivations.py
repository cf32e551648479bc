"""Hidden tests of the derivation of a convolution's gradients, on one row of pixels."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

pytestmark = pytest.mark.item("week4.derive_conv")

CASES = [
    pytest.param((9, 3, 1), id="stride 1"),
    pytest.param((10, 3, 2), id="stride 2, a pixel left over"),
    pytest.param((12, 2, 3), id="stride 3, larger than the kernel"),
]


def correlate(x, kernel, stride):
    """Return y; both arrays may be complex."""
    places = range(0, len(x) - len(kernel) + 1, stride)
    return np.array([np.dot(x[m : m + len(kernel)], kernel) for m in places])


def drawn(rng, case):
    """Return pixels, a kernel, and an upstream gradient."""
    width, size, stride = case
    x, kernel = rng.normal(size=width), rng.normal(size=size)
    return x, kernel, rng.normal(size=correlate(x, kernel, stride).shape)


@pytest.mark.parametrize("case", CASES)
def test_matrix(student, rng, case):
    """Step 1: the matrix T with y = T x."""
    (width, _, stride), (_, kernel, _) = case, drawn(rng, case)
    wanted = np.stack([correlate(one, kernel, stride) for one in np.eye(width)], axis=1)
    expect.close("T", student.derivations.conv1d_matrix(kernel, width, stride), wanted)


@pytest.mark.parametrize("case", CASES)
def test_pixels(student, rng, case):
    """Step 2: dL/dx."""
    (width, _, stride), (x, kernel, upstream) = case, drawn(rng, case)
    wanted = vjp(lambda moved: correlate(moved, kernel, stride), [x], upstream)[0]
    received = student.derivations.conv1d_dx(upstream, kernel, width, stride)
    expect.close("dL/dx", received, wanted)


def test_turned(student, rng):
    """Step 3: the other kernel, with which dL/dx is a correlation."""
    kernel = rng.normal(size=4)
    x, upstream = rng.normal(size=7), rng.normal(size=4)
    turned = expect.array("the other kernel", student.derivations.conv1d_turned(kernel), (4,))
    wanted = vjp(lambda moved: correlate(moved, kernel, 1), [x], upstream)[0]
    received = correlate(np.pad(upstream, 3), turned.astype(np.float64), 1)
    expect.close("dL/dx by the other kernel", received, wanted)


@pytest.mark.parametrize("case", CASES)
def test_kernel(student, rng, case):
    """Step 4: dL/dkernel."""
    (_, size, stride), (x, kernel, upstream) = case, drawn(rng, case)
    wanted = vjp(lambda moved: correlate(x, moved, stride), [kernel], upstream)[0]
    received = student.derivations.conv1d_dkernel(upstream, x, size, stride)
    expect.close("dL/dkernel", received, wanted)
