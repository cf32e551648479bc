"""Hidden tests of Value.backward, on graphs of additions (or of products of ones)."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import values, with_feeds
from ..suite_tools.graphs import (
    DOUBLED,
    SMALL,
    built,
    by_sums_or_products,
    joined,
    paths,
    tangled,
)

pytestmark = pytest.mark.item("week2.value_backward")


def close(student, label, received, expected, **near):
    """Compare a gradient; or one that is larger by what `backward` begins with."""

    def from_own_start():
        [leaf] = values(student, 2.0)
        leaf.backward()
        start = expect.array("grad of a Value after its own backward()", leaf.grad, ())
        expect.differ("grad of a Value after its own backward()", start, 0, "it is zero.")
        # What backward begins with is asked by another test.
        expect.repeated(label, np.asarray(start * expected), received, **near)

    expect.any_of(lambda: expect.close(label, received, expected, **near), from_own_start)


def check_graph(student, rng, label, leaves, pairs, *, results=()):
    """Compare the gradients of a graph's leaves, and of some of its results; all data are ones."""
    counts = paths(leaves, pairs)

    def check(symbol, feed, end):
        nodes = built(feed([1.0] * leaves, rng), pairs, symbol)
        weight = end(nodes[-1])
        for place in (*range(leaves), *results):
            name = "abcd"[place] if place < leaves else f"result {place - leaves + 1}"
            grad = f"grad of {name} in {label}"
            wanted = weight * counts[place]
            close(student, grad, nodes[place].grad, wanted, rtol=1e-12, atol=0)

    by_ends(student, rng, check)


def fed_by_sums_or_products(student, check):
    """`check(symbol, feed)` passes for graphs of + or for graphs of *."""
    by_sums_or_products(
        lambda symbol: with_feeds(student, False, lambda feed: check(symbol, feed), plain=False)
    )


def by_ends(student, rng, check):
    """`check(symbol, feed, end)` passes for + or *, where `end(result)` runs backward.

    It does so from a multiple of the result, by sums or by a product, and returns the multiple.
    """
    times, factor = int(rng.integers(2, 6)), float(rng.uniform(0.5, 2.0))

    def by_sums(result):
        total = result
        for _ in range(times - 1):
            total = total + result
        total.backward()
        return times

    def by_a_product(result):
        (result * values(student, factor)[0]).backward()
        return factor

    def with_ends(symbol, feed):
        expect.any_of(
            lambda: check(symbol, feed, by_sums), lambda: check(symbol, feed, by_a_product)
        )

    fed_by_sums_or_products(student, with_ends)


@pytest.mark.weight(3)
def test_the_result_begins_with_one(student, rng):
    """After backward() the result's own grad is 1, also that of a Value that was not computed."""

    def check(symbol, feed):
        a, b = feed([1.0, 1.0], rng)
        result = joined(symbol, a, b)
        result.backward()
        for name, node in {"the result": result, "a": a, "b": b}.items():
            expect.close(f"grad of {name}", node.grad, 1.0)

    fed_by_sums_or_products(student, check)
    [leaf] = values(student, 2.0)
    leaf.backward()
    expect.close("grad of a Value after its own backward()", leaf.grad, 1.0)


@pytest.mark.weight(2)
@pytest.mark.parametrize("label", SMALL)
def test_shared_values(student, rng, label):
    """Where a value is used several times all contributions count, before it passes them on."""
    results = range(3, 3 + len(SMALL[label]))
    check_graph(student, rng, label, 3, SMALL[label], results=results)


@pytest.mark.weight(3)
def test_tangled_graph(student, rng):
    """In a random graph of 40 results every grad counts all paths that lead to the node."""
    for _ in range(2):
        check_graph(student, rng, "a random graph", 4, tangled(rng, 4, 40))


@pytest.mark.weight(2)
def test_doubled_sixty_times(student, rng):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    check_graph(student, rng, "y = y + y, 60 times", 3, DOUBLED)


def test_chain_of_300_nodes(student, rng):
    """A chain of 300 results, in each of which the first value is used."""

    def check(symbol, feed, end):
        [x] = feed([1.0], rng)
        weight = end(student.operand(student.prepare("chain", x, 300, symbol)))
        close(student, "grad of a in a chain", x.grad, 301 * weight, rtol=1e-12, atol=0)

    by_ends(student, rng, check)


@pytest.mark.weight(2)
def test_two_graphs_with_the_same_leaf(student, rng):
    """A leaf of two separate graphs adds up what comes from both backward passes."""

    def check(symbol, feed):
        [a], (b, c) = values(student, 1.0), feed([1.0, 1.0], rng)
        for other in (b, c):
            joined(symbol, a, other).backward()
        for name, node, grad in zip("bca", (b, c, a), (1.0, 1.0, 2.0), strict=True):
            close(student, f"{name}.grad after backward() in two graphs", node.grad, grad)

    fed_by_sums_or_products(student, check)


def test_backward_reaches_only_what_the_result_came_from(student, rng):
    """backward in the middle of a graph changes nothing above, beside, or out of reach of it."""

    def check(symbol, feed):
        a, b, c, other = feed([1.0] * 4, rng)
        middle = joined(symbol, a, b)
        result, beside = joined(symbol, middle, c), joined(symbol, a, other)
        middle.backward()
        nodes = {"a": a, "b": b, "c": c, "other": other, "result": result, "beside": beside}
        for name, node in nodes.items():
            close(student, f"{name}.grad", node.grad, 1.0 if name in "ab" else 0.0)

    fed_by_sums_or_products(student, check)


def test_backward_changes_no_data(student, rng):
    """backward leaves the data of all values as they are."""
    numbers = [float(number) for number in rng.uniform(1.5, 3.0, size=2)]

    def check(symbol, feed, end):
        a, b = feed(numbers, rng)
        result = joined(symbol, a, b)
        weight = end(result)
        wanted = {"a": (a, numbers[0]), "b": (b, numbers[1])}
        wanted["result"] = (result, joined(symbol, *numbers))
        for name, (node, number) in wanted.items():
            expect.close(f"{name}.data after backward", node.data, number)
        slope = weight if symbol == "+" else weight * numbers[1]
        close(student, "a.grad", a.grad, slope)

    by_ends(student, rng, check)
