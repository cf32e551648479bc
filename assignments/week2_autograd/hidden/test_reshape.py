"""Hidden tests of Tensor.reshape."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import something_right

from ..suite_tools.engine import tolerance_of_tensors, used_twice
from .plain_answers import Plain, chained, either, uses_add_up
from .without_backward import by_fed_ends, check_tensors

pytestmark = pytest.mark.item("week2.reshape")


def check(student, rng, shape, *others):
    """Compare a.reshape(...) from `shape` to each of the other shapes."""
    for other in others:
        array, upstream = rng.normal(size=shape), rng.normal(size=other)
        label = f"a.reshape({', '.join(map(str, other))}), shape {shape}"
        check_tensors(student, label, lambda a, other=other: a.reshape(*other), [array], upstream)


@pytest.mark.weight(3)
def test_matrices(student, rng):
    """reshape puts the entries, in their order, into another shape, and the gradient back."""
    check(student, rng, (2, 6), (3, 4), (4, 3), (6, 2))


@pytest.mark.weight(2)
def test_other_numbers_of_axes(student, rng):
    """There may be more axes than before, or fewer."""
    check(student, rng, (2, 6), (12,), (2, 2, 3))
    check(student, rng, (12,), (3, 4))
    check(student, rng, (2, 3, 4), (6, 4))


def test_axes_of_length_one(student, rng):
    """A vector becomes a row or a column, and back."""
    check(student, rng, (3,), (1, 3), (3, 1))
    check(student, rng, (3, 1), (3,))


@pytest.mark.weight(2)
def test_in_a_graph(student, rng):
    """Where the operand was computed itself, the gradient passes on to what it came from."""
    array, upstream = rng.normal(size=(2, 6)), rng.normal(size=(3, 4))
    label = "a.reshape(4, 3).reshape(3, 4), shape (2, 6)"
    plain = Plain(student, near=tolerance_of_tensors(student))
    steps = [(f, f) for f in (lambda a: a.reshape(4, 3), lambda a: a.reshape(3, 4))]

    def exact():
        both = lambda a: a.reshape(4, 3).reshape(3, 4)  # noqa: E731
        check_tensors(student, label, both, [array], upstream)

    either(plain, exact, lambda: chained(plain, label, steps, array, upstream))
    plain.one_is_right()


def test_uses_add_up(student, rng):
    """What reshape passes back is added to the grad of its operand."""
    array, upstream = rng.normal(size=(2, 6)), rng.normal(size=(3, 4))

    def check_both(both, apply):
        label = "a.reshape(3, 4), twice in one graph"
        check_tensors(student, label, both, [array], upstream, apply)

    plain, f = Plain(student, near=tolerance_of_tensors(student)), lambda a: a.reshape(3, 4)
    either(
        plain,
        lambda: used_twice(check_both, f, f),
        lambda: uses_add_up(plain, "a.reshape(3, 4)", f, f, [array], upstream),
    )
    plain.one_is_right()


def test_operand_stays_as_it_is(student, rng):
    """reshape makes a new Tensor: the operand keeps its shape and its numbers."""
    array, upstream = rng.normal(size=(2, 6)), rng.normal(size=(3, 4))

    def way(feed, end, weights):
        [a] = feed([array], rng)
        result = a.reshape(3, 4)
        near = tolerance_of_tensors(student)
        end(result)
        wanted, gradient = array.reshape(3, 4), np.reshape(weights, (2, 6))

        def passes_something_back():
            expect.close("data of a.reshape(3, 4)", result.data, wanted, **near)
            f, plain = (lambda a: a.reshape(3, 4)), Plain(student, near=near)
            _, [received] = plain.answers(f, f, [array], upstream)
            expect.differ("a.grad of a.reshape(3, 4)", received, 0, "it is zero.")

        something_right(
            lambda: expect.close("a.grad of a.reshape(3, 4)", a.grad, gradient, **near),
            passes_something_back,
        )
        expect.close("a.data after a.reshape(3, 4)", a.data, array, **near)

    by_fed_ends(student, upstream, way)
