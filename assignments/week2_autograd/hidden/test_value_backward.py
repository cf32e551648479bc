"""Hidden tests of Value.backward, on graphs of additions (or of products of ones)."""

import pytest

from autograder.suite import expect

from ..suite_tools.engine import values
from ..suite_tools.graphs import DOUBLED, SMALL, by_sums_or_products, paths, tangled

pytestmark = pytest.mark.item("week2.value_backward")


def check_graph(student, label, leaves, pairs, *, only_leaves=False):
    """Compare the gradients of the nodes of a graph, whose leaves are ones."""
    counts = paths(leaves, pairs)

    def check(symbol):
        starts = values(student, *[1.0] * leaves)
        nodes = student.prepare("graph", starts, [list(pair) for pair in pairs], symbol)
        student.operand(student.prepare("node", nodes, -1)).backward()
        grads = student.drive("grads", nodes)
        whole = isinstance(grads, list) and len(grads) == len(counts)
        expect.that(f"the gradients of {label}", whole, "some are missing.")
        for place in range(leaves if only_leaves else len(counts)):
            name = "abcd"[place] if place < leaves else f"result {place - leaves + 1}"
            grad = f"grad of {name} in {label}"
            expect.close(grad, grads[place], float(counts[place]), rtol=1e-12, atol=0)

    by_sums_or_products(check)


def test_the_result_begins_with_one(student):
    """After backward() the result's own grad is 1, also that of a Value that was not computed."""

    def check(symbol):
        a, b = values(student, 1.0, 1.0)
        result = a + b if symbol == "+" else a * b
        result.backward()
        for name, node in {"the result": result, "a": a, "b": b}.items():
            expect.close(f"grad of {name}", node.grad, 1.0)

    by_sums_or_products(check)
    [leaf] = values(student, 2.0)
    leaf.backward()
    expect.close("grad of a Value after its own backward()", leaf.grad, 1.0)


@pytest.mark.weight(2)
@pytest.mark.parametrize("label", SMALL)
def test_shared_values(student, label):
    """Where a value is used several times all contributions count, before it passes them on."""
    check_graph(student, label, 3, SMALL[label])


@pytest.mark.weight(3)
def test_tangled_graph(student, rng):
    """In a random graph of 40 results every grad counts all paths that lead to the node."""
    for _ in range(2):
        check_graph(student, "a random graph", 4, tangled(rng, 4, 40), only_leaves=True)


@pytest.mark.weight(2)
def test_doubled_sixty_times(student):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    check_graph(student, "y = y + y, 60 times", 3, DOUBLED, only_leaves=True)


def test_chain_of_300_nodes(student):
    """A chain of 300 results, in each of which the first value is used."""
    check_graph(student, "a chain", 1, [(place, 0) for place in range(300)], only_leaves=True)


@pytest.mark.weight(2)
def test_two_graphs_with_the_same_leaf(student):
    """A leaf of two separate graphs adds up what comes from both backward passes."""

    def check(symbol):
        a, b, c = values(student, 1.0, 1.0, 1.0)
        for other in (b, c):
            (a + other if symbol == "+" else a * other).backward()
        for name, node, grad in zip("abc", (a, b, c), (2.0, 1.0, 1.0), strict=True):
            expect.close(f"{name}.grad after backward() in two graphs", node.grad, grad)

    by_sums_or_products(check)


def test_backward_reaches_only_what_the_result_came_from(student):
    """backward in the middle of a graph changes nothing above, beside, or out of reach of it."""

    def check(symbol):
        a, b, c, other = values(student, 1.0, 1.0, 1.0, 1.0)
        middle = a + b if symbol == "+" else a * b
        result = middle + c if symbol == "+" else middle * c
        beside = a + other if symbol == "+" else a * other
        middle.backward()
        nodes = {"a": a, "b": b, "c": c, "other": other, "result": result, "beside": beside}
        for name, node in nodes.items():
            expect.close(f"{name}.grad", node.grad, 1.0 if name in "ab" else 0.0)

    by_sums_or_products(check)


def test_backward_changes_no_data(student):
    """backward leaves the data of all values as they are."""

    def check(symbol):
        a, b = values(student, 2.0, -3.0)
        result = a + b if symbol == "+" else a * b
        result.backward()
        wanted = {
            "a": (a, 2.0),
            "b": (b, -3.0),
            "result": (result, -1.0 if symbol == "+" else -6.0),
        }
        for name, (node, number) in wanted.items():
            expect.close(f"{name}.data after backward", node.data, number)
        expect.that("a.grad", node_has_moved(a), "it is 0.")

    by_sums_or_products(check)


def node_has_moved(value):
    """Whether a Value has got a gradient."""
    return bool(expect.array("a.grad", value.grad, ()) != 0.0)
