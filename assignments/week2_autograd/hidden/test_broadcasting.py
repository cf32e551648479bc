"""Hidden tests of broadcasting: tensor.unbroadcast, and operators on operands of other shapes.

Gradients of - * / ** are compared with what the student's own operators give for operands that
NumPy has brought to the full shape beforehand, so that only broadcasting is judged here.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.engine import TOLERANCE, check_tensors, refuses, shapes_text, tensors

pytestmark = pytest.mark.item("week2.broadcasting")
needs_operators = pytest.mark.needs("week2.tensor_elementwise", "week2.tensor_backward")


def summed(gradient, shape):
    """Return the gradient with respect to what was broadcast from `shape` to the full shape."""
    [result] = vjp(lambda x: np.broadcast_to(x, gradient.shape), [np.zeros(shape)], gradient)
    return result


def check_unbroadcast(student, rng, *pairs):
    """Compare unbroadcast for (shape of the gradient, shape wanted)."""
    for full, shape in pairs:
        gradient = rng.normal(size=full)
        received = student.tensor.unbroadcast(gradient, shape)
        label = f"unbroadcast of shape {full} to {shape}"
        expect.close(label, received, summed(gradient, shape), **TOLERANCE)


def test_unbroadcast_to_the_same_shape(student, rng):
    """unbroadcast to the shape that the gradient has changes nothing."""
    check_unbroadcast(student, rng, *((shape, shape) for shape in ((3, 4), (1, 4), (3,), ())))


@pytest.mark.weight(2)
def test_unbroadcast_of_added_axes(student, rng):
    """Axes that broadcasting put in front are summed away."""
    pairs = (((2, 3), (3,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((1, 4), (4,)))
    check_unbroadcast(student, rng, *pairs)


@pytest.mark.weight(2)
def test_unbroadcast_of_stretched_axes(student, rng):
    """Axes of size 1 that broadcasting stretched are summed, and keep their place."""
    pairs = (((3, 4), (1, 4)), ((3, 4), (3, 1)), ((3, 4), (1, 1)), ((5,), (1,)))
    check_unbroadcast(student, rng, *pairs)


@pytest.mark.weight(2)
def test_unbroadcast_of_both_kinds(student, rng):
    """Axes may have been added and stretched at once."""
    pairs = (((2, 3, 4), (1, 4)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (1,)), ((2, 3, 4, 5), (3, 1, 1)))
    check_unbroadcast(student, rng, *pairs)


def test_unbroadcast_to_a_scalar(student, rng):
    """What was broadcast from a single number gets the sum of everything, of shape ()."""
    check_unbroadcast(student, rng, ((3,), ()), ((3, 4), ()), ((2, 3, 4), ()), ((1, 1), ()))


@pytest.mark.weight(2)
def test_unbroadcast_of_square_arrays(student, rng):
    """Where all axes have the same size, the right ones are summed all the same."""
    full, cube = (3, 3), (3, 3, 3)
    pairs = [(full, shape) for shape in ((3,), (1, 3), (3, 1))]
    pairs += [(cube, shape) for shape in ((3,), (3, 3), (3, 1), (1, 3), (1, 3, 3), (3, 1, 3))]
    check_unbroadcast(student, rng, *pairs)


@pytest.mark.weight(2)
def test_unbroadcast_of_middle_axes(student, rng):
    """Axes of size 1 may stand in the middle or at the end: (2, 1, 4), (2, 3, 1), (1, 3, 1)."""
    full = (2, 3, 4)
    shapes = ((2, 1, 4), (2, 3, 1), (1, 3, 1), (2, 1, 1), (1, 1, 4))
    check_unbroadcast(student, rng, *((full, shape) for shape in shapes))


def test_unbroadcast_keeps_its_argument(student, rng):
    """unbroadcast does not change the gradient that it is given."""
    gradient = rng.normal(size=(2, 3, 4))
    for shape in ((2, 3, 4), (4,), (2, 1, 4)):
        kept = student.keep(gradient)
        received = student.tensor.unbroadcast(kept, shape)
        expect.array(f"unbroadcast of shape (2, 3, 4) to {shape}", received, shape)
        expect.unchanged("the gradient", gradient, student.fetch(kept))


def check_sum(student, rng, *pairs):
    """Compare a + b for operands of these pairs of shapes."""
    for shapes in pairs:
        arrays = [rng.normal(size=shape) for shape in shapes]
        upstream = rng.normal(size=np.broadcast_shapes(*shapes))
        label = f"a + b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: a + b, arrays, upstream)


@pytest.mark.weight(2)
def test_row_and_matrix(student, rng):
    """A row is added to every row of a matrix, from either side; its gradient sums over them."""
    check_sum(student, rng, ((3, 4), (4,)), ((4,), (3, 4)), ((3, 4), (1, 4)), ((1, 4), (3, 4)))
    check_sum(student, rng, ((3, 3), (3,)), ((3,), (3, 3)), ((1, 3), (3, 3)))


@pytest.mark.weight(2)
def test_columns(student, rng):
    """A column of shape (3, 1) is stretched to a matrix, also together with a row."""
    check_sum(student, rng, ((3, 4), (3, 1)), ((3, 1), (3, 4)), ((3, 3), (3, 1)))
    check_sum(student, rng, ((3, 1), (1, 4)), ((1, 4), (3, 1)), ((3, 1), (4,)), ((4,), (3, 1)))


@pytest.mark.weight(2)
def test_three_dimensions(student, rng):
    """Operands of three dimensions, with ones in the middle, are broadcast like all others."""
    full = (2, 3, 4)
    pairs = [(full, shape) for shape in ((2, 1, 4), (3, 1), (1, 3, 1), (4,))]
    check_sum(student, rng, *pairs, ((2, 1, 4), (3, 1)), ((2, 1, 1), (1, 3, 4)))


def test_single_numbers(student, rng):
    """A Tensor of one number, of shape () or (1,), combines with any other."""
    check_sum(student, rng, ((), (2, 3)), ((2, 3), ()), ((1,), (2, 3)), ((1, 1), (3,)), ((), (1,)))


def test_arrays_broadcast_too(student, rng):
    """A NumPy array on either side may be the larger operand."""
    n, upstream = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    operations = {"a + n": lambda a: a + n, "n + a": lambda a: n + a}
    for label, f in operations.items():
        for shape in ((4,), (3, 1), ()):
            arrays = [np.asarray(rng.normal(size=shape))]
            text = f"{label} with an array n of shape (3, 4), a of shape {shape}"
            check_tensors(student, text, f, arrays, upstream)


def check_against_full(student, rng, label, apply, shapes):
    """Compare the gradients of broadcast operands with those of operands of the full shape."""
    arrays = [rng.uniform(0.5, 2.0, size=shape) for shape in shapes]
    full = np.broadcast_arrays(*arrays)
    upstream = rng.normal(size=full[0].shape)
    large, small = tensors(student, *(array.copy() for array in full)), tensors(student, *arrays)
    apply(*large).backward(upstream)
    apply(*small).backward(upstream)
    for name, wide, narrow, array in zip("ab", large, small, arrays, strict=True):
        gradient = expect.array(f"{name}.grad of {label}", wide.grad, upstream.shape)
        expect.that(f"{name}.grad of {label}", bool(np.any(gradient)), "it is zero everywhere")
        text = f"{name}.grad of {label}, shapes {shapes_text(*arrays)}"
        expect.close(text, narrow.grad, summed(gradient, array.shape), **TOLERANCE)


@needs_operators
@pytest.mark.weight(2)
def test_every_operator_broadcasts(student, rng):
    """-, *, / and ** broadcast as + does."""
    operations = {
        "a - b": lambda a, b: a - b,
        "a * b": lambda a, b: a * b,
        "a / b": lambda a, b: a / b,
        "a ** b": lambda a, b: a**b,
    }
    for label, apply in operations.items():
        for shapes in (((3, 1), (1, 4)), ((4,), (3, 4)), ((2, 3), ())):
            check_against_full(student, rng, label, apply, shapes)


def test_shapes_that_do_not_fit(student, rng):
    """Operands whose shapes don't fit raise a ValueError that names both shapes."""
    check_sum(student, rng, ((3, 4), (4,)))
    for shapes in (((3,), (4,)), ((2, 3), (2,)), ((2, 3), (3, 2))):
        a, b = tensors(student, *(rng.normal(size=shape) for shape in shapes))
        label = f"a + b, shapes {shapes[0]} and {shapes[1]}"
        refuses(label, lambda a=a, b=b: a + b, *shapes)
