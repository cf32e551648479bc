"""Hidden tests beyond the texts: transposes and indexing of Tensors, and other ways to reshape."""

import numpy as np
import pytest

from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.more_operations")


def check(student, rng, shape, operations):
    """Compare operations, by label, on an array of `shape`; NumPy spells them like Tensors do."""
    for label, f in operations.items():
        array = rng.normal(size=shape)
        upstream = np.asarray(rng.normal(size=np.shape(f(array))))
        check_tensors(student, f"{label}, shape {shape}", f, [array], upstream)


def test_reshape_by_a_tuple_and_with_an_open_size(student, rng):
    """The new shape may be a tuple, and one size may be -1: it is what the others leave."""
    operations = {
        "a.reshape((6, 2))": lambda a: a.reshape((6, 2)),
        "a.reshape(-1)": lambda a: a.reshape(-1),
        "a.reshape((3, -1))": lambda a: a.reshape((3, -1)),
    }
    check(student, rng, (2, 6), operations)


@pytest.mark.weight(2)
def test_transpose_without_axes(student, rng):
    """T and transpose() exchange the axes of a matrix; of more axes they reverse the order."""
    operations = {"a.T": lambda a: a.T, "a.transpose()": lambda a: a.transpose()}
    check(student, rng, (2, 3), operations)
    check(student, rng, (2, 3, 4), operations)


@pytest.mark.weight(2)
def test_transpose_with_axes(student, rng):
    """transpose(1, 2, 0) puts axis 1 first; the gradient goes back by the inverse."""
    operations = {
        "a.transpose(1, 2, 0)": lambda a: a.transpose(1, 2, 0),
        "a.transpose((2, 0, 1))": lambda a: a.transpose((2, 0, 1)),
        "a.transpose(-1, 0, 1)": lambda a: a.transpose(-1, 0, 1),
        "a.T.transpose(1, 2, 0)": lambda a: a.T.transpose(1, 2, 0),
    }
    check(student, rng, (2, 3, 4), operations)


@pytest.mark.weight(2)
def test_index_with_integers_and_slices(student, rng):
    """Integers, slices, None and ... pick a part; the gradient is 0 everywhere else."""
    operations = {
        "a[1]": lambda a: a[1],
        "a[-1, 2]": lambda a: a[-1, 2],
        "a[:, 1]": lambda a: a[:, 1],
        "a[::2, ::-1]": lambda a: a[::2, ::-1],
        "a[..., None]": lambda a: a[..., None],
        "a[1:][:, 2]": lambda a: a[1:][:, 2],
    }
    check(student, rng, (4, 5), operations)


@pytest.mark.weight(2)
def test_index_with_arrays(student, rng):
    """Arrays of integers pick rows or single entries; what is named twice is used twice."""
    rows, columns = np.array([1, 1, 3, 1]), np.array([2, 2, 0, 4])
    mask = np.arange(20).reshape(4, 5) % 3 == 0
    operations = {
        "a[rows] with repetitions": lambda a: a[rows],
        "a[rows, columns] with repetitions": lambda a: a[rows, columns],
        "a[mask]": lambda a: a[mask],
    }
    check(student, rng, (4, 5), operations)
