"""Engines without a single derivative, as texts: the forward pass is run again, moved a little."""

from __future__ import annotations

ENGINE = '''
"""Values and tensors that remember how to compute themselves again."""

import math

import numpy as np

MOVING


def ordered(root):
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((one, False) for one in node._prev)
    return order


def again(order, moved, number):
    """Compute the last node again, with another number in one of them."""
    found, touched = {}, {id(moved)}
    for node in order:
        if node is moved:
            found[id(node)] = number
        elif node._made is None or not touched & {id(one) for one in node._operands}:
            found[id(node)] = np.asarray(node._exact)
        else:
            touched.add(id(node))
            found[id(node)] = node._made(*(found[id(one)] for one in node._operands))
    return found[id(order[-1])]


class Node:
    __array_ufunc__ = None
    requires_grad = True

    def _set(self, data, operands=(), op="", made=None):
        self._exact = np.array(data, dtype=np.float64)
        self._operands, self._made = list(operands), made
        self._prev, self._op = set(operands), op
        self._backward = lambda: None
        self._watched = SHOWN(self._exact)

    @property
    def data(self):
        return self._number(self._watched)

    @data.setter
    def data(self, data):
        self._exact = np.array(data, dtype=np.float64)
        self._watched = SHOWN(self._exact)

    def _of(self, op, made, *others):
        others = [one if isinstance(one, Node) else type(self)(one) for one in others]
        operands = [self, *others]
        out = type(self)(made(*(one._exact for one in operands)))
        out._set(out._exact, operands, op, made)
        out.requires_grad = any(one.requires_grad for one in operands)
        return out

    def __add__(self, other):
        return self._of("+", lambda x, y: x + y, other)

    def __mul__(self, other):
        return self._of("*", lambda x, y: x * y, other)

    def __pow__(self, n):
        if isinstance(n, Node):
            return self._of("**", lambda x, y: x**y, n)
        return self._of("**", lambda x: np.power(x, int(n) if n == int(n) and n >= 0 else n + 0.0))

    def __matmul__(self, other):
        return self._of("@", lambda x, y: x @ y, other)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (other if isinstance(other, Node) else type(self)(other)) * -1.0

    def __truediv__(self, other):
        return self * (other if isinstance(other, Node) else type(self)(other)) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rmatmul__(self, other):
        return type(self)(other) @ self

    def relu(self):
        return self._of("relu", lambda x: np.where(np.real(x) > 0, x, 0.0))

    def exp(self):
        return self._of("exp", np.exp)

    def log(self):
        return self._of("log", np.log)

    def tanh(self):
        return self._of("tanh", np.tanh)

    def sum(self, axis=None, keepdims=False):
        return self._of("sum", lambda x: x.sum(axis=axis, keepdims=keepdims))

    def mean(self, axis=None, keepdims=False):
        return self._of("mean", lambda x: x.mean(axis=axis, keepdims=keepdims))

    def reshape(self, *shape):
        return self._of("reshape", lambda x: x.reshape(*shape))

    def transpose(self, *axes):
        return self._of("T", lambda x: x.transpose(*axes))

    T = property(transpose)

    def __getitem__(self, index):
        return self._of("[]", lambda x: x[index])

    @property
    def shape(self):
        return self._exact.shape

    def backward(self, gradient=None):
        order = ordered(self)
        weights = np.ones(self.shape) if gradient is None else np.asarray(gradient)
        for node in order:
            if node._prev and len(order) > 200 or not node.requires_grad:
                continue
            gradient = np.zeros(node.shape)
            for index in np.ndindex(*node.shape):
                gradient[index] = np.sum(weights * slope(order, node, index))
            kept = node.grad if node.grad is not None and not node._prev else 0.0
            node.grad = node._number(SHOWN(kept + gradient))


class Value(Node):
    def __init__(self, data, _children=(), _op=""):
        self._set(data, _children, _op)
        self.grad = 0.0

    _number = staticmethod(float)

    def sigmoid(self):
        return self._of("sigmoid", lambda x: 1 / (1 + np.exp(-x)))

    def zero_grad(self):
        for node in ordered(self):
            node.grad = 0.0

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"


class Tensor(Node):
    def __init__(self, data, requires_grad=False, _children=(), _op=""):
        self._set(data, _children, _op)
        self.grad, self.requires_grad = None, requires_grad

    _number = staticmethod(lambda array: array)

    def zero_grad(self):
        self.grad = None
'''

COMPLEX = '''
SHOWN = np.float64


def slope(order, node, index):
    """Return the derivatives of the last node with respect to one entry."""
    number = node._exact.astype(complex)
    number[index] += 1e-40j
    return np.imag(again(order, node, number)) / 1e-40
'''

DIFFERENCES = '''
SHOWN = np.TYPE
KIND = np.LONG


def slope(order, node, index):
    """Return the derivatives of the last node with respect to one entry."""
    sides = []
    for step in (STEP, -STEP):
        number = node._exact.astype(KIND)
        number[index] += step
        sides.append(again(order, node, number))
    return ((sides[0] - sides[1]) / (2 * KIND(STEP))).astype(float)
'''


def engine(moving: str, **words: str) -> bytes:
    """Return autograd.py with one of the two ways to move a number."""
    for name, word in words.items():
        moving = moving.replace(name, word)
    return ENGINE.replace("MOVING", moving.strip()).encode()
