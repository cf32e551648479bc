"""An engine for automatic differentiation: `Value` for numbers, `Tensor` for arrays.

Conventions, for everything in this file:

Conventions, for everything in this file:

- Computing builds a graph: every result keeps its operands in `_prev`, in order, and the name of
  its operation in `_op`. Nodes are told apart by identity.
- Every result also keeps `_backward`, a closure that takes the result's `grad` and adds
  dL/d(result) * d(result)/d(operand) to the `grad` of each operand. For tensors `_receive` adds,
  and brings a contribution back to the operand's shape. Closures keep copies of numbers they need.
- Plain numbers, and arrays where there are tensors, may stand on either side of an operator; they
  become leaves of the graph. (Only the number in `value ** number` does not.)
- Operators never change their operands. `a += b` makes a new node, as `a = a + b` does.
- Shapes that don't go together raise a ValueError that names both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Axis = int | tuple[int, ...] | None
Contributions = tuple[FloatArray | None, ...]
Node = TypeVar("Node", "Value", "Tensor")


def no_operands() -> None:
    """Pass nothing back: a leaf has no operands."""


def as_value(number: Value | float) -> Value:
    """Return a Value as it is, and a plain number as a new leaf. TypeError for anything else."""
    if isinstance(number, Value):
        return number
    if isinstance(number, Real):
        return Value(float(number))
    raise TypeError(f"expected a Value or a number, got {type(number).__name__}")


def topological_order(root: Node) -> list[Node]:
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

    def __init__(self, data: float, _children: tuple[Value, ...] = (), _op: str = "") -> None:
        """Create a leaf from a number. Operators also give the operands and their own name."""
        self.data = float(data)
        self.grad = 0.0
        self._prev = _children
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
    padded = (1,) * (gradient.ndim - len(shape)) + shape
    stretched = tuple(axis for axis, length in enumerate(padded) if length == 1)
    return gradient.sum(axis=stretched).reshape(shape)


def restore_axes(array: FloatArray, axis: Axis, keepdims: bool) -> FloatArray:
    """Give the result of a reduction over `axis` its reduced axes back, with length 1.

    Given. The returned array broadcasts against what was reduced. With `axis=None` it has a single
    entry, which broadcasts as it is.
    """
    return array if keepdims or axis is None else np.expand_dims(array, axis)


def as_tensor(data: Any) -> Tensor:
    """Return a Tensor as it is, and an array, a list or a number as a new leaf."""
    return data if isinstance(data, Tensor) else Tensor(data)


def unpacked(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the ints of `f(2, 3)`, `f((2, 3))` or `f([2, 3])`, given as `f`'s `*arguments`."""
    if len(arguments) == 1 and isinstance(arguments[0], Sequence):
        return tuple(arguments[0])
    return arguments


class no_grad:
    """Within `with no_grad():` results remember nothing and require no gradient.

    For evaluation, which needs no gradients: it saves the memory of the graph. Blocks may be
    nested; the outermost counts. A block also ends if an exception leaves it.
    """

    open_blocks: int = 0

    def __enter__(self) -> None:
        """Begin a block: from now on `no_grad.open_blocks` is not 0."""
        no_grad.open_blocks += 1

    def __exit__(self, *exception: object) -> None:
        """End a block; with the last one, graphs are built again. Exceptions pass through."""
        no_grad.open_blocks -= 1


