"""The engine: tensors that remember what they were computed from, and gradients along the graph.

An operation computes its result in NumPy and hands it to `result`, with its operands and `pull`, a
function from the gradient of the result to the gradients of the operands. That is all the engine
knows of an operation. A new one needs no change here:

    def double(x: Tensor) -> Tensor:
        return result(2.0 * x.data, (x,), lambda grad: (2.0 * grad,))

`backward` goes through the graph from the last result to the leaves. Only leaves keep a gradient:
what lies between is needed for a moment, so a graph of 100,000 nodes holds one array for each node
and not two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pull = Callable[[Array], tuple[Array | None, ...]]

_recording = [True]
"""Whether operations remember their operands; the last entry counts."""


@contextmanager
def no_grad() -> Iterator[None]:
    """Let operations inside the block remember nothing: results hold no graph and no memory."""
    _recording.append(False)
    try:
        yield
    finally:
        _recording.pop()


class Tensor:
    """An array that knows how it was computed.

    Attributes:
        data: the array.
        requires_grad: whether somebody wants a gradient here, or at a tensor that it came from.
        grad: of a leaf, the gradients of all `backward` so far added up; None before the first.
        operands: what it was computed from, () for a leaf.
        pull: the gradients of the operands for a gradient of this tensor, None for a leaf.
    """

    __slots__ = ("__weakref__", "data", "grad", "operands", "pull", "requires_grad")
    __array_ufunc__ = None  # array * tensor is left to the tensor

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        """Make a leaf. `data` becomes an array; an array is taken as it is, not copied."""
        self.data: Array = np.asarray(data)
        self.requires_grad = requires_grad
        self.grad: Array | None = None
        self.operands: tuple[Tensor, ...] = ()
        self.pull: Pull | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    def __repr__(self) -> str:
        """Return a form for people: what it holds, and whether it is a leaf."""
        kind = "result" if self.operands else "leaf"
        return f"Tensor({kind}, shape={self.shape}, dtype={self.data.dtype})"

    def backward(self, upstream: Array | None = None) -> None:
        """Add the gradient of sum(upstream * self) to the `grad` of every leaf that wants one.

        `upstream` has the shape of this tensor; without it the tensor has one entry, and it is 1.
        """
        if upstream is None:
            if self.data.size != 1:
                raise ValueError(f"a tensor of shape {self.shape} needs an upstream gradient")
            upstream = np.ones_like(self.data)
        upstream = np.asarray(upstream, dtype=self.data.dtype)
        if upstream.shape != self.shape:
            raise ValueError(f"upstream has shape {upstream.shape}, the tensor {self.shape}")
        waiting = {id(self): upstream}
        for node in reversed(topological_order(self)):
            gradient = waiting.pop(id(node))
            if node.pull is None:
                node.grad = gradient.copy() if node.grad is None else node.grad + gradient
                continue
            for operand, part in zip(node.operands, node.pull(gradient), strict=True):
                if part is None or not operand.requires_grad:
                    continue
                known = waiting.get(id(operand))
                waiting[id(operand)] = part if known is None else known + part


def topological_order(root: Tensor) -> list[Tensor]:
    """Return `root` and all that it was computed from and that wants a gradient: operands first.

    Each once, and all operands of a node before it. A list is the stack, so a graph may be as deep
    as memory allows.
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    stack = [(root, False)] if root.requires_grad else []
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((one, False) for one in node.operands if one.requires_grad)
    return order


def result(data: Array, operands: tuple[Tensor, ...], pull: Pull) -> Tensor:
    """Return the result of an operation, with its graph where anybody wants a gradient."""
    out = Tensor(data)
    if _recording[-1] and any(operand.requires_grad for operand in operands):
        out.requires_grad, out.operands, out.pull = True, operands, pull
    return out
