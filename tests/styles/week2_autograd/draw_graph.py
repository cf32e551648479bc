"""Draws computational graphs: each value as a box with its operation, data and gradient.

    python draw_graph.py                 draw the handout's three graphs into figures/

`draw_graph(value, "graph.svg")` saves a picture that every browser shows; with `format="dot"` it
writes the language of Graphviz instead. The values may be of autograd.py or of tensor.py: all that
is used of them is `data`, `grad`, `_prev` and `_op`.

The picture runs from left to right, operands before results. It is made in three steps, those of
Sugiyama, Tagawa and Toda (1981): give every box a column, order the boxes of each column so that
few arrows cross, and then move them up or down to make the arrows short.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr


class Node(Protocol):
    """What is drawn of a value: `Value` and `Tensor` have it."""

    data: Any
    grad: Any
    _prev: Sequence[Any]
    _op: str


Edge = tuple[int, int]
Neighbours = Mapping[int, Collection[int]]


def graph_of(value: Node) -> tuple[list[Node], list[Edge]]:
    """Return the graph that `value` was computed by, as lists of nodes and edges.

    Returns:
        The nodes: `value` and everything that it was computed from, operands before results, each
        once. And the edges, as pairs (index of an operand, index of its result) into that list, one
        for each time that an operand is used: `a * a` has two edges between the same nodes.

    Nodes are told apart by identity, not by their numbers. No recursion: graphs may be deep.
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
          n0 [label="leaf\\ndata 2\\ngrad -3"];
          n1 [label="neg\\ndata -2\\ngrad 3"];
          n0 -> n1;
        }

    The lines of a label are joined by a backslash and an n, Graphviz's own sign for a new line. A
    line for each node, then a line for each edge, in the order of `graph_of`.
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

BOX_HEIGHT = 66.0
BETWEEN_BOXES = 22.0
BETWEEN_COLUMNS = 64.0
BESIDE_TEXT = 14.0
MARGIN = 16.0
BETWEEN_ARROWHEADS = 16.0
TITLE_SIZE, TEXT_SIZE = 16, 13
CHARACTER = 0.602
"""Width of a character, as a share of the font's size: the same for all in these fonts."""
FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
LEAF_COLOURS, RESULT_COLOURS = ("#eef7ee", "#3f7f4f"), ("#edf3fc", "#33609c")
SWEEPS = 12
STRAIGHT = (1, 2, 8)
LARGEST = 500


@dataclass
class Layout:
    """Where everything goes.

    Items are the nodes, numbered as in `graph_of`, and after them the waypoints: the places where
    a long arrow passes through a column, between its boxes.

    Attributes:
        left, right: the sides of each item; all items of a column have the same.
        y: the middle of each item.
        paths: for each edge, its items: operand, waypoints, result.
    """

    left: list[float]
    right: list[float]
    y: list[float]
    paths: list[list[int]]


def column_of_each(count: int, edges: Sequence[Edge]) -> list[int]:
    """Return the column of each node: as far right as its results allow, the last node last.

    The distance from the right is that of the longest path to the last node, so that every arrow
    points to the right and a leaf stands just before its first use.
    """
    distance = [0] * count
    for operand, result in sorted(edges, key=lambda edge: -edge[1]):
        distance[operand] = max(distance[operand], distance[result] + 1)
    return [max(distance) - steps for steps in distance]


