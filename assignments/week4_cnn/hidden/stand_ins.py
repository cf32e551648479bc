"""What stands in for the student's own lower layers: parts and functions that the examiner answers.

So a layer is judged by itself, whatever the functions below it do, and a network by itself,
whatever its layers do. Formulas and numbers of the parts stay here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite.student import Student

from .formulas import FUNCTIONS

MODULES = ["conv", "cnn_layers"]
"""Where the functions stand: the first one has made them, the others may have imported them."""

Answer = Callable[[Any], Any]


def _real(value: Any) -> Any:
    """Return an array as float64, anything plain as it is. Raises ValueError for the rest."""
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value.astype(np.float64) if value.ndim else value.item()
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) in (tuple, list) and all(type(one) is int for one in value):
        return tuple(value)
    raise ValueError("arguments have to be arrays of real numbers, or whole numbers")


def _function(question: Any) -> Any:
    """Return what a function of conv.py gives for these arguments, a text if they don't fit."""
    if type(question) is not list or len(question) != 3 or question[0] not in FUNCTIONS:
        return "this is no call of a function of conv.py"
    name, args, named = question
    if type(args) is not list or type(named) is not dict:
        return "this is no call of a function of conv.py"
    try:
        given = [_real(value) for value in args], {k: _real(v) for k, v in named.items()}
        result = FUNCTIONS[name](*given[0], **given[1])
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        return f"{name}: {error}"
    return list(result) if isinstance(result, tuple) else result


class Layer:
    """A layer of the student's whose methods run while functions of conv.py are the examiner's."""

    def __init__(self, student: Student, layer: Handle) -> None:
        self._student, self._layer = student, layer

    def call(self, method: str, *args: Any) -> Any:
        """Call a method; return its result."""
        function, names = getattr(self._layer, method), sorted(FUNCTIONS)
        return self._student.converse(
            _function, "with_functions", MODULES, names, function, list(args)
        )

    def forward(self, x: Any) -> Any:
        """Return the output of the layer."""
        return self.call("forward", x)

    def backward(self, dL_dy: Any) -> Any:
        """Return what the layer's backward returns."""
        return self.call("backward", dL_dy)


class Mix:
    """y = sin(c x + d) times W, plus b^2, for x of the shape (N, ...) and W of (..., D)."""

    def __init__(self, rng: np.random.Generator, sizes: tuple[int, ...]) -> None:
        self.c, self.d = rng.uniform(0.6, 1.4), rng.normal()
        self.W, self.b = rng.normal(size=sizes), rng.uniform(0.5, 1.5, size=sizes[-1])

    def forward(self, x: np.ndarray, W: Any = None, b: Any = None) -> np.ndarray:
        """Return the output, with the present parameters if none are given."""
        self.used = self.W if W is None else W, self.b if b is None else b
        W, b = self.used
        self.phase = self.c * _fitting(x, (None, *self.W.shape[:-1])) + self.d
        return np.tensordot(np.sin(self.phase), _fitting(W, self.W.shape), W.ndim - 1) + b**2

    def backward(self, dL_dy: np.ndarray) -> list[np.ndarray]:
        """Return dL/dx, dL/dW and dL/db."""
        (W, b), axes = self.used, [self.phase.ndim - 1]
        _fitting(dL_dy, (len(self.phase), len(b)))
        back = np.tensordot(dL_dy, W, axes=([1], axes)) * self.c * np.cos(self.phase)
        dW = np.tensordot(np.sin(self.phase), dL_dy, axes=([0], [0]))
        return [back, dW, 2.0 * b * dL_dy.sum(axis=0)]


class Bend:
    """y = p sin(x) + q x, with a p and a q for each entry of an example."""

    def __init__(self, rng: np.random.Generator, sizes: tuple[int, ...]) -> None:
        self.p, self.q = rng.normal(size=sizes), rng.uniform(1.0, 2.0, size=sizes)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output, of the shape of x."""
        self.x = _fitting(x, (None, *self.p.shape))
        return self.p * np.sin(x) + self.q * x

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx."""
        return _fitting(dL_dy, self.x.shape) * (self.p * np.cos(self.x) + self.q)


def _fitting(x: np.ndarray, shape: Sequence[int | None]) -> np.ndarray:
    """Return x. Raises ValueError if it has another shape; None stands for any length."""
    if x.ndim != len(shape) or any(
        length not in (None, given) for length, given in zip(shape, x.shape, strict=True)
    ):
        wanted = tuple("N" if length is None else length for length in shape)
        raise ValueError(f"expected an array of shape {wanted}, got {x.shape}")
    return x


IMAGE, HIDDEN, CLASSES = (4, 3, 2), 5, 6
"""An image of the made-up network, its hidden units and its classes."""


class Chain:
    """Five layers of the examiner's in the place of a ConvNet's, and what they compute.

    As in the network itself, the first and the last one have parameters.
    """

    def __init__(self, student: Student, rng: np.random.Generator) -> None:
        self.formulas = [
            Mix(rng, (*IMAGE, HIDDEN)),
            Bend(rng, (HIDDEN,)),
            Bend(rng, (HIDDEN,)),
            Bend(rng, (HIDDEN,)),
            Mix(rng, (HIDDEN, CLASSES)),
        ]
        self._student = student
        self.layers = [
            student.prepare("part", n, {"W": f.W, "b": f.b} if isinstance(f, Mix) else {})
            for n, f in enumerate(self.formulas)
        ]
        self.mixes = [n for n, f in enumerate(self.formulas) if isinstance(f, Mix)]

    def network(self) -> Handle:
        """Return a ConvNet of the student's with these layers in it."""
        model = self._student.cnn_layers.ConvNet()
        self._student.drive("put_in", model, self.layers)
        return model

    def call(self, model: Handle, method: str, *args: Any) -> Any:
        """Call a method of the network's; return its result."""
        return self._student.converse(self._answer, "begin", getattr(model, method), list(args))

    def _answer(self, question: Any) -> Any:
        """Return what a layer gives for these arrays, a text if they don't fit."""
        if type(question) is not list or len(question) < 3:
            return "this is no call of a layer"
        number, back, *arrays = question
        known = type(number) is int and 0 <= number < len(self.formulas) and back in (0, 1)
        if not known or not all(type(a) is np.ndarray and a.dtype.kind in "biuf" for a in arrays):
            return "arguments have to be arrays of real numbers"
        formula = self.formulas[number]
        if back and not hasattr(formula, "x" if isinstance(formula, Bend) else "phase"):
            return "backward of a layer comes after its forward"
        try:
            step = formula.backward if back else formula.forward
            return step(*(array.astype(np.float64) for array in arrays))
        except (ValueError, TypeError) as error:
            return f"these arguments don't fit: {error}"

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Return what the network computes."""
        for formula in self.formulas:
            x = formula.forward(x)
        return x

    def gradients(self, x: np.ndarray, dL_dlogits: np.ndarray) -> dict[str, np.ndarray]:
        """Return dL/dx as "x", and dL/dW and dL/db of each layer that has some, as "0.W"."""
        self.logits(x)
        found, back = {}, dL_dlogits
        for number in reversed(range(len(self.formulas))):
            answer = self.formulas[number].backward(back)
            back = answer[0] if isinstance(answer, list) else answer
            if isinstance(answer, list):
                found |= {f"{number}.W": answer[1], f"{number}.b": answer[2]}
        return {"x": back, **found}
