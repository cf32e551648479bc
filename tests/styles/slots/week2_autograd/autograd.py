"""Values and tensors with slots: read-only properties, gradients from zeros, Kahn's algorithm."""

import math
from collections import deque
from numbers import Real

import numpy as np


def topological_order(root):
    """Return all nodes, operands before results, by counting how many results each still has."""
    uses, found = {id(root): 0}, [root]
    for node in found:
        for operand in node._prev:
            if id(operand) not in uses:
                uses[id(operand)] = 0
                found.append(operand)
            uses[id(operand)] += 1
    order, ready = [], deque([root])
    while ready:
        node = ready.popleft()
        order.append(node)
        for operand in node._prev:
            uses[id(operand)] -= 1
            if not uses[id(operand)]:
                ready.append(operand)
    return order[::-1]


def _pass_back(root):
    for node in reversed(topological_order(root)):
        node._backward()


class no_grad:
    """Within it, results remember nothing."""

    __slots__ = ()
    open_blocks = 0

    def __enter__(self):
        no_grad.open_blocks += 1

    def __exit__(self, *_):
        no_grad.open_blocks -= 1


class _Node:
    """What values and tensors share."""

    __slots__ = ("_backward", "_op", "_prev", "data", "grad")
    __array_ufunc__ = None

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -self._lift(other)

    def __rsub__(self, other):
        return self._lift(other) + -self

    def __radd__(self, other):
        return self._lift(other) + self

    def __rmul__(self, other):
        return self._lift(other) * self

    def __truediv__(self, other):
        return self * self._lift(other) ** -1

    def __rtruediv__(self, other):
        return self._lift(other) / self

    def __rpow__(self, other):
        return self._lift(other) ** self


class Value(_Node):
    """A number that knows how it was computed."""

    __slots__ = ()

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad, self._op = float(data), 0.0, _op
        self._prev, self._backward = set(_children), lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    @staticmethod
    def _lift(other):
        if not isinstance(other, Value | Real):
            raise TypeError(f"{type(other).__name__} is neither a Value nor a number")
        return other if isinstance(other, Value) else Value(other)

    def _result(self, data, op, *pairs):
        """Make a result from pairs of an operand and a function that gives its local gradient."""
        out = Value(data, [operand for operand, _ in pairs], op)

        def _backward():
            for operand, local in pairs:
                operand.grad += local() * out.grad

        out._backward = _backward
        return out

    def __add__(self, other):
        other = self._lift(other)
        return self._result(self.data + other.data, "+", (self, lambda: 1.0), (other, lambda: 1.0))

    def __mul__(self, other):
        other = self._lift(other)
        pairs = (self, lambda: other.data), (other, lambda: self.data)
        return self._result(self.data * other.data, "*", *pairs)

    def __pow__(self, p):
        x = self.data
        if isinstance(p, Value):
            if x <= 0:
                raise ValueError(f"the base must be positive, got {x}")
            y = x**p.data
            pairs = (self, lambda: p.data * x ** (p.data - 1)), (p, lambda: y * math.log(x))
            return self._result(y, "**", *pairs)
        if x < 0 and p != int(p):
            raise ValueError(f"cannot take the power {p} of the negative base {x}")
        return self._result(x**p, "**", (self, lambda: p * x ** (p - 1) if p else 0.0))

    def relu(self):
        """Return max(0, x)."""
        return self._result(max(0.0, self.data), "relu", (self, lambda: float(self.data > 0)))

    def exp(self):
        """Return e ** x."""
        y = math.exp(self.data)
        return self._result(y, "exp", (self, lambda: y))

    def log(self):
        """Return the natural logarithm."""
        if self.data <= 0:
            raise ValueError(f"log of {self.data}, which is not positive")
        return self._result(math.log(self.data), "log", (self, lambda: 1 / self.data))

    def tanh(self):
        """Return the hyperbolic tangent."""
        y = math.tanh(self.data)
        return self._result(y, "tanh", (self, lambda: 1 - y * y))

    def sigmoid(self):
        """Return the logistic function."""
        small = math.exp(-abs(self.data))
        y = (small if self.data < 0 else 1.0) / (1.0 + small)
        return self._result(y, "sigmoid", (self, lambda: y * (1 - y)))

    def backward(self):
        """Compute all gradients; what was computed begins anew."""
        for node in topological_order(self):
            node.grad = 0.0 if node._prev else node.grad
        self.grad = self.grad + 1.0
        _pass_back(self)

    def zero_grad(self):
        """Set all gradients to 0."""
        for node in topological_order(self):
            node.grad = 0.0


def unbroadcast(gradient, shape):
    """Sum over what broadcasting has added and stretched."""
    front = gradient.ndim - len(shape)
    stretched = (front + i for i, length in enumerate(shape) if length == 1)
    axes = (*range(front), *stretched)
    return np.sum(gradient, axis=axes, keepdims=True).reshape(shape)


