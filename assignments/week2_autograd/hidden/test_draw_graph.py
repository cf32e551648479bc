"""Hidden tests of draw_graph: graph_of, label_of and to_dot, on graphs that no engine made.

The nodes of these graphs hold different numbers, by which they are recognised. All of this goes
beyond the texts (item week2.draw_graph).
"""

import re

import numpy as np
import pytest

from autograder.channel.handles import Handle
from autograder.suite import expect

from ..suite_tools.engine import tensors, values

pytestmark = pytest.mark.item("week2.draw_graph")

NODE = re.compile(r'"?\b(\w+)"?\s*\[[^\[\]]*?label\s*=\s*"([^"]*)"')
"""No bracket stands before the label, so that no part of a text is looked at from several."""
EDGE = re.compile(r'"?\b(\w+)"?\s*->\s*"?(\w+)"?')
LONGEST = 10_000
NEW_LINE = re.compile(r"\\[nlr]|\n")


def node(student, data, op="", operands=(), grad=0.0):
    """Return a made-up node of a graph."""
    return student.probe("graph_node")(data, grad, op, list(operands))


def numbers_of(rng, count):
    """Return different whole numbers in any order."""
    return [int(one) for one in rng.permutation(np.arange(10, 90))[:count]]


def diamond(student, rng):
    """Return 3 -> (4, 5) -> 6, where 3 is made of 1 and 2: the last node and the six numbers."""
    data = numbers_of(rng, 6)
    names = list(rng.permutation(["exp", "tanh", "relu", "log", "sum"])[:3])
    one, two = node(student, float(data[0])), node(student, float(data[1]))
    three = node(student, float(data[2]), str(names[0]), (one, two))
    four = node(student, float(data[3]), str(names[1]), (three,))
    five = node(student, float(data[4]), str(names[2]), (three,))
    labels = ["leaf", "leaf", *map(str, names), "*"]
    return node(student, float(data[5]), "*", (five, four)), data, labels


def edges_of(data):
    """Return the edges of `diamond` as pairs of numbers, sorted."""
    pairs = ((0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5))
    return sorted((data[one], data[other]) for one, other in pairs)


def graph_of(student, root):
    """Return the numbers of the nodes in their order, and the edges as pairs of such numbers."""
    received = student.draw_graph.graph_of(root)
    pair = isinstance(received, tuple | list) and len(received) == 2
    expect.that("graph_of", pair, "it must return two lists: the nodes and the edges")
    nodes, edges = received
    are_nodes = isinstance(nodes, list | tuple) and all(isinstance(one, Handle) for one in nodes)
    expect.that("nodes of graph_of", are_nodes, "they must be a list of the nodes themselves")
    numbers = [float(expect.array("data of a node", one.data, ())) for one in nodes]
    are_edges = isinstance(edges, list | tuple) and all(_is_edge(one, len(nodes)) for one in edges)
    expect.that("edges of graph_of", are_edges, "they must be pairs of indices into the nodes")
    return numbers, [(numbers[operand], numbers[result]) for operand, result in edges]


def _is_edge(edge, count):
    pair = isinstance(edge, list | tuple) and len(edge) == 2
    return pair and all(type(end) is int and 0 <= end < count for end in edge)


def expect_nodes(numbers, wanted):
    """Compare the nodes, in any order."""
    expect.equal("numbers of the nodes, sorted", np.array(sorted(numbers)), np.array(wanted, float))


def expect_edges(edges, wanted):
    """Compare the edges, in any order."""
    received, wanted = (np.array(sorted(pairs)).reshape(-1, 2) for pairs in (edges, wanted))
    expect.equal("edges as pairs of numbers, sorted", received, wanted)


@pytest.mark.weight(2)
def test_nodes(student, rng):
    """graph_of finds every node of the graph, and each once, also where two others use it."""
    root, data, _ = diamond(student, rng)
    expect_nodes(graph_of(student, root)[0], sorted(data))


@pytest.mark.weight(2)
def test_order_of_nodes(student, rng):
    """In graph_of's list all operands of a node stand before it, in random graphs too."""
    for _ in range(3):
        data, nodes, pairs = numbers_of(rng, 12), [], []
        for place in range(12):
            operands = (
                [int(k) for k in rng.integers(max(0, place - 5), place, 2)] if place > 2 else []
            )
            op = "+" if operands else ""
            nodes.append(node(student, float(data[place]), op, [nodes[k] for k in operands]))
            pairs += [(operand, place) for operand in operands]
        numbers, _ = graph_of(student, nodes[-1])
        expect_nodes(numbers, sorted(data[place] for place in _reached(pairs, 11)))
        index = {number: k for k, number in enumerate(numbers)}
        expect.equal("last node", numbers[-1], data[11])
        for operand, result in pairs:
            if data[result] in index:
                found = index[data[operand]] < index[data[result]]
                expect.that("order of the nodes", found, "an operand stands after a result of it")