def route(count: int, edges: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the columns, in a first order, and the path of each edge, with waypoints made.

    All arrows from one node share their waypoints: they run together as far as they can.
    """
    column = column_of_each(count, edges)
    columns: list[list[int]] = [[] for _ in range(max(column) + 1)]
    waypoints: dict[tuple[int, int], int] = {}
    paths = []
    for node in range(count):
        columns[column[node]].append(node)
    for operand, result in edges:
        path = [operand]
        for between in range(column[operand] + 1, column[result]):
            if (operand, between) not in waypoints:
                waypoints[operand, between] = count + len(waypoints)
                columns[between].append(waypoints[operand, between])
            path.append(waypoints[operand, between])
        paths.append([*path, result])
    return columns, paths


def neighbours_of(paths: Sequence[Sequence[int]]) -> tuple[Neighbours, Neighbours]:
    """Return, for each item, the items that it is joined to on its left and on its right."""
    before, after = defaultdict(set), defaultdict(set)
    for path in paths:
        for here, there in itertools.pairwise(path):
            after[here].add(there)
            before[there].add(here)
    return before, after


def crossings(columns: Sequence[Sequence[int]], after: Neighbours) -> int:
    """Return how many pairs of arrows cross, if they ran straight from column to column."""
    total = 0
    for here, there in itertools.pairwise(columns):
        place = {item: index for index, item in enumerate(there)}
        seen: list[int] = []
        for item in here:
            ends = [place[other] for other in after[item]]
            total += sum(earlier > end for end in ends for earlier in seen)
            seen += ends
    return total


def order_columns(
    columns: list[list[int]], before: Neighbours, after: Neighbours
) -> list[list[int]]:
    """Return the columns ordered so that few arrows cross.

    Sweeps to and fro; in each, a column's items are sorted by the mean place of their neighbours in
    the column that was ordered just before (their barycentre). The best order met is kept.
    """
    best, fewest = columns, crossings(columns, after)
    for sweep in range(SWEEPS):
        columns = [list(column) for column in columns]
        if sweep % 2:
            pairs = [(i - 1, i, before) for i in range(1, len(columns))]
        else:
            pairs = [(i + 1, i, after) for i in reversed(range(len(columns) - 1))]
        for fixed, moved, neighbours in pairs:
            place = {item: position for position, item in enumerate(columns[fixed])}
            centre = {}
            for position, item in enumerate(columns[moved]):
                places = [place[other] for other in neighbours[item]] or [position]
                centre[item] = sum(places) / len(places)
            columns[moved].sort(key=centre.__getitem__)
        if (count := crossings(columns, after)) < fewest:
            best, fewest = columns, count
    return best


def spread(wanted: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Return the places closest to the wanted ones, in the same order and at their distances.

    Least squares: neighbours that would be too close form a block, which moves as a whole to its
    mean ("pool adjacent violators"). `distances[i]` is the least from place i to place i + 1.
    """
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    blocks: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            earlier, members = blocks.pop()
            total, count = total + earlier, count + members
        blocks.append((total, count))
    places = [total / count for total, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def heights(columns: Sequence[Sequence[int]], boxes: int, joined: Neighbours) -> list[float]:
    """Return the y of each item: near the mean of its neighbours, without overlap.

    The more of an arrow's ends are waypoints, the more it weighs, so that long arrows run straight
    (the weights 1, 2, 8 are those of Gansner, Koutsofios, North and Vo, 1993).
    """
    y = [0.0] * sum(len(column) for column in columns)
    size = [BOX_HEIGHT if item < boxes else 0.0 for item in range(len(y))]
    for sweep in range(4 * SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            wanted = []
            for item in column:
                weights = [STRAIGHT[(item >= boxes) + (other >= boxes)] for other in joined[item]]
                pull = sum(w * y[other] for w, other in zip(weights, joined[item], strict=True))
                wanted.append(pull / sum(weights) if weights else y[item])
            distances = [
                (size[upper] + size[lower]) / 2 + BETWEEN_BOXES
                for upper, lower in itertools.pairwise(column)
            ]
            for item, place in zip(column, spread(wanted, distances), strict=True):
                y[item] = place
    top = min(y[item] - size[item] / 2 for item in range(len(y)))
    return [place - top + MARGIN for place in y]


def lay_out(widths: Sequence[float], edges: Sequence[Edge]) -> Layout:
    """Return the layout of boxes of these widths, joined by these edges."""
    columns, paths = route(len(widths), edges)
    before, after = neighbours_of(paths)
    columns = order_columns(columns, before, after)
    joined = {item: [*before[item], *after[item]] for column in columns for item in column}
    y = heights(columns, len(widths), joined)
    left, right, edge = [0.0] * len(y), [0.0] * len(y), MARGIN
    for column in columns:
        width = max(widths[item] for item in column if item < len(widths))
        for item in column:
            left[item], right[item] = edge, edge + width
        edge += width + BETWEEN_COLUMNS
    return Layout(left, right, y, paths)


def arrowheads(layout: Layout) -> list[float]:
    """Return the y at which each edge meets its result: side by side, in the order they come in."""
    arriving: dict[int, list[int]] = {}
    for edge, path in enumerate(layout.paths):
        arriving.setdefault(path[-1], []).append(edge)
    heads = [0.0] * len(layout.paths)
    for result, group in arriving.items():
        group.sort(key=lambda edge: layout.y[layout.paths[edge][-2]])
        step = min(BETWEEN_ARROWHEADS, 0.8 * BOX_HEIGHT / len(group))
        for position, edge in enumerate(group):
            heads[edge] = layout.y[result] + (position - (len(group) - 1) / 2) * step
    return heads


def curve(layout: Layout, path: Sequence[int], head: float) -> str:
    """Return an edge as the `d` of an SVG path: level through columns, bent only between them."""
    x, y = layout.right[path[0]], layout.y[path[0]]
    parts = [f"M{x:.1f},{y:.1f}"]
    for item in path[1:]:
        last = item == path[-1]
        end, height = layout.left[item], head if last else layout.y[item]
        middle = (x + end) / 2
        parts.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{height:.1f} {end:.1f},{height:.1f}")
        x, y = layout.right[item], height
        if not last:
            parts.append(f"H{x:.1f}")
    return " ".join(parts)


def box(index: int, lines: Sequence[str], leaf: bool, layout: Layout) -> list[str]:
    """Return the SVG of a node's box: the first line as its title, the others below."""
    fill, stroke = LEAF_COLOURS if leaf else RESULT_COLOURS
    left, width = layout.left[index], layout.right[index] - layout.left[index]
    top, middle = layout.y[index] - BOX_HEIGHT / 2, left + width / 2
    title, *others = [escape(line) for line in lines]
    svg = [
        f'<g class="node" id="n{index}">',
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BOX_HEIGHT:.1f}" rx="6" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>',
        f'<text x="{middle:.1f}" y="{top + 21:.1f}" font-size="{TITLE_SIZE}" font-weight="bold" '
        f'fill="{stroke}">{title}</text>',
    ]
    for row, (line, colour) in enumerate(zip(others, ("#222222", "#a03030"), strict=True)):
        svg.append(
            f'<text x="{middle:.1f}" y="{top + 40 + 17 * row:.1f}" fill="{colour}">{line}</text>'
        )
    return [*svg, "</g>"]


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
    nodes, edges = graph_of(value)
    if len(nodes) > LARGEST:
        raise ValueError(f"a graph of {len(nodes)} nodes is too large to draw; at most {LARGEST}")
    labels = titled(nodes, names or {})
    widths = [
        CHARACTER * max(TITLE_SIZE * len(lines[0]), TEXT_SIZE * max(map(len, lines[1:])))
        + 2 * BESIDE_TEXT
        for lines in labels
    ]
    layout = lay_out(widths, edges)
    lowest = max(max(layout.y), max(layout.y[: len(nodes)]) + BOX_HEIGHT / 2)
    right, bottom = max(layout.right) + MARGIN, lowest + MARGIN
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{right:.0f}" height="{bottom:.0f}" '
        f'viewBox="0 0 {right:.1f} {bottom:.1f}" role="img">',
        "<title>Computational graph</title>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0,1 L10,5 L0,9 Z" fill="#555555"/></marker>'
        "</defs>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<g fill="none" stroke="#555555" stroke-width="1.4">',
    ]
    for (operand, result), path, head in zip(edges, layout.paths, arrowheads(layout), strict=True):
        svg.append(
            f'<path class="edge" data-from="n{operand}" data-to="n{result}" '
            f'd="{curve(layout, path, head)}" marker-end="url(#arrow)"/>'
        )
    svg.append(f'</g>\n<g font-family={quoteattr(FONTS)} font-size="{TEXT_SIZE}" ')
    svg[-1] += 'text-anchor="middle">'
    for index, lines in enumerate(labels):
        svg += box(index, lines, not nodes[index]._prev, layout)
    return "\n".join([*svg, "</g>", "</svg>\n"])


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
    """Return sum((W x + b - y) ** 2) with its gradients, for W of shape (2, 3)."""
    from tensor import Tensor

    W = Tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 3.0]], requires_grad=True)
    b = Tensor([0.5, -0.5], requires_grad=True)
    x, y = Tensor([1.0, 0.0, 2.0]), Tensor([1.0, 5.0])
    loss = ((W @ x + b - y) ** 2).sum()
    loss.backward()
    return loss, {"W": W, "x": x, "b": b, "y": y, "L": loss}


def network() -> tuple[Node, dict[str, Node]]:
    """Return the loss of a two-layer network, 3 inputs, 5 hidden units, 2 classes, 4 examples."""
    import numpy as np
    from tensor import Tensor, cross_entropy

    rng = np.random.default_rng(0)
    shapes = {"x": (4, 3), "W1": (5, 3), "b1": (5,), "W2": (2, 5), "b2": (2,)}
    parts = {
        name: Tensor(rng.normal(size=shape), requires_grad=name != "x")
        for name, shape in shapes.items()
    }
    hidden = (parts["x"] @ parts["W1"].T + parts["b1"]).relu()
    loss = cross_entropy(hidden @ parts["W2"].T + parts["b2"], [0, 1, 1, 0])
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
