"""The student's layers with weights set from outside, in the student's layout, and what to expect.

Gradients to expect are found by complex steps through the forward pass (suite/derivatives).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.handles import Operand
from autograder.suite import expect
from autograder.suite.derivatives import relu, vjp
from autograder.suite.student import Student

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
"""Wide enough for an engine that computes in float32, too."""

SIZES = "LinearAutograd(4, 3)"


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
    W = expect.shape_of(f"W.data of {SIZES}", layer.W.data)
    b = expect.shape_of(f"b.data of {SIZES}", layer.b.data)
    right = W in ((4, 3), (3, 4))
    expect.that(
        f"W.data of {SIZES}",
        right,
        f"expected shape (4, 3), one row for each input, or (3, 4), got {W}.",
    )
    right = b in ((3,), (1, 3))
    expect.that(
        f"b.data of {SIZES}",
        right,
        f"expected shape (3,), one number for each output, or (1, 3), got {b}.",
    )
    return Layout(turned=W == (3, 4), row=len(b) == 2)


def linear(student: Student, layout: Layout, W: np.ndarray, b: np.ndarray) -> Operand:
    """Return a LinearAutograd with W (in, out) and b (out,), in the student's layout."""
    layer = student.operand(student.mnist_autograd.LinearAutograd(*W.shape))
    layer.W.data, layer.b.data = layout.weights(W), layout.biases(b)
    return layer


# What to expect. All of this works for complex numbers, too.


def mean_loss(z: np.ndarray, labels: np.ndarray) -> Any:
    """Return the mean cross-entropy of logits z: of log(sum exp(z)) - z[label] over the rows."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_softmax[np.arange(len(labels)), labels])


def loss_gradient(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean cross-entropy with respect to the logits."""
    return vjp(lambda z: mean_loss(z, labels), [z], 1.0)[0]


def two_layers(weights: Sequence[np.ndarray], x: np.ndarray) -> Any:
    """Return the logits of linear, relu, linear with W1, b1, W2, b2; each W is (in, out)."""
    W1, b1, W2, b2 = weights
    return relu(x @ W1 + b1) @ W2 + b2


def two_layer_gradients(
    weights: Sequence[np.ndarray], x: np.ndarray, upstream: np.ndarray
) -> list[np.ndarray]:
    """Return the gradients with respect to W1, b1, W2, b2, from that of the logits."""
    return vjp(lambda *parts: two_layers(parts, x), weights, upstream)
