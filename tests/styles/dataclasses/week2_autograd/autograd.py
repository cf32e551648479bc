"""The engine as dataclasses and mixins; each operation is an object that backward delegates to."""

import math
from dataclasses import InitVar, dataclass, field
from numbers import Real
from typing import Any

import numpy as np


def nothing_to_do():
    """Be the way back of a leaf."""


class GraphMixin:
    """Walks through a graph; shared by values and tensors."""

    __array_ufunc__ = None
    __hash__ = object.__hash__

    def ancestors(self):
        """Return everything that this was computed from and this, operands first."""
        seen, order, todo = set(), [], [(self, False)]
        while todo:
            node, done = todo.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                todo.append((node, True))
                todo.extend((operand, False) for operand in node._prev)
        return order

    def run_backward(self, first, nothing):
        """Fill all gradients from the first one."""
        order = self.ancestors()
        for node in order:
            if node._prev:
                node.grad = nothing(node)
        self.grad = first if self.grad is None else self.grad + first
        while order:
            order.pop()._backward()


def topological_order(root):
    """Return operands before results."""
    return root.ancestors()


class ArithmeticMixin:
    """What is made of the other operators."""

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return self + (-1.0 * self.wrap(other))

    def __rsub__(self, other):
        return self.wrap(other) - self

    def __truediv__(self, other):
        return self * self.wrap(other) ** -1.0

    def __rtruediv__(self, other):
        return self.wrap(other) / self

    def __radd__(self, other):
        return self.wrap(other).__add__(self)

    def __rmul__(self, other):
        return self.wrap(other).__mul__(self)

    def __rpow__(self, other):
        return self.wrap(other).__pow__(self)


@dataclass(eq=False)
class Step:
    """What a result has to do on the way back: operands, and their local gradients."""

    out: Any
    operands: tuple
    locals: tuple

    def __call__(self):
        """Hand the gradient on."""
        for operand, local in zip(self.operands, self.locals, strict=True):
            operand.grad += self.out.grad * local


