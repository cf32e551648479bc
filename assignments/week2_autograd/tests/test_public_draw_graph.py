"""Public tests of draw_graph.py (beyond the texts), on small made-up graphs.

A `graph_node` has data, grad, _op and _prev, which is all that drawing needs.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week2.draw_graph")


def square_plus(student):
    """Return the node of a * a + b: 9 + 1 = 10."""
    node = student.probe("graph_node")
    a, b = node(3.0, 6.0), node(1.0, 1.0)
    return node(10.0, 1.0, "+", [node(9.0, 1.0, "*", [a, a]), b])


def numbers_and_edges(student, root):
    """Return the nodes' numbers, and the edges as pairs of such numbers."""
    nodes, edges = student.draw_graph.graph_of(root)
    numbers = [float(expect.array("data of a node", one.data, ())) for one in nodes]
    return numbers, [(numbers[operand], numbers[result]) for operand, result in edges]


def test_graph_nodes(student):
    """graph_of has every node once, operands before results."""
    numbers, _ = numbers_and_edges(student, square_plus(student))
    expect.equal("numbers of the nodes, sorted", np.array(sorted(numbers)), np.array([1, 3, 9, 10]))
    ordered = numbers.index(3.0) < numbers.index(9.0) < numbers.index(10.0)
    expect.that("order of the nodes", ordered, "an operand stands after a result of it")


def test_graph_edges(student):
    """graph_of has one edge for each operand of a result, from operand to result."""
    _, edges = numbers_and_edges(student, square_plus(student))
    wanted = np.array([(1, 10), (3, 9), (9, 10)])
    received = np.array(sorted(edges)).reshape(-1, 2)
    expect.equal("edges as pairs of numbers, sorted", received, wanted)


def test_label_of_numbers_and_arrays(student):
    """label_of gives the operation, and data and grad as numbers, as shapes, or "none"."""
    node, label_of = student.probe("graph_node"), student.draw_graph.label_of
    cases = {
        "leaf | data 1.2346 | grad -0.5": node(1.23456789, -0.5),
        "sum | data 2 | grad none": node(2.0, None, "sum", [node(1.0)]),
        "leaf | data (2, 3) | grad (2, 3)": node(np.ones((2, 3)), np.ones((2, 3))),
    }
    for wanted, made in cases.items():
        lines = label_of(made)
        is_lines = isinstance(lines, list | tuple) and all(type(line) is str for line in lines)
        expect.that("label_of", is_lines, "it must return a list of lines")
        expect.equal("lines of label_of", " | ".join(lines), wanted)


def test_dot_text(student):
    """to_dot writes a digraph with a label for each node and an arrow for each edge."""
    text = student.draw_graph.to_dot(square_plus(student))
    is_graph = type(text) is str and text.lstrip().startswith("digraph")
    expect.that("to_dot", is_graph, "it must return text that begins with digraph")
    expect.equal("number of arrows in to_dot", text.count("->"), 3)
    for line in ("leaf", "data 3", "grad 6", "data 10"):
        expect.that("to_dot", line in text, f"{line!r} is in no label")
