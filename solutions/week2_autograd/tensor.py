"""An autograd engine for arrays: autograd.py's idea, with a NumPy array in every node.

Conventions, for everything in this file:

- A `Tensor` holds a float64 array. Results keep their operands in `_prev` and the operation's name
  in `_op`, as a `Value` does, if one of the operands has `requires_grad` and no `no_grad` block is
  open. Otherwise a result is a leaf: nothing is remembered.
- Gradients always have the shape of what they belong to. `grad` is None before the first backward.
- Operators take tensors, arrays, lists and numbers on either side; what is no tensor becomes a leaf
  that requires no gradient. They broadcast as NumPy does.
- `_backward` takes dL/d(result) and returns one contribution for each operand of `_prev`, in order.
  A contribution has the operand's shape, or the one that broadcasting gave to it: `backward` brings
  it back with `unbroadcast`. It may be None for an operand that doesn't require a gradient.
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
    # BEGIN SOLUTION week2.broadcasting
    added = gradient.ndim - len(shape)
    stretched = tuple(axis for axis, size in enumerate(shape, start=added) if size == 1)
    return gradient.sum(axis=(*range(added), *stretched)).reshape(shape)
    # END SOLUTION


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
    # BEGIN SOLUTION week2.tensor_backward
    order: list[Tensor] = []
    seen: set[Tensor] = set()
    stack = [(root, False)]
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((operand, False) for operand in node._prev if operand.requires_grad)
    return order
    # END SOLUTION


class no_grad:
    """Within `with no_grad():` results remember nothing and require no gradient.

    For evaluation, which needs no gradients: it saves the memory of the graph. Blocks may be
    nested; the outermost counts. A block also ends if an exception leaves it.
    """

    open_blocks: int = 0

    def __enter__(self) -> None:
        """Begin a block: from now on `no_grad.open_blocks` is not 0."""
        # BEGIN SOLUTION week2.tensor_backward
        no_grad.open_blocks += 1
        # END SOLUTION

    def __exit__(self, *exception: object) -> None:
        """End a block; with the last one, graphs are built again. Exceptions pass through."""
        # BEGIN SOLUTION week2.tensor_backward
        no_grad.open_blocks -= 1
        # END SOLUTION


class Tensor:
    """An array that knows how it was computed.

    Attributes:
        data: the numbers, a float64 array. Assigning to it (`t.data = ...`, `t.data -= ...`) is how
            parameters are updated; it is counted, and a graph that used the old numbers can't be
            walked any more. Assigning single entries, `t.data[0] = ...`, isn't noticed: don't.
            (Where NumPy shares memory between a tensor and its operand, as in `reshape` and slices,
            the result's array is read-only.)
        grad: dL/d(this tensor) of the backward passes so far, of data's shape; None before.
        requires_grad: whether backward passes fill `grad`.
        _prev, _op: operands and operation, () and "" for a leaf.
        _backward: dL/d(this tensor) -> contributions to the operands, in the order of `_prev`.
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
        self._version = 0
        self.grad: FloatArray | None = None
        self.requires_grad = requires_grad
        self._prev = _prev
        self._op = _op
        self._backward: Callable[[FloatArray], Contributions] = lambda upstream: ()
        self._versions = self._versions_now()

    @classmethod
    def _result(
        cls,
        data: FloatArray,
        operands: tuple[Tensor, ...],
        op: str,
        backward: Callable[[FloatArray], Contributions],
    ) -> Tensor:
        """Return the result of an operation; a leaf if no gradient will be asked of it. Given.

        Args:
            data: the numbers, an array that the operation made and that nobody changes.
            operands: what it was computed from.
            op: the operation's name.
            backward: what the result's `_backward` shall be.
        """
        result = cls(())
        result._data = np.asarray(data)
        if result._data.base is not None:  # part of another array, an operand's perhaps
            result._data.flags.writeable = False
        if no_grad.open_blocks == 0 and any(operand.requires_grad for operand in operands):
            result.requires_grad = True
            result._prev, result._op, result._backward = operands, op, backward
            result._versions = result._versions_now()
        return result

    @property
    def data(self) -> FloatArray:
        """The numbers. Given."""
        return self._data

    @data.setter
    def data(self, data: npt.ArrayLike) -> None:
        """Replace the numbers by a copy of `data`, of the same shape, and count that."""
        if data is not self._data:  # `t.data -= ...` hands the tensor its own array
            data = np.array(data, dtype=np.float64)
        if data.shape != self.shape:
            raise ValueError(f"data of shape {data.shape} for a tensor of shape {self.shape}")
        self._data = data
        self._version += 1

    def _versions_now(self) -> tuple[int, ...]:
        """How often data was assigned, of this tensor and of its operands."""
        return (self._version, *[operand._version for operand in self._prev])

    def _is_stale(self) -> bool:
        """Whether its own data, or an operand's, was assigned after the result was computed."""
        return bool(self._prev) and self._versions != self._versions_now()

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
        both. It has z's shape; where x or y was broadcast, `backward` sums over the copies.
        """
        other = as_tensor(other)
        return Tensor._result(
            self.data + other.data, (self, other), "+", lambda upstream: (upstream, upstream)
        )

    def __neg__(self) -> Tensor:
        """Worked example with one operand: return -self."""
        return Tensor._result(-self.data, (self,), "neg", lambda upstream: (-upstream,))

    def __mul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self * other, entry by entry, broadcast."""
        # BEGIN SOLUTION week2.tensor_elementwise
        other = as_tensor(other)
        x, y = self.data, other.data
        return Tensor._result(x * y, (self, other), "*", lambda g: (g * y, g * x))
        # END SOLUTION

    def __sub__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self - other, broadcast."""
        # BEGIN SOLUTION week2.tensor_elementwise
        other = as_tensor(other)
        return Tensor._result(self.data - other.data, (self, other), "-", lambda g: (g, -g))
        # END SOLUTION

    def __truediv__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self / other, entry by entry, broadcast."""
        # BEGIN SOLUTION week2.tensor_elementwise
        other = as_tensor(other)
        y, ratio = other.data, self.data / other.data
        return Tensor._result(ratio, (self, other), "/", lambda g: (g / y, -g * ratio / y))
        # END SOLUTION

    def __pow__(self, exponent: Tensor | npt.ArrayLike) -> Tensor:
        """Return self ** exponent, entry by entry.

        Args:
            exponent: a number p, where the derivative is p x ** (p - 1), and 0 everywhere for
                p = 0; the result has one operand. Or a Tensor or array, broadcast, for which
                all entries of the base have to be positive; the result has two operands.

        Raises:
            ValueError: if the exponent is no plain number and an entry of the base isn't positive.
        """
        # BEGIN SOLUTION week2.tensor_elementwise
        if not isinstance(exponent, Real):
            return self._to_the_tensor(as_tensor(exponent))
        x, p = self.data, float(exponent)
        return Tensor._result(
            x**p, (self,), "**", lambda g: (g * p * x ** (p - 1.0) if p else np.zeros_like(g),)
        )
        # END SOLUTION

    def _to_the_tensor(self, exponent: Tensor) -> Tensor:
        """Return self ** exponent for an exponent that is a Tensor, with both derivatives."""
        # BEGIN SOLUTION week2.tensor_elementwise
        x, p = self.data, exponent.data
        if np.any(x <= 0.0):
            raise ValueError(f"a tensor as exponent needs a positive base, got {x.min()}")
        power = x**p
        return Tensor._result(
            power, (self, exponent), "**", lambda g: (g * p * x ** (p - 1.0), g * power * np.log(x))
        )
        # END SOLUTION

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
        # BEGIN SOLUTION week2.tensor_elementwise
        x = self.data
        return Tensor._result(np.maximum(x, 0.0), (self,), "relu", lambda g: (g * (x > 0.0),))
        # END SOLUTION

    def exp(self) -> Tensor:
        """Return e ** x."""
        # BEGIN SOLUTION week2.tensor_elementwise
        y = np.exp(self.data)
        return Tensor._result(y, (self,), "exp", lambda g: (g * y,))
        # END SOLUTION

    def log(self) -> Tensor:
        """Return the natural logarithm."""
        # BEGIN SOLUTION week2.tensor_elementwise
        x = self.data
        return Tensor._result(np.log(x), (self,), "log", lambda g: (g / x,))
        # END SOLUTION

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        # BEGIN SOLUTION week2.tensor_elementwise
        y = np.tanh(self.data)
        return Tensor._result(y, (self,), "tanh", lambda g: (g * (1.0 - y**2),))
        # END SOLUTION

    # Matrix product

    def __matmul__(self, other: Tensor | npt.ArrayLike) -> Tensor:
        """Return self @ other, by NumPy's rules.

        The shapes: matrix (n, k) @ (k, m) -> (n, m); matrix by vector (n, k) @ (k,) -> (n,); vector
        by matrix (k,) @ (k, m) -> (m,); two vectors (k,) @ (k,) -> (). Axes in front of the last
        two are batches of matrices and broadcast: (5, 1, n, k) @ (4, k, m) -> (5, 4, n, m).

        Raises:
            ValueError: naming both shapes, if they don't go together or one is ().
        """
        # BEGIN SOLUTION week2.matmul
        other = as_tensor(other)
        try:
            product = self.data @ other.data
        except ValueError as error:
            raise ValueError(f"shapes {self.shape} @ {other.shape} don't go together") from error
        return Tensor._result(
            product, (self, other), "@", lambda upstream: matmul_gradients(self, other, upstream)
        )
        # END SOLUTION

    # Reductions

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over `axis`: an int or several, negative ones from the end; None: all.

        Every entry of the sum is passed back to all entries that went into it. `keepdims=True`
        keeps the reduced axes with length 1.
        """
        # BEGIN SOLUTION week2.reductions
        return Tensor._result(
            self.data.sum(axis=axis, keepdims=keepdims),
            (self,),
            "sum",
            lambda g: (np.broadcast_to(restore_axes(g, axis, keepdims), self.shape),),
        )
        # END SOLUTION

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over `axis`, with the arguments of `sum`."""
        # BEGIN SOLUTION week2.reductions
        means = self.data.mean(axis=axis, keepdims=keepdims)
        share = means.size / self.size
        return Tensor._result(
            means,
            (self,),
            "mean",
            lambda g: (np.broadcast_to(restore_axes(g * share, axis, keepdims), self.shape),),
        )
        # END SOLUTION

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest entry over `axis`, with the arguments of `sum`.

        The gradient belongs to the largest entry. Where several are equally large, there is no
        derivative; by convention they share the gradient equally: each of k ties gets 1/k.
        """
        # BEGIN SOLUTION week2.reductions
        ties = self.data == self.data.max(axis=axis, keepdims=True)
        shares = ties / ties.sum(axis=axis, keepdims=True)
        return Tensor._result(
            self.data.max(axis=axis, keepdims=keepdims),
            (self,),
            "max",
            lambda g: (restore_axes(g, axis, keepdims) * shares,),
        )
        # END SOLUTION

    # Shapes

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return the entries in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`.

        One length may be -1: it follows from the others.

        Raises:
            ValueError: naming both shapes, if the number of entries is another.
        """
        # BEGIN SOLUTION week2.shapes
        try:
            data = self.data.reshape(unpacked(shape))
        except ValueError as error:
            raise ValueError(f"can't reshape {self.shape} to {unpacked(shape)}") from error
        return Tensor._result(data, (self,), "reshape", lambda g: (g.reshape(self.shape),))
        # END SOLUTION

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """Return the tensor with its axes in the order `axes`; without arguments, reversed.

        Axis i of the result is axis `axes[i]` of this tensor; negative ones count from the end.
        `t.transpose(1, 0, 2)` and `t.transpose((1, 0, 2))` are the same.
        """
        # BEGIN SOLUTION week2.shapes
        order = unpacked(axes) or tuple(reversed(range(self.ndim)))
        back = np.argsort([axis % self.ndim for axis in order])
        return Tensor._result(
            self.data.transpose(order), (self,), "transpose", lambda g: (g.transpose(back),)
        )
        # END SOLUTION

    def __getitem__(self, index: Any) -> Tensor:
        """Return the entries at `index`: whatever NumPy takes as index.

        Ints, slices, None, ..., integer and boolean arrays, and tuples of those. An entry that an
        integer array names several times is used several times: its gradients add up.
        """

        # BEGIN SOLUTION week2.shapes
        def backward(upstream: FloatArray) -> Contributions:
            gradient = np.zeros(self.shape)
            np.add.at(gradient, index, upstream)
            return (gradient,)

        return Tensor._result(self.data[index], (self,), "[]", backward)
        # END SOLUTION

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
                those of other numbers. No `grad` has been changed then. (Right gradients for the
                numbers that were used are as good.)
            ValueError: naming the shape, if there is no gradient and this tensor has not just
                one entry; naming both shapes, if the gradient's is another.
        """
        # BEGIN SOLUTION week2.tensor_backward
        upstream = {self: self._first_gradient(gradient)}
        order = topological_order(self)
        if any(node._is_stale() for node in order):
            raise RuntimeError(
                "the data of a tensor was assigned after it was used: compute the result again "
                "before its backward(), and update parameters after it"
            )
        for node in reversed(order):
            received = upstream.pop(node)
            node.grad = np.array(received) if node.grad is None else node.grad + received
            for operand, share in zip(node._prev, node._backward(received), strict=True):
                if operand.requires_grad and share is not None:
                    if share.shape != operand.shape:
                        share = unbroadcast(share, operand.shape)
                    upstream[operand] = upstream[operand] + share if operand in upstream else share
        # END SOLUTION

    def _first_gradient(self, gradient: npt.ArrayLike | None) -> FloatArray:
        """Return the array that `backward` begins with, or raise the errors that it documents."""
        # BEGIN SOLUTION week2.tensor_backward
        if not self.requires_grad:
            raise RuntimeError("backward() on a tensor that doesn't require a gradient")
        if gradient is None and self.size != 1:
            raise ValueError(
                f"backward() on a tensor of shape {self.shape} needs a gradient of that shape; "
                "only for a single entry it may be left out"
            )
        first = np.ones(self.shape) if gradient is None else np.asarray(gradient, dtype=np.float64)
        if first.shape != self.shape:
            raise ValueError(f"a gradient of shape {first.shape} for a tensor of {self.shape}")
        return first
        # END SOLUTION

    def zero_grad(self) -> None:
        """Forget the gradient of this tensor: `grad` is None again."""
        # BEGIN SOLUTION week2.tensor_backward
        self.grad = None
        # END SOLUTION


def matmul_gradients(x: Tensor, y: Tensor, upstream: FloatArray) -> Contributions:
    """Return the contributions to x and to y of z = x @ y, from `upstream` = dL/dz.

    For matrices, dL/dx = dL/dz y^T and dL/dy = x^T dL/dz. A vector on the left counts as a row,
    (1, k), one on the right as a column, (k, 1); z lacks the axis of length 1, so `upstream`
    has to get it back first, and the contributions have to lose it again. With batches, only the
    last two axes are transposed; axes that were broadcast are left to `unbroadcast`.

    A product is as costly as the forward pass. So it is left out, and None stands in its place,
    for an operand that doesn't require a gradient: the images in the first layer, say.
    """
    # BEGIN SOLUTION week2.matmul
    row, column = x.ndim == 1, y.ndim == 1
    rows = x.data[np.newaxis, :] if row else x.data
    columns = y.data[:, np.newaxis] if column else y.data
    upstream = np.expand_dims(upstream, -1) if column else upstream
    upstream = np.expand_dims(upstream, -2) if row else upstream
    dL_dx = dL_dy = None
    if x.requires_grad:
        dL_dx = upstream @ columns.swapaxes(-1, -2)
        dL_dx = dL_dx.squeeze(-2) if row else dL_dx
    if y.requires_grad:
        dL_dy = rows.swapaxes(-1, -2) @ upstream
        dL_dy = dL_dy.squeeze(-1) if column else dL_dy
    return dL_dx, dL_dy
    # END SOLUTION


def cross_entropy(logits: Tensor, labels: npt.ArrayLike) -> Tensor:
    """Return the mean over the batch of -log softmax(logits)[label], as a tensor of shape ().

    It can be one node of the graph, with week 1's formulas. With m the largest logit of a row,
    log softmax(z)_t = (z_t - m) - log sum_j exp(z_j - m), so logits of +-1000 are no problem. The
    gradient with respect to the logits is (softmax(logits) - one_hot(labels)) / N.

    Args:
        logits: shape (N, C), N at least 1.
        labels: class indices, integers from 0 to C - 1, shape (N,), not changed.

    Raises:
        ValueError: if the shapes are others, or if a label is no class.
    """
    # BEGIN SOLUTION week2.cross_entropy
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not labels.size:
        raise ValueError(f"logits of shape {logits.shape} with labels of shape {labels.shape}")
    if labels.dtype.kind not in "iu" or np.any((labels < 0) | (labels >= logits.shape[1])):
        raise ValueError(f"labels must be integers from 0 to {logits.shape[1] - 1}")
    shifted = logits.data - logits.data.max(axis=1, keepdims=True)
    log_prob = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    one_hot = np.arange(logits.shape[1]) == labels[:, np.newaxis]
    slope = (np.exp(log_prob) - one_hot) / len(labels)
    loss = -log_prob[one_hot].mean()
    return Tensor._result(loss, (logits,), "cross_entropy", lambda g: (g * slope,))
    # END SOLUTION
