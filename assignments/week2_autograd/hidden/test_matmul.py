"""Hidden tests of the operator @ of Tensors, on matrices."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import constant, shapes_text, tolerance_of_tensors, used_twice
from .without_backward import by_fed_ends, check_tensors

pytestmark = pytest.mark.item("week2.matmul")


def product(a, b):
    """Return a @ b."""
    return a @ b


def check(student, rng, *pairs):
    """Compare a @ b for operands of these pairs of shapes."""
    for shapes in pairs:
        arrays = [rng.normal(size=shape) for shape in shapes]
        upstream = rng.normal(size=np.matmul(*arrays).shape)
        check_tensors(student, f"a @ b, shapes {shapes_text(*arrays)}", product, arrays, upstream)


@pytest.mark.weight(3)
def test_matrix_by_matrix(student, rng):
    """Matrix by matrix: gradients G B^T and A^T G."""
    check(student, rng, ((2, 3), (3, 4)), ((4, 2), (2, 3)), ((5, 2), (2, 2)))


@pytest.mark.weight(2)
def test_rows_and_columns(student, rng):
    """Matrices of a single row or column are matrices like all others."""
    check(student, rng, ((1, 3), (3, 1)), ((3, 1), (1, 2)), ((2, 3), (3, 1)), ((1, 3), (3, 4)))


@pytest.mark.weight(2)
def test_square_matrices(student, rng):
    """With square matrices every product fits, but only one is right."""
    check(student, rng, ((3, 3), (3, 3)), ((2, 2), (2, 2)))


@pytest.mark.weight(2)
def test_operand_that_requires_no_gradient(student, rng):
    """The gradient of the other one is right where only one of the two requires a gradient."""
    x, y, upstream = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4))

    def way(feed, end, weights):
        near = tolerance_of_tensors(student)
        [a], b = feed([x], rng), constant(student, y)
        end(a @ b)
        label = "a.grad of a @ b, where b requires no gradient"
        expect.close(label, a.grad, weights @ y.T, **near)
        a, [b] = constant(student, x), feed([y], rng)
        end(a @ b)
        label = "b.grad of a @ b, where a requires no gradient"
        expect.close(label, b.grad, x.T @ weights, **near)

    by_fed_ends(student, upstream, way)


@pytest.mark.weight(2)
def test_product_of_products(student, rng):
    """In (a @ b) @ c the gradient passes through both products."""
    arrays = [rng.normal(size=shape) for shape in ((2, 3), (3, 4), (4, 2))]
    upstream = rng.normal(size=(2, 2))
    check_tensors(student, "a @ b @ c", lambda a, b, c: a @ b @ c, arrays, upstream)


def test_uses_add_up(student, rng):
    """What a product passes back is added to the grad of its operands, also in a @ a."""
    arrays, upstream = [rng.normal(size=(3, 3)) for _ in range(2)], rng.normal(size=(3, 3))

    def check_both(both, apply):
        check_tensors(student, "a @ b, twice in one graph", both, arrays, upstream, apply)

    used_twice(check_both, product, product)
    check_tensors(student, "a @ a", lambda a: a @ a, arrays[:1], upstream)


def test_operands_stay_as_they_are(student, rng):
    """Neither a @ b nor backward changes the data of its operands."""
    x, y, upstream = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4))

    def way(feed, end, weights):
        a, b = feed([x, y], rng)
        end(a @ b)
        gradients = weights @ y.T, x.T @ weights
        for name, node, before, gradient in zip("ab", (a, b), (x, y), gradients, strict=True):
            near = tolerance_of_tensors(student)
            expect.close(f"{name}.grad of a @ b", node.grad, gradient, **near)
            after = expect.array(f"{name}.data after backward", node.data, before.shape)
            expect.unchanged(f"{name}.data after backward", before.astype(after.dtype), after)

    by_fed_ends(student, upstream, way)
