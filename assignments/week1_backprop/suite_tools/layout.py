"""The forms that a submission's Linear may have: weights either way round, biases flat or not.

All tests work with W of shape (out, in) and b of shape (out,); what goes to the student's layer, or
is compared with what it holds, is put into the student's form first. One form holds everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

IN, OUT = 3, 2


@dataclass(frozen=True)
class Layout:
    """transposed: W has shape (in, out); axes: the shape of b, -1 for its length."""

    transposed: bool
    axes: tuple[int, ...]

    def weights(self, W: np.ndarray) -> np.ndarray:
        """Return weights (out, in), or their gradient, as the student's layer holds them."""
        return np.ascontiguousarray(W.T) if self.transposed else W

    def biases(self, b: np.ndarray) -> np.ndarray:
        """Return biases (out,), or their gradient, as the student's layer holds them."""
        return b.reshape(self.axes)

    def back(self, array: Any) -> Any:
        """Return weights (out, in) or biases (out,) of what the student's layer holds."""
        if type(array) is not np.ndarray:
            return array
        if array.ndim == len(self.axes) == 2 and 1 in array.shape:
            return array.reshape(-1)
        return array.T if self.transposed else array


def layout_of(student: Student) -> Layout:
    """Return the form of the student's Linear, as a new layer shows it."""
    layer = student.neural_net.Linear(IN, OUT)
    W, b = expect.shape_of("W", layer.W), expect.shape_of("b", layer.b)
    right = W in ((OUT, IN), (IN, OUT))
    wanted = f"expected shape {(OUT, IN)} or {(IN, OUT)} in Linear({IN}, {OUT}), got {W}."
    expect.that("W", right, wanted)
    right = b in ((OUT,), (1, OUT), (OUT, 1))
    wanted = f"expected shape {(OUT,)} or {(1, OUT)} in Linear({IN}, {OUT}), got {b}."
    expect.that("b", right, wanted)
    axes = tuple(-1 if length == OUT else 1 for length in b)
    return Layout(transposed=W == (IN, OUT), axes=axes)


def linear(student: Student, W: np.ndarray, b: np.ndarray) -> tuple[Handle, Layout]:
    """Return a Linear of the student's with the weights (out, in) and biases (out,), and its form.

    In both forms `forward` is x W^T + b of these.
    """
    layout = layout_of(student)
    layer = student.neural_net.Linear(W.shape[1], W.shape[0])
    set_parameters(layer, layout, W, b)
    return layer, layout


def set_parameters(layer: Handle, layout: Layout, W: np.ndarray, b: np.ndarray) -> None:
    """Give a layer of the student's these parameters, in its form."""
    layer.W, layer.b = layout.weights(W), layout.biases(b)