def _reached(pairs, last):
    """Return the places from which edges lead to `last`, and `last`."""
    found = {last}
    for operand, result in reversed(pairs):
        found |= {operand} if result in found else set()
    return found


@pytest.mark.weight(2)
def test_edges(student, rng):
    """graph_of's edges lead from operands to results."""
    root, data, _ = diamond(student, rng)
    expect_edges(graph_of(student, root)[1], edges_of(data))


def test_same_operand_twice(student, rng):
    """In a * a the node a is there once, and one edge leads from it: `_prev` is a set."""
    one, other = numbers_of(rng, 2)
    leaf = node(student, float(one))
    numbers, edges = graph_of(student, node(student, float(other), "*", (leaf, leaf)))
    expect_nodes(numbers, sorted((one, other)))
    expect_edges(edges, [(one, other)])


def test_equal_numbers_are_different_nodes(student, rng):
    """Two nodes that hold the same number are two nodes."""
    one, other = map(float, numbers_of(rng, 2))
    first, second = node(student, one), node(student, one)
    numbers, edges = graph_of(student, node(student, other, "+", (first, second)))
    expect_nodes(numbers, sorted((one, one, other)))
    expect_edges(edges, [(one, other), (one, other)])


def test_single_node(student, rng):
    """The graph of a leaf is that one node, without edges."""
    [number] = numbers_of(rng, 1)
    numbers, edges = graph_of(student, node(student, float(number)))
    expect_nodes(numbers, [number])
    expect_edges(edges, [])


@pytest.mark.long
def test_deep_and_tangled_graphs(student, rng):
    """A chain of about 1,200 nodes is no trouble, nor are 40 steps with their 2^40 paths."""
    length, number = int(rng.integers(1150, 1250)), float(rng.uniform(1.0, 2.0))
    last = node(student, number)
    for _ in range(length - 1):
        last = node(student, number, "+", (last,))
    nodes, edges = _lengths(student.draw_graph.graph_of(last))
    expect.equal("number of nodes of a chain", nodes, length)
    expect.equal("number of edges of a chain", edges, length - 1)
    one, two, steps = node(student, number), node(student, number), int(rng.integers(38, 43))
    for _ in range(steps):
        one, two = node(student, number, "+", (one, two)), node(student, number, "*", (one, two))
    nodes, edges = _lengths(student.draw_graph.graph_of(node(student, number, "+", (one, two))))
    expect.equal("number of nodes of a tangled graph", nodes, 2 * steps + 3)
    expect.equal("number of edges of a tangled graph", edges, 4 * steps + 2)


def _lengths(received):
    """Return the lengths of the two lists that graph_of gave."""
    pair = isinstance(received, tuple | list) and len(received) == 2
    lists = pair and all(isinstance(one, list | tuple) for one in received)
    expect.that("graph_of", bool(lists), "it must return two lists: the nodes and the edges")
    return len(received[0]), len(received[1])


@pytest.mark.needs("week2.value_operators", "week2.tensor_elementwise")
def test_graph_of_your_own_values(student, rng):
    """graph_of works for results of Value and of Tensor alike."""
    one, other = map(float, numbers_of(rng, 2))
    for a, b in (values(student, one, other), tensors(student, one, other)):
        numbers, edges = graph_of(student, (a + b) + a)
        total = one + other
        expect_nodes(numbers, sorted((one, other, total, total + one)))
        expect_edges(
            edges, sorted([(one, total), (other, total), (one, total + one), (total, total + one)])
        )


# label_of


def expect_label(student, made, wanted):
    """Compare the lines of a node's label with those of the text `wanted`."""
    received = student.draw_graph.label_of(made)
    is_lines = isinstance(received, list | tuple) and all(type(line) is str for line in received)
    expect.that("label_of", is_lines, "it must return a list of lines")
    expect.equal("lines of label_of", " | ".join(received), wanted)


