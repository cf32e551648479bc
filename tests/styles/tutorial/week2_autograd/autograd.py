"""A small automatic differentiation library: scalar Values and array Tensors.

Every operation names its inputs together with a function that turns the gradient of the output into
the gradient of that input. One generic `_backward` does the rest.
"""

import math

import numpy as np


def sort_graph(root):
    """Return all nodes below `root` in topological order, inputs first."""
    order = []
    done = set()
    stack = [(root, iter(list(root._prev)))]
    done.add(id(root))
    while stack:
        node, inputs = stack[-1]
        for child in inputs:
            if id(child) not in done:
                done.add(id(child))
                stack.append((child, iter(list(child._prev))))
                break
        else:
            order.append(node)
            stack.pop()
    return order


class Value:
    """A scalar that remembers how it was computed."""

    def __init__(self, data, _children=(), _op=""):
        self.data = float(data)
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op
        self._backward = lambda: None

    @staticmethod
    def wrap(x):
        """Return x as a Value."""
        if isinstance(x, Value):
            return x
        return Value(x)

    @staticmethod
    def from_op(data, op, *pairs):
        """Return the result of an operation, given (input, local derivative) pairs."""
        result = Value(data, [node for node, _ in pairs], op)

        def push():
            for node, slope in pairs:
                node.grad = node.grad + slope * result.grad

        result._backward = push
        return result

    def __add__(self, other):
        other = Value.wrap(other)
        return Value.from_op(self.data + other.data, "add", (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = Value.wrap(other)
        return Value.from_op(self.data * other.data, "mul", (self, other.data), (other, self.data))

    def __pow__(self, n):
        slope = n * self.data ** (n - 1) if n != 0 else 0.0
        return Value.from_op(self.data**n, "pow", (self, slope))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Value.wrap(other)

    def __truediv__(self, other):
        return self * Value.wrap(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value.wrap(other) - self

    def __rtruediv__(self, other):
        return Value.wrap(other) / self

    def relu(self):
        """Return the value where it is positive, else 0."""
        on = self.data > 0
        return Value.from_op(self.data if on else 0.0, "relu", (self, 1.0 if on else 0.0))

    def exp(self):
        """Return the exponential function."""
        power = math.exp(self.data)
        return Value.from_op(power, "exp", (self, power))

    def log(self):
        """Return the natural logarithm."""
        return Value.from_op(math.log(self.data), "log", (self, 1.0 / self.data))

    def backward(self):
        """Backpropagate from this value."""
        self.grad = 1.0
        for node in reversed(sort_graph(self)):
            node._backward()

    def zero_grad(self):
        """Set the gradient to zero."""
        self.grad = 0.0

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"


class Tensor:
    """A NumPy array that remembers how it was computed."""

    def __init__(self, data, requires_grad=False, _children=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = None
        self.requires_grad = requires_grad
        self._prev = set(_children)
        self._backward = lambda: None

    @property
    def shape(self):
        """The shape of the array."""
        return self.data.shape

    @property
    def T(self):
        """The transposed matrix."""
        return Tensor.from_op(self.data.T, (self, lambda g: g.T))

    @staticmethod
    def wrap(x):
        """Return x as a Tensor."""
        return x if isinstance(x, Tensor) else Tensor(x)

    @staticmethod
    def from_op(data, *pairs):
        """Return the result of an operation, given (input, function of the gradient) pairs."""
        needed = [(node, vjp) for node, vjp in pairs if node.requires_grad]
        result = Tensor(data, bool(needed), [node for node, _ in pairs])

        def push():
            for node, vjp in needed:
                node.receive(vjp(result.grad))

        result._backward = push
        return result

    def receive(self, grad):
        """Add a gradient, after undoing what broadcasting did to this tensor."""
        extra = grad.ndim - self.data.ndim
        axes = tuple(range(extra)) + tuple(
            extra + i for i, n in enumerate(self.shape) if n == 1 and grad.shape[extra + i] != 1
        )
        grad = np.sum(grad, axis=axes).reshape(self.shape)
        self.grad = grad if self.grad is None else self.grad + grad

    def __add__(self, other):
        other = Tensor.wrap(other)
        return Tensor.from_op(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        other = Tensor.wrap(other)
        x, y = self.data, other.data
        return Tensor.from_op(x * y, (self, lambda g: g * y), (other, lambda g: g * x))

    def __pow__(self, n):
        x = self.data
        return Tensor.from_op(x**n, (self, lambda g: g * n * x ** (n - 1)))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Tensor.wrap(other)

    def __truediv__(self, other):
        return self * Tensor.wrap(other) ** -1.0

    def __matmul__(self, other):
        other = Tensor.wrap(other)
        x, y = self.data, other.data
        return Tensor.from_op(x @ y, (self, lambda g: g @ y.T), (other, lambda g: x.T @ g))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Tensor.wrap(other) - self

    def relu(self):
        """Return the entries where they are positive, else 0."""
        mask = (self.data > 0).astype(float)
        return Tensor.from_op(self.data * mask, (self, lambda g: g * mask))

    def exp(self):
        """Return the exponential function of every entry."""
        power = np.exp(self.data)
        return Tensor.from_op(power, (self, lambda g: g * power))

    def log(self):
        """Return the natural logarithm of every entry."""
        x = self.data
        return Tensor.from_op(np.log(x), (self, lambda g: g / x))

    def sum(self, axis=None, keepdims=False):
        """Return the sum over an axis, or over all."""
        kept = np.sum(self.data, axis=axis, keepdims=True)
        total = kept if keepdims else np.sum(self.data, axis=axis)
        spread = np.ones(self.shape)
        return Tensor.from_op(total, (self, lambda g: spread * g.reshape(kept.shape)))

    def reshape(self, *shape):
        """Return the entries in another shape."""
        if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
            shape = tuple(shape[0])
        return Tensor.from_op(
            self.data.reshape(shape), (self, lambda g: g.reshape(self.data.shape))
        )

    def backward(self):
        """Backpropagate from this tensor."""
        self.grad = np.ones(self.shape)
        for node in reversed(sort_graph(self)):
            if node.grad is not None:
                node._backward()

    def zero_grad(self):
        """Set the gradient to zeros."""
        self.grad = np.zeros(self.shape)

    def __repr__(self):
        return f"Tensor(shape={self.shape}, requires_grad={self.requires_grad})"
