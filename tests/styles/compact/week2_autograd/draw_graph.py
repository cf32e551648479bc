"""Draws computational graphs: each value as a box with its operation, data and gradient.

    python draw_graph.py                 draw the handout's three graphs into figures/

`draw_graph(value, "graph.svg")` saves a picture that every browser shows; with `format="dot"` it
writes the language of Graphviz instead. The values may be `Value`s or `Tensor`s: all that is
used of them is `data`, `grad`, `_prev` and `_op`.

All of this goes beyond the assignment's source texts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol


class Node(Protocol):
    """What is drawn of a value: `Value` and `Tensor` have it."""

    data: Any
    grad: Any
    _prev: Collection[Any]
    _op: str


Edge = tuple[int, int]


def graph_of(value: Node) -> tuple[list[Node], list[Edge]]:
    """Return the graph that `value` was computed by, as lists of nodes and edges.

    Returns:
        The nodes: `value` and everything that it was computed from, operands before results, each
        once. And the edges, as pairs (index of an operand, index of its result) into that list, one
        for each operand in a result's `_prev`. That is a set, so `a * a` has one edge.

    A set has no order of its own. Take operands in the order of their labels (`label_of`), so that
    a graph gives the same picture in every run. Nodes are told apart by identity, not by their
    numbers. No recursion: graphs may be deep.
    """
    # All nodes first, then Kahn's way: write down what waits for no operand any more.
    found = {id(value): value}
    todo = [value]
    results: dict[int, list[int]] = {}
    missing: dict[int, int] = {}
    while todo:
        node = todo.pop()
        missing[id(node)] = len(node._prev)
        for operand in node._prev:
            results.setdefault(id(operand), []).append(id(node))
            if id(operand) not in found:
                found[id(operand)] = operand
                todo.append(operand)
    ready = [key for key, count in missing.items() if count == 0]
    index: dict[int, int] = {}
    while ready:
        key = ready.pop()
        index[key] = len(index)
        for result in results.get(key, []):
            missing[result] -= 1
            if missing[result] == 0:
                ready.append(result)
    edges = [(index[key], index[result]) for key in index for result in results.get(key, [])]
    return [found[key] for key in index], edges


def label_of(node: Node) -> list[str]:
    """Return the three lines of a node's box.

    1. the operation, or "leaf" where `_op` is empty;
    2. "data " and the number, or the shape of an array: "data 1.2346", "data (2, 3)";
    3. "grad " likewise, and "grad none" where it is None.

    Numbers have five significant digits (`f"{number:.5g}"`). An array of shape () is a number.
    """

    def written(number: Any) -> str:
        if number is None:
            return "none"
        shape = getattr(number, "shape", ())
        return f"{float(number):.5g}" if shape == () else str(shape)

    return [node._op or "leaf", f"data {written(node.data)}", f"grad {written(node.grad)}"]


def to_dot(value: Node) -> str:
    """Return the graph in the language of Graphviz, which draws it with `dot -Tsvg`.

    Made from `graph_of` and `label_of`. The first node of the list is n0, the next n1, and so on:

        digraph {
          rankdir=LR;
          node [shape=box];
          n0 [label="leaf\\ndata 2\\ngrad 7.3891"];
          n1 [label="exp\\ndata 7.3891\\ngrad 1"];
          n0 -> n1;
        }

    The lines of a label are joined by a backslash and an n, Graphviz's own sign for a new line. A
    line for each node, in the order of `graph_of`, then a line for each edge, in any order.
    """
    nodes, edges = graph_of(value)
    text = "digraph {\n  rankdir=LR;\n  node [shape=box];\n"
    for number, node in enumerate(nodes):
        label = "\\n".join(label_of(node))
        text += f'  n{number} [label="{label}"];\n'
    for operand, result in edges:
        text += f"  n{operand} -> n{result};\n"
    return text + "}"


# The picture. Nothing below needs to be filled.


def titled(nodes: Sequence[Node], names: Mapping[str, Node]) -> list[list[str]]:
    """Return each node's lines, with the names that are given to nodes in the first one."""
    name_of = {id(node): name for name, node in names.items()}
    labels = [list(label_of(node)) for node in nodes]
    for node, lines in zip(nodes, labels, strict=True):
        if name := name_of.get(id(node)):
            lines[0] = f"{name} = {lines[0]}" if node._prev else name
    return labels


