"""An autograd engine for arrays: autograd.py's idea, with a NumPy array in every node.

Conventions, for everything in this file:

- A `Tensor` holds a float64 array. Results keep their operands in `_prev` and the operation's name
  in `_op`, as a `Value` does, if one of the operands has `requires_grad` and no `no_grad` block is
  open. Otherwise a result is a leaf: nothing is remembered.
- Gradients always have the shape of what they belong to. `grad` is None before the first backward.
- Operators take tensors, arrays, lists and numbers on either side; what is no tensor becomes a leaf
  that requires no gradient. They broadcast as NumPy does.
- `_backward` adds the contributions of a result to the `grad` of its operands, with `_receive`.
  A contribution has the operand's shape, or the one that broadcasting gave to it: `_receive` brings
  it back with `unbroadcast`. Operations keep copies of the numbers that their gradients need.
- No array that was given or handed on is changed in place, here or in a `_backward`: others may
  hold the same array.
- Shapes that don't go together raise a ValueError that names both.
- Outside a function's domain (log of a number that is not positive, division by 0, ...) stands what
  NumPy gives, inf or NaN with a RuntimeWarning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Axis = int | tuple[int, ...] | None
Contributions = tuple[FloatArray | None, ...]


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


def topological_order(root: Tensor) -> list[Tensor]:
    """Return the tensors that a backward pass from `root` goes through, operands first, each once.

    Those are `root` and all that it was computed from, except tensors that don't require a
    gradient. Without recursion, in time linear in the number of edges, as in autograd.py.
    """
    seen = {root}
    order = []
    open_nodes = [(root, iter(root._prev))]
    while open_nodes:
        node, operands = open_nodes[-1]
        for operand in operands:
            if operand.requires_grad and operand not in seen:
                seen.add(operand)
                open_nodes.append((operand, iter(operand._prev)))
                break
        else:
            open_nodes.pop()
            order.append(node)
    return order


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
        _prev: tuple[Tensor, ...] = (),
        _op: str = "",
    ) -> None:
        """Create a leaf from a copy of `data`: numbers in any shape. Operators give the rest."""
        self._data: FloatArray = np.array(data, dtype=np.float64)
        self.grad: FloatArray | None = None
        self.requires_grad = requires_grad
        self._prev = _prev
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


def cross_entropy(logits: Tensor, labels: npt.ArrayLike) -> Tensor:
    """Return the mean over the batch of -log softmax(logits)[label], as a tensor of shape ().

    One node of the graph, with week 1's formulas. With m the largest logit of a row,
    log softmax(z)_t = (z_t - m) - log sum_j exp(z_j - m), so logits of +-1000 are no problem. The
    gradient with respect to the logits is (softmax(logits) - one_hot(labels)) / N.

    Args:
        logits: shape (N, C), N at least 1.
        labels: class indices, integers from 0 to C - 1, shape (N,), not changed.

    Raises:
        ValueError: if the shapes are others, or if a label is no class.
    """
    labels = np.array(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or len(labels) == 0:
        raise ValueError(f"logits of shape {logits.shape}, labels of shape {labels.shape}")
    classes = np.arange(logits.shape[1])
    if not np.isin(labels, classes).all():
        raise ValueError(f"labels must be from 0 to {len(classes) - 1}, got {labels}")
    labels = labels.astype(int)

    # Tensor operations on a copy; to the outside they are one node.
    inner = logits.detach()
    inner.requires_grad = True
    shifted = inner - inner.data.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(labels)), labels]
    loss = (shifted.exp().sum(axis=1).log() - picked).mean()
    out = Tensor._result(loss.data.copy(), (logits,), "loss")

    def push() -> None:
        inner.zero_grad()
        loss.backward(out.grad)
        logits._receive(inner.grad)

    return out._pushing(push)
