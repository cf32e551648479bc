"""Drawing as functions on the graph."""

import os
from pathlib import Path


def number(x):
    """Return five significant digits."""
    return format(float(x), ".5g")


def shown(x):
    """Return a number, the shape of an array, or none."""
    if x is None:
        return "none"
    return str(x.shape) if getattr(x, "shape", ()) else number(x)


def label_of(node):
    """Return the three lines of a box."""
    return [node._op or "leaf", f"data {shown(node.data)}", f"grad {shown(node.grad)}"]


def ordered(operands):
    """Return operands by their labels."""
    return sorted(operands, key=label_of)


def graph_of(value):
    """Return nodes, operands first, and edges as pairs of indices."""
    place, nodes, stack = {}, [], [(value, iter(ordered(value._prev)))]
    entered = {id(value)}
    while stack:
        node, rest = stack[-1]
        for operand in rest:
            if id(operand) not in entered:
                entered.add(id(operand))
                stack.append((operand, iter(ordered(operand._prev))))
                break
        else:
            place[id(node)] = len(nodes)
            nodes.append(node)
            stack.pop()
    pairs = ((one, node) for node in nodes for one in ordered(node._prev))
    return nodes, [(place[id(one)], place[id(node)]) for one, node in pairs]


def to_dot(value):
    """Return the graph in Graphviz's language."""
    nodes, edges = graph_of(value)
    texts = [r"\n".join(label_of(node)) for node in nodes]
    boxes = (f'  n{i} [label="{text}"];' for i, text in enumerate(texts))
    arrows = (f"  n{start} -> n{end};" for start, end in edges)
    return "\n".join(["digraph {", "  rankdir=LR;", "  node [shape=box];", *boxes, *arrows, "}"])


def to_svg(value, names=None):
    """Return the graph as a picture."""
    from graph_picture import picture

    nodes, edges = graph_of(value)
    titles = {id(node): name for name, node in (names or {}).items()}
    labels = [label_of(node) for node in nodes]
    for node, lines in zip(nodes, labels, strict=True):
        if id(node) in titles:
            lines[0] = titles[id(node)] + (f" = {lines[0]}" if node._prev else "")
    return picture(labels, edges)


def draw_graph(value, path=None, format="svg", names=None):
    """Return the picture's text, and save it if there is a path."""
    if format not in ("svg", "dot"):
        raise ValueError(f"unknown format {format!r}")
    text = to_dot(value) if format == "dot" else to_svg(value, names)
    if path is not None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    return text
