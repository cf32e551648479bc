"""Public tests of Tensor.backward and no_grad, in autograd.py.

The graphs are of additions, or, if additions are wrong, of products of ones: the gradient of a leaf
is the upstream gradient times the number of paths that lead to it.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import by_any_end, constant, tensors, tolerance_of_tensors
from ..suite_tools.graphs import (
    DOUBLED,
    SMALL,
    built,
    by_sums,
    by_sums_or_products,
    joined,
    paths,
)

backward = pytest.mark.item("week2.tensor_backward")
robust = pytest.mark.item("week2.robustness")

UPSTREAM = np.array([[2.0, -3.0, 0.5], [-1.0, 4.0, 1.5]])
ONES = np.ones((2, 3))


def close(student, label, received, expected):
    """Compare gradients, as exactly as your engine's numbers allow."""
    expect.close(label, received, expected, **tolerance_of_tensors(student))


def check_graph(student, label, pairs):
    """Compare the gradients of the leaves a, b and c of a graph."""
    counts = paths(3, pairs)

    def check(symbol):
        def way(end, weights):
            starts = tensors(student, ONES, ONES, ONES)
            end(built(starts, pairs, symbol)[-1])
            for name, start, count in zip("abc", starts, counts[:3], strict=True):
                if count:
                    close(student, f"{name}.grad in {label}", start.grad, count * weights)

        by_any_end(student, UPSTREAM, way)

    by_sums_or_products(check)


@backward
@pytest.mark.parametrize("label", SMALL)
def test_tensor_backward(student, label):
    """Where a tensor is used several times all contributions count, before it passes them on."""
    check_graph(student, label, SMALL[label])


@backward
def test_tensor_doubled(student):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    check_graph(student, "y = y + y, 60 times", DOUBLED)


@backward
def test_tensor_of_two_graphs(student):
    """A leaf of two graphs adds up what comes from both; not all operands require a gradient."""

    def check(symbol):
        a, b = tensors(student, np.asarray(1.0), np.asarray(1.0))
        for other in (b, constant(student, np.asarray(1.0))):
            joined(symbol, a, other).backward()
        close(student, "a.grad", a.grad, np.asarray(2.0))
        close(student, "b.grad", b.grad, np.asarray(1.0))

    by_sums_or_products(check)


# Beyond the texts


@robust
def test_tensor_second_backward(student):
    """A second backward adds the same again to the leaves; zero_grad is for one tensor."""

    def check(symbol):
        a, b, c = tensors(student, *[np.asarray(1.0)] * 3)
        result = joined(symbol, joined(symbol, a, b), c)
        result.backward()
        result.backward()
        close(student, "a.grad", a.grad, np.asarray(2.0))
        a.zero_grad()
        close(student, "b.grad after a.zero_grad()", b.grad, np.asarray(2.0))

    by_sums_or_products(check)


@robust
def test_tensor_gradients_are_arrays_of_their_own(student):
    """Scaling a.grad in place does not change b.grad."""

    def check(symbol, factor=0.5):
        def way(end, weights):
            a, b = tensors(student, ONES, ONES)
            end(joined(symbol, a, b))
            student.drive("scale_gradient", a, factor)
            close(student, "b.grad, when a.grad was scaled in place", b.grad, weights)

        by_any_end(student, UPSTREAM, way)

    by_sums(check, lambda symbol: check(symbol, 1.0))


@robust
def test_tensor_deep_graph(student):
    """A chain of 10,000 results works."""

    def check(symbol):
        [x] = tensors(student, np.asarray(1.0))
        student.operand(student.prepare("chain", x, 10_000, symbol)).backward()
        close(student, "x.grad of a deep graph", x.grad, np.asarray(10_001.0))

    by_sums_or_products(check)


@robust
def test_tensor_backward_of_more_entries(student):
    """backward() is for a single entry; a tensor that requires no gradient has no backward."""
    [a], [b] = tensors(student, ONES), tensors(student, np.asarray(1.0), requires_grad=False)
    expect.raises("backward() of shape (2, 3)", a.backward, "ValueError")
    expect.raises("backward() of a constant", b.backward, "RuntimeError")


@robust
def test_no_grad_blocks(student):
    """Within no_grad nothing requires a gradient; after it, and after an exception, all is back."""
    enter, leave = student.probe("enter"), student.probe("leave")
    outer, inner = student.autograd.no_grad(), student.autograd.no_grad()

    def requires_grad():
        a, b = tensors(student, ONES, ONES)
        return (a + b).requires_grad

    label = "requires_grad of a + b within no_grad"
    enter(outer)
    expect.equal(label, requires_grad(), False)
    enter(inner)
    leave(inner, True)
    expect.equal(label, requires_grad(), False)
    leave(outer, True)
    expect.equal("requires_grad of a + b after no_grad", requires_grad(), True)
