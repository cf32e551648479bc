"""Hidden tests of Tensor.sum."""

import numpy as np
import pytest

from ..suite_tools.engine import used_twice
from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.sum")

SHAPE = (2, 3, 4)


def check(student, rng, shape, axes, **settings):
    """Compare a.sum(axis=..., keepdims=...) for each axis."""
    for axis in axes:
        array = np.asarray(rng.normal(size=shape))

        def f(a, axis=axis):
            return a.sum(axis=axis, **settings)

        upstream = np.asarray(rng.normal(size=np.shape(f(array))))
        more = "".join(f", {name}={value}" for name, value in settings.items())
        label = f"a.sum(axis={axis}{more}), shape {shape}"
        check_tensors(student, label, f, [array], upstream)


@pytest.mark.weight(3)
def test_sum_of_everything(student, rng):
    """sum() adds up all entries; every entry gets the upstream gradient."""
    for shape in ((4,), (2, 3), SHAPE):
        array, upstream = rng.normal(size=shape), np.asarray(rng.normal())
        check_tensors(student, f"a.sum(), shape {shape}", lambda a: a.sum(), [array], upstream)


@pytest.mark.weight(3)
def test_sum_over_an_axis(student, rng):
    """sum(axis=k) adds up along axis k; the gradient is spread along it again."""
    check(student, rng, (2, 3), (0, 1))
    check(student, rng, (4,), (0,))


@pytest.mark.weight(2)
def test_sum_in_three_dimensions(student, rng):
    """Of three axes, too, the gradient goes back along the one that was summed."""
    check(student, rng, SHAPE, (0, 1, 2))


@pytest.mark.weight(2)
def test_sum_of_a_square(student, rng):
    """In a square array the gradient goes back along the axis that was summed, and no other."""
    check(student, rng, (3, 3), (0, 1))


@pytest.mark.weight(2)
def test_sum_keeps_dimensions(student, rng):
    """With keepdims=True the axis that was summed stays, with length 1."""
    check(student, rng, (2, 3), (None, 0, 1), keepdims=True)
    check(student, rng, SHAPE, (1,), keepdims=True)


def test_arguments_by_position(student, rng):
    """The axis and keepdims may be given by position: a.sum(0), a.sum(1, True)."""
    array = rng.normal(size=(2, 3))
    check_tensors(student, "a.sum(0)", lambda a: a.sum(0), [array], rng.normal(size=3))
    by_position = (student, "a.sum(1, True)", lambda a: a.sum(1, keepdims=True), [array])
    check_tensors(*by_position, rng.normal(size=(2, 1)), lambda a: a.sum(1, True))


@pytest.mark.weight(2)
def test_sum_of_sums(student, rng):
    """In a.sum(axis=0).sum() the gradient passes through both."""
    array, upstream = rng.normal(size=(2, 3)), np.asarray(rng.normal())
    label = "a.sum(axis=0).sum()"
    check_tensors(student, label, lambda a: a.sum(axis=0).sum(), [array], upstream)


def test_uses_add_up(student, rng):
    """What a sum passes back is added to the grad of its operand."""
    array, upstream = rng.normal(size=(2, 3)), rng.normal(size=3)

    def check_both(both, apply):
        check_tensors(student, "a.sum(axis=0), twice in one graph", both, [array], upstream, apply)

    used_twice(check_both, lambda a: a.sum(axis=0), lambda a: a.sum(axis=0))