class Tensor:
    """An array that knows how it was computed.

    Attributes:
        data: the numbers, a float64 array. Assigning to it (`t.data = ...`, `t.data -= ...`) is how
            parameters are updated. Graphs that used the old numbers have copies of them.
        grad: dL/d(this tensor) of the backward passes so far, of data's shape; None before.
        requires_grad: whether backward passes fill `grad`.
        _prev, _op: operands and operation, () and "" for a leaf.
        _backward: adds this tensor's part to the `grad` of each operand.
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
        self._data: FloatArray = np.array(data, dtype=np.float64)
        self.grad: FloatArray | None = None
        self.requires_grad = requires_grad
        self._prev = _children
        self._op = _op
        self._backward: Callable[[], None] = lambda: None

    @staticmethod
    def _result(data: FloatArray, operands: tuple[Tensor, ...], op: str) -> Tensor:
        """Return the result of an operation; a leaf if no gradient will be asked of it."""
        if no_grad.open_blocks or not any(operand.requires_grad for operand in operands):
            return Tensor(data)
        return Tensor(data, True, operands, op)

    def _pushing(self, push: Callable[[], None]) -> Tensor:
        """Return this result, with `push` as its `_backward` if it isn't a leaf."""
        if self._prev:
            self._backward = push
        return self

    def _receive(self, contribution: FloatArray) -> None:
        """Add a contribution to `grad`, in place, if this tensor requires a gradient."""
        if not self.requires_grad:
            return
        contribution = unbroadcast(np.asarray(contribution), self.shape)
        if self.grad is None:
            self.grad = np.array(contribution)
        else:
            self.grad += contribution

    @property
    def data(self) -> FloatArray:
        """The numbers. Given."""
        return self._data

    @data.setter
    def data(self, data: npt.ArrayLike) -> None:
        """Replace the numbers by a copy of `data`, of the same shape."""
        if data is not self._data:  # `t.data -= ...` hands the tensor its own array
            data = np.array(data, dtype=np.float64)
        if data.shape != self.shape:
            raise ValueError(f"data of shape {data.shape} for a tensor of shape {self.shape}")
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._data.size

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order."""
        return self.transpose()

    def item(self) -> float:
        """Return the number of a tensor with a single entry. ValueError if it has not just one."""
        return self._data.item()

    def detach(self) -> Tensor:
        """Return a leaf with a copy of the numbers: what is computed from it isn't traced back."""
        return Tensor(self._data)

    def __repr__(self) -> str:
        """Return a form for people."""
        numbers = np.array2string(self._data, precision=4, separator=", ", prefix="Tensor(")
        return f"Tensor({numbers}{', requires_grad=True' if self.requires_grad else ''})"

    def __setitem__(self, index: Any, entries: Any) -> None:
        """Refuse: a changed entry would make the gradients of all results that used it wrong."""
        raise TypeError(
            "entries of a tensor can't be assigned: gradients need the numbers that were used. "
            "Compute a new tensor, or replace all numbers of a leaf: tensor.data = ..."
        )

    # Operators, entry by entry

    def __add__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Worked example: return self + other, broadcast.

        With z = x + y, dz/dx = 1 and dz/dy = 1 for every entry, so z's gradient is passed on to
        both. It has z's shape; where x or y was broadcast, `_receive` sums over the copies.
        """
        other = as_tensor(other)
        out = Tensor._result(self.data + other.data, (self, other), "+")

        def push() -> None:
            self._receive(out.grad)
            other._receive(out.grad)

        return out._pushing(push)

    def __neg__(self) -> Tensor:
        """Worked example with one operand: return -self."""
        out = Tensor._result(-self.data, (self,), "neg")
        return out._pushing(lambda: self._receive(-out.grad))

    def __mul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self * other, entry by entry, broadcast."""
        other = as_tensor(other)
        out = Tensor._result(self.data * other.data, (self, other), "*")
        a, b = self.data.copy(), other.data.copy()

        def push() -> None:
            self._receive(b * out.grad)
            other._receive(a * out.grad)

        return out._pushing(push)

    def __sub__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self - other, broadcast."""
        return self + (-as_tensor(other))

    def __truediv__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self / other, entry by entry, broadcast."""
        return self * as_tensor(other) ** -1

    def __pow__(self, exponent: Tensor | npt.ArrayLike) -> Tensor:
        """Return self ** exponent, entry by entry.

        Args:
            exponent: a number p, where the derivative is p x ** (p - 1), and 0 everywhere for
                p = 0; the result has one operand. Or a Tensor or array, broadcast, for which
                all entries of the base have to be positive; the result has two operands.

        Raises:
            ValueError: if the exponent is no plain number and an entry of the base isn't positive.
        """
        if isinstance(exponent, Real):
            out = Tensor._result(self.data**exponent, (self,), "**")
            base = self.data.copy()

            def push() -> None:
                if exponent == 0:
                    self._receive(np.zeros_like(base))
                else:
                    self._receive(exponent * base ** (exponent - 1) * out.grad)

            return out._pushing(push)
        return self._to_the_tensor(as_tensor(exponent))

    def _to_the_tensor(self, exponent: Tensor) -> Tensor:
        """Return self ** exponent for an exponent that is a Tensor, with both derivatives."""
        if not np.all(self.data > 0):
            raise ValueError(f"a tensor as exponent needs a positive base, not {self.data.min()}")
        out = Tensor._result(self.data**exponent.data, (self, exponent), "**")
        base, power, y = self.data.copy(), exponent.data.copy(), out.data.copy()

        def push() -> None:
            self._receive(power * base ** (power - 1) * out.grad)
            exponent._receive(np.log(base) * y * out.grad)

        return out._pushing(push)

    def __radd__(self, other: npt.ArrayLike) -> Tensor:
        """Return other + self, for a number or an array on the left. Given, like those below."""
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
        """Return max(0, x). The derivative at x = 0 is 0."""
        out = Tensor._result(np.clip(self.data, 0, None), (self,), "relu")
        mask = self.data > 0
        return out._pushing(lambda: self._receive(mask * out.grad))

    def exp(self) -> Tensor:
        """Return e ** x."""
        out = Tensor._result(np.exp(self.data), (self,), "exp")
        y = out.data.copy()
        return out._pushing(lambda: self._receive(y * out.grad))

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        out = Tensor._result(np.log(self.data), (self,), "ln")
        x = self.data.copy()
        return out._pushing(lambda: self._receive(out.grad / x))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        out = Tensor._result(np.tanh(self.data), (self,), "tanh")
        y = out.data.copy()
        return out._pushing(lambda: self._receive((1 - y**2) * out.grad))

    # Matrix product

    def __matmul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self @ other, by NumPy's rules.

        The shapes: matrix (n, k) @ (k, m) -> (n, m); matrix by vector (n, k) @ (k,) -> (n,); vector
        by matrix (k,) @ (k, m) -> (m,); two vectors (k,) @ (k,) -> (). Axes in front of the last
        two are batches of matrices and broadcast: (5, 1, n, k) @ (4, k, m) -> (5, 4, n, m).

        Raises:
            ValueError: naming both shapes, if they don't go together or one is ().
        """
        other = as_tensor(other)
        try:
            product = np.matmul(self.data, other.data)
        except ValueError as error:
            raise ValueError(f"no product of shapes {self.shape} and {other.shape}") from error
        out = Tensor._result(product, (self, other), "dot")
        if not out.requires_grad:
            return out
        x, y = self.detach(), other.detach()
        x.requires_grad, y.requires_grad = self.requires_grad, other.requires_grad

        def push() -> None:
            parts = matmul_gradients(x, y, out.grad)
            for operand, part in zip((self, other), parts, strict=True):
                if part is not None:
                    operand._receive(part)

        return out._pushing(push)

    # Reductions

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis`: an int or several, negative ones from the end; None: all.

        Every entry of the sum is passed back to all entries that went into it. `keepdims=True`
        keeps the reduced axes with length 1.
        """
        out = Tensor._result(self.data.sum(axis=axis, keepdims=keepdims), (self,), "sum")
        ones = np.ones(self.shape)
        return out._pushing(lambda: self._receive(ones * restore_axes(out.grad, axis, keepdims)))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis`, with the arguments of `sum`."""
        total = self.sum(axis, keepdims)
        axes = range(self.ndim) if axis is None else np.atleast_1d(np.array(axis, dtype=int))
        return total / np.prod([self.shape[i] for i in axes], dtype=float)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest entry over `axis`, with the arguments of `sum`.

        The gradient belongs to the largest entry. Where several are equally large, there is no
        derivative; by convention they share the gradient equally: each of k ties gets 1/k.
        """
        top = self.data.max(axis=axis, keepdims=True)
        mask = (self.data == top).astype(float)
        mask /= mask.sum(axis=axis, keepdims=True)
        out = Tensor._result(self.data.max(axis=axis, keepdims=keepdims), (self,), "max")
        return out._pushing(lambda: self._receive(mask * restore_axes(out.grad, axis, keepdims)))

    # Shapes

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`.

        One length may be -1: it follows from the others.

        Raises:
            ValueError: naming both shapes, if the number of entries is another.
        """
        shape = unpacked(shape)
        try:
            data = self.data.reshape(shape).copy()
        except ValueError as error:
            raise ValueError(f"can't reshape {self.shape} to {shape}") from error
        out = Tensor._result(data, (self,), "view")
        return out._pushing(lambda: self._receive(out.grad.reshape(self.shape)))

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """Return the tensor with its axes in the order `axes`; without arguments, reversed.

        Axis i of the result is axis `axes[i]` of this tensor; negative ones count from the end.
        `t.transpose(1, 0, 2)` and `t.transpose((1, 0, 2))` are the same.
        """
        axes = unpacked(axes) or tuple(reversed(range(self.ndim)))
        places = range(self.ndim)
        out = Tensor._result(np.moveaxis(self.data, axes, places).copy(), (self,), "permute")
        return out._pushing(lambda: self._receive(np.moveaxis(out.grad, places, axes)))

    def __getitem__(self, index: Any) -> Tensor:
        """Return the entries at `index`: whatever NumPy takes as index.

        Ints, slices, None, ..., integer and boolean arrays, and tuples of those. An entry that an
        integer array names several times is used several times: its gradients add up.
        """

        positions = np.arange(self.size).reshape(self.shape)[index]
        out = Tensor._result(self.data.ravel()[positions], (self,), "select")

        def push() -> None:
            sums = np.bincount(np.ravel(positions), np.ravel(out.grad), minlength=self.size)
            self._receive(sums.reshape(self.shape))

        return out._pushing(push)

    # Gradients

    def backward(self, gradient: npt.ArrayLike | None = None) -> None:
        """Add the gradients of one backward pass to `grad` of every tensor that requires one.

        As in `Value.backward`: each tensor of the graph once, after all results that use it; the
        gradients of this call apart from those of earlier calls, and added to `grad`. A second call
        adds the same numbers again.

        Args:
            gradient: dL/d(this tensor), of this tensor's shape, not changed. None stands for 1 and
                is for tensors with a single entry only.

        Raises:
            RuntimeError: if this tensor doesn't require a gradient; if the data of a tensor in the
                graph was assigned after it was used (`_is_stale`), since the gradients would be
                those of other numbers. No `grad` has been changed then.
            ValueError: naming the shape, if there is no gradient and this tensor has not just
                one entry; naming both shapes, if the gradient's is another.
        """
        if not self.requires_grad:
            raise RuntimeError("backward() of a tensor that doesn't require a gradient")
        if gradient is None:
            if self.size != 1:
                raise ValueError(f"backward() of shape {self.shape} needs a gradient")
            gradient = np.ones(self.shape)
        first = np.array(gradient, dtype=np.float64)
        if first.shape != self.shape:
            raise ValueError(f"gradient of shape {first.shape} for a tensor of shape {self.shape}")
        order = topological_order(self)
        # The closures add to `grad` itself. What earlier calls left there waits aside meanwhile.
        before = [tensor.grad for tensor in order]
        for tensor in order:
            tensor.grad = None
        self.grad = first
        for tensor in reversed(order):
            tensor._backward()
        for tensor, old in zip(order, before, strict=True):
            if old is not None:
                old += tensor.grad
                tensor.grad = old

    def zero_grad(self) -> None:
        """Forget the gradient of this tensor: `grad` is None again."""
        self.grad = None


def matmul_gradients(x: Tensor, y: Tensor, upstream: FloatArray) -> Contributions:
    """Return the contributions to x and to y of z = x @ y, from `upstream` = dL/dz.

    For matrices, dL/dx = dL/dz y^T and dL/dy = x^T dL/dz. A vector on the left counts as a row,
    (1, k), one on the right as a column, (k, 1); z lacks the axis of length 1, so `upstream`
    has to get it back first, and the contributions have to lose it again. With batches, only the
    last two axes are transposed; axes that were broadcast are left to `unbroadcast`.

    A product is as costly as the forward pass. So it is left out, and None stands in its place,
    for an operand that doesn't require a gradient: the images in the first layer, say.
    """
    left = x.data[None, :] if x.ndim == 1 else x.data
    right = y.data[:, None] if y.ndim == 1 else y.data
    if x.ndim == 1:
        upstream = np.expand_dims(upstream, -1 if y.ndim == 1 else -2)
    if y.ndim == 1:
        upstream = np.expand_dims(upstream, -1)
    to_x = to_y = None
    if x.requires_grad:
        to_x = unbroadcast(upstream @ np.swapaxes(right, -1, -2), left.shape).reshape(x.shape)
    if y.requires_grad:
        to_y = unbroadcast(np.swapaxes(left, -1, -2) @ upstream, right.shape).reshape(y.shape)
    return to_x, to_y