def to_svg(value: Node, names: Mapping[str, Node] | None = None) -> str:
    """Return the graph as a picture: the text of an SVG file that needs nothing else.

    Leaves are green, results blue; the gradient's line is red.

    Args:
        value: the result at the far right.
        names: what to call some of the nodes, {"x": x, "L": loss}; "leaf" otherwise.

    Raises:
        ValueError: if the graph has more than 500 nodes; nobody could read it.
    """
    from graph_picture import picture

    nodes, edges = graph_of(value)
    return picture(titled(nodes, names or {}), edges)


def draw_graph(
    value: Node,
    path: str | os.PathLike[str] | None = None,
    format: str = "svg",
    names: Mapping[str, Node] | None = None,
) -> str:
    """Draw the graph that `value` was computed by, and return the picture's text.

    Args:
        value: a Value or a Tensor.
        path: the file to save it in, if any; its folder is made where it is missing. The file is
            replaced only by a complete picture.
        format: "svg", a picture; or "dot", the language of Graphviz.
        names: what to call some of the nodes of an SVG, as in `to_svg`.

    Raises:
        ValueError: if the format is another; if the graph is too large for an SVG.
    """
    if format not in ("svg", "dot"):
        raise ValueError(f'format must be "svg" or "dot", got {format!r}')
    text = to_svg(value, names) if format == "svg" else to_dot(value)
    if path is not None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{os.getpid()}.{path.name}")
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    return text


def products() -> tuple[Node, dict[str, Node]]:
    """Return (x * y) + (y * w) with its gradients, and the names of its parts."""
    from autograd import Value

    x, y, w = Value(2.0), Value(-3.0), Value(5.0)
    result = (x * y) + (y * w)
    result.backward()
    return result, {"x": x, "y": y, "w": w}


def squares() -> tuple[Node, dict[str, Node]]:
    """Return sum((W x + b - y) ** 2) with its gradients, for W of shape (2, 3), x (3, 1)."""
    from autograd import Tensor

    W = Tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0]], requires_grad=True)
    b = Tensor([[0.5], [-0.5]], requires_grad=True)
    x, y = Tensor([[1.0], [0.0], [2.0]]), Tensor([[1.0], [5.0]])
    loss = ((W @ x + b - y) ** 2).sum()
    loss.backward()
    return loss, {"W": W, "x": x, "b": b, "y": y, "L": loss}


def network() -> tuple[Node, dict[str, Node]]:
    """Return the loss of a two-layer network, 3 inputs, 5 hidden units, 2 classes, 4 examples."""
    import numpy as np
    from autograd import Tensor
    from mnist_autograd import cross_entropy

    rng = np.random.default_rng(0)
    shapes = {"x": (4, 3), "W1": (3, 5), "b1": (5,), "W2": (5, 2), "b2": (2,)}
    parts = {
        name: Tensor(rng.normal(size=shape), requires_grad=name != "x")
        for name, shape in shapes.items()
    }
    hidden = (parts["x"] @ parts["W1"] + parts["b1"]).relu()
    loss = cross_entropy(hidden @ parts["W2"] + parts["b2"], [0, 1, 1, 0])
    loss.backward()
    return loss, {**parts, "L": loss}


def main() -> None:
    """Draw the three graphs of the handout."""
    folder = Path("figures")
    for number, make in enumerate((products, squares, network), start=1):
        value, names = make()
        path = folder / f"graph_{number}_{make.__name__}.svg"
        draw_graph(value, path, names=names)
        print(f"saved {path}")


if __name__ == "__main__":
    main()
