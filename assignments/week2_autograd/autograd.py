"""An autograd engine for single numbers: values that remember what they were computed from.

Conventions, for everything in this file:

- A `Value` holds one Python float. Computing with values builds a graph: every result keeps its
  operands in `_prev`, in order, and the name of its operation in `_op`.
- Every result also keeps `_backward`, which passes a gradient on: it takes dL/d(result) and returns
  one contribution for each operand of `_prev`, in order: dL/d(result) * d(result)/d(operand).
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


def no_operands(upstream: float) -> tuple[float, ...]:
    """Return what a leaf passes back: nothing, since it has no operands."""
    return ()


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
    raise NotImplementedError("week2.value_backward: fill in topological_order")


class Value:
    """A number that knows how it was computed.

    Attributes:
        data: the number, a float.
        grad: dL/d(this value) of the backward passes so far, a float; 0.0 before the first.
        _prev: the operands, in order; () for a leaf, a value that was not computed.
        _op: the operation, for pictures: "+", "*", "relu" and so on; "" for a leaf.
        _backward: dL/d(this value) -> the contributions to the operands of `_prev`, in order.
    """

    # Tells NumPy's numbers to leave `np.float64(2.0) * value` to `Value.__rmul__`.
    __array_ufunc__ = None

    def __init__(self, data: float, _prev: tuple[Value, ...] = (), _op: str = "") -> None:
        """Create a leaf from a number. Operators also give the operands and their own name."""
        self.data = float(data)
        self.grad = 0.0
        self._prev = _prev
        self._op = _op
        self._backward: Callable[[float], tuple[float, ...]] = no_operands

    def __repr__(self) -> str:
        """Return a form for people: the number and its gradient."""
        return f"Value(data={self.data:.6g}, grad={self.grad:.6g})"

    # Operators

    def __add__(self, other: Value | float) -> Value:
        """Worked example: return self + other.

        With z = x + y, dz/dx = 1 and dz/dy = 1. So z passes its own gradient on to both operands,
        unchanged: `_backward` returns one number for each operand, in the order of `_prev`.
        Nothing is added to any `grad` here: adding up is the business of `backward`.
        """
        other = as_value(other)
        result = Value(self.data + other.data, (self, other), "+")
        result._backward = lambda upstream: (upstream, upstream)
        return result

    def __neg__(self) -> Value:
        """Worked example with one operand: return -self. With z = -x, dz/dx = -1."""
        result = Value(-self.data, (self,), "neg")
        result._backward = lambda upstream: (-upstream,)
        return result

    def __mul__(self, other: Value | float) -> Value:
        """Return self * other. With z = x y, dz/dx = y and dz/dy = x. `_op` is "*"."""
        raise NotImplementedError("week2.value_operators: fill in Value.__mul__")

    def __sub__(self, other: Value | float) -> Value:
        """Return self - other. It may be made of other operators."""
        raise NotImplementedError("week2.value_operators: fill in Value.__sub__")

    def __truediv__(self, other: Value | float) -> Value:
        """Return self / other. With z = x / y, dz/dx = 1 / y and dz/dy = -x / y ** 2.

        It may be made of other operators. Dividing by 0 is Python's ZeroDivisionError.
        """
        raise NotImplementedError("week2.value_operators: fill in Value.__truediv__")

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
        raise NotImplementedError("week2.value_operators: fill in Value.__pow__")

    def _to_the_value(self, exponent: Value) -> Value:
        """Return self ** exponent for an exponent that is a Value, with both derivatives."""
        raise NotImplementedError("week2.value_operators: fill in Value._to_the_value")

    def __radd__(self, other: float) -> Value:
        """Return other + self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__radd__")

    def __rmul__(self, other: float) -> Value:
        """Return other * self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__rmul__")

    def __rsub__(self, other: float) -> Value:
        """Return other - self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__rsub__")

    def __rtruediv__(self, other: float) -> Value:
        """Return other / self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__rtruediv__")

    def __rpow__(self, other: float) -> Value:
        """Return other ** self, for a plain number on the left; it has to be positive."""
        raise NotImplementedError("week2.value_operators: fill in Value.__rpow__")

    # Functions

    def relu(self) -> Value:
        """Return max(0, self). The derivative is 1 where x > 0, and 0 elsewhere, also at x = 0."""
        raise NotImplementedError("week2.value_functions: fill in Value.relu")

    def exp(self) -> Value:
        """Return e ** self. Above about 709 no float is large enough: Python's OverflowError."""
        raise NotImplementedError("week2.value_functions: fill in Value.exp")

    def log(self) -> Value:
        """Return the natural logarithm; d(log x)/dx = 1 / x.

        Raises:
            ValueError: if the number is 0 or negative. The message says which number it was.
        """
        raise NotImplementedError("week2.value_functions: fill in Value.log")

    def tanh(self) -> Value:
        """Return the hyperbolic tangent y; its derivative is 1 - y ** 2."""
        raise NotImplementedError("week2.value_functions: fill in Value.tanh")

    def sigmoid(self) -> Value:
        """Return y = 1 / (1 + e ** -x), also for x = +-1000; the derivative is y (1 - y).

        `math.exp` raises OverflowError above 709, so only exponents that are 0 or less are safe:
        for negative x, take the form e ** x / (1 + e ** x).
        """
        raise NotImplementedError("week2.value_functions: fill in Value.sigmoid")

    # Gradients

    def backward(self, gradient: float = 1.0) -> None:
        """Add the gradients of one backward pass to `grad` of every value of the graph.

        Goes through the graph from this value back to the leaves, each node once, and only after
        all results that use it: then its own gradient is complete, the *sum* over its uses.

        The gradients of one call are apart from those of earlier calls, and are *added* to `grad`.
        So a second `backward()` adds the same numbers again: the gradient of every leaf doubles. To
        start anew, call `zero_grad` first.

        Args:
            gradient: dL/d(this value), where the pass begins; 1.0 if this value is L itself.
        """
        raise NotImplementedError("week2.value_backward: fill in Value.backward")

    def zero_grad(self) -> None:
        """Set `grad` to 0.0 on this value and on everything that it was computed from."""
        raise NotImplementedError("week2.value_backward: fill in Value.zero_grad")
