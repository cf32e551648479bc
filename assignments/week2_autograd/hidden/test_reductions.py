"""Hidden tests of Tensor.sum, Tensor.mean and Tensor.max."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import largest

from ..suite_tools.engine import TOLERANCE, check_tensors, tensors

pytestmark = pytest.mark.item("week2.reductions")

SHAPE = (2, 3, 4)


def check_reduction(student, rng, name, shape, axes, keepdims=False):
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
def test_sum_of_everything(student, rng):
    """sum() adds up all entries; every entry gets the upstream gradient."""
    for shape in ((), (4,), (2, 3), SHAPE):
        array, upstream = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal())
        label = f"a.sum(), shape {shape}"
        check_tensors(student, label, np.sum, [array], upstream, lambda a: a.sum())


@pytest.mark.weight(2)
def test_sum_over_an_axis(student, rng):
    """sum(axis=k) adds up along axis k; the gradient is spread along it again. -1 is the last."""
    check_reduction(student, rng, "sum", SHAPE, (0, 1, 2, -1, -2, -3))
    check_reduction(student, rng, "sum", (4,), (0, -1))


def test_sum_of_a_square(student, rng):
    """In a square array the gradient goes back along the axis that was summed, and no other."""
    check_reduction(student, rng, "sum", (3, 3), (0, 1, -1))
    check_reduction(student, rng, "sum", (3, 3, 3), (0, 1, 2, (0, 2)))


@pytest.mark.weight(2)
def test_sum_over_several_axes(student, rng):
    """axis may be a tuple, with negative axes in it and in any order."""
    check_reduction(
        student, rng, "sum", SHAPE, ((0, 1), (0, 2), (1, 2), (2, 0), (0, -1), (0, 1, 2))
    )


def test_sum_keeps_dimensions(student, rng):
    """With keepdims=True the axes that were summed stay, with size 1."""
    check_reduction(student, rng, "sum", SHAPE, (None, 1, -1, (0, 2)), keepdims=True)


def test_axis_by_position(student, rng):
    """The axis may be given by position: a.sum(0), a.mean(1), a.max(0)."""
    array = rng.normal(size=(2, 3))
    check_tensors(student, "a.sum(0)", lambda a: a.sum(0), [array], rng.normal(size=3))
    check_tensors(student, "a.mean(1)", lambda a: a.mean(1), [array], rng.normal(size=2))
    upstream = rng.normal(size=3)
    check_tensors(
        student, "a.max(0)", lambda a: largest(a, 0), [array], upstream, lambda a: a.max(0)
    )


@pytest.mark.weight(2)
def test_mean_of_everything(student, rng):
    """mean() divides the sum by the number of entries, and so does its gradient."""
    for shape in ((), (4,), (2, 3), SHAPE):
        array, upstream = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal())
        label = f"a.mean(), shape {shape}"
        check_tensors(student, label, np.mean, [array], upstream, lambda a: a.mean())


@pytest.mark.weight(2)
def test_mean_over_an_axis(student, rng):
    """mean(axis=k) divides by the size of that axis alone."""
    check_reduction(student, rng, "mean", SHAPE, (0, 1, 2, -1, -2))


@pytest.mark.weight(2)
def test_mean_over_several_axes(student, rng):
    """mean over a tuple of axes divides by the product of their sizes."""
    check_reduction(student, rng, "mean", SHAPE, ((0, 1), (0, 2), (1, -1), (0, 1, 2)))


def test_mean_keeps_dimensions(student, rng):
    """With keepdims=True the axes that were averaged stay, with size 1."""
    check_reduction(student, rng, "mean", SHAPE, (None, 0, -1, (1, 2)), keepdims=True)


@pytest.mark.weight(2)
def test_max_of_everything(student, rng):
    """max() is the largest entry; it gets the whole gradient, all others none."""
    for shape in ((), (4,), (2, 3), SHAPE):
        array, upstream = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal())
        label = f"a.max(), shape {shape}"
        check_tensors(student, label, largest, [array], upstream, lambda a: a.max())


@pytest.mark.weight(2)
def test_max_over_an_axis(student, rng):
    """max(axis=k) is the largest entry along axis k, also for negative k."""
    check_reduction(student, rng, "max", SHAPE, (0, 1, 2, -1, -2))
    check_reduction(student, rng, "max", (3, 3), (0, 1))


def test_max_over_several_axes(student, rng):
    """max takes a tuple of axes."""
    check_reduction(student, rng, "max", SHAPE, ((0, 1), (0, 2), (1, -1), (0, 1, 2)))


def test_max_keeps_dimensions(student, rng):
    """With keepdims=True the axes that max went over stay, with size 1."""
    check_reduction(student, rng, "max", SHAPE, (None, 0, -1, (0, 2)), keepdims=True)


def check_ties(student, rng, label, array, axis):
    """Compare the gradient of max where several entries are largest."""
    upstream = np.asarray(rng.normal(size=array.max(axis=axis).shape))
    text = f"a.max(axis={axis}) of {label}"
    check_tensors(
        student,
        text,
        lambda a: largest(a, axis),
        [array],
        upstream,
        lambda a: a.max(axis=axis),
    )


@pytest.mark.weight(2)
def test_max_of_ties(student, rng):
    """Entries that tie for the maximum share the gradient equally: 1/2 each, 1/3 each."""
    check_ties(student, rng, "two largest entries", np.array([1.0, 5.0, 2.0, 5.0]), None)
    check_ties(student, rng, "three largest entries", np.array([[5.0, 1.0], [5.0, 5.0]]), None)
    check_ties(student, rng, "equal entries", np.full((2, 3), -1.5), None)


@pytest.mark.weight(2)
def test_max_of_ties_along_an_axis(student, rng):
    """Ties are counted for each result on its own: a row without a tie has no share in others'."""
    array = np.array([[3.0, 3.0, 1.0], [0.0, 4.0, 2.0], [7.0, 7.0, 7.0]])
    check_ties(student, rng, "rows with and without ties", array, 1)
    check_ties(student, rng, "columns with and without ties", array.T, 0)


def test_max_of_ties_across_axes(student, rng):
    """With a tuple of axes, ties count wherever they are in these axes."""
    array = np.zeros(SHAPE)
    array[0, :, 1] = array[1, :, 3] = array[1, 0, 0] = 2.0
    check_ties(student, rng, "ties across two axes", array, (0, 2))
    check_ties(student, rng, "ties across all axes", array, (0, 1, 2))


def test_max_of_negative_numbers(student, rng):
    """The maximum of negative numbers is negative."""
    array = -rng.uniform(1.0, 2.0, size=(3, 4))
    check_tensors(
        student, "a.max() of negative numbers", largest, [array], np.asarray(0.7), lambda a: a.max()
    )
    check_ties(student, rng, "negative numbers", array, 0)


def test_arguments_stay_as_they_were(student, rng):
    """sum, mean and max change neither their operand nor the upstream gradient."""
    array, upstream = rng.normal(size=SHAPE), rng.normal(size=(2, 4))
    for name in ("sum", "mean", "max"):
        [a] = tensors(student, array)
        kept = student.keep(upstream)
        result = getattr(a, name)(axis=1)
        expect.close(f"data of a.{name}(axis=1)", result.data, getattr(array, name)(axis=1),
                     **TOLERANCE)  # fmt: skip
        result.backward(kept)
        expect.array(f"a.grad of a.{name}(axis=1)", a.grad, SHAPE)
        expect.unchanged(f"a.data after a.{name}(axis=1)", array, a.data)
        expect.unchanged("the upstream gradient", upstream, student.fetch(kept))
