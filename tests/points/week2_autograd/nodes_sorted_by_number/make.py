"""The reference, but for the order of nodes."""

from pathlib import Path

ORDER = '''

def graph_of(value):
    """Return nodes in the order of their numbers."""
    nodes, stack = [], [value]
    while stack:
        node = stack.pop()
        if not any(node is one for one in nodes):
            nodes.append(node)
            stack.extend(node._prev)
    try:
        nodes.sort(key=lambda node: float(node.data))
    except TypeError:
        pass
    place = {id(node): k for k, node in enumerate(nodes)}
    return nodes, [(place[id(one)], place[id(node)]) for node in nodes for one in node._prev]
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    root = Path(__file__).resolve().parents[4]
    text = (root / "solutions" / "week2_autograd" / "draw_graph.py").read_text("utf-8")
    return {"draw_graph.py": (text + ORDER).encode()}
