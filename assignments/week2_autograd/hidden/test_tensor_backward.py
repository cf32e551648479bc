"""Hidden tests of Tensor.backward, on graphs of additions (or of products of ones).

Operands have equal shapes throughout.
"""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import constant, tensors, tolerance_of_tensors, with_feeds
from ..suite_tools.graphs import (
    DOUBLED,
    SMALL,
    built,
    by_sums_or_products,
    joined,
    paths,
    tangled,
)
from .without_backward import by_fed_ends

pytestmark = pytest.mark.item("week2.tensor_backward")

SHAPE = (2, 3)
ONES = np.ones(SHAPE)


def close(student, label, received, expected):
    """Compare gradients, as exactly as the engine's numbers allow."""
    expect.close(label, received, expected, **tolerance_of_tensors(student))


def fed_by_any_end(student, upstream, check):
    """`check(symbol, feed, end, weights)` passes with + or *, and with one of the ends."""

    by_sums_or_products(
        lambda symbol: by_fed_ends(
            student, upstream, partial(check, symbol), plain=False, alone=False
        )
    )


def check_graph(student, rng, label, leaves, pairs):
    """Compare the gradients of the leaves of a graph, all of them arrays of ones."""
    counts, upstream = paths(leaves, pairs), rng.normal(size=SHAPE)

    def check(symbol, feed, end, weights):
        starts = feed([ONES] * leaves, rng)
        end(built(starts, pairs, symbol)[-1])
        for name, start, count in zip("abcd", starts, counts[:leaves], strict=False):
            if count:
                close(student, f"{name}.grad in {label}", start.grad, count * weights)

    fed_by_any_end(student, upstream, check)


@pytest.mark.weight(2)
def test_single_number(student, rng):
    """backward() of a Tensor of shape () begins with 1."""

    def check(symbol, feed):
        a, b = feed([np.asarray(1.0), np.asarray(1.0)], rng)
        joined(symbol, a, b).backward()
        for name, node in {"a": a, "b": b}.items():
            close(student, f"{name}.grad after backward() of shape ()", node.grad, np.asarray(1.0))

    by_sums_or_products(
        lambda symbol: with_feeds(student, True, lambda feed: check(symbol, feed), plain=False)
    )  # fmt: skip


def test_only_one_operand_requires_a_gradient(student, rng):
    """The gradient gets through results of which only one operand requires one."""

    def check(symbol, feed, end, weights):
        [a], c, d = feed([ONES], rng), constant(student, ONES), constant(student, ONES)
        end(joined(symbol, joined(symbol, c, joined(symbol, a, d)), joined(symbol, c, d)))
        close(student, "a.grad, where c and d require no gradient", a.grad, weights)

    fed_by_any_end(student, rng.normal(size=SHAPE), check)


@pytest.mark.weight(2)
@pytest.mark.parametrize("label", SMALL)
def test_shared_tensors(student, rng, label):
    """Where a tensor is used several times all contributions count, before it passes them on."""
    check_graph(student, rng, label, 3, SMALL[label])


@pytest.mark.weight(3)
def test_tangled_graph(student, rng):
    """In a random graph of 30 results every leaf's grad counts all paths that lead to it."""
    check_graph(student, rng, "a random graph", 3, tangled(rng, 3, 30))


@pytest.mark.weight(2)
def test_doubled_sixty_times(student, rng):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    check_graph(student, rng, "y = y + y, 60 times", 3, DOUBLED)


def test_chain_of_300_nodes(student, rng):
    """A chain of 300 results, in each of which the first tensor is used."""

    def check(symbol, feed, end, weights):
        [x] = feed([ONES], rng)
        end(student.operand(student.prepare("chain", x, 300, symbol)))
        close(student, "a.grad in a chain", x.grad, 301 * weights)

    fed_by_any_end(student, rng.normal(size=SHAPE), check)


@pytest.mark.weight(2)
def test_two_graphs_with_the_same_leaf(student, rng):
    """A leaf of two separate graphs adds up what comes from both backward passes."""

    def check(symbol, feed, end, weights):
        [a], (b, c) = tensors(student, ONES), feed([ONES, ONES], rng)
        for other in (b, c):
            end(joined(symbol, a, other))
        for name, node, times in zip("bca", (b, c, a), (1, 1, 2), strict=True):
            label = f"{name}.grad after backward() in two graphs"
            close(student, label, node.grad, times * weights)

    fed_by_any_end(student, rng.normal(size=SHAPE), check)


@pytest.mark.weight(2)
def test_backward_changes_no_data(student, rng):
    """backward leaves the data of all tensors as they are."""
    arrays = [rng.normal(size=SHAPE) for _ in range(2)]

    def check(symbol, feed, end, weights):
        a, b = feed(arrays, rng)
        result = joined(symbol, a, b)
        end(result)
        wanted = {"a": (a, arrays[0]), "b": (b, arrays[1])}
        wanted["result"] = (result, joined(symbol, *arrays))
        for name, (node, array) in wanted.items():
            close(student, f"{name}.data after backward", node.data, array)
        slope = weights if symbol == "+" else weights * arrays[1]
        close(student, "a.grad", a.grad, slope)

    fed_by_any_end(student, rng.normal(size=SHAPE), check)
