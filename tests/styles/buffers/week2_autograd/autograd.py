"""The engine in float32: arrays in column order, gradients added up in buffers made beforehand.

The layers stand here as well.
"""

import math

import numpy as np


class Tape:
    """Writes down a topological order, by recursion, and plays it backwards."""

    def __init__(self, root):
        self._order, self._seen = [], set()
        self._visit(root)

    def _visit(self, node):
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        for operand in node._prev:
            self._visit(operand)
        self._order.append(node)

    def play(self):
        """Call every node's way back, results first."""
        for node in reversed(self._order):
            node._backward()


class Value:
    """A number that knows how it was computed."""

    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def _linked(self, data, op, *pairs):
        out = Value(data, tuple(operand for operand, _ in pairs), op)
        out._backward = lambda: [one._receive(out.grad * slope) for one, slope in pairs]
        return out

    def _receive(self, share):
        self.grad += share

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._linked(self.data + other.data, "+", (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._linked(self.data * other.data, "*", (self, other.data), (other, self.data))

    def __pow__(self, p):
        slope = p * self.data ** (p - 1) if p else 0.0
        return self._linked(self.data**p, "**", (self, slope))

    __radd__ = __add__
    __rmul__ = __mul__

    def relu(self):
        """Return max(0, x)."""
        return self._linked(max(0.0, self.data), "relu", (self, 1.0 if self.data > 0 else 0.0))

    def exp(self):
        """Return e ** x."""
        y = math.exp(self.data)
        return self._linked(y, "exp", (self, y))

    def log(self):
        """Return the natural logarithm."""
        return self._linked(math.log(self.data), "log", (self, 1.0 / self.data))

    def backward(self):
        """Compute all gradients."""
        self.grad = 1.0
        Tape(self).play()


class Tensor:
    """An array that knows how it was computed; its gradient is a buffer from the beginning."""

    def __init__(self, data, requires_grad=False, _children=()):
        self.data = np.array(data, dtype=np.float32, order="F")
        self.requires_grad = requires_grad or any(one.requires_grad for one in _children)
        self.grad = np.zeros_like(self.data)
        self._backward = lambda: None
        self._prev = set(_children)

    @property
    def shape(self):
        """Lengths of the axes."""
        return self.data.shape

    def _into(self, share):
        """Add a share to the buffer, summed over what broadcasting has copied."""
        if not self.requires_grad:
            return
        front = tuple(range(share.ndim - self.grad.ndim))
        share = np.add.reduce(share, axis=front)
        for axis in range(share.ndim):
            if self.grad.shape[axis] == 1:
                share = np.add.reduce(share, axis=axis, keepdims=True)
        np.add(self.grad, share, out=self.grad)

    def _linked(self, data, *pairs):
        out = Tensor(data, _children=tuple(operand for operand, _ in pairs))
        if out.requires_grad:
            out._backward = lambda: [one._into(back(out.grad)) for one, back in pairs]
        return out

    def __add__(self, other):
        return self._linked(self.data + other.data, (self, np.positive), (other, np.positive))

    def __mul__(self, other):
        x, y = self.data, other.data
        return self._linked(x * y, (self, lambda g: g * y), (other, lambda g: g * x))

    def __pow__(self, p):
        x = self.data
        return self._linked(x**p, (self, lambda g: g * np.float32(p) * x ** (p - 1)))

    def __matmul__(self, other):
        x, y = self.data, other.data
        left = lambda g: np.einsum("nm,km->nk", g, y, optimize=True)  # noqa: E731
        right = lambda g: np.einsum("nk,nm->km", x, g, optimize=True)  # noqa: E731
        return self._linked(x @ y, (self, left), (other, right))

    def relu(self):
        """Return max(0, x)."""
        mask = self.data > 0
        return self._linked(np.where(mask, self.data, 0), (self, lambda g: np.where(mask, g, 0)))

    def exp(self):
        """Return e ** x."""
        y = np.exp(self.data)
        return self._linked(y, (self, lambda g: g * y))

    def log(self):
        """Return the natural logarithm."""
        return self._linked(np.log(self.data), (self, lambda g: g / self.data))

    def sum(self, axis=None, keepdims=False):
        """Return the sum over an axis."""

        def back(g):
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return np.broadcast_to(g, self.shape)

        return self._linked(np.sum(self.data, axis=axis, keepdims=keepdims), (self, back))

    def reshape(self, *shape):
        """Return the entries in another shape."""
        return self._linked(self.data.reshape(shape), (self, lambda g: g.reshape(self.shape)))

    def backward(self):
        """Compute all gradients."""
        self.grad.fill(1)
        Tape(self).play()


class Layer:
    """Base class: bound methods of what a layer does, in a list."""

    def __init__(self, *steps):
        self._steps = list(steps)

    def __call__(self, x):
        for step in self._steps:
            x = step(x)
        return x

    def parameters(self):
        """Return the parameters: none."""
        return []


class LinearAutograd(Layer):
    """y = x W + b."""

    def __init__(self, in_dim, out_dim):
        super().__init__(self._times, self._plus)
        bound = np.sqrt(6 / in_dim)
        rng = np.random.default_rng()
        self.W = Tensor(rng.uniform(-bound, bound, (in_dim, out_dim)), requires_grad=True)
        self.b = Tensor(np.zeros((1, out_dim)), requires_grad=True)

    def _times(self, x):
        return x @ self.W

    def _plus(self, x):
        return x + self.b

    def parameters(self):
        """Return W and b."""
        return [self.W, self.b]


class ReLUAutograd(Layer):
    """max(0, x)."""

    def __init__(self):
        super().__init__(Tensor.relu)
