"""Hidden tests of the operator @ of Tensors.

Where batch axes are broadcast, the student's own `unbroadcast` says what becomes of the gradient
for the full shape, so that only the products are judged here.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.engine import TOLERANCE, check_tensors, refuses, shapes_text, tensors

pytestmark = pytest.mark.item("week2.matmul")


def check(student, rng, *pairs):
    """Compare a @ b for operands of these pairs of shapes."""
    for shapes in pairs:
        arrays = [rng.normal(size=shape) for shape in shapes]
        upstream = np.asarray(rng.normal(size=np.matmul(*arrays).shape))
        label = f"a @ b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: a @ b, arrays, upstream)


@pytest.mark.weight(2)
def test_matrix_by_matrix(student, rng):
    """Matrix by matrix: gradients G B^T and A^T G."""
    check(student, rng, ((2, 3), (3, 4)), ((4, 2), (2, 3)), ((1, 3), (3, 1)), ((3, 1), (1, 2)))


@pytest.mark.weight(2)
def test_square_matrices(student, rng):
    """With square matrices every product fits, but only one is right."""
    check(student, rng, ((3, 3), (3, 3)), ((2, 2), (2, 2)))


@pytest.mark.weight(2)
def test_matrix_by_vector(student, rng):
    """Matrix by vector gives a vector; the matrix's gradient is an outer product."""
    check(student, rng, ((2, 3), (3,)), ((1, 3), (3,)), ((3, 3), (3,)))


@pytest.mark.weight(2)
def test_vector_by_matrix(student, rng):
    """Vector by matrix gives a vector; the vector's gradient has the shape of the vector."""
    check(student, rng, ((3,), (3, 4)), ((3,), (3, 1)), ((3,), (3, 3)))


def test_vector_by_vector(student, rng):
    """Two vectors give a single number, of shape ()."""
    check(student, rng, ((3,), (3,)), ((1,), (1,)))


@pytest.mark.weight(2)
def test_batches_of_matrices(student, rng):
    """Axes in front of the last two hold many products side by side."""
    check(student, rng, ((3, 3, 3),) * 2, ((2, 3, 4), (2, 4, 5)), ((2, 2, 3, 4), (2, 2, 4, 2)))


def test_batch_by_a_single_matrix(student, rng):
    """A batch of matrices times an array that is one matrix, from either side."""
    for shape, single in (((4, 4, 4), (4, 4)), ((2, 4, 4), (4, 4)), ((2, 4, 4), (1, 4, 4))):
        n = rng.normal(size=single)
        for label, f in {"a @ n": lambda a, n=n: a @ n, "n @ a": lambda a, n=n: n @ a}.items():
            text = f"{label}, a of shape {shape}, an array n of shape {single}"
            check_tensors(student, text, f, [rng.normal(size=shape)], rng.normal(size=shape))


def test_batch_and_vector(student, rng):
    """A batch of matrices times an array that is one vector, from either side."""
    n, upstream = rng.normal(size=4), rng.normal(size=(2, 3))
    label = "a @ n, a of shape (2, 3, 4), an array n of shape (4,)"
    check_tensors(student, label, lambda a: a @ n, [rng.normal(size=(2, 3, 4))], upstream)
    label = "n @ a, an array n of shape (4,), a of shape (2, 4, 3)"
    check_tensors(student, label, lambda a: n @ a, [rng.normal(size=(2, 4, 3))], upstream)


def check_batch(student, rng, *shapes):
    """Compare a @ b where one operand serves every product of the batch."""
    arrays = [rng.normal(size=shape) for shape in shapes]
    product = np.matmul(*arrays)
    upstream = rng.normal(size=product.shape)
    leaves, label = tensors(student, *arrays), f"a @ b, shapes {shapes_text(*arrays)}"
    result = leaves[0] @ leaves[1]
    expect.close(f"data of {label}", result.data, product, **TOLERANCE)
    result.backward(upstream)
    full = [np.broadcast_to(array, (2, *array.shape[-2:])).copy() for array in arrays]
    for name, leaf, array, gradient in zip(
        "ab", leaves, arrays, vjp(by_one, full, upstream), strict=True
    ):
        text = f"{name}.grad of {label}"
        wanted = student.tensor.unbroadcast(gradient, array.shape)
        expect.close(text, leaf.grad, expect.array("unbroadcast", wanted, array.shape), **TOLERANCE)


def by_one(a, b):
    """Return the products of matrices, rows or columns, one by one."""
    return np.stack([one @ other for one, other in zip(a, b, strict=True)])


@pytest.mark.needs("week2.broadcasting")
@pytest.mark.weight(2)
def test_batch_axes_broadcast(student, rng):
    """An operand that serves every product of a batch sums its gradient over the batch."""
    check_batch(student, rng, (2, 3, 4), (4, 5))
    check_batch(student, rng, (3, 4), (2, 4, 5))


@pytest.mark.needs("week2.broadcasting")
def test_vector_that_multiplies_a_batch(student, rng):
    """A vector that multiplies every matrix of a batch sums its gradient over the batch."""
    check_batch(student, rng, (2, 3, 4), (4,))
    check_batch(student, rng, (4,), (2, 4, 3))


def test_arrays_on_either_side(student, rng):
    """The other operand may be a NumPy array; the result is a Tensor."""
    n = rng.normal(size=(3, 3))
    for label, f in {"a @ n": lambda a: a @ n, "n @ a": lambda a: n @ a}.items():
        arrays, upstream = [rng.normal(size=(3, 3))], rng.normal(size=(3, 3))
        check_tensors(student, f"{label} with an array n, shapes (3, 3)", f, arrays, upstream)


def test_shapes_that_do_not_fit(student, rng):
    """Operands whose shapes don't fit raise a ValueError that names both shapes."""
    pairs = (((2, 3), (2, 3)), ((2, 3), (2,)), ((2,), (3, 2)), ((2, 3, 4), (3, 4, 2)), ((2, 3), ()))
    for shapes in pairs:
        a, b = tensors(student, *(rng.normal(size=shape) for shape in shapes))
        label = f"a @ b, shapes {shapes[0]} and {shapes[1]}"
        refuses(label, lambda a=a, b=b: a @ b, *shapes)


def test_arguments_stay_as_they_were(student, rng):
    """Neither a @ b nor its backward changes the operands or the upstream gradient."""
    first, second = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    upstream = rng.normal(size=(2, 4))
    a, b = tensors(student, first, second)
    kept = student.keep(upstream)
    result = a @ b
    expect.close("data of a @ b", result.data, first @ second)
    result.backward(kept)
    expect.array("a.grad of a @ b", a.grad, (2, 3))
    expect.array("b.grad of a @ b", b.grad, (3, 4))
    expect.unchanged("a.data after a @ b", first, a.data)
    expect.unchanged("b.data after a @ b", second, b.data)
    expect.unchanged("the upstream gradient of a @ b", upstream, student.fetch(kept))