class Tensor(_Node):
    """An array that knows how it was computed; its gradient begins with zeros."""

    __slots__ = ("requires_grad",)

    def __init__(self, data, requires_grad=False, _children=(), _op=""):
        self.data = np.array(data, dtype=float)
        self.requires_grad, self._op = requires_grad, _op
        self.grad = np.zeros(self.data.shape)
        self._prev, self._backward = set(_children), lambda: None

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    T = property(lambda self: self.transpose())

    def item(self):
        """Return the only number."""
        return self.data.item()

    def __repr__(self):
        return f"Tensor({self.data}, requires_grad={self.requires_grad})"

    @staticmethod
    def _lift(other):
        return other if isinstance(other, Tensor) else Tensor(other)

    def _result(self, data, op, *pairs):
        """Make a result from pairs of an operand and the way of a gradient back to it."""
        needed = [pair for pair in pairs if pair[0].requires_grad]
        if no_grad.open_blocks or not needed:
            return Tensor(data)
        out = Tensor(data, True, [operand for operand, _ in pairs], op)

        def _backward():
            for operand, back in needed:
                operand.grad = operand.grad + unbroadcast(back(out.grad), operand.shape)

        out._backward = _backward
        return out

    def __add__(self, other):
        other = self._lift(other)
        pairs = (self, lambda g: g), (other, lambda g: g)
        return self._result(self.data + other.data, "+", *pairs)

    def __mul__(self, other):
        other = self._lift(other)
        pairs = (self, lambda g: g * other.data), (other, lambda g: g * self.data)
        return self._result(self.data * other.data, "*", *pairs)

    def __pow__(self, p):
        x = self.data
        if isinstance(p, Real):
            return self._result(x**p, "**", (self, lambda g: g * p * x ** (p - 1 if p else 1)))
        p = self._lift(p)
        if not np.all(x > 0):
            raise ValueError(f"the base must be positive, but its smallest entry is {x.min()}")
        y = x**p.data
        left, right = (lambda g: g * p.data * x ** (p.data - 1)), (lambda g: g * y * np.log(x))
        return self._result(y, "**", (self, left), (p, right))

    def relu(self):
        """Return max(0, x)."""
        return self._result(np.maximum(self.data, 0), "relu", (self, lambda g: g * (self.data > 0)))

    def exp(self):
        """Return e ** x."""
        y = np.exp(self.data)
        return self._result(y, "exp", (self, lambda g: g * y))

    def log(self):
        """Return the natural logarithm."""
        return self._result(np.log(self.data), "log", (self, lambda g: g / self.data))

    def tanh(self):
        """Return the hyperbolic tangent."""
        y = np.tanh(self.data)
        return self._result(y, "tanh", (self, lambda g: g * (1 - y * y)))

    def __matmul__(self, other):
        other = self._lift(other)
        x, y = self.data, other.data
        if 0 in (x.ndim, y.ndim) or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
            raise ValueError(f"@ of shapes {x.shape} and {y.shape}")
        row = x[None] if x.ndim == 1 else x
        column = y[:, None] if y.ndim == 1 else y
        axes = ((-2,) if x.ndim == 1 else ()) + ((-1,) if y.ndim == 1 else ())
        try:
            z = np.matmul(x, y)
        except ValueError as error:
            raise ValueError(f"@ of shapes {x.shape} and {y.shape}") from error

        def left(g):
            whole = np.expand_dims(g, axes) @ column.swapaxes(-1, -2)
            return unbroadcast(whole, row.shape).reshape(x.shape)

        def right(g):
            whole = row.swapaxes(-1, -2) @ np.expand_dims(g, axes)
            return unbroadcast(whole, column.shape).reshape(y.shape)

        return self._result(z, "@", (self, left), (other, right))

    def __rmatmul__(self, other):
        return self._lift(other) @ self

    def sum(self, axis=None, keepdims=False):
        """Return the sum over axes."""
        kept = self.data.sum(axis=axis, keepdims=True).shape
        pair = self, lambda g: np.broadcast_to(g.reshape(kept), self.shape)
        return self._result(self.data.sum(axis=axis, keepdims=keepdims), "sum", pair)

    def mean(self, axis=None, keepdims=False):
        """Return the mean over axes."""
        total = self.sum(axis, keepdims)
        return total * (total.size / self.size)

    def max(self, axis=None, keepdims=False):
        """Return the largest entries; ties share."""
        top = self.data.max(axis=axis, keepdims=True)
        ties = self.data == top
        shares = ties / ties.sum(axis=axis, keepdims=True)
        pair = self, lambda g: g.reshape(top.shape) * shares
        return self._result(self.data.max(axis=axis, keepdims=keepdims), "max", pair)

    def reshape(self, *shape):
        """Return the entries in another shape."""
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        try:
            data = self.data.reshape(shape)
        except ValueError as error:
            raise ValueError(f"cannot reshape {self.shape} to {tuple(shape)}") from error
        return self._result(data, "reshape", (self, lambda g: g.reshape(self.shape)))

    def transpose(self, *axes):
        """Return the tensor with its axes in another order."""
        axes = tuple(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int) else axes
        axes = axes or tuple(range(self.ndim))[::-1]
        pair = self, lambda g: g.transpose(np.argsort(np.array(axes) % self.ndim))
        return self._result(self.data.transpose(axes), "transpose", pair)

    def __getitem__(self, index):
        def back(g):
            whole = np.zeros(self.shape)
            np.add.at(whole, index, g)
            return whole

        return self._result(self.data[index], "[]", (self, back))

    def backward(self, gradient=None):
        """Compute all gradients; what was computed begins anew."""
        if not self.requires_grad:
            raise RuntimeError("this tensor requires no gradient")
        if gradient is None and self.size != 1:
            raise ValueError(f"shape {self.shape} has not one entry: give a gradient")
        gradient = np.array(np.ones(self.shape) if gradient is None else gradient, dtype=float)
        if gradient.shape != self.shape:
            raise ValueError(f"gradient of shape {gradient.shape} for a tensor of {self.shape}")
        for node in topological_order(self):
            if node._prev:
                node.grad = np.zeros(node.shape)
        self.grad = self.grad + gradient
        _pass_back(self)

    def zero_grad(self):
        """Set the gradient to zeros."""
        self.grad = np.zeros(self.shape)
