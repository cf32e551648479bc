"""Hidden tests of the operator @ of Tensors, on matrices."""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right

from ..suite_tools.engine import constant, shapes_text, tolerance_of_tensors, used_twice
from .plain_answers import Plain, either, same_operand, special, uses_add_up
from .without_backward import by_fed_ends, check_tensors

pytestmark = pytest.mark.item("week2.matmul")


def product(a, b):
    """Return a @ b."""
    return a @ b


ORDINARY = ((2, 3), (3, 4)), ((4, 2), (2, 3)), ((5, 2), (2, 2))


def check(student, rng, *pairs):
    """Compare a @ b for operands of these pairs of shapes."""
    for shapes in pairs:
        check_tensors(student, *case(rng, shapes))


def case(rng, shapes):
    """Return a label, the product, two arrays of these shapes and an upstream gradient."""
    arrays = [rng.normal(size=shape) for shape in shapes]
    upstream = rng.normal(size=np.matmul(*arrays).shape)
    return f"a @ b, shapes {shapes_text(*arrays)}", product, arrays, upstream


def check_special(student, rng, *pairs):
    """The same; what is wrong in ordinary products too is not asked."""
    plain = Plain(student, near=tolerance_of_tensors(student))
    for shapes in pairs:
        label, _, arrays, upstream = one = case(rng, shapes)
        either(
            plain,
            partial(check_tensors, student, *one),
            partial(
                special, plain, label, product, product, arrays, upstream,
                partial(check, student, rng, *ORDINARY),
            ),
        )  # fmt: skip


@pytest.mark.weight(5)
def test_matrix_by_matrix(student, rng):
    """Matrix by matrix: gradients G B^T and A^T G."""
    check(student, rng, *ORDINARY)


@pytest.mark.weight(2)
def test_rows_and_columns(student, rng):
    """Matrices of a single row or column are matrices like all others."""
    check_special(
        student, rng, ((1, 3), (3, 1)), ((3, 1), (1, 2)), ((2, 3), (3, 1)), ((1, 3), (3, 4))
    )


@pytest.mark.weight(2)
def test_square_matrices(student, rng):
    """With square matrices every product fits, but only one is right."""
    check_special(student, rng, ((3, 3), (3, 3)), ((2, 2), (2, 2)))


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

    plain, at = Plain(student, near=tolerance_of_tensors(student)), [x, y]

    def like_others():
        _, both = plain.answers(product, product, at, upstream)
        for n, (name, other) in enumerate(("ab", "ba")):
            _, alone = plain.answers(product, product, at, upstream, fixed=[1 - n])
            label = f"{name}.grad of a @ b, where {other} requires no gradient"
            # What it is where both require one is asked by other tests.
            expect.repeated(label, both[n], alone[n], **plain.near)

    either(plain, lambda: by_fed_ends(student, upstream, way), like_others)
    plain.one_is_right()


@pytest.mark.weight(2)
def test_product_of_products(student, rng):
    """In (a @ b) @ c the gradient passes through both products."""
    arrays = [rng.normal(size=shape) for shape in ((2, 3), (3, 4), (4, 2))]
    upstream = rng.normal(size=(2, 2))
    plain = Plain(student, near=tolerance_of_tensors(student))

    def exact():
        check_tensors(student, "a @ b @ c", lambda a, b, c: a @ b @ c, arrays, upstream)

    def step_by_step():
        first, _ = plain.answers(product, product, arrays[:2], np.ones((2, 4)))
        _, (between, third) = plain.answers(product, product, [first, arrays[2]], upstream)
        _, gradients = plain.answers(product, product, arrays[:2], between)
        _, whole = plain.answers(*[lambda a, b, c: a @ b @ c] * 2, arrays, upstream)
        for name, one, other in zip("abc", [*gradients, third], whole, strict=True):
            # What one product passes back is asked by other tests; here, whether two go together.
            expect.repeated(f"{name}.grad of a @ b @ c", one, other, **plain.near)

    either(plain, exact, step_by_step)
    plain.one_is_right()


def test_uses_add_up(student, rng):
    """What a product passes back is added to the grad of its operands, also in a @ a."""
    arrays, upstream = [rng.normal(size=(3, 3)) for _ in range(2)], rng.normal(size=(3, 3))

    def check_both(both, apply):
        check_tensors(student, "a @ b, twice in one graph", both, arrays, upstream, apply)

    plain = Plain(student, near=tolerance_of_tensors(student))
    either(
        plain,
        lambda: used_twice(check_both, product, product),
        lambda: uses_add_up(plain, "a @ b", product, product, arrays, upstream),
    )
    either(
        plain,
        lambda: check_tensors(student, "a @ a", lambda a: a @ a, arrays[:1], upstream),
        lambda: same_operand(plain, "a @ a", product, arrays[0], upstream),
    )
    plain.one_is_right()


def test_operands_stay_as_they_are(student, rng):
    """Neither a @ b nor backward changes the data of its operands."""
    x, y, upstream = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4))

    def way(feed, end, weights):
        a, b = feed([x, y], rng)
        result, near = a @ b, tolerance_of_tensors(student)
        end(result)
        something_right(
            lambda: proportional("a.grad of a @ b", a.grad, weights @ y.T, **near),
            lambda: proportional("b.grad of a @ b", b.grad, x.T @ weights, **near),
        )
        for name, node, before in zip("ab", (a, b), (x, y), strict=True):
            after = expect.array(f"{name}.data after backward", node.data, before.shape)
            expect.unchanged(f"{name}.data after backward", before.astype(after.dtype), after)

    by_fed_ends(student, upstream, way)
