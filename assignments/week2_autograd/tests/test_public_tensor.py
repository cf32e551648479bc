"""Public tests of what tensor.py computes: operators, broadcasting, products, reductions, shapes.

`check_tensors(student, label, f, arrays, upstream)` makes a Tensor of each array, and compares the
result of f and its gradients with exact ones. f is written once, for NumPy and for your tensors.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import largest, relu

from ..suite_tools.engine import check_tensors, refuses, shapes_text, tensors

elementwise = pytest.mark.item("week2.tensor_elementwise")
broadcasting = pytest.mark.item("week2.broadcasting")
matmul = pytest.mark.item("week2.matmul")
reductions = pytest.mark.item("week2.reductions")
shapes = pytest.mark.item("week2.shapes")

A = np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -0.5]])
B = np.array([[2.0, 0.5, 1.5], [1.0, 4.0, 3.0]])
UPSTREAM = np.array([[2.0, -3.0, 0.5], [-1.0, 4.0, 1.5]])


def check_products(student, rng, *pairs):
    """Compare a @ b for operands of these pairs of shapes."""
    for pair in pairs:
        arrays = [rng.normal(size=shape) for shape in pair]
        upstream = np.asarray(rng.normal(size=np.matmul(*arrays).shape))
        label = f"a @ b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: a @ b, arrays, upstream)


def check_one(student, operations, array):
    """Compare operations on one array, by label; f does for NumPy and for tensors."""
    for label, f in operations.items():
        upstream = np.asarray(1.0 + np.arange(np.size(f(array))).reshape(np.shape(f(array))))
        check_tensors(student, f"{label}, shape {array.shape}", f, [array], upstream)


# Entry by entry


@elementwise
def test_tensor_arithmetic(student):
    """-, * and / of two Tensors, and their gradients."""
    check_tensors(student, "a - b", lambda a, b: a - b, [A, B], UPSTREAM)
    check_tensors(student, "a * b", lambda a, b: a * b, [A, B], UPSTREAM)
    check_tensors(student, "a / b", lambda a, b: a / b, [A, B], UPSTREAM)


@elementwise
def test_tensor_power(student):
    """a ** n with a number, a ** b with a Tensor, and their gradients."""
    for n in (3, -2, 0):
        check_tensors(student, f"a ** {n}", lambda a, n=n: a**n, [A], UPSTREAM)
    check_tensors(student, "a ** b", lambda a, b: a**b, [B, A], UPSTREAM)


@elementwise
def test_tensor_numbers_on_either_side(student):
    """Numbers may stand on either side of -, / and *."""
    operations = {"a - 3": lambda a: a - 3, "3 - a": lambda a: 3 - a}
    operations |= {"a / 4": lambda a: a / 4, "3 / a": lambda a: 3 / a, "3 * a": lambda a: 3 * a}
    check_one(student, operations, A)


@elementwise
def test_tensor_functions(student):
    """relu, exp, log and tanh, and their gradients; at 0 relu has the slope 0."""
    with_zeros = np.where(A == 0.5, 0.0, A)
    check_tensors(student, "a.relu()", relu, [with_zeros], UPSTREAM, lambda a: a.relu())
    check_tensors(student, "a.exp()", np.exp, [A], UPSTREAM, lambda a: a.exp())
    check_tensors(student, "a.log()", np.log, [B], UPSTREAM, lambda a: a.log())
    check_tensors(student, "a.tanh()", np.tanh, [A], UPSTREAM, lambda a: a.tanh())


@elementwise
def test_tensor_operands_stay_as_they_are(student):
    """Operators change neither their operands nor the upstream gradient."""
    for label, apply in {"a * a": lambda a: a * a, "a.relu()": lambda a: a.relu()}.items():
        [a], kept = tensors(student, A), student.keep(UPSTREAM)
        apply(a).backward(kept)
        expect.array(f"a.grad of {label}", a.grad, A.shape)
        expect.unchanged(f"a.data after {label}", A, a.data)
        expect.unchanged("the upstream gradient", UPSTREAM, student.fetch(kept))


# Broadcasting


@broadcasting
def test_unbroadcast(student):
    """unbroadcast sums over the axes that broadcasting added or stretched."""
    pairs = {(3,): [1.0, 1.0, 2.0], (1, 3): [[1.0, 1.0, 2.0]], (2, 1): [[-0.5], [4.5]], (): 4.0}
    for shape, expected in pairs.items():
        received = student.tensor.unbroadcast(UPSTREAM, shape)
        expect.close(f"unbroadcast of shape (2, 3) to {shape}", received, expected)


@broadcasting
def test_unbroadcast_of_a_square(student):
    """In a square array too, unbroadcast sums over the right axis."""
    square = np.array([[1.0, 2.0], [30.0, 40.0]])
    for shape, expected in {(2,): [31.0, 42.0], (2, 1): [[3.0], [70.0]]}.items():
        received = student.tensor.unbroadcast(square, shape)
        expect.close(f"unbroadcast of shape (2, 2) to {shape}", received, expected)


@broadcasting
def test_broadcast_sums(student, rng):
    """a + b broadcasts, and the gradients have the operands' shapes."""
    for pair in (((2, 3), (3,)), ((3, 1), (1, 4)), ((2, 3), ()), ((2, 1, 4), (3, 1))):
        arrays = [np.asarray(rng.normal(size=shape)) for shape in pair]
        upstream = rng.normal(size=np.broadcast_shapes(*pair))
        label = f"a + b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: a + b, arrays, upstream)


