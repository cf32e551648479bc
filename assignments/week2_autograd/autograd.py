"""An engine for automatic differentiation: `Value` for single numbers, `Tensor` for arrays.

Conventions, for everything in this file:

- Computing builds a graph: every result keeps its operands in the set `_prev` and the name of its
  operation in `_op`. Values and tensors are told apart by identity, not by their numbers.
- Every result also keeps `_backward`, a function without arguments: it takes the result's `grad`,
  dL/d(result), and *adds* dL/d(result) * d(result)/d(operand) to the `grad` of each operand.
- `backward()` puts a 1 into the `grad` of the result L and calls `_backward` of every node of the
  graph, each once, and results always before what they were computed from.
- Operators never change their operands. `a += b` makes a new node, as `a = a + b` does.
- Plain numbers may stand on either side of an operator (for `Tensor`: week2.more_operations); they
  become leaves of the graph. (Only the number in `a ** number` does not: it is part of the
  operation.)

What is marked "beyond the texts" belongs to the items week2.more_operations and week2.robustness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Axis = int | tuple[int, ...] | None
Node = TypeVar("Node", "Value", "Tensor")


def topological_order(root: Node) -> list[Node]:
    """Return `root` and all that it was computed from: operands before results, each once.

    "Each once" holds for nodes that are used several times, too, and "before" for *all* of a
    result's operands. It serves values and tensors alike: all it looks at is `_prev`.

    Beyond the texts (week2.robustness): a graph may be 100,000 nodes deep, where Python's recursion
    ends at about 1,000 calls. Instead of recursion use a list as a stack of what is still to do.
    """
    raise NotImplementedError("week2.value_backward: fill in topological_order")


# Single numbers


def as_value(number: Value | float) -> Value:
    """Return a Value as it is, and a plain number as a new leaf. TypeError for anything else."""
    if isinstance(number, Value):
        return number
    if isinstance(number, Real):
        return Value(number)
    raise TypeError(f"expected a Value or a number, got {type(number).__name__}")


class Value:
    """A number that knows how it was computed.

    Attributes:
        data: the number, a float.
        grad: dL/d(this value), a float; 0.0 before the first backward pass.
        _backward: adds this value's contributions to the `grad` of its operands.
        _prev: the set of the operands; empty for a leaf, a value that was not computed.
        _op: the operation, for pictures: "+", "*", "relu" and so on; "" for a leaf.
    """

    # Tells NumPy's numbers to leave `np.float64(2.0) * value` to `Value.__rmul__`.
    __array_ufunc__ = None

    def __init__(self, data: float, _children: tuple[Value, ...] = (), _op: str = "") -> None:
        """Create a leaf from a number. Operators also give the operands and their own name."""
        self.data = float(data)
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __repr__(self) -> str:
        """Return a form for people: the number and its gradient."""
        return f"Value(data={self.data}, grad={self.grad})"

    # Operators

    def __add__(self, other: Value | float) -> Value:
        """Worked example: return self + other.

        With z = x + y, dz/dx = 1 and dz/dy = 1. So z passes its own gradient on to both operands.
        It is added to what they have, since they may be used elsewhere as well: in x + x both
        operands are the same value, whose gradient is 2. All operators below are made like this.
        """
        other = as_value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other: Value | float) -> Value:
        """Return self * other; two operands, as for `+`, each with a local gradient of its own.

        `_op` is "*".
        """
        raise NotImplementedError("week2.value_operators: fill in Value.__mul__")

    def __pow__(self, exponent: Value | float) -> Value:
        """Return self ** exponent, where the exponent is a number p. `_op` is "**".

        The result has one operand, x: the number belongs to the operation.

        Beyond the texts (week2.robustness): for p = 0 the derivative is 0, also at x = 0; a
        negative base under a p with a fraction raises a ValueError. (week2.more_operations:) an
        exponent that is a Value is handed to `_to_the_value`.
        """
        if isinstance(exponent, Value):
            return self._to_the_value(exponent)
        raise NotImplementedError("week2.value_operators: fill in Value.__pow__")

    def __radd__(self, other: float) -> Value:
        """Return other + self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__radd__")

    def __rmul__(self, other: float) -> Value:
        """Return other * self, for a plain number on the left."""
        raise NotImplementedError("week2.value_operators: fill in Value.__rmul__")

    # These are made of the operators above. Given.

    def __neg__(self) -> Value:
        """Return -self."""
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        """Return self - other."""
        return self + (-as_value(other))

    def __truediv__(self, other: Value | float) -> Value:
        """Return self / other. Dividing by 0 is Python's ZeroDivisionError."""
        return self * as_value(other) ** -1

    def __rsub__(self, other: float) -> Value:
        """Return other - self."""
        return as_value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        """Return other / self."""
        return as_value(other) / self

    def __rpow__(self, other: float) -> Value:
        """Return other ** self."""
        return as_value(other) ** self

    # Functions

    def relu(self) -> Value:
        """Return max(0, self). The first task: made like `__add__`, with one operand.

        At x = 0 there is no derivative; here it is 0 there.
        """
        raise NotImplementedError("week2.value_functions: fill in Value.relu")

    def exp(self) -> Value:
        """Return e ** self. The result is all that the derivative needs.

        Above about 709 no float is large enough: Python's OverflowError.
        """
        raise NotImplementedError("week2.value_functions: fill in Value.exp")

    def log(self) -> Value:
        """Return the natural logarithm.

        Beyond the texts (week2.robustness): a number that is 0 or negative raises a ValueError,
        whose message names it.
        """
        raise NotImplementedError("week2.value_functions: fill in Value.log")

    # Gradients

    def backward(self) -> None:
        """Compute dL/d(node) for every node of the graph, where L is this value.

        Its own `grad` is 1, dL/dL. Then `_backward` of every node is called in reverse topological
        order: before a node passes its gradient on, all contributions to it have arrived.

        What comes to a leaf is added to what is there: from several uses in one graph, from several
        graphs.

        Beyond the texts (week2.robustness): a second `backward()` through the same graph adds the
        same numbers to the leaves again, and so do two results that share a node on their way. For
        that, nodes that were computed (those with operands) begin each pass with `grad` 0.
        """
        raise NotImplementedError("week2.value_backward: fill in Value.backward")

    # Beyond the texts

    def zero_grad(self) -> None:
        """Set `grad` to 0.0 on this value and on everything that it was computed from."""
        raise NotImplementedError("week2.robustness: fill in Value.zero_grad")

    def tanh(self) -> Value:
        """Return the hyperbolic tangent y, which is all that its derivative needs."""
        raise NotImplementedError("week2.more_operations: fill in Value.tanh")

    def sigmoid(self) -> Value:
        """Return y = 1 / (1 + e ** -x), also for x = +-1000.

        `math.exp` raises OverflowError above 709, so only exponents that are 0 or less are safe:
        for negative x, take the form e ** x / (1 + e ** x).
        """
        raise NotImplementedError("week2.more_operations: fill in Value.sigmoid")

    def _to_the_value(self, exponent: Value) -> Value:
        """Return self ** exponent for an exponent that is a Value; the result has two operands.

        The derivative by the exponent has a logarithm in it, so the base has to be positive.

        Raises:
            ValueError: if the base is not positive.
        """
        raise NotImplementedError("week2.more_operations: fill in Value._to_the_value")