def test_label_names_the_operation(student, rng):
    """The first line of a label is the operation, or "leaf"."""
    one, other = numbers_of(rng, 2)
    expect_label(student, node(student, float(one)), f"leaf | data {one} | grad 0")
    inner = node(student, float(one))
    for name in ("relu", "".join(rng.permutation(list("abcde")))):
        made = node(student, float(other), name, (inner,))
        expect_label(student, made, f"{name} | data {other} | grad 0")


def test_label_has_numbers_of_five_digits(student, rng):
    """Numbers in labels have five significant digits."""
    for scale in (1.0, 1e5, 1e-8):
        data, grad = (float(one) * scale for one in rng.uniform(1.0, 9.0, 2) * (1, -1))
        wanted = f"leaf | data {data:.5g} | grad {grad:.5g}"
        expect_label(student, node(student, data, grad=grad), wanted)


def test_label_has_shapes_of_arrays(student, rng):
    """For arrays a label gives the shape; an array of shape () is a number."""
    rows, columns = (int(one) for one in rng.integers(2, 9, size=2))
    array, row, shape = np.ones((rows, columns)), np.ones(columns), f"({rows}, {columns})"
    made = node(student, array, grad=array)
    expect_label(student, made, f"leaf | data {shape} | grad {shape}")
    total = node(student, row, "sum", (node(student, array),), grad=row)
    expect_label(student, total, f"sum | data ({columns},) | grad ({columns},)")
    data, grad = numbers_of(rng, 2)
    number = node(student, np.array(data / 4), grad=np.array(-grad / 4))
    expect_label(student, number, f"leaf | data {data / 4:.5g} | grad {-grad / 4:.5g}")


def test_label_without_a_gradient(student, rng):
    """Where grad is None, a label says "grad none"."""
    [number], rows = numbers_of(rng, 1), int(rng.integers(2, 9))
    made = node(student, float(number), grad=None)
    expect_label(student, made, f"leaf | data {number} | grad none")
    array = node(student, np.ones((rows, 3)), grad=None)
    expect_label(student, array, f"leaf | data ({rows}, 3) | grad none")


# to_dot


def dot_of(student, root):
    """Return {name: lines of its label} and the edges as pairs of names, read from to_dot."""
    text = student.draw_graph.to_dot(root)
    is_text = type(text) is str and len(text) <= LONGEST
    expect.that("to_dot", is_text, f"it must return text of at most {LONGEST} characters here")
    is_graph = re.match(r"\s*digraph\b[^{]*\{", text) and text.rstrip().endswith("}")
    expect.that("to_dot", bool(is_graph), "the text must have the form digraph { ... }")
    nodes = {made[1]: NEW_LINE.split(made[2]) for made in NODE.finditer(text)}
    return nodes, [(edge[1], edge[2]) for edge in EDGE.finditer(text)]


@pytest.mark.weight(2)
def test_dot_has_every_node_with_its_label(student, rng):
    """to_dot has one line for each node, with the lines of its label."""
    root, data, labels = diamond(student, rng)
    nodes, _ = dot_of(student, root)
    expect.equal("number of nodes in to_dot", len(nodes), 6)
    wanted = sorted(
        f"{name} | data {number} | grad 0" for number, name in zip(data, labels, strict=True)
    )
    for received, label in zip(sorted(map(" | ".join, nodes.values())), wanted, strict=True):
        expect.equal("a node's lines in to_dot", received, label)


def test_dot_has_every_edge(student, rng):
    """to_dot has one arrow for each edge, from operand to result."""
    root, data, _ = diamond(student, rng)
    nodes, edges = dot_of(student, root)
    known = all(name in nodes for edge in edges for name in edge)
    expect.that("arrows in to_dot", known, "an arrow begins or ends at a node that is not there")
    numbers = {name: re.findall(r"data (\d+)", " ".join(nodes[name])) for name in nodes}
    received = np.array(sorted((numbers[one], numbers[other]) for one, other in edges))
    received = received.astype(np.int64).reshape(-1, 2)
    expect.equal("arrows in to_dot as pairs of numbers, sorted", received, np.array(edges_of(data)))


def test_dot_of_the_same_operand_twice(student, rng):
    """In to_dot of a * a there is one arrow."""
    one, other = numbers_of(rng, 2)
    leaf = node(student, float(one))
    nodes, edges = dot_of(student, node(student, float(other), "*", (leaf, leaf)))
    wanted = sorted((f"leaf | data {one} | grad 0", f"* | data {other} | grad 0"))
    expect.equal("nodes in to_dot", sorted(map(" | ".join, nodes.values())), wanted)
    expect.equal("number of arrows in to_dot", len(edges), 1)
