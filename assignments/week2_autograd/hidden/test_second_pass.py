"""Hidden tests beyond the texts: several backward passes through the same nodes, and zero_grad."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import constant, tensors, tolerance_of_tensors, values, with_feeds
from ..suite_tools.graphs import by_sums_or_products, joined
from .without_backward import by_any_end

pytestmark = pytest.mark.item("week2.robustness")

SHAPE = (2, 3)
ONES = np.ones(SHAPE)
DEEP = 100_000


def fed(student, tensor, check):
    """`check(symbol, feed)` passes for graphs of + or for graphs of *."""
    by_sums_or_products(
        lambda symbol: with_feeds(student, tensor, lambda feed: check(symbol, feed))
    )  # fmt: skip


def expect_grads(expected, **nodes):
    """Compare the grad of each Value, by name, with `expected`."""
    for (name, node), grad in zip(nodes.items(), expected, strict=True):
        expect.close(f"{name}.grad", node.grad, float(grad), rtol=1e-12, atol=0)


@pytest.mark.weight(2)
def test_second_backward_of_a_value(student, rng):
    """A second backward through the same graph of Values doubles the grads of the leaves."""

    def check(symbol, feed):
        a, b, c = feed([1.0, 1.0, 1.0], rng)
        result = joined(symbol, joined(symbol, a, b), c)
        result.backward()
        result.backward()
        expect_grads((2, 2, 2), a=a, b=b, c=c)

    fed(student, False, check)


@pytest.mark.weight(2)
def test_two_results_of_the_same_values(student, rng):
    """Backward from two results that share an intermediate value adds up in the leaves."""

    def check(symbol, feed):
        a, b, c, d = feed([1.0, 1.0, 1.0, 1.0], rng)
        shared = joined(symbol, a, b)
        first, second = joined(symbol, shared, c), joined(symbol, shared, d)
        first.backward()
        second.backward()
        expect_grads((2, 2, 1, 1), a=a, b=b, c=c, d=d)

    fed(student, False, check)


def test_zero_grad_of_a_value(student, rng):
    """zero_grad clears the result and all that it came from; the next backward starts afresh."""

    def check(symbol, feed):
        a, b, c = feed([1.0, 1.0, 1.0], rng)
        middle = joined(symbol, a, b)
        result = joined(symbol, middle, c)
        result.backward()
        expect_grads((1, 1, 1), a=a, b=b, c=c)
        result.zero_grad()
        expect_grads((0, 0, 0, 0, 0), a=a, b=b, c=c, middle=middle, result=result)
        result.backward()
        expect_grads((1, 1, 1), a=a, b=b, c=c)

    fed(student, False, check)


@pytest.mark.long
def test_deep_graph(student, rng):
    """A chain of 100,000 results needs no recursion and little time, in backward and zero_grad."""

    def check(symbol, feed):
        [x] = feed([1.0], rng)
        deep = student.operand(student.prepare("chain", x, DEEP, symbol))
        result = joined(symbol, deep, *values(student, 1.0))
        result.backward()
        expect_grads((DEEP + 1,), x=x)
        result.zero_grad()
        expect_grads((0,), x=x)

    fed(student, False, check)


def close(student, label, received, expected):
    """Compare gradients, as exactly as the engine's numbers allow."""
    expect.close(label, received, expected, **tolerance_of_tensors(student))


@pytest.mark.weight(2)
def test_second_backward_of_a_tensor(student, rng):
    """A second backward through the same graph of Tensors doubles the grads of the leaves."""

    def check(symbol, feed):
        a, b, c = feed([np.asarray(1.0)] * 3, rng)
        result = joined(symbol, joined(symbol, a, b), c)
        result.backward()
        result.backward()
        for name, node in {"a": a, "b": b, "c": c}.items():
            close(student, f"{name}.grad after two backward passes", node.grad, np.asarray(2.0))

    fed(student, True, check)


@pytest.mark.weight(2)
def test_two_results_of_the_same_tensors(student, rng):
    """Backward from two results that share an intermediate tensor adds up in the leaves."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol, feed):
        def way(end, weights):
            a, b, c, d = feed([ONES] * 4, rng)
            shared = joined(symbol, a, b)
            end(joined(symbol, shared, c))
            end(joined(symbol, shared, d))
            for name, node, times in zip("abcd", (a, b, c, d), (2, 2, 1, 1), strict=True):
                close(student, f"{name}.grad", node.grad, times * weights)

        by_any_end(student, upstream, way)

    fed(student, True, check)


def test_zero_grad_of_a_tensor(student, rng):
    """zero_grad is for one tensor: its next gradient starts afresh, others' stay."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol, feed):
        def way(end, weights):
            [a], [b] = tensors(student, ONES), feed([ONES], rng)
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

    fed(student, True, check)


@pytest.mark.long
def test_deep_graph_of_tensors(student, rng):
    """A chain of 20,000 results needs no recursion and little time."""

    def check(symbol, feed):
        [x] = feed([np.asarray(1.0)], rng)
        student.operand(student.prepare("chain", x, DEEP // 5, symbol)).backward()
        close(student, "x.grad of a deep graph", x.grad, np.asarray(DEEP // 5 + 1.0))

    fed(student, True, check)