# Arrays


def unbroadcast(gradient: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Bring a gradient back to the shape that an operand had before broadcasting.

    Broadcasting uses an entry several times, and uses add up: sum over the axes that it put in
    front, and over those that it stretched from length 1.

    Args:
        gradient: any shape that `shape` broadcasts to, not changed.
        shape: the operand's shape.

    Returns:
        The summed gradient, of shape `shape`.
    """
    raise NotImplementedError("week2.broadcasting: fill in unbroadcast")


def accumulate(operand: Tensor, contribution: FloatArray) -> None:
    """Add a contribution to the `grad` of an operand, if that requires a gradient. Given.

    A contribution that still has the shape which broadcasting gave to the operand is summed first.
    """
    if not operand.requires_grad:
        return
    if contribution.shape != operand.shape:
        contribution = unbroadcast(contribution, operand.shape)
    if operand.grad is None:
        operand.grad = np.zeros(operand.shape)
    operand.grad += contribution


def as_tensor(data: Any) -> Tensor:
    """Return a Tensor as it is, and an array, a list or a number as a new leaf."""
    return data if isinstance(data, Tensor) else Tensor(data)


def restore_axes(array: FloatArray, axis: Axis, keepdims: bool) -> FloatArray:
    """Give the result of a reduction over `axis` its reduced axes back, with length 1.

    Given. The returned array broadcasts against what was reduced. With `axis=None` it has a single
    entry, which broadcasts as it is.
    """
    return array if keepdims or axis is None else np.expand_dims(array, axis)


class no_grad:
    """Within `with no_grad():` results remember nothing and require no gradient.

    Beyond the texts. For evaluation, which needs no gradients: it saves the memory of the graph.
    Blocks may be nested; the outermost counts. A block also ends if an exception leaves it.
    """

    open_blocks: int = 0

    def __enter__(self) -> None:
        """Begin a block: from now on `no_grad.open_blocks` is not 0."""
        raise NotImplementedError("week2.robustness: fill in no_grad.__enter__")

    def __exit__(self, *exception: object) -> None:
        """End a block; with the last one, graphs are built again. Exceptions pass through."""
        raise NotImplementedError("week2.robustness: fill in no_grad.__exit__")


class Tensor:
    """An array that knows how it was computed: the idea of `Value`, entry by entry.

    Outside a function's domain (log of 0, division by 0, ...) stands what NumPy gives, inf or NaN
    with a RuntimeWarning.

    Attributes:
        data: the numbers, a float64 array. `t.data = ...` and `t.data -= ...` are how parameters
            are updated, once `backward` is done.
        requires_grad: whether backward passes fill `grad`; a result does if an operand does.
        grad: dL/d(this tensor), of data's shape; None before the first backward pass.
        _backward: adds this tensor's contributions to the `grad` of its operands.
        _prev, _op: the set of the operands, and the operation; empty for a leaf.
    """

    # Tells NumPy to leave `array + tensor` to `Tensor.__radd__`, instead of adding entry by entry.
    __array_ufunc__ = None

    def __init__(
        self,
        data: npt.ArrayLike,
        requires_grad: bool = False,
        _children: tuple[Tensor, ...] = (),
        _op: str = "",
    ) -> None:
        """Create a leaf from a copy of `data`: numbers in any shape. Operators give the rest."""
        self.data: FloatArray = np.array(data, dtype=np.float64)
        self.requires_grad = requires_grad
        self.grad: FloatArray | None = None
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    @staticmethod
    def _result(data: npt.ArrayLike, operands: tuple[Tensor, ...], op: str) -> Tensor:
        """Return the result of an operation; a leaf if no gradient will be asked of it. Given."""
        if no_grad.open_blocks or not any(operand.requires_grad for operand in operands):
            return Tensor(data)
        return Tensor(data, True, operands, op)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.data.size

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order; beyond the texts, like `transpose`."""
        return self.transpose()

    def item(self) -> float:
        """Return the number of a tensor with a single entry. ValueError if it has not just one."""
        return self.data.item()

    def __repr__(self) -> str:
        """Return a form for people."""
        numbers = np.array2string(self.data, precision=4, separator=", ", prefix="Tensor(")
        return f"Tensor({numbers}{', requires_grad=True' if self.requires_grad else ''})"

    # Operators, entry by entry

    def __add__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Worked example: return self + other, broadcast.

        With z = x + y, dz/dx = 1 and dz/dy = 1 for every entry, so z's gradient is passed on to
        both. It has z's shape; where x or y was broadcast, `accumulate` sums over the copies.
        """
        other = as_tensor(other)
        out = Tensor._result(self.data + other.data, (self, other), "+")

        def _backward() -> None:
            accumulate(self, out.grad)
            accumulate(other, out.grad)

        if out.requires_grad:
            out._backward = _backward
        return out

    def __mul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self * other, entry by entry, broadcast."""
        raise NotImplementedError("week2.tensor_elementwise: fill in Tensor.__mul__")

    def __pow__(self, exponent: Tensor | npt.ArrayLike) -> Tensor:
        """Return self ** exponent, entry by entry, where the exponent is a number p.

        The result has one operand, x.

        Beyond the texts (week2.robustness): for p = 0 the derivative is 0 everywhere, also at
        x = 0. (week2.more_operations:) a Tensor or array as exponent goes to `_to_the_tensor`.
        """
        if not isinstance(exponent, Real):
            return self._to_the_tensor(as_tensor(exponent))
        raise NotImplementedError("week2.tensor_elementwise: fill in Tensor.__pow__")

    # These are made of the operators above and of @. Given.

    def __neg__(self) -> Tensor:
        """Return -self."""
        return self * -1.0

    def __sub__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self - other."""
        return self + (-as_tensor(other))

    def __truediv__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self / other, entry by entry."""
        return self * as_tensor(other) ** -1

    def __radd__(self, other: npt.ArrayLike) -> Tensor:
        """Return other + self, for a number or an array on the left."""
        return as_tensor(other) + self

    def __rmul__(self, other: npt.ArrayLike) -> Tensor:
        """Return other * self."""
        return as_tensor(other) * self

    def __rsub__(self, other: npt.ArrayLike) -> Tensor:
        """Return other - self."""
        return as_tensor(other) - self

    def __rtruediv__(self, other: npt.ArrayLike) -> Tensor:
        """Return other / self."""
        return as_tensor(other) / self

    def __rpow__(self, other: npt.ArrayLike) -> Tensor:
        """Return other ** self."""
        return as_tensor(other) ** self

    def __rmatmul__(self, other: npt.ArrayLike) -> Tensor:
        """Return other @ self."""
        return as_tensor(other) @ self

    # Functions, entry by entry

    def relu(self) -> Tensor:
        """Return max(0, x). At x = 0 there is no derivative; here it is 0 there."""
        raise NotImplementedError("week2.tensor_elementwise: fill in Tensor.relu")

    def exp(self) -> Tensor:
        """Return e ** x."""
        raise NotImplementedError("week2.tensor_elementwise: fill in Tensor.exp")

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        raise NotImplementedError("week2.tensor_elementwise: fill in Tensor.log")

    # Matrix product

    def __matmul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self @ other for matrices: (n, k) @ (k, m) -> (n, m).

        Z = X Y passes two products of matrices back, of the shapes of X and of Y. Each is as costly
        as the forward pass, so leave it out for an operand that requires no gradient: the images,
        say.

        Beyond the texts (week2.more_operations): vectors and batches of matrices go to
        `_product_of_others`. (week2.robustness:) if the shapes don't go together, the ValueError
        names both.
        """
        other = as_tensor(other)
        if (self.ndim, other.ndim) != (2, 2):
            return self._product_of_others(other)
        raise NotImplementedError("week2.matmul: fill in Tensor.__matmul__")

    # Sums and shapes

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis`, an int; None stands for all entries.

        `keepdims=True` keeps the reduced axis with length 1. The gradient that arrives has the
        result's shape, the one that is passed back has the operand's.

        Beyond the texts (week2.more_operations): `axis` may be negative, counted from the end, and
        a tuple of several.
        """
        raise NotImplementedError("week2.sum: fill in Tensor.sum")

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the entries, in their order, in another shape: `t.reshape(2, 3)`.

        Beyond the texts (week2.more_operations): the shape may be given as a tuple,
        `t.reshape((2, 3))`, and one length may be -1, which follows from the others.
        (week2.robustness:) another number of entries raises a ValueError that names both shapes.
        """
        raise NotImplementedError("week2.reshape: fill in Tensor.reshape")

    # Gradients

    def backward(self, gradient: npt.ArrayLike | None = None) -> None:
        """Compute dL/d(node) for every node of the graph, as `Value.backward` does.

        For a tensor L with a single entry: its own `grad` is 1. Then `_backward` of every node is
        called in reverse topological order. What comes to a leaf is added to what is there.

        Beyond the texts (week2.robustness): second passes add the same again, as for values. A
        tensor with more entries needs `gradient`, dL/d(this tensor), an array of its shape, which
        is not changed.

        Raises (week2.robustness):
            RuntimeError: if this tensor doesn't require a gradient.
            ValueError: naming the shape, if there is no gradient and this tensor has not just
                one entry; naming both shapes, if the gradient's is another.
        """
        raise NotImplementedError("week2.tensor_backward: fill in Tensor.backward")

    def _first_gradient(self, gradient: npt.ArrayLike | None) -> FloatArray:
        """Return the array that `backward` begins with.

        For a tensor with a single entry, ones of data's shape: they suffice for
        week2.tensor_backward. The argument, and the errors that `backward` documents, are beyond
        the texts (week2.robustness).
        """
        raise NotImplementedError("week2.tensor_backward: fill in Tensor._first_gradient")

    # Beyond the texts

    def zero_grad(self) -> None:
        """Forget the gradient of this tensor: `grad` is None again.

        (Zeros in an engine whose gradients begin with zeros.)
        """
        raise NotImplementedError("week2.robustness: fill in Tensor.zero_grad")

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        raise NotImplementedError("week2.more_operations: fill in Tensor.tanh")

    def _to_the_tensor(self, exponent: Tensor) -> Tensor:
        """Return self ** exponent for an exponent that is a Tensor, broadcast; it has two operands.

        Raises:
            ValueError: if an entry of the base isn't positive.
        """
        raise NotImplementedError("week2.more_operations: fill in Tensor._to_the_tensor")

    def _product_of_others(self, other: Tensor) -> Tensor:
        """Return self @ other by NumPy's rules where they are not two matrices.

        The shapes: matrix by vector (n, k) @ (k,) -> (n,); vector by matrix (k,) @ (k, m) -> (m,);
        two vectors (k,) @ (k,) -> (). Axes in front of the last two are batches of matrices and
        broadcast: (5, 1, n, k) @ (4, k, m) -> (5, 4, n, m).

        A vector on the left counts as a row, (1, k), one on the right as a column, (k, 1); the
        result lacks the axis of length 1, so its gradient has to get it back first, and the
        contributions have to lose it again. Of batches, only the last two axes are transposed.

        Raises:
            ValueError: naming both shapes, if they don't go together or one is ().
        """
        raise NotImplementedError("week2.more_operations: fill in Tensor._product_of_others")

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis`: an int or several, negative ones from the end; None: all."""
        raise NotImplementedError("week2.more_operations: fill in Tensor.mean")

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest entry over `axis`, with the arguments of `mean`.

        The gradient belongs to the largest entry. Where several are equally large, there is no
        derivative; by convention they share the gradient equally: each of k ties gets 1/k.
        """
        raise NotImplementedError("week2.more_operations: fill in Tensor.max")

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """Return the tensor with its axes in the order `axes`; without arguments, reversed.

        Axis i of the result is axis `axes[i]` of this tensor; negative ones count from the end.
        `t.transpose(1, 0, 2)` and `t.transpose((1, 0, 2))` are the same.
        """
        raise NotImplementedError("week2.more_operations: fill in Tensor.transpose")

    def __getitem__(self, index: Any) -> Tensor:
        """Return the entries at `index`: whatever NumPy takes as index.

        Ints, slices, None, ..., integer and boolean arrays, and tuples of those. An entry that an
        integer array names several times is used several times: its gradients add up.
        """
        raise NotImplementedError("week2.more_operations: fill in Tensor.__getitem__")


def unpacked(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the ints of `f(2, 3)`, `f((2, 3))` or `f([2, 3])`, given as `f`'s `*arguments`."""
    if len(arguments) == 1 and isinstance(arguments[0], Sequence):
        return tuple(arguments[0])
    return arguments
