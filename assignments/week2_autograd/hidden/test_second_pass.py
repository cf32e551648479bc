"""Hidden tests beyond the texts: several backward passes through the same nodes, and zero_grad."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import by_any_end, constant, tensors, tolerance_of_tensors, values
from ..suite_tools.graphs import by_sums_or_products

pytestmark = pytest.mark.item("week2.robustness")

SHAPE = (2, 3)
ONES = np.ones(SHAPE)
DEEP = 100_000


def joined(symbol, a, b):
    """Return a + b or a * b."""
    return a + b if symbol == "+" else a * b


def expect_grads(expected, **nodes):
    """Compare the grad of each Value, by name, with `expected`."""
    for (name, node), grad in zip(nodes.items(), expected, strict=True):
        expect.close(f"{name}.grad", node.grad, float(grad), rtol=1e-12, atol=0)


@pytest.mark.weight(2)
def test_second_backward_of_a_value(student):
    """A second backward through the same graph doubles the grads of the leaves."""

    def check(symbol):
        a, b, c = values(student, 1.0, 1.0, 1.0)
        result = joined(symbol, joined(symbol, a, b), c)
        result.backward()
        result.backward()
        expect_grads((2, 2, 2), a=a, b=b, c=c)

    by_sums_or_products(check)


@pytest.mark.weight(2)
def test_two_results_of_the_same_values(student):
    """Backward from two results that share an intermediate value adds up in the leaves."""

    def check(symbol):
        a, b, c, d = values(student, 1.0, 1.0, 1.0, 1.0)
        shared = joined(symbol, a, b)
        first, second = joined(symbol, shared, c), joined(symbol, shared, d)
        first.backward()
        second.backward()
        expect_grads((2, 2, 1, 1), a=a, b=b, c=c, d=d)

    by_sums_or_products(check)


def test_zero_grad_of_a_value(student):
    """zero_grad clears the result and all that it came from; the next backward starts afresh."""

    def check(symbol):
        a, b, c = values(student, 1.0, 1.0, 1.0)
        middle = joined(symbol, a, b)
        result = joined(symbol, middle, c)
        result.backward()
        expect_grads((1, 1, 1), a=a, b=b, c=c)
        result.zero_grad()
        expect_grads((0, 0, 0, 0, 0), a=a, b=b, c=c, middle=middle, result=result)
        result.backward()
        expect_grads((1, 1, 1), a=a, b=b, c=c)

    by_sums_or_products(check)


@pytest.mark.long
def test_deep_graph(student):
    """A chain of 100,000 results needs no recursion and little time, in backward and zero_grad."""

    def check(symbol):
        [x] = values(student, 1.0)
        result = student.operand(student.prepare("chain", x, DEEP, symbol))
        result.backward()
        expect_grads((DEEP + 1,), x=x)
        result.zero_grad()
        expect_grads((0,), x=x)

    by_sums_or_products(check)


def close(student, label, received, expected):
    """Compare gradients, as exactly as the engine's numbers allow."""
    expect.close(label, received, expected, **tolerance_of_tensors(student))


@pytest.mark.weight(2)
def test_second_backward_of_a_tensor(student):
    """A second backward through the same graph doubles the grads of the leaves."""

    def check(symbol):
        a, b, c = tensors(student, *[np.asarray(1.0)] * 3)
        result = joined(symbol, joined(symbol, a, b), c)
        result.backward()
        result.backward()
        for name, node in {"a": a, "b": b, "c": c}.items():
            close(student, f"{name}.grad after two backward passes", node.grad, np.asarray(2.0))

    by_sums_or_products(check)


@pytest.mark.weight(2)
def test_two_results_of_the_same_tensors(student, rng):
    """Backward from two results that share an intermediate tensor adds up in the leaves."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol):
        def way(end, weights):
            a, b, c, d = tensors(student, *[ONES] * 4)
            shared = joined(symbol, a, b)
            end(joined(symbol, shared, c))
            end(joined(symbol, shared, d))
            for name, node, times in zip("abcd", (a, b, c, d), (2, 2, 1, 1), strict=True):
                close(student, f"{name}.grad", node.grad, times * weights)

        by_any_end(student, upstream, way)

    by_sums_or_products(check)


def test_zero_grad_of_a_tensor(student, rng):
    """zero_grad is for one tensor: its next gradient starts afresh, others' stay."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol):
        def way(end, weights):
            a, b = tensors(student, ONES, ONES)
            result = joined(symbol, a, b)
            end(result)
            result.zero_grad()
            close(student, "a.grad after result.zero_grad()", a.grad, weights)
            a.zero_grad()
            left = a.grad
            if left is not None:
                close(student, "a.grad after a.zero_grad()", left, 0 * weights)
            close(student, "b.grad after a.zero_grad()", b.grad, weights)
            end(joined(symbol, a, constant(student, ONES)))
            close(student, "a.grad after the next backward", a.grad, weights)

        by_any_end(student, upstream, way)

    by_sums_or_products(check)


@pytest.mark.long
def test_deep_graph_of_tensors(student):
    """A chain of 20,000 results needs no recursion and little time."""

    def check(symbol):
        [x] = tensors(student, np.asarray(1.0))
        student.operand(student.prepare("chain", x, DEEP // 5, symbol)).backward()
        close(student, "x.grad of a deep graph", x.grad, np.asarray(DEEP // 5 + 1.0))

    by_sums_or_products(check)
