"""Hidden tests beyond the texts: Tensor.mean, Tensor.max, and sums over several axes."""

import numpy as np
import pytest

from ..suite_tools.maxima import largest
from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.more_operations")

SHAPE = (2, 3, 4)


def check(student, rng, name, shape, axes, keepdims=False):
    """Compare a.<name>(axis=..., keepdims=...) for each axis on an array of distinct numbers."""
    for axis in axes:
        array = rng.normal(size=shape)
        upstream = np.asarray(rng.normal(size=np.sum(array, axis=axis, keepdims=keepdims).shape))
        label = f"a.{name}(axis={axis}{', keepdims=True' if keepdims else ''}), shape {shape}"

        def apply(a, axis=axis):
            return getattr(a, name)(axis=axis, keepdims=keepdims)

        def f(a, axis=axis):
            if name == "max":
                return largest(a, axis, keepdims)
            return getattr(np, name)(a, axis=axis, keepdims=keepdims)

        check_tensors(student, label, f, [array], upstream, apply)


@pytest.mark.weight(2)
def test_sum_over_several_axes(student, rng):
    """axis may be negative, and a tuple."""
    check(student, rng, "sum", SHAPE, (-1, -2, (0, 1), (0, -1)))
    check(student, rng, "sum", SHAPE, ((0, 2),), keepdims=True)


@pytest.mark.weight(2)
def test_mean(student, rng):
    """mean divides by the number of entries that go into it, and so does its gradient."""
    check(student, rng, "mean", (2, 3), (None, 0, 1, -1))


def test_mean_over_several_axes(student, rng):
    """mean over a tuple of axes divides by the product of their lengths."""
    check(student, rng, "mean", SHAPE, ((0, 1), (1, -1), -1))
    check(student, rng, "mean", SHAPE, ((1, 2),), keepdims=True)


@pytest.mark.weight(2)
def test_max(student, rng):
    """max is the largest entry; it gets the whole gradient, all others none."""
    check(student, rng, "max", (2, 3), (None, 0, 1, -1))


def test_max_over_several_axes(student, rng):
    """max takes a tuple of axes, and keepdims."""
    check(student, rng, "max", SHAPE, ((0, 2),))
    check(student, rng, "max", SHAPE, (None, -1), keepdims=True)


def check_ties(student, rng, label, array, axis):
    """Compare the gradient of max where several entries are largest."""
    upstream = np.asarray(rng.normal(size=array.max(axis=axis).shape))
    text = f"a.max(axis={axis}) of {label}"
    operations = (lambda a: largest(a, axis), [array], upstream, lambda a: a.max(axis=axis))
    check_tensors(student, text, *operations)


@pytest.mark.weight(2)
def test_max_of_ties(student, rng):
    """Entries that tie for the maximum share the gradient equally, for each result on its own."""
    check_ties(student, rng, "three largest entries", np.array([[5.0, 1.0], [5.0, 5.0]]), None)
    array = np.array([[3.0, 3.0, 1.0], [0.0, 4.0, 2.0], [7.0, 7.0, 7.0]])
    check_ties(student, rng, "rows with and without ties", array, 1)
