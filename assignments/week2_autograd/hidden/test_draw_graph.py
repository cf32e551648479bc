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


def diamond(student):
    """Return the result of 3 -> (4, 5) -> 6, where 3 is made of 1 and 2."""
    one, two = node(student, 1.0), node(student, 2.0)
    three = node(student, 3.0, "+", (one, two))
    four, five = node(student, 4.0, "exp", (three,)), node(student, 5.0, "tanh", (three,))
    return node(student, 6.0, "*", (five, four))


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
    expect.equal("numbers of the nodes, sorted", np.array(sorted(numbers)), np.array(wanted))


def expect_edges(edges, wanted):
    """Compare the edges, in any order."""
    received, wanted = (np.array(sorted(pairs)).reshape(-1, 2) for pairs in (edges, wanted))
    expect.equal("edges as pairs of numbers, sorted", received, wanted)


@pytest.mark.weight(2)
def test_nodes(student):
    """graph_of finds every node of the graph, and each once, also where two others use it."""
    numbers, _ = graph_of(student, diamond(student))
    expect_nodes(numbers, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


@pytest.mark.weight(2)
def test_order_of_nodes(student, rng):
    """In graph_of's list all operands of a node stand before it, in random graphs too."""
    for _ in range(3):
        nodes = [node(student, float(number)) for number in range(3)]
        edges = []
        for number in range(3, 12):
            operands = [int(k) for k in rng.integers(max(0, number - 5), number, size=2)]
            nodes.append(node(student, float(number), "+", [nodes[k] for k in operands]))
            edges += [(operand, number) for operand in operands]
        numbers, _ = graph_of(student, nodes[-1])
        place = {number: index for index, number in enumerate(numbers)}
        expect.equal("last node", numbers[-1], 11.0)
        for operand, result in edges:
            if result in place:
                found = operand in place and place[operand] < place[result]
                expect.that("order of the nodes", found, "an operand stands after a result of it")


@pytest.mark.weight(2)
def test_edges(student):
    """graph_of's edges lead from operands to results."""
    _, edges = graph_of(student, diamond(student))
    wanted = [(1.0, 3.0), (2.0, 3.0), (3.0, 4.0), (3.0, 5.0), (4.0, 6.0), (5.0, 6.0)]
    expect_edges(edges, wanted)


def test_same_operand_twice(student):
    """In a * a the node a is there once, and one edge leads from it: `_prev` is a set."""
    leaf = node(student, 3.0)
    numbers, edges = graph_of(student, node(student, 9.0, "*", (leaf, leaf)))
    expect_nodes(numbers, [3.0, 9.0])
    expect_edges(edges, [(3.0, 9.0)])


def test_equal_numbers_are_different_nodes(student):
    """Two nodes that hold the same number are two nodes."""
    first, second = node(student, 2.0), node(student, 2.0)
    numbers, edges = graph_of(student, node(student, 4.0, "+", (first, second)))
    expect_nodes(numbers, [2.0, 2.0, 4.0])
    expect_edges(edges, [(2.0, 4.0), (2.0, 4.0)])


def test_single_node(student):
    """The graph of a leaf is that one node, without edges."""
    numbers, edges = graph_of(student, node(student, 7.0))
    expect_nodes(numbers, [7.0])
    expect_edges(edges, [])


@pytest.mark.long
def test_deep_and_tangled_graphs(student):
    """A chain of 1,200 nodes is no trouble, nor are 40 steps with their 2^40 paths."""
    last = node(student, 0.0)
    for number in range(1, 1200):
        last = node(student, float(number), "+", (last,))
    nodes, edges = student.draw_graph.graph_of(last)
    expect.equal("number of nodes of a chain", len(nodes), 1200)
    expect.equal("number of edges of a chain", len(edges), 1199)
    one, two = node(student, 1.0), node(student, 2.0)
    for _ in range(40):
        one, two = node(student, 0.0, "+", (one, two)), node(student, 0.0, "*", (one, two))
    nodes, edges = student.draw_graph.graph_of(node(student, 0.0, "+", (one, two)))
    expect.equal("number of nodes of a tangled graph", len(nodes), 83)
    expect.equal("number of edges of a tangled graph", len(edges), 162)


@pytest.mark.needs("week2.value_operators", "week2.tensor_elementwise")
def test_graph_of_your_own_values(student):
    """graph_of works for results of Value and of Tensor alike."""
    for a, b in (values(student, 2.0, -3.0), tensors(student, 2.0, -3.0)):
        nodes, edges = student.draw_graph.graph_of((a + b) + a)
        expect.equal("number of nodes of (a + b) + a", len(nodes), 4)
        expect.equal("number of edges of (a + b) + a", len(edges), 4)


# label_of


def expect_label(student, made, wanted):
    """Compare the lines of a node's label with those of the text `wanted`."""
    received = student.draw_graph.label_of(made)
    is_lines = isinstance(received, list | tuple) and all(type(line) is str for line in received)
    expect.that("label_of", is_lines, "it must return a list of lines")
    expect.equal("lines of label_of", " | ".join(received), wanted)


def test_label_names_the_operation(student):
    """The first line of a label is the operation, or "leaf"."""
    expect_label(student, node(student, 2.0), "leaf | data 2 | grad 0")
    inner = node(student, 2.0)
    expect_label(student, node(student, 4.0, "relu", (inner,)), "relu | data 4 | grad 0")


def test_label_has_numbers_of_five_digits(student):
    """Numbers in labels have five significant digits."""
    cases = {
        (1.23456789, -0.5): "leaf | data 1.2346 | grad -0.5",
        (123456.0, 1e-7 / 3): "leaf | data 1.2346e+05 | grad 3.3333e-08",
    }
    for (data, grad), wanted in cases.items():
        expect_label(student, node(student, data, grad=grad), wanted)


def test_label_has_shapes_of_arrays(student):
    """For arrays a label gives the shape; an array of shape () is a number."""
    array = np.ones((2, 3))
    expect_label(student, node(student, array, grad=array), "leaf | data (2, 3) | grad (2, 3)")
    row = node(student, np.ones(3), "sum", (node(student, array),), grad=np.ones(3))
    expect_label(student, row, "sum | data (3,) | grad (3,)")
    number = node(student, np.array(2.5), grad=np.array(-1.0))
    expect_label(student, number, "leaf | data 2.5 | grad -1")


def test_label_without_a_gradient(student):
    """Where grad is None, a label says "grad none"."""
    expect_label(student, node(student, 2.0, grad=None), "leaf | data 2 | grad none")
    array = node(student, np.ones((2, 3)), grad=None)
    expect_label(student, array, "leaf | data (2, 3) | grad none")


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
def test_dot_has_every_node_with_its_label(student):
    """to_dot has one line for each node, with the lines of its label."""
    nodes, _ = dot_of(student, diamond(student))
    expect.equal("number of nodes in to_dot", len(nodes), 6)
    names = ((1, "leaf"), (2, "leaf"), (3, "+"), (4, "exp"), (5, "tanh"), (6, "*"))
    wanted = sorted(f"{name} | data {number} | grad 0" for number, name in names)
    for received, label in zip(sorted(map(" | ".join, nodes.values())), wanted, strict=True):
        expect.equal("a node's lines in to_dot", received, label)


def test_dot_has_every_edge(student):
    """to_dot has one arrow for each edge, from operand to result."""
    nodes, edges = dot_of(student, diamond(student))
    known = all(name in nodes for edge in edges for name in edge)
    expect.that("arrows in to_dot", known, "an arrow begins or ends at a node that is not there")
    numbers = {name: re.findall(r"data (\d+)", " ".join(nodes[name])) for name in nodes}
    received = np.array(sorted((numbers[one], numbers[other]) for one, other in edges))
    wanted = np.array([(1, 3), (2, 3), (3, 4), (3, 5), (4, 6), (5, 6)])
    received = received.astype(np.int64).reshape(-1, 2)
    expect.equal("arrows in to_dot as pairs of numbers, sorted", received, wanted)


def test_dot_of_the_same_operand_twice(student):
    """In to_dot of a * a there is one arrow."""
    leaf = node(student, 3.0)
    nodes, edges = dot_of(student, node(student, 9.0, "*", (leaf, leaf)))
    expect.equal("number of nodes in to_dot", len(nodes), 2)
    expect.equal("number of arrows in to_dot", len(edges), 1)
