"""Values and tensors whose gradient is that of the result, wherever they stand."""

import numpy as np


def reached(root):
    """Return all nodes of a graph."""
    found, stack = {}, [root]
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack.extend(node._prev)
    return list(found.values())


class Node:
    """A number or an array with operands."""

    __array_ufunc__ = None

    def _join(self, other, data):
        other = other if isinstance(other, Node) else type(self)(other)
        out = type(self)(data(self.data, other.data))
        out._prev, out._op = {self, other}, "+"
        out.requires_grad = self.requires_grad or other.requires_grad
        return out

    def __add__(self, other):
        return self._join(other, lambda x, y: x + y)

    def __mul__(self, other):
        return self._join(other, lambda x, y: x * y)

    def backward(self, gradient=None):
        first = np.ones(np.shape(self.data)) if gradient is None else np.asarray(gradient)
        first = first if isinstance(self, Tensor) else 1.0
        for node in reached(self):
            if node.requires_grad:
                kept = 0.0 if node.grad is None or node._prev else node.grad
                node.grad = kept + first


class Value(Node):
    """A number."""

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad, self.requires_grad = float(data), 0.0, True
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def zero_grad(self):
        for node in reached(self):
            node.grad = 0.0


class Tensor(Node):
    """An array."""

    def __init__(self, data, requires_grad=False, _children=()):
        self.data, self.grad = np.array(data, dtype=float), None
        self.requires_grad = requires_grad
        self._prev, self._op, self._backward = set(_children), "", lambda: None

    def zero_grad(self):
        self.grad = None
