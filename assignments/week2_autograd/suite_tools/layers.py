"""The student's layers with weights set from outside, and the formulas that they are held against.

A layer is reached in several ways. Through the student's engine, its results are numbers; with
stand-ins that only note what is done with them (the probe `recording`), they are expressions, in
which the numbers are put here. So a layer that is right is found right on a faulty engine too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.handles import Handle, Operand
from autograder.suite import expect
from autograder.suite.derivatives import relu
from autograder.suite.student import Student

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
"""Wide enough for an engine that computes in float32, too."""

SIZES = "LinearAutograd(4, 3)"
LONGEST = 40
"""Operations of an expression; the layers of this week need four."""


@dataclass(frozen=True)
class Layout:
    """How a student keeps a layer: W as (in, out) or (out, in), b as (out,) or (1, out).

    The methods turn arrays from the examiner's form, W (in, out) and b (out,), into the student's,
    and back.
    """

    turned: bool
    row: bool

    def weights(self, W: np.ndarray) -> np.ndarray:
        """Return W in the student's form; applied twice it is W again."""
        return np.ascontiguousarray(W.T) if self.turned else W

    def biases(self, b: np.ndarray) -> np.ndarray:
        """Return b in the student's form."""
        return b.reshape(1, -1) if self.row else b

    def ours(self, label: str, weights: Any, biases: Any, sizes: tuple[int, int]) -> list[Any]:
        """Return what came back for W and b in the examiner's form, or fail the test."""
        outputs = sizes[1]
        W = expect.array(f"{label}.W.data", weights, sizes[::-1] if self.turned else sizes)
        b = expect.array(f"{label}.b.data", biases, (1, outputs) if self.row else (outputs,))
        return [(W.T if self.turned else W).astype(np.float64), b.reshape(outputs).astype(float)]


def layout_of(student: Student) -> Layout:
    """Return the student's layout, found from a layer of 4 inputs and 3 outputs."""
    layer = student.mnist_autograd.LinearAutograd(4, 3)
    W = expect.array(f"W.data of {SIZES}", layer.W.data)
    b = expect.array(f"b.data of {SIZES}", layer.b.data)
    right = W.shape in ((4, 3), (3, 4))
    expect.that(
        f"W.data of {SIZES}",
        right,
        f"expected shape (4, 3), one row for each input, or (3, 4), got {W.shape}.",
    )
    right = b.shape in ((3,), (1, 3))
    expect.that(
        f"b.data of {SIZES}",
        right,
        f"expected shape (3,), one number for each output, or (1, 3), got {b.shape}.",
    )
    return Layout(turned=W.shape == (3, 4), row=b.ndim == 2)


def linear(student: Student, layout: Layout, W: np.ndarray, b: np.ndarray) -> Operand:
    """Return a LinearAutograd with W (in, out) and b (out,), in the student's layout."""
    layer = student.operand(student.mnist_autograd.LinearAutograd(*W.shape))
    layer.W.data, layer.b.data = layout.weights(W), layout.biases(b)
    return layer


# Stand-ins: what a layer does with them, as an expression.


def recording(student: Student, name: str) -> Handle:
    """Return a stand-in for a tensor."""
    return student.probe("recording")(name)


def recorded(student: Student, layer: Any, name: str) -> Any:
    """Put stand-ins into a linear layer: W<name> and b<name>, which have to require gradients."""
    for part in ("W", "b"):
        expect.equal(f"{part}.requires_grad", getattr(layer, part).requires_grad, True)
        setattr(layer, part, recording(student, f"{part}{name}"))
    return layer


def expression(student: Student, result: Any) -> Callable[..., np.ndarray]:
    """Return the function of numbers by name that a layer computed from stand-ins."""
    note = student.drive("note", result)
    expect.that("the layer's operations", _size(note) <= LONGEST, "there are more than expected.")

    def value(**numbers: np.ndarray) -> Any:
        try:
            return _value(note, numbers)
        except (ValueError, TypeError, IndexError) as error:
            what = "they don't go together with the shapes of W, b and x."
            raise expect.Wrong("the layer's operations", what) from error

    return value


def _size(note: Any) -> int:
    return 1 + sum(map(_size, note)) if isinstance(note, list) else 1


OPERATORS = {"+": np.add, "-": np.subtract, "*": np.multiply, "@": np.matmul}


def _value(note: Any, numbers: dict[str, np.ndarray]) -> Any:
    """Return what a note says, with numbers in the place of names."""
    if isinstance(note, str) and note in numbers:
        return numbers[note]
    if type(note) in (int, float):
        return note
    if isinstance(note, list) and len(note) == 3 and note[0] in OPERATORS:
        return OPERATORS[note[0]](*(_value(part, numbers) for part in note[1:]))
    if isinstance(note, list) and len(note) == 2 and note[0] == "T":
        return np.transpose(_value(note[1], numbers))
    if isinstance(note, list) and len(note) >= 2 and note[0] == "()":
        return _called(note[1], note[2:], numbers)
    raise expect.Wrong("the layer's operations", "they are not those of an engine.")


def _called(method: Any, arguments: Sequence[Any], numbers: dict[str, np.ndarray]) -> Any:
    """Return the result of a method of tensors that was called."""
    if not (isinstance(method, list) and len(method) == 2):
        raise expect.Wrong("the layer's operations", "they are not those of an engine.")
    name, operand = method[0], _value(method[1], numbers)
    plain = [tuple(one) if isinstance(one, list) else one for one in arguments]
    if name == "relu" and not plain:
        return relu(operand)
    if name in ("transpose", "reshape"):
        return getattr(operand, name)(*plain)
    raise expect.Wrong("the layer's operations", "they are not those of an engine.")


# Week 1's formulas.


def softmax_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean cross-entropy with respect to the logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    return (softmax - np.eye(logits.shape[1])[labels]) / len(labels)


def mean_loss(z: np.ndarray, labels: np.ndarray) -> Any:
    """Return the mean of log(sum exp(z)) - z[label] over the rows, also for complex logits."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_softmax[np.arange(len(labels)), labels])


def two_layers(weights: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return the logits of linear, relu, linear with W1, b1, W2, b2; each W is (in, out)."""
    W1, b1, W2, b2 = weights
    return relu(x @ W1 + b1) @ W2 + b2


def two_layer_gradients(
    weights: Sequence[np.ndarray], x: np.ndarray, d_logits: np.ndarray
) -> list[np.ndarray]:
    """Return the gradients with respect to W1, b1, W2, b2, from that of the logits."""
    W1, b1, W2, _ = weights
    before = x @ W1 + b1
    hidden = np.maximum(before, 0.0)
    d_before = (d_logits @ W2.T) * (before > 0.0)
    return [x.T @ d_before, d_before.sum(axis=0), hidden.T @ d_logits, d_logits.sum(axis=0)]