@dataclass(eq=False, repr=False)
class Value(ArithmeticMixin, GraphMixin):
    """A number that knows how it was computed."""

    data: float
    _children: InitVar[tuple] = ()
    _op: str = ""
    grad: float = field(default=0.0, init=False)
    _backward: Any = field(default_factory=lambda: nothing_to_do, init=False)

    def __post_init__(self, _children):
        self.data = float(self.data)
        self._prev = set(_children)

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    @classmethod
    def wrap(cls, other):
        """Return a Value."""
        if isinstance(other, cls):
            return other
        if not isinstance(other, Real):
            raise TypeError(f"a Value or a number was expected, not {other!r}")
        return cls(other)

    @classmethod
    def result(cls, data, op, operands, local_gradients):
        """Return a result with its step."""
        out = cls(data, operands, op)
        out._backward = Step(out, operands, local_gradients)
        return out

    def __add__(self, other):
        other = self.wrap(other)
        return self.result(self.data + other.data, "+", (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.wrap(other)
        return self.result(self.data * other.data, "*", (self, other), (other.data, self.data))

    def __pow__(self, p):
        if isinstance(p, Value):
            if not self.data > 0:
                raise ValueError(f"{self.data} is no positive base")
            y, log = self.data**p.data, math.log(self.data)
            return self.result(y, "**", (self, p), (p.data * y / self.data, y * log))
        y = self.data**p
        if isinstance(y, complex):
            raise ValueError(f"{self.data} ** {p} is no real number")
        return self.result(y, "**", (self,), (0.0 if p == 0 else p * self.data ** (p - 1),))

    def relu(self):
        """Return max(0, x)."""
        on = self.data > 0
        return self.result(self.data * on, "relu", (self,), (1.0 * on,))

    def exp(self):
        """Return e ** x."""
        y = math.exp(self.data)
        return self.result(y, "exp", (self,), (y,))

    def log(self):
        """Return the natural logarithm."""
        if not self.data > 0:
            raise ValueError(f"the logarithm of {self.data} does not exist")
        return self.result(math.log(self.data), "log", (self,), (1 / self.data,))

    def tanh(self):
        """Return the hyperbolic tangent."""
        y = math.tanh(self.data)
        return self.result(y, "tanh", (self,), ((1 - y) * (1 + y),))

    def sigmoid(self):
        """Return the logistic function."""
        if self.data >= 0:
            y = 1 / (1 + math.exp(-self.data))
        else:
            y = math.exp(self.data) / (1 + math.exp(self.data))
        return self.result(y, "sigmoid", (self,), (y * (1 - y),))

    def backward(self):
        """Compute all gradients."""
        self.run_backward(1.0, lambda node: 0.0)

    def zero_grad(self):
        """Set all gradients to 0."""
        for node in self.ancestors():
            node.grad = 0.0


@dataclass
class no_grad:
    """Within it, results remember nothing."""

    open_blocks = 0

    def __enter__(self):
        no_grad.open_blocks += 1
        return self

    def __exit__(self, kind, error, trace):
        no_grad.open_blocks -= 1


def unbroadcast(gradient, shape):
    """Sum what was copied."""
    extra = len(gradient.shape) - len(shape)
    summed = gradient.sum(axis=tuple(range(extra)))
    ones = tuple(i for i in range(len(shape)) if shape[i] == 1)
    return summed.sum(axis=ones, keepdims=True) if ones else summed


@dataclass(eq=False)
class Way:
    """The way back of a result: functions that turn its gradient into shares."""

    out: Any
    operands: tuple
    functions: tuple

    def __call__(self):
        """Hand the gradient on to whoever needs one."""
        for operand, function in zip(self.operands, self.functions, strict=True):
            if operand.requires_grad:
                operand.take(function(self.out.grad))


@dataclass(eq=False, repr=False)
class Tensor(ArithmeticMixin, GraphMixin):
    """An array that knows how it was computed."""

    data: Any
    requires_grad: bool = False
    _children: InitVar[tuple] = ()
    _op: str = ""
    grad: Any = field(default=None, init=False)
    _backward: Any = field(default_factory=lambda: nothing_to_do, init=False)

    def __post_init__(self, _children):
        self.data = np.array(self.data, dtype=np.float64)
        self._prev = set(_children)

    def __repr__(self):
        return f"Tensor(shape={self.shape})"

    @property
    def shape(self):
        """Lengths of the axes."""
        return self.data.shape

    @property
    def ndim(self):
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self):
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def T(self):
        """Axes reversed."""
        return self.transpose()

    def item(self):
        """Return the only number."""
        return self.data.item()

    def take(self, share):
        """Add a share to the gradient, in place of an array of its own."""
        if self.grad is None:
            self.grad = np.zeros_like(self.data)
        self.grad += unbroadcast(np.asarray(share), self.shape)

    @classmethod
    def wrap(cls, other):
        """Return a Tensor."""
        return other if isinstance(other, cls) else cls(other)

    @classmethod
    def result(cls, data, op, operands, functions):
        """Return a result with its way back."""
        if no_grad.open_blocks or not any(one.requires_grad for one in operands):
            return cls(data)
        out = cls(data, True, operands, op)
        out._backward = Way(out, operands, functions)
        return out

    def __add__(self, other):
        other = self.wrap(other)
        same = np.array
        return self.result(self.data + other.data, "+", (self, other), (same, same))

    def __mul__(self, other):
        other = self.wrap(other)
        ways = (lambda g: other.data * g, lambda g: self.data * g)
        return self.result(self.data * other.data, "*", (self, other), ways)

    def __pow__(self, p):
        if isinstance(p, Real):
            slope = np.zeros_like(self.data) if p == 0 else p * self.data ** (p - 1)
            return self.result(self.data**p, "**", (self,), (lambda g: slope * g,))
        p = self.wrap(p)
        if self.data.min(initial=1.0) <= 0:
            raise ValueError(f"a base must be positive, got {self.data.min()}")
        y, log = self.data**p.data, np.log(self.data)
        ways = (lambda g: g * y * p.data / self.data, lambda g: g * y * log)
        return self.result(y, "**", (self, p), ways)

    def _elementwise(self, op, y, slope):
        return self.result(y, op, (self,), (lambda g: slope * g,))

    def relu(self):
        """Return max(0, x)."""
        on = (self.data > 0).astype(float)
        return self._elementwise("relu", on * self.data, on)

    def exp(self):
        """Return e ** x."""
        y = np.exp(self.data)
        return self._elementwise("exp", y, y)

    def log(self):
        """Return the natural logarithm."""
        return self._elementwise("log", np.log(self.data), self.data**-1)

    def tanh(self):
        """Return the hyperbolic tangent."""
        y = np.tanh(self.data)
        return self._elementwise("tanh", y, (1 - y) * (1 + y))

    def __matmul__(self, other):
        other = self.wrap(other)
        if self.ndim == 2 == other.ndim and self.shape[1] == other.shape[0]:
            ways = (lambda g: g @ other.data.T, lambda g: self.data.T @ g)
            return self.result(self.data @ other.data, "@", (self, other), ways)
        if not (self.ndim and other.ndim) or self.shape[-1] != other.shape[-2:][0]:
            raise ValueError(f"no product of shapes {self.shape} and {other.shape}")
        return self._by_sums(other)

    def __rmatmul__(self, other):
        return self.wrap(other) @ self

    def _by_sums(self, other):
        """Multiply with a third axis and add up: (..., n, k, 1) times (..., 1, k, m)."""
        left = self.reshape(1, -1) if self.ndim == 1 else self
        right = other.reshape(-1, 1) if other.ndim == 1 else other
        left = left.reshape((*left.shape, 1))
        right = right.reshape((*right.shape[:-2], 1, *right.shape[-2:]))
        try:
            product = (left * right).sum(axis=-2)
        except ValueError as error:
            raise ValueError(f"no product of shapes {self.shape} and {other.shape}") from error
        shape = product.shape[:-2]
        shape += product.shape[-2:-1] if self.ndim > 1 else ()
        shape += product.shape[-1:] if other.ndim > 1 else ()
        return product.reshape(shape)

    def sum(self, axis=None, keepdims=False):
        """Return the sum over axes."""

        def back(g):
            whole = g if keepdims or axis is None else np.expand_dims(g, axis)
            return np.ones(self.shape) * whole

        return self.result(np.sum(self.data, axis, keepdims=keepdims), "sum", (self,), (back,))

    def mean(self, axis=None, keepdims=False):
        """Return the mean over axes."""
        added = self.sum(axis=axis, keepdims=keepdims)
        return added * (added.size / self.size)

    def max(self, axis=None, keepdims=False):
        """Return the largest entries: a sum of the ties, each with its share."""
        ties = self.data == self.data.max(axis=axis, keepdims=True)
        return (self * (ties / ties.sum(axis=axis, keepdims=True))).sum(axis, keepdims)

    def reshape(self, *shape):
        """Return another shape."""
        shape = shape if isinstance(shape[:1] and shape[0], int | np.integer) else tuple(*shape)
        if math.prod(n for n in shape if n != -1) != self.size and -1 not in shape:
            raise ValueError(f"{self.shape} and {shape} have not the same number of entries")
        try:
            data = np.reshape(self.data, shape)
        except ValueError:
            raise ValueError(f"{self.shape} does not fit {shape}") from None
        return self.result(data, "reshape", (self,), (lambda g: g.reshape(self.shape),))

    def transpose(self, *axes):
        """Return the axes in another order."""
        axes = axes if not axes or isinstance(axes[0], int) else tuple(axes[0])
        axes = [a % self.ndim for a in axes] or list(range(self.ndim))[::-1]
        ways = (lambda g: g.transpose([axes.index(i) for i in range(self.ndim)]),)
        return self.result(self.data.transpose(axes), "T", (self,), ways)

    def __getitem__(self, index):
        places = np.arange(self.size).reshape(self.shape)[index]

        def back(g):
            counts = np.bincount(np.ravel(places), np.ravel(g), minlength=self.size)
            return counts.reshape(self.shape)

        return self.result(self.data[index], "[]", (self,), (back,))

    def backward(self, gradient=None):
        """Compute all gradients."""
        if not self.requires_grad:
            raise RuntimeError("no gradient is required of this tensor")
        if gradient is None and self.size != 1:
            raise ValueError(f"the shape is {self.shape}: name a gradient")
        first = np.full(self.shape, 1.0) if gradient is None else np.array(gradient, float)
        if first.shape != self.shape:
            raise ValueError(f"a gradient of shape {first.shape} for shape {self.shape}")
        self.run_backward(first, lambda node: None)

    def zero_grad(self):
        """Forget the gradient."""
        self.grad = None
