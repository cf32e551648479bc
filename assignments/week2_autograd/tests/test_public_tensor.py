"""Public tests of what a Tensor computes: operators, broadcasting, products, sums, shapes.

`check_tensors(student, label, f, arrays, upstream)` makes a Tensor of each array, and compares the
result of f and its gradients with exact ones. f is written once, for NumPy and for your tensors.
For the upstream gradient the graph goes on after f: by a product with those numbers and a sum, or,
if that fails, between a row and a column by @.
"""

import numpy as np
import pytest

from autograder.suite.derivatives import relu

from ..suite_tools.engine import check_tensors, refuses, shapes_text, tensors
from ..suite_tools.maxima import largest

elementwise = pytest.mark.item("week2.tensor_elementwise")
broadcasting = pytest.mark.item("week2.broadcasting")
matmul = pytest.mark.item("week2.matmul")
sums = pytest.mark.item("week2.sum")
reshape = pytest.mark.item("week2.reshape")
more = pytest.mark.item("week2.more_operations")
robust = pytest.mark.item("week2.robustness")

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
def test_tensor_product_and_sum(student):
    """a * b and a + b of two Tensors, and their gradients."""
    check_tensors(student, "a * b", lambda a, b: a * b, [A, B], UPSTREAM)
    check_tensors(student, "a + b", lambda a, b: a + b, [A, B], UPSTREAM)
    check_tensors(student, "a * a", lambda a: a * a, [A], UPSTREAM)


@elementwise
def test_tensor_power(student):
    """a ** n with a number n."""
    check_one(student, {"a ** 3": lambda a: a**3, "a ** -2": lambda a: a**-2}, A)


@elementwise
def test_tensor_functions(student):
    """relu, exp and log, and their gradients."""
    check_tensors(student, "a.relu()", relu, [A], UPSTREAM, lambda a: a.relu())
    check_tensors(student, "a.exp()", np.exp, [A], UPSTREAM, lambda a: a.exp())
    check_tensors(student, "a.log()", np.log, [B], UPSTREAM, lambda a: a.log())


# Broadcasting


@broadcasting
def test_broadcast_sums(student, rng):
    """a + b broadcasts, and the gradients have the operands' shapes."""
    for pair in (((2, 3), (3,)), ((3, 1), (1, 4)), ((2, 3), ()), ((3, 3), (3, 1))):
        arrays = [np.asarray(rng.normal(size=shape)) for shape in pair]
        upstream = rng.normal(size=np.broadcast_shapes(*pair))
        label = f"a + b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: a + b, arrays, upstream)


# Matrix products


@matmul
def test_matmul_of_matrices(student, rng):
    """Matrix by matrix; square matrices too."""
    check_products(student, rng, ((2, 3), (3, 4)), ((3, 3), (3, 3)), ((1, 3), (3, 1)))


# Sums


@sums
def test_tensor_sum(student):
    """sum of everything and over an axis, and its gradient."""
    operations = {
        "a.sum()": lambda a: a.sum(),
        "a.sum(axis=0)": lambda a: a.sum(axis=0),
        "a.sum(axis=1)": lambda a: a.sum(axis=1),
    }
    check_one(student, operations, A)
    check_one(student, operations, A @ B.T)


@sums
def test_tensor_sum_keeps_dimensions(student):
    """With keepdims=True the axis that was summed stays, with length 1."""
    check_one(student, {"a.sum(axis=1, keepdims=True)": lambda a: a.sum(axis=1, keepdims=True)}, A)


# Shapes


@reshape
def test_tensor_reshape(student):
    """reshape puts the entries, in their order, into another shape."""
    operations = {
        "a.reshape(3, 2)": lambda a: a.reshape(3, 2),
        "a.reshape(6)": lambda a: a.reshape(6),
    }
    check_one(student, operations, A)


# Beyond the texts


@more
def test_tensor_more_operations(student):
    """tanh, a ** b with a Tensor, numbers beside one, and their gradients."""
    check_tensors(student, "a.tanh()", np.tanh, [A], UPSTREAM, lambda a: a.tanh())
    check_tensors(student, "a ** b", lambda a, b: a**b, [B, A], UPSTREAM)
    check_one(student, {"3 * a": lambda a: 3 * a, "3 + a": lambda a: 3 + a}, A)
    check_one(student, {"a * 3": lambda a: a * 3, "a + 3": lambda a: a + 3}, A)


@more
def test_matmul_with_vectors_and_batches(student, rng):
    """Matrix and vector, on either side; two vectors; batches of matrices."""
    check_products(student, rng, ((2, 3), (3,)), ((3,), (3, 4)), ((3,), (3,)))
    upstream = rng.normal(size=(4, 2, 2))
    arrays = [rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 3, 2))]

    def batches(a, b):
        return (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2)

    label = f"a @ b, shapes {shapes_text(*arrays)}"
    check_tensors(student, label, batches, arrays, upstream, lambda a, b: a @ b)


@more
def test_tensor_mean_and_max(student):
    """mean and max, over an axis, a negative one, or several; ties share the gradient."""
    axes = (None, 1, -1, (0, 1))
    operations = {f"a.mean(axis={x})": lambda a, x=x: a.mean(axis=x) for x in axes}
    check_one(student, operations, A)
    ties = np.array([[3.0, 3.0, 1.0], [0.0, 3.0, 2.0]])
    for axis, upstream in ((None, 0.7), (1, np.array([0.7, -1.0]))):
        check_tensors(
            student,
            f"a.max(axis={axis})",
            lambda a, axis=axis: largest(a, axis),
            [ties],
            np.asarray(upstream),
            lambda a, axis=axis: a.max(axis=axis),
        )


@more
def test_tensor_shapes_and_indices(student):
    """reshape by a tuple, transposes, slices and arrays as index."""
    rows = np.array([1, 0, 1])
    operations = {
        "a.reshape((3, -1))": lambda a: a.reshape((3, -1)),
        "a.T": lambda a: a.T,
        "a[:, 1:]": lambda a: a[:, 1:],
        "a[rows] with repetitions": lambda a: a[rows],
    }
    check_one(student, operations, A)
    cube = A.reshape(1, 2, 3) + np.array([0.0, 1.0, 2.0, 3.0]).reshape(4, 1, 1)
    check_one(student, {"a.transpose(1, 2, 0)": lambda a: a.transpose(1, 2, 0)}, cube)


@robust
def test_shapes_that_do_not_fit(student):
    """Shapes that don't fit raise a ValueError that names both."""
    a, b = tensors(student, np.ones((2, 3)), np.ones((2, 3)))
    refuses("a @ b, shapes (2, 3) and (2, 3)", lambda: a @ b, (2, 3), (2, 3))
