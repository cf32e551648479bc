"""An autograd engine for single numbers: values that remember what they were computed from.

Conventions, for everything in this file:

- A `Value` holds one Python float. Computing with values builds a graph: every result keeps its
  operands in `_prev`, in order, and the name of its operation in `_op`.
- Every result also keeps `_backward`, a closure that takes the result's `grad` and adds
  dL/d(result) * d(result)/d(operand) to the `grad` of each operand.
- Plain numbers may stand on either side of an operator; they become leaves of the graph. (Only the
  number in `value ** number` does not: it is part of the operation.)
- Operators never change their operands. `a += b` makes a new value, as `a = a + b` does.
- Values are compared and hashed by identity: two values with the same number are two nodes.

Python's standard library is enough here; NumPy comes with tensor.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real


def no_operands() -> None:
    """Pass nothing back: a leaf has no operands."""


def as_value(number: Value | float) -> Value:
    """Return a Value as it is, and a plain number as a new leaf. TypeError for anything else."""
    if isinstance(number, Value):
        return number
    if isinstance(number, Real):
        return Value(float(number))
    raise TypeError(f"expected a Value or a number, got {type(number).__name__}")


def topological_order(root: Value) -> list[Value]:
    """Return `root` and all that it was computed from: operands before results, each once.

    "Each once" holds for nodes that are used several times, too, and "before" for *all* of a
    result's operands. A graph may be 100,000 nodes deep, where Python's recursion ends at about
    1,000 calls: use a list as a stack of what is still to do. Time linear in the number of edges.
    """
    seen = {root}
    order = []
    open_nodes = [(root, iter(root._prev))]
    while open_nodes:
        node, operands = open_nodes[-1]
        for operand in operands:
            if operand not in seen:
                seen.add(operand)
                open_nodes.append((operand, iter(operand._prev)))
                break
        else:
            open_nodes.pop()
            order.append(node)
    return order


class Value:
    """A number that knows how it was computed.

    Attributes:
        data: the number, a float.
        grad: dL/d(this value) of the backward passes so far, a float; 0.0 before the first.
        _prev: the operands, in order; () for a leaf, a value that was not computed.
        _op: the operation, for pictures: "+", "*", "relu" and so on; "" for a leaf.
        _backward: adds this value's part to the `grad` of each operand.
    """

    # Tells NumPy's numbers to leave `np.float64(2.0) * value` to `Value.__rmul__`.
    __array_ufunc__ = None

    def __init__(self, data: float, _prev: tuple[Value, ...] = (), _op: str = "") -> None:
        """Create a leaf from a number. Operators also give the operands and their own name."""
        self.data = float(data)
        self.grad = 0.0
        self._prev = _prev
        self._op = _op
        self._backward: Callable[[], None] = no_operands

    def __repr__(self) -> str:
        """Return a form for people: the number and its gradient."""
        return f"Value(data={self.data:.6g}, grad={self.grad:.6g})"

    # Operators

    def __add__(self, other: Value | float) -> Value:
        """Worked example: return self + other.

        With z = x + y, dz/dx = 1 and dz/dy = 1. So z passes its own gradient on to both operands.
        """
        other = as_value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def push() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = push
        return out

    def __neg__(self) -> Value:
        """Worked example with one operand: return -self. With z = -x, dz/dx = -1."""
        out = Value(-self.data, (self,), "neg")

        def push() -> None:
            self.grad -= out.grad

        out._backward = push
        return out

    def __mul__(self, other: Value | float) -> Value:
        """Return self * other. With z = x y, dz/dx = y and dz/dy = x. `_op` is "*"."""
        other = as_value(other)
        out = Value(self.data * other.data, (self, other), "*")
        a, b = self.data, other.data

        def push() -> None:
            self.grad += b * out.grad
            other.grad += a * out.grad

        out._backward = push
        return out

    def __sub__(self, other: Value | float) -> Value:
        """Return self - other. It may be made of other operators."""
        return self + (-as_value(other))

    def __truediv__(self, other: Value | float) -> Value:
        """Return self / other. With z = x / y, dz/dx = 1 / y and dz/dy = -x / y ** 2.

        It may be made of other operators. Dividing by 0 is Python's ZeroDivisionError.
        """
        return self * as_value(other) ** -1

    def __pow__(self, exponent: Value | float) -> Value:
        """Return self ** exponent. `_op` is "**".

        Args:
            exponent: a number p, where d(x ** p)/dx = p x ** (p - 1), which is 0 for p = 0, also
                at x = 0; the result has one operand, x. Or a Value, for which the base has to be
                positive; there d(x ** y)/dx = y x ** (y - 1) and d(x ** y)/dy = x ** y log x.

        Raises:
            ValueError: if the exponent is a Value and the base is not positive, or if the exponent
                is a number with a fraction and the base is negative.
        """
        if isinstance(exponent, Value):
            if self.data <= 0:
                raise ValueError(f"a Value as exponent needs a positive base, not {self.data}")
            operands = (self, exponent)
        else:
            operands = (self,)
        x, p = self.data, as_value(exponent).data
        if x < 0 and not p.is_integer():
            raise ValueError(f"{x} ** {p} is no real number")
        out = Value(x**p, operands, "**")

        def push() -> None:
            if p != 0:
                self.grad += p * x ** (p - 1) * out.grad
            if isinstance(exponent, Value):
                exponent.grad += math.log(x) * x**p * out.grad

        out._backward = push
        return out

    def __radd__(self, other: float) -> Value:
        """Return other + self, for a plain number on the left."""
        return self + other

    def __rmul__(self, other: float) -> Value:
        """Return other * self, for a plain number on the left."""
        return self * other

    def __rsub__(self, other: float) -> Value:
        """Return other - self, for a plain number on the left."""
        return -self + other

    def __rtruediv__(self, other: float) -> Value:
        """Return other / self, for a plain number on the left."""
        return self**-1 * other

    def __rpow__(self, other: float) -> Value:
        """Return other ** self, for a plain number on the left; it has to be positive."""
        return as_value(other) ** self

    # Functions

    def relu(self) -> Value:
        """Return max(0, self). The derivative is 1 where x > 0, and 0 elsewhere, also at x = 0."""
        out = Value(max(0.0, self.data), (self,), "relu")

        def push() -> None:
            if out.data > 0:
                self.grad += out.grad

        out._backward = push
        return out

    def exp(self) -> Value:
        """Return e ** self. Above about 709 no float is large enough: Python's OverflowError."""
        out = Value(math.exp(self.data), (self,), "exp")

        def push() -> None:
            self.grad += out.data * out.grad

        out._backward = push
        return out

    def log(self) -> Value:
        """Return the natural logarithm; d(log x)/dx = 1 / x.

        Raises:
            ValueError: if the number is 0 or negative. The message says which number it was.
        """
        if self.data <= 0:
            raise ValueError(f"the logarithm of {self.data} doesn't exist")
        out = Value(math.log(self.data), (self,), "ln")

        def push() -> None:
            self.grad += out.grad / self.data

        out._backward = push
        return out

    def tanh(self) -> Value:
        """Return the hyperbolic tangent y; its derivative is 1 - y ** 2."""
        out = Value(math.tanh(self.data), (self,), "tanh")

        def push() -> None:
            self.grad += (1 - out.data) * (1 + out.data) * out.grad

        out._backward = push
        return out

    def sigmoid(self) -> Value:
        """Return y = 1 / (1 + e ** -x), also for x = +-1000; the derivative is y (1 - y).

        `math.exp` raises OverflowError above 709, so only exponents that are 0 or less are safe:
        for negative x, take the form e ** x / (1 + e ** x).
        """
        return (self * 0.5).tanh() * 0.5 + 0.5

    # Gradients

    def backward(self, gradient: float = 1.0) -> None:
        """Add the gradients of one backward pass to `grad` of every value of the graph.

        Goes through the graph from this value back to the leaves, each node once, and only after
        all results that use it: then its own gradient is complete, the *sum* over its uses.

        The gradients of one call are apart from those of earlier calls, and are *added* to `grad`.
        So a second `backward()` adds the same numbers again, and every `grad` doubles. To start
        anew, call `zero_grad` first.

        Args:
            gradient: dL/d(this value), where the pass begins; 1.0 if this value is L itself.
        """
        order = topological_order(self)
        # The closures add to `grad` itself. What earlier calls left there waits aside meanwhile.
        before = [node.grad for node in order]
        for node in order:
            node.grad = 0.0
        self.grad = float(gradient)
        for node in reversed(order):
            node._backward()
        for node, old in zip(order, before, strict=True):
            node.grad += old

    def zero_grad(self) -> None:
        """Set `grad` to 0.0 on this value and on everything that it was computed from."""
        for node in topological_order(self):
            node.grad = 0.0
