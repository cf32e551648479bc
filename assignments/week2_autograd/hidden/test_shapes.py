"""Hidden tests of Tensor.reshape, Tensor.transpose, Tensor.T and indexing."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import check_tensors, refuses, tensors

pytestmark = pytest.mark.item("week2.shapes")


def check(student, rng, shape, operations):
    """Compare operations, by label, on an array of `shape`; NumPy spells them like Tensors do."""
    for label, f in operations.items():
        array = rng.normal(size=shape)
        upstream = np.asarray(rng.normal(size=np.shape(f(array))))
        check_tensors(student, f"{label}, shape {shape}", f, [array], upstream)


@pytest.mark.weight(2)
def test_reshape(student, rng):
    """reshape puts the entries, in their order, into another shape, and the gradient back."""
    operations = {
        "a.reshape(3, 4)": lambda a: a.reshape(3, 4),
        "a.reshape(2, 2, 3)": lambda a: a.reshape(2, 2, 3),
        "a.reshape(12)": lambda a: a.reshape(12),
        "a.reshape((6, 2))": lambda a: a.reshape((6, 2)),
    }
    check(student, rng, (2, 6), operations)
    check(student, rng, (), {"a.reshape(1, 1)": lambda a: a.reshape(1, 1)})


def test_reshape_with_an_open_size(student, rng):
    """One size may be -1: it is what the others leave."""
    operations = {
        "a.reshape(-1)": lambda a: a.reshape(-1),
        "a.reshape(3, -1)": lambda a: a.reshape(3, -1),
        "a.reshape((-1, 2))": lambda a: a.reshape((-1, 2)),
    }
    check(student, rng, (2, 6), operations)


def test_reshape_to_a_size_that_does_not_fit(student, rng):
    """reshape to another number of entries raises a ValueError that names both shapes."""
    [a] = tensors(student, rng.normal(size=(2, 3)))
    refuses("a.reshape(4, 2), shape (2, 3)", lambda: a.reshape(4, 2), (2, 3), (4, 2))


@pytest.mark.weight(2)
def test_transpose_of_a_matrix(student, rng):
    """T and transpose() exchange the axes of a matrix, and those of the gradient."""
    operations = {"a.T": lambda a: a.T, "a.transpose()": lambda a: a.transpose()}
    check(student, rng, (2, 3), operations)
    check(student, rng, (3, 3), operations)


def test_transpose_without_axes(student, rng):
    """Without arguments transpose reverses all axes; so does T. A vector stays a vector."""
    operations = {"a.T": lambda a: a.T, "a.transpose()": lambda a: a.transpose()}
    check(student, rng, (2, 3, 4), operations)
    check(student, rng, (3,), operations)


@pytest.mark.weight(2)
def test_transpose_with_axes(student, rng):
    """transpose(1, 2, 0) puts axis 1 first; the gradient goes back by the inverse."""
    operations = {
        "a.transpose(1, 2, 0)": lambda a: a.transpose(1, 2, 0),
        "a.transpose(2, 0, 1)": lambda a: a.transpose(2, 0, 1),
        "a.transpose(0, 2, 1)": lambda a: a.transpose(0, 2, 1),
        "a.transpose((1, 2, 0))": lambda a: a.transpose((1, 2, 0)),
    }
    check(student, rng, (2, 3, 4), operations)
    check(student, rng, (3, 3, 3), operations)


def test_transpose_with_negative_axes(student, rng):
    """Axes may be negative: transpose(-1, 0, 1) is transpose(2, 0, 1)."""
    operations = {
        "a.transpose(-1, 0, 1)": lambda a: a.transpose(-1, 0, 1),
        "a.transpose(1, -1, 0)": lambda a: a.transpose(1, -1, 0),
    }
    check(student, rng, (2, 3, 4), operations)


@pytest.mark.weight(2)
def test_index_with_integers_and_slices(student, rng):
    """Integers and slices pick a part; the gradient is 0 everywhere else."""
    operations = {
        "a[1]": lambda a: a[1],
        "a[-1]": lambda a: a[-1],
        "a[1, 2]": lambda a: a[1, 2],
        "a[:, 1]": lambda a: a[:, 1],
        "a[1:3]": lambda a: a[1:3],
        "a[::2, ::-1]": lambda a: a[::2, ::-1],
    }
    check(student, rng, (4, 5), operations)


def test_index_with_none_and_ellipsis(student, rng):
    """None adds an axis, and ... stands for all axes that are not named."""
    operations = {
        "a[None]": lambda a: a[None],
        "a[:, None]": lambda a: a[:, None],
        "a[..., 0]": lambda a: a[..., 0],
        "a[1, ..., None]": lambda a: a[1, ..., None],
        "a[...]": lambda a: a[...],
    }
    check(student, rng, (2, 3, 4), operations)


@pytest.mark.weight(2)
def test_index_with_integer_arrays(student, rng):
    """An array of integers picks rows; two arrays pick single entries."""
    rows, columns = np.array([2, 0, 3]), np.array([1, 4, 0])
    operations = {
        "a[rows]": lambda a: a[rows],
        "a[:, columns]": lambda a: a[:, columns],
        "a[rows, columns]": lambda a: a[rows, columns],
        "a[[2, 0, 3]]": lambda a: a[[2, 0, 3]],
    }
    check(student, rng, (4, 5), operations)


@pytest.mark.weight(3)
def test_index_with_repeated_integers(student, rng):
    """What an index names several times gets a contribution from each place."""
    rows, columns = np.array([1, 1, 3, 1]), np.array([2, 2, 0, 4])
    operations = {
        "a[rows] with repetitions": lambda a: a[rows],
        "a[:, columns] with repetitions": lambda a: a[:, columns],
        "a[rows, columns] with repetitions": lambda a: a[rows, columns],
    }
    check(student, rng, (4, 5), operations)
    check(student, rng, (4,), {"a[rows] with repetitions": lambda a: a[rows]})


def test_index_with_truth_values(student, rng):
    """A boolean array picks the entries, or the rows, where it is True."""
    mask = np.array([[True, False, True], [False, False, True]])
    rows = np.array([False, True])
    operations = {"a[mask]": lambda a: a[mask], "a[rows]": lambda a: a[rows]}
    check(student, rng, (2, 3), operations)


def test_arguments_stay_as_they_were(student, rng):
    """Neither an operation nor its backward changes the operand, the index or upstream."""
    array, rows = rng.normal(size=(3, 2)), np.array([0, 2, 2])
    kept_rows = student.keep(rows)
    operations = {
        "a.reshape(2, 3)": (lambda a: a.reshape(2, 3), array.reshape(2, 3)),
        "a.T": (lambda a: a.T, array.T),
        "a[rows]": (lambda a: a[kept_rows], array[rows]),
    }
    for label, (apply, expected) in operations.items():
        [a] = tensors(student, array)
        upstream = rng.normal(size=expected.shape)
        kept = student.keep(upstream)
        result = apply(a)
        expect.close(f"data of {label}", result.data, expected)
        result.backward(kept)
        expect.array(f"a.grad of {label}", a.grad, (3, 2))
        expect.unchanged(f"a.data after {label}", array, a.data)
        expect.unchanged(f"the upstream gradient of {label}", upstream, student.fetch(kept))
        expect.unchanged("rows", rows, student.fetch(kept_rows))
