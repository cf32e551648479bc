"""A small core of operations; all others are composed of them in the graph.

Values: +, *, **, exp, log and relu are steps; tanh and sigmoid are made of them. Tensors: so are
@ by sums, mean by sum, exponents that are tensors by exp and log.
"""

import math
from numbers import Number, Real

import numpy as np


def topological_order(root):
    """Return operands before results: depth is one more than that of the deepest operand."""
    depth, todo = {}, [root]
    while todo:
        node = todo[-1]
        waiting = [one for one in node._prev if one not in depth]
        if waiting:
            todo.extend(waiting)
        else:
            depth[todo.pop()] = 1 + max((depth[one] for one in node._prev), default=-1)
    return sorted(depth, key=depth.get)


class Value:
    """A number that knows how it was computed."""

    __array_ufunc__ = None

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad = float(data), 0.0
        self._backward, self._prev, self._op = lambda: None, set(_children), _op

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        other = value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            for operand in (self, other):
                operand.grad = operand.grad + out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad = self.grad + other.data * out.grad
            other.grad = other.grad + self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, p):
        if isinstance(p, Value):
            return self._positive("base").log().__mul__(p).exp()
        if self.data < 0 and math.floor(p) != p:
            raise ValueError(f"base {self.data} is negative, and {p} has a fraction")
        out = Value(math.pow(self.data, p) if self.data or p >= 0 else 1 / 0, (self,), "**")
        out._backward = lambda: self._add(p * self.data ** (p - 1) * out.grad if p else 0.0)
        return out

    def _add(self, share):
        self.grad += share

    def _positive(self, name):
        if self.data <= 0:
            raise ValueError(f"{name} {self.data} is not positive")
        return self

    def relu(self):
        """Return max(0, x)."""
        out = Value(max(self.data, 0.0), (self,), "relu")
        out._backward = lambda: self._add(out.grad if out.data > 0 else 0.0)
        return out

    def exp(self):
        """Return e ** x."""
        out = Value(math.exp(self.data), (self,), "exp")
        out._backward = lambda: self._add(out.data * out.grad)
        return out

    def log(self):
        """Return the natural logarithm."""
        out = Value(math.log(self._positive("argument").data), (self,), "log")
        out._backward = lambda: self._add(out.grad / self.data)
        return out

    def sigmoid(self):
        """Return the logistic function, made of other operations."""
        if self.data < 0:
            return 1 - (-self).sigmoid()
        return (1 + (-self).exp()) ** -1

    def tanh(self):
        """Return the hyperbolic tangent, made of the logistic function."""
        return 2 * (2 * self).sigmoid() - 1

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __sub__(self, other):
        return self + -value(other)

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * value(other) ** -1

    def __rtruediv__(self, other):
        return self**-1 * other

    def __rpow__(self, other):
        return value(other) ** self

    def backward(self):
        """Compute all gradients."""
        order = topological_order(self)
        for node in order:
            node.grad *= not node._prev
        self.grad += 1.0
        for node in order[::-1]:
            node._backward()

    def zero_grad(self):
        """Set all gradients to 0."""
        for node in topological_order(self):
            node.grad = 0.0


def value(number):
    """Return a Value."""
    if isinstance(number, Value):
        return number
    if isinstance(number, Number):
        return Value(number)
    raise TypeError(f"{number!r} is no number")


def unbroadcast(gradient, shape):
    """Sum over the copies, by an einsum over the axes that stay."""
    gradient = np.asarray(gradient)
    front = gradient.ndim - len(shape)
    stay = [front + i for i, n in enumerate(shape) if n == gradient.shape[front + i]]
    return np.einsum(gradient, list(range(gradient.ndim)), stay).reshape(shape)


class no_grad:
    """Within it, results remember nothing."""

    open_blocks = 0

    def __enter__(self):
        no_grad.open_blocks += 1

    def __exit__(self, *error):
        no_grad.open_blocks -= 1


