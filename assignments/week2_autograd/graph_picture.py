"""Draws labelled boxes and the arrows between them as SVG. Given: draw_graph.py uses it.

The picture runs from left to right, operands before results. It is made in three steps, those of
Sugiyama, Tagawa and Toda (1981): give every box a column, order the boxes of each column so that
few arrows cross, and then move them up or down to make the arrows short.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

Edge = tuple[int, int]
Neighbours = Mapping[int, Collection[int]]

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


def picture(labels: Sequence[Sequence[str]], edges: Sequence[Edge]) -> str:
    """Return a graph as the text of an SVG file that needs nothing else.

    Boxes without an arrow to them are green, the others blue; a box's third line is red.

    Args:
        labels: the three lines of each box. The first is its title.
        edges: (from, to) as indices into `labels`, the first always the smaller one. From every
            box a way leads to the last one.

    Raises:
        ValueError: if there are more than 500 boxes; nobody could read them.
    """
    if len(labels) > LARGEST:
        raise ValueError(f"a graph of {len(labels)} nodes is too large to draw; at most {LARGEST}")
    widths = [
        CHARACTER * max(TITLE_SIZE * len(lines[0]), TEXT_SIZE * max(map(len, lines[1:])))
        + 2 * BESIDE_TEXT
        for lines in labels
    ]
    layout = lay_out(widths, edges)
    lowest = max(max(layout.y), max(layout.y[: len(labels)]) + BOX_HEIGHT / 2)
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
    results = {result for _, result in edges}
    for index, lines in enumerate(labels):
        svg += box(index, lines, index not in results, layout)
    return "\n".join([*svg, "</g>", "</svg>\n"])
