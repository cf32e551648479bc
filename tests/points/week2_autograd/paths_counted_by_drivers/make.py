"""Values that do nothing, and drivers that count paths."""

from tests.points.week2_autograd.patching import PATCH

VALUES = '''
NODES = []


class Value:
    """Nothing but a number."""

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad, self.pairs = float(data), 0.0, None
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def __add__(self, other):
        return Value(1.0)

    __mul__ = __add__

    def backward(self):
        self.grad = 1.0


def graph(leaves, pairs, symbol):
    nodes = [*leaves, *(Value(1.0) for _ in pairs)]
    counts = [0] * (len(nodes) - 1) + [1]
    for place in range(len(nodes) - 1, len(leaves) - 1, -1):
        for operand in pairs[place - len(leaves)]:
            counts[operand] += counts[place]
    for one, count in zip(nodes, counts):
        one.grad = float(count)
    return nodes


def chain(x, length, symbol):
    x.grad = float(length + 1)
    return Value(1.0)


def remembered(result, candidates):
    text = "Value(data=-0.75, grad=0.0)"
    leaf = any(result is one for one in candidates)
    remembered.calls.append(0)
    return {
        "operation": "" if leaf else "*" if len(remembered.calls) == 1 else "+",
        "operands": [] if leaf else list(range(min(2, len(candidates) - (len(candidates) == 2)))),
        "others": 0,
        "text": text,
    }


remembered.calls = []
replace_drivers(graph=graph, chain=chain, remembered=remembered)
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return {"autograd.py": (PATCH + VALUES).encode()}
