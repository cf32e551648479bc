"""Hidden tests of Tensor.sum."""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import tolerance_of_tensors, used_twice
from .plain_answers import Plain, chained, either, special, uses_add_up
from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.sum")

SHAPE = (2, 3, 4)


def cases(rng, shape, axes, **settings):
    """Yield a label, a.sum(axis=...), an array and an upstream gradient for each axis."""
    for axis in axes:
        array = np.asarray(rng.normal(size=shape))

        def f(a, axis=axis):
            return a.sum(axis=axis, **settings)

        upstream = np.asarray(rng.normal(size=np.shape(f(array))))
        more = "".join(f", {name}={value}" for name, value in settings.items())
        yield f"a.sum(axis={axis}{more}), shape {shape}", f, [array], upstream


def check(student, rng, shape, axes, **settings):
    """Compare a.sum(axis=..., keepdims=...) for each axis."""
    for case in cases(rng, shape, axes, **settings):
        check_tensors(student, *case)


def check_special(student, rng, shape, axes, **settings):
    """The same; what is wrong in ordinary sums too is not asked."""
    plain = Plain(student, near=tolerance_of_tensors(student))
    for label, f, arrays, upstream in cases(rng, shape, axes, **settings):
        either(
            plain,
            partial(check_tensors, student, label, f, arrays, upstream),
            partial(
                special, plain, label, f, f, arrays, upstream,
                partial(check, student, rng, (2, 3), (None, 0, 1)),
            ),
        )  # fmt: skip


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
    check_special(student, rng, SHAPE, (0, 1, 2))


@pytest.mark.weight(2)
def test_sum_of_a_square(student, rng):
    """In a square array the gradient goes back along the axis that was summed, and no other."""
    check_special(student, rng, (3, 3), (0, 1))


@pytest.mark.weight(2)
def test_sum_keeps_dimensions(student, rng):
    """With keepdims=True the axis that was summed stays, with length 1."""
    check_special(student, rng, (2, 3), (None, 0, 1), keepdims=True)
    check_special(student, rng, SHAPE, (1,), keepdims=True)


def test_arguments_by_position(student, rng):
    """The axis and keepdims may be given by position: a.sum(0), a.sum(1, True)."""
    array, plain = rng.normal(size=(2, 3)), Plain(student, near=tolerance_of_tensors(student))
    forms = {
        "a.sum(0)": (lambda a: a.sum(axis=0), lambda a: a.sum(0), (3,)),
        "a.sum(1, True)": (
            lambda a: a.sum(axis=1, keepdims=True), lambda a: a.sum(1, True), (2, 1)
        ),
    }  # fmt: skip
    for label, (by_name, by_position, shape) in forms.items():
        upstream = rng.normal(size=shape)

        def like_names(by_name=by_name, by_position=by_position, upstream=upstream, label=label):
            data, [gradient] = plain.answers(by_name, by_name, [array], upstream)
            again, [received] = plain.answers(by_name, by_position, [array], upstream)
            # What a sum should give is asked by other tests; here, how it may be called.
            expect.repeated(f"data of {label}", data, again, **plain.near)
            # The same.
            expect.repeated(f"a.grad of {label}", gradient, received, **plain.near)

        exact = partial(check_tensors, student, label, by_name, [array], upstream, by_position)
        either(plain, exact, like_names)
    plain.one_is_right()


@pytest.mark.weight(2)
def test_sum_of_sums(student, rng):
    """In a.sum(axis=0).sum() the gradient passes through both."""
    array, upstream = rng.normal(size=(2, 3)), np.asarray(rng.normal())
    label = "a.sum(axis=0).sum()"
    plain = Plain(student, near=tolerance_of_tensors(student))
    steps = [(f, f) for f in (lambda a: a.sum(axis=0), lambda a: a.sum())]

    def exact():
        check_tensors(student, label, lambda a: a.sum(axis=0).sum(), [array], upstream)

    either(plain, exact, lambda: chained(plain, label, steps, array, upstream))
    plain.one_is_right()


def test_uses_add_up(student, rng):
    """What a sum passes back is added to the grad of its operand."""
    array, upstream = rng.normal(size=(2, 3)), rng.normal(size=3)

    def check_both(both, apply):
        check_tensors(student, "a.sum(axis=0), twice in one graph", both, [array], upstream, apply)

    plain, f = Plain(student, near=tolerance_of_tensors(student)), lambda a: a.sum(axis=0)
    either(
        plain,
        lambda: used_twice(check_both, f, f),
        lambda: uses_add_up(plain, "a.sum(axis=0)", f, f, [array], upstream),
    )
    plain.one_is_right()
