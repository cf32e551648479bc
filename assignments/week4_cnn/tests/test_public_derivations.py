"""Public tests of the derivation in derivations.ipynb: one small case, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week4.derive_conv")

KERNEL = np.array([1.0, 10.0])
UPSTREAM = np.array([2.0, 3.0])


def test_matrix(student):
    """Step 1: with stride 2, each row of T lies two pixels further to the right."""
    wanted = [[1.0, 10.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 10.0, 0.0]]
    expect.close("T", student.derivations.conv1d_matrix(KERNEL, 5, 2), wanted)


def test_pixels(student):
    """Step 2: with stride 1, the pixel in the middle lies in both windows."""
    received = student.derivations.conv1d_dx(UPSTREAM, KERNEL, 3, 1)
    expect.close("dL/dx", received, [2.0, 23.0, 30.0])


def test_pixels_two_apart(student):
    """Step 2 with stride 2: windows of three meet in one pixel, and the last pixel is in none."""
    kernel = np.array([1.0, 2.0, 3.0])
    received = student.derivations.conv1d_dx(np.array([1.0, 10.0]), kernel, 6, 2)
    expect.close("dL/dx", received, [1.0, 2.0, 13.0, 20.0, 30.0, 0.0])


def test_turned(student):
    """Step 3: the upstream gradient 2, 3 as 0 2 3 0, correlated with it, gives the same."""
    turned = expect.array("the other kernel", student.derivations.conv1d_turned(KERNEL), (2,))
    pairs = np.array([[0.0, 2.0], [2.0, 3.0], [3.0, 0.0]])
    expect.close("dL/dx by the other kernel", pairs @ turned, [2.0, 23.0, 30.0])


def test_kernel(student):
    """Step 4: each number of the kernel has met as many pixels as there are outputs."""
    received = student.derivations.conv1d_dkernel(UPSTREAM, np.array([1.0, 4.0, 5.0]), 2, 1)
    expect.close("dL/dkernel", received, [14.0, 23.0])


def test_kernel_two_apart(student):
    """Step 4 with stride 2: digits are pixels, their places say of which output."""
    x = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    received = student.derivations.conv1d_dkernel(np.array([1.0, 10.0]), x, 3, 2)
    expect.close("dL/dkernel", received, [43.0, 11.0, 54.0])