# Matrix products


@matmul
def test_products_of_matrices(student, rng):
    """Matrix by matrix, square ones too, and the gradients."""
    check_products(student, rng, ((2, 3), (3, 4)), ((3, 3), (3, 3)))


@matmul
def test_products_with_vectors(student, rng):
    """Matrix by vector, vector by matrix, vector by vector, and the gradients."""
    check_products(student, rng, ((2, 3), (3,)), ((3,), (3, 4)), ((3,), (3,)))


@matmul
def test_products_in_batches(student, rng):
    """A batch of products side by side, and the gradients."""
    check_products(student, rng, ((2, 3, 4), (2, 4, 5)))


@matmul
def test_products_that_do_not_fit(student):
    """Shapes that don't fit raise a ValueError that names both."""
    a, b = tensors(student, A, B)
    refuses("a @ b, shapes (2, 3) and (2, 3)", lambda: a @ b, (2, 3))


# Reductions

CUBE = np.arange(24.0).reshape(2, 3, 4) % 7.0 - 0.01 * np.arange(24.0).reshape(2, 3, 4)


@reductions
def test_sums(student):
    """sum over everything, an axis, a negative one, several; with and without keepdims."""
    operations = {
        "a.sum()": lambda a: a.sum(),
        "a.sum(axis=1)": lambda a: a.sum(axis=1),
        "a.sum(axis=-1)": lambda a: a.sum(axis=-1),
        "a.sum(axis=(0, 2))": lambda a: a.sum(axis=(0, 2)),
        "a.sum(axis=1, keepdims=True)": lambda a: a.sum(axis=1, keepdims=True),
    }
    check_one(student, operations, CUBE)


@reductions
def test_means(student):
    """mean over everything, an axis, a negative one, several."""
    operations = {
        "a.mean()": lambda a: a.mean(),
        "a.mean(axis=1)": lambda a: a.mean(axis=1),
        "a.mean(axis=-1)": lambda a: a.mean(axis=-1),
        "a.mean(axis=(0, 2))": lambda a: a.mean(axis=(0, 2)),
    }
    check_one(student, operations, CUBE)


def check_max(student, array, axis, upstream, keepdims=False):
    """Compare a.max(axis, keepdims)."""
    label = f"a.max(axis={axis}{', keepdims=True' if keepdims else ''}), shape {array.shape}"

    def f(a):
        return largest(a, axis, keepdims)

    check_tensors(student, label, f, [array], upstream, lambda a: a.max(axis, keepdims))


@reductions
def test_maxima(student, rng):
    """max over everything, an axis, several; with and without keepdims."""
    check_max(student, CUBE, None, np.asarray(0.7))
    check_max(student, CUBE, -1, rng.normal(size=(2, 3)))
    check_max(student, CUBE, (0, 2), rng.normal(size=3))
    check_max(student, CUBE, 1, rng.normal(size=(2, 1, 4)), keepdims=True)


@reductions
def test_maxima_with_ties(student):
    """Entries that tie for the maximum share its gradient equally."""
    array = np.array([[3.0, 3.0, 1.0], [0.0, 4.0, 2.0]])
    check_max(student, array, 1, np.array([1.0, 10.0]))
    check_max(student, np.full(4, 2.0), None, np.asarray(1.0))


# Shapes


@shapes
def test_reshapes(student):
    """reshape, with sizes or a tuple of them, and its gradient."""
    operations = {
        "a.reshape(3, 2)": lambda a: a.reshape(3, 2),
        "a.reshape((6,))": lambda a: a.reshape((6,)),
        "a.reshape(-1, 2)": lambda a: a.reshape(-1, 2),
    }
    check_one(student, operations, A)


@shapes
def test_transpositions(student):
    """T, and transpose with three axes, and their gradients."""
    check_one(student, {"a.T": lambda a: a.T, "a.transpose()": lambda a: a.transpose()}, A)
    check_one(student, {"a.transpose(1, 2, 0)": lambda a: a.transpose(1, 2, 0)}, CUBE)
    check_one(student, {"a.transpose(-1, 0, 1)": lambda a: a.transpose(-1, 0, 1)}, CUBE)


@shapes
def test_indices(student):
    """Integers, slices, None, ... and boolean arrays as index, and the gradients."""
    mask = A > 0
    operations = {
        "a[1]": lambda a: a[1],
        "a[:, 1:]": lambda a: a[:, 1:],
        "a[..., None]": lambda a: a[..., None],
        "a[mask]": lambda a: a[mask],
    }
    check_one(student, operations, A)


@shapes
def test_repeated_indices(student):
    """An entry that an index names twice gets both gradients."""
    rows, columns = np.array([1, 1, 0]), np.array([2, 2, 0])
    operations = {"a[rows]": lambda a: a[rows], "a[rows, columns]": lambda a: a[rows, columns]}
    check_one(student, operations, A)