class Tensor:
    """An array that knows how it was computed."""

    __array_ufunc__ = None

    def __init__(self, data, requires_grad=False, _children=(), _op=""):
        self.data = np.asfortranarray(np.array(data, np.float64)).reshape(np.shape(data))
        self.requires_grad, self.grad = requires_grad, None
        self._backward, self._prev, self._op = lambda: None, set(_children), _op

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    T = property(lambda self: self.transpose())

    def item(self):
        """Return the only number."""
        return self.data.item()

    def _step(self, data, op, *shares):
        """Return a result; `shares` are pairs of an operand and a function of the gradient."""
        operands = [operand for operand, _ in shares if operand.requires_grad]
        if no_grad.open_blocks or not operands:
            return Tensor(data)
        out = Tensor(data, True, [operand for operand, _ in shares], op)

        def _backward():
            for operand, share in shares:
                if operand.requires_grad:
                    before = np.zeros(operand.shape) if operand.grad is None else operand.grad
                    operand.grad = before + unbroadcast(share(out.grad), operand.shape)

        out._backward = _backward
        return out

    def __add__(self, other):
        other = tensor(other)
        return self._step(self.data + other.data, "+", (self, np.copy), (other, np.copy))

    def __mul__(self, other):
        other = tensor(other)
        return self._step(
            self.data * other.data,
            "*",
            (self, lambda g: g * other.data),
            (other, lambda g: g * self.data),
        )

    def __pow__(self, p):
        if not isinstance(p, Real):
            if np.any(self.data <= 0):
                raise ValueError("the base must be positive everywhere")
            return (self.log() * p).exp()
        x = self.data
        return self._step(x**p, "**", (self, lambda g: g * (p * x ** (p - 1 if p else 1))))

    def relu(self):
        """Return max(0, x)."""
        return self * (self.data > 0)

    def exp(self):
        """Return e ** x."""
        y = np.exp(self.data)
        return self._step(y, "exp", (self, lambda g: g * y))

    def log(self):
        """Return the natural logarithm."""
        return self._step(np.log(self.data), "log", (self, lambda g: g / self.data))

    def tanh(self):
        """Return the hyperbolic tangent: (1 - e) / (1 + e) with e = exp(-2 |x|), and x's sign."""
        sign = np.where(self.data < 0, -1.0, 1.0)
        e = (self * (-2 * sign)).exp()
        return (1 - e) / (1 + e) * sign

    def __matmul__(self, other):
        other = tensor(other)
        shapes = f"{self.shape} @ {other.shape}"
        if not self.ndim or not other.ndim:
            raise ValueError(f"a number in {shapes}")
        left = self if self.ndim > 1 else self.reshape((1, self.size))
        right = other if other.ndim > 1 else other.reshape((other.size, 1))
        if left.shape[-1] != right.shape[-2]:
            raise ValueError(f"{shapes} does not go together")
        try:
            y = np.einsum("...ij,...jk->...ik", left.data, right.data)
        except ValueError as error:
            raise ValueError(f"{shapes} does not broadcast") from error
        out = left._step(
            y,
            "@",
            (left, lambda g: np.einsum("...ik,...jk->...ij", g, right.data)),
            (right, lambda g: np.einsum("...ij,...ik->...jk", left.data, g)),
        )
        if other.ndim == 1:
            out = out.sum(axis=-1)
        if self.ndim == 1:
            out = out.sum(axis=-2 + (other.ndim == 1))
        return out

    def sum(self, axis=None, keepdims=False):
        """Return the sum over axes."""
        kept = self.data.sum(axis=axis, keepdims=True).shape
        spread = lambda g: np.zeros(self.shape) + g.reshape(kept)  # noqa: E731
        return self._step(self.data.sum(axis=axis, keepdims=keepdims), "sum", (self, spread))

    def mean(self, axis=None, keepdims=False):
        """Return the mean over axes: a sum of shares."""
        count = self.size / self.data.sum(axis=axis).size
        return (self * (1 / count)).sum(axis, keepdims)

    def max(self, axis=None, keepdims=False):
        """Return the largest entries: a weighted sum."""
        top = self.data == self.data.max(axis=axis, keepdims=True)
        if axis is None or keepdims:
            return (self * (top / top.sum(axis=axis, keepdims=True))).sum(axis, keepdims)
        return self.max(axis, True).sum(axis)

    def reshape(self, *shape):
        """Return another shape."""
        shape = shape[0] if len(shape) == 1 and np.iterable(shape[0]) else shape
        try:
            y = self.data.reshape(shape)
        except ValueError as error:
            raise ValueError(f"{self.shape} cannot become {tuple(shape)}") from error
        return self._step(y, "reshape", (self, lambda g: g.reshape(self.shape)))

    def transpose(self, *axes):
        """Return the axes in another order."""
        axes = axes[0] if len(axes) == 1 and np.iterable(axes[0]) else axes
        axes = axes or range(self.ndim - 1, -1, -1)
        back = lambda g: np.moveaxis(g, range(self.ndim), axes)  # noqa: E731
        return self._step(self.data.transpose(*axes), "transpose", (self, back))

    def __getitem__(self, index):
        def back(g):
            gradient = np.zeros(self.shape)
            np.add.at(gradient, index, g)
            return gradient

        return self._step(self.data[index], "[]", (self, back))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __sub__(self, other):
        return self + tensor(other) * -1

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * tensor(other) ** -1

    def __rtruediv__(self, other):
        return self**-1 * other

    def __rpow__(self, other):
        return tensor(other) ** self

    def __rmatmul__(self, other):
        return tensor(other) @ self

    def backward(self, gradient=None):
        """Compute all gradients."""
        if not self.requires_grad:
            raise RuntimeError("backward on a tensor without a gradient")
        if gradient is None and self.size != 1:
            raise ValueError(f"shape {self.shape} is not a single entry")
        gradient = np.array(np.ones(self.shape) if gradient is None else gradient, np.float64)
        if gradient.shape != self.shape:
            raise ValueError(f"the gradient is {gradient.shape}, the tensor {self.shape}")
        order = topological_order(self)
        for node in order:
            node.grad = None if node._prev else node.grad
        self.grad = gradient + (0.0 if self.grad is None else self.grad)
        for node in reversed(order):
            node._backward()

    def zero_grad(self):
        """Forget the gradient."""
        self.grad = None


def tensor(data):
    """Return a Tensor."""
    return data if isinstance(data, Tensor) else Tensor(data)
